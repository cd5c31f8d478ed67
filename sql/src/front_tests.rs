//! Whole files: what is wrong with those of `tests/wrong`, and what those of `tests/good` declare.

use crate::error::{Span, SqlError, SqlErrors};
use crate::script::{Script, Statement, parse};
use crate::settings::Settings;
use std::path::{Path, PathBuf};

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(directory);
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A file's statements, and what is wrong with it as far as that can be told without reading its queries.
fn read(path: &Path) -> (Script, SqlErrors) {
    let text = std::fs::read_to_string(path).unwrap();
    let (script, mut errors) = parse(&text);
    let mut settings = Settings::default();
    for statement in &script.statements {
        match statement {
            Statement::CreateTable(def) => {
                errors.extend(crate::catalog::table(def).err().unwrap_or_default())
            }
            Statement::Set { key, value } => {
                errors.extend(crate::settings::set(&mut settings, key, value).err());
            }
            _ => {}
        }
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    (script, SqlErrors::new(name, text, errors))
}

/// The parts of a file that begin with a comment on a line of its own.
fn parts(text: &str) -> Vec<Span> {
    let starts: Vec<usize> = text
        .match_indices("-- ")
        .map(|(at, _)| at)
        .filter(|at| text[..*at].ends_with('\n') || *at == 0)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| Span { start: *start, end }).collect()
}

#[test]
fn every_wrong_statement_is_reported_with_its_place_and_what_to_do() {
    for path in files("wrong") {
        let (_, errors) = read(&path);
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format!("wrong_{}", path.file_stem().unwrap().to_str().unwrap()), errors.to_string());
        });
        for part in parts(&errors.text) {
            let text = &errors.text[part.start..part.end];
            let found = errors.errors.iter().any(|error| (part.start..part.end).contains(&error.span.start));
            assert!(found || text.starts_with("-- good"), "{}: no error in\n{text}", path.display());
        }
        let unhelpful = |error: &&SqlError| error.help.is_none();
        assert_eq!(errors.errors.iter().find(unhelpful), None, "{}", path.display());
    }
}
