//! What the caller and the tasks of a [`Fetcher`](super::Fetcher) share, under one lock.

use super::{FetchError, FetchOptions, Fetched, Place};
use crate::WireError;
use crate::batch::BatchError;
use crate::cluster::Cluster;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use uuid::Uuid;

/// How often a damaged batch is fetched again: bytes may change on the way.
const DAMAGED_MAX: u32 = 3;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) cluster: Cluster,
    pub(super) options: FetchOptions,
    pub(super) state: Mutex<State>,
    /// Something can be handed out.
    pub(super) arrived: Condvar,
    /// Tasks may have something to do.
    pub(super) work: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) partitions: BTreeMap<Place, Partition>,
    /// Bytes in the queues.
    pub(super) queued_bytes: usize,
    /// Bytes that leaders were asked for and have not answered.
    pub(super) asked_bytes: usize,
    /// Leaders that have a task.
    pub(super) leaders: HashSet<i32>,
    serial: u64,
    /// Where the last taking stopped, so that partitions take turns.
    turn: Option<Place>,
    /// Something failed that no poll has been told of.
    pub(super) has_news: bool,
    /// Why the cluster could not be asked, the last time.
    pub(super) last_error: Option<WireError>,
}

/// Where reading stands in a partition.
#[derive(Debug)]
pub(super) struct Partition {
    /// Which of its assignments this is.
    pub(super) life: u64,
    /// Which run of requests: another whenever reading is sent back.
    pub(super) serial: u64,
    /// The next offset to ask for.
    pub(super) next: i64,
    /// The next offset to hand out.
    pub(super) position: i64,
    /// Epoch of the last batch that was fetched; -1 for none.
    pub(super) epoch_read: i32,
    /// Who is asked; `None` until the director knows.
    pub(super) leader: Option<Asked>,
    pub(super) topic_id: Option<Uuid>,
    pub(super) need: Need,
    pub(super) paused: bool,
    pub(super) failed: Option<FetchError>,
    /// It rests after an error.
    pub(super) not_before: Option<Instant>,
    /// Since when the cluster says that it does not know it.
    pub(super) unknown_since: Option<Instant>,
    pub(super) high_watermark: Option<i64>,
    pub(super) last_stable: Option<i64>,
    queue: VecDeque<Fetched>,
    /// The end of what the caller is walking.
    lent: Option<i64>,
    pub(super) queued_bytes: usize,
    damaged: u32,
    /// Errors in a row.
    pub(super) errors: u32,
}

/// Whom a partition is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) broker: i32,
    pub(super) leader_epoch: i32,
}

