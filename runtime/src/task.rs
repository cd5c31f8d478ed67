//! The task: a sans-I/O state machine over one partition of one sub-topology.
//!
//! A [`Task`] takes steps, and between any two of them it can be committed: [`Task::prepare_commit`] flushes the
//! operators and seals everything the commit has to send, [`Task::committed`] says that it is part of history. It never
//! sees a client, a socket, a thread or a clock: records and time come in through [`StepInput`], what goes out lies in
//! [`Prepared`].
//!
//! The rule it keeps: its memory stands at the last commit plus the steps since, and nothing of those steps reaches
//! its state before the commit that holds them succeeded.

use crate::journal::{ChainEnd, Entry, InputMark, Step, WriterId, encode_entry};
use crate::plan::{JobPlan, TaskId};
use crate::snapshot::{CheckpointNote, SnapshotRef, Track};
use millstream_operators::{
    BuildCx, Destinations, EventTime, Graph, Input, InputProgress, NO_WATERMARK, Offset, OperatorError,
    Outbox, Records, SealedOutbox, StepCx, TopicPartition, all_idle, watermark_of_all, watermark_of_others,
};
use millstream_state::{CheckpointMark, Delta, StateError, TaskState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a task consumes at once.
#[derive(Debug)]
pub enum StepInput<'a> {
    /// Records of one input, in order.
    Run {
        /// The partition.
        place: &'a TopicPartition,
        /// The records.
        records: Records,
    },
    /// A change in what is known of the inputs.
    Tick {
        /// Inputs that are caught up and quiet from now on.
        idle: Vec<TopicPartition>,
        /// Bounded inputs that were read to their end.
        ended: Vec<TopicPartition>,
    },
}

/// Why a task can't go on. Its memory is worthless; what was committed is not touched.
#[derive(Debug, thiserror::Error)]
#[error("task {task}: {source}")]
pub struct TaskError {
    /// The task.
    pub task: TaskId,
    /// What stopped it.
    #[source]
    pub source: OperatorError,
}

/// Where a task goes on: the end of its journal.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// The last entry; number 0 and the job's incarnation for a task that never committed.
    pub chain: ChainEnd,
    /// An offset at or before the first record of the last entry, and after the entry before it.
    pub journal_before: Offset,
    /// The offset after the last entry.
    pub journal_next: Offset,
    /// Where the inputs stand.
    pub inputs: Vec<InputMark>,
    /// The watermark.
    pub watermark: EventTime,
    /// The last clock reading.
    pub now_ms: i64,
    /// Whether its journal has no entry yet.
    pub is_new: bool,
}

impl ResumePoint {
    /// The point of a task that never committed.
    pub fn beginning(incarnation: u128, journal_start: Offset) -> Self {
        ResumePoint {
            chain: ChainEnd { number: 0, hash: incarnation },
            journal_before: journal_start,
            journal_next: journal_start,
            inputs: Vec::new(),
            watermark: NO_WATERMARK,
            now_ms: 0,
            is_new: true,
        }
    }

    /// The point of a task that was started from a savepoint and never committed: what its state says of itself.
    pub(crate) fn after_savepoint(base: ChainEnd, journal_start: Offset, note: CheckpointNote) -> Self {
        let CheckpointNote { inputs, watermark, now_ms, .. } = note;
        let beginning = Self::beginning(base.hash, journal_start);
        ResumePoint { chain: base, inputs, watermark, now_ms, ..beginning }
    }
}

/// Where an input of a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The next offset to read.
    pub next: Offset,
    /// The offset bounded input ends at.
    pub end: Option<Offset>,
    /// Whether it was read to there, by a recorded tick.
    pub ended: bool,
}

/// Everything a commit of one task sends.
#[derive(Debug)]
pub struct Prepared {
    /// Number of the commit.
    pub number: u64,
    /// Hash of its entry.
    pub hash: u128,
    /// The journal partition.
    pub journal: TopicPartition,
    /// The entry.
    pub entry: Records,
    /// Outputs.
    pub outbox: SealedOutbox,
    /// Where the inputs stand afterwards.
    pub positions: Vec<(TopicPartition, Offset)>,
    delta: Delta,
    has_run: bool,
    official: Option<SnapshotRef>,
}

