use super::*;
use crate::files::part::STEPS_LEFT;
use millstream_operators::{Headers, Record};

/// Offset, directory and line of each record; between them are offsets of none.
type Lines = Vec<(Offset, Option<String>, String)>;

fn lines(count: u64, directories: u64) -> Lines {
    let directory = |n: u64| (directories > 0).then(|| format!("kind=k{}", n * n % directories));
    (0..count).map(|n| (3 * n + 1, directory(n), format!("line {n}"))).collect()
}

fn part() -> OutletPart {
    OutletPart { job: "job".to_owned(), topic_id: "id".to_owned(), partition: 2 }
}

/// Writes what is left from where the files stand, and publishes after every so many records.
fn run(outlet: &FilesOutlet, lines: &Lines, publish_every: usize) -> Result<(), String> {
    let mut writer = outlet.open(&part())?.expect("nobody else writes");
    let left = lines.iter().filter(|(offset, ..)| *offset >= writer.position());
    let left: Lines = left.cloned().collect();
    for (index, (offset, directory, line)) in left.iter().enumerate() {
        let record = Record {
            offset: *offset,
            timestamp_ms: 0,
            key: directory.as_ref().map(|directory| directory.as_bytes()),
            value: Some(line.as_bytes()),
            headers: Headers::NONE,
        };
        writer.write(&record, 0)?;
        if index % publish_every == publish_every - 1 || writer.is_due(0) {
            writer.publish(offset + 1)?;
        }
    }
    writer.publish(lines.last().map_or(0, |(offset, ..)| offset + 2))
}

/// Every line that a reader finds, with the directory it is in; sorted.
fn found(path: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path_below) = open.pop() {
        for entry in std::fs::read_dir(&path_below).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with('.') {
                continue;
            }
            if entry.path().is_dir() {
                open.push(entry.path());
                continue;
            }
            let directory = path_below.strip_prefix(path).unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            assert!(text.ends_with('\n') && name.ends_with(".json"), "{name} is not whole: {text:?}");
            found.extend(text.lines().map(|line| (directory.clone(), line.to_owned())));
        }
    }
    found.sort();
    found
}

fn expected(lines: &Lines) -> Vec<(String, String)> {
    let mut expected: Vec<_> = lines
        .iter()
        .map(|(_, directory, line)| (directory.clone().unwrap_or_default(), line.clone()))
        .collect();
    expected.sort();
    expected
}

fn outlet(path: &Path, file_bytes: u64) -> FilesOutlet {
    FilesOutlet::new(path, "orders", ".json", Rolling { file_bytes, ..Rolling::default() })
}

/// Whatever is done to the disk may be the last thing that is done.
#[test]
fn a_record_is_in_one_whole_file_at_whichever_step_the_writer_is_killed() {
    for (directories, publish_every) in [(0, 4), (3, 5), (7, 100)] {
        let lines = lines(13, directories);
        for steps in 0..200 {
            let directory = tempfile::tempdir().unwrap();
            let outlet = outlet(directory.path(), 60);
            let mut left = steps;
            let kills = (0..).find(|_| {
                STEPS_LEFT.set(left);
                // Later it comes further.
                left += 1 + steps / 3;
                let done = run(&outlet, &lines, publish_every);
                STEPS_LEFT.set(u32::MAX);
                done.map_err(|error| assert_eq!(error, "killed")).is_ok()
            });
            assert_eq!(found(directory.path()), expected(&lines), "killed after {steps} steps, and more");
            assert_eq!(outlet.position(&part()), Ok(lines.last().unwrap().0 + 2));
            if kills == Some(0) {
                break;
            }
            assert!(steps < 199, "it never came through");
        }
    }
}

#[test]
fn one_writes_a_partition_and_the_other_waits_until_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let outlet = outlet(directory.path(), 1 << 20);
    let first = outlet.open(&part()).unwrap().expect("nobody writes");
    assert!(outlet.open(&part()).unwrap().is_none());
    assert!(outlet.open(&OutletPart { partition: 3, ..part() }).unwrap().is_some(), "another partition");
    drop(first);
    assert!(outlet.open(&part()).unwrap().is_some());
}

#[test]
fn more_directories_than_files_may_be_open_are_written_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Lines = (0..1_000).map(|n| (n, Some(format!("n={n}")), "x".to_owned())).collect();
    run(&outlet(directory.path(), 1 << 20), &lines, 1_000).unwrap();
    assert_eq!(found(directory.path()), expected(&lines));
}

#[test]
fn files_end_by_size_by_age_and_when_nothing_comes() {
    let directory = tempfile::tempdir().unwrap();
    let rolling = Rolling { file_bytes: 20, rollover_ms: 100, inactivity_ms: 30, check_ms: 10 };
    let outlet = FilesOutlet::new(directory.path(), "t", "", rolling);
    let mut writer = outlet.open(&part()).unwrap().unwrap();
    let mut offset = 0;
    let mut write = |writer: &mut dyn OutletWriter, bytes: usize, now_ms: u64| {
        let value = vec![b'x'; bytes];
        let (key, value, headers) = (None, Some(value.as_slice()), Headers::NONE);
        writer.write(&Record { offset, timestamp_ms: 0, key, value, headers }, now_ms).unwrap();
        offset += 1;
    };
    assert!(!writer.is_due(1_000_000), "there is nothing to end");
    write(&mut *writer, 19, 1_000_000);
    assert!(writer.is_due(1_000_000), "it has its bytes");
    writer.publish(1).unwrap();
    write(&mut *writer, 1, 1_000_000);
    assert!(!writer.is_due(1_000_029) && writer.is_due(1_000_040), "nothing came");
    (1..10).for_each(|n| {
        write(&mut *writer, 0, 1_000_000 + 11 * n);
        assert!(!writer.is_due(1_000_000 + 11 * n));
    });
    write(&mut *writer, 0, 1_000_110);
    assert!(writer.is_due(1_000_110), "it is old");
}

#[test]
fn what_leads_out_of_the_table_and_files_of_another_life_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let outlet = outlet(directory.path(), 1 << 20);
    let mut writer = outlet.open(&part()).unwrap().unwrap();
    for key in [&b"../x"[..], b"/etc", b"a=1/..", b"", b"a=1//b=2", b"a=\xff", b"a=1\nb=2"] {
        let record =
            Record { offset: 0, timestamp_ms: 0, key: Some(key), value: Some(b"x"), headers: Headers::NONE };
        assert!(writer.write(&record, 0).unwrap_err().contains("for no directory of the table"), "{key:?}");
    }
    writer.publish(5).unwrap();
    drop(writer);
    let other = OutletPart { topic_id: "other".to_owned(), ..part() };
    let error = outlet.open(&other).map(|_| ()).unwrap_err();
    assert!(error.contains("the job's topics were deleted"), "{error}");
    assert_eq!(outlet.position(&OutletPart { partition: 9, ..part() }), Ok(0));
}

#[test]
fn a_table_is_part_of_the_names_of_its_files_whatever_it_is_called() {
    assert_eq!(file_name_of("orders_2-x"), "orders_2-x");
    for name in ["a/b", "..", "", "größe", &"x".repeat(200)] {
        let plain = file_name_of(name);
        assert!(plain.len() <= 100 && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
        assert_ne!(plain, file_name_of(&format!("{name}.")));
    }
}
