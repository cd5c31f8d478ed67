//! The text of statements: its words, and what of PostgreSQL's way of writing is Flink's in other words.
//!
//! Questions are asked in Flink's SQL. What clients put around it by themselves is taken: names in double quotes, the
//! schema `public` in front of tables, `$1` for values, `E''` and `$$` texts, `::type`. Each piece of what is asked knows
//! where it came from, so that errors point into the text that the client sent.

use crate::error::Trouble;
use crate::types::Kind;

/// Words of one text that are looked at.
const TOKENS_MAX: usize = 200_000;

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// White space, or a comment.
    Space,
    /// A word without quotes.
    Word,
    /// A name in double quotes.
    Quoted,
    Number,
    /// `'..'`.
    Text,
    /// `E'..'`.
    Escaped,
    /// `$tag$..$tag$`.
    Dollar,
    /// `$1`.
    Parameter,
    /// Anything else, a character or `::` each.
    Sign,
}

/// A piece and where it stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) piece: Piece,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// Takes a text apart.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Trouble> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let (piece, length) = next(rest).map_err(|what| {
            Trouble::new("42601", format!("{what} does not end")).at(Some(character(text, at)))
        })?;
        let end = at + length.max(1);
        tokens.push(Token { piece, start: at, end });
        at = end;
        if tokens.len() > TOKENS_MAX {
            return Err(Trouble::new("54001", format!("a text has more than {TOKENS_MAX} words")));
        }
    }
    Ok(tokens)
}

/// The number of the character at a byte, from 1.
pub(crate) fn character(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.chars().count()) + 1
}

/// What a text begins with, and how long it is; or what does not end.
fn next(rest: &str) -> Result<(Piece, usize), &'static str> {
    let mut chars = rest.chars();
    let (first, second) = (chars.next().unwrap_or(' '), chars.next());
    match (first, second) {
        ('-', Some('-')) => Ok((Piece::Space, rest.find('\n').unwrap_or(rest.len()))),
        ('/', Some('*')) => comment(rest).map(|length| (Piece::Space, length)).ok_or("a comment"),
        ('E' | 'e', Some('\'')) => {
            let length = quoted(rest.get(1..).unwrap_or_default(), '\'', true);
            length.map(|length| (Piece::Escaped, length + 1)).ok_or("a text")
        }
        ('\'', _) => quoted(rest, '\'', false).map(|length| (Piece::Text, length)).ok_or("a text"),
        ('"', _) => quoted(rest, '"', false).map(|length| (Piece::Quoted, length)).ok_or("a name"),
        ('`', _) => quoted(rest, '`', false).map(|length| (Piece::Quoted, length)).ok_or("a name"),
        ('$', Some('0'..='9')) => {
            Ok((Piece::Parameter, 1 + run(rest.get(1..), |char| char.is_ascii_digit())))
        }
        ('$', _) => match dollar(rest) {
            Some(length) => length.map(|length| (Piece::Dollar, length)).ok_or("a text"),
            None => Ok((Piece::Sign, 1)),
        },
        (':', Some(':')) => Ok((Piece::Sign, 2)),
        (first, _) if first.is_whitespace() => Ok((Piece::Space, run(Some(rest), char::is_whitespace))),
        (first, _) if first.is_alphabetic() || first == '_' => {
            Ok((Piece::Word, run(Some(rest), |char| char.is_alphanumeric() || matches!(char, '_' | '$'))))
        }
        (first, _) if first.is_ascii_digit() => {
            Ok((Piece::Number, run(Some(rest), |char| char.is_ascii_alphanumeric() || char == '.')))
        }
        (first, _) => Ok((Piece::Sign, first.len_utf8())),
    }
}

fn run(text: Option<&str>, is_of_it: impl Fn(char) -> bool) -> usize {
    let text = text.unwrap_or_default();
    text.find(|char: char| !is_of_it(char)).unwrap_or(text.len())
}

/// How long a comment is; there may be others in it.
fn comment(rest: &str) -> Option<usize> {
    let (bytes, mut depth, mut at) = (rest.as_bytes(), 0_usize, 0);
    while let Some(two) = bytes.get(at..at + 2) {
        match two {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// How long what is in quotes is, with them.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' if escapes => drop(chars.next()),
            _ if char == quote => match chars.peek() {
                Some((_, next)) if *next == quote => drop(chars.next()),
                _ => return Some(at + quote.len_utf8()),
            },
            _ => {}
        }
    }
    None
}

