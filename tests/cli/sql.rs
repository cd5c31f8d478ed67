//! Questions outside of a job.

use crate::command::Place;
use crate::jobs::{COUNTS, produce};

const TOTALS: &str = "SELECT customer, COUNT(*) AS orders, SUM(amount) AS amount FROM orders GROUP BY customer ORDER BY amount DESC LIMIT 2";

fn ask(place: &Place, question: &str, more: &str) -> String {
    place.write("q.sql", question);
    let input = std::fs::read_to_string(place.path().join("q.sql")).unwrap();
    let done = place.run_on(&format!("sql job.sql {more}"), &input);
    assert_eq!(done.code, 0, "{question}: {done:?}");
    done.out
}

#[test]
fn a_question_is_answered_over_what_is_there_and_leaves_nothing_behind() {
    answered(&Place::new());
}

#[test]
fn a_question_is_answered_on_kafka_whose_health_is_looked_at() {
    let Some(place) = Place::on_kafka() else { return };
    answered(&place);
    let out = place.ok("doctor job.sql");
    for part in ["ok   broker", "ok   log", "ok   transactions", "ok   plan"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
}

fn answered(place: &Place) {
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 3");
    produce(place, 0..70);
    let before = place.ok("topic list");
    // Customers c0 to c6, ten orders each: the last has the largest amounts.
    let totals = "{\"customer\":\"c6\",\"orders\":10,\"amount\":375}\n{\"customer\":\"c5\",\"orders\":10,\"amount\":365}\n";
    assert_eq!(ask(place, TOTALS, ""), totals);
    assert_eq!(ask(place, TOTALS, "--format csv"), "customer,orders,amount\nc6,10,375\nc5,10,365\n");
    let table = ask(place, TOTALS, "--format table");
    assert!(table.starts_with(" customer │ orders │ amount\n"), "{table}");
    assert_eq!(ask(place, "SELECT COUNT(*) AS n FROM orders WHERE amount < 5", ""), "{\"n\":5}\n");
    assert_eq!(ask(place, "SELECT amount FROM orders LIMIT 4", "").lines().count(), 4);
    assert_eq!(place.ok("topic list"), before, "nothing was made");
}

#[test]
fn an_upsert_table_answers_with_the_last_version_also_while_its_job_runs() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..70);
    let mut job = place.start("run job.sql");
    job.wait_until_it_has_the_log(&place);
    let all = "SELECT orders, COUNT(*) AS customers FROM counts GROUP BY orders ORDER BY orders";
    let begun = std::time::Instant::now();
    let answer = || {
        let done = place.run_on("sql job.sql", all);
        // The table's topic is made when the job starts.
        if done.code == 0 { done.out } else { done.err }
    };
    while answer() != "{\"orders\":10,\"customers\":7}\n" {
        assert!(begun.elapsed() < crate::command::PATIENCE, "{}", answer());
    }
    produce(&place, 70..77);
    while answer() != "{\"orders\":11,\"customers\":7}\n" {
        assert!(begun.elapsed() < crate::command::PATIENCE, "{}", answer());
    }
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
}

#[test]
fn a_wrong_question_is_shown_at_its_place_and_declarations_hold_for_those_behind() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    produce(&place, 0..3);
    let done = place.run_on("sql job.sql", "SELECT custmer FROM orders");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("query:1:8") && done.err.contains("custmer"), "{}", done.err);
    let done = place.run_on("sql job.sql", "INSERT INTO counts SELECT 'a', 1, 1");
    assert!(done.code == 3 && done.err.contains("only a query can be asked"), "{done:?}");
    let two = "CREATE VIEW big AS SELECT amount AS a FROM orders WHERE amount > 0; SELECT SUM(a) AS s FROM big; SELECT MAX(a) AS m FROM big;";
    assert_eq!(ask(&place, two, ""), "{\"s\":3}\n{\"m\":2}\n");
    let done = place.run_on("sql job.sql --log nowhere", "SELECT amount FROM orders");
    assert!(done.code == 4 && done.err.contains("no log in"), "{done:?}");
}

#[test]
fn a_table_that_is_filled_by_a_query_is_not_declared_and_left_empty() {
    let place = Place::new();
    place.write(
        "tables.sql",
        "CREATE TABLE t (k INT) WITH ('connector' = 'datagen', 'number-of-rows' = '2');",
    );
    let made = "CREATE TABLE filled WITH ('connector' = 'blackhole') AS SELECT k FROM t; SHOW TABLES";
    let done = place.run_on("sql tables.sql", made);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("CREATE TABLE .. AS fills a table, which takes a job"), "{}", done.err);
    assert!(done.err.contains("CREATE VIEW .. AS"), "{}", done.err);
}

#[test]
fn an_answer_that_is_followed_comes_change_by_change() {
    use std::io::{BufRead, BufReader};
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    produce(&place, 0..1);
    let mut job = place.start("run job.sql");
    job.wait_until_it_has_the_log(&place);
    place.write("watch.sql", COUNTS.replace("INSERT", "-- INSERT"));
    let mut follow = place.start(
        "sql watch.sql --follow --format json --execute SELECT/**/COUNT(*)/**/AS/**/n/**/FROM/**/orders",
    );
    let mut lines = BufReader::new(follow.child().stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "{\"op\":\"+I\",\"row\":{\"n\":1}}");
    produce(&place, 1..2);
    assert_eq!(lines.next().unwrap().unwrap(), "{\"op\":\"-D\",\"row\":{\"n\":1}}");
    assert_eq!(lines.next().unwrap().unwrap(), "{\"op\":\"+I\",\"row\":{\"n\":2}}");
    follow.signal("INT");
    assert!([0, 130].contains(&follow.wait().code));
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
}
