//! The running join: what both kinds have in common, and where they differ.
//!
//! A batch is worked through row by row, but only as far as row numbers go: each row becomes an [`Item`] with a run of
//! candidates of the other side, which does not change meanwhile. Every few thousand pairs are settled: the residual
//! condition is evaluated over all of them, matches are counted, and output rows are noted and gathered.

use super::output::{MET, NULLS, OutputRows, evaluate_residual};
use super::rule::Rule;
use super::sides::{NO_SLOT, Sides};
use super::{JoinKind, JoinOn, Residual};
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::expression::{ExpressionCx, Failure, on_bad_row};
use crate::keys::Slot;
use crate::kit::bags::{Layout, NONE, RowId};
use crate::kit::late::without_late;
use crate::operator::{Cx, DeltaScope, Operator, Port, StateScope};
use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

/// Pairs that are settled at once.
const PAIRS_MAX: usize = 8192;

pub(super) struct Joining {
    on: JoinOn,
    rule: Rule,
    schema: SchemaRef,
    sides: Sides,
    /// Per row of the other side: the round it was last paired in, and its place among the rows of that round.
    places: Vec<(u32, u32)>,
    round: u32,
    scratch: Vec<u8>,
}

/// A row of the batch, or one that it replaces.
#[derive(Clone, Copy)]
struct Item {
    /// Its place among the batch's rows and those they replace.
    row: u32,
    entry: RowId,
    sign: i8,
    time: EventTime,
    /// Whether its side has no row of its key: before it came, after it went.
    alone: bool,
    /// Rows it has met in earlier rounds.
    met: u32,
    /// End of its run of pairs.
    pairs_end: u32,
    /// Whether these are all of its pairs.
    complete: bool,
}

const NO_ITEM: Item =
    Item { row: 0, entry: NONE, sign: 1, time: 0, alone: false, met: 0, pairs_end: 0, complete: false };

/// What a retraction or an upsert makes go.
enum Leaving {
    Nothing,
    /// The row is what it was.
    Same,
    Row(RowId),
}

/// What is waiting to be settled.
struct Round<'b> {
    own: usize,
    batch: &'b RecordBatch,
    items: Vec<Item>,
    /// Rows of the other side, item after item.
    pairs: Vec<RowId>,
    /// Rows of this side that are replaced, behind those of the batch.
    replaced: Vec<RowId>,
}

/// Times of the rows of the other side that are candidates.
#[derive(Clone, Copy)]
struct Window {
    from: EventTime,
    to: EventTime,
}

impl Joining {
    pub(super) fn new(on: &JoinOn, rule: Rule, hash_seed: u64) -> Result<Self, OperatorError> {
        Ok(Joining {
            sides: Sides::new(on, [rule.layout(on, 0), rule.layout(on, 1)], hash_seed)?,
            schema: on.schema(),
            on: on.clone(),
            rule,
            places: Vec::new(),
            round: 0,
            scratch: Vec::new(),
        })
    }

    /// The times of candidates for a row of side `own`; `bound` is the watermark of its moment, where it is behind it.
    fn window(&self, own: usize, time: EventTime, bound: EventTime, now_ms: i64) -> Window {
        match self.rule {
            // Those of the other side that have not gone.
            Rule::Updating { .. } => Window { from: self.there_from(1 - own, now_ms), to: EventTime::MAX },
            Rule::Interval { lower_ms, upper_ms, .. } => {
                let (from, to) = match own {
                    0 => (time.saturating_sub(upper_ms), time.saturating_sub(lower_ms)),
                    _ => (time.saturating_add(lower_ms), time.saturating_add(upper_ms)),
                };
                // What the watermark of that moment had made superfluous is not there, whether it has been let go of
                // yet or not.
                let keep_ms = self.rule.keep_ms(1 - own).unwrap_or(0);
                Window { from: from.max(bound.saturating_sub(keep_ms).saturating_add(1)), to }
            }
        }
    }

    /// When the earliest rows of a side came that have not gone by themselves.
    fn there_from(&self, side: usize, now_ms: i64) -> EventTime {
        match self.rule {
            Rule::Updating { ttl_ms } => {
                let from = |ttl_ms| now_ms.saturating_sub(ttl_ms).saturating_add(1);
                ttl_ms[side].map_or(EventTime::MIN, from)
            }
            // What has gone is taken away before it is looked for.
            Rule::Interval { .. } => EventTime::MIN,
        }
    }

    /// Whether rows go by themselves, of either side.
    fn expires(&self) -> bool {
        self.sides.rows.iter().any(|rows| rows.layout.keep_ms.is_some())
    }

