//! A line being edited: keys in, text out. The terminal is at the bottom.

use super::completion::Names;
use console::{Key, Term};
use std::io::{self, ErrorKind, Write};

/// Ctrl-A, and others that terminals send as characters.
const BEGIN: char = '\u{1}';
const END_OF_INPUT: char = '\u{4}';
const END: char = '\u{5}';
const CUT_BEHIND: char = '\u{b}';
const CLEAR: char = '\u{c}';
const DOWN: char = '\u{e}';
const UP: char = '\u{10}';
const CUT_ALL: char = '\u{15}';
const CUT_WORD: char = '\u{17}';

/// How a line ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D in an empty line, or there is no terminal any more.
    Input,
}

/// What a key has done.
#[derive(Debug, PartialEq, Eq)]
enum Done {
    Edited,
    Cleared,
    /// Several names fit.
    Listed(Vec<String>),
    Ended(Ended),
}

/// Lines that were entered, and where in them somebody looks.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) lines: Vec<String>,
}

impl History {
    pub(super) fn add(&mut self, line: &str) {
        if self.lines.last().is_none_or(|last| last != line) {
            self.lines.push(line.to_owned());
        }
    }
}

#[derive(Debug, Default)]
struct Line {
    text: Vec<char>,
    cursor: usize,
    /// How far back in the history it is, and what was written before.
    back: usize,
    own: Vec<char>,
}

impl Line {
    fn press(&mut self, key: Key, names: &Names, history: &History) -> Done {
        match key {
            Key::Enter => return Done::Ended(Ended::Line(self.text.iter().collect())),
            Key::CtrlC => return Done::Ended(Ended::Interrupted),
            Key::Char(END_OF_INPUT) if self.text.is_empty() => return Done::Ended(Ended::Input),
            Key::Tab => return self.complete(names),
            Key::Char(CLEAR) => return Done::Cleared,
            Key::ArrowLeft => self.cursor = self.cursor.saturating_sub(1),
            Key::ArrowRight => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::Home | Key::Char(BEGIN) => self.cursor = 0,
            Key::End | Key::Char(END) => self.cursor = self.text.len(),
            Key::ArrowUp | Key::Char(UP) => self.look(self.back + 1, history),
            Key::ArrowDown | Key::Char(DOWN) => self.look(self.back.saturating_sub(1), history),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Key::Del | Key::Char(END_OF_INPUT) if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Key::Char(CUT_ALL) => self.put(Vec::new()),
            Key::Char(CUT_BEHIND) => self.text.truncate(self.cursor),
            Key::Char(CUT_WORD) => {
                let before = &self.text[..self.cursor];
                let word = before.iter().rposition(|char| !char.is_whitespace()).unwrap_or(0);
                let begin =
                    before[..word].iter().rposition(|char| char.is_whitespace()).map_or(0, |at| at + 1);
                self.text.drain(begin..self.cursor);
                self.cursor = begin;
            }
            Key::Char(char) if !char.is_control() => {
                self.text.insert(self.cursor, char);
                self.cursor += 1;
            }
            _ => {}
        }
        Done::Edited
    }

    fn put(&mut self, text: Vec<char>) {
        self.cursor = text.len();
        self.text = text;
    }

    /// Shows the line that is so far back.
    fn look(&mut self, back: usize, history: &History) {
        if back > history.lines.len() {
            return;
        }
        if self.back == 0 {
            self.own = self.text.clone();
        }
        self.back = back;
        let text = match back {
            0 => self.own.clone(),
            // A statement of several lines is one line here.
            back => history.lines[history.lines.len() - back].replace('\n', " ").chars().collect(),
        };
        self.put(text);
    }

