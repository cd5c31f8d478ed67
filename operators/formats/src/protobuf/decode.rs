//! Messages into columns.
//!
//! A message is read once from front to back, and each value appended to its column as it comes by. What Protocol Buffers let a
//! writer do beside the usual is done over: of a field that comes again the last one counts, of a message that comes again
//! all of them together, of keys that repeat the last one, and of a `oneof` the field that comes last.

use super::descriptor::Kind;
use super::plan::{Absent, Default, FieldPlan, Item, RowPlan, Scalar, Shape};
use super::wire::{Value, array, field, unzigzag, varint};
use crate::avro::hex;
use crate::columns::{ColumnBuilder, ListBuilder, MapBuilder};
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

/// Decodes messages into columns. See the module's head.
#[derive(Debug)]
pub struct ProtobufDecoder {
    columns: Vec<ColumnBuilder>,
    needed: Fields,
    rows: usize,
    plan: RowPlan,
    ignore_parse_errors: bool,
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Malformed,
    Text,
    Symbol(i64),
    Missing,
    Range,
}

/// Reads one record.
#[derive(Default, Debug)]
struct Reader {
    fault: Option<Fault>,
    /// Columns from the inside out.
    path: Vec<usize>,
}

impl ProtobufDecoder {
    pub(super) fn new(
        needed: &Fields,
        plan: RowPlan,
        ignore_parse_errors: bool,
    ) -> Result<Self, FormatError> {
        let column = |field: &Arc<Field>| {
            ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported("protobuf", field))
        };
        let columns = needed.iter().map(column).collect::<Result<_, _>>()?;
        Ok(ProtobufDecoder { columns, needed: needed.clone(), rows: 0, plan, ignore_parse_errors })
    }

    #[cold]
    fn refuse(&mut self, payload: &[u8], reader: Reader) -> Result<Outcome, BadPayload> {
        let rows = self.rows;
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        if self.ignore_parse_errors {
            return Ok(Outcome::Nothing);
        }
        let what = match reader.fault.unwrap_or(Fault::Malformed) {
            Fault::Malformed => "not a message of this type".to_owned(),
            Fault::Text => "a text that is not UTF-8".to_owned(),
            Fault::Symbol(number) => format!("{number} is no value of its enum"),
            Fault::Missing => "the field is not there, but is declared NOT NULL".to_owned(),
            Fault::Range => "a value out of the range of its column".to_owned(),
        };
        let field = path(&self.needed, &reader.path);
        Err(BadPayload { field, detail: format!("{what}; payload: {}", hex(payload)) })
    }
}

/// The names of columns, from the outside in.
fn path(needed: &Fields, places: &[usize]) -> Option<String> {
    let (mut fields, mut names) = (needed.clone(), Vec::new());
    for place in places.iter().rev() {
        let Some(field) = fields.get(*place).cloned() else { break };
        names.push(field.name().clone());
        fields = rows_in(field.data_type()).unwrap_or_else(Fields::empty);
    }
    (!names.is_empty()).then(|| names.join("."))
}

/// The fields of the rows in a type.
fn rows_in(data_type: &DataType) -> Option<Fields> {
    match data_type {
        DataType::Struct(fields) => Some(fields.clone()),
        DataType::List(item) => rows_in(item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => rows_in(pair[1].data_type()),
            _ => None,
        },
        _ => None,
    }
}

impl PayloadDecoder for ProtobufDecoder {
    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let Some(payload) = payload else { return Ok(Outcome::Nothing) };
        let mut reader = Reader::default();
        match reader.row(&self.plan, &mut self.columns, self.rows, payload) {
            Some(()) => {
                self.rows += 1;
                Ok(Outcome::Row)
            }
            None => self.refuse(payload, reader),
        }
    }

    fn append_null_row(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_null);
        self.rows += 1;
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        self.columns.iter_mut().map(ColumnBuilder::finish).collect()
    }
}

impl Reader {
    #[cold]
    fn fail<T>(&mut self, fault: Fault) -> Option<T> {
        self.fault.get_or_insert(fault);
        None
    }

    #[cold]
    fn inside<T>(&mut self, column: usize) -> Option<T> {
        self.path.push(column);
        None
    }

