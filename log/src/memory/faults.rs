//! What can happen to a request on its way.

use std::sync::Arc;

/// A request of a transactional writer, as the switch that decides its fate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Records for a partition.
    Produce {
        /// Id of the writer.
        writer: Arc<str>,
    },
    /// Offsets of a group.
    SendOffsets {
        /// Id of the writer.
        writer: Arc<str>,
    },
    /// The end of a transaction.
    End {
        /// Id of the writer.
        writer: Arc<str>,
        /// Whether it commits.
        commit: bool,
    },
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// It arrives and is answered.
    #[default]
    None,
    /// It never arrives; the client sends it again, and that arrives.
    LoseRequest,
    /// It arrives and its answer is lost; the client sends it again.
    LoseAnswer,
    /// It is held up; the client sends it again and that arrives at once, the first copy some time later.
    Delay,
    /// It never arrives, and neither do its repetitions: the client gives up.
    GiveUpLost,
    /// It arrives, but no answer ever does: the client gives up.
    GiveUpDone,
    /// The client gives up, and the request arrives some time later.
    GiveUpDelayed,
}

impl Fault {
    /// Whether the client gives up.
    pub(crate) fn gives_up(self) -> bool {
        matches!(self, Fault::GiveUpLost | Fault::GiveUpDone | Fault::GiveUpDelayed)
    }
}
