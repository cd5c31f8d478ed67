//! Many jobs in one process: files of a directory, and what was submitted, each attended on a thread of its own.
//!
//! ```text
//!   files --look--+                       +-- attendant of a: plan, start, look, try again --> workers of a
//!                 +--> Fleet --orders-----+-- attendant of b ...
//!   requests -----+      |                              |
//!                      Kept (on disk)                 Board, a diary for each job
//! ```
//! A job's name here is that of its file, or the one it was submitted by. What was submitted, and that a job is to be paused
//! or stopped, is on disk before anybody is told so ([`kept`]): a server that is started again goes on as it was told.
//! What happens to a job happens on its attendant's thread and to nobody else: a text that does not plan, an error, a
//! defect of a worker.

mod attendant;
mod diary;
mod files;
mod kept;
mod orders;

use crate::board::{Board, JobEnd, PlanNode};
use crate::problem::Problem;
use attendant::{Attendant, Claims};
use axum::http::StatusCode;
use diary::Diary;
use kept::Kept;
use millstream_operators::records::names::job_name;
use millstream_runtime::job::{Job, Printer, StateLock};
use orders::{Order, Orders, Text};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub(crate) use orders::Wanted;

/// The longest text of a job, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// How many names a message lists.
const NAMES_SHOWN_MAX: usize = 20;

/// A job's text, and what messages call it.
#[derive(Debug, Clone, Copy)]
pub struct JobText<'a> {
    /// The name of the job in this process.
    pub name: &'a str,
    /// The file, as messages about places in it say.
    pub file: &'a str,
    /// The text.
    pub text: &'a str,
}

/// A job that could be started.
pub struct PlannedJob {
    /// The name that its topics, its group and its state have.
    pub runs_as: String,
    /// Its plan.
    pub operators: Vec<PlanNode>,
    /// What its text says to no effect.
    pub warnings: Vec<String>,
    /// Starts it; takes what prints the lines of its `print` tables.
    #[allow(clippy::type_complexity, reason = "one closure")]
    pub start: Box<dyn FnOnce(Printer) -> Result<Job, Problem> + Send>,
}

impl std::fmt::Debug for PlannedJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlannedJob").field("runs_as", &self.runs_as).finish_non_exhaustive()
    }
}

/// Makes a job of a text.
pub type Planner = Arc<dyn Fn(JobText<'_>) -> Result<PlannedJob, Problem> + Send + Sync>;

/// A question, and the tables that it is about.
#[derive(Debug, Clone, Copy)]
pub struct QuestionText<'a> {
    /// The text of the job whose tables they are; empty for none.
    pub tables: &'a str,
    /// The question; declarations may stand in front.
    pub text: &'a str,
    /// How many rows of the answer are wanted at most.
    pub rows_max: usize,
    /// How long the answer may take.
    pub time_max: Duration,
}

/// Answers a question with an object of JSON: `columns`, `rows`, and whether there are `more`.
pub type Answerer = Arc<dyn Fn(QuestionText<'_>) -> Result<String, Problem> + Send + Sync>;

/// How a fleet is run.
#[derive(Debug, Clone)]
pub struct FleetOptions {
    /// Where what was submitted and asked for is kept. One process at a time has it.
    pub kept: PathBuf,
    /// A directory whose files `NAME.sql` are jobs.
    pub files: Option<PathBuf>,
    /// How many jobs there may be.
    pub jobs_max: usize,
    /// How often a job that fails is started again, one failure after the other.
    pub restarts_max: u32,
    /// The pause before the first of these starts; each further one is twice as long.
    pub pause_min: Duration,
    /// The longest of these pauses.
    pub pause_max: Duration,
}

impl FleetOptions {
    /// 200 jobs, 10 restarts with pauses from a second to a minute.
    pub fn new(kept: impl Into<PathBuf>) -> Self {
        FleetOptions {
            kept: kept.into(),
            files: None,
            jobs_max: 200,
            restarts_max: 10,
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(60),
        }
    }
}

/// Who may change what runs. Made by those who look at tokens, and nobody else.
#[derive(Debug)]
pub(crate) struct Operator(());

impl Operator {
    /// For who has shown that they are one.
    pub(crate) fn new() -> Self {
        Operator(())
    }
}

/// Where a job's text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    File(PathBuf),
    Submitted,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Submitted => f.write_str("submitted"),
        }
    }
}

/// A job, as the fleet holds it.
#[derive(Debug)]
struct Entry {
    origin: Origin,
    orders: Arc<Orders>,
    diary: Arc<Diary>,
    thread: JoinHandle<()>,
}

impl Entry {
    fn is_going(&self) -> bool {
        self.orders.now().gone
    }
}

/// Jobs of this process. Clones are the same fleet.
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

