//! What the producer's caller and its sender share: the batches of each partition, within a limit.
//!
//! The caller's thread encodes records into batches; the sender takes what is due. The lock is taken twice for each run
//! of records, and not held while they are encoded.

use super::error::ProduceError;
use super::track::{Open, Settled, Track};
use super::{Place, Record};
use crate::batch::BatchEncoder;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Buffers that are kept to be used again, and how large one may be.
const SPARE_MAX: usize = 16;
const SPARE_BYTES_MAX: usize = 2 << 20;

/// Who the producer is to brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told whenever something was settled.
    changed: Condvar,
    /// Told whenever there is something for the sender to look at.
    pub(super) wake: Notify,
    pub(super) limits: Limits,
}

/// What the queue keeps to.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) held_bytes_max: usize,
    pub(super) batch_bytes_max: usize,
    pub(super) batch_records_max: usize,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tracks: Vec<Track>,
    places: HashMap<Place, usize>,
    pub(super) identity: Option<Identity>,
    held_bytes: usize,
    /// Batches that are not settled.
    unsettled: usize,
    /// Requests whose answers are to come.
    pub(super) under_way: usize,
    /// Nothing lingers.
    pub(super) is_flushing: bool,
    /// Nothing is sent any more until somebody has looked at it.
    pub(super) failure: Option<ProduceError>,
    /// Something of the transaction went to a broker.
    pub(super) has_begun: bool,
    /// A number was given to a batch that may not be in the log.
    pub(super) is_torn: bool,
    pub(super) is_closed: bool,
    /// Changes with every clearing: what is answered later belongs to another life.
    pub(super) life: u64,
    spare: Vec<Vec<u8>>,
    /// The last thing that went wrong and will be tried again, for who loses patience.
    pub(super) last_trouble: Option<String>,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Queue {
        Queue { state: Mutex::default(), changed: Condvar::new(), wake: Notify::new(), limits }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets those who wait look again.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }

    /// Waits until `is_over`; `false` when it is not by the deadline.
    fn wait(&self, deadline: Instant, is_over: impl Fn(&State) -> bool) -> (MutexGuard<'_, State>, bool) {
        let mut state = self.lock();
        loop {
            if is_over(&state) {
                return (state, true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return (state, false);
            }
            let waited = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
    }

    /// Takes records for a partition. Waits for room.
    pub(super) fn write<'r, H>(
        &self,
        place: &Place,
        records: impl Iterator<Item = Record<'r, H>>,
        deadline: Instant,
    ) -> Result<(), ProduceError>
    where
        H: Iterator<Item = (&'r [u8], Option<&'r [u8]>)> + Clone,
    {
        let mut records = records.peekable();
        while records.peek().is_some() {
            let (mut state, has_room) = self.wait(deadline, |state| {
                state.failure.is_some() || state.held_bytes < self.limits.held_bytes_max
            });
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if !has_room {
                let trouble = state.trouble();
                return Err(ProduceError::NotYet(format!("no room for records of {place}{trouble}")));
            }
            let (at, life) = (state.track_of(place), state.life);
            let (mut open, is_new) = match state.tracks[at].take_open() {
                Some(open) => (open, false),
                None => (state.new_open(), true),
            };
            drop(state);
            let bytes_before = if is_new { 0 } else { open.encoder.bytes() };
            let (is_full, failed) = fill(&mut open, &mut records, &self.limits);
            let mut state = self.lock();
            if state.life != life {
                return Err(ProduceError::Fatal("the producer was closed".to_owned()));
            }
            if !open.encoder.is_empty() {
                state.held_bytes += open.encoder.bytes() - bytes_before;
                state.unsettled += usize::from(is_new);
                let track = &mut state.tracks[at];
                if is_full { track.put_full(open) } else { track.put_open(open) }
            }
            drop(state);
            if is_full || is_new {
                self.wake.notify_one();
            }
            if let Some(bytes) = failed {
                let reason = super::Refusal::TooLarge { largest_record: bytes };
                return Err(ProduceError::Refused { place: place.clone(), reason });
            }
        }
        Ok(())
    }

    /// Waits until everything is written, and says up to where in each partition since [`Queue::forget_ends`].
    pub(super) fn flush(&self, deadline: Instant) -> Result<Vec<(Place, i64)>, ProduceError> {
        self.lock().is_flushing = true;
        self.wake.notify_one();
        let (mut state, is_over) =
            self.wait(deadline, |state| state.failure.is_some() || state.unsettled == 0);
        state.is_flushing = false;
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if !is_over {
            let trouble = state.trouble();
            return Err(ProduceError::NotYet(format!("records are not acknowledged{trouble}")));
        }
        let ends = state.tracks.iter().filter_map(|track| Some((track.place.clone(), track.end()?)));
        Ok(ends.collect())
    }

    /// Stops sending, waits for the answers that are to come, and drops what is not written. Says whether all came.
    pub(super) fn clear(&self, deadline: Instant) -> bool {
        self.lock().fail(ProduceError::NotYet("the producer is being cleared".to_owned()));
        let (mut state, is_over) = self.wait(deadline, |state| state.under_way == 0);
        state.clear();
        state.failure = None;
        is_over
    }

    /// Begins to look at ends anew.
    pub(super) fn forget_ends(&self) {
        self.lock().tracks.iter_mut().for_each(Track::forget_end);
    }

    /// The sender ends, and whoever waits.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.clear();
        drop(state);
        self.wake.notify_one();
        self.tell();
    }
}

