//! `SET`: what a file sets, for the planner and for whoever runs the job.

mod defaults;
mod table;

pub use defaults::{Defaults, KnownSetting, settings_in};
pub use table::JobSetting;
pub(crate) use table::of_job;

use crate::catalog::{DURATION, duration_ms};
use crate::error::{SqlError, code, nearest};
use crate::functions::time::zone::Zone;
use crate::script::Spanned;
use millstream_operators::records::names::{job_name, topic_name};
use std::collections::BTreeMap;
use table::{Applied, Kind, REFUSED, SETTINGS, WITHOUT_EFFECT};

/// The settings of a file by key. Durations are whole milliseconds, sizes whole bytes, names and numbers as written.
pub(crate) type Settings = BTreeMap<String, String>;

/// Takes `SET 'key' = 'value'`. A key of Flink's that changes nothing here is a warning.
///
/// # Errors
/// For keys that are not known, and values they can't have.
pub(crate) fn set(
    settings: &mut Settings,
    key: &Spanned<String>,
    value: &Spanned<String>,
) -> Result<Option<SqlError>, SqlError> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key.value) else {
        return warning(key).map(Some).map_err(|error| *error);
    };
    match checked(setting.kind, &value.value) {
        Ok(value) => {
            let key = match setting.applied {
                Applied::As(other) => other,
                _ => setting.key,
            };
            settings.insert(key.to_owned(), value);
            Ok(None)
        }
        Err(expected) => {
            let message = format!("'{}' can't be '{}'", key.value, value.value);
            Err(SqlError::new(code::SETTING_VALUE, value.span, message).help(expected))
        }
    }
}

/// Takes `RESET 'key'`: it is as in `defaults` again. What was not set is as it was.
///
/// # Errors
/// For keys that are not known.
pub(crate) fn reset(
    settings: &mut Settings,
    key: &Spanned<String>,
    defaults: &Settings,
) -> Result<(), SqlError> {
    match SETTINGS.iter().find(|setting| setting.key == key.value) {
        None => warning(key).map(drop).map_err(|error| *error),
        Some(setting) => {
            let key = match setting.applied {
                Applied::As(other) => other,
                _ => setting.key,
            };
            match defaults.get(key) {
                Some(default) => drop(settings.insert(key.to_owned(), default.clone())),
                None => drop(settings.remove(key)),
            }
            Ok(())
        }
    }
}

/// What a key of Flink's may differ in from one that means something here, and be taken for that.
const TYPING_ERRORS: usize = 2;

fn listed(key: &str, list: &[(&str, &'static str)]) -> Option<&'static str> {
    let is = |(name, _): &&(&str, &str)| *name == key || (name.ends_with('.') && key.starts_with(name));
    list.iter().find(is).map(|(_, reason)| *reason)
}

fn warning(key: &Spanned<String>) -> Result<SqlError, Box<SqlError>> {
    let error = |message: String| SqlError::new(code::SETTING, key.span, message);
    // Somebody meant something with it.
    let known = SETTINGS.iter().map(|setting| setting.key);
    let is_of_flink = listed(&key.value, WITHOUT_EFFECT).is_some();
    let near = nearest(&key.value, known.clone())
        .filter(|near| !is_of_flink || strsim::osa_distance(near, &key.value) <= TYPING_ERRORS);
    let is_exact = WITHOUT_EFFECT.iter().any(|(name, _)| *name == key.value);
    match (listed(&key.value, REFUSED), listed(&key.value, WITHOUT_EFFECT), near) {
        (_, Some(reason), _) if is_exact => {
            Ok(error(format!("'{}' changes nothing", key.value)).help(reason))
        }
        (Some(help), _, _) => Err(Box::new(error(format!("'{}' can't be set", key.value)).help(help))),
        (None, _, Some(near)) => {
            let error = error(format!("there is no setting '{}'", key.value));
            Err(Box::new(error.help(format!("did you mean '{near}'?"))))
        }
        (None, Some(reason), None) => Ok(error(format!("'{}' changes nothing", key.value)).help(reason)),
        (None, None, None) => {
            let error = error(format!("there is no setting '{}'", key.value));
            let help = format!("leave it out; settings are {}", known.collect::<Vec<_>>().join(", "));
            Err(Box::new(error.help(help)))
        }
    }
}

/// A value as [`Settings`] has it, or what is expected.
fn checked(kind: Kind, value: &str) -> Result<String, String> {
    let count = |number: Option<u64>| number.filter(|number| *number > 0).map(|number| number.to_string());
    match kind {
        Kind::Name => job_name(value).map(|()| value.to_owned()),
        Kind::Topic => topic_name(value).map(|()| value.to_owned()),
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
        Kind::Zone if value.eq_ignore_ascii_case("UTC") => Ok("UTC".to_owned()),
        Kind::Zone => Zone::named(value).map(|_| value.to_owned()).ok_or_else(|| {
            "expected a zone of the time zone database, as 'Europe/Berlin', or an offset, as 'GMT+02:00'"
                .to_owned()
        }),
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
        settings.pop_first().map(|(_, value)| value)
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
            ("table.exec.sink.not-null-enforcer", "drop", "DROP"),
            ("table.local-time-zone", "utc", "UTC"),
            ("parallelism.default", " 4 ", "4"),
            ("millstream.bad-records", "Dead-Letter", "dead-letter"),
            ("execution.checkpointing.interval", "3 s", "3000"),
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
            ("pipeline.name", ".."),
            ("pipeline.name", "a/b"),
            ("millstream.dead-letter-topic", "."),
        ] {
            assert_eq!(kept(key, value), None, "{key} = {value}");
        }
    }

    #[test]
    fn settings_of_flinks_that_only_tune_are_warned_of_and_those_that_mean_something_are_refused() {
        let told = |key: &str| {
            let key = Spanned { value: key.to_owned(), span: Span::default() };
            let value = Spanned { value: "1".to_owned(), span: Span::default() };
            let mut settings = Settings::default();
            let told = set(&mut settings, &key, &value);
            assert!(settings.is_empty(), "{key:?}");
            told.map(|warning| warning.map(|warning| warning.message))
        };
        for key in [
            "table.exec.mini-batch.enabled",
            "table.optimizer.agg-phase-strategy",
            "table.exec.async-lookup.buffer-capacity",
            "table.exec.sink.keyed-shuffle",
            "table.dml-sync",
            "pipeline.object-reuse",
            "execution.checkpointing.timeout",
            "execution.buffer-timeout",
            "state.backend.type",
            "sql-client.execution.result-mode",
        ] {
            let warning = told(key).unwrap().unwrap();
            assert_eq!(warning, format!("'{key}' changes nothing"));
        }
        for (key, message) in [
            ("table.exec.source.idle-timeout", "can't be set"),
            ("table.exec.emit.early-fire.enabled", "can't be set"),
            ("execution.state-recovery.path", "can't be set"),
            ("table.exec.state.tl", "there is no setting"),
            ("frobnicate", "there is no setting"),
        ] {
            assert!(told(key).unwrap_err().message.contains(message), "{key}");
        }
    }
}
