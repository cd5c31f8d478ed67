//! Runs uploads and clean-ups beside processing.

use super::cleanup::Cleanup;
use super::upload::{Offer, Upload, UploadTurn};
use crate::worker::beside::{Beside, Inbox, Lane};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a request that the store or the log did not answer is made again.
const TRIES_MAX: u32 = 5;
/// How long to wait before it is.
const PAUSE: Duration = Duration::from_secs(1);

/// An upload that has ended, by its ticket: with what it offers, or with nothing.
pub(crate) type SnapshotResult = (u64, Option<Box<Offer>>);

/// Uploads and clean-ups of a worker, one at a time. There is at most one upload of each of its tasks.
#[derive(Debug)]
pub(crate) struct SnapshotRunner {
    lane: Lane<Job, SnapshotResult>,
    tickets: u64,
}

pub(crate) struct Job {
    ticket: u64,
    cancelled: Arc<AtomicBool>,
    work: Work,
    tries: u32,
}

enum Work {
    Upload(Box<Upload>),
    Cleanup(Box<Cleanup>),
}

/// What a turn of a job did.
enum JobTurn {
    Working,
    Failed,
    Over(Option<Box<Offer>>),
}

impl Job {
    fn turn(&mut self) -> JobTurn {
        let (error, retriable) = match &mut self.work {
            Work::Upload(upload) => match upload.turn() {
                Ok(UploadTurn::Working) => {
                    self.tries = 0;
                    return JobTurn::Working;
                }
                Ok(UploadTurn::Done(offer)) => return JobTurn::Over(Some(offer)),
                Err(error) => (error.to_string(), error.is_retriable()),
            },
            Work::Cleanup(cleanup) => match cleanup.turn() {
                Ok(true) => return JobTurn::Over(None),
                Ok(false) => {
                    self.tries = 0;
                    return JobTurn::Working;
                }
                Err(error) => (error.to_string(), error.is_retriable()),
            },
        };
        self.tries += 1;
        if retriable && self.tries < TRIES_MAX {
            return JobTurn::Failed;
        }
        let what = match &self.work {
            Work::Upload(upload) => format!("{upload:?}"),
            Work::Cleanup(cleanup) => format!("clean-up of task {}", cleanup.task()),
        };
        tracing::warn!(what, error, "no snapshot this time: it will be tried again");
        JobTurn::Over(None)
    }
}

impl SnapshotRunner {
    /// Jobs that only move when the worker does.
    pub(crate) fn interleaved() -> Self {
        SnapshotRunner { lane: Lane::Interleaved(VecDeque::new()), tickets: 0 }
    }

    /// Jobs on a thread. It ends when the worker is dropped.
    pub(crate) fn threaded(name: &str) -> std::io::Result<Self> {
        let beside = Beside::spawn(format!("{name}-snapshots"), run)?;
        Ok(SnapshotRunner { lane: Lane::Threaded(beside), tickets: 0 })
    }

    /// Begins an upload. Dropping the flag's task does not end it; setting the flag does.
    pub(crate) fn upload(&mut self, upload: Upload) -> (u64, Arc<AtomicBool>) {
        self.submit(Work::Upload(Box::new(upload)))
    }

    pub(crate) fn cleanup(&mut self, cleanup: Cleanup) {
        self.submit(Work::Cleanup(Box::new(cleanup)));
    }

    fn submit(&mut self, work: Work) -> (u64, Arc<AtomicBool>) {
        self.tickets += 1;
        let (ticket, cancelled) = (self.tickets, Arc::<AtomicBool>::default());
        self.lane.submit(Job { ticket, cancelled: Arc::clone(&cancelled), work, tries: 0 });
        (ticket, cancelled)
    }

    /// Whether there is something to do; what a thread has taken on is not known here.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(&self.lane, Lane::Interleaved(jobs) if !jobs.is_empty())
    }

    /// The next result, and whether something moved.
    pub(crate) fn next(&mut self) -> (Option<SnapshotResult>, bool) {
        match &mut self.lane {
            Lane::Threaded(beside) => beside.next(),
            Lane::Interleaved(jobs) => {
                let Some(mut job) = jobs.pop_front() else { return (None, false) };
                if job.cancelled.load(Ordering::Relaxed) {
                    return (Some((job.ticket, None)), true);
                }
                match job.turn() {
                    JobTurn::Over(offer) => (Some((job.ticket, offer)), true),
                    JobTurn::Working | JobTurn::Failed => {
                        jobs.push_front(job);
                        (None, true)
                    }
                }
            }
        }
    }
}

/// Jobs on a thread, one after the other.
fn run(inbox: &Inbox<Job, SnapshotResult>) {
    while let Ok(mut job) = inbox.jobs.recv() {
        let mut offer = None;
        while !job.cancelled.load(Ordering::Relaxed) && !inbox.is_over() {
            match job.turn() {
                JobTurn::Working => {}
                JobTurn::Failed => std::thread::sleep(PAUSE),
                JobTurn::Over(over) => {
                    offer = over;
                    break;
                }
            }
        }
        if inbox.results.send((job.ticket, offer)).is_err() {
            return;
        }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
