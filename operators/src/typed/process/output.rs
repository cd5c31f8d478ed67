//! What a function emits: rows with their keys, times and bounds, at its output and at its side outputs.

use super::running::Declared;
use super::states::known_mut;
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use crate::topology::{NodeId, NodeSpec, TopologyError};
use crate::typed::{Key, KeyedStream, Program, Row};
use millstream_state::BytesColumn;
use std::any::Any;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where a row that is emitted belongs.
pub(super) struct Placed<'a> {
    pub(super) key: &'a [u8],
    pub(super) time: EventTime,
    pub(super) bound: EventTime,
}

/// Rows that wait to be emitted.
pub(super) struct Output<O> {
    rows: Vec<O>,
    keys: BytesColumn,
    times: Vec<EventTime>,
    bounds: Vec<EventTime>,
}

impl<O> Default for Output<O> {
    fn default() -> Self {
        Output { rows: Vec::new(), keys: BytesColumn::default(), times: Vec::new(), bounds: Vec::new() }
    }
}

impl<O> Output<O> {
    pub(super) fn push(&mut self, row: O, placed: &Placed<'_>) {
        self.rows.push(row);
        self.keys.push(placed.key);
        self.times.push(placed.time);
        self.bounds.push(placed.bound);
    }
}

impl<O: Clone + Send + Debug + 'static> Output<O> {
    /// The rows as a batch; `None` when there are none.
    pub(super) fn take(&mut self, is_timed: bool) -> Option<Batch> {
        if self.rows.is_empty() {
            return None;
        }
        let Output { rows, keys, times, bounds } = std::mem::take(self);
        let batch = Batch::new(Payload::Rows(Box::new(rows)), times.into(), Ops::Append);
        Some(Batch { keys: Some(Arc::new(keys)), behind: is_timed.then(|| bounds.into()), ..batch })
    }
}

/// A side output, as a function declares it: see [`super::Context::emit_to`].
pub struct Side<S> {
    name: String,
    index: usize,
    rows: PhantomData<fn() -> S>,
}

impl<S> Debug for Side<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Side<{}> {}", std::any::type_name::<S>(), self.name)
    }
}

impl<S: Row> Side<S> {
    pub(super) fn new(name: &str, index: usize) -> Self {
        Side { name: name.to_owned(), index, rows: PhantomData }
    }

    pub(super) fn rows(&self) -> Box<dyn SideRows> {
        Box::new(Waiting::<S> { name: self.name.clone(), side: self.index, rows: Output::default() })
    }

    pub(super) fn push(&self, sides: &mut [Box<dyn SideRows>], row: S, placed: &Placed<'_>) {
        let waiting: &mut Waiting<S> = known_mut(sides[self.index].as_any_mut());
        waiting.rows.push(SideRow { side: self.index, row }, placed);
    }
}

/// A row of a side output on its way to whoever reads that side.
#[derive(Debug, Clone)]
pub(in crate::typed) struct SideRow<S> {
    side: usize,
    row: S,
}

struct Waiting<S> {
    name: String,
    side: usize,
    rows: Output<SideRow<S>>,
}

/// The rows of a side output, whose type is erased.
pub(super) trait SideRows: Send {
    fn name(&self) -> &str;
    fn take(&mut self, is_timed: bool) -> Option<Batch>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<S: Row> SideRows for Waiting<S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, is_timed: bool) -> Option<Batch> {
        self.rows.take(is_timed)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// The side outputs of a function: see [`KeyedStream::process_with_sides`].
pub struct Sides<K> {
    program: Program,
    node: NodeId,
    is_timed: bool,
    sides: Vec<Box<dyn SideRows>>,
    key: PhantomData<fn() -> K>,
}

impl<K> Debug for Sides<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.sides.iter().map(|side| side.name())).finish()
    }
}

impl<K> Sides<K> {
    pub(in crate::typed) fn new(program: Program, node: NodeId, is_timed: bool, declared: Declared) -> Self {
        Sides { program, node, is_timed, sides: declared.sides, key: PhantomData }
    }

    pub(in crate::typed) fn is_empty(&self) -> bool {
        self.sides.is_empty()
    }
}

impl<K: Key> Sides<K> {
    /// The rows of the side output of this name. Where the function declares none, or one of other rows,
    /// [`Program::topology`] says so.
    pub fn get<S: Row>(&self, name: &str) -> KeyedStream<K, S> {
        let side = self.sides.iter().find(|side| side.name() == name);
        let side = side.and_then(|side| side.as_any().downcast_ref::<Waiting<S>>());
        let Some(Waiting { side, .. }) = side else {
            let rows = std::any::type_name::<S>();
            let message = format!(
                "the function has no side output \"{name}\" of {rows}; it has {self:?}: declare it with states.side(..)"
            );
            self.program.fail(TopologyError { node: name.to_owned(), message });
            return KeyedStream::at(self.program.clone(), self.node, self.is_timed);
        };
        let pick = Pick::<S> { side: Some(*side), rows: PhantomData };
        let node = self.program.add(name, NodeSpec::Operator(Arc::new(pick)), &[self.node]);
        KeyedStream::at(self.program.clone(), node, self.is_timed)
    }
}

/// The main output alone, of a function that has others.
pub(in crate::typed) fn pick<O: Row>() -> NodeSpec {
    NodeSpec::Operator(Arc::new(Pick::<O> { side: None, rows: PhantomData }))
}

/// Of what a function emits, the rows of one output.
struct Pick<S> {
    /// `None`: the main output.
    side: Option<usize>,
    rows: PhantomData<fn() -> S>,
}

impl<S> Clone for Pick<S> {
    fn clone(&self) -> Self {
        Pick { side: self.side, rows: PhantomData }
    }
}

impl<S> Debug for Pick<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {}", self.side, std::any::type_name::<S>())
    }
}

impl<S: Row> OperatorSpec for Pick<S> {
    fn describe(&self) -> Description {
        let rows = std::any::type_name::<S>();
        Description::new(
            "Output",
            self.side.map_or(format!("main, {rows}"), |side| format!("side {side}, {rows}")),
        )
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, _inputs: &[StreamKind]) -> Result<StreamKind, String> {
        Ok(StreamKind::Append)
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(self.clone()))
    }
}

impl<S: Row> Operator for Pick<S> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let Some(side) = self.side else {
            if batch.typed_rows::<S>().is_ok() {
                cx.emit(batch);
            }
            return Ok(());
        };
        let is_of_side = |rows: &[SideRow<S>]| rows.first().is_some_and(|row| row.side == side);
        if batch.typed_rows::<SideRow<S>>().is_ok_and(is_of_side) {
            let around = batch.clone();
            let rows: Vec<S> = batch.into_rows::<SideRow<S>>()?.into_iter().map(|row| row.row).collect();
            cx.emit(Batch { rows: Payload::Rows(Box::new(rows)), ..around });
        }
        Ok(())
    }
}
