//! Rows as messages, fields in the order of their numbers.

use super::descriptor::{FieldDef, Kind, Pool};
use super::plan::{Default, Scalar, entry, find, scalar};
use super::wire::{push_delimited, push_varint};
use crate::view::{Values, View, items};
use crate::{Encoder, types::sql_type};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};

/// Writes rows as messages.
#[derive(Debug)]
pub(crate) struct ProtobufEncoder {
    fields: Vec<FieldWrite>,
    columns: Vec<View>,
    null_literal: String,
}

/// How a column is written.
#[derive(Debug)]
struct FieldWrite {
    column: usize,
    number: u32,
    name: String,
    required: bool,
    /// Whether what is at its default is left out.
    is_plain: bool,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Scalar(Scalar),
    Row(Vec<FieldWrite>),
    /// Whether numbers stand in one run.
    Items(Box<Shape>, bool),
    Map(Box<Shape>, Box<Shape>),
}

impl ProtobufEncoder {
    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub(crate) fn new(
        pool: &Pool,
        message: usize,
        fields: &Fields,
        null_literal: &str,
    ) -> Result<Self, String> {
        let fields = row(pool, message, fields, 0)?;
        Ok(ProtobufEncoder { fields, columns: Vec::new(), null_literal: null_literal.to_owned() })
    }
}

fn row(pool: &Pool, message: usize, fields: &Fields, depth: usize) -> Result<Vec<FieldWrite>, String> {
    if depth > 64 {
        return Err("rows stand too deep in each other".to_owned());
    }
    let mut writes = Vec::with_capacity(fields.len());
    for (column, field) in fields.iter().enumerate() {
        let def = find(pool, message, field.name())?;
        let shape =
            shape(pool, def, field, depth).map_err(|why| format!("field \"{}\": {why}", field.name()))?;
        let is_plain = matches!(shape, Shape::Scalar(_)) && !def.has_presence;
        let name = field.name().clone();
        writes.push(FieldWrite { column, number: def.number, name, required: def.required, is_plain, shape });
    }
    let missing = pool.messages[message]
        .fields
        .iter()
        .find(|def| def.required && !fields.iter().any(|field| *field.name() == def.name));
    if let Some(missing) = missing {
        return Err(format!(
            "field \"{}\" of the message is required, and no column of the table",
            missing.name
        ));
    }
    writes.sort_by_key(|write| write.number);
    Ok(writes)
}

fn shape(pool: &Pool, def: &FieldDef, field: &Field, depth: usize) -> Result<Shape, String> {
    let one = |def: &FieldDef, data_type: &DataType| match (def.kind, data_type) {
        (Kind::Message(message), DataType::Struct(fields)) => {
            Ok(Shape::Row(row(pool, message, fields, depth + 1)?))
        }
        (_, data_type) => Ok::<_, String>(Shape::Scalar(scalar(pool, def, data_type)?)),
    };
    match (entry(pool, def), def.repeated, field.data_type()) {
        (Some([key, value]), _, DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let key = Box::new(one(&key, pair[0].data_type())?);
                Ok(Shape::Map(key, Box::new(one(&value, pair[1].data_type())?)))
            }
            _ => Err("a map without keys".to_owned()),
        },
        (None, true, DataType::List(item)) => {
            let is_run = def.packed && !matches!(def.kind, Kind::String | Kind::Bytes | Kind::Message(_));
            Ok(Shape::Items(Box::new(one(def, item.data_type())?), is_run))
        }
        (None, false, data_type) => one(def, data_type),
        (_, _, data_type) => Err(format!("it is no {}", sql_type(data_type))),
    }
}

impl Encoder for ProtobufEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        let views = columns.map(View::of).collect::<Result<_, _>>();
        self.columns = views.map_err(|data_type| format!("a column of type {data_type} can't be written"))?;
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        write_row(&self.fields, &self.columns, row, &self.null_literal, out)
    }
}

const MISFIT: &str = "a column of another type than declared";

fn write_row(
    fields: &[FieldWrite],
    columns: &[View],
    row: usize,
    literal: &str,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    for field in fields {
        let column = columns.get(field.column).ok_or(MISFIT)?;
        if column.is_null(row) {
            match field.required {
                true => return Err(format!("field \"{}\": null, but the message requires it", field.name)),
                false => continue,
            }
        }
        let written = write_field(field, column, row, literal, out);
        written.map_err(|why| format!("field \"{}\": {why}", field.name))?;
    }
    Ok(())
}

