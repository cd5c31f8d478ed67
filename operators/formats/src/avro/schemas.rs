//! Schemas of a registry, and what is asked of it.
//!
//! What stands behind a number never changes, so what has been found is kept. Nothing here opens a connection: a [`Lookup`]
//! says what to request and takes the answer; whoever runs the job carries both. So decoding stays a function of its input:
//! records whose schemas are not there yet wait for them before they are decoded.

use super::schema::Schema;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers that are kept of numbers that are no schema: records may name any.
const MISSES_MAX: usize = 1_000;

/// Where a registry is, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its addresses, any of which may be asked.
    urls: Vec<String>,
    /// The header `Authorization`.
    authorization: Option<String>,
}

impl Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Registry {
    /// A registry at one of these addresses, separated by commas. A user and a password may stand in them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn new(addresses: &str, authorization: Option<String>) -> Result<Self, String> {
        let (mut urls, mut authorization) = (Vec::new(), authorization);
        for address in addresses.split(',') {
            let (scheme, rest) = address.trim().split_once("://").unwrap_or_default();
            if !matches!(scheme, "http" | "https") || rest.is_empty() || rest.contains(['?', '#', ' ']) {
                return Err("an address as in 'http://registry:8081'".to_owned());
            }
            let rest = match rest.split_once('@') {
                Some((user, rest)) => {
                    authorization.get_or_insert_with(|| basic(user));
                    rest
                }
                None => rest,
            };
            urls.push(format!("{scheme}://{}", rest.trim_end_matches('/')));
        }
        Ok(Registry { urls, authorization })
    }
}

/// The header for a user and a password, as in `user:password`.
pub(crate) fn basic(user_info: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(user_info))
}

/// The schemas that are known of a registry.
#[derive(Debug)]
pub struct Schemas {
    registry: Registry,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By number; or why it is none that can be used.
    by_id: BTreeMap<u32, Result<Arc<Schema>, String>>,
    misses: usize,
    /// Numbers by subject and text.
    ids: BTreeMap<(String, String), u32>,
}

