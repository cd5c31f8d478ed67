//! Patterns in rows.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type, Schema};
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::keys::SortColumn;
use millstream_operators::match_recognize::{
    AfterMatch, Condition, End, MatchAggregate, MatchRecognize, Quantifier, Rows, Source, Variable,
};
use millstream_operators::testing::{After, Event, Function, Harness, Keyed, check_timed, field};
use millstream_operators::{END_OF_TIME, OperatorSpec, StreamKind};
use std::sync::Arc;

use Event::{Commit, Rows as Came, Watermark};

pub(crate) const COLUMNS: &str = "k:utf8 v:i64 s:utf8";

pub(crate) const MANY: Quantifier = Quantifier { min: 1, max: None, greedy: true };
pub(crate) const FEW: Quantifier = Quantifier { min: 1, max: None, greedy: false };

/// A condition over the numbers that are read; none of it holds for a null.
pub(crate) fn holds(
    sql: &str,
    sources: Vec<Source>,
    holds: impl Fn(&[Option<i64>]) -> bool + Send + Sync + 'static,
) -> Condition {
    let predicate = Function::new(sql, DataType::Boolean, move |rows, _| {
        let row = |row: usize| {
            let value = |column: &Arc<dyn Array>| {
                let column = column.as_primitive::<Int64Type>();
                column.is_valid(row).then(|| column.value(row))
            };
            rows.columns().iter().map(value).collect::<Vec<_>>()
        };
        Ok(Arc::new(BooleanArray::from_iter((0..rows.num_rows()).map(|at| Some(holds(&row(at)))))))
    });
    Condition { sources, predicate: Arc::new(predicate) }
}

pub(crate) fn last(of: Rows, offset: u32) -> Source {
    Source::Row { of, from: End::Last, offset, column: 1 }
}

pub(crate) fn first(of: Rows, column: usize) -> Source {
    Source::Row { of, from: End::First, offset: 0, column }
}

fn aggregate(aggregate: MatchAggregate, of: Rows) -> Source {
    Source::Aggregate { aggregate, of, column: 1, data_type: DataType::Int64 }
}

pub(crate) fn variable(name: &str, quantifier: Quantifier, condition: Option<Condition>) -> Variable {
    Variable { name: name.to_owned(), quantifier, condition }
}

pub(crate) fn spec(variables: Vec<Variable>, outputs: Vec<Source>) -> MatchRecognize {
    let input = Arc::new(Schema::new(COLUMNS.split(' ').map(field).collect::<Vec<_>>()));
    let named = |(number, source)| (format!("o{number}"), source);
    MatchRecognize {
        input,
        keys: vec![("k".to_owned(), DataType::Utf8)],
        order: Vec::new(),
        variables,
        after: AfterMatch::PastLastRow,
        within_ms: None,
        outputs: outputs.into_iter().enumerate().map(named).collect(),
        late: LatePolicy::Skip,
    }
}

fn keyed(spec: MatchRecognize) -> Keyed<MatchRecognize> {
    Keyed::new([0], spec)
}

/// A row, then smaller ones, then a larger one.
fn valley() -> MatchRecognize {
    let (start, down) = (Rows::Of(0), Rows::Of(1));
    let falls = holds("D.v < the one before", vec![last(down, 0), last(down, 1), last(start, 0)], |row| {
        row[0] < row[1].or(row[2]) && row[0].is_some()
    });
    let rises = holds("U.v > LAST(D.v)", vec![last(Rows::Of(2), 0), last(down, 0)], |row| {
        row[0] > row[1] && row[1].is_some()
    });
    spec(
        vec![
            variable("S", Quantifier::ONE, None),
            variable("D", MANY, Some(falls)),
            variable("U", Quantifier::ONE, Some(rises)),
        ],
        vec![first(Rows::All, 0), last(start, 0), last(down, 0), last(Rows::Of(2), 0)],
    )
}

const ROWS: &str =
    "k:utf8 v:i64 s:utf8 | + @10 a 5 p  + @11 b 9 p  + @12 a 3 p  + @14 a 1 p  + @13 b 8 p  + @16 a 4 p
    + @17 b 9 p  + @20 a 2 p  + @21 a 7 p";

fn check(spec: MatchRecognize, rows: &'static str, expected: &str) {
    check_timed(&keyed(spec), &[4], &[Came(0, rows), Commit, Watermark(END_OF_TIME)], expected, 0);
}

