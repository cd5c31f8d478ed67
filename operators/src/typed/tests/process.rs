use super::*;
use crate::batch::END_OF_TIME;
use crate::testing::{Harness, check_timed, happenings, play_every_way};
use Event::{Commit, Rows, Watermark};

/// Uses every kind of state, timers and a side output: emits the running count, sum, distinct values and list of a key, and
/// what is left five milliseconds after its first row.
struct All {
    count: ValueState<u64>,
    list: ListState<i64>,
    seen: MapState<i64, u64>,
    largest: ReducingState<i64>,
    odd: Side<String>,
}

impl ProcessFunction<String, i64> for All {
    type Out = String;

    fn row(&mut self, cx: &mut Context<'_, String>, key: &String, number: i64) {
        let count = self.count.get(cx).copied().unwrap_or(0) + 1;
        if count == 1 {
            cx.set_timer(cx.time() + 5);
        }
        self.count.set(cx, count);
        self.list.push(cx, number);
        self.seen.update(cx, |seen| *seen.entry(number).or_default() += 1);
        self.largest.add(cx, number);
        if number % 2 == 1 {
            let odd = format!("{key}{number}");
            cx.emit_to(&self.odd, odd);
        }
        if number == 4 {
            cx.remove_timer(cx.time() + 5);
        }
    }

    fn timer(&mut self, cx: &mut Context<'_, String>, key: &String, time: EventTime) {
        let list: Vec<String> = self.list.take(cx).iter().map(i64::to_string).collect();
        let distinct = self.seen.entries(cx).map_or(0, |seen| seen.len());
        let (count, largest) = (self.count.take(cx), self.largest.take(cx));
        self.seen.update(cx, |seen| seen.clear());
        let text =
            format!("{key}@{time}:{}:{}:{distinct}:{}", count.unwrap(), list.join("+"), largest.unwrap());
        cx.emit(text);
    }
}

fn all() -> Topology {
    declared(|_, numbers| {
        let (main, sides) = numbers.process_with_sides(|states| All {
            count: states.value("count"),
            list: states.list("list"),
            seen: states.map("seen"),
            largest: states.reducing("largest", i64::max),
            odd: states.side("odd"),
        });
        main.to("out");
        sides.get::<String>("odd").to("odd");
    })
}

/// Shows the rows of the main output; those of sides are none of it.
fn main_output(topology: &Topology) -> OfRows {
    let topology = topology.clone();
    OfRows::new(&topology, "process", vec![number()], String::clone)
}

#[test]
fn states_and_timers_are_the_same_whatever_is_cut_evicted_or_killed() {
    // The side output's rows are of another type, which this harness does not show: no odd number here.
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 2  + @2 b 8  + @3 a 2"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @5 a 6  + @6 c 4  + @4 a 0"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @20 a 2  + @9 b 10"),
        Commit,
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @6 a a@6:5:2+2+6+0+2:3:6 + @7 b b@7:1:8:1:8
                    + @14 b b@14:1:10:1:10";
    check_timed(&main_output(&all()), &[2], &events, expected, 0);
}

#[test]
fn random_rows_come_to_the_same_whatever_is_cut_evicted_or_killed() {
    for seed in 1..4 {
        let parts: Vec<(u8, String)> = random_rows(seed, 1)
            .into_iter()
            .map(|(port, rows)| (port, rows.replace(" 1", " 2").replace(" 3", " 6")))
            .collect();
        let outcome = play_every_way(&main_output(&all()), &[3], &happenings(&with_commits(&parts)));
        assert!(outcome.output.lines().count() > 3, "{outcome:?}");
    }
}

struct Expiring {
    seen: ValueState<i64>,
}

impl ProcessFunction<String, i64> for Expiring {
    type Out = String;

    fn row(&mut self, cx: &mut Context<'_, String>, _key: &String, number: i64) {
        let text = format!("{number}:{}", self.seen.get(cx).copied().unwrap_or(-1));
        self.seen.set(cx, number);
        cx.emit(text);
    }
}

#[test]
fn what_is_kept_for_a_while_goes_with_the_watermark_and_leaves_nothing() {
    let topology = declared(|_, numbers| {
        let make = |states: &mut States| Expiring { seen: states.expire_after(10 * MS).value("seen") };
        numbers.process(make).to("out");
    });
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @5 a 2  + @14 a 3  + @24 b 1  + @25 a 4"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @33 b 2  + @40 a 5"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @60 c 1"),
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected =
        "k:utf8 row:utf8 | + @1 a 1:-1 + @5 a 2:1 + @14 a 3:2 + @24 b 1:-1 + @25 a 4:-1 + @33 b 2:1
                    + @40 a 5:4 + @60 c 1:-1";
    let spec = over_numbers_text(&topology);
    check_timed(&spec, &[0], &events, expected, 0);
    let outcome = play_every_way(&spec, &[0], &happenings(&events));
    assert!(outcome.state.is_empty(), "{outcome:?}");
}

fn over_numbers_text(topology: &Topology) -> OfRows {
    OfRows::new(topology, "process", vec![number()], String::clone)
}

#[test]
fn the_first_row_of_a_key_goes_on_and_later_ones_do_not() {
    let topology = declared(|_, numbers| numbers.deduplicate(10 * MS).to("out"));
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 b 2  + @8 a 3"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @10 a 4  + @11 b 5  + @12 a 6"),
        Watermark(END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 row:utf8 | + @1 a 1 + @2 b 2 + @12 a 6";
    check_timed(&over_numbers::<i64>(&topology, "deduplicate"), &[0], &events, expected, 0);
}

#[test]
fn a_value_that_does_not_survive_its_own_encoding_is_named() {
    #[derive(Clone, Debug, Serialize, serde::Deserialize)]
    struct Forgetful {
        kept: i64,
        #[serde(skip)]
        #[allow(dead_code, reason = "only shown")]
        lost: i64,
    }
    struct Keeps(ValueState<Forgetful>);
    impl ProcessFunction<String, i64> for Keeps {
        type Out = i64;
        fn row(&mut self, cx: &mut Context<'_, i64>, _key: &String, number: i64) {
            self.0.set(cx, Forgetful { kept: number, lost: number });
        }
    }
    let topology = declared(|_, numbers| numbers.process(|states| Keeps(states.value("last"))).to("out"));
    let spec = over_numbers::<i64>(&topology, "process");
    let mut harness = Harness::new(&spec);
    harness.process("k:utf8 v:i64 | + @1 a 7").unwrap();
    let error = harness.commit().unwrap_err().to_string();
    assert!(
        error.contains("state last") && error.contains("lost: 7") && error.contains("lost: 0"),
        "{error}"
    );
}

#[test]
fn a_function_is_refused_whose_states_have_one_name_and_whose_side_is_not_there() {
    let program = Program::new();
    numbers(&program, "numbers")
        .process(|states| {
            let _: ValueState<i64> = states.value("same");
            Expiring { seen: states.value("same") }
        })
        .to("out");
    assert!(program.topology().unwrap_err().to_string().contains("called \"same\""));
    let program = Program::new();
    let (main, sides) =
        numbers(&program, "numbers").process_with_sides(|states| Expiring { seen: states.value("seen") });
    main.to("out");
    sides.get::<i64>("late").to("late");
    assert!(program.topology().unwrap_err().to_string().contains("no side output \"late\""));
}
