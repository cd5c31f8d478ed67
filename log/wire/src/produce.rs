//! Writing: an idempotent producer, with transactions if it has an id for them.
//!
//! A [`Producer`] belongs to one thread. [`Producer::write`] encodes records straight into the batch of their partition;
//! a task on the client's I/O thread compresses, numbers and sends batches, up to five requests per broker at a time, and
//! repeats what was not answered: brokers know a batch by its number, and have it once. Nothing waits without a
//! deadline, and what is held has a limit.
//!
//! ```text
//! init -> begin -> write.. -> flush -> send_offsets -> commit | abort -> begin ..      (with a transactional id)
//!                  write.. -> flush -> write..                                         (without)
//! ```
//!
//! Transactions are those of KIP-890 where the cluster has `transaction.version` 2: partitions and offsets become part of
//! them by being written, and every end gives the producer a new epoch, so that nothing of an earlier transaction that is
//! late can touch a later one. Where it has not, [`End::needs_new_producer`] says when a late copy may be under way, and
//! the next transaction belongs to a new producer.
//!
//! What an error means for the caller is what it is called ([`ProduceError`]): fenced is told apart from what can be
//! aborted, and that from what nobody can know.

mod coordinator;
mod error;
mod queue;
mod request;
mod sender;
mod track;

#[cfg(test)]
mod tests;

pub use error::{ProduceError, Refusal};

use crate::IoThread;
pub use crate::Place;
use crate::batch::Compression;
use crate::cluster::Cluster;
use coordinator::Timeouts;
use queue::{Identity, Limits, Queue};
use sender::Sender;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A record to be written.
#[derive(Debug, Clone)]
pub struct Record<'a, H = std::iter::Empty<(&'a [u8], Option<&'a [u8]>)>> {
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values of its headers. Gone through twice.
    pub headers: H,
}

/// An offset that a group commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    /// The next offset to read.
    pub offset: i64,
    /// What stands beside it.
    pub metadata: String,
}

/// Who commits offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The group.
    pub group: String,
    /// Its generation.
    pub generation: i32,
    /// The member's id.
    pub member: String,
    /// The member's name over restarts.
    pub instance: Option<String>,
}

/// How a producer is made.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// Id for transactions and the time after which the coordinator aborts one; none for a producer without.
    pub transactional: Option<(String, Duration)>,
    /// Bytes that may be held: in batches that are filled, wait or are under way.
    pub held_bytes_max: usize,
    /// How long a batch may take until it is acknowledged, repetitions included.
    pub delivery_timeout: Duration,
    /// How long one request may take. Then its connection is closed, and what was asked is asked again.
    pub request_timeout: Duration,
}

/// What the sender goes by.
#[derive(Debug, Clone)]
struct Setup {
    transactional_id: Option<String>,
    transaction_timeout: Duration,
    /// Whether partitions have to be added to a transaction by a request of their own.
    adds_partitions: bool,
    linger: Duration,
    compression: Compression,
    compression_level: Option<i32>,
    ack_timeout: Duration,
    delivery_timeout: Duration,
    request_timeout: Duration,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Whether a request of this transaction may still be under way that could do harm to the next one: begin that with
    /// a new producer.
    pub needs_new_producer: bool,
}

/// A producer. See the module's head.
#[derive(Debug)]
pub struct Producer {
    cluster: Cluster,
    io: IoThread,
    queue: Arc<Queue>,
    setup: Arc<Setup>,
    /// Whether the sender runs: it does from the first time that the producer knows who it is.
    is_running: bool,
    is_open: bool,
    /// Offsets were sent in the transaction.
    has_offsets: bool,
    /// A request of the transaction may be under way, and no epoch will keep it out.
    is_haunted: bool,
}

impl Producer {
    /// A producer that has not asked anybody anything yet.
    pub fn new(cluster: &Cluster, io: &IoThread, options: ProducerOptions) -> Producer {
        let config = cluster.config().produce.clone();
        let (transactional_id, transaction_timeout) = options.transactional.unzip();
        let setup = Setup {
            transactional_id,
            transaction_timeout: transaction_timeout.unwrap_or_default(),
            adds_partitions: false,
            linger: config.linger,
            compression: config.compression,
            compression_level: config.compression_level,
            ack_timeout: config.ack_timeout.min(options.request_timeout),
            delivery_timeout: options.delivery_timeout,
            request_timeout: options.request_timeout,
        };
        let limits = Limits {
            held_bytes_max: options.held_bytes_max,
            batch_bytes_max: config.batch_bytes_max.min(config.request_bytes_max),
            batch_records_max: config.batch_records_max,
        };
        Producer {
            cluster: cluster.clone(),
            io: io.clone(),
            queue: Arc::new(Queue::new(limits)),
            setup: Arc::new(setup),
            is_running: false,
            is_open: false,
            has_offsets: false,
            is_haunted: false,
        }
    }

