//! What is on its way to one partition: a state machine without I/O.
//!
//! ```text
//! open (takes records) -> full (waits for its turn) -> numbered: sent -> written
//!                                                            ^        |
//!                                                            '- again <
//! ```
//!
//! The rules, for a broker takes a batch only if its number follows the last one it has, and remembers the last five:
//!
//! - Batches are numbered in the order of their records, once, when they are first sent; sent again means the same bytes.
//! - At most five are numbered and not yet settled.
//! - When one has to be sent again, those after it have failed as well, or will: nothing is sent until all are answered,
//!   then one after the other, until none is left to be sent again.
//! - A partition that has not taken anything of this producer yet gets one batch only: a broker that knows nothing of a
//!   producer takes any number, so that a second batch could get in before a first that was turned away.

use super::Place;
use super::error::{ProduceError, Refusal, Verdict};
use crate::batch::BatchEncoder;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Batches whose offsets brokers remember, by producer and partition.
pub(super) const NUMBERED_MAX: usize = 5;

/// One partition.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) place: Place,
    open: Option<Open>,
    full: VecDeque<Open>,
    numbered: VecDeque<Numbered>,
    next_sequence: i32,
    next_serial: u64,
    /// Whether the partition has taken a batch of this producer.
    is_known: bool,
    /// The offset after the last record that was written.
    end: Option<i64>,
    /// Since when brokers say that there is no such partition.
    missing_since: Option<Instant>,
    /// Nothing is sent before, and how long the next pause is.
    pub(super) not_before: Option<Instant>,
    pause: Duration,
    /// Whether the partition is part of the transaction as the coordinator knows it.
    pub(super) is_added: bool,
}

/// Records that wait.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) encoder: BatchEncoder,
    pub(super) largest_record: usize,
    pub(super) since: Instant,
}

#[derive(Debug)]
struct Numbered {
    serial: u64,
    records: usize,
    largest_record: usize,
    /// Empty until it is compressed.
    bytes: Bytes,
    /// What is counted as held.
    held: usize,
    since: Instant,
    state: State,
    /// Whether some answer did not come.
    was_unanswered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sent,
    Again,
    Written,
}

/// What is to be sent next.
#[derive(Debug)]
pub(super) enum Next {
    /// For the first time: compress and stamp it, and say so by [`Track::compressed`].
    New { serial: u64, sequence: i32, open: Open },
    /// Once more.
    Again { serial: u64, bytes: Bytes },
}

/// What came of an answer.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Bytes that are held no more.
    pub(super) released: usize,
    /// Batches that are settled.
    pub(super) batches: usize,
    /// Memory to use again.
    pub(super) spare: Vec<Bytes>,
    /// The partition's leader may be another.
    pub(super) moved: bool,
    /// It will not come to anything.
    pub(super) failed: Option<ProduceError>,
}

/// Pauses before something is sent again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));
/// How long a partition may be missing: the news of a new topic takes its time from broker to broker.
const MISSING_MAX: Duration = Duration::from_secs(3);

impl Track {
    pub(super) fn new(place: Place) -> Track {
        Track {
            place,
            open: None,
            full: VecDeque::new(),
            numbered: VecDeque::new(),
            next_sequence: 0,
            next_serial: 0,
            is_known: false,
            end: None,
            missing_since: None,
            not_before: None,
            pause: PAUSES.0,
            is_added: false,
        }
    }

    // --- records ---

    /// The batch that takes records, out of here so that the sender leaves it alone.
    pub(super) fn take_open(&mut self) -> Option<Open> {
        self.open.take()
    }

    /// Puts it back.
    pub(super) fn put_open(&mut self, open: Open) {
        self.open = Some(open);
    }

    /// Puts it where it takes no more records.
    pub(super) fn put_full(&mut self, open: Open) {
        self.full.push_back(open);
    }

    /// Batches that are not settled.
    pub(super) fn unsettled(&self) -> usize {
        let numbered = self.numbered.iter().filter(|batch| batch.state != State::Written).count();
        usize::from(self.open.is_some()) + self.full.len() + numbered
    }

