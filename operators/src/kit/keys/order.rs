//! The columns of an `ORDER BY` as bytes: comparing the bytes of two rows orders them.

use super::KeyCodec;
use crate::OperatorError;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use millstream_state::BytesColumn;

/// A column that rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortColumn {
    /// Its place in the rows.
    pub place: usize,
    /// Its name, for people.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether large values come first.
    pub descending: bool,
    /// Whether nulls come before all values.
    pub nulls_first: bool,
}

impl SortColumn {
    /// How rows are ordered by it, whatever it is called.
    pub(crate) fn ordered(&self, column: &str) -> String {
        let direction = if self.descending { "desc" } else { "asc" };
        let nulls = if self.nulls_first { "first" } else { "last" };
        format!("{column} {direction} nulls {nulls}")
    }
}

impl std::fmt::Display for SortColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.ordered(&self.name))
    }
}

/// Encodes the columns of an `ORDER BY`.
///
/// Per column the bytes of a [`KeyCodec`], inverted where large values come first; no encoding of a row is a prefix of
/// another, so that a number may follow that tells equal rows apart.
#[derive(Debug, Clone)]
pub(crate) struct OrderCodec {
    columns: Vec<(SortColumn, KeyCodec)>,
}

impl OrderCodec {
    /// A codec for these columns; the first type that rows can't be ordered by.
    pub(crate) fn new(columns: &[SortColumn]) -> Result<Self, DataType> {
        let codec =
            |column: &SortColumn| Ok((column.clone(), KeyCodec::new(vec![column.data_type.clone()])?));
        Ok(OrderCodec { columns: columns.iter().map(codec).collect::<Result<_, DataType>>()? })
    }

    /// The order of each of the rows.
    pub(crate) fn encode(&self, rows: &RecordBatch) -> Result<EncodedOrder, OperatorError> {
        let mut parts = Vec::with_capacity(self.columns.len());
        for (column, codec) in &self.columns {
            let missing = OperatorError::Mismatch { expected: "the columns of ORDER BY", found: "fewer" };
            let values = rows.columns().get(column.place).cloned().ok_or(missing)?;
            let flip = Flip {
                values: column.descending,
                // A null is marked by less than a value is.
                marker: !column.nulls_first,
            };
            parts.push((codec.encode(&[values], rows.num_rows())?, flip));
        }
        Ok(EncodedOrder { parts })
    }
}

/// What is inverted of a column's bytes.
#[derive(Debug, Clone, Copy)]
struct Flip {
    values: bool,
    marker: bool,
}

/// The order of some rows.
#[derive(Debug)]
pub(crate) struct EncodedOrder {
    parts: Vec<(BytesColumn, Flip)>,
}

impl EncodedOrder {
    /// Appends the order of a row.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        for (column, flip) in &self.parts {
            let Some((marker, value)) = column.get(row).split_first() else { continue };
            out.push(if flip.marker { !marker } else { *marker });
            match flip.values {
                true => out.extend(value.iter().map(|byte| !byte)),
                false => out.extend_from_slice(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::batch;

    fn ordered(rows: &str, data_type: DataType, descending: bool, nulls_first: bool) -> Vec<usize> {
        let rows = batch(rows);
        let column = SortColumn { place: 0, name: "v".to_owned(), data_type, descending, nulls_first };
        let encoded = OrderCodec::new(&[column]).unwrap().encode(rows.columns().unwrap()).unwrap();
        let bytes = |row: usize| {
            let mut out = Vec::new();
            encoded.write(row, &mut out);
            out
        };
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by_key(|row| bytes(*row));
        places
    }

    #[test]
    fn rows_are_ordered_either_way_with_nulls_at_either_end() {
        let rows = "v:i64 | + 5  + null  + -3  + 7";
        assert_eq!(ordered(rows, DataType::Int64, false, true), [1, 2, 0, 3]);
        assert_eq!(ordered(rows, DataType::Int64, false, false), [2, 0, 3, 1]);
        assert_eq!(ordered(rows, DataType::Int64, true, false), [3, 0, 2, 1]);
        assert_eq!(ordered(rows, DataType::Int64, true, true), [1, 3, 0, 2]);
    }

    #[test]
    fn texts_of_which_one_begins_the_other_are_ordered_either_way() {
        let rows = "v:utf8 | + ab  + a  + abc  + b";
        assert_eq!(ordered(rows, DataType::Utf8, false, true), [1, 0, 2, 3]);
        assert_eq!(ordered(rows, DataType::Utf8, true, false), [3, 2, 0, 1]);
    }
}
