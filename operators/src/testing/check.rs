//! What an operator makes of events, checked in every way they may come.

use super::harness::{After, Event, Harness};
use super::table::{batch, canonical};
use crate::operator::{OperatorSpec, Port};

/// Checks what an operator makes of some rows and a commit; see [`check_events`].
///
/// # Panics
/// When it is not what is expected.
#[track_caller]
pub fn check(spec: &dyn OperatorSpec, rows: &str, expected: &str) {
    check_events(spec, &[Event::Rows(0, rows), Event::Commit], expected);
}

/// Checks what an operator makes of some events: as they are, with every row on its own, with its state dropped or
/// restored after every commit, and with other hash seeds. It must always be the same.
///
/// # Panics
/// When it is not what is expected.
#[track_caller]
pub fn check_events(spec: &dyn OperatorSpec, events: &[Event<'_>], expected: &str) {
    let expected = canonical(expected);
    for after in [After::Nothing, After::Evict, After::EvictSometimes, After::Crash] {
        for row_by_row in [false, true] {
            let seed = 1 + after as u64 * 2 + u64::from(row_by_row);
            let mut harness = Harness::with(spec, after, seed);
            for event in events {
                let played = match event {
                    Event::Rows(port, rows) if row_by_row => {
                        let whole = batch(rows);
                        (0..whole.len() as u32)
                            .try_for_each(|row| harness.process_batch(Port(*port), whole.take(&[row])?))
                    }
                    event => harness.play(*event),
                };
                played.unwrap_or_else(|error| panic!("{event:?}: {error}"));
            }
            assert_eq!(
                harness.output(),
                expected,
                "{after:?} after commits, row by row: {row_by_row}, seed {seed}"
            );
        }
    }
}

/// The message an operator fails with on some rows.
///
/// # Panics
/// When it takes them.
#[track_caller]
pub fn fails(spec: &dyn OperatorSpec, rows: &str) -> String {
    match Harness::new(spec).process(rows) {
        Ok(()) => panic!("took {rows}"),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperatorError;
    use crate::batch::{Batch, StreamKind};
    use crate::keys::SlotTable;
    use crate::meaning::{Meaning, RowsMeaning};
    use crate::operator::{BuildCx, Cx, DeltaScope, Description, Operator, StoreSpec};
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use std::collections::BTreeMap;

    /// Sums by key, emitting new sums at a flush: something with state, to try the harness on.
    #[derive(Debug)]
    struct SumSpec {
        /// Forgets to write its changes: what the harness has to notice.
        forgetful: bool,
    }

    struct Sum {
        forgetful: bool,
        keys: SlotTable,
        sums: Vec<i64>,
        flushed: BTreeMap<Vec<u8>, i64>,
    }

    impl OperatorSpec for SumSpec {
        fn describe(&self) -> Description {
            Description::new("Sum", "")
        }

        fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
            Meaning::described(self.describe(), inputs)
        }

        fn stores(&self) -> Vec<StoreSpec> {
            vec![StoreSpec { name: "sums".to_owned(), schema: "i64 by utf8".to_owned() }]
        }

        fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
            Ok(inputs[0])
        }

        fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
            let keys = SlotTable::with_seed(cx.hash_seed);
            let (sums, flushed) = (Vec::new(), BTreeMap::new());
            Ok(Box::new(Sum { forgetful: self.forgetful, keys, sums, flushed }))
        }
    }

    impl Operator for Sum {
        fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
            let columns = batch.columns()?;
            let (keys, values) =
                (columns.column(0).as_string::<i32>(), columns.column(1).as_primitive::<Int64Type>());
            for (key, value) in keys.iter().flatten().zip(values.values()) {
                let (slot, new) = self.keys.find_or_insert(key.as_bytes());
                if new {
                    let stored = cx.state.get(0, key.as_bytes())?;
                    let sum = stored.map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().unwrap()));
                    self.sums.push(sum);
                }
                self.sums[slot as usize] += value;
            }
            Ok(())
        }

        fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
            let mut rows = String::from("k:utf8 sum:i64 |");
            for (slot, sum) in self.sums.iter().enumerate() {
                let key = self.keys.key(slot as u32);
                rows.push_str(&format!(" + {} {sum}", String::from_utf8_lossy(key)));
                self.flushed.insert(key.to_vec(), *sum);
            }
            self.keys.clear();
            self.sums.clear();
            cx.emit(batch(&rows));
            Ok(())
        }

        fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
            for (key, sum) in std::mem::take(&mut self.flushed) {
                if !self.forgetful {
                    out.block(0).put(&key, &sum.to_le_bytes());
                }
            }
            Ok(())
        }
    }

    const EVENTS: &[Event<'static>] = &[
        Event::Rows(0, "k:utf8 v:i64 | + a 1  + b 2  + a 3"),
        Event::Commit,
        Event::Rows(0, "k:utf8 v:i64 | + b 5"),
        Event::Commit,
        Event::Commit,
        Event::Rows(0, "k:utf8 v:i64 | + b 1  + a 1"),
        Event::Commit,
    ];
    const SUMS: &str = "k:utf8 sum:i64 | + a 4  + b 2  + b 7  + b 8  + a 5";

    #[test]
    fn an_operator_with_state_gives_the_same_however_it_is_driven() {
        check_events(&SumSpec { forgetful: false }, EVENTS, SUMS);
    }

    #[test]
    #[should_panic(expected = "Nothing after commits")]
    fn an_operator_that_forgets_its_changes_is_caught() {
        check_events(&SumSpec { forgetful: true }, EVENTS, SUMS);
    }
}
