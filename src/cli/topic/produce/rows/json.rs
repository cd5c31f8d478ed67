//! Lines of JSON, which are written as they are.

use super::{Input, Row, Rows, Shape, now_ms, parse_time, without_line, wrong};
use serde::de::IgnoredAny;
use serde_json::Value;

/// The lines that are not blank. One that is no JSON is an error.
pub(super) fn rows(input: Input, shape: Shape) -> Rows {
    let name = input.name.clone();
    let is_blank =
        |line: &Result<(u64, Vec<u8>), _>| line.as_ref().is_ok_and(|(_, line)| line.trim_ascii().is_empty());
    Box::new(input.lines().filter(move |line| !is_blank(line)).map(move |line| {
        let (number, mut line) = line?;
        if line.ends_with(b"\r") {
            line.pop();
        }
        row(number, &line, &shape).map_err(|detail| wrong(&name, number, &detail))
    }))
}

fn row(number: u64, line: &[u8], shape: &Shape) -> Result<Row, String> {
    let (key, value) = shape.split(line)?;
    let Some(value) = value else {
        let key = key.map(<[u8]>::to_vec);
        return Ok(Row { line: number, key, timestamp_ms: now_ms(), ..Row::default() });
    };
    let no_json = |error: &serde_json::Error| {
        format!("{}: the line is no JSON; --format raw takes any text", without_line(error))
    };
    let text =
        std::str::from_utf8(value).map_err(|_| "the line is not UTF-8; --format raw takes any bytes")?;
    let (field_key, timestamp_ms) = match (&shape.key, &shape.timestamp) {
        (None, None) => {
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| no_json(&error))?;
            (None, now_ms())
        }
        _ => pick(&serde_json::from_str(text).map_err(|error| no_json(&error))?, shape)?,
    };
    let key = key.map(<[u8]>::to_vec).or(field_key);
    Ok(Row { line: number, key, value: Some(value.to_vec()), timestamp_ms, ..Row::default() })
}

/// The key and the time of an object.
fn pick(object: &Value, shape: &Shape) -> Result<(Option<Vec<u8>>, i64), String> {
    let field = |name: &String| object.get(name).ok_or_else(|| format!("no field \"{name}\""));
    let key = match shape.key.as_ref().map(field).transpose()? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone().into_bytes()),
        Some(other) => Some(other.to_string().into_bytes()),
    };
    let timestamp_ms = match shape.timestamp.as_ref().map(field).transpose()? {
        None => now_ms(),
        Some(Value::String(text)) => parse_time(text).ok_or_else(|| format!("\"{text}\" is no time"))?,
        Some(value) => value.as_i64().ok_or_else(|| format!("{value} is no time"))?,
    };
    Ok((key, timestamp_ms))
}