impl Prepared {
    /// Net change of state.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }
}

/// One task. See the module's head.
#[derive(Debug)]
pub struct Task {
    id: TaskId,
    plan: Arc<JobPlan>,
    graph: Graph,
    inputs: Vec<Input>,
    positions: Vec<Position>,
    state: TaskState,
    chain: ChainEnd,
    journal_before: Offset,
    journal_next: Offset,
    now_ms: i64,
    steps: Vec<Step>,
    outbox: Outbox,
    prepared: Option<Prepared>,
    committed_since_checkpoint: u64,
    committed_watermark: EventTime,
    track: Track,
    /// Whether its journal has no entry yet: its positions and, for others, that it is there, are still to be committed.
    is_new: bool,
}

impl Task {
    /// A task at `resume`, over state that stands there too.
    ///
    /// `begin` gives the offset at which an input begins that has no position yet, `ends` where bounded inputs end.
    ///
    /// # Errors
    /// [`TaskError`] when an operator can't be built, or its state can't be read.
    pub fn open(
        plan: &Arc<JobPlan>,
        id: TaskId,
        mut state: TaskState,
        resume: ResumePoint,
        begin: &dyn Fn(&TopicPartition) -> Offset,
        ends: &BTreeMap<TopicPartition, Offset>,
        cx: &BuildCx,
    ) -> Result<Self, TaskError> {
        let failed = |source| TaskError { task: id, source };
        let part = plan.part(id.sub_topology);
        let destinations = Destinations {
            sink_partitions: &|topic| plan.sink_partitions(topic),
            repartition: &|index| (plan.repartition_topic(index), plan.cut().repartitions[index].partitions),
        };
        let mut graph = Graph::build(part, id.partition, &destinations, cx).map_err(failed)?;
        let topic_of = |index| plan.repartition_topic(index);
        let mut inputs = Input::of_task(part, id.partition, &plan.cut().repartitions, &topic_of, &|topic| {
            plan.sink_partitions(topic)
        })
        .map_err(failed)?;
        let mut positions = Vec::with_capacity(inputs.len());
        for input in &mut inputs {
            let end = ends.get(input.place()).copied();
            let mark = resume.inputs.iter().find(|mark| mark.place() == *input.place());
            positions.push(match mark {
                Some(mark) if input.resume(&mark.progress) => {
                    Position { next: mark.position, end, ended: mark.ended }
                }
                Some(_) => {
                    let (operator, detail) =
                        (input.place().to_string(), "not the clocks of this input".to_owned());
                    return Err(failed(OperatorError::CorruptState { operator, detail }));
                }
                None => Position { next: begin(input.place()), end, ended: false },
            });
        }
        graph.restore(resume.watermark, &mut state).map_err(failed)?;
        Ok(Task {
            id,
            plan: Arc::clone(plan),
            graph,
            inputs,
            positions,
            state,
            chain: resume.chain,
            journal_before: resume.journal_before,
            journal_next: resume.journal_next,
            now_ms: resume.now_ms,
            steps: Vec::new(),
            outbox: Outbox::default(),
            prepared: None,
            committed_since_checkpoint: 0,
            committed_watermark: resume.watermark,
            track: Track::default(),
            is_new: resume.is_new,
        })
    }

    /// Consumes one input.
    ///
    /// # Errors
    /// [`TaskError`]; the task has to be dropped.
    ///
    /// # Panics
    /// Between [`Task::prepare_commit`] and [`Task::committed`], and for a run that is not the next of its input.
    pub fn step(&mut self, input: StepInput<'_>, now_ms: i64) -> Result<(), TaskError> {
        assert!(self.prepared.is_none(), "no step while the fate of a commit is open");
        self.now_ms = self.now_ms.max(now_ms);
        let stepped = match input {
            StepInput::Run { place, records } => self.run(place, records),
            StepInput::Tick { idle, ended } => self.tick(&idle, &ended),
        };
        stepped.map_err(|source| TaskError { task: self.id, source })
    }

