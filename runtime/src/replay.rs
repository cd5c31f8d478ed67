//! Running a task's recorded steps again, and holding the result against its journal.
//!
//! An entry of the journal says what a commit consumed, at what clock readings, and what came out: the hash of the
//! outbox, the delta, the positions. [`replay_task`] reads the same input again and does the same steps on a fresh
//! task; whatever differs is a [`ReplayError`] with the commit's number. It can drop hot state after every commit,
//! throw the task away and restore it at chosen commits, and seed hash tables differently: none of that may show.

use crate::error::JobError;
use crate::journal::{Assembler, ChainEnd, Entry, Step};
use crate::log::{Isolation, Log, ReaderOptions, Records, TopicPartition};
use crate::plan::{JobPlan, TaskId};
use crate::states::{MemoryStates, StateStore};
use crate::task::{ResumePoint, StepInput, Task};
use millstream_operators::{BuildCx, CutNode, Offset, SubTopology, Work};
use millstream_state::{Delta, StateIdentity};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::sync::Arc;
use std::time::Duration;

/// How a replay treats the task.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplayOptions {
    /// Drops hot state after every commit.
    pub evict: bool,
    /// After every so many commits the task is thrown away and restored; 0 never.
    pub crash_every: u64,
    /// What operators are built with.
    pub build: BuildCx,
}

/// Why a replay is not what happened.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Something came out differently.
    #[error("task {task}, commit {commit}: {what} differs on replay: {detail}")]
    Differs {
        /// The task.
        task: TaskId,
        /// Number of the commit.
        commit: u64,
        /// What differs.
        what: &'static str,
        /// How.
        detail: String,
    },
    /// The replay could not be done.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Replays every commit of a task; gives their number. The input topics have to hold what was read.
///
/// # Errors
/// [`ReplayError`].
pub fn replay_task(
    plan: &Arc<JobPlan>,
    log: &dyn Log,
    id: TaskId,
    incarnation: u128,
    options: &ReplayOptions,
) -> Result<u64, ReplayError> {
    let journal = TopicPartition::new(plan.journal_topic(id.sub_topology), id.partition);
    let entries = read_entries(log, &journal, incarnation)?;
    let input = read_inputs(log, &entries)?;
    let states = MemoryStates::default();
    let identity = StateIdentity {
        cluster: "replay".to_owned(),
        job: plan.job().to_owned(),
        incarnation: format!("{incarnation:032x}"),
        task: id.to_string(),
    };
    let open = |resume: ResumePoint| -> Result<Task, JobError> {
        let state = states.open(id, &identity)?;
        // Positions before the first entry are wherever its steps begin.
        let first = first_positions(&entries);
        let begin = |place: &TopicPartition| first.get(place).copied().unwrap_or(0);
        Ok(Task::open(plan, id, state, resume, &begin, &BTreeMap::new(), &options.build)?)
    };
    let mut resume = ResumePoint::beginning(incarnation, 0);
    let mut task = open(resume.clone())?;
    for (entry, hash) in &entries {
        replay_entry(&mut task, plan.part(id.sub_topology), entry, &input)?;
        task.committed(entry.number);
        resume.chain = ChainEnd { number: entry.number, hash: *hash };
        (resume.journal_before, resume.journal_next) = (entry.number - 1, entry.number);
        resume.is_new = false;
        (resume.inputs, resume.watermark, resume.now_ms) =
            (entry.inputs.clone(), entry.watermark, entry.now_ms);
        task.correct_chain(resume.chain);
        if options.evict {
            task.evict().map_err(JobError::from)?;
        }
        if options.crash_every > 0 && entry.number % options.crash_every == 0 {
            task.checkpoint().map_err(JobError::from)?;
            drop(task);
            task = open(resume.clone())?;
        }
    }
    Ok(entries.len() as u64)
}

fn replay_entry(
    task: &mut Task,
    part: &SubTopology,
    entry: &Entry,
    input: &BTreeMap<TopicPartition, Records>,
) -> Result<(), ReplayError> {
    let id = task.id();
    let differs =
        |what, detail: String| ReplayError::Differs { task: id, commit: entry.number, what, detail };
    let place_of = |index: &u16| entry.inputs[usize::from(*index)].place();
    let mut done: Vec<(TopicPartition, Offset)> = Vec::new();
    for step in &entry.steps {
        match step {
            Step::Run { input: index, from, to, count, checksum, now_ms } => {
                let place = place_of(index);
                // A run of a partition that two inputs share is recorded for each and stepped once.
                if done.last() == Some(&(place.clone(), *to)) {
                    continue;
                }
                let records = slice(&input[&place], *from, *to);
                if (records.len() as u32, records.checksum()) != (*count, *checksum) {
                    return Err(differs("input", format!("{place} from {from} to {to} holds other records")));
                }
                done.push((place.clone(), *to));
                task.step(StepInput::Run { place: &place, records }, *now_ms).map_err(JobError::from)?;
            }
            Step::Tick { idle, ended, now_ms } => {
                let places = |indices: &[u16]| indices.iter().map(place_of).collect();
                let (idle, ended) = (places(idle), places(ended));
                task.step(StepInput::Tick { idle, ended }, *now_ms).map_err(JobError::from)?;
            }
        }
    }
    let prepared =
        task.prepare_commit(entry.writer.clone(), entry.now_ms, Vec::new()).map_err(JobError::from)?;
    let is_other_output = prepared.outbox.hash() != entry.outbox_hash && !carries_control(id, entry);
    let encoded = |delta: &Delta| {
        let mut bytes = Vec::new();
        delta.encode(&mut bytes);
        bytes
    };
    if encoded(prepared.delta()) != encoded(&entry.delta) {
        let of = first_difference(prepared.delta(), &entry.delta)
            .and_then(|store| operator_of(part, store))
            .map_or_else(String::new, |node| format!("that of operator \"{}\": ", node.name));
        return Err(differs("state", format!("{of}{:?} instead of {:?}", prepared.delta(), entry.delta)));
    }
    // Where state differs, too, that says more of the cause.
    if is_other_output {
        return Err(differs("output", format!("{:?}", prepared.outbox)));
    }
    if task.marks() != entry.inputs {
        return Err(differs("positions", format!("{:?} instead of {:?}", task.marks(), entry.inputs)));
    }
    Ok(())
}

