//! Casts over the catalog: numbers of tables, types and schemas to their names, and the other way.

use super::World;
use super::functions::SYSTEM_CLASSES;
use super::rows::{SCHEMAS, numbered};
use super::value::Value;
use crate::error::Trouble;
use crate::types::{KNOWN, format_type};

/// A name in quotes where it needs them.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|char: char| char.is_ascii_lowercase() || char == '_')
        && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A value of another type. Numbers of tables, types and schemas become their names, and the other way.
pub(super) fn cast(value: Value, type_name: &str, world: &World<'_>) -> Result<Value, Trouble> {
    let name = type_name.to_ascii_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name).trim_matches('"').to_owned();
    let bad = |value: &Value| Trouble::new("22P02", format!("\"{}\" is no {name}", value.written()));
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(item) = name.strip_suffix("[]") {
        let Some(items) = value.items() else { return Err(bad(&value)) };
        return Ok(Value::List(
            items.into_iter().map(|value| cast(value, item, world)).collect::<Result<_, _>>()?,
        ));
    }
    Ok(match name.split('(').next().unwrap_or_default().trim() {
        "regclass" => return class(value, world),
        "regtype" => match value.int() {
            Some(oid) => Value::text(format_type(u32::try_from(oid).unwrap_or(0), None)),
            None => {
                let text = value.written();
                let known = KNOWN.iter().find(|known| known.name == text || known.long_name == text);
                known.map(|known| Value::Int(i64::from(known.oid))).ok_or_else(|| bad(&value))?
            }
        },
        "regnamespace" => match value.int() {
            Some(oid) => {
                let schema = SCHEMAS.iter().find(|(schema, _)| *schema == oid);
                schema.map_or_else(|| Value::text(oid.to_string()), |(_, name)| Value::text(*name))
            }
            None => {
                let text = value.written();
                let schema = SCHEMAS.iter().find(|(_, name)| *name == text);
                schema.map(|(oid, _)| Value::Int(*oid)).ok_or_else(|| bad(&value))?
            }
        },
        "regproc" | "regprocedure" | "regoper" | "regrole" => Value::Text(value.written()),
        "oid" | "int" | "int2" | "int4" | "int8" | "integer" | "bigint" | "smallint" | "xid" | "cid" => {
            value.int().map(Value::Int).ok_or_else(|| bad(&value))?
        }
        "bool" | "boolean" => Value::of_truth(value.truth()),
        "float4" | "float8" | "real" | "double precision" | "numeric" | "decimal" => match value {
            Value::Int(number) => Value::Int(number),
            other => other.float().map(Value::Float).ok_or_else(|| bad(&other))?,
        },
        "char" if value.written().len() > 1 => Value::Text(value.written().chars().take(1).collect()),
        // Texts, and what is written as one.
        _ => match value {
            Value::List(items) => Value::List(items),
            other => Value::Text(other.written()),
        },
    })
}

/// A table's number as its name, and its name as its number.
fn class(value: Value, world: &World<'_>) -> Result<Value, Trouble> {
    if let Some(oid) = value.int() {
        let own =
            numbered(world.tables).find(|(known, _)| *known == oid).map(|(_, table)| quoted(&table.name));
        let system =
            SYSTEM_CLASSES.iter().find(|(known, _)| *known == oid).map(|(_, name)| (*name).to_owned());
        // One that there is not is its number, and none is a dash.
        let none = if oid == 0 { "-".to_owned() } else { oid.to_string() };
        return Ok(Value::Text(own.or(system).unwrap_or(none)));
    }
    let text = value.written();
    let tokens = crate::text::tokens(&text)?;
    let mut names =
        tokens.iter().filter(|token| token.text(&text) != ".").map(|token| crate::text::value(token, &text));
    let name = names.next_back().unwrap_or_default();
    let own = numbered(world.tables).find(|(_, table)| table.name == name).map(|(oid, _)| oid);
    let system = SYSTEM_CLASSES.iter().find(|(_, known)| *known == name).map(|(oid, _)| *oid);
    let oid = own.or(system);
    oid.map(Value::Int).ok_or_else(|| Trouble::new("42P01", format!("relation \"{text}\" does not exist")))
}
