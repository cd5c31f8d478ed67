//! The inputs of a task: partitions of tables and of repartition topics, with their event time.
//!
//! An [`Input`] turns a run of records into a batch with its bounds, and keeps what has to survive in the journal: an
//! [`InputProgress`] with the clocks and, for a repartition topic, the last block of every upstream task.

use crate::batch::{Batch, END_OF_TIME, EventTime, NO_WATERMARK, StreamKind};
use crate::clock::{InputClock, combine, limit, observe};
use crate::cut::{CutInput, InputFrom, Repartition, SubTopology, Work};
use crate::dead_letter::DeadLetters;
use crate::error::OperatorError;
use crate::exchange::{ExchangeSpec, decode_block, peek_header};
use crate::operator::Counters;
use crate::origin::{Origins, Run};
use crate::outbox::Outbox;
use crate::records::{Record, Records, TopicPartition};
use crate::source::{BadRecord, DeadLetterSpec, DecodeCx, Decoder, SourceSpec};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One input partition of a task.
pub struct Input {
    place: TopicPartition,
    node: usize,
    work: InputWork,
}

enum InputWork {
    Table {
        spec: Arc<SourceSpec>,
        decoder: Box<dyn Decoder>,
        clock: InputClock,
        letters: Option<Arc<DeadLetters>>,
    },
    Repartition {
        spec: Arc<ExchangeSpec>,
        from_part: u32,
        upstream: Vec<Upstream>,
        /// Of all upstream tasks together.
        clock: InputClock,
    },
}

impl InputWork {
    fn of_table(
        source: &Arc<SourceSpec>,
        sink_partitions: &dyn Fn(&str) -> u32,
    ) -> Result<Self, OperatorError> {
        let letters = source.dead_letters.as_ref().map(|DeadLetterSpec { topic, .. }| {
            let partitions = sink_partitions(topic);
            Arc::new(DeadLetters { topic: topic.as_str().into(), partitions })
        });
        Ok(InputWork::Table {
            spec: Arc::clone(source),
            decoder: source.decoder.build()?,
            clock: InputClock::new(source.event_time.is_some()),
            letters,
        })
    }
}

/// What a reader knows of one task that writes into its repartition topic.
#[derive(Debug, Clone, Copy)]
struct Upstream {
    clock: InputClock,
    /// Commit and sequence of its last block.
    last: Option<(u64, u32)>,
}

/// What has to survive of an input beside its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputProgress {
    /// Watermark, idleness and last block `(commit, sequence)`: one entry for a table, one per upstream task for a
    /// repartition topic. Behind them as many again whose watermark is the time of the last row, in entries of versions
    /// that know it.
    pub clocks: Vec<(EventTime, bool, Option<(u64, u32)>)>,
}

impl Input {
    /// The inputs of task `partition` of a part. `topic_of` names repartition topics, `sink_partitions` gives the
    /// partition count of a topic that the job writes to.
    ///
    /// # Errors
    /// What building a decoder reports.
    pub fn of_task(
        part: &SubTopology,
        partition: u32,
        repartitions: &[Repartition],
        topic_of: &dyn Fn(usize) -> Arc<str>,
        sink_partitions: &dyn Fn(&str) -> u32,
    ) -> Result<Vec<Input>, OperatorError> {
        let mut inputs = Vec::new();
        for CutInput { node, from } in &part.inputs {
            let (topic, work): (Arc<str>, InputWork) = match from {
                InputFrom::Table { source, topic, partitions } => {
                    let topic: Arc<str> = topic.as_str().into();
                    let own = (partition..*partitions).step_by(part.tasks.max(1) as usize);
                    for partition in own {
                        let place = TopicPartition { topic: Arc::clone(&topic), partition };
                        let work = InputWork::of_table(source, sink_partitions)?;
                        inputs.push(Input { place, node: *node, work });
                    }
                    continue;
                }
                InputFrom::Repartition(index) => {
                    let Work::Receive(spec) = &part.nodes[*node].work else { continue };
                    let Repartition { from_part, from_tasks, .. } = repartitions[*index];
                    let upstream = Upstream { clock: InputClock::new(true), last: None };
                    let upstream = vec![upstream; from_tasks as usize];
                    let (spec, clock) = (Arc::clone(spec), clock_of_all(&upstream));
                    (topic_of(*index), InputWork::Repartition { spec, from_part, upstream, clock })
                }
            };
            inputs.push(Input { place: TopicPartition { topic, partition }, node: *node, work });
        }
        Ok(inputs)
    }

