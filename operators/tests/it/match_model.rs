//! Patterns against a model that goes through all ways to map rows to variables.
//!
//! Conditions of the model are of the row alone. From every row on there is at most one match: the one that ends first. The
//! rows of a greedy variable end at a row that is none of them: that is the whole meaning of greedy.

use crate::match_recognize::{COLUMNS, first, holds, last, spec, variable};
use millstream_operators::match_recognize::{AfterMatch, End, MatchRecognize, Quantifier, Rows, Source};
use millstream_operators::testing::{Happening, Keyed, batch, canonical, play_every_way};
use proptest::prelude::*;

/// A variable: how many rows, and the values that it takes as bits.
type Looked = (Quantifier, u8);

#[derive(Debug, Clone)]
enum Action {
    /// Key, how far the time is from the last, value.
    Row(u8, i64, i64),
    Cut,
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let step = prop_oneof![6 => 1..4i64, 1 => Just(0i64), 1 => -3..0i64, 1 => 6..20i64];
    let action = prop_oneof![
        9 => (0..2u8, step, 0..8i64).prop_map(|(key, step, value)| Action::Row(key, step, value)),
        1 => Just(Action::Cut),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..24)
}

fn quantifiers() -> impl Strategy<Value = Quantifier> {
    let bounds = prop_oneof![
        4 => Just((1, Some(1))),
        2 => Just((1, None)),
        2 => Just((0, None)),
        1 => Just((0, Some(1))),
        1 => Just((2, Some(2))),
        1 => Just((1, Some(2))),
        1 => Just((2, None)),
        1 => Just((0, Some(2))),
        1 => Just((1, Some(3))),
    ];
    (bounds, any::<bool>()).prop_map(|((min, max), greedy)| {
        let greedy = greedy || (min, max) == (0, Some(1));
        Quantifier { min, max, greedy }
    })
}

/// Patterns as SQL has them: some variable has a row, and the last one is not greedy.
fn patterns() -> impl Strategy<Value = Vec<Looked>> {
    let values = prop_oneof![1 => Just(0xff), 4 => 1..=0xffu8];
    proptest::collection::vec((quantifiers(), values), 1..5).prop_map(|mut pattern| {
        let last = pattern.len() - 1;
        if pattern[last].0.decides() {
            pattern[last].0.greedy = false;
        }
        if pattern.iter().all(|(quantifier, _)| quantifier.min == 0) {
            pattern[0].0 = Quantifier::ONE;
        }
        pattern
    })
}

fn takes((_, values): &Looked, value: i64) -> bool {
    values >> value & 1 == 1
}

/// Whether rows can be mapped to the variables from one on: as a whole match, or as what may become one.
fn fits(pattern: &[Looked], at: usize, rows: &[i64], from: usize, whole: bool) -> bool {
    let Some(variable) = pattern.get(at) else { return whole && from == rows.len() };
    let Quantifier { min, max, .. } = variable.0;
    let most = max.map_or(usize::MAX, |max| max as usize);
    let mut end = from;
    loop {
        let count = end - from;
        if !whole && end == rows.len() && (count > 0) {
            // More may come, unless nothing can.
            return !(at + 1 == pattern.len() && count == most);
        }
        let leaves = count >= min as usize && {
            // The row behind it, or the last one where there is none.
            let behind = rows.get(end).or(rows.last());
            let taken = behind.is_some_and(|row| takes(variable, *row));
            !(variable.0.decides() && at + 1 < pattern.len() && taken)
        };
        if leaves && fits(pattern, at + 1, rows, end, whole) {
            return true;
        }
        if count == most || end == rows.len() || !takes(variable, rows[end]) {
            return false;
        }
        end += 1;
    }
}

struct Expected {
    time: i64,
    begin: usize,
    end: usize,
}

