//! The updating join.

use super::rule::Rule;
use super::running::Joining;
use super::{JoinKind, JoinOn};
use crate::OperatorError;
use crate::batch::StreamKind;
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of};
use crate::operator::{BuildCx, Description, Operator, OperatorSpec, StoreSpec};

/// Joins all rows of two streams that meet a condition, for as long as both are there.
///
/// Input: both sides keyed by the columns that have to be equal ([`crate::Batch::keys`]); insertions, changelogs, or upsert
/// streams keyed by their primary key. Output: the left columns and then, but for semi and anti joins, the right ones, at the time of the row that
/// made the change; a changelog, or insertions when it is an inner or semi join of insertions. A row is kept until it is taken
/// back, or until the step's clock has gone on by its side's `ttl_ms` since the row came: then it meets nothing any more, what
/// it met stays, and its retraction is ignored. Rows with a null among the equal columns meet nothing and are not kept.
///
/// A retraction takes back one of the rows that are equal to it in all columns; what has not been there is ignored.
#[derive(Debug, Clone)]
pub struct Join {
    /// The sides and the condition.
    pub on: JoinOn,
    /// By side how long a row is kept, milliseconds; `None`: until it is taken back.
    pub ttl_ms: [Option<i64>; 2],
}

impl Join {
    fn rule(&self) -> Rule {
        Rule::Updating { ttl_ms: self.ttl_ms }
    }

    /// How long rows are kept, in words; none where none of them goes by itself.
    fn kept(&self) -> Option<String> {
        let side = |ttl_ms: Option<i64>| ttl_ms.map_or("ever".to_owned(), |ttl_ms| format!("{ttl_ms} ms"));
        match self.ttl_ms {
            [None, None] => None,
            [left, right] if left == right => Some(side(left)),
            [left, right] => Some(format!("{} on the left, {} on the right", side(left), side(right))),
        }
    }
}

impl OperatorSpec for Join {
    fn describe(&self) -> Description {
        let ttl = self.kept().map(|kept| format!(", rows kept for {kept}")).unwrap_or_default();
        Description::new("Join", format!("{}, on {}{ttl}", self.on.kind.name(), self.on.on))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let kept = self.kept().map(|kept| Fact::new("keeps rows for", kept));
        let meaning = self.on.meaning(inputs, kept.into_iter().collect());
        meaning.unwrap_or_else(|| Meaning::described(self.describe(), inputs))
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&Join { on: self.on.nameless(), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        self.on
            .stores(|side| self.rule().layout(&self.on, side).head(), self.ttl_ms.iter().any(Option::is_some))
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        self.on.check_inputs(inputs)?;
        match (self.on.kind, inputs) {
            // Nothing that has met some ever stops having met it.
            (JoinKind::Inner | JoinKind::Semi, [StreamKind::Append, StreamKind::Append]) => {
                Ok(StreamKind::Append)
            }
            _ => Ok(StreamKind::Changelog),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Joining::new(&self.on, self.rule(), cx.hash_seed)?))
    }
}
