use super::*;
use crate::batch::END_OF_TIME;
use crate::testing::{check_timed, happenings, play_every_way};
use Event::{Commit, Rows, Watermark};
use std::collections::BTreeMap;

fn windows(windows: Windows) -> OfRows {
    let topology = declared(|_, numbers| numbers.windowed(windows).aggregate(0, |sum, n| sum + n).to("out"));
    OfRows::new(&topology, "window", vec![number()], windowed::<i64>)
}

fn sessions(gap: Duration) -> OfRows {
    let topology =
        declared(|_, numbers| numbers.sessions(gap).aggregate(0, |sum, n| sum + n, |a, b| a + b).to("out"));
    OfRows::new(&topology, "sessions", vec![number()], windowed::<i64>)
}

#[test]
fn a_window_is_emitted_once_when_it_closes_in_the_order_of_ends_and_keys() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 b 1  + @9 a 2  + @3 b 4  + @12 a 8"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @15 b 16  + @4 a 32  + @22 b 64"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @9 a a:0-10:2 + @9 b b:0-10:5 + @19 a a:10-20:8 + @19 b b:10-20:16
                    + @29 b b:20-30:64";
    check_timed(&windows(Windows::tumbling(10 * MS)), &[2], &events, expected, 1);
    let expected = "k:utf8 row:utf8 | + @9 a a:0-10:34 + @9 b b:0-10:5 + @19 a a:10-20:8 + @19 b b:10-20:16
                    + @29 b b:20-30:64";
    check_timed(&windows(Windows::tumbling(10 * MS).grace(5 * MS)), &[2], &events, expected, 0);
}

#[test]
fn a_row_is_in_every_window_that_has_not_closed() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @3 a 1  + @12 a 2"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @8 a 4  + @1 a 8"),
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @4 a a:-5-5:1 + @9 a a:0-10:1 + @14 a a:5-15:6 + @19 a a:10-20:2";
    check_timed(&windows(Windows::hopping(10 * MS, 5 * MS)), &[3], &events, expected, 1);
}

#[test]
fn windows_are_the_sums_of_their_rows_whatever_comes() {
    for (seed, size, slide) in [(1, 10, 10), (2, 12, 4), (3, 7, 7)] {
        let parts = random_rows(seed, 1);
        let hopping = Windows::hopping(size as u32 * MS, slide as u32 * MS).grace(3 * MS);
        let outcome = play_every_way(&windows(hopping), &[4], &happenings(&with_commits(&parts)));
        assert!(outcome.state.is_empty(), "{outcome:?}");
        let (mut sums, mut watermark) = (BTreeMap::<(i64, String), i64>::new(), i64::MIN);
        for (time, key, value) in parts.iter().flat_map(|(_, rows)| parse(rows)) {
            let mut end = time.div_euclid(slide) * slide + slide;
            while end - size <= time {
                if end - 1 + 3 > watermark {
                    *sums.entry((end, key.clone())).or_default() += value;
                }
                end += slide;
            }
            watermark = watermark.max(time - 4);
        }
        let line = |((end, key), sum): (&(i64, String), &i64)| format!("{key}:{}-{end}:{sum}", end - size);
        let expected: Vec<String> = sums.iter().map(line).collect();
        let found: Vec<&str> =
            outcome.output.split_whitespace().filter(|word| word.matches(':').count() == 2).collect();
        assert_eq!(found, expected, "{seed}");
    }
}

fn parse(rows: &str) -> Vec<(i64, String, i64)> {
    let words: Vec<&str> = rows.split_whitespace().collect();
    let rows = words.iter().enumerate().filter(|(_, word)| word.starts_with('@'));
    let number = |word: &str| word.trim_start_matches('@').parse().unwrap();
    rows.map(|(at, word)| (number(word), words[at + 1].to_owned(), number(words[at + 2]))).collect()
}

#[test]
fn sessions_grow_meet_and_close_a_gap_behind_their_last_row() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @14 a 2  + @3 b 4"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @8 a 8  + @30 b 16  + @2 b 32"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @7 a a:1-8:1 + @9 b b:3-10:4 + @20 a a:8-21:10 + @36 b b:30-37:16";
    check_timed(&sessions(7 * MS), &[6], &events, expected, 1);
}

