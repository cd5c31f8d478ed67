//! Tables of jobs, asked by clients of PostgreSQL.

use crate::command::{PATIENCE, Place, Running};
use crate::jobs::{COUNTS, produce};
use std::io::{BufRead, BufReader};
use std::process::{Command, Output};
use std::time::Instant;

/// The port that a server says it listens on for clients of PostgreSQL.
fn port(server: &mut Running) -> String {
    let mut lines = BufReader::new(server.child().stderr.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, rest) = line.split_once("clients of PostgreSQL connect to 127.0.0.1:")?;
        rest.split(',').next().map(str::to_owned)
    });
    // Who stops reading lets the server block.
    std::thread::spawn(move || lines.for_each(drop));
    port.expect("it says where")
}

/// PostgreSQL's client, which tests/setup.sh installs; nothing where it is missing, unless this is CI.
fn psql(port: &str, database: &str, commands: &[&str]) -> Option<Output> {
    let mut command = Command::new("psql");
    command.env("LC_ALL", "C.UTF-8").env("PGPASSWORD", "0123456789abcdef");
    command.args(["-X", "-q", "-w", "-A", "-t", "-h", "127.0.0.1", "-U", "me", "-d", database, "-p", port]);
    for one in commands {
        command.args(["-c", one]);
    }
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("psql: {error}"),
        Err(error) => {
            eprintln!("skipped: psql: {error}");
            None
        }
    }
}

/// The values that it shows, a row a line; tried again while the topics are not filled yet.
fn shown(port: &str, database: &str, query: &str) -> Option<String> {
    let output = psql(port, database, &[query])?;
    assert!(output.status.success(), "{query}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tables_of_jobs_are_asked_by_psql() {
    let place = Place::new();
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..300);
    std::fs::create_dir(place.path().join("sql")).unwrap();
    place.write("sql/shop.sql", COUNTS);
    place.write("token", "0123456789abcdef");
    let mut server =
        place.start("serve --jobs sql --http 127.0.0.1:0 --postgres 127.0.0.1:0 --http-token token");
    let port = port(&mut server);
    let query = "SELECT SUM(orders), COUNT(DISTINCT customer) > 1 FROM counts";
    let begun = Instant::now();
    loop {
        let Some(text) = shown(&port, "shop", query) else { return };
        if text == "300|t\n" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{text}");
    }
    let tables = shown(&port, "shop", "\\dt").unwrap();
    assert_eq!(tables, "public|counts|table|millstream\npublic|orders|table|millstream\n");
    let columns =
        shown(&port, "shop", "SELECT column_name, data_type FROM information_schema.columns ORDER BY 1")
            .unwrap();
    assert!(columns.contains("amount|bigint\n") && columns.contains("customer|text\n"), "{columns}");
    let one = shown(&port, "shop", r#"SELECT "o"."customer" IS NULL FROM "public"."orders" AS "o" LIMIT 1"#)
        .unwrap();
    assert_eq!(one, "f\n");
    // Constants are Flink's where only Flink has them.
    assert_eq!(shown(&port, "shop", "SELECT 1").unwrap(), "1\n");
    let output = psql(&port, "shop", &["SELECT custmer FROM orders"]).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("LINE 1: SELECT custmer") && said.contains("MS0501"),
        "{said}"
    );
    let output = psql(&port, "none", &["SELECT 1"]).unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("there are: shop, postgres"));
    server.signal("INT");
    assert_eq!(server.wait().code, 0);

    // A job by itself.
    let mut job = place.start("run sql/shop.sql --job shop --postgres 127.0.0.1:0");
    let port = self::port(&mut job);
    assert_eq!(shown(&port, "shop", "SELECT SUM(orders) FROM counts").unwrap(), "300\n");
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
}
