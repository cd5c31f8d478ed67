//! The interval join.

use super::JoinOn;
use super::rule::Rule;
use super::running::Joining;
use crate::OperatorError;
use crate::aggregate::LatePolicy;
use crate::batch::StreamKind;
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of};
use crate::operator::{BuildCx, Description, Operator, OperatorSpec, StoreSpec};

/// Joins rows of two streams whose event times are near each other.
///
/// Input: insertions on both sides, keyed by the columns that have to be equal ([`crate::Batch::keys`]). Two rows meet
/// when `lower_ms <= left time - right time <= upper_ms`. Output: insertions, the left columns and then the right ones,
/// at the later of the two times. A row goes when the watermark has passed the last time at which a row could come that
/// meets it; where its side is kept by LEFT, RIGHT or FULL and it has met nothing, it comes out then, at the next commit.
///
/// A row behind the watermark meets what is still there. When nothing that it could meet is, and nothing will come, it
/// is late: it is counted and left out.
#[derive(Debug, Clone)]
pub struct IntervalJoin {
    /// The sides and the rest of the condition.
    pub on: JoinOn,
    /// Least difference of the times, left minus right, milliseconds.
    pub lower_ms: i64,
    /// Largest difference.
    pub upper_ms: i64,
    /// What happens to late rows of the left side and of the right.
    pub late: [LatePolicy; 2],
}

impl IntervalJoin {
    fn rule(&self) -> Rule {
        Rule::Interval { lower_ms: self.lower_ms, upper_ms: self.upper_ms, late: self.late }
    }
}

impl OperatorSpec for IntervalJoin {
    fn describe(&self) -> Description {
        let times = format!("left time - right time from {} to {} ms", self.lower_ms, self.upper_ms);
        Description::new("IntervalJoin", format!("{}, on {}; {times}", self.on.kind.name(), self.on.on))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let times = format!("{} to {} ms", self.lower_ms, self.upper_ms);
        let meaning = self.on.meaning(inputs, vec![Fact::new("left time - right time", times)]);
        meaning.map_or_else(|| Meaning::described(self.describe(), inputs), Meaning::by_time)
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&IntervalJoin { on: self.on.nameless(), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        self.on.stores(|side| self.rule().layout(&self.on, side).head(), true)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            _ if !self.on.kind.pairs() => {
                Err(format!("there is no {} join by bounds of time", self.on.kind.name()))
            }
            [StreamKind::Append, StreamKind::Append] => Ok(StreamKind::Append),
            _ => Err("an interval join needs rows that are not updated or deleted: join before they are aggregated, \
                      or group them by a window first"
                .to_owned()),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Joining::new(&self.on, self.rule(), cx.hash_seed)?))
    }
}
