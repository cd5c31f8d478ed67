//! Classes of characters: Java's as the `regex` crate writes them.

use super::java::{Flags, Problem, Reader};
use super::node::push_literal;

/// `\s` of ASCII.
const WHITE: &str = r"\x{9}-\x{d}\x{20}";
/// `\h`
const HORIZONTAL: &str = r"\x{9}\x{20}\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
/// `\v`
const VERTICAL: &str = r"\x{a}-\x{d}\x{85}\x{2028}\x{2029}";

/// The classes of POSIX and of Java by name, for ASCII.
const NAMED: &[(&str, &str)] = &[
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x{0}-\x{7f}"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"\x{21}-\x{2f}\x{3a}-\x{40}\x{5b}-\x{60}\x{7b}-\x{7e}"),
    ("Graph", r"\x{21}-\x{7e}"),
    ("Print", r"\x{20}-\x{7e}"),
    ("Blank", r"\x{9}\x{20}"),
    ("Cntrl", r"\x{0}-\x{1f}\x{7f}"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", WHITE),
    ("javaLowerCase", r"\p{Lowercase}"),
    ("javaUpperCase", r"\p{Uppercase}"),
];

/// General categories of Unicode.
const CATEGORIES: &[&str] = &[
    "L", "M", "N", "P", "S", "Z", "C", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No",
    "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co",
    "Cn", "LC",
];

/// Properties of Unicode by Java's name.
const PROPERTIES: &[(&str, &str)] = &[
    ("alphabetic", "Alphabetic"),
    ("ideographic", "Ideographic"),
    ("letter", "L"),
    ("lowercase", "Lowercase"),
    ("uppercase", "Uppercase"),
    ("titlecase", "Lt"),
    ("punctuation", "P"),
    ("control", "Cc"),
    ("white_space", "White_Space"),
    ("whitespace", "White_Space"),
    ("digit", "Nd"),
];

/// A class that has a letter, as it stands in brackets, and whether it is what is not in it.
pub(super) struct Named {
    pub(super) items: String,
    pub(super) negated: bool,
}

impl Named {
    /// With its own brackets.
    pub(super) fn class(&self) -> String {
        format!("[{}{}]", if self.negated { "^" } else { "" }, self.items)
    }
}

/// `\d` and the like: the class of a letter behind a backslash.
pub(super) fn of_letter(letter: char, flags: Flags) -> Option<Named> {
    let unicode = flags.unicode_classes;
    let items = match (letter.to_ascii_lowercase(), unicode) {
        ('d', false) => "0-9",
        ('d', true) => r"\d",
        ('w', false) => "a-zA-Z0-9_",
        ('w', true) => r"\w",
        ('s', false) => WHITE,
        ('s', true) => r"\s",
        ('h', _) => HORIZONTAL,
        ('v', _) => VERTICAL,
        _ => return None,
    };
    Some(Named { items: items.to_owned(), negated: letter.is_ascii_uppercase() })
}

/// `\p{..}`, `\pL` and their negations, behind the letter.
pub(super) fn of_property(reader: &mut Reader<'_>, negated: bool, flags: Flags) -> Result<Named, Problem> {
    let name = match reader.next().ok_or(Problem::Invalid)? {
        '{' => {
            let mut name = String::new();
            loop {
                match reader.next().ok_or(Problem::Invalid)? {
                    '}' => break name,
                    char => name.push(char),
                }
            }
        }
        char => char.to_string(),
    };
    let unsupported = || Problem::Unsupported(format!("the class \\p{{{name}}}"));
    let bare = name.strip_prefix("Is").unwrap_or(&name);
    let items = if let Some((_, items)) = NAMED.iter().find(|(known, _)| *known == name) {
        if flags.unicode_classes {
            return Err(unsupported());
        }
        (*items).to_owned()
    } else if CATEGORIES.contains(&bare) {
        format!("\\p{{{bare}}}")
    } else if let (true, Some((_, property))) =
        (bare.len() < name.len(), PROPERTIES.iter().find(|(known, _)| bare.eq_ignore_ascii_case(known)))
    {
        format!("\\p{{{property}}}")
    } else {
        let script =
            name.strip_prefix("script=").or_else(|| name.strip_prefix("sc=")).or(name.strip_prefix("Is"));
        let script =
            script.filter(|script| script.chars().all(|char| char.is_ascii_alphabetic() || char == '_'));
        format!("\\p{{sc={}}}", script.ok_or_else(unsupported)?)
    };
    let cased = ["lower", "upper", "title", "ll", "lu", "lt"];
    if flags.ignores_case && cased.iter().any(|cased| name.to_ascii_lowercase().contains(cased)) {
        return Err(Problem::Unsupported(format!("the class \\p{{{name}}} that ignores case")));
    }
    // What the crate does not know is not supported.
    match regex::Regex::new(&format!("[{items}]")) {
        Ok(_) => Ok(Named { items, negated }),
        Err(_) => Err(unsupported()),
    }
}

/// `[..]`, behind the bracket.
pub(super) fn bracketed(reader: &mut Reader<'_>, flags: Flags, depth: usize) -> Result<String, Problem> {
    let items = bracket_items(reader, flags, depth)?;
    Ok(match flags.ignores_case && flags.unicode_case {
        true => format!("(?i:{items})"),
        false => items,
    })
}

fn bracket_items(reader: &mut Reader<'_>, flags: Flags, depth: usize) -> Result<String, Problem> {
    reader.check_depth(depth)?;
    let mut out = String::from("[");
    if reader.take('^') {
        out.push('^');
    }
    let mut empty = true;
    loop {
        reader.skip_comments(flags);
        match reader.next().ok_or(Problem::Invalid)? {
            ']' if !empty => {
                out.push(']');
                return Ok(out);
            }
            '[' => out.push_str(&bracket_items(reader, flags, depth + 1)?),
            '&' if reader.peek() == Some('&') => {
                if empty {
                    return Err(Problem::Unsupported("&& behind nothing".to_owned()));
                }
                reader.next();
                out.push_str("&&");
                reader.skip_comments(flags);
                if matches!(reader.peek(), Some(']' | '&') | None) {
                    return Err(Problem::Unsupported("&& in front of nothing".to_owned()));
                }
            }
            first => item(reader, first, flags, &mut out)?,
        }
        empty = false;
    }
}

/// A character, a range, or a class that has a letter.
fn item(reader: &mut Reader<'_>, first: char, flags: Flags, out: &mut String) -> Result<(), Problem> {
    let start = match class_or_char(reader, first, flags)? {
        Ok(named) => {
            match named.negated {
                true => out.push_str(&named.class()),
                false => out.push_str(&named.items),
            }
            return Ok(());
        }
        Err(char) => char,
    };
    let ranges = reader.peek() == Some('-') && !matches!(reader.peek_behind(), Some(']' | '[') | None);
    if !ranges {
        push_range(start, start, flags, out);
        return Ok(());
    }
    reader.next();
    let end = reader.next().ok_or(Problem::Invalid)?;
    let end = class_or_char(reader, end, flags)?.err().ok_or(Problem::Invalid)?;
    if end < start {
        return Err(Problem::Invalid);
    }
    push_range(start, end, flags, out);
    Ok(())
}

fn class_or_char(reader: &mut Reader<'_>, first: char, flags: Flags) -> Result<Result<Named, char>, Problem> {
    if first != '\\' {
        return Ok(Err(first));
    }
    let letter = reader.next().ok_or(Problem::Invalid)?;
    if let Some(named) = of_letter(letter, flags) {
        return Ok(Ok(named));
    }
    match letter {
        'p' | 'P' => of_property(reader, letter == 'P', flags).map(Ok),
        'Q' => Err(Problem::Unsupported("\\Q inside of brackets".to_owned())),
        letter => reader.escaped(letter).map(Err),
    }
}

/// A range, with both cases of ASCII letters where the case is ignored.
fn push_range(start: char, end: char, flags: Flags, out: &mut String) {
    let mut range = |start: char, end: char| {
        push_literal(start, out);
        if start != end {
            out.push('-');
            push_literal(end, out);
        }
    };
    range(start, end);
    if flags.ignores_case {
        for (first, last, flip) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
            let (low, high) = (start.max(first), end.min(last));
            if low <= high {
                let other = |char: char| char::from((char as u8 - first as u8) + flip as u8);
                range(other(low), other(high));
            }
        }
    }
}
