//! A log in memory that does what real brokers do, for tests and simulations.
//!
//! A log whose commit were one atomic act could not show the bugs that matter. This one answers the end of a
//! transaction before its markers are written, holds the last stable offset below open transactions, keeps committed
//! offsets pending until their marker, fences by epoch and by generation, and lets requests be lost, repeated and
//! delayed. In tests everything is delivered at once; a simulation takes the switches of [`MemoryLog`] into its own
//! hands.
//!
//! [`MemoryLog`] is a handle to a shared broker, made for one process of the simulated world: processes can be paused
//! and killed.

mod broker;
mod clients;
mod faults;
mod partition;
mod transactions;

pub use faults::{Fault, Request};

use crate::clock::Clock;
use crate::{
    Admin, Log, LogError, LogInfo, Member, MemberOptions, Reader, ReaderOptions, TransactionError,
    TransactionOptions, TransactionalWriter, Writer,
};
use broker::Broker;
use std::sync::{Arc, Mutex, MutexGuard};

/// A handle to a log in memory, as one process holds it.
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
    process: Arc<str>,
}

pub(crate) struct Shared {
    pub(crate) broker: Mutex<Broker>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Broker> {
        let mut broker = self.broker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        broker.now(self.clock.monotonic_ms(), self.clock.wall_ms());
        broker
    }
}

impl MemoryLog {
    /// An empty log.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let broker = Mutex::new(Broker::default());
        MemoryLog { shared: Arc::new(Shared { broker, clock }), process: "main".into() }
    }

    /// The same log as another process holds it.
    pub fn process(&self, name: &str) -> Self {
        MemoryLog { shared: Arc::clone(&self.shared), process: name.into() }
    }

    /// Lets the clients' own threads run and time-outs pass: heartbeats of every process that is neither paused nor
    /// dead, expired sessions and transactions, retention.
    pub fn tick(&self) {
        self.shared.lock().tick();
    }

    /// Stops or continues a process's clients, as `SIGSTOP` and `SIGCONT` would.
    pub fn pause(&self, process: &str, paused: bool) {
        self.shared.lock().pause(process, paused);
    }

    /// Ends a process: its clients give no sign of life any more. What they sent stays under way.
    pub fn kill(&self, process: &str) {
        self.shared.lock().kill(process);
    }

    /// Keeps transaction markers back until [`MemoryLog::deliver_marker`] writes them.
    pub fn hold_markers(&self, hold: bool) {
        self.shared.lock().hold_markers = hold;
    }

    /// Number of markers kept back.
    pub fn held_markers(&self) -> usize {
        self.shared.lock().held_markers()
    }

    /// Writes the `index`-th marker kept back.
    pub fn deliver_marker(&self, index: usize) {
        self.shared.lock().deliver_marker(index);
    }

    /// Decides what happens to each request from now on.
    pub fn set_faults(&self, faults: impl FnMut(&Request) -> Fault + Send + 'static) {
        self.shared.lock().faults = Some(Box::new(faults));
    }

    /// Delivers every request as it comes from now on.
    pub fn clear_faults(&self) {
        self.shared.lock().faults = None;
    }

    /// Number of delayed requests that have not arrived yet.
    pub fn delayed_requests(&self) -> usize {
        self.shared.lock().delayed.len()
    }

    /// Lets the `index`-th delayed request arrive.
    pub fn deliver_delayed(&self, index: usize) {
        self.shared.lock().deliver_delayed(index);
    }

    /// Groups, members, transactions and what is under way, for a test that wants to know why.
    pub fn describe(&self) -> String {
        self.shared.lock().describe()
    }

    /// Adds partitions to a topic, as an administrator can on Kafka.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`].
    pub fn add_partitions(&self, topic: &str, partitions: u32) -> Result<(), LogError> {
        self.shared.lock().add_partitions(topic, partitions)
    }

    /// Whether topics have no ids, as with brokers from before Kafka 2.8.
    pub fn hide_topic_ids(&self, hide: bool) {
        self.shared.lock().without_topic_ids = hide;
    }

    /// The most records that a reader hands out in one run; for tests of how runs are cut.
    pub fn set_run_records_max(&self, records: usize) {
        self.shared.lock().run_records_max = records;
    }
}

impl Log for MemoryLog {
    fn info(&self) -> LogInfo {
        LogInfo { kind: "memory", cluster: "memory".to_owned(), location: "memory".to_owned() }
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(clients::MemoryAdmin::new(&self.shared)))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(clients::MemoryReader::new(&self.shared, options)))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        Ok(Box::new(clients::MemoryWriter::new(&self.shared)))
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        Ok(Box::new(clients::MemoryMember::new(&self.shared, &self.process, options)))
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        Ok(Box::new(clients::MemoryTransactionalWriter::new(&self.shared, options)))
    }
}

impl std::fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLog").field("process", &self.process).finish_non_exhaustive()
    }
}

/// The error of a client that has no writer id yet.
fn not_initialized() -> TransactionError {
    TransactionError::Fatal("the writer was not initialized".to_owned())
}