/// The node that keeps a store.
pub(crate) fn operator_of(part: &SubTopology, store: u16) -> Option<&CutNode> {
    let keeps = |node: &&CutNode| match &node.work {
        Work::Operator(spec) => !spec.stores().is_empty(),
        Work::Send { .. } => true,
        Work::Source(_) | Work::Receive(_) | Work::Sink(_) => false,
    };
    part.nodes
        .iter()
        .filter(keeps)
        .filter(|node| node.first_store <= store)
        .max_by_key(|node| node.first_store)
}

/// The first store in which two deltas are not the same.
fn first_difference(one: &Delta, other: &Delta) -> Option<u16> {
    let block = |delta: &Delta, index: usize| {
        let (store, block) = delta.blocks().get(index)?;
        let rows: Vec<_> = (0..block.len())
            .map(|row| block.row(row))
            .map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec)))
            .collect();
        Some((store.0, rows))
    };
    let count = one.blocks().len().max(other.blocks().len());
    let differing = (0..count).map(|index| (block(one, index), block(other, index))).find(|(a, b)| a != b)?;
    match differing {
        (Some((a, _)), Some((b, _))) => Some(a.min(b)),
        (a, b) => a.or(b).map(|(store, _)| store),
    }
}

/// The first task's first entry is sent along with the control record, which no step makes.
fn carries_control(task: TaskId, entry: &Entry) -> bool {
    task == TaskId::FIRST && entry.number == 1
}

fn slice(records: &Records, from: Offset, to: Offset) -> Records {
    let start = records.iter().position(|record| record.offset >= from).unwrap_or(records.len());
    let end = records.iter().position(|record| record.offset >= to).unwrap_or(records.len());
    let mut head = records.clone();
    drop(head.split_off(end));
    head.split_off(start)
}

/// Where each input stood before its first step.
fn first_positions(entries: &[(Entry, u128)]) -> BTreeMap<TopicPartition, Offset> {
    let mut first = BTreeMap::new();
    for (entry, _) in entries {
        for step in &entry.steps {
            if let Step::Run { input, from, .. } = step {
                first.entry(entry.inputs[usize::from(*input)].place()).or_insert(*from);
            }
        }
    }
    if let Some((entry, _)) = entries.first() {
        for mark in &entry.inputs {
            first.entry(mark.place()).or_insert(mark.position);
        }
    }
    first
}

pub(crate) fn read_entries(
    log: &dyn Log,
    journal: &TopicPartition,
    incarnation: u128,
) -> Result<Vec<(Entry, u128)>, JobError> {
    let mut assembler = Assembler::from_start(journal.clone(), incarnation);
    let mut entries = Vec::new();
    for record in read_all(log, journal)?.iter() {
        if let Some(found) = assembler.push(record)? {
            entries.push((found.entry, found.hash));
        }
    }
    Ok(entries)
}

fn read_inputs(
    log: &dyn Log,
    entries: &[(Entry, u128)],
) -> Result<BTreeMap<TopicPartition, Records>, JobError> {
    let mut input = BTreeMap::new();
    for mark in entries.iter().flat_map(|(entry, _)| &entry.inputs) {
        let place = mark.place();
        if let MapEntry::Vacant(vacant) = input.entry(place) {
            let records = read_all(log, vacant.key())?;
            vacant.insert(records);
        }
    }
    Ok(input)
}

/// Everything committed in a partition.
///
/// # Errors
/// [`JobError::Log`].
pub fn read_all(log: &dyn Log, place: &TopicPartition) -> Result<Records, JobError> {
    use crate::log::{OffsetQuery, RecordsBuilder};
    let mut admin = log.admin()?;
    let places = std::slice::from_ref(place);
    let start = admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadCommitted)?[0];
    let end = admin.offsets(places, OffsetQuery::Latest, Isolation::ReadCommitted)?[0];
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
    reader.assign(&[(place.clone(), start)])?;
    let mut all = RecordsBuilder::default();
    let mut next = start;
    while next < end {
        let mut runs = Vec::new();
        reader.poll(Duration::from_millis(100), &mut runs)?;
        for record in runs.iter().flat_map(|run| run.records.iter()).filter(|record| record.offset < end) {
            next = record.offset + 1;
            all.push_record(record);
        }
        next = next.max(reader.status(place).map_or(0, |status| status.position));
    }
    Ok(all.finish())
}
