//! The running search for a pattern.

use super::automaton::StateId;
use super::conditions::{Answers, Kind, Questions};
use super::matches::{Matches, Search};
use super::output::Output;
use super::queue::Rows;
use super::run::Run;
use super::{MatchRecognize, WAITING};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, take_columns};
use crate::expression::ExpressionCx;
use crate::keys::{OrderCodec, Slot};
use crate::kit::late::without_late;
use crate::kit::state::KeyedState;
use crate::kit::timers::Timers;
use crate::kit::waiting::{Ready, Waiting};
use crate::operator::{Cx, DeltaScope, Operator, Port, StateScope};
use crate::rows::ValueWriter;
use arrow::array::RecordBatch;
use std::sync::Arc;

pub(super) struct Running {
    pub(super) spec: MatchRecognize,
    pub(super) search: Search,
    pub(super) kinds: Vec<Kind>,
    /// By variable whose condition reads the match.
    pub(super) questions: Vec<Option<Questions>>,
    pub(super) order: OrderCodec,
    pub(super) waiting: Waiting,
    pub(super) matches: KeyedState<Matches>,
    pub(super) timers: Timers,
    /// About what has come to the matches since they were last written.
    pub(super) changed_bytes: usize,
}

/// Rows that have become due, in order.
struct Due {
    columns: RecordBatch,
    times: Vec<EventTime>,
    /// By row: the slot of its key.
    slots: Vec<Slot>,
    /// By variable: what is known of the rows alone.
    answers: Vec<Answers>,
}

impl Operator for Running {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let batch = self.without_late(batch, cx)?;
        if batch.is_empty() { Ok(()) } else { self.waiting.add(batch) }
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut output = Output::new(&self.spec)?;
        if let Some(ready) = self.waiting.take_until(watermark, &mut cx.state)? {
            let due = self.due(ready, cx)?;
            self.take_rows(&due, cx, &mut output)?;
        }
        while let Some((_, key)) = self.timers.pop(watermark, &mut cx.state)? {
            let slot = self.matches.load_one(&key, &mut cx.state)?;
            let change = self.matches.change(slot);
            let Some(matches) = change.value else { continue };
            matches.armed = None;
            let mut found =
                |run: &Run, rows: &Rows, time| output.add(run, rows, time, (None, &key), &self.search.kept);
            matches.advance(watermark, &self.search, &mut found)?;
            self.settle(slot);
        }
        if let Some(batch) = output.finish()? {
            cx.emit(batch);
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.changed_bytes = 0;
        self.matches.delta(out)?;
        self.timers.delta(out);
        self.waiting.delta(out.block(WAITING))
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.timers.restore();
        self.waiting.restore(state)
    }

    fn evict(&mut self) {
        self.waiting.evict();
        self.matches.evict();
        self.timers.evict();
    }

    fn memory_bytes(&self) -> usize {
        let stored = self.matches.memory_bytes() + self.changed_bytes;
        self.waiting.memory_bytes() + self.timers.memory_bytes() + stored
    }
}

impl Running {
    /// Leaves rows out whose time had passed when they came.
    fn without_late(&self, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let (operator, now) = (|| "MATCH_RECOGNIZE".to_owned(), Some(cx.watermark));
        without_late(batch, self.spec.late, now, cx, |time, before| time > before, operator)
    }

    /// Rows in the order of their times, then in that of further columns.
    fn due(&mut self, ready: Ready, cx: &mut Cx<'_>) -> Result<Due, OperatorError> {
        let mut slots = self.matches.load(&ready.keys, &mut cx.state)?;
        let (mut columns, times) = (ready.columns, ready.times);
        if !self.spec.order.is_empty() {
            let encoded = self.order.encode(&columns)?;
            let bytes = |row: u32| {
                let mut bytes = Vec::new();
                encoded.write(row as usize, &mut bytes);
                bytes
            };
            let mut rows: Vec<u32> = (0..times.len() as u32).collect();
            rows.sort_by_cached_key(|row| (times[*row as usize], bytes(*row)));
            columns = take_columns(&columns, &rows)?;
            slots = rows.iter().map(|row| slots[*row as usize]).collect();
        }
        let computed = ExpressionCx { now_ms: cx.now_ms };
        let answers = self.kinds.iter().map(|kind| kind.of_rows(&columns, &computed));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        Ok(Due { columns, times, slots, answers })
    }

    /// Takes rows into the matches of their keys: of each key one in a round.
    fn take_rows(&mut self, due: &Due, cx: &Cx<'_>, output: &mut Output) -> Result<(), OperatorError> {
        let stored = self.stored(&due.columns)?;
        let computed = ExpressionCx { now_ms: cx.now_ms };
        for round in rounds(&due.slots, self.matches.slot_count()) {
            for row in &round {
                self.begin_row(*row, due, &stored, output)?;
            }
            let (asked, answers) = self.ask(&round, due, &computed)?;
            let mut next = 0;
            for row in &round {
                self.take_row(*row, due, (asked.as_slice(), &mut next, answers.as_slice()), output)?;
            }
        }
        let mut slots = due.slots.clone();
        slots.sort_unstable();
        slots.dedup();
        slots.into_iter().for_each(|slot| self.settle(slot));
        Ok(())
    }

