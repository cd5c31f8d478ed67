//! The format `avro-confluent`: records that name their schemas by a number in a registry.
//!
//! Records are read from the schema that each was written in to the schema of the table. Rows are written in the table's own
//! schema, whose number the registry gives before the job begins.

use super::decode::{AvroDecoder, split};
use super::derive::{derive, text};
use super::schema::{Node, Schema};
use super::schemas::{Lookup, Registry, Schemas, basic};
use super::write::{FieldWrite, compile_fields, write_row};
use super::{conflict, views};
use crate::options::OptionReader;
use crate::view::View;
use crate::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use std::fmt::Debug;
use std::sync::Arc;

/// Options of `avro-confluent`, and the schemas that have been looked up.
#[derive(Debug, Clone)]
pub struct ConfluentOptions {
    pub(crate) schemas: Arc<Schemas>,
    /// Where the schema of what is written is registered.
    pub(crate) subject: Option<String>,
    /// The schema of the table when it is not the one derived of its columns.
    pub(crate) schema: Option<(String, Arc<Schema>)>,
    /// Whether a schema that is not in the registry is put there.
    pub(crate) register: bool,
}

/// Options of the Java client that mean nothing here, and why.
const REFUSED: &[(&str, &str)] = &[
    ("ssl.keystore.location", "certificates of clients are not supported yet; use 'basic-auth.user-info'"),
    ("ssl.keystore.password", "certificates of clients are not supported yet; use 'basic-auth.user-info'"),
    ("ssl.truststore.location", "leave it out: the certificates that the system trusts are trusted"),
    ("ssl.truststore.password", "leave it out: the certificates that the system trusts are trusted"),
    ("properties", "name the options of the format one by one"),
];

impl ConfluentOptions {
    pub(crate) fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        let mut text = |name: &'static str, old: &'static str| {
            let (new, old) = (reader.text(name), reader.text(old));
            new.or(old)
        };
        let url = text("url", "schema-registry.url");
        let subject = text("subject", "schema-registry.subject").map(str::to_owned);
        let schema = text("schema", "schema-registry.schema");
        let register = reader.choice("auto.register.schemas", &[("true", true), ("false", false)])?;
        reader.choice("basic-auth.credentials-source", &[("URL", ()), ("USER_INFO", ())])?;
        let user_info = reader.text("basic-auth.user-info");
        reader.choice("bearer-auth.credentials-source", &[("STATIC_TOKEN", ())])?;
        let token = reader.text("bearer-auth.token");
        for (name, why) in REFUSED {
            if reader.text(name).is_some() {
                return Err(conflict(format!("'{}.{name}' can't be set: {why}", reader.format())));
            }
        }
        let authorization = match (user_info, token) {
            (Some(_), Some(_)) => {
                let message = "'basic-auth.user-info' and 'bearer-auth.token' can't both be set";
                return Err(conflict(message.to_owned()));
            }
            (Some(user_info), None) => Some(basic(user_info)),
            (None, Some(token)) => Some(format!("Bearer {token}")),
            (None, None) => None,
        };
        let url = url.ok_or_else(|| reader.missing("url", "the address of the schema registry"))?;
        let registry = Registry::new(url, authorization);
        // An address may have a password in it.
        let registry = registry.map_err(|expected| reader.bad("url", "..", expected))?;
        let schema = match schema {
            None => None,
            Some(text) => {
                let parsed = Schema::parse(text);
                let parsed =
                    parsed.map_err(|why| reader.bad("schema", text, format!("a schema of Avro: {why}")))?;
                Some((text.to_owned(), Arc::new(parsed)))
            }
        };
        Ok(ConfluentOptions { schemas: Schemas::new(registry), subject, schema, register })
    }

    /// The schema of rows of these fields, as it is registered.
    pub(crate) fn own_schema(
        &self,
        name: &'static str,
        fields: &Fields,
        nullable: bool,
    ) -> Result<OwnSchema, FormatError> {
        match &self.schema {
            Some((text, schema)) => Ok((text.clone(), Arc::clone(schema))),
            None => {
                let schema = derive(name, fields, true, nullable)?;
                Ok((text(&schema).map_err(conflict)?, Arc::new(schema)))
            }
        }
    }

    /// Where the registry is, and who asks it, changes nothing about the rows.
    pub(crate) fn describe_as(&self, name: &str) -> String {
        match &self.schema {
            None => name.to_owned(),
            Some((text, _)) => format!("{name}(schema={text})"),
        }
    }

    pub(crate) fn missing(&self, payloads: &mut dyn Iterator<Item = &[u8]>) -> Option<Lookup> {
        self.schemas.lacks(payloads.filter_map(|payload| split(payload).ok()).map(|(id, _)| id))
    }

    /// What gets the number of the schema that rows are written in.
    pub(crate) fn number(&self, text: String) -> Option<Lookup> {
        self.schemas.number(self.subject.as_ref()?, text, self.register)
    }
}

