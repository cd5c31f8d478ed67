//! The crates depend on each other only as `docs/ARCHITECTURE.md` says, and there is one Arrow.

#![allow(clippy::unwrap_used, reason = "a test")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// What each crate of ours may name beside what everybody may.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "millstream-records" | "millstream-wal" => &[],
        "millstream-wire" => &["kafka-protocol", "tokio"],
        "millstream-log" => {
            &["millstream-records", "millstream-wal", "millstream-wire", "rdkafka", "rdkafka-sys", "rocksdb"]
        }
        "millstream-state" => &["millstream-wal", "rocksdb"],
        "millstream-formats" => &["arrow"],
        "millstream-operators" => &["millstream-formats", "millstream-records", "millstream-state", "arrow"],
        "millstream-runtime" => &[
            "millstream-log",
            "millstream-operators",
            "millstream-state",
            "object_store",
            "prometheus",
            "tokio",
        ],
        "millstream-sql" => &["millstream-operators", "arrow", "datafusion"],
        _ => return None,
    })
}

/// Dependencies that give a crate its place: only the crates listed above may have them.
const GUARDED: &[&str] = &[
    "millstream",
    "millstream-formats",
    "millstream-log",
    "millstream-operators",
    "millstream-records",
    "millstream-runtime",
    "millstream-sql",
    "millstream-state",
    "millstream-wal",
    "millstream-wire",
    "arrow",
    "axum",
    "clap",
    "datafusion",
    "kafka-protocol",
    "object_store",
    "prometheus",
    "rdkafka",
    "rdkafka-sys",
    "rocksdb",
    "tokio",
];

#[test]
fn crates_depend_on_each_other_only_downwards() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = text(package, "name");
        let Some(allowed) = allowed(name) else { continue };
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = text(dependency, "name");
            // Tests and benches may use anything.
            let for_tests = dependency["kind"].as_str() == Some("dev");
            if !for_tests && GUARDED.contains(&to) && !allowed.contains(&to) {
                wrong.push(format!("{name} -> {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "new edges between crates: {wrong:?}; see docs/ARCHITECTURE.md");
}

#[test]
fn there_is_one_arrow_and_one_datafusion() {
    let metadata = metadata();
    for name in
        ["arrow", "arrow-array", "arrow-schema", "datafusion", "datafusion-expr", "rocksdb", "rdkafka"]
    {
        let versions: BTreeSet<&str> = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|package| text(package, "name") == name)
            .map(|package| text(package, "version"))
            .collect();
        assert_eq!(versions.len(), 1, "{name} is there in versions {versions:?}");
    }
}
