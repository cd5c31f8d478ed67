//! Schemas of Avro, read from their JSON.
//!
//! Whoever writes a schema into a registry is a stranger: how many types it has and how deep they nest is bounded here, and
//! what takes no bytes is known of every type, so that nobody counts to a billion over nothing.

use arrow::datatypes::TimeUnit;
use serde_json::Value;
use std::collections::BTreeMap;

/// Types of a schema, at most: nodes, and those with names.
const NODES_MAX: usize = 20_000;
const NAMED_MAX: usize = 2_000;
/// How deep types may stand in each other.
const DEPTH_MAX: usize = 64;

/// A schema: its outermost type, and all that have names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    pub(crate) root: Node,
    pub(crate) named: Vec<Named>,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Boolean,
    Int(Logical),
    Long(Logical),
    Float,
    Double,
    Bytes(Logical),
    String,
    Array(Box<Node>),
    Map(Box<Node>),
    Union(Vec<Node>),
    /// One with a name, by its place in [`Schema::named`].
    Named(usize),
}

/// A type with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    /// With its namespace.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether its values take no bytes.
    pub(crate) is_empty: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Record(Vec<RecordField>),
    /// Its symbols, and the one that stands for what a reader does not know.
    Enum(Vec<String>, Option<String>),
    Fixed(usize, Logical),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordField {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) node: Node,
    pub(crate) default: Option<Value>,
}

/// What a type stands for beyond its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Logical {
    #[default]
    None,
    /// Precision and scale.
    Decimal(u8, u8),
    Date,
    Time(TimeUnit),
    /// An instant, or a time on the wall if the flag says so.
    Timestamp(TimeUnit, bool),
    Uuid,
}

impl Schema {
    /// The schema of a text.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Schema, String> {
        let value = match serde_json::from_str(text) {
            Ok(value) => value,
            // A type may be written without its quotes.
            Err(_) if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Value::String(text.to_owned()),
            Err(error) => return Err(format!("not JSON: {error}")),
        };
        let mut parser = Parser::default();
        let root = parser.node(&value, "", 0)?;
        let mut schema = Schema { root, named: parser.finish()? };
        schema.find_empty();
        Ok(schema)
    }

    /// Whether values of a type take no bytes.
    pub(crate) fn is_empty(&self, node: &Node) -> bool {
        match node {
            Node::Null => true,
            Node::Named(index) => self.named[*index].is_empty,
            _ => false,
        }
    }

    /// Finds out which named types take no bytes: records of fields that take none.
    pub(super) fn find_empty(&mut self) {
        loop {
            let empty = |named: &Named| match &named.kind {
                Kind::Record(fields) => fields.iter().all(|field| self.is_empty(&field.node)),
                Kind::Fixed(size, _) => *size == 0,
                Kind::Enum(..) => false,
            };
            let found = self.named.iter().position(|named| !named.is_empty && empty(named));
            let Some(found) = found else { return };
            self.named[found].is_empty = true;
        }
    }

    /// What a type is, for people.
    pub(crate) fn describe(&self, node: &Node) -> String {
        match node {
            Node::Null => "null".to_owned(),
            Node::Boolean => "boolean".to_owned(),
            Node::Int(logical) => logical.of("int"),
            Node::Long(logical) => logical.of("long"),
            Node::Float => "float".to_owned(),
            Node::Double => "double".to_owned(),
            Node::Bytes(logical) => logical.of("bytes"),
            Node::String => "string".to_owned(),
            Node::Array(_) => "array".to_owned(),
            Node::Map(_) => "map".to_owned(),
            Node::Union(_) => "union".to_owned(),
            Node::Named(index) => match &self.named[*index].kind {
                Kind::Record(_) => "record".to_owned(),
                Kind::Enum(..) => "enum".to_owned(),
                Kind::Fixed(_, logical) => logical.of("fixed"),
            },
        }
    }
}

impl Logical {
    fn of(self, base: &str) -> String {
        match self.name() {
            Some(name) => format!("{base} ({name})"),
            None => base.to_owned(),
        }
    }

