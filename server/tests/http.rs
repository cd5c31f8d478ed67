//! The server as those see it who ask: over a socket.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_operators::{Counters, NO_WATERMARK, TopicPartition};
use millstream_runtime::TaskId;
use millstream_runtime::metrics::{Histogram, METRICS};
use millstream_runtime::worker::{InputStatus, OperatorStatus, TaskStatus, WorkerStatus};
use millstream_server::{Board, JOB_METRICS, JobEnd, PlanNode, Problem, Server, ServerError, ServerOptions};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

fn serve(board: &Board, token: Option<&str>) -> Server {
    let address = "127.0.0.1:0".parse().unwrap();
    let options = ServerOptions { address, token: token.map(str::to_owned), read_token: None, tls: None };
    Server::start(board.clone(), None, &options).unwrap()
}

/// The status and the whole answer to a request as it stands.
fn send(server: &Server, request: &[u8]) -> (u16, String) {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer)
}

fn get_with(server: &Server, path: &str, headers: &str) -> (u16, String) {
    send(server, format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes())
}

fn get(server: &Server, path: &str) -> (u16, String) {
    get_with(server, path, "Host: localhost\r\n")
}

fn task(state: &'static str) -> TaskStatus {
    TaskStatus {
        id: TaskId::FIRST,
        state,
        restored: (state == "restoring").then_some((40, 100)),
        fetched: None,
        waits_for: (state == "waiting").then(|| "the job's control record".to_owned()),
        watermark: if state == "running" { 86_400_000 } else { NO_WATERMARK },
        commit: 3,
        lag: 10,
        state_bytes: 1 << 20,
        finished: false,
        operators: vec![OperatorStatus {
            name: "orders".to_owned(),
            counters: Counters { rows_in: 7, rows_out: 5, late: 2, ..Counters::default() },
            memory_bytes: 512,
        }],
        inputs: vec![InputStatus {
            place: TopicPartition::new("orders", 3),
            watermark: 86_400_000,
            watermark_lag_ms: Some(2_500),
            idle: false,
            position: 90,
            lag: 10,
            ended: false,
        }],
    }
}

fn workers(state: &'static str) -> Vec<WorkerStatus> {
    let tasks = vec![task(state)];
    let mut commit_seconds = Histogram::new(&[0.01, 0.1]);
    commit_seconds.observe(0.02, 3);
    commit_seconds.observe(0.5, 1);
    vec![WorkerStatus { records_in: 1_500, commits: 7, tasks, commit_seconds, ..WorkerStatus::default() }]
}

fn board(state: &'static str) -> Board {
    let board = Board::new();
    let node = |name: &str, inputs: &[usize]| PlanNode {
        name: name.to_owned(),
        what: "Source".to_owned(),
        inputs: inputs.to_vec(),
    };
    board.begin("counts", vec![node("orders", &[]), node("counts / sink", &[0])]);
    board.look("counts", workers(state));
    board
}

