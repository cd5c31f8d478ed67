//! What is given to whoever helps.

use crate::command::Place;
use crate::http::address;
use crate::jobs::{COUNTS, produce};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The files of a bundle.
fn unpacked(place: &Place, name: &str) -> BTreeMap<String, String> {
    let status = Command::new("tar").arg("xzf").arg(name).current_dir(place.path()).status().unwrap();
    assert!(status.success(), "tar unpacks it");
    let mut found = BTreeMap::new();
    collect(&place.path().join("millstream-debug"), &mut found);
    found
}

fn collect(directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let name = path.to_string_lossy().split_once("millstream-debug/").unwrap().1.to_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Whether none of these is anywhere, not even in the compressed file.
fn holds_none(files: &BTreeMap<String, String>, secrets: &[&str]) {
    for (name, text) in files {
        for secret in secrets {
            assert!(!text.contains(secret), "{name} holds {secret}:\n{text}");
        }
    }
}

#[test]
fn a_bundle_says_how_a_running_job_is_and_holds_no_secret() {
    let place = Place::new();
    place.write(
        "millstream.toml",
        "client-config = 'c.properties'\n[client-property]\n'sasl.password' = 'hunter2-toml'\n",
    );
    place.write("c.properties", "ssl.key.password=hunter2-client\n");
    place.write("token", "hunter2-token-of-http\n");
    place.write("process.log", "it began\nlogin with hunter2-toml and token=hunter2-token-of-http failed\npassword=hunter2-unknown\n");
    let secret = "'topic' = 'orders', 'properties.sasl.jaas.config' = 'M required username=\"u\" password=\"hunter2-jaas\";',";
    place.write("job.sql", COUNTS);
    place.write("other.sql", COUNTS.replacen("'topic' = 'orders',", secret, 1));
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..10);
    place.ok("run job.sql --exit-when-idle");
    let mut job = place.start("run job.sql --http 127.0.0.1:0 --http-token token");
    let address = address(&mut job);
    let line = "debug-bundle job.sql other.sql --to b.tar.gz --log-file process.log --token token";
    let out = place.ok(&format!("{line} --server http://{address}"));
    assert!(out.contains("look through it"), "{out}");
    let files = unpacked(&place, "b.tar.gz");
    for (name, part) in [
        ("versions.txt", env!("CARGO_PKG_VERSION")),
        ("settings.jsonl", "\"origin\":\"c.properties:1\""),
        ("doctor.txt", "fsync"),
        ("topics.txt", "topic       orders\npartitions  2"),
        ("states.txt", "watermark"),
        ("jobs/job/plan.txt", "Aggregate"),
        ("jobs/job/group.txt", "orders/0 at 10"),
        ("jobs/job/job.sql", "INSERT INTO counts"),
        ("server/jobs.json", "\"job\""),
        ("server/metrics.txt", "millstream_"),
        ("server/jobs/job/status.json", "operators"),
        ("logs/process.log", "it began"),
    ] {
        let text = files.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", files.keys()));
        assert!(text.contains(part), "{part} is missing in {name}:\n{text}");
    }
    holds_none(&files, &["hunter2"]);
    let again = place.run(&format!("{line} --server http://{address}"));
    assert!(again.code == 4 && again.err.contains("b.tar.gz"), "what is there is left: {again:?}");
    job.signal("INT");
    job.wait();
}

#[test]
fn a_bundle_is_written_when_nothing_can_be_reached() {
    let place = Place::new();
    place.write("c.properties", "sasl.password=hunter2-client\nsasl.username=u\n");
    place.write("wrong.sql", "CREATE TABLE t (k STRNG) WITH ('connector' = 'kafka', 'properties.ssl.key.password' = 'hunter2-sql');");
    let line =
        "debug-bundle wrong.sql nothing.sql --bootstrap-servers 127.0.0.1:1 --client-config c.properties";
    let done = place.run(line);
    assert!(done.code == 4 && done.err.contains("nothing.sql"), "{done:?}");
    place.ok(&line.replace(" nothing.sql", ""));
    let files = unpacked(&place, "millstream-debug.tar.gz");
    assert!(files["topics.txt"].starts_with("not to be had: "), "{}", files["topics.txt"]);
    assert!(
        files["doctor.txt"].contains("STRNG") || files["doctor.txt"].contains("not to be had"),
        "{}",
        files["doctor.txt"]
    );
    holds_none(&files, &["hunter2"]);
}