    /// Its name in schemas.
    pub(crate) fn name(self) -> Option<&'static str> {
        Some(match self {
            Logical::None => return None,
            Logical::Decimal(..) => "decimal",
            Logical::Date => "date",
            Logical::Time(TimeUnit::Microsecond) => "time-micros",
            Logical::Time(_) => "time-millis",
            Logical::Timestamp(TimeUnit::Nanosecond, false) => "timestamp-nanos",
            Logical::Timestamp(TimeUnit::Microsecond, false) => "timestamp-micros",
            Logical::Timestamp(_, false) => "timestamp-millis",
            Logical::Timestamp(TimeUnit::Nanosecond, true) => "local-timestamp-nanos",
            Logical::Timestamp(TimeUnit::Microsecond, true) => "local-timestamp-micros",
            Logical::Timestamp(_, true) => "local-timestamp-millis",
            Logical::Uuid => "uuid",
        })
    }

    /// What an object says of the type it describes. What is not known, or does not fit, means nothing.
    fn of_object(object: &serde_json::Map<String, Value>, base: &str) -> Logical {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond};
        let Some(name) = object.get("logicalType").and_then(Value::as_str) else { return Logical::None };
        match (base, name) {
            ("bytes" | "fixed", "decimal") => {
                let number = |key: &str| object.get(key).map_or(Some(0), Value::as_u64);
                match (number("precision"), number("scale")) {
                    (Some(precision @ 1..=255), Some(scale)) if scale <= precision => {
                        Logical::Decimal(precision as u8, scale as u8)
                    }
                    _ => Logical::None,
                }
            }
            ("int", "date") => Logical::Date,
            ("int", "time-millis") => Logical::Time(Millisecond),
            ("long", "time-micros") => Logical::Time(Microsecond),
            ("long", "timestamp-millis") => Logical::Timestamp(Millisecond, false),
            ("long", "timestamp-micros") => Logical::Timestamp(Microsecond, false),
            ("long", "timestamp-nanos") => Logical::Timestamp(Nanosecond, false),
            ("long", "local-timestamp-millis") => Logical::Timestamp(Millisecond, true),
            ("long", "local-timestamp-micros") => Logical::Timestamp(Microsecond, true),
            ("long", "local-timestamp-nanos") => Logical::Timestamp(Nanosecond, true),
            ("fixed", "uuid") => Logical::Uuid,
            _ => Logical::None,
        }
    }
}

#[derive(Default)]
struct Parser {
    named: Vec<(String, Option<Kind>)>,
    by_name: BTreeMap<String, usize>,
    nodes: usize,
}

impl Parser {
    fn finish(self) -> Result<Vec<Named>, String> {
        let named = self.named.into_iter().map(|(name, kind)| {
            let kind = kind.ok_or_else(|| format!("type \"{name}\" is not defined"))?;
            Ok(Named { name, kind, is_empty: false })
        });
        named.collect()
    }