    /// The partition it reads.
    pub fn place(&self) -> &TopicPartition {
        &self.place
    }

    /// The node of the graph at which its rows enter.
    pub fn node(&self) -> usize {
        self.node
    }

    /// The table it belongs to; `None` for a repartition topic.
    pub fn table(&self) -> Option<&Arc<SourceSpec>> {
        match &self.work {
            InputWork::Table { spec, .. } => Some(spec),
            InputWork::Repartition { .. } => None,
        }
    }

    /// Its clock: for a repartition topic the least of its upstream tasks.
    pub fn clock(&self) -> InputClock {
        match &self.work {
            InputWork::Table { clock, .. } | InputWork::Repartition { clock, .. } => *clock,
        }
    }

    /// Says that the partition is caught up and quiet, or no longer. A repartition topic is idle when its upstream
    /// tasks say so, never by itself.
    pub fn set_idle(&mut self, idle: bool) {
        if let InputWork::Table { clock, .. } = &mut self.work {
            clock.idle = idle;
        }
    }

    /// The clock reads `now_ms`: whose times are clock readings has all rows up to the one before. Says whether it is such
    /// an input, and has not ended.
    pub fn reach(&mut self, now_ms: i64) -> bool {
        match &mut self.work {
            InputWork::Table { spec, clock, .. } if goes_by_clock(spec) => clock.reach(now_ms),
            InputWork::Repartition { spec, upstream, clock, .. } if spec.by_clock => {
                let any = upstream.iter_mut().fold(false, |any, task| task.clock.reach(now_ms) | any);
                *clock = clock_of_all(upstream);
                any
            }
            InputWork::Table { .. } | InputWork::Repartition { .. } => false,
        }
    }

    /// Of an input that goes by the clock and has not ended: how far it is behind the clock, and how long it has been quiet.
    pub fn behind_clock(&self, now_ms: i64) -> Option<BehindClock> {
        let (by_clock, clock) = match &self.work {
            InputWork::Table { spec, clock, .. } => (goes_by_clock(spec), clock),
            InputWork::Repartition { spec, clock, .. } => (spec.by_clock, clock),
        };
        let ms = now_ms.saturating_sub(1).saturating_sub(clock.watermark);
        let quiet_ms = if clock.last == NO_WATERMARK { 0 } else { now_ms.saturating_sub(clock.last) };
        (by_clock && clock.watermark != END_OF_TIME).then_some(BehindClock { ms, quiet_ms })
    }

    /// Says that bounded input has been read to its end.
    pub fn end(&mut self) {
        if let InputWork::Table { clock, .. } = &mut self.work {
            clock.watermark = END_OF_TIME;
        }
    }

    /// What has to survive.
    pub fn progress(&self) -> InputProgress {
        let mut clocks: Vec<_> = match &self.work {
            InputWork::Table { clock, .. } => vec![(clock.watermark, clock.idle, None)],
            InputWork::Repartition { upstream, .. } => {
                upstream.iter().map(|task| (task.clock.watermark, task.clock.idle, task.last)).collect()
            }
        };
        match &self.work {
            InputWork::Table { clock, .. } => clocks.push((clock.last, false, None)),
            InputWork::Repartition { upstream, .. } => {
                clocks.extend(upstream.iter().map(|task| (task.clock.last, false, None)));
            }
        }
        InputProgress { clocks }
    }

