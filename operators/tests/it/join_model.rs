//! Both joins against models that look at one row after the other and search everything.
//!
//! What the output amounts to (a bag of rows, retractions taken away) must be what the model has, and, where no row goes
//! by itself, what a nested loop over the rows that are there gives. The output itself, and the state, must not depend
//! on how rows were cut, evicted or restored.

use crate::join::{interval, updating_for};
use millstream_operators::testing::{After, Happening, Harness, Keyed, batch, play_every_way, print_all};
use millstream_operators::{Join, JoinKind, Port, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn kinds() -> impl Strategy<Value = JoinKind> {
    proptest::sample::select(vec![JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full])
}

fn all_kinds() -> impl Strategy<Value = JoinKind> {
    prop_oneof![2 => kinds(), 1 => proptest::sample::select(vec![JoinKind::Semi, JoinKind::Anti, JoinKind::Mark])]
}

fn keeps(kind: JoinKind, side: usize) -> bool {
    use JoinKind::{Anti, Full, Left, Mark, Right, Semi};
    matches!((kind, side), (Full, _) | (Left | Semi | Anti | Mark, 0) | (Right, 1))
}

fn pairs(kind: JoinKind) -> bool {
    !matches!(kind, JoinKind::Semi | JoinKind::Anti | JoinKind::Mark)
}

/// Output rows with how often they are there.
type Bag = BTreeMap<String, i64>;

fn text(key: Option<u8>, value: i64) -> String {
    format!("{} {value}", key.map_or("null".to_owned(), |key| key.to_string()))
}

fn joined(own: usize, row: &str, other: &str) -> String {
    if own == 0 { format!("{row} {other}") } else { format!("{other} {row}") }
}

/// What printed output amounts to, without times.
fn fold(output: &str) -> Bag {
    let mut bag = Bag::new();
    for line in output.lines().filter(|line| line.starts_with(['+', '-'])) {
        let sign = if line.starts_with('+') { 1 } else { -1 };
        let row: Vec<&str> = line.split_whitespace().skip(1).filter(|word| !word.starts_with('@')).collect();
        *bag.entry(row.join(" ")).or_default() += sign;
    }
    bag.retain(|_, count| *count != 0);
    bag
}

#[derive(Debug, Clone)]
enum Action {
    Add(usize, Option<u8>, i64),
    /// Takes back the row at this place among those of the side that are there, or one that is not there.
    Take(usize, usize),
    Cut,
    Commit,
    /// The clock goes on.
    Wait(i64),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let key = proptest::option::weighted(0.9, 0..3u8);
    let action = prop_oneof![
        6 => (0..2usize, key, 0..4i64).prop_map(|(side, key, value)| Action::Add(side, key, value)),
        3 => (0..2usize, 0..12usize).prop_map(|(side, place)| Action::Take(side, place)),
        1 => Just(Action::Cut),
        1 => Just(Action::Commit),
        1 => (1..60i64).prop_map(Action::Wait),
    ];
    proptest::collection::vec(action, 0..40)
}

struct Row {
    key: Option<u8>,
    value: i64,
    came: i64,
    matches: u32,
}

struct Model {
    kind: JoinKind,
    residual: bool,
    ttl_ms: [Option<i64>; 2],
    upsert_right: bool,
    now: i64,
    rows: [Vec<Row>; 2],
    bag: Bag,
}

impl Model {
    fn add(&mut self, row: String, count: i64) {
        *self.bag.entry(row).or_default() += count;
    }

    fn add_pair(&mut self, own: usize, row: &str, other: &str, count: i64) {
        if pairs(self.kind) {
            self.add(joined(own, row, other), count);
        }
    }

    /// That a row has met none begins or ends.
    fn add_unmatched(&mut self, side: usize, row: &str, count: i64) {
        match self.kind {
            JoinKind::Semi => self.add(row.to_owned(), -count),
            JoinKind::Anti => self.add(row.to_owned(), count),
            JoinKind::Mark => {
                self.add(format!("{row} true"), -count);
                self.add(format!("{row} false"), count);
            }
            _ => self.add(joined(side, row, "null null"), count),
        }
    }

    /// A row comes or goes that has met this many.
    fn add_own(&mut self, own: usize, row: &str, matches: u32, count: i64) {
        if keeps(self.kind, own) && self.kind == JoinKind::Mark {
            return self.add(format!("{row} {}", matches > 0), count);
        }
        if !keeps(self.kind, own) || (matches == 0) == (self.kind == JoinKind::Semi) {
            return;
        }
        let row = if pairs(self.kind) { joined(own, row, "null null") } else { row.to_owned() };
        self.add(row, count);
    }

    fn meets(&self, own: usize, (key, value): (Option<u8>, i64), other: &Row) -> bool {
        let (a, b) = if own == 0 { (value, other.value) } else { (other.value, value) };
        let is_there = self.ttl_ms[1 - own].is_none_or(|ttl_ms| other.came + ttl_ms > self.now);
        key.is_some() && key == other.key && (!self.residual || a < b) && is_there
    }

    fn insert(&mut self, own: usize, key: Option<u8>, value: i64) {
        if own == 1 && self.upsert_right {
            self.delete(key);
        }
        let row = text(key, value);
        let mut matches = 0;
        for place in 0..self.rows[1 - own].len() {
            if self.meets(own, (key, value), &self.rows[1 - own][place]) {
                matches += 1;
                let other = &mut self.rows[1 - own][place];
                let other_row = text(other.key, other.value);
                other.matches += 1;
                if other.matches == 1 && keeps(self.kind, 1 - own) {
                    self.add_unmatched(1 - own, &other_row, -1);
                }
                self.add_pair(own, &row, &other_row, 1);
            }
        }
        self.add_own(own, &row, matches, 1);
        self.rows[own].push(Row { key, value, came: self.now, matches });
    }

    /// Takes one of the equal rows away: the newest.
    fn take(&mut self, own: usize, key: Option<u8>, value: i64) {
        let place = self.rows[own].iter().rposition(|row| row.key == key && row.value == value);
        let is_there =
            |row: &Row| key.is_none() || self.ttl_ms[own].is_none_or(|ttl_ms| row.came + ttl_ms > self.now);
        let Some(place) = place.filter(|place| is_there(&self.rows[own][*place])) else { return };
        self.take_at(own, place);
    }

    fn take_at(&mut self, own: usize, place: usize) {
        let gone = self.rows[own].remove(place);
        let row = text(gone.key, gone.value);
        for place in 0..self.rows[1 - own].len() {
            if self.meets(own, (gone.key, gone.value), &self.rows[1 - own][place]) {
                let other = &mut self.rows[1 - own][place];
                let other_row = text(other.key, other.value);
                other.matches -= 1;
                if other.matches == 0 && keeps(self.kind, 1 - own) {
                    self.add_unmatched(1 - own, &other_row, 1);
                }
                self.add_pair(own, &row, &other_row, -1);
            }
        }
        self.add_own(own, &row, gone.matches, -1);
    }

    /// An upsert or deletion makes the row of its key go.
    fn delete(&mut self, key: Option<u8>) {
        if let Some(place) = self.rows[1].iter().position(|row| row.key == key) {
            if self.ttl_ms[1].is_none_or(|ttl_ms| self.rows[1][place].came + ttl_ms > self.now) {
                self.take_at(1, place);
            } else {
                self.rows[1].remove(place);
            }
        }
    }

    /// The join of the rows that are there, by a nested loop.
    fn nested_loop(&self) -> Bag {
        let mut bag = Bag::new();
        let mut matched = [vec![false; self.rows[0].len()], vec![false; self.rows[1].len()]];
        for (l, left) in self.rows[0].iter().enumerate() {
            for (r, right) in self.rows[1].iter().enumerate() {
                if left.key.is_some() && left.key == right.key && (!self.residual || left.value < right.value)
                {
                    (matched[0][l], matched[1][r]) = (true, true);
                    if pairs(self.kind) {
                        let pair = format!("{} {}", text(left.key, left.value), text(right.key, right.value));
                        *bag.entry(pair).or_default() += 1;
                    }
                }
            }
        }
        for side in (0..2).filter(|side| keeps(self.kind, *side)) {
            for (row, matched) in self.rows[side].iter().zip(&matched[side]) {
                if self.kind == JoinKind::Mark {
                    let row = format!("{} {matched}", text(row.key, row.value));
                    *bag.entry(row).or_default() += 1;
                } else if *matched == (self.kind == JoinKind::Semi) {
                    let row = text(row.key, row.value);
                    let row = if pairs(self.kind) { joined(side, &row, "null null") } else { row };
                    *bag.entry(row).or_default() += 1;
                }
            }
        }
        bag
    }
}

enum Step {
    Rows(u8, String),
    Clock(i64),
    Commit,
}

const HEADS: [&str; 2] = ["k:i64 a:i64", "rk:i64 b:i64"];

/// Output and state.
fn play(
    spec: &Keyed<Join>,
    steps: &[Step],
    after: After,
    by_row: bool,
    seed: u64,
) -> (String, Vec<(u16, Vec<u8>, Vec<u8>)>) {
    let mut harness = Harness::with(spec, after, seed);
    for step in steps {
        match step {
            Step::Rows(port, rows) => {
                let whole = batch(&format!("{} |{rows}", HEADS[usize::from(*port)]));
                if by_row {
                    for row in 0..whole.len() as u32 {
                        harness.process_batch(Port(*port), whole.take(&[row]).unwrap()).unwrap();
                    }
                } else {
                    harness.process_batch(Port(*port), whole).unwrap();
                }
            }
            Step::Clock(now) => harness.set_clock(*now),
            Step::Commit => harness.commit().unwrap(),
        }
    }
    let stores = millstream_operators::OperatorSpec::stores(spec).len() as u16;
    let state = harness.state().dump(stores).unwrap();
    (print_all(&harness.take()), state.into_iter().map(|(store, key, value)| (store.0, key, value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_updating_join_amounts_to_the_join_of_what_is_there(
        actions in actions(),
        kind in all_kinds(),
        residual in any::<bool>(),
        ttl_ms in proptest::array::uniform2(proptest::option::weighted(0.4, 20..100i64)),
        upsert_right in any::<bool>(),
    ) {
        let inputs = [StreamKind::Changelog, if upsert_right { StreamKind::Upsert } else { StreamKind::Changelog }];
        let mut model = Model {
            kind, residual, ttl_ms, upsert_right, now: 0, rows: [Vec::new(), Vec::new()], bag: Bag::new(),
        };
        let mut steps: Vec<Step> = Vec::new();
        let mut open = false;
        for action in &actions {
            let (side, row) = match action {
                Action::Add(side, key, value) => {
                    // Primary keys are not null.
                    let key = if *side == 1 && upsert_right { Some(key.unwrap_or(0)) } else { *key };
                    model.insert(*side, key, *value);
                    (*side, format!(" + {}", text(key, *value)))
                }
                Action::Take(1, place) if upsert_right => {
                    let key = Some(*place as u8 % 4);
                    model.delete(key);
                    (1, format!(" - {} 77", text(key, 0).split(' ').next().unwrap()))
                }
                Action::Take(side, place) => {
                    let row = model.rows[*side].get(*place).map_or((Some(1), 99), |row| (row.key, row.value));
                    model.take(*side, row.0, row.1);
                    (*side, format!(" - {}", text(row.0, row.1)))
                }
                Action::Cut => {
                    open = false;
                    continue;
                }
                Action::Commit => {
                    steps.push(Step::Commit);
                    open = false;
                    continue;
                }
                Action::Wait(ms) => {
                    model.now += ms;
                    steps.push(Step::Clock(model.now));
                    open = false;
                    continue;
                }
            };
            match steps.last_mut() {
                Some(Step::Rows(port, rows)) if open && usize::from(*port) == side => rows.push_str(&row),
                _ => steps.push(Step::Rows(side as u8, row)),
            }
            open = true;
        }
        steps.push(Step::Commit);
        let spec = updating_for(kind, inputs, residual, ttl_ms);
        let (output, state) = play(&spec, &steps, After::Nothing, false, 1);
        model.bag.retain(|_, count| *count != 0);
        prop_assert_eq!(fold(&output), model.bag.clone());
        if ttl_ms == [None, None] {
            prop_assert_eq!(fold(&output), model.nested_loop());
        }
        for after in [After::Nothing, After::Evict, After::EvictSometimes, After::Checkpoint, After::Crash] {
            for by_row in [false, true] {
                let (other, other_state) = play(&spec, &steps, after, by_row, 7 + after as u64);
                prop_assert_eq!(&other, &output, "{:?}, by row {}", after, by_row);
                prop_assert_eq!(&other_state, &state, "{:?}, by row {}", after, by_row);
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Timed {
    /// Side, key, value, and how far the time is from the side's last.
    Row(usize, Option<u8>, i64, i64),
    Cut,
    Commit,
}

fn timed() -> impl Strategy<Value = Vec<Timed>> {
    let step = prop_oneof![4 => -12..15i64, 1 => 20..60i64, 1 => Just(0i64)];
    let row = (0..2usize, proptest::option::weighted(0.9, 0..2u8), 0..4i64, step);
    let action = prop_oneof![
        8 => row.prop_map(|(side, key, value, step)| Timed::Row(side, key, value, step)),
        2 => Just(Timed::Cut),
        1 => Just(Timed::Commit),
    ];
    proptest::collection::vec(action, 0..30)
}

struct TimedRow {
    key: Option<u8>,
    value: i64,
    time: i64,
    matched: bool,
}

struct IntervalModel {
    kind: JoinKind,
    residual: bool,
    bounds: (i64, i64),
    times: [i64; 2],
    watermarks: [Option<i64>; 2],
    watermark: Option<i64>,
    rows: [Vec<TimedRow>; 2],
    bag: Bag,
    late: u64,
}

impl IntervalModel {
    /// Whether a row can still be met by a row that is not late.
    fn is_kept(&self, side: usize, time: i64, watermark: Option<i64>) -> bool {
        let keep = if side == 0 { -self.bounds.0 } else { self.bounds.1 };
        watermark.is_none_or(|watermark| time + keep >= watermark)
    }

    fn row(&mut self, own: usize, key: Option<u8>, value: i64, time: i64) {
        let reach = [-self.bounds.0, self.bounds.1][own].max(self.bounds.1 - self.bounds.0);
        if self.watermark.is_some_and(|watermark| time + reach < watermark) {
            self.late += 1;
            return;
        }
        let mut matched = false;
        let row = text(key, value);
        for place in 0..self.rows[1 - own].len() {
            let other = &self.rows[1 - own][place];
            let (left, right) = if own == 0 { (time, other.time) } else { (other.time, time) };
            let (a, b) = if own == 0 { (value, other.value) } else { (other.value, value) };
            let near = (self.bounds.0..=self.bounds.1).contains(&(left - right));
            if key.is_some()
                && key == other.key
                && near
                && (!self.residual || a < b)
                && self.is_kept(1 - own, other.time, self.watermark)
            {
                matched = true;
                let other = &mut self.rows[1 - own][place];
                other.matched = true;
                *self.bag.entry(joined(own, &row, &text(other.key, other.value))).or_default() += 1;
            }
        }
        self.rows[own].push(TimedRow { key, value, time, matched });
    }

    fn read(&mut self, side: usize, time: i64, delay: i64) {
        let read = &mut self.watermarks[side];
        *read = Some((*read).unwrap_or(i64::MIN).max(time - delay));
        if let [Some(left), Some(right)] = self.watermarks {
            self.watermark = Some(self.watermark.unwrap_or(i64::MIN).max(left.min(right)));
        }
    }

    /// Adds the rows that have come out unmatched.
    fn finish(mut self) -> (Bag, u64) {
        for side in (0..2).filter(|side| keeps(self.kind, *side)) {
            for row in &self.rows[side] {
                let gone = row.key.is_none() || !self.is_kept(side, row.time, self.watermark);
                if gone && !row.matched {
                    let row = joined(side, &text(row.key, row.value), "null null");
                    *self.bag.entry(row).or_default() += 1;
                }
            }
        }
        (self.bag, self.late)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn rows_meet_those_near_them_in_time(
        actions in timed(),
        kind in kinds(),
        residual in any::<bool>(),
        lower in -20..10i64,
        width in 0..30i64,
        delays in [0..20i64, 0..20i64],
        end in any::<bool>(),
    ) {
        let bounds = (lower, lower + width);
        let mut model = IntervalModel {
            kind, residual, bounds, times: [0; 2], watermarks: [None; 2], watermark: None,
            rows: [Vec::new(), Vec::new()], bag: Bag::new(), late: 0,
        };
        let mut happenings = Vec::new();
        let mut pending: (usize, String) = (0, String::new());
        let cut = |happenings: &mut Vec<Happening>, (side, rows): &mut (usize, String)| {
            if !rows.is_empty() {
                happenings.push(Happening::Rows(*side as u8, batch(&format!("{} |{rows}", HEADS[*side]))));
                rows.clear();
            }
        };
        for action in &actions {
            let Timed::Row(side, key, value, step) = action else {
                cut(&mut happenings, &mut pending);
                if matches!(action, Timed::Commit) {
                    happenings.push(Happening::Commit);
                }
                continue;
            };
            if pending.0 != *side {
                cut(&mut happenings, &mut pending);
                pending.0 = *side;
            }
            model.times[*side] += step;
            let time = model.times[*side];
            model.row(*side, *key, *value, time);
            model.read(*side, time, delays[*side]);
            pending.1.push_str(&format!(" + @{time} {}", text(*key, *value)));
        }
        cut(&mut happenings, &mut pending);
        if end {
            happenings.push(Happening::End);
            model.watermark = Some(i64::MAX);
        }
        let outcome = play_every_way(&interval(kind, bounds.0, bounds.1, residual), &delays, &happenings);
        let (bag, late) = model.finish();
        prop_assert_eq!(fold(&outcome.output), bag);
        prop_assert_eq!(outcome.late, late);
    }
}
