//! Columns under construction: what decoders of every format append to.
//!
//! [`ColumnBuilder`] is one column of any type that SQL knows, nested ones included. It is an enum and not a trait
//! object, so that a decoder's inner loop is a jump and not a call; and it can be cut back ([`ColumnBuilder::truncate`])
//! when the second half of a record turns out to be bad.

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes as dt;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, Fields, TimeUnit};
use std::sync::Arc;

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

/// Values of fixed width with their validity.
#[derive(Debug, Default)]
pub struct Fixed<T> {
    values: Vec<T>,
    nulls: Validity,
}

/// Strings or bytes.
#[derive(Debug, Default)]
pub struct Variable {
    data: Vec<u8>,
    ends: Vec<i32>,
    nulls: Validity,
}

/// A `ROW` column.
#[derive(Debug)]
pub struct StructBuilder {
    fields: Fields,
    columns: Vec<ColumnBuilder>,
    nulls: Validity,
}

/// An `ARRAY` column.
#[derive(Debug)]
pub struct ListBuilder {
    field: FieldRef,
    items: Box<ColumnBuilder>,
    ends: Vec<i32>,
    nulls: Validity,
}

/// A `MAP` column.
#[derive(Debug)]
pub struct MapBuilder {
    entries: FieldRef,
    keys: Box<ColumnBuilder>,
    values: Box<ColumnBuilder>,
    ends: Vec<i32>,
    nulls: Validity,
}

/// Which rows are valid. Costs nothing until the first null.
#[derive(Debug, Default)]
struct Validity {
    bits: Vec<bool>,
    /// Valid rows counted while `bits` is not in use.
    valid: usize,
}

impl Validity {
    #[inline]
    fn append(&mut self, valid: bool) {
        if self.bits.is_empty() && valid {
            self.valid += 1;
        } else {
            self.spill();
            self.bits.push(valid);
        }
    }

    fn spill(&mut self) {
        if self.bits.is_empty() {
            self.bits.resize(self.valid, true);
        }
    }

    fn len(&self) -> usize {
        if self.bits.is_empty() { self.valid } else { self.bits.len() }
    }

    fn truncate(&mut self, rows: usize) {
        self.bits.truncate(rows);
        self.valid = self.valid.min(rows);
    }

    fn finish(&mut self) -> Option<NullBuffer> {
        let taken = std::mem::take(self);
        (!taken.bits.is_empty()).then(|| NullBuffer::from(taken.bits)).filter(|nulls| nulls.null_count() > 0)
    }
}

impl<T: Default> Fixed<T> {
    #[inline]
    fn append(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append(true);
    }

    #[inline]
    fn append_null(&mut self) {
        self.values.push(T::default());
        self.nulls.append(false);
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
    }
}

impl<N> Fixed<N> {
    fn array<P: ArrowPrimitiveType<Native = N>>(&mut self) -> PrimitiveArray<P>
    where
        N: dt::ArrowNativeType,
    {
        let values = ScalarBuffer::from(std::mem::take(&mut self.values));
        PrimitiveArray::new(values, self.nulls.finish())
    }
}

impl Variable {
    #[inline]
    fn seal(&mut self, valid: bool) {
        self.ends.push(i32::try_from(self.data.len()).expect("a batch is bounded far below 2 GiB"));
        self.nulls.append(valid);
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last().map_or(0, |end| *end as usize));
        self.nulls.truncate(rows);
    }
}

