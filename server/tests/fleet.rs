//! Many jobs in one process, as those see it who ask over a socket.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_operators::typed::Program;
use millstream_runtime::clock::SystemClock;
use millstream_runtime::job::{Job, JobSettings};
use millstream_runtime::log::memory::MemoryLog;
use millstream_runtime::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream_server::{
    Answerer, Board, Fleet, FleetOptions, JobText, Mistake, PlanNode, PlannedJob, Planner, Problem,
    QuestionText, Server, ServerOptions,
};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Jobs of a word and a topic: `copy TOPIC`, `fail TOPIC` (its output has no such topic to read), anything else is a mistake.
fn planner(log: &Arc<dyn Log>) -> Planner {
    let log = Arc::clone(log);
    Arc::new(move |job: JobText<'_>| {
        let words: Vec<&str> = job.text.split_whitespace().collect();
        let [word @ ("copy" | "fail"), topic] = words[..] else {
            let mistake = Mistake {
                code: "MS0102",
                message: "no word of a test".to_owned(),
                span: (0, job.text.len()),
                place: (1, 1),
                label: String::new(),
                help: Some("write copy".to_owned()),
            };
            return Err(Problem::mistakes(format!("{}:1:1: no word of a test", job.file), vec![mistake]));
        };
        let program = Program::new();
        program.read::<u64>(topic).to(&format!("{}-out", job.name));
        let topology = program.topology().unwrap();
        let (log, name, fails) = (Arc::clone(&log), job.name.to_owned(), word == "fail");
        Ok(PlannedJob {
            runs_as: name.clone(),
            operators: PlanNode::of(&topology),
            warnings: Vec::new(),
            start: Box::new(move |print| {
                if fails {
                    return Err(Problem::failure("it fails as it was told to"));
                }
                let settings = JobSettings { print, session_timeout_ms: 500, ..JobSettings::new(name) };
                Job::start(&topology, &log, &settings).map_err(|error| Problem::failure(error.to_string()))
            }),
        })
    })
}

/// Says what it was asked.
fn answerer() -> Answerer {
    Arc::new(|asked: QuestionText<'_>| match asked.text {
        "nonsense" => Err(Problem::bad("no question")),
        text => Ok(format!("{{\"rows\":[[\"{text} of {}\",{}]]}}", asked.tables, asked.rows_max)),
    })
}

fn log_with(topics: &[&str]) -> Arc<dyn Log> {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Arc::new(SystemClock::default())));
    topics.iter().for_each(|topic| log.admin().unwrap().create_topic(&TopicSpec::new(*topic, 1)).unwrap());
    log
}

fn write(log: &Arc<dyn Log>, topic: &str, values: &[&str]) {
    let mut records = RecordsBuilder::default();
    values.iter().for_each(|value| records.push(None, Some(value.as_bytes()), 1_000));
    let mut writer = log.writer().unwrap();
    writer.write(&TopicPartition::new(topic, 0), records.finish()).unwrap();
    writer.flush(Duration::from_secs(5)).unwrap();
}

/// A fleet with its server.
struct World {
    server: Server,
    fleet: Fleet,
}

impl World {
    fn start(log: &Arc<dyn Log>, kept: &Path, change: impl FnOnce(&mut FleetOptions)) -> Self {
        Self::with_tokens(log, kept, change, None, None)
    }

    fn with_tokens(
        log: &Arc<dyn Log>,
        kept: &Path,
        change: impl FnOnce(&mut FleetOptions),
        token: Option<&str>,
        read_token: Option<&str>,
    ) -> Self {
        let board = Board::new();
        let mut options = FleetOptions::new(kept);
        (options.pause_min, options.pause_max) = (Duration::from_millis(10), Duration::from_millis(40));
        change(&mut options);
        let fleet = Fleet::start(board.clone(), planner(log), answerer(), options).unwrap();
        let server = ServerOptions {
            address: "127.0.0.1:0".parse().unwrap(),
            token: token.map(str::to_owned),
            read_token: read_token.map(str::to_owned),
            tls: None,
        };
        World { server: Server::start(board, Some(fleet.clone()), &server).unwrap(), fleet }
    }

