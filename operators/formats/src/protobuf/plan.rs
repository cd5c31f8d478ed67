//! Which field of a message becomes which column, worked out once.

use super::descriptor::{FieldDef, Kind, Pool};
use crate::types::sql_type;
use arrow::datatypes::{DataType, Field, Fields};

/// How a message is read into columns.
#[derive(Debug)]
pub(crate) struct RowPlan {
    /// By column.
    pub(crate) fields: Vec<FieldPlan>,
    /// By number of a field: which column it is.
    pub(crate) numbers: Vec<(u32, usize)>,
}

/// How a field is read.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) number: u32,
    pub(crate) oneof: Option<u32>,
    pub(crate) shape: Shape,
    /// What the column gets when the field is not there.
    pub(crate) absent: Absent,
}

#[derive(Debug)]
pub(crate) enum Shape {
    Scalar(Scalar),
    Row(RowPlan),
    Items(Box<Item>),
    /// Keys and values.
    Map(Scalar, Box<Item>),
}

/// An item of a list, or a value of a map.
#[derive(Debug)]
pub(crate) enum Item {
    Scalar(Scalar),
    Row(RowPlan),
}

/// A value that is no message.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    /// The names of an enum, where the column is a text.
    pub(crate) names: Vec<(Box<str>, i32)>,
    /// What it is when it is not there.
    pub(crate) default: Default,
}

/// A default.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Default {
    Number(i64),
    Float(f64),
    Bytes(Vec<u8>),
}

/// What a column gets when its field is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Null,
    /// It may not be null, and there is nothing else for it.
    Bad,
    Default,
}

/// How deep rows may stand in each other: a message may hold itself, and a table's type does not end.
const DEPTH_MAX: usize = 64;

/// The plan for the columns that are needed of a message.
///
/// # Errors
/// A sentence that says what does not fit.
pub(crate) fn compile(
    pool: &Pool,
    message: usize,
    needed: &Fields,
    defaults: bool,
) -> Result<RowPlan, String> {
    row(pool, message, needed, defaults, 0)
}

fn row(
    pool: &Pool,
    message: usize,
    needed: &Fields,
    defaults: bool,
    depth: usize,
) -> Result<RowPlan, String> {
    if depth > DEPTH_MAX {
        return Err("rows stand too deep in each other".to_owned());
    }
    let mut fields = Vec::with_capacity(needed.len());
    for field in needed {
        let plan = plan(pool, find(pool, message, field.name())?, field, defaults, depth);
        fields.push(plan.map_err(|why| format!("field \"{}\": {why}", field.name()))?);
    }
    let mut numbers: Vec<(u32, usize)> =
        fields.iter().zip(0..).map(|(field, at)| (field.number, at)).collect();
    numbers.sort_unstable();
    Ok(RowPlan { fields, numbers })
}

/// The field of a message that is called so.
pub(crate) fn find<'p>(pool: &'p Pool, message: usize, name: &str) -> Result<&'p FieldDef, String> {
    let message = &pool.messages[message];
    let found = message.fields.iter().find(|field| field.name == name);
    found.ok_or_else(|| format!("message {} has no field \"{name}\"", message.name))
}

/// The key and the value of a message that is an entry of a map.
pub(crate) fn entry(pool: &Pool, def: &FieldDef) -> Option<[FieldDef; 2]> {
    let Kind::Message(message) = def.kind else { return None };
    let message = pool.messages.get(message).filter(|message| message.is_entry && def.repeated)?;
    let of = |number: u32| message.fields.iter().find(|field| field.number == number).cloned();
    Some([of(1)?, of(2)?])
}

fn plan(
    pool: &Pool,
    def: &FieldDef,
    field: &Field,
    defaults: bool,
    depth: usize,
) -> Result<FieldPlan, String> {
    let shape = match (entry(pool, def), def.repeated, field.data_type()) {
        (Some([key, value]), _, DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let key = scalar(pool, &key, pair[0].data_type())?;
                Shape::Map(key, Box::new(item(pool, &value, &pair[1], defaults, depth)?))
            }
            _ => return Err(unfit(pool, def, field.data_type())),
        },
        (None, true, DataType::List(inner)) => {
            Shape::Items(Box::new(item(pool, def, inner, defaults, depth)?))
        }
        (None, false, DataType::Struct(_)) => match item(pool, def, field, defaults, depth)? {
            Item::Row(row) => Shape::Row(row),
            Item::Scalar(_) => return Err(unfit(pool, def, field.data_type())),
        },
        (None, false, data_type) => Shape::Scalar(scalar(pool, def, data_type)?),
        (_, _, data_type) => return Err(unfit(pool, def, data_type)),
    };
    // A number of proto3 that is not there is one that is 0.
    let is_plain = matches!(shape, Shape::Scalar(_)) && !def.has_presence;
    let absent = match defaults || is_plain {
        true => Absent::Default,
        false if field.is_nullable() => Absent::Null,
        false => Absent::Bad,
    };
    Ok(FieldPlan { number: def.number, oneof: def.oneof, shape, absent })
}

