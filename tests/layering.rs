//! The crates depend on each other only as `docs/ARCHITECTURE.md` says, there is one Arrow, and no dependency is there for
//! nothing.

#![allow(clippy::unwrap_used, reason = "a test")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn cargo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn metadata() -> Value {
    serde_json::from_slice(&cargo(&["metadata", "--format-version", "1"])).unwrap()
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
        "millstream-runtime" => {
            &["millstream-log", "millstream-operators", "millstream-state", "object_store", "tokio"]
        }
        "millstream-server" => &["millstream-operators", "millstream-runtime", "axum", "tokio"],
        "millstream-postgres" => &["sqlparser", "tokio"],
        "millstream-connectors" => &["millstream-operators", "arrow"],
        "millstream-sql" => &["millstream-connectors", "millstream-operators", "arrow", "datafusion"],
        _ => return None,
    })
}

/// Dependencies that give a crate its place: only the crates listed above may have them.
const GUARDED: &[&str] = &[
    "millstream",
    "millstream-connectors",
    "millstream-formats",
    "millstream-log",
    "millstream-operators",
    "millstream-postgres",
    "millstream-records",
    "millstream-runtime",
    "millstream-server",
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
    "rdkafka",
    "rdkafka-sys",
    "rocksdb",
    "sqlparser",
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

/// Dependencies that no source names: they switch on features of crates below. Their manifests say why.
const FOR_FEATURES: &[(&str, &str)] = &[
    ("millstream", "futures-channel"),
    ("millstream", "getrandom"),
    ("millstream", "hyper"),
    ("millstream", "hyper-util"),
    ("millstream", "itertools"),
    ("millstream", "md-5"),
    ("millstream", "rustix"),
    ("millstream", "simdutf8"),
    ("millstream", "slab"),
    ("millstream", "tokio"),
    ("millstream", "tower"),
    ("millstream-operators", "lexical-core"),
];

#[test]
fn every_dependency_is_named_in_the_sources_of_its_crate() {
    let metadata = metadata();
    let mut unnamed = BTreeSet::new();
    for package in
        metadata["packages"].as_array().unwrap().iter().filter(|package| package["source"].is_null())
    {
        let crate_of = Path::new(text(package, "manifest_path")).parent().unwrap();
        let mut sources = String::new();
        read_sources(&crate_of.join("src"), &mut sources);
        let mut with_tests = sources.clone();
        ["tests", "benches", "examples"]
            .iter()
            .for_each(|part| read_sources(&crate_of.join(part), &mut with_tests));
        for dependency in package["dependencies"].as_array().unwrap() {
            let for_tests = dependency["kind"].as_str() == Some("dev");
            let name = text(dependency, "name");
            let in_sources = dependency["rename"].as_str().unwrap_or_else(|| library_of(&metadata, name));
            if !names(if for_tests { &with_tests } else { &sources }, &in_sources.replace('-', "_")) {
                unnamed.insert((text(package, "name"), name));
            }
        }
    }
    let allowed: BTreeSet<(&str, &str)> = FOR_FEATURES.iter().copied().collect();
    let unused: Vec<_> = unnamed.difference(&allowed).collect();
    assert!(unused.is_empty(), "nothing uses these dependencies: {unused:?}");
    let stale: Vec<_> = allowed.difference(&unnamed).collect();
    assert!(stale.is_empty(), "these are used, or gone, and no exceptions any more: {stale:?}");
}

/// What a package's library is called: `md5` is that of `md-5`.
fn library_of<'a>(metadata: &'a Value, package: &'a str) -> &'a str {
    let found = metadata["packages"].as_array().unwrap().iter().find(|found| text(found, "name") == package);
    let mut targets = found.into_iter().flat_map(|found| found["targets"].as_array().unwrap());
    let is_library = |target: &&Value| {
        target["kind"].as_array().unwrap().iter().any(|kind| kind == "lib" || kind == "proc-macro")
    };
    targets.find(is_library).map_or(package, |target| text(target, "name"))
}

/// Whether a crate is named in a source: in a path, or taken in by a `use`.
fn names(source: &str, krate: &str) -> bool {
    source.match_indices(krate).any(|(at, _)| {
        let is_whole = !source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let after = &source[at + krate.len()..];
        is_whole && ["::", ";", " as "].iter().any(|next| after.starts_with(next))
    })
}

fn read_sources(directory: &Path, sources: &mut String) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The crates that the roots of a tree stand on, each with its version and features. A tree may have more roots than were
/// asked for.
fn tree(is_root: impl Fn(&str) -> bool, arguments: &[&str]) -> BTreeSet<String> {
    let shown = cargo(&[&["tree", "--prefix", "none", "--format", "{p} {f}"], arguments].concat());
    let shown = String::from_utf8(shown).unwrap();
    let trees = shown.split("\n\n").filter(|tree| is_root(tree.split(' ').next().unwrap()));
    let lines = trees.flat_map(str::lines).map(|line| line.trim_end_matches(" (*)").to_owned());
    let found: BTreeSet<String> = lines.filter(|line| !line.contains("(/") && !line.is_empty()).collect();
    assert!(found.len() > 100, "the tree was not understood: {found:?}");
    found
}

#[test]
fn the_command_and_the_tests_stand_on_crates_that_are_built_once() {
    let command = tree(|root| root == "millstream", &["--edges", "normal,build"]);
    let all = tree(|_| true, &["--workspace", "--edges", "normal,build,dev"]);
    let twice: Vec<&String> = command.difference(&all).collect();
    assert!(twice.is_empty(), "tests have these with other features, and DataFusion twice: {twice:?}");
}

#[test]
fn a_program_that_embeds_jobs_compiles_nothing_of_the_command() {
    let embedded = tree(|root| root == "millstream", &["--edges", "normal", "--no-default-features"]);
    let of_the_command = ["axum", "clap", "indicatif", "miette", "mimalloc", "tracing-subscriber"];
    let is_of_it = |line: &&String| of_the_command.contains(&line.split(' ').next().unwrap());
    let found: Vec<&String> = embedded.iter().filter(is_of_it).collect();
    assert!(found.is_empty(), "not behind the feature `cli`: {found:?}");
}

/// The crates that a program compiles which takes these features of ours and no others.
fn compiled_with(features: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "millstream", "--edges", "normal", "--prefix", "none", "--locked"])
        .args(["--no-default-features", "--features", features, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Behind an empty line other members of the workspace are listed.
    let tree = text.lines().take_while(|line| !line.is_empty());
    tree.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn a_typed_job_on_one_log_is_built_without_sql_the_command_and_the_other_log() {
    let sql_and_command = ["datafusion", "sqlparser", "clap", "miette", "indicatif", "millstream-sql"];
    let kafka = ["rdkafka-sys", "kafka-protocol", "millstream-wire", "tokio-rustls"];
    let embedded = compiled_with("embedded");
    assert!(embedded.contains("millstream-runtime") && embedded.contains("rocksdb"), "{embedded:?}");
    for name in sql_and_command.iter().chain(&kafka) {
        assert!(!embedded.contains(*name), "{name} is compiled for a typed job on the embedded log");
    }
    let on_kafka = compiled_with("kafka");
    assert!(kafka.iter().all(|name| on_kafka.contains(*name)), "{on_kafka:?}");
    for name in sql_and_command {
        assert!(!on_kafka.contains(name), "{name} is compiled for a typed job on Kafka");
    }
    assert!(compiled_with("sql").contains("datafusion"));
}
