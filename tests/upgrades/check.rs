//! Runs a pair: the first file, then the second over what it left.

use crate::pairs::Pair;
use crate::pairs::Then::{Kept, KeptWithNew, Refused};
use crate::world::{On, World};
use serde_json::{Value, json};

/// Rows of `t`, `u` and `v`, of which the first half is read by the first file.
pub(crate) fn rows(half: usize) -> [Vec<Value>; 3] {
    let numbers = half as i64 * 40..(half as i64 + 1) * 40;
    let t = numbers.clone().map(|i| {
        let at = format!("2026-01-01 00:00:{:02}.000", (i / 2) % 60);
        json!({"g": format!("g{}", i % 5), "h": format!("h{}", i % 3), "n": i % 13, "m": i * 7, "at": at})
    });
    let u = numbers.clone().map(|i| json!({"g": format!("g{}", i % 4), "n": i}));
    let v = numbers.map(|i| json!({"g": format!("g{}", i % 6), "w": i * 3}));
    [t.collect(), u.collect(), v.collect()]
}

pub(crate) fn create(world: &World, partitions: u32) {
    for topic in ["t", "u", "v"] {
        world.create(topic, partitions);
    }
}

pub(crate) fn produce(world: &World, half: usize) {
    let [t, u, v] = rows(half);
    world.produce("t", Some("g"), &t);
    world.produce("u", Some("g"), &u);
    world.produce("v", Some("g"), &v);
}

/// What a run of a file over all input gives.
fn oracle(sql: &str, partitions: u32, topic: &str) -> Vec<String> {
    // Where it begins counts once; the oracle begins anew.
    let sql = &sql.replace("latest-offset", "earliest-offset");
    let world = World::new(On::Embedded);
    create(&world, partitions);
    produce(&world, 0);
    produce(&world, 1);
    world.run(sql, "job").unwrap();
    output(&world, topic)
}

pub(crate) fn output(world: &World, topic: &str) -> Vec<String> {
    match topic {
        "out" | "other" | "two" | "ranked" | "strict" => {
            world.upserted(topic).into_iter().map(|(key, row)| format!("{key} {row}")).collect()
        }
        _ => world.appended(topic),
    }
}

/// Runs a pair, restarted and from a savepoint, in worlds that `world` makes.
pub(crate) fn check(pair: &Pair, partitions: u32, world: &dyn Fn(&str) -> World) {
    let (before, after) = (pair.before(), pair.after());
    for from_savepoint in [false, true] {
        let name =
            format!("{}, {}", pair.name, if from_savepoint { "from a savepoint" } else { "restarted" });
        let began = std::time::Instant::now();
        let world = world(if from_savepoint { "s-" } else { "r-" });
        create(&world, partitions);
        produce(&world, 0);
        world.run(&before, "job").unwrap_or_else(|error| panic!("{name}: {error}"));
        let saved = from_savepoint.then(|| world.savepoint(&before, "job", "saved").unwrap());
        produce(&world, 1);
        let job = if from_savepoint { "next" } else { "job" };
        let ran = world.run_from(&after, job, saved);
        match (pair.then, ran) {
            (Kept(topic), Ok(new)) => {
                assert_eq!(new, Vec::<String>::new(), "{name}");
                assert_eq!(output(&world, topic), oracle(&after, partitions, topic), "{name}");
            }
            (KeptWithNew(topic, begin), Ok(new)) => {
                assert_eq!(new, begin, "{name}");
                assert_eq!(output(&world, topic), oracle(&after, partitions, topic), "{name}");
            }
            (Refused(says), Err(error)) => {
                let error = error.to_string();
                for part in says {
                    assert!(error.contains(part), "{name}: {part} is missing in\n{error}");
                }
                // Nothing was done to the job: it goes on with the file it had.
                world.run(&before, "job").unwrap_or_else(|error| panic!("{name}, undone: {error}"));
                let topic = written_by(pair.before);
                assert_eq!(output(&world, topic), oracle(&before, partitions, topic), "{name}, undone");
            }
            (then, ran) => panic!("{name}: {then:?}, and it was {ran:?}"),
        }
        println!("{:>5} ms  {name}", began.elapsed().as_millis());
    }
}

/// The topic that the first statement writes.
fn written_by(statements: &str) -> &str {
    let (_, behind) = statements.split_once("INSERT INTO ").unwrap();
    behind.split(' ').next().unwrap()
}

/// Checks pairs one by one, and says of all that fail.
pub(crate) fn check_all<'p>(
    pairs: impl Iterator<Item = &'p Pair>,
    partitions: u32,
    world: &dyn Fn(&str) -> World,
) {
    let mut failed = Vec::new();
    for pair in pairs {
        let checked = || check(pair, partitions, world);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(checked)).is_err() {
            failed.push(pair.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
