//! Defaults of fields, which stand in schemas as JSON, as the bytes that a writer would have written.

use super::schema::{Kind, Node, Schema};
use super::write::{push_bytes, push_long};
use serde_json::Value;

/// How deep a default may stand in itself: types of a schema may go round.
const DEPTH_MAX: usize = 64;

/// Appends a default. That of a union is one of its first type; others are tried as well, as registries let pass.
///
/// # Errors
/// A sentence that says that it is no value of its type.
pub(crate) fn encode_default(
    schema: &Schema,
    node: &Node,
    value: &Value,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), String> {
    let unfit = || format!("its default {value} is no {}", schema.describe(node));
    if depth > DEPTH_MAX {
        return Err(unfit());
    }
    match node {
        Node::Null => value.is_null().then_some(()).ok_or_else(unfit)?,
        Node::Boolean => out.push(value.as_bool().ok_or_else(unfit)?.into()),
        Node::Int(_) => {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok()).ok_or_else(unfit)?;
            push_long(number.into(), out);
        }
        Node::Long(_) => push_long(value.as_i64().ok_or_else(unfit)?, out),
        Node::Float => {
            let number = value.as_f64().ok_or_else(unfit)?;
            out.extend_from_slice(&(number as f32).to_le_bytes());
        }
        Node::Double => out.extend_from_slice(&value.as_f64().ok_or_else(unfit)?.to_le_bytes()),
        Node::Bytes(_) => push_bytes(&latin1(value).ok_or_else(unfit)?, out),
        Node::String => push_bytes(value.as_str().ok_or_else(unfit)?.as_bytes(), out),
        Node::Array(item) => {
            let items = value.as_array().ok_or_else(unfit)?;
            if !items.is_empty() {
                push_long(items.len() as i64, out);
            }
            for value in items {
                encode_default(schema, item, value, out, depth + 1)?;
            }
            out.push(0);
        }
        Node::Map(node) => {
            let entries = value.as_object().ok_or_else(unfit)?;
            if !entries.is_empty() {
                push_long(entries.len() as i64, out);
            }
            for (key, value) in entries {
                push_bytes(key.as_bytes(), out);
                encode_default(schema, node, value, out, depth + 1)?;
            }
            out.push(0);
        }
        Node::Union(branches) => {
            let start = out.len();
            for (index, branch) in branches.iter().enumerate() {
                push_long(index as i64, out);
                if encode_default(schema, branch, value, out, depth + 1).is_ok() {
                    return Ok(());
                }
                out.truncate(start);
            }
            return Err(unfit());
        }
        Node::Named(index) => encode_named(schema, *index, value, out, depth).ok_or_else(unfit)?,
    }
    Ok(())
}

/// Appends a default of a type with a name; `None` when it is none.
fn encode_named(schema: &Schema, index: usize, value: &Value, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    match &schema.named[index].kind {
        Kind::Record(fields) => {
            let values = value.as_object()?;
            for field in fields {
                let value = values.get(&field.name).or(field.default.as_ref())?;
                encode_default(schema, &field.node, value, out, depth + 1).ok()?;
            }
        }
        Kind::Enum(symbols, _) => {
            let symbol = value.as_str()?;
            push_long(symbols.iter().position(|known| known == symbol)? as i64, out);
        }
        Kind::Fixed(size, _) => {
            let bytes = latin1(value).filter(|bytes| bytes.len() == *size)?;
            out.extend_from_slice(&bytes);
        }
    }
    Some(())
}

/// Bytes as schemas spell them: a character for each.
fn latin1(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
