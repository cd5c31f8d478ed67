//! Reads regular expressions as `java.util.regex` writes them.
//!
//! Its classes are those of ASCII unless `(?U)` is set, it ignores the case of ASCII letters only unless `(?u)` is set, and
//! `.`, `^` and `$` know all line terminators of Unicode unless `(?d)` is set.

use super::class;
use super::node::{Anchor, Greed, LINE_ENDS, Node, push_literal};
use std::collections::BTreeMap;

/// How deep groups may be nested.
const DEPTH_MAX: usize = 100;

/// Why there is no pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Java takes it for none.
    Invalid,
    /// Java knows it, and here it does not run.
    Unsupported(String),
}

/// What `(?..)` sets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignores_case: bool,
    pub(super) unicode_case: bool,
    pub(super) unicode_classes: bool,
    comments: bool,
    dot_all: bool,
    lines: bool,
    unix: bool,
}

/// What was read: the tree, and how many groups it has.
pub(super) fn read(regex: &str) -> Result<(Node, usize), Problem> {
    let mut reader =
        Reader { chars: regex.chars().collect(), at: 0, groups: 0, names: BTreeMap::new(), regex };
    let mut flags = Flags::default();
    let node = reader.alternatives(&mut flags, 0)?;
    match reader.next() {
        None => Ok((node, reader.groups)),
        Some(_) => Err(Problem::Invalid),
    }
}

