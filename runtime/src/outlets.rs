//! Output that is no topic: a job's own topics, emptied into [`Outlet`](millstream_operators::outlet::Outlet)s.
//!
//! ```text
//!   worker --commits--> | millstream.JOB.files.TABLE | --committed records--> the thread here --> files
//!                         a topic of the job itself
//! ```
//! Each process of a job has one thread for it. Which of them takes a partition is decided at the target: who has its lock.
//! A job that has read all its input ends when everything is at the target, whoever has brought it there.

mod pump;

pub use pump::Pump;

use crate::error::JobError;
use crate::log::{LogError, Offset};
use crate::plan::JobPlan;
use millstream_operators::Topology;
use millstream_operators::sink::{SinkSpec, SinkTopic};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long records are waited for.
const WAIT: Duration = Duration::from_millis(50);
/// How long a job that is asked to end tries to have all its output at the target. The next start goes on.
const END_FOR: Duration = Duration::from_secs(10);

/// A topology whose sinks write through topics of this job, where they have outlets.
pub(crate) fn through_topics_of(topology: Topology, job: &str) -> Topology {
    topology.with_sinks(|sink| {
        sink.writer.outlet()?;
        let name = JobPlan::outlet_topic_of(job, &sink.table);
        let writer = sink.writer.through(&name)?;
        let topic = Some(SinkTopic { name, compacted: false });
        Some(SinkSpec { table: sink.table.clone(), topic, writer })
    })
}

/// The thread that empties a job's topics of output.
pub(crate) struct Outlets {
    board: Arc<Board>,
    thread: JoinHandle<()>,
}

/// What the thread and the job share.
#[derive(Default)]
struct Board {
    /// Raised to ask whether everything is at the target; 0: nobody asks.
    asked: AtomicU64,
    /// The last number for which it was.
    through: AtomicU64,
    /// Whether it is to end: when all is at the target, or at once.
    stopping: AtomicBool,
    dropping: AtomicBool,
    ended: AtomicBool,
    failed: Mutex<Option<JobError>>,
}

impl Outlets {
    /// Starts the thread.
    pub(crate) fn start(pump: Pump) -> Result<Self, JobError> {
        let board: Arc<Board> = Arc::default();
        let shared = Arc::clone(&board);
        let thread = std::thread::Builder::new().name("outlets".to_owned()).spawn(move || {
            // Says that it has ended however it does.
            struct End(Arc<Board>);
            impl Drop for End {
                fn drop(&mut self) {
                    self.0.ended.store(true, Ordering::Release);
                }
            }
            let end = End(shared);
            if let Err(error) = empty(pump, &end.0) {
                *end.0.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        });
        let thread = thread.map_err(|error| LogError::Client(format!("thread for output: {error}")))?;
        Ok(Outlets { board, thread })
    }

    /// Whether it has ended: it has failed, unless it was asked to.
    pub(crate) fn has_ended(&self) -> bool {
        self.board.ended.load(Ordering::Acquire)
    }

    /// Whether everything is at the target, once the job has nothing more to write. Call it every now and then.
    pub(crate) fn are_empty(&self, job_is_done: bool) -> bool {
        let asked = self.board.asked.load(Ordering::Relaxed);
        if !job_is_done {
            // What was written since counts again.
            let idle = if asked % 2 == 1 { asked + 1 } else { asked };
            self.board.asked.store(idle, Ordering::Relaxed);
            return false;
        }
        if asked.is_multiple_of(2) {
            self.board.asked.store(asked + 1, Ordering::Relaxed);
            return false;
        }
        self.board.through.load(Ordering::Acquire) == asked
    }

    /// Ends it: with `all`, once everything is at the target, or that takes too long.
    ///
    /// # Errors
    /// What it failed with.
    pub(crate) fn end(self, all: bool) -> Result<(), JobError> {
        self.board.dropping.store(!all, Ordering::Relaxed);
        self.board.stopping.store(true, Ordering::Release);
        if self.thread.join().is_err() {
            return Err(JobError::Outlet { table: "?".to_owned(), reason: "its thread panicked".to_owned() });
        }
        let mut failed = self.board.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map_or(Ok(()), Err)
    }
}

/// The thread: reads and writes until it is to end.
fn empty(mut pump: Pump, board: &Board) -> Result<(), JobError> {
    let mut round: (u64, Option<Vec<Offset>>) = (0, None);
    let mut ending: Option<(Instant, Option<Vec<Offset>>)> = None;
    loop {
        if board.stopping.load(Ordering::Acquire) {
            if board.dropping.load(Ordering::Relaxed) {
                return Ok(());
            }
            let (since, ends) = ending.get_or_insert_with(|| (Instant::now(), None));
            if is_through(&mut pump, ends, true)? {
                return Ok(());
            }
            if since.elapsed() > END_FOR {
                tracing::warn!(
                    "not all output is in its files yet: the next start of the job goes on with it"
                );
                return Ok(());
            }
        }
        let asked = board.asked.load(Ordering::Relaxed);
        if asked % 2 == 1 && board.through.load(Ordering::Relaxed) != asked {
            if round.0 != asked {
                round = (asked, None);
            }
            if is_through(&mut pump, &mut round.1, false)? {
                board.through.store(asked, Ordering::Release);
            }
        }
        pump.turn(WAIT)?;
    }
}

/// Whether everything is at the target that was there when this was asked first.
fn is_through(pump: &mut Pump, ends: &mut Option<Vec<Offset>>, only_own: bool) -> Result<bool, JobError> {
    if ends.is_none() {
        match pump.ends() {
            Ok(found) => *ends = Some(found),
            Err(error) if error.is_retriable() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    ends.as_ref().map_or(Ok(false), |ends| pump.is_through(ends, only_own))
}
