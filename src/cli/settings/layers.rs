//! Who says what: defaults, then `millstream.toml`, then the environment, then a job's file, then options. The later wins.
//!
//! The command line is read twice: once for the options that are given, and, where file or environment say something, once
//! more with that in place of the defaults. So an option's check is the same wherever its value comes from, and a value that
//! does not pass is refused with the place that it comes from.

use super::choices::{CHOICES, CLIENT_PROPERTY, EXCLUDED, OF_SET, variable};
use super::file::{self, Entry};
use crate::cli::Failure;
use crate::cli::progress::say;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use millstream::sql::Defaults;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The file that is looked for in the working directory.
const FILE: &str = "millstream.toml";
/// The option that names another, and its variable.
const FILE_OPTION: &str = "config_file";
const FILE_VARIABLE: &str = "MILLSTREAM_CONFIG_FILE";
/// Typing errors of a variable that is still recognised.
const TYPING_ERRORS: usize = 2;

/// Who says a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody.
    Default,
    /// A line of a file.
    File(String),
    /// A variable.
    Variable(String),
    /// `SET` in a job's file.
    Set(String),
    /// The `WITH` of a table.
    With(String),
    /// An option.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => write!(f, "default"),
            Origin::File(place) => write!(f, "{place}"),
            Origin::Variable(name) => write!(f, "{name}"),
            Origin::Set(place) => write!(f, "SET in {place}"),
            Origin::With(place) => write!(f, "WITH in {place}"),
            Origin::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// A value, and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// What is said of a process outside of a job's file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    /// By file and environment.
    below: BTreeMap<String, Said>,
    /// By options.
    flags: BTreeMap<String, Said>,
    /// Properties of the Kafka client, by the file.
    client: BTreeMap<String, Said>,
    defaults: Defaults,
}

/// What is said of this process.
static SAID: OnceLock<Layers> = OnceLock::new();

/// What is said of this process; nothing before the command line was read.
pub(crate) fn said() -> &'static Layers {
    SAID.get_or_init(Layers::default)
}

/// Settings for files that say nothing themselves.
pub(crate) fn defaults() -> &'static Defaults {
    &said().defaults
}

/// Why the command line was not read.
pub(crate) enum Unread {
    /// It is wrong, or asks for help.
    Line(clap::Error),
    /// A file or a variable is.
    Said(Failure),
}

/// Reads a command line with what file and environment say in place of defaults.
///
/// # Errors
/// What is wrong with one of them.
pub(crate) fn read(command: impl Fn() -> Command) -> Result<ArgMatches, Unread> {
    let matches = command().try_get_matches().map_err(Unread::Line)?;
    let mut path = Vec::new();
    let (mut leaf, mut at) = (&matches, command());
    let mut flags = flags_of(&at, leaf);
    while let Some((name, below)) = leaf.subcommand() {
        path.push(name.to_owned());
        at = at.find_subcommand(name).cloned().unwrap_or(at);
        flags.extend(flags_of(&at, below));
        leaf = below;
    }
    // They say what can be written where, and run nothing.
    if path.first().is_some_and(|name| ["completions", "man", "version"].contains(&name.as_str())) {
        return Ok(matches);
    }
    let file = matches.get_one::<PathBuf>(FILE_OPTION).cloned();
    let layers = Layers::of(file, flags, &|name| std::env::var(name).ok()).map_err(Unread::Said)?;
    warn_of_variables(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    let said = SAID.get_or_init(|| layers);
    if said.below.is_empty() {
        return Ok(matches);
    }
    let read = with_defaults(command(), &path, said).try_get_matches();
    read.map_err(|error| Unread::Said(said.refusal(&error)))
}

/// The options that were given to a command.
fn flags_of(command: &Command, matches: &ArgMatches) -> BTreeMap<String, Said> {
    let given = command.get_arguments().filter_map(|arg| {
        let long = arg.get_long()?;
        let id = arg.get_id().as_str();
        let mut values = matches.try_get_raw(id).ok().flatten()?;
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            return None;
        }
        let set = OF_SET.iter().find(|(flag, _)| *flag == long).map(|(_, key)| *key);
        let key = CHOICES.iter().map(|choice| choice.key).find(|key| *key == long).or(set)?;
        let value = values.next_back()?.to_string_lossy().into_owned();
        Some((key.to_owned(), Said { value, origin: Origin::Flag(long.to_owned()) }))
    });
    given.collect()
}

/// The command with what is said in place of its defaults.
fn with_defaults(command: Command, path: &[String], said: &Layers) -> Command {
    let options: Vec<(String, String)> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_id().to_string(), said.below.get(arg.get_long()?)?.value.clone())))
        .collect();
    let command = options.into_iter().fold(command, |command, (id, value)| {
        // Kept until the process ends, as the command line is.
        command.mut_arg(id, |arg| arg.required(false).default_value(&*value.leak()))
    });
    match path.split_first() {
        Some((name, below)) => command.mut_subcommand(name, |sub| with_defaults(sub, below, said)),
        None => command,
    }
}