/// The text that is read.
pub(super) struct Reader<'r> {
    chars: Vec<char>,
    at: usize,
    groups: usize,
    names: BTreeMap<String, usize>,
    regex: &'r str,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn peek_behind(&self) -> Option<char> {
        self.chars.get(self.at + 1).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let found = self.peek();
        self.at += usize::from(found.is_some());
        found
    }

    pub(super) fn take(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        self.at += usize::from(found);
        found
    }

    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Problem> {
        match depth > DEPTH_MAX {
            true => Err(Problem::Unsupported("parts that are nested too deeply".to_owned())),
            false => Ok(()),
        }
    }

    /// With `(?x)` white space and comments mean nothing.
    pub(super) fn skip_comments(&mut self, flags: Flags) {
        if !flags.comments {
            return;
        }
        loop {
            match self.peek() {
                Some(' ' | '\t'..='\r') => self.at += 1,
                Some('#') => while !matches!(self.next(), None | Some('\n')) {},
                _ => return,
            }
        }
    }

    fn alternatives(&mut self, flags: &mut Flags, depth: usize) -> Result<Node, Problem> {
        self.check_depth(depth)?;
        let mut all = vec![self.sequence(flags, depth)?];
        while self.take('|') {
            all.push(self.sequence(flags, depth)?);
        }
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Ok(Node::Alt(all)),
        }
    }

    fn sequence(&mut self, flags: &mut Flags, depth: usize) -> Result<Node, Problem> {
        let mut nodes = Vec::new();
        loop {
            self.skip_comments(*flags);
            let Some(first) = self.peek().filter(|char| !matches!(char, '|' | ')')) else {
                return Ok(Node::Seq(nodes));
            };
            self.at += 1;
            match first {
                '(' => {
                    if let Some(node) = self.group(flags, depth)? {
                        nodes.push(self.repeated(node, *flags)?);
                    }
                }
                '\\' if self.take('Q') => self.quoted(*flags, &mut nodes)?,
                first => {
                    let node = self.atom(first, *flags, depth)?;
                    nodes.push(self.repeated(node, *flags)?);
                }
            }
        }
    }

    fn atom(&mut self, first: char, flags: Flags, depth: usize) -> Result<Node, Problem> {
        Ok(match first {
            '*' | '+' | '?' | '{' => return Err(Problem::Invalid),
            '.' if flags.dot_all => Node::Class("(?s:.)".to_owned()),
            '.' if flags.unix => Node::Class(r"[^\x{a}]".to_owned()),
            '.' => {
                let mut class = "[^".to_owned();
                LINE_ENDS.iter().for_each(|end| push_literal(*end, &mut class));
                class.push(']');
                Node::Class(class)
            }
            '^' if flags.lines => Node::At(Anchor::LineStart { unix: flags.unix }),
            '^' => Node::At(Anchor::Start),
            '$' if flags.lines => Node::At(Anchor::LineEnd { unix: flags.unix }),
            '$' => Node::At(Anchor::LastLine { unix: flags.unix }),
            '[' => Node::Class(class::bracketed(self, flags, depth + 1)?),
            '\\' => self.escape(flags)?,
            char => literal(char, flags),
        })
    }

    /// `\Q..\E`: all of it means itself; what repeats behind it repeats the last character.
    fn quoted(&mut self, flags: Flags, nodes: &mut Vec<Node>) -> Result<(), Problem> {
        let start = nodes.len();
        loop {
            match self.next() {
                None => break,
                Some('\\') if self.take('E') => break,
                Some(char) => nodes.push(literal(char, flags)),
            }
        }
        if nodes.len() > start
            && let Some(last) = nodes.pop()
        {
            nodes.push(self.repeated(last, flags)?);
        }
        Ok(())
    }

    fn escape(&mut self, flags: Flags) -> Result<Node, Problem> {
        let letter = self.next().ok_or(Problem::Invalid)?;
        if let Some(named) = class::of_letter(letter, flags) {
            return Ok(Node::Class(named.class()));
        }
        Ok(match letter {
            'p' | 'P' => Node::Class(class::of_property(self, letter == 'P', flags)?.class()),
            'b' if self.peek() == Some('{') => return Err(Problem::Unsupported("\\b{g}".to_owned())),
            'b' => Node::At(Anchor::Word),
            'B' => Node::At(Anchor::NoWord),
            'A' => Node::At(Anchor::Start),
            'Z' => Node::At(Anchor::LastLine { unix: flags.unix }),
            'z' => Node::At(Anchor::End),
            'R' => Node::Alt(vec![
                Node::Seq(vec![Node::Char('\r'), Node::Char('\n')]),
                Node::Class(r"[\x{a}-\x{d}\x{85}\x{2028}\x{2029}]".to_owned()),
            ]),
            'G' | 'X' => return Err(Problem::Unsupported(format!("\\{letter}"))),
            '1'..='9' => self.back_reference(letter, flags)?,
            'k' => {
                if !self.take('<') {
                    return Err(Problem::Invalid);
                }
                let name = self.name()?;
                let group = *self.names.get(&name).ok_or(Problem::Invalid)?;
                reference(group, flags)?
            }
            letter => literal(self.escaped(letter)?, flags),
        })
    }

    /// As many digits as there are groups.
    fn back_reference(&mut self, first: char, flags: Flags) -> Result<Node, Problem> {
        let mut group = first as usize - '0' as usize;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        reference(group, flags)
    }

    /// The character of a letter behind a backslash.
    pub(super) fn escaped(&mut self, letter: char) -> Result<char, Problem> {
        Ok(match letter {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'e' => '\u{1b}',
            '0' => self.octal()?,
            'x' if self.take('{') => {
                let mut code = 0_u32;
                loop {
                    match self.next().ok_or(Problem::Invalid)? {
                        '}' => break char::from_u32(code).ok_or(Problem::Invalid)?,
                        digit => {
                            let digit = digit.to_digit(16).ok_or(Problem::Invalid)?;
                            code = code
                                .checked_mul(16)
                                .and_then(|code| code.checked_add(digit))
                                .ok_or(Problem::Invalid)?;
                        }
                    }
                }
            }
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'c' => char::from_u32(u32::from(self.next().ok_or(Problem::Invalid)?) ^ 64)
                .ok_or(Problem::Invalid)?,
            letter if letter.is_ascii_alphabetic() => return Err(Problem::Invalid),
            other => other,
        })
    }

    fn octal(&mut self) -> Result<char, Problem> {
        let mut code = 0;
        for place in 0..3 {
            let digit = self.peek().and_then(|char| char.to_digit(8));
            match digit {
                Some(digit) if place < 2 || code < 32 => {
                    code = code * 8 + digit;
                    self.at += 1;
                }
                None if place == 0 => return Err(Problem::Invalid),
                _ => break,
            }
        }
        char::from_u32(code).ok_or(Problem::Invalid)
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<char, Problem> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.next().and_then(|char| char.to_digit(16)).ok_or(Problem::Invalid)?;
            code = code * 16 + digit;
        }
        let half = || Problem::Unsupported(format!("half of a character in '{}'", self.regex));
        char::from_u32(code).ok_or_else(half)
    }

    /// A name and its `>`.
    fn name(&mut self) -> Result<String, Problem> {
        let mut name = String::new();
        loop {
            match self.next().ok_or(Problem::Invalid)? {
                '>' if !name.is_empty() => return Ok(name),
                char if char.is_ascii_alphabetic() || (char.is_ascii_digit() && !name.is_empty()) => {
                    name.push(char)
                }
                _ => return Err(Problem::Invalid),
            }
        }
    }

    /// Behind `(`; `None` for flags without a group.
    fn group(&mut self, flags: &mut Flags, depth: usize) -> Result<Option<Node>, Problem> {
        let mut inside = *flags;
        if !self.take('?') {
            self.groups += 1;
            return self.numbered(self.groups, inside, depth).map(Some);
        }
        let look = |behind, negative| move |node| Node::Look { node: Box::new(node), behind, negative };
        Ok(Some(match self.next().ok_or(Problem::Invalid)? {
            ':' => self.closed(inside, depth)?,
            '=' => look(false, false)(self.closed(inside, depth)?),
            '!' => look(false, true)(self.closed(inside, depth)?),
            '>' => Node::Atomic(Box::new(self.closed(inside, depth)?)),
            '<' if self.take('=') => look(true, false)(self.bounded(inside, depth)?),
            '<' if self.take('!') => look(true, true)(self.bounded(inside, depth)?),
            '<' => {
                let name = self.name()?;
                self.groups += 1;
                if self.names.insert(name, self.groups).is_some() {
                    return Err(Problem::Invalid);
                }
                self.numbered(self.groups, inside, depth)?
            }
            _ => {
                self.at -= 1;
                if !self.set_flags(&mut inside)? {
                    *flags = inside;
                    return Ok(None);
                }
                self.closed(inside, depth)?
            }
        }))
    }

    fn numbered(&mut self, group: usize, flags: Flags, depth: usize) -> Result<Node, Problem> {
        Ok(Node::Group(Box::new(self.closed(flags, depth)?), group))
    }

    fn closed(&mut self, mut flags: Flags, depth: usize) -> Result<Node, Problem> {
        let node = self.alternatives(&mut flags, depth + 1)?;
        match self.take(')') {
            true => Ok(node),
            false => Err(Problem::Invalid),
        }
    }

    /// What stands behind must have a longest match.
    fn bounded(&mut self, flags: Flags, depth: usize) -> Result<Node, Problem> {
        let node = self.closed(flags, depth)?;
        match node.width() {
            (_, Some(_)) => Ok(node),
            (_, None) => Err(Problem::Unsupported("a look behind without a longest match".to_owned())),
        }
    }

    /// `i-s:` or `i-s)`; whether a group follows.
    fn set_flags(&mut self, flags: &mut Flags) -> Result<bool, Problem> {
        let mut on = true;
        loop {
            match self.next().ok_or(Problem::Invalid)? {
                ':' => return Ok(true),
                ')' => return Ok(false),
                '-' if on => on = false,
                'i' => flags.ignores_case = on,
                'u' => flags.unicode_case = on,
                'U' => {
                    flags.unicode_classes = on;
                    flags.unicode_case |= on;
                }
                'x' => flags.comments = on,
                's' => flags.dot_all = on,
                'm' => flags.lines = on,
                'd' => flags.unix = on,
                _ => return Err(Problem::Invalid),
            }
        }
    }

    /// With what repeats it.
    fn repeated(&mut self, node: Node, flags: Flags) -> Result<Node, Problem> {
        self.skip_comments(flags);
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.at += 1;
                let min = self.number()?.ok_or(Problem::Invalid)?;
                let max = match self.take(',') {
                    true => self.number()?,
                    false => Some(min),
                };
                if self.peek() != Some('}') || max.is_some_and(|max| max < min) {
                    return Err(Problem::Invalid);
                }
                (min, max)
            }
            _ => return Ok(node),
        };
        self.at += 1;
        let greed = match self.peek() {
            Some('?') => Greed::Lazy,
            Some('+') => Greed::Possessive,
            _ => Greed::Greedy,
        };
        self.at += usize::from(greed != Greed::Greedy);
        Ok(Node::Repeat { node: Box::new(node), min, max, greed })
    }

    fn number(&mut self) -> Result<Option<u32>, Problem> {
        let start = self.at;
        let mut number = 0_u32;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            number = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(digit))
                .ok_or(Problem::Invalid)?;
            self.at += 1;
        }
        match i32::try_from(number) {
            Err(_) => Err(Problem::Invalid),
            Ok(_) => Ok((self.at > start).then_some(number)),
        }
    }
}

fn reference(group: usize, flags: Flags) -> Result<Node, Problem> {
    match flags.ignores_case && flags.unicode_case {
        true => Err(Problem::Unsupported("a reference back that ignores the case of all letters".to_owned())),
        false => Ok(Node::BackReference(group, flags.ignores_case)),
    }
}

fn literal(char: char, flags: Flags) -> Node {
    match (flags.ignores_case, flags.unicode_case) {
        (true, true) if char.is_alphabetic() => {
            let mut class = String::from("(?i:");
            push_literal(char, &mut class);
            class.push(')');
            Node::Class(class)
        }
        (true, false) if char.is_ascii_alphabetic() => {
            Node::Class(format!("[{}{}]", char.to_ascii_lowercase(), char.to_ascii_uppercase()))
        }
        _ => Node::Char(char),
    }
}
