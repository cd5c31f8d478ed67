use super::*;
use crate::batch::END_OF_TIME;
use crate::testing::{check_timed, happenings, play_every_way};
use crate::typed::table::Entry;
use Event::{Commit, Rows, Watermark};

/// Two tables of numbers, and what `declare` makes of them.
fn tables(declare: impl FnOnce(Table<String, i64>, Table<String, i64>)) -> Topology {
    let program = Program::new();
    let table = |topic: &str| program.source::<i64>(topic).table::<String>();
    declare(table("left"), table("right"));
    program.topology().unwrap()
}

fn entry() -> ReadRow {
    read_by(|key, value| Entry { key: key.to_owned(), value })
}

fn shown(entry: &Entry<String, String>) -> String {
    entry.value.clone().unwrap_or_else(|| "gone".to_owned())
}

fn pair(left: Option<&i64>, right: Option<&i64>) -> String {
    let show = |n: Option<&i64>| n.map_or("x".to_owned(), i64::to_string);
    format!("{}/{}", show(left), show(right))
}

/// Changes of tables at random: values come, and keys go.
fn random_changes(seed: u64, ports: u64) -> Vec<(u8, String)> {
    let deletes = |(port, rows): (u8, String)| (port, rows.replace(" 0", " null"));
    random_rows(seed, ports).into_iter().map(deletes).collect()
}

/// Plays random changes every way: once all keys went nothing is left.
fn play(spec: &OfRows, ports: u64, all: &[&str]) {
    for seed in 1..4 {
        let mut parts = random_changes(seed, ports);
        let gone: Vec<String> = all.iter().map(|key| format!("- @99 {key} null")).collect();
        for port in 0..ports as u8 {
            parts.push((port, format!("k:utf8 v:i64 | {}", gone.join(" "))));
        }
        let delays = vec![0; ports as usize];
        let outcome = play_every_way(spec, &delays, &happenings(&with_commits(&parts)));
        assert!(outcome.output.lines().count() > 3, "{outcome:?}");
        assert!(outcome.state.is_empty(), "{outcome:?}");
    }
}

#[test]
fn a_key_is_joined_once_a_commit_with_what_is_there_by_then() {
    let of = |how: &'static str| {
        let topology = tables(move |left, right| match how {
            "inner" => left.join(right, |a, b| pair(Some(a), Some(b))).to("out"),
            "left" => left.left_join(right, |a, b| pair(Some(a), b)).to("out"),
            _ => left.outer_join(right, pair).to("out"),
        });
        OfRows::new(&topology, "jointables", vec![entry(), entry()], shown)
    };
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2"),
        Commit,
        Rows(1, "k:utf8 v:i64 | + @3 a 10  + @4 c 30"),
        Rows(0, "k:utf8 v:i64 | + @5 a 3"),
        Commit,
        Rows(0, "k:utf8 v:i64 | - @6 a null  + @7 d 4  - @8 d null"),
        Rows(1, "k:utf8 v:i64 | - @9 c null"),
        Commit,
    ];
    let inner = "k:utf8 row:utf8 | + @5 a 3/10 - @6 a gone";
    check_timed(&of("inner"), &[0, 0], &events, inner, 0);
    let left = "k:utf8 row:utf8 | + @1 a 1/x + @2 b 2/x + @5 a 3/10 - @6 a gone";
    check_timed(&of("left"), &[0, 0], &events, left, 0);
    let outer = "k:utf8 row:utf8 | + @1 a 1/x + @2 b 2/x + @5 a 3/10 + @4 c x/30 + @6 a x/10 - @9 c gone";
    check_timed(&of("outer"), &[0, 0], &events, outer, 0);
    play(&of("outer"), 2, &["a", "b", "c"]);
}

#[test]
fn a_row_that_changes_leaves_its_group_and_comes_to_one() {
    let topology = tables(|left, _| {
        left.group_by(|key, n| (format!("g{}", n % 2), format!("{key}{n}"))).count().to("out");
    });
    let show =
        |member: &crate::typed::table::group::Member<String>| format!("{}:{:?}", member.row, member.of);
    let spec = OfRows::new(&topology, "groupby", vec![entry()], show);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2  + @3 a 3"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @4 a 4  - @5 b null  + @6 c 1  - @7 c null"),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @3 g1 a3:a + @2 g0 b2:b - @4 g1 a3:a + @4 g0 a4:a - @5 g0 b2:b";
    check_timed(&spec, &[0], &events, expected, 0);
    play(&spec, 1, &["a", "b", "c"]);
}

