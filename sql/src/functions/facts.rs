//! Flink's own answers to thousands of expressions, each asked of the planner and of the physical expressions.

use super::time::zone::{UTC, Zone};
use super::{aggregates, table};
use crate::query::ask::{Answer, ask};
use std::collections::BTreeMap;

/// One answer of Flink's.
struct Fact<'a> {
    id: &'a str,
    family: &'a str,
    expression: &'a str,
    setup: &'a str,
    data_type: &'a str,
    value: String,
    note: &'a str,
}

fn facts() -> Vec<Fact<'static>> {
    let files =
        [include_str!("../../tests/flink/expressions.tsv"), include_str!("../../tests/flink/functions.tsv")];
    let fact = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        Fact {
            id: next(),
            family: next(),
            expression: next(),
            setup: next(),
            data_type: next(),
            value: unescaped(next()),
            note: next(),
        }
    };
    files.into_iter().flat_map(|text| text.lines().skip(1)).map(fact).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    out.push(u8::from_str_radix(&digits, 16).map_or('?', char::from));
                }
                Some(other) => out.push(other),
                None => {}
            },
            (char, false) => out.push(char),
        }
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Right,
    Refused,
    Wrong,
    Ends,
}

/// The type of a fact as ours are named: lengths of texts are nobody's.
fn plain_type(flink: &str) -> String {
    let mut out = String::new();
    let mut rest = flink.replace(" NOT NULL", "").replace('`', "");
    for (from, to) in [("VARBINARY", "BYTES"), ("BINARY", "BYTES"), ("VARCHAR", "STRING"), ("CHAR", "STRING")]
    {
        rest = rest.replace(from, to);
    }
    let mut chars = rest.as_str();
    while let Some(char) = chars.chars().next() {
        for name in ["STRING(", "BYTES("] {
            if let Some(behind) = chars.strip_prefix(name) {
                out.push_str(name.trim_end_matches('('));
                chars = behind.split_once(')').map_or("", |(_, behind)| behind);
            }
        }
        if chars.starts_with("INTERVAL") {
            out.push_str("INTERVAL");
            return out;
        }
        let Some(next) = chars.chars().next() else { break };
        let _ = char;
        out.push(next);
        chars = &chars[next.len_utf8()..];
    }
    out
}

/// Maps have no order.
fn sorted_map(value: &str) -> String {
    match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
        Some(entries) => {
            let mut entries: Vec<&str> = entries.split(", ").collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(", "))
        }
        None => value.to_owned(),
    }
}

/// Functions of which Java's and our libraries may give neighbouring numbers.
fn is_neighbour(found: &str, wanted: &str) -> bool {
    match (found.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(found), Ok(wanted)) if found.is_finite() && wanted.is_finite() => {
            (found.to_bits() as i64).abs_diff(wanted.to_bits() as i64) <= 1
        }
        _ => false,
    }
}

const TRANSCENDENTAL: &[&str] = &[
    "SIN(", "COS(", "TAN(", "COT(", "ASIN(", "ACOS(", "ATAN(", "ATAN2(", "SINH(", "COSH(", "TANH(", "LN(",
    "LOG(", "LOG2(", "LOG10(", "EXP(", "POWER(",
];

fn verdict(fact: &Fact<'_>, answer: &Answer) -> (Verdict, String) {
    let fails_to_plan = fact.value.starts_with("ERROR plan");
    let fails_to_run = fact.value.starts_with("ERROR run");
    match answer {
        Answer::Refused(why) if fails_to_plan => (Verdict::Right, why.clone()),
        Answer::Refused(why) => (Verdict::Refused, why.clone()),
        Answer::Failed(why) if fails_to_run => (Verdict::Right, why.clone()),
        Answer::Failed(why) if fails_to_plan => (Verdict::Wrong, format!("fails: {why}")),
        Answer::Failed(why) => (Verdict::Ends, why.clone()),
        Answer::Panicked => (Verdict::Ends, "panic".to_owned()),
        Answer::Value { data_type, value } => {
            let shown = format!("{value} of {data_type}");
            // Flink computed NULL, and failed the job since its type says NOT NULL.
            if fact.note.contains("null-in-not-null") && value == "null" {
                return (Verdict::Right, shown);
            }
            if fails_to_plan || fails_to_run {
                return (Verdict::Wrong, shown);
            }
            let near = TRANSCENDENTAL.iter().any(|name| fact.expression.contains(name))
                && is_neighbour(value, &fact.value);
            let same = sorted_map(value) == sorted_map(&fact.value) || near;
            let typed = *data_type == plain_type(fact.data_type);
            (if same && typed { Verdict::Right } else { Verdict::Wrong }, shown)
        }
    }
}

/// What is otherwise than Flink on purpose: the part of its page that says why, and the facts it is about.
fn otherwise() -> BTreeMap<&'static str, &'static str> {
    let text = include_str!("../../tests/flink/otherwise.tsv");
    text.lines().filter_map(|line| line.split_once('\t')).collect()
}

/// How many are refused at most, by family: these may only become fewer.
const REFUSED: &[(&str, usize)] = &[
    ("aggregate", 9),
    ("arithmetic", 6),
    ("cast-other", 52),
    ("collection", 4),
    ("comparison", 3),
    ("hash", 2),
    ("json", 22),
    ("string", 13),
    ("temporal-arith", 49),
    ("temporal-round", 4),
    ("unnest", 15),
    ("value", 3),
];