impl Schemas {
    pub(crate) fn new(registry: Registry) -> Arc<Self> {
        Arc::new(Schemas { registry, known: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schema of a number; `None` as long as it has not been looked up.
    pub(crate) fn schema(&self, id: u32) -> Option<Result<Arc<Schema>, String>> {
        self.known().by_id.get(&id).cloned()
    }

    /// The number of a schema; `None` as long as it has not been looked up.
    pub(crate) fn id(&self, subject: &str, schema: &str) -> Option<u32> {
        self.known().ids.get(&(subject.to_owned(), schema.to_owned())).copied()
    }

    /// The first number among these that has not been looked up.
    pub(crate) fn lacks(self: &Arc<Self>, ids: impl Iterator<Item = u32>) -> Option<Lookup> {
        let known = self.known();
        let mut last = None;
        for id in ids {
            if last != Some(id) && !known.by_id.contains_key(&id) {
                return Some(Lookup { schemas: Arc::clone(self), ask: Ask::Schema(id) });
            }
            last = Some(id);
        }
        None
    }

    /// What gets the number of a schema; `register` says whether one that is not there is put there.
    pub(crate) fn number(self: &Arc<Self>, subject: &str, schema: String, register: bool) -> Option<Lookup> {
        let ask = Ask::Number { subject: subject.to_owned(), schema, register };
        Some(Lookup { schemas: Arc::clone(self), ask })
    }
}

/// Something that has to be got from a registry.
#[derive(Debug, Clone)]
pub struct Lookup {
    schemas: Arc<Schemas>,
    ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    Schema(u32),
    Number { subject: String, schema: String, register: bool },
}

/// A request over HTTP.
#[derive(Clone)]
pub struct Request {
    /// Where: one after the other, until one answers.
    pub urls: Vec<String>,
    /// What is posted; else it is got.
    pub body: Option<String>,
    /// The header `Authorization`: a secret.
    pub authorization: Option<String>,
}

impl Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Why something was not got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It may be there when it is asked for again.
    #[error("{0}")]
    Later(String),
    /// It will not, until somebody changes something.
    #[error("{0}")]
    Refused(String),
}

impl Lookup {
    /// The content type of what is posted.
    pub const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

    /// What is asked for, and where.
    pub fn describe(&self) -> String {
        let place = self.schemas.registry.urls.join(", ");
        match &self.ask {
            Ask::Schema(id) => format!("schema {id} from the registry at {place}"),
            Ask::Number { subject, .. } => {
                format!("the number of a schema of subject '{subject}' from the registry at {place}")
            }
        }
    }

    /// Whether two ask for the same.
    pub fn is_as(&self, other: &Lookup) -> bool {
        Arc::ptr_eq(&self.schemas, &other.schemas) && self.ask == other.ask
    }

    /// The request to send.
    pub fn request(&self) -> Request {
        let (path, body) = match &self.ask {
            Ask::Schema(id) => (format!("/schemas/ids/{id}"), None),
            Ask::Number { subject, schema, register } => {
                let versions = if *register { "/versions" } else { "" };
                let body = json!({ "schema": schema }).to_string();
                (format!("/subjects/{}{versions}", escaped(subject)), Some(body))
            }
        };
        let Registry { urls, authorization } = &self.schemas.registry;
        let urls = urls.iter().map(|url| format!("{url}{path}")).collect();
        Request { urls, body, authorization: authorization.clone() }
    }

    /// Takes the answer: its status and its body.
    ///
    /// # Errors
    /// [`LookupError`]; nothing is known then that was not before.
    pub fn answer(&self, status: u16, body: &[u8]) -> Result<(), LookupError> {
        let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let said = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        let said = crate::shortened(said.as_bytes(), 400);
        let what = |then: &str| format!("{}: {then}", self.describe());
        let code = answer.get("error_code").and_then(Value::as_u64);
        match (status, &self.ask) {
            (200..=299, Ask::Schema(id)) => {
                let Some(text) = answer.get("schema").and_then(Value::as_str) else {
                    return Err(LookupError::Refused(what("the answer has no \"schema\"")));
                };
                self.keep(*id, read(text, &answer).map(Arc::new));
                Ok(())
            }
            (200..=299, Ask::Number { subject, schema, .. }) => {
                let id = answer.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
                let Some(id) = id else {
                    return Err(LookupError::Refused(what("the answer has no \"id\"")));
                };
                self.schemas.known().ids.insert((subject.clone(), schema.clone()), id);
                Ok(())
            }
            // It is the registry that says so, not somebody on the way.
            (404, Ask::Schema(id)) if code == Some(40403) => {
                self.keep(*id, Err("it is not in the registry".to_owned()));
                Ok(())
            }
            (408 | 429 | 500.., _) => Err(LookupError::Later(what(&format!("status {status} {said}")))),
            (401 | 403, _) => {
                let who = "set 'basic-auth.user-info' or 'bearer-auth.token' of the format";
                Err(LookupError::Refused(what(&format!("not allowed (status {status}) {said}; {who}"))))
            }
            _ => Err(LookupError::Refused(what(&format!("status {status} {said}")))),
        }
    }

    fn keep(&self, id: u32, found: Result<Arc<Schema>, String>) {
        let mut known = self.schemas.known();
        if found.is_err() {
            known.misses += 1;
            if known.misses > MISSES_MAX {
                known.by_id.retain(|_, found| found.is_ok());
                known.misses = 1;
            }
        }
        known.by_id.insert(id, found);
    }
}

/// The schema that an answer has.
fn read(text: &str, answer: &Value) -> Result<Schema, String> {
    let kind = answer.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
    if kind != "AVRO" {
        return Err(format!("it is of the type {kind}, not AVRO"));
    }
    if answer.get("references").and_then(Value::as_array).is_some_and(|references| !references.is_empty()) {
        return Err("it refers to other schemas, which is not supported yet".to_owned());
    }
    Schema::parse(text)
}

/// A part of a path.
fn escaped(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(byte.into()),
            other => drop(write!(path, "%{other:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> Arc<Schemas> {
        Schemas::new(Registry::new("http://u:p@one/, https://two:8081", None).unwrap())
    }

    #[test]
    fn what_is_asked_is_a_request_without_secrets_in_its_address() {
        let schemas = schemas();
        let lookup = schemas.lacks([7].into_iter()).unwrap();
        let request = lookup.request();
        assert_eq!(request.urls, ["http://one/schemas/ids/7", "https://two:8081/schemas/ids/7"]);
        assert_eq!(request.authorization.as_deref(), Some("Basic dTpw"));
        let shown = format!("{request:?} {lookup:?} {}", lookup.describe());
        assert!(!shown.contains("dTpw") && !shown.contains("u:p"), "{shown}");
        let lookup = schemas.number("a b/ä-value", "\"int\"".to_owned(), true).unwrap();
        assert_eq!(lookup.request().urls[0], "http://one/subjects/a%20b%2F%C3%A4-value/versions");
        assert_eq!(lookup.request().body.as_deref(), Some(r#"{"schema":"\"int\""}"#));
        assert!(Registry::new("registry:8081", None).is_err());
    }

    #[test]
    fn answers_are_kept_and_what_is_no_answer_is_asked_again_or_said() {
        let schemas = schemas();
        let ask = |id| schemas.lacks([id].into_iter());
        let lookup = ask(7).unwrap();
        assert!(matches!(lookup.answer(503, b"busy"), Err(LookupError::Later(_))));
        assert!(matches!(lookup.answer(404, b"<html>"), Err(LookupError::Refused(_))));
        assert!(matches!(lookup.answer(401, b"{}"), Err(LookupError::Refused(_))));
        assert!(matches!(lookup.answer(200, b"{}"), Err(LookupError::Refused(_))));
        assert!(ask(7).is_some());
        lookup.answer(200, br#"{"schema":"\"int\""}"#).unwrap();
        assert!(ask(7).is_none() && schemas.schema(7).unwrap().is_ok());
        for (id, answer, why) in [
            (1, &br#"{"schema":"{}","schemaType":"JSON"}"#[..], "type JSON"),
            (2, br#"{"schema":"\"a\"","references":[{}]}"#, "refers to other schemas"),
            (3, br#"{"schema":"\"a\""}"#, "no type \"a\""),
        ] {
            ask(id).unwrap().answer(200, answer).unwrap();
            assert!(schemas.schema(id).unwrap().unwrap_err().contains(why));
        }
        ask(4).unwrap().answer(404, br#"{"error_code":40403,"message":"Schema not found"}"#).unwrap();
        assert!(schemas.schema(4).unwrap().unwrap_err().contains("not in the registry"));
        for id in 10..3_000 {
            ask(id).unwrap().answer(404, br#"{"error_code":40403}"#).unwrap();
        }
        assert!(schemas.known().by_id.len() < 2 * MISSES_MAX && schemas.schema(7).unwrap().is_ok());
    }
}
