//! The protocol, message by message.

use crate::backend::serve;
use crate::client::{Client, Told, error, kinds, rows, startup, text};
use millstream_postgres::{PostgresError, PostgresOptions, PostgresServer};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn texts(told: &[Told]) -> Vec<Vec<String>> {
    let value =
        |value: Option<Vec<u8>>| value.map_or("NULL".to_owned(), |value| String::from_utf8(value).unwrap());
    rows(told).into_iter().map(|row| row.into_iter().map(value).collect()).collect()
}

#[test]
fn statements_are_run_one_after_the_other_until_one_fails() {
    let (server, heard) = serve(None, None);
    let mut client = Client::connect(server.address());
    let told =
        client.query(r#"SELECT id FROM "public"."orders"; SET search_path = public; SHOW search_path;"#);
    assert_eq!(kinds(&told), "TDDCCTDCZ");
    assert_eq!(texts(&told)[0], ["1", "it's me", "12.50", "t", "2024-02-29 12:00:00.5+00", "[\"a\",\"b\"]"]);
    assert_eq!(texts(&told)[1], ["2", "NULL", "0.00", "f", "1999-12-31 23:59:59+00", "[]"]);
    assert_eq!(*heard.lock().unwrap(), ["SELECT id FROM `orders`"]);
    let told = client.query("SELECT 1; SELECT nope FROM orders; SELECT 2");
    assert_eq!(kinds(&told), "TDCEZ");
    let error = error(&told);
    assert_eq!((error[&'C'].as_str(), error[&'M'].as_str()), ("42000", "there is no column nope"));
    assert_eq!(error[&'P'], "18", "the place is that in the whole text");
    assert!(error[&'D'].contains("MS0501") && error[&'H'].contains("customer"), "{error:?}");
    assert_eq!(kinds(&client.query(" -- nothing\n")), "IZ");
    for (wrong, state) in
        [("INSERT INTO orders VALUES (1)", "25006"), ("SELECT 'a", "42601"), ("SHOW nope", "42704")]
    {
        assert_eq!(crate::client::error(&client.query(wrong))[&'C'], state, "{wrong}");
    }
}

#[test]
fn parameters_and_results_go_over_in_binary_too() {
    let (server, heard) = serve(None, None);
    let mut client = Client::connect(server.address());
    let id = 7_i64.to_be_bytes();
    let told = client.extended(
        "SELECT * FROM orders WHERE id = $1 AND customer <> $2 LIMIT $3",
        &[],
        &[&id, b"it's", &id],
        true,
        0,
    );
    assert_eq!(kinds(&told), "12TDDCZ");
    let first = rows(&told).remove(0);
    assert_eq!(first[0].as_deref(), Some(&1_i64.to_be_bytes()[..]));
    assert_eq!(first[1].as_deref(), Some(&b"it's me"[..]));
    assert_eq!(first[2].as_deref(), Some(&[0, 2, 0, 0, 0, 0, 0, 2, 0, 12, 19, 136][..]));
    assert_eq!(first[3].as_deref(), Some(&[1][..]));
    assert_eq!(first[4].as_deref(), Some(&762_523_200_500_000_i64.to_be_bytes()[..]));
    let asked = "SELECT * FROM orders WHERE id = CAST('7' AS BIGINT) AND customer <> 'it''s' LIMIT 7";
    assert_eq!(heard.lock().unwrap().last().map(String::as_str), Some(asked));
    // The catalog takes them as well.
    let told = client.extended(
        "SELECT typname FROM pg_type WHERE oid = $1",
        &[26],
        &[&23_u32.to_be_bytes()],
        true,
        0,
    );
    assert_eq!(rows(&told), [[Some(b"int4".to_vec())]]);
    let told = client.extended("SELECT * FROM orders WHERE id = $1", &[], &[b"seven"], false, 0);
    assert_eq!(error(&told)[&'C'], "22P02", "eight bytes are needed");
}

#[test]
fn rows_are_fetched_in_parts() {
    let (server, heard) = serve(None, None);
    let mut client = Client::connect(server.address());
    client.query("BEGIN");
    client.say('P', &[text("s"), text("SELECT n FROM numbers"), vec![0, 0]].concat());
    client.say('B', &[text("p"), text("s"), vec![0; 6]].concat());
    let mut seen = Vec::new();
    for (rows_max, last) in [(4, 's'), (4, 's'), (4, 'C')] {
        client.say('E', &[text("p"), u32::to_be_bytes(rows_max).to_vec()].concat());
        client.say('S', &[]);
        let told = client.until('Z');
        assert!(kinds(&told).contains(last), "{}", kinds(&told));
        seen.extend(texts(&told).concat());
    }
    assert_eq!(seen, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(heard.lock().unwrap().len(), 1, "it was asked once");
    client.query("COMMIT");
    client.say('E', &[text("p"), vec![0; 4]].concat());
    client.say('S', &[]);
    assert_eq!(error(&client.until('Z'))[&'C'], "34000", "portals end with their transaction");
}

#[test]
fn after_an_error_all_is_passed_over_until_the_end_of_what_belongs_together() {
    let (server, _) = serve(None, None);
    let mut client = Client::connect(server.address());
    client.say('P', &[text(""), text("SELECT nope FROM orders"), vec![0, 0]].concat());
    client.say('D', &[b"S".to_vec(), text("")].concat());
    client.say('B', &[text(""), text("missing"), vec![0; 6]].concat());
    client.say('Q', &text("SELECT 1"));
    client.say('S', &[]);
    assert_eq!(kinds(&client.until('Z')), "1EZ");
    assert_eq!(kinds(&client.query("SELECT 1")), "TDCZ");
    client.query("BEGIN");
    client.query("SELECT nope FROM orders");
    let told = client.query("SELECT 1");
    assert_eq!((error(&told)[&'C'].as_str(), told.last().unwrap().1.as_slice()), ("25P02", &b"E"[..]));
    let told = client.query("COMMIT");
    assert_eq!((told[0].1.as_slice(), told[1].1.as_slice()), (&b"ROLLBACK\0"[..], &b"I"[..]));
}

#[test]
fn a_question_ends_when_it_is_cancelled_or_takes_too_long_or_nobody_waits() {
    let (server, _) = serve(None, None);
    let mut client = Client::connect(server.address());
    client.say('Q', &text("SELECT slow FROM orders"));
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    // A wrong secret ends nothing.
    let cancel = |key: &[u8]| [&16_u32.to_be_bytes()[..], &80_877_102_u32.to_be_bytes(), key].concat();
    let mut wrong = client.key.clone();
    *wrong.last_mut().unwrap() ^= 1;
    for key in [wrong, client.key.clone()] {
        let mut other = Client::open(server.address());
        other.socket.write_all(&cancel(&key)).unwrap();
        assert_eq!(other.socket.read(&mut [0]).unwrap(), 0);
    }
    assert_eq!(error(&client.until('Z'))[&'C'], "57014");
    assert!(begun.elapsed() < Duration::from_secs(30));
    client.query("SET statement_timeout = '100ms'");
    assert_eq!(error(&client.query("SELECT slow FROM orders"))[&'C'], "54000");
    // Those of clients that are gone make room for others: there are four places.
    for _ in 0..8 {
        let mut gone = Client::connect(server.address());
        gone.say('Q', &text("SELECT slow FROM orders"));
    }
    client.query("RESET statement_timeout");
    let begun = Instant::now();
    assert_eq!(kinds(&client.query("SELECT n FROM numbers LIMIT 1")).chars().last(), Some('Z'));
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn who_may_come_in_is_asked_for_a_password_and_which_database() {
    let (server, _) = serve(Some("0123456789abcdef"), None);
    let mut client = Client::open(server.address());
    client.socket.write_all(&startup("shop")).unwrap();
    let (kind, body) = client.next().unwrap();
    assert_eq!((kind, &body[..4], &body[4..]), ('R', &10_u32.to_be_bytes()[..], &b"SCRAM-SHA-256\0\0"[..]));
    // Nothing is answered before that.
    client.say('Q', &text("SELECT 1"));
    assert_eq!(error(&[client.next().unwrap()])[&'C'], "08P01");
    assert!(client.next().is_none());
    let (server, _) = serve(None, None);
    let mut client = Client::open(server.address());
    client.socket.write_all(&startup("nowhere")).unwrap();
    let told = error(&[client.next().unwrap()]);
    assert_eq!(told[&'C'], "3D000");
    assert!(told[&'H'].contains("shop"), "{told:?}");
    let start = |address: &str, password: Option<&str>, read: Option<&str>| {
        let (address, password) = (address.parse().unwrap(), password.map(str::to_owned));
        let options =
            PostgresOptions { address, password, read_password: read.map(str::to_owned), tls: None };
        assert!(!format!("{options:?}").contains("0123"));
        PostgresServer::start(std::sync::Arc::new(Nobody), &options).map(drop)
    };
    assert!(matches!(start("0.0.0.0:0", None, None), Err(PostgresError::Open(_))));
    assert!(matches!(start("127.0.0.1:0", Some("short"), None), Err(PostgresError::Password)));
    assert!(matches!(start("127.0.0.1:0", None, Some("0123456789abcdef")), Err(PostgresError::Roles)));
}

struct Nobody;

impl millstream_postgres::Backend for Nobody {
    fn databases(&self) -> Vec<String> {
        Vec::new()
    }

    fn tables(&self, _: &str) -> Result<Vec<millstream_postgres::Table>, millstream_postgres::Refusal> {
        Ok(Vec::new())
    }

    fn describe(
        &self,
        _: &str,
        _: &str,
    ) -> Result<Vec<millstream_postgres::Column>, millstream_postgres::Refusal> {
        Ok(Vec::new())
    }

    fn answer(
        &self,
        _: millstream_postgres::Asked<'_>,
    ) -> Result<millstream_postgres::Answer, millstream_postgres::Refusal> {
        Ok(millstream_postgres::Answer::default())
    }
}

/// Bytes that are no message end their connection, with a word where there can be one, and no other's.
#[test]
fn noise_ends_its_own_connection_and_nothing_else() {
    let (server, _) = serve(None, None);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..300 {
        let mut bytes: Vec<u8> = (0..next() % 60).map(|_| next() as u8).collect();
        match round % 3 {
            // Before it is let in, and behind, with a right length or any.
            0 => {
                let mut client = Client::open(server.address());
                if round % 2 == 0 {
                    bytes.splice(..0, (bytes.len() as u32 + 8).to_be_bytes().into_iter().chain([0, 3, 0, 0]));
                }
                let _ = client.socket.write_all(&bytes);
                drop(client);
            }
            kind => {
                let mut client = Client::connect(server.address());
                let message = b"QPBDECHSpdX"[(next() % 11) as usize] as char;
                match kind {
                    1 => client.say(message, &bytes),
                    _ => {
                        let _ = client.socket.write_all(
                            &[&[message as u8][..], &(next() as u32).to_be_bytes(), &bytes].concat(),
                        );
                    }
                }
                let _ = client.socket.shutdown(std::net::Shutdown::Write);
                let mut answer = Vec::new();
                let _ = client.socket.read_to_end(&mut answer);
            }
        }
    }
    // A length that nobody has is refused at once, and not waited for.
    let mut client = Client::connect(server.address());
    client.socket.write_all(b"Q\x7f\xff\xff\xff").unwrap();
    assert_eq!(error(&[client.next().unwrap()])[&'C'], "08P01");
    // A page in a browser can't speak to it.
    let mut client = Client::open(server.address());
    client.socket.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(error(&[client.next().unwrap()])[&'C'], "08P01");
    assert_eq!(kinds(&Client::connect(server.address()).query("SELECT 1")), "TDCZ");
}

#[test]
fn there_are_so_many_connections_and_no_more() {
    let (server, _) = serve(None, None);
    let mut held: Vec<Client> = (0..64).map(|_| Client::connect(server.address())).collect();
    let mut one_more = Client::open(server.address());
    assert_eq!(error(&[one_more.next().unwrap()])[&'C'], "53300");
    held.pop();
    let begun = Instant::now();
    loop {
        let mut client = Client::open(server.address());
        client.socket.write_all(&startup("shop")).unwrap();
        if client.next().is_some_and(|(kind, _)| kind == 'R') {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
