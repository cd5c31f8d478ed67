//! A running job, watched over HTTP.

use crate::command::{Place, Running};
use crate::jobs::{COUNTS, produce};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Where the server of a job says it listens.
pub(crate) fn address(job: &mut Running) -> String {
    let mut lines = BufReader::new(job.child().stderr.take().unwrap()).lines();
    let said =
        lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, address)| address.to_owned()));
    // Who stops reading lets the job block.
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("it says where")
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[test]
fn a_running_job_is_seen_at_the_address_that_it_names() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..500);
    let mut job = place.start("run job.sql --http 127.0.0.1:0");
    let address = address(&mut job);
    let start = Instant::now();
    let read = || {
        let (status, text) = get(&address, "/api/v1/jobs/job");
        let shown: serde_json::Value = serde_json::from_str(&text).ok()?;
        let source = shown["operators"].as_array()?.iter().find(|operator| operator["what"] == "Source")?;
        (source["rows_out"] == 500 && shown["state"] == "RUNNING").then_some(status)
    };
    let status = loop {
        if let Some(status) = read() {
            break status;
        }
        let (_, text) = get(&address, "/api/v1/jobs/job");
        assert!(start.elapsed() < Duration::from_secs(60), "{text} {}", get(&address, "/readyz").1);
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(status, 200);
    assert_eq!(get(&address, "/readyz").0, 200);
    let metrics = get(&address, "/metrics").1;
    let of_sink =
        |line: &str| line.starts_with("millstream_operator_records_in_total") && line.contains("sink");
    assert!(metrics.lines().any(of_sink), "{metrics}");
    job.signal("INT");
    let done = job.wait();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(TcpStream::connect(&address).is_err(), "the server ends with the process");
}

#[test]
fn a_job_that_others_could_watch_needs_a_token() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    let done = place.run("run job.sql --http 0.0.0.0:0");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("give it a token"), "{done:?}");
    place.write("token", "short");
    let done = place.run("run job.sql --http 127.0.0.1:0 --http-token token");
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("shorter than 16"), "{done:?}");
    let done = place.run("run job.sql --http 127.0.0.1:0 --http-token nowhere");
    assert!(done.code == 2 && done.err.contains("nowhere"), "{done:?}");
}
