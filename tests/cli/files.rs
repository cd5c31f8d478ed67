//! Jobs that write files: each row is in one whole file, whoever is killed.

use crate::command::Place;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A bounded job that writes files of a few kilobytes into directories.
const INTO_FILES: &str = "
CREATE TABLE numbers (n BIGINT, k INT)
WITH ('connector' = 'datagen', 'rows-per-second' = '4000', 'scan.parallelism' = '2', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '0', 'fields.n.end' = '11999', 'fields.k.min' = '0', 'fields.k.max' = '2');
CREATE TABLE written (n BIGINT, k INT) PARTITIONED BY (k)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json', 'sink.rolling-policy.file-size' = '4 kb');
INSERT INTO written SELECT n, k FROM numbers;
";

/// What is in the files below a path, by directory; and how many there are. Hidden ones are the jobs' own.
fn written(path: &Path) -> (BTreeMap<String, Vec<i64>>, usize) {
    let (mut found, mut files) = (BTreeMap::new(), 0);
    for directory in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
        let name = directory.file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let numbers: &mut Vec<i64> = found.entry(name).or_default();
        for file in std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
            let text = std::fs::read_to_string(file.path()).unwrap();
            assert!(text.ends_with("}\n"), "{:?} is not whole", file.path());
            let row =
                |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_i64().unwrap();
            numbers.extend(text.lines().map(row));
            files += 1;
        }
    }
    (found, files)
}

#[test]
fn killed_jobs_have_each_row_in_one_file() {
    let place = Place::new();
    place.write("files.sql", INTO_FILES);
    for after_ms in [400, 650, 900] {
        let mut job = place.start("run files.sql");
        job.wait_until_it_has_the_log(&place);
        std::thread::sleep(Duration::from_millis(after_ms));
        job.signal("KILL");
        assert_ne!(job.wait().code, 0, "it has ended before it was killed");
    }
    let done = place.run("run files.sql");
    assert_eq!(done.code, 0, "{done:?}");
    let (found, files) = written(&place.path().join("out"));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["k=0", "k=1", "k=2"]);
    assert!(files > 20, "{files} files");
    let mut numbers: Vec<i64> = found.into_values().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..12_000).collect::<Vec<i64>>());
    // Nothing is left to write, and nothing of it is in the log any more.
    assert_eq!(place.run("run files.sql").code, 0);
    assert_eq!(written(&place.path().join("out")).1, files);
}

/// What a job has written another reads, with the directories' names as values.
#[test]
fn what_one_job_writes_another_reads() {
    let place = Place::new();
    for (day, lines) in [("2024-05-01", "1,x\n2,\"y, z\"\n"), ("__DEFAULT_PARTITION__", "3,\n")] {
        let directory = format!("in/day={day}");
        std::fs::create_dir_all(place.path().join(&directory)).unwrap();
        place.write(&format!("{directory}/lines.csv"), lines);
    }
    let table = |name: &str, path: &str, format: &str| {
        let day = if path == "in" { "DATE" } else { "STRING" };
        format!(
            "CREATE TABLE {name} (n INT, day {day}, s STRING) PARTITIONED BY (day)
             WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}');\n"
        )
    };
    let copied = table("a", "in", "csv")
        + &table("b", "out", "json")
        + "INSERT INTO b SELECT n, CAST(day AS STRING), s FROM a;";
    assert_eq!(place.run_on("run - --job copies", &copied).code, 0);
    let printed = table("b", "out", "json")
        + "CREATE TABLE shown (n INT, day STRING, s STRING) WITH ('connector' = 'print');
           INSERT INTO shown SELECT * FROM b;";
    let done = place.run_on("run - --job reads", &printed);
    let mut lines: Vec<&str> = done.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["+I[1, 2024-05-01, x]", "+I[2, 2024-05-01, y, z]", "+I[3, null, ]"], "{done:?}");
}

/// A disk that refuses ends the job with the file's name, and once it does not the job goes on with every row.
#[test]
fn a_job_whose_files_can_not_be_written_says_which_and_goes_on_later() {
    let place = Place::new();
    place.write("out", "a file where a directory is to be");
    place.write("files.sql", INTO_FILES.replace("11999", "299"));
    let failed = place.run("run files.sql");
    assert!(
        failed.code != 0 && failed.err.contains("table written can't be written: out/.millstream"),
        "{failed:?}"
    );
    std::fs::remove_file(place.path().join("out")).unwrap();
    let done = place.run("run files.sql");
    assert_eq!(done.code, 0, "{done:?}");
    let mut numbers: Vec<i64> = written(&place.path().join("out")).0.into_values().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<i64>>());
}

/// Transactions of brokers have marks in the topic, and are readable a while after they are committed.
#[test]
fn on_kafka_each_row_is_in_one_file_too() {
    let Some(place) = Place::on_kafka() else { return };
    place.write("files.sql", INTO_FILES);
    for after_ms in [3_000, 5_000] {
        let mut job = place.start("run files.sql");
        std::thread::sleep(Duration::from_millis(after_ms));
        job.signal("KILL");
        job.wait();
    }
    let done = place.run("run files.sql");
    assert_eq!(done.code, 0, "{done:?}");
    let mut numbers: Vec<i64> = written(&place.path().join("out")).0.into_values().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..12_000).collect::<Vec<i64>>());
}
