//! Values of a match: of one of its rows, or over the rows of a variable.
//!
//! In a condition the row that is looked at counts as a row of the variable whose condition it is, and as the last row of
//! the match. Without a variable all rows of the match are meant.

use super::queue::Rows as StoredRows;
use super::run::{Run, Sum, SumKind};
use crate::OperatorError;
use crate::columns::ColumnBuilder;
use crate::expression::Expression;
use crate::meaning::RowsMeaning;
use crate::rows::read_nullable;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;

/// Rows of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// All of them.
    All,
    /// Those of a variable.
    Of(usize),
}

/// From where rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `FIRST(v.x, n)`.
    First,
    /// `LAST(v.x, n)`, and `v.x`.
    Last,
}

/// An aggregate over rows of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchAggregate {
    /// How many of them have a value.
    Count,
    /// Their sum; null over no value. Integers wrap around.
    Sum,
    /// The least value.
    Min,
    /// The largest value.
    Max,
}

/// A value of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A column of one row; null where there are fewer rows.
    Row {
        /// Of which rows.
        of: Rows,
        /// Counted from where.
        from: End,
        /// How far from there.
        offset: u32,
        /// The column of the input.
        column: usize,
    },
    /// An aggregate of a column.
    Aggregate {
        /// Which.
        aggregate: MatchAggregate,
        /// Over which rows.
        of: Rows,
        /// The column of the input.
        column: usize,
        /// Type of the result.
        data_type: DataType,
    },
    /// The time at which the match is known.
    Time(DataType),
}

impl Source {
    /// The type of its values.
    pub fn data_type(&self, input: &Schema) -> DataType {
        match self {
            Source::Row { column, .. } => input.field(*column).data_type().clone(),
            Source::Aggregate { data_type, .. } | Source::Time(data_type) => data_type.clone(),
        }
    }

    /// The column that is read.
    pub(super) fn column(&self) -> Option<usize> {
        match self {
            Source::Row { column, .. } | Source::Aggregate { column, .. } => Some(*column),
            Source::Time(_) => None,
        }
    }

    /// Whether it is a value of the row that is looked at, in the condition of a variable.
    pub(super) fn is_of_current(&self, variable: usize) -> bool {
        let own = [Rows::All, Rows::Of(variable)];
        matches!(self, Source::Row { of, from: End::Last, offset: 0, .. } if own.contains(of))
    }

    /// As SQL, `column` and `variable` being what these are called.
    pub(super) fn sql(&self, column: impl Fn(usize) -> String, variable: impl Fn(usize) -> String) -> String {
        let of = |rows: &Rows, at: usize| match rows {
            Rows::All => column(at),
            Rows::Of(of) => format!("{}.{}", variable(*of), column(at)),
        };
        match self {
            Source::Row { of: rows, from, offset, column } => {
                let name = if *from == End::First { "FIRST" } else { "LAST" };
                match offset {
                    0 => format!("{name}({})", of(rows, *column)),
                    offset => format!("{name}({}, {offset})", of(rows, *column)),
                }
            }
            Source::Aggregate { aggregate, of: rows, column, .. } => {
                format!("{}({})", format!("{aggregate:?}").to_uppercase(), of(rows, *column))
            }
            Source::Time(_) => "MATCH_ROWTIME()".to_owned(),
        }
    }

    pub(super) fn meaning(&self, input: &RowsMeaning) -> String {
        self.sql(|column| input.column(column), |variable| format!("#{variable}"))
    }
}

/// What holds for the rows of a variable.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What is read.
    pub sources: Vec<Source>,
    /// What is computed of it, in this order: a truth value.
    pub predicate: Arc<dyn Expression>,
}

impl Condition {
    pub(super) fn meaning(&self, input: &RowsMeaning) -> String {
        self.predicate.meaning(&|column| self.sources[column].meaning(input))
    }
}

/// What is kept of rows, and summed up over them.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// By column of the input: where it stands in the rows that are kept.
    places: Vec<Option<usize>>,
    /// The columns that are kept, with their types.
    pub(super) columns: Vec<(usize, DataType)>,
    /// What is summed up.
    pub(super) sums: Vec<KeptSum>,
}

/// What is summed up over rows of every match.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeptSum {
    pub(super) of: Rows,
    pub(super) kind: SumKind,
    /// The column that is kept.
    pub(super) place: usize,
}