    fn ask_with(&self, headers: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.ask_with("Content-Type: application/sql\r\n", method, path, body)
    }

    fn job(&self, name: &str) -> Value {
        serde_json::from_str(&self.ask("GET", &format!("/api/v1/jobs/{name}"), "").1).unwrap()
    }

    /// Waits until a job is in a state, and gives it.
    fn until(&self, name: &str, state: &str) -> Value {
        self.until_so(name, |job| job["state"] == state)
    }

    fn until_so(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let job = self.job(name);
            if is_so(&job) {
                return job;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{job:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(self) {
        self.fleet.end();
    }
}

#[test]
fn a_job_is_submitted_paused_resumed_stopped_restarted_and_removed() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |_| {});
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=a", "copy in").0, 201);
    world.until("a", "RUNNING");
    write(&log, "in", &["1", "2", "3"]);
    world.until_so("a", |job| job["records_written"] == 3);
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/pause", "").0, 202);
    world.until("a", "PAUSED");
    write(&log, "in", &["4"]);
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/resume", "").0, 202);
    // It goes on where it was: the one that has come, and no other.
    world.until_so("a", |job| job["state"] == "RUNNING" && job["records_written"] == 1);
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/restart", "").0, 202);
    world.until_so("a", |job| job["state"] == "RUNNING" && job["records_written"] == 0);
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/stop", "").0, 202);
    world.until("a", "STOPPED");
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/dance", "").0, 404);
    let (status, text) = world.ask("GET", "/api/v1/jobs/a/log", "");
    assert!(status == 200 && text.contains("started") && text.contains("paused"), "{text}");
    assert_eq!(world.ask("GET", "/api/v1/jobs/a/sql", ""), (200, "copy in".to_owned()));
    assert_eq!(world.ask("DELETE", "/api/v1/jobs/a", "").0, 204);
    world.until_so("a", |job| job["status"] == 404);
    assert_eq!(world.ask("POST", "/api/v1/jobs/a/resume", "").0, 404);
    world.end();
}

#[test]
fn a_job_that_fails_is_tried_again_with_pauses_and_its_neighbour_does_not_notice() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |options| options.restarts_max = 3);
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=good", "copy in").0, 201);
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=bad", "fail in").0, 201);
    let bad = world.until_so("bad", |job| job["restarts"] == 3 && job["next_try_ms"].is_null());
    assert_eq!((&bad["state"], &bad["error"]), (&"FAILED".into(), &"it fails as it was told to".into()));
    let good = world.until("good", "RUNNING");
    assert_eq!(good["restarts"], 0);
    let (status, text) = world.ask("GET", "/readyz", "");
    assert!(status == 200 && text.contains("bad: failed: it fails"), "{text}");
    // A text that is right starts it at once.
    assert_eq!(world.ask("PUT", "/api/v1/jobs/bad", "copy in").0, 200);
    world.until("bad", "RUNNING");
    // One whose records can't be read fails while it runs, and gets on with what was mended.
    write(&log, "in", &["no number"]);
    let failed = world.until_so("good", |job| job["next_try_ms"].is_null() && job["state"] == "FAILED");
    assert!(failed["error"].as_str().unwrap().contains("in"), "{failed:#}");
    world.end();
}

#[test]
fn a_text_with_a_mistake_changes_nothing_and_says_where_it_is() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |options| options.jobs_max = 1);
    let (status, text) = world.ask("POST", "/api/v1/jobs?name=a", "nonsense");
    assert_eq!(status, 422, "{text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["errors"][0]["column"]),
        (&"MS0102".into(), &1.into())
    );
    assert_eq!(world.ask("GET", "/api/v1/jobs", "").1, "[]");
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=..", "copy in").0, 400);
    assert_eq!(world.ask("PUT", "/api/v1/jobs/a%2Fb", "copy in").0, 400);
    assert_eq!(world.ask("POST", "/api/v1/jobs", "copy in").0, 400);
    assert_eq!(world.ask("POST", "/api/v1/check", "nonsense").0, 422);
    assert_eq!(world.ask("POST", "/api/v1/check", "copy in").0, 200);
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=a", "copy in").0, 201);
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=a", "copy in").0, 409, "it is there");
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=b", "copy in").0, 409, "there is room for one");
    assert_eq!(world.ask("PUT", "/api/v1/jobs/a", "nonsense").0, 422);
    world.until("a", "RUNNING");
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(world.ask("PUT", "/api/v1/jobs/a", &long).0, 413);
    world.end();
}

