//! Sinks that write to topics.

use arrow::datatypes::Fields;
use millstream_operators::StreamKind;
use millstream_operators::formats::FormatEncoderSpec;
use millstream_operators::formats::csv::CsvOptions;
use millstream_operators::sink::{
    AppendSink, Partitioner, RowEncoderSpec, SinkWriter, UpsertSink, partition_for_key,
};
use millstream_operators::testing::{Event, Harness, Written, check_events, field};
use std::sync::Arc;

fn csv(columns: &[usize]) -> Arc<dyn RowEncoderSpec> {
    let all = ["k:utf8", "v:i64"].map(field);
    let fields: Fields = columns.iter().map(|column| all[*column].clone()).collect();
    Arc::new(
        FormatEncoderSpec::new(Arc::new(CsvOptions::default()), "out", columns.to_vec(), fields).unwrap(),
    )
}

fn upsert(partitions: u32) -> Written<UpsertSink> {
    let (table, topic) = ("t".to_owned(), "out".to_owned());
    Written { sink: UpsertSink { table, topic, key: csv(&[0]), value: csv(&[0, 1]) }, partitions }
}

fn append(keyed: bool, partitions: u32) -> Written<AppendSink> {
    let (table, topic) = ("t".to_owned(), "out".to_owned());
    let key = keyed.then(|| csv(&[0]));
    let sink = AppendSink { table, topic, key, value: csv(&[0, 1]), partitioner: Partitioner::ByKey };
    Written { sink, partitions }
}

use Event::{Commit, Rows};

const HEAD: &str = "partition:i32 key:utf8 value:utf8";

#[test]
fn an_update_is_one_record_and_a_deletion_a_tombstone() {
    check_events(
        &upsert(1),
        &[
            Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - @3 a 1  + @3 a 2"),
            Rows(0, "k:utf8 v:i64 | - @4 b 1  - @5 a 2  + @5 a 3"),
            Commit,
            Commit,
        ],
        &format!("{HEAD} | + @1 0 a a,1  + @2 0 b b,1  + @4 0 b null  + @5 0 a a,3"),
    );
}

#[test]
fn of_the_changes_of_a_commit_only_the_last_of_each_key_is_written_in_the_order_they_happened() {
    check_events(
        &upsert(1),
        &[
            Rows(0, "k:utf8 v:i64 | + c 1  + a 1  + b 1"),
            Rows(0, "k:utf8 v:i64 | + a 2  - b 1  + d 1"),
            Rows(0, "k:utf8 v:i64 | + c 2  - d 1  + d 2"),
            Commit,
        ],
        &format!("{HEAD} | + 0 a a,2  + 0 b null  + 0 c c,2  + 0 d d,2"),
    );
}

#[test]
fn records_of_a_key_go_to_its_partition() {
    let keys = ["a", "b", "c", "d", "e", "f"];
    let rows: String = keys.iter().map(|key| format!(" + {key} 1")).collect();
    let mut expected = String::new();
    for partition in 0..3 {
        for key in keys.iter().filter(|key| partition_for_key(key.as_bytes(), 3) == partition) {
            expected.push_str(&format!(" + {partition} {key} {key},1"));
        }
    }
    let rows = format!("k:utf8 v:i64 |{rows}");
    let expected = format!("{HEAD} |{expected}");
    check_events(&upsert(3), &[Rows(0, &rows), Commit], &expected);
    check_events(&append(true, 3), &[Rows(0, &rows), Commit], &expected);
}

#[test]
fn an_append_sink_writes_every_row_and_without_a_key_commits_take_turns() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 a 1"),
        Rows(0, "k:utf8 v:i64 | + @3 b null"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @4 a 1"),
        Commit,
        Commit,
        Rows(0, "k:utf8 v:i64 | + @5 c 1"),
        Commit,
    ];
    let expected = "+ @1 1 null a,1  + @2 1 null a,1  + @3 1 null b,  + @4 0 null a,1  + @5 0 null c,1";
    check_events(&append(false, 2), &events, &format!("{HEAD} | {expected}"));
}

#[test]
fn a_sink_that_only_appends_refuses_changes() {
    let sink = append(true, 1);
    assert_eq!(sink.sink.accepts(StreamKind::Append), Ok(()));
    assert!(sink.sink.accepts(StreamKind::Changelog).unwrap_err().contains("upsert-kafka"));
    assert!(sink.sink.accepts(StreamKind::Upsert).is_err());
    assert!(Harness::new(&sink).process("k:utf8 v:i64 | - a 1").is_err());
}

#[test]
fn records_of_a_task_go_to_one_partition_where_that_is_asked_for() {
    for keyed in [false, true] {
        let Written { sink, partitions } = append(keyed, 3);
        let sink = AppendSink { partitioner: Partitioner::ByTask, ..sink };
        let (a, b) = if keyed { ("a", "b") } else { ("null", "null") };
        check_events(
            &Written { sink, partitions },
            &[
                Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2"),
                Commit,
                Rows(0, "k:utf8 v:i64 | + @3 a 3"),
                Commit,
            ],
            &format!("{HEAD} | + @1 0 {a} a,1  + @2 0 {b} b,2  + @3 0 {a} a,3"),
        );
    }
}