fn item(pool: &Pool, def: &FieldDef, field: &Field, defaults: bool, depth: usize) -> Result<Item, String> {
    Ok(match (def.kind, field.data_type()) {
        (Kind::Message(message), DataType::Struct(fields)) => {
            Item::Row(row(pool, message, fields, defaults, depth + 1)?)
        }
        (_, data_type) => Item::Scalar(scalar(pool, def, data_type)?),
    })
}

/// How a value that is no message becomes one of a column.
pub(crate) fn scalar(pool: &Pool, def: &FieldDef, data_type: &DataType) -> Result<Scalar, String> {
    use DataType as T;
    let fits = matches!(
        (def.kind, data_type),
        (Kind::Double, T::Float64)
            | (Kind::Float, T::Float32)
            | (Kind::Bool, T::Boolean)
            | (Kind::Int32(_) | Kind::Uint32 | Kind::Fixed32, T::Int32)
            | (Kind::Int64(_) | Kind::Fixed64, T::Int64)
            | (Kind::String, T::Utf8)
            | (Kind::Bytes, T::Binary)
            | (Kind::Enum(_), T::Utf8 | T::Int8 | T::Int16 | T::Int32 | T::Int64)
    );
    if !fits {
        return Err(unfit(pool, def, data_type));
    }
    let values = match def.kind {
        Kind::Enum(of) => pool.enums[of].values.as_slice(),
        _ => &[],
    };
    let names = values.iter().map(|(name, number)| (name.as_str().into(), *number)).collect();
    Ok(Scalar { kind: def.kind, names, default: default(def, values) })
}

fn default(def: &FieldDef, values: &[(String, i32)]) -> Default {
    let said = def.default.as_deref();
    match def.kind {
        Kind::Double | Kind::Float => Default::Float(said.and_then(|text| text.parse().ok()).unwrap_or(0.0)),
        Kind::String => Default::Bytes(said.unwrap_or_default().as_bytes().to_vec()),
        Kind::Bytes => Default::Bytes(unescape(said.unwrap_or_default())),
        Kind::Bool => Default::Number((said == Some("true")).into()),
        Kind::Enum(_) => {
            let named = values.iter().find(|(name, _)| Some(name.as_str()) == said);
            Default::Number(named.or(values.first()).map_or(0, |(_, number)| i64::from(*number)))
        }
        _ => {
            let number = said.and_then(|text| {
                text.parse::<i64>().ok().or_else(|| text.parse::<u64>().ok().map(|it| it as i64))
            });
            Default::Number(number.unwrap_or(0))
        }
    }
}

/// Bytes as descriptors spell them, with octal numbers behind backslashes.
fn unescape(text: &str) -> Vec<u8> {
    let (mut rest, mut out) = (text.as_bytes(), Vec::new());
    while let [byte, tail @ ..] = rest {
        let (value, behind) = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..]) => {
                (64 * (a - b'0') + 8 * (b - b'0') + (c - b'0'), behind)
            }
            (b'\\', [b'n', behind @ ..]) => (b'\n', behind),
            (b'\\', [b'r', behind @ ..]) => (b'\r', behind),
            (b'\\', [b't', behind @ ..]) => (b'\t', behind),
            (b'\\', [same, behind @ ..]) => (*same, behind),
            (byte, behind) => (*byte, behind),
        };
        out.push(value);
        rest = behind;
    }
    out
}

fn unfit(pool: &Pool, def: &FieldDef, data_type: &DataType) -> String {
    let kind = match def.kind {
        Kind::Message(message) => format!("message {}", pool.messages[message].name),
        Kind::Enum(of) => format!("enum {}", pool.enums[of].name),
        Kind::Group => "group".to_owned(),
        kind => format!("{kind:?}").split('(').next().unwrap_or_default().to_lowercase(),
    };
    let many = if def.repeated { "repeated " } else { "" };
    format!("{many}{kind} is no {}", sql_type(data_type))
}
