//! What a lowered node is.

use crate::query::nodes::WindowSpec;
use arrow::datatypes::{FieldRef, Fields, SchemaRef};
use millstream_operators::NodeId;
use millstream_operators::formats::Format;
use millstream_operators::source::Policy;

/// Rows that carry a relation. "Column" means a column of the relation, "place" one of the rows.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Where the rows come from.
    pub node: NodeId,
    /// What the rows consist of.
    pub rows: SchemaRef,
    /// By column: its place; `None` for the columns of a window that is still open.
    pub places: Vec<Option<usize>>,
    /// The column that is the event time of the rows, while it is among the columns.
    pub time: Option<usize>,
    /// Whether the source of the rows has a watermark: they then have an event time, selected or not.
    pub has_watermark: bool,
    /// The windows the rows are assigned to, until they are grouped by them.
    pub windows: Option<Windows>,
    /// Columns that name a row of a stream with changes.
    pub unique: Option<Vec<usize>>,
    /// Whether rows with changes come from a join of rows that nothing tells apart: whoever needs a key chooses it.
    pub nameless: bool,
    /// What decides the task of a row.
    pub partitioning: Option<Partitioning>,
    /// Places that the keys of the batches are made of.
    pub keyed: Option<Vec<usize>>,
    /// What happens to rows that come too late.
    pub late: Policy,
}

/// Windows that rows are assigned to, and the columns that stand for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    pub spec: WindowSpec,
    pub start: Option<usize>,
    pub end: Option<usize>,
    pub time: Option<usize>,
}

/// Rows that agree in these columns are in one task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partitioning {
    /// The columns.
    pub columns: Vec<usize>,
    /// Which bytes of them decide.
    pub by: PartitionedBy,
}

/// Which bytes decide the partition of a row.
#[derive(Debug, Clone)]
pub(crate) enum PartitionedBy {
    /// The encoded key: an exchange of this job.
    EncodedKey,
    /// The key of a topic: its format and fields.
    TopicKey(Format, Fields),
}

impl PartialEq for PartitionedBy {
    /// Whether equal values are equal bytes. Names of fields are among the bytes only in JSON.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (PartitionedBy::EncodedKey, PartitionedBy::EncodedKey) => true,
            (
                PartitionedBy::TopicKey(format, fields),
                PartitionedBy::TopicKey(other_format, other_fields),
            ) => {
                let named = matches!(format, Format::Json(_));
                let same = |(one, other): (&FieldRef, &FieldRef)| {
                    one.data_type() == other.data_type() && (!named || one.name() == other.name())
                };
                format == other_format
                    && fields.len() == other_fields.len()
                    && fields.iter().zip(other_fields).all(same)
            }
            _ => false,
        }
    }
}

impl Stream {
    /// The place of a column that is in the rows.
    pub(crate) fn place(&self, column: usize) -> Option<usize> {
        self.places.get(column).copied().flatten()
    }

    /// The stream with other columns: `of[new]` is the old column, or `None` for one that is new.
    pub(crate) fn with_columns(self, of: &[Option<usize>], places: Vec<Option<usize>>) -> Stream {
        let moved = |column: usize| of.iter().position(|old| *old == Some(column));
        let all = |columns: &[usize]| columns.iter().map(|column| moved(*column)).collect::<Option<Vec<_>>>();
        Stream {
            places,
            time: self.time.and_then(moved),
            windows: self.windows.map(|windows| Windows {
                spec: windows.spec,
                start: windows.start.and_then(moved),
                end: windows.end.and_then(moved),
                time: windows.time.and_then(moved),
            }),
            unique: self.unique.as_deref().and_then(all),
            partitioning: self.partitioning.and_then(|partitioning| {
                Some(Partitioning { columns: all(&partitioning.columns)?, by: partitioning.by })
            }),
            ..self
        }
    }
}