#[test]
fn a_valley_is_found_in_the_order_of_time_by_key() {
    check(
        MatchRecognize { after: AfterMatch::ToLast(2), ..valley() },
        ROWS,
        "o0:utf8 o1:i64 o2:i64 o3:i64 | + @16 a 5 1 4  + @17 b 9 8 9  + @21 a 4 2 7",
    );
    check(valley(), ROWS, "o0:utf8 o1:i64 o2:i64 o3:i64 | + @16 a 5 1 4  + @17 b 9 8 9");
}

#[test]
fn a_match_that_began_later_waits_for_one_that_is_open() {
    // From 3 on it is whole at 14; the one from 5 on is whole at 16 and takes it along.
    let small = |limit: i64| {
        holds("v is small", vec![last(Rows::All, 0)], move |row| row[0].is_some_and(|v| v < limit))
    };
    let spec = |after| MatchRecognize {
        after,
        ..spec(
            vec![
                variable("A", Quantifier::ONE, None),
                variable("B", Quantifier { min: 2, max: Some(2), greedy: true }, None),
                variable("C", Quantifier::ONE, Some(small(5))),
            ],
            vec![first(Rows::All, 1), last(Rows::All, 0)],
        )
    };
    let rows = "k:utf8 v:i64 s:utf8 | + @1 a 9 p  + @2 a 8 p  + @3 a 7 p  + @4 a 1 p  + @5 a 2 p";
    check(spec(AfterMatch::ToNextRow), rows, "o0:i64 o1:i64 | + @4 9 1  + @5 8 2");
    check(spec(AfterMatch::PastLastRow), rows, "o0:i64 o1:i64 | + @4 9 1");
    check(spec(AfterMatch::ToFirst(1)), rows, "o0:i64 o1:i64 | + @4 9 1  + @5 8 2");
    check(spec(AfterMatch::ToLast(1)), rows, "o0:i64 o1:i64 | + @4 9 1");
}

#[test]
fn aggregates_are_over_the_rows_so_far_and_the_one_that_is_looked_at() {
    use MatchAggregate::{Count, Max, Min, Sum};
    let sum =
        holds("SUM(A.v) < 10", vec![aggregate(Sum, Rows::Of(0))], |row| row[0].is_none_or(|sum| sum < 10));
    let all = |kind| aggregate(kind, Rows::All);
    check(
        spec(
            vec![variable("A", MANY, Some(sum)), variable("B", Quantifier::ONE, None)],
            vec![aggregate(Sum, Rows::Of(0)), all(Sum), all(Count), all(Min), all(Max)],
        ),
        "k:utf8 v:i64 s:utf8 | + @1 a 5 p  + @2 a null p  + @3 a 4 p  + @4 a 6 p  + @5 a 3 p  + @6 a 8 p",
        "o0:i64 o1:i64 o2:i64 o3:i64 o4:i64 | + @4 9 15 3 4 6  + @6 3 11 2 3 8",
    );
}

#[test]
fn rows_of_one_time_are_in_the_order_of_further_columns() {
    let column = SortColumn {
        place: 1,
        name: "v".to_owned(),
        data_type: DataType::Int64,
        descending: true,
        nulls_first: false,
    };
    let pair = || {
        spec(
            vec![variable("A", Quantifier::ONE, None), variable("B", Quantifier::ONE, None)],
            vec![last(Rows::Of(0), 0), last(Rows::Of(1), 0)],
        )
    };
    let rows = "k:utf8 v:i64 s:utf8 | + @5 a 1 p  + @5 a 3 p  + @5 a 2 p  + @4 a 7 p";
    check(MatchRecognize { order: vec![column], ..pair() }, rows, "o0:i64 o1:i64 | + @5 7 3  + @5 2 1");
    check(pair(), rows, "o0:i64 o1:i64 | + @5 7 1  + @5 3 2");
}

#[test]
fn a_match_takes_less_time_than_it_may() {
    let within = |ms| MatchRecognize { within_ms: Some(ms), ..valley() };
    let rows = "k:utf8 v:i64 s:utf8 | + @10 a 5 p  + @12 a 3 p  + @16 a 4 p  + @40 a 9 p";
    check(within(7), rows, "o0:utf8 o1:i64 o2:i64 o3:i64 | + @16 a 5 3 4");
    check(within(6), rows, "");
}