/// Says which variables look as if they were meant, and say nothing. Others of that beginning may be anybody's.
fn warn_of_variables(names: impl Iterator<Item = String>) {
    let keys = CHOICES.iter().map(|choice| choice.key).chain(Defaults::known().map(|known| known.key));
    let mut known: Vec<String> = keys.map(|key| variable(key).into_owned()).collect();
    known.push(FILE_VARIABLE.to_owned());
    // Those of programs in Rust.
    let of_programs: Vec<&str> = millstream::job::ENVIRONMENT.iter().map(|(name, _)| *name).collect();
    for name in names.filter(|name| name.starts_with("MILLSTREAM_")) {
        if known.contains(&name) || of_programs.contains(&name.as_str()) {
            continue;
        }
        let near = known.iter().map(|known| (strsim::osa_distance(known, &name), known)).min();
        if let Some((_, near)) = near.filter(|(errors, _)| *errors <= TYPING_ERRORS) {
            say(&format!("warning: the variable {name} says nothing; did you mean {near}?"));
        }
    }
}

impl Layers {
    /// What the file, the environment and options say.
    fn of(
        file: Option<PathBuf>,
        flags: BTreeMap<String, Said>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut layers = Layers { flags, ..Layers::default() };
        let named =
            file.or_else(|| environment(FILE_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from));
        let path = named.or_else(|| Some(PathBuf::from(FILE)).filter(|path| path.is_file()));
        if let Some(path) = path {
            let entries = file::read(&path).map_err(Failure::Usage)?;
            for entry in entries {
                let place = format!("{}:{}", path.display(), entry.line);
                layers.take(entry, &path, &place).map_err(|why| Failure::Usage(format!("{place}: {why}")))?;
            }
        }
        layers.read_environment(environment).map_err(Failure::Usage)?;
        Ok(layers.without_excluded())
    }

    /// Takes a line of the file.
    fn take(&mut self, entry: Entry, file: &Path, place: &str) -> Result<(), String> {
        let Entry { key, value, .. } = entry;
        let said = |value: String| Said { value, origin: Origin::File(place.to_owned()) };
        if let Some(property) = key.strip_prefix(CLIENT_PROPERTY) {
            self.client.insert(property.to_owned(), said(value));
            return Ok(());
        }
        if let Some(choice) = CHOICES.iter().find(|choice| choice.key == key) {
            self.exclude(&key)?;
            let beside = || file.parent().map_or_else(|| PathBuf::from(&value), |parent| parent.join(&value));
            let value = if choice.is_path { beside().to_string_lossy().into_owned() } else { value };
            self.below.insert(key, said(value));
            return Ok(());
        }
        if let Some((_, set)) = OF_SET.iter().find(|(flag, _)| *flag == key) {
            return Err(format!("there is no setting {key}; write {set}"));
        }
        let others = CHOICES.iter().map(|choice| choice.key);
        if !Defaults::known().any(|known| known.key == key) {
            return Err(Defaults::refusal(&key, others));
        }
        self.defaults.set(&key, &value)?;
        self.below.insert(key, said(value));
        Ok(())
    }

    fn exclude(&self, key: &str) -> Result<(), String> {
        let other = match key {
            "log" => "bootstrap-servers",
            "bootstrap-servers" => "log",
            _ => return Ok(()),
        };
        match self.below.contains_key(other) {
            true => Err(EXCLUDED.to_owned()),
            false => Ok(()),
        }
    }

    fn read_environment(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let keys: Vec<&str> =
            CHOICES.iter().map(|choice| choice.key).chain(Defaults::known().map(|known| known.key)).collect();
        let mut found: BTreeMap<String, Said> = BTreeMap::new();
        for key in keys {
            let name = variable(key).into_owned();
            let Some(value) = environment(&name).filter(|value| !value.trim().is_empty()) else { continue };
            if !CHOICES.iter().any(|choice| choice.key == key) {
                self.defaults.set(key, &value).map_err(|why| format!("{name}: {why}"))?;
            }
            found.insert(key.to_owned(), Said { value, origin: Origin::Variable(name) });
        }
        let names_log = ["log", "bootstrap-servers"].map(|key| found.contains_key(key));
        match names_log {
            [true, true] => {
                return Err(format!("MILLSTREAM_LOG and MILLSTREAM_BOOTSTRAP_SERVERS: {EXCLUDED}"));
            }
            [true, false] => drop(self.below.remove("bootstrap-servers")),
            [false, true] => drop(self.below.remove("log")),
            [false, false] => {}
        }
        self.below.extend(found);
        Ok(())
    }

    /// Of choices that exclude each other, that of an option is meant.
    fn without_excluded(mut self) -> Self {
        if self.flags.contains_key("log") {
            self.below.remove("bootstrap-servers");
        }
        if self.flags.contains_key("bootstrap-servers") {
            self.below.remove("log");
        }
        self
    }

