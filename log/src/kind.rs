//! What somebody can do about an error.

/// What somebody can do about an error. Every error that ends a job or a command has one; the command's exit codes come
/// from it, and programs decide by it whether they try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Start again, later if need be: nothing is wrong with the job, and what failed may pass by itself.
    Retry,
    /// Change a setting, a client property, a right or the command line.
    FixConfiguration,
    /// Change the plan, or the topics that it does not fit.
    FixPlan,
    /// Mend or leave out records: one can't be processed, or can't be written.
    FixInput,
    /// Mend what is around the job: a topic that is not there, a disk, a process that is in the way. The message says
    /// which.
    FixSurroundings,
    /// Put stored data back, or remove what is damaged where something else holds it too.
    RestoreState,
    /// Records that the job needs, or has counted on, are not there any more: going on would lose or repeat some. Put them
    /// back, or start over under another name.
    RestoreHistory,
    /// Report it: a defect.
    Report,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [ErrorKind; 8] = [
        ErrorKind::Retry,
        ErrorKind::FixConfiguration,
        ErrorKind::FixPlan,
        ErrorKind::FixInput,
        ErrorKind::FixSurroundings,
        ErrorKind::RestoreState,
        ErrorKind::RestoreHistory,
        ErrorKind::Report,
    ];

    /// Whether starting the same again can be of use without anybody doing anything.
    pub fn is_retriable(self) -> bool {
        self == ErrorKind::Retry
    }
}
