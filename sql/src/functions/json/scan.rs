//! Reads JSON where it lies, as Jackson does: up to the end of the first value.

use std::borrow::Cow;

/// How deep values may be nested.
const DEPTH_MAX: usize = 1000;

/// How many characters a number may have.
const NUMBER_MAX: usize = 1000;

/// A text that is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoJson;

/// What a value is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    /// Whether it is neither an array nor an object.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Kind::Array | Kind::Object)
    }
}

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'t> {
    pub(super) kind: Kind,
    /// From its first byte to its last.
    pub(super) text: &'t str,
}

/// A place in a text.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// The first value of a text, which is read whole.
pub(super) fn value(text: &str) -> Result<Value<'_>, NoJson> {
    let mut scanner = Scanner::new(text);
    let value = scanner.value(0)?;
    // What follows at once would be part of it.
    match value.kind {
        Kind::Number | Kind::Bool | Kind::Null => match scanner.peek() {
            Some(byte) if byte > b' ' && !matches!(byte, b',' | b':' | b'[' | b'{' | b']' | b'}' | b'"') => {
                Err(NoJson)
            }
            _ => Ok(value),
        },
        _ => Ok(value),
    }
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Scanner { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether the next byte that is no blank is this one, which is skipped.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// What the next value is, by its first byte.
    pub(super) fn kind(&mut self) -> Result<Kind, NoJson> {
        self.skip_blanks();
        Ok(match self.peek().ok_or(NoJson)? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => Kind::Number,
        })
    }

    /// Skips a value.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'t>, NoJson> {
        if depth > DEPTH_MAX {
            return Err(NoJson);
        }
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Object => self.members(|scanner, _| scanner.value(depth + 1).map(drop))?,
            Kind::Array => self.elements(|scanner, _| scanner.value(depth + 1).map(drop))?,
            Kind::Text => drop(self.string()?),
            Kind::Bool if self.peek() == Some(b't') => self.word("true")?,
            Kind::Bool => self.word("false")?,
            Kind::Null => self.word("null")?,
            Kind::Number => self.number()?,
        }
        Ok(Value { kind, text: &self.text[start..self.at] })
    }

    fn word(&mut self, word: &str) -> Result<(), NoJson> {
        let rest = &self.text.as_bytes()[self.at..];
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || matches!(byte, b'_' | b'$');
        match rest.starts_with(word.as_bytes()) && !rest.get(word.len()).is_some_and(is_part) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => Err(NoJson),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<(), NoJson> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.peek();
        let whole = self.digits();
        if whole == 0 || (first == Some(b'0') && whole > 1) {
            return Err(NoJson);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(NoJson);
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(NoJson);
            }
        }
        if self.at - start > NUMBER_MAX { Err(NoJson) } else { Ok(()) }
    }

    /// Skips a string, from its first quote; what stands between the quotes.
    pub(super) fn string(&mut self) -> Result<&'t str, NoJson> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        loop {
            match bytes.get(at).ok_or(NoJson)? {
                b'"' => break,
                b'\\' => match bytes.get(at + 1).ok_or(NoJson)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                    b'u' => {
                        let digits = bytes.get(at + 2..at + 6).ok_or(NoJson)?;
                        if !digits.iter().all(u8::is_ascii_hexdigit) {
                            return Err(NoJson);
                        }
                        at += 6;
                    }
                    _ => return Err(NoJson),
                },
                byte if *byte < b' ' => return Err(NoJson),
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Ok(&self.text[start..at])
    }

    /// Goes through the members of an object, from its brace: what is called skips the value.
    pub(super) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &'t str) -> Result<(), NoJson>,
    ) -> Result<(), NoJson> {
        self.at += 1;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(NoJson);
            }
            let name = self.string()?;
            if !self.take(b':') {
                return Err(NoJson);
            }
            self.skip_blanks();
            member(self, name)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(NoJson);
            }
        }
    }

    /// Goes through the elements of an array, from its bracket: what is called skips the value.
    pub(super) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), NoJson>,
    ) -> Result<(), NoJson> {
        self.at += 1;
        if self.take(b']') {
            return Ok(());
        }
        for index in 0.. {
            self.skip_blanks();
            element(self, index)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(NoJson);
            }
        }
        Err(NoJson)
    }
}

/// The text of a string, of what stands between its quotes. Half of a character is a `?`.
pub(super) fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let letter = escape.chars().next();
        rest = escape.get(1..).unwrap_or_default();
        match letter {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => rest = push_units(rest, &mut text),
            Some(char) => text.push(char),
            None => {}
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// One unit of UTF-16 in digits, or the two of a character; what is behind them.
fn push_units<'t>(digits: &'t str, text: &mut String) -> &'t str {
    let unit = |digits: &str| digits.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let rest = digits.get(4..).unwrap_or_default();
    let Some(first) = unit(digits) else { return rest };
    let second = rest.strip_prefix("\\u").and_then(|rest| Some((unit(rest)?, rest.get(4..)?)));
    if let Some((second, behind)) = second
        && let Some(Ok(char)) = char::decode_utf16([first, second]).next()
        && char.len_utf16() == 2
    {
        text.push(char);
        return behind;
    }
    text.push(char::from_u32(u32::from(first)).unwrap_or('?'));
    rest
}
