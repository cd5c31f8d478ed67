//! Columns under construction: what decoders of every format append to.
//!
//! [`ColumnBuilder`] is one column of any type that SQL knows, nested ones included. It is an enum and not a trait
//! object, so that a decoder's inner loop is a jump and not a call; and it can be cut back ([`ColumnBuilder::truncate`])
//! when the second half of a record turns out to be bad.
//!
//! Columns of one run are much like those of the run before, so a builder that has been finished remembers how long
//! its values were and [`ColumnBuilder::reserve`] makes room for as many; and nulls cost little: no validity is kept
//! until the first null, and a null `ROW` writes nothing into its fields until a row comes that is not null.

mod finish;
mod parts;
mod validity;

pub use parts::{Fixed, ListBuilder, MapBuilder, StructBuilder, Variable};

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use std::sync::Arc;
use validity::{Ends, Validity};

/// A column being built. Appending a value of a kind that the column is not of appends null.
#[derive(Debug)]
pub enum ColumnBuilder {
    /// `BOOLEAN`.
    Boolean(Fixed<bool>),
    /// `TINYINT`.
    Int8(Fixed<i8>),
    /// `SMALLINT`.
    Int16(Fixed<i16>),
    /// `INT`.
    Int32(Fixed<i32>),
    /// `BIGINT`.
    Int64(Fixed<i64>),
    /// `FLOAT`.
    Float32(Fixed<f32>),
    /// `DOUBLE`.
    Float64(Fixed<f64>),
    /// `DECIMAL(p, s)`: unscaled values.
    Decimal(Fixed<i128>, u8, i8),
    /// `DATE`: days since 1970.
    Date(Fixed<i32>),
    /// `TIME`, in units of 32 bits.
    Time32(Fixed<i32>, TimeUnit),
    /// `TIME`, in units of 64 bits.
    Time64(Fixed<i64>, TimeUnit),
    /// `TIMESTAMP` and `TIMESTAMP_LTZ`.
    Timestamp(Fixed<i64>, TimeUnit, Option<Arc<str>>),
    /// `STRING`; the bytes are UTF-8.
    Utf8(Variable),
    /// `BYTES`.
    Binary(Variable),
    /// `ROW`.
    Struct(StructBuilder),
    /// `ARRAY`.
    List(ListBuilder),
    /// `MAP`.
    Map(MapBuilder),
}

impl ColumnBuilder {
    /// A builder for columns of `data_type`.
    ///
    /// # Errors
    /// The type, when no column of it can be built.
    pub fn new(data_type: &DataType) -> Result<Self, DataType> {
        use DataType as T;
        Ok(match data_type {
            T::Boolean => Self::Boolean(Fixed::default()),
            T::Int8 => Self::Int8(Fixed::default()),
            T::Int16 => Self::Int16(Fixed::default()),
            T::Int32 => Self::Int32(Fixed::default()),
            T::Int64 => Self::Int64(Fixed::default()),
            T::Float32 => Self::Float32(Fixed::default()),
            T::Float64 => Self::Float64(Fixed::default()),
            T::Decimal128(precision, scale) => Self::Decimal(Fixed::default(), *precision, *scale),
            T::Date32 => Self::Date(Fixed::default()),
            T::Time32(unit) => Self::Time32(Fixed::default(), *unit),
            T::Time64(unit) => Self::Time64(Fixed::default(), *unit),
            T::Timestamp(unit, zone) => Self::Timestamp(Fixed::default(), *unit, zone.clone()),
            T::Utf8 => Self::Utf8(Variable::default()),
            T::Binary => Self::Binary(Variable::default()),
            T::Struct(fields) => Self::Struct(StructBuilder {
                columns: fields.iter().map(|field| Self::new(field.data_type())).collect::<Result<_, _>>()?,
                fields: fields.clone(),
                nulls: Validity::default(),
                behind: 0,
            }),
            T::List(field) => Self::List(ListBuilder {
                items: Box::new(Self::new(field.data_type())?),
                field: Arc::clone(field),
                ends: Ends::default(),
                nulls: Validity::default(),
            }),
            T::Map(entries, _) => {
                let T::Struct(pair) = entries.data_type() else { return Err(data_type.clone()) };
                let [key, value] = pair.as_ref() else { return Err(data_type.clone()) };
                Self::Map(MapBuilder {
                    keys: Box::new(Self::new(key.data_type())?),
                    values: Box::new(Self::new(value.data_type())?),
                    entries: Arc::clone(entries),
                    ends: Ends::default(),
                    nulls: Validity::default(),
                })
            }
            other => return Err(other.clone()),
        })
    }

