//! The shell: statements over several lines, with completion and a history.

mod completion;
mod editor;

use super::Asker;
use crate::cli::Failure;
use crate::cli::ask::format::Format;
use crate::cli::output::{print, table};
use clap::ValueEnum;
use completion::Names;
use console::Term;
use editor::{Ended, History, read};
use millstream::sql::relations;
use signal_hook::consts::SIGINT;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many statements the history has.
const HISTORY_MAX: usize = 10_000;

const HELP: &str = "\
  SELECT ..;            answers a question over what the topics hold now
  CREATE TABLE ..;      declares a table for this shell; CREATE VIEW, ALTER, DROP and SET, too
  SHOW TABLES;          and SHOW COLUMNS, SHOW CREATE TABLE, DESCRIBE: what is declared
  .watch SELECT ..;     shows the answer as it changes; Ctrl-C ends it
  \\d [NAME]             tables and views, or the columns of one
  .mode table|json|csv  how answers are printed
  .timer on|off         how long they took
  \\q                    ends the shell, as Ctrl-D does
";

/// Runs the shell until it is ended.
pub(super) fn run(mut asker: Asker) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Io(format!("the terminal: {error}"));
    let interrupted = Arc::new(AtomicBool::new(false));
    // Ctrl-C ends a question, never the shell.
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupted)).map_err(failed)?;
    let mut history = kept();
    let mut terminal = Term::stdout();
    print(&format!("millstream {}; .help says what there is\n", env!("CARGO_PKG_VERSION")))?;
    let mut text = String::new();
    loop {
        let names = Names::of(&asker.tables);
        let prompt = if text.is_empty() { "millstream> " } else { "        ..> " };
        match read(&mut terminal, prompt, &names, &history).map_err(failed)? {
            Ended::Line(line) => text.push_str(&(line + "\n")),
            Ended::Interrupted => {
                text.clear();
                continue;
            }
            Ended::Input => break,
        }
        let whole = text.trim().to_owned();
        let is_command = is_command(&whole);
        let (said, rest) = match is_command {
            true => (vec![whole.clone()], String::new()),
            false => statements(&text),
        };
        if said.is_empty() {
            text = if whole.is_empty() { String::new() } else { text };
            continue;
        }
        text = if rest.trim().is_empty() { String::new() } else { rest };
        history.add(&whole);
        for statement in said {
            interrupted.store(false, Ordering::Relaxed);
            let done = match is_command {
                true => command(&mut asker, &statement, &interrupted),
                false => asker.tell(&statement, false, &interrupted).map(|()| true),
            };
            match done {
                Ok(true) => {}
                Ok(false) => return keep(&history),
                Err(failure) => drop(failure.report()),
            }
        }
    }
    keep(&history)
}

/// Where the history is kept.
fn history_file() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(".millstream_history"))
}

/// The history of the last time: a statement a line.
fn kept() -> History {
    let text = history_file().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    History { lines: text.lines().map(str::to_owned).collect() }
}

/// Keeps the last statements. What was asked may be nobody else's business.
fn keep(history: &History) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let Some(file) = history_file() else { return Ok(()) };
    let first = history.lines.len().saturating_sub(HISTORY_MAX);
    let lines = history.lines[first..].iter().map(|line| line.replace('\n', " ") + "\n");
    let text: String = lines.collect();
    let open = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file);
    if let Err(error) = open.and_then(|mut open| open.write_all(text.as_bytes())) {
        tracing::warn!(%error, "the history is not kept in {}", file.display());
    }
    Ok(())
}

/// Whether a line is for the shell. One that watches a question goes on until its semicolon.
fn is_command(line: &str) -> bool {
    let watches = line.starts_with(".watch") && !line.ends_with(';');
    (line.starts_with('.') || line.starts_with('\\')) && !watches
}

/// Does what a line for the shell says; says whether the shell goes on.
fn command(asker: &mut Asker, line: &str, interrupted: &AtomicBool) -> Result<bool, Failure> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "\\q" | ".quit" | ".exit" => return Ok(false),
        "\\?" | ".help" => print(HELP)?,
        "\\d" | ".tables" => print(&described(&asker.tables, rest)?)?,
        ".timer" => asker.timer = rest != "off",
        ".watch" => asker.ask(rest.trim_end_matches(';'), true, interrupted)?,
        ".mode" => {
            let format = Format::from_str(rest, true);
            asker.format =
                format.map_err(|_| Failure::Usage("there are .mode table, json and csv".to_owned()))?;
        }
        other => return Err(Failure::Usage(format!("there is no {other}; .help says what there is"))),
    }
    Ok(true)
}

/// Tables and views, or the columns of one.
fn described(tables: &str, name: &str) -> Result<String, Failure> {
    let all = relations(tables);
    if name.is_empty() {
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|relation| {
                let columns: Vec<&str> = relation.columns.iter().map(|(name, _)| name.as_str()).collect();
                vec![relation.name.clone(), relation.kind.to_owned(), columns.join(", ")]
            })
            .collect();
        return Ok(table(&["NAME", "KIND", "COLUMNS"], &[], &rows));
    }
    let name = name.trim_end_matches(';');
    let found = all.iter().find(|relation| relation.name == name);
    let found = found.ok_or_else(|| Failure::Usage(format!("there is no table {name}; \\d lists them")))?;
    let rows: Vec<Vec<String>> =
        found.columns.iter().map(|(name, type_name)| vec![name.clone(), type_name.clone()]).collect();
    Ok(table(&["COLUMN", "TYPE"], &[], &rows))
}

/// The statements of a text that are whole, and what is left. A semicolon in a text, a name or a comment ends none.
pub(in crate::cli) fn statements(text: &str) -> (Vec<String>, String) {
    let (mut found, mut begins, mut chars) = (Vec::new(), 0, text.char_indices().peekable());
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|(_, char)| *char);
        match char {
            '\'' | '"' | '`' => while chars.next().is_some_and(|(_, other)| other != char) {},
            '-' if next == Some('-') => while chars.next().is_some_and(|(_, other)| other != '\n') {},
            '/' if next == Some('*') => {
                let end = text[at + 2..].find("*/").map_or(text.len(), |end| at + end + 4);
                while chars.next_if(|(at, _)| *at < end).is_some() {}
            }
            ';' => {
                found.push(text[begins..at].trim().to_owned());
                begins = at + 1;
            }
            _ => {}
        }
    }
    let rest = text[begins..].to_owned();
    found.retain(|statement| !statement.is_empty());
    (found, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_in_nothing() {
        let (found, rest) =
            statements("SELECT ';' AS `a;b` -- ; no\n, 1 /* ; */;\n ;SELECT 'it''s;'; SELECT");
        assert_eq!(found, ["SELECT ';' AS `a;b` -- ; no\n, 1 /* ; */", "SELECT 'it''s;'"]);
        assert_eq!(rest, " SELECT");
        assert!(statements("SELECT 'open; ").0.is_empty() && statements("/* open ;").0.is_empty());
    }

    #[test]
    fn tables_and_their_columns_are_described() {
        let tables = "CREATE TABLE t (k STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";
        assert!(described(tables, "").unwrap().contains("t     table  k, n"));
        assert!(described(tables, "t").unwrap().contains("n       INT"));
        assert!(described(tables, "no").is_err());
    }
}
