//! Keys as bytes: order-preserving, versioned by the store that holds them, the same in memory, on disk, in deltas and
//! on the wire.
//!
//! Per column a marker byte (0: null, 1: value; nulls sort first), then
//!
//! ```text
//! boolean            one byte
//! integers, dates,
//! times, decimals    big endian, sign bit flipped
//! floats             big endian, sign bit flipped, negative ones inverted; all NaNs and both zeros alike
//! strings, bytes     0x00 -> 0x00 0xff, ended by 0x00 0x00
//! ```
//! Comparing the bytes of two keys compares their values column by column (the tuple layer of FoundationDB encodes
//! strings the same way). Slots in memory use these bytes too. `arrow-row` would do for memory alone, but its encoding
//! may change between releases, so every key would have to be encoded a second time before it is stored or sent.

use crate::OperatorError;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, TimeUnit};
use millstream_state::BytesColumn;

/// Encodes key columns to bytes and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCodec {
    types: Vec<DataType>,
}

/// A key column, downcast once per batch.
enum KeyColumn<'a> {
    Boolean(&'a arrow::array::BooleanArray),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Int128(&'a [i128]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Utf8(&'a arrow::array::StringArray),
    Binary(&'a arrow::array::BinaryArray),
}

impl KeyCodec {
    /// A codec for columns of these types.
    ///
    /// # Errors
    /// The first type that can't be part of a key.
    pub fn new(types: Vec<DataType>) -> Result<Self, DataType> {
        match types.iter().find(|data_type| !is_key_type(data_type)) {
            Some(unsupported) => Err(unsupported.clone()),
            None => Ok(KeyCodec { types }),
        }
    }

    /// The types of the columns.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }

    /// The keys of `rows` rows of columns of the codec's types, in that order.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when the columns are of other types.
    pub fn encode(&self, columns: &[ArrayRef], rows: usize) -> Result<BytesColumn, OperatorError> {
        let mut views = Vec::with_capacity(columns.len());
        for (column, data_type) in columns.iter().zip(&self.types) {
            let matching = column.data_type() == data_type;
            let view = if matching { key_column(column) } else { None };
            views.push((view.ok_or(MISMATCH)?, column.nulls()));
        }
        let mut keys = BytesColumn::with_capacity(rows, rows * 10 * columns.len());
        for row in 0..rows {
            let out = keys.open_row();
            for (column, nulls) in &views {
                if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    out.push(0);
                } else {
                    out.push(1);
                    encode_value(column, row, out);
                }
            }
            keys.seal_row();
        }
        Ok(keys)
    }

    /// The columns of encoded keys.
    ///
    /// # Errors
    /// [`OperatorError::CorruptState`] when the bytes are not keys of this codec.
    pub fn decode<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<ArrayRef>, OperatorError> {
        let mut builders: Vec<crate::columns::ColumnBuilder> = Vec::with_capacity(self.types.len());
        for data_type in &self.types {
            builders.push(crate::columns::ColumnBuilder::new(data_type).map_err(|_| MISMATCH)?);
        }
        for key in keys {
            let mut rest = key;
            for (builder, data_type) in builders.iter_mut().zip(&self.types) {
                decode_value(data_type, &mut rest, builder).ok_or_else(|| OperatorError::CorruptState {
                    operator: "key".to_owned(),
                    detail: format!("{key:02x?} is not a key of {:?}", self.types),
                })?;
            }
        }
        Ok(builders.into_iter().map(|mut builder| builder.finish()).collect())
    }
}

const MISMATCH: OperatorError =
    OperatorError::Mismatch { expected: "key columns of the declared types", found: "others" };

/// Whether values of this type can be part of a key.
fn is_key_type(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Boolean
            | T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::Float32
            | T::Float64
            | T::Utf8
            | T::Binary
            | T::Date32
            | T::Time32(_)
            | T::Time64(_)
            | T::Timestamp(_, _)
            | T::Decimal128(_, _)
    )
}

