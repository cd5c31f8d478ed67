//! Aggregates against a model that computes every group anew from its rows.

use crate::aggregate::aggregate;
use millstream_operators::StreamKind;
use millstream_operators::testing::{Happening, batch, canonical, play_every_way};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "k:utf8 i:i32 f:f64 d:dec(10,2) s:utf8 b:bool";

#[derive(Debug, Clone, PartialEq)]
struct Row {
    k: Option<String>,
    i: Option<i32>,
    /// Quarters: sums of them are exact.
    f: Option<i32>,
    d: Option<i32>,
    s: Option<String>,
    b: Option<bool>,
}

#[derive(Debug, Clone)]
enum Action {
    Insert(Row),
    /// Takes one of the rows there are away.
    Delete(usize),
    Update(usize, Row),
    Commit,
}

fn show<T: ToString>(value: Option<T>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

impl Row {
    fn text(&self) -> String {
        let f = self.f.map(|f| f64::from(f) / 4.0);
        let d = self.d.map(cents);
        let [k, s] = [&self.k, &self.s].map(|s| show(s.as_ref()));
        format!("{k} {} {} {} {s} {}", show(self.i), show(f), show(d), show(self.b))
    }
}

fn cents(value: impl Into<i64>) -> String {
    let value = value.into();
    format!("{}{}.{:02}", if value < 0 { "-" } else { "" }, value.abs() / 100, value.abs() % 100)
}

fn rows() -> impl Strategy<Value = Row> {
    let text = |values: &'static [&'static str]| {
        proptest::option::weighted(0.8, proptest::sample::select(values)).prop_map(|s| s.map(str::to_owned))
    };
    let number = || proptest::option::weighted(0.8, -3..4i32);
    (text(&["x", "y", "zz"]), number(), number(), number(), text(&["p", "q", "pp"]), any::<Option<bool>>())
        .prop_map(|(k, i, f, d, s, b)| Row { k, i, f, d, s, b })
}

fn actions(deletes: bool) -> impl Strategy<Value = Vec<Action>> {
    let deletes = if deletes { 3 } else { 0 };
    let action = prop_oneof![
        4 => rows().prop_map(Action::Insert),
        deletes => any::<usize>().prop_map(Action::Delete),
        deletes => (any::<usize>(), rows()).prop_map(|(at, row)| Action::Update(at, row)),
        2 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..24)
}

const CHANGELOG_CALLS: &[&str] = &[
    "count(*)",
    "count(i)",
    "sum(i)",
    "sum(f)",
    "sum(d)",
    "min(i)",
    "max(f)",
    "max(s)",
    "count(distinct s)",
    "sum(distinct d)",
    "count(*) filter b",
    "sum(i) filter b",
    "min(distinct d) filter b",
    "bag(i)",
    "bag(distinct i) filter b",
    "list(s)",
    "first(s)",
    "last(s)",
];

const APPEND_CALLS: &[&str] =
    &["last(d)", "first(f)", "last(b)", "max(b)", "squares(f)", "count(distinct s) filter b"];

/// Sum of the squared distances of quarters from their mean, to be shown: a multiple of 1/16 divided by their number.
fn squares(values: &[i32]) -> Option<f64> {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let before = f64::from(*value) / 4.0 - mean;
        mean += before / (place + 1) as f64;
        squares += before * (f64::from(*value) / 4.0 - mean);
    }
    (!values.is_empty()).then_some(squares)
}

/// Numbers and how often each is there.
fn bag(values: impl Iterator<Item = Option<i32>>, distinct: bool) -> String {
    let mut counts: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let parts = counts
        .into_iter()
        .map(|(value, count)| format!("{}x{}", show(value), if distinct { 1 } else { count }));
    format!("bag:{}", parts.collect::<Vec<_>>().join("|"))
}

/// The values of all calls over the rows of a group; `texts` are those of `s` in the order they came.
fn compute(rows: &[&Row], texts: &[String], append: bool) -> String {
    let i: Vec<i32> = rows.iter().filter_map(|row| row.i).collect();
    let f: Vec<i32> = rows.iter().filter_map(|row| row.f).collect();
    let d: Vec<i32> = rows.iter().filter_map(|row| row.d).collect();
    let s: Vec<&String> = rows.iter().filter_map(|row| row.s.as_ref()).collect();
    let b: Vec<bool> = rows.iter().filter_map(|row| row.b).collect();
    let passing: Vec<&&Row> = rows.iter().filter(|row| row.b == Some(true)).collect();
    let sum =
        |values: &[i32]| (!values.is_empty()).then(|| values.iter().map(|v| i64::from(*v)).sum::<i64>());
    let quarters = |value: i64| value as f64 / 4.0;
    let distinct_d: Vec<i32> = d.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let passing_i: Vec<i32> = passing.iter().filter_map(|row| row.i).collect();
    let mut values = vec![
        rows.len().to_string(),
        i.len().to_string(),
        show(sum(&i)),
        show(sum(&f).map(quarters)),
        show(sum(&d).map(cents)),
        show(i.iter().min()),
        show(f.iter().max().map(|f| quarters((*f).into()))),
        show(s.iter().max()),
        s.iter().collect::<BTreeSet<_>>().len().to_string(),
        show(sum(&distinct_d).map(cents)),
        passing.len().to_string(),
        show(sum(&passing_i)),
        show(passing.iter().filter_map(|row| row.d).min().map(cents)),
        bag(rows.iter().map(|row| row.i), false),
        bag(passing.iter().map(|row| row.i), true),
        show((!texts.is_empty()).then(|| texts.join("|"))),
        show(texts.first()),
        show(texts.last()),
    ];
    if append {
        values.extend([
            show(d.last().map(|d| cents(*d))),
            show(f.first().map(|f| quarters((*f).into()))),
            show(b.last()),
            show(b.iter().max()),
            show(squares(&f)),
            passing.iter().filter_map(|row| row.s.as_ref()).collect::<BTreeSet<_>>().len().to_string(),
        ]);
    }
    values.join(" ")
}

