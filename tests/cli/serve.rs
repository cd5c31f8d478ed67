//! Many jobs in one process, and the command that operates them.

use crate::command::{Done, PATIENCE, Place, Running};
use crate::http::address;
use crate::jobs::{COUNTS, expected, produce, totals_of};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// The same job over orders, into a topic of another name.
fn counts_into(topic: &str) -> String {
    COUNTS.replace("'topic' = 'counts'", &format!("'topic' = '{topic}'"))
}

/// A server of a place's jobs.
struct Served<'a> {
    place: &'a Place,
    server: Running,
    address: String,
}

impl<'a> Served<'a> {
    fn start(place: &'a Place, options: &str) -> Self {
        let mut server = place.start(&format!("serve --http 127.0.0.1:0 {options}"));
        let address = address(&mut server);
        Served { place, server, address }
    }

    fn job(&self, line: &str) -> Done {
        self.place.run(&format!("job {line} --server http://{}", self.address))
    }

    fn ok(&self, line: &str) -> Done {
        let done = self.job(line);
        assert_eq!(done.code, 0, "millstream job {line}: {done:?}");
        done
    }

    fn state(&self, name: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("status {name} --output json")).out).unwrap()
    }

    fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let job = self.state(name);
            if is_so(&job) {
                return job;
            }
            assert!(begun.elapsed() < PATIENCE, "{job:#}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// What is answered to a question over the tables of a job.
    fn ask(&self, job: &str, question: &str) -> (u16, Value) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "POST /api/v1/query?job={job}&rows=2 HTTP/1.0\r\nHost: {}\r\nContent-Type: application/sql\r\n\
             Content-Length: {}\r\n\r\n{question}",
            self.address,
            question.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn kill(mut self) {
        self.server.signal("KILL");
        self.server.wait();
    }

    fn end(mut self) {
        self.server.signal("INT");
        let done = self.server.wait();
        assert_eq!(done.code, 0, "{done:?}");
    }
}

#[test]
fn jobs_of_files_and_submitted_ones_run_on_one_log_and_come_back() {
    let place = Place::new();
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..300);
    std::fs::create_dir(place.path().join("sql")).unwrap();
    place.write("sql/first.sql", counts_into("first"));
    place.write("sql/wrong.sql", "SELEC 1;\n");
    place.write("second.sql", counts_into("second"));
    let served = Served::start(&place, "--jobs sql");
    served.ok("submit second.sql");
    for job in ["first", "second"] {
        served.until(job, |job| job["state"] == "RUNNING" && job["lag_records"] == 0);
        assert_eq!(totals_of(&place, job), expected(300), "read through the server that has the log");
    }
    let wrong = served.until("wrong", |job| job["state"] == "FAILED");
    assert_eq!((&wrong["mistakes"][0]["line"], &wrong["mistakes"][0]["column"]), (&1.into(), &1.into()));
    let list = served.ok("list").out;
    assert!(list.lines().next().unwrap().starts_with("NAME"), "{list}");
    assert!(list.contains("wrong") && list.contains("1:1: "), "{list}");
    // A paused job reads nothing, and its neighbour goes on.
    let paused = served.ok("pause second");
    assert!(paused.err.contains("second is PAUSED"), "{paused:?}");
    produce(&place, 300..500);
    served.until("first", |job| job["lag_records"] == 0 && job["records_read"].as_u64() > Some(300));
    assert_eq!(totals_of(&place, "first"), expected(500));
    assert_eq!(totals_of(&place, "second"), expected(300));
    served.end();

    // The next server goes on with all of them as they were.
    let served = Served::start(&place, "--jobs sql");
    served.until("first", |job| job["state"] == "RUNNING");
    served.until("second", |job| job["state"] == "PAUSED");
    served.ok("resume second");
    served.until("second", |job| job["state"] == "RUNNING" && job["lag_records"] == 0);
    assert_eq!(totals_of(&place, "second"), expected(500));
    let log = served.ok("logs second").out;
    assert!(log.contains("started") && log.contains("paused"), "{log}");
    served.ok("stop second");
    served.ok("remove second");
    served.end();
}

