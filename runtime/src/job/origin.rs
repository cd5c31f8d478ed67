//! What a job is started from, should it turn out to be new: nothing, or a savepoint.

use super::JobSettings;
use crate::clock::Clock;
use crate::control::{ControlRecord, StartedFrom, encode_start};
use crate::error::JobError;
use crate::log::{Admin, Log};
use crate::plan::JobPlan;
use crate::restore::read_control_topic;
use crate::savepoint::{OpenSavepoint, SavepointError};
use crate::topics::examine;
use millstream_operators::Topology;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the control topic may be held by a transaction that is open, beyond the time after which the log aborts it.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the record of a start may take to be written.
const FLUSH: Duration = Duration::from_secs(30);

/// Refuses a savepoint that does not fit, before anything is made for the job.
pub(super) fn check_first(
    topology: &Topology,
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    admin: &mut dyn Admin,
) -> Result<(), JobError> {
    let Some(from) = &settings.from else { return Ok(()) };
    let examined = examine(topology, &settings.name, settings.group.as_deref(), admin)?;
    let control = examined.plan.control_topic();
    if examined.missing_internal.iter().any(|topic| topic.name == control) {
        check_fit(from, &examined.plan, log, admin)?;
    }
    Ok(())
}

fn check_fit(
    from: &OpenSavepoint,
    plan: &JobPlan,
    log: &Arc<dyn Log>,
    admin: &mut dyn Admin,
) -> Result<(), JobError> {
    if from.savepoint.check(plan, &log.info().cluster)? {
        tracing::info!(job = plan.job(), "the plan is not that of the savepoint, all state fits");
    }
    from.savepoint.check_ends(admin)
}

/// The savepoint that the job is started from if it has no history. The job's topics have to be there.
///
/// That it is being started is written down first: whoever starts the job after a crash goes on with it.
pub(super) fn origin(
    plan: &JobPlan,
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    clock: &Arc<dyn Clock>,
    admin: &mut dyn Admin,
) -> Result<Option<Arc<OpenSavepoint>>, JobError> {
    let until = Instant::now() + Duration::from_millis(settings.transaction_timeout_ms) + CONTROL_TIMEOUT;
    let (control, started) = read(plan, log, admin, until)?;
    match (control, &settings.from, started) {
        (Some(control), Some(from), _) => {
            control.check_start(plan.job(), from)?;
            Ok(Some(Arc::clone(from)))
        }
        (Some(_), None, _) | (None, None, None) => Ok(None),
        (None, Some(from), started) => {
            check_fit(from, plan, log, admin)?;
            if started.is_none_or(|started| started.id != from.id || started.place != from.place) {
                let (place, records) = encode_start(plan, from, clock.wall_ms());
                let mut writer = log.writer()?;
                writer.write(&place, records)?;
                writer.flush(FLUSH)?;
            }
            Ok(Some(Arc::clone(from)))
        }
        (None, None, Some(started)) => {
            let from = started.open().map_err(|error| SavepointError::StartCutShort {
                job: plan.job().to_owned(),
                place: started.place.clone(),
                reason: error.to_string(),
            })?;
            check_fit(&from, plan, log, admin)?;
            Ok(Some(Arc::new(from)))
        }
    }
}

fn read(
    plan: &JobPlan,
    log: &Arc<dyn Log>,
    admin: &mut dyn Admin,
    until: Instant,
) -> Result<(Option<ControlRecord>, Option<StartedFrom>), JobError> {
    loop {
        match read_control_topic(&**log, admin, plan) {
            Err(JobError::Log(error)) if error.is_retriable() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            read => return read,
        }
    }
}
