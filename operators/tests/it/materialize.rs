//! Changelogs whose rows share their keys, as upserts.

use arrow::datatypes::Schema;
use millstream_operators::testing::{Event, Harness, Keyed, batch, check_events, field};
use millstream_operators::{Materialize, OperatorSpec, Port, StreamKind};
use std::sync::Arc;

use Event::{Commit, Rows};

fn spec() -> Keyed<Materialize> {
    let schema = Arc::new(Schema::new(["k:i64", "a:utf8"].map(field).to_vec()));
    Keyed::new([0], Materialize { schema, key: "k".to_owned() })
}

#[test]
fn of_the_rows_of_a_key_the_last_that_is_there_comes_out() {
    check_events(
        &spec(),
        &[
            Rows(0, "k:i64 a:utf8 | + @1 1 a  + @2 2 x  + @3 1 b  + @4 1 a"),
            Commit,
            // The last row goes: the one before it is the last again. Another goes: nothing changes.
            Rows(0, "k:i64 a:utf8 | - @5 1 a  - @6 2 nobody"),
            Commit,
            Rows(0, "k:i64 a:utf8 | - @7 1 a"),
            Commit,
            Rows(0, "k:i64 a:utf8 | - @8 1 b  - @9 2 x  + @10 2 y  + @11 3 z  - @12 3 z"),
            Commit,
            Rows(0, "k:i64 a:utf8 | + @13 1 c"),
            Commit,
        ],
        "k:i64 a:utf8 | + @4 1 a  + @2 2 x  + @5 1 b  - @8 1 b  + @10 2 y  + @13 1 c",
    );
}

#[test]
fn rows_that_went_are_not_in_the_store() {
    let spec = spec();
    let mut harness = Harness::new(&spec);
    for _ in 0..3 {
        harness.process_batch(Port(0), batch("k:i64 a:utf8 | + 1 a  + 1 a  + 2 b")).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(1).unwrap().len(), 4);
        harness.process_batch(Port(0), batch("k:i64 a:utf8 | - 1 a  - 2 b  - 1 a")).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(1).unwrap().len(), 1, "the next sequence number");
    }
}

#[test]
fn only_a_changelog_is_materialized() {
    assert_eq!(spec().output_kind(&[StreamKind::Changelog]), Ok(StreamKind::Upsert));
    assert!(spec().output_kind(&[StreamKind::Upsert]).is_err());
}