/// Offsets as Arrow wants them: starting with 0.
fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.append(ends);
    OffsetBuffer::new(offsets.into())
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
            }),
            T::List(field) => Self::List(ListBuilder {
                items: Box::new(Self::new(field.data_type())?),
                field: Arc::clone(field),
                ends: Vec::new(),
                nulls: Validity::default(),
            }),
            T::Map(entries, _) => {
                let T::Struct(pair) = entries.data_type() else { return Err(data_type.clone()) };
                let [key, value] = pair.as_ref() else { return Err(data_type.clone()) };
                Self::Map(MapBuilder {
                    keys: Box::new(Self::new(key.data_type())?),
                    values: Box::new(Self::new(value.data_type())?),
                    entries: Arc::clone(entries),
                    ends: Vec::new(),
                    nulls: Validity::default(),
                })
            }
            other => return Err(other.clone()),
        })
    }

    /// Number of rows appended.
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
            Self::Utf8(column) | Self::Binary(column) => column.ends.len(),
            Self::Struct(column) => column.nulls.len(),
            Self::List(column) => column.ends.len(),
            Self::Map(column) => column.ends.len(),
        }
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends null.
    pub fn append_null(&mut self) {
        match self {
            Self::Boolean(column) => column.append_null(),
            Self::Int8(column) => column.append_null(),
            Self::Int16(column) => column.append_null(),
            Self::Int32(column) | Self::Date(column) | Self::Time32(column, _) => column.append_null(),
            Self::Int64(column) | Self::Time64(column, _) | Self::Timestamp(column, _, _) => {
                column.append_null()
            }
            Self::Float32(column) => column.append_null(),
            Self::Float64(column) => column.append_null(),
            Self::Decimal(column, _, _) => column.append_null(),
            Self::Utf8(column) | Self::Binary(column) => column.seal(false),
            Self::Struct(column) => {
                column.columns.iter_mut().for_each(ColumnBuilder::append_null);
                column.nulls.append(false);
            }
            Self::List(column) => {
                column.ends.push(column.items.len() as i32);
                column.nulls.append(false);
            }
            Self::Map(column) => {
                column.ends.push(column.keys.len() as i32);
                column.nulls.append(false);
            }
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
            Self::Utf8(column) | Self::Binary(column) => {
                column.data.extend_from_slice(bytes);
                column.seal(true);
            }
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
            column.seal(true);
        }
    }

    /// The columns of a `ROW`, to append one value to each; [`ColumnBuilder::seal_struct`] ends the row.
    pub fn struct_columns(&mut self) -> &mut [ColumnBuilder] {
        match self {
            Self::Struct(column) => &mut column.columns,
            _ => &mut [],
        }
    }

    /// Ends a `ROW` whose columns have got their values.
    pub fn seal_struct(&mut self) {
        if let Self::Struct(column) = self {
            column.nulls.append(true);
        }
    }

    /// The items of an `ARRAY`, to append to; [`ColumnBuilder::seal_list`] ends the array.
    pub fn list_items(&mut self) -> Option<&mut ColumnBuilder> {
        match self {
            Self::List(column) => Some(&mut column.items),
            _ => None,
        }
    }

    /// Ends an `ARRAY` whose items have been appended.
    pub fn seal_list(&mut self) {
        if let Self::List(column) = self {
            column.ends.push(column.items.len() as i32);
            column.nulls.append(true);
        }
    }

    /// Keys and values of a `MAP`, to append pairs to; [`ColumnBuilder::seal_map`] ends the map.
    pub fn map_columns(&mut self) -> Option<(&mut ColumnBuilder, &mut ColumnBuilder)> {
        match self {
            Self::Map(column) => Some((&mut column.keys, &mut column.values)),
            _ => None,
        }
    }

    /// Ends a `MAP` whose pairs have been appended.
    pub fn seal_map(&mut self) {
        if let Self::Map(column) = self {
            column.ends.push(column.keys.len() as i32);
            column.nulls.append(true);
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
            Self::Struct(column) => {
                column.columns.iter_mut().for_each(|field| field.truncate(rows));
                column.nulls.truncate(rows);
            }
            Self::List(column) => {
                column.ends.truncate(rows);
                column.items.truncate(column.ends.last().map_or(0, |end| *end as usize));
                column.nulls.truncate(rows);
            }
            Self::Map(column) => {
                column.ends.truncate(rows);
                let pairs = column.ends.last().map_or(0, |end| *end as usize);
                column.keys.truncate(pairs);
                column.values.truncate(pairs);
                column.nulls.truncate(rows);
            }
        }
    }

    /// The column. The builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(column) => {
                let values = BooleanBuffer::from(std::mem::take(&mut column.values));
                Arc::new(BooleanArray::new(values, column.nulls.finish()))
            }
            Self::Int8(column) => Arc::new(column.array::<dt::Int8Type>()),
            Self::Int16(column) => Arc::new(column.array::<dt::Int16Type>()),
            Self::Int32(column) => Arc::new(column.array::<dt::Int32Type>()),
            Self::Int64(column) => Arc::new(column.array::<dt::Int64Type>()),
            Self::Float32(column) => Arc::new(column.array::<dt::Float32Type>()),
            Self::Float64(column) => Arc::new(column.array::<dt::Float64Type>()),
            Self::Decimal(column, precision, scale) => {
                let array: Decimal128Array = column.array::<dt::Decimal128Type>();
                let data_type = DataType::Decimal128(*precision, *scale);
                Arc::new(array.with_data_type(data_type))
            }
            Self::Date(column) => Arc::new(column.array::<dt::Date32Type>()),
            Self::Time32(column, TimeUnit::Second) => Arc::new(column.array::<dt::Time32SecondType>()),
            Self::Time32(column, _) => Arc::new(column.array::<dt::Time32MillisecondType>()),
            Self::Time64(column, TimeUnit::Microsecond) => {
                Arc::new(column.array::<dt::Time64MicrosecondType>())
            }
            Self::Time64(column, _) => Arc::new(column.array::<dt::Time64NanosecondType>()),
            Self::Timestamp(column, unit, zone) => finish_timestamp(column, *unit, zone.clone()),
            Self::Utf8(column) => {
                let data = std::mem::take(&mut column.data).into();
                Arc::new(StringArray::new(offsets(&mut column.ends), data, column.nulls.finish()))
            }
            Self::Binary(column) => {
                let data = std::mem::take(&mut column.data).into();
                Arc::new(BinaryArray::new(offsets(&mut column.ends), data, column.nulls.finish()))
            }
            Self::Struct(column) => {
                let rows = column.nulls.len();
                let columns: Vec<ArrayRef> = column.columns.iter_mut().map(ColumnBuilder::finish).collect();
                let nulls = column.nulls.finish();
                match columns.is_empty() {
                    true => Arc::new(StructArray::new_empty_fields(rows, nulls)),
                    false => Arc::new(StructArray::new(column.fields.clone(), columns, nulls)),
                }
            }
            Self::List(column) => {
                let items = column.items.finish();
                let field = Arc::clone(&column.field);
                Arc::new(ListArray::new(field, offsets(&mut column.ends), items, column.nulls.finish()))
            }
            Self::Map(column) => {
                let DataType::Struct(pair) = column.entries.data_type() else {
                    unreachable!("checked when the builder was made")
                };
                let entries =
                    StructArray::new(pair.clone(), vec![column.keys.finish(), column.values.finish()], None);
                let field = Arc::clone(&column.entries);
                Arc::new(MapArray::new(
                    field,
                    offsets(&mut column.ends),
                    entries,
                    column.nulls.finish(),
                    false,
                ))
            }
        }
    }
}

fn finish_timestamp(column: &mut Fixed<i64>, unit: TimeUnit, zone: Option<Arc<str>>) -> ArrayRef {
    match unit {
        TimeUnit::Second => Arc::new(column.array::<dt::TimestampSecondType>().with_timezone_opt(zone)),
        TimeUnit::Millisecond => {
            Arc::new(column.array::<dt::TimestampMillisecondType>().with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => {
            Arc::new(column.array::<dt::TimestampMicrosecondType>().with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(column.array::<dt::TimestampNanosecondType>().with_timezone_opt(zone))
        }
    }
}

/// The Arrow type of a `MAP` column with these keys and values.
pub fn map_type(key: DataType, value: DataType) -> DataType {
    let pair = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false)
}
