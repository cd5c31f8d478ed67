//! Aggregation without a window.

use arrow::datatypes::DataType;
use millstream_operators::aggregate::{Aggregate, AggregateCall, AggregateFunction};
use millstream_operators::testing::{After, Event, Harness, Keyed, check_events, check_timed, field};
use millstream_operators::{OperatorSpec, StreamKind};

/// Calls as text: `sum(x)`, `count(*)`, `min(distinct x) filter b`; columns as [`field`] reads them.
pub(crate) fn calls(columns: &str, calls: &[&str]) -> Vec<AggregateCall> {
    use AggregateFunction as F;
    let columns: Vec<_> = columns.split_whitespace().map(field).collect();
    let index = |name: &str| columns.iter().position(|column| column.name() == name).expect(name);
    let call = |text: &&str| {
        let (call, filter) = text.split_once(" filter ").map_or((*text, None), |(a, b)| (a, Some(b)));
        let (function, argument) = call.trim_end_matches(')').split_once('(').expect(text);
        let distinct = argument.starts_with("distinct ");
        let argument = argument.trim_start_matches("distinct ");
        let argument = (argument != "*").then(|| index(argument));
        let function = match function {
            "count" => F::Count,
            "sum" => F::Sum,
            "min" => F::Min,
            "max" => F::Max,
            "first" => F::First,
            "last" => F::Last,
            "squares" => F::Squares,
            other => crate::values::named(other).expect(other),
        };
        let argument_type = argument.map_or(DataType::Null, |argument| columns[argument].data_type().clone());
        let name = text.chars().filter(|c| c.is_alphanumeric()).collect();
        AggregateCall { function, argument, argument_type, distinct, filter: filter.map(index), name }
    };
    calls.iter().map(call).collect()
}

/// An aggregate over `columns`, keyed by the first `keys` of them.
pub(crate) fn aggregate(
    columns: &str,
    keys: usize,
    texts: &[&str],
    input: StreamKind,
    output: StreamKind,
) -> Keyed<Aggregate> {
    let key = |text: &str| (field(text).name().clone(), field(text).data_type().clone());
    let keys: Vec<_> = columns.split_whitespace().take(keys).map(key).collect();
    let at: Vec<usize> = (0..keys.len()).collect();
    Keyed::new(at, Aggregate { keys, calls: calls(columns, texts), input, output })
}

const KV: &str = "k:utf8 v:i64";

fn changes(calls: &[&str]) -> Keyed<Aggregate> {
    aggregate(KV, 1, calls, StreamKind::Changelog, StreamKind::Changelog)
}

use Event::{Commit, Rows};

#[test]
fn an_update_is_the_old_row_and_the_new_one() {
    check_events(
        &changes(&["count(*)", "sum(v)"]),
        &[
            Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2  + @3 a 3"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @5 b 5  - @6 a 1"),
            Commit,
        ],
        "k:utf8 count:i64 sumv:i64 | + @3 a 2 4  + @2 b 1 2  - @5 b 1 2  + @5 b 2 7  - @6 a 2 4  + @6 a 1 3",
    );
}

