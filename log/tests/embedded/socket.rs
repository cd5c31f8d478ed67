//! Topic commands of other processes, through the owner's socket.

use crate::common::*;
use millstream_log::embedded::{EmbeddedClient, EmbeddedLog, EmbeddedOptions, open_or_connect};
use millstream_log::{
    Isolation, Log, LogError, MemberOptions, OffsetQuery, RecordsBuilder, TopicSpec, TransactionOptions,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const DIR: &str = "MILLSTREAM_TEST_OWNER_DIR";

/// Owns a log until its standard input ends, or it is killed. Without its environment it is no test at all.
#[test]
fn owner() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let log = open(Path::new(&dir));
    create(&log, "t", 2);
    write(&log, &place("t", 0), records(&["of the owner"]));
    println!("! owned");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// A process that owns a log, and what it says.
struct Owner {
    process: Child,
    _said: BufReader<ChildStdout>,
}

fn start_owner(dir: &Path) -> Owner {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["socket::owner", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut said = BufReader::new(child.stdout.take().expect("piped"));
    let begins = said.by_ref().lines().map_while(Result::ok).any(|line| line.ends_with("! owned"));
    assert!(begins, "the owner begins");
    Owner { process: child, _said: said }
}

#[test]
fn another_process_is_served() {
    let dir = tempfile::tempdir().expect("a directory");
    let Owner { process: mut owner, _said } = start_owner(dir.path());
    let refused = EmbeddedLog::open(dir.path(), &options()).map(|_| ()).expect_err("it has an owner");
    let LogError::InUse { owner: named, advice, .. } = &refused else { panic!("{refused}") };
    assert!(named.contains(&owner.id().to_string()) && named.contains("socket::owner"), "{named}");
    assert!(advice.contains("topic commands"), "{advice}");

    let log = open_or_connect(dir.path(), &options()).expect("served");
    assert_eq!(log.info().kind, "embedded");
    assert_eq!(values(&committed(log.as_ref(), &place("t", 0))), ["of the owner"]);
    write(log.as_ref(), &place("t", 0), records(&["of another"]));
    create(log.as_ref(), "made", 1);
    drop(owner.stdin.take());
    owner.wait().expect("ended");

    // The owner is gone: what it had is there, and the same call opens it.
    let log = open_or_connect(dir.path(), &options()).expect("opened");
    assert_eq!(values(&committed(log.as_ref(), &place("t", 0))), ["of the owner", "of another"]);
    assert_eq!(log.admin().expect("admin").topics(), Ok(vec!["made".to_owned(), "t".to_owned()]));
}

#[test]
fn an_owner_that_is_killed_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let Owner { process: mut owner, _said } = start_owner(dir.path());
    let log = EmbeddedClient::connect(dir.path()).expect("served");
    let mut admin = log.admin().expect("admin");
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 1), 0)]);
    write(&log, &place("t", 0), records(&["acknowledged"]));
    let waiting = std::thread::spawn(move || reader.poll(SOON, &mut Vec::new()));
    owner.kill().expect("killed");
    owner.wait().expect("gone");
    let lost = waiting.join().expect("ended").expect_err("nobody answers");
    assert!(lost.to_string().contains("is lost"), "{lost}");
    assert!(admin.topics().is_err() && admin.topics().is_err());
    assert!(matches!(EmbeddedClient::connect(dir.path()), Err(LogError::NotReady(_))));
    let log = open_or_connect(dir.path(), &options()).expect("opened");
    assert_eq!(values(&committed(log.as_ref(), &place("t", 0))), ["of the owner", "acknowledged"]);
}

