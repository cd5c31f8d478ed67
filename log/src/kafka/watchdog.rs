//! Runs transactional calls where they can be watched.
//!
//! librdkafka's calls have time-outs that they may ignore, for ever: a worker that waits in one would hold its tasks
//! without working on them. So they run on a thread of their own, and when one takes too long the process ends, for
//! whoever supervises it to start it again.

use crate::exit::exit_now;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The code the process ends with when a call has hung.
pub const EXIT_CODE_HUNG: u8 = 75;

/// A call and what it is made on.
type Call<T, R> = Box<dyn FnOnce(&T) -> R + Send>;

/// A thread that makes calls on something, one at a time, and somebody who watches it.
#[derive(Debug)]
pub(super) struct Watched<T, R> {
    calls: Sender<Call<T, R>>,
    results: Receiver<R>,
    limit: Duration,
}

impl<T: Send + Sync + 'static, R: Send + 'static> Watched<T, R> {
    pub(super) fn new(target: Arc<T>, name: &str, limit: Duration) -> std::io::Result<Self> {
        let (calls, to_make) = channel::<Call<T, R>>();
        let (made, results) = channel();
        // Ends when the other side of either channel goes.
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            for call in to_make {
                if made.send(call(&target)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Watched { calls, results, limit })
    }

    /// Makes a call and waits for it. Does not return when that takes too long.
    pub(super) fn call(&self, what: &str, call: impl FnOnce(&T) -> R + Send + 'static) -> R {
        let sent = self.calls.send(Box::new(call));
        match sent.map_or(Err(RecvTimeoutError::Disconnected), |()| self.results.recv_timeout(self.limit)) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.limit.as_secs_f32();
                tracing::error!(seconds, "{what} has hung: ending the process");
                eprintln!(
                    "millstream: the Kafka client has not come back from \"{what}\" for {seconds} s. The process ends with \
                     code {EXIT_CODE_HUNG}; nothing is lost, start it again."
                );
                exit_now(EXIT_CODE_HUNG)
            }
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the thread ends only after this side of its channels")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_made_in_order_and_give_their_results() {
        let watched = Watched::new(Arc::new(7), "test", Duration::from_secs(10)).expect("a thread");
        for round in 0..100 {
            assert_eq!(watched.call("adding", move |seven: &i32| seven + round), 7 + round);
        }
    }

    /// Runs this test once more in a process of its own, where the call hangs.
    #[test]
    fn a_call_that_hangs_ends_the_process() {
        const INNER: &str = "MILLSTREAM_TEST_HANG";
        if std::env::var_os(INNER).is_some() {
            let watched = Watched::new(Arc::new(()), "test", Duration::from_millis(100)).expect("a thread");
            watched.call("commit", |()| std::thread::sleep(Duration::from_secs(600)));
            return;
        }
        let output = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "kafka::watchdog::tests::a_call_that_hangs_ends_the_process", "--nocapture"])
            .env(INNER, "1")
            .output()
            .expect("this test once more");
        assert_eq!(output.status.code(), Some(i32::from(EXIT_CODE_HUNG)));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("has not come back from \"commit\""), "{said}");
    }
}
