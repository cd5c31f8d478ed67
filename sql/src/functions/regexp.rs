//! Functions of regular expressions, which mean what Java's do ([`java`] reads them).
//!
//! What Java takes for no regular expression gives NULL (for `REGEXP`: FALSE). What can't be run here is refused with the
//! plan where it is a constant, and else is the row's error. Places are counted in units of UTF-16, from 1.

mod backtrack;
mod class;
mod java;
mod node;
mod pattern;
#[cfg(test)]
mod tests;

pub(super) use pattern::Patterns;

use super::search::texts;
use super::{Arg, Call, Failed, Function, Param, Typed, fixed, utf16};
use arrow::array::{ArrayRef, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Int32Type};
use pattern::Pattern;
use std::rc::Rc;
use std::sync::Arc;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["REGEXP"],
        signature: "REGEXP(string, regex)",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text], DataType::Boolean)),
        eval: regexp,
        fails: true,
        examples: &[
            ("REGEXP('foobar', 'o+')", "true"),
            ("REGEXP('abc', '')", "false"),
            ("REGEXP('abc', '(b|')", "false"),
            ("REGEXP('ABC', '(?i)abc')", "true"),
        ],
    },
    Function {
        names: &["REGEXP_REPLACE"],
        signature: "REGEXP_REPLACE(string, regex, replacement)",
        types: |args| checked(args, fixed(args, 3, &[Param::Text, Param::Text, Param::Text], DataType::Utf8)),
        eval: replace,
        fails: true,
        examples: &[
            ("REGEXP_REPLACE('banana', 'a', '-')", "b-n-n-"),
            ("REGEXP_REPLACE('baac', 'a*', '-')", "-b--c-"),
            ("REGEXP_REPLACE('abc', '(b)', '$1')", "a$1c"),
            ("REGEXP_REPLACE('abc', '[', '-')", "null"),
        ],
    },
    Function {
        names: &["REGEXP_EXTRACT"],
        signature: "REGEXP_EXTRACT(string, regex [, group])",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text, Param::Int], DataType::Utf8)),
        eval: extract,
        fails: true,
        examples: &[
            ("REGEXP_EXTRACT('100-200', '(\\d+)-(\\d+)', 2)", "200"),
            ("REGEXP_EXTRACT('foobar', 'o+')", "oo"),
            ("REGEXP_EXTRACT('foobar', 'o+', 1)", "null"),
        ],
    },
    Function {
        names: &["REGEXP_EXTRACT_ALL"],
        signature: "REGEXP_EXTRACT_ALL(string, regex [, group])",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text, Param::Int], texts())),
        eval: extract_all,
        fails: true,
        examples: &[
            ("REGEXP_EXTRACT_ALL('a1b22c', '([a-z])([0-9]+)')", "[a, b]"),
            ("REGEXP_EXTRACT_ALL('a1b22c', '([a-z])([0-9]+)', 2)", "[1, 22]"),
            ("REGEXP_EXTRACT_ALL('a1b22c', '[0-9]+')", "null"),
        ],
    },
    Function {
        names: &["REGEXP_COUNT"],
        signature: "REGEXP_COUNT(string, regex)",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text], DataType::Int32)),
        eval: count,
        fails: true,
        examples: &[("REGEXP_COUNT('abcabc', 'b')", "2"), ("REGEXP_COUNT('abc', '')", "4")],
    },
    Function {
        names: &["REGEXP_INSTR"],
        signature: "REGEXP_INSTR(string, regex)",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text], DataType::Int32)),
        eval: instr,
        fails: true,
        examples: &[("REGEXP_INSTR('foobar', 'o+')", "2"), ("REGEXP_INSTR('abc', 'x')", "0")],
    },
    Function {
        names: &["REGEXP_SUBSTR"],
        signature: "REGEXP_SUBSTR(string, regex)",
        types: |args| checked(args, fixed(args, 2, &[Param::Text, Param::Text], DataType::Utf8)),
        eval: extract,
        fails: true,
        examples: &[("REGEXP_SUBSTR('foobar', 'o+')", "oo"), ("REGEXP_SUBSTR('abc', 'x')", "null")],
    },
];

/// Refuses a constant that can't be run.
fn checked(args: &[Arg<'_>], typed: Result<Typed, String>) -> Result<Typed, String> {
    let typed = typed?;
    match args.get(1).and_then(Arg::text).map(|regex| Patterns::default().get(regex)) {
        Some(Err(Failed(wrong))) => Err(format!("can't run this: {wrong}")),
        _ => Ok(typed),
    }
}

/// The first two arguments, row by row.
struct Rows<'a> {
    text: super::Column<'a, StringArray>,
    regex: super::Column<'a, StringArray>,
    patterns: Patterns,
}

