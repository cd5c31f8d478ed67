//! A connection against a broker that misbehaves: a task that reads requests and answers as it likes.

use super::*;
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, BrokerId, MetadataRequest, MetadataResponse,
};
use std::time::Duration;
use tokio::io::DuplexStream;

fn shared() -> Shared {
    let apis = [(18, (3, 3)), (3, (12, 12))];
    Shared {
        broker: "b:1 (1)".into(),
        client_id: StrBytes::from_static_str("test"),
        versions: OnceLock::from(Versions { apis: apis.into(), features: BTreeMap::new() }),
        until: OnceLock::new(),
        correlation: AtomicI32::new(0),
        state: Mutex::new(State::default()),
    }
}

fn connect() -> (Connection, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (read, write) = tokio::io::split(ours);
    (Connection::start(shared(), read, write, 1 << 20), theirs)
}

/// A request as it came: its correlation id.
async fn receive(broker: &mut DuplexStream) -> i32 {
    let frame = read_frame(broker, 1 << 20, &mut Pool::default()).await.expect("a request");
    i32::from_be_bytes(frame[4..8].try_into().expect("four bytes"))
}

/// An answer to the request for metadata, in one frame.
fn metadata(correlation: i32, controller: i32) -> Vec<u8> {
    let mut body = BytesMut::new();
    body.put_i32(correlation);
    body.put_u8(0);
    let answer = MetadataResponse::default().with_controller_id(BrokerId(controller));
    answer.encode(&mut body, 12).expect("an answer");
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test);
}

#[test]
fn requests_are_answered_in_their_order() {
    run(async {
        let (connection, mut broker) = connect();
        let first = connection.send(&MetadataRequest::default()).expect("queued");
        let second = connection.send(&MetadataRequest::default()).expect("queued");
        let (a, b) = (receive(&mut broker).await, receive(&mut broker).await);
        broker.write_all(&[metadata(a, 7), metadata(b, 8)].concat()).await.expect("room");
        assert_eq!(second.wait(soon()).await.expect("an answer").controller_id, BrokerId(8));
        assert_eq!(first.wait(soon()).await.expect("an answer").controller_id, BrokerId(7));
    });
}

/// Answers that are cut off are in doubt wherever they are cut; nothing is taken for something else.
#[test]
fn an_answer_that_is_cut_at_any_byte_leaves_its_request_in_doubt() {
    run(async {
        let whole = metadata(0, 7).len();
        for cut in 0..whole {
            let (connection, mut broker) = connect();
            let answer = connection.send(&MetadataRequest::default()).expect("queued");
            let id = receive(&mut broker).await;
            broker.write_all(&metadata(id, 7)[..cut]).await.expect("room");
            drop(broker);
            let found = answer.wait(soon()).await;
            assert!(matches!(found, Err(WireError::NoAnswer { .. })), "cut at {cut}: {found:?}");
            assert!(connection.is_closed());
            let refused = connection.send(&MetadataRequest::default()).expect_err("closed");
            assert!(matches!(refused, WireError::NotSent { .. }), "{refused:?}");
        }
    });
}

#[test]
fn doubled_swapped_and_foreign_answers_close_the_connection() {
    let cases: [(&str, fn(i32, i32) -> Vec<u8>); 4] = [
        ("doubled", |a, _| [metadata(a, 1), metadata(a, 1)].concat()),
        ("swapped", |a, b| [metadata(b, 2), metadata(a, 1)].concat()),
        ("foreign", |_, _| metadata(99, 1)),
        ("nobody asked", |a, b| [metadata(a, 1), metadata(b, 2), metadata(b + 1, 3)].concat()),
    ];
    for (case, answers) in cases {
        run(async move {
            let (connection, mut broker) = connect();
            let first = connection.send(&MetadataRequest::default()).expect("queued");
            let second = connection.send(&MetadataRequest::default()).expect("queued");
            let (a, b) = (receive(&mut broker).await, receive(&mut broker).await);
            broker.write_all(&answers(a, b)).await.expect("room");
            for (answer, own) in [(first, 1), (second, 2)] {
                match answer.wait(soon()).await {
                    Ok(answer) => assert_eq!(answer.controller_id, BrokerId(own), "{case}"),
                    Err(error) => assert!(matches!(error, WireError::NoAnswer { .. }), "{case}: {error}"),
                }
            }
            while !connection.is_closed() {
                tokio::task::yield_now().await;
            }
        });
    }
}