/// The matches in the rows of one key, which are in order: time and value.
fn matches(pattern: &[Looked], rows: &[(i64, i64)], within: Option<i64>, after: AfterMatch) -> Vec<Expected> {
    let values: Vec<i64> = rows.iter().map(|(_, value)| *value).collect();
    let (mut found, mut not_before) = (Vec::new(), 0);
    // When everything that began before is decided.
    let mut decided = i64::MIN;
    for begin in 0..rows.len() {
        if begin < not_before {
            continue;
        }
        let over = within.map_or(i64::MAX, |within| rows[begin].0 + within);
        let in_time = |end: &usize| rows[*end].0 < over;
        let ends = (begin..rows.len()).take_while(in_time);
        let end = ends.clone().find(|end| fits(pattern, 0, &values[begin..=*end], 0, true));
        // The row at which nothing is left of it.
        let dies = ends.clone().find(|end| !fits(pattern, 0, &values[begin..=*end], 0, false));
        let Some(end) = end.filter(|end| dies.is_none_or(|dies| *end <= dies)) else {
            decided = decided.max(dies.map_or(over, |row| rows[row].0));
            if decided == i64::MAX {
                break;
            }
            continue;
        };
        let time = decided.max(rows[end].0);
        found.push(Expected { time, begin, end });
        decided = time;
        not_before = if after == AfterMatch::PastLastRow { end + 1 } else { begin + 1 };
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn matches_are_those_that_going_through_all_ways_finds(
        actions in actions(),
        pattern in patterns(),
        within in proptest::option::of(2..12i64),
        past in any::<bool>(),
        delay in 0..8i64,
    ) {
        let (mut rows, mut late) = (Vec::<(i64, usize, u8, i64)>::new(), 0);
        let (mut time, mut watermark) = (100, i64::MIN);
        let (mut happenings, mut pending) = (Vec::new(), String::new());
        for (number, action) in actions.iter().chain([&Action::Cut]).enumerate() {
            match action {
                Action::Row(key, step, value) => {
                    time += step;
                    match time > watermark {
                        true => rows.push((time, number, *key, *value)),
                        false => late += 1,
                    }
                    watermark = watermark.max(time - delay);
                    pending.push_str(&format!(" + @{time} k{key} {value} n{number}"));
                }
                Action::Cut | Action::Commit => {
                    if !pending.is_empty() {
                        happenings.push(Happening::Rows(0, batch(&format!("{COLUMNS} |{pending}"))));
                        pending.clear();
                    }
                    if matches!(action, Action::Commit) {
                        happenings.push(Happening::Commit);
                    }
                }
            }
        }
        happenings.push(Happening::End);
        rows.sort_by_key(|row| (row.0, row.1));
        let after = if past { AfterMatch::PastLastRow } else { AfterMatch::ToNextRow };
        let mut expected = Vec::new();
        for key in 0..2u8 {
            let of_key: Vec<_> = rows.iter().filter(|row| row.2 == key).collect();
            let looked: Vec<(i64, i64)> = of_key.iter().map(|row| (row.0, row.3)).collect();
            for Expected { time, begin, end } in matches(&pattern, &looked, within, after) {
                let names = (of_key[begin].1, of_key[end].1);
                expected.push(format!(" + @{time} k{key} n{} n{} {}", names.0, names.1, looked[end].1));
            }
        }
        let variables = pattern.iter().enumerate().map(|(number, looked)| {
            let (quantifier, values) = *looked;
            let of_row = holds("v is one of these", vec![last(Rows::Of(number), 0)], move |row| {
                row[0].is_some_and(|value| takes(&(quantifier, values), value))
            });
            variable(&format!("V{number}"), quantifier, (values != 0xff).then_some(of_row))
        });
        let last_name = Source::Row { of: Rows::All, from: End::Last, offset: 0, column: 2 };
        let outputs = vec![first(Rows::All, 0), first(Rows::All, 2), last_name, last(Rows::All, 0)];
        let spec = MatchRecognize { after, within_ms: within, ..spec(variables.collect(), outputs) };
        let outcome = play_every_way(&Keyed::new([0], spec), &[delay], &happenings);
        let head = "o0:utf8 o1:utf8 o2:utf8 o3:i64";
        let wanted = if expected.is_empty() { String::new() } else { canonical(&format!("{head} |{}", expected.concat())) };
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        prop_assert_eq!(sorted(&outcome.output), sorted(&wanted));
        prop_assert_eq!(outcome.late, late);
    }
}