    /// Goes on from what survived. `false` when it does not fit this input.
    #[must_use]
    pub fn resume(&mut self, progress: &InputProgress) -> bool {
        let count = match &self.work {
            InputWork::Table { .. } => 1,
            InputWork::Repartition { upstream, .. } => upstream.len(),
        };
        let (clocks, lasts) = match progress.clocks.len() {
            found if found == count => (progress.clocks.as_slice(), &[][..]),
            found if found == 2 * count => progress.clocks.split_at(count),
            _ => return false,
        };
        if lasts.iter().any(|(_, idle, block)| *idle || block.is_some()) {
            return false;
        }
        let last = |index: usize| lasts.get(index).map_or(NO_WATERMARK, |(last, _, _)| *last);
        let clock = |index: usize| {
            let (watermark, idle, _) = clocks[index];
            InputClock { watermark, idle, last: last(index) }
        };
        match &mut self.work {
            InputWork::Table { clock: own, .. } => {
                *own = clock(0);
                clocks[0].2.is_none()
            }
            InputWork::Repartition { upstream, clock: of_all, .. } => {
                for (index, task) in upstream.iter_mut().enumerate() {
                    *task = Upstream { clock: clock(index), last: clocks[index].2 };
                }
                *of_all = clock_of_all(upstream);
                true
            }
        }
    }

    /// Decodes a run. `others` is how far the task's other inputs let the watermark rise, `task` is the task's
    /// watermark; dead letters go to `outbox`.
    ///
    /// # Errors
    /// [`OperatorError::BadRecord`] by the table's policy; [`OperatorError::Internal`] when a repartition topic does
    /// not hold what its writers must have written.
    pub fn decode(
        &mut self,
        records: &Arc<Records>,
        others: EventTime,
        task: EventTime,
        now_ms: i64,
        counters: &mut Counters,
        outbox: &mut Outbox,
    ) -> Result<Vec<Batch>, OperatorError> {
        match &mut self.work {
            InputWork::Table { spec, decoder, clock, letters } => {
                let decoded = decoder.decode(&self.place, records, &DecodeCx { now_ms })?;
                counters.skipped += decoded.skipped;
                let run = Run {
                    place: self.place.clone(),
                    records: Arc::clone(records),
                    bad: spec.bad_records,
                    letters: letters.clone(),
                    late_letters: spec.dead_letters.as_ref().is_some_and(|letters| letters.late),
                };
                for BadRecord { index, field, detail } in decoded.bad {
                    run.on_bad(&records.get(index), (field, detail), now_ms, counters, outbox)?;
                }
                clock.idle = false;
                let mut batch = Batch::new(decoded.rows, decoded.times, decoded.ops);
                if let Some(event_time) = &spec.event_time {
                    if event_time.by_clock {
                        batch.times = vec![now_ms; batch.len()].into();
                    }
                    let always = spec.kind == StreamKind::Upsert || event_time.every_row;
                    let seen =
                        observe(&batch.times, event_time, clock.watermark, others, task, now_ms, always);
                    clock.watermark = seen.watermark.max(decoded.watermark.unwrap_or(NO_WATERMARK));
                    clock.last = batch.times.iter().copied().fold(clock.last, EventTime::max);
                    counters.far_future += seen.far_future;
                    batch.behind = seen.behind;
                }
                batch.origins = Some(Origins::Run { run: Arc::new(run), records: decoded.records.into() });
                Ok(if batch.is_empty() { Vec::new() } else { vec![batch] })
            }
            InputWork::Repartition { spec, from_part, upstream, clock } => {
                let mut batches = Vec::new();
                for record in records.iter() {
                    let receive = receive(record, spec, *from_part, upstream, [others, task, now_ms]);
                    batches.extend(receive.map_err(|detail| OperatorError::Internal {
                        place: self.place.clone(),
                        offset: record.offset,
                        detail,
                    })?);
                }
                *clock = clock_of_all(upstream);
                Ok(batches)
            }
        }
    }
}

/// Where an input stands that goes by the clock, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BehindClock {
    /// How far its watermark is behind the clock.
    pub ms: i64,
    /// How long ago its last row came.
    pub quiet_ms: i64,
}

/// Whether the times of a table's rows are clock readings.
fn goes_by_clock(spec: &SourceSpec) -> bool {
    spec.event_time.is_some_and(|time| time.by_clock)
}

