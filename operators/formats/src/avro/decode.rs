//! What decodes records of Avro.

use super::conflict;
use super::read::{Fault, Place, Reader};
use super::resolve::{Plan, compile};
use super::schema::Schema;
use super::schemas::Schemas;
use crate::changes::decode::RecordDecoder;
use crate::columns::ColumnBuilder;
use crate::types::sql_type;
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};
use std::fmt::Write;
use std::sync::Arc;

/// Schemas whose plans a decoder keeps.
const PLANS_MAX: usize = 64;

/// Decodes records of Avro into columns. See the module's head.
#[derive(Debug)]
pub struct AvroDecoder {
    columns: Vec<ColumnBuilder>,
    needed: Fields,
    rows: usize,
    plans: Plans,
}

/// How records are read.
#[derive(Debug)]
enum Plans {
    /// In one schema.
    One(Box<Plan>),
    /// In the schema that each names.
    Registered(Box<Registered>),
}

#[derive(Debug)]
struct Registered {
    schemas: Arc<Schemas>,
    reader: Arc<Schema>,
    declared: Fields,
    needed: Fields,
    plans: Vec<(u32, Result<Plan, String>)>,
    /// The one used last.
    last: usize,
}

impl AvroDecoder {
    /// A decoder for records written in a schema, that of the `declared` fields.
    ///
    /// # Errors
    /// [`FormatError::Conflict`] for what does not fit.
    pub(super) fn of_schema(
        schema: &Arc<Schema>,
        declared: &Fields,
        needed: &Fields,
    ) -> Result<Self, FormatError> {
        let plan = compile(schema, schema, declared, needed).map_err(conflict)?;
        AvroDecoder::new(needed, Plans::One(Box::new(plan)))
    }

    /// A decoder for records that name their schemas.
    ///
    /// # Errors
    /// As [`AvroDecoder::of_schema`], by the reader's schema.
    pub(super) fn of_schemas(
        schemas: Arc<Schemas>,
        reader: Arc<Schema>,
        declared: &Fields,
        needed: &Fields,
    ) -> Result<Self, FormatError> {
        compile(&reader, &reader, declared, needed).map_err(conflict)?;
        let (declared, own) = (declared.clone(), needed.clone());
        let registered = Registered { schemas, reader, declared, needed: own, plans: Vec::new(), last: 0 };
        AvroDecoder::new(needed, Plans::Registered(Box::new(registered)))
    }

    fn new(needed: &Fields, plans: Plans) -> Result<Self, FormatError> {
        let column = |field: &Arc<Field>| {
            ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported("avro", field))
        };
        let columns = needed.iter().map(column).collect::<Result<_, _>>()?;
        Ok(AvroDecoder { columns, needed: needed.clone(), rows: 0, plans })
    }

    /// Appends the row of a record.
    ///
    /// # Errors
    /// [`BadPayload`]; no row has been appended then.
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<(), BadPayload> {
        let (plan, record) = match &mut self.plans {
            Plans::One(plan) => (&**plan, payload),
            Plans::Registered(registered) => registered.plan(payload)?,
        };
        let mut reader = Reader::new(record);
        if reader.record(plan, &mut self.columns).is_some() {
            self.rows += 1;
            return Ok(());
        }
        let at = payload.len() - reader.rest.len();
        let (fault, places) = (reader.fault.take(), std::mem::take(&mut reader.places));
        self.truncate(self.rows);
        Err(self.blame(payload, at, fault.unwrap_or(Fault::End), &places))
    }

    #[cold]
    fn blame(&self, payload: &[u8], at: usize, fault: Fault, places: &[Place]) -> BadPayload {
        let (field, wanted) = located(&self.needed, places);
        let wanted = wanted.as_deref().unwrap_or("the record");
        let what = match fault {
            Fault::End => format!("the record ends within {wanted}, behind {at} bytes"),
            Fault::Malformed(what) => format!("not Avro of this schema: no {what} at byte {at}"),
            Fault::Text => format!("the text that ends at byte {at} is not UTF-8"),
            Fault::Range => format!("the value that ends at byte {at} is out of range for {wanted}"),
            Fault::Branch(why) => why,
            Fault::Behind(bytes) => {
                format!("{bytes} bytes are left behind the record: it was written in another schema")
            }
        };
        BadPayload { field, detail: format!("{what}; payload: {}", hex(payload)) }
    }
}