    fn node(&mut self, value: &Value, namespace: &str, depth: usize) -> Result<Node, String> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Err("it has too many types, or they stand too deep in each other".to_owned());
        }
        match value {
            Value::String(name) => self.called(name, namespace),
            Value::Array(branches) => self.union(branches, namespace, depth),
            Value::Object(object) => self.object(object, namespace, depth),
            other => Err(format!("{other} is no type")),
        }
    }

    fn called(&self, name: &str, namespace: &str) -> Result<Node, String> {
        Ok(match name {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "int" => Node::Int(Logical::None),
            "long" => Node::Long(Logical::None),
            "float" => Node::Float,
            "double" => Node::Double,
            "bytes" => Node::Bytes(Logical::None),
            "string" => Node::String,
            _ => {
                let full = full_name(name, namespace);
                let found = self.by_name.get(&full).or_else(|| self.by_name.get(name));
                Node::Named(*found.ok_or_else(|| format!("there is no type \"{name}\""))?)
            }
        })
    }

    fn union(&mut self, branches: &[Value], namespace: &str, depth: usize) -> Result<Node, String> {
        let mut nodes = Vec::with_capacity(branches.len());
        for branch in branches {
            match self.node(branch, namespace, depth + 1)? {
                Node::Union(_) => return Err("a union stands right in a union".to_owned()),
                node => nodes.push(node),
            }
        }
        match nodes.is_empty() {
            true => Err("a union has no types".to_owned()),
            false => Ok(Node::Union(nodes)),
        }
    }

    fn object(
        &mut self,
        object: &serde_json::Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<Node, String> {
        let name = match object.get("type") {
            Some(Value::String(name)) => name.as_str(),
            Some(inner) => return self.node(inner, namespace, depth + 1),
            None => return Err("a type has no \"type\"".to_owned()),
        };
        let part = |key: &str| object.get(key).ok_or_else(|| format!("type \"{name}\" has no \"{key}\""));
        Ok(match name {
            "int" => Node::Int(Logical::of_object(object, name)),
            "long" => Node::Long(Logical::of_object(object, name)),
            "bytes" => Node::Bytes(Logical::of_object(object, name)),
            "array" => Node::Array(Box::new(self.node(part("items")?, namespace, depth + 1)?)),
            "map" => Node::Map(Box::new(self.node(part("values")?, namespace, depth + 1)?)),
            "record" | "error" => {
                let (index, namespace) = self.define(object, namespace)?;
                let fields = part("fields")?.as_array().ok_or("\"fields\" is no list")?;
                let mut found = Vec::with_capacity(fields.len());
                for field in fields {
                    found.push(self.field(field, &namespace, depth)?);
                }
                self.named[index].1 = Some(Kind::Record(found));
                Node::Named(index)
            }
            "enum" => {
                let (index, _) = self.define(object, namespace)?;
                let default = object.get("default").and_then(Value::as_str).map(str::to_owned);
                self.named[index].1 = Some(Kind::Enum(texts(part("symbols")?)?, default));
                Node::Named(index)
            }
            "fixed" => {
                let (index, _) = self.define(object, namespace)?;
                let size = part("size")?.as_u64().filter(|size| *size <= i32::MAX as u64);
                let size = size.ok_or("the size of a \"fixed\" is no number of bytes")?;
                self.named[index].1 = Some(Kind::Fixed(size as usize, Logical::of_object(object, name)));
                Node::Named(index)
            }
            other => self.called(other, namespace)?,
        })
    }

    fn field(&mut self, field: &Value, namespace: &str, depth: usize) -> Result<RecordField, String> {
        let name = field.get("name").and_then(Value::as_str).ok_or("a field has no \"name\"")?;
        let node = field.get("type").ok_or_else(|| format!("field \"{name}\" has no \"type\""))?;
        let aliases = field.get("aliases").map_or(Ok(Vec::new()), texts)?;
        let node = self.node(node, namespace, depth + 1)?;
        Ok(RecordField { name: name.to_owned(), aliases, node, default: field.get("default").cloned() })
    }

    /// Makes a place for a type with a name; gives it, and the namespace inside.
    fn define(
        &mut self,
        object: &serde_json::Map<String, Value>,
        namespace: &str,
    ) -> Result<(usize, String), String> {
        let name = object.get("name").and_then(Value::as_str).ok_or("a type has no \"name\"")?;
        let namespace = object.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        let full = full_name(name, namespace);
        if self.named.len() == NAMED_MAX {
            return Err("it has too many types with names".to_owned());
        }
        let index = self.named.len();
        if self.by_name.insert(full.clone(), index).is_some() {
            return Err(format!("type \"{full}\" is defined twice"));
        }
        let inside = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        self.named.push((full, None));
        Ok((index, inside))
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    match name.contains('.') || namespace.is_empty() {
        true => name.to_owned(),
        false => format!("{namespace}.{name}"),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("a list of names is no list")?;
    let texts =
        list.iter().map(|name| name.as_str().map(str::to_owned).ok_or("a name is no text".to_owned()));
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_schema_is_refused_with_the_reason() {
        let deep = format!("{}\"int\"{}", "{\"type\":\"array\",\"items\":".repeat(70), "}".repeat(70));
        for (text, expected) in [
            ("{", "not JSON"),
            ("\"uuid\"", "there is no type \"uuid\""),
            ("[]", "a union has no types"),
            ("[\"int\",[\"int\"]]", "a union stands right in a union"),
            ("{\"type\":\"array\"}", "has no \"items\""),
            ("{\"type\":\"record\",\"name\":\"r\"}", "has no \"fields\""),
            (
                "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"b\"}]}",
                "no type \"b\"",
            ),
            ("{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", "no number of bytes"),
            ("3", "3 is no type"),
            (&deep, "too deep"),
        ] {
            let error = Schema::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_found_in_their_namespaces_and_types_of_no_bytes_are_known() {
        let schema = Schema::parse(
            r#"{"type":"record","name":"a.R","fields":[
                {"name":"e","type":{"type":"record","name":"E","fields":[]}},
                {"name":"f","type":{"type":"record","name":"F","fields":[{"name":"x","type":"E"},{"name":"y","type":"a.E"}]}},
                {"name":"next","type":["null","R"]}]}"#,
        )
        .unwrap();
        let found: Vec<(&str, bool)> =
            schema.named.iter().map(|named| (named.name.as_str(), named.is_empty)).collect();
        assert_eq!(found, [("a.R", false), ("a.E", true), ("a.F", true)]);
        assert_eq!(Schema::parse("int").unwrap().root, Node::Int(Logical::None));
    }
}