    /// Asks who it is. With a transactional id that fences who had it before and ends what they left open.
    ///
    /// # Errors
    /// [`ProduceError::NotYet`]: again. Others: make a new producer.
    pub fn init(&mut self, deadline: Instant) -> Result<(), ProduceError> {
        let (cluster, setup) = (self.cluster.clone(), Arc::clone(&self.setup));
        let timeouts = (setup.request_timeout, deadline);
        let initialized = self.call("who the producer is", timeouts, async move {
            let transactional = setup.transactional_id.as_deref().map(|id| (id, setup.transaction_timeout));
            coordinator::init(&cluster, transactional, timeouts).await
        })?;
        self.queue.lock().become_identity(initialized.identity);
        if !self.is_running {
            let adds_partitions = self.is_transactional() && initialized.transaction_version < 2;
            self.setup = Arc::new(Setup { adds_partitions, ..(*self.setup).clone() });
            let (queue, cluster) = (Arc::clone(&self.queue), self.cluster.clone());
            self.io.spawn(Sender::run(queue, cluster, Arc::clone(&self.setup)));
            self.is_running = true;
        }
        self.queue.wake.notify_one();
        Ok(())
    }

    /// Whether ends of transactions give the producer a new epoch. Known after [`Producer::init`].
    pub fn bumps_epochs(&self) -> bool {
        self.setup.transactional_id.is_some() && !self.setup.adds_partitions
    }

    fn is_transactional(&self) -> bool {
        self.setup.transactional_id.is_some()
    }

