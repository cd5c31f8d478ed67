//! Descriptor sets, as `protoc` writes them: messages and enums by their names.

use super::wire::{Value, field};
use std::collections::BTreeMap;

/// The types of a descriptor set.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
}

#[derive(Debug)]
pub(crate) struct Message {
    /// With its package, as in `shop.Order.Item`.
    pub(crate) name: String,
    pub(crate) fields: Vec<FieldDef>,
    /// Whether it is made for the entries of a map.
    pub(crate) is_entry: bool,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) values: Vec<(String, i32)>,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldDef {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
    pub(crate) required: bool,
    /// Whether it is known of it whether it is there.
    pub(crate) has_presence: bool,
    pub(crate) packed: bool,
    pub(crate) oneof: Option<u32>,
    /// What it is when it is not there, where that is said.
    pub(crate) default: Option<String>,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Double,
    Float,
    /// `int32` and `sint32`: whether its sign is in its lowest bit.
    Int32(bool),
    Uint32,
    Int64(bool),
    Fixed32,
    Fixed64,
    Bool,
    String,
    Bytes,
    Enum(usize),
    Message(usize),
    Group,
}

/// A field whose type is still a name.
struct Raw {
    def: FieldDef,
    type_number: u64,
    type_name: String,
}

#[derive(Default)]
struct Parser {
    messages: Vec<(String, Vec<Raw>, bool)>,
    enums: Vec<Enum>,
}

/// How deep messages may be declared in each other.
const DEPTH_MAX: usize = 32;

impl Pool {
    /// The types of a descriptor set.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut parser = Parser::default();
        for (number, value) in fields(bytes)? {
            if let (1, Value::Bytes(file)) = (number, value) {
                parser.file(file)?;
            }
        }
        parser.finish()
    }

    /// The message called so.
    pub(crate) fn message(&self, name: &str) -> Option<usize> {
        self.messages.iter().position(|message| message.name == name.trim_start_matches('.'))
    }

    /// The names of the messages that records may be.
    pub(crate) fn names(&self) -> Vec<&str> {
        let own = self.messages.iter().filter(|message| !message.is_entry);
        own.map(|message| message.name.as_str()).collect()
    }
}

fn fields(mut bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        found.push(field(&mut bytes).ok_or("the bytes are none")?);
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not UTF-8".to_owned())
}