#[test]
fn metrics_are_those_of_the_tables_with_their_values() {
    let server = serve(&board("running"), None);
    let (status, text) = get(&server, "/metrics");
    assert_eq!(status, 200, "{text}");
    for line in [
        "# TYPE millstream_records_read_total counter",
        r#"millstream_records_read_total{job="counts",worker="0"} 1500"#,
        r#"millstream_operator_records_in_total{job="counts",task="0-0",operator="orders"} 7"#,
        r#"millstream_records_dropped_total{job="counts",task="0-0",operator="orders",reason="late"} 2"#,
        r#"millstream_watermark_timestamp_seconds{job="counts",task="0-0"} 86400"#,
        r#"millstream_job_state{job="counts",state="RUNNING"} 1"#,
        r#"millstream_job_state{job="counts",state="FAILED"} 0"#,
        r#"millstream_consumer_lag_records{job="counts",task="0-0"} 10"#,
        r#"millstream_operator_memory_bytes{job="counts",task="0-0",operator="orders"} 512"#,
        r#"millstream_watermark_lag_seconds{job="counts",task="0-0",topic="orders",partition="3"} 2.5"#,
        r#"millstream_commit_duration_seconds_bucket{job="counts",worker="0",le="0.1"} 3"#,
        r#"millstream_commit_duration_seconds_bucket{job="counts",worker="0",le="+Inf"} 4"#,
        r#"millstream_commit_duration_seconds_sum{job="counts",worker="0"} 0.56"#,
        r#"millstream_job_restarts_total{job="counts"} 0"#,
        "millstream_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let known: BTreeSet<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain(JOB_METRICS.iter().map(|metric| metric.name))
        .collect();
    let shown = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    for name in shown.filter(|name| *name != "millstream_build_info") {
        assert!(known.contains(name), "{name} is in no table");
    }
}

#[test]
fn health_says_which_job_is_not_well_and_why() {
    let expect = |board: &Board, path: &str, wanted: u16, said: &str| {
        let server = serve(board, None);
        let (status, text) = get(&server, path);
        assert_eq!(status, wanted, "{path}: {text}");
        assert!(text.contains(said), "{path}: {said} is missing in\n{text}");
    };
    let running = board("running");
    for path in ["/livez", "/readyz", "/startupz"] {
        expect(&running, path, 200, "ok");
        expect(&Board::new(), path, 200, "ok");
    }
    let waiting = board("waiting");
    expect(&waiting, "/livez", 200, "ok");
    let why = "counts: task 0-0 is waiting: it waits for the job's control record";
    expect(&waiting, "/readyz", 503, why);
    expect(&waiting, "/startupz", 503, why);
    // A pod that restores is not to be killed, and gets no traffic yet.
    let restoring = board("restoring");
    expect(&restoring, "/startupz", 200, "ok");
    expect(&restoring, "/readyz", 503, "counts: task 0-0 is restoring");
    let mut degraded = workers("running");
    degraded[0].degraded.push("partition 3 is not read".to_owned());
    running.look("counts", degraded);
    expect(&running, "/readyz", 200, "ok");
    expect(&running, "/api/v1/jobs", 200, "\"state\":\"DEGRADED\"");
    running.look("counts", workers("waiting"));
    expect(&running, "/startupz", 200, "ok");
    running.end("counts", JobEnd::Failed(Problem::failure("the disk is full\nand more"), None));
    expect(&running, "/readyz", 503, "counts: failed: the disk is full\n");
    running.end("counts", JobEnd::Finished);
    expect(&running, "/readyz", 200, "ok");
}

#[test]
fn status_is_there_as_json_and_an_unknown_job_is_told_the_known_ones() {
    let server = serve(&board("running"), None);
    let (status, text) = get(&server, "/api/v1/jobs/counts");
    assert_eq!(status, 200, "{text}");
    let job: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(job["state"], "RUNNING");
    assert_eq!(job["operators"][0]["rows_out"], 5);
    assert_eq!(job["operators"][1]["inputs"][0], 0);
    assert_eq!(job["task_list"][0]["watermark"], "1970-01-02 00:00:00.000");
    assert_eq!(job["dropped"]["late"], 2);
    let (status, text) = get(&server, "/api/v1/jobs/other");
    assert_eq!(status, 404);
    assert!(text.contains("application/problem+json") && text.contains("there are: counts"), "{text}");
    let (status, text) = get(&server, "/");
    assert_eq!(status, 200);
    assert!(text.to_lowercase().contains("content-security-policy: default-src 'none'"), "{text}");
}

#[test]
fn who_has_no_token_or_another_host_is_turned_away() {
    let open = serve(&board("running"), None);
    for host in ["Host: evil.example\r\n", "Host: localhost.evil.example\r\n"] {
        assert_eq!(get_with(&open, "/metrics", host).0, 403, "{host}");
    }
    let closed = serve(&board("running"), Some("0123456789abcdef"));
    let host = "Host: anything\r\n";
    let sent =
        |token: &str| get_with(&closed, "/metrics", &format!("{host}Authorization: Bearer {token}\r\n")).0;
    assert_eq!(sent("0123456789abcdef"), 200);
    assert_eq!(sent("0123456789abcdeF"), 401);
    assert_eq!(get_with(&closed, "/api/v1/jobs", host).0, 401);
    assert_eq!(get_with(&closed, "/readyz", host).0, 200, "probes have no token");
    assert_eq!(get_with(&closed, "/", host).0, 200, "nor has the page, which asks for it");
}

#[test]
fn a_server_that_others_could_read_needs_a_token() {
    let start = |address: &str, token: Option<&str>| {
        let address: SocketAddr = address.parse().unwrap();
        let options = ServerOptions { address, token: token.map(str::to_owned), read_token: None, tls: None };
        Server::start(Board::new(), None, &options)
    };
    let refused = start("0.0.0.0:0", None).unwrap_err();
    assert!(matches!(refused, ServerError::Open(_)), "{refused}");
    assert!(matches!(start("127.0.0.1:0", Some("short")), Err(ServerError::Token)));
    let taken = start("127.0.0.1:0", None).unwrap();
    let again = start(&taken.address().to_string(), None).unwrap_err();
    assert!(again.to_string().contains("choose another address"), "{again}");
    let secret = |text: &str| Some(format!("a very secret {text}"));
    let options =
        |token, read_token| ServerOptions { address: taken.address(), token, read_token, tls: None };
    assert!(!format!("{:?}", options(secret("token"), secret("other"))).contains("secret"));
    for (token, read_token) in [(None, secret("token")), (secret("token"), secret("token"))] {
        let refused = Server::start(Board::new(), None, &options(token, read_token)).unwrap_err();
        assert!(matches!(refused, ServerError::Roles), "{refused}");
    }
}

#[test]
fn noise_is_refused_and_the_server_goes_on() {
    let server = serve(&board("running"), None);
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for _ in 0..100 {
        let mut noise: Vec<u8> = (0..next()).map(|_| next()).collect();
        noise.extend(b"\r\n\r\n");
        let (status, answer) = send(&server, &noise);
        assert!(status == 0 || status == 400, "{answer}");
    }
    let body = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(send(&server, body.as_bytes()).0, 405);
    let long =
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "a".repeat(1 << 20));
    assert!([0, 404, 414, 431].contains(&send(&server, long.as_bytes()).0));
    assert_eq!(get(&server, "/livez").0, 200);
}

fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// The fields that a schema says are always there, and those that it knows.
fn fields(described: &serde_json::Value, schema: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = &described["components"]["schemas"][schema];
    let required =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    (required.collect(), schema["properties"].as_object().unwrap().keys().cloned().collect())
}

#[test]
fn what_is_described_is_answered_and_has_the_fields_that_are_said() {
    let server = serve(&board("running"), None);
    let (status, text) = get(&server, "/api/openapi.json");
    assert_eq!(status, 200, "{text}");
    let described = body(&text);
    assert_eq!(described["openapi"], "3.1.0");
    let paths = described["paths"].as_object().unwrap();
    assert!(
        paths.contains_key("/metrics") && !paths.contains_key("/api/v1/query"),
        "only what there is: {paths:?}"
    );
    for path in paths.keys().filter(|path| !path.ends_with("/stream")) {
        let (status, text) = get(&server, &path.replace("{name}", "counts"));
        let responses = &described["paths"][path]["get"]["responses"][status.to_string()];
        let kinds: Vec<&String> = responses["content"].as_object().unwrap().keys().collect();
        assert_eq!(kinds.len(), 1, "{path}: {status}");
        assert!(text.to_lowercase().contains(&format!("content-type: {}", kinds[0])), "{path}: {text}");
    }
    let keys =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (required, known) = fields(&described, "Job");
    assert_eq!(keys(&body(&get(&server, "/api/v1/jobs").1)[0]), required);
    assert_eq!(keys(&body(&get(&server, "/api/v1/jobs/counts").1)), known);
    assert_eq!(keys(&body(&get(&server, "/api/v1").1)), fields(&described, "About").0);
    assert_eq!(keys(&body(&get(&server, "/api/v1/jobs/none").1)), fields(&described, "Problem").0);
    // Every reference leads somewhere.
    let text = described.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(described["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[test]
fn who_listens_is_told_of_changes_and_so_many_may() {
    let board = board("running");
    let server = serve(&board, None);
    let listen = || {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(b"GET /api/v1/jobs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        socket
    };
    // What is heard until a text is.
    let hear = |socket: &mut TcpStream, text: &str| {
        let mut heard = String::new();
        while !heard.contains(text) {
            let mut bytes = [0; 4096];
            let count = socket.read(&mut bytes).unwrap();
            assert!(count > 0, "it ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        heard
    };
    let mut socket = listen();
    let heard = hear(&mut socket, "\"state\":\"RUNNING\"");
    assert!(heard.contains("text/event-stream") && heard.contains("event: jobs"), "{heard}");
    board.end("counts", JobEnd::Finished);
    let heard = hear(&mut socket, "\"state\":\"FINISHED\"");
    assert_eq!(heard.matches("event: jobs").count(), 1, "nothing is said while nothing changes: {heard}");
    let mut others: Vec<TcpStream> = (1..32).map(|_| listen()).collect();
    assert!(others.iter_mut().all(|socket| hear(socket, "\r\n\r\n").contains(" 200 ")), "32 may listen");
    assert!(hear(&mut listen(), "\r\n\r\n").contains(" 503 "));
    assert_eq!(get(&server, "/livez").0, 200, "others are answered");
}

#[test]
fn the_page_about_metrics_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let wanted = millstream_server::reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/metrics.md is out of date: UPDATE=1 cargo test --release -p millstream-server"
    );
}
