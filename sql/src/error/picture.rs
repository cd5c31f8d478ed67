//! The lines of a file where something is wrong, as they can be shown.
//!
//! A line is cut to what fits a screen, around the place; characters that steer a terminal are replaced. So whatever a file
//! holds, its errors are short, and showing them does nothing but show them.

use super::Span;

/// Characters of a line that are shown at most.
const WIDTH_MAX: usize = 240;
/// Characters that are shown in front of the place, where a line is cut.
const BEFORE: usize = 100;
/// Characters of a message.
const MESSAGE_MAX: usize = 800;
/// Lines of a place that are shown at most.
const LINES_MAX: usize = 10;

/// Lines with a part of them marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The lines, cut where they are long.
    pub text: String,
    /// Number of the first one, from 1.
    pub line: usize,
    /// Where the marked part begins, in bytes of the text.
    pub start: usize,
    /// Where it ends: in the last line that is shown at most.
    pub end: usize,
}

impl Picture {
    /// The lines of `text` that a span is in, as many at most, and as many around them. A span outside of the text is at its
    /// end.
    pub(super) fn of(text: &str, span: Span, lines_max: usize, around: usize) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end).max(start);
        let first = text[..start].matches('\n').count();
        let inside = text[start..end].matches('\n').count().min(lines_max.clamp(1, LINES_MAX) - 1);
        let from = first.saturating_sub(around);
        let shown = first + inside + around - from + 1;
        let mut picture = Picture { text: String::new(), line: from + 1, start: 0, end: 0 };
        let line_start = text[..start].rmatch_indices('\n').nth(first - from).map_or(0, |(at, _)| at + 1);
        let mut byte = line_start;
        for (index, line) in text[line_start..].split('\n').take(shown).enumerate() {
            if index > 0 {
                picture.text.push('\n');
            }
            let (is_first, is_last) = (index == first - from, index == first + inside - from);
            let mark = if is_first { start - byte } else { 0 };
            let cut = Cut::of(line.strip_suffix('\r').unwrap_or(line), mark);
            let before = picture.text.len();
            if is_first {
                picture.start = before + cut.place(mark);
            }
            if is_last {
                picture.end = (before + cut.place(end.saturating_sub(byte))).max(picture.start);
            }
            picture.text.push_str(&cut.shown());
            byte += line.len() + 1;
        }
        picture
    }
}

/// A line and the part of it that is shown.
struct Cut<'l> {
    line: &'l str,
    from: usize,
    to: usize,
}

impl<'l> Cut<'l> {
    fn of(line: &'l str, mark: usize) -> Self {
        let byte = |index: usize| line.char_indices().nth(index).map_or(line.len(), |(at, _)| at);
        let before = line[..line.floor_char_boundary(mark)].chars().count();
        let is_long = byte(WIDTH_MAX) < line.len();
        let first = if is_long { before.saturating_sub(BEFORE) } else { 0 };
        Cut { line, from: byte(first), to: byte(first + WIDTH_MAX) }
    }

    /// Where a byte of the line is in what is shown.
    fn place(&self, byte: usize) -> usize {
        let to = self.line.floor_char_boundary(byte).clamp(self.from, self.to);
        self.before().len() + printable(&self.line[self.from..to]).len()
    }

    fn before(&self) -> &'static str {
        if self.from > 0 { "…" } else { "" }
    }

    /// What is shown.
    fn shown(&self) -> String {
        let after = if self.to < self.line.len() { "…" } else { "" };
        format!("{}{}{after}", self.before(), printable(&self.line[self.from..self.to]))
    }
}

/// A text without characters that steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let shown = |char: char| match char {
        '\n' | '\t' => char,
        // Among them those that turn the direction of the text around.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        char if char.is_control() => '\u{fffd}',
        char => char,
    };
    text.chars().map(shown).collect()
}

/// A message with what it quotes at some length: names may be of any.
pub(super) fn cut(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_MAX) {
        Some((at, _)) => format!("{}…", &message[..at]),
        None => message.to_owned(),
    }
}