    fn complete(&mut self, names: &Names) -> Done {
        let before: String = self.text[..self.cursor].iter().collect();
        let (begins, found) = names.complete_word(&before);
        let written = before[begins..].chars().count();
        let common = found.iter().skip(1).fold(found.first().cloned().unwrap_or_default(), |common, name| {
            let same = common.chars().zip(name.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
            same.map(|(char, _)| char).collect()
        });
        if common.chars().count() < written || found.is_empty() {
            return Done::Edited;
        }
        let is_longer = common.chars().count() > written;
        let begin = self.cursor - written;
        self.text.splice(begin..self.cursor, common.chars());
        self.cursor = begin + common.chars().count();
        if is_longer || found.len() == 1 { Done::Edited } else { Done::Listed(found) }
    }

    /// What is shown of the line where there is room for so many characters, and where the cursor stands in it.
    fn shown(&self, room: usize) -> (String, usize) {
        let first = (self.cursor + 1).saturating_sub(room.max(1));
        let text = self.text.iter().skip(first).take(room.max(1));
        // A tab or another steering character of a history would move the cursor.
        let text = text.map(|char| if char.is_control() { ' ' } else { *char });
        (text.collect(), self.cursor - first)
    }
}

/// Reads a line from the terminal.
///
/// # Errors
/// When the terminal fails.
pub(super) fn read(terminal: &mut Term, prompt: &str, names: &Names, history: &History) -> io::Result<Ended> {
    let mut line = Line::default();
    loop {
        draw(terminal, prompt, &line)?;
        let key = match terminal.read_key_raw() {
            Ok(key) => key,
            Err(error) if error.kind() == ErrorKind::Interrupted => Key::CtrlC,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Key::Char(END_OF_INPUT),
            Err(error) => return Err(error),
        };
        match line.press(key, names, history) {
            Done::Edited => {}
            Done::Cleared => terminal.clear_screen()?,
            Done::Listed(found) => writeln!(terminal, "\r\n{}", found.join("  "))?,
            Done::Ended(ended) => {
                writeln!(terminal, "\r")?;
                return Ok(ended);
            }
        }
    }
}

fn draw(terminal: &mut Term, prompt: &str, line: &Line) -> io::Result<()> {
    let (_, columns) = terminal.size();
    let room = usize::from(columns).saturating_sub(prompt.len() + 1);
    let (text, cursor) = line.shown(room);
    write!(terminal, "\r\u{1b}[K{prompt}{text}\r\u{1b}[{}C", prompt.len() + cursor)?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Line, keys: &str, history: &History) -> Done {
        let tables = "CREATE TABLE orders (customer STRING, custom INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";
        let names = Names::of(tables);
        let mut done = Done::Edited;
        for char in keys.chars() {
            let key = match char {
                '<' => Key::ArrowLeft,
                '^' => Key::ArrowUp,
                'v' => Key::ArrowDown,
                '\t' => Key::Tab,
                '\n' => Key::Enter,
                '~' => Key::Backspace,
                char => Key::Char(char),
            };
            done = line.press(key, &names, history);
        }
        done
    }

    fn text(line: &Line) -> String {
        line.text.iter().collect()
    }

    #[test]
    fn keys_edit_a_line() {
        let (mut line, history) = (Line::default(), History::default());
        press(&mut line, "SELECT x<<~~T~ \u{1}é\u{5}!", &history);
        assert_eq!(text(&line), "éSELE  x!");
        press(&mut line, "\u{17}", &history);
        assert_eq!(text(&line), "éSELE  ");
        assert_eq!(press(&mut line, "\n", &history), Done::Ended(Ended::Line("éSELE  ".to_owned())));
        press(&mut line, "\u{15}", &history);
        assert_eq!(press(&mut line, "\u{4}", &history), Done::Ended(Ended::Input));
    }

    #[test]
    fn the_history_is_looked_through_and_what_was_written_comes_back() {
        let mut history = History::default();
        ["SELECT 1", "SELECT 1", "SELECT\n2"].iter().for_each(|line| history.add(line));
        let mut line = Line::default();
        press(&mut line, "own^", &history);
        assert_eq!(text(&line), "SELECT 2");
        press(&mut line, "^^^", &history);
        assert_eq!(text(&line), "SELECT 1");
        press(&mut line, "vv", &history);
        assert_eq!(text(&line), "own");
    }

    #[test]
    fn names_are_completed_as_far_as_they_are_the_same() {
        let (mut line, history) = (Line::default(), History::default());
        press(&mut line, "SELECT cu\t", &history);
        assert_eq!(text(&line), "SELECT custom");
        let listed = press(&mut line, "\t", &history);
        assert_eq!(listed, Done::Listed(vec!["custom".to_owned(), "customer".to_owned()]));
        press(&mut line, "e\t FROM ord\t", &history);
        assert_eq!(text(&line), "SELECT customer FROM orders");
    }

    #[test]
    fn a_long_line_is_shown_around_the_cursor() {
        let (mut line, history) = (Line::default(), History::default());
        press(&mut line, "abcdefghij", &history);
        assert_eq!(line.shown(5), ("ghij".to_owned(), 4));
        press(&mut line, "\u{1}", &history);
        assert_eq!(line.shown(5), ("abcde".to_owned(), 0));
    }
}
