//! Snapshots in object storage.

use crate::bucket::Bucket;
use crate::command::{PATIENCE, Place};
use crate::jobs::{COUNTS, expected, produce, totals};
use std::time::Instant;

/// A bucket, and a place with a job whose commands find it.
fn bucket_and_place() -> (Bucket, Place) {
    let bucket = Bucket::start();
    let place = Place::new().with_environment(bucket.environment());
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    (bucket, place)
}

#[test]
fn a_job_moves_to_an_empty_machine_through_a_bucket() {
    let (bucket, place) = bucket_and_place();
    let run = "run job.sql --snapshots s3://bucket/of/snapshots --snapshot-bytes 1";
    let mut job = place.start(run);
    job.wait_until_it_has_the_log(&place);
    let deadline = Instant::now() + PATIENCE;
    let manifests = || bucket.names().iter().filter(|name| name.contains("/m-")).count();
    let mut orders = 0;
    // Each is named by a later commit, and what is behind the one before is purged from the journal.
    while manifests() < 3 {
        assert!(Instant::now() < deadline, "{:?} is all that is stored", bucket.names());
        produce(&place, orders..orders + 50);
        orders += 50;
    }
    job.signal("INT");
    let done = job.wait();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.err.contains("hush"), "{done:?}");
    assert!(bucket.names().iter().all(|name| name.starts_with("of/snapshots/job/")), "{:?}", bucket.names());

    std::fs::remove_dir_all(place.path().join("millstream-data/state")).unwrap();
    bucket.read();
    produce(&place, orders..orders + 50);
    place.ok(&format!("{run} --exit-when-idle"));
    assert_eq!(totals(&place), expected(orders + 50));
    let read = bucket.read();
    assert!(read.iter().any(|name| name.contains("/f-")), "no file was fetched: {read:?}");
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let (_bucket, place) = bucket_and_place();
    let done = place.run("run job.sql --snapshots ftp://bucket/of/snapshots");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("ftp://bucket/of/snapshots"), "{done:?}");
}
