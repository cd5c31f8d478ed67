//! The first rows of every partition of a window, once it has closed.
//!
//! As [`super::TopN`] keeps the first rows of a partition, and no others; but nothing comes out before the watermark has
//! reached the window, and then each row that has a rank comes out once, and everything of the window goes. Windows come out
//! by their ends, partitions of one in the order of their keys.
//!
//! ```text
//! store rows:      time of the window, partition key, order, sequence -> event time (8 bytes, little endian), row
//! store due:       time of the window, partition key ->
//! store sequence:  (empty key) -> the next sequence number
//! ```

use super::partition::{Partition, Ranked, write_changed};
use super::ranker::Ranker;
use super::{OPERATOR, TopN};
use crate::OperatorError;
use crate::aggregate::LatePolicy;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::keys::{Slot, SlotTable};
use crate::kit::late::without_late;
use crate::kit::sequence;
use crate::kit::timers::Timers;
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Lineage, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use millstream_state::BytesColumn;

/// The store with the rows.
const ROWS: u16 = 0;
/// The store with the partitions by the time at which they come out.
const DUE: u16 = 1;
/// The store with the next sequence number.
const SEQUENCE: u16 = 2;

/// Rows that are put out at once, about.
const ROWS_MAX: usize = 8192;

/// Keeps of every partition of a window the rows whose rank is from `first` to `last`, and puts them out when the window
/// closes.
///
/// Input: insertions, keyed by the partition ([`Batch::keys`]), whose times are the last milliseconds of their windows.
/// Output: insertions, the columns of the input, and behind them the rank as a BIGINT where it has a name. A row whose
/// window has closed is late.
#[derive(Debug, Clone)]
pub struct WindowTopN {
    /// How rows are ranked; of insertions.
    pub top: TopN,
    /// What happens to rows that come after their windows have closed.
    pub late: LatePolicy,
}

impl OperatorSpec for WindowTopN {
    fn describe(&self) -> Description {
        Description::new("WindowTopN", self.top.describe().detail)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let mut meaning = self.top.meaning(inputs);
        meaning.facts.push(Fact::new("ranks rows of", "a window"));
        meaning.by_time()
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&WindowTopN { top: self.top.nameless(), late: self.late })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let mut stores = self.top.stores();
        for store in &mut stores[..1] {
            store.schema = format!("time ms, {}", store.schema);
        }
        stores.insert(1, StoreSpec { name: "due".to_owned(), schema: "time ms, key ->".to_owned() });
        stores
    }

    /// What comes out is made when the window closes.
    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match (inputs, self.top.kind) {
            ([StreamKind::Append], StreamKind::Append) => Ok(StreamKind::Append),
            _ => {
                Err("rows of a window are ranked when it closes: they can't be updated or deleted".to_owned())
            }
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Ranking {
            ranker: Ranker::new(&self.top)?,
            spec: self.clone(),
            hash_seed: cx.hash_seed,
            slots: SlotTable::with_seed(cx.hash_seed),
            partitions: Vec::new(),
            touched: Vec::new(),
            due: Timers::new("window top n", DUE),
            next_sequence: 0,
            stored_sequence: 0,
        }))
    }
}

struct Ranking {
    spec: WindowTopN,
    ranker: Ranker,
    hash_seed: u64,
    /// Of windows and partitions: the time, then the key.
    slots: SlotTable,
    /// By slot.
    partitions: Vec<Partition>,
    /// Partitions touched since the last commit.
    touched: Vec<Slot>,
    due: Timers,
    next_sequence: u64,
    stored_sequence: u64,
}

