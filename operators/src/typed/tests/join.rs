use super::super::table::Entry;
use super::*;
use crate::batch::END_OF_TIME;
use crate::testing::{check_timed, happenings, play_every_way};
use Event::{Commit, Rows, Watermark};

fn with_table(left: bool) -> OfRows {
    let topology = declared(|program, numbers| {
        let table = program.source::<i64>("table").table::<String>();
        match left {
            true => {
                numbers.left_join(table, |n, other| format!("{n}/{}", other.copied().unwrap_or(-1))).to("out")
            }
            false => numbers.join(table, |n, other| format!("{n}/{other}")).to("out"),
        }
    });
    let entry = read_by(|key, value| Entry { key: key.to_owned(), value });
    OfRows::new(&topology, "tablejoin", vec![number(), entry], String::clone)
}

#[test]
fn a_row_meets_what_its_key_has_in_the_table_when_it_comes() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1"),
        Rows(1, "k:utf8 v:i64 | + @1 a 10  + @1 b 20"),
        Rows(0, "k:utf8 v:i64 | + @2 a 2  + @2 b 3"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @3 a 4"),
        Rows(1, "k:utf8 v:i64 | + @4 a 11  - @5 b null"),
        Rows(0, "k:utf8 v:i64 | + @6 a 5  + @7 b 6"),
        Commit,
    ];
    let inner = "k:utf8 row:utf8 | + @2 a 2/10 + @2 b 3/20 + @3 a 4/10 + @6 a 5/11";
    check_timed(&with_table(false), &[0, 0], &events, inner, 0);
    let left = "k:utf8 row:utf8 | + @1 a 1/-1 + @2 a 2/10 + @2 b 3/20 + @3 a 4/10 + @6 a 5/11 + @7 b 6/-1";
    check_timed(&with_table(true), &[0, 0], &events, left, 0);
}

fn within(within: Within, outer: bool) -> OfRows {
    let topology = declared(|program, left| {
        let right = numbers(program, "others");
        let show = |n: Option<&i64>| n.map_or("x".to_owned(), i64::to_string);
        match outer {
            true => left
                .outer_join_within(right, within, move |a, b| format!("{}/{}", show(a), show(b)))
                .to("out"),
            false => left.join_within(right, within, |a, b| format!("{a}/{b}")).to("out"),
        }
    });
    OfRows::new(&topology, "windowjoin", vec![number(), number()], String::clone)
}

#[test]
fn rows_meet_those_that_are_near_and_stay_alone_once_none_can_come() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @5 a 2  + @5 b 3"),
        Commit,
        Rows(1, "k:utf8 v:i64 | + @4 a 10  + @9 a 20  + @20 c 30"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @20 a 4  + @2 a 5"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let near = Within::both(4 * MS);
    let inner = "k:utf8 row:utf8 | + @4 a 1/10 + @5 a 2/10 + @9 a 2/20";
    check_timed(&within(near, false), &[0, 0], &events, inner, 1);
    let outer = "k:utf8 row:utf8 | + @4 a 1/10 + @5 a 2/10 + @9 a 2/20 + @5 b 3/x + @20 a 4/x + @20 c x/30";
    check_timed(&within(near, true), &[0, 0], &events, outer, 1);
}

#[test]
fn pairs_are_those_of_a_nested_loop_whatever_comes() {
    for seed in 1..5 {
        let parts = random_rows(seed, 2);
        // Nothing is late.
        let near = Within::after(6 * MS).grace(1_000 * MS);
        let outcome = play_every_way(&within(near, true), &[0, 0], &happenings(&with_commits(&parts)));
        assert!(outcome.state.is_empty() && outcome.late == 0, "{outcome:?}");
        let mut sides: [Vec<(i64, String, String)>; 2] = Default::default();
        for (port, rows) in &parts {
            let words: Vec<&str> = rows.split_whitespace().collect();
            for (at, word) in words.iter().enumerate().filter(|(_, word)| word.starts_with('@')) {
                let time = word[1..].parse().unwrap();
                sides[usize::from(*port)].push((time, words[at + 1].to_owned(), words[at + 2].to_owned()));
            }
        }
        let meet = |l: &(i64, String, String), r: &(i64, String, String)| {
            l.1 == r.1 && (0..=6).contains(&(r.0 - l.0))
        };
        let mut expected: Vec<String> = Vec::new();
        for l in &sides[0] {
            expected.extend(sides[1].iter().filter(|r| meet(l, r)).map(|r| format!("{}/{}", l.2, r.2)));
            if !sides[1].iter().any(|r| meet(l, r)) {
                expected.push(format!("{}/x", l.2));
            }
        }
        let alone = sides[1].iter().filter(|r| !sides[0].iter().any(|l| meet(l, r)));
        expected.extend(alone.map(|r| format!("x/{}", r.2)));
        let mut found: Vec<&str> =
            outcome.output.split_whitespace().filter(|word| word.contains('/')).collect();
        expected.sort();
        found.sort_unstable();
        assert_eq!(found, expected, "{seed}");
    }
}
