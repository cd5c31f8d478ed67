//! The thread that a client's sockets live on.

use crate::WireError;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

/// One thread that runs the tasks of a client. They end with the last clone.
#[derive(Debug, Clone)]
pub struct IoThread {
    handle: Handle,
    /// Ends the thread when it is dropped.
    _stop: Arc<Stop>,
}

#[derive(Debug)]
struct Stop {
    asked: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl IoThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str) -> std::io::Result<IoThread> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let asked = Arc::new(Notify::new());
        let until = Arc::clone(&asked);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(until.notified());
            // A name that is being looked up must not hold the end of the client up.
            runtime.shutdown_background();
        })?;
        Ok(IoThread { handle, _stop: Arc::new(Stop { asked, thread: Some(thread) }) })
    }

    /// Runs a task until it ends or the thread does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// Runs a task and waits for what comes of it. Must not be called from a task.
    ///
    /// # Errors
    /// What the task says; [`WireError::Timeout`] when it is not over by then, and it is dropped.
    pub fn call<T: Send + 'static>(
        &self,
        what: &str,
        deadline: Instant,
        task: impl Future<Output = Result<T, WireError>> + Send + 'static,
    ) -> Result<T, WireError> {
        let (tell, told) = mpsc::sync_channel(1);
        let running = self.handle.spawn(async move {
            let _ = tell.send(task.await);
        });
        match told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(result) => result,
            Err(_) => {
                running.abort();
                Err(WireError::Timeout { what: what.to_owned(), last: None })
            }
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.asked.notify_one();
        let Some(thread) = self.thread.take() else { return };
        // The last clone may be in a task.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}
