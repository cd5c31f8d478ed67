//! What a lowered node is.

use crate::features::window::WindowKind;
use arrow::datatypes::{DataType, FieldRef, Fields, SchemaRef};
use millstream_operators::formats::Format;
use millstream_operators::source::Policy;
use millstream_operators::{NodeId, StreamKind};
use std::sync::Arc;

/// Rows that carry a relation. "Column" means a column of the relation, "place" one of the rows. Rows may have places
/// that are no column: what tells them apart goes with them whether a query names it or not.
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
    /// What the event time of the rows is.
    pub times: Times,
    /// Whether the source of the rows has a watermark: they then have an event time, selected or not.
    pub has_watermark: bool,
    /// The windows the rows are assigned to, until they are grouped by them.
    pub windows: Option<Windows>,
    /// The window that each row is of, where that has closed or been put beside the row.
    pub within: Option<Within>,
    /// What tells the rows apart. An upsert stream always has places that do.
    pub unique: RowKey,
    /// What decides the task of a row.
    pub partitioning: Option<Partitioning>,
    /// Places that the keys of the batches are made of.
    pub keyed: Option<Vec<usize>>,
    /// What happens to rows that come too late.
    pub late: Policy,
}

/// What the event time of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// What their table or the operator that made them says.
    Event,
    /// The clock, as it was when they were read.
    Clock,
    /// Something else so far; the clock, once they have been sent on: see [`super::clock`].
    Arrival,
}

/// Windows that rows are assigned to, and the columns that stand for them.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    pub kind: WindowKind,
    /// The places of the columns that sessions are apart by; `None` where one of them is no more in the rows.
    pub partition: Option<Vec<usize>>,
    /// The place of the time that decides.
    pub by: Option<usize>,
    /// The type of `window_time`.
    pub time_type: DataType,
    pub bounds: Bounds,
}

/// The window that each row is of, of which the event time of the row is the last millisecond.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    pub kind: WindowKind,
    /// The column of the time by which rows were put into their windows, while it is among the columns.
    pub by: Option<usize>,
    pub bounds: Bounds,
}

/// The columns that are a bound of a window, under whatever names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    pub start: Vec<usize>,
    pub end: Vec<usize>,
    pub time: Vec<usize>,
}

impl Bounds {
    /// The columns of other rows, `of[new]` being the old column.
    pub(crate) fn moved(&self, of: &[Option<usize>]) -> Bounds {
        let moved = |columns: &[usize]| {
            let is_one = |old: &Option<usize>| old.is_some_and(|old| columns.contains(&old));
            of.iter().enumerate().filter(|(_, old)| is_one(old)).map(|(new, _)| new).collect()
        };
        Bounds { start: moved(&self.start), end: moved(&self.end), time: moved(&self.time) }
    }

    /// The columns where as many others stand in front of them.
    pub(crate) fn shifted(&self, by: usize) -> Bounds {
        let shifted = |columns: &[usize]| columns.iter().map(|column| column + by).collect();
        Bounds { start: shifted(&self.start), end: shifted(&self.end), time: shifted(&self.time) }
    }

    /// These columns and others.
    pub(crate) fn and(&self, others: &Bounds) -> Bounds {
        let both = |these: &[usize], others: &[usize]| [these, others].concat();
        Bounds {
            start: both(&self.start, &others.start),
            end: both(&self.end, &others.end),
            time: both(&self.time, &others.time),
        }
    }

    /// Whether a window is told apart by some of these columns.
    pub(crate) fn are_among(&self, columns: &[usize]) -> bool {
        let any = |bounds: &[usize]| bounds.iter().any(|bound| columns.contains(bound));
        any(&self.start) && any(&self.end)
    }
}

/// What tells the rows of a stream apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowKey {
    /// Nothing that is known: two rows may be the same.
    Unknown,
    /// Rows that agree in these places, or in those of another alternative, are versions of one row. An alternative
    /// without any place says that there is only one row.
    AnyOf(Vec<Vec<usize>>),
}

impl RowKey {
    /// Rows that agree in these places are versions of one row.
    pub(crate) fn of(places: Vec<usize>) -> Self {
        RowKey::any_of(vec![places])
    }

    /// Each of these tells rows apart; without any nothing does.
    pub(crate) fn any_of(alternatives: Vec<Vec<usize>>) -> Self {
        if alternatives.is_empty() { RowKey::Unknown } else { RowKey::AnyOf(alternatives) }
    }

    pub(crate) fn alternatives(&self) -> &[Vec<usize>] {
        match self {
            RowKey::Unknown => &[],
            RowKey::AnyOf(alternatives) => alternatives,
        }
    }

    /// Places that tell rows apart, if any are known to. Of an upsert stream: its key.
    pub(crate) fn places(&self) -> Option<&[usize]> {
        self.alternatives().first().map(Vec::as_slice)
    }

    /// Whether rows that agree in `places` are versions of one row.
    pub(crate) fn is_within(&self, places: &[usize]) -> bool {
        self.alternatives().iter().any(|key| key.iter().all(|place| places.contains(place)))
    }

