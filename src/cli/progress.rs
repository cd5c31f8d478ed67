//! What a person sees while something runs: a live display on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

/// Everything that is being displayed. Lines of the log go above it.
static DISPLAY: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Whether there is somebody to show a live display to.
pub(crate) fn is_live() -> bool {
    io::stderr().is_terminal()
}

/// A line on standard error, above the live display.
pub(crate) fn say(line: &str) {
    DISPLAY.suspend(|| eprintln!("{line}"));
}

/// Calls what writes to the terminal, with the live display out of its way.
pub(crate) fn beside_display<R>(write: impl FnOnce() -> R) -> R {
    DISPLAY.suspend(write)
}

/// Standard error for the log, above the live display.
pub(crate) fn above_display() -> impl Write {
    AboveDisplay(Vec::new())
}

/// Collects an event, then prints it where the display is not.
struct AboveDisplay(Vec<u8>);

impl Write for AboveDisplay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for AboveDisplay {
    fn drop(&mut self) {
        say(String::from_utf8_lossy(&self.0).trim_end());
    }
}

/// A number that grows, with its rate.
pub(crate) struct Counter {
    bar: ProgressBar,
}

impl Counter {
    pub(crate) fn new(what: &str) -> Self {
        let bar = DISPLAY.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} {msg} ({per_sec})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Counter { bar }
    }

    pub(crate) fn set(&self, count: u64) {
        self.bar.set_position(count);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Lines that are written over and over.
pub(crate) struct Panel {
    bar: ProgressBar,
}

impl Panel {
    pub(crate) fn new() -> Self {
        let bar = DISPLAY.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Panel { bar }
    }

    pub(crate) fn show(&self, text: String) {
        self.bar.set_message(text);
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