impl State {
    fn track_of(&mut self, place: &Place) -> usize {
        if let Some(at) = self.places.get(place) {
            return *at;
        }
        let at = self.tracks.len();
        self.tracks.push(Track::new(place.clone()));
        self.places.insert(place.clone(), at);
        at
    }

    fn new_open(&mut self) -> Open {
        let encoder = BatchEncoder::reusing(self.spare());
        Open { encoder, largest_record: 0, since: Instant::now() }
    }

    /// Memory that was used before, if there is any.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Memory to use again.
    pub(super) fn take_spare(&mut self, spare: Vec<u8>) {
        if self.spare.len() < SPARE_MAX && spare.capacity() <= SPARE_BYTES_MAX && spare.capacity() > 0 {
            self.spare.push(spare);
        }
    }

    fn take_spare_bytes(&mut self, spare: Bytes) {
        if let Ok(spare) = spare.try_into_mut() {
            self.take_spare(Vec::from(spare));
        }
    }

    /// Counts what an answer settled.
    pub(super) fn settle(&mut self, settled: Settled) {
        self.release(settled.released);
        self.unsettled = self.unsettled.saturating_sub(settled.batches);
        settled.spare.into_iter().for_each(|spare| self.take_spare_bytes(spare));
        if let Some(failed) = settled.failed {
            self.fail(failed);
        }
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
    }

    /// Nothing is sent any more.
    pub(super) fn fail(&mut self, error: ProduceError) {
        if self.failure.as_ref().is_none_or(|failure| error.tells_more_than(failure)) {
            self.failure = Some(error);
        }
    }

    fn clear(&mut self) {
        self.life += 1;
        for track in &mut self.tracks {
            let (_, is_sound) = track.clear();
            self.is_torn |= !is_sound;
        }
        (self.held_bytes, self.unsettled) = (0, 0);
    }

    /// Another epoch, or another producer.
    pub(super) fn become_identity(&mut self, identity: Identity) {
        let is_new = self.identity.is_none_or(|before| before.id != identity.id);
        if self.identity != Some(identity) {
            self.tracks.iter_mut().for_each(|track| track.renumber(is_new));
            self.is_torn = false;
        }
        self.identity = Some(identity);
    }

    fn trouble(&self) -> String {
        self.last_trouble.as_ref().map_or_else(String::new, |text| format!("; last: {text}"))
    }
}

/// Appends records until the batch is full or there are no more. A record that fits no batch ends it too: its size.
fn fill<'r, H>(
    open: &mut Open,
    records: &mut std::iter::Peekable<impl Iterator<Item = Record<'r, H>>>,
    limits: &Limits,
) -> (bool, Option<usize>)
where
    H: Iterator<Item = (&'r [u8], Option<&'r [u8]>)> + Clone,
{
    while let Some(record) = records.peek() {
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        let is_full = open.encoder.bytes() + bytes > limits.batch_bytes_max
            || open.encoder.len() >= limits.batch_records_max;
        if is_full && !open.encoder.is_empty() {
            return (true, None);
        }
        let (key, value, headers) = (record.key, record.value, record.headers.clone());
        if open.encoder.push(record.timestamp_ms, key, value, headers).is_err() {
            return (false, Some(bytes));
        }
        open.largest_record = open.largest_record.max(bytes);
        records.next();
    }
    (false, None)
}
