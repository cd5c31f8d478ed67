//! How a command fails: what it says, and the code it exits with.

use super::log_args;
use miette::{
    LabeledSpan, MietteDiagnostic, MietteError, MietteSpanContents, Report, SourceCode, SourceSpan,
    SpanContents,
};
use millstream::JobError;
use millstream::log::{ErrorKind, LogError};
use millstream::operators::{CutError, brief};
use millstream::savepoint::SavepointError;
use millstream::sql::error::SHOWN_MAX;
use millstream::sql::{Picture, Span, SqlError, SqlErrors};
use std::fmt;

/// The codes, for people: part of the help.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done; rows that were late or bad and were dropped or became dead letters are counted in the
       last line, and do not change the code
  1    a test of a SQL file failed
  2    the command line is wrong, or a setting, a client property or a right of the client
  3    the SQL file is wrong, or its plan does not fit the topics
  4    a file or the log refused or failed, or a record could not be processed
  5    the state directory refused or failed, or state, a savepoint or the embedded log is damaged
  6    going on would lose or repeat records: input removed unread, a topic deleted or made
       anew, a reset group, a cut journal, lost snapshots, a savepoint of other topics
  70   a defect of millstream; please report it
  75   the log was not ready in time, or the Kafka client hung in a transaction; start again
  130  interrupted before everything was done; the next start of a job goes on from its last commit";

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong in a way that its parser can't see.
    Usage(String),
    /// The SQL file is wrong.
    Sql(SqlErrors),
    /// The job can't run or can't go on.
    Job(JobError),
    /// The log refused or failed.
    Log(LogError),
    /// A file can't be read or written, or holds what is not expected there.
    Io(String),
    /// State or snapshots are not what they should be.
    Damaged(String),
    /// Going on would lose or repeat records.
    History(String),
    /// Interrupted, with work left.
    Interrupted(String),
    /// Tests of SQL files failed.
    Tests(String),
}

impl Failure {
    /// The code that the process exits with; [`EXIT_CODES`] tells people what it means.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Sql(_) => 3,
            Failure::Job(JobError::Savepoint(SavepointError::Interrupted)) => 130,
            Failure::Job(error) => code_of(error.kind()),
            Failure::Log(error) => code_of(error.kind()),
            Failure::Io(_) => 4,
            Failure::Damaged(_) => 5,
            Failure::History(_) => 6,
            Failure::Interrupted(_) => 130,
            Failure::Tests(_) => 1,
        }
    }

    /// Says what went wrong and gives the exit code.
    pub(crate) fn report(&self) -> u8 {
        match self {
            Failure::Sql(errors) => eprint!("{}", render(errors)),
            other => eprintln!("error: {}", brief(&other.to_string())),
        }
        if let Some(topic) = self.missing_topic() {
            let log = log_args::chosen();
            eprintln!("help: create it with: millstream topic create {topic} --partitions N{log}");
        }
        self.code()
    }

    /// The topic that is not there, where that is what failed.
    fn missing_topic(&self) -> Option<&str> {
        match self {
            Failure::Log(LogError::UnknownTopic(topic))
            | Failure::Job(
                JobError::Log(LogError::UnknownTopic(topic))
                | JobError::Cut(CutError::NoTopic { topic, .. })
                | JobError::DeadLetterTopic { topic, .. },
            ) => Some(topic),
            _ => None,
        }
    }
}

/// What somebody can do about it decides.
fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::FixConfiguration => 2,
        ErrorKind::FixPlan => 3,
        ErrorKind::FixInput | ErrorKind::FixSurroundings => 4,
        ErrorKind::RestoreState => 5,
        ErrorKind::RestoreHistory => 6,
        ErrorKind::Report => 70,
        ErrorKind::Retry => 75,
    }
}

/// Every error with its place in the file, as pictures on a terminal that can show them.
fn render(errors: &SqlErrors) -> String {
    let mut text = String::new();
    for error in errors.errors.iter().take(SHOWN_MAX) {
        let shown = Shown::of(errors, error.span);
        let report = Report::new(diagnostic(error, &shown.picture)).with_source_code(shown);
        text.push_str(&format!("{report:?}\n"));
    }
    let count = errors.errors.len();
    let plural = if count == 1 { "" } else { "s" };
    let of_them = if count > SHOWN_MAX { format!(", of which {SHOWN_MAX} are shown") } else { String::new() };
    text.push_str(&format!("{}: {count} error{plural}{of_them}\n", errors.file));
    text
}

