//! From the log into the tasks: reading, choosing what to step next, ticks.

use super::ownership::Held;
use super::{Turn, Worker};
use crate::error::JobError;
use crate::log::{Isolation, OffsetQuery, Records, TopicPartition};
use crate::metrics::Histogram;
use crate::plan::TaskId;
use crate::task::StepInput;
use millstream_operators::{EventTime, Input};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

/// Runs that a turn steps at most, so that commits and events are never far away.
const STEPS_PER_TURN: usize = 16;
/// Partitions that may have all they want waiting, and what any may have where there are more.
const FULL_QUEUES: usize = 4;
const QUEUE_BYTES_MIN: usize = 64 << 10;
/// Runs whose timestamps are kept between two commits; further ones count as the last of them.
const UNCOMMITTED_MAX: usize = 1_024;
/// Of the time that rows have not come, the part that may pass until tasks are told of the clock again; and its bounds.
const CLOCK_SHARE: i64 = 64;
const CLOCK_EVERY_MS: i64 = 100;
const CLOCK_AT_LEAST_EVERY_MS: i64 = 5_000;
/// How long reading may be in vain until that is said, milliseconds.
const TROUBLE_AFTER_MS: u64 = 2_000;
/// How long to wait for records when those that are there wait for something else.
const HELD: Duration = Duration::from_millis(10);

/// Runs that were read and wait for their task.
#[derive(Debug, Default)]
pub(super) struct Intake {
    queues: BTreeMap<TopicPartition, Queue>,
    /// Records that may still be stepped over under a limit on their rate, and when that was worked out.
    allowed: i64,
    allowed_at_ms: u64,
    /// Since when the log gives nothing, and why it does not.
    trouble: Option<(u64, String)>,
    /// Runs of tables that no commit has yet: the timestamp of their last record, and how many there are.
    uncommitted: Vec<(i64, u64)>,
}

/// Who reads a partition: tasks, and which of their inputs; more than one where tables share a topic.
pub(super) type Readers = Vec<(TaskId, usize)>;

#[derive(Debug, Default)]
struct Queue {
    readers: Readers,
    runs: VecDeque<Records>,
    bytes: usize,
    paused: bool,
    /// Since when the partition has been caught up with its end, monotonic milliseconds.
    quiet_since_ms: Option<u64>,
}

impl Intake {
    /// Forgets partitions that are no longer read, and what was read of them.
    pub(super) fn keep_only(&mut self, mut readers: BTreeMap<TopicPartition, Readers>) {
        self.queues.retain(|place, _| readers.contains_key(place));
        while let Some((place, readers)) = readers.pop_first() {
            self.queues.entry(place).or_default().readers = readers;
        }
    }

    pub(super) fn is_empty(&self, place: &TopicPartition) -> bool {
        self.queues.get(place).is_none_or(|queue| queue.runs.is_empty())
    }

    /// Partitions of which something waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &TopicPartition> {
        self.queues.iter().filter(|(_, queue)| !queue.runs.is_empty()).map(|(place, _)| place)
    }

    /// The run of a partition that is next, and who reads it.
    pub(super) fn next_run(&self, place: &TopicPartition) -> Option<(&Records, &Readers)> {
        let queue = self.queues.get(place)?;
        Some((queue.runs.front()?, &queue.readers))
    }

    /// Whether nothing waits.
    pub(super) fn is_drained(&self) -> bool {
        self.queues.values().all(|queue| queue.runs.is_empty())
    }

    /// Why nothing comes, once that has lasted: a leader that moves is nobody's concern.
    pub(super) fn trouble(&self, now_ms: u64) -> Option<String> {
        let (since, why) = self.trouble.as_ref()?;
        (now_ms.saturating_sub(*since) > TROUBLE_AFTER_MS).then(|| format!("reading: {why}"))
    }

    /// Notes records of a table that are stepped over.
    fn stepped(&mut self, records: &Records) {
        let Some(last) = records.len().checked_sub(1) else { return };
        let (timestamp, count) = (records.get(last).timestamp_ms, records.len() as u64);
        let is_full = self.uncommitted.len() == UNCOMMITTED_MAX;
        match self.uncommitted.last_mut() {
            Some(other) if is_full => other.1 += count,
            _ => self.uncommitted.push((timestamp, count)),
        }
    }

    /// What was stepped over has been committed: says how old it was.
    pub(super) fn committed(&mut self, latency_seconds: &mut Histogram, now_ms: i64) {
        for (timestamp, count) in self.uncommitted.drain(..) {
            latency_seconds.observe(now_ms.saturating_sub(timestamp).max(0) as f64 / 1_000.0, count);
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.queues.values().map(|queue| queue.bytes).sum()
    }
}