    /// What is kept of rows.
    fn stored(&self, columns: &RecordBatch) -> Result<Vec<Vec<u8>>, OperatorError> {
        let kept = &self.search.kept.columns;
        let arrays: Vec<_> = kept.iter().map(|(column, _)| Arc::clone(columns.column(*column))).collect();
        let writers = arrays.iter().map(ValueWriter::new).collect::<Result<Vec<_>, _>>()?;
        let row = |row: usize| {
            let mut bytes = vec![0; 4 * writers.len()];
            for (place, writer) in writers.iter().enumerate() {
                let offset = (bytes.len() as u32).to_le_bytes();
                bytes[4 * place..4 * place + 4].copy_from_slice(&offset);
                writer.write(row, &mut bytes);
            }
            bytes
        };
        Ok((0..columns.num_rows()).map(row).collect())
    }

    /// Lets time come to a row, and puts the row behind those of its key.
    fn begin_row(
        &mut self,
        row: usize,
        due: &Due,
        stored: &[Vec<u8>],
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let (search, slot, time) = (&self.search, due.slots[row], due.times[row]);
        let takes_too_long = |matches: &Matches| matches.due(search).is_some_and(|due| due <= time);
        if self.matches.get(slot).is_some_and(takes_too_long) {
            let key = self.matches.key(slot).to_vec();
            if let Some(matches) = self.matches.change(slot).value {
                let mut found =
                    |run: &Run, rows: &Rows, time| output.add(run, rows, time, (None, &key), &search.kept);
                matches.advance(time, search, &mut found)?;
            }
        }
        let matches = self.matches.change(slot).value.get_or_insert_with(|| Matches::new(search));
        matches.rows.push(&stored[row]);
        // With it goes about one open match.
        self.changed_bytes += stored[row].len() + size_of::<Run>();
        Ok(())
    }

    /// Asks what has to be known of the matches of these rows. By question, in the order of rows, matches and variables: its
    /// number; and by variable the answers.
    fn ask(
        &mut self,
        round: &[usize],
        due: &Due,
        cx: &ExpressionCx,
    ) -> Result<(Vec<usize>, Vec<Answers>), OperatorError> {
        let Running { questions, matches, search, .. } = self;
        let mut asked = Vec::new();
        if questions.iter().all(Option::is_none) {
            return Ok((asked, Vec::new()));
        }
        for row in round {
            let Some(matches) = matches.get(due.slots[*row]) else { continue };
            for run in matches.open.runs() {
                for variable in asked_in(search, run.state)? {
                    if let Some(questions) = &mut questions[*variable] {
                        asked.push(questions.ask(run, &matches.rows, due.times[*row], &search.kept));
                    }
                }
            }
        }
        let answers = questions.iter_mut().map(|questions| match questions {
            Some(questions) => questions.answers(cx),
            None => Ok(Answers::default()),
        });
        Ok((asked, answers.collect::<Result<_, _>>()?))
    }

    /// Takes a row into the matches of its key.
    fn take_row(
        &mut self,
        row: usize,
        due: &Due,
        (asked, next, answers): (&[usize], &mut usize, &[Answers]),
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Running { kinds, matches, search, .. } = self;
        let Some(matches) = matches.change(due.slots[row]).value else { return Ok(()) };
        // By match: where its questions begin.
        let mut begins = Vec::new();
        for run in matches.open.runs() {
            begins.push(*next);
            let of_match = |variable: &&usize| matches!(kinds[**variable], Kind::OfMatch(_));
            *next += asked_in(search, run.state)?.iter().filter(of_match).count();
        }
        let states: Vec<StateId> = matches.open.runs().iter().map(|run| run.state).collect();
        let holds = |place: usize, variable: usize| match &kinds[variable] {
            Kind::None => Ok(true),
            Kind::OfRow(_) => due.answers[variable].get(row),
            Kind::OfMatch(_) => {
                let before = asked_in(search, states[place])?.iter().take_while(|other| **other < variable);
                let before = before.filter(|other| matches!(kinds[**other], Kind::OfMatch(_))).count();
                match asked.get(begins[place] + before) {
                    Some(question) => answers[variable].get(*question),
                    None => Ok(false),
                }
            }
        };
        let mut found =
            |run: &Run, rows: &Rows, time| output.add(run, rows, time, (Some(row), &[]), &search.kept);
        matches.take_row(due.times[row], search, holds, &mut found)
    }

    /// Sets the moment at which the oldest match of a key takes too long, and forgets a key without matches.
    fn settle(&mut self, slot: Slot) {
        let key = self.matches.key(slot).to_vec();
        let change = self.matches.change(slot);
        let Some(matches) = change.value else { return };
        if matches.are_none() {
            let armed = matches.armed;
            *change.value = None;
            armed.into_iter().for_each(|armed| self.timers.remove(armed, &key));
            return;
        }
        if matches.armed.is_none()
            && let Some(due) = matches.due(&self.search)
        {
            matches.armed = Some(due);
            self.timers.set(due, &key);
        }
    }
}

/// The variables whose conditions may be asked for in a state.
fn asked_in(search: &Search, state: StateId) -> Result<&[usize], OperatorError> {
    search.automaton.asked(state).ok_or_else(|| super::corrupt("a match is in a state that there is not"))
}

/// Rows in rounds: in each at most one of a slot, in their order.
fn rounds(slots: &[Slot], slot_count: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![0usize; slot_count];
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (row, slot) in slots.iter().enumerate() {
        let round = &mut seen[*slot as usize];
        if *round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*round].push(row);
        *round += 1;
    }
    rounds
}
