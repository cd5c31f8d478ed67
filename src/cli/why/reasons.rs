//! Reasons, read off the status of a job at two moments.

use indicatif::HumanCount;
use serde_json::Value;

/// Why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) why: String,
    pub(super) help: String,
}

impl Reason {
    pub(super) fn new(why: impl Into<String>, help: impl Into<String>) -> Self {
        Reason { why: why.into(), help: help.into() }
    }

    pub(super) fn line(&self) -> String {
        let help = if self.help.is_empty() { String::new() } else { format!("  {}\n", self.help) };
        format!("{}\n{help}", self.why)
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn count(value: &Value, key: &str) -> HumanCount {
    HumanCount(number(value, key))
}

/// The partitions that a job's tasks read.
pub(super) fn inputs(job: &Value) -> Vec<&Value> {
    list(job, "task_list").iter().flat_map(|task| list(task, "inputs")).collect()
}

fn place(input: &Value) -> String {
    format!("{}-{}", text(input, "topic"), input["partition"])
}

/// Why a job is as it is. There is always something to say.
pub(super) fn reasons(before: &Value, now: &Value) -> Vec<Reason> {
    let name = text(now, "name");
    let state = text(now, "state");
    let mut found = match state {
        "FAILED" => {
            let error = now["error"].as_str().unwrap_or("without a word");
            return vec![Reason::new(
                format!("{name} has failed: {}", error.trim_end()),
                "mend that, and restart it",
            )];
        }
        "PAUSED" | "STOPPED" => {
            return vec![Reason::new(
                format!("{name} is {state}: it was asked to"),
                format!("millstream job resume {name}"),
            )];
        }
        "FINISHED" => {
            return vec![Reason::new(
                format!("{name} has finished: its bounded input has been read"),
                "to read what came since, leave out 'scan.bounded.mode', or run it under another name",
            )];
        }
        "STARTING" | "RESTORING" => list(now, "waits_for")
            .iter()
            .filter_map(Value::as_str)
            .map(|why| Reason::new(format!("{name} does not run yet: {why}"), ""))
            .collect(),
        _ => Vec::new(),
    };
    let degraded = list(now, "degraded").iter().filter_map(Value::as_str);
    found.extend(degraded.map(|why| Reason::new(why.lines().next().unwrap_or_default(), "")));
    found.extend(reading(before, now));
    found.extend(watermark(now));
    found.extend(rows(now));
    found.extend(dropped(now));
    let wrote = number(now, "records_written").saturating_sub(number(before, "records_written"));
    found.push(match (wrote, number(now, "records_written")) {
        (0, 0) => Reason::new("nothing was written since it was started in this process", ""),
        (0, all) => {
            Reason::new(format!("{} records were written, none in the last second", HumanCount(all)), "")
        }
        (some, _) => Reason::new(format!("it writes: {} records in the last second", HumanCount(some)), ""),
    });
    found
}

/// What is not read although it is there, and whether there is anything.
fn reading(before: &Value, now: &Value) -> Vec<Reason> {
    let (then, inputs) = (inputs(before), inputs(now));
    if inputs.is_empty() {
        return Vec::new();
    }
    let behind: Vec<&&Value> = inputs.iter().filter(|input| number(input, "lag_records") > 0).collect();
    if behind.is_empty() {
        return vec![match number(now, "records_read") {
            0 => Reason::new(
                "its topics have given it nothing: all that is there was read before, or they are empty",
                "write to them; a job that is new begins where 'scan.startup.mode' says",
            ),
            _ => Reason::new("all that its topics have was read", ""),
        }];
    }
    let stands = |input: &Value| {
        let same = then.iter().find(|other| place(other) == place(input));
        same.is_some_and(|other| other["position"] == input["position"])
    };
    let reason = |input: &&&Value| match stands(input) {
        true => Reason::new(
            format!(
                "{} stands at offset {}, {} before its end",
                place(input),
                input["position"],
                count(input, "lag_records")
            ),
            "an open transaction may be in front (add --log or --bootstrap-servers to see), or other partitions are first: their \
             event time is further back",
        ),
        false => Reason::new(format!("{} is read, {} to go", place(input), count(input, "lag_records")), ""),
    };
    behind.iter().take(5).map(reason).collect()
}

/// Which partition holds the watermark back.
fn watermark(now: &Value) -> Option<Reason> {
    let inputs = inputs(now);
    let holds = |input: &&&Value| input["idle"] != true && input["ended"] != true;
    // Tables without a watermark hold nothing back: theirs is at the end of time.
    let has_one = |input: &&&Value| text(input, "watermark") != "the end";
    let least = inputs
        .iter()
        .filter(holds)
        .filter(has_one)
        .min_by_key(|input| input["watermark_ms"].as_i64().unwrap_or(i64::MIN))?;
    let others = inputs.iter().filter(|input| input["watermark_ms"].as_i64().is_some()).count();
    if least["watermark_ms"].as_i64().is_none() {
        let help = match others {
            0 => "windows close once records with a time have come",
            _ => {
                "it had no record with a time yet: 'scan.watermark.idle-timeout' in the WITH of the table lets the others go on without it"
            }
        };
        return Some(Reason::new(format!("{} holds the watermark: it has none yet", place(least)), help));
    }
    let help = match number(least, "lag_records") {
        0 => {
            "it has no more records: windows close when later ones come, on this partition too, or when it counts as idle \
              ('scan.watermark.idle-timeout')"
        }
        _ => "it is being read: the watermark follows",
    };
    Some(Reason::new(format!("{} holds the watermark, at {}", place(least), text(least, "watermark")), help))
}

/// The operators that take rows and give none.
fn rows(now: &Value) -> Vec<Reason> {
    let operators = list(now, "operators");
    let is_read = |at: usize| {
        operators
            .iter()
            .any(|other| list(other, "inputs").iter().any(|input| input.as_u64() == Some(at as u64)))
    };
    let silent = operators.iter().enumerate().filter(|(at, operator)| {
        // An exchange gives its rows to other tasks, and counts none as given.
        let gives = text(operator, "what") != "Exchange";
        gives && is_read(*at) && number(operator, "rows_in") > 0 && number(operator, "rows_out") == 0
    });
    let reason = |(_, operator): (usize, &Value)| {
        let what = text(operator, "what");
        let help = match what.to_lowercase() {
            what if what.contains("window") || what.contains("session") => {
                "its windows are open: they close when the watermark passes their ends"
            }
            what if what.contains("join") => {
                "no row has met another: see keys, times, and whether both sides have rows"
            }
            what if what.contains("project") || what.contains("filter") => "no row satisfies its condition",
            _ => "its rows wait, or came to nothing",
        };
        Reason::new(
            format!(
                "{} ({what}) took {} rows and gave none",
                text(operator, "name"),
                count(operator, "rows_in")
            ),
            help,
        )
    };
    silent.map(reason).collect()
}

fn dropped(now: &Value) -> Vec<Reason> {
    let dropped = &now["dropped"];
    let helps = [
        (
            "late",
            "they came behind the watermark: let it trail further (WATERMARK FOR .. - INTERVAL), or 'scan.late-records' = 'dead-letter'",
        ),
        ("bad", "they could not be decoded or computed: 'scan.bad-records' = 'dead-letter' keeps them"),
        ("null", "a key or a NOT NULL column was null: table.exec.sink.not-null-enforcer"),
    ];
    let lost = helps.iter().filter(|(key, _)| number(dropped, key) > 0);
    lost.map(|(key, help)| {
        Reason::new(format!("{} rows were {key} and are in no result", count(dropped, key)), *help)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(change: impl FnOnce(&mut Value)) -> Value {
        let input = |partition: u64, watermark: Option<i64>, lag: u64, position: u64| {
            json!({
                "topic": "orders", "partition": partition, "position": position, "lag_records": lag,
                "watermark_ms": watermark, "watermark": format!("at {watermark:?}"), "idle": false, "ended": false,
            })
        };
        let mut job = json!({
            "name": "j", "state": "RUNNING", "degraded": [], "records_read": 10, "records_written": 0,
            "dropped": { "late": 3, "bad": 0, "null": 0 },
            "operators": [
                { "name": "orders", "what": "Source", "inputs": [], "rows_in": 10, "rows_out": 10 },
                { "name": "sums", "what": "WindowAggregate", "inputs": [0], "rows_in": 10, "rows_out": 0 },
                { "name": "sink", "what": "Sink", "inputs": [1], "rows_in": 0, "rows_out": 0 },
            ],
            "task_list": [{ "inputs": [input(0, Some(9_000), 0, 7), input(1, Some(1_000), 0, 3)] }],
        });
        change(&mut job);
        job
    }

    fn why(before: &Value, now: &Value) -> String {
        reasons(before, now).iter().map(Reason::line).collect()
    }

    #[test]
    fn the_partition_that_holds_the_watermark_and_the_operator_that_waits_are_named() {
        let now = job(|_| {});
        let said = why(&now, &now);
        for part in [
            "orders-1 holds the watermark, at at Some(1000)",
            "sums (WindowAggregate) took 10 rows and gave none",
            "its windows are open",
            "3 rows were late",
            "all that its topics have was read",
            "nothing was written",
        ] {
            assert!(said.contains(part), "{part} is missing in\n{said}");
        }
        let none = job(|job| job["task_list"][0]["inputs"][1]["watermark_ms"] = Value::Null);
        assert!(why(&none, &none).contains("orders-1 holds the watermark: it has none yet"));
        let idle = job(|job| job["task_list"][0]["inputs"][1]["idle"] = true.into());
        assert!(why(&idle, &idle).contains("orders-0 holds the watermark"));
    }

    #[test]
    fn what_stands_although_there_is_more_is_told_from_what_is_read() {
        let before = job(|job| job["task_list"][0]["inputs"][0]["position"] = 5.into());
        let now = job(|job| {
            job["task_list"][0]["inputs"][0]["lag_records"] = 40.into();
            job["task_list"][0]["inputs"][1]["lag_records"] = 2_000.into();
        });
        let said = why(&before, &now);
        assert!(said.contains("orders-0 is read, 40 to go"), "{said}");
        assert!(said.contains("orders-1 stands at offset 3, 2,000 before its end"), "{said}");
    }

    #[test]
    fn a_job_that_does_not_run_says_why() {
        for (state, said) in
            [("FAILED", "has failed: no room"), ("PAUSED", "asked to"), ("FINISHED", "bounded")]
        {
            let now = job(|job| {
                job["state"] = state.into();
                job["error"] = "no room".into();
            });
            assert!(why(&now, &now).contains(said), "{state}");
        }
        let starting = job(|job| {
            job["state"] = "STARTING".into();
            job["waits_for"] = json!(["task 0-0 is waiting"]);
        });
        assert!(why(&starting, &starting).contains("does not run yet: task 0-0"));
    }
}
