//! Functions that a program has written in Rust, called in SQL: what they give, what becomes of what they can't compute, and
//! what they can't be called.

use millstream::driver::TestDriver;
use millstream::operators::TopicPartition;
use millstream::operators::dead_letter::original_of;
use millstream::sql::functions::{Aggregate, Date, Decimal, FunctionError, Functions, Timestamp};
use millstream::{replay, sql};
use std::collections::BTreeMap;

const TABLES: &str = "
CREATE TABLE lines (who STRING, text STRING, n INT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH (
  'connector' = 'kafka', 'topic' = 'lines', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE out (a STRING, b STRING) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json');
CREATE TABLE last (a STRING, b STRING, PRIMARY KEY (a) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'json', 'value.format' = 'json');
";

/// The functions that the tests call.
fn functions() -> Functions {
    let mut functions = Functions::new();
    let all = |functions: &mut Functions| -> Result<(), FunctionError> {
        functions.scalar("shout", 1, |text: &str| text.to_uppercase())?;
        functions.scalar("named", 1, |name: Option<&str>| name.map_or("nobody".to_owned(), str::to_owned))?;
        functions.scalar("repeated", 1, |text: &str, times: i64| text.repeat(times as usize))?;
        functions
            .scalar("port", 1, |text: &str| text.parse::<i32>().map_err(|_| format!("{text} is no port")))?;
        functions.scalar("careful", 1, |n: i32| -> i32 {
            assert!(n < 3, "{n} is too many");
            n
        })?;
        functions.scalar("answer", 1, || 42)?;
        functions.table("words", 1, &["word", "length"], |text: &str| {
            text.split_whitespace().map(|word| (word.to_owned(), word.len() as i32)).collect::<Vec<_>>()
        })?;
        functions.table("twice", 1, &["n"], |n: i32| vec![n, n])?;
        functions.table("digits", 1, &["digit"], |text: &str| match text.parse::<u64>() {
            Ok(_) => Ok(text.chars().map(|digit| digit.to_string()).collect::<Vec<_>>()),
            Err(_) => Err(format!("{text} is no number")),
        })?;
        functions.aggregate("total", 1, total())?;
        functions.aggregate("grown", 1, grown())?;
        functions.aggregate("joined", 1, joined())?;
        Ok(())
    };
    all(&mut functions).unwrap();
    functions
}

/// A sum that can do all.
fn total() -> Aggregate<i64, fn(i64)> {
    Aggregate::new(|sum: &mut i64, n: i64| *sum += n, |sum: &i64| *sum)
        .retract(|sum: &mut i64, n: i64| *sum -= n)
        .merge(|sum, other| *sum += other)
}

/// A sum that can't take a row back.
fn grown() -> Aggregate<i64, fn(i64)> {
    Aggregate::new(|sum: &mut i64, n: i64| *sum += n, |sum: &i64| *sum).merge(|sum, other| *sum += other)
}

/// Texts in the order in which they came, of two arguments, for which all values are kept.
fn joined() -> Aggregate<String, fn(Option<&'static str>, i32)> {
    Aggregate::new(
        |all: &mut String, text: Option<&str>, n: i32| all.push_str(&format!("{}{n} ", text.unwrap_or("-"))),
        |all: &String| (!all.is_empty()).then(|| all.trim_end().to_owned()),
    )
}

fn planned(text: &str) -> sql::SqlJob {
    functions().plan("job.sql", &format!("{TABLES}{text}")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn refused(text: &str) -> String {
    functions().plan("job.sql", &format!("{TABLES}{text}")).unwrap_err().to_string()
}

/// A line as JSON.
fn line(who: &str, text: &str, n: i64, second: i64) -> String {
    format!(r#"{{"who": "{who}", "text": "{text}", "n": {n}, "at": "2023-01-01 00:00:{second:02}.000"}}"#)
}

/// The values of a topic that a job writes for these lines, in every way that must not make a difference; of a topic with
/// keys the last of each.
fn written(text: &str, lines: &[String]) -> Vec<String> {
    let job = planned(text);
    let mut all = Vec::new();
    for crashes in [false, true] {
        let mut driver = TestDriver::new(&job.topology, &[("lines", 1), ("out", 1)]).unwrap();
        for line in lines {
            driver.produce("lines", 0, None, Some(line.as_bytes()), 5);
            if crashes {
                driver.run().unwrap();
                driver.crash();
            }
        }
        driver.run().unwrap();
        all.push(values(&driver));
        driver.finish().unwrap();
    }
    assert_eq!(all[0], all[1], "with crashes it is otherwise");
    all.swap_remove(0)
}

fn values(driver: &TestDriver) -> Vec<String> {
    let (mut values, mut last) = (Vec::new(), BTreeMap::new());
    for output in driver.read("out") {
        match output.key {
            Some(key) => drop(last.insert(key, output.value)),
            None => values.push(output.value.unwrap_or_default()),
        }
    }
    values.extend(last.into_values().flatten());
    values
}

fn row(a: &str, b: &str) -> String {
    let b = if b == "null" { b.to_owned() } else { format!("\"{b}\"") };
    format!(r#"{{"a":"{a}","b":{b}}}"#)
}

#[test]
fn a_function_of_a_row_is_called_wherever_an_expression_stands() {
    let lines = [line("ann", "tea", 2, 1), line("bob", "milk", 1, 2), line("cy", "no", 0, 3)];
    let query = "INSERT INTO out SELECT shout(who), Repeated(text, n) FROM lines WHERE careful(n) > 0;";
    assert_eq!(written(query, &lines), [row("ANN", "teatea"), row("BOB", "milk")]);
    let query = "INSERT INTO last SELECT shout(who), CAST(COUNT(*) + answer() AS STRING) FROM lines GROUP BY shout(who);";
    assert_eq!(written(query, &lines), [row("ANN", "43"), row("BOB", "43"), row("CY", "43")]);
}

#[test]
fn a_null_is_given_to_a_function_that_takes_it_and_is_null_for_another() {
    let lines =
        [line("ann", "", 2, 1).replace("\"ann\"", "null").replace("\"\"", "null"), line("ann", "x", 1, 1)];
    let query = "INSERT INTO out SELECT named(who), shout(text) FROM lines;";
    assert_eq!(written(query, &lines), [row("nobody", "null"), row("ann", "X")]);
    let query = "INSERT INTO out SELECT named(NULL), shout(CAST(NULL AS STRING)) FROM lines;";
    assert_eq!(written(query, &lines), [row("nobody", "null"), row("nobody", "null")]);
}

#[test]
fn every_type_of_rust_that_is_one_of_sql_goes_in_and_comes_out() {
    let mut functions = Functions::new();
    let all = |functions: &mut Functions| -> Result<(), FunctionError> {
        functions.scalar("t_bool", 1, |x: bool| !x)?;
        functions.scalar("t_i8", 1, |x: i8| x + 1)?;
        functions.scalar("t_i16", 1, |x: i16| x + 1)?;
        functions.scalar("t_f32", 1, |x: f32| x * 2.0)?;
        functions.scalar("t_f64", 1, |x: f64| x * 2.0)?;
        functions.scalar("t_bytes", 1, |x: &[u8]| x.iter().rev().copied().collect::<Vec<u8>>())?;
        functions.scalar("t_owned", 1, |x: Vec<u8>, y: String| format!("{}{y}", x.len()))?;
        functions.scalar("t_date", 1, |x: Date| Date { days: x.days + 1 })?;
        functions.scalar("t_time", 1, |x: Timestamp| Timestamp { ms: x.ms + 1_500 })?;
        functions
            .scalar("t_decimal", 1, |x: Decimal<12, 2>| Decimal::<12, 2> { unscaled: x.unscaled + 5 })?;
        functions.scalar("t_array", 1, |x: &str| x.split(',').map(str::to_owned).collect::<Vec<String>>())?;
        functions.scalar("t_static", 1, |x: i32| if x > 0 { Some("more") } else { None })?;
        Ok(())
    };
    all(&mut functions).unwrap();
    let text = |expression: &str| {
        format!("{TABLES}INSERT INTO out SELECT who, CAST({expression} AS STRING) FROM lines;")
    };
    let answers = [
        ("t_bool(n = 1)", "FALSE"),
        ("t_i8(CAST(n AS TINYINT))", "2"),
        ("t_i16(CAST(n AS TINYINT))", "2"),
        ("t_f32(CAST(n AS SMALLINT))", "2.0"),
        ("t_f64(n)", "2.0"),
        ("t_f64(1.25)", "2.5"),
        ("CAST(t_bytes(CAST(text AS BYTES)) AS STRING)", "cba"),
        ("t_owned(CAST(text AS BYTES), who)", "3ann"),
        ("t_date(DATE '2023-02-28')", "2023-03-01"),
        ("t_time(at)", "2023-01-01 00:00:02.500"),
        ("t_decimal(n)", "1.05"),
        ("CARDINALITY(t_array('a,b,c'))", "3"),
        ("t_array('a,b,c')[2]", "b"),
        ("t_static(n)", "more"),
    ];
    for (expression, expected) in answers {
        let job = functions.plan("job.sql", &text(expression)).unwrap_or_else(|errors| panic!("{errors}"));
        let mut driver = TestDriver::new(&job.topology, &[("lines", 1), ("out", 1)]).unwrap();
        driver.produce("lines", 0, None, Some(line("ann", "abc", 1, 1).as_bytes()), 5);
        driver.run().unwrap();
        assert_eq!(values(&driver), [row("ann", expected)], "{expression}");
    }
}

#[test]
fn what_a_function_can_not_compute_fails_the_job_with_the_record_and_the_expression() {
    for (call, text, said) in [
        ("CAST(port(text) AS STRING)", "x1", "port(text): x1 is no port"),
        ("CAST(careful(n) AS STRING)", "80", "careful(n): the function panicked: 7 is too many"),
    ] {
        let job = planned(&format!("INSERT INTO out SELECT who, {call} FROM lines;"));
        let mut driver = TestDriver::new(&job.topology, &[("lines", 1), ("out", 1)]).unwrap();
        driver.produce("lines", 0, None, Some(line("ann", "80", 1, 1).as_bytes()), 5);
        driver.produce("lines", 0, None, Some(line("bob", text, 7, 1).as_bytes()), 5);
        let error = driver.run().unwrap_err().to_string();
        assert!(error.contains("topic lines, partition 0, offset 1: ") && error.contains(said), "{error}");
    }
}

#[test]
fn what_a_function_can_not_compute_is_a_dead_letter_and_other_rows_go_on() {
    let letters = "'scan.startup.mode' = 'earliest-offset', 'scan.bad-records' = 'dead-letter', 'scan.dead-letter-topic' = 'dead'";
    let tables = TABLES.replace("'scan.startup.mode' = 'earliest-offset'", letters);
    for query in [
        "INSERT INTO out SELECT who, CAST(port(text) + careful(n) AS STRING) FROM lines;",
        "INSERT INTO out SELECT who, d FROM (SELECT who, text FROM lines WHERE careful(n) < 3) AS l, \
         LATERAL TABLE(digits(text)) AS t(d);",
    ] {
        let job = functions().plan("job.sql", &format!("{tables}{query}")).unwrap();
        let topics = [("lines", 1), ("out", 1), ("dead", 1)];
        let mut driver = TestDriver::new(&job.topology, &topics).unwrap();
        for bad in [line("a", "8", 1, 1), line("b", "x", 1, 1), line("c", "9", 9, 1), line("d", "1", 0, 1)] {
            driver.produce("lines", 0, None, Some(bad.as_bytes()), 5);
        }
        driver.run().unwrap();
        let dead = replay::read_all(driver.log(), &TopicPartition::new("dead", 0)).unwrap();
        let mut offsets: Vec<u64> = dead.iter().map(|letter| original_of(&letter).unwrap().offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, [1, 2], "{query}");
        let names: Vec<String> = values(&driver).iter().map(|row| row[6..7].to_owned()).collect();
        assert_eq!(names, ["a", "d"], "{query}");
        driver.finish().unwrap();
    }
}

#[test]
fn a_function_of_tables_gives_its_rows_beside_each_row() {
    let lines = [line("ann", "a mill", 1, 1), line("bob", "", 1, 2)];
    let call = |from: &str| {
        format!("INSERT INTO out SELECT who, CONCAT(word, '/', CAST(length AS STRING)) FROM {from};")
    };
    let inner = [row("ann", "a/1"), row("ann", "mill/4")];
    for from in [
        "lines, LATERAL TABLE(words(text))",
        "lines, LATERAL TABLE(WORDS(lines.text)) AS w",
        "lines AS l CROSS JOIN LATERAL TABLE(words(l.text)) AS w (word, length)",
        "lines JOIN LATERAL TABLE(words(text)) AS w ON TRUE",
    ] {
        assert_eq!(written(&call(from), &lines), inner, "{from}");
    }
    let left = "lines LEFT JOIN LATERAL TABLE(words(text)) AS w (word, length) ON TRUE";
    assert_eq!(written(&call(left), &lines), [inner[0].clone(), inner[1].clone(), row("bob", "null")]);
    let query = "INSERT INTO out SELECT w.word, CAST(x.n AS STRING) FROM lines, LATERAL TABLE(words(text)) AS w, \
                 LATERAL TABLE(twice(w.length)) AS x;";
    let expected = [row("a", "1"), row("a", "1"), row("mill", "4"), row("mill", "4")];
    assert_eq!(written(query, &lines), expected);
}

#[test]
fn rows_of_a_row_that_is_taken_back_are_taken_back() {
    let query = "CREATE VIEW newest AS SELECT who, MAX(text) AS text FROM lines GROUP BY who;
        INSERT INTO last SELECT word, CAST(COUNT(*) AS STRING) FROM newest, LATERAL TABLE(words(text)) AS w GROUP BY word;";
    let lines = [line("ann", "a b", 1, 1), line("bob", "b", 1, 2), line("ann", "c b", 1, 3)];
    assert_eq!(written(query, &lines), [row("b", "2"), row("c", "1")]);
}

#[test]
fn a_function_of_many_rows_aggregates_groups_windows_and_sessions() {
    let lines = [
        line("ann", "x", 1, 1),
        line("bob", "y", 5, 2),
        line("ann", "z", 2, 11),
        line("ann", "v", 4, 25),
        line("end", "-", 0, 59),
    ];
    let total = |from: &str, by: &str, call: &str| {
        format!("INSERT INTO out SELECT who, CAST({call} AS STRING) FROM {from} GROUP BY {by};")
    };
    for call in ["total(n)", "grown(n)", "total(n) FILTER (WHERE n >= 0)"] {
        let query = total("lines", "who", call).replace("INTO out", "INTO last");
        assert_eq!(written(&query, &lines), [row("ann", "7"), row("bob", "5"), row("end", "0")], "{call}");
        let from = "TABLE(TUMBLE(TABLE lines, DESCRIPTOR(at), INTERVAL '20' SECOND))";
        let query = total(from, "who, window_start, window_end", call);
        assert_eq!(written(&query, &lines), [row("ann", "3"), row("bob", "5"), row("ann", "4")], "{call}");
        let from = "TABLE(HOP(TABLE lines, DESCRIPTOR(at), INTERVAL '10' SECOND, INTERVAL '20' SECOND))";
        let query = total(from, "who, window_start, window_end", call);
        let ann = ["1", "3", "6", "4"].map(|total| row("ann", total));
        let found: Vec<String> =
            written(&query, &lines).into_iter().filter(|row| row.contains("ann")).collect();
        assert_eq!(found, ann, "{call}");
        let from = "TABLE(SESSION(TABLE lines PARTITION BY who, DESCRIPTOR(at), INTERVAL '11' SECOND))";
        let query = total(from, "who, window_start, window_end", call);
        assert_eq!(written(&query, &lines), [row("bob", "5"), row("ann", "3"), row("ann", "4")], "{call}");
    }
}

#[test]
fn a_function_of_many_rows_follows_rows_that_are_taken_back() {
    // Of each of the two, the last number counts.
    let query = |call: &str| {
        format!(
            "CREATE VIEW newest AS SELECT who, LAST_VALUE(n) AS n, LAST_VALUE(text) AS text FROM lines GROUP BY who;
             INSERT INTO last SELECT 'all', CAST({call} AS STRING) FROM newest;"
        )
    };
    let lines =
        [line("ann", "x", 1, 1), line("bob", "y", 5, 2), line("ann", "z", 2, 3), line("bob", "w", 5, 4)];
    for (call, expected) in
        [("total(n)", "7"), ("grown(n)", "7"), ("total(DISTINCT n)", "7"), ("joined(text, n)", "z2 w5")]
    {
        assert_eq!(written(&query(call), &lines), [row("all", expected)], "{call}");
    }
}

#[test]
fn another_version_of_a_function_is_another_function_by_a_jobs_state() {
    let plan = |version: u32| {
        let mut functions = Functions::new();
        functions.scalar("slug", version, |text: &str| text.to_lowercase()).unwrap();
        functions.aggregate("total", 1, total()).unwrap();
        let query =
            "INSERT INTO last SELECT slug(who), CAST(total(n) AS STRING) FROM lines GROUP BY slug(who);";
        functions.plan("job.sql", &format!("{TABLES}{query}")).unwrap().topology
    };
    let mut driver = TestDriver::new(&plan(1), &[("lines", 1), ("out", 1)]).unwrap();
    driver.produce("lines", 0, None, Some(line("Ann", "x", 1, 1).as_bytes()), 5);
    driver.run().unwrap();
    driver.crash_and_change(&plan(1)).unwrap();
    let error = driver.crash_and_change(&plan(2)).unwrap_err().to_string();
    assert!(error.contains("version 1") && error.contains("version 2"), "{error}");
}

#[test]
fn a_name_that_means_something_else_is_refused_when_it_is_registered() {
    let mut functions = functions();
    let register = |functions: &mut Functions, name: &str| functions.scalar(name, 1, |x: i32| x).err();
    for name in ["upper", "SUM", "Listagg", "row_number", "now", "TUMBLE", "proctime", "unnest", "rand"] {
        let error = register(&mut functions, name);
        assert!(matches!(error, Some(FunctionError::BuiltIn(_))), "{name}: {error:?}");
    }
    for name in ["", "1x", "a b", "select", "é", "a.b", "from"] {
        let error = register(&mut functions, name);
        assert!(matches!(error, Some(FunctionError::Name(_))), "{name}: {error:?}");
    }
    assert!(matches!(register(&mut functions, "Words"), Some(FunctionError::Registered(_))));
    let columns = functions.table("pairs", 1, &["a", "a"], |x: i32| vec![(x, x)]).err();
    assert!(matches!(columns, Some(FunctionError::Columns { columns: 2, names: 2, .. })), "{columns:?}");
    // What other systems have is free.
    assert_eq!(register(&mut functions, "nvl"), None);
}

#[test]
fn calls_that_can_not_be_are_refused_where_they_stand_with_what_to_write() {
    for (query, parts) in [
        ("SELECT who, shout(n) FROM lines", &["SHOUT takes STRING as argument 1, not INT"][..]),
        ("SELECT who, shout() FROM lines", &["SHOUT takes 1 argument, not 0"]),
        ("SELECT who, shuot(who) FROM lines", &["there is no function SHUOT", "SHOUT"]),
        (
            "SELECT who, words(text) FROM lines",
            &["WORDS is a function of tables", "LATERAL TABLE(words(..))"],
        ),
        ("SELECT who, w.word FROM lines, TABLE(words(text)) AS w", &["without LATERAL"]),
        ("SELECT who, w.x FROM lines, LATERAL TABLE(shout(text)) AS w (x)", &["no table function shout"]),
        ("SELECT w.word, w.word FROM LATERAL TABLE(words('a b')) AS w", &["LATERAL TABLE stands alone"]),
        (
            "SELECT who, w.word FROM lines LEFT JOIN LATERAL TABLE(words(text)) AS w ON w.word = who",
            &["takes ON TRUE only"],
        ),
        ("SELECT who, CAST(total(text) AS STRING) FROM lines GROUP BY who", &["TOTAL takes BIGINT"]),
        (
            "SELECT who, CAST(total(n) OVER (PARTITION BY who ORDER BY at) AS STRING) FROM lines",
            &["OVER", "GROUP BY"],
        ),
        (
            "SELECT m.who, m.s FROM lines MATCH_RECOGNIZE (PARTITION BY who ORDER BY at MEASURES CAST(total(A.n) AS STRING) AS s
             PATTERN (A) DEFINE A AS A.n > 0) AS m",
            &["TOTAL is not supported in MATCH_RECOGNIZE"],
        ),
    ] {
        let error = refused(&format!("INSERT INTO out {query};"));
        for part in parts {
            assert!(error.contains(part), "{query}: {part} is missing in {error}");
        }
    }
}

#[test]
fn create_function_names_what_is_registered_and_a_class_is_refused() {
    let lines = [line("ann", "x", 1, 1)];
    let query = "CREATE TEMPORARY FUNCTION IF NOT EXISTS loud AS 'shout' LANGUAGE RUST;
        CREATE FUNCTION shout AS 'shout' LANGUAGE RUST;
        INSERT INTO out SELECT loud(who), shout(text) FROM lines;";
    assert_eq!(written(query, &lines), [row("ANN", "X")]);
    for (statement, part) in [
        ("CREATE FUNCTION f AS 'org.shop.Slug';", "registers a closure"),
        (
            "CREATE TEMPORARY SYSTEM FUNCTION f AS 'org.shop.Slug' LANGUAGE JAVA USING JAR '/a.jar';",
            "\"org.shop.Slug\"",
        ),
        ("CREATE FUNCTION f AS 'shuot' LANGUAGE RUST;", "did you mean shout?"),
        ("CREATE FUNCTION upper AS 'shout' LANGUAGE RUST;", "UPPER is a function of Flink's"),
        ("CREATE FUNCTION words AS 'shout' LANGUAGE RUST;", "there is already a function words"),
    ] {
        let error = refused(&format!("{statement} INSERT INTO out SELECT who, text FROM lines;"));
        assert!(error.contains(part) && error.contains("MS0103"), "{statement}: {error}");
    }
    let shown = planned("SHOW USER FUNCTIONS LIKE 's%';");
    assert_eq!(shown.answers[0].rows, [[Some("shout".to_owned())]]);
}
