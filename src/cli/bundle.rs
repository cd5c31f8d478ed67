//! `millstream debug-bundle`: what whoever helps has to see, in one file, without secrets.
//!
//! Each part is a text of its own; one that can't be had says why, and the others are there all the same. What is written
//! goes through [`Secrets`], part by part. Records and state are not taken: they are users' data.

mod archive;
mod parts;
mod secrets;

use super::Failure;
use super::client::ServerArgs;
use super::doctor::DoctorArgs;
use super::job_file::{JobFile, read_text};
use super::log_args::LogArgs;
use super::output::print;
use super::settings::{self, said};
use archive::Archive;
use clap::Args;
use millstream::log::Log;
use millstream::sql::SqlJob;
use millstream::sql::error::{secrets_in, without_secrets};
use secrets::Secrets;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// What stands in front of the names of all files.
const ROOT: &str = "millstream-debug";
const README: &str = "\
What millstream debug-bundle found. Look through it before you give it away.

versions.txt       the program and the machine
settings.jsonl     every setting that holds and who says it, without secrets
doctor.txt         what millstream doctor says
topics.txt         topics with settings and offsets
states.txt         files of state and their sizes, and where checkpoints stand
jobs/NAME/         of each file that was named: its text, its plan, where its group stands
server/            of a server: metrics, status and last lines of its jobs
logs/              ends of files that were named with --log-file

Values of secrets are replaced by (secret) or asterisks wherever they stood. Records of topics and values of state are not
in here; names of tables, columns and topics are, and constants of queries.
";

#[derive(Debug, Args)]
#[command(after_help = "\
Looks as millstream doctor does, and changes nothing else. Passwords, tokens and other secrets are left out; look through the \
file before you give it away.

Exit codes: 0 written; parts that could not be had say why in their places; 2 wrong command line, 4 it can't be written")]
pub(crate) struct BundleArgs {
    /// SQL files of the jobs that it is about
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The file that is written: one that is there is left as it is
    #[arg(long, value_name = "PATH", default_value = "millstream-debug.tar.gz")]
    to: PathBuf,
    /// File with lines of a process's log, of which the end is taken. Can be given several times
    #[arg(long, value_name = "PATH")]
    log_file: Vec<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// A text by the name of its file.
type Part = (String, String);

impl BundleArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let texts: Vec<(String, String)> =
            self.files.iter().map(|file| read_text(file)).collect::<Result<_, _>>()?;
        let hidden = self.secrets(&texts)?;
        let to = self.to.display();
        let failed = |error: std::io::Error| Failure::Io(format!("{to}: {error}"));
        // Made first: who can't write it need not wait. It is for its owner's eyes.
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.to).map_err(failed)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut archive = Archive::new(file, now.as_secs());
        let parts = self.parts(&texts);
        for (name, text) in &parts {
            let text = without_secrets(&hidden.hidden_in(text));
            archive.add(&short(&format!("{ROOT}/{name}")), text.as_bytes()).map_err(failed)?;
        }
        archive.end().and_then(|file| file.sync_all()).map_err(failed)?;
        print(&format!("{to}: {} files; look through it before you give it away\n", parts.len()))
    }

    /// The values that must not be in it.
    fn secrets(&self, texts: &[(String, String)]) -> Result<Secrets, Failure> {
        let mut hidden = Secrets::default();
        let files = texts.iter().map(|(name, text)| Some((name.as_str(), text.as_str())));
        for file in files.chain([None]) {
            let all = settings::effective(said(), file, &self.log)?;
            all.iter()
                .filter(|setting| setting.is_secret)
                .for_each(|setting| hidden.add(&setting.said.value));
        }
        texts.iter().flat_map(|(_, text)| secrets_in(text)).for_each(|value| hidden.add(&value));
        let tokens = ["http-token", "http-read-token", "token"].iter().filter_map(|key| {
            said().flag(key).or_else(|| said().below(key)).map(|said| PathBuf::from(&said.value))
        });
        // One that can't be read is no secret that anything here knows.
        tokens.filter_map(|file| std::fs::read_to_string(file).ok()).for_each(|token| hidden.add(&token));
        Ok(hidden)
    }

    fn parts(&self, texts: &[(String, String)]) -> Vec<Part> {
        let mut parts: Vec<Part> = vec![
            ("README.txt".to_owned(), README.to_owned()),
            ("versions.txt".to_owned(), parts::versions()),
        ];
        let first = texts.first().map(|(name, text)| (name.as_str(), text.as_str()));
        let settings = settings::effective(said(), first, &self.log);
        let lines = settings.map(|all| all.iter().map(|setting| settings::line(setting) + "\n").collect());
        parts.push(part("settings.jsonl", lines));
        let doctor = DoctorArgs::of(self.files.first().cloned(), self.log.clone());
        parts.push(part("doctor.txt", doctor.told()));
        let planned: Vec<(String, Result<SqlJob, Failure>)> = texts
            .iter()
            .map(|(name, text)| (name.clone(), settings::defaults().plan(name, text).map_err(Failure::Sql)))
            .collect();
        let some = planned.iter().find_map(|(_, job)| job.as_ref().ok());
        let log = parts::log(&self.log, some);
        parts.push(part("topics.txt", log.as_ref().map_err(again).and_then(parts::topics)));
        for ((name, text), (_, job)) in texts.iter().zip(&planned) {
            parts.extend(of_job(name, text, job, &log));
        }
        parts.push(("states.txt".to_owned(), parts::states(&self.log.states())));
        if said().is_flag("server") || said().below("server").is_some() {
            parts.extend(parts::of_server(&self.server).into_iter().map(|(name, text)| part(&name, text)));
        }
        for file in &self.log_file {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            parts.push(part(&format!("logs/{name}"), parts::tail(file)));
        }
        parts
    }
}

/// The same failure once more, in words.
fn again(failure: &Failure) -> Failure {
    Failure::Io(failure.to_string())
}

fn part(name: &str, text: Result<String, Failure>) -> Part {
    (name.to_owned(), text.unwrap_or_else(|failure| format!("not to be had: {failure}\n")))
}

fn of_job(
    file: &str,
    text: &str,
    job: &Result<SqlJob, Failure>,
    log: &Result<Arc<dyn Log>, Failure>,
) -> Vec<Part> {
    let named = |job: &SqlJob| JobFile::at(file).name(job);
    let name = job.as_ref().ok().and_then(|job| named(job).ok());
    let name = name.unwrap_or_else(|| file.replace(['/', '\\'], "_"));
    let at = |part: &str| format!("jobs/{name}/{part}");
    let plan = job.as_ref().map(|job| job.explain.clone()).map_err(again);
    let group =
        job.as_ref().map_err(again).and_then(|job| parts::group(log.as_ref().map_err(again)?, job, &name));
    vec![(at("job.sql"), text.to_owned()), part(&at("plan.txt"), plan), part(&at("group.txt"), group)]
}

/// A name that an archive has room for, and that leads nowhere else.
fn short(name: &str) -> String {
    const BYTES_MAX: usize = 100;
    let mut name: String = name.replace("..", "_").chars().filter(|char| !char.is_control()).collect();
    while name.len() > BYTES_MAX {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_archive_lead_nowhere_else() {
        assert_eq!(short("millstream-debug/logs/a.txt"), "millstream-debug/logs/a.txt");
        assert_eq!(short("r/jobs/../../etc/x\n"), "r/jobs/_/_/etc/x");
        assert!(short(&"\u{e4}".repeat(80)).len() <= 100);
    }
}