impl Operator for Ranking {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let batch = self.without_late(batch, cx)?;
        let slots = self.intern(&batch, &mut cx.state)?;
        let TopN { function, last, latest_first, .. } = self.spec.top;
        let rows = self.ranker.rows(&batch)?;
        let (mut place, mut row_bytes) = (Vec::new(), Vec::new());
        for (row, slot) in slots.into_iter().enumerate() {
            let partition = &mut self.partitions[slot as usize];
            let sequence = if latest_first { !self.next_sequence } else { self.next_sequence };
            self.next_sequence += 1;
            rows.order(row, &mut place);
            place.extend(sequence.to_be_bytes());
            if partition.is_behind(&place, function, last) {
                continue;
            }
            rows.bytes(row, &mut row_bytes);
            if partition.mark() {
                self.touched.push(slot);
            }
            if partition.is_empty() {
                self.due.set(batch.times[row], batch.keys()?.get(row));
            }
            partition.insert(&place, &row_bytes);
            partition.cut_behind(function, last);
        }
        Ok(())
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let TopN { function, first, last, .. } = self.spec.top;
        let mut closed: Vec<Ranked> = Vec::new();
        while let Some((time, key)) = self.due.pop(watermark, &mut cx.state)? {
            let slot = self.load(&window_key(time, &key), &mut cx.state)?;
            let partition = &mut self.partitions[slot as usize];
            if partition.mark() {
                self.touched.push(slot);
            }
            closed.extend(partition.take_all(function, first, last));
            if closed.len() >= ROWS_MAX {
                self.emit(&std::mem::take(&mut closed), cx)?;
            }
        }
        self.emit(&closed, cx)
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let mut touched = std::mem::take(&mut self.touched);
        // Which partition was touched first depends on when windows closed.
        touched.sort_unstable_by(|one, other| self.slots.key(*one).cmp(self.slots.key(*other)));
        let block = out.block(ROWS);
        write_changed(touched, &mut self.partitions, &mut self.slots, block);
        self.due.delta(out);
        if std::mem::replace(&mut self.stored_sequence, self.next_sequence) != self.next_sequence {
            out.block(SEQUENCE).put(&[], &self.next_sequence.to_le_bytes());
        }
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.next_sequence = sequence::next(OPERATOR, SEQUENCE, &[], state)?;
        self.stored_sequence = self.next_sequence;
        self.due.restore();
        Ok(())
    }

    fn evict(&mut self) {
        self.slots = SlotTable::with_seed(self.hash_seed);
        self.partitions = Vec::new();
        self.due.evict();
    }

    fn memory_bytes(&self) -> usize {
        let partitions: usize = self.partitions.iter().map(Partition::memory_bytes).sum();
        self.slots.memory_bytes() + partitions + self.due.memory_bytes()
    }
}

impl Ranking {
    /// Leaves rows out whose windows had closed when they came.
    fn without_late(&self, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let operator = || format!("{} of a window", self.spec.top.function.name());
        without_late(batch, self.spec.late, None, cx, |time, before| time > before, operator)
    }

    /// The slots of the windows and partitions of a batch, whose rows are all in memory then.
    fn intern(&mut self, batch: &Batch, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        let keys: BytesColumn = {
            let keys = batch.keys()?.iter().zip(batch.times.iter());
            keys.map(|(key, time)| window_key(*time, key)).collect()
        };
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.slots.find_or_insert_all(&keys, &mut slots, &mut new);
        self.partitions.resize_with(self.slots.slot_count(), Partition::default);
        // In the order of the store.
        new.sort_unstable_by(|one, other| self.slots.key(*one).cmp(self.slots.key(*other)));
        for slot in new {
            self.partitions[slot as usize].load(ROWS, self.slots.key(slot), state)?;
        }
        Ok(slots)
    }

    fn load(&mut self, key: &[u8], state: &mut StateScope<'_>) -> Result<Slot, OperatorError> {
        let (slot, is_new) = self.slots.find_or_insert(key);
        self.partitions.resize_with(self.slots.slot_count(), Partition::default);
        if is_new {
            self.partitions[slot as usize].load(ROWS, key, state)?;
        }
        Ok(slot)
    }

    fn emit(&self, ranked: &[Ranked], cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if !ranked.is_empty() {
            let (rows, times) = self.ranker.read(ranked)?;
            cx.emit(Batch::append(rows, times));
        }
        Ok(())
    }
}

/// The key of a partition of a window: its time, such that windows sort by it, and the key of the partition.
fn window_key(time: EventTime, key: &[u8]) -> Vec<u8> {
    [&(time ^ EventTime::MIN).to_be_bytes(), key].concat()
}
