//! Answers: a question run as a job that leaves nothing behind.
//!
//! Its operators are those of a job over the same tables, so that the answer is what a job would have written. What it makes
//! for itself is in a log of its own, in a directory that goes with it ([`Overlay`]).

pub(super) mod format;
pub(super) mod limited;
mod rows;

pub(super) use rows::Rows;

use super::Failure;
use super::run::settings;
use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions, SyncPolicy};
use millstream::log::{Log, Overlay};
use millstream::operators::{NodeSpec, PrintedLine, StreamKind};
use millstream::snapshot::SnapshotLocation;
use millstream::sql::Question;
use millstream::{Job, JobSettings, Until};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Rows that wait between the job and whoever takes them.
const ROWS_WAITING_MAX: usize = 4_096;
/// How long it is waited for a row before it is looked whether the job has ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long a worker that nobody else waits for may be silent.
const ALONE_MS: u64 = 600_000;
/// What the log of an answer keeps in memory.
const LOG_BYTES: usize = 16 << 20;

/// A directory that goes with its owner.
struct Directory(PathBuf);

impl Directory {
    fn make() -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;
        use std::sync::atomic::{AtomicU64, Ordering};
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("millstream-query-{}-{}-{number}", std::process::id(), time.as_nanos());
        let path = std::env::temp_dir().join(name);
        // One that is there already is somebody else's.
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| Failure::Io(format!("{}: {error}", path.display())))?;
        Ok(Directory(path))
    }

    fn log(&self) -> Result<Arc<dyn Log>, Failure> {
        let options = EmbeddedOptions {
            sync: SyncPolicy::Never,
            tail_bytes_max: LOG_BYTES,
            write_buffer_bytes: LOG_BYTES,
            serve: false,
            ..EmbeddedOptions::default()
        };
        let path: &Path = &self.0;
        Ok(Arc::new(EmbeddedLog::open(path, &options)?))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "{} stays", self.0.display());
        }
    }
}

/// What is done while an answer comes.
pub(super) enum Next {
    /// More is wanted.
    More,
    /// What there is is enough.
    Enough,
}

/// Runs a question over the topics of a log until it is answered, or `look` has enough of it. `look` is called now and then,
/// and at the end.
///
/// # Errors
/// As those of a job.
pub(super) fn answer(
    question: &Question,
    log: Arc<dyn Log>,
    mut rows: Rows,
    mut look: impl FnMut(&mut Rows) -> Result<Next, Failure>,
) -> Result<Rows, Failure> {
    let directory = Directory::make()?;
    let result = {
        let above = directory.log()?;
        let overlay: Arc<dyn Log> = Arc::new(Overlay::new(above, log));
        let mut settings = JobSettings::new("query");
        settings::apply(&question.job.job_settings, &mut settings);
        settings.snapshots = SnapshotLocation::Off;
        // The log above is this answer's alone. On a machine that is busy for long it must not give up on itself: a worker
        // that is put out of its group, or whose transaction is aborted, begins again, and again.
        settings.session_timeout_ms = ALONE_MS;
        settings.transaction_timeout_ms = ALONE_MS;
        let (lines, taken) = sync_channel(ROWS_WAITING_MAX);
        settings.print = Arc::new(move |line: &PrintedLine| {
            lines.send(line.text.clone()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
        });
        let job = Job::start(&question.job.topology, &overlay, &settings)?;
        drop(settings);
        take(question, job, &taken, &mut rows, &mut look)
    };
    result.map(|()| rows)
}

fn take(
    question: &Question,
    job: Job,
    lines: &Receiver<String>,
    rows: &mut Rows,
    look: &mut impl FnMut(&mut Rows) -> Result<Next, Failure>,
) -> Result<(), Failure> {
    let enough = enough(question);
    let mut stopped = false;
    let mut looked = Ok(());
    while !job.has_ended() {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                rows.change(&line);
                // What has come meanwhile is taken with it.
                lines.try_iter().take(ROWS_WAITING_MAX).for_each(|line| rows.change(&line));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        if stopped {
            continue;
        }
        let is_enough = match look(rows) {
            Ok(next) => matches!(next, Next::Enough),
            Err(failure) => {
                looked = Err(failure);
                true
            }
        };
        let is_cut = enough.is_some_and(|enough| rows.len() as u64 >= enough);
        if is_enough || is_cut || job.is_done(Until::Finished) {
            job.stop();
            stopped = true;
        }
    }
    lines.try_iter().for_each(|line| rows.change(&line));
    let joined = job.join();
    looked?;
    joined?;
    look(rows)?;
    Ok(())
}

/// How many rows are all that is asked for, where rows only come.
fn enough(question: &Question) -> Option<u64> {
    let topology = &question.job.topology;
    let mut sinks = topology.nodes().iter().filter(|node| matches!(node.spec, NodeSpec::Sink(_)));
    let only_comes =
        sinks.all(|sink| sink.inputs.iter().all(|input| topology.kind(*input) == StreamKind::Append));
    let limit = question.limit.filter(|_| only_comes && question.order.is_empty())?;
    Some(limit.saturating_add(question.offset))
}
