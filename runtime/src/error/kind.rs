//! What somebody can do about an error that ends a job.

use super::JobError;
use crate::control::ControlError;
use crate::log::ErrorKind;
use crate::savepoint::SavepointError;
use crate::snapshot::StoreError;
use millstream_operators::OperatorError;
use millstream_state::StateError;

impl JobError {
    /// What somebody can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            JobError::Cut(_) | JobError::DeadLetterTopic { .. } | JobError::InternalTopic { .. } => {
                ErrorKind::FixPlan
            }
            JobError::Control(error) => of_control(error),
            JobError::Task(error) => of_operator(&error.source),
            JobError::State(error) => of_state(error),
            JobError::Log(error) => error.kind(),
            JobError::Savepoint(error) => error.kind(),
            JobError::Snapshots(error) => error.kind(),
            JobError::Refused { .. } => ErrorKind::FixInput,
            JobError::Setting { .. } => ErrorKind::FixConfiguration,
            JobError::MorePartitions { .. } => ErrorKind::Retry,
            JobError::Print { .. } | JobError::Lookup(_) | JobError::Outlet { .. } => {
                ErrorKind::FixSurroundings
            }
            JobError::StateInUse { .. } => ErrorKind::RestoreState,
            JobError::DataLoss { .. }
            | JobError::Contradiction { .. }
            | JobError::ControlMissing { .. }
            | JobError::InputReplaced { .. }
            | JobError::InputDeleted { .. }
            | JobError::OwnTopicDeleted { .. }
            | JobError::TopicsDeleted { .. }
            | JobError::StateLost { .. }
            | JobError::Journal(_) => ErrorKind::RestoreHistory,
            JobError::Panicked(_) => ErrorKind::Report,
        }
    }
}

fn of_control(error: &ControlError) -> ErrorKind {
    match error {
        ControlError::PlanChanged { .. }
        | ControlError::PlanUnknown { .. }
        | ControlError::PlanMoved { .. }
        | ControlError::PartitionsDoNotFit { .. }
        | ControlError::PartitionsChanged { .. } => ErrorKind::FixPlan,
        ControlError::Unreadable { .. } => ErrorKind::RestoreHistory,
    }
}

fn of_operator(error: &OperatorError) -> ErrorKind {
    match error {
        OperatorError::CorruptState { .. } => ErrorKind::RestoreState,
        OperatorError::Internal { .. } => ErrorKind::RestoreHistory,
        OperatorError::Mismatch { .. } => ErrorKind::Report,
        OperatorError::State(error) => of_state(error),
        // A row or a record, one way or another.
        _ => ErrorKind::FixInput,
    }
}

fn of_state(error: &StateError) -> ErrorKind {
    match error {
        StateError::StillOpen { .. } => ErrorKind::Retry,
        StateError::Foreign { .. }
        | StateError::Newer { .. }
        | StateError::Damaged { .. }
        | StateError::SnapshotDamaged { .. }
        | StateError::Storage { .. }
        | StateError::Io { .. } => ErrorKind::RestoreState,
    }
}

impl SavepointError {
    /// What somebody can do about it.
    pub fn kind(&self) -> ErrorKind {
        use SavepointError as E;
        match self {
            E::Store(error) => error.kind(),
            E::Occupied { .. } => ErrorKind::FixConfiguration,
            E::PlanChanged { .. }
            | E::PlanUnknown { .. }
            | E::PartitionsDoNotFit { .. }
            | E::TasksChanged { .. }
            | E::InputGone { .. }
            | E::InputEnded { .. } => ErrorKind::FixPlan,
            E::Missing { .. }
            | E::NotStarted { .. }
            | E::Running { .. }
            | E::Elsewhere { .. }
            | E::JobExists { .. }
            | E::CantRestart { .. }
            | E::RestartedOtherwise { .. }
            | E::Upload { .. } => ErrorKind::FixSurroundings,
            E::Damaged { .. } | E::Newer { .. } => ErrorKind::RestoreState,
            E::OtherCluster { .. } | E::BehindEnd { .. } | E::StartCutShort { .. } | E::Unusable { .. } => {
                ErrorKind::RestoreHistory
            }
            E::Interrupted => ErrorKind::Retry,
        }
    }
}

impl StoreError {
    /// What somebody can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            StoreError::BadLocation { .. } => ErrorKind::FixConfiguration,
            StoreError::Missing { .. } | StoreError::Unavailable { .. } => ErrorKind::FixSurroundings,
        }
    }
}