/// The clock of a repartition topic: the least of its upstream tasks.
fn clock_of_all(upstream: &[Upstream]) -> InputClock {
    let clocks: Vec<InputClock> = upstream.iter().map(|upstream| upstream.clock).collect();
    let idle = clocks.iter().all(|clock| clock.idle || clock.watermark == END_OF_TIME);
    let last = clocks.iter().map(|clock| clock.last).max().unwrap_or(NO_WATERMARK);
    InputClock { watermark: combine(&clocks), idle, last }
}

/// Takes in one block: checks that it is the next of its writer, and raises the writer's clock.
fn receive(
    record: Record<'_>,
    spec: &ExchangeSpec,
    from_part: u32,
    upstream: &mut [Upstream],
    [others, task, now_ms]: [EventTime; 3],
) -> Result<Option<Batch>, String> {
    let bytes = record.value.ok_or("a record without a value")?;
    let header = peek_header(bytes)?;
    let (part, writer) = header.upstream;
    let count = upstream.len();
    let known = upstream
        .get_mut(writer as usize)
        .filter(|_| part == from_part)
        .ok_or_else(|| format!("written by task {part}-{writer}, expected one of {from_part}-0..{count}"))?;
    let place = (header.commit, header.sequence);
    if known.last.is_some_and(|last| place <= last) {
        let last = known.last;
        return Err(format!(
            "task {part}-{writer} wrote block {place:?} after {last:?}: something is there twice"
        ));
    }
    if header.watermark < known.clock.watermark && !spec.by_clock {
        return Err(format!("the watermark of task {part}-{writer} went back"));
    }
    known.last = Some(place);
    let rows = decode_block(&header, bytes, &*spec.codec)?;
    if spec.by_clock {
        let batch = rows.map(|rows| at_clock(rows.batch, &mut known.clock, [others, task, now_ms]));
        if header.watermark == END_OF_TIME {
            known.clock.watermark = END_OF_TIME;
        }
        return Ok(batch);
    }
    let newest = rows.as_ref().and_then(|rows| rows.batch.times.iter().copied().max());
    let last = known.clock.last.max(newest.unwrap_or(NO_WATERMARK));
    known.clock = InputClock { watermark: header.watermark, idle: header.idle, last };
    let Some(mut batch) = rows.map(|rows| rows.batch) else { return Ok(None) };
    if let Some(behind) = &batch.behind {
        let beside = upstream.iter().enumerate().filter(|(other, _)| *other != writer as usize);
        let others = others.min(limit(beside.map(|(_, other)| other.clock)));
        // The writer's bounds as this task sees them: it may know less, through its other inputs, and may not know more.
        let bound = |bound: EventTime| bound.min(others).max(task);
        batch.behind = Some(behind.iter().copied().map(bound).collect::<Vec<_>>().into());
    }
    Ok(Some(batch))
}

/// Rows whose time is when they arrive. The clock has passed no task's watermark yet: none of them is late.
fn at_clock(batch: Batch, clock: &mut InputClock, [others, task, now_ms]: [EventTime; 3]) -> Batch {
    clock.reach(now_ms);
    clock.last = clock.last.max(now_ms);
    let rows = batch.len();
    // One that is just ahead of the watermark touches a session that has just closed.
    let before = now_ms.saturating_sub(1).min(others).max(task);
    Batch { times: vec![now_ms; rows].into(), behind: Some(vec![before; rows].into()), ..batch }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("place", &self.place)
            .field("clock", &self.clock())
            .finish_non_exhaustive()
    }
}

/// How far the watermark may rise as far as all inputs but the one at `index` are concerned.
pub fn watermark_of_others(inputs: &[Input], index: usize) -> EventTime {
    limit(inputs.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, input)| input.clock()))
}

/// The watermark of a task over all its inputs.
pub fn watermark_of_all(inputs: &[Input]) -> EventTime {
    let clocks: Vec<InputClock> = inputs.iter().map(Input::clock).collect();
    combine(&clocks)
}

/// Whether no input of a task is expected to deliver: each idle or ended, at least one of them idle.
pub fn all_idle(inputs: &[Input]) -> bool {
    let clocks = || inputs.iter().map(Input::clock).filter(|clock| clock.watermark != END_OF_TIME);
    clocks().all(|clock| clock.idle) && clocks().count() > 0
}