/// The name of something in a package or a message.
fn within(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

impl Parser {
    fn file(&mut self, bytes: &[u8]) -> Result<(), String> {
        let parts = fields(bytes)?;
        let last = |wanted: u32| {
            let mut found = parts.iter().rev().filter(|(number, _)| *number == wanted);
            found.find_map(|(_, value)| if let Value::Bytes(bytes) = value { Some(*bytes) } else { None })
        };
        let package = text(last(2).unwrap_or_default())?;
        let syntax = text(last(12).unwrap_or_default())?;
        if syntax == "editions" {
            return Err("editions are not supported yet: it has to be of proto2 or proto3".to_owned());
        }
        for (number, value) in &parts {
            match (number, value) {
                (4, Value::Bytes(message)) => self.message(message, &package, syntax == "proto3", 0)?,
                (5, Value::Bytes(of)) => self.enumeration(of, &package)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn message(&mut self, bytes: &[u8], outer: &str, proto3: bool, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err("messages stand too deep in each other".to_owned());
        }
        let parts = fields(bytes)?;
        let mut name = outer.to_owned();
        for (number, value) in &parts {
            if let (1, Value::Bytes(own)) = (number, value) {
                name = within(outer, &text(own)?);
            }
        }
        let (mut raws, mut is_entry) = (Vec::new(), false);
        for (number, value) in &parts {
            match (number, value) {
                (2, Value::Bytes(field)) => raws.push(raw_field(field, proto3)?),
                (3, Value::Bytes(nested)) => self.message(nested, &name, proto3, depth + 1)?,
                (4, Value::Bytes(of)) => self.enumeration(of, &name)?,
                (7, Value::Bytes(options)) => is_entry = fields(options)?.contains(&(7, Value::Varint(1))),
                _ => {}
            }
        }
        self.messages.push((name, raws, is_entry));
        Ok(())
    }

    fn enumeration(&mut self, bytes: &[u8], outer: &str) -> Result<(), String> {
        let mut found = Enum { name: String::new(), values: Vec::new() };
        for (number, value) in fields(bytes)? {
            match (number, value) {
                (1, Value::Bytes(name)) => found.name = within(outer, &text(name)?),
                (2, Value::Bytes(value)) => {
                    let (mut name, mut place) = (String::new(), 0);
                    for part in fields(value)? {
                        match part {
                            (1, Value::Bytes(bytes)) => name = text(bytes)?,
                            (2, Value::Varint(number)) => place = number as i32,
                            _ => {}
                        }
                    }
                    found.values.push((name, place));
                }
                _ => {}
            }
        }
        self.enums.push(found);
        Ok(())
    }

    /// Types found by their names.
    fn finish(self) -> Result<Pool, String> {
        let names = self.messages.iter().enumerate().map(|(index, (name, ..))| (name.clone(), index));
        let messages: BTreeMap<String, usize> = names.collect();
        let enums: BTreeMap<&str, usize> =
            self.enums.iter().enumerate().map(|(index, of)| (of.name.as_str(), index)).collect();
        let mut found = Vec::with_capacity(messages.len());
        for (name, raws, is_entry) in self.messages {
            let mut own = Vec::with_capacity(raws.len());
            for Raw { mut def, type_number, type_name } in raws {
                let wanted = type_name.trim_start_matches('.');
                let missing = || {
                    format!(
                        "{name} names the type {wanted}, which is not there; run protoc with --include_imports"
                    )
                };
                def.kind = match type_number {
                    11 => Kind::Message(*messages.get(wanted).ok_or_else(missing)?),
                    14 => Kind::Enum(*enums.get(wanted).ok_or_else(missing)?),
                    other => {
                        scalar(other).ok_or_else(|| format!("{name} has a field of a type that is none"))?
                    }
                };
                own.push(def);
            }
            found.push(Message { name, fields: own, is_entry });
        }
        Ok(Pool { messages: found, enums: self.enums })
    }
}

fn scalar(number: u64) -> Option<Kind> {
    Some(match number {
        1 => Kind::Double,
        2 => Kind::Float,
        3 | 4 => Kind::Int64(false),
        5 => Kind::Int32(false),
        13 => Kind::Uint32,
        6 | 16 => Kind::Fixed64,
        7 | 15 => Kind::Fixed32,
        8 => Kind::Bool,
        9 => Kind::String,
        10 => Kind::Group,
        12 => Kind::Bytes,
        17 => Kind::Int32(true),
        18 => Kind::Int64(true),
        _ => return None,
    })
}

fn raw_field(bytes: &[u8], proto3: bool) -> Result<Raw, String> {
    let mut def = FieldDef {
        name: String::new(),
        number: 0,
        kind: Kind::Group,
        repeated: false,
        required: false,
        has_presence: false,
        packed: proto3,
        oneof: None,
        default: None,
    };
    let (mut type_number, mut type_name, mut optional3) = (0, String::new(), false);
    for (number, value) in fields(bytes)? {
        match (number, value) {
            (1, Value::Bytes(name)) => def.name = text(name)?,
            (3, Value::Varint(number)) => def.number = number as u32,
            (4, Value::Varint(label)) => (def.required, def.repeated) = (label == 2, label == 3),
            (5, Value::Varint(of)) => type_number = of,
            (6, Value::Bytes(name)) => type_name = text(name)?,
            (7, Value::Bytes(default)) => def.default = Some(text(default)?),
            (9, Value::Varint(oneof)) => def.oneof = Some(oneof as u32),
            (17, Value::Varint(optional)) => optional3 = optional == 1,
            (8, Value::Bytes(options)) => {
                for option in fields(options)? {
                    if let (2, Value::Varint(packed)) = option {
                        def.packed = packed == 1;
                    }
                }
            }
            _ => {}
        }
    }
    def.has_presence = !def.repeated && (!proto3 || optional3 || def.oneof.is_some() || type_number == 11);
    if optional3 {
        // What may be left out is in a oneof of its own.
        def.oneof = None;
    }
    Ok(Raw { def, type_number, type_name })
}
