//! Rows as bytes: how operators keep whole rows in state.
//!
//! ```text
//! row:    a marker per column (0: null, 1: value) followed by the value
//! value:  fixed-width types little endian; strings and bytes: length, data; ROW: its fields as a row;
//!         ARRAY: count, items with markers; MAP: count, keys and values with markers
//! ```
//! Lengths and counts are LEB128. The encoding keeps no order and names no types: both stand in the store's schema.

use crate::OperatorError;
use crate::columns::ColumnBuilder;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};

/// Writes rows of one schema and reads them back as columns.
#[derive(Debug, Clone)]
pub struct RowCodec {
    schema: SchemaRef,
}

impl RowCodec {
    /// A codec for rows of `schema`.
    ///
    /// # Errors
    /// The first type that can't be kept.
    pub fn new(schema: SchemaRef) -> Result<Self, DataType> {
        for field in schema.fields() {
            ColumnBuilder::new(field.data_type())?;
        }
        Ok(RowCodec { schema })
    }

    /// The schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Makes ready to write rows of `columns`, which are of the codec's schema.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when they are not.
    pub fn writer<'a>(&self, columns: &'a RecordBatch) -> Result<RowWriter<'a>, OperatorError> {
        let views = columns.columns().iter().map(View::of).collect::<Option<Vec<_>>>();
        let views = views.filter(|views| views.len() == self.schema.fields().len());
        let views = views
            .ok_or(OperatorError::Mismatch { expected: "rows of the stored schema", found: "others" })?;
        Ok(RowWriter { views })
    }

    /// The columns of encoded rows, in their order.
    ///
    /// # Errors
    /// [`OperatorError::CorruptState`] when the bytes are not rows of this schema.
    pub fn read<'r>(&self, rows: impl IntoIterator<Item = &'r [u8]>) -> Result<RecordBatch, OperatorError> {
        let types: Vec<&DataType> = self.schema.fields().iter().map(|field| field.data_type()).collect();
        let corrupt = |detail: String| OperatorError::CorruptState { operator: "row".to_owned(), detail };
        let mut builders = Vec::with_capacity(types.len());
        for data_type in &types {
            builders.push(ColumnBuilder::new(data_type).map_err(|bad| corrupt(format!("type {bad}")))?);
        }
        let mut count = 0;
        for row in rows {
            let mut rest = row;
            for (builder, data_type) in builders.iter_mut().zip(&types) {
                read_nullable(data_type, &mut rest, builder)
                    .ok_or_else(|| corrupt("a row is cut off".to_owned()))?;
            }
            count += 1;
        }
        let arrays = builders.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}

/// Writes single rows of some columns.
#[derive(Debug)]
pub struct RowWriter<'a> {
    views: Vec<View<'a>>,
}

impl RowWriter<'_> {
    /// Appends the row at `row`.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        for view in &self.views {
            view.write_nullable(row, out);
        }
    }
}

/// Appends single values of a column to others of its type.
#[derive(Debug)]
pub struct ValueWriter<'a> {
    view: View<'a>,
    bytes: Vec<u8>,
}

impl<'a> ValueWriter<'a> {
    /// For the values of `column`.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when it is of a type that no column under construction is of.
    pub fn new(column: &'a ArrayRef) -> Result<Self, OperatorError> {
        let mismatch = OperatorError::Mismatch { expected: "a type of SQL", found: "another" };
        Ok(ValueWriter { view: View::of(column).ok_or(mismatch)?, bytes: Vec::new() })
    }

    /// The value at `row`, which may be null, as bytes.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        self.view.write_nullable(row, out);
    }

    /// Appends the value at `row`, which may be null.
    pub fn append(&mut self, row: usize, out: &mut ColumnBuilder) {
        self.bytes.clear();
        self.view.write_nullable(row, &mut self.bytes);
        let before = out.len();
        if read_nullable(self.view.array.data_type(), &mut self.bytes.as_slice(), out).is_none() {
            out.truncate(before);
            out.append_null();
        }
    }
}

/// A column, downcast once.
#[derive(Debug)]
struct View<'a> {
    array: &'a ArrayRef,
    kind: ViewKind<'a>,
}

