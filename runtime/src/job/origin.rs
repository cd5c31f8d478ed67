//! What a job is started from, should it turn out to be new: nothing, or a savepoint.

use super::JobSettings;
use super::remains::{check_input_topics, check_nothing_remains, check_own_topics, read_started};
use crate::clock::Clock;
use crate::control::{ControlRecord, encode_start};
use crate::error::JobError;
use crate::log::{Admin, Log};
use crate::plan::JobPlan;
use crate::savepoint::{OpenSavepoint, SavepointError};
use crate::topics::{Before, examine, prepare};
use millstream_operators::Topology;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the record of a start may take to be written.
const FLUSH: Duration = Duration::from_secs(30);
/// How long a first commit may be half visible, and how often it is looked for.
const FIRST_COMMIT: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a job has before it is started: a history, or a savepoint to start from.
pub(super) struct Origin {
    pub(super) control: Option<ControlRecord>,
    pub(super) from: Option<Arc<OpenSavepoint>>,
    /// Whether it is written down already that it is started from there.
    is_written: bool,
}

impl Origin {
    pub(super) fn before(&self) -> Before<'_> {
        match (&self.control, &self.from) {
            (Some(control), _) => Before::Job(control),
            (None, Some(from)) => Before::Savepoint(from),
            (None, None) => Before::Nothing,
        }
    }
}

/// Finds out what a job has.
///
/// # Errors
/// [`SavepointError`] when it can't be started from the savepoint it is told, or was being started from.
fn find(log: &Arc<dyn Log>, settings: &JobSettings, admin: &mut dyn Admin) -> Result<Origin, JobError> {
    let (control, started) = read_started(log, settings, admin)?;
    match (&control, &settings.from, started) {
        (Some(control), Some(from), _) => {
            control.check_start(&settings.name, from)?;
            let from = control.savepoint.as_ref().map(|started| started.as_started(from)).transpose()?;
            Ok(Origin { from, control: Some(control.clone()), is_written: true })
        }
        (Some(_), None, _) | (None, None, None) => Ok(Origin { control, from: None, is_written: true }),
        (None, Some(from), started) => {
            let is_written = started
                .as_ref()
                .is_some_and(|started| started.id == from.id && started.location == from.location);
            let from = started.map_or_else(|| Ok(Arc::clone(from)), |started| started.as_started(from))?;
            Ok(Origin { control, from: Some(from), is_written })
        }
        (None, None, Some(started)) => {
            let from = started.open().map_err(|error| SavepointError::StartCutShort {
                job: settings.name.clone(),
                location: started.location.clone(),
                reason: error.to_string(),
            })?;
            Ok(Origin { control, from: Some(Arc::new(from)), is_written: true })
        }
    }
}

/// Finds out what a job has, and gives its plan with that, its topics made.
///
/// # Errors
/// As [`find`]; [`JobError`]: the plan does not fit, or something of the job was deleted. Nothing was made.
pub(super) fn find_and_prepare(
    topology: &Topology,
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    admin: &mut dyn Admin,
) -> Result<(Origin, (JobPlan, Vec<String>)), JobError> {
    let until = Instant::now() + FIRST_COMMIT;
    loop {
        let origin = find(log, settings, admin)?;
        match prepared(topology, log, settings, &origin, admin) {
            Ok(prepared) => return Ok((origin, prepared)),
            // Another process that starts the job, too, may have committed between the two looks; what a transaction has
            // written appears topic by topic.
            Err(JobError::ControlMissing { .. } | JobError::TopicsDeleted { .. })
                if origin.control.is_none() && Instant::now() < until =>
            {
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The plan of a job with what it has, its topics made.
fn prepared(
    topology: &Topology,
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    origin: &Origin,
    admin: &mut dyn Admin,
) -> Result<(JobPlan, Vec<String>), JobError> {
    let (name, group) = (settings.name.as_str(), settings.group.as_deref());
    let examined = examine(topology, name, group, admin, origin.before());
    match origin.before() {
        Before::Nothing => {
            // A job that has made its topics and not committed yet has nothing either.
            let control = examined?.plan.control_topic();
            tracing::debug!(job = name, control, "nothing was committed yet");
            check_nothing_remains(log, settings)?;
        }
        Before::Savepoint(from) => {
            let examined = examined?;
            if from.savepoint.check(&examined.plan, &log.info().cluster)? {
                tracing::info!(job = name, "the plan is not that of the savepoint, all state fits");
            }
            from.savepoint.check_topics(admin)?;
        }
        Before::Job(control) => {
            // Without reading them a job may stand in topics that are gone.
            if !settings.worker.hold_tables {
                check_input_topics(topology, control, name, log, admin)?;
            }
            check_own_topics(control, &examined?)?;
        }
    }
    prepare(topology, name, group, admin, origin.before())
}

/// Writes down that a job is being started from a savepoint, so that whoever starts it after a crash goes on with it. The
/// job's topics have to be there.
pub(super) fn write_start(
    plan: &JobPlan,
    log: &Arc<dyn Log>,
    clock: &Arc<dyn Clock>,
    origin: &Origin,
) -> Result<(), JobError> {
    let Some(from) = origin.from.as_ref().filter(|_| !origin.is_written) else { return Ok(()) };
    let (place, records) = encode_start(plan, from, clock.wall_ms());
    let mut writer = log.writer()?;
    writer.write(&place, records)?;
    writer.flush(FLUSH)?;
    Ok(())
}