    fn run(&mut self, place: &TopicPartition, records: Records) -> Result<(), OperatorError> {
        // Two tables may read one topic: each has an input of its own.
        let inputs = (0..self.inputs.len()).filter(|index| self.inputs[*index].place() == place);
        for index in inputs.collect::<Vec<_>>() {
            self.run_input(index, place, records.clone())?;
        }
        self.raise_watermark()
    }

    fn run_input(
        &mut self,
        index: usize,
        place: &TopicPartition,
        mut records: Records,
    ) -> Result<(), OperatorError> {
        let position = &mut self.positions[index];
        if let Some(end) = position.end {
            let beyond = records.iter().position(|record| record.offset >= end);
            drop(beyond.map(|at| records.split_off(at)));
        }
        let (Some(first), Some(to)) = (records.first_offset(), records.next_offset()) else { return Ok(()) };
        assert!(first >= position.next, "records of {place} from {first} again, after {}", position.next);
        let from = std::mem::replace(&mut position.next, to);

        let others = watermark_of_others(&self.inputs, index);
        let input = &mut self.inputs[index];
        let node = input.node();
        let watermark = self.graph.watermark();
        let (now_ms, counters) = (self.now_ms, self.graph.counters_mut(node));
        let batches = input.decode(&records, others, watermark, now_ms, counters, &mut self.outbox)?;
        let mut cx = StepCx {
            now_ms: self.now_ms,
            commit: self.chain.number + 1,
            origin: Some(place),
            idle: all_idle(&self.inputs),
            state: &mut self.state,
            outbox: &mut self.outbox,
        };
        for batch in batches {
            self.graph.enter(node, batch, &mut cx)?;
        }
        self.steps.push(Step::Run {
            input: index as u16,
            from,
            to,
            count: records.len() as u32,
            checksum: records.checksum(),
            now_ms: self.now_ms,
        });
        Ok(())
    }

    fn tick(&mut self, idle: &[TopicPartition], ended: &[TopicPartition]) -> Result<(), OperatorError> {
        let indices = |places: &[TopicPartition]| {
            let named = self.inputs.iter().zip(0..).filter(|(input, _)| places.contains(input.place()));
            named.map(|(_, index)| index).collect::<Vec<u16>>()
        };
        let (idle, ended) = (indices(idle), indices(ended));
        if idle.is_empty() && ended.is_empty() {
            return Ok(());
        }
        for index in &idle {
            self.inputs[*index as usize].set_idle(true);
        }
        for index in &ended {
            self.inputs[*index as usize].end();
            self.positions[*index as usize].ended = true;
        }
        self.steps.push(Step::Tick { idle, ended, now_ms: self.now_ms });
        self.raise_watermark()
    }

    fn raise_watermark(&mut self) -> Result<(), OperatorError> {
        let watermark = watermark_of_all(&self.inputs);
        if watermark <= self.graph.watermark() {
            return Ok(());
        }
        let (graph, mut cx) = self.graph_and_cx();
        graph.advance(watermark, &mut cx)
    }

    fn graph_and_cx(&mut self) -> (&mut Graph, StepCx<'_>) {
        let cx = StepCx {
            now_ms: self.now_ms,
            commit: self.chain.number + 1,
            origin: None,
            idle: all_idle(&self.inputs),
            state: &mut self.state,
            outbox: &mut self.outbox,
        };
        (&mut self.graph, cx)
    }

    /// Whether there is something to commit. A task that never committed always has: its positions.
    pub fn is_dirty(&self) -> bool {
        !self.steps.is_empty() || self.is_new || self.track.offered().is_some()
    }

    /// Whether a commit should not wait: records were read or the watermark moved since the last, or all input has
    /// ended, so that a job ends with that commit.
    pub fn has_news(&self) -> bool {
        let has_ended = self.is_finished() && !self.steps.is_empty();
        self.has_run() || has_ended || self.graph.watermark() != self.committed_watermark || self.is_new
    }

    /// Whether records were read since the last commit, or are part of the sealed one.
    pub fn has_run(&self) -> bool {
        let run = |step: &Step| matches!(step, Step::Run { .. });
        self.steps.iter().any(run) || self.prepared.as_ref().is_some_and(|prepared| prepared.has_run)
    }

