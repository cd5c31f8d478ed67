//! Whole records, one JSON object a line: what `millstream topic consume` prints.

use super::{Input, Row, Rows, now_ms, without_line, wrong};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A record as it is printed. Which topic it was in, and at what offset, does not matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    key: Option<Text>,
    // Without a default: a tombstone has to be meant.
    #[serde(deserialize_with = "Option::deserialize")]
    value: Option<Text>,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    partition: Option<u32>,
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default, rename = "topic")]
    _topic: serde::de::IgnoredAny,
    #[serde(default, rename = "offset")]
    _offset: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    key: String,
    #[serde(default)]
    value: Option<Text>,
}

/// Bytes: as text, or in base 64.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Encoded(Encoded),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64: String,
}

impl Text {
    fn into_bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Text::Plain(text) => Ok(text.into_bytes()),
            Text::Encoded(Encoded { base64 }) => {
                STANDARD.decode(base64).map_err(|error| format!("not base 64: {error}"))
            }
        }
    }
}

/// The lines that are not blank.
pub(super) fn rows(input: Input) -> Rows {
    let name = input.name.clone();
    let is_blank =
        |line: &Result<(u64, Vec<u8>), _>| line.as_ref().is_ok_and(|(_, line)| line.trim_ascii().is_empty());
    Box::new(input.lines().filter(move |line| !is_blank(line)).map(move |line| {
        let (number, line) = line?;
        row(number, &line).map_err(|detail| wrong(&name, number, &detail))
    }))
}

fn row(number: u64, line: &[u8]) -> Result<Row, String> {
    let Line { key, value, headers, partition, timestamp, .. } =
        serde_json::from_slice(line).map_err(|error| without_line(&error))?;
    let bytes = |text: Option<Text>| text.map(Text::into_bytes).transpose();
    let headers = headers.into_iter().map(|Header { key, value }| Ok((key, bytes(value)?)));
    Ok(Row {
        line: number,
        key: bytes(key)?,
        value: bytes(value)?,
        timestamp_ms: timestamp.unwrap_or_else(now_ms),
        partition,
        headers: headers.collect::<Result<_, String>>()?,
    })
}
