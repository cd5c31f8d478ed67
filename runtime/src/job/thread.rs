//! One worker on its thread.

use super::{Printer, Shared};
use crate::error::JobError;
use crate::memory::MemoryWatch;
use crate::savepoint::SavepointPart;
use crate::worker::{RestoreRunner, Turn, Worker, WorkerContext, WorkerStatus};
use millstream_operators::PrintedLine;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a worker says what it is doing.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);
/// How long a worker waits for records at most, before it looks again whether it was asked something: while it works,
/// and once it has had nothing to do for a while. Records and what is due by its clocks wake it before.
const WAIT: Duration = Duration::from_millis(10);
const WAIT_AT_REST: Duration = Duration::from_millis(100);
/// A worker's stack: rows may nest a thousand levels deep, each of which takes some.
const STACK_BYTES: usize = 8 << 20;
/// Without work for so long, a worker is at rest.
const REST_AFTER: Duration = Duration::from_secs(1);

/// A worker's thread, as its job sees it.
pub(super) struct WorkerThread {
    index: usize,
    handle: JoinHandle<Result<(), JobError>>,
    board: Arc<Board>,
}

/// What a worker writes for its job to read.
#[derive(Default)]
struct Board {
    notes: Mutex<Notes>,
    changed: Condvar,
    ended: AtomicBool,
}

#[derive(Default)]
struct Notes {
    status: WorkerStatus,
    finished: bool,
    /// The last round in which it looked whether it is drained, and the commits it had made if it was.
    drained: (u64, Option<u64>),
    /// Its tasks as they stood then, where a savepoint is being taken.
    parts: Vec<SavepointPart>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn spawn(
    index: usize,
    cx: WorkerContext,
    shared: &Arc<Shared>,
    print: &Printer,
    watch: Option<MemoryWatch>,
) -> Result<WorkerThread, JobError> {
    let board: Arc<Board> = Arc::default();
    let (shared, print, written) = (Arc::clone(shared), Arc::clone(print), Arc::clone(&board));
    let name = format!("worker-{index}");
    let io = |error: std::io::Error| {
        JobError::Log(crate::log::LogError::Client(format!("thread {name}: {error}")))
    };
    let restores = RestoreRunner::threaded(&name).map_err(io)?;
    let thread = std::thread::Builder::new().name(name.clone()).stack_size(STACK_BYTES);
    let handle = thread.spawn(move || {
        // Says that the worker has ended however it does.
        struct End(Arc<Board>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.ended.store(true, Ordering::Release);
            }
        }
        let end = End(written);
        work(cx, restores, &shared, &end.0, &*print, watch)
    });
    Ok(WorkerThread { index, handle: handle.map_err(io)?, board })
}

fn work(
    cx: WorkerContext,
    restores: RestoreRunner,
    shared: &Shared,
    board: &Board,
    print: &dyn Fn(&PrintedLine) -> std::io::Result<()>,
    mut watch: Option<MemoryWatch>,
) -> Result<(), JobError> {
    let hold = cx.settings.hold_tables;
    let mut worker = Worker::start(cx, restores)?;
    let mut told = Instant::now() - STATUS_INTERVAL;
    let mut worked = Instant::now();
    let mut wait = WAIT;
    loop {
        if shared.stop.load(Ordering::Relaxed) {
            worker.stop();
        }
        let turn = worker.turn(wait)?;
        print_all(&worker.take_printed(), print)?;
        if turn == Turn::Stopped {
            board.lock().status = worker.status();
            return Ok(());
        }
        if turn == Turn::Idle && worker.is_asking() {
            // It waits for the log to answer, or for a moment after an answer that was no help; nothing else can be done.
            std::thread::sleep(worker.rest().clamp(Duration::from_millis(1), WAIT_AT_REST));
        }
        wait = match turn {
            Turn::Idle if worked.elapsed() < REST_AFTER => WAIT,
            Turn::Idle => WAIT_AT_REST,
            Turn::Busy | Turn::Stopped => {
                worked = Instant::now();
                Duration::ZERO
            }
        };
        let round = shared.round.load(Ordering::Relaxed);
        let asked = board.lock().drained.0 < round && !worker.is_committing();
        if asked || told.elapsed() >= STATUS_INTERVAL {
            let drained =
                if asked { Some(worker.status().tasks.is_empty() || worker.is_drained()?) } else { None };
            let parts = if hold && drained == Some(true) { worker.savepoint_parts()? } else { Vec::new() };
            let mut notes = board.lock();
            notes.status = worker.status();
            notes.finished = worker.is_finished();
            if let Some(drained) = drained {
                notes.drained = (round, drained.then_some(notes.status.commits));
                notes.parts = parts;
                board.changed.notify_all();
            }
            told = Instant::now();
            if let Some(watch) = &mut watch {
                watch.look(told);
            }
        }
    }
}

/// Prints lines of rows that are committed: what is not printed now never is.
fn print_all(
    lines: &[PrintedLine],
    print: &dyn Fn(&PrintedLine) -> std::io::Result<()>,
) -> Result<(), JobError> {
    for (printed, line) in lines.iter().enumerate() {
        print(line).map_err(|error| JobError::Print {
            to: if line.to_stderr { "standard error" } else { "standard output" },
            reason: error.to_string(),
            lost: lines.len() - printed,
        })?;
    }
    Ok(())
}

impl WorkerThread {
    pub(super) fn status(&self) -> WorkerStatus {
        self.board.lock().status.clone()
    }

    pub(super) fn is_finished_or_empty(&self) -> bool {
        let notes = self.board.lock();
        notes.finished || notes.status.tasks.is_empty()
    }

    /// The worker's commits, if it found itself drained in a round.
    pub(super) fn drained_in(&self, round: u64, timeout: Duration) -> Option<u64> {
        let until = Instant::now() + timeout;
        let mut notes = self.board.lock();
        while notes.drained.0 < round {
            let left = until.checked_duration_since(Instant::now())?;
            notes = self.board.changed.wait_timeout(notes, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        notes.drained.1
    }

    /// Its tasks as they stood in the last round in which it was drained.
    pub(super) fn take_parts(&self) -> Vec<SavepointPart> {
        std::mem::take(&mut self.board.lock().parts)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.board.ended.load(Ordering::Acquire)
    }

    pub(super) fn join(self) -> Result<(), JobError> {
        self.handle.join().unwrap_or(Err(JobError::Panicked(self.index)))
    }
}
