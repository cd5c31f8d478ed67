//! Keys of `SET`.

use crate::catalog::{DURATION, duration_ms};
use crate::error::{SqlError, code, nearest};
use crate::script::Spanned;
use std::collections::BTreeMap;

/// The settings of a file by key. Durations are whole milliseconds, sizes whole bytes, names and numbers as written.
pub(crate) type Settings = BTreeMap<String, String>;

/// What a key may be set to.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A name that can be part of a topic's.
    Name,
    /// A duration longer than 0.
    Duration,
    /// A duration; 0 stands for no end.
    Retention,
    /// A number of bytes, greater than 0.
    Size,
    /// A number of bytes, at least this many MiB.
    SizeFrom(u64),
    /// A whole number greater than 0.
    Count,
    /// One of these.
    Choice(&'static [&'static str]),
    /// The only value there is: what Flink's other values ask for does not exist.
    Only(&'static str, &'static str),
}

const KEYS: &[(&str, Kind)] = &[
    ("pipeline.name", Kind::Name),
    ("parallelism.default", Kind::Count),
    ("execution.runtime-mode", Kind::Only("streaming", "a table that ends is read with 'scan.bounded.mode'")),
    ("table.exec.state.ttl", Kind::Retention),
    ("table.local-time-zone", Kind::Only("UTC", "times are those of UTC everywhere")),
    ("millstream.commit-interval", Kind::Duration),
    ("millstream.checkpoint-bytes", Kind::Size),
    ("millstream.checkpoint-commits", Kind::Count),
    ("millstream.snapshot-bytes", Kind::Size),
    ("millstream.session-timeout", Kind::Duration),
    ("millstream.transaction-timeout", Kind::Duration),
    ("millstream.memory", Kind::SizeFrom(128)),
    ("millstream.records-per-second", Kind::Count),
    ("millstream.delivery-guarantee", Kind::Choice(&["exactly-once", "at-least-once"])),
    ("millstream.bad-records", Kind::Choice(&["fail", "skip", "dead-letter"])),
    ("millstream.late-records", Kind::Choice(&["fail", "skip", "dead-letter"])),
    ("millstream.dead-letter-topic", Kind::Name),
];

/// Keys of Flink's by their names, or by what they begin with when that ends with a `.`.
const REFUSED: &[(&str, &str)] = &[
    ("execution.checkpointing.interval", "set 'millstream.commit-interval': results appear with each commit"),
    ("execution.checkpointing.", "leave it out: each commit is one, and exactly once"),
    ("execution.state-recovery.", "leave it out: a job's state is found by its name"),
    ("table.exec.source.idle-timeout", "set 'scan.watermark.idle-timeout' in the WITH of the table"),
    ("table.exec.mini-batch.", "leave it out: rows are always computed in batches"),
    ("table.exec.sink.", "leave it out: rows are written as the table declares them"),
    ("table.optimizer.", "leave it out: the planner decides"),
    ("table.dml-sync", "leave it out: how a file is run is said where it is started"),
    ("pipeline.auto-watermark-interval", "leave it out: watermarks are computed for every run of records"),
    ("state.", "leave it out: state is kept in one way"),
    ("restart-strategy.", "leave it out: whoever runs the process decides"),
    ("sql-client.", "leave it out: it is for Flink's client"),
];

/// Takes `SET 'key' = 'value'`.
///
/// # Errors
/// For keys that are not known, and values they can't have.
pub(crate) fn set(
    settings: &mut Settings,
    key: &Spanned<String>,
    value: &Spanned<String>,
) -> Result<(), SqlError> {
    let Some((_, kind)) = KEYS.iter().find(|(known, _)| *known == key.value) else {
        return Err(no_such_key(key));
    };
    match checked(*kind, &value.value) {
        Ok(value) => settings.insert(key.value.clone(), value),
        Err(expected) => {
            let message = format!("'{}' can't be '{}'", key.value, value.value);
            return Err(SqlError::new(code::SETTING_VALUE, value.span, message).help(expected));
        }
    };
    Ok(())
}

