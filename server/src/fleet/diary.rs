//! The last things that happened to a job, for people.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many lines are kept.
const LINES_MAX: usize = 500;
/// Longer lines are cut.
const LINE_BYTES_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Diary {
    lines: Mutex<VecDeque<(u64, String)>>,
}

impl Diary {
    pub(super) fn note(&self, text: &str) {
        let mut end = text.len().min(LINE_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = if end < text.len() { " .." } else { "" };
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back((at, format!("{}{cut}", &text[..end])));
    }

    pub(super) fn json(&self) -> Value {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|(at, text)| json!({ "time_ms": at, "text": text })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_long_ones_are_cut() {
        let diary = Diary::default();
        (0..LINES_MAX + 3).for_each(|at| diary.note(&format!("line {at}")));
        diary.note(&"ö".repeat(LINE_BYTES_MAX));
        let lines = diary.json();
        let lines = lines.as_array().unwrap();
        assert_eq!((lines.len(), &lines[0]["text"]), (LINES_MAX, &"line 4".into()));
        let last = lines[LINES_MAX - 1]["text"].as_str().unwrap();
        assert!(last.len() == LINE_BYTES_MAX + 3 && last.ends_with("ö .."), "{}", last.len());
    }
}
