//! Tests as they are written in the comments of a SQL file.

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) name: String,
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// Partitions of tables' topics, where they are not one.
    pub(super) partitions: Vec<(String, u32)>,
    pub(super) steps: Vec<Step>,
}

/// Something a test does, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Input { table: String, partition: Option<u32>, at: Option<i64>, rows: Vec<Row> },
    Watermark(i64),
    Clock(u64),
    Crash,
    Expect { table: String, as_table: bool, rows: Vec<Row> },
}

/// A record as it is written: a key, if one is given, and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: Option<String>,
    /// `None`: null.
    pub(super) value: Option<String>,
}

/// What is wrong with a test, and its line.
pub(super) type Wrong = (usize, String);

/// The tests of a file.
pub(super) fn tests(text: &str) -> Result<Vec<Test>, Wrong> {
    let mut tests: Vec<Test> = Vec::new();
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let Some(comment) = line.trim_start().strip_prefix("--").map(str::trim) else {
            is_open = false;
            continue;
        };
        if let Some(name) = comment.strip_prefix("@test") {
            let name = name.trim().to_owned();
            if name.is_empty() {
                return Err((line_number, "a test has a name: -- @test NAME".to_owned()));
            }
            tests.push(Test { name, line: line_number, partitions: Vec::new(), steps: Vec::new() });
            is_open = true;
        } else if is_open
            && !comment.is_empty()
            && let Some(test) = tests.last_mut()
        {
            add(test, line_number, comment).map_err(|message| (line_number, message))?;
        }
    }
    Ok(tests)
}

/// Adds a line to a test.
fn add(test: &mut Test, line: usize, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let what = match words.next().unwrap_or_default() {
        "INPUT" => input(text)?,
        "EXPECT" => {
            let rest: Vec<&str> = words.collect();
            let (table, as_table) = match rest.as_slice() {
                ["TABLE", table] => (*table, true),
                [table] => (*table, false),
                _ => return Err("expected EXPECT table, or EXPECT TABLE table".to_owned()),
            };
            What::Expect { table: table.to_owned(), as_table, rows: Vec::new() }
        }
        "ADVANCE" => advance(text)?,
        "CRASH" => What::Crash,
        "PARTITIONS" => {
            let (Some(table), Some(count), None) = (words.next(), words.next(), words.next()) else {
                return Err("expected PARTITIONS table number".to_owned());
            };
            let count = count.parse().ok().filter(|count| (1..=1_000).contains(count));
            let count = count.ok_or("a topic has from 1 to 1000 partitions")?;
            test.partitions.push((table.to_owned(), count));
            return Ok(());
        }
        _ => return add_row(test, text),
    };
    test.steps.push(Step { line, what });
    Ok(())
}

fn add_row(test: &mut Test, text: &str) -> Result<(), String> {
    let (Some(What::Input { rows, .. }) | Some(What::Expect { rows, .. })) =
        test.steps.last_mut().map(|step| &mut step.what)
    else {
        return Err(format!("expected INPUT, EXPECT, ADVANCE, CRASH or PARTITIONS, found \"{text}\""));
    };
    let (key, value) = match text.split_once(" => ") {
        Some((key, value)) => (Some(key.trim().to_owned()), value.trim()),
        None => (None, text),
    };
    let value = (value != "null").then(|| value.to_owned());
    rows.push(Row { key, value });
    Ok(())
}

