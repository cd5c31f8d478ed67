//! Random files, changed at random: what goes on is right, or it is refused.

use crate::check::{create, output, produce};
use crate::world::{On, World};
use std::fmt::Write;

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A statement that counts by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counting {
    sink: usize,
    key: usize,
    calls: Vec<usize>,
    filter: Option<(usize, usize)>,
    having: bool,
    /// How it is written: with a view in between, and under which names.
    through_view: Option<usize>,
}

/// A file: statements with state, and ones without.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    counting: Vec<Counting>,
    copies: Vec<usize>,
}

const KEYS: [&str; 2] = ["g", "h"];
const COLUMNS: [&str; 2] = ["n", "m"];
const CALLS: [&str; 6] =
    ["SUM(n)", "SUM(m)", "COUNT(*)", "MAX(n)", "COUNT(n)", "SUM(n) FILTER (WHERE m > 50)"];
const SINKS: usize = 3;

impl File {
    fn new(dice: &mut Dice) -> Self {
        let mut file = File { counting: Vec::new(), copies: Vec::new() };
        for sink in 0..=dice.below(2) {
            let counting = Counting {
                sink,
                key: dice.below(2),
                calls: (0..1 + dice.below(2)).map(|_| dice.below(CALLS.len())).collect(),
                filter: (dice.below(2) == 0).then(|| (dice.below(2), dice.below(10))),
                having: dice.below(4) == 0,
                through_view: (dice.below(3) == 0).then(|| dice.below(2)),
            };
            file.counting.push(counting);
        }
        file
    }

    /// The same with one thing changed, or with nothing that means anything.
    fn changed(&self, dice: &mut Dice) -> Self {
        let mut file = self.clone();
        let at = dice.below(file.counting.len());
        match dice.below(9) {
            0 => file.counting[at].key = dice.below(2),
            1 => file.counting[at].calls.reverse(),
            2 => {
                let call = dice.below(file.counting[at].calls.len());
                file.counting[at].calls[call] = dice.below(CALLS.len());
            }
            3 => file.counting[at].filter = (dice.below(2) == 0).then(|| (dice.below(2), dice.below(10))),
            4 => file.counting[at].having = !file.counting[at].having,
            5 => file.counting[at].through_view = (dice.below(2) == 0).then(|| dice.below(2)),
            6 => file.counting.reverse(),
            7 => file.copies.push(dice.below(2)),
            _ if file.counting.len() < SINKS => {
                let sink =
                    file.counting.iter().map(|counting| counting.sink).max().map_or(0, |most| most + 1);
                let new = Counting { sink, having: false, ..file.counting[at].clone() };
                file.counting.insert(dice.below(2), Counting { key: dice.below(2), ..new });
            }
            _ => drop(file.counting.remove(at)),
        }
        file
    }

    fn sql(&self) -> String {
        let mut sql = String::from(
            "CREATE TABLE t (g STRING, h STRING, n INT, m INT) WITH ('connector' = 'kafka', 'topic' = 't', \
             'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset');\n",
        );
        for sink in 0..SINKS {
            let _ = writeln!(
                sql,
                "CREATE TABLE s{sink} (k STRING, a BIGINT, b BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = \
                 'upsert-kafka', 'topic' = 's{sink}', 'key.format' = 'raw', 'value.format' = 'json');"
            );
        }
        for (index, column) in self.copies.iter().enumerate() {
            let _ = writeln!(
                sql,
                "CREATE TABLE c{index} (v INT) WITH ('connector' = 'kafka', 'topic' = 'c{index}', 'value.format' = \
                 'json');\nINSERT INTO c{index} SELECT {} FROM t;",
                COLUMNS[*column]
            );
        }
        self.counting.iter().enumerate().for_each(|(index, counting)| counting.write(index, &mut sql));
        sql
    }
}

impl Counting {
    fn write(&self, index: usize, sql: &mut String) {
        let calls: Vec<String> =
            self.calls.iter().map(|call| format!("CAST({} AS BIGINT)", CALLS[*call])).collect();
        let second = calls.get(1).map_or("CAST(1 AS BIGINT)", String::as_str);
        let calls = format!("{} AS a, {second} AS b", calls[0]);
        let filter = self.filter.map(|(column, least)| format!(" WHERE {} > {least}", COLUMNS[column]));
        let filter = filter.unwrap_or_default();
        let having = if self.having { " HAVING COUNT(*) > 0" } else { "" };
        let from = match self.through_view {
            None => "t".to_owned(),
            Some(name) => {
                let view = format!("view_{name}_{index}");
                let _ = writeln!(sql, "CREATE VIEW {view} AS SELECT m, g, n, h FROM t;");
                view
            }
        };
        let (sink, key) = (self.sink, KEYS[self.key]);
        let _ = writeln!(
            sql,
            "INSERT INTO s{sink} SELECT {key}, {calls} FROM {from}{filter} GROUP BY {key}{having};"
        );
    }