    /// Number of rows appended.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Boolean(column) => column.values.len(),
            Self::Int8(column) => column.values.len(),
            Self::Int16(column) => column.values.len(),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.values.len(),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.values.len()
            }
            Self::Float32(column) => column.values.len(),
            Self::Float64(column) => column.values.len(),
            Self::Decimal(column, _, _) => column.values.len(),
            Self::Utf8(column) | Self::Binary(column) => column.ends.rows(),
            Self::Struct(column) => column.nulls.len(),
            Self::List(column) => column.ends.rows(),
            Self::Map(column) => column.ends.rows(),
        }
    }

    /// Whether nothing was appended.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for as many rows, strings as long as those of the column finished last.
    pub fn reserve(&mut self, rows: usize) {
        match self {
            Self::Boolean(column) => column.values.reserve(rows),
            Self::Int8(column) => column.values.reserve(rows),
            Self::Int16(column) => column.values.reserve(rows),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.values.reserve(rows),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.values.reserve(rows);
            }
            Self::Float32(column) => column.values.reserve(rows),
            Self::Float64(column) => column.values.reserve(rows),
            Self::Decimal(column, _, _) => column.values.reserve(rows),
            Self::Utf8(column) | Self::Binary(column) => column.reserve(rows),
            // How much goes into nested columns is not known: a `ROW` may always be null, an `ARRAY` always empty.
            Self::Struct(_) | Self::List(_) | Self::Map(_) => {}
        }
    }

    /// Whether the row at `row` is null.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(column) => column.nulls.is_null(row),
            Self::Int8(column) => column.nulls.is_null(row),
            Self::Int16(column) => column.nulls.is_null(row),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.nulls.is_null(row),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.nulls.is_null(row)
            }
            Self::Float32(column) => column.nulls.is_null(row),
            Self::Float64(column) => column.nulls.is_null(row),
            Self::Decimal(column, _, _) => column.nulls.is_null(row),
            Self::Utf8(column) | Self::Binary(column) => column.nulls.is_null(row),
            Self::Struct(column) => column.nulls.is_null(row),
            Self::List(column) => column.nulls.is_null(row),
            Self::Map(column) => column.nulls.is_null(row),
        }
    }

    /// Appends null.
    #[inline]
    pub fn append_null(&mut self) {
        self.append_nulls(1);
    }

    /// Appends `rows` nulls.
    pub fn append_nulls(&mut self, rows: usize) {
        match self {
            Self::Boolean(column) => column.append_nulls(rows),
            Self::Int8(column) => column.append_nulls(rows),
            Self::Int16(column) => column.append_nulls(rows),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.append_nulls(rows),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.append_nulls(rows);
            }
            Self::Float32(column) => column.append_nulls(rows),
            Self::Float64(column) => column.append_nulls(rows),
            Self::Decimal(column, _, _) => column.append_nulls(rows),
            Self::Utf8(column) | Self::Binary(column) => column.append_nulls(rows),
            Self::Struct(column) => column.append_nulls(rows),
            Self::List(column) => column.append_nulls(rows),
            Self::Map(column) => column.append_nulls(rows),
        }
    }

    /// Appends a boolean.
    #[inline]
    pub fn append_bool(&mut self, value: bool) {
        match self {
            Self::Boolean(column) => column.append(value),
            other => other.append_null(),
        }
    }

    /// Appends an integer to a column of any integer, date, time or timestamp type. It must be in the type's range.
    #[inline]
    pub fn append_i64(&mut self, value: i64) {
        match self {
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.append(value)
            }
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.append(value as i32),
            Self::Int16(column) => column.append(value as i16),
            Self::Int8(column) => column.append(value as i8),
            other => other.append_null(),
        }
    }

    /// Appends the unscaled value of a decimal.
    #[inline]
    pub fn append_i128(&mut self, value: i128) {
        match self {
            Self::Decimal(column, _, _) => column.append(value),
            other => other.append_null(),
        }
    }

    /// Appends a floating-point number.
    #[inline]
    pub fn append_f64(&mut self, value: f64) {
        match self {
            Self::Float64(column) => column.append(value),
            Self::Float32(column) => column.append(value as f32),
            other => other.append_null(),
        }
    }

    /// Appends a string, which must be UTF-8, or bytes.
    #[inline]
    pub fn append_bytes(&mut self, bytes: &[u8]) {
        match self {
            Self::Utf8(column) | Self::Binary(column) => column.append(bytes),
            other => other.append_null(),
        }
    }

    /// The buffer to append a string or bytes to, piece by piece; [`ColumnBuilder::seal_bytes`] ends the value.
    #[inline]
    pub fn open_bytes(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Utf8(column) | Self::Binary(column) => Some(&mut column.data),
            _ => None,
        }
    }

    /// Ends a value written through [`ColumnBuilder::open_bytes`].
    #[inline]
    pub fn seal_bytes(&mut self) {
        if let Self::Utf8(column) | Self::Binary(column) = self {
            column.seal();
        }
    }

    /// The columns of a `ROW`, to append one value to each; [`ColumnBuilder::seal_struct`] ends the row.
    #[inline]
    pub fn struct_columns(&mut self) -> &mut [ColumnBuilder] {
        match self {
            Self::Struct(column) => column.open().0,
            _ => &mut [],
        }
    }

    /// Ends a `ROW` whose columns have got their values.
    #[inline]
    pub fn seal_struct(&mut self) {
        if let Self::Struct(column) = self {
            column.seal();
        }
    }

    /// The items of an `ARRAY`, to append to; [`ColumnBuilder::seal_list`] ends the array.
    #[inline]
    pub fn list_items(&mut self) -> Option<&mut ColumnBuilder> {
        match self {
            Self::List(column) => Some(&mut column.items),
            _ => None,
        }
    }

    /// Ends an `ARRAY` whose items have been appended.
    #[inline]
    pub fn seal_list(&mut self) {
        if let Self::List(column) = self {
            column.seal();
        }
    }

    /// Keys and values of a `MAP`, to append pairs to; [`ColumnBuilder::seal_map`] ends the map.
    #[inline]
    pub fn map_columns(&mut self) -> Option<(&mut ColumnBuilder, &mut ColumnBuilder)> {
        match self {
            Self::Map(column) => Some((&mut column.keys, &mut column.values)),
            _ => None,
        }
    }

    /// Ends a `MAP` whose pairs have been appended.
    #[inline]
    pub fn seal_map(&mut self) {
        if let Self::Map(column) = self {
            column.seal();
        }
    }

    /// Cuts the column back to its first `rows` rows. Also drops a half-written value of a nested column or string.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Self::Boolean(column) => column.truncate(rows),
            Self::Int8(column) => column.truncate(rows),
            Self::Int16(column) => column.truncate(rows),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.truncate(rows),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.truncate(rows)
            }
            Self::Float32(column) => column.truncate(rows),
            Self::Float64(column) => column.truncate(rows),
            Self::Decimal(column, _, _) => column.truncate(rows),
            Self::Utf8(column) | Self::Binary(column) => column.truncate(rows),
            Self::Struct(column) => column.truncate(rows),
            Self::List(column) => {
                column.ends.truncate(rows);
                column.items.truncate(column.ends.last());
                column.nulls.truncate(rows);
            }
            Self::Map(column) => {
                column.ends.truncate(rows);
                let pairs = column.ends.last();
                column.keys.truncate(pairs);
                column.values.truncate(pairs);
                column.nulls.truncate(rows);
            }
        }
    }
}

/// The Arrow type of a `MAP` column with these keys and values.
pub fn map_type(key: DataType, value: DataType) -> DataType {
    entries_type([Field::new("key", key, false), Field::new("value", value, true)])
}

/// The name of the second column of a `MULTISET`'s entries: what tells it from a `MAP`.
const TIMES: &str = "times";

/// The Arrow type of a `MULTISET` column: a map from its values to how often each is there.
pub fn multiset_type(value: DataType) -> DataType {
    entries_type([Field::new("value", value, false), Field::new(TIMES, DataType::Int32, true)])
}

/// The type of the values, if it is the type of a `MULTISET`.
pub fn multiset_value(data_type: &DataType) -> Option<&DataType> {
    let DataType::Map(entries, _) = data_type else { return None };
    match entries.data_type() {
        DataType::Struct(pair) if pair.len() == 2 && pair[1].name() == TIMES => Some(pair[0].data_type()),
        _ => None,
    }
}

fn entries_type(pair: [Field; 2]) -> DataType {
    let pair = Fields::from(pair.to_vec());
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false)
}