#[test]
fn a_group_whose_rows_are_all_gone_is_deleted_and_may_come_again() {
    for calls in [&["count(*)", "sum(v)", "max(v)"][..], &["count(*)", "sum(distinct v)", "min(v)"]] {
        let spec = changes(calls);
        let names = spec.inner.schema();
        let head = format!("k:utf8 count:i64 {}:i64 {}:i64", names.field(2).name(), names.field(3).name());
        let events = [
            Rows(0, "k:utf8 v:i64 | + a 1  + b 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - a 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + c 7"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + a 4"),
            Commit,
        ];
        let expected = "+ a 1 1 1  + b 1 2 2  - a 1 1 1  + c 1 7 7  + a 1 4 4";
        check_events(&spec, &events, &format!("{head} | {expected}"));
    }
}

#[test]
fn a_group_whose_result_is_the_same_emits_nothing() {
    let events = [
        Rows(0, "k:utf8 v:f64 | + a 1.5  + b NaN  + c null"),
        Commit,
        Rows(0, "k:utf8 v:f64 | - a 1.5  + a 1.5  + d 1  - d 1  + b 2  - b 2  + c null  - c null"),
        Commit,
    ];
    let calls = ["count(*)", "sum(v)", "max(v)"];
    let spec = aggregate("k:utf8 v:f64", 1, &calls, StreamKind::Changelog, StreamKind::Changelog);
    let expected = "k:utf8 count:i64 sumv:f64 maxv:f64 | + a 1 1.5 1.5  + b 1 NaN NaN  + c 1 null null";
    check_events(&spec, &events, expected);
}

#[test]
fn a_group_that_comes_and_goes_between_commits_is_never_seen() {
    for output in [StreamKind::Changelog, StreamKind::Upsert] {
        let spec = aggregate(KV, 1, &["count(*)"], StreamKind::Changelog, output);
        check_events(&spec, &[Rows(0, "k:utf8 v:i64 | + a 1  - a 1"), Commit], "");
    }
}

#[test]
fn upserts_are_the_last_values_and_deletions() {
    let spec = aggregate(KV, 1, &["count(v)", "sum(v)"], StreamKind::Changelog, StreamKind::Upsert);
    check_events(
        &spec,
        &[
            Rows(0, "k:utf8 v:i64 | + a 1  + b null  + a 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - b null  - a 1"),
            Commit,
        ],
        "k:utf8 countv:i64 sumv:i64 | + a 2 3  + b 0 null  - b 0 null  + a 1 2",
    );
}

#[test]
fn null_is_a_key_of_its_own_and_no_value() {
    check_events(
        &changes(&["count(*)", "count(v)", "sum(v)", "min(v)"]),
        &[
            Rows(0, "k:utf8 v:i64 | + null 1  + '' 2  + null null  + x null"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - null 1"),
            Commit,
        ],
        "k:utf8 count:i64 countv:i64 sumv:i64 minv:i64 | + null 2 1 1 1  + '' 1 1 2 2  + x 1 0 null null
         - null 2 1 1 1  + null 1 0 null null",
    );
}

#[test]
fn without_keys_there_is_one_group_which_stays() {
    let spec = aggregate("v:i64", 0, &["count(*)", "sum(v)"], StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Commit,
            Rows(0, "v:i64 | + 4"),
            Commit,
            Rows(0, "v:i64 | - 4"),
            Commit,
            Rows(0, "v:i64 | + 5"),
            Commit,
        ],
        "count:i64 sumv:i64 | + 1 4  - 1 4  + 0 null  - 0 null  + 1 5",
    );
}

#[test]
fn a_filter_leaves_rows_out_of_one_aggregate() {
    let columns = "k:i64 v:dec(10,2) b:bool";
    let calls = ["count(*)", "count(*) filter b", "sum(v) filter b", "count(distinct v) filter b"];
    let spec = aggregate(columns, 1, &calls, StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 v:dec(10,2) b:bool | + 1 1.25 true  + 1 2 false  + 1 4 null  + 1 1.25 true"),
            Commit,
            Rows(0, "k:i64 v:dec(10,2) b:bool | - 1 2 false  - 1 1.25 true"),
            Commit,
        ],
        "k:i64 count:i64 countfilterb:i64 sumvfilterb:dec(38,2) countdistinctvfilterb:i64
         | + 1 4 2 2.5 1  - 1 4 2 2.5 1  + 1 2 1 1.25 1",
    );
}

#[test]
fn first_and_last_go_by_arrival_and_pass_over_null() {
    let columns = "k:i64 s:utf8 t:ts b:bool";
    let calls = ["first(s)", "last(s)", "first(t)", "max(t)", "min(b)", "max(s)"];
    let spec = aggregate(columns, 1, &calls, StreamKind::Append, StreamKind::Changelog);
    let head = "k:i64 firsts:utf8 lasts:utf8 firstt:ts maxt:ts minb:bool maxs:utf8";
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 s:utf8 t:ts b:bool | + 1 null 1970-01-01T00:00:02 true  + 1 m null null"),
            Commit,
            Rows(0, "k:i64 s:utf8 t:ts b:bool | + 1 a 1970-01-01T00:00:01 false  + 1 null null null"),
            Commit,
        ],
        &format!(
            "{head} | + 1 m m 1970-01-01T00:00:02 1970-01-01T00:00:02 true m
             - 1 m m 1970-01-01T00:00:02 1970-01-01T00:00:02 true m
             + 1 m a 1970-01-01T00:00:02 1970-01-01T00:00:02 false m"
        ),
    );
}

#[test]
fn a_sum_forgets_numbers_that_are_none_once_they_are_taken_back() {
    let calls = ["sum(v)", "count(v)"];
    let spec = aggregate("k:i64 v:f64", 1, &calls, StreamKind::Changelog, StreamKind::Changelog);
    check_events(
        &spec,
        &[
            Rows(0, "k:i64 v:f64 | + 1 2.5  + 1 NaN  + 2 Infinity  + 2 -Infinity  + 2 1"),
            Commit,
            Rows(0, "k:i64 v:f64 | - 1 NaN  - 2 -Infinity"),
            Commit,
            Rows(0, "k:i64 v:f64 | - 2 Infinity"),
            Commit,
        ],
        "k:i64 sumv:f64 countv:i64 | + 1 NaN 2  + 2 NaN 3  - 1 NaN 2  + 1 2.5 1  - 2 NaN 3  + 2 Infinity 2
         - 2 Infinity 2  + 2 1 1",
    );
}

