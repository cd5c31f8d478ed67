//! Rows as records of a schema.

use super::numbers::in_unit;
use super::resolve::{map_value, not_null, record_fields};
use super::schema::{Kind, Logical, Node, Schema};
use crate::types::sql_type;
use crate::view::{Values, View, items};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

/// How a field is written.
#[derive(Debug)]
pub(crate) struct FieldWrite {
    name: String,
    /// The branches of null and of the value, where it is a union of those.
    branches: Option<[u8; 2]>,
    write: Write,
}

#[derive(Debug)]
enum Write {
    /// As it is.
    Plain,
    /// As `float` and `double`, whatever the column.
    Float,
    Double,
    /// As a number of such units.
    Units(TimeUnit),
    /// As bytes of its unscaled value: so many, or as few as it takes; of this scale.
    Decimal(Option<usize>, u8),
    /// As the number of a symbol.
    Enum(Vec<Box<str>>),
    /// Bytes without their length, which is this.
    Fixed(usize),
    Record(Vec<FieldWrite>),
    Array(Box<FieldWrite>),
    Map(Box<FieldWrite>),
}

/// How rows of these fields are written in a schema, whose fields are known by their places.
///
/// # Errors
/// A sentence that says what of the schema does not fit.
pub(crate) fn compile_fields(
    schema: &Schema,
    node: &Node,
    fields: &Fields,
) -> Result<Vec<FieldWrite>, String> {
    let Some(found) = record_fields(schema, node) else {
        return Err(format!("the schema says {} where the table has a ROW", schema.describe(node)));
    };
    if found.len() != fields.len() {
        let (found, columns) = (found.len(), fields.len());
        return Err(format!("the schema has {found} fields where the table has {columns} columns"));
    }
    let both = found.iter().zip(fields);
    both.map(|(found, field)| {
        let write = compile_field(schema, &found.node, field, &found.name);
        write.map_err(|why| format!("field \"{}\": {why}", field.name()))
    })
    .collect()
}

fn compile_field(schema: &Schema, node: &Node, field: &FieldRef, name: &str) -> Result<FieldWrite, String> {
    let branches = match node {
        Node::Union(branches) => match branches.as_slice() {
            [Node::Null, _] => Some([0, 2]),
            [_, Node::Null] => Some([2, 0]),
            _ => return Err("the schema has a union of more than a type and null".to_owned()),
        },
        _ => None,
    };
    if branches.is_none() && field.is_nullable() && *node != Node::Null {
        return Err("it may be null, but not by the schema: declare it NOT NULL".to_owned());
    }
    let write = compile_value(schema, not_null(node), field)?;
    Ok(FieldWrite { name: name.to_owned(), branches, write })
}

fn compile_value(schema: &Schema, node: &Node, field: &Field) -> Result<Write, String> {
    use DataType as T;
    let kind = match node {
        Node::Named(index) => Some(&schema.named[*index].kind),
        _ => None,
    };
    let inner =
        |node: &Node, field: &FieldRef| compile_field(schema, node, field, field.name()).map(Box::new);
    match (field.data_type(), node, kind) {
        (T::Boolean, Node::Boolean, _) | (T::Utf8, Node::String, _) => Ok(Write::Plain),
        (T::Int8 | T::Int16 | T::Int32, Node::Int(_) | Node::Long(_), _) => Ok(Write::Plain),
        (T::Int64, Node::Long(_), _) | (T::Date32, Node::Int(_), _) => Ok(Write::Plain),
        (T::Float32, Node::Float, _) => Ok(Write::Float),
        (T::Float32 | T::Float64, Node::Double, _) => Ok(Write::Double),
        (
            T::Time32(_) | T::Time64(_),
            Node::Int(Logical::Time(unit)) | Node::Long(Logical::Time(unit)),
            _,
        ) => Ok(Write::Units(*unit)),
        (T::Timestamp(..), Node::Long(Logical::Timestamp(unit, _)), _) => Ok(Write::Units(*unit)),
        (T::Utf8 | T::Binary, Node::Bytes(_), _) => Ok(Write::Plain),
        (T::Utf8, _, Some(Kind::Enum(symbols, _))) => {
            Ok(Write::Enum(symbols.iter().map(|symbol| symbol.as_str().into()).collect()))
        }
        (T::Binary, _, Some(Kind::Fixed(size, _))) => Ok(Write::Fixed(*size)),
        (T::Decimal128(..), Node::Bytes(Logical::Decimal(_, scale)), _) => Ok(Write::Decimal(None, *scale)),
        (T::Decimal128(..), _, Some(Kind::Fixed(size, Logical::Decimal(_, scale)))) => {
            Ok(Write::Decimal(Some(*size), *scale))
        }
        (T::Struct(fields), _, Some(Kind::Record(_))) => {
            Ok(Write::Record(compile_fields(schema, node, fields)?))
        }
        (T::List(item), Node::Array(node), _) => Ok(Write::Array(inner(node, item)?)),
        (T::Map(..), Node::Map(node), _) => match map_value(field) {
            Some(value) => Ok(Write::Map(inner(node, &value)?)),
            None => Err("the keys of a map have to be STRING".to_owned()),
        },
        (other, ..) => Err(format!("{} can't be written as {}", sql_type(other), schema.describe(node))),
    }
}

