//! The temporal join against a model that looks at one row after the other and searches everything.

use crate::temporal_join::join;
use millstream_operators::testing::{Happening, batch, canonical, play_every_way};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Action {
    /// Key, and how far the time is from the side's last.
    Left(Option<u8>, i64),
    /// Key, time as before, and whether there is a row.
    Right(u8, i64, bool),
    Cut,
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let step = || prop_oneof![4 => -12..15i64, 1 => 20..60i64, 1 => Just(0i64)];
    let action = prop_oneof![
        5 => (proptest::option::weighted(0.9, 0..3u8), step()).prop_map(|(key, step)| Action::Left(key, step)),
        5 => (0..3u8, step(), proptest::bool::weighted(0.75))
            .prop_map(|(key, step, row)| Action::Right(key, step, row)),
        2 => Just(Action::Cut),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..30)
}

#[derive(Default)]
struct Model {
    keep_unmatched: bool,
    /// By side: the last time, the watermark.
    times: [i64; 2],
    watermarks: [Option<i64>; 2],
    watermark: Option<i64>,
    waiting: Vec<(i64, usize, Option<u8>)>,
    /// By key and time; `None` is a deletion.
    versions: BTreeMap<(u8, i64), Option<usize>>,
    output: String,
    late: u64,
}

impl Model {
    fn left(&mut self, id: usize, key: Option<u8>, time: i64) {
        if self.watermark.is_some_and(|watermark| time < watermark) {
            self.late += 1;
        } else {
            self.waiting.push((time, id, key));
            self.release();
        }
    }

    fn right(&mut self, id: usize, key: u8, time: i64, row: bool) {
        self.versions.insert((key, time), row.then_some(id));
        self.prune();
    }

    fn read(&mut self, side: usize, time: i64, delay: i64) {
        let read = &mut self.watermarks[side];
        *read = Some((*read).unwrap_or(i64::MIN).max(time - delay));
        if let [Some(left), Some(right)] = self.watermarks {
            self.watermark = Some(left.min(right));
            self.release();
        }
    }

    fn release(&mut self) {
        let Some(watermark) = self.watermark else { return };
        self.waiting.sort();
        while let Some((time, id, key)) = self.waiting.first().copied().filter(|row| row.0 <= watermark) {
            self.waiting.remove(0);
            let mut older =
                key.into_iter().flat_map(|key| self.versions.range((key, i64::MIN)..=(key, time)));
            let version = older.next_back().and_then(|(_, version)| *version);
            let name = key.map_or("null".to_owned(), |key| key.to_string());
            match version {
                Some(version) => self.output.push_str(&format!(" + @{time} {name} l{id} {name} r{version}")),
                None if self.keep_unmatched => {
                    self.output.push_str(&format!(" + @{time} {name} l{id} null null"));
                }
                None => {}
            }
        }
        self.prune();
    }

    /// Of the versions that the watermark has reached the last one stays, if it is a row.
    fn prune(&mut self) {
        let Some(watermark) = self.watermark else { return };
        for key in 0..3 {
            let reached: Vec<_> = self
                .versions
                .range((key, i64::MIN)..=(key, watermark))
                .map(|(place, row)| (*place, row.is_some()))
                .collect();
            for (index, (place, is_row)) in reached.iter().enumerate() {
                if index + 1 < reached.len() || !is_row {
                    self.versions.remove(place);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn rows_meet_the_versions_of_their_times(
        actions in actions(),
        keep_unmatched in any::<bool>(),
        delays in [0..20i64, 0..20i64],
        end in any::<bool>(),
    ) {
        let mut model = Model { keep_unmatched, ..Model::default() };
        let mut happenings = Vec::new();
        let mut pending: (u8, String) = (0, String::new());
        let cut = |happenings: &mut Vec<Happening>, (port, rows): &mut (u8, String)| {
            let head = ["k:i64 a:utf8", "rk:i64 v:utf8"][usize::from(*port)];
            if !rows.is_empty() {
                happenings.push(Happening::Rows(*port, batch(&format!("{head} |{rows}"))));
                rows.clear();
            }
        };
        for (id, action) in actions.iter().enumerate() {
            let (port, row) = match action {
                Action::Left(key, step) => {
                    model.times[0] += step;
                    let time = model.times[0];
                    model.left(id, *key, time);
                    model.read(0, time, delays[0]);
                    let key = key.map_or("null".to_owned(), |key| key.to_string());
                    (0, format!(" + @{time} {key} l{id}"))
                }
                Action::Right(key, step, row) => {
                    model.times[1] += step;
                    let time = model.times[1];
                    model.right(id, *key, time, *row);
                    model.read(1, time, delays[1]);
                    (1, format!(" {} @{time} {key} r{id}", if *row { "+" } else { "-" }))
                }
                Action::Cut | Action::Commit => {
                    cut(&mut happenings, &mut pending);
                    if matches!(action, Action::Commit) {
                        happenings.push(Happening::Commit);
                    }
                    continue;
                }
            };
            if pending.0 != port {
                cut(&mut happenings, &mut pending);
                pending.0 = port;
            }
            pending.1.push_str(&row);
        }
        cut(&mut happenings, &mut pending);
        if end {
            happenings.push(Happening::End);
            model.watermark = Some(i64::MAX);
            model.release();
        }
        let outcome = play_every_way(&join(keep_unmatched), &delays, &happenings);
        let head = "k:i64 a:utf8 rk:i64 v:utf8";
        let expected =
            if model.output.is_empty() { String::new() } else { format!("{head} |{}", model.output) };
        prop_assert_eq!(outcome.output, canonical(&expected));
        prop_assert_eq!(outcome.late, model.late);
    }
}