#[test]
fn a_late_answer_closes_the_connection_and_is_no_answer() {
    run(async {
        let (connection, mut broker) = connect();
        let first = connection.send(&MetadataRequest::default()).expect("queued");
        let second = connection.send(&MetadataRequest::default()).expect("queued");
        receive(&mut broker).await;
        let late = first.wait(Instant::now() + Duration::from_millis(20)).await;
        assert!(matches!(late, Err(WireError::NoAnswer { .. })), "{late:?}");
        let other = second.wait(soon()).await;
        assert!(matches!(other, Err(WireError::NoAnswer { .. } | WireError::NotSent { .. })), "{other:?}");
    });
}

/// What the broker never began to get can't have been done.
#[test]
fn what_is_still_queued_was_not_sent() {
    run(async {
        let (ours, broker) = tokio::io::duplex(16);
        let (read, write) = tokio::io::split(ours);
        let connection = Connection::start(shared(), read, write, 1 << 20);
        let first = connection.send(&MetadataRequest::default()).expect("queued");
        let second = connection.send(&MetadataRequest::default()).expect("queued");
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        drop(broker);
        let first = first.wait(soon()).await;
        assert!(matches!(first, Err(WireError::NoAnswer { .. })), "{first:?}");
        let second = second.wait(soon()).await;
        assert!(matches!(second, Err(WireError::NotSent { .. })), "{second:?}");
    });
}

#[test]
fn an_answer_that_is_too_large_or_no_answer_closes_the_connection() {
    for answer in
        [&[0x7f, 0xff, 0xff, 0xff][..], &[0xff; 8], &[0, 0, 0, 1, 0], b"HTTP/1.1 400 Bad Request\r\n"]
    {
        run(async move {
            let (connection, mut broker) = connect();
            let asked = connection.send(&MetadataRequest::default()).expect("queued");
            receive(&mut broker).await;
            broker.write_all(answer).await.expect("room");
            let found = asked.wait(soon()).await;
            assert!(matches!(found, Err(WireError::NoAnswer { .. })), "{found:?}");
        });
    }
}

#[test]
fn an_answer_with_other_bytes_is_malformed_and_never_panics() {
    run(async {
        let whole = metadata(0, 7);
        for at in 8..whole.len() {
            let (connection, mut broker) = connect();
            let answer = connection.send(&MetadataRequest::default()).expect("queued");
            receive(&mut broker).await;
            let mut changed = whole.clone();
            changed[at] ^= 0x15;
            broker.write_all(&changed).await.expect("room");
            match answer.wait(soon()).await {
                Ok(_) => assert!(!connection.is_closed()),
                Err(error) => {
                    assert!(matches!(error, WireError::Malformed { .. }), "{error:?}");
                    assert!(connection.is_closed());
                }
            }
        }
    });
}

#[test]
fn a_request_that_the_broker_does_not_know_is_not_sent() {
    run(async {
        let (ours, _broker) = tokio::io::duplex(16);
        let (read, write) = tokio::io::split(ours);
        let none = Shared { versions: OnceLock::new(), ..shared() };
        let connection = Connection::start(none, read, write, 1 << 20);
        let refused = connection.send(&ApiVersionsRequest::default()).map(drop).expect_err("unknown");
        assert!(matches!(refused, WireError::Unsupported { .. }), "{refused:?}");
        let _: Option<ApiVersionsResponse> = None;
    });
}

/// A connection that everybody has let go of is closed, once what was asked is answered.
#[test]
fn a_connection_that_nobody_uses_is_closed_after_its_last_answer() {
    run(async {
        let (connection, mut broker) = connect();
        let answer = connection.send(&MetadataRequest::default()).expect("queued");
        drop(connection);
        let id = receive(&mut broker).await;
        broker.write_all(&metadata(id, 7)).await.expect("room");
        assert_eq!(answer.wait(soon()).await.expect("an answer").controller_id, BrokerId(7));
        let end = tokio::time::timeout(Duration::from_secs(10), broker.read(&mut [0; 1])).await;
        assert_eq!(end.expect("closed").expect("an end"), 0);
    });
}