    /// Whether there is anything to do for the sender.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.full.is_empty() && self.numbered.is_empty()
    }

    /// The offset after the last record that was written since [`Track::forget_end`].
    pub(super) fn end(&self) -> Option<i64> {
        self.end
    }

    pub(super) fn forget_end(&mut self) {
        self.end = None;
    }

    // --- sending ---

    /// When something will have to be sent, if that is not before an answer. `linger` is how long records wait for
    /// others.
    pub(super) fn due(&self, linger: Duration) -> Option<Instant> {
        if !self.may_send() {
            return None;
        }
        let due = match (&self.open, self.full.front().map(|full| full.since)) {
            _ if self.to_send_again().is_some() => self.numbered.front().map(|batch| batch.since),
            (_, Some(since)) => Some(since),
            (Some(open), None) => Some(open.since + linger),
            (None, None) => None,
        };
        due.map(|due| self.not_before.map_or(due, |not_before| due.max(not_before)))
    }

    fn to_send_again(&self) -> Option<usize> {
        self.numbered.iter().position(|batch| batch.state == State::Again)
    }

    fn may_send(&self) -> bool {
        let is_under_way = self.numbered.iter().any(|batch| batch.state == State::Sent);
        if self.to_send_again().is_some() || !self.is_known {
            return !is_under_way;
        }
        self.numbered.len() < NUMBERED_MAX
    }

    /// What is due by [`Track::due`].
    pub(super) fn next(&mut self) -> Option<Next> {
        if !self.may_send() {
            return None;
        }
        if let Some(at) = self.to_send_again() {
            let batch = &mut self.numbered[at];
            batch.state = State::Sent;
            return Some(Next::Again { serial: batch.serial, bytes: batch.bytes.clone() });
        }
        let open = self.full.pop_front().or_else(|| self.open.take())?;
        let (serial, sequence, records) = (self.next_serial, self.next_sequence, open.encoder.len());
        self.next_serial += 1;
        self.next_sequence = following(sequence, records);
        self.numbered.push_back(Numbered {
            serial,
            records,
            largest_record: open.largest_record,
            bytes: Bytes::new(),
            held: open.encoder.bytes(),
            since: open.since,
            state: State::Sent,
            was_unanswered: false,
        });
        Some(Next::New { serial, sequence, open })
    }

    /// The bytes of a batch that [`Track::next`] gave; says how many bytes are held less.
    pub(super) fn compressed(&mut self, serial: u64, bytes: &Bytes) -> usize {
        let Some(batch) = self.numbered.iter_mut().find(|batch| batch.serial == serial) else { return 0 };
        batch.bytes = bytes.clone();
        let less = batch.held.saturating_sub(bytes.len());
        batch.held -= less;
        less
    }

    /// Since when the oldest batch waits that is not settled.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let numbered = self.numbered.front().map(|batch| batch.since);
        numbered.or(self.full.front().map(|full| full.since)).or(self.open.as_ref().map(|open| open.since))
    }

    /// Bytes of key and value of the largest record of a batch.
    pub(super) fn largest_record(&self, serial: u64) -> usize {
        self.numbered.iter().find(|batch| batch.serial == serial).map_or(0, |batch| batch.largest_record)
    }

    /// What became of a batch that was sent.
    pub(super) fn answered(&mut self, serial: u64, verdict: Verdict, now: Instant) -> Settled {
        let mut settled = Settled::default();
        let Some(at) = self.numbered.iter().position(|batch| batch.serial == serial) else { return settled };
        if !matches!(verdict, Verdict::NoSuchPartition) {
            self.missing_since = None;
        }
        match verdict {
            Verdict::Written(base_offset) => self.written(at, base_offset, &mut settled),
            Verdict::Again { moved } => {
                settled.moved = moved;
                self.again(at, now);
            }
            Verdict::Unknown => {
                self.numbered[at].was_unanswered = true;
                self.again(at, now);
            }
            // Those before it are still to come.
            Verdict::OutOfOrder if at > 0 => self.again(at, now),
            Verdict::OutOfOrder => {
                let text = format!(
                    "writing to {}: the partition has lost records that it had acknowledged \
                     (OUT_OF_ORDER_SEQUENCE_NUMBER); look for a leader that was elected unclean",
                    self.place
                );
                settled.failed = Some(ProduceError::Abortable(text));
            }
            Verdict::NoSuchPartition => {
                settled.moved = true;
                settled.failed = self.missing(now);
                self.again(at, now);
            }
            Verdict::Failed(error) => settled.failed = Some(error),
        }
        settled
    }

    /// Somebody says that there is no such partition: an error when that has been so for long enough.
    pub(super) fn missing(&mut self, now: Instant) -> Option<ProduceError> {
        let since = *self.missing_since.get_or_insert(now);
        let (place, reason) = (self.place.clone(), Refusal::UnknownTopic);
        (now.saturating_duration_since(since) >= MISSING_MAX)
            .then_some(ProduceError::Refused { place, reason })
    }

    fn again(&mut self, at: usize, now: Instant) {
        self.numbered[at].state = State::Again;
        self.rest(now);
    }

    /// Nothing is sent for a moment, longer each time until something is written.
    pub(super) fn rest(&mut self, now: Instant) {
        self.not_before = Some(now + self.pause);
        self.pause = (2 * self.pause).min(PAUSES.1);
    }

    fn written(&mut self, at: usize, base_offset: i64, settled: &mut Settled) {
        (self.is_known, self.pause, self.not_before) = (true, PAUSES.0, None);
        let batch = &mut self.numbered[at];
        batch.state = State::Written;
        if base_offset >= 0 {
            self.end = self.end.max(Some(base_offset + batch.records as i64));
        }
        settled.batches += 1;
        while let Some(batch) = self.numbered.pop_front_if(|batch| batch.state == State::Written) {
            settled.released += batch.held;
            settled.spare.push(batch.bytes);
        }
    }

    // --- starting over ---

    /// Drops everything; answers that are still to come find nothing. Says what that settled, and whether the number
    /// of the next batch is what the broker expects: not where a numbered batch was dropped.
    pub(super) fn clear(&mut self) -> (Settled, bool) {
        let mut settled = Settled { batches: self.unsettled(), ..Settled::default() };
        let is_sound = self.numbered.iter().all(|batch| batch.state == State::Written);
        let waiting = self.open.take().into_iter().chain(self.full.drain(..));
        settled.released = waiting.map(|open| open.encoder.bytes()).sum();
        settled.released += self.numbered.drain(..).map(|batch| batch.held).sum::<usize>();
        (self.not_before, self.pause, self.missing_since) = (None, PAUSES.0, None);
        (settled, is_sound)
    }

    /// Numbers begin at 0, for a new epoch of the producer or a new producer.
    pub(super) fn renumber(&mut self, is_new_producer: bool) {
        self.next_sequence = 0;
        self.is_known &= !is_new_producer;
    }
}

/// The number after so many records. After the last one comes 0.
pub(super) fn following(sequence: i32, records: usize) -> i32 {
    (i64::from(sequence) + records as i64).rem_euclid(1 << 31) as i32
}
