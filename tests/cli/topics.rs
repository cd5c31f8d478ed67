//! Topic commands; what is `pub` here is also run on Kafka.

use crate::command::{Place, lines};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn csv_comes_back_with_keys_nulls_and_times() {
    csv_comes_back(&Place::new());
}

pub(crate) fn csv_comes_back(place: &Place) {
    let text = "carrier,flight,delay,at\nUA,1545,NA,2013-01-01T10:00:00Z\nNA,7,-2.5,2013-01-01 10:00:01\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    place.write("flights.csv.gz", packed.finish().unwrap());
    place.ok("topic create flights --partitions 3");
    place.ok(
        "topic produce flights --format csv --file flights.csv.gz --key carrier --timestamp at --null NA",
    );
    let mut records = place.consume("flights");
    records.sort_by_key(|record| record["timestamp"].as_i64());
    let value = |record: &Value| -> String { record["value"].as_str().unwrap().to_owned() };
    assert_eq!(
        value(&records[0]),
        r#"{"carrier":"UA","flight":1545,"delay":null,"at":"2013-01-01T10:00:00Z"}"#
    );
    assert_eq!(value(&records[1]), r#"{"carrier":null,"flight":7,"delay":-2.5,"at":"2013-01-01 10:00:01"}"#);
    let rest =
        |record: &Value| json!([record["topic"], record["key"], record["timestamp"], record["headers"]]);
    assert_eq!(rest(&records[0]), json!(["flights", "UA", 1_357_034_400_000_i64, []]));
    assert_eq!(rest(&records[1]), json!(["flights", null, 1_357_034_401_000_i64, []]));
    assert_eq!(records.len(), 2);
}

#[test]
fn json_comes_back_as_it_was_written_and_keys_keep_their_partition() {
    json_comes_back(&Place::new());
}

pub(crate) fn json_comes_back(place: &Place) {
    place.ok("topic create events --partitions 4");
    let input: String =
        (1..=500).map(|n| format!("{{\"id\":  \"user-{}\", \"n\": {n}}}\n", n % 10)).collect();
    let done = place.run_on("topic produce events --format json --key id --timestamp n", &input);
    assert_eq!((done.code, done.err.as_str()), (0, "wrote 500 records to events\n"));
    let mut records = place.consume("events");
    assert_eq!(records.len(), 500);
    // Within a partition records are in the order of the input, so those of a key are.
    let mut last = std::collections::BTreeMap::new();
    for record in &records {
        let before = last.insert(record["key"].to_string(), record.clone());
        if let Some(before) = before {
            assert_eq!(before["partition"], record["partition"]);
            assert!(before["timestamp"].as_i64() < record["timestamp"].as_i64());
        }
    }
    assert_eq!(last.len(), 10);
    records.sort_by_key(|record| record["timestamp"].as_i64());
    let values: String =
        records.iter().map(|record| format!("{}\n", record["value"].as_str().unwrap())).collect();
    assert_eq!(values, input);
    // Where Kafka's Java client puts "user-3" among four partitions: murmur2 & 0x7fffffff % 4.
    let partition = millstream::operators::sink::partition_for_key(b"user-3", 4);
    assert_eq!(last["\"user-3\""]["partition"], partition);
}

#[test]
fn tombstones_headers_and_partitions_are_written_and_whole_records_come_back() {
    whole_records_come_back(&Place::new());
}

pub(crate) fn whole_records_come_back(place: &Place) {
    place.ok("topic create a --partitions 3");
    place.ok("topic create b --partitions 3");
    let line = "topic produce a --format raw --key-delimiter : --null none --partition 2 --header trace=7";
    assert_eq!(place.run_on(line, "c1:x:y\nc2:none\n").code, 0);
    let records = place.consume("a");
    let trace = json!([{"key": "trace", "value": "7"}]);
    for (record, (key, value)) in records.iter().zip([("c1", json!("x:y")), ("c2", Value::Null)]) {
        assert_eq!((&record["key"], &record["value"]), (&json!(key), &value), "{record}");
        assert_eq!((&record["partition"], &record["headers"]), (&json!(2), &trace), "{record}");
    }
    assert_eq!(records.len(), 2);
    // What one topic has is written to another as it was printed.
    let printed = place.ok("topic consume a --from-beginning --exit-at-end");
    let done = place.run_on("topic produce b --format record", &printed);
    assert_eq!((done.code, done.err.as_str()), (0, "wrote 2 records to b\n"));
    let copies: Vec<Value> = place
        .consume("b")
        .into_iter()
        .map(|mut copy| {
            copy["topic"] = json!("a");
            copy
        })
        .collect();
    assert_eq!(copies, records);
    let done = place.run_on("topic produce b --format record", r#"{"value": "v", "partition": 9}"#);
    assert!(done.code == 4 && done.err.contains("standard input, line 1: b has no partition 9"), "{done:?}");
}

#[test]
fn a_record_that_is_too_large_is_named_by_its_line_and_only_what_is_there_is_called_written() {
    let place = Place::new();
    place.ok("topic create t --partitions 1 --config max.message.bytes=1000");
    let large = format!("\"{}\"\n", "x".repeat(2_000));
    let done = place.run_on("topic produce t --format json", &format!("1\n{large}2\n"));
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.err.contains("standard input, line 2: a record of 2002 bytes"), "{}", done.err);
    assert!(done.err.contains(&format!("wrote {} record", place.consume("t").len())), "{}", done.err);
}

#[test]
fn a_program_and_the_command_mean_the_same_log_by_a_directory() {
    use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
    use millstream::log::{Log, TopicSpec};
    let place = Place::new();
    let open = |name: &str| EmbeddedLog::open(place.path().join(name), &EmbeddedOptions::default());
    // The program was first, then the command.
    open("mine").unwrap().admin().unwrap().create_topic(&TopicSpec::new("a", 1)).unwrap();
    assert_eq!(place.ok("topic list --log mine"), "a\n");
    place.ok("topic create b --partitions 1 --log mine");
    assert_eq!(open("mine").unwrap().admin().unwrap().topics().unwrap(), ["a", "b"]);
    // The command was first, then the program; by the log's own directory too.
    place.ok("topic create c --partitions 1 --log data");
    for name in ["data", "data/log"] {
        assert_eq!(open(name).unwrap().admin().unwrap().topics().unwrap(), ["c"], "{name}");
        assert_eq!(place.ok(&format!("topic list --log {name}")), "c\n");
    }
    // While the program has it, the command asks the program.
    let owner = open("data").unwrap();
    assert_eq!(place.ok("topic list --log data"), "c\n");
    drop(owner);
    // Two logs are never taken for one.
    std::fs::rename(place.path().join("data/log"), place.path().join("mine/log")).unwrap();
    let error = open("mine").unwrap_err().to_string();
    assert!(error.contains("there are two logs"), "{error}");
    let done = place.run("topic list --log mine");
    assert!(done.code == 4 && done.err.contains("there are two logs"), "{done:?}");
    assert_eq!(place.ok("topic list --log mine/log"), "c\n");
}

#[test]
fn topics_are_listed_described_and_deleted() {
    let place = Place::new();
    place.ok("topic create b --partitions 2 --config retention.ms=60000 --config cleanup.policy=compact");
    place.ok("topic create a --partitions 1");
    place.ok("topic create millstream.job.control --partitions 1");
    assert_eq!(place.ok("topic list"), "a\nb\n");
    assert_eq!(place.ok("topic list --all"), "a\nb\nmillstream.job.control\n");
    assert_eq!(place.run_on("topic produce a --format json", "{}\n{}\n").code, 0);
    let described = place.ok("topic describe a");
    assert!(described.contains("retention.ms = -1"), "kept for ever: {described}");
    let row: Vec<&str> = described.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(row, ["0", "0", "2", "2"], "{described}");
    let described = place.ok("topic describe b");
    for line in ["partitions  2", "retention.ms = 60000", "cleanup.policy = compact"] {
        assert!(described.lines().any(|found| found == line), "{line} is missing in\n{described}");
    }
    place.ok("topic delete a");
    assert_eq!(place.ok("topic list"), "b\n");
}

#[test]
fn consuming_begins_and_ends_where_it_is_told() {
    consuming_begins_and_ends(&Place::new());
}

pub(crate) fn consuming_begins_and_ends(place: &Place) {
    place.ok("topic create t --partitions 2");
    assert_eq!(place.consume("t"), Vec::<Value>::new());
    place.run_on("topic produce t --format json", "1\n2\n3\n");
    assert_eq!(place.consume("t").len(), 3);
    // Without --from-beginning there is nothing before the end.
    assert_eq!(place.ok("topic consume t --exit-at-end"), "");
    let all = place.ok("topic consume t --from-beginning --exit-at-end --isolation read_uncommitted");
    assert_eq!(lines(&all).len(), 3);
}

#[test]
fn rates_are_kept() {
    let place = Place::new();
    place.ok("topic create t --partitions 1");
    let begun = std::time::Instant::now();
    assert_eq!(place.run_on("topic produce t --format json --rate 20", &"{}\n".repeat(21)).code, 0);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(990), "{:?}", begun.elapsed());
    assert_eq!(place.consume("t").len(), 21);
}