#[test]
fn sessions_hold_every_row_that_was_in_time_once() {
    for seed in 1..4 {
        let parts = random_rows(seed, 1);
        let outcome = play_every_way(&sessions(5 * MS), &[4], &happenings(&with_commits(&parts)));
        assert!(outcome.state.is_empty(), "{outcome:?}");
        let rows: Vec<(i64, String, i64)> = parts.iter().flat_map(|(_, rows)| parse(rows)).collect();
        let mut total = 0;
        for word in outcome.output.split_whitespace().filter(|word| word.matches(':').count() == 2) {
            let fields: Vec<&str> = word.split(':').collect();
            let (start, end) = fields[1].split_once('-').unwrap();
            let (start, end): (i64, i64) = (start.parse().unwrap(), end.parse().unwrap());
            total += fields[2].parse::<i64>().unwrap();
            assert!(rows.iter().any(|(time, key, _)| *time == start && key == fields[0]), "{word}");
            assert!(rows.iter().any(|(time, key, _)| *time + 5 == end && key == fields[0]), "{word}");
        }
        let sum: i64 = rows.iter().map(|(_, _, value)| value).sum();
        assert!(
            total <= sum && (outcome.late > 0 || total == sum),
            "{total} of {sum}, {} late",
            outcome.late
        );
    }
}

fn sums(of: impl FnOnce(KeyedStream<String, i64>) -> KeyedStream<String, i64>, name: &str) -> OfRows {
    let topology = declared(|_, numbers| of(numbers).to("out"));
    OfRows::new(&topology, name, vec![number()], i64::to_string)
}

#[test]
fn the_last_rows_of_a_key_are_looked_at_each_so_many() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @9 a 2  + @3 b 4  + @4 a 4"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @5 a 8  + @6 a 16  + @7 b 32 + @8 a 32"),
        Commit,
    ];
    let tumbling = sums(|numbers| numbers.last_rows(2).reduce(|a, b| a + b), "lastrows");
    let expected = "k:utf8 row:utf8 | + @9 a 3 + @5 a 12 + @7 b 36 + @8 a 48";
    check_timed(&tumbling, &[99], &events, expected, 0);
    let each = sums(|numbers| numbers.last_rows(3).every(1).aggregate(0, |a, b| a + b), "lastrows");
    let expected =
        "k:utf8 row:utf8 | + @1 a 1 + @9 a 3 + @3 b 4 + @4 a 7 + @5 a 14 + @6 a 28 + @7 b 36 + @8 a 56";
    check_timed(&each, &[99], &events, expected, 0);
    let sampled = sums(|numbers| numbers.last_rows(1).every(3).reduce(|_, b| b), "lastrows");
    check_timed(&sampled, &[99], &events, "k:utf8 row:utf8 | + @4 a 4 + @8 a 32", 0);
    assert!(play_every_way(&tumbling, &[99], &happenings(&events)).state.is_empty());
}

fn sliding(size: Duration) -> OfRows {
    let topology = declared(|_, numbers| numbers.sliding(size).aggregate(0, |sum, n| sum + n).to("out"));
    OfRows::new(&topology, "sliding", vec![number()], windowed::<i64>)
}

#[test]
fn a_window_slides_to_each_row_in_the_order_of_time_and_leaves_nothing() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @5 a 1  + @3 a 2  + @8 b 4"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @14 a 8  + @11 a 16  + @14 a 32  + @2 a 64"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @3 a a:-6-4:2 + @5 a a:-4-6:3 + @8 b b:-1-9:4 + @11 a a:2-12:19 + @14 a a:5-15:57";
    check_timed(&sliding(10 * MS), &[4], &events, expected, 1);
    for seed in 1..4 {
        let parts = random_rows(seed, 1);
        let outcome = play_every_way(&sliding(6 * MS), &[4], &happenings(&with_commits(&parts)));
        assert!(outcome.state.is_empty(), "{outcome:?}");
        let (mut kept, mut watermark) = (Vec::new(), i64::MIN);
        for (time, key, value) in parts.iter().flat_map(|(_, rows)| parse(rows)) {
            if time > watermark {
                kept.push((time, key, value));
            }
            watermark = watermark.max(time - 4);
        }
        let mut expected: BTreeMap<(i64, String), i64> = BTreeMap::new();
        for (end, key, _) in &kept {
            let near = kept.iter().filter(|(time, other, _)| other == key && (end - 5..=*end).contains(time));
            expected.insert((*end, key.clone()), near.map(|(_, _, value)| value).sum());
        }
        let line = |((end, key), sum): (&(i64, String), &i64)| format!("{key}:{}-{}:{sum}", end - 5, end + 1);
        let expected: Vec<String> = expected.iter().map(line).collect();
        let found: Vec<&str> =
            outcome.output.split_whitespace().filter(|word| word.matches(':').count() == 2).collect();
        assert_eq!(found, expected, "{seed}");
    }
}
