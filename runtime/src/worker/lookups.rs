//! What records wait for before they are decoded: schemas of a registry, got beside the worker.
//!
//! A partition whose next run lacks something is held until that is there; others go on, and so do commits. A registry that
//! does not answer is a pause that is shown, and asked again; one that refuses ends the job. In the simulation lookups are
//! done within a turn.

use super::Worker;
use super::beside::{Beside, Inbox};
use super::ownership::Held;
use crate::error::JobError;
use crate::log::{LogError, TopicPartition};
use crate::lookup::Client;
use millstream_operators::formats::{Lookup, LookupError};
use std::collections::BTreeMap;

/// The pause after a lookup in vain, and the longest, milliseconds.
const PAUSE_MS: u64 = 200;
const PAUSE_MS_MAX: u64 = 5_000;

type Answer = (Lookup, Result<(), LookupError>);

/// Lookups of a worker.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// A thread, once one is needed.
    beside: Option<Beside<Lookup, Answer>>,
    /// By partition that is held: what for.
    held: BTreeMap<TopicPartition, Lookup>,
    asked: Vec<Asked>,
}

/// Something that is being got.
#[derive(Debug)]
struct Asked {
    lookup: Lookup,
    is_under_way: bool,
    not_before_ms: u64,
    tries: u32,
    why: Option<String>,
}

impl Lookups {
    /// Whether a partition's records wait for something.
    pub(super) fn holds(&self, place: &TopicPartition) -> bool {
        self.held.contains_key(place)
    }

    /// Why records wait, once it was asked in vain.
    pub(super) fn trouble(&self) -> Option<String> {
        self.asked.iter().find_map(|asked| asked.why.clone())
    }

    fn ask(&mut self, lookup: Lookup) {
        if !self.asked.iter().any(|asked| asked.lookup.is_as(&lookup)) {
            let asked = Asked { lookup, is_under_way: false, not_before_ms: 0, tries: 0, why: None };
            self.asked.push(asked);
        }
    }

    /// Takes an answer.
    fn take(&mut self, (lookup, result): Answer, now_ms: u64) -> Result<(), JobError> {
        match result {
            Ok(()) => {
                self.held.retain(|_, held| !held.is_as(&lookup));
                self.asked.retain(|asked| !asked.lookup.is_as(&lookup));
                Ok(())
            }
            Err(LookupError::Later(why)) => {
                if let Some(asked) = self.asked.iter_mut().find(|asked| asked.lookup.is_as(&lookup)) {
                    if asked.tries == 0 {
                        tracing::warn!(why, "records wait for their schema");
                    }
                    let pause_ms = (PAUSE_MS << asked.tries.min(8)).min(PAUSE_MS_MAX);
                    (asked.is_under_way, asked.not_before_ms) = (false, now_ms + pause_ms);
                    asked.tries += 1;
                    asked.why = Some(why);
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Worker {
    /// Whether a partition's next run lacks something, which is asked for then.
    pub(super) fn is_held_for_lookup(&mut self, place: &TopicPartition) -> bool {
        let Some((run, readers)) = self.intake.next_run(place) else { return false };
        let mut tables = readers.iter().filter_map(|(task, input)| match self.held.get(task) {
            Some(Held::Running(task)) => task.inputs()[*input].table(),
            _ => None,
        });
        let Some(lookup) = tables.find_map(|table| table.decoder.lacks(run)) else { return false };
        self.lookups.ask(lookup.clone());
        self.lookups.held.insert(place.clone(), lookup);
        true
    }

    /// Takes what was got, and asks for what is due. Says whether something came.
    pub(super) fn drive_lookups(&mut self) -> Result<bool, JobError> {
        if self.lookups.asked.is_empty() {
            return Ok(false);
        }
        let now = self.cx.clock.monotonic_ms();
        let intake = &self.intake;
        // Those that were taken away ask again when they come back.
        self.lookups.held.retain(|place, _| !intake.is_empty(place));
        let mut came = false;
        while let Some(answer) = self.lookups.beside.as_ref().and_then(|beside| beside.next().0) {
            self.lookups.take(answer, now)?;
            came = true;
        }
        let due = |asked: &&mut Asked| !asked.is_under_way && asked.not_before_ms <= now;
        let mut lookups = Vec::new();
        for asked in self.lookups.asked.iter_mut().filter(due) {
            asked.is_under_way = true;
            lookups.push(asked.lookup.clone());
        }
        for lookup in lookups {
            came |= self.submit_lookup(lookup, now)?;
        }
        Ok(came)
    }

    /// Says whether the answer has come at once.
    fn submit_lookup(&mut self, lookup: Lookup, now: u64) -> Result<bool, JobError> {
        if self.restores.is_interleaved() {
            let result = Client::new().and_then(|client| client.get(&lookup));
            self.lookups.take((lookup, result), now)?;
            return Ok(true);
        }
        if self.lookups.beside.is_none() {
            let beside = Beside::spawn(format!("{}-lookups", self.cx.name), run_lookups);
            let failed = |error| JobError::Log(LogError::Client(format!("thread for lookups: {error}")));
            self.lookups.beside = Some(beside.map_err(failed)?);
        }
        if let Some(beside) = &self.lookups.beside {
            beside.submit(lookup);
        }
        Ok(false)
    }
}

/// The thread's work.
fn run_lookups(inbox: &Inbox<Lookup, Answer>) {
    let client = Client::new();
    while let Ok(lookup) = inbox.jobs.recv() {
        if inbox.is_over() {
            return;
        }
        let result = match &client {
            Ok(client) => client.get(&lookup),
            Err(error) => Err(error.clone()),
        };
        if inbox.results.send((lookup, result)).is_err() {
            return;
        }
    }
}
