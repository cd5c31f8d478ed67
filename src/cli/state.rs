//! `millstream state`: looking at a job's state and its snapshots on disk.

pub(super) mod export;

use super::Failure;
use super::output::print;
use super::savepoint::picture;
use clap::{Args, Subcommand};
use indicatif::{BinaryBytes, HumanCount};
use millstream::operators::clock::format_time;
use millstream::operators::{END_OF_TIME, NO_WATERMARK};
use millstream::savepoint::{OpenSavepoint, SavepointError};
use millstream::snapshot::{
    CheckpointNote, DirectoryStore, FoundSnapshot, FoundState, inspect_snapshots, inspect_state,
};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Show whose state a directory holds and where it stands
    ///
    /// PLACE is a job's --state directory, the directory of one of its tasks, a directory of snapshots, or the directory
    /// or URL of a savepoint. Nothing is changed; the job may be running.
    Inspect(DirArgs),
    /// Read everything in a directory and check it
    ///
    /// PLACE is as for inspect. Every block of state is read and its checksum checked; every file of a snapshot is held
    /// against its name. Exits with 5 when something is damaged or missing.
    Verify(DirArgs),
    /// Write what an operator of a job keeps, as rows
    ///
    /// Reads the state directory of a job that is running or stopped, and changes nothing. FILE is what the job was started
    /// with: it says what the state means.
    Export(export::ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DirArgs {
    /// The directory, or the URL of a savepoint
    #[arg(value_name = "PLACE")]
    place: PathBuf,
}

impl StateCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            StateCommand::Inspect(args) => look(&args.place, false),
            StateCommand::Verify(args) => look(&args.place, true),
            StateCommand::Export(args) => args.run(),
        }
    }
}

fn look(directory: &Path, read_all: bool) -> Result<(), Failure> {
    let place = directory.to_string_lossy();
    match OpenSavepoint::open(&place) {
        Err(SavepointError::Missing { .. }) if !place.contains("://") => {}
        found => return look_at_savepoint(&found?, read_all),
    }
    let tasks = tasks_in(directory)?;
    if !tasks.is_empty() {
        let mut text = String::new();
        for task in tasks {
            let found = inspect_state(&task, read_all).map_err(millstream::JobError::from)?;
            describe_state(&task, &found, &mut text);
        }
        return print(&text);
    }
    let store = DirectoryStore::new(directory.to_owned());
    let found = inspect_snapshots(&store, read_all).map_err(millstream::JobError::from)?;
    if found.is_empty() {
        let directory = directory.display();
        return Err(Failure::Io(format!(
            "{directory} holds neither state of a job, nor snapshots, nor a savepoint"
        )));
    }
    let (mut text, mut damaged) = (String::new(), 0);
    for snapshot in &found {
        damaged += usize::from(!describe_snapshot(snapshot, &mut text));
    }
    print(&text)?;
    if damaged > 0 {
        return Err(Failure::Damaged(format!("{damaged} of {} snapshots can't be used", found.len())));
    }
    Ok(())
}

fn look_at_savepoint(found: &OpenSavepoint, read_all: bool) -> Result<(), Failure> {
    let wrong = found.inspect(read_all).map_err(SavepointError::from)?;
    let mut text = picture(found);
    for (task, why) in &wrong {
        let _ = writeln!(text, "DAMAGED task {task}: {why}");
    }
    if read_all && wrong.is_empty() {
        let _ = writeln!(text, "read {}: sound", BinaryBytes(found.savepoint.bytes()));
    }
    print(&text)?;
    match wrong.len() {
        0 => Ok(()),
        _ => Err(Failure::Damaged(format!("the savepoint in {} can't be used", found.location))),
    }
}

/// What the tasks in a directory hold.
///
/// # Errors
/// When one can't be looked at.
pub(super) fn described(directory: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for task in tasks_in(directory)? {
        let found = inspect_state(&task, false).map_err(millstream::JobError::from)?;
        describe_state(&task, &found, &mut text);
    }
    Ok(text)
}

/// The directories of tasks: the directory itself, or those in it.
fn tasks_in(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    if directory.join("CURRENT").is_file() {
        return Ok(vec![directory.to_owned()]);
    }
    let entries = std::fs::read_dir(directory);
    let entries = entries.map_err(|error| Failure::Io(format!("{}: {error}", directory.display())))?;
    let mut tasks: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    tasks.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What is being exported or imported has a suffix.
        name.starts_with("task-") && !name.contains('.') && path.join("CURRENT").is_file()
    });
    tasks.sort();
    Ok(tasks)
}

// Writing to a string does not fail.

fn describe_state(path: &Path, found: &FoundState, text: &mut String) {
    let _ = writeln!(text, "{}: {}", path.display(), found.identity);
    match found.mark {
        None => drop(writeln!(text, "  no checkpoint")),
        Some(mark) => {
            let (number, hash, offset) = (mark.number, mark.hash, mark.journal_offset);
            let _ = writeln!(text, "  commit    {number} ({hash:032x}), journal offset {offset}");
        }
    }
    if let Some(note) = &found.note {
        describe_note(note, text);
    }
    if let Some((pairs, bytes)) = found.pairs {
        let _ = writeln!(text, "  read      {} pairs, {}: sound", HumanCount(pairs), BinaryBytes(bytes));
    }
}

fn describe_note(note: &CheckpointNote, text: &mut String) {
    let watermark = match note.watermark {
        NO_WATERMARK => "none yet".to_owned(),
        END_OF_TIME => "at the end".to_owned(),
        time => format_time(time),
    };
    let _ = writeln!(text, "  watermark {watermark}");
    for input in &note.inputs {
        let _ = writeln!(text, "  input     {} at {}", input.place(), input.position);
    }
    for official in &note.officials {
        let size = BinaryBytes(official.bytes);
        let _ = writeln!(text, "  snapshot  of commit {}, {size}, in {}", official.number, official.store);
    }
}

/// Describes a snapshot; says whether nothing is wrong with it.
fn describe_snapshot(snapshot: &FoundSnapshot, text: &mut String) -> bool {
    match &snapshot.manifest {
        Err(why) => {
            let _ = writeln!(text, "{}: {why}", snapshot.name);
            false
        }
        Ok((manifest, wrong)) => {
            let _ = writeln!(
                text,
                "{}\n  commit    {} ({}), {} in {} files",
                manifest.identity(),
                manifest.number,
                manifest.hash,
                BinaryBytes(manifest.bytes()),
                manifest.files.len()
            );
            for why in wrong {
                let _ = writeln!(text, "  DAMAGED   {why}");
            }
            wrong.is_empty()
        }
    }
}
