//! The schema of a table, as Flink derives it, and as text.

use super::schema::{Kind, Logical, Named, Node, RecordField, Schema};
use crate::columns::multiset_value;
use crate::{FormatError, types::sql_type};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What Flink calls the record of a row.
const RECORD: &str = "org.apache.flink.avro.generated.record";

/// The schema of rows of these fields. With the `legacy` mapping a `TIMESTAMP` is an instant, of milliseconds, and a
/// `TIMESTAMP_LTZ` is nothing; else they are a time on the wall and an instant. A record that is `nullable` is a union with null.
///
/// # Errors
/// [`FormatError::Unsupported`] and [`FormatError::Conflict`] for what a schema can't say.
pub(crate) fn derive(
    format: &'static str,
    fields: &Fields,
    legacy: bool,
    nullable: bool,
) -> Result<Schema, FormatError> {
    let mut deriver = Deriver { format, legacy, named: Vec::new() };
    let record = deriver.record(fields, RECORD)?;
    let root = if nullable { Node::Union(vec![Node::Null, record]) } else { record };
    let mut schema = Schema { root, named: deriver.named };
    schema.find_empty();
    Ok(schema)
}

struct Deriver {
    format: &'static str,
    legacy: bool,
    named: Vec<Named>,
}

impl Deriver {
    fn conflict<T>(&self, message: String) -> Result<T, FormatError> {
        Err(FormatError::Conflict { message: format!("format '{}': {message}", self.format) })
    }

    fn record(&mut self, fields: &Fields, name: &str) -> Result<Node, FormatError> {
        let place = self.named.len();
        let kind = Kind::Record(Vec::new());
        self.named.push(Named { name: name.to_owned(), kind, is_empty: false });
        let mut found = Vec::with_capacity(fields.len());
        for field in fields {
            if !is_name(field.name()) {
                return self.conflict(format!(
                    "field \"{}\" has to be called by letters, digits and _, of which no digit comes first",
                    field.name()
                ));
            }
            let node = self.nullable(field, &format!("{name}_{}", field.name()))?;
            let default = field.is_nullable().then_some(Value::Null);
            found.push(RecordField { name: field.name().clone(), aliases: Vec::new(), node, default });
        }
        self.named[place].kind = Kind::Record(found);
        Ok(Node::Named(place))
    }

    fn nullable(&mut self, field: &Field, name: &str) -> Result<Node, FormatError> {
        let node = self.node(field, name)?;
        Ok(if field.is_nullable() { Node::Union(vec![Node::Null, node]) } else { node })
    }

    fn node(&mut self, field: &Field, name: &str) -> Result<Node, FormatError> {
        use DataType as T;
        Ok(match field.data_type() {
            T::Boolean => Node::Boolean,
            T::Int8 | T::Int16 | T::Int32 => Node::Int(Logical::None),
            T::Int64 => Node::Long(Logical::None),
            T::Float32 => Node::Float,
            T::Float64 => Node::Double,
            T::Utf8 => Node::String,
            T::Binary => Node::Bytes(Logical::None),
            T::Date32 => Node::Int(Logical::Date),
            T::Time32(_) => Node::Int(Logical::Time(TimeUnit::Millisecond)),
            T::Timestamp(unit, zone) => Node::Long(self.timestamp(field, *unit, zone.is_some())?),
            T::Decimal128(precision, scale) => match u8::try_from(*scale) {
                Ok(scale) => Node::Bytes(Logical::Decimal(*precision, scale)),
                Err(_) => return Err(FormatError::unsupported(self.format, field)),
            },
            T::Struct(fields) => self.record(fields, name)?,
            // What stands in arrays and maps is of the legacy mapping always, as in Flink.
            T::List(item) => Node::Array(Box::new(self.inside(item, name)?)),
            T::Map(entries, _) => Node::Map(Box::new(self.map_value(field, entries, name)?)),
            _ => return Err(FormatError::unsupported(self.format, field)),
        })
    }

    fn inside(&mut self, field: &Field, name: &str) -> Result<Node, FormatError> {
        let legacy = std::mem::replace(&mut self.legacy, true);
        let node = self.nullable(field, name);
        self.legacy = legacy;
        node
    }