    /// Flushes the operators and seals the next commit. `extra` is sent along: records for topics that concern the
    /// whole job.
    ///
    /// # Errors
    /// [`TaskError`]; the task has to be dropped.
    ///
    /// # Panics
    /// When the fate of the commit before is still open.
    pub fn prepare_commit(
        &mut self,
        writer: WriterId,
        now_ms: i64,
        extra: Vec<(TopicPartition, Records)>,
    ) -> Result<&Prepared, TaskError> {
        assert!(self.prepared.is_none(), "the fate of the commit before is open");
        self.now_ms = self.now_ms.max(now_ms);
        let id = self.id;
        let failed = |source| TaskError { task: id, source };
        let (graph, mut cx) = self.graph_and_cx();
        graph.flush(&mut cx).map_err(failed)?;
        let delta = self.graph.delta().map_err(failed)?;
        let mut outbox = self.outbox.seal();
        outbox.records.extend(extra);

        let number = self.chain.number + 1;
        let entry = Entry {
            number,
            previous: self.chain.hash,
            writer,
            fingerprint: self.plan.fingerprint(),
            steps: std::mem::take(&mut self.steps),
            now_ms: self.now_ms,
            inputs: self.marks(),
            watermark: self.graph.watermark(),
            outbox_hash: outbox.hash(),
            official: self.track.offered().cloned(),
            delta,
        };
        let (records, hash) = encode_entry(&entry);
        let journal = self.journal();
        let positions = self.positions().map(|(place, position)| (place.clone(), position.next)).collect();
        let has_run = entry.steps.iter().any(|step| matches!(step, Step::Run { .. }));
        let Entry { delta, official, .. } = entry;
        let prepared =
            Prepared { number, hash, journal, entry: records, outbox, positions, delta, has_run, official };
        Ok(self.prepared.insert(prepared))
    }

    /// Where its inputs stand, as an entry records it.
    pub fn marks(&self) -> Vec<InputMark> {
        let mark = |(input, position): (&Input, &Position)| {
            let progress: InputProgress = input.progress();
            let TopicPartition { topic, partition } = input.place();
            let (topic, partition, ended) = (topic.to_string(), *partition, position.ended);
            InputMark { topic, partition, position: position.next, ended, progress }
        };
        self.inputs.iter().zip(&self.positions).map(mark).collect()
    }