#[test]
fn a_match_comes_out_once_an_older_one_has_taken_too_long() {
    // The one from 9 on stays open; that from 1 on is whole and waits until 10 + 9.
    let other = holds("v <= 5", vec![last(Rows::All, 0)], |row| row[0] <= Some(5));
    let all =
        holds("SUM(v) > 20", vec![aggregate(MatchAggregate::Sum, Rows::All), last(Rows::Of(2), 0)], |row| {
            row[0] > Some(20) && row[1] > Some(100) || row[0] < Some(5)
        });
    let found = spec(
        vec![
            variable("A", Quantifier::ONE, None),
            variable("B", FEW, Some(other)),
            variable("C", Quantifier::ONE, Some(all)),
        ],
        vec![first(Rows::All, 1), last(Rows::All, 0)],
    );
    check(
        MatchRecognize { within_ms: Some(9), ..found },
        "k:utf8 v:i64 s:utf8 | + @10 a 9 p  + @11 a 1 p  + @12 a 1 p  + @13 a 2 p  + @40 a 9 p",
        "o0:i64 o1:i64 | + @19 1 2",
    );
}

#[test]
fn a_row_whose_time_is_not_after_the_watermark_is_late() {
    check_timed(
        &keyed(valley()),
        &[5],
        &[
            Came(0, "k:utf8 v:i64 s:utf8 | + @10 a 5 p  + @20 a 3 p  + @15 a 1 p  + @16 a 4 p  + @21 a 9 p"),
            Watermark(END_OF_TIME),
        ],
        "o0:utf8 o1:i64 o2:i64 o3:i64 | + @21 a 5 3 9",
        1,
    );
}

/// What is in the stores once rows of many keys have come and time has passed.
fn stored(within_ms: Option<i64>) -> usize {
    let spec = keyed(MatchRecognize { within_ms, after: AfterMatch::ToNextRow, ..valley() });
    let mut harness = Harness::with(&spec, After::EvictSometimes, 1);
    for number in 0..60 {
        let row = format!("k:utf8 v:i64 s:utf8 | + @{number} key{} {} p", number % 7, number * 7 % 11);
        harness.process(&row).unwrap();
        harness.advance(number).unwrap();
        harness.commit().unwrap();
    }
    harness.advance(1000).unwrap();
    harness.commit().unwrap();
    harness.state().dump(spec.stores().len() as u16).unwrap().len()
}

#[test]
fn matches_that_took_too_long_leave_nothing_in_the_stores() {
    // The next sequence number of waiting rows.
    assert_eq!(stored(Some(20)), 1);
    // And of each key its last row, with which a match may begin.
    assert_eq!(stored(None), 1 + 7);
}

fn failure(spec: MatchRecognize, rows: &str) -> String {
    let spec = keyed(spec);
    let mut harness = Harness::new(&spec);
    harness.process(rows).unwrap();
    harness.advance(1_000_000).unwrap_err().to_string()
}

#[test]
fn a_match_without_the_row_to_go_on_at_ends_the_job() {
    let optional = Quantifier { min: 0, max: Some(1), greedy: true };
    let none = holds("false", vec![last(Rows::All, 0)], |_| false);
    let spec = MatchRecognize {
        after: AfterMatch::ToLast(1),
        ..spec(
            vec![
                variable("A", Quantifier::ONE, None),
                variable("B", optional, Some(none)),
                variable("C", Quantifier::ONE, None),
            ],
            vec![first(Rows::All, 1)],
        )
    };
    let error = failure(spec, "k:utf8 v:i64 s:utf8 | + @1 a 1 p  + @2 a 2 p");
    assert!(error.contains("a row of B, and a match has none"), "{error}");
}

#[test]
fn a_key_whose_matches_never_end_ends_the_job_and_says_what_to_do() {
    let never = holds("false", vec![last(Rows::All, 0)], |_| false);
    let spec = spec(
        vec![
            variable("A", Quantifier::ONE, None),
            variable("B", FEW, None),
            variable("C", Quantifier::ONE, Some(never)),
        ],
        vec![first(Rows::All, 1)],
    );
    let spec = keyed(spec);
    let mut harness = Harness::new(&spec);
    let error = (0..200).find_map(|batch| {
        let rows: String = (0..200).map(|row| format!(" + @{} a 1 p", batch * 200 + row)).collect();
        harness.process(&format!("k:utf8 v:i64 s:utf8 |{rows}")).unwrap();
        harness.advance(batch * 200 + 199).err()
    });
    let error = error.unwrap().to_string();
    assert!(error.contains("more than 4096 matches") && error.contains("WITHIN"), "{error}");
}

#[test]
fn rows_that_are_taken_back_are_refused() {
    assert!(valley().output_kind(&[StreamKind::Append]).is_ok());
    assert!(valley().output_kind(&[StreamKind::Changelog]).is_err());
}
