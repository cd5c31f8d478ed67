//! Operators over Rust values, driven like those over columns.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::topology::{NodeSpec, Topology};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use millstream_state::BytesColumn;
use std::fmt::Debug;
use std::sync::Arc;

/// Makes a row of a key and a number; `None` is a number that is null.
pub type ReadRow = Arc<dyn Fn(&[(&str, Option<i64>)]) -> Payload + Send + Sync>;

/// Shows rows, one by one.
pub type ShowRows = Arc<dyn Fn(&Payload) -> Vec<String> + Send + Sync>;

/// A keyed operator over Rust values as one over columns: rows `k:utf8 v:i64` come in, keyed by `k`, as what a function makes
/// of them, and rows `k:utf8 row:utf8` come out.
#[derive(Clone)]
pub struct OfRows {
    inner: Arc<dyn OperatorSpec>,
    /// By port.
    read: Vec<ReadRow>,
    show: ShowRows,
}

impl Debug for OfRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Debug::fmt(&self.inner, f)
    }
}

/// Reads rows by a function of key and number.
pub fn read_by<T: Clone + Send + Debug + 'static>(
    read: impl Fn(&str, Option<i64>) -> T + Send + Sync + 'static,
) -> ReadRow {
    Arc::new(move |rows| {
        Payload::Rows(Box::new(rows.iter().map(|(key, value)| read(key, *value)).collect::<Vec<T>>()))
    })
}

impl OfRows {
    /// The operator of a topology that has this name; its rows come out as `show` gives them.
    ///
    /// # Panics
    /// When there is none.
    pub fn new<O: Debug + 'static>(
        topology: &Topology,
        name: &str,
        read: Vec<ReadRow>,
        show: impl Fn(&O) -> String + Send + Sync + 'static,
    ) -> Self {
        let node = topology.nodes().iter().find(|node| node.name == name);
        let Some(NodeSpec::Operator(inner)) = node.map(|node| &node.spec) else {
            panic!("no operator is called {name}");
        };
        let show: ShowRows = Arc::new(move |rows| {
            let Payload::Rows(rows) = rows else { panic!("columns") };
            let rows: &Vec<O> =
                rows.as_any().downcast_ref().unwrap_or_else(|| panic!("other rows: {rows:?}"));
            rows.iter().map(&show).collect()
        });
        OfRows { inner: Arc::clone(inner), read, show }
    }
}

impl OperatorSpec for OfRows {
    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        self.inner.meaning(inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        self.inner.stores()
    }

    // Whatever comes: a row then always has its bound, as rows of typed sources have.
    fn output_kind(&self, _inputs: &[StreamKind]) -> Result<StreamKind, String> {
        Ok(StreamKind::Append)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Running { inner: self.inner.build(cx)?, spec: self.clone() }))
    }
}

struct Running {
    inner: Box<dyn Operator>,
    spec: OfRows,
}

impl Running {
    /// Shows what the operator has emitted.
    fn show(&self, cx: &mut Cx<'_>, before: usize) {
        for batch in &mut cx.emitted[before..] {
            let keys =
                batch.keys.as_ref().map(|keys| keys.iter().map(String::from_utf8_lossy).collect::<Vec<_>>());
            // What is no longer keyed has no keys to show.
            let keys = keys.unwrap_or_else(|| vec!["".into(); batch.len()]);
            let columns = [keys, (self.spec.show)(&batch.rows).into_iter().map(Into::into).collect()];
            let fields = ["k", "row"].map(|name| Field::new(name, DataType::Utf8, true));
            let arrays = columns.map(|column| Arc::new(StringArray::from_iter_values(column)) as _);
            let columns = RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), arrays.to_vec());
            batch.rows = Payload::Columns(columns.unwrap_or_else(|error| panic!("{error}")));
        }
    }
}

impl Operator for Running {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let columns = batch.columns()?;
        let (keys, values) =
            (columns.column(0).as_string::<i32>(), columns.column(1).as_primitive::<Int64Type>());
        let value = |row: usize| (!values.is_null(row)).then(|| values.value(row));
        let rows: Vec<(&str, Option<i64>)> =
            (0..batch.len()).map(|row| (keys.value(row), value(row))).collect();
        let payload = (self.spec.read[usize::from(port.0)])(&rows);
        let keys = Some(Arc::new(rows.iter().map(|(key, _)| key.as_bytes()).collect::<BytesColumn>()));
        // A row of a table that goes has no value; one of a changelog has what it had.
        let sign =
            |(row, (_, value)): (usize, &(&str, Option<i64>))| value.map_or(-1, |_| batch.ops.get(row));
        let signs: Vec<i8> = rows.iter().enumerate().map(sign).collect();
        let (rows, ops) = (payload, Ops::from_signs(signs));
        let before = cx.emitted.len();
        self.inner.process(port, Batch { rows, keys, ops, ..batch }, cx)?;
        self.show(cx, before);
        Ok(())
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let before = cx.emitted.len();
        self.inner.advance(watermark, cx)?;
        self.show(cx, before);
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let before = cx.emitted.len();
        self.inner.flush(cx)?;
        self.show(cx, before);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.inner.delta(out)
    }

    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.inner.restore(watermark, state)
    }

    fn evict(&mut self) {
        self.inner.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}