fn key_column(column: &ArrayRef) -> Option<KeyColumn<'_>> {
    use DataType as T;
    macro_rules! values {
        ($view:ident, $native:ty) => {
            KeyColumn::$view(column.as_primitive::<$native>().values())
        };
    }
    Some(match column.data_type() {
        T::Boolean => KeyColumn::Boolean(column.as_boolean()),
        T::Int8 => values!(Int8, dt::Int8Type),
        T::Int16 => values!(Int16, dt::Int16Type),
        T::Int32 => values!(Int32, dt::Int32Type),
        T::Int64 => values!(Int64, dt::Int64Type),
        T::Float32 => values!(Float32, dt::Float32Type),
        T::Float64 => values!(Float64, dt::Float64Type),
        T::Date32 => values!(Int32, dt::Date32Type),
        T::Time32(TimeUnit::Second) => values!(Int32, dt::Time32SecondType),
        T::Time32(TimeUnit::Millisecond) => values!(Int32, dt::Time32MillisecondType),
        T::Time64(TimeUnit::Microsecond) => values!(Int64, dt::Time64MicrosecondType),
        T::Time64(TimeUnit::Nanosecond) => values!(Int64, dt::Time64NanosecondType),
        T::Timestamp(TimeUnit::Second, _) => values!(Int64, dt::TimestampSecondType),
        T::Timestamp(TimeUnit::Millisecond, _) => values!(Int64, dt::TimestampMillisecondType),
        T::Timestamp(TimeUnit::Microsecond, _) => values!(Int64, dt::TimestampMicrosecondType),
        T::Timestamp(TimeUnit::Nanosecond, _) => values!(Int64, dt::TimestampNanosecondType),
        T::Decimal128(_, _) => values!(Int128, dt::Decimal128Type),
        T::Utf8 => KeyColumn::Utf8(column.as_string()),
        T::Binary => KeyColumn::Binary(column.as_binary()),
        _ => return None,
    })
}

#[inline]
fn encode_value(column: &KeyColumn<'_>, row: usize, out: &mut Vec<u8>) {
    match column {
        KeyColumn::Boolean(values) => out.push(values.value(row).into()),
        KeyColumn::Int8(values) => out.extend((values[row] ^ i8::MIN).to_be_bytes()),
        KeyColumn::Int16(values) => out.extend((values[row] ^ i16::MIN).to_be_bytes()),
        KeyColumn::Int32(values) => out.extend((values[row] ^ i32::MIN).to_be_bytes()),
        KeyColumn::Int64(values) => out.extend((values[row] ^ i64::MIN).to_be_bytes()),
        KeyColumn::Int128(values) => out.extend((values[row] ^ i128::MIN).to_be_bytes()),
        KeyColumn::Float32(values) => out.extend(order_f32(values[row]).to_be_bytes()),
        KeyColumn::Float64(values) => out.extend(order_f64(values[row]).to_be_bytes()),
        KeyColumn::Utf8(values) => escape(values.value(row).as_bytes(), out),
        KeyColumn::Binary(values) => escape(values.value(row), out),
    }
}

