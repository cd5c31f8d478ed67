//! The task: a sans-I/O state machine over one partition of one sub-topology.
//!
//! A [`Task`] takes steps, and between any two of them it can be committed: [`Task::prepare_commit`] flushes the
//! operators and seals everything the commit has to send, [`Task::committed`] says that it is part of history. It never
//! sees a client, a socket, a thread or a clock: records and time come in through [`StepInput`], what goes out lies in
//! [`Prepared`].
//!
//! The rule it keeps: its memory stands at the last commit plus the steps since, and nothing of those steps reaches
//! its state before the commit that holds them succeeded.

mod commit;
mod resume;

pub use commit::Prepared;
pub use resume::{Position, ResumePoint};

use crate::journal::{ChainEnd, InputMark, Step};
use crate::plan::{JobPlan, TaskId};
use crate::snapshot::Track;
use millstream_operators::{
    BehindClock, BuildCx, Counters, Destinations, EventTime, Graph, Input, InputProgress, Offset,
    OperatorError, Outbox, Records, StepCx, TopicPartition, all_idle, watermark_of_all, watermark_of_others,
};
use millstream_state::{StateError, TaskState};
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
    /// A change in what is known of the inputs, or of the clock alone.
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
    /// Records read of topics of tables, and what the operators have counted: up to now, and as far as it has been told.
    read: (u64, u64),
    told: Counters,
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
            read: (0, 0),
            told: Counters::default(),
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
        self.read.0 += if input.table().is_some() { records.len() as u64 } else { 0 };
        let node = input.node();
        let watermark = self.graph.watermark();
        let (now_ms, counters) = (self.now_ms, self.graph.counters_mut(node));
        let records = Arc::new(records);
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
        if idle.is_empty() && ended.is_empty() && !self.reach_clock() {
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

    /// Inputs that go by the clock are where it is. Whether there are any.
    fn reach_clock(&mut self) -> bool {
        let now_ms = self.now_ms;
        self.inputs.iter_mut().fold(false, |any, input| input.reach(now_ms) | any)
    }

    fn raise_watermark(&mut self) -> Result<(), OperatorError> {
        self.reach_clock();
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

    /// How far it is behind the clock, and how long it has been quiet, if inputs of it go by the clock.
    pub fn behind_clock(&self, now_ms: i64) -> Option<BehindClock> {
        let inputs = self.inputs.iter().filter_map(|input| input.behind_clock(now_ms));
        inputs.reduce(|one, other| BehindClock {
            ms: one.ms.max(other.ms),
            quiet_ms: one.quiet_ms.min(other.quiet_ms),
        })
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
        let stores = self.plan.part(self.id.sub_topology).stores();
        let count = stores.iter().map(|(id, _, _)| id + 1).max().unwrap_or(0);
        self.state.dump(count)
    }
}
