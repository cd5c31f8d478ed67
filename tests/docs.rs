//! What `docs/ARCHITECTURE.md` and `CONTRIBUTING.md` name is there.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_files_of_the_map_are_there() {
    let page = page();
    let mut directory = "";
    let mut named = BTreeSet::new();
    // Below a heading that is a directory, files are relative to it.
    for line in page.lines().filter(|line| !line.starts_with("```")) {
        if let Some(heading) = line.strip_prefix('#') {
            directory = quoted(heading).next().unwrap_or("");
        }
        let files = quoted(line).filter(|word| word.ends_with(".rs"));
        named.extend(files.map(|file| Path::new(directory).join(file)));
    }
    let missing: Vec<&PathBuf> = named.iter().filter(|file| !root().join(file).is_file()).collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md names files that are not there: {missing:?}");
    assert!(named.len() > 50, "the map was not understood: {named:?}");
}

#[test]
fn the_files_and_tests_of_the_recipes_are_there() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let sources = all_sources();
    let (mut missing, mut count) = (Vec::new(), 0);
    for word in quoted(&page).filter(|word| !word.contains(char::is_whitespace)) {
        let is_test =
            word.matches('_').count() >= 2 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_there = match word {
            path if path.contains('/') => root().join(path).exists(),
            name if is_test => sources.contains(&format!("fn {name}(")),
            _ => continue,
        };
        count += 1;
        missing.extend((!is_there).then_some(word));
    }
    assert!(missing.is_empty(), "CONTRIBUTING.md names what is not there: {missing:?}");
    assert!(count > 30, "the recipes were not understood: {count}");
}

#[test]
fn every_invariant_is_held_by_tests_that_are_there() {
    let sources = all_sources();
    let page = page();
    let (_, invariants) = page.split_once("## What must stay true").unwrap();
    // A table for each subject.
    let rows = invariants.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| invariant |"));
    let rows: Vec<&str> = rows.collect();
    assert!(rows.len() > 10, "the tables were not understood");
    for row in rows {
        let holds = row.split('|').nth(2).unwrap();
        let tests: Vec<&str> = quoted(holds).collect();
        assert!(!tests.is_empty(), "nothing holds it: {row}");
        for test in tests.into_iter().filter(|test| !test.ends_with(".rs")) {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}");
        }
    }
}

fn all_sources() -> String {
    let mut sources = String::new();
    for directory in ["connectors", "log", "state", "operators", "runtime", "server", "sql", "src", "tests"] {
        read_sources(&root().join(directory), &mut sources);
    }
    sources
}

fn read_sources(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
