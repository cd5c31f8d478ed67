//! Windows against a model that keeps every row and looks at one row after the other.

use crate::window::{bounds, windows_of};
use millstream_operators::StreamKind;
use millstream_operators::aggregate::Window;
use millstream_operators::testing::{Happening, batch, canonical, play_every_way};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Action {
    /// Key, value, and how far its time is from the one before.
    Row(Option<i64>, Option<i64>, i64),
    Cut,
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let value = || proptest::option::weighted(0.8, -2..3i64);
    let step = prop_oneof![3 => -25..30i64, 1 => 100..200i64];
    let action = prop_oneof![
        8 => (value(), value(), step).prop_map(|(key, value, step)| Action::Row(key, value, step)),
        2 => Just(Action::Cut),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..30)
}

type Rows = Vec<(Option<i64>, Option<i64>)>;

/// Windows that are open, by end and key; and what has come of the others.
struct Model {
    size: i64,
    slide: i64,
    cumulates: bool,
    delay: i64,
    watermark: i64,
    open: BTreeMap<(i64, Option<i64>), Rows>,
    output: String,
    late: u64,
}

impl Model {
    fn row(&mut self, key: Option<i64>, value: Option<i64>, time: i64) {
        let first = match self.cumulates {
            false => time - time.rem_euclid(self.slide) + self.slide,
            true => time - time.rem_euclid(self.size) + self.slide,
        };
        let ends = (0..self.size / self.slide).map(|hop| first + hop * self.slide).filter(|end| *end > time);
        let ends: Vec<i64> = ends.filter(|end| end - 1 > self.watermark).collect();
        if ends.is_empty() {
            self.late += 1;
        }
        for end in ends {
            self.open.entry((end, key)).or_default().push((key, value));
        }
        self.advance(time.saturating_sub(self.delay));
    }

    fn advance(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
        while let Some(entry) = self.open.first_entry()
            && entry.key().0 - 1 <= self.watermark
        {
            let ((end, key), rows) = entry.remove_entry();
            let values: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
            let sum = (!values.is_empty()).then(|| values.iter().sum::<i64>());
            let distinct = values.iter().collect::<BTreeSet<_>>().len();
            let show = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
            self.output.push_str(&format!(
                " + @{} {} {} {} {} {distinct} {}",
                end - 1,
                show(key),
                rows.len(),
                show(sum),
                show(values.iter().min().copied()),
                match self.cumulates {
                    false => bounds(end - self.size, end),
                    true => bounds(end - 1 - (end - 1).rem_euclid(self.size), end),
                }
            ));
        }
    }
}

const HEAD: &str = "k:i64 count:i64 sumv:i64 minv:i64 countdistinctv:i64 \
                    window_start:ts window_end:ts window_time:ts";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn windows_hold_what_came_before_they_closed(
        actions in actions(),
        hops in 1..4i64,
        cumulates in any::<bool>(),
        delay in 0..30i64,
        end in any::<bool>(),
    ) {
        let (size, slide) = (10 * hops, 10);
        let mut model = Model {
            size, slide, cumulates, delay,
            watermark: i64::MIN, open: BTreeMap::new(), output: String::new(), late: 0,
        };
        let (mut happenings, mut time, mut pending) = (Vec::new(), 0, String::new());
        let cut = |pending: &mut String| {
            let rows = std::mem::take(pending);
            (!rows.is_empty()).then(|| Happening::Rows(0, batch(&format!("k:i64 v:i64 |{rows}"))))
        };
        for action in &actions {
            match action {
                Action::Row(key, value, step) => {
                    time += step;
                    model.row(*key, *value, time);
                    let show = |v: &Option<i64>| v.map_or("null".to_owned(), |v| v.to_string());
                    pending.push_str(&format!(" + @{time} {} {}", show(key), show(value)));
                }
                Action::Cut => happenings.extend(cut(&mut pending)),
                Action::Commit => {
                    happenings.extend(cut(&mut pending));
                    happenings.push(Happening::Commit);
                }
            }
        }
        happenings.extend(cut(&mut pending));
        if end {
            happenings.push(Happening::End);
            model.advance(i64::MAX);
        }
        let calls = ["count(*)", "sum(v)", "min(v)", "count(distinct v)"];
        for input in [StreamKind::Append, StreamKind::Changelog] {
            let window = if cumulates { Window::cumulating(size, slide, 0) } else { Window::new(size, slide, 0) };
            let spec = windows_of(window.unwrap(), "k:i64 v:i64", 1, &calls, input);
            let outcome = play_every_way(&spec, &[delay], &happenings);
            let expected = if model.output.is_empty() { String::new() } else { format!("{HEAD} |{}", model.output) };
            prop_assert_eq!(outcome.output, canonical(&expected));
            prop_assert_eq!(outcome.late, model.late);
        }
    }
}
