//! What looks at a running job, at the machine and at the log.

use crate::command::{PATIENCE, Place};
use crate::http::address;
use crate::jobs::COUNTS;
use std::time::Instant;

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    let done = place.run("doctor job.sql");
    assert!(done.code == 4 && done.out.contains("BAD  log"), "no log yet: {done:?}");
    place.ok("topic create counts --partitions 2");
    let done = place.run("doctor job.sql");
    assert_eq!(done.code, 4, "{done:?}");
    for part in [
        "ok   disk",
        "fsync",
        "open files",
        "BAD  plan",
        "orders is not there",
        "topic create orders --partitions N",
    ] {
        assert!(done.out.contains(part), "{part} is missing in\n{}", done.out);
    }
    place.ok("topic create orders --partitions 2");
    let out = place.ok("doctor job.sql");
    assert!(out.contains("poor topic") && out.contains("counts: 2 partitions, not compacted"), "{out}");
    assert!(out.contains("job fits its topics: "), "{out}");
    // A file that only declares: its tables are looked at by themselves.
    let tables = COUNTS.split("INSERT INTO").next().unwrap().to_owned();
    place.write("tables.sql", &tables);
    let out = place.ok("doctor tables.sql");
    assert!(
        out.contains("orders: 2 partitions") && out.contains("counts: 2 partitions, not compacted"),
        "{out}"
    );
    assert!(!out.contains("fits"), "there is no job: {out}");
    place.write("tables.sql", tables.replace("'orders'", "'none'"));
    let done = place.run("doctor tables.sql");
    assert!(done.code == 4 && done.out.contains("none is not there"), "{done:?}");
    place.write("tables.sql", "-- nothing\n");
    assert_eq!(place.run("doctor tables.sql").code, 3);
    let done = place.run("doctor --bootstrap-servers 127.0.0.1:1");
    assert!(done.code == 4 && done.out.contains("BAD  broker") && done.out.contains("refused"), "{done:?}");
}

#[test]
fn why_names_the_partition_that_holds_windows_open() {
    let place = Place::new();
    let job = COUNTS.replacen("'scan.startup", "'scan.watermark.idle-timeout' = '1 h', 'scan.startup", 1).replace("amount INT)", "amount INT, at TIMESTAMP(3), WATERMARK FOR at AS at)").replace(
        "INSERT INTO counts SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer",
        "INSERT INTO counts SELECT customer, COUNT(*), SUM(amount) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(at), INTERVAL '1' \
         HOUR)) GROUP BY customer, window_start, window_end",
    );
    place.write(
        "job.sql",
        job.replace(
            "INSERT INTO counts",
            "SET 'table.exec.sink.require-on-conflict' = 'false'; INSERT INTO counts",
        ),
    );
    place.ok("topic create orders --partitions 2");
    let input = "{\"customer\":\"a\",\"amount\":1,\"at\":\"2025-01-01 10:00:00\"}\n";
    assert_eq!(place.run_on("topic produce orders --format json", input).code, 0);
    let mut running = place.start("run job.sql --http 127.0.0.1:0");
    let address = address(&mut running);
    let begun = Instant::now();
    loop {
        let done = place.run(&format!("why job --server http://{address}"));
        if done.out.contains("holds the watermark: it has none yet") {
            assert!(done.out.contains("orders-") && done.out.contains("idle-timeout"), "{done:?}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{done:?}");
    }
    running.signal("INT");
    assert_eq!(running.wait().code, 0);
    let done = place.run("why nothing --server http://127.0.0.1:1");
    assert_eq!(done.code, 4, "{done:?}");
}

#[test]
fn shells_complete_commands_and_the_manual_has_a_page_of_each() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = place.ok(&format!("completions {shell}"));
        assert!(text.contains("dead-letter") && text.contains("serve"), "{shell}");
    }
    std::fs::create_dir(place.path().join("man")).unwrap();
    place.ok("man man");
    let page = |name: &str| std::fs::read_to_string(place.path().join("man").join(name)).unwrap();
    assert!(page("millstream.1").contains("Stream processing over a durable log"));
    assert!(page("millstream-job-submit.1").contains("replace"));
}