    /// Leaves rows out that can meet nothing any more: what they could meet had gone, and nothing will come.
    fn without_late(&self, own: usize, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let Rule::Interval { lower_ms, upper_ms, late } = self.rule else { return Ok(batch) };
        let keep_ms = if own == 0 { lower_ms.saturating_neg() } else { upper_ms };
        let reach_ms = keep_ms.max(upper_ms.saturating_sub(lower_ms));
        let in_time = |time: EventTime, before: EventTime| time.saturating_add(reach_ms) >= before;
        let operator = || format!("interval join on {}", self.on.on);
        without_late(batch, late[own], None, cx, in_time, operator)
    }

    /// Which rows have a key that is null in part; `None` when there are none.
    fn null_keys(&self, own: usize, columns: &RecordBatch) -> Option<Vec<bool>> {
        let mut is_null: Option<Vec<bool>> = None;
        for key in &self.on.side(own).keys {
            let Some(nulls) = columns.column(*key).nulls().filter(|nulls| nulls.null_count() > 0) else {
                continue;
            };
            let is_null = is_null.get_or_insert_with(|| vec![false; columns.num_rows()]);
            is_null.iter_mut().zip(nulls.iter()).for_each(|(is_null, valid)| *is_null |= !valid);
        }
        is_null
    }

    fn join(&mut self, own: usize, batch: &Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let columns = batch.columns()?;
        let is_null = self.null_keys(own, columns);
        let other_uncounted = self.on.kind.keeps(1 - own) && !self.sides.rows[1 - own].layout.counted;
        let slots =
            self.sides.intern(own, batch.keys()?, is_null.as_deref(), other_uncounted, &mut cx.state)?;
        let codec = self.sides.rows[own].codec().clone();
        let writer = codec.writer(columns)?;
        let updating = matches!(self.rule, Rule::Updating { .. });
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut round =
            Round { own, batch: columns, items: Vec::new(), pairs: Vec::new(), replaced: Vec::new() };
        for (row, slot) in slots.into_iter().enumerate() {
            let (time, sign) = (batch.times[row], batch.ops.get(row));
            let window = self.window(own, time, batch.watermark_before(row, EventTime::MIN), cx.now_ms);
            let item = Item { row: row as u32, sign, time, ..NO_ITEM };
            if slot == NO_SLOT {
                self.pair(&mut round, item, slot, window, cx)?;
                continue;
            }
            let Layout { searched, single, .. } = self.sides.rows[own].layout;
            if single || (searched && sign == -1) {
                scratch.clear();
                if sign == 1 || searched {
                    writer.write(row, &mut scratch);
                }
                match self.leave(own, slot, &scratch, self.there_from(own, cx.now_ms)) {
                    Leaving::Same => continue,
                    Leaving::Nothing => {}
                    Leaving::Row(entry) => {
                        let mut item = Item { entry, sign: -1, ..item };
                        item.alone = self.sides.rows[own].count(slot) == 0;
                        if single {
                            round.replaced.push(entry);
                            item.row = (columns.num_rows() + round.replaced.len() - 1) as u32;
                        }
                        self.pair(&mut round, item, slot, window, cx)?;
                    }
                }
            }
            if sign == 1 {
                let alone = self.sides.rows[own].count(slot) == 0;
                let kept_from = if updating { cx.now_ms } else { time };
                let entry = self.sides.insert(own, slot, kept_from, |out| writer.write(row, out));
                self.pair(&mut round, Item { entry, alone, ..item }, slot, window, cx)?;
            }
        }
        self.scratch = scratch;
        self.settle(&mut round, cx).map(drop)
    }

    /// Takes away the row that a retraction or an upsert with these bytes makes go. One that went by itself before is
    /// not taken back: what it met stays.
    fn leave(&mut self, own: usize, slot: Slot, bytes: &[u8], there_from: EventTime) -> Leaving {
        let rows = &self.sides.rows[own];
        let found = if rows.layout.single {
            Some(rows.first(slot)).filter(|row| *row != NONE)
        } else {
            rows.find(slot, bytes)
        };
        let Some(row) = found else { return Leaving::Nothing };
        let is_there = there_from == EventTime::MIN || rows.entry(row).time >= there_from;
        if rows.layout.single && !self.expires() && rows.bytes(row) == bytes {
            return Leaving::Same;
        }
        if !is_there && !rows.layout.single {
            return Leaving::Nothing;
        }
        self.sides.remove(own, row);
        if is_there { Leaving::Row(row) } else { Leaving::Nothing }
    }

