//! Status as JSON: `/api/v1/jobs`, and `/api/v1/jobs/NAME` with its plan, tasks and operators.

use crate::board::{JobEnd, JobView};
use crate::problem::Problem;
use millstream_operators::clock::format_time;
use millstream_operators::{Counters, END_OF_TIME, NO_WATERMARK};
use millstream_runtime::worker::{InputStatus, TaskStatus, WorkerStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A job in a line.
pub(crate) fn summary(name: &str, view: &JobView) -> Value {
    let sum = |of: fn(&WorkerStatus) -> u64| view.workers.iter().map(of).sum::<u64>();
    let tasks: Vec<&TaskStatus> = view.tasks().collect();
    let counted = |of: fn(&Counters) -> u64| {
        tasks
            .iter()
            .flat_map(|task| task.operators.iter())
            .map(|operator| of(&operator.counters))
            .sum::<u64>()
    };
    let watermark = tasks.iter().filter(|task| task.state == "running").map(|task| task.watermark).min();
    let (problem, next_try) = match &view.end {
        Some(JobEnd::Failed(problem, next_try)) => (Some(problem), *next_try),
        _ => (view.change.as_ref(), None),
    };
    json!({
        "name": name,
        "state": view.state().name(),
        "runs_as": view.runs_as.as_deref().unwrap_or(name),
        "origin": view.origin,
        "waits_for": view.waits(),
        "degraded": view.concerns(),
        "error": problem.map(|problem| &problem.detail),
        "mistakes": problem.map(Problem::mistakes_json),
        "next_try_ms": next_try.map(millis),
        "restarts": view.restarts,
        "last_error": view.last_failure,
        "started_ms": millis(view.started),
        "records_read": sum(|worker| worker.table_records_in),
        "records_written": sum(|worker| worker.records_out),
        "commits": sum(|worker| worker.commits),
        "queued_bytes": sum(|worker| worker.queued_bytes),
        "lag_records": tasks.iter().map(|task| task.lag).sum::<u64>(),
        "state_memory_bytes": tasks.iter().map(|task| task.state_bytes).sum::<u64>(),
        "watermark_ms": watermark.and_then(finite),
        "watermark": watermark.map(format_time),
        "tasks": tasks.len(),
        "tasks_running": tasks.iter().filter(|task| task.state == "running").count(),
        "dropped": {
            "late": counted(|counters| counters.late),
            "bad": counted(|counters| counters.bad),
            "null": counted(|counters| counters.null_dropped),
        },
    })
}

/// A job with all that is known of it.
pub(crate) fn detail(name: &str, view: &JobView) -> Value {
    let tasks = view.workers.iter().enumerate();
    let tasks =
        tasks.flat_map(|(worker, status)| status.tasks.iter().map(move |task| task_json(worker, task)));
    let mut of_operators: BTreeMap<&str, (Counters, u64)> = BTreeMap::new();
    for operator in view.tasks().flat_map(|task| task.operators.iter()) {
        let (counters, memory) = of_operators.entry(&operator.name).or_default();
        *counters = counters.plus(&operator.counters);
        *memory += operator.memory_bytes;
    }
    let operators = view.plan.iter().map(|node| {
        let (counters, memory) = of_operators.get(node.name.as_str()).copied().unwrap_or_default();
        json!({
            "name": node.name,
            "what": node.what,
            "inputs": node.inputs,
            "rows_in": counters.rows_in,
            "rows_out": counters.rows_out,
            "late": counters.late,
            "bad": counters.bad,
            "null": counters.null_dropped,
            "memory_bytes": memory,
        })
    });
    let mut job = summary(name, view);
    job["operators"] = operators.collect();
    job["task_list"] = tasks.collect();
    job
}

fn task_json(worker: usize, task: &TaskStatus) -> Value {
    json!({
        "id": task.id.to_string(),
        "worker": worker,
        "state": task.state,
        "waits_for": task.waits_for,
        "restored": task.restored,
        "fetched_bytes": task.fetched,
        "watermark_ms": finite(task.watermark),
        "watermark": format_time(task.watermark),
        "commit": task.commit,
        "lag_records": task.lag,
        "state_memory_bytes": task.state_bytes,
        "finished": task.finished,
        "inputs": task.inputs.iter().map(input_json).collect::<Value>(),
    })
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn input_json(input: &InputStatus) -> Value {
    json!({
        "topic": &*input.place.topic,
        "partition": input.place.partition,
        "position": input.position,
        "lag_records": input.lag,
        "watermark_ms": finite(input.watermark),
        "watermark": format_time(input.watermark),
        "idle": input.idle,
        "ended": input.ended,
    })
}

/// A watermark that is a point in time.
fn finite(watermark: i64) -> Option<i64> {
    (watermark != NO_WATERMARK && watermark != END_OF_TIME).then_some(watermark)
}