#[test]
fn errors_come_through_as_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let client = EmbeddedClient::connect(dir.path()).expect("served");
    assert_eq!(client.info(), log.info());
    let mut admin = client.admin().expect("admin");
    let spec = TopicSpec::new("t", 1).with("max.message.bytes", "10");
    admin.create_topic(&spec).expect("new");
    assert_eq!(admin.create_topic(&spec), Err(LogError::TopicExists("t".to_owned())));
    let odd = admin.create_topic(&TopicSpec::new("u", 1).with("flush.ms", "1"));
    assert!(matches!(odd, Err(LogError::BadConfig { key, .. }) if key == "flush.ms"));
    let missing = admin.offsets(&[place("no", 0)], OffsetQuery::Latest, Isolation::ReadCommitted);
    assert_eq!(missing, Err(LogError::UnknownTopic("no/0".to_owned())));
    let beyond = admin.delete_records(&[(place("t", 0), 5)]);
    let (wanted, start, end) = (5, 0, 0);
    assert_eq!(beyond, Err(LogError::OffsetOutOfRange { place: place("t", 0), wanted, start, end }));
    let mut writer = client.writer().expect("writer");
    writer.write(&place("t", 0), records(&["more than ten"])).expect("gathered");
    let large = writer.flush(SOON);
    assert_eq!(large, Err(LogError::RecordTooLarge { place: place("t", 0), bytes: 16, limit: 10 }));
    let member = MemberOptions {
        group: "g".to_owned(),
        instance: None,
        topics: vec!["t".to_owned()],
        session_timeout_ms: 1_000,
    };
    let refused = client.member(&member).map(|_| ()).expect_err("not served");
    assert!(
        matches!(&refused, LogError::Unsupported(text) if text.contains("a member of a group")),
        "{refused}"
    );
    let options = TransactionOptions { id: "w".to_owned(), timeout_ms: 1_000 };
    let refused = client.transactional_writer(&options).map(|_| ()).expect_err("not served");
    assert!(matches!(refused, LogError::Unsupported(_)), "{refused}");
}

#[test]
fn a_directory_with_a_long_path_is_served() {
    let root = tempfile::tempdir().expect("a directory");
    let mut dir = root.path().to_owned();
    for _ in 0..8 {
        dir.push("a-directory-whose-name-alone-is-quite-long");
    }
    assert!(dir.as_os_str().len() > 300);
    let log = open(&dir);
    create(&log, "t", 1);
    let client = EmbeddedClient::connect(&dir).expect("served");
    write(&client, &place("t", 0), records(&["far away"]));
    assert_eq!(values(&committed(&log, &place("t", 0))), ["far away"]);
    drop(log);
    assert!(!dir.join("socket").exists());
}

#[test]
fn only_the_owners_user_has_access() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log");
    let _log = open(&path);
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("socket"))), (0o700, 0o600));
}

#[test]
fn a_remote_poll_waits_and_is_woken() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let client = EmbeddedClient::connect(dir.path()).expect("served");
    let mut reader = reader(&client, Isolation::ReadCommitted, &[(place("t", 0), 0)]);
    let started = Instant::now();
    reader.poll(Duration::from_millis(50), &mut Vec::new()).expect("polled");
    assert!(started.elapsed() >= Duration::from_millis(50));
    let thread = std::thread::spawn(move || {
        let mut runs = Vec::new();
        reader.poll(SOON, &mut runs).expect("polled");
        runs
    });
    std::thread::sleep(Duration::from_millis(30));
    let started = Instant::now();
    write(&log, &place("t", 0), records(&["v"]));
    let runs = thread.join().expect("polled");
    assert_eq!(shown(&runs[0].records), [(0, "v".to_owned())]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_log_that_closes_ends_its_connections_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let client = EmbeddedClient::connect(dir.path()).expect("served");
    let mut reader = reader(&client, Isolation::ReadCommitted, &[(place("t", 0), 0)]);
    let waiting = std::thread::spawn(move || reader.poll(SOON, &mut Vec::new()));
    let idle = client.admin().expect("admin");
    std::thread::sleep(Duration::from_millis(30));
    let started = Instant::now();
    drop(log);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(waiting.join().expect("ended").is_err());
    drop(idle);
    drop(open(dir.path()));
}