    /// Adds an item with its candidates.
    fn pair(
        &mut self,
        round: &mut Round<'_>,
        mut item: Item,
        slot: Slot,
        window: Window,
        cx: &mut Cx<'_>,
    ) -> Result<(), OperatorError> {
        let other = 1 - round.own;
        let mut row = if slot == NO_SLOT { NONE } else { self.sides.rows[other].first(slot) };
        while row != NONE {
            let entry = self.sides.rows[other].entry(row);
            if window.from <= entry.time && entry.time <= window.to {
                round.pairs.push(row);
            }
            row = entry.next;
            if round.pairs.len() >= PAIRS_MAX {
                round.items.push(Item { pairs_end: round.pairs.len() as u32, complete: false, ..item });
                item.met = self.settle(round, cx)?;
            }
        }
        round.items.push(Item { pairs_end: round.pairs.len() as u32, complete: true, ..item });
        Ok(())
    }

    /// Emits what comes of the items so far. Gives how many rows the last of them has met.
    fn settle(&mut self, round: &mut Round<'_>, cx: &mut Cx<'_>) -> Result<u32, OperatorError> {
        let own = round.own;
        let (others, places) = self.distinct(1 - own, &round.pairs);
        let other_rows = self.sides.rows[1 - own].read(&others)?;
        let with_replaced;
        let mut own_rows = round.batch;
        if !round.replaced.is_empty() {
            let replaced = self.sides.rows[own].read(&round.replaced)?;
            with_replaced = concat_batches(&replaced.schema(), [round.batch, &replaced])?;
            own_rows = &with_replaced;
        }
        let sides = if own == 0 { [own_rows, &other_rows] } else { [&other_rows, own_rows] };
        let met = match &self.on.residual {
            Some(residual) if !round.pairs.is_empty() => {
                Some(self.meeting(residual, sides, round, &places, cx)?)
            }
            _ => None,
        };
        let mut out = OutputRows::of(self.on.kind);
        let mut start = 0;
        let mut last_met = 0;
        for item in &round.items {
            let pairs = start..item.pairs_end as usize;
            start = pairs.end;
            last_met = item.met;
            for pair in pairs {
                if met.as_ref().is_none_or(|met| met.is_valid(pair) && met.value(pair)) {
                    last_met += 1;
                    self.meet(own, item, round.pairs[pair], places[pair], &mut out);
                }
            }
            if item.complete {
                self.finish(own, item, last_met, &mut out);
            }
        }
        round.items.clear();
        round.pairs.clear();
        if !out.times.is_empty() {
            let batch = out.gather(sides, &self.schema)?;
            cx.emit(batch);
        }
        Ok(last_met)
    }

    /// Which pairs meet the rest of the condition. One that it can't be computed for does not, now and when one of its rows
    /// goes; it is counted when it comes.
    fn meeting(
        &self,
        residual: &Residual,
        sides: [&RecordBatch; 2],
        round: &Round<'_>,
        places: &[u32],
        cx: &mut Cx<'_>,
    ) -> Result<BooleanArray, OperatorError> {
        let mut pairs = [places.to_vec(), places.to_vec()];
        let mut signs = Vec::new();
        for item in &round.items {
            pairs[round.own][signs.len()..item.pairs_end as usize].fill(item.row);
            signs.resize(item.pairs_end as usize, item.sign);
        }
        let mut failed = Ok(());
        let mut blame = |pair: usize, Failure { what, detail }: Failure, row: String| {
            if failed.is_ok() && signs[pair] == 1 {
                cx.counters.bad += 1;
                failed = on_bad_row(self.on.bad, what, detail, || row);
            }
        };
        let with = ExpressionCx { now_ms: cx.now_ms };
        let met = evaluate_residual(residual, sides, pairs, &with, &mut blame)?;
        failed.map(|()| met)
    }