impl Worker {
    /// Reads from the log into the queues. Says whether something came.
    pub(super) fn read(&mut self, wait: Duration) -> Result<bool, JobError> {
        let wait = match self.intake.is_drained() {
            true => wait,
            // What waits for a schema is looked at again soon.
            false if self.intake.waiting().all(|place| self.lookups.holds(place)) => wait.min(HELD),
            false => Duration::ZERO,
        };
        let mut runs = Vec::new();
        match self.reader.poll(wait, &mut runs) {
            Ok(()) => self.intake.trouble = None,
            Err(error) if error.is_retriable() => {
                let now = self.cx.clock.monotonic_ms();
                self.intake.trouble.get_or_insert((now, String::new())).1 = error.to_string();
            }
            Err(error) => return Err(self.error_of_read(error)),
        }
        let busy = !runs.is_empty();
        let queue_bytes_max = self.queue_bytes_max();
        for run in runs {
            let Some(queue) = self.intake.queues.get_mut(&run.place) else { continue };
            queue.bytes += run.records.data_bytes();
            queue.quiet_since_ms = None;
            queue.runs.push_back(run.records);
            if queue.bytes > queue_bytes_max && !queue.paused {
                queue.paused = true;
                self.reader.pause(&run.place, true)?;
            }
        }
        Ok(busy)
    }

    /// What may wait of one partition. All of them together have the room of some: where there are many, each has less.
    fn queue_bytes_max(&self) -> usize {
        let most = self.cx.settings.queue_bytes_max;
        let share = most.saturating_mul(FULL_QUEUES) / self.intake.queues.len().max(1);
        share.clamp(QUEUE_BYTES_MIN.min(most), most)
    }

    /// Whether everything that the reader knows to be there has been stepped over, but for a little: less than a
    /// quarter of what came since the last commit. Where records come all the time some are always on their way.
    pub(super) fn is_caught_up(&self) -> bool {
        let left =
            |place| self.reader.status(place).map_or(0, |status| status.end.saturating_sub(status.position));
        let since_commit = self.counts.records_in - self.records_at_commit;
        self.intake.is_drained() && self.intake.queues.keys().map(left).sum::<u64>() <= since_commit / 4
    }

    /// Steps tasks over what waits: of each task's inputs the one whose event time is furthest behind, so that a join
    /// does not have to keep what the other side is not ready for. Says whether something was stepped.
    pub(super) fn step_tasks(&mut self) -> bool {
        let is_ready =
            |(place, queue): &(&TopicPartition, &Queue)| !queue.runs.is_empty() && !self.lookups.holds(place);
        let queues = self.intake.queues.iter().filter(is_ready);
        let mut waiting: BinaryHeap<Reverse<(EventTime, TopicPartition)>> = queues
            .filter_map(|(place, queue)| Some(Reverse((self.watermark_of(queue)?, place.clone()))))
            .collect();
        for stepped in 0..STEPS_PER_TURN {
            if self.outbox_is_full() || self.is_throttled() {
                return stepped > 0;
            }
            let Some(Reverse((_, place))) = waiting.pop() else { return stepped > 0 };
            if self.is_held_for_lookup(&place) {
                continue;
            }
            self.step_run(&place);
            let queue = self.intake.queues.get(&place).filter(|queue| !queue.runs.is_empty());
            waiting.extend(queue.and_then(|queue| Some(Reverse((self.watermark_of(queue)?, place.clone())))));
        }
        true
    }