/// Appends a row.
///
/// # Errors
/// A sentence that says what can't be written.
pub(crate) fn write_row(
    fields: &[FieldWrite],
    columns: &[View],
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    for (field, column) in fields.iter().zip(columns) {
        write_field(field, column, row, out).map_err(|why| named(&field.name, &why))?;
    }
    Ok(())
}

/// Appends a record that says what happened to a row: with the row before or after, and what happened.
///
/// # Errors
/// As [`write_row`].
pub(crate) fn write_change(
    record: &[FieldWrite],
    columns: &[View],
    row: usize,
    goes: bool,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    for (place, field) in record.iter().enumerate() {
        let is_there = place == 2 || (place == 0) == goes;
        match (field.branches, is_there) {
            (Some([null, _]), false) => out.push(null),
            (Some([_, value]), true) => out.push(value),
            (None, true) => {}
            (None, false) => return Err(named(&field.name, "null, which the schema does not have")),
        }
        match &field.write {
            _ if !is_there => {}
            Write::Record(fields) => write_row(fields, columns, row, out)?,
            _ => push_bytes(if goes { b"d" } else { b"c" }, out),
        }
    }
    Ok(())
}

#[cold]
fn named(name: &str, why: &str) -> String {
    format!("field \"{name}\": {why}")
}

#[inline]
fn write_field(field: &FieldWrite, column: &View, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
    match (field.branches, column.is_null(row)) {
        (Some([null, _]), true) => {
            out.push(null);
            return Ok(());
        }
        (Some([_, value]), false) => out.push(value),
        (None, true) => return Err("null, which the schema does not have".to_owned()),
        (None, false) => {}
    }
    let misfit = || Err("a column of another type than declared".to_owned());
    match (&field.write, &column.values) {
        (Write::Plain, values) => return write_plain(values, row, out).map_or_else(misfit, Ok),
        (Write::Float, Values::Float32(values)) => out.extend_from_slice(&values[row].to_le_bytes()),
        (Write::Double, Values::Float64(values)) => out.extend_from_slice(&values[row].to_le_bytes()),
        (Write::Double, Values::Float32(values)) => {
            out.extend_from_slice(&f64::from(values[row]).to_le_bytes());
        }
        (Write::Units(to), values) => {
            let (value, from) = match values {
                Values::Timestamp(values, unit, _) => (values[row], *unit),
                Values::Time32(values, unit) => (values[row].into(), *unit),
                Values::Time64(values, unit) => (values[row], *unit),
                _ => return misfit(),
            };
            let value = in_unit(value, from, *to).ok_or("a time out of the range of its type")?;
            push_long(value, out);
        }
        (Write::Decimal(size, to), Values::Decimal(values, from)) => {
            write_decimal(values[row], *from, *size, *to, out)?;
        }
        (Write::Enum(symbols), Values::Utf8(values)) => {
            let value = values.value(row);
            let place = symbols.iter().position(|symbol| **symbol == *value);
            push_long(place.ok_or_else(|| format!("'{value}' is no symbol of the enum"))? as i64, out);
        }
        (Write::Fixed(size), Values::Binary(values)) => match values.value(row) {
            bytes if bytes.len() == *size => out.extend_from_slice(bytes),
            bytes => return Err(format!("{} bytes where the schema has {size}", bytes.len())),
        },
        (Write::Record(fields), Values::Struct(columns)) => write_row(fields, columns, row, out)?,
        (Write::Array(item), Values::List(offsets, column)) => {
            let range = items(offsets, row);
            if !range.is_empty() {
                push_long(range.len() as i64, out);
            }
            for row in range {
                write_field(item, column, row, out)?;
            }
            out.push(0);
        }
        (Write::Map(value), Values::Map(offsets, pair)) => {
            let [keys, values] = pair.as_ref();
            let Values::Utf8(texts) = &keys.values else { return misfit() };
            let range = items(offsets, row);
            if !range.is_empty() {
                push_long(range.len() as i64, out);
            }
            for row in range {
                push_bytes(texts.value(row).as_bytes(), out);
                write_field(value, values, row, out)?;
            }
            out.push(0);
        }
        _ => return misfit(),
    }
    Ok(())
}