#[test]
fn a_sum_over_nothing_begins_at_zero_again() {
    let spec = aggregate("v:f64", 0, &["sum(v)"], StreamKind::Changelog, StreamKind::Changelog);
    let rows = "v:f64 | + 0.1  + 0.2  - 0.1  - 0.2  + 1e-17";
    check_events(&spec, &[Rows(0, rows), Commit], "sumv:f64 | + 1e-17");
}

#[test]
fn the_time_of_a_change_does_not_depend_on_what_is_in_memory() {
    // The first group's time is not that of the second, which may get its place.
    check_events(
        &changes(&["count(*)"]),
        &[
            Rows(0, "k:utf8 v:i64 | + @90 a 1  + @80 b 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - @7 a 1  + @5 b 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @6 c 1"),
            Commit,
        ],
        "k:utf8 count:i64 | + @90 a 1  + @80 b 1  - @7 a 1  - @5 b 1  + @5 b 2  + @6 c 1",
    );
}

#[test]
fn a_value_taken_back_before_it_came_does_not_count() {
    // Two writers of one stream: the old row of an update may overtake it.
    check_events(
        &changes(&["min(v)", "count(distinct v)"]),
        &[Rows(0, "k:utf8 v:i64 | + a 5  + a 7  - a 3"), Commit, Rows(0, "k:utf8 v:i64 | + a 3"), Commit],
        "k:utf8 minv:i64 countdistinctv:i64 | + a 5 2",
    );
}

#[test]
fn changes_come_in_the_order_of_first_touch_whatever_was_evicted() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 d 1  + @1 a 1  + @1 c 1  + @1 b 1"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @2 b 1  + @2 e 1  + @2 a 1  - @2 d 1"),
        Commit,
    ];
    let expected = "k:utf8 count:i64 | + @1 d 1  + @1 a 1  + @1 c 1  + @1 b 1
        - @2 b 1  + @2 b 2  + @2 e 1  - @2 a 1  + @2 a 2  - @2 d 1";
    check_timed(&changes(&["count(*)"]), &[0], &events, expected, 0);
}

#[test]
fn groups_in_use_stay_in_memory() {
    // Evicted after the second commit.
    let held = |hot: usize| {
        let spec = changes(&["count(*)"]);
        let mut harness = Harness::with(&spec, After::EvictSometimes, 0);
        let mut held = Vec::new();
        for round in 0..3 {
            let cold: String = (0..4_000).map(|n| format!(" + cold-{round}-{n} 1")).collect();
            let hot: String = (0..hot).map(|n| format!(" + hot-{n} 1")).collect();
            harness.process(&format!("k:utf8 v:i64 |{cold}{hot}")).unwrap();
            harness.commit().unwrap();
            held.push(harness.memory_bytes());
        }
        held
    };
    let (none, some, most) = (held(0), held(100), held(20_000));
    assert!(some[1] > none[1] && some[1] < some[0] / 2, "{none:?} {some:?}");
    assert_eq!(most[1], none[1], "where most are in use, all go");
}