impl Kept {
    /// What these read.
    pub(super) fn new<'s>(sources: impl Iterator<Item = &'s Source>, input: &Schema) -> Self {
        let width = input.fields().len();
        let mut kept = Kept { places: vec![None; width], columns: Vec::new(), sums: Vec::new() };
        for source in sources {
            let Some(column) = source.column() else { continue };
            let place = *kept.places[column].get_or_insert(kept.columns.len());
            if place == kept.columns.len() {
                kept.columns.push((column, input.field(column).data_type().clone()));
            }
            if let Some(sum) = kept.sum_of(source).filter(|sum| !kept.sums.contains(sum)) {
                kept.sums.push(sum);
            }
        }
        kept
    }

    fn sum_of(&self, source: &Source) -> Option<KeptSum> {
        let Source::Aggregate { aggregate, of, column, .. } = source else { return None };
        let place = self.places[*column]?;
        let kind = SumKind::new(*aggregate, &self.columns[place].1);
        Some(KeptSum { of: *of, kind, place })
    }

    /// The value of a column in a row that is kept.
    pub(super) fn value<'r>(&self, row: &'r [u8], place: usize) -> Option<&'r [u8]> {
        let offset = |place: usize| {
            let bytes = row.get(4 * place..4 * place + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        let end = if place + 1 == self.columns.len() { row.len() } else { offset(place + 1)? };
        row.get(offset(place)?..end)
    }

    /// The sums of a match that has no row.
    pub(super) fn no_sums(&self) -> Vec<Sum> {
        self.sums.iter().map(|sum| sum.kind.empty()).collect()
    }

    /// Adds a row of a variable to the sums of a match.
    pub(super) fn add_row(&self, sums: &mut [Sum], row: &[u8], variable: usize) {
        for (sum, kept) in sums.iter_mut().zip(&self.sums) {
            if (kept.of == Rows::All || kept.of == Rows::Of(variable))
                && let Some(value) = self.value(row, kept.place)
            {
                sum.add(&kept.kind, value);
            }
        }
    }
}

/// A match, or what there is of it, whose values are read.
pub(super) struct Seen<'a> {
    pub(super) run: &'a Run,
    pub(super) rows: &'a StoredRows,
    /// The row that is looked at, and the variable that it may be of.
    pub(super) current: Option<(u64, usize)>,
    /// When it is whole.
    pub(super) time: i64,
}

impl Seen<'_> {
    /// The number of a row.
    fn row(&self, of: Rows, from: End, offset: u32) -> Option<u64> {
        let (first, count) = match of {
            Rows::All => (0, self.run.length()),
            Rows::Of(variable) => self.run.rows_of(variable),
        };
        let own = self.current.filter(|(_, variable)| of == Rows::All || of == Rows::Of(*variable));
        let all = count + u64::from(own.is_some());
        let at = match from {
            End::First => Some(u64::from(offset)).filter(|at| *at < all),
            End::Last => all.checked_sub(1 + u64::from(offset)),
        }?;
        match own {
            Some((number, _)) if at == count => Some(number),
            _ => Some(self.run.start + first + at),
        }
    }

    /// Appends a value.
    pub(super) fn append(&self, source: &Source, kept: &Kept, out: &mut ColumnBuilder) {
        let appended = match source {
            Source::Row { of, from, offset, column } => self
                .row(*of, *from, *offset)
                .and_then(|number| self.value(number, kept.places[*column]?, kept))
                .and_then(|(mut value, data_type)| read_nullable(data_type, &mut value, out)),
            Source::Aggregate { of, .. } => {
                let sum =
                    kept.sum_of(source).and_then(|sum| kept.sums.iter().position(|other| *other == sum));
                sum.and_then(|at| {
                    let kind = &kept.sums[at].kind;
                    let own =
                        self.current.filter(|(_, variable)| *of == Rows::All || *of == Rows::Of(*variable));
                    let own = own.and_then(|(number, _)| self.value(number, kept.sums[at].place, kept));
                    let data_type = &kept.columns[kept.sums[at].place].1;
                    self.run.sums.get(at)?.append(kind, own.map(|(value, _)| value), data_type, out)
                })
            }
            Source::Time(_) => {
                out.append_i64(self.time);
                Some(())
            }
        };
        if appended.is_none() {
            out.append_null();
        }
    }

    fn value<'s>(&'s self, number: u64, place: usize, kept: &'s Kept) -> Option<(&'s [u8], &'s DataType)> {
        Some((kept.value(self.rows.get(number)?, place)?, &kept.columns[place].1))
    }
}

/// Columns of sources under construction.
pub(super) struct Table {
    builders: Vec<ColumnBuilder>,
    schema: Arc<Schema>,
    rows: usize,
}

impl Table {
    pub(super) fn new(sources: &[Source], input: &Schema) -> Result<Self, OperatorError> {
        let name = |source: &Source| source.column().map_or("", |column| input.field(column).name());
        let field = |source: &Source| Field::new(name(source), source.data_type(input), true);
        let schema = Arc::new(Schema::new(sources.iter().map(field).collect::<Vec<_>>()));
        Table::of(schema)
    }

    /// Columns of these names and types.
    pub(super) fn of(schema: Arc<Schema>) -> Result<Self, OperatorError> {
        let builder = |field: &Arc<Field>| {
            ColumnBuilder::new(field.data_type())
                .map_err(|_| OperatorError::Mismatch { expected: "types that can be kept", found: "others" })
        };
        let builders = schema.fields().iter().map(builder).collect::<Result<Vec<_>, _>>()?;
        Ok(Table { builders, schema, rows: 0 })
    }

    pub(super) fn push(&mut self, seen: &Seen<'_>, sources: &[Source], kept: &Kept) {
        for (source, out) in sources.iter().zip(&mut self.builders) {
            seen.append(source, kept, out);
        }
        self.rows += 1;
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// What was appended; nothing is left.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, OperatorError> {
        let columns: Vec<ArrayRef> = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