#[test]
fn flinks_answers_are_ours_or_are_refused() {
    let otherwise = otherwise();
    let mut counts: BTreeMap<&str, BTreeMap<Verdict, usize>> = BTreeMap::new();
    let mut log = String::new();
    let mut wrong = Vec::new();
    for fact in facts() {
        let zone =
            fact.note.split(' ').find_map(|note| Zone::named(note.strip_prefix("zone=")?)).unwrap_or(UTC);
        let answer = ask(fact.expression, fact.setup, zone);
        let (verdict, shown) = verdict(&fact, &answer);
        let verdict = match verdict {
            Verdict::Wrong | Verdict::Ends if otherwise.contains_key(fact.id) => Verdict::Right,
            verdict => verdict,
        };
        *counts.entry(fact.family).or_default().entry(verdict).or_default() += 1;
        let line = format!(
            "{verdict:?}\t{}\t{}\t{}\t{} of {}\t{}\n",
            fact.id,
            fact.expression,
            fact.setup,
            fact.value,
            fact.data_type,
            shown.replace('\n', " ")
        );
        if verdict >= Verdict::Wrong {
            wrong.push(line.clone());
        }
        log.push_str(&line);
    }
    if let Ok(path) = std::env::var("FACTS_LOG") {
        std::fs::write(path, &log).unwrap();
    }
    for (family, counts) in &counts {
        println!("{family}: {counts:?}");
    }
    let total = |verdict| counts.values().filter_map(|counts| counts.get(&verdict)).sum::<usize>();
    println!(
        "right {}, refused {}, wrong {}, ends {}",
        total(Verdict::Right),
        total(Verdict::Refused),
        total(Verdict::Wrong),
        total(Verdict::Ends)
    );
    assert!(
        wrong.is_empty(),
        "{} are wrong, the first ones:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].concat()
    );
    for (family, counts) in &counts {
        let refused = counts.get(&Verdict::Refused).copied().unwrap_or(0);
        let most = REFUSED.iter().find(|(name, _)| name == family).map_or(0, |(_, most)| *most);
        assert!(refused <= most, "{family}: {refused} are refused, where {most} were");
    }
}

#[test]
fn every_function_does_what_its_examples_say() {
    let mut wrong = Vec::new();
    for function in table().chain([&super::ARRAY, &super::MAP, &super::ITEM]) {
        if function.examples.is_empty() {
            wrong.push(format!("{} has no example", function.signature));
        }
        for (expression, expected) in function.examples {
            match ask(expression, "", UTC) {
                Answer::Value { value, .. } if sorted_map(&value) == sorted_map(expected) => {}
                answer => wrong.push(format!("{expression}: {answer:?}, not {expected}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_aggregate_gives_of_rows_what_its_examples_say() {
    let mut wrong = Vec::new();
    for aggregate in aggregates::table() {
        if aggregate.examples.is_empty() {
            wrong.push(format!("{} has no example", aggregate.signature));
        }
        for (expression, rows, expected) in aggregate.examples {
            match ask(expression, rows, UTC) {
                Answer::Value { value, .. } if sorted_map(&value) == sorted_map(expected) => {}
                answer => wrong.push(format!("{expression} of {rows}: {answer:?}, not {expected}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The page of all functions, from the tables.
fn reference() -> String {
    use std::fmt::Write;
    let mut page = String::from(
        "# Functions\n\nEvery function that can be called, with Flink's meaning. Each line is a test: the expression and \
         what it gives, as\nJava prints it. This page is written by `FUNCTIONS_PAGE=write cargo test -p millstream-sql \
         reference`.\n\n| function | example | gives |\n|---|---|---|\n",
    );
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut functions: Vec<_> = table().chain([&super::ARRAY, &super::MAP, &super::ITEM]).collect();
    functions.sort_by_key(|function| function.names);
    for function in functions {
        for (index, (expression, answer)) in function.examples.iter().enumerate() {
            let name = if index == 0 { format!("`{}`", function.signature) } else { String::new() };
            let (expression, answer) = (cell(expression), cell(answer));
            let _ = writeln!(page, "| {} | `{expression}` | {answer} |", cell(&name));
        }
    }
    page.push_str("\n## Aggregates\n\nBeside `COUNT`, `SUM`, `AVG`, `MIN` and `MAX`.\n\n| function | example | gives |\n|---|---|---|\n");
    let mut functions: Vec<_> = aggregates::table().collect();
    functions.sort_by_key(|function| function.names);
    for function in functions {
        for (index, (expression, rows, answer)) in function.examples.iter().enumerate() {
            let name = if index == 0 { format!("`{}`", function.signature) } else { String::new() };
            let (expression, rows, answer) = (cell(expression), cell(rows), cell(answer));
            let _ = writeln!(page, "| {} | `{expression}` of `{rows}` | {answer} |", cell(&name));
        }
    }
    page
}

#[test]
fn the_reference_is_that_of_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sql/functions.md");
    if std::env::var("FUNCTIONS_PAGE").is_ok() {
        std::fs::write(path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert!(
        page == reference(),
        "docs/sql/functions.md is not that of the tables: write it anew, as it says"
    );
}

#[test]
fn no_name_has_two_meanings() {
    let mut names: Vec<&str> = table().flat_map(|function| function.names.iter().copied()).collect();
    names.sort_unstable();
    let twice: Vec<&[&str]> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert_eq!(twice, Vec::<&[&str]>::new());
}
