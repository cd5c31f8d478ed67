//! Generated and mutated files: whatever the text, planning ends, with a job or with errors that a stranger can read.
//!
//! ```text
//! cargo test --release -p millstream-sql --test it generated                 some hundred seeds
//! MILLSTREAM_SQL_SEEDS=0..100000 cargo test --release -p millstream-sql --test it generated
//! ```
//! The file of a seed that fails is made small, and printed. While one is planned its number stands in the file that the test
//! prints first: a planner that takes the whole process down leaves it there.

mod generate;
mod mutate;
mod random;
mod shrink;

use millstream_sql::error::code;
use millstream_sql::{SqlErrors, plan};
use random::Random;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Seeds that are tried by every run of the tests.
const SEEDS: Range<u64> = 0..300;
/// Seeds whose files were once refused without a word of what is wrong.
const ONCE_WRONG: [u64; 3] = [1036, 1340, 5486];
/// A file that takes as long is taken for one that never ends. The bounds are on the work that is done, so that the slowest
/// of them takes a small part of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Words that only those know who know what is inside.
const INSIDE: &[&str] = &[
    "DataFusion",
    "datafusion",
    "Internal error",
    "internal error",
    "Schema error",
    "schema",
    "Schema",
    "compound identifier",
    "Expected:",
    "likely a bug",
    "Error during planning",
    "not implemented",
    "Arrow",
    "arrow",
    "Utf8",
    "Int64",
    "Int32",
    "Int8",
    "Float64",
    "Float32",
    "Decimal128",
    "Timestamp(",
    "Some(",
    "None",
    "sqlparser",
    "sql parser",
    "type_coercion",
    "Optimizer",
    "optimizer",
    "panicked",
    "UDF",
    "udf",
    "Expr",
    "logical",
    "physical",
    "LeftSemi",
    "LeftAnti",
    "ScalarValue",
    "quote_style",
    "this can't be planned",
    "coerc",
    "signature",
];

/// What is wrong with how a text is planned; `None` if nothing is.
fn wrong_with(text: &str) -> Option<String> {
    let errors = match plan("f.sql", text) {
        Ok(job) => return job.explain.is_empty().then(|| "the plan is empty".to_owned()),
        Err(errors) => errors,
    };
    if errors.errors.is_empty() {
        return Some("refused without an error".to_owned());
    }
    errors.to_string();
    errors.errors.iter().find_map(|error| wrong_with_error(&errors, text, error))
}

fn wrong_with_error(errors: &SqlErrors, text: &str, error: &millstream_sql::SqlError) -> Option<String> {
    let page = code::page(error.code);
    let said = [Some(&error.message), error.help.as_ref(), Some(&error.label)];
    // What the file says itself may be quoted.
    let inside = INSIDE
        .iter()
        .find(|word| said.into_iter().flatten().any(|said| says(said, word)) && !text.contains(**word));
    let is_place = errors.text.get(error.span.start..error.span.end).is_some();
    let is_shown = !error.message.trim().is_empty() && error.message.len() < 1_000;
    let what = if page.is_none() || error.code == code::DEFECT {
        format!("the code {}", error.code)
    } else if let Some(inside) = inside {
        format!("the word {inside:?}")
    } else if !is_place {
        format!("the place {:?}", error.span)
    } else if !is_shown || said.into_iter().flatten().any(|said| said.contains("hunter2")) {
        "what it says".to_owned()
    } else {
        return None;
    };
    Some(format!("{what} of {error:?}"))
}

/// Whether a message has the word, but not as part of an option's name.
fn says(said: &str, word: &str) -> bool {
    said.replace("schema-include", "").contains(word)
}

/// All texts of SQL of the repository, and some that are generated.
fn corpus() -> Vec<String> {
    let mut corpus = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for directory in ["tests", "sql/tests", "examples", "docs", "benches"] {
        read(&root.join(directory), &mut corpus);
    }
    assert!(corpus.len() > 10, "the texts of the repository were not found");
    corpus.extend((0..40).map(|seed| generate::file(&mut Random::of(seed))));
    corpus
}

fn read(directory: &Path, corpus: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            _ if path.is_dir() => read(&path, corpus),
            Some("sql") => {
                let text = std::fs::read_to_string(&path).unwrap();
                let sql = text.split("-- rows of").next().unwrap_or_default();
                corpus.push(sql.to_owned());
            }
            Some("md") => {
                let text = std::fs::read_to_string(&path).unwrap();
                let blocks = text.split("```sql\n").skip(1).filter_map(|block| block.split("```").next());
                corpus.extend(blocks.map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// The file of a seed.
fn file(seed: u64, corpus: &[String]) -> String {
    let mut random = Random::of(seed);
    match seed % 2 {
        0 => generate::file(&mut random),
        _ => mutate::mutated(&mut random, corpus),
    }
}

fn seeds() -> Vec<u64> {
    let Ok(seeds) = std::env::var("MILLSTREAM_SQL_SEEDS") else { return SEEDS.chain(ONCE_WRONG).collect() };
    let (from, to) = seeds.split_once("..").expect("MILLSTREAM_SQL_SEEDS=from..to");
    (from.parse().unwrap()..to.parse().unwrap()).collect()
}

#[test]
fn whatever_the_text_planning_ends_with_a_job_or_with_errors_that_can_be_read() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sql-seed");
    println!("the seed that is tried stands in {}", place.display());
    let (corpus, seeds) = (corpus(), seeds());
    let (trying, tried) = mpsc::channel();
    let watched = std::thread::spawn({
        let (place, corpus) = (place.clone(), corpus.clone());
        move || {
            for seed in seeds {
                std::fs::write(&place, seed.to_string()).unwrap();
                let text = file(seed, &corpus);
                let wrong = wrong_with(&text);
                if trying.send((seed, text, wrong)).is_err() {
                    return;
                }
            }
        }
    });
    let (mut jobs, mut failed) = (0, Vec::new());
    loop {
        match tried.recv_timeout(PATIENCE) {
            Ok((_, _, None)) => jobs += 1,
            Ok((seed, text, Some(_))) if failed.len() < 10 => {
                let small = shrink::smallest(&text, |text| wrong_with(text).is_some());
                let wrong = wrong_with(&small).unwrap_or_default();
                failed.push(format!("seed {seed}: {wrong}\n{small}\n"));
            }
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seed = std::fs::read_to_string(&place).unwrap_or_default();
                panic!("seed {seed} has not ended after {PATIENCE:?}");
            }
        }
    }
    watched.join().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(jobs > 0);
}

#[test]
fn some_generated_files_are_jobs() {
    let planned =
        (0..200).filter(|seed| plan("f.sql", &generate::file(&mut Random::of(*seed))).is_ok()).count();
    assert!(planned > 3, "{planned} of 200: the generator has lost the dialect");
}