#[test]
fn mistakes_end_with_their_codes_and_say_what_to_do() {
    let place = Place::new();
    let fails = |line: &str, code: i32, part: &str| {
        let done = place.run_on(line, "{\"k\": 1}\n{\"k\": }\n");
        assert_eq!(done.code, code, "millstream {line}: {done:?}");
        assert!(done.err.contains(part), "millstream {line}: {part} is missing in\n{}", done.err);
        assert_eq!(done.out, "", "millstream {line}");
    };
    fails("topic", 2, "Usage: millstream topic");
    fails("rnu job.sql", 2, "'run'");
    fails("topic porduce t", 2, "'produce'");
    fails("topic create t", 2, "--partitions <N>");
    fails("topic create t --partitions 0", 2, "0 is not in 1..=100000");
    fails("topic create t --partitions 1 --config x", 2, "expected KEY=VALUE");
    fails("topic list --log-level nonsense=x=y", 2, "--log-level");
    fails("topic list --log d --bootstrap-servers h:1", 2, "cannot be used with");
    fails("topic list --client-property linger.ms=1", 2, "need --bootstrap-servers");
    fails("topic list", 4, "there is no log in ./millstream-data/log; millstream topic create makes one");
    assert!(!place.path().join("millstream-data").exists(), "looking makes nothing");
    place.ok("topic create t --partitions 1");
    fails("topic create t --partitions 1", 4, "topic \"t\" exists already");
    fails("topic create u --partitions 1 --config retention=5", 2, "not a setting of this log");
    fails("topic create u/v --partitions 1", 2, "has the character '/': names are of letters");
    fails("topic create .. --partitions 1", 2, "only of '.'");
    fails("topic describe u", 4, "create it with: millstream topic create u --partitions N\n");
    place.ok("topic create w --partitions 1 --log d");
    fails(
        "topic describe u --log d",
        4,
        "create it with: millstream topic create u --partitions N --log d\n",
    );
    fails("topic consume u", 4, "topic \"u\" does not exist");
    fails("topic produce u --format json", 4, "topic \"u\" does not exist");
    fails("topic delete u", 4, "topic \"u\" does not exist");
    fails("topic produce t --format json --file none.json", 4, "none.json: No such file");
    fails("topic produce t --format json --key k", 4, "standard input, line 2: expected value");
    fails("topic produce t --format json --null NA", 2, "--null is for CSV");
    fails("topic produce t --format json --partition 1", 2, "t has the partitions 0 to 0");
    fails("topic produce t --format csv --delimiter ;;", 2, "expected one ASCII character");
    fails("topic produce t --format raw --header trace", 2, "expected KEY=VALUE");
    fails("topic produce t --format raw --key z", 2, "--key names a column of CSV");
    fails("topic produce t --format csv --key z", 2, "has no column \"z\"; it has {\"k\": 1}");
    // What was read before the mistake was written, and said.
    assert_eq!(place.consume("t").len(), 1);
    place.write("client.properties", "# a comment\nsasl.password=hunter2\nplugin.library.paths=x\n");
    let refused = "topic list --bootstrap-servers 127.0.0.1:1 --client-config client.properties";
    fails(refused, 2, "plugin.library.paths");
    assert!(!place.run(refused).err.contains("hunter2"));
}
