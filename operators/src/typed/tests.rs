//! Keyed operators of the typed API, driven through every cut, crash and eviction.

mod join;
mod process;
mod table;
mod window;

use super::*;
use crate::testing::{Event, OfRows, ReadRow, read_by};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// A program with a timed stream of numbers by key, and what `declare` makes of it.
fn declared(declare: impl FnOnce(&Program, KeyedStream<String, i64>)) -> Topology {
    let program = Program::new();
    declare(&program, numbers(&program, "numbers"));
    program.topology().unwrap()
}

fn numbers(program: &Program, topic: &str) -> KeyedStream<String, i64> {
    let rows = program.source::<(String, i64)>(topic).record_time(Duration::ZERO).stream();
    rows.key_by(|(key, _)| key.clone()).map_values(|(_, number)| number)
}

fn number() -> ReadRow {
    read_by(|_, number| number.unwrap_or_default())
}

/// The operator of this name, over numbers.
fn over_numbers<O: Debug + 'static>(topology: &Topology, name: &str) -> OfRows {
    OfRows::new(topology, name, vec![number(), number()], |row: &O| format!("{row:?}"))
}

fn windowed<A: Debug>(row: &Windowed<String, A>) -> String {
    let Windowed { key, window_start, window_end, value } = row;
    format!("{key}:{window_start}-{window_end}:{value:?}")
}

/// Rows at random times near a time that rises, with commits between.
fn random_rows(seed: u64, ports: u64) -> Vec<(u8, String)> {
    let mut seed = seed;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let part = |part: u64| {
        let port = next(ports) as u8;
        let rows: Vec<String> = (0..6)
            .map(|_| format!("+ @{} {} {}", part * 8 + next(20), ["a", "b", "c"][next(3) as usize], next(5)))
            .collect();
        (port, format!("k:utf8 v:i64 | {}", rows.join(" ")))
    };
    (0..8).map(part).collect()
}

fn with_commits(parts: &[(u8, String)]) -> Vec<Event<'_>> {
    let mut events: Vec<Event<'_>> = Vec::new();
    for (port, rows) in parts {
        events.extend([Event::Rows(*port, rows), Event::Commit]);
    }
    events.push(Event::Watermark(crate::batch::END_OF_TIME));
    events
}

#[test]
fn what_goes_by_event_time_is_refused_where_none_passes() {
    let untimed = |program: &Program| program.read::<i64>("numbers").key_by(|number| *number);
    let refused = |declare: &dyn Fn(&Program)| {
        let program = Program::new();
        declare(&program);
        program.topology().unwrap_err().to_string()
    };
    for message in [
        refused(&|program| untimed(program).windowed(Windows::tumbling(MS)).count().to("out")),
        refused(&|program| untimed(program).sessions(MS).count().to("out")),
        refused(&|program| untimed(program).deduplicate(MS).to("out")),
        refused(&|program| {
            let numbers = untimed(program);
            numbers.clone().join_within(numbers, Within::both(MS), |a, _| *a).to("out");
        }),
    ] {
        assert!(message.contains("goes by event time") && message.contains("record_time"), "{message}");
    }
    let odd = Windows::hopping(3 * MS, 2 * MS);
    let message = refused(&|program| numbers(program, "n").windowed(odd).count().to("out"));
    assert!(message.contains("has to be a multiple of the slide"), "{message}");
    let message = refused(&|program| {
        untimed(program).count().to("counts");
        untimed(program).count().to("counts again");
    });
    assert!(message.contains("numbers is read twice"), "{message}");
    let message = refused(&|program| {
        untimed(program).count().to("counts");
        numbers(program, "n")
            .rows()
            .map(|n| n)
            .merge(numbers(program, "m").rows())
            .with_record()
            .map(|row| row.0)
            .to("out");
    });
    assert!(message.contains("right behind the source"), "{message}");
}

#[test]
fn the_value_of_a_key_comes_with_the_time_of_the_rows_of_its_commit() {
    let topology = declared(|_, numbers| numbers.fold(0, |sum, n| sum + n).to("out"));
    let show = |entry: &super::table::Entry<String, i64>| {
        entry.value.map_or("none".to_owned(), |sum| sum.to_string())
    };
    let spec = OfRows::new(&topology, "fold", vec![number()], show);
    let events = [
        Event::Rows(0, "k:utf8 v:i64 | + @10 a 1  + @8 b 2  + @9 a 4"),
        Event::Commit,
        Event::Rows(0, "k:utf8 v:i64 | + @5 a 8"),
        Event::Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @10 a 5 + @8 b 2 + @5 a 13";
    crate::testing::check_timed(&spec, &[0], &events, expected, 0);
}
