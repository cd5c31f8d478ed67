//! What must not hold processing up, beside a worker.
//!
//! A [`Lane`] takes jobs: it keeps them for the worker's own turns, or gives them to a thread, a [`Beside`], which does
//! them and hands results back. The rule it keeps: when the worker goes, its threads go too, because
//! they hold databases and connections. A process that ends, or a worker that takes the same directory over, must not
//! meet them. A thread that waits for the network is waited for a few seconds only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Where jobs are done.
#[derive(Debug)]
pub(crate) enum Lane<J, R> {
    /// In the worker's turns: the simulation decides what happens between them.
    Interleaved(VecDeque<J>),
    /// On a thread of their own.
    Threaded(Beside<J, R>),
}

impl<J, R> Lane<J, R> {
    pub(crate) fn submit(&mut self, job: J) {
        match self {
            Lane::Interleaved(jobs) => jobs.push_back(job),
            Lane::Threaded(beside) => beside.submit(job),
        }
    }
}

/// How long a thread may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A thread with jobs and results.
#[derive(Debug)]
pub(crate) struct Beside<J, R> {
    /// Until the thread is to end.
    jobs: Option<Sender<J>>,
    results: Receiver<R>,
    over: Arc<AtomicBool>,
}

/// The thread's side.
pub(crate) struct Inbox<J, R> {
    pub(crate) jobs: Receiver<J>,
    pub(crate) results: Sender<R>,
    over: Arc<AtomicBool>,
}

impl<J: Send + 'static, R: Send + 'static> Beside<J, R> {
    /// Starts a thread that does `work`, which has to end soon after [`Inbox::is_over`] says so.
    pub(crate) fn spawn(
        name: String,
        work: impl FnOnce(&Inbox<J, R>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let ((jobs, to_do), (done, results)) = (channel(), channel());
        let over = Arc::<AtomicBool>::default();
        let inbox = Inbox { jobs: to_do, results: done, over: Arc::clone(&over) };
        std::thread::Builder::new().name(name).spawn(move || {
            work(&inbox);
            // Jobs that were not begun go before the other side sees that this one has ended.
            let Inbox { jobs, results, .. } = inbox;
            drop(jobs);
            drop(results);
        })?;
        Ok(Beside { jobs: Some(jobs), results, over })
    }
}

impl<J, R> Beside<J, R> {
    pub(crate) fn submit(&self, job: J) {
        if let Some(jobs) = &self.jobs {
            // The thread lives as long as this end of the channel.
            let _ = jobs.send(job);
        }
    }

    /// The next result, and whether there was one.
    pub(crate) fn next(&self) -> (Option<R>, bool) {
        let result = self.results.try_recv().ok();
        let came = result.is_some();
        (result, came)
    }
}

impl<J, R> Inbox<J, R> {
    /// Whether the worker has gone.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl<J, R> Drop for Beside<J, R> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.jobs = None;
        // Results that nobody wants any more, until there can be none.
        while self.results.recv_timeout(GRACE).is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_were_not_begun_are_gone_when_their_worker_is() {
        let held = Arc::new(());
        let (begun, has_begun) = channel();
        let beside: Beside<Arc<()>, ()> = Beside::spawn("test".to_owned(), move |inbox| {
            while let Ok(job) = inbox.jobs.recv() {
                begun.send(()).unwrap();
                while !inbox.is_over() {
                    std::thread::yield_now();
                }
                drop(job);
                if inbox.is_over() {
                    return;
                }
            }
        })
        .unwrap();
        for _ in 0..3 {
            beside.submit(Arc::clone(&held));
        }
        has_begun.recv().unwrap();
        drop(beside);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