    /// Whether file or environment say it, and no option.
    pub(crate) fn is_below(&self, key: &str) -> bool {
        self.below.contains_key(key) && !self.flags.contains_key(key)
    }

    /// Whether an option says it.
    pub(crate) fn is_flag(&self, key: &str) -> bool {
        self.flags.contains_key(key)
    }

    /// What file or environment say.
    pub(crate) fn below(&self, key: &str) -> Option<&Said> {
        self.below.get(key)
    }

    /// What an option says.
    pub(crate) fn flag(&self, key: &str) -> Option<&Said> {
        self.flags.get(key)
    }

    /// Properties of the Kafka client that the file says.
    pub(crate) fn client(&self) -> &BTreeMap<String, Said> {
        &self.client
    }

    /// Why a value that file or environment say was refused.
    fn refusal(&self, error: &clap::Error) -> Failure {
        let arg = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(arg)) => arg.split_whitespace().next().unwrap_or_default(),
            _ => "",
        };
        let key = arg.trim_start_matches('-');
        let why = error.source().map_or_else(|| "it is not what is expected".to_owned(), ToString::to_string);
        match self.below.get(key) {
            Some(Said { value, origin }) => {
                Failure::Usage(format!("{origin}: {key} can't be '{}': {why}", value.escape_debug()))
            }
            None => Failure::Usage(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Layers, String> {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("m.toml");
        std::fs::write(&path, file).unwrap();
        let flags = flags.iter().map(|(key, value)| {
            ((*key).to_owned(), Said { value: (*value).to_owned(), origin: Origin::Flag((*key).to_owned()) })
        });
        let environment = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        };
        Layers::of(Some(path), flags.collect(), &environment)
            .map_err(|failure| failure.to_string().replace(&format!("{}/", directory.path().display()), ""))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_an_option_over_both() {
        let file = "http = '127.0.0.1:1'\nmemory = '1 gb'\nmillstream.commit-interval = '1 s'\n";
        let found = layers(file, &[("MILLSTREAM_HTTP", "127.0.0.1:2")], &[("http", "127.0.0.1:3")]).unwrap();
        assert_eq!(found.below("http").unwrap().value, "127.0.0.1:2");
        assert_eq!(found.below("http").unwrap().origin.to_string(), "MILLSTREAM_HTTP");
        assert!(found.below("memory").unwrap().origin.to_string().ends_with("m.toml:2"));
        assert!(found.is_flag("http") && !found.is_flag("memory"));
        assert_eq!(found.flag("http").unwrap().origin.to_string(), "--http");
        let interval = layers(file, &[("MILLSTREAM_COMMIT_INTERVAL", "2 s")], &[]).unwrap();
        assert_eq!(interval.below("millstream.commit-interval").unwrap().value, "2 s");
    }

    #[test]
    fn a_log_said_higher_up_is_the_one_whatever_its_kind() {
        let file = "bootstrap-servers = 'a:1'";
        let found = layers(file, &[("MILLSTREAM_LOG", "/data")], &[]).unwrap();
        assert!(found.below("bootstrap-servers").is_none() && found.below("log").is_some());
        let found = layers(file, &[], &[("log", "/data")]).unwrap();
        assert!(found.below("bootstrap-servers").is_none());
        let both = layers("bootstrap-servers = 'a:1'\nlog = 'b'", &[], &[]).unwrap_err();
        assert_eq!(both, format!("m.toml:2: {EXCLUDED}"));
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_with_its_line_and_the_nearest() {
        let refused = |file: &str| layers(file, &[], &[]).unwrap_err();
        assert_eq!(refused("\nmemry = 1"), "m.toml:2: there is no setting memry; did you mean memory?");
        let near = "m.toml:2: there is no setting millstream.comit-interval; did you mean millstream.commit-interval?";
        assert_eq!(refused("[millstream]\ncomit-interval = '1 s'"), near);
        assert_eq!(
            refused("workers = 2"),
            "m.toml:1: there is no setting workers; write parallelism.default"
        );
        assert!(refused("pipeline.name = 'a'").contains("--job"));
        assert!(
            refused("parallelism.default = 'many'").starts_with("m.toml:1: 'parallelism.default' can't be")
        );
        assert_eq!(refused("frobnicate = 1"), "m.toml:1: there is no setting frobnicate");
        let refused = layers("", &[("MILLSTREAM_COMMIT_INTERVAL", "soon")], &[]).unwrap_err();
        assert!(refused.starts_with("MILLSTREAM_COMMIT_INTERVAL: "), "{refused}");
    }

    #[test]
    fn paths_of_the_file_are_beside_it_and_those_of_variables_where_the_process_is() {
        let found = layers("log = 'data'", &[("MILLSTREAM_DATA", "here")], &[]).unwrap();
        let log = PathBuf::from(&found.below("log").unwrap().value);
        assert!(log.is_absolute() && log.ends_with("data"), "{log:?}");
        assert_eq!(found.below("data").unwrap().value, "here");
    }
}
