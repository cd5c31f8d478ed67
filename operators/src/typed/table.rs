//! The last value of every key.

pub(super) mod foreign;
pub(super) mod group;
mod join;
mod kept;
mod map;
pub(super) mod spec;
mod top;

pub use group::GroupedTable;
pub use top::Rank;

use super::json::{WriteKeys, WriteWith, write_json};
use super::stream::sink;
use super::{Key, Program, Row};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use crate::sink::UpsertSink;
use crate::topology::NodeId;
use millstream_state::BytesColumn;
use std::marker::PhantomData;
use std::sync::Arc;

/// One key of a table with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<K, A> {
    pub(super) key: K,
    /// `None`: the key has gone.
    pub(super) value: Option<A>,
}

/// The last value of every key.
///
/// ```
/// # use millstream_operators::typed::Program;
/// let program = Program::new();
/// program.read::<String>("words").key_by(|word| word.clone()).count().to("counts");
/// # program.topology().unwrap();
/// ```
pub struct Table<K, A> {
    pub(super) program: Program,
    pub(super) node: NodeId,
    entries: PhantomData<fn() -> (K, A)>,
}

impl<K, A> Clone for Table<K, A> {
    fn clone(&self) -> Self {
        Table { program: self.program.clone(), node: self.node, entries: PhantomData }
    }
}

impl<K, A> std::fmt::Debug for Table<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table<{}, {}>", std::any::type_name::<K>(), std::any::type_name::<A>())
    }
}

impl<K: Key, A: Row> Table<K, A> {
    pub(super) fn at(program: Program, node: NodeId) -> Self {
        Table { program, node, entries: PhantomData }
    }

    /// Writes changes to a topic: the key as its bytes, the value as JSON; at most one record a key and commit, without a
    /// value when the key has gone.
    pub fn to(self, topic: &str) {
        let value = WriteWith::<Entry<K, A>> {
            what: "json",
            write: Arc::new(|entry, out| write_json(&entry.value, out)),
        };
        let upsert = UpsertSink {
            table: topic.to_owned(),
            topic: topic.to_owned(),
            key: Arc::new(WriteKeys),
            value: Arc::new(value),
        };
        self.program.add(topic, sink(topic, true, Arc::new(upsert)), &[self.node]);
    }
}

/// Gives the entries of a table their keys.
pub(super) struct Keyed<K, A>(pub(super) PhantomData<fn() -> (K, A)>);

impl<K, A> std::fmt::Debug for Keyed<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<(K, A)>())
    }
}

impl<K: Key, A: Row> OperatorSpec for Keyed<K, A> {
    fn describe(&self) -> Description {
        Description::new("Table", format!("{self:?}"))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Upsert] => Ok(StreamKind::Upsert),
            inputs => Err(format!("a table is made of upserts, not of {inputs:?}")),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Keyed::<K, A>(PhantomData)))
    }
}

impl<K: Key, A: Row> Operator for Keyed<K, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut keys = BytesColumn::default();
        for entry in batch.typed_rows::<Entry<K, A>>()? {
            entry.key.write(keys.open_row());
            keys.seal_row();
        }
        cx.emit(Batch { keys: Some(Arc::new(keys)), ..batch });
        Ok(())
    }
}