#[test]
fn files_that_are_added_changed_and_removed_are_taken_up() {
    let (log, kept) = (log_with(&["in", "other"]), TempDir::new().unwrap());
    let files = TempDir::new().unwrap();
    let put = |name: &str, text: &str| std::fs::write(files.path().join(name), text).unwrap();
    put("a.sql", "copy in");
    put("wrong.sql", "nonsense");
    put("notes.txt", "no job");
    let world = World::start(&log, kept.path(), |options| options.files = Some(files.path().to_owned()));
    world.until("a", "RUNNING");
    let wrong = world.until("wrong", "FAILED");
    assert_eq!((&wrong["mistakes"][0]["line"], &wrong["next_try_ms"]), (&1.into(), &Value::Null));
    put("b.sql", "copy other");
    world.until("b", "RUNNING");
    put("wrong.sql", "copy in");
    world.until("wrong", "RUNNING");
    // A change that does not plan leaves the job running as it was, and is said.
    put("a.sql", "nonsense too");
    let a = world.until("a", "DEGRADED");
    assert!(a["degraded"][0].as_str().unwrap().contains("can't be taken up"), "{a:#}");
    put("a.sql", "copy in");
    world.until("a", "RUNNING");
    assert_eq!(world.ask("PUT", "/api/v1/jobs/a", "copy other").0, 409, "it is a file's");
    assert_eq!(world.ask("DELETE", "/api/v1/jobs/a", "").0, 409);
    std::fs::remove_file(files.path().join("b.sql")).unwrap();
    world.until_so("b", |job| job["status"] == 404);
    put("b.sql", "copy other");
    world.until("b", "RUNNING");
    world.end();
}

#[test]
fn what_was_submitted_and_paused_is_so_after_a_restart() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |_| {});
    for name in ["runs", "paused", "stopped", "removed"] {
        assert_eq!(world.ask("POST", &format!("/api/v1/jobs?name={name}"), "copy in").0, 201);
        world.until(name, "RUNNING");
    }
    world.ask("POST", "/api/v1/jobs/paused/pause", "");
    world.ask("POST", "/api/v1/jobs/stopped/stop", "");
    world.ask("DELETE", "/api/v1/jobs/removed", "");
    world.until("paused", "PAUSED");
    let other = Fleet::start(Board::new(), planner(&log), answerer(), FleetOptions::new(kept.path()));
    assert!(other.unwrap_err().detail.contains("process"), "another server has what is kept");
    world.end();
    std::fs::write(kept.path().join("half.sql.new"), "copy").unwrap();
    let world = World::start(&log, kept.path(), |_| {});
    world.until("runs", "RUNNING");
    world.until("paused", "PAUSED");
    world.until("stopped", "STOPPED");
    assert_eq!(world.job("removed")["status"], 404);
    assert!(!kept.path().join("half.sql.new").exists());
    world.end();
}