fn write_field(
    field: &FieldWrite,
    column: &View,
    row: usize,
    literal: &str,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    match (&field.shape, &column.values) {
        (Shape::Items(item, is_run), Values::List(offsets, column)) => {
            let range = items(offsets, row);
            if range.is_empty() {
                return Ok(());
            }
            if let (Shape::Scalar(scalar), true) = (item.as_ref(), is_run) {
                push_tag(field.number, 2, out);
                return push_delimited(out, |out| {
                    range.clone().try_for_each(|row| write_scalar(scalar, column, row, literal, out))
                });
            }
            range.clone().try_for_each(|row| write_one(field.number, item, column, row, literal, out))
        }
        (Shape::Map(key, value), Values::Map(offsets, pair)) => {
            let [keys, values] = pair.as_ref();
            for row in items(offsets, row) {
                push_tag(field.number, 2, out);
                push_delimited(out, |out| {
                    write_one(1, key, keys, row, literal, out)?;
                    write_one(2, value, values, row, literal, out)
                })?;
            }
            Ok(())
        }
        (shape, _) => {
            let start = out.len();
            write_one(field.number, shape, column, row, literal, out)?;
            if let (true, Shape::Scalar(scalar)) = (field.is_plain, shape)
                && is_default(scalar, column, row)?
            {
                out.truncate(start);
            }
            Ok(())
        }
    }
}

/// Appends a field with a value that is no list.
fn write_one(
    number: u32,
    shape: &Shape,
    column: &View,
    row: usize,
    literal: &str,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    match (shape, &column.values) {
        (Shape::Scalar(scalar), _) => {
            push_tag(number, wire(scalar.kind), out);
            write_scalar(scalar, column, row, literal, out)
        }
        (Shape::Row(fields), Values::Struct(columns)) => {
            push_tag(number, 2, out);
            push_delimited(out, |out| match column.is_null(row) {
                true => Ok(()),
                false => write_row(fields, columns, row, literal, out),
            })
        }
        _ => Err(MISFIT.to_owned()),
    }
}

fn push_tag(number: u32, wire: u64, out: &mut Vec<u8>) {
    push_varint((u64::from(number) << 3) | wire, out);
}

fn wire(kind: Kind) -> u64 {
    match kind {
        Kind::Double | Kind::Fixed64 => 1,
        Kind::Float | Kind::Fixed32 => 5,
        Kind::String | Kind::Bytes | Kind::Message(_) => 2,
        _ => 0,
    }
}

/// A number of a column; of an enum that of its name.
fn number(scalar: &Scalar, column: &View, row: usize) -> Result<i64, String> {
    Ok(match &column.values {
        Values::Int64(values) => values[row],
        Values::Int32(values) => values[row].into(),
        Values::Int16(values) => values[row].into(),
        Values::Int8(values) => values[row].into(),
        Values::Boolean(values) => values.value(row).into(),
        Values::Utf8(values) => {
            let text = values.value(row);
            let found = scalar.names.iter().find(|(name, _)| **name == *text);
            found
                .map(|(_, number)| i64::from(*number))
                .ok_or_else(|| format!("'{text}' is no value of its enum"))?
        }
        _ => return Err(MISFIT.to_owned()),
    })
}

/// Appends a value; null within a list or map is the default, and a text what is said for it.
fn write_scalar(
    scalar: &Scalar,
    column: &View,
    row: usize,
    literal: &str,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let is_null = column.is_null(row);
    let push_bytes = |bytes: &[u8], out: &mut Vec<u8>| {
        push_varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    };
    match (scalar.kind, &column.values) {
        (Kind::String, _) if is_null => push_bytes(literal.as_bytes(), out),
        (Kind::Bytes, _) if is_null => push_bytes(&[], out),
        (Kind::String, Values::Utf8(values)) => push_bytes(values.value(row).as_bytes(), out),
        (Kind::Bytes, Values::Binary(values)) => push_bytes(values.value(row), out),
        (Kind::Double, Values::Float64(values)) => {
            let value = if is_null { 0.0 } else { values[row] };
            out.extend_from_slice(&value.to_le_bytes());
        }
        (Kind::Float, Values::Float32(values)) => {
            let value = if is_null { 0.0 } else { values[row] };
            out.extend_from_slice(&value.to_le_bytes());
        }
        (kind, _) => {
            let value = match (is_null, &scalar.default) {
                (false, _) => number(scalar, column, row)?,
                (true, Default::Number(value)) if matches!(kind, Kind::Enum(_)) => *value,
                (true, _) => 0,
            };
            match kind {
                Kind::Fixed32 => out.extend_from_slice(&(value as i32).to_le_bytes()),
                Kind::Fixed64 => out.extend_from_slice(&value.to_le_bytes()),
                Kind::Int32(true) | Kind::Int64(true) => {
                    push_varint(((value << 1) ^ (value >> 63)) as u64, out)
                }
                Kind::Uint32 => push_varint((value as u32).into(), out),
                // A negative one has ten bytes, whatever it is.
                _ => push_varint(value as u64, out),
            }
        }
    }
    Ok(())
}

fn is_default(scalar: &Scalar, column: &View, row: usize) -> Result<bool, String> {
    Ok(match &column.values {
        Values::Utf8(values) if scalar.kind == Kind::String => values.value(row).is_empty(),
        Values::Binary(values) => values.value(row).is_empty(),
        Values::Float64(values) => values[row].to_bits() == 0,
        Values::Float32(values) => values[row].to_bits() == 0,
        _ => number(scalar, column, row)? == 0,
    })
}