    /// Whether the key is these places, in whatever order.
    pub(crate) fn is(&self, places: &[usize]) -> bool {
        let same = |key: &Vec<usize>| {
            key.iter().all(|place| places.contains(place)) && places.iter().all(|place| key.contains(place))
        };
        self.alternatives().iter().any(same)
    }

    /// The same, or what else tells rows apart.
    pub(crate) fn or(self, others: RowKey) -> RowKey {
        let mut all = self.alternatives().to_vec();
        all.extend(
            others.alternatives().iter().filter(|other| !self.alternatives().contains(other)).cloned(),
        );
        RowKey::any_of(all)
    }

    /// The key in other rows, `moved` being where a place of these has gone.
    pub(crate) fn moved(&self, moved: impl Fn(usize) -> Option<usize>) -> RowKey {
        let all = |places: &Vec<usize>| places.iter().copied().map(&moved).collect::<Option<Vec<_>>>();
        RowKey::any_of(self.alternatives().iter().filter_map(all).collect())
    }
}

/// Rows that agree in these places are in one task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partitioning {
    /// The places.
    pub places: Vec<usize>,
    /// Which bytes of them decide.
    pub by: PartitionedBy,
}

/// Which bytes decide the partition of a row.
#[derive(Debug, Clone)]
pub(crate) enum PartitionedBy {
    /// The encoded key: an exchange of this job.
    EncodedKey,
    /// The key of a topic: its format and fields.
    TopicKey(Arc<dyn Format>, Fields),
}

impl PartialEq for PartitionedBy {
    /// Whether equal values are equal bytes. Names of fields may be among the bytes.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (PartitionedBy::EncodedKey, PartitionedBy::EncodedKey) => true,
            (
                PartitionedBy::TopicKey(format, fields),
                PartitionedBy::TopicKey(other_format, other_fields),
            ) => {
                let named = format.facts().names_fields;
                let same = |(one, other): (&FieldRef, &FieldRef)| {
                    one.data_type() == other.data_type() && (!named || one.name() == other.name())
                };
                format.describe() == other_format.describe()
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

    /// Whether rows that agree in these places are in one task already.
    pub(crate) fn is_together(&self, places: &[usize]) -> bool {
        let by = self.partitioning.as_ref();
        by.is_some_and(|by| by.places.iter().all(|place| places.contains(place)))
    }

    /// Other rows, each made of several of these: they are columns as they are, and of what is known of these only what
    /// their tables say of time goes on.
    pub(crate) fn made_into(&self, node: NodeId, rows: SchemaRef) -> Stream {
        Stream {
            node,
            places: (0..rows.fields().len()).map(Some).collect(),
            rows,
            time: None,
            times: Times::Event,
            has_watermark: self.has_watermark,
            windows: None,
            within: None,
            unique: RowKey::Unknown,
            partitioning: None,
            keyed: None,
            late: self.late,
        }
    }

    /// The same rows with other columns: `of[new]` is the old column, or `None` for one that is new.
    pub(crate) fn with_columns(self, of: &[Option<usize>], places: Vec<Option<usize>>) -> Stream {
        let moved = |column: usize| of.iter().position(|old| *old == Some(column));
        Stream {
            places,
            time: self.time.and_then(moved),
            windows: self.windows.map(|windows| Windows {
                kind: windows.kind,
                partition: windows.partition,
                by: windows.by,
                time_type: windows.time_type,
                bounds: windows.bounds.moved(of),
            }),
            within: self.within.map(|within| Within {
                by: within.by.and_then(moved),
                bounds: within.bounds.moved(of),
                ..within
            }),
            ..self
        }
    }

    /// Other rows that an operator makes of these one by one; `moved` is where a place of the old ones has gone. The
    /// columns are given next, by [`Stream::with_columns`].
    pub(crate) fn over(
        self,
        node: NodeId,
        rows: SchemaRef,
        moved: impl Fn(usize) -> Option<usize>,
    ) -> Stream {
        let partitioning = self.partitioning.and_then(|partitioning| {
            let places = partitioning.places.into_iter().map(&moved).collect::<Option<Vec<_>>>()?;
            Some(Partitioning { places, by: partitioning.by })
        });
        let windows = self.windows.map(|windows| Windows {
            by: windows.by.and_then(&moved),
            partition: windows.partition.and_then(|places| places.into_iter().map(&moved).collect()),
            ..windows
        });
        Stream { node, rows, unique: self.unique.moved(&moved), partitioning, windows, keyed: None, ..self }
    }

    /// Places that go with the rows of a stream of this kind, be they columns or not: of an upsert stream its key, which
    /// alone says which row is replaced, and the time that open windows go by, since a row that only moves to another
    /// window is a change.
    pub(crate) fn carried(&self, kind: StreamKind) -> Vec<usize> {
        match kind {
            StreamKind::Upsert => {
                let key = self.unique.places().unwrap_or_default().iter().copied();
                key.chain(self.windows.as_ref().and_then(|windows| windows.by)).collect()
            }
            StreamKind::Append | StreamKind::Changelog => Vec::new(),
        }
    }
}
