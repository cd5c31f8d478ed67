//! A savepoint as people see it.

use indicatif::BinaryBytes;
use millstream::operators::clock::format_time;
use millstream::operators::{END_OF_TIME, NO_WATERMARK};
use millstream::savepoint::{OpenSavepoint, SavepointTask};
use std::fmt::Write;

/// Whose savepoint it is, what is in it, and how to start from it.
pub(crate) fn picture(found: &OpenSavepoint) -> String {
    let savepoint = &found.savepoint;
    let files: usize = savepoint.tasks.iter().map(|task| task.files).sum();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "savepoint of job \"{}\" in {}", savepoint.job, found.location);
    let taken = format_time(savepoint.taken_ms);
    let _ = writeln!(text, "  taken     {taken} UTC by millstream {}", savepoint.version);
    let _ = writeln!(text, "  log       {}, cluster {}", savepoint.log, savepoint.cluster);
    let _ = writeln!(text, "  plan      {}", savepoint.control.fingerprint);
    let _ = writeln!(text, "  state     {} in {files} files\n", BinaryBytes(savepoint.bytes()));
    let watermarks: Vec<String> = savepoint.tasks.iter().map(watermark).collect();
    let width = watermarks.iter().map(String::len).max().unwrap_or(0).max("watermark".len());
    let _ = writeln!(
        text,
        "  {:<7} {:>10} {:>12}  {:<width$}  stands at",
        "task", "commit", "state", "watermark"
    );
    for (task, watermark) in savepoint.tasks.iter().zip(watermarks) {
        let mut positions = positions(found, task).into_iter();
        let (id, commit, state) = (&task.task, task.commit, BinaryBytes(task.bytes).to_string());
        let first = positions.next().unwrap_or_default();
        let line = format!("  {id:<7} {commit:>10} {state:>12}  {watermark:<width$}  {first}");
        let _ = writeln!(text, "{}", line.trim_end());
        for more in positions {
            let _ = writeln!(text, "{:indent$}{more}", "", indent = 37 + width);
        }
    }
    let _ = writeln!(text, "\nstart from it: millstream run FILE --job NAME --from {}", found.location);
    text
}

fn watermark(task: &SavepointTask) -> String {
    match task.watermark {
        NO_WATERMARK => "none yet".to_owned(),
        END_OF_TIME if task.inputs.iter().any(|input| input.ended) => "at the end".to_owned(),
        // Nothing that it reads has event time.
        END_OF_TIME => "none".to_owned(),
        time => format_time(time),
    }
}

/// Where a task stands in the topics of tables; its repartition topics are drained.
fn positions(found: &OpenSavepoint, task: &SavepointTask) -> Vec<String> {
    let of_tables = task.inputs.iter().filter(|mark| !found.savepoint.is_internal(&mark.topic));
    of_tables
        .map(|mark| {
            let ended = if mark.ended { ", its end" } else { "" };
            format!("{} at {}{ended}", mark.place(), mark.position)
        })
        .collect()
}