fn diagnostic(error: &SqlError, picture: &Picture) -> MietteDiagnostic {
    let label = (!error.label.is_empty()).then(|| error.label.clone());
    let diagnostic = MietteDiagnostic::new(&error.message)
        .with_code(error.code)
        .with_label(LabeledSpan::new(label, picture.start, picture.end - picture.start));
    match &error.help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

/// The lines around an error as miette reads them: short ones, with the numbers that they have in the file.
#[derive(Debug)]
struct Shown {
    file: String,
    picture: Picture,
    /// Of the place in its line in the file, from 1.
    column: usize,
}

impl Shown {
    fn of(errors: &SqlErrors, span: Span) -> Self {
        let (_, column) = errors.line_column(span);
        Shown { file: errors.file.clone(), picture: errors.picture(span), column }
    }
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.picture.text.read_span(span, lines_before, lines_after)?;
        // What is asked for without lines around it is the place for the head of the picture.
        let is_place = lines_before == 0 && lines_after == 0;
        let column = if is_place { self.column - 1 } else { read.column() };
        let line = self.picture.line - 1 + read.line();
        let (name, data, span) = (self.file.clone(), read.data(), *read.span());
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, line, column, read.line_count())))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message)
            | Failure::Io(message)
            | Failure::Damaged(message)
            | Failure::History(message)
            | Failure::Interrupted(message)
            | Failure::Tests(message) => f.write_str(message),
            Failure::Sql(errors) => write!(f, "{errors}"),
            Failure::Job(error) => write!(f, "{error}"),
            Failure::Log(error) => write!(f, "{error}"),
        }
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Failure::Job(error)
    }
}

impl From<SavepointError> for Failure {
    fn from(error: SavepointError) -> Self {
        Failure::Job(error.into())
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Failure::Log(error)
    }
}

impl From<SqlErrors> for Failure {
    fn from(errors: SqlErrors) -> Self {
        Failure::Sql(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sql_error_is_shown_with_its_line() {
        let text = "SELECT a\nFROM orders WHERE custmer = 1\n";
        let at = |word: &str| {
            let start = text.find(word).unwrap_or_default();
            Span { start, end: start + word.len() }
        };
        let error = |code, message: &str, word: &str, label: &str, help: Option<&str>| SqlError {
            code,
            message: message.to_owned(),
            span: at(word),
            label: label.to_owned(),
            help: help.map(str::to_owned),
        };
        let errors = vec![
            error("MS0210", "table `orders` does not exist", "orders", "", None),
            error(
                "MS0211",
                "no column `custmer`",
                "custmer",
                "not a column",
                Some("did you mean `customer`?"),
            ),
            // A place outside of the file is a defect, but no reason to hide the error.
            SqlError { span: Span { start: 1_000, end: 900 }, ..error("MS0212", "elsewhere", "a", "", None) },
        ];
        let failure = Failure::Sql(SqlErrors::new("job.sql", text, errors));
        let Failure::Sql(errors) = &failure else { unreachable!() };
        let shown = render(errors);
        for part in ["MS0210", "MS0211", "job.sql:2:6", "job.sql:2:19", "FROM orders WHERE custmer = 1"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        for part in ["not a column", "did you mean `customer`?", "elsewhere", "job.sql: 3 errors\n"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        assert_eq!(failure.code(), 3);
    }

    #[test]
    fn a_mistake_beyond_column_65535_is_shown_cut_with_its_place() {
        let text =
            format!("SET 'a' = 'b';\nSELECT {}wrong{}\nFROM t", "a, ".repeat(30_000), ", b".repeat(30_000));
        let start = text.find("wrong").unwrap_or_default();
        let error = SqlError::new("MS0501", Span { start, end: start + 5 }, "no").label("here");
        let shown = render(&SqlErrors::new("job.sql", text, vec![error]));
        assert!(shown.contains("job.sql:2:90008") && shown.contains("wrong"), "{shown}");
        assert!(shown.len() < 2_000, "{}", shown.len());
    }

    #[test]
    fn every_code_is_explained() {
        let data_loss = JobError::DataLoss {
            task: "0-0".to_owned(),
            place: millstream::log::TopicPartition::new("t", 0),
            from: 1,
            start: 2,
        };
        let in_use = JobError::StateInUse { path: "p".to_owned(), owner: "o".to_owned() };
        let internal = JobError::InternalTopic { topic: "t".to_owned(), found: 1, needed: 2 };
        let failures = [
            (Failure::Usage(String::new()), 2),
            (LogError::BadProperty { key: "k".to_owned(), reason: "r".to_owned() }.into(), 2),
            (internal.into(), 3),
            (Failure::Io(String::new()), 4),
            (JobError::Log(LogError::UnknownTopic("t".to_owned())).into(), 4),
            (JobError::Panicked(0).into(), 70),
            (LogError::Timeout("t".to_owned()).into(), 75),
            (LogError::Corrupt("c".to_owned()).into(), 5),
            (LogError::Rejected("r".to_owned()).into(), 2),
            (in_use.into(), 5),
            (data_loss.into(), 6),
            (Failure::History(String::new()), 6),
            (Failure::Interrupted(String::new()), 130),
            (Failure::Tests(String::new()), 1),
        ];
        for (failure, code) in failures {
            assert_eq!(failure.code(), code, "{failure:?}");
            assert!(EXIT_CODES.lines().any(|line| line.starts_with(&format!("  {code} "))), "{code}");
        }
        for kind in ErrorKind::ALL {
            let code = code_of(kind);
            assert!(EXIT_CODES.lines().any(|line| line.starts_with(&format!("  {code} "))), "{kind:?}");
        }
        let hung = format!("  {} ", millstream::log::kafka::EXIT_CODE_HUNG);
        assert!(EXIT_CODES.lines().any(|line| line.starts_with(&hung)));
    }
}