    /// The watermark of a partition as its readers have it, the least; `None` while nobody does.
    fn watermark_of(&self, queue: &Queue) -> Option<EventTime> {
        let watermark = |(task, input): &(TaskId, usize)| match self.held.get(task) {
            Some(Held::Running(task)) => Some(task.inputs()[*input].clock().watermark),
            _ => None,
        };
        queue.readers.iter().filter_map(watermark).min()
    }

    /// Whether a limit on the rate says to wait.
    fn is_throttled(&mut self) -> bool {
        let Some(rate) = self.cx.settings.records_per_second else { return false };
        let now = self.cx.clock.monotonic_ms();
        let earned = (now - self.intake.allowed_at_ms).saturating_mul(rate) / 1_000;
        if earned > 0 {
            // What was not used is lost, but for a tenth of a second: no bursts.
            self.intake.allowed = (self.intake.allowed + earned as i64).min(rate as i64 / 10 + 1);
            self.intake.allowed_at_ms = now;
        }
        self.intake.allowed <= 0
    }

    fn step_run(&mut self, place: &TopicPartition) {
        let queue_bytes_max = self.queue_bytes_max();
        let Some(queue) = self.intake.queues.get_mut(place) else { return };
        let Some(mut records) = queue.runs.pop_front() else { return };
        let readers = queue.readers.clone();
        let allowed = usize::try_from(self.intake.allowed).unwrap_or(0).max(1);
        queue.bytes = queue.bytes.saturating_sub(records.data_bytes());
        if self.cx.settings.records_per_second.is_some() && records.len() > allowed {
            let rest = records.split_off(allowed);
            queue.bytes += rest.data_bytes();
            queue.runs.push_front(rest);
        }
        if queue.paused && queue.bytes <= queue_bytes_max / 2 {
            queue.paused = false;
            // A client that can't resume reports it at its next poll.
            let _ = self.reader.pause(place, false);
        }
        self.counts.records_in += records.len() as u64;
        self.intake.allowed -= records.len() as i64;
        self.counts.bytes_in += records.data_bytes() as u64;
        if !self.cx.plan.is_internal(&place.topic) {
            self.intake.stepped(&records);
        }
        let now = self.cx.clock.wall_ms();
        // Of a task that has several inputs here one step is all of them.
        let tasks: BTreeSet<TaskId> = readers.into_iter().map(|(task, _)| task).collect();
        for id in tasks {
            let Some(Held::Running(task)) = self.held.get_mut(&id) else { continue };
            if let Err(error) = task.step(StepInput::Run { place, records: records.clone() }, now) {
                self.fail(id, error.into());
            }
        }
    }

    /// Whether an input is not to be read.
    pub(super) fn is_held(&self, input: &Input) -> bool {
        self.cx.settings.hold_tables && input.table().is_some()
    }

    pub(super) fn outbox_is_full(&self) -> bool {
        let bytes: usize = self.held.values().map(Held::outbox_bytes).sum();
        bytes > self.cx.settings.outbox_bytes_max
    }

    /// Looks at idleness and the end of bounded input, when it is time to. Says whether a task was stepped.
    pub(super) fn tick_if_due(&mut self) -> bool {
        let now = self.cx.clock.monotonic_ms();
        if now < self.last_tick_ms + self.cx.settings.tick_interval_ms {
            return false;
        }
        self.last_tick_ms = now;
        let ids: Vec<TaskId> = self.held.keys().copied().collect();
        let clock_every_ms = self.clock_every_ms();
        let mut stepped = false;
        for id in ids {
            let (idle, ended) = self.idle_and_ended(id, now);
            let Some(Held::Running(task)) = self.held.get_mut(&id) else { continue };
            let now = self.cx.clock.wall_ms();
            let is_behind = task.behind_clock(now).is_some_and(|behind| behind.ms >= clock_every_ms);
            if idle.is_empty() && ended.is_empty() && !is_behind {
                continue;
            }
            stepped = true;
            if let Err(error) = task.step(StepInput::Tick { idle, ended }, now) {
                self.fail(id, error.into());
            }
        }
        stepped
    }

