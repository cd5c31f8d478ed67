//! A regular expression as a tree, and as one of the `regex` crate where that means the same.

/// A part of a regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A character.
    Char(char),
    /// One character of a class, which is written as the `regex` crate has it.
    Class(String),
    /// One after the other.
    Seq(Vec<Node>),
    /// The first that leads to a match.
    Alt(Vec<Node>),
    /// The same several times.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greed: Greed },
    /// A group with a number.
    Group(Box<Node>, usize),
    /// A place before or behind which there is a match, or none.
    Look { node: Box<Node>, behind: bool, negative: bool },
    /// A match that is not gone back into.
    Atomic(Box<Node>),
    /// What a group has matched; whether the case of ASCII letters counts.
    BackReference(usize, bool),
    /// A kind of place.
    At(Anchor),
}

/// How often a part is repeated where there is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greed {
    /// As often as it goes, less where that leads to a match.
    Greedy,
    /// As seldom as it goes.
    Lazy,
    /// As often as it goes, and never less.
    Possessive,
}

/// Where in a text a match may go on without taking a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `\A`
    Start,
    /// `\z`
    End,
    /// `$`: the end, or in front of the line terminator there.
    LastLine { unix: bool },
    /// `^` of lines
    LineStart { unix: bool },
    /// `$` of lines
    LineEnd { unix: bool },
    /// `\b`
    Word,
    /// `\B`
    NoWord,
}

/// What ends a line.
pub(super) const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

impl Node {
    /// Whether there is a `$`, which looks at line terminators at the end of the text.
    pub(super) fn looks_at_end(&self) -> bool {
        match self {
            Node::At(place) => matches!(place, Anchor::LastLine { .. }),
            Node::Seq(nodes) | Node::Alt(nodes) => nodes.iter().any(Node::looks_at_end),
            Node::Repeat { node, .. }
            | Node::Group(node, _)
            | Node::Atomic(node)
            | Node::Look { node, .. } => node.looks_at_end(),
            Node::Char(_) | Node::Class(_) | Node::BackReference(_, _) => false,
        }
    }

    /// As an expression of the `regex` crate; `None` where it has none. A `$` becomes the end of the text: that is the
    /// same where no line terminator stands there.
    pub(super) fn linear(&self) -> Option<String> {
        let mut out = String::new();
        self.write_linear(&mut out).then_some(out)
    }

    fn write_linear(&self, out: &mut String) -> bool {
        match self {
            Node::Char(char) => push_literal(*char, out),
            Node::Class(class) => out.push_str(class),
            Node::Seq(nodes) => return nodes.iter().all(|node| node.write_linear(out)),
            Node::Alt(nodes) => {
                out.push_str("(?:");
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        out.push('|');
                    }
                    if !node.write_linear(out) {
                        return false;
                    }
                }
                out.push(')');
            }
            Node::Repeat { greed: Greed::Possessive, .. } => return false,
            Node::Repeat { node, min, max, greed } => {
                out.push_str("(?:");
                if !node.write_linear(out) {
                    return false;
                }
                out.push(')');
                match (min, max) {
                    (0, None) => out.push('*'),
                    (1, None) => out.push('+'),
                    (0, Some(1)) => out.push('?'),
                    (min, None) => out.push_str(&format!("{{{min},}}")),
                    (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
                }
                if *greed == Greed::Lazy {
                    out.push('?');
                }
            }
            Node::Group(node, _) => {
                out.push('(');
                if !node.write_linear(out) {
                    return false;
                }
                out.push(')');
            }
            Node::At(place) => match place {
                Anchor::Start => out.push_str("\\A"),
                Anchor::End | Anchor::LastLine { .. } => out.push_str("\\z"),
                Anchor::Word => out.push_str("\\b"),
                Anchor::NoWord => out.push_str("\\B"),
                Anchor::LineStart { .. } | Anchor::LineEnd { .. } => return false,
            },
            Node::Look { .. } | Node::Atomic(_) | Node::BackReference(_, _) => return false,
        }
        true
    }

    /// How many characters a match has, at least and at most; `None` for any number.
    pub(super) fn width(&self) -> (usize, Option<usize>) {
        match self {
            Node::Char(_) | Node::Class(_) => (1, Some(1)),
            Node::Look { .. } | Node::At(_) => (0, Some(0)),
            Node::BackReference(_, _) => (0, None),
            Node::Group(node, _) | Node::Atomic(node) => node.width(),
            Node::Seq(nodes) => nodes.iter().map(Node::width).fold((0, Some(0)), |(least, most), (l, m)| {
                (least.saturating_add(l), most.zip(m).map(|(most, m)| most.saturating_add(m)))
            }),
            Node::Alt(nodes) => {
                let widths = nodes.iter().map(Node::width);
                widths
                    .reduce(|(least, most), (l, m)| (least.min(l), most.zip(m).map(|(a, b)| a.max(b))))
                    .unwrap_or((0, Some(0)))
            }
            Node::Repeat { node, min, max, .. } => {
                let (least, most) = node.width();
                let most = most.zip(*max).map(|(most, max)| most.saturating_mul(max as usize));
                (least.saturating_mul(*min as usize), most)
            }
        }
    }
}

/// Appends a character that means itself, inside of a class too.
pub(super) fn push_literal(char: char, out: &mut String) {
    match char.is_ascii_alphanumeric() || !char.is_ascii() {
        true => out.push(char),
        false => out.push_str(&format!("\\x{{{:x}}}", u32::from(char))),
    }
}