#[derive(Debug)]
enum ViewKind<'a> {
    Boolean(&'a arrow::array::BooleanArray),
    Fixed(&'a [u8], usize),
    Utf8(&'a arrow::array::StringArray),
    Binary(&'a arrow::array::BinaryArray),
    Struct(Vec<View<'a>>),
    List(&'a [i32], Box<View<'a>>),
    Map(&'a [i32], Box<View<'a>>, Box<View<'a>>),
}

impl<'a> View<'a> {
    fn of(array: &'a ArrayRef) -> Option<Self> {
        use DataType as T;
        macro_rules! fixed {
            ($native:ty) => {{
                let values = array.as_primitive::<$native>().values();
                ViewKind::Fixed(values.inner().as_slice(), values.inner().len() / values.len().max(1))
            }};
        }
        let kind = match array.data_type() {
            T::Boolean => ViewKind::Boolean(array.as_boolean()),
            T::Int8 => fixed!(dt::Int8Type),
            T::Int16 => fixed!(dt::Int16Type),
            T::Int32 => fixed!(dt::Int32Type),
            T::Int64 => fixed!(dt::Int64Type),
            T::Float32 => fixed!(dt::Float32Type),
            T::Float64 => fixed!(dt::Float64Type),
            T::Decimal128(_, _) => fixed!(dt::Decimal128Type),
            T::Date32 => fixed!(dt::Date32Type),
            T::Time32(TimeUnit::Second) => fixed!(dt::Time32SecondType),
            T::Time32(_) => fixed!(dt::Time32MillisecondType),
            T::Time64(TimeUnit::Microsecond) => fixed!(dt::Time64MicrosecondType),
            T::Time64(_) => fixed!(dt::Time64NanosecondType),
            T::Timestamp(TimeUnit::Second, _) => fixed!(dt::TimestampSecondType),
            T::Timestamp(TimeUnit::Millisecond, _) => fixed!(dt::TimestampMillisecondType),
            T::Timestamp(TimeUnit::Microsecond, _) => fixed!(dt::TimestampMicrosecondType),
            T::Timestamp(TimeUnit::Nanosecond, _) => fixed!(dt::TimestampNanosecondType),
            T::Utf8 => ViewKind::Utf8(array.as_string()),
            T::Binary => ViewKind::Binary(array.as_binary()),
            T::Struct(_) => {
                let columns = array.as_struct().columns();
                ViewKind::Struct(columns.iter().map(View::of).collect::<Option<_>>()?)
            }
            T::List(_) => {
                let list = array.as_list::<i32>();
                ViewKind::List(list.value_offsets(), Box::new(View::of(list.values())?))
            }
            T::Map(_, _) => {
                let map = array.as_map();
                ViewKind::Map(
                    map.value_offsets(),
                    Box::new(View::of(map.keys())?),
                    Box::new(View::of(map.values())?),
                )
            }
            _ => return None,
        };
        Some(View { array, kind })
    }

    fn write_nullable(&self, row: usize, out: &mut Vec<u8>) {
        if self.array.is_null(row) {
            out.push(0);
        } else {
            out.push(1);
            self.write(row, out);
        }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            ViewKind::Boolean(values) => out.push(values.value(row).into()),
            ViewKind::Fixed(bytes, width) => out.extend_from_slice(&bytes[row * width..(row + 1) * width]),
            ViewKind::Utf8(values) => write_bytes(values.value(row).as_bytes(), out),
            ViewKind::Binary(values) => write_bytes(values.value(row), out),
            ViewKind::Struct(fields) => fields.iter().for_each(|field| field.write_nullable(row, out)),
            ViewKind::List(offsets, items) => {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                write_length(range.len(), out);
                range.for_each(|item| items.write_nullable(item, out));
            }
            ViewKind::Map(offsets, keys, values) => {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                write_length(range.len(), out);
                for item in range {
                    keys.write_nullable(item, out);
                    values.write_nullable(item, out);
                }
            }
        }
    }
}

/// Appends an unsigned LEB128 number.
pub(crate) fn write_length(length: usize, out: &mut Vec<u8>) {
    let mut rest = length as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Reads an unsigned LEB128 number.
pub(crate) fn read_length(input: &mut &[u8]) -> Option<usize> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

/// Appends what [`ValueWriter`] wrote.
pub(crate) fn read_nullable(
    data_type: &DataType,
    input: &mut &[u8],
    builder: &mut ColumnBuilder,
) -> Option<()> {
    match take::<1>(input)? {
        [0] => builder.append_null(),
        _ => read_value(data_type, input, builder)?,
    }
    Some(())
}

fn read_value(data_type: &DataType, input: &mut &[u8], builder: &mut ColumnBuilder) -> Option<()> {
    use DataType as T;
    match data_type {
        T::Boolean => builder.append_bool(take::<1>(input)? == [1]),
        T::Int8 => builder.append_i64(i8::from_le_bytes(take(input)?).into()),
        T::Int16 => builder.append_i64(i16::from_le_bytes(take(input)?).into()),
        T::Int32 | T::Date32 | T::Time32(_) => builder.append_i64(i32::from_le_bytes(take(input)?).into()),
        T::Int64 | T::Time64(_) | T::Timestamp(_, _) => builder.append_i64(i64::from_le_bytes(take(input)?)),
        T::Float32 => builder.append_f64(f32::from_le_bytes(take(input)?).into()),
        T::Float64 => builder.append_f64(f64::from_le_bytes(take(input)?)),
        T::Decimal128(_, _) => builder.append_i128(i128::from_le_bytes(take(input)?)),
        T::Utf8 | T::Binary => {
            let length = read_length(input)?;
            let (bytes, rest) = input.split_at_checked(length)?;
            if matches!(data_type, T::Utf8) {
                std::str::from_utf8(bytes).ok()?;
            }
            builder.append_bytes(bytes);
            *input = rest;
        }
        T::Struct(fields) => {
            for (field, column) in fields.iter().zip(builder.struct_columns()) {
                read_nullable(field.data_type(), input, column)?;
            }
            builder.seal_struct();
        }
        T::List(field) => {
            for _ in 0..read_length(input)? {
                read_nullable(field.data_type(), input, builder.list_items()?)?;
            }
            builder.seal_list();
        }
        T::Map(entries, _) => {
            let T::Struct(pair) = entries.data_type() else { return None };
            for _ in 0..read_length(input)? {
                let (keys, values) = builder.map_columns()?;
                // A key of a map is never null.
                (take::<1>(input)? != [0]).then_some(())?;
                read_value(pair[0].data_type(), input, keys)?;
                read_nullable(pair[1].data_type(), input, values)?;
            }
            builder.seal_map();
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, Fields, Schema};
    use std::sync::Arc;

    fn sample() -> RecordBatch {
        let place = Fields::from(vec![Field::new("x", T::Float64, true), Field::new("y", T::Float32, true)]);
        use DataType as T;
        let schema = Arc::new(Schema::new(vec![
            Field::new("b", T::Boolean, true),
            Field::new("i", T::Int64, true),
            Field::new("d", T::Decimal128(10, 2), true),
            Field::new("s", T::Utf8, true),
            Field::new("t", T::Timestamp(TimeUnit::Millisecond, Some("+00:00".into())), true),
            Field::new("place", T::Struct(place), true),
            Field::new("tags", T::List(Arc::new(Field::new("item", T::Utf8, true))), true),
            Field::new("map", crate::columns::map_type(T::Utf8, T::Int64), true),
        ]));
        let lines = r#"
            {"b": true, "i": -5, "d": 1.25, "s": "é", "t": 7, "place": {"x": 1.5}, "tags": ["a", null], "map": {"k": 1}}
            {"i": null, "tags": [], "map": {}}
            {"s": "", "place": {"x": -0.0, "y": 2.5}, "tags": ["b"], "map": {"k": null, "l": 2}}
        "#;
        let mut reader = arrow::json::ReaderBuilder::new(schema).build(lines.as_bytes()).unwrap();
        reader.next().unwrap().unwrap()
    }

    #[test]
    fn rows_of_every_type_come_back() {
        let batch = sample();
        let codec = RowCodec::new(batch.schema()).unwrap();
        let writer = codec.writer(&batch).unwrap();
        let rows: Vec<Vec<u8>> = (0..batch.num_rows())
            .map(|row| {
                let mut out = Vec::new();
                writer.write(row, &mut out);
                out
            })
            .collect();
        assert_eq!(codec.read(rows.iter().map(Vec::as_slice)).unwrap(), batch);
        // A slice begins in the middle of Arrow's buffers.
        let tail = batch.slice(1, 2);
        let mut out = Vec::new();
        codec.writer(&tail).unwrap().write(1, &mut out);
        assert_eq!(out, rows[2]);
    }

    #[test]
    fn a_row_cut_anywhere_is_refused() {
        let batch = sample();
        let codec = RowCodec::new(batch.schema()).unwrap();
        let mut row = Vec::new();
        codec.writer(&batch).unwrap().write(0, &mut row);
        for cut in 0..row.len() {
            assert!(codec.read([&row[..cut]]).is_err(), "cut at {cut}");
        }
    }
}
