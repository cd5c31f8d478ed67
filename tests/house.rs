//! Functions that fit a screen and files with one subject.
//!
//! Sources are as `rustfmt` leaves them, so a function ends at the first closing brace that stands as far to the left as
//! its first line does.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a function, its signature and its closing brace counted.
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that are longer, with the lines that each may have. No line is ever added to this list, and one that is not
/// needed any more is struck.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// Lines of a file. One that grows beyond has two subjects: give the second a file of its own. Most have 150 to 400.
const FILE_LINES_MAX: usize = 500;

/// Files that are longer, with the lines that each may have: as [`LONG_FUNCTIONS`].
const LONG_FILES: &[(&str, usize)] = &[];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source of the project: its path from the root, and its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directory in [
        "benches",
        "connectors",
        "examples",
        "log",
        "operators",
        "runtime",
        "server",
        "sql",
        "src",
        "state",
        "tests",
    ] {
        collect(&root().join(directory), &mut found);
    }
    assert!(found.len() > 200, "sources were not found");
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut long = Vec::new();
    let mut count = 0;
    for (file, text) in sources() {
        for (name, lines) in functions(&text) {
            count += 1;
            let exception = LONG_FUNCTIONS.iter().find(|(of, long, _)| *of == file && *long == name);
            let most = exception.map_or(FUNCTION_LINES_MAX, |(_, _, most)| *most);
            if lines > most {
                long.push(format!("{file}: {name} has {lines} lines, and may have {most}"));
            }
        }
    }
    assert!(count > 4_000, "functions were not understood: {count}");
    assert!(long.is_empty(), "functions that are too long: {long:#?}");
}

#[test]
fn no_file_has_two_subjects() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let lines = text.lines().count();
        let exception = LONG_FILES.iter().find(|(name, _)| *name == file);
        let most = exception.map_or(FILE_LINES_MAX, |(_, most)| *most);
        if lines > most {
            long.push(format!("{file} has {lines} lines, and may have {most}"));
        }
    }
    assert!(long.is_empty(), "files that are too long: {long:#?}");
}

/// The functions of a source that have a body of several lines: name, and number of lines.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let measure = |at: usize| {
        let left = lines[at].len() - lines[at].trim_start().len();
        let stands_at_left = |line: &&str| line.len() > left && line.len() - line.trim_start().len() == left;
        let mut at_left = lines[at..].iter().zip(1..).filter(|(line, _)| stands_at_left(line));
        // The signature's last line; one that ends otherwise has no body, or one of one line.
        let (head, _) = at_left.find(|(line, _)| line.ends_with(['{', '}', ';']))?;
        let (_, count) = at_left.find(|(line, _)| line.trim() == "}").filter(|_| head.ends_with('{'))?;
        Some((function_name(lines[at])?, count))
    };
    let signatures = (0..lines.len()).filter(|at| function_name(lines[*at]).is_some());
    signatures.filter_map(measure).collect()
}

/// The name of the function whose signature begins here.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_signature = before.split_whitespace().all(|word| {
        word.starts_with("pub")
            || ["const", "async", "unsafe", "extern", "\"C\"", "super)", "crate)"].contains(&word)
    });
    let end = after.find(|next: char| !next.is_alphanumeric() && next != '_')?;
    (is_signature && end > 0).then(|| &after[..end])
}

#[test]
fn functions_are_found_and_measured() {
    let text = "\
fn short() {
    1
}

    pub(crate) fn longer(
        a: u32,
    ) -> u32 {
        if a > 1 {
            2
        }
    }

    fn declared(&self);
fn one_line() {}
// fn comment() {
";
    assert_eq!(functions(text), [("short", 3), ("longer", 7)]);
}