    fn map_value(&mut self, field: &Field, entries: &Field, name: &str) -> Result<Node, FormatError> {
        let DataType::Struct(pair) = entries.data_type() else {
            return Err(FormatError::unsupported(self.format, field));
        };
        match pair.as_ref() {
            [key, _] if *key.data_type() != DataType::Utf8 => {
                let found = sql_type(key.data_type());
                self.conflict(format!("the keys of map \"{}\" have to be STRING, not {found}", field.name()))
            }
            [_, value] if multiset_value(field.data_type()).is_some() => {
                // How often a value is there is known of each.
                self.inside(&value.as_ref().clone().with_nullable(false), name)
            }
            [_, value] => self.inside(value, name),
            _ => Err(FormatError::unsupported(self.format, field)),
        }
    }

    fn timestamp(&self, field: &Field, unit: TimeUnit, is_instant: bool) -> Result<Logical, FormatError> {
        let at_least_millis = if unit == TimeUnit::Second { TimeUnit::Millisecond } else { unit };
        let is_fine = matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond);
        if self.legacy && (is_instant || is_fine) {
            let (name, found) = (field.name(), sql_type(field.data_type()));
            let help = match self.format {
                "avro" => {
                    "; it holds it with 'avro.timestamp_mapping.legacy' = 'false', outside of arrays and maps"
                }
                _ => "",
            };
            return self.conflict(format!(
                "field \"{name}\" can't be {found}, but TIMESTAMP with at most 3 digits behind the second{help}"
            ));
        }
        Ok(Logical::Timestamp(at_least_millis, !self.legacy && !is_instant))
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// A schema as text, as Avro's Java library writes it.
///
/// # Errors
/// A sentence: two types of the same name.
pub(crate) fn text(schema: &Schema) -> Result<String, String> {
    let mut names = BTreeSet::new();
    if let Some(twice) = schema.named.iter().find(|named| !names.insert(&named.name)) {
        return Err(format!("two rows of the table would both be called \"{}\" in its schema", twice.name));
    }
    let mut text = String::new();
    push_node(schema, &schema.root, "", &mut vec![false; schema.named.len()], &mut text);
    Ok(text)
}

fn push_node(schema: &Schema, node: &Node, namespace: &str, told: &mut Vec<bool>, text: &mut String) {
    let logical = |base: &str, logical: Logical, text: &mut String| match logical.name() {
        None => text.extend(["\"", base, "\""]),
        Some(name) => {
            text.extend(["{\"type\":\"", base, "\",\"logicalType\":\"", name, "\""]);
            if let Logical::Decimal(precision, scale) = logical {
                let _ = write!(text, ",\"precision\":{precision},\"scale\":{scale}");
            }
            text.push('}');
        }
    };
    match node {
        Node::Null => text.push_str("\"null\""),
        Node::Boolean => text.push_str("\"boolean\""),
        Node::Int(of) => logical("int", *of, text),
        Node::Long(of) => logical("long", *of, text),
        Node::Float => text.push_str("\"float\""),
        Node::Double => text.push_str("\"double\""),
        Node::Bytes(of) => logical("bytes", *of, text),
        Node::String => text.push_str("\"string\""),
        Node::Array(item) => {
            text.push_str("{\"type\":\"array\",\"items\":");
            push_node(schema, item, namespace, told, text);
            text.push('}');
        }
        Node::Map(value) => {
            text.push_str("{\"type\":\"map\",\"values\":");
            push_node(schema, value, namespace, told, text);
            text.push('}');
        }
        Node::Union(branches) => {
            text.push('[');
            for (index, branch) in branches.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                push_node(schema, branch, namespace, told, text);
            }
            text.push(']');
        }
        Node::Named(index) => push_named(schema, *index, namespace, told, text),
    }
}

/// A type with a name, told once. Only records are derived.
fn push_named(schema: &Schema, index: usize, namespace: &str, told: &mut Vec<bool>, text: &mut String) {
    let Named { name, kind, .. } = &schema.named[index];
    let (space, short) = name.rsplit_once('.').unwrap_or(("", name));
    if std::mem::replace(&mut told[index], true) {
        text.extend(["\"", name, "\""]);
        return;
    }
    text.extend(["{\"type\":\"record\",\"name\":\"", short, "\""]);
    if space != namespace {
        text.extend([",\"namespace\":\"", space, "\""]);
    }
    text.push_str(",\"fields\":[");
    let fields = match kind {
        Kind::Record(fields) => fields.as_slice(),
        _ => &[],
    };
    for (index, field) in fields.iter().enumerate() {
        text.push_str(if index > 0 { ",{\"name\":\"" } else { "{\"name\":\"" });
        text.extend([field.name.as_str(), "\",\"type\":"]);
        push_node(schema, &field.node, space, told, text);
        if let Some(default) = &field.default {
            let _ = write!(text, ",\"default\":{default}");
        }
        text.push('}');
    }
    text.push_str("]}");
}
