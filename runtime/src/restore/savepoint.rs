//! Taking a task over whose job was started from a savepoint, where it has nothing newer.
//!
//! The state of the savepoint becomes the task's own before it takes the place of its directory: under the job's name
//! and incarnation, standing before the first entry of the journal, with positions in the job's own repartition topics.
//! From there the take-over goes on as with any state. Until the job's first snapshots are official, this happens again
//! wherever there is no disk.

use super::{Found, Next, Restore, Stage, stands_at};
use crate::control::StartedFrom;
use crate::error::JobError;
use crate::savepoint::{OpenSavepoint, SavepointError, base_mark, note_of};
use crate::snapshot::StoreError;
use crate::snapshot::download::{Download, DownloadError};
use millstream_state::{Adoption, StateError, StateIdentity};
use std::sync::Arc;
use tracing::info;

impl Restore {
    /// Finds the savepoint and begins to fetch the task's state.
    pub(super) fn open_savepoint(&mut self, found: Box<Found>) -> Result<Next, JobError> {
        let Some(started) = found.control.savepoint.clone() else { return Ok(Next::To(Stage::Committed)) };
        let from = match self.savepoint(&started) {
            Ok(from) => from,
            Err(SavepointError::Store(error @ StoreError::Unavailable { .. })) => {
                return Ok(Next::Wait(Stage::OpenSavepoint(found), error.to_string()));
            }
            Err(error) => return Err(self.unusable(&started, error.to_string()).into()),
        };
        let plan = &self.cx.plan;
        let missing = || self.unusable(&started, "it has no such task".to_owned());
        let saved = from.savepoint.task(self.task).ok_or_else(missing)?;
        let snapshot = saved.snapshot(&from.location).ok_or_else(missing)?;
        let base = found.control.base(self.task);
        let inputs = from.savepoint.inputs(plan, self.task, saved)?;
        let adoption = Adoption {
            from: from.savepoint.identity(self.task),
            from_mark: snapshot.mark(),
            to: StateIdentity {
                cluster: self.cx.log.info().cluster,
                job: plan.job().to_owned(),
                incarnation: found.control.incarnation.clone(),
                task: self.task.to_string(),
            },
            to_mark: base_mark(base.number, base.hash),
            note: note_of(saved, inputs, plan.fingerprint()).encode(),
        };
        info!(task = %self.task, commit = base.number, location = from.location, "taking state from the savepoint");
        let import = self.cx.states.import(self.task)?;
        let download = Download::adopting(Arc::clone(from.store()), snapshot, import, adoption);
        Ok(Next::To(Stage::FetchSavepoint(found, Box::new(download))))
    }

    /// The savepoint: where this process was told that it is, or where it was when the job was started.
    fn savepoint(&self, started: &StartedFrom) -> Result<Arc<OpenSavepoint>, SavepointError> {
        match self.cx.from.as_ref().filter(|from| from.id == started.id) {
            Some(from) => Ok(Arc::clone(from)),
            None => started.open().map(Arc::new),
        }
    }

    fn unusable(&self, started: &StartedFrom, reason: String) -> SavepointError {
        SavepointError::Unusable { task: self.task.to_string(), location: started.location.clone(), reason }
    }

    pub(super) fn fetch_savepoint(
        &mut self,
        found: Box<Found>,
        mut download: Box<Download>,
    ) -> Result<Next, JobError> {
        match download.turn(&self.progress) {
            Ok(false) => return Ok(Next::To(Stage::FetchSavepoint(found, download))),
            Ok(true) => {}
            Err(DownloadError::Wait(why)) => {
                return Ok(Next::Wait(Stage::FetchSavepoint(found, download), why));
            }
            Err(DownloadError::State(error)) => return Err(error.into()),
            Err(DownloadError::Unusable(why)) => {
                let started = found.control.savepoint.as_ref();
                let location = started.map_or_else(String::new, |started| started.location.clone());
                let task = self.task.to_string();
                return Err(SavepointError::Unusable { task, location, reason: why }.into());
            }
        }
        let state = match self.open_state(&found, None) {
            Err(error @ StateError::StillOpen { .. }) => {
                return Ok(Next::Wait(Stage::FetchSavepoint(found, download), error.to_string()));
            }
            opened => opened?,
        };
        let base = found.control.base(self.task);
        if !state.mark().is_some_and(|mark| stands_at(&mark, base)) {
            let detail = format!("it holds state at {:?}", state.mark());
            return Err(
                StateError::SnapshotDamaged { place: download.snapshot.manifest.clone(), detail }.into()
            );
        }
        self.fold_from_start(*found, state).map(Next::To)
    }
}
