//! What may be said of a process in `millstream.toml` and in the environment, beside the keys of `SET`: one table.
//!
//! Each stands for the option of the same name. A command takes those that it has as options; the others say nothing to it.

use std::borrow::Cow;

/// An option that can be said elsewhere.
pub(crate) struct Choice {
    /// Its name in the file; that of the option is the same.
    pub(crate) key: &'static str,
    /// Whether it names a file or a directory: one in `millstream.toml` is looked for beside it.
    pub(crate) is_path: bool,
    /// What holds where nobody says anything; empty where that is nothing.
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
}

const fn text(key: &'static str, default: &'static str, help: &'static str) -> Choice {
    Choice { key, is_path: false, default, help }
}

const fn path(key: &'static str, default: &'static str, help: &'static str) -> Choice {
    Choice { key, is_path: true, default, help }
}

/// All of them.
pub(crate) const CHOICES: &[Choice] = &[
    path("log", "./millstream-data", "Directory of the embedded log, and of state unless data is set."),
    text("bootstrap-servers", "", "Kafka brokers to use instead of the embedded log; excludes log."),
    path("client-config", "", "File with properties of the Kafka client."),
    path("data", "", "Directory of the states of jobs, below state, and of what a server keeps."),
    path("state", "", "Directory of the state of one job, for run and savepoint."),
    text("snapshots", "default", "Where snapshots are kept: topic, off or a URL."),
    text("memory", "1 gb", "Memory that the process keeps to: MiB, or a size as 2 gb."),
    text("http", "", "Where run and serve listen for HTTP; serve does so at 127.0.0.1:9090 unless told."),
    path("http-token", "", "File with the token of who may do everything over HTTP and PostgreSQL."),
    path("http-read-token", "", "Of serve: file with the token of who may look."),
    path(
        "tls-cert",
        "",
        "File with the certificate of the servers for HTTP and PostgreSQL: they then speak TLS.",
    ),
    path("tls-key", "", "File with the key of that certificate."),
    text("postgres", "", "Where run and serve listen for clients of PostgreSQL."),
    path("jobs", "", "Of serve: directory whose files NAME.sql are jobs."),
    text("jobs-max", "200", "Of serve: how many jobs there may be."),
    text("restarts", "10", "Of serve: how often a job that fails is started again."),
    text("server", "http://127.0.0.1:9090", "The server that job, why and health ask."),
    path("token", "", "File with the token that they send."),
    path(
        "server-ca",
        "",
        "File with the certificate that vouches for the server, where the system's do not.",
    ),
    text("log-level", "warn", "How much to say on standard error."),
];

/// Options that say the same as a key of `SET`: in the file and the environment the key is written.
pub(crate) const OF_SET: &[(&str, &str)] = &[
    ("workers", "parallelism.default"),
    ("snapshot-bytes", "millstream.snapshot-bytes"),
    ("rate", "millstream.records-per-second"),
];

/// Variables that are not called as their keys are.
const NAMED: &[(&str, &str)] =
    &[("token", "MILLSTREAM_TOKEN_FILE"), ("parallelism.default", "MILLSTREAM_WORKERS")];

/// Properties of the Kafka client begin so in the file.
pub(crate) const CLIENT_PROPERTY: &str = "client-property.";

/// The variable of a key: `MILLSTREAM_COMMIT_INTERVAL` is `millstream.commit-interval`.
pub(crate) fn variable(key: &str) -> Cow<'static, str> {
    match NAMED.iter().find(|(named, _)| *named == key) {
        Some((_, variable)) => Cow::Borrowed(variable),
        None => {
            let name = key.strip_prefix("millstream.").unwrap_or(key);
            Cow::Owned(format!("MILLSTREAM_{}", name.replace(['.', '-'], "_").to_uppercase()))
        }
    }
}

/// What is wrong with two choices that exclude each other.
pub(crate) const EXCLUDED: &str = "log and bootstrap-servers exclude each other: leave one out";

/// Memory as MiB: a number of them, or a size with its unit.
///
/// # Errors
/// For what is none, or too little for a process.
pub(crate) fn memory_mib(text: &str) -> Result<u32, String> {
    const LEAST: u32 = 128;
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_lowercase().as_str() {
        "" | "m" | "mb" | "mib" => 1,
        "g" | "gb" | "gib" => 1_024,
        _ => return Err("expected a number of MiB, or a size as 512 mb or 2 gb".to_owned()),
    };
    let mib = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
    match mib {
        Some(mib) if mib >= LEAST => Ok(mib),
        Some(_) => Err(format!("{LEAST} MiB is the least that a process can keep to")),
        None => Err("expected a number of MiB, or a size as 512 mb or 2 gb".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream::sql::Defaults;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_has_a_variable_of_its_own() {
        let keys: Vec<&str> =
            CHOICES.iter().map(|choice| choice.key).chain(Defaults::known().map(|known| known.key)).collect();
        let variables: BTreeSet<_> = keys.iter().map(|key| variable(key)).collect();
        assert_eq!(variables.len(), keys.len());
        assert_eq!(variable("millstream.commit-interval"), "MILLSTREAM_COMMIT_INTERVAL");
        assert_eq!(variable("table.local-time-zone"), "MILLSTREAM_TABLE_LOCAL_TIME_ZONE");
        assert_eq!(variable("http"), "MILLSTREAM_HTTP");
    }

    #[test]
    fn memory_is_mib_or_has_a_unit() {
        assert_eq!(memory_mib("512"), Ok(512));
        assert_eq!(memory_mib("2 gb"), Ok(2_048));
        assert_eq!(memory_mib("256MB"), Ok(256));
        for text in ["127", "1 kb", "", "-1", "99999999999", "4194304 gb"] {
            assert!(memory_mib(text).is_err(), "{text}");
        }
    }
}
