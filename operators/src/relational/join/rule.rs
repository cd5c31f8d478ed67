//! When the rows of a join meet, and when they go.

use super::JoinOn;
use crate::aggregate::LatePolicy;
use crate::batch::StreamKind;
use crate::kit::bags::Layout;

/// When rows meet, and when they go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// As long as both are there; unmatched rows come out at once, and are taken back.
    Updating {
        /// By side how long after it came a row goes by itself.
        ttl_ms: [Option<i64>; 2],
    },
    /// When `lower <= left time - right time <= upper`; unmatched rows come out when they go.
    Interval { lower_ms: i64, upper_ms: i64, late: [LatePolicy; 2] },
}

impl Rule {
    /// How long after its time a row of a side is there, the first moment at which it is not.
    pub(super) fn keep_ms(self, side: usize) -> Option<i64> {
        match self {
            Rule::Updating { ttl_ms } => ttl_ms[side],
            Rule::Interval { lower_ms, .. } if side == 0 => Some(lower_ms.saturating_neg().saturating_add(1)),
            Rule::Interval { upper_ms, .. } => Some(upper_ms.saturating_add(1)),
        }
    }

    /// What is kept of the rows of a side.
    pub(super) fn layout(self, on: &JoinOn, side: usize) -> Layout {
        let keeps = on.kind.keeps(side);
        let counted = match self {
            // Without either a row is unmatched as long as its key has no row on the other side.
            Rule::Updating { ttl_ms } => {
                keeps && (on.residual.is_some() || ttl_ms.iter().any(Option::is_some))
            }
            Rule::Interval { .. } => keeps,
        };
        let input = on.side(side).input;
        Layout {
            keep_ms: self.keep_ms(side),
            counted,
            searched: input == StreamKind::Changelog,
            single: input == StreamKind::Upsert,
        }
    }
}