    /// What was sealed and is not committed yet.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.prepared.as_ref()
    }

    /// The sealed commit is part of history; `journal_next` is the offset after its entry. Gives the outbox back for
    /// what is not in the log.
    ///
    /// # Panics
    /// When no commit was prepared.
    pub fn committed(&mut self, journal_next: Offset) -> SealedOutbox {
        let prepared = self.prepared.take().expect("committed() follows prepare_commit()");
        self.chain = ChainEnd { number: prepared.number, hash: prepared.hash };
        self.is_new = false;
        self.journal_before = self.journal_next;
        self.journal_next = journal_next;
        self.state.absorb(prepared.delta);
        self.track.committed(prepared.entry.data_bytes() as u64, prepared.official.as_ref());
        self.committed_since_checkpoint += 1;
        self.committed_watermark = self.graph.watermark();
        prepared.outbox
    }

    /// On replay: the last commit's entry was written by somebody else, whose name is part of its hash.
    pub(crate) fn correct_chain(&mut self, chain: ChainEnd) {
        self.chain = chain;
    }

    /// Writes committed state to disk, in one atomic batch.
    ///
    /// # Errors
    /// [`StateError::Storage`]; the disk then still shows the checkpoint before.
    ///
    /// # Panics
    /// When it is not right after a commit.
    pub fn checkpoint(&mut self) -> Result<(), StateError> {
        assert!(
            self.prepared.is_none() && self.steps.is_empty(),
            "a checkpoint is taken right after a commit"
        );
        self.committed_since_checkpoint = 0;
        let ChainEnd { number, hash } = self.chain;
        let mark = CheckpointMark { number, hash, journal_offset: self.journal_before };
        let note = self.note();
        self.state.checkpoint_with_note(mark, note.encode())
    }

    /// Has the checkpoint brought to the disk, so that a start after a kill has few entries to fold.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn flush_soon(&self) -> Result<(), StateError> {
        self.state.flush_soon()
    }

    /// What its checkpoint says beside the mark.
    pub(crate) fn note(&self) -> CheckpointNote {
        CheckpointNote {
            officials: self.track.officials().to_vec(),
            inputs: self.marks(),
            watermark: self.graph.watermark(),
            now_ms: self.now_ms,
            fingerprint: self.plan.fingerprint(),
        }
    }

    /// What it knows of its snapshots.
    pub(crate) fn track(&self) -> &Track {
        &self.track
    }

    /// What it knows of its snapshots, to be told more.
    pub(crate) fn track_mut(&mut self) -> &mut Track {
        &mut self.track
    }

    /// Its state.
    pub(crate) fn state(&self) -> &TaskState {
        &self.state
    }

    /// Writes the state of a commit whose fate is open, under its own mark or under that of the commit before: what
    /// must never happen. For the control run of [`crate::Rules::checkpoint_after_commit`].
    #[doc(hidden)]
    pub fn checkpoint_too_early(&mut self, own_mark: bool) -> Result<(), StateError> {
        let Some(prepared) = &self.prepared else { return Ok(()) };
        let mut bytes = Vec::new();
        prepared.delta.encode(&mut bytes);
        self.state.absorb(Delta::decode(&bytes).unwrap_or_default());
        let ChainEnd { number, hash } = match own_mark {
            true => ChainEnd { number: prepared.number, hash: prepared.hash },
            false => self.chain,
        };
        let journal_offset = if own_mark { self.journal_next } else { self.journal_before };
        self.state.checkpoint(CheckpointMark { number, hash, journal_offset })
    }

    /// Drops the operators' hot state; everything in it is committed.
    ///
    /// # Errors
    /// [`TaskError`]; the task has to be dropped.
    ///
    /// # Panics
    /// When it is not right after a commit.
    pub fn evict(&mut self) -> Result<(), TaskError> {
        assert!(self.prepared.is_none() && self.steps.is_empty(), "state is evicted right after a commit");
        let task = self.id;
        self.graph.evict(&mut self.state).map_err(|source| TaskError { task, source })
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The partition of its journal.
    pub fn journal(&self) -> TopicPartition {
        TopicPartition::new(self.plan.journal_topic(self.id.sub_topology), self.id.partition)
    }

    /// The end of its journal.
    pub fn chain(&self) -> ChainEnd {
        self.chain
    }

    /// The offset after the last entry of its journal.
    pub fn journal_next(&self) -> Offset {
        self.journal_next
    }

    /// Its inputs with their positions.
    pub fn positions(&self) -> impl Iterator<Item = (&TopicPartition, &Position)> {
        self.inputs.iter().map(Input::place).zip(&self.positions)
    }

    /// Its inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Its watermark.
    pub fn watermark(&self) -> EventTime {
        self.graph.watermark()
    }

    /// Whether nothing more will ever come: every input has ended.
    pub fn is_finished(&self) -> bool {
        self.inputs.iter().zip(&self.positions).all(|(input, position)| match input.table() {
            Some(_) => position.ended,
            None => input.clock().watermark == millstream_operators::END_OF_TIME,
        })
    }

    /// Bytes that wait to be sent.
    pub fn outbox_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    /// Bytes of committed state that no checkpoint holds.
    pub fn pending_bytes(&self) -> usize {
        self.state.pending_bytes()
    }

    /// Commits since the last checkpoint.
    pub fn committed_since_checkpoint(&self) -> u64 {
        self.committed_since_checkpoint
    }

    /// Hot state held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.graph.memory_bytes()
    }

    /// The running graph, for its counters.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Every pair of its state, for tests.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn dump_state(&mut self) -> Result<Vec<(millstream_state::StoreId, Vec<u8>, Vec<u8>)>, StateError> {
        let stores = self.plan.part(self.id.sub_topology).stores().len() as u16;
        self.state.dump(stores)
    }
}