/// How long a text between `$tag$` is, or none where it does not end; nothing where none begins.
fn dollar(rest: &str) -> Option<Option<usize>> {
    let tag = 1 + run(rest.get(1..), |char| char.is_alphanumeric() || char == '_');
    rest.get(tag..)?.starts_with('$').then_some(())?;
    let (mark, inside) = rest.split_at_checked(tag + 1)?;
    Some(inside.find(mark).map(|end| end + 2 * mark.len()))
}

/// The value of a text, a name or a number as it is written.
pub(crate) fn value(token: &Token, text: &str) -> String {
    let written = token.text(text);
    let inside =
        |written: &str| written.get(1..written.len().saturating_sub(1)).unwrap_or_default().to_owned();
    match token.piece {
        Piece::Text => inside(written).replace("''", "'"),
        Piece::Quoted if written.starts_with('`') => inside(written).replace("``", "`"),
        Piece::Quoted => inside(written).replace("\"\"", "\""),
        Piece::Dollar => {
            let mark = written.get(1..).and_then(|rest| rest.find('$')).map_or(0, |at| at + 2);
            written.get(mark..written.len().saturating_sub(mark)).unwrap_or_default().to_owned()
        }
        Piece::Escaped => unescaped(&inside(written.get(1..).unwrap_or_default())),
        _ => written.to_owned(),
    }
}

fn unescaped(inside: &str) -> String {
    let mut chars = inside.chars().peekable();
    let mut value = String::new();
    while let Some(char) = chars.next() {
        match char {
            '\'' => {
                chars.next_if_eq(&'\'');
                value.push('\'');
            }
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('b') => value.push('\u{8}'),
                Some('f') => value.push('\u{c}'),
                Some(other) => value.push(other),
                None => {}
            },
            _ => value.push(char),
        }
    }
    value
}

/// A statement of a text: its tokens without white space at either end.
pub(crate) fn statements(tokens: &[Token], text: &str) -> Vec<Vec<Token>> {
    let parts = tokens.split(|token| token.piece == Piece::Sign && token.text(text) == ";");
    let trimmed = parts.map(|part| {
        let is_space = |token: &&Token| token.piece == Piece::Space;
        let front = part.iter().take_while(is_space).count();
        let back = part.iter().rev().take_while(is_space).count();
        part.get(front..part.len().saturating_sub(back)).unwrap_or_default().to_vec()
    });
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// A text as it is asked, and where its pieces came from.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) text: String,
    /// Where a piece begins here, and where in the client's text.
    places: Vec<(usize, usize)>,
}

impl Asked {
    fn put(&mut self, text: &str, from: usize) {
        self.places.push((self.text.len(), from));
        self.text.push_str(text);
    }

    /// Where in the client's text a byte of this one comes from.
    pub(crate) fn place(&self, at: usize) -> Option<usize> {
        let known = self.places.partition_point(|(here, _)| *here <= at);
        let (here, from) = self.places.get(known.checked_sub(1)?)?;
        Some(from + (at - here))
    }
}

/// A statement in Flink's words. `parameter` gives what stands for `$n`, and is told whether that counts rows.
pub(crate) fn asked(
    statement: &[Token],
    text: &str,
    database: &str,
    parameter: &mut dyn FnMut(usize, bool) -> Result<String, Trouble>,
) -> Result<Asked, Trouble> {
    let mut asked = Asked::default();
    // Where each token begins in what is asked, for casts that are put around it.
    let mut begins: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(token) = statement.get(at) {
        begins.resize(at + 1, asked.text.len());
        let skipped = schema(statement, at, text, database);
        if skipped > 0 {
            at += skipped;
            continue;
        }
        match token.piece {
            Piece::Space => asked.put(" ", token.start),
            Piece::Quoted => asked.put(&format!("`{}`", value(token, text).replace('`', "``")), token.start),
            Piece::Escaped | Piece::Dollar => {
                asked.put(&format!("'{}'", value(token, text).replace('\'', "''")), token.start);
            }
            Piece::Parameter => {
                let number = token.text(text).get(1..).and_then(|number| number.parse().ok()).unwrap_or(0);
                let before = statement.get(..at).unwrap_or_default().iter().rev();
                let before =
                    before.filter(|token| token.piece != Piece::Space).map(|token| token.text(text)).next();
                let counts = before.is_some_and(|word| {
                    word.eq_ignore_ascii_case("LIMIT") || word.eq_ignore_ascii_case("OFFSET")
                });
                let value = parameter(number, counts)
                    .map_err(|trouble| trouble.at(Some(character(text, token.start))))?;
                asked.put(&value, token.start);
            }
            Piece::Sign if token.text(text) == "::" => {
                let (name, used) =
                    type_name(statement.get(at + 1..).unwrap_or_default(), text).ok_or_else(|| {
                        let trouble = Trouble::unsupported(
                            "this type is not known",
                            "write CAST(value AS type) with a type of Flink's",
                        );
                        trouble.at(Some(character(text, token.start)))
                    })?;
                let begin = operand(statement.get(..at).unwrap_or_default(), text);
                let begin = begins.get(begin).copied().unwrap_or(0);
                // What was written since then moves behind `CAST(`.
                asked.text.insert_str(begin, "CAST(");
                let moved =
                    |(here, from): &(usize, usize)| (if *here >= begin { here + 5 } else { *here }, *from);
                asked.places = asked.places.iter().map(moved).collect();
                begins.iter_mut().filter(|place| **place > begin).for_each(|place| *place += 5);
                asked.put(&format!(" AS {name})"), token.start);
                at += used;
            }
            _ => asked.put(token.text(text), token.start),
        }
        at += 1;
    }
    Ok(asked)
}