    /// Reads a message as one row of the columns, which hold `row` rows.
    fn row(
        &mut self,
        plan: &RowPlan,
        columns: &mut [ColumnBuilder],
        row: usize,
        message: &[u8],
    ) -> Option<()> {
        let (mut rest, mut guess) = (message, 0);
        while !rest.is_empty() {
            let Some((number, value)) = field(&mut rest) else { return self.fail(Fault::Malformed) };
            // Fields mostly come in the order of their numbers.
            let place = match plan.numbers.get(guess) {
                Some((next, _)) if *next == number => guess,
                _ => match plan.numbers.binary_search_by_key(&number, |(number, _)| *number) {
                    Ok(place) => place,
                    Err(_) => continue,
                },
            };
            guess = place + 1;
            let at = plan.numbers[place].1;
            let (field, column) = (&plan.fields[at], &mut columns[at]);
            if self.value(field, column, row, value, message).is_none() {
                return self.inside(at);
            }
            if let Some(oneof) = field.oneof {
                let others = plan
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(other, field)| *other != at && field.oneof == Some(oneof));
                others.for_each(|(other, _)| columns[other].truncate(row));
            }
        }
        for (at, (field, column)) in plan.fields.iter().zip(columns).enumerate() {
            if self.close(field, column, row, message).is_none() {
                return self.inside(at);
            }
        }
        Some(())
    }

    /// Appends a value of a field, or drops it where it is none of the field's.
    fn value(
        &mut self,
        field: &FieldPlan,
        column: &mut ColumnBuilder,
        row: usize,
        value: Value<'_>,
        message: &[u8],
    ) -> Option<()> {
        match (&field.shape, &mut *column) {
            (Shape::Scalar(scalar), column) => {
                if column.len() > row {
                    column.truncate(row);
                }
                self.scalar(scalar, column, value)
            }
            (Shape::Row(plan), ColumnBuilder::Struct(rows)) => {
                let Value::Bytes(bytes) = value else { return Some(()) };
                let again = rows.rows() > row;
                let all;
                let bytes = match again {
                    false => bytes,
                    true => {
                        all = parts(message, field.number).concat();
                        column.truncate(row);
                        &all
                    }
                };
                let ColumnBuilder::Struct(rows) = column else { return Some(()) };
                let (columns, at) = rows.open();
                self.row(plan, columns, at, bytes)?;
                rows.seal();
                Some(())
            }
            (Shape::Items(item), ColumnBuilder::List(list)) => self.items(item, list, value),
            (Shape::Map(key, item), ColumnBuilder::Map(map)) => {
                let Value::Bytes(entry) = value else { return Some(()) };
                self.entry(key, item, map, entry)
            }
            _ => self.fail(Fault::Malformed),
        }
    }

    /// Gives a column what it gets when the message has been read.
    fn close(
        &mut self,
        field: &FieldPlan,
        column: &mut ColumnBuilder,
        row: usize,
        message: &[u8],
    ) -> Option<()> {
        let is_empty = match (&field.shape, &mut *column) {
            (Shape::Items(_), ColumnBuilder::List(list)) => list.open_items() == 0,
            (Shape::Map(key, item), ColumnBuilder::Map(map)) => {
                let first = map.sealed_pairs();
                if let Some(kept) = map.last_of_each(first) {
                    map.cut_back(first);
                    let entries = parts(message, field.number);
                    for (entry, _) in entries.iter().zip(kept).filter(|(_, kept)| *kept) {
                        self.entry(key, item, map, entry)?;
                    }
                }
                map.open_pairs() == 0
            }
            (_, column) if column.len() > row => return Some(()),
            _ => true,
        };
        match (is_empty, field.absent, &mut *column) {
            (true, Absent::Null, column) => column.append_null(),
            (true, Absent::Bad, _) => return self.fail(Fault::Missing),
            (_, _, ColumnBuilder::List(list)) => list.seal(),
            (_, _, ColumnBuilder::Map(map)) => map.seal(),
            (_, _, ColumnBuilder::Struct(rows)) => {
                let Shape::Row(plan) = &field.shape else { return Some(()) };
                let (columns, at) = rows.open();
                self.row(plan, columns, at, &[])?;
                rows.seal();
            }
            (_, _, column) => {
                let Shape::Scalar(scalar) = &field.shape else { return Some(()) };
                self.append_default(scalar, column)?;
            }
        }
        Some(())
    }

    fn append_default(&mut self, scalar: &Scalar, column: &mut ColumnBuilder) -> Option<()> {
        match (&scalar.default, scalar.kind) {
            (Default::Float(value), _) => column.append_f64(*value),
            (Default::Bytes(bytes), _) => column.append_bytes(bytes),
            (Default::Number(value), Kind::Bool) => column.append_bool(*value != 0),
            (Default::Number(value), Kind::Enum(_)) => return self.symbol(scalar, column, *value),
            (Default::Number(value), _) => column.append_i64(*value),
        }
        Some(())
    }

    fn item(&mut self, item: &Item, items: &mut ColumnBuilder, value: Value<'_>) -> Option<()> {
        match (item, &mut *items, value) {
            (Item::Scalar(scalar), items, value) => self.scalar(scalar, items, value),
            (Item::Row(plan), ColumnBuilder::Struct(rows), Value::Bytes(message)) => {
                let (columns, at) = rows.open();
                self.row(plan, columns, at, message)?;
                rows.seal();
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Appends items: one, or a run of numbers.
    fn items(&mut self, item: &Item, list: &mut ListBuilder, value: Value<'_>) -> Option<()> {
        let items = list.open();
        let (Item::Scalar(scalar), Value::Bytes(mut run)) = (item, value) else {
            return self.item(item, items, value);
        };
        if matches!(scalar.kind, Kind::String | Kind::Bytes) {
            return self.scalar(scalar, items, value);
        }
        while !run.is_empty() {
            let value = match scalar.kind {
                Kind::Double | Kind::Fixed64 => array(&mut run).map(Value::Fixed64),
                Kind::Float | Kind::Fixed32 => array(&mut run).map(Value::Fixed32),
                _ => varint(&mut run).map(Value::Varint),
            };
            let Some(value) = value else { return self.fail(Fault::Malformed) };
            self.scalar(scalar, items, value)?;
        }
        Some(())
    }

    /// Appends a pair; a half of it that is not there has its default.
    fn entry(&mut self, key: &Scalar, item: &Item, map: &mut MapBuilder, mut entry: &[u8]) -> Option<()> {
        let (keys, values) = map.open();
        let (at_key, at_value) = (keys.len(), values.len());
        while !entry.is_empty() {
            let Some((number, value)) = field(&mut entry) else { return self.fail(Fault::Malformed) };
            match number {
                1 => {
                    keys.truncate(at_key);
                    self.scalar(key, keys, value)?;
                }
                2 => {
                    values.truncate(at_value);
                    self.item(item, values, value)?;
                }
                _ => {}
            }
        }
        if keys.len() == at_key {
            self.append_default(key, keys)?;
        }
        if values.len() == at_value {
            match (item, values) {
                (Item::Scalar(scalar), values) => self.append_default(scalar, values)?,
                (Item::Row(plan), ColumnBuilder::Struct(rows)) => {
                    let (columns, at) = rows.open();
                    self.row(plan, columns, at, &[])?;
                    rows.seal();
                }
                _ => return self.fail(Fault::Malformed),
            }
        }
        Some(())
    }

    /// Appends a value, or nothing where it is none of its kind: to a reader that is a field it does not know.
    #[inline]
    fn scalar(&mut self, scalar: &Scalar, column: &mut ColumnBuilder, value: Value<'_>) -> Option<()> {
        match (scalar.kind, value) {
            (Kind::Int64(false), Value::Varint(value)) => column.append_i64(value as i64),
            (Kind::String, Value::Bytes(text)) => {
                if std::str::from_utf8(text).is_err() {
                    return self.fail(Fault::Text);
                }
                column.append_bytes(text);
            }
            (Kind::Int32(false) | Kind::Uint32, Value::Varint(value)) => {
                column.append_i64((value as i32).into())
            }
            (Kind::Double, Value::Fixed64(bytes)) => column.append_f64(f64::from_le_bytes(bytes)),
            (Kind::Float, Value::Fixed32(bytes)) => column.append_f64(f32::from_le_bytes(bytes).into()),
            (Kind::Bool, Value::Varint(value)) => column.append_bool(value != 0),
            (Kind::Bytes, Value::Bytes(bytes)) => column.append_bytes(bytes),
            (Kind::Int32(true), Value::Varint(value)) => {
                column.append_i64((unzigzag(u64::from(value as u32)) as i32).into());
            }
            (Kind::Int64(true), Value::Varint(value)) => column.append_i64(unzigzag(value)),
            (Kind::Fixed32, Value::Fixed32(bytes)) => column.append_i64(i32::from_le_bytes(bytes).into()),
            (Kind::Fixed64, Value::Fixed64(bytes)) => column.append_i64(i64::from_le_bytes(bytes)),
            (Kind::Enum(_), Value::Varint(value)) => {
                return self.symbol(scalar, column, (value as i32).into());
            }
            _ => {}
        }
        Some(())
    }

    /// Appends a value of an enum: its name or its number.
    fn symbol(&mut self, scalar: &Scalar, column: &mut ColumnBuilder, number: i64) -> Option<()> {
        match &mut *column {
            ColumnBuilder::Utf8(texts) => {
                match scalar.names.iter().find(|(_, known)| i64::from(*known) == number) {
                    Some((name, _)) => texts.append(name.as_bytes()),
                    None => return self.fail(Fault::Symbol(number)),
                }
            }
            ColumnBuilder::Int8(_) if i8::try_from(number).is_err() => return self.fail(Fault::Range),
            ColumnBuilder::Int16(_) if i16::try_from(number).is_err() => return self.fail(Fault::Range),
            column => column.append_i64(number),
        }
        Some(())
    }
}

/// All values of a field that are bytes, in their order. Only asked of messages that have been read.
fn parts(mut message: &[u8], wanted: u32) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((number, value)) = field(&mut message) {
        if let (true, Value::Bytes(bytes)) = (number == wanted, value) {
            found.push(bytes);
        }
    }
    found
}