    /// What the state of it is made of.
    fn meaning(&self) -> (usize, Vec<usize>, Option<(usize, usize)>) {
        // Equal calls are computed once, and HAVING counts rows as well.
        let mut calls: Vec<usize> = Vec::new();
        for call in self.calls.iter().copied().chain(self.having.then_some(2)) {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
        (self.key, calls, self.filter)
    }
}

/// The topic of a statement after a run of the file over these halves.
fn ran_over(file: &File, halves: &[usize], partitions: u32, sink: usize) -> Vec<String> {
    let world = World::new(On::Embedded);
    create(&world, partitions);
    halves.iter().for_each(|half| produce(&world, *half));
    world.run(&file.sql(), "job").unwrap();
    sorted_output(&world, sink)
}

fn sorted_output(world: &World, sink: usize) -> Vec<String> {
    world.upserted(&format!("s{sink}")).into_iter().map(|(key, row)| format!("{key} {row}")).collect()
}

fn try_seed(seed: u64) -> bool {
    let mut dice = Dice(seed ^ 0x5eed);
    let before = File::new(&mut dice);
    let mut after = before.changed(&mut dice);
    if dice.below(3) == 0 {
        after = after.changed(&mut dice);
    }
    let partitions = 1 + dice.below(2) as u32;
    let from_savepoint = dice.below(2) == 0;
    let on = if dice.below(2) == 0 { On::Memory } else { On::Embedded };
    let world = World::new(on);
    create(&world, partitions);
    produce(&world, 0);
    world.run(&before.sql(), "job").unwrap();
    let saved = from_savepoint.then(|| world.savepoint(&before.sql(), "job", "saved").unwrap());
    produce(&world, 1);
    let ran = world.run_from(&after.sql(), if from_savepoint { "next" } else { "job" }, saved);
    let context =
        || format!("seed {seed}, savepoint {from_savepoint}, {on:?}:\n{}\nto\n{}", before.sql(), after.sql());
    match ran {
        Ok(_) => {
            for counting in &after.counting {
                let is_old = before.counting.iter().any(|old| old.meaning() == counting.meaning());
                let was_there = before.counting.iter().any(|old| old.sink == counting.sink);
                let halves: &[usize] = if is_old { &[0, 1] } else { &[1] };
                assert!(is_old || !was_there, "goes on with another meaning: {}", context());
                if !was_there && is_old {
                    // What was taken over has written elsewhere so far: only what is touched again stands here.
                    continue;
                }
                let wanted = ran_over(&after, halves, partitions, counting.sink);
                assert_eq!(sorted_output(&world, counting.sink), wanted, "s{}: {}", counting.sink, context());
            }
            true
        }
        Err(error) => {
            let same = |file: &File| {
                let mut meanings: Vec<_> = file.counting.iter().map(Counting::meaning).collect();
                meanings.sort();
                meanings
            };
            let error = error.to_string();
            assert!(error.contains("INSERT INTO s"), "{error}: {}", context());
            assert_ne!(same(&before), same(&after), "refused for nothing: {error}: {}", context());
            // Undone, it goes on.
            world.run(&before.sql(), "job").unwrap_or_else(|error| panic!("undone: {error}: {}", context()));
            for counting in &before.counting {
                let wanted = ran_over(&before, &[0, 1], partitions, counting.sink);
                assert_eq!(sorted_output(&world, counting.sink), wanted, "undone: {}", context());
            }
            false
        }
    }
}

/// `MILLSTREAM_SEEDS` says how many; a failure names its seed.
#[test]
fn random_files_that_change_go_on_rightly_or_are_refused() {
    let seeds = std::env::var("MILLSTREAM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(24);
    let first = std::env::var("MILLSTREAM_SEED").ok().and_then(|seed| seed.parse().ok());
    let all: Vec<u64> = first.map_or_else(|| (0..seeds).collect(), |seed| vec![seed]);
    let went_on = all.iter().filter(|seed| try_seed(**seed)).count();
    if all.len() > 10 {
        assert!(went_on > all.len() / 8 && went_on < all.len(), "{went_on} of {} went on", all.len());
    }
    let _ = output;
}