    /// How often tasks that go by the clock are told of it: often while rows come to any of them, since a task holds back
    /// those behind it; the longer none has come the less, so that quiet ones write next to nothing.
    fn clock_every_ms(&self) -> i64 {
        let now = self.cx.clock.wall_ms();
        let behind = |held: &Held| match held {
            Held::Running(task) => task.behind_clock(now),
            _ => None,
        };
        let quiet_ms = self.held.values().filter_map(behind).map(|behind| behind.quiet_ms).min();
        (quiet_ms.unwrap_or(0) / CLOCK_SHARE).clamp(CLOCK_EVERY_MS, CLOCK_AT_LEAST_EVERY_MS)
    }

    /// Inputs of a task that have become idle, and those that have ended.
    fn idle_and_ended(&mut self, id: TaskId, now: u64) -> (Vec<TopicPartition>, Vec<TopicPartition>) {
        let (mut idle, mut ended) = (Vec::new(), Vec::new());
        let Some(Held::Running(task)) = self.held.get(&id) else { return (idle, ended) };
        for (input, (place, position)) in task.inputs().iter().zip(task.positions()) {
            let Some(queue) = self.intake.queues.get_mut(place) else { continue };
            let status = self.reader.status(place);
            if let Some(end) = position.end
                && !position.ended
                && queue.runs.is_empty()
                && position.next.max(status.map_or(0, |status| status.position)) >= end
            {
                ended.push(place.clone());
                continue;
            }
            let caught_up =
                queue.runs.is_empty() && status.is_some_and(|status| status.position >= status.end);
            if !caught_up {
                queue.quiet_since_ms = None;
                continue;
            }
            let since = *queue.quiet_since_ms.get_or_insert(now);
            // Idleness means nothing where no event time passes: such a tick would change nothing.
            // One that goes by the clock holds nothing back.
            let table = input.table().filter(|table| table.event_time.is_some_and(|time| !time.by_clock));
            let Some(table) = table else { continue };
            if !input.clock().idle && now.saturating_sub(since) as i64 >= table.idle_timeout_ms {
                idle.push(place.clone());
            }
        }
        (idle, ended)
    }

    /// Whether every input that is read at all has been read to its end as the log has it now, and everything is committed. Asks the log,
    /// so do not call it all the time.
    ///
    /// # Errors
    /// [`JobError::Log`].
    pub fn is_drained(&mut self) -> Result<bool, JobError> {
        let is_settled = self.is_running() && self.new_control.is_none();
        if !is_settled || self.held.is_empty() || !self.intake.is_drained() {
            return Ok(false);
        }
        let mut unread = Vec::new();
        for held in self.held.values() {
            let Held::Running(task) = held else { return Ok(false) };
            if task.is_dirty() {
                return Ok(false);
            }
            for (input, (place, position)) in task.inputs().iter().zip(task.positions()) {
                if !position.ended && !self.is_held(input) {
                    // Bounded input that has been read ends in a turn to come, and closes windows.
                    if position.end.is_some_and(|end| position.next >= end) {
                        return Ok(false);
                    }
                    let status = self.reader.status(place).map_or(0, |status| status.position);
                    // What a task upstream has committed is on its way here before its marker is written; what others
                    // have open in a table's topic is not there yet.
                    let isolation = match input.table() {
                        Some(_) => Isolation::ReadCommitted,
                        None => Isolation::ReadUncommitted,
                    };
                    unread.push((place.clone(), status.max(position.next), isolation));
                }
            }
        }
        for (place, position, isolation) in unread {
            match self.admin.offsets(&[place], OffsetQuery::Latest, isolation) {
                Ok(ends) if position >= ends[0] => {}
                Ok(_) => return Ok(false),
                Err(error) if error.is_retriable() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

impl Turn {
    /// The busier of two.
    #[must_use]
    pub fn or(self, other: Turn) -> Turn {
        if self == Turn::Busy { self } else { other }
    }
}
