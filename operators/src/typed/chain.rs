//! Fused closures: everything between two nodes of the graph as one operator.
//!
//! A chain is one function from a batch to rows, made by composition as the stream is declared. Each closure is a loop of
//! its own over a whole batch, compiled for its types; nothing is called through a pointer per row.

use crate::OperatorError;
use crate::batch::{Batch, Ops, Payload, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use crate::origin::Origins;
use arrow::buffer::ScalarBuffer;
use millstream_state::BytesColumn;
use std::sync::Arc;

/// Rows in the middle of a chain.
pub(super) struct Rows<T> {
    pub(super) values: Vec<T>,
    /// For each row, the row of the batch that it comes from; `None` while they are the same.
    pub(super) from: Option<Vec<u32>>,
}

/// What stands beside the rows of a batch and goes with them: times, bounds and records.
pub(super) struct Beside {
    times: ScalarBuffer<i64>,
    behind: Option<ScalarBuffer<i64>>,
    origins: Option<Origins>,
}

impl Beside {
    pub(super) fn of(batch: &Batch) -> Self {
        Beside { times: batch.times.clone(), behind: batch.behind.clone(), origins: batch.origins.clone() }
    }
}

/// The composed closures.
pub(super) type Steps<T> = Arc<dyn Fn(Batch) -> Result<Rows<T>, OperatorError> + Send + Sync>;

/// Reads a batch's rows as they are.
pub(super) fn identity<T: 'static>() -> Steps<T> {
    Arc::new(|batch| Ok(Rows { values: batch.into_rows()?, from: None }))
}

impl<T> Rows<T> {
    pub(super) fn map<U>(self, f: impl Fn(T) -> U) -> Rows<U> {
        Rows { values: self.values.into_iter().map(f).collect(), from: self.from }
    }

    pub(super) fn filter(self, f: impl Fn(&T) -> bool) -> Rows<T> {
        self.flat_map(|value| f(&value).then_some(value))
    }

    pub(super) fn flat_map<U, I: IntoIterator<Item = U>>(self, mut f: impl FnMut(T) -> I) -> Rows<U> {
        let (mut values, mut from) = (Vec::new(), Vec::new());
        for (row, value) in self.values.into_iter().enumerate() {
            let origin = self.from.as_ref().map_or(row as u32, |from| from[row]);
            values.extend(f(value));
            from.resize(values.len(), origin);
        }
        Rows { values, from: Some(from) }
    }
}

impl<T: super::Row> Rows<T> {
    /// The rows as a batch, each with what stood beside the row that it comes from.
    pub(super) fn with(self, beside: Beside, keys: Option<Arc<BytesColumn>>) -> Batch {
        let Rows { values, from } = self;
        let Beside { times, behind, origins } = beside;
        let pick = |column: &ScalarBuffer<i64>| match &from {
            None => column.clone(),
            Some(from) => from.iter().map(|row| column[*row as usize]).collect::<Vec<_>>().into(),
        };
        let (times, behind) = (pick(&times), behind.as_ref().map(pick));
        let origins = match &from {
            None => origins,
            Some(from) => origins.map(|origins| origins.pick(from)),
        };
        let rows = Payload::Rows(Box::new(values));
        Batch { rows, times, ops: Ops::Append, behind, keys, origins }
    }
}

/// The encoded key of a row.
pub(super) type KeyOf<T> = Arc<dyn Fn(&T, &mut Vec<u8>) + Send + Sync>;

/// What becomes of the keys of a chain's rows.
pub(super) enum Keys<T> {
    /// What follows is not keyed.
    Dropped,
    /// A row has the key of the row that it comes from.
    Kept,
    /// A row has a key of its own.
    Of(KeyOf<T>),
}

/// A chain as an operator, with the keys of its rows when what follows is keyed.
pub(super) struct Chain<T> {
    pub(super) steps: Steps<T>,
    pub(super) keys: Keys<T>,
}

impl<T> Clone for Chain<T> {
    fn clone(&self) -> Self {
        let keys = match &self.keys {
            Keys::Dropped => Keys::Dropped,
            Keys::Kept => Keys::Kept,
            Keys::Of(key_of) => Keys::Of(Arc::clone(key_of)),
        };
        Chain { steps: Arc::clone(&self.steps), keys }
    }
}

impl<T> std::fmt::Debug for Chain<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain to {}", std::any::type_name::<T>())
    }
}

impl<T: super::Row> OperatorSpec for Chain<T> {
    fn describe(&self) -> Description {
        let name = if matches!(self.keys, Keys::Of(_)) { "KeyBy" } else { "Map" };
        Description::new(name, std::any::type_name::<T>())
    }

    /// Closures can't be compared: types say all that is known.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => Ok(StreamKind::Append),
            inputs => Err(format!("closures run over streams that only insert, not {inputs:?}")),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(self.clone()))
    }
}

impl<T: super::Row> Operator for Chain<T> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (beside, before) = (Beside::of(&batch), batch.keys.clone());
        let rows = (self.steps)(batch)?;
        let keys = match (&self.keys, before, &rows.from) {
            (Keys::Dropped, _, _) => None,
            (Keys::Kept, before, None) => before,
            (Keys::Kept, before, Some(from)) => before.map(|keys| {
                Arc::new(from.iter().map(|row| keys.get(*row as usize)).collect::<BytesColumn>())
            }),
            (Keys::Of(key_of), _, _) => {
                let mut keys = BytesColumn::default();
                for value in &rows.values {
                    key_of(value, keys.open_row());
                    keys.seal_row();
                }
                Some(Arc::new(keys))
            }
        };
        cx.emit(rows.with(beside, keys));
        Ok(())
    }
}