    /// Runs a request on the I/O thread.
    fn call<T: Send + 'static>(
        &self,
        what: &str,
        (_, deadline): Timeouts,
        task: impl Future<Output = Result<T, ProduceError>> + Send + 'static,
    ) -> Result<T, ProduceError> {
        // The request keeps to the deadline; this is for an I/O thread that does not get to it.
        let outer = deadline + Duration::from_secs(1);
        let called = self.io.call(what, outer, async move { Ok(task.await) });
        called.unwrap_or_else(|error| Err(ProduceError::NotYet(error.to_string())))
    }

    // --- records ---

    /// Takes records for a partition; waits for room.
    ///
    /// # Errors
    /// The first error of any batch since the last flush or the beginning of the transaction. Some of the records may have
    /// been taken. A producer without transactions begins anew, as after [`Producer::flush`].
    pub fn write<'r, H>(
        &mut self,
        place: &Place,
        records: impl Iterator<Item = Record<'r, H>>,
        deadline: Instant,
    ) -> Result<(), ProduceError>
    where
        H: Iterator<Item = (&'r [u8], Option<&'r [u8]>)> + Clone,
    {
        if self.is_transactional() && !self.is_open {
            return Err(ProduceError::Fatal("no transaction is open".to_owned()));
        }
        if !self.is_transactional() && self.queue.lock().identity.is_none() {
            self.init(deadline)?;
        }
        let written = self.queue.write(place, records, deadline);
        match &written {
            // Some may have been taken: given again they would be there twice.
            Err(ProduceError::NotYet(text)) if self.is_transactional() => {
                return Err(ProduceError::Abortable(text.clone()));
            }
            Ok(()) | Err(ProduceError::NotYet(_)) => {}
            Err(_) if self.is_transactional() => {}
            Err(_) => self.start_over(deadline),
        }
        written
    }

    /// Waits until all records are in the log, and gives for each partition the offset after the last one written since
    /// the last flush that succeeded, or in this transaction.
    ///
    /// # Errors
    /// As [`Producer::write`]; [`ProduceError::NotYet`]: again. A producer without transactions begins anew after an
    /// error: what was not acknowledged by then may be there or not.
    pub fn flush(&mut self, deadline: Instant) -> Result<Vec<(Place, i64)>, ProduceError> {
        let flushed = self.queue.flush(deadline);
        if !self.is_transactional() {
            match &flushed {
                Ok(_) => self.queue.forget_ends(),
                Err(ProduceError::NotYet(_)) => {}
                Err(_) => self.start_over(deadline),
            }
        }
        flushed
    }

    /// Without transactions: forgets what was not acknowledged and who the producer was.
    fn start_over(&mut self, deadline: Instant) {
        self.queue.clear(deadline);
        self.queue.forget_ends();
        // Numbers that may have been taken belong to the old id.
        self.queue.lock().identity = None;
    }

    // --- transactions ---

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`ProduceError::Fatal`] when there can be none: make a new producer.
    pub fn begin(&mut self) -> Result<(), ProduceError> {
        let mut state = self.queue.lock();
        if self.setup.transactional_id.is_none() || state.identity.is_none() || self.is_open {
            return Err(ProduceError::Fatal("a transaction can't begin here: init comes first".to_owned()));
        }
        if state.is_torn || self.is_haunted {
            let text = "what an earlier transaction left is still under way: make a new producer";
            return Err(ProduceError::Fatal(text.to_owned()));
        }
        state.has_begun = false;
        state.failure = None;
        for track in &mut state.tracks {
            track.forget_end();
            track.is_added = false;
        }
        (self.is_open, self.has_offsets) = (true, false);
        Ok(())
    }

    /// Makes offsets of a group part of the transaction. The group checks that the member is in its generation.
    ///
    /// # Errors
    /// [`ProduceError::Fenced`] when it is not; [`ProduceError::NotYet`]: again.
    pub fn send_offsets(
        &mut self,
        offsets: Vec<(Place, Offset)>,
        member: GroupMember,
        deadline: Instant,
    ) -> Result<(), ProduceError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let (id, identity) = self.open_transaction()?;
        self.has_offsets = true;
        let (cluster, is_implicit) = (self.cluster.clone(), self.bumps_epochs());
        let timeouts = (self.setup.request_timeout, deadline);
        self.call("offsets of the group", timeouts, async move {
            let producer = (id.as_str(), identity, is_implicit);
            coordinator::send_offsets(&cluster, producer, &offsets, &member, timeouts).await
        })
    }

    /// Commits, after a flush.
    ///
    /// # Errors
    /// [`ProduceError::InDoubt`] when nobody can say whether it did; [`ProduceError::NotYet`] when it was certainly not
    /// asked for: again.
    pub fn commit(&mut self, deadline: Instant) -> Result<End, ProduceError> {
        self.queue.flush(deadline)?;
        self.end(true, deadline)
    }

    /// Aborts. What is not written yet is dropped.
    ///
    /// # Errors
    /// Any: make a new producer, whose init aborts.
    pub fn abort(&mut self, deadline: Instant) -> Result<End, ProduceError> {
        self.open_transaction()?;
        let all_answered = self.queue.clear(deadline);
        // Without a new epoch, a batch that comes late would begin the next transaction.
        self.is_haunted |= !self.bumps_epochs() && (!all_answered || self.queue.lock().is_torn);
        self.end(false, deadline)
    }

    fn open_transaction(&self) -> Result<(String, Identity), ProduceError> {
        let identity = self.queue.lock().identity.filter(|_| self.is_open);
        let both = self.setup.transactional_id.clone().zip(identity);
        both.ok_or_else(|| ProduceError::Fatal("no transaction is open".to_owned()))
    }

    fn end(&mut self, is_commit: bool, deadline: Instant) -> Result<End, ProduceError> {
        let (id, identity) = self.open_transaction()?;
        if self.queue.lock().has_begun || self.has_offsets {
            let (cluster, bumps_epoch) = (self.cluster.clone(), self.bumps_epochs());
            let timeouts = (self.setup.request_timeout, deadline);
            let outer = deadline + Duration::from_secs(1);
            let ended = self.io.call("the end of a transaction", outer, async move {
                let producer = (id.as_str(), identity, bumps_epoch);
                Ok(coordinator::end(&cluster, producer, is_commit, timeouts).await)
            });
            let ended = ended.map_err(|error| ProduceError::InDoubt(error.to_string())).flatten()?;
            self.is_haunted |= ended.may_come_again;
            if let Some(identity) = ended.identity {
                self.queue.lock().become_identity(identity);
            }
        }
        self.is_open = false;
        Ok(End { needs_new_producer: self.is_haunted || self.queue.lock().is_torn })
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.queue.close();
    }
}