fn no_such_key(key: &Spanned<String>) -> SqlError {
    let is = |refused: &&(&str, &str)| {
        refused.0 == key.value || (refused.0.ends_with('.') && key.value.starts_with(refused.0))
    };
    if let Some((_, help)) = REFUSED.iter().find(is) {
        return SqlError::new(code::SETTING, key.span, format!("'{}' can't be set", key.value)).help(*help);
    }
    let known = KEYS.iter().map(|(known, _)| *known);
    let help = match nearest(&key.value, known.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("leave it out; settings are {}", known.collect::<Vec<_>>().join(", ")),
    };
    SqlError::new(code::SETTING, key.span, format!("there is no setting '{}'", key.value)).help(help)
}

/// A value as [`Settings`] has it, or what is expected.
fn checked(kind: Kind, value: &str) -> Result<String, String> {
    let count = |number: Option<u64>| number.filter(|number| *number > 0).map(|number| number.to_string());
    match kind {
        Kind::Name => {
            let is_legal = |char: char| char.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&char);
            let legal = !value.is_empty() && value.len() <= 100 && value.chars().all(is_legal);
            let expected = "a name of 1 to 100 letters, digits, '.', '_' and '-': topics are named by it";
            legal.then(|| value.to_owned()).ok_or_else(|| format!("expected {expected}"))
        }
        Kind::Duration => {
            let duration = duration_ms(value).and_then(|duration| u64::try_from(duration).ok());
            count(duration).ok_or_else(|| format!("expected {DURATION}"))
        }
        Kind::Retention => {
            let duration = duration_ms(value).and_then(|duration| u64::try_from(duration).ok());
            duration.map(|ms| ms.to_string()).ok_or_else(|| format!("expected {DURATION}"))
        }
        Kind::Size => count(bytes(value)).ok_or_else(|| "expected a size as in '64 mb' or '1 gb'".to_owned()),
        Kind::SizeFrom(least_mb) => count(bytes(value).filter(|bytes| *bytes >= least_mb << 20))
            .ok_or_else(|| format!("expected a size of '{least_mb} mb' or more: a process needs it")),
        Kind::Count => count(value.trim().parse().ok())
            .ok_or_else(|| "expected a whole number greater than 0".to_owned()),
        Kind::Choice(choices) => {
            let chosen = choices.iter().find(|choice| choice.eq_ignore_ascii_case(value));
            let expected =
                || choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(" or ");
            chosen.map(|choice| (*choice).to_owned()).ok_or_else(|| format!("expected {}", expected()))
        }
        Kind::Only(only, why) => match value.eq_ignore_ascii_case(only) {
            true => Ok(only.to_owned()),
            false => Err(format!("expected '{only}': {why}")),
        },
    }
}

/// A size as Flink writes them: a whole number and a unit, of 1024; bytes without one.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim().to_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kib" | "kibibytes" => 10,
        "m" | "mb" | "mib" | "mebibytes" => 20,
        "g" | "gb" | "gib" | "gibibytes" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Span;

    fn kept(key: &str, value: &str) -> Option<String> {
        let spanned = |text: &str| Spanned { value: text.to_owned(), span: Span::default() };
        let mut settings = Settings::default();
        set(&mut settings, &spanned(key), &spanned(value)).ok()?;
        settings.remove(key)
    }

    #[test]
    fn values_are_kept_in_milliseconds_and_bytes() {
        for (key, value, expected) in [
            ("pipeline.name", "a.b-c_1", "a.b-c_1"),
            ("millstream.commit-interval", "2 s", "2000"),
            ("millstream.memory", "1 gb", "1073741824"),
            ("table.exec.state.ttl", "2 d", "172800000"),
            ("table.exec.state.ttl", "0 ms", "0"),
            ("millstream.checkpoint-bytes", "512", "512"),
            ("table.local-time-zone", "utc", "UTC"),
            ("parallelism.default", " 4 ", "4"),
            ("millstream.bad-records", "Dead-Letter", "dead-letter"),
        ] {
            assert_eq!(kept(key, value).as_deref(), Some(expected), "{key} = {value}");
        }
        for (key, value) in [
            ("parallelism.default", "0"),
            ("millstream.late-records", "drop"),
            ("millstream.memory", "99999999999999999999 gb"),
            ("millstream.memory", "18446744073709551615 gb"),
            ("pipeline.name", ""),
            ("Pipeline.Name", "a"),
        ] {
            assert_eq!(kept(key, value), None, "{key} = {value}");
        }
    }
}
