//! Jobs as text.

use crate::cli::output::table;
use indicatif::{BinaryBytes, HumanCount};
use millstream::operators::clock::format_time;
use serde_json::Value;
use std::fmt::Write;

fn text<'a>(job: &'a Value, key: &str) -> &'a str {
    job[key].as_str().unwrap_or_default()
}

fn number(job: &Value, key: &str) -> u64 {
    job[key].as_u64().unwrap_or_default()
}

fn count(job: &Value, key: &str) -> String {
    HumanCount(number(job, key)).to_string()
}

/// The first line of what is wrong with a job, if anything is.
fn trouble(job: &Value) -> String {
    let degraded = job["degraded"].as_array().and_then(|all| all.first()?.as_str());
    let mistake = &job["mistakes"][0];
    let at = |mistake: &Value| {
        format!(
            "{}:{}: {} [{}]",
            mistake["line"],
            mistake["column"],
            text(mistake, "message"),
            text(mistake, "code")
        )
    };
    let said = match mistake.is_object() {
        true => at(mistake),
        false => job["error"].as_str().or(degraded).unwrap_or_default().to_owned(),
    };
    said.lines().next().unwrap_or_default().to_owned()
}

/// All jobs, one a line.
pub(super) fn list(jobs: &Value) -> String {
    let rows = jobs.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(|job| {
        let watermark = text(job, "watermark").to_owned();
        vec![
            text(job, "name").to_owned(),
            text(job, "state").to_owned(),
            count(job, "records_read"),
            count(job, "records_written"),
            count(job, "lag_records"),
            watermark,
            trouble(job),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    match rows.is_empty() {
        true => "no jobs\n".to_owned(),
        false => {
            table(&["NAME", "STATE", "READ", "WRITTEN", "LAG", "WATERMARK", "TROUBLE"], &[2, 3, 4], &rows)
        }
    }
}

/// A job with its operators and tasks.
pub(super) fn status(job: &Value) -> String {
    let mut out = format!("{}  {}", text(job, "name"), text(job, "state"));
    // Writing to a string does not fail.
    if let Some(at) = job["next_try_ms"].as_i64() {
        let _ = write!(out, ", is started again at {}", format_time(at));
    }
    let _ = writeln!(out);
    if let Some(error) = job["error"].as_str() {
        for line in error.trim_end().lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    let list = |key: &str| job[key].as_array().map(Vec::as_slice).unwrap_or_default();
    for concern in list("degraded").iter().filter_map(Value::as_str) {
        let _ = writeln!(out, "  DEGRADED  {}", concern.lines().next().unwrap_or_default());
    }
    if ["STARTING", "RESTORING"].contains(&text(job, "state")) {
        for why in list("waits_for").iter().filter_map(Value::as_str).take(5) {
            let _ = writeln!(out, "  {why}");
        }
    }
    let _ = writeln!(
        out,
        "  from      {}, runs as {}",
        job["origin"].as_str().unwrap_or("-"),
        text(job, "runs_as")
    );
    let _ = writeln!(
        out,
        "  read      {} records, lag {}",
        count(job, "records_read"),
        count(job, "lag_records")
    );
    let _ = writeln!(
        out,
        "  written   {} records, {} commits",
        count(job, "records_written"),
        count(job, "commits")
    );
    let _ = writeln!(out, "  watermark {}", job["watermark"].as_str().unwrap_or("none"));
    let memory = BinaryBytes(number(job, "state_memory_bytes"));
    let _ = writeln!(
        out,
        "  state     {memory} in memory, {} of {} tasks run",
        job["tasks_running"], job["tasks"]
    );
    if number(job, "restarts") > 0 {
        let error = text(job, "last_error").lines().next().unwrap_or_default();
        let _ = writeln!(out, "  restarts  {}, the last after: {error}", job["restarts"]);
    }
    let rows = list("operators").iter().map(|operator| {
        let dropped = ["late", "bad", "null"].map(|key| number(operator, key)).iter().sum::<u64>();
        vec![
            text(operator, "name").to_owned(),
            text(operator, "what").to_owned(),
            count(operator, "rows_in"),
            count(operator, "rows_out"),
            HumanCount(dropped).to_string(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&table(&["OPERATOR", "WHAT", "ROWS IN", "ROWS OUT", "DROPPED"], &[2, 3, 4], &rows));
    }
    out
}

/// A line of a job's diary.
pub(super) fn log_line(line: &Value) -> String {
    format!("{}  {}\n", format_time(line["time_ms"].as_i64().unwrap_or_default()), text(line, "text"))
}
