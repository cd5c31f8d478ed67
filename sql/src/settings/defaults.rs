//! Settings of whoever runs a file: they hold where the file itself says nothing.
//!
//! A file's `SET` wins over them, and `RESET` goes back to them. What only one file can mean, as the name of its job, is not
//! among them.

use super::table::{Applied, SETTINGS, Setting};
use super::{Settings, checked, listed, table};
use crate::error::{SqlErrors, nearest};
use crate::guard::on_own_stack;
use crate::plan::{Beside, Question, SqlJob};
use crate::script::{self, Statement};
use std::collections::BTreeMap;

/// Settings that hold where a file says nothing.
///
/// ```
/// use millstream_sql::Defaults;
///
/// let mut defaults = Defaults::default();
/// defaults.set("parallelism.default", "4")?;
/// let table = "CREATE TABLE t (k STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";
/// let job = defaults.plan("job.sql", &format!("{table} EXPLAIN SELECT k FROM t;")).unwrap();
/// assert_eq!(job.settings["parallelism.default"], "4");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Defaults(Settings);

/// A key that [`Defaults`] take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSetting {
    /// The key.
    pub key: &'static str,
    /// What holds where nobody says anything, as it would be written; empty where that is nothing.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
}

/// Keys that are a file's own: what to do instead of giving them to all files.
const OF_A_FILE: &[(&str, &str)] = &[
    ("pipeline.name", "a name is one job's: SET it in the job's file, or give it with --job"),
    ("millstream.memory", "SET it in a job's file; memory is that of the process"),
];

impl Defaults {
    /// Sets a key.
    ///
    /// # Errors
    /// For keys that are not known, and values they can't have: what is wrong, and what to do.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let setting = usable(key)?;
        let value = checked(setting.kind, value)
            .map_err(|expected| format!("'{key}' can't be '{}': {expected}", value.escape_debug()))?;
        self.0.insert(key.to_owned(), value);
        Ok(())
    }

    /// [`plan()`](crate::plan()) with these settings where the file has none of its own.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn plan(&self, file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
        let beside = Beside { defaults: self.0.clone(), ..Beside::default() };
        crate::plan::plan_with(&beside, file_name, text)
    }

    /// [`ask`](crate::ask) with these settings where the file has none of its own.
    ///
    /// # Errors
    /// What is wrong with the question, or with the tables.
    pub fn ask(
        &self,
        file: &str,
        tables: &str,
        question: &str,
        goes_on: bool,
    ) -> Result<Question, SqlErrors> {
        crate::plan::ask_with(&self.0, file, tables, question, goes_on)
    }

    /// The keys there are.
    pub fn known() -> impl Iterator<Item = KnownSetting> {
        let known = SETTINGS.iter().filter(|setting| usable(setting.key).is_ok());
        known.map(|Setting { key, default, help, .. }| KnownSetting { key, default, help })
    }

    /// What is wrong with a key that can't be set here; the nearest of these or of `others` may be meant.
    pub fn refusal<'k>(key: &'k str, others: impl Iterator<Item = &'k str>) -> String {
        match usable(key) {
            Err(why) if is_listed(key) => why,
            Err(_) => {
                let known = Defaults::known().map(|setting| -> &'k str { setting.key }).chain(others);
                let near = nearest(key, known).map(|near| format!("; did you mean {near}?"));
                format!("there is no setting {}{}", key.escape_debug(), near.unwrap_or_default())
            }
            Ok(_) => String::new(),
        }
    }
}

fn is_listed(key: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.key == key)
        || listed(key, table::REFUSED).is_some()
        || listed(key, table::WITHOUT_EFFECT).is_some()
}

fn usable(key: &str) -> Result<&'static Setting, String> {
    if let Some((_, why)) = OF_A_FILE.iter().find(|(of_a_file, _)| *of_a_file == key) {
        return Err(format!("{key} can't be set here: {why}"));
    }
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
        let why = listed(key, table::REFUSED).map(|help| format!("can't be set: {help}"));
        let why =
            why.or_else(|| listed(key, table::WITHOUT_EFFECT).map(|help| format!("changes nothing: {help}")));
        return Err(format!("{} {}", key.escape_debug(), why.as_deref().unwrap_or("is no setting")));
    };
    match setting.applied {
        Applied::Job(_) | Applied::In(_) => Ok(setting),
        Applied::As(other) => Err(format!("{key} can't be set here: write {other}, which is the same")),
        Applied::Anyway => Err(format!("{key} can't be set here: leave it out, it is so anyway")),
    }
}

