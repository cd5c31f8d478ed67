//! `millstream settings`: every setting that holds, and who says it.
//!
//! The order is that of `settings/layers.rs`, and so is what commands use: this only shows it. Secrets are not shown.

mod choices;
mod file;
mod layers;

pub(crate) use choices::memory_mib;
pub(crate) use layers::{Origin, Said, Unread, defaults, read, said};

use super::Failure;
use super::job_file::read_text;
use super::log_args::LogArgs;
use super::output::{print, table};
use choices::{CHOICES, CLIENT_PROPERTY, OF_SET};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use layers::Layers;
use millstream::log::kafka::is_secret;
use millstream::sql::{Defaults, settings_in};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What stands in place of a secret.
const HIDDEN: &str = "(not shown)";

#[derive(Debug, Args)]
#[command(after_help = "\
The order, of which the later wins:
  1. defaults
  2. millstream.toml in the working directory, or the file of --config-file or MILLSTREAM_CONFIG_FILE
  3. the environment: MILLSTREAM_ and the key, as MILLSTREAM_MEMORY or MILLSTREAM_COMMIT_INTERVAL
  4. SET, and brokers in WITH, in the job's file
  5. options of the command
Properties of the Kafka client are whoever runs the process's: they win over those in WITH.

Exit codes: 0 shown, 2 wrong command line, file or variable")]
pub(crate) struct SettingsArgs {
    /// SQL file of a job, whose SET is taken into account
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How they are shown
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// In columns
    Text,
    /// One JSON object a line
    Json,
}

/// The options of `run` and `serve`, taken to show what they would change.
#[derive(Debug, Clone, Copy)]
struct Options;

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        let of_set = OF_SET.iter().map(|(flag, key)| (*flag, format!("As of run: {key}")));
        let choices = CHOICES.iter().map(|choice| (choice.key, choice.help.trim_end_matches('.').to_owned()));
        let known = ["log", "bootstrap-servers", "client-config", "log-level"];
        let others = choices.filter(|(key, _)| !known.contains(key)).chain(of_set);
        others.fold(command, |command, (key, help)| {
            command.arg(
                Arg::new(key).long(key).value_name("VALUE").help(help).help_heading("As of other commands"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Options)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// A setting that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) key: String,
    pub(crate) said: Said,
    pub(crate) is_secret: bool,
}

impl Effective {
    /// Its value, unless it is a secret.
    pub(crate) fn shown(&self) -> &str {
        if self.is_secret { HIDDEN } else { &self.said.value }
    }
}

impl SettingsArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let text = self.file.as_deref().map(read_text).transpose()?;
        let set = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        let all = effective(said(), set, &self.log)?;
        print(&match self.output {
            Output::Text => {
                let rows = all.iter().map(|setting| {
                    let value = setting.shown().escape_debug().to_string();
                    vec![setting.key.clone(), value, setting.said.origin.to_string()]
                });
                table(&["SETTING", "VALUE", "SAID BY"], &[], &rows.collect::<Vec<_>>())
            }
            Output::Json => all.iter().map(|setting| line(setting) + "\n").collect(),
        })
    }
}

/// A setting as JSON, without its value if it is a secret.
pub(crate) fn line(setting: &Effective) -> String {
    let Effective { key, said, is_secret } = setting;
    let value = (!is_secret).then_some(&said.value);
    json!({"key": key, "value": value, "secret": is_secret, "origin": said.origin.to_string()}).to_string()
}

/// All settings that hold for a job's file, or for no file in particular.
///
/// # Errors
/// For a file of client properties that can't be read.
pub(crate) fn effective(
    layers: &Layers,
    file: Option<(&str, &str)>,
    log: &LogArgs,
) -> Result<Vec<Effective>, Failure> {
    let mut set: BTreeMap<String, Said> = BTreeMap::new();
    if let Some((name, text)) = file {
        set.extend(settings_in(text).into_iter().map(|(key, (value, line))| {
            let key = if key == "millstream.memory" { "memory".to_owned() } else { key };
            (key, Said { value, origin: Origin::Set(format!("{name}:{line}")) })
        }));
    }
    let planned = file.and_then(|(name, text)| defaults().plan(name, text).ok());
    let with =
        |value: String| Said { value, origin: Origin::With(file.map_or("", |(name, _)| name).to_owned()) };
    if let Some(servers) = planned.as_ref().and_then(|job| job.bootstrap_servers.clone()) {
        set.insert("bootstrap-servers".to_owned(), with(servers));
    }
    let choices = CHOICES.iter().map(|choice| (choice.key, choice.default));
    let known = Defaults::known().map(|known| (known.key, known.default));
    let mut all: Vec<Effective> = Vec::new();
    for (key, default) in choices.chain(known) {
        let set = set.remove(key);
        let said = layers.flag(key).cloned().or(set).or_else(|| layers.below(key).cloned());
        let default = || Said { value: default.to_owned(), origin: Origin::Default };
        all.push(Effective { key: key.to_owned(), said: said.unwrap_or_else(default), is_secret: false });
    }
    all.extend(set.into_iter().map(|(key, said)| Effective { key, said, is_secret: false }));
    let mut client: BTreeMap<String, Said> = BTreeMap::new();
    let of_job = planned.iter().flat_map(|job| &job.client_properties);
    client.extend(of_job.map(|(key, value)| (key.clone(), with(value.clone()))));
    client.extend(log.said_properties()?);
    all.extend(client.into_iter().map(|(key, said)| Effective {
        is_secret: is_secret(&key),
        key: format!("{CLIENT_PROPERTY}{key}"),
        said,
    }));
    Ok(all)
}
