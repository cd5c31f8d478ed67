//! `millstream sql`: questions over the tables of a file.

mod live;
pub(super) mod shell;

use super::ask::format::Format;
use super::ask::{Next, Rows, answer};
use super::job_file::read_text;
use super::log_args::LogArgs;
use super::output::{counted, print};
use super::progress::say;
use super::settings::defaults;
use super::{Failure, signals};
use clap::Args;
use millstream::log::Log;
use millstream::sql::{Question, check_tables, show};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  millstream sql orders.sql -e 'SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer ORDER BY total DESC LIMIT 10'
  millstream sql orders.sql                       a shell, on a terminal
  millstream sql orders.sql < questions.sql       questions one after the other

Exit codes: 0 answered, 2 wrong command line, 3 a wrong question, 4 the log failed or a record could not be read, 130 interrupted")]
pub(crate) struct SqlArgs {
    /// SQL file with CREATE TABLE and CREATE VIEW statements; its other statements are left alone
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The question: SELECT ..; several with ; between them
    #[arg(short = 'e', long, value_name = "SQL")]
    execute: Option<String>,
    /// How to print answers [default: table on a terminal, json elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Show the answer as it changes with what comes, until Ctrl-C
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// Whom questions are asked of.
struct Asker {
    /// The file of the tables, and what it says.
    file: String,
    tables: String,
    log: LogArgs,
    format: Format,
    timer: bool,
}

impl SqlArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (file, tables) = match &self.file {
            Some(file) => read_text(file)?,
            None => ("the shell".to_owned(), String::new()),
        };
        let is_terminal = std::io::stdout().is_terminal();
        let format = self.format.unwrap_or(if is_terminal { Format::Table } else { Format::Json });
        let mut asker = Asker { file, tables, log: self.log, format, timer: is_terminal };
        if self.execute.is_none() && std::io::stdin().is_terminal() && is_terminal {
            return shell::run(asker);
        }
        let text = match self.execute {
            Some(text) => text,
            None => {
                let mut text = String::new();
                let read = std::io::stdin().lock().read_to_string(&mut text);
                read.map_err(|error| Failure::Io(format!("standard input: {error}")))?;
                text
            }
        };
        let asked_to_end = signals::watch(None)?;
        let (mut statements, rest) = shell::statements(&text);
        statements.extend(Some(rest).filter(|rest| !rest.trim().is_empty()));
        for statement in statements {
            asker.tell(&statement, self.follow, &asked_to_end)?;
            if asked_to_end.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted("interrupted: the answer is not whole".to_owned()));
            }
        }
        Ok(())
    }
}

impl Asker {
    /// Takes a statement: a question is answered, what declares is added to the tables.
    fn tell(&mut self, statement: &str, follow: bool, asked_to_end: &AtomicBool) -> Result<(), Failure> {
        if let Some(answered) = show(&self.file, &self.tables, statement) {
            return print(&answered?.to_string());
        }
        let first = statement.split_whitespace().next().unwrap_or_default().to_uppercase();
        if !["CREATE", "SET", "RESET", "DROP", "ALTER", "USE"].contains(&first.as_str()) {
            return self.ask(statement, follow, asked_to_end);
        }
        let tables = format!("{}\n{statement};", self.tables);
        // A declaration is right where a question over it would be.
        check_tables(&self.file, &tables, self.tables.len())?;
        self.tables = tables;
        Ok(())
    }

    fn ask(&self, text: &str, follow: bool, asked_to_end: &AtomicBool) -> Result<(), Failure> {
        let begun = Instant::now();
        let question = defaults().ask(&self.file, &self.tables, text, follow)?;
        let log = self.log(&question)?;
        if follow {
            return live::follow(&question, log, self.format, asked_to_end);
        }
        let rows = answer(&question, log, Rows::default(), |_| {
            Ok(if asked_to_end.load(Ordering::Relaxed) { Next::Enough } else { Next::More })
        })?;
        if asked_to_end.load(Ordering::Relaxed) {
            return Ok(());
        }
        let rows = rows.answer(&question, usize::MAX);
        print(&self.format.text(&question, &rows)?)?;
        self.say_count(rows.len(), begun.elapsed());
        Ok(())
    }

    fn say_count(&self, rows: usize, took: Duration) {
        let rows = counted(rows as u64, "row");
        match (self.timer, self.format) {
            (true, _) => say(&format!("({rows}, {:.3} s)", took.as_secs_f64())),
            (false, Format::Table) => say(&format!("({rows})")),
            (false, _) => {}
        }
    }

    /// The log, opened for a moment: where nobody has it a job may want to start.
    fn log(&self, question: &Question) -> Result<Arc<dyn Log>, Failure> {
        self.log.choose(Some(&question.job))?.open_for_topics(false)
    }
}