/// The happenings that actions stand for, and what should come of them.
fn model(actions: &[Action], append: bool, upsert: bool) -> (Vec<Happening>, String) {
    let (mut happenings, mut pending) = (Vec::new(), String::new());
    let mut live: Vec<Row> = Vec::new();
    let mut seen: BTreeMap<Option<String>, String> = BTreeMap::new();
    let mut touched: Vec<Option<String>> = Vec::new();
    let mut texts: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    let mut output = String::new();
    for action in actions.iter().chain([&Action::Commit]) {
        let mut change = |sign: &str, row: &Row| {
            pending.push_str(&format!(" {sign} {}", row.text()));
            if !touched.contains(&row.k) {
                touched.push(row.k.clone());
            }
            let texts = texts.entry(row.k.clone()).or_default();
            match (&row.s, sign) {
                (Some(text), "+") => texts.push(text.clone()),
                // Of equal texts the first goes.
                (Some(text), _) => drop(texts.remove(texts.iter().position(|other| other == text).unwrap())),
                (None, _) => {}
            }
        };
        match action {
            Action::Insert(row) => {
                change("+", row);
                live.push(row.clone());
            }
            Action::Delete(at) if !live.is_empty() => {
                change("-", &live.remove(at % live.len()));
            }
            Action::Update(at, row) if !live.is_empty() => {
                change("-", &live.remove(at % live.len()));
                change("+", row);
                live.push(row.clone());
            }
            Action::Delete(_) | Action::Update(_, _) => {}
            Action::Commit => {
                happenings.push(Happening::Rows(0, batch(&format!("{COLUMNS} |{pending}"))));
                happenings.push(Happening::Commit);
                pending.clear();
                for key in touched.drain(..) {
                    let rows: Vec<&Row> = live.iter().filter(|row| row.k == key).collect();
                    let texts = texts.get(&key).cloned().unwrap_or_default();
                    let new = (!rows.is_empty()).then(|| compute(&rows, &texts, append));
                    let old = seen.remove(&key);
                    let name = show(key.as_ref());
                    match (&old, &new) {
                        (old, new) if old == new && !upsert => {}
                        (Some(_), None) if upsert => {
                            output.push_str(&format!(" - {name} {}", compute(&[], &[], append)));
                        }
                        _ => {
                            let old = old.filter(|_| !upsert).map(|old| format!(" - {name} {old}"));
                            let new = new.as_ref().map(|new| format!(" + {name} {new}"));
                            output.extend([old, new].into_iter().flatten());
                        }
                    }
                    seen.extend(new.map(|new| (key, new)));
                }
            }
        }
    }
    (happenings, output)
}

fn check(actions: &[Action], input: StreamKind, output: StreamKind) {
    let append = input == StreamKind::Append;
    let mut calls = CHANGELOG_CALLS.to_vec();
    if append {
        calls.extend(APPEND_CALLS);
    }
    let spec = aggregate(COLUMNS, 1, &calls, input, output);
    let (happenings, expected) = model(actions, append, output == StreamKind::Upsert);
    let happened = play_every_way(&spec, &[0], &happenings);
    let mut head = String::new();
    for field in spec.inner.schema().fields() {
        let name = match field.data_type() {
            arrow::datatypes::DataType::Utf8 => "utf8".to_owned(),
            arrow::datatypes::DataType::Int32 => "i32".to_owned(),
            arrow::datatypes::DataType::Float64 => "f64".to_owned(),
            arrow::datatypes::DataType::Boolean => "bool".to_owned(),
            arrow::datatypes::DataType::Decimal128(precision, scale) => format!("dec({precision},{scale})"),
            _ => "i64".to_owned(),
        };
        head.push_str(&format!("{}:{name} ", field.name()));
    }
    let expected = if expected.is_empty() { String::new() } else { format!("{head}|{expected}") };
    assert_eq!(happened.output, canonical(&expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_changelog_over_a_changelog_is_as_computed_anew(actions in actions(true)) {
        check(&actions, StreamKind::Changelog, StreamKind::Changelog);
    }

    #[test]
    fn upserts_over_a_changelog_are_as_computed_anew(actions in actions(true)) {
        check(&actions, StreamKind::Changelog, StreamKind::Upsert);
    }

    #[test]
    fn a_changelog_over_insertions_is_as_computed_anew(actions in actions(false)) {
        check(&actions, StreamKind::Append, StreamKind::Changelog);
    }
}
