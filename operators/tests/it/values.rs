//! Aggregates that are computed of the values themselves: two to test with, and what is so of all of them.

use crate::aggregate::aggregate;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int32Type};
use millstream_operators::StreamKind;
use millstream_operators::aggregate::{AggregateFunction, GroupValues, ValueOrder, Values, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::testing::{Event, Harness, check_events};
use std::sync::Arc;

/// Texts in the order in which they came.
#[derive(Debug)]
struct List;

impl ValuesFunction for List {
    fn name(&self) -> &str {
        "LIST"
    }

    fn parameter(&self) -> Option<String> {
        Some("'|'".to_owned())
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let texts: Vec<&str> = values.column.as_string::<i32>().iter().flatten().collect();
        match texts.is_empty() {
            true => out.append_null(),
            false => out.append_bytes(texts.join("|").as_bytes()),
        }
        Ok(())
    }
}

/// Numbers and how often each is there, nulls included. More than nine of one have no result.
#[derive(Debug)]
struct Bag;

impl ValuesFunction for Bag {
    fn name(&self) -> &str {
        "BAG"
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Value
    }

    fn takes_nulls(&self) -> bool {
        true
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let numbers = values.column.as_primitive::<Int32Type>();
        let mut parts = Vec::new();
        for (row, count) in values.counts.iter().enumerate() {
            let value = numbers.is_valid(row).then(|| numbers.value(row).to_string());
            if *count > 9 {
                return Err(format!("{count} of one"));
            }
            parts.push(format!("{}x{count}", value.unwrap_or_else(|| "null".to_owned())));
        }
        out.append_bytes(format!("bag:{}", parts.join("|")).as_bytes());
        Ok(())
    }
}

/// A function by the name that tests call it by.
pub(crate) fn named(name: &str) -> Option<AggregateFunction> {
    match name {
        "list" => Some(AggregateFunction::Of(Values(Arc::new(List)))),
        "bag" => Some(AggregateFunction::Of(Values(Arc::new(Bag)))),
        other => crate::own::named(other),
    }
}

use Event::{Commit, Rows};

#[test]
fn a_value_that_is_taken_back_takes_the_first_of_its_equals_along() {
    let spec = aggregate("k:i64 s:utf8", 1, &["list(s)"], StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 s:utf8 | + 1 x  + 1 y  + 1 x  + 1 null"),
            Commit,
            Rows(0, "k:i64 s:utf8 | - 1 x  + 1 z"),
            Commit,
            Rows(0, "k:i64 s:utf8 | - 1 z  - 1 x  - 1 y  + 1 x"),
            Commit,
        ],
        "k:i64 lists:utf8 | + 1 x|y|x  - 1 x|y|x  + 1 y|x|z  - 1 y|x|z  + 1 x",
    );
}

#[test]
fn a_value_that_is_taken_back_before_it_comes_never_was() {
    let calls = ["list(s)", "list(distinct s)"];
    let spec = aggregate("k:i64 s:utf8", 1, &calls, StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 s:utf8 | + 1 a  + 1 null  + 1 null  - 1 x  - 1 x"),
            Commit,
            Rows(0, "k:i64 s:utf8 | + 1 x  + 1 b"),
            Commit,
            Rows(0, "k:i64 s:utf8 | + 1 x  + 1 x"),
            Commit,
        ],
        "k:i64 lists:utf8 listdistincts:utf8 |
         + 1 a a  - 1 a a  + 1 a|b a|b  - 1 a|b a|b  + 1 a|b|x a|b|x",
    );
}

#[test]
fn distinct_values_stand_where_they_came_first_while_any_is_there() {
    let spec =
        aggregate("k:i64 s:utf8", 1, &["list(distinct s)"], StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 s:utf8 | + 1 x  + 1 y  + 1 x"),
            Commit,
            Rows(0, "k:i64 s:utf8 | - 1 x  + 1 z"),
            Commit,
            Rows(0, "k:i64 s:utf8 | - 1 x"),
            Commit,
            Rows(0, "k:i64 s:utf8 | + 1 x"),
            Commit,
        ],
        "k:i64 listdistincts:utf8 |
         + 1 x|y  - 1 x|y  + 1 x|y|z  - 1 x|y|z  + 1 y|z  - 1 y|z  + 1 y|z|x",
    );
}

#[test]
fn nulls_are_values_where_a_function_takes_them() {
    let calls = ["bag(v)", "bag(distinct v)", "bag(v) filter b"];
    let columns = "k:i64 v:i32 b:bool";
    let spec = aggregate(columns, 1, &calls, StreamKind::Append, StreamKind::Upsert);
    check_events(
        &spec,
        &[Rows(0, &format!("{columns} | + 1 3 true  + 1 null true  + 1 3 null  + 1 -2 false")), Commit],
        "k:i64 bagv:utf8 bagdistinctv:utf8 bagvfilterb:utf8 |
         + 1 bag:nullx1|-2x1|3x2 bag:nullx1|-2x1|3x1 bag:nullx1|3x1",
    );
}

#[test]
fn a_group_without_a_result_fails_by_the_name_of_the_function() {
    let spec = aggregate("k:i64 v:i32", 1, &["bag(v)"], StreamKind::Append, StreamKind::Upsert);
    let mut harness = Harness::new(&spec);
    harness.process(&format!("k:i64 v:i32 |{}", " + 1 7".repeat(10))).unwrap();
    let error = harness.commit().unwrap_err().to_string();
    assert_eq!(error, "BAG: 10 of one");
}
