//! Windows over the rows of a key, emitted once, when they close.

mod count;
mod fixed;
mod session;
mod sliding;

pub use count::CountStream;
pub use fixed::{WindowStream, Windows};
pub use session::SessionStream;
pub use sliding::SlidingStream;

use crate::batch::EventTime;
use serde::{Deserialize, Serialize};

/// The moment at which what has this end closes: its last millisecond, and the grace.
fn closes(end: EventTime, grace_ms: i64) -> EventTime {
    end.saturating_sub(1).saturating_add(grace_ms)
}

/// What a window of a key came to.
///
/// ```
/// use millstream_operators::typed::Windowed;
/// let views = Windowed { key: "home".to_owned(), window_start: 0, window_end: 60_000, value: 7u64 };
/// assert_eq!(serde_json::to_string(&views).unwrap(), r#"{"key":"home","window_start":0,"window_end":60000,"value":7}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windowed<K, A> {
    /// The key.
    pub key: K,
    /// Where the window begins, milliseconds since 1970.
    pub window_start: i64,
    /// Where it ends; what happens at that moment is in the next.
    pub window_end: i64,
    /// What its rows came to.
    pub value: A,
}