impl<'a> Rows<'a> {
    fn new(call: &Call<'a>) -> Result<Self, Failed> {
        let (text, regex) = (call.column(0)?, call.column(1)?);
        Ok(Rows { text, regex, patterns: Patterns::default() })
    }

    /// The text and the pattern of a row; `None` where one is null, or the pattern is none.
    fn get(&mut self, row: usize) -> Result<Option<(&'a str, Rc<Pattern>)>, Failed> {
        let Some((text, regex)) = self.text.get(row).zip(self.regex.get(row)) else { return Ok(None) };
        Ok(self.patterns.get(regex)?.map(|pattern| (text, pattern)))
    }
}

fn regexp(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let (text, regex) = (call.column::<StringArray>(0)?, call.column::<StringArray>(1)?);
    let mut patterns = Patterns::default();
    call.booleans(|row| {
        let Some((text, regex)) = text.get(row).zip(regex.get(row)) else { return Ok(None) };
        match patterns.get(regex)? {
            Some(pattern) if !regex.is_empty() => pattern.is_match(text).map(Some),
            _ => Ok(Some(false)),
        }
    })
}

fn replace(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut rows = Rows::new(call)?;
    let replacement = call.column::<StringArray>(2)?;
    call.write_texts(|row, out| {
        let Some((text, pattern)) = rows.get(row)? else { return Ok(false) };
        let Some(replacement) = replacement.get(row) else { return Ok(false) };
        let mut behind = 0;
        for found in pattern.matches(text) {
            let (start, end) = found?;
            super::call::check_bytes(out.len() + (start - behind) + replacement.len())?;
            out.push_str(&text[behind..start]);
            out.push_str(replacement);
            behind = end;
        }
        out.push_str(&text[behind..]);
        Ok(true)
    })
}

/// A group of the first match; the whole of it is group 0.
fn extract(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut rows = Rows::new(call)?;
    let group = group_of(call)?;
    call.texts(|row| {
        let group = group.as_ref().map_or(Some(0), |group| group.get(row));
        let Some(((text, pattern), group)) = rows.get(row)?.zip(group) else { return Ok(None) };
        let Ok(group) = usize::try_from(group) else { return Ok(None) };
        let found = pattern.captures_at(text, 0)?;
        Ok(found
            .and_then(|groups| groups.get(group).copied().flatten())
            .map(|(start, end)| &text[start..end]))
    })
}

fn group_of<'a>(call: &Call<'a>) -> Result<Option<super::Column<'a, Int32Array>>, Failed> {
    match call.arity() {
        3 => call.column::<Int32Array>(2).map(Some),
        _ => Ok(None),
    }
}

/// A group of all matches, the first one unless it is said; NULL where there is no such group.
fn extract_all(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut rows = Rows::new(call)?;
    let group = group_of(call)?;
    let mut lists = ListBuilder::with_capacity(StringBuilder::new(), call.rows());
    for row in 0..call.rows() {
        let group = group.as_ref().map_or(Some(1), |group| group.get(row));
        let group = group.and_then(|group| usize::try_from(group).ok());
        let given = rows.get(row)?.zip(group).filter(|((_, pattern), group)| *group < pattern.groups());
        let Some(((text, pattern), group)) = given else {
            lists.append(false);
            continue;
        };
        let mut at = Some(0);
        while let Some(groups) = at.map(|at| pattern.captures_at(text, at)).transpose()?.flatten() {
            let found = groups.get(group).copied().flatten();
            lists.values().append_option(found.map(|(start, end)| &text[start..end]));
            at = groups.first().copied().flatten().and_then(|whole| pattern::next_place(text, whole));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn count(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut rows = Rows::new(call)?;
    call.numbers::<Int32Type>(|row| match rows.get(row)? {
        Some((text, pattern)) => {
            pattern.matches(text).try_fold(0, |count, found| found.map(|_| count + 1)).map(Some)
        }
        None => Ok(None),
    })
}

fn instr(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut rows = Rows::new(call)?;
    call.numbers::<Int32Type>(|row| match rows.get(row)? {
        Some((text, pattern)) => {
            let found = pattern.matches(text).next().transpose()?;
            Ok(Some(found.map_or(0, |(start, _)| utf16::count(&text[..start]) as i32 + 1)))
        }
        None => Ok(None),
    })
}