#[test]
fn a_distinct_value_that_comes_again_is_not_written_again() {
    let calls = ["count(distinct v)", "sum(distinct v)", "count(distinct v) filter b"];
    let columns = "k:utf8 v:i64 b:bool";
    let spec = aggregate(columns, 1, &calls, StreamKind::Append, StreamKind::Changelog);
    assert_eq!(spec.stores().len(), 2, "groups, and one set for all calls over one column");
    for after in [After::Nothing, After::Evict] {
        let mut harness = Harness::with(&spec, after, 0);
        let mut commit = |filter: &str, values: std::ops::Range<u32>| {
            let rows: String = values.map(|v| format!(" + a {v} {filter}")).collect();
            harness.process(&format!("{columns} |{rows}")).unwrap();
            harness.commit().unwrap();
            harness.delta_bytes()
        };
        let all = commit("false", 0..1_000);
        let (again, other_call) = (commit("false", 0..1_000), commit("true", 0..10));
        assert!(again < 100 && other_call < all / 20, "{all} {again} {other_call}");
        let expected = "k:utf8 countdistinctv:i64 sumdistinctv:i64 countdistinctvfilterb:i64
            | + a 1000 499500 0  - a 1000 499500 0  + a 1000 499500 10";
        assert_eq!(
            harness.output().split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
    }
}

#[test]
fn what_cannot_be_computed_is_refused_with_a_reason() {
    let refused = |columns: &str, call: &str, input| {
        aggregate(columns, 0, &[call], input, StreamKind::Changelog).output_kind(&[input]).unwrap_err()
    };
    assert!(refused("v:utf8", "sum(v)", StreamKind::Append).contains("needs numbers"));
    assert!(refused("v:list(i64)", "min(v)", StreamKind::Append).contains("can't aggregate"));
    let spec = aggregate("v:i64", 0, &["count(*)"], StreamKind::Append, StreamKind::Changelog);
    assert!(spec.output_kind(&[StreamKind::Upsert]).unwrap_err().contains("normalize"));
    assert!(spec.output_kind(&[StreamKind::Changelog]).is_err());
    assert_eq!(spec.output_kind(&[StreamKind::Append]), Ok(StreamKind::Changelog));
}

#[test]
fn memory_is_given_back() {
    let spec = changes(&["count(*)", "min(v)", "count(distinct v)"]);
    let mut harness = Harness::new(&spec);
    let mut held = Vec::new();
    for round in 0..40 {
        for sign in ["+", "-"] {
            let rows: String = (0..50).map(|n| format!(" {sign} key-{round}-{n} {n}")).collect();
            harness.process(&format!("k:utf8 v:i64 |{rows}")).unwrap();
        }
        harness.commit().unwrap();
        held.push(harness.memory_bytes());
    }
    assert!(held[39] <= held[4] * 2, "{held:?}");
}

/// Types with two values, the lesser one first.
const TYPES: &[(&str, &str, &str)] = &[
    ("bool", "false", "true"),
    ("i8", "-128", "127"),
    ("i16", "-5", "4"),
    ("i32", "-2147483648", "3"),
    ("i64", "-9223372036854775808", "9223372036854775807"),
    ("f32", "-1.5", "0.25"),
    ("f64", "1.0", "NaN"),
    ("dec(10,2)", "-1.25", "0.5"),
    ("utf8", "''", "a"),
    ("bytes", "AA==", "AAA="),
    ("date", "1969-12-31", "2015-07-15"),
    ("time", "00:00:00.001", "23:59:59"),
    ("ts", "1969-12-31T23:59:59.5", "1970-01-01T00:00:00"),
    ("ltz", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z"),
];

#[test]
fn least_and_largest_of_every_type_with_and_without_taking_back() {
    for (name, low, high) in TYPES {
        let columns = format!("k:{name} v:{name}");
        let head = format!("k:{name} minv:{name} maxv:{name}");
        let spec = |calls: &[&str], input| aggregate(&columns, 1, calls, input, StreamKind::Changelog);
        let first = format!("{columns} | + {low} {low}  + {high} {high}  + {low} {high}  + null {high}");
        let second = format!("{columns} | - {low} {low}  - {high} {high}  + {high} null");
        let both = format!("+ {low} {low} {high}  + {high} {high} {high}  + null {high} {high}");
        check_events(
            &spec(&["min(v)", "max(v)"], StreamKind::Changelog),
            &[Rows(0, &first), Commit, Rows(0, &second), Commit],
            &format!(
                "{head} | {both} - {low} {low} {high}  + {low} {high} {high}
                 - {high} {high} {high}  + {high} null null"
            ),
        );
        check_events(
            &spec(&["min(v)", "max(v)"], StreamKind::Append),
            &[Rows(0, &first), Commit, Rows(0, &first), Commit],
            &format!("{head} | {both}"),
        );
        check_events(
            &spec(&["last(v)", "first(v)"], StreamKind::Append),
            &[Rows(0, &first), Commit],
            &format!(
                "k:{name} lastv:{name} firstv:{name} | + {low} {high} {low}  + {high} {high} {high}
                 + null {high} {high}"
            ),
        );
    }
}

#[test]
fn sums_are_of_the_wide_type_and_wrap_around() {
    let cases = [
        ("i8", "127 127 127", "i64", "381", "127"),
        ("i16", "-32768 -32768 1", "i64", "-65535", "-32767"),
        ("i64", "9223372036854775807 1 0", "i64", "-9223372036854775808", "-9223372036854775808"),
        ("f32", "0.5 0.5 0.25", "f64", "1.25", "0.75"),
        ("f64", "-0.5 -0.5 0.25", "f64", "-0.75", "-0.25"),
        ("dec(5,2)", "999.99 999.99 0.01", "dec(38,2)", "1999.99", "1000.00"),
    ];
    for (name, values, wide, sum, distinct) in cases {
        let columns = format!("v:{name}");
        let rows: String = values.split(' ').map(|value| format!(" + {value}")).collect();
        for input in [StreamKind::Append, StreamKind::Changelog] {
            let spec = aggregate(&columns, 0, &["sum(v)", "sum(distinct v)"], input, StreamKind::Upsert);
            let expected = format!("sumv:{wide} sumdistinctv:{wide} | + {sum} {distinct}");
            check_events(&spec, &[Rows(0, &format!("{columns} |{rows}")), Commit], &expected);
        }
    }
}