    /// The different rows among pairs, and by pair its place among them.
    fn distinct(&mut self, other: usize, pairs: &[RowId]) -> (Vec<RowId>, Vec<u32>) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.places.clear();
            self.round = 1;
        }
        let count = self.sides.rows[other].row_count().max(self.places.len());
        self.places.resize(count, (0, 0));
        let (mut rows, mut places) = (Vec::new(), Vec::with_capacity(pairs.len()));
        for row in pairs {
            let place = &mut self.places[*row as usize];
            if place.0 != self.round {
                *place = (self.round, rows.len() as u32);
                rows.push(*row);
            }
            places.push(place.1);
        }
        (rows, places)
    }

    /// An item meets a row of the other side.
    fn meet(&mut self, own: usize, item: &Item, other_row: RowId, place: u32, out: &mut OutputRows) {
        let rows = &mut self.sides.rows[1 - own];
        let Layout { counted, .. } = rows.layout;
        let (padded, matches) = (self.on.kind.keeps(1 - own), rows.entry(other_row).matches);
        let (pairs, marks) = (self.on.kind.pairs(), self.on.kind == JoinKind::Mark);
        // What comes and goes of a row that has met none, its other columns null; of a semi join the contrary.
        let unmatched = if self.on.kind == JoinKind::Semi { -1 } else { 1 };
        match self.rule {
            Rule::Interval { .. } => {
                let time = item.time.max(rows.entry(other_row).time);
                if counted && matches == 0 {
                    rows.set_matches(other_row, 1);
                }
                out.push(own, item.row, place, item.sign, time);
            }
            Rule::Updating { .. } if item.sign == 1 => {
                if padded && (if counted { matches == 0 } else { item.alone }) {
                    out.push(own, NULLS, place, -unmatched, item.time);
                    if marks {
                        out.push(own, MET, place, unmatched, item.time);
                    }
                }
                if counted {
                    rows.set_matches(other_row, matches.saturating_add(1));
                }
                if pairs {
                    out.push(own, item.row, place, 1, item.time);
                }
            }
            Rule::Updating { .. } => {
                if pairs {
                    out.push(own, item.row, place, -1, item.time);
                }
                if counted {
                    rows.set_matches(other_row, matches.saturating_sub(1));
                }
                if padded && (if counted { matches == 1 } else { item.alone }) {
                    if marks {
                        out.push(own, MET, place, -unmatched, item.time);
                    }
                    out.push(own, NULLS, place, unmatched, item.time);
                }
            }
        }
    }

    /// All that an item has met is known.
    fn finish(&mut self, own: usize, item: &Item, met: u32, out: &mut OutputRows) {
        if !self.on.kind.keeps(own) {
            return;
        }
        let rows = &mut self.sides.rows[own];
        let Layout { counted, .. } = rows.layout;
        let updating = matches!(self.rule, Rule::Updating { .. });
        let mut padded = met == 0;
        if item.entry != NONE && counted {
            if item.sign == 1 && met > 0 {
                rows.set_matches(item.entry, if updating { met } else { 1 });
            } else if item.sign == -1 {
                padded = rows.entry(item.entry).matches == 0;
            }
        }
        let wanted = padded != (self.on.kind == JoinKind::Semi);
        // Unmatched rows of an interval join come out when they go.
        if self.on.kind == JoinKind::Mark {
            out.push(own, item.row, if padded { NULLS } else { MET }, item.sign, item.time);
        } else if wanted && (updating || item.entry == NONE) {
            out.push(own, item.row, NULLS, item.sign, item.time);
        }
    }

    /// Emits rows that have gone without having met any.
    fn emit_unmatched(&self, expired: super::sides::Expired, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if expired.order.is_empty() {
            return Ok(());
        }
        let mut out = OutputRows::of(self.on.kind);
        for ((side, place), time) in expired.order.iter().zip(&expired.times) {
            out.push(usize::from(*side), *place, NULLS, 1, *time);
        }
        let (left, right) = (self.sides.read(0, &expired.rows[0])?, self.sides.read(1, &expired.rows[1])?);
        let batch = out.gather([&left, &right], &self.schema)?;
        cx.emit(batch);
        Ok(())
    }
}

impl Operator for Joining {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let own = usize::from(port.0);
        let batch = self.without_late(own, batch, cx)?;
        if batch.is_empty() { Ok(()) } else { self.join(own, &batch, cx) }
    }

    /// Rows go at commits, so that what comes out, and when, does not depend on how rows were cut into batches.
    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (clock, wanted) = match self.rule {
            Rule::Updating { .. } => (cx.now_ms, [false, false]),
            Rule::Interval { .. } => (cx.watermark, [self.on.kind.keeps(0), self.on.kind.keeps(1)]),
        };
        while let Some(expired) = self.sides.expire(clock, wanted, &mut cx.state)? {
            self.emit_unmatched(expired, cx)?;
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.sides.delta(out);
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.sides.restore(state)
    }

    fn evict(&mut self) {
        self.sides.evict();
        self.places = Vec::new();
    }

    fn memory_bytes(&self) -> usize {
        self.sides.memory_bytes() + self.places.capacity() * size_of::<(u32, u32)>()
    }
}