/// What a partition needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Records.
    Records,
    /// To know whether its new leader has what was read.
    Validation,
    /// To know what there is, for its position is not.
    Range,
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be handed out next; waits for it up to a deadline, if there is one.
    pub(super) fn take(&self, until: Option<Instant>) -> Option<Fetched> {
        let mut state = self.state();
        loop {
            if let Some(fetched) = state.take() {
                return Some(fetched);
            }
            if std::mem::take(&mut state.has_news) {
                return None;
            }
            let left = until?.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.arrived.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// After it was walked: the position moves on, and what is left of it goes back to the head of its queue.
    pub(super) fn give_back(&self, fetched: Fetched, walked: Result<bool, BatchError>) {
        self.state().give_back(fetched, walked);
        self.work.notify_waiters();
    }
}

impl State {
    pub(super) fn assign(&mut self, places: &[(Place, i64)]) {
        let mut before = std::mem::take(&mut self.partitions);
        for (place, offset) in places {
            if self.partitions.contains_key(place) {
                continue;
            }
            let partition = before.remove(place).unwrap_or_else(|| {
                self.serial += 1;
                Partition::new(self.serial, *offset)
            });
            self.partitions.insert(place.clone(), partition);
        }
        self.queued_bytes = self.partitions.values().map(|partition| partition.queued_bytes).sum();
        self.has_news = self.partitions.values().any(|partition| partition.failed.is_some());
    }

    /// Whether that changed anything.
    pub(super) fn pause(&mut self, place: &Place, paused: bool) -> bool {
        let Some(partition) = self.partitions.get_mut(place) else { return false };
        std::mem::replace(&mut partition.paused, paused) != paused
    }

    fn take(&mut self) -> Option<Fetched> {
        let after = |place: &Place| self.turn.as_ref().is_some_and(|turn| place > turn);
        let ready = |(_, partition): &(&Place, &Partition)| partition.is_ready();
        let mut all = self.partitions.iter().filter(ready).map(|(place, _)| place);
        let first = all.next()?;
        let place = match after(first) {
            true => first,
            false => all.find(|place| after(place)).unwrap_or(first),
        };
        let place = place.clone();
        let partition = self.partitions.get_mut(&place)?;
        self.turn = Some(place);
        let mut fetched = partition.queue.pop_front()?;
        fetched.position = fetched.position.max(partition.position);
        partition.lent = Some(fetched.end);
        Some(fetched)
    }

    fn give_back(&mut self, fetched: Fetched, walked: Result<bool, BatchError>) {
        let known = self.partitions.get_mut(&fetched.place);
        // Bytes of a partition that was taken away are not counted any more.
        let Some(partition) = known.filter(|partition| partition.life == fetched.life) else { return };
        partition.lent = None;
        partition.position = partition.position.max(fetched.position);
        if partition.serial != fetched.serial {
            // Reading was sent back meanwhile; what was not walked is asked for again.
            if walked != Ok(true) {
                self.send_back(&fetched.place, None);
            }
            return;
        }
        match walked {
            Ok(false) => partition.queue.push_front(fetched),
            Ok(true) => {
                partition.damaged = 0;
                partition.queued_bytes -= fetched.bytes;
                self.queued_bytes -= fetched.bytes;
            }
            Err(error) => {
                tracing::warn!(target: "millstream::wire", place = %fetched.place, %error, "damaged records");
                partition.damaged += 1;
                let is_final =
                    partition.damaged >= DAMAGED_MAX || !matches!(error, BatchError::Checksum { .. });
                self.send_back(&fetched.place, None);
                if is_final {
                    self.fail(&fetched.place, FetchError::Damaged(error));
                }
            }
        }
    }

    /// Drops what is queued of a partition and reads it again from what was not handed out. `epoch` is that of what
    /// stands before there, if it is known to be another than that of what was read last.
    pub(super) fn send_back(&mut self, place: &Place, epoch: Option<i32>) {
        let Some(partition) = self.partitions.get_mut(place) else { return };
        self.queued_bytes -= partition.queued_bytes;
        partition.queued_bytes = 0;
        partition.queue.clear();
        partition.next = partition.handed_out();
        partition.epoch_read = epoch.unwrap_or(partition.epoch_read);
        // What is under way was asked from beyond.
        self.serial += 1;
        partition.serial = self.serial;
    }

    pub(super) fn queue(&mut self, fetched: Fetched) {
        let Some(partition) = self.partitions.get_mut(&fetched.place) else { return };
        partition.queued_bytes += fetched.bytes;
        self.queued_bytes += fetched.bytes;
        partition.queue.push_back(fetched);
    }

    pub(super) fn fail(&mut self, place: &Place, error: FetchError) {
        let Some(partition) = self.partitions.get_mut(place) else { return };
        tracing::debug!(target: "millstream::wire", %place, %error, "can't be read any further");
        partition.failed = Some(error);
        self.has_news = true;
    }

    /// Whoever led these partitions can't be asked; gives them.
    pub(super) fn lose_leader(&mut self, broker: i32, not_before: Instant) -> Vec<Place> {
        let led = self.partitions.iter_mut().filter(|(_, partition)| partition.is_led_by(broker));
        led.map(|(place, partition)| {
            partition.leader = None;
            partition.not_before = Some(not_before);
            place.clone()
        })
        .collect()
    }
}

impl Partition {
    pub(super) fn new(serial: u64, offset: i64) -> Partition {
        Partition {
            life: serial,
            serial,
            next: offset,
            position: offset,
            epoch_read: -1,
            leader: None,
            topic_id: None,
            need: Need::Records,
            paused: false,
            failed: None,
            not_before: None,
            unknown_since: None,
            high_watermark: None,
            last_stable: None,
            queue: VecDeque::new(),
            lent: None,
            queued_bytes: 0,
            damaged: 0,
            errors: 0,
        }
    }

    /// The offset after what was handed out, or is being.
    pub(super) fn handed_out(&self) -> i64 {
        self.position.max(self.lent.unwrap_or(0))
    }

    fn is_ready(&self) -> bool {
        !self.paused && self.failed.is_none() && !self.queue.is_empty()
    }

    /// Whether it is to be read and does not rest.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        self.failed.is_none() && self.not_before.is_none_or(|not_before| not_before <= now)
    }

    pub(super) fn is_led_by(&self, broker: i32) -> bool {
        self.leader.is_some_and(|leader| leader.broker == broker)
    }

    /// A new leader, or the same one in a new epoch.
    pub(super) fn lead(&mut self, asked: Asked) {
        let is_new = self.leader.is_none_or(|before| before.leader_epoch != asked.leader_epoch);
        // Whoever leads now may have less than the one before; nothing was read where no epoch is known.
        if is_new
            && self.need == Need::Records
            && self.epoch_read >= 0
            && asked.leader_epoch > self.epoch_read
        {
            self.need = Need::Validation;
        }
        self.leader = Some(asked);
    }
}