/// The operator of a grouped table, over rows by group: each is of a key that is called like it.
fn over_members(name: &str, declare: impl FnOnce(GroupedTable<String, i64>)) -> OfRows {
    use crate::typed::table::group::Member;
    let topology = tables(|left, _| declare(left.group_by(|key, n| (key.clone(), *n))));
    let member = read_by(|_, n| {
        let row = n.unwrap_or_default();
        Member { of: crate::typed::plain::KeyBytes(format!("k{row}").into_bytes().into()), row }
    });
    OfRows::new(&topology, name, vec![member], |entry: &Entry<String, Vec<i64>>| {
        format!("{:?}", entry.value).replace(' ', "")
    })
}

const MEMBERS: [Event<'static>; 8] = [
    Rows(0, "k:utf8 v:i64 | + @1 a 5  + @2 a 7  + @3 b 1  + @4 a 6"),
    Commit,
    Rows(0, "k:utf8 v:i64 | + @5 a 1  - @6 b 1"),
    Commit,
    Rows(0, "k:utf8 v:i64 | - @7 a 7  - @8 a 1"),
    Commit,
    Rows(0, "k:utf8 v:i64 | - @9 a 6  - @10 a 5  + @11 c 2 - @12 c 2"),
    Commit,
];

#[test]
fn a_group_is_what_its_rows_come_to_and_goes_with_the_last() {
    let spec = over_members("aggregatetable", |grouped| {
        let add = |mut list: Vec<i64>, n| {
            list.push(n);
            list
        };
        let take = |mut list: Vec<i64>, n| {
            list.retain(|other| *other != n);
            list
        };
        grouped.aggregate(Vec::new(), add, take).to("out");
    });
    let expected =
        "k:utf8 row:utf8 | + @4 a Some([5,7,6]) + @3 b Some([1]) + @5 a Some([5,7,6,1]) - @6 b None
                    + @8 a Some([5,6]) - @10 a None";
    check_timed(&spec, &[0], &MEMBERS, expected, 0);
    assert!(play_every_way(&spec, &[0], &happenings(&MEMBERS)).state.is_empty());
}

#[test]
fn the_first_rows_of_a_group_are_others_only_where_one_of_them_comes_or_goes() {
    let spec = over_members("top", |grouped| grouped.top(2, |n| *n).to("out"));
    // A row behind the second changes nothing, and one that goes lets the third rise.
    let expected = "k:utf8 row:utf8 | + @4 a Some([7,6]) + @3 b Some([1]) - @6 b None + @8 a Some([6,5])
                    - @10 a None - @12 c None";
    check_timed(&spec, &[0], &MEMBERS, expected, 0);
    assert!(play_every_way(&spec, &[0], &happenings(&MEMBERS)).state.is_empty());
}

#[test]
fn ranks_are_in_the_order_of_their_numbers() {
    let floats = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-9, 3.0, f64::INFINITY];
    assert!(floats.iter().map(Rank::order).is_sorted());
    assert!([i64::MIN, -1, 0, 1, i64::MAX].iter().map(Rank::order).is_sorted());
    assert!([0, 1, u64::MAX].iter().map(Rank::order).is_sorted());
}

