//! Parameters of a session, as `SET` and `SHOW` know them.
//!
//! Few of them change anything here: how long a statement may take. The others are kept, for clients set what they are used
//! to and look whether it stuck.

use crate::error::Trouble;
use std::collections::BTreeMap;
use std::time::Duration;

/// The version of PostgreSQL whose clients' questions are answered: they look at it to choose what they ask.
pub(crate) const VERSION: &str = "16.4";
const VERSION_NUMBER: &str = "160004";

/// Parameters, and what they are when nobody has set them.
const DEFAULTS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("idle_in_transaction_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
    ("lc_messages", "C.UTF-8"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("row_security", "on"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", VERSION),
    ("server_version_num", VERSION_NUMBER),
    ("session_authorization", "millstream"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// What can't be set, for it says what there is.
const FIXED: &[&str] = &[
    "in_hot_standby",
    "integer_datetimes",
    "is_superuser",
    "lc_collate",
    "lc_ctype",
    "max_identifier_length",
    "max_index_keys",
    "server_encoding",
    "server_version",
    "server_version_num",
    "session_authorization",
];

/// What a client is told of when it connects, by the names that it knows them by.
const TOLD: &[&str] = &[
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

/// How long the values of parameters may be together.
const BYTES_MAX: usize = 16 << 10;

/// The parameters of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    set: BTreeMap<String, String>,
}

impl Settings {
    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let set = self.set.get(&name).map(String::as_str);
        set.or_else(|| DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    /// All that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        DEFAULTS.iter().map(|(name, value)| (*name, self.set.get(*name).map_or(*value, String::as_str)))
    }

    /// Those that a client is told of by themselves.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&'static str, &str)> {
        TOLD.iter().map(|name| (*name, self.get(name).unwrap_or_default()))
    }

    /// Sets a parameter, or puts it back to what it is by itself. Gives what a client is told of, and how it was called.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Result<Option<(&'static str, String)>, Trouble> {
        let lower = name.to_ascii_lowercase();
        let is_known = DEFAULTS.iter().any(|(known, _)| *known == lower);
        // Those of extensions have a dot; nobody looks at them.
        if !is_known && !lower.contains('.') {
            return Err(unknown(name));
        }
        if FIXED.contains(&lower.as_str()) {
            return Err(Trouble::new("55P02", format!("parameter \"{name}\" cannot be changed")));
        }
        let Some(value) = value else {
            self.set.remove(&lower);
            return Ok(None);
        };
        let is_utf8 =
            |value: &str| matches!(value.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode" | "");
        if lower == "client_encoding" && !is_utf8(value) {
            return Err(Trouble::unsupported(
                format!("the encoding {value} is not spoken here"),
                "SET client_encoding = UTF8",
            ));
        }
        if lower == "statement_timeout" && duration(value).is_none() {
            return Err(Trouble::new(
                "22023",
                "statement_timeout is a number of milliseconds, or a text as '30s'",
            ));
        }
        let bytes: usize = self.set.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes + name.len() + value.len() > BYTES_MAX {
            return Err(Trouble::new("54000", format!("parameters take more than {BYTES_MAX} bytes")));
        }
        // Moments are given in UTC whatever is set.
        if lower != "timezone" && lower != "client_encoding" {
            self.set.insert(lower.clone(), value.to_owned());
        }
        let told = TOLD.iter().find(|known| known.eq_ignore_ascii_case(&lower));
        Ok(told.map(|known| (*known, self.get(known).unwrap_or_default().to_owned())))
    }

    /// Puts all back.
    pub(crate) fn reset(&mut self) {
        self.set.clear();
    }

    /// How long a statement may take, at most so long.
    pub(crate) fn time_max(&self, most: Duration) -> Duration {
        let set = self.get("statement_timeout").and_then(duration).filter(|set| !set.is_zero());
        set.map_or(most, |set| set.min(most))
    }
}

/// A parameter that there is not.
pub(crate) fn unknown(name: &str) -> Trouble {
    Trouble::new("42704", format!("unrecognized configuration parameter \"{name}\""))
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_where_they_can_be() {
        let mut settings = Settings::default();
        assert_eq!(settings.get("Server_Version_Num"), Some("160004"));
        assert_eq!(
            settings.set("Application_Name", Some("me")).unwrap(),
            Some(("application_name", "me".to_owned()))
        );
        assert_eq!(settings.get("application_name"), Some("me"));
        assert!(
            settings.set("server_version", Some("9")).is_err() && settings.set("nope", Some("1")).is_err()
        );
        assert!(settings.set("client_encoding", Some("LATIN1")).is_err());
        assert!(settings.set("statement_timeout", Some("soon")).is_err());
        settings.set("statement_timeout", Some("2s")).unwrap();
        assert_eq!(settings.time_max(Duration::from_secs(60)), Duration::from_secs(2));
        assert_eq!(settings.time_max(Duration::from_secs(1)), Duration::from_secs(1));
        settings.set("TimeZone", Some("Europe/Berlin")).unwrap();
        assert_eq!(settings.get("timezone"), Some("UTC"));
        assert!(settings.set("a.b", Some(&"x".repeat(BYTES_MAX))).is_err());
        settings.reset();
        assert_eq!(settings.get("statement_timeout"), Some("0"));
        assert!(
            TOLD.iter().all(|name| settings.get(name).is_some())
                && FIXED.iter().all(|name| settings.get(name).is_some())
        );
    }
}