/// How many tokens stand for a schema, or for database and schema, in front of a name.
fn schema(statement: &[Token], at: usize, text: &str, database: &str) -> usize {
    let is = |at: usize, name: &str| {
        statement.get(at).is_some_and(|token| {
            matches!(token.piece, Piece::Word | Piece::Quoted) && value(token, text) == name
        })
    };
    let is_dot = |at: usize| {
        statement.get(at).is_some_and(|token| token.piece == Piece::Sign && token.text(text) == ".")
    };
    match () {
        () if at > 0 && is_dot(at - 1) => 0,
        () if is(at, "public") && is_dot(at + 1) => 2,
        () if is(at, database) && is_dot(at + 1) && is(at + 2, "public") && is_dot(at + 3) => 4,
        () => 0,
    }
}

/// The type behind `::`, in Flink's words, and how many tokens name it.
pub(crate) fn type_name(rest: &[Token], text: &str) -> Option<(&'static str, usize)> {
    let mut words = rest.iter().enumerate().filter(|(_, token)| token.piece != Piece::Space);
    let (at, first) = words.next()?;
    // A precision is part of another type, which CAST knows.
    let has_more = words.next().is_some_and(|(_, token)| token.text(text) == "(");
    let kind = match (has_more, value(first, text).to_ascii_lowercase().as_str()) {
        (true, _) => return None,
        (_, "bool" | "boolean") => Kind::Bool,
        (_, "int2" | "smallint") => Kind::Int2,
        (_, "int4" | "int" | "integer") => Kind::Int4,
        (_, "int8" | "bigint") => Kind::Int8,
        (_, "float4" | "real") => Kind::Float4,
        (_, "float8" | "double") => Kind::Float8,
        (_, "numeric" | "decimal") => Kind::Numeric(38, 18),
        (_, "text" | "varchar" | "bpchar") => Kind::Text,
        (_, "date") => Kind::Date,
        (_, "time") => Kind::Time,
        (_, "timestamp") => Kind::Timestamp,
        (_, "timestamptz") => Kind::TimestampTz,
        _ => return None,
    };
    Some((kind.in_flink(), at + 1))
}

/// Where the value in front of `::` begins: a literal, a name with what is in front of it, or what is in parentheses with
/// the name of its function.
fn operand(before: &[Token], text: &str) -> usize {
    let sign =
        |at: usize| before.get(at).filter(|token| token.piece == Piece::Sign).map(|token| token.text(text));
    let last = |from: usize| {
        (0..from).rev().find(|at| before.get(*at).is_some_and(|token| token.piece != Piece::Space))
    };
    let Some(mut at) = last(before.len()) else { return 0 };
    if sign(at) == Some(")") {
        let mut depth = 0_usize;
        loop {
            match sign(at) {
                Some(")") => depth += 1,
                Some("(") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 || at == 0 {
                break;
            }
            at -= 1;
        }
        let is_name = |at: usize| {
            before.get(at).is_some_and(|token| matches!(token.piece, Piece::Word | Piece::Quoted))
        };
        match at.checked_sub(1) {
            Some(name) if is_name(name) => at = name,
            _ => return at,
        }
    }
    while at >= 2 && sign(at - 1) == Some(".") {
        at -= 2;
    }
    // The type of a cast before is part of a value: `a::int::text`.
    match last(at).filter(|before| sign(*before) == Some("::")) {
        Some(cast) => operand(before.get(..cast).unwrap_or_default(), text),
        None => at,
    }
}

#[cfg(test)]
mod tests;