#[test]
fn what_is_submitted_with_a_mistake_is_shown_as_a_file_is() {
    let place = Place::new();
    place.write("job.sql", COUNTS.replace("SUM(amount)", "SUM(amuont)"));
    let served = Served::start(&place, "");
    let done = served.job("submit job.sql");
    assert_eq!(done.code, 3, "{done:?}");
    for part in ["job.sql:8:", "SUM(amuont)", "job.sql: 1 error", "MS0501"] {
        assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
    }
    assert_eq!(served.ok("list").out, "no jobs\n");
    let done = served.job("status job");
    assert!(done.code == 2 && done.err.contains("there is no"), "{done:?}");
    // A topic that is not there yet is waited for, as other failures are; a text that is not is refused.
    place.write("job.sql", COUNTS);
    served.ok("submit job.sql");
    served.until("job", |job| job["state"] == "FAILED" && !job["next_try_ms"].is_null());
    let done = served.job("submit job.sql");
    assert!(done.code == 2 && done.err.contains("--replace"), "{done:?}");
    place.ok("topic create orders --partitions 1");
    served.until("job", |job| job["state"] == "RUNNING" && job["restarts"].as_u64() > Some(0));
    served.end();
    let done = place.run("job list --server http://127.0.0.1:1");
    assert!(done.code == 4 && done.err.contains("millstream serve"), "{done:?}");
}

#[test]
fn a_server_asks_for_its_token_and_readers_change_nothing() {
    let place = Place::new();
    place.write("all", "0123456789abcdef\n");
    place.write("look", "fedcba9876543210\n");
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    let done = place.run("serve --http 0.0.0.0:0");
    assert!(done.code == 2 && done.err.contains("give it a token"), "{done:?}");
    let served = Served::start(&place, "--http-token all --http-read-token look");
    let done = served.job("list");
    assert!(done.code == 2 && done.err.contains("Authorization"), "{done:?}");
    served.ok("list --token look");
    let done = served.job("submit job.sql --token look");
    assert!(done.code == 2 && done.err.contains("may look"), "{done:?}");
    served.ok("submit job.sql --token all");
    let health = place.run(&format!("health --server http://{}", served.address));
    assert!([0, 4].contains(&health.code), "{health:?}");
    let second = place.run("serve --http 127.0.0.1:0");
    assert!(second.code != 0 && second.err.contains("in use"), "{second:?}");
    served.end();
}

#[test]
fn a_killed_server_goes_on_with_its_jobs_and_answers_questions() {
    let place = Place::new();
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..70);
    place.write("job.sql", COUNTS);
    // Another with the same topics and state, as its file says.
    place.write("same.sql", format!("SET 'pipeline.name' = 'job';\n{COUNTS}"));
    let served = Served::start(&place, "");
    served.ok("submit job.sql");
    served.until("job", |job| job["state"] == "RUNNING" && job["lag_records"] == 0);
    served.ok("submit same.sql");
    let same = served.until("same", |job| job["state"] == "FAILED");
    assert!(same["error"].as_str().unwrap().contains("job job has the topics"), "{same:#}");
    served.kill();
    produce(&place, 70..140);
    let served = Served::start(&place, "");
    served.ok("stop same");
    served.ok("resume job");
    served.until("job", |job| job["state"] == "RUNNING" && job["lag_records"] == 0);
    assert_eq!(totals_of(&place, "counts"), expected(140));
    let (status, answer) = served.ask("job", "SELECT customer, orders FROM counts ORDER BY customer DESC");
    let rows = json!([["c6", 20], ["c5", 20]]);
    assert_eq!((status, &answer["rows"], &answer["more"]), (200, &rows, &true.into()), "{answer}");
    let (status, answer) = served.ask("job", "SELECT custmer FROM counts");
    let error = &answer["errors"][0];
    assert_eq!((status, &error["line"], &error["column"]), (422, &1.into(), &8.into()), "{answer}");
    let declared =
        "CREATE VIEW big AS SELECT amount FROM orders WHERE amount > 138; SELECT COUNT(*) FROM big";
    assert_eq!(served.ask("job", declared).1["rows"], json!([[1]]));
    assert_eq!(served.ask("job", " ; ").0, 400);
    served.end();
}
