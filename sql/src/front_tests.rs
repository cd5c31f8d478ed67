//! Whole files: what is wrong with those of `tests/wrong`, and what those of `tests/good` declare.

use crate::catalog::{ColumnKind, Connector, Table, TopicTable};
use crate::error::{Span, SqlError, SqlErrors};
use crate::script::{Insert, Script, Spanned, Statement, Tokens, parse};
use crate::settings::Settings;
use millstream_operators::formats::sql_type;
use millstream_operators::source::Policy;
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
            Statement::CreateTable(def) if def.like.is_none() && def.query.is_none() => {
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
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
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

/// What the statements of a file declare, in lines.
fn describe(script: &Script) -> String {
    let lines = script.statements.iter().map(|statement| match statement {
        Statement::CreateTable(def) => describe_table(&def.name.value, &crate::catalog::table(def).unwrap()),
        Statement::CreateView(view) => {
            let columns: Option<Vec<&str>> =
                view.columns.as_ref().map(|columns| columns.iter().map(|name| name.value.as_str()).collect());
            format!("view {} {columns:?} as {}", view.name.value, words(&view.query))
        }
        other => one_line(other),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn describe_table(name: &str, table: &Table) -> String {
    let columns = table.columns.iter().map(|column| {
        let not_null = if column.nullable { "" } else { " NOT NULL" };
        let kind = match &column.kind {
            ColumnKind::Physical => String::new(),
            ColumnKind::Computed(expr) => format!(" as {}", words(expr)),
            ColumnKind::Metadata { metadata, virtual_ } => format!(" {metadata:?} virtual {virtual_}"),
        };
        format!("  {} {}{not_null}{kind}", column.name.value, sql_type(&column.data_type))
    });
    let columns = columns.collect::<Vec<_>>().join("\n");
    let delay = table.watermark.as_ref().map(|watermark| (watermark.column, watermark.out_of_orderness_ms));
    let connector = match &table.connector {
        Connector::Topic(topic) => describe_topic(topic),
        other => format!("{other:?}"),
    };
    let key = &table.primary_key;
    format!("table {name} key {key:?} watermark {delay:?}\n{columns}\n  {connector}")
}

fn describe_topic(topic: &TopicTable) -> String {
    let text = |text: &Spanned<String>| text.value.clone();
    let topics: Vec<String> = topic.topics.iter().map(text).collect();
    let properties: Vec<String> =
        topic.properties.iter().map(|(key, value)| format!("{key}={}", value.value)).collect();
    format!(
        "{:?} of {topics:?}: key {:?}, value {}, columns {:?}\n  {:?} to {:?}, bad {:?}, late {:?}, idle {} ms, \
         future {} ms\n  group {:?}, servers {:?}, properties {properties:?}",
        topic.kind,
        topic.layout.key.as_ref().map(|key| key.format.describe()),
        topic.layout.value.format.describe(),
        topic.layout.columns,
        topic.startup,
        topic.bounded,
        topic.bad_records.unwrap_or(Policy::Fail),
        topic.late_records.unwrap_or(Policy::Skip),
        topic.idle_timeout_ms,
        topic.max_future_ms,
        topic.group.as_ref().map(text),
        topic.bootstrap_servers.as_ref().map(text),
    )
}

fn one_line(statement: &Statement) -> String {
    match statement {
        Statement::Insert(insert) => {
            let columns: Vec<&str> = insert.columns.iter().map(|name| name.value.as_str()).collect();
            format!("insert into {} {columns:?} {}", insert.target.value, words(&insert.query))
        }
        Statement::StatementSet(inserts) => {
            let inserts = inserts.iter().map(|insert| one_line(&Statement::Insert(insert.clone())));
            format!("set of\n  {}", inserts.collect::<Vec<_>>().join("\n  "))
        }
        Statement::Explain(inner, _) => format!("explain {}", one_line(inner)),
        Statement::Select { query } => format!("query {}", words(query)),
        Statement::Set { key, value } => format!("{} = {}", key.value, value.value),
        other => panic!("{other:?}"),
    }
}

fn words(tokens: &Tokens) -> String {
    tokens.tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn good_files_are_read_as_they_are_meant() {
    for path in files("good") {
        let (script, errors) = read(&path);
        assert_eq!(errors.errors, [], "{errors}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            let name = format!("good_{}", path.file_stem().unwrap().to_str().unwrap());
            insta::assert_snapshot!(name, describe(&script));
        });
    }
}

/// The bytes of every word are what sqlparser's lines and columns say, whatever alphabet comes before.
#[test]
fn places_in_lines_are_places_in_bytes() {
    for path in files("good").into_iter().chain(files("wrong")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (script, _) = parse(&text);
        for statement in &script.statements {
            let Statement::Insert(Insert { query, .. }) = statement else { continue };
            let span = |at: usize| script.positions.span(query.tokens[at].span).unwrap();
            assert_eq!(span(0).to(span(query.tokens.len() - 1)), query.span, "{}", path.display());
        }
    }
}

proptest::proptest! {
    /// Any text is read to its end, and every error is inside of it.
    #[test]
    fn any_text_is_read_without_a_panic(
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..40),
        noise in ".{0,3}",
    ) {
        let text = parts.join(" ") + &noise;
        let (script, errors) = parse(&text);
        for statement in &script.statements {
            if let Statement::CreateTable(def) = statement {
                let _ = crate::catalog::table(def);
            }
        }
        for error in &errors {
            proptest::prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?} in {text:?}");
        }
        let shown = SqlErrors::new("any.sql", text, errors).to_string();
        proptest::prop_assert!(script.statements.len() <= parts.len());
        proptest::prop_assert!(shown.is_empty() || shown.starts_with("any.sql:"));
    }
}

/// What files are made of.
const PARTS: &[&str] = &[
    "CREATE TABLE t (",
    "CREATE VIEW v AS",
    "INSERT INTO t",
    "SELECT 1",
    "EXECUTE STATEMENT SET BEGIN",
    "END",
    ";",
    "(",
    ")",
    "<",
    ">",
    ">>",
    ",",
    "a INT",
    "b ARRAY<ROW<x",
    "MAP<STRING, INT>>",
    "AS a + 1",
    "WATERMARK FOR a AS a",
    "PRIMARY KEY (a) NOT ENFORCED",
    "METADATA FROM 'x'",
    "WITH (",
    "'connector' = 'kafka'",
    "'topic' = 'ü;b'",
    "'",
    "`",
    "\"",
    "/*",
    "--",
    "\n",
    "größer",
    "EXPLAIN",
    "SET",
    "=",
    "5",
    ".",
    "NOT NULL",
    "DECIMAL(5",
    "LIKE",
    "/*+ OPTIONS('a' = 'b') */",
    "/*+",
    "*/",
    "ALTER TABLE t",
    "ADD x INT",
    "DROP",
    "SHOW",
    "RENAME TO",
    "FIRST",
];