impl Registered {
    /// How a record is read, and the record without what stands in front of it.
    #[inline]
    fn plan<'t>(&mut self, payload: &'t [u8]) -> Result<(&Plan, &'t [u8]), BadPayload> {
        let (id, record) = split(payload).map_err(|detail| BadPayload { field: None, detail })?;
        if self.plans.get(self.last).is_none_or(|(known, _)| *known != id) {
            self.last = self.place(id);
        }
        match &self.plans[self.last].1 {
            Ok(plan) => Ok((plan, record)),
            Err(why) => Err(BadPayload { field: None, detail: format!("schema {id}: {why}") }),
        }
    }

    #[cold]
    fn place(&mut self, id: u32) -> usize {
        if let Some(place) = self.plans.iter().position(|(known, _)| *known == id) {
            return place;
        }
        if self.plans.len() == PLANS_MAX {
            drop(self.plans.remove(0));
        }
        let schema = match self.schemas.schema(id) {
            Some(schema) => schema,
            None => Err("it has not been looked up in the registry".to_owned()),
        };
        let plan = schema.and_then(|writer| compile(&writer, &self.reader, &self.declared, &self.needed));
        self.plans.push((id, plan));
        self.plans.len() - 1
    }
}

/// The number of a record's schema, and the record.
pub(crate) fn split(payload: &[u8]) -> Result<(u32, &[u8]), String> {
    match payload {
        [0, a, b, c, d, record @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), record)),
        _ => {
            let payload = hex(payload);
            Err(format!(
                "a record begins with a zero and the number of its schema, this one does not: {payload}"
            ))
        }
    }
}

impl RecordDecoder for AvroDecoder {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&mut self) -> &mut [ColumnBuilder] {
        &mut self.columns
    }

    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }
}

impl PayloadDecoder for AvroDecoder {
    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    #[inline]
    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let Some(payload) = payload else { return Ok(Outcome::Nothing) };
        self.append(payload).map(|()| Outcome::Row)
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

/// The path of a field, and its type.
fn located(needed: &Fields, places: &[Place]) -> (Option<String>, Option<String>) {
    let mut path = String::new();
    let mut at: Option<DataType> = None;
    for place in places.iter().rev() {
        match place {
            Place::Column(column) => {
                let fields = match &at {
                    None => needed,
                    Some(DataType::Struct(fields)) => fields,
                    Some(_) => break,
                };
                let Some(field) = fields.get(*column).cloned() else { break };
                path.extend([if path.is_empty() { "" } else { "." }, field.name()]);
                at = Some(field.data_type().clone());
            }
            Place::Item(item) => {
                let _ = write!(path, "[{item}]");
                at = match &at {
                    Some(DataType::List(item)) => Some(item.data_type().clone()),
                    Some(DataType::Map(entries, _)) => match entries.data_type() {
                        DataType::Struct(pair) if pair.len() == 2 => Some(pair[1].data_type().clone()),
                        _ => None,
                    },
                    _ => None,
                };
            }
        }
    }
    ((!path.is_empty()).then_some(path), at.map(|data_type| sql_type(&data_type)))
}

/// The beginning of a payload, as digits.
pub(crate) fn hex(payload: &[u8]) -> String {
    const BYTES: usize = 40;
    let mut text = String::new();
    for byte in payload.iter().take(BYTES) {
        let _ = write!(text, "{byte:02x}");
    }
    if payload.len() > BYTES {
        text.push_str("...");
    }
    text
}