#[test]
fn who_may_only_look_and_pages_of_others_change_nothing() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let (all, look) = ("0123456789abcdef", "fedcba9876543210");
    let world = World::with_tokens(&log, kept.path(), |_| {}, Some(all), Some(look));
    let by = |token: &str, more: &str, method: &str, path: &str| {
        let headers = format!("Authorization: Bearer {token}\r\n{more}Content-Type: application/sql\r\n");
        world.ask_with(&headers, method, path, "copy in").0
    };
    assert_eq!(by(look, "", "POST", "/api/v1/jobs?name=a"), 403);
    assert_eq!(by("no such token at all", "", "POST", "/api/v1/jobs?name=a"), 401);
    assert_eq!(by(all, "Origin: http://evil.example\r\n", "POST", "/api/v1/jobs?name=a"), 403);
    assert_eq!(by(all, "Origin: http://localhost\r\n", "POST", "/api/v1/jobs?name=a"), 201);
    world.until_so_with(look, "a");
    for path in ["/api/v1/jobs", "/api/v1/jobs/a", "/api/v1/jobs/a/log", "/metrics", "/api/v1"] {
        assert_eq!(by(look, "", "GET", path), 200, "{path}");
    }
    assert_eq!(by(look, "", "GET", "/api/v1/jobs/a/sql"), 403);
    assert_eq!(by(look, "", "POST", "/api/v1/query?job=a"), 403);
    assert_eq!(by(all, "", "POST", "/api/v1/query?job=a"), 200);
    for (method, path) in [("PUT", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/pause")] {
        assert_eq!(by(look, "", method, &format!("/api/v1/jobs/a{path}")), 403, "{method} {path}");
    }
    // What a page of another origin could send without asking first is not taken.
    let headers = format!("Authorization: Bearer {all}\r\nContent-Type: text/plain\r\n");
    assert_eq!(world.ask_with(&headers, "POST", "/api/v1/jobs?name=b", "copy in").0, 415);
    world.end();
}

impl World {
    /// Waits until a job runs, seen by who may look.
    fn until_so_with(&self, token: &str, name: &str) {
        let headers = format!("Authorization: Bearer {token}\r\n");
        let begun = Instant::now();
        while !self.ask_with(&headers, "GET", &format!("/api/v1/jobs/{name}"), "").1.contains("RUNNING") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_question_is_asked_of_the_tables_of_a_job() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |_| {});
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=a", "copy in").0, 201);
    let (status, text) = world.ask("POST", "/api/v1/query?job=a&rows=7", "what");
    assert_eq!((status, text.as_str()), (200, "{\"rows\":[[\"what of copy in\",7]]}"));
    assert_eq!(world.ask("POST", "/api/v1/query", "nonsense").0, 400);
    assert_eq!(world.ask("POST", "/api/v1/query?job=no", "what").0, 404);
    assert_eq!(world.ask("POST", "/api/v1/query?job=a&rows=0", "what").0, 400);
    assert_eq!(world.ask("GET", "/api/v1/query", "").0, 405);
    world.end();
}

#[test]
fn connections_that_say_nothing_leave_room_for_others() {
    let (log, kept) = (log_with(&[]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |_| {});
    let silent: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(world.server.address()).unwrap()).collect();
    assert_eq!(world.ask("GET", "/livez", "").0, 200);
    drop(silent);
    world.end();
}

#[test]
fn requests_that_mean_nothing_change_nothing_and_the_server_goes_on() {
    let (log, kept) = (log_with(&["in"]), TempDir::new().unwrap());
    let world = World::start(&log, kept.path(), |_| {});
    assert_eq!(world.ask("POST", "/api/v1/jobs?name=a", "copy in").0, 201);
    let mut state = 11u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let paths =
        ["/api/v1/jobs", "/api/v1/jobs?name=%00", "/api/v1/jobs/..%2F..%2Fetc", "/api/v1/jobs/%FF/pause"];
    let paths: Vec<&str> = paths
        .into_iter()
        .chain(["/api/v1/query?rows=-1", "/api/v1/check?name=", "/api/v1/jobs/a/log?"])
        .collect();
    for _ in 0..200 {
        let method = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"][next(6)];
        let path = paths[next(paths.len())];
        let body: Vec<u8> = (0..next(64)).map(|_| next(256) as u8).collect();
        // Some say that there is more than comes, or less.
        let length = [body.len(), body.len() + 10, body.len() / 2, usize::MAX][next(4)];
        let mut socket = TcpStream::connect(world.server.address()).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/sql\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let _ = socket.write_all(&body);
        // One that has answered and closed already can't be shut.
        let _ = socket.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap_or("0");
        assert!(!status.starts_with('5'), "{method} {path}: {answer}");
    }
    let jobs: Value = serde_json::from_str(&world.ask("GET", "/api/v1/jobs", "").1).unwrap();
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs:#}");
    assert!(kept.path().join("a.sql").exists());
    world.until("a", "RUNNING");
    world.end();
}