/// Bits of a float whose unsigned order is the float's order; NaN is the largest, -0 is 0.
fn order_f64(value: f64) -> u64 {
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn order_f32(value: f32) -> u32 {
    let value = if value.is_nan() { f32::NAN } else { value + 0.0 };
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// Appends bytes such that no encoding is a prefix of another and order is kept.
fn escape(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some(zero) = memchr::memchr(0, bytes) {
        out.extend_from_slice(&bytes[..=zero]);
        out.push(0xff);
        bytes = &bytes[zero + 1..];
    }
    out.extend_from_slice(bytes);
    out.extend([0, 0]);
}

fn unescape<'a>(input: &mut &'a [u8]) -> Option<std::borrow::Cow<'a, [u8]>> {
    let mut whole: Vec<u8> = Vec::new();
    loop {
        let zero = memchr::memchr(0, input)?;
        let (part, rest) = input.split_at(zero);
        *input = rest.get(2..)?;
        match rest[1] {
            0 if whole.is_empty() => return Some(part.into()),
            0 => {
                whole.extend(part);
                return Some(whole.into());
            }
            0xff => {
                whole.extend(part);
                whole.push(0);
            }
            _ => return None,
        }
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

fn decode_value(
    data_type: &DataType,
    input: &mut &[u8],
    builder: &mut crate::columns::ColumnBuilder,
) -> Option<()> {
    use DataType as T;
    if take::<1>(input)? == [0] {
        builder.append_null();
        return Some(());
    }
    match data_type {
        T::Boolean => builder.append_bool(take::<1>(input)? == [1]),
        T::Int8 => builder.append_i64((i8::from_be_bytes(take(input)?) ^ i8::MIN).into()),
        T::Int16 => builder.append_i64((i16::from_be_bytes(take(input)?) ^ i16::MIN).into()),
        T::Int32 | T::Date32 | T::Time32(_) => {
            builder.append_i64((i32::from_be_bytes(take(input)?) ^ i32::MIN).into());
        }
        T::Int64 | T::Time64(_) | T::Timestamp(_, _) => {
            builder.append_i64(i64::from_be_bytes(take(input)?) ^ i64::MIN);
        }
        T::Decimal128(_, _) => builder.append_i128(i128::from_be_bytes(take(input)?) ^ i128::MIN),
        T::Float32 => {
            let bits = u32::from_be_bytes(take(input)?);
            let bits = if bits >> 31 == 1 { bits ^ 1 << 31 } else { !bits };
            builder.append_f64(f32::from_bits(bits).into());
        }
        T::Float64 => {
            let bits = u64::from_be_bytes(take(input)?);
            let bits = if bits >> 63 == 1 { bits ^ 1 << 63 } else { !bits };
            builder.append_f64(f64::from_bits(bits));
        }
        T::Utf8 => {
            let bytes = unescape(input)?;
            std::str::from_utf8(&bytes).ok()?;
            builder.append_bytes(&bytes);
        }
        T::Binary => builder.append_bytes(&unescape(input)?),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BinaryArray, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn encode(columns: &[ArrayRef]) -> (KeyCodec, BytesColumn) {
        let codec = KeyCodec::new(columns.iter().map(|column| column.data_type().clone()).collect()).unwrap();
        let keys = codec.encode(columns, columns[0].len()).unwrap();
        (codec, keys)
    }

    proptest! {
        #[test]
        fn order_and_value_survive(rows in proptest::collection::vec(
            (any::<Option<i64>>(), proptest::option::of("[\\x00-\\x02a]{0,4}"), any::<Option<i32>>()), 1..20
        )) {
            let columns: Vec<ArrayRef> = vec![
                Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
                Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>()),
                Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>()),
            ];
            let (codec, keys) = encode(&columns);
            for a in 0..rows.len() {
                for b in 0..rows.len() {
                    prop_assert_eq!(keys.get(a).cmp(keys.get(b)), rows[a].cmp(&rows[b]));
                }
            }
            prop_assert_eq!(codec.decode(keys.iter()).unwrap(), columns);
        }

        #[test]
        fn floats_sort_as_numbers(values in proptest::collection::vec(any::<f64>(), 2..20)) {
            let (codec, keys) = encode(&[Arc::new(Float64Array::from(values.clone()))]);
            for a in 0..values.len() {
                for b in 0..values.len() {
                    if let Some(order) = values[a].partial_cmp(&values[b]) {
                        prop_assert_eq!(keys.get(a).cmp(keys.get(b)), order);
                    }
                }
            }
            let back = codec.decode(keys.iter()).unwrap();
            let back = back[0].as_primitive::<dt::Float64Type>();
            prop_assert!(back.values().iter().zip(&values).all(|(a, b)| a == b || a.is_nan() && b.is_nan()));
        }

        #[test]
        fn binary_and_decimals_come_back(
            rows in proptest::collection::vec((any::<Vec<u8>>(), -1_000_000i128..1_000_000), 1..10)
        ) {
            let decimals = rows.iter().map(|row| Some(row.1)).collect::<Decimal128Array>();
            let columns: Vec<ArrayRef> = vec![
                Arc::new(rows.iter().map(|row| Some(row.0.clone())).collect::<BinaryArray>()),
                Arc::new(decimals.with_precision_and_scale(10, 2).unwrap()),
            ];
            let (codec, keys) = encode(&columns);
            prop_assert_eq!(codec.decode(keys.iter()).unwrap(), columns);
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        let codec = KeyCodec::new(vec![DataType::Int64, DataType::Utf8]).unwrap();
        for bytes in [&b""[..], &[1, 0], &[0, 1, b'a'], &[0, 1, 0, 7]] {
            assert!(codec.decode(std::iter::once(bytes)).is_err(), "{bytes:?}");
        }
    }
}