/// `INPUT table [PARTITION n] [AT time]`
fn input(text: &str) -> Result<What, String> {
    let (head, at) = match text.split_once(" AT ") {
        Some((head, at)) => (head, Some(time(at)?)),
        None => (text, None),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    let (table, partition) = match words.as_slice() {
        ["INPUT", table] => (*table, None),
        ["INPUT", table, "PARTITION", partition] => {
            let partition = partition.parse().map_err(|_| format!("\"{partition}\" is no partition"))?;
            (*table, Some(partition))
        }
        _ => return Err("expected INPUT table [PARTITION number] [AT 'time']".to_owned()),
    };
    Ok(What::Input { table: table.to_owned(), partition, at, rows: Vec::new() })
}

/// `ADVANCE TO time`, `ADVANCE number unit`
fn advance(text: &str) -> Result<What, String> {
    let rest = text.strip_prefix("ADVANCE").unwrap_or_default().trim();
    if let Some(to) = rest.strip_prefix("TO ") {
        return time(to).map(What::Watermark);
    }
    let expected =
        || "expected ADVANCE TO 'time', or ADVANCE number SECONDS, MINUTES, HOURS or DAYS".to_owned();
    let (count, unit) = rest.split_once(' ').ok_or_else(expected)?;
    let unit_ms = match unit.trim().trim_end_matches('S') {
        "MILLISECOND" => 1,
        "SECOND" => 1_000,
        "MINUTE" => 60_000,
        "HOUR" => 3_600_000,
        "DAY" => 86_400_000,
        _ => return Err(expected()),
    };
    let count: u64 = count.parse().map_err(|_| expected())?;
    count.checked_mul(unit_ms).map(What::Clock).ok_or_else(expected)
}

/// A time, UTC: between quotes, or in milliseconds since 1970.
fn time(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    let plain = text.trim_matches('\'').trim_end_matches('Z').replace('T', " ");
    let parsed = chrono::NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M:%S%.f");
    let parsed = parsed.or_else(|_| chrono::NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M"));
    parsed
        .map(|time| time.and_utc().timestamp_millis())
        .map_err(|_| format!("{text} is no time: write '2026-01-31 23:59:59', or milliseconds since 1970"))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_test_is_a_run_of_comments() {
        let text = "CREATE TABLE a (x INT);\n-- @test one\n-- PARTITIONS a 2\n-- INPUT a PARTITION 1 AT '1970-01-01 00:00:01'\n\
                    --   {\"x\": 1}\n--   k => null\n--\n-- ADVANCE 5 MINUTES\n-- CRASH\n-- EXPECT TABLE b\n\nSELECT 1; -- no row\n\
                    -- @test two\n-- ADVANCE TO 7\n";
        let tests = tests(text).unwrap();
        assert_eq!(tests.len(), 2);
        assert_eq!((tests[0].name.as_str(), tests[0].line), ("one", 2));
        assert_eq!(tests[0].partitions, [("a".to_owned(), 2)]);
        let row = |key: Option<&str>, value: Option<&str>| Row {
            key: key.map(Into::into),
            value: value.map(Into::into),
        };
        let rows = vec![row(None, Some("{\"x\": 1}")), row(Some("k"), None)];
        let expected = [
            Step {
                line: 4,
                what: What::Input { table: "a".to_owned(), partition: Some(1), at: Some(1_000), rows },
            },
            Step { line: 8, what: What::Clock(300_000) },
            Step { line: 9, what: What::Crash },
            Step { line: 10, what: What::Expect { table: "b".to_owned(), as_table: true, rows: Vec::new() } },
        ];
        assert_eq!(tests[0].steps, expected);
        assert_eq!(tests[1].steps, [Step { line: 14, what: What::Watermark(7) }]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (line, wrong, part) in [
            (1, "-- @test", "a name"),
            (2, "-- @test a\n-- {}", "expected INPUT"),
            (2, "-- @test a\n-- ADVANCE LATER", "SECONDS"),
            (2, "-- @test a\n-- ADVANCE TO tomorrow", "no time"),
            (2, "-- @test a\n-- PARTITIONS a 0", "partitions"),
            (3, "-- @test a\n-- CRASH\n-- INPUT", "expected INPUT table"),
            (2, "-- @test a\n-- EXPECT a b c", "EXPECT TABLE"),
        ] {
            let (at, message) = tests(wrong).unwrap_err();
            assert!(at == line && message.contains(part), "{wrong}: {at}: {message}");
        }
    }
}