#[inline(always)]
fn write_plain(values: &Values, row: usize, out: &mut Vec<u8>) -> Option<()> {
    match values {
        Values::Int64(values) => push_long(values[row], out),
        Values::Utf8(values) => push_bytes(values.value(row).as_bytes(), out),
        Values::Int32(values) | Values::Date(values) => push_long(values[row].into(), out),
        Values::Int16(values) => push_long(values[row].into(), out),
        Values::Int8(values) => push_long(values[row].into(), out),
        Values::Boolean(values) => out.push(values.value(row).into()),
        Values::Binary(values) => push_bytes(values.value(row), out),
        _ => return None,
    }
    Some(())
}

fn write_decimal(
    value: i128,
    from: i8,
    size: Option<usize>,
    to: u8,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let more = i32::from(to) - i32::from(from);
    let power = u32::try_from(more).ok().and_then(|more| 10i128.checked_pow(more));
    let value = power.and_then(|power| value.checked_mul(power));
    let value = value.ok_or("a decimal that the scale of the schema has no room for")?;
    let all = value.to_be_bytes();
    let sign = if value < 0 { 0xff } else { 0 };
    // The fewest bytes of which the first still has the sign.
    let start = (0..15).find(|at| all[*at] != sign || (all[at + 1] ^ sign) & 0x80 != 0).unwrap_or(15);
    let least = &all[start..];
    match size {
        None => push_bytes(least, out),
        Some(size) if size >= least.len() => {
            out.resize(out.len() + size - least.len(), sign);
            out.extend_from_slice(least);
        }
        Some(size) => return Err(format!("a decimal that {size} bytes have no room for")),
    }
    Ok(())
}

/// Appends a number.
#[inline(always)]
pub(crate) fn push_long(value: i64, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// Appends bytes with their length in front.
#[inline(always)]
pub(crate) fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    push_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_as_few_bytes_as_they_can() {
        for (value, expected) in [
            (0, &[2, 0][..]),
            (-1, &[2, 0xff]),
            (127, &[2, 0x7f]),
            (128, &[4, 0, 0x80]),
            (-128, &[2, 0x80]),
            (-129, &[4, 0xff, 0x7f]),
            (1_234_567, &[6, 0x12, 0xd6, 0x87]),
        ] {
            let mut out = Vec::new();
            write_decimal(value, 2, None, 2, &mut out).unwrap();
            assert_eq!(out, expected, "{value}");
        }
        let mut out = Vec::new();
        write_decimal(-1, 0, Some(3), 1, &mut out).unwrap();
        assert_eq!(out, [0xff, 0xff, 0xf6]);
        assert!(write_decimal(1 << 20, 0, Some(2), 0, &mut out).is_err());
        assert!(write_decimal(1, 2, None, 0, &mut out).is_err());
    }
}