struct Inner {
    board: Board,
    planner: Planner,
    answerer: Answerer,
    options: FleetOptions,
    kept: Kept,
    claims: Claims,
    jobs: Mutex<BTreeMap<String, Entry>>,
    ending: AtomicBool,
    looking: Mutex<Option<JoinHandle<()>>>,
    _lock: StateLock,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Fleet {
    /// Takes up what was kept, and the files of the directory; from then on looks whether they change.
    ///
    /// # Errors
    /// When another process has the directory, or it can't be read.
    pub fn start(
        board: Board,
        planner: Planner,
        answerer: Answerer,
        options: FleetOptions,
    ) -> Result<Self, Problem> {
        let lock = StateLock::take(&options.kept).map_err(|error| Problem::conflict(error.to_string()))?;
        let kept = Kept::open(&options.kept)?;
        let submitted = kept.submitted()?;
        let inner = Inner {
            board,
            planner,
            answerer,
            kept,
            claims: Claims::default(),
            jobs: Mutex::default(),
            ending: AtomicBool::new(false),
            looking: Mutex::new(None),
            options,
            _lock: lock,
        };
        let fleet = Fleet { inner: Arc::new(inner) };
        for (name, text) in submitted {
            fleet.add(&mut fleet.jobs(), &name, Origin::Submitted, Ok(text.into()))?;
        }
        if let Some(directory) = fleet.inner.options.files.clone() {
            let looking = files::look(fleet.clone(), directory)?;
            *fleet.inner.looking.lock().unwrap_or_else(PoisonError::into_inner) = Some(looking);
        }
        Ok(fleet)
    }

    /// The jobs that are attended.
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        let mut jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|_, entry| !entry.thread.is_finished());
        jobs
    }

    /// Begins to attend a job.
    fn add(
        &self,
        jobs: &mut BTreeMap<String, Entry>,
        name: &str,
        origin: Origin,
        text: Text,
    ) -> Result<(), Problem> {
        let inner = &self.inner;
        if jobs.len() >= inner.options.jobs_max {
            let most = inner.options.jobs_max;
            return Err(Problem::conflict(format!(
                "there are {most} jobs, and no more may be added; remove one, or raise --jobs-max"
            )));
        }
        let wanted = inner.kept.wanted(name);
        let order = Order { text, wanted, number: 0, starts: 0, gone: false };
        let (orders, diary) = (Arc::new(Orders::new(order)), Arc::new(Diary::default()));
        inner.board.announce(name, origin.to_string());
        let attendant = Attendant {
            name: name.to_owned(),
            file: match &origin {
                Origin::File(path) => path.display().to_string(),
                Origin::Submitted => format!("{name}.sql"),
            },
            orders: Arc::clone(&orders),
            diary: Arc::clone(&diary),
            board: inner.board.clone(),
            planner: Arc::clone(&inner.planner),
            claims: inner.claims.clone(),
            options: inner.options.clone(),
        };
        let thread = std::thread::Builder::new().name(format!("attend-{name}"));
        let thread = thread.spawn(move || attendant.attend());
        let thread = thread.map_err(|error| Problem::failure(format!("a thread for {name}: {error}")))?;
        jobs.insert(name.to_owned(), Entry { origin, orders, diary, thread });
        Ok(())
    }

    /// Takes a job that was submitted, or with `replace` a new text of it.
    pub(crate) fn submit(
        &self,
        _: &Operator,
        name: &str,
        text: &str,
        replace: bool,
    ) -> Result<bool, Problem> {
        job_name(name).map_err(|why| {
            Problem::bad(format!("no job can be called \"{}\": {why}", name.escape_debug()))
        })?;
        if text.len() > TEXT_BYTES_MAX {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the text has {} bytes; {TEXT_BYTES_MAX} at most", text.len()),
            ));
        }
        self.check(name, text)?;
        let mut jobs = self.jobs();
        match jobs.get(name) {
            Some(entry) if entry.is_going() => Err(going(name)),
            Some(Entry { origin: Origin::File(path), .. }) => Err(Problem::conflict(format!(
                "job {name} comes from the file {}: change it there",
                path.display()
            ))),
            Some(_) if !replace => Err(Problem::conflict(format!(
                "there is a job {name}; replace it (PUT, or millstream job submit --replace), or give another name"
            ))),
            Some(entry) => {
                self.inner.kept.keep_text(name, text)?;
                entry.orders.give(|order| order.text = Ok(text.into()));
                Ok(false)
            }
            None => {
                self.inner.kept.keep_text(name, text)?;
                let added = self.add(&mut jobs, name, Origin::Submitted, Ok(text.into()));
                added.inspect_err(|_| self.inner.kept.forget(name)).map(|()| true)
            }
        }
    }

    /// Plans a text without running it; gives the warnings.
    pub(crate) fn check(&self, name: &str, text: &str) -> Result<Vec<String>, Problem> {
        let file = format!("{name}.sql");
        let planned = (self.inner.planner)(JobText { name, file: &file, text })?;
        Ok(planned.warnings)
    }

    /// Says what is wanted of a job; with `again` it is also started anew.
    pub(crate) fn want(&self, _: &Operator, name: &str, wanted: Wanted, again: bool) -> Result<(), Problem> {
        let jobs = self.jobs();
        let entry = found(&jobs, name)?;
        if entry.is_going() {
            return Err(going(name));
        }
        self.inner.kept.keep_wanted(name, wanted)?;
        entry.orders.give(|order| {
            order.wanted = wanted;
            order.starts += u64::from(again);
        });
        Ok(())
    }

    /// Ends a job that was submitted, and forgets it. Its topics and its state stay.
    pub(crate) fn remove(&self, _: &Operator, name: &str) -> Result<(), Problem> {
        let jobs = self.jobs();
        if let Origin::File(path) = &found(&jobs, name)?.origin {
            return Err(Problem::conflict(format!(
                "job {name} comes from the file {}: remove that, or stop the job",
                path.display()
            )));
        }
        self.forget(&jobs, name);
        Ok(())
    }

    /// Has a job end, and forgets what was kept of it. Its name is taken until it has ended.
    fn forget(&self, jobs: &BTreeMap<String, Entry>, name: &str) {
        self.inner.kept.forget(name);
        jobs.get(name).into_iter().for_each(|entry| entry.orders.give(|order| order.gone = true));
    }

    /// The last lines of a job's diary.
    pub(crate) fn diary(&self, name: &str) -> Result<serde_json::Value, Problem> {
        let jobs = self.jobs();
        let entry = found(&jobs, name)?;
        Ok(entry.diary.json())
    }

    /// The text of a job, with all that stands in it.
    pub(crate) fn text(&self, _: &Operator, name: &str) -> Result<String, Problem> {
        let jobs = self.jobs();
        let entry = found(&jobs, name)?;
        entry.orders.now().text.map(|text| text.to_string())
    }

    /// Answers a question over the tables of a job, or over those that it declares itself.
    pub(crate) fn ask(
        &self,
        operator: &Operator,
        job: Option<&str>,
        text: &str,
        rows_max: usize,
        time_max: Duration,
    ) -> Result<String, Problem> {
        let tables = job.map(|job| self.text(operator, job)).transpose()?.unwrap_or_default();
        (self.inner.answerer)(QuestionText { tables: &tables, text, rows_max, time_max })
    }

    /// The names of the jobs.
    pub fn names(&self) -> Vec<String> {
        self.jobs().keys().cloned().collect()
    }

    /// The text of a job, for whoever answers questions about its tables in this process. It may hold passwords: it is
    /// not to be shown.
    ///
    /// # Errors
    /// Where there is no such job, or its text can't be read.
    pub fn tables_of(&self, name: &str) -> Result<Arc<str>, Problem> {
        let jobs = self.jobs();
        found(&jobs, name)?.orders.now().text
    }

    /// Ends all jobs: each commits, checkpoints and leaves its group. They are started again by the next server.
    pub fn end(&self) {
        self.inner.ending.store(true, Ordering::Relaxed);
        let looking = self.inner.looking.lock().unwrap_or_else(PoisonError::into_inner).take();
        let entries: Vec<Entry> = std::mem::take(&mut *self.jobs()).into_values().collect();
        entries.iter().for_each(|entry| entry.orders.give(|order| order.gone = true));
        // One that panicked has said so.
        entries.into_iter().map(|entry| entry.thread).chain(looking).for_each(|thread| drop(thread.join()));
    }

    fn is_ending(&self) -> bool {
        self.inner.ending.load(Ordering::Relaxed)
    }

    /// Says of a job that is not attended why it is not.
    fn refuse(&self, name: &str, origin: &Origin, problem: Problem) {
        self.inner.board.announce(name, origin.to_string());
        self.inner.board.end(name, JobEnd::Failed(problem, None));
    }
}

fn found<'a>(jobs: &'a BTreeMap<String, Entry>, name: &str) -> Result<&'a Entry, Problem> {
    jobs.get(name).ok_or_else(|| {
        let known: Vec<&str> = jobs.keys().map(String::as_str).take(NAMES_SHOWN_MAX).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let name = name.escape_debug();
        Problem::new(StatusCode::NOT_FOUND, format!("there is no job {name}; there are: {known}"))
    })
}

fn going(name: &str) -> Problem {
    Problem::conflict(format!("job {name} is about to end for good; try again in a moment"))
}