#[test]
fn much_is_read_and_written_through_the_socket() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let spec = TopicSpec::new("t", 4).with("max.message.bytes", "100000000");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    let client = EmbeddedClient::connect(dir.path()).expect("served");
    let mut writer = client.writer().expect("writer");
    for round in 0..100 {
        for partition in 0..4 {
            let mut builder = RecordsBuilder::default();
            for record in 0..500 {
                let value = format!("{partition} {} {}", round * 500 + record, "x".repeat(100));
                builder.push(None, Some(value.as_bytes()), 0);
            }
            writer.write(&place("t", partition), builder.finish()).expect("taken");
        }
    }
    // One run of many megabytes, and a record larger than a frame.
    let mut builder = RecordsBuilder::default();
    for record in 50_000..50_040 {
        let value = format!("0 {record} {}", "y".repeat(1_000_000));
        builder.push(None, Some(value.as_bytes()), 0);
    }
    writer.write(&place("t", 0), builder.finish()).expect("taken");
    writer.flush(SOON).expect("acknowledged");
    let mut builder = RecordsBuilder::default();
    builder.push(None, Some(&vec![0; 20 << 20]), 0);
    let refused = writer.write(&place("t", 1), builder.finish()).and_then(|()| writer.flush(SOON));
    assert!(matches!(&refused, Err(LogError::Unsupported(text)) if text.contains("socket")), "{refused:?}");
    writer.write(&place("t", 1), records(&["1 50000 after"])).expect("the connection is as good as before");
    writer.flush(SOON).expect("acknowledged");

    for partition in 0..4 {
        let found = committed(&client, &place("t", partition));
        for (index, (offset, value)) in found.iter().enumerate() {
            assert_eq!(*offset, index as u64);
            assert!(value.starts_with(&format!("{partition} {index} ")), "{}", &value[..20]);
        }
        assert_eq!(found.len(), [50_040, 50_001, 50_000, 50_000][partition as usize]);
    }
}

#[test]
fn strangers_and_crowds_do_no_harm() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let socket = dir.path().join("socket");
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100], &[255; 100]] {
        let mut stranger = UnixStream::connect(&socket).expect("connected");
        let _ = stranger.write_all(noise);
        let mut answer = Vec::new();
        let _ = stranger.read_to_end(&mut answer);
        assert_eq!(answer, b"", "not a word to strangers");
    }
    // Friendly at first.
    for noise in
        [&[255u8; 4][..], &[100, 0, 0, 0, 255, 255, 255, 255], &[8, 0, 0, 0, 4, 0, 0, 0, 99, 99, 99, 99]]
    {
        let mut client = UnixStream::connect(&socket).expect("connected");
        client.write_all(b"MSTRMLOG\x01\x00\x01\x00").expect("sent");
        client.read_exact(&mut [0; 12]).expect("answered");
        let _ = client.write_all(noise);
        let _ = client.shutdown(std::net::Shutdown::Write);
        let _ = client.read_to_end(&mut Vec::new());
    }
    let mut crowd = Vec::new();
    let refused = loop {
        match EmbeddedClient::connect(dir.path()).and_then(|client| client.admin()) {
            Ok(admin) => crowd.push(admin),
            Err(error) => break error,
        }
        assert!(crowd.len() < 100, "there is a limit");
    };
    assert!(matches!(refused, LogError::NotReady(_)), "{refused}");
    assert!(crowd.len() >= 30);
    assert!(crowd.iter_mut().all(|admin| admin.topics() == Ok(vec!["t".to_owned()])));
    drop(crowd);
    eventually("there is room again", || EmbeddedClient::connect(dir.path()).is_ok());
}

#[test]
fn an_owner_that_does_not_serve_says_so_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let silent = EmbeddedOptions { serve: false, ..options() };
    let _log = EmbeddedLog::open(dir.path(), &silent).expect("opens");
    let started = Instant::now();
    let refused = open_or_connect(dir.path(), &options()).map(|_| ()).expect_err("not served");
    assert!(matches!(refused, LogError::InUse { .. }), "{refused}");
    assert!(started.elapsed() < Duration::from_secs(2));
}