/// What a file sets, as it is written there: by key the value and the line. What it takes back is left out, and what is wrong.
///
/// ```
/// let set = millstream_sql::settings_in("SET 'parallelism.default' = '2';\nSET 'millstream.commit-interval' = '1 s';");
/// assert_eq!(set["millstream.commit-interval"], ("1 s".to_owned(), 2));
/// ```
pub fn settings_in(text: &str) -> BTreeMap<String, (String, usize)> {
    on_own_stack(|| set_in(text)).unwrap_or_default()
}

fn set_in(text: &str) -> BTreeMap<String, (String, usize)> {
    let (script, _) = script::parse(text);
    let mut set = BTreeMap::new();
    let name =
        |key: &str| match SETTINGS.iter().find(|setting| setting.key == key).map(|found| &found.applied) {
            Some(Applied::As(other)) => (*other).to_owned(),
            _ => key.to_owned(),
        };
    for statement in &script.statements {
        match statement {
            Statement::Set { key, value } => {
                let before = text.as_bytes().iter().take(key.span.start);
                let line = before.filter(|byte| **byte == b'\n').count() + 1;
                set.insert(name(&key.value), (value.value.clone(), line));
            }
            Statement::Reset { key: Some(key), .. } => drop(set.remove(&name(&key.value))),
            Statement::Reset { key: None, .. } => set.clear(),
            _ => {}
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "CREATE TABLE t (k STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";

    #[test]
    fn a_file_wins_over_defaults_and_goes_back_to_them() {
        let mut defaults = Defaults::default();
        defaults.set("millstream.commit-interval", "2 s").unwrap();
        let planned = |set: &str| {
            let job = defaults.plan("job.sql", &format!("{set} {TABLE} EXPLAIN SELECT k FROM t;")).unwrap();
            job.settings["millstream.commit-interval"].clone()
        };
        assert_eq!(planned(""), "2000");
        assert_eq!(planned("SET 'millstream.commit-interval' = '5 s';"), "5000");
        let reset = "SET 'execution.checkpointing.interval' = '5 s'; RESET 'millstream.commit-interval';";
        assert_eq!(planned(reset), "2000");
        assert_eq!(planned("SET 'millstream.commit-interval' = '5 s'; RESET;"), "2000");
    }

    #[test]
    fn the_zone_of_defaults_is_that_of_jobs_and_of_questions() {
        let mut defaults = Defaults::default();
        defaults.set("table.local-time-zone", "Europe/Berlin").unwrap();
        let job = defaults.plan("job.sql", &format!("{TABLE} EXPLAIN SELECT k FROM t;")).unwrap();
        assert_eq!(job.settings["table.local-time-zone"], "Europe/Berlin");
        let asked = defaults.ask("job.sql", TABLE, "SELECT k FROM t", false).unwrap();
        assert_eq!(asked.job.settings["table.local-time-zone"], "Europe/Berlin");
    }

    #[test]
    fn what_is_no_default_is_refused_with_what_to_do() {
        let refused = |key: &str, value: &str| Defaults::default().set(key, value).unwrap_err();
        for (key, value, part) in [
            ("pipeline.name", "a", "--job"),
            ("millstream.memory", "1 gb", "that of the process"),
            ("execution.checkpointing.interval", "1 s", "write millstream.commit-interval"),
            ("table.sql-dialect", "default", "so anyway"),
            ("table.exec.emit.early-fire.enabled", "true", "can't be set"),
            ("state.backend.type", "rocksdb", "changes nothing"),
            ("parallelism.default", "none", "a whole number"),
        ] {
            assert!(refused(key, value).contains(part), "{key}: {}", refused(key, value));
        }
        let near = Defaults::refusal("millstream.comit-interval", ["log"].into_iter());
        assert_eq!(
            near,
            "there is no setting millstream.comit-interval; did you mean millstream.commit-interval?"
        );
        assert!(Defaults::refusal("lgo", ["log"].into_iter()).ends_with("did you mean log?"));
    }

    #[test]
    fn the_value_of_each_default_is_one_that_can_be_set() {
        for KnownSetting { key, default, .. } in Defaults::known().filter(|known| !known.default.is_empty()) {
            assert_eq!(Defaults::default().set(key, default), Ok(()), "{key}");
        }
    }
}