/// The text of a schema, and what it says.
pub(crate) type OwnSchema = (String, Arc<Schema>);

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "avro-confluent", names_fields: true, changes: false },
    parse: |reader| Ok(Arc::new(ConfluentOptions::parse(reader)?)),
};

impl Format for ConfluentOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        self.describe_as(FORMAT.facts.name)
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        let reader = match &self.schema {
            Some((_, schema)) => Arc::clone(schema),
            None => Arc::new(derive(FORMAT.facts.name, declared, true, false)?),
        };
        let schemas = Arc::clone(&self.schemas);
        Ok(Box::new(AvroDecoder::of_schemas(schemas, reader, declared, needed)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        let own = self.own_schema(FORMAT.facts.name, fields, false)?;
        let writes = compile_fields(&own.1, &own.1.root, fields).map_err(conflict)?;
        let head = Head::new(self, own)?;
        Ok(Box::new(ConfluentEncoder { head, fields: writes, columns: Vec::new() }))
    }

    fn lacks(&self, payloads: &mut dyn Iterator<Item = &[u8]>) -> Option<Lookup> {
        self.missing(payloads)
    }

    fn looks_up(&self) -> bool {
        true
    }

    fn before_writing(&self, fields: &Fields) -> Option<Lookup> {
        let (text, _) = self.own_schema(FORMAT.facts.name, fields, false).ok()?;
        self.number(text)
    }
}

/// What stands in front of each record: a zero, and the number of the schema.
#[derive(Debug)]
pub(crate) struct Head {
    schemas: Arc<Schemas>,
    subject: String,
    schema: String,
    bytes: Option<[u8; 5]>,
    /// The branch of a root that is a union with null.
    branch: Option<u8>,
}

impl Head {
    pub(crate) fn new(options: &ConfluentOptions, (text, schema): OwnSchema) -> Result<Self, FormatError> {
        let Some(subject) = options.subject.clone() else {
            return Err(conflict(
                "'subject' of the format is missing, under which its schema is registered".to_owned(),
            ));
        };
        let branch = match &schema.root {
            Node::Union(branches) => Some(if branches.first() == Some(&Node::Null) { 2 } else { 0 }),
            _ => None,
        };
        Ok(Head { schemas: Arc::clone(&options.schemas), subject, schema: text, bytes: None, branch })
    }

    /// Makes ready to write.
    pub(crate) fn begin(&mut self) -> Result<(), String> {
        if self.bytes.is_none() {
            let id = self.schemas.id(&self.subject, &self.schema);
            let id = id.ok_or_else(|| {
                format!("the schema of subject '{}' has not been looked up in the registry", self.subject)
            })?;
            let [a, b, c, d] = id.to_be_bytes();
            self.bytes = Some([0, a, b, c, d]);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.as_ref().map_or(&[], |bytes| bytes));
        out.extend(self.branch);
    }
}

/// Writes rows as records that name their schema.
#[derive(Debug)]
struct ConfluentEncoder {
    head: Head,
    fields: Vec<FieldWrite>,
    columns: Vec<View>,
}

impl Encoder for ConfluentEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        self.head.begin()?;
        self.columns = views(columns)?;
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.head.push(out);
        write_row(&self.fields, &self.columns, row, out)
    }
}
