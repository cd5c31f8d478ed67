//! Clients of PostgreSQL: which databases they find, and who answers them.

use super::Failure;
use super::ask::limited::{Limits, Unanswered, limited};
use super::http_args::TokenArgs;
use super::progress::say;
use super::settings::defaults;
use super::tls::TlsArgs;
use millstream::log::Log;
use millstream::sql::{SqlErrors, SqlJob, relations};
use millstream_postgres::{
    Answer, Asked, Backend, Column, PostgresOptions, PostgresServer, Reason, Refusal, Table,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Jobs whose tables are asked: a database each.
pub(crate) trait Jobs: Send + Sync + 'static {
    /// Their names.
    fn names(&self) -> Vec<String>;

    /// The text of one.
    ///
    /// # Errors
    /// Where there is none, and which there are.
    fn text(&self, name: &str) -> Result<Arc<str>, String>;

    /// The log that a question is asked of.
    ///
    /// # Errors
    /// When it can't be reached.
    fn log(&self, planned: &SqlJob) -> Result<Arc<dyn Log>, Failure>;
}

/// Starts a server for clients of PostgreSQL. It ends when it is dropped.
///
/// # Errors
/// When it can't listen, or may not.
pub(crate) fn start(
    address: SocketAddr,
    tokens: &TokenArgs,
    tls: &TlsArgs,
    jobs: impl Jobs,
) -> Result<PostgresServer, Failure> {
    let (password, read_password) = tokens.read()?;
    let backend = Arc::new(Tables { jobs, known: Mutex::default() });
    let tls = tls.server(b"postgresql")?;
    let options = PostgresOptions { address, password, read_password, tls };
    let server = PostgresServer::start(backend, &options);
    let server = server.map_err(|error| Failure::Usage(error.to_string()))?;
    say(&format!("clients of PostgreSQL connect to {}, a database for each job", server.address()));
    Ok(server)
}

/// The tables of a text, as long as it stays that.
type Known = (Arc<str>, Vec<Table>);

struct Tables<J> {
    jobs: J,
    known: Mutex<BTreeMap<String, Known>>,
}

impl<J: Jobs> Tables<J> {
    fn text(&self, database: &str) -> Result<Arc<str>, Refusal> {
        let unknown = |message| Refusal { reason: Reason::Unknown, message, ..Refusal::default() };
        self.jobs.text(database).map_err(unknown)
    }
}

impl<J: Jobs> Backend for Tables<J> {
    fn databases(&self) -> Vec<String> {
        self.jobs.names()
    }

    fn tables(&self, database: &str) -> Result<Vec<Table>, Refusal> {
        let text = self.text(database)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tables)) = known.get(database).filter(|(known, _)| *known == text) {
            return Ok(tables.clone());
        }
        // Those of jobs that there are no longer.
        let names = self.jobs.names();
        known.retain(|name, _| names.contains(name));
        let tables = relations(&text).into_iter().map(|relation| Table {
            name: relation.name,
            is_view: relation.kind == "view",
            columns: columns(relation.columns),
        });
        let tables: Vec<Table> = tables.collect();
        known.insert(database.to_owned(), (text, tables.clone()));
        Ok(tables)
    }

    fn describe(&self, database: &str, text: &str) -> Result<Vec<Column>, Refusal> {
        let question = defaults()
            .ask("the tables", &self.text(database)?, text, false)
            .map_err(|errors| wrong(&errors))?;
        Ok(columns(question.columns))
    }

    fn answer(&self, asked: Asked<'_>) -> Result<Answer, Refusal> {
        let begun = Instant::now();
        let tables = self.text(asked.database)?;
        let question =
            defaults().ask("the tables", &tables, asked.text, false).map_err(|errors| wrong(&errors))?;
        let log = self.jobs.log(&question.job).map_err(|failure| unanswered(failure.into()))?;
        let Asked { rows_max, time_max, cancelled, .. } = asked;
        let limits = Limits { rows_max, time_max, begun, cancelled: Some(cancelled) };
        let (rows, more) = limited(&question, log, limits).map_err(unanswered)?;
        Ok(Answer { columns: columns(question.columns), rows, more })
    }
}

fn columns(columns: Vec<(String, String)>) -> Vec<Column> {
    columns.into_iter().map(|(name, type_name)| Column { name, type_name }).collect()
}

/// The first mistake: there is one place in an error of PostgreSQL's.
fn wrong(errors: &SqlErrors) -> Refusal {
    let Some(error) = errors.errors.first() else {
        return Refusal { message: errors.to_string(), ..Refusal::default() };
    };
    Refusal {
        reason: Reason::Text,
        message: match error.label.is_empty() {
            true => error.message.clone(),
            false => format!("{} ({})", error.message, error.label),
        },
        code: Some(error.code),
        // A mistake of the tables has no place in the question.
        at: (errors.file == "query").then_some(error.span.start),
        help: error.help.clone(),
    }
}

fn unanswered(unanswered: Unanswered) -> Refusal {
    let (reason, message) = match unanswered {
        Unanswered::Limit(message) => (Reason::Limit, message),
        Unanswered::Cancelled => (Reason::Cancelled, "the question was cancelled".to_owned()),
        Unanswered::Failed(failure) => (Reason::Failure, failure.to_string()),
    };
    Refusal { reason, message, ..Refusal::default() }
}

/// One job that runs in the foreground.
pub(crate) struct OneJob {
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    pub(crate) log: Arc<dyn Log>,
}

impl Jobs for OneJob {
    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }

    fn text(&self, name: &str) -> Result<Arc<str>, String> {
        match name == self.name {
            true => Ok(Arc::clone(&self.text)),
            false => {
                Err(format!("database \"{}\" does not exist; the job is {}", name.escape_debug(), self.name))
            }
        }
    }

    fn log(&self, _: &SqlJob) -> Result<Arc<dyn Log>, Failure> {
        Ok(Arc::clone(&self.log))
    }
}