#[test]
fn the_newest_answer_counts_and_older_ones_are_known_as_long_as_they_may_come() {
    use crate::typed::table::foreign::{Answer, Word};
    // 12 is subscription 1, begun; 3 digits end one.
    let answer = read_by(|_, n| {
        let n = n.unwrap_or_default();
        let word = match n / 100 {
            0 => Word::Is(n.to_string()),
            1 => Word::Elsewhere,
            _ => Word::Nothing,
        };
        Answer { sequence: n as u64 / 10 % 10, open: n % 10 - 1, word }
    });
    let topology = tables(|left, right| {
        left.left_join_on(right, |n| Some(n.to_string()), |a, b| pair(Some(a), b)).to("out");
    });
    let spec = OfRows::new(&topology, "resolve", vec![answer], shown);
    let events = [
        // Begun, then changed.
        Rows(0, "k:utf8 v:i64 | + @1 a 12  + @2 a 21"),
        Commit,
        // It has moved: the new place answers first, then an older answer comes, then the old place says that it is elsewhere.
        Rows(0, "k:utf8 v:i64 | + @3 a 42  + @4 a 31"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @5 a 140"),
        Commit,
        // It goes, and a straggler of a place it left comes after.
        Rows(0, "k:utf8 v:i64 | + @6 a 52 + @7 a 260"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @8 a 51"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @9 a 160"),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @2 a 21 + @4 a 42 - @7 a gone";
    check_timed(&spec, &[0], &events, expected, 0);
    assert!(play_every_way(&spec, &[0], &happenings(&events)).state.is_empty());
}

#[test]
fn rows_that_name_a_key_are_told_what_becomes_of_it_whatever_is_cut_evicted_or_killed() {
    use crate::typed::table::foreign::{Answer, Says, Subscription, Word};
    let topology = tables(|left, right| {
        left.left_join_on(right, |n| Some(n.to_string()), |a, b| pair(Some(a), b)).to("out");
    });
    let of = |n: i64| crate::typed::plain::KeyBytes(format!("row{}", n % 10).into_bytes().into());
    let subscription = read_by(move |_, n| {
        let n = n.unwrap_or_default();
        let says = match n / 100 {
            0 => Says::Begins(n),
            1 => Says::Is(n),
            _ => Says::Ends { is_gone: n / 100 == 3 },
        };
        Subscription { of: of(n), sequence: n as u64 / 10, is_alone: false, says }
    });
    let show = |answer: &Answer<String>| {
        let word = match &answer.word {
            Word::Is(text) => text,
            Word::Nothing => "nothing",
            Word::Elsewhere => "elsewhere",
        };
        format!("{}:{}:{word}", answer.sequence, answer.open)
    };
    let spec = OfRows::new(&topology, "match", vec![subscription, entry()], show);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 p 11  + @2 p 12  + @2 q 13"),
        Rows(1, "k:utf8 v:i64 | + @3 p 7"),
        Commit,
        Rows(1, "k:utf8 v:i64 | + @4 p 8  + @4 r 1"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @5 p 121 + @6 p 232"),
        Rows(1, "k:utf8 v:i64 | - @7 p null"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @8 p 341 + @9 q 343"),
        Rows(1, "k:utf8 v:i64 | - @9 r null"),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @1 row1 1:1:11/7 + @2 row2 1:1:12/7 + @2 row3 1:1:13/x
                    + @4 row1 1:0:11/8 + @4 row2 1:0:12/8
                    + @5 row1 12:0:121/x + @6 row2 23:-1:elsewhere
                    + @8 row1 34:-1:nothing + @9 row3 34:-1:nothing";
    check_timed(&spec, &[0, 0], &events, expected, 0);
    assert!(play_every_way(&spec, &[0, 0], &happenings(&events)).state.is_empty());
}

#[test]
fn a_row_says_where_its_partner_lives_that_it_is_there_or_no_more() {
    use crate::typed::table::foreign::{Says, Subscription};
    let topology = tables(|left, right| {
        let partner = |n: &i64| (*n < 4).then(|| format!("p{n}"));
        left.left_join_on(right, partner, |a, b| pair(Some(a), b)).to("out");
    });
    let show = |subscription: &Subscription<i64>| {
        let says = match &subscription.says {
            Says::Begins(n) => format!("begins{n}"),
            Says::Is(n) => format!("is{n}"),
            Says::Ends { is_gone } => if *is_gone { "gone" } else { "moved" }.to_owned(),
        };
        let alone = if subscription.is_alone { ":alone" } else { "" };
        format!("{:?}:{}:{says}{alone}", subscription.of, subscription.sequence)
    };
    let spec = OfRows::new(&topology, "subscribe", vec![entry()], show);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 9"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @3 a 2  + @4 b 8  + @4 c 1  - @4 c null"),
        Commit,
        Commit,
        Rows(0, "k:utf8 v:i64 | - @5 a null  + @6 b 3"),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @1 p1 a:1:begins1 + @2 b b:1:begins9:alone
                    + @3 p1 a:2:moved + @3 p2 a:2:begins2 + @4 b b:2:is8:alone
                    + @5 p2 a:3:gone + @6 b b:3:moved:alone + @6 p3 b:3:begins3";
    check_timed(&spec, &[0], &events, expected, 0);
    // All that stays is the number of the last sequence.
    for seed in 1..4 {
        let outcome = play_every_way(&spec, &[0], &happenings(&with_commits(&random_changes(seed, 1))));
        assert!(outcome.output.lines().count() > 3, "{outcome:?}");
    }
}

#[test]
fn a_global_table_answers_with_what_it_has_when_a_row_comes() {
    let program = Program::new();
    let table = program.source::<i64>("table").table::<String>().everywhere();
    let rows = program.source::<String>("rows").record_time(Duration::ZERO).stream();
    rows.left_join_global(table, |row| row.clone(), |row, n| format!("{row}:{}", n.copied().unwrap_or(-1)))
        .to("out");
    let topology = program.topology().unwrap();
    let row = read_by(|key, _| key.to_owned());
    let maybe = read_by(|_, n| crate::typed::plain::Maybe(n));
    let spec = OfRows::new(&topology, "joinglobal", vec![row, maybe], String::clone);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1"),
        Rows(1, "k:utf8 v:i64 | + @1 a 10  + @1 b 20"),
        Rows(0, "k:utf8 v:i64 | + @2 a 1  + @3 b 1"),
        Commit,
        Rows(1, "k:utf8 v:i64 | - @1 a null"),
        Rows(0, "k:utf8 v:i64 | + @4 a 1  + @5 b 1"),
        Commit,
        Rows(1, "k:utf8 v:i64 | - @1 b null"),
    ];
    let expected = "k:utf8 row:utf8 | + @1 '' a:-1 + @2 '' a:10 + @3 '' b:20 + @4 '' a:-1 + @5 '' b:20";
    check_timed(&spec, &[0, 0], &events, expected, 0);
    assert!(play_every_way(&spec, &[0, 0], &happenings(&events)).state.is_empty());
}

#[test]
fn a_row_meets_what_its_key_had_at_its_time_whatever_came_when() {
    let program = Program::new();
    let table = program.source::<i64>("table").record_time(Duration::ZERO).versioned::<String>();
    let show = |n, other: Option<&i64>| format!("{n}/{}", other.copied().unwrap_or(-1));
    numbers(&program, "numbers").left_join_as_of(table, show).to("out");
    let topology = program.topology().unwrap();
    let spec = OfRows::new(&topology, "asofjoin", vec![number(), entry()], String::clone);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @5 a 1  + @12 a 2  + @8 b 3"),
        Rows(1, "k:utf8 v:i64 | + @3 a 10"),
        Commit,
        Rows(1, "k:utf8 v:i64 | + @10 a 20  - @12 a null"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @14 a 4 + @20 a 5 + @7 a 6"),
        Rows(1, "k:utf8 v:i64 | + @15 a 30 + @30 b 1"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @5 a 1/10 + @8 b 3/-1 + @12 a 2/-1 + @14 a 4/-1 + @20 a 5/30";
    check_timed(&spec, &[0, 0], &events, expected, 1);
}

#[test]
fn a_table_that_is_kept_passes_on_what_has_become_of_a_key() {
    let topology = tables(|left, _| left.kept("left by name").to("out"));
    let show = |entry: &Entry<String, i64>| format!("{:?}", entry.value);
    let spec = OfRows::new(&topology, "left by name", vec![entry()], show);
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2  + @3 a 3  + @4 c 1  - @5 c null"),
        Commit,
        Rows(0, "k:utf8 v:i64 | - @6 a null  - @7 d null"),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @3 a Some(3) + @2 b Some(2) - @6 a None";
    check_timed(&spec, &[0], &events, expected, 0);
    play(&spec, 1, &["a", "b", "c"]);
}
