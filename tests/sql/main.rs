//! SQL jobs on finite input: what they have written in the end is the batch answer to the same query.
//!
//! A case (`cases/*.sql`) is a file of SQL with the rows of its tables behind it, a JSON object a line:
//!
//! ```text
//! CREATE TABLE t (..) WITH (..);
//! INSERT INTO out SELECT ..;
//! -- rows of t
//! {"a": 1, "b": "x"}
//! ```
//! `-- answer of out` has what Flink 2.3 answered to the same query over the same rows; the batch answer has to be it, too,
//! where there is one.
//! `-- late 2`, in front of the answers, says that two rows come too late, each counted once for every operator that finds it
//! so. Such a case runs with one partition, for what is late depends on the order in which rows are read; the answers are
//! Flink's then, for a batch engine leaves nothing out.
//! Rows of an upsert table come in this order, each with its key; `- {"k": 1}` deletes a key. Those of a `debezium-json` table
//! are its records: they say what happened to the row of their primary key.
//!
//! Each case runs with one partition and with three, and every commit of it is replayed. Append tables are compared as
//! bags of rows, upsert tables by the last row of every key.

#![allow(clippy::unwrap_used, reason = "a test")]

mod batch;
mod bounded;
mod connectors;
mod dead_letters;
mod files;
mod keys;
mod match_recognize;
mod pairs;
mod plans;
mod proctime;
mod refused;
mod streaming;
mod streams;
mod user_functions;

use serde_json::Value;
use std::collections::BTreeMap;

/// A case, taken apart.
struct Case {
    sql: String,
    /// By table: what came, in its order.
    rows: BTreeMap<String, Vec<Change>>,
    /// By table that is written: what Flink answered, where it was asked.
    recorded: BTreeMap<String, Vec<Value>>,
    /// How many rows are late, where that is said.
    late: Option<u64>,
}

/// A row that comes, or the key of one that goes.
#[derive(Debug, Clone)]
struct Change {
    row: Value,
    deletes: bool,
}

impl Change {
    fn parse(line: &str) -> Self {
        let (deletes, row) = match line.strip_prefix("- ") {
            Some(key) => (true, key),
            None => (false, line),
        };
        Change { row: serde_json::from_str(row).unwrap(), deletes }
    }

    /// The row that it is about, and whether that goes: in a table of changes the record says so.
    fn meaning(&self) -> (&Value, bool) {
        match self.row["op"].as_str() {
            Some("d") => (&self.row["before"], true),
            Some(_) => (&self.row["after"], false),
            None => (&self.row, self.deletes),
        }
    }
}

impl Case {
    fn parse(text: &str) -> Self {
        fn lines(part: &str) -> (String, Vec<&str>) {
            let (table, lines) = part.split_once('\n').unwrap();
            (table.trim().to_owned(), lines.lines().filter(|line| !line.trim().is_empty()).collect())
        }
        let late = text.lines().find_map(|line| line.strip_prefix("-- late "));
        let late = late.map(|number| number.trim().parse().unwrap());
        let text = text.lines().filter(|line| !line.starts_with("-- late ")).collect::<Vec<_>>().join("\n");
        let mut answers = text.split("-- answer of ");
        let mut parts = answers.next().unwrap().split("-- rows of ");
        let sql = parts.next().unwrap().to_owned();
        let rows =
            parts.map(lines).map(|(table, lines)| (table, lines.into_iter().map(Change::parse).collect()));
        let answer = |(table, lines): (String, Vec<&str>)| {
            (table, lines.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect())
        };
        Case { sql, rows: rows.collect(), recorded: answers.map(lines).map(answer).collect(), late }
    }
}

/// Rows as text that can be compared: fields in order, numbers to nine digits, since a sum of fractions depends on its
/// order.
fn canonical(row: &Value) -> String {
    match row {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> =
                fields.iter().map(|(name, value)| (name, canonical(value))).collect();
            format!("{fields:?}")
        }
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.to_string(),
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            (None, float) => format!("{:.9e}", float.unwrap()),
        },
        other => other.to_string(),
    }
}

fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| canonical(&row)).collect();
    rows.sort();
    rows
}

#[test]
fn what_a_job_has_written_is_the_batch_answer() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/cases");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    // While one works at a case: CASE=unnest cargo test ..
    let only = std::env::var("CASE").unwrap_or_default();
    for file in files.into_iter().filter(|file| file.to_string_lossy().contains(&only)) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let case = Case::parse(&std::fs::read_to_string(&file).unwrap());
        let wanted = batch::answers(&case);
        for (table, recorded) in &case.recorded {
            assert_eq!(
                sorted(wanted[table].clone()),
                sorted(recorded.clone()),
                "{name}: {table}, as Flink has it"
            );
        }
        if let Some(wanted) = case.late {
            assert_eq!(streaming::late(&name, &case), wanted, "{name}: late rows");
        }
        let all_partitions: &[u32] = if case.late.is_some() { &[1] } else { &[1, 3] };
        for partitions in all_partitions.iter().copied() {
            let found = streaming::run(&name, &case, partitions);
            assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{name}");
            for (table, wanted) in &wanted {
                let found = sorted(found[table].clone());
                assert_eq!(
                    found,
                    sorted(wanted.clone()),
                    "{name}: table {table} with {partitions} partitions"
                );
            }
        }
    }
}
