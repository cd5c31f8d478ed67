//! What reads a job's own topics of output, and hands their committed records to outlets.
//!
//! A [`Pump`] is driven by turns, so that a test can drop it between any two. It knows nothing that is not at the target or in
//! the log: where to go on is asked of the outlet, and records that are there are removed from the topic.

use crate::clock::Clock;
use crate::error::JobError;
use crate::log::{
    Admin, Isolation, Log, LogError, Offset, OffsetQuery, Reader, ReaderOptions, Records, Run, TopicPartition,
};
use crate::plan::JobPlan;
use millstream_operators::outlet::{Outlet, OutletPart, OutletWriter};
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked for partitions that another process writes, milliseconds.
const ASK_AGAIN_MS: u64 = 500;
/// Bytes that are read ahead.
const AHEAD_BYTES: usize = 8 << 20;

/// Brings output to where no topic is. See the module's head.
pub struct Pump {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    admin: Box<dyn Admin>,
    reader: Box<dyn Reader>,
    parts: Vec<Part>,
    asked_ms: Option<u64>,
    runs: Vec<Run>,
}

/// A partition of a topic of output.
struct Part {
    table: String,
    outlet: Arc<dyn Outlet>,
    place: TopicPartition,
    of: OutletPart,
    /// What writes it, while no other process does.
    writer: Option<Box<dyn OutletWriter>>,
}

impl Part {
    fn failed(&self, reason: String) -> JobError {
        JobError::Outlet { table: self.table.clone(), reason }
    }

    /// Refuses to go on where the log does not have what comes next.
    fn check_log(&self, position: Offset, start: Offset, end: Offset) -> Result<(), JobError> {
        let Part { place, .. } = self;
        let behind = "they were written elsewhere, and a job has the same files at every start and in all its processes: set the \
                      path that it had, or give the table another name, to begin files here";
        match position {
            position if position < start => {
                Err(self.failed(format!("records {position} to {start} of {place} are not there any more: {behind}")))
            }
            position if position > end => Err(self.failed(format!(
                "records up to {position} of {place} are in files, and it ends at {end}: the log was replaced by an older \
                 one; start the job under another name (--job)"
            ))),
            _ => Ok(()),
        }
    }
}

impl Pump {
    /// What brings the output of a job to its outlets; `None` for a job that has none.
    ///
    /// # Errors
    /// [`JobError::Log`] when the log can't be reached.
    pub fn new(plan: &JobPlan, log: &Arc<dyn Log>, clock: &Arc<dyn Clock>) -> Result<Option<Self>, JobError> {
        let outlets = plan.cut().outlets();
        if outlets.is_empty() {
            return Ok(None);
        }
        let mut admin = log.admin()?;
        let topics: Vec<String> = outlets.keys().map(|topic| (*topic).to_owned()).collect();
        let ids = admin.identify_topics(&topics)?;
        let mut parts = Vec::new();
        for ((topic, outlet), found) in outlets.into_iter().zip(ids) {
            let found = found.ok_or_else(|| LogError::UnknownTopic(topic.to_owned()))?;
            let topic_id = found.id.map_or_else(String::new, |id| id.to_string());
            parts.extend((0..found.partitions).map(|partition| Part {
                table: JobPlan::table_of_outlet(topic).to_owned(),
                outlet: Arc::clone(outlet),
                place: TopicPartition::new(topic, partition),
                of: OutletPart { job: plan.job().to_owned(), topic_id: topic_id.clone(), partition },
                writer: None,
            }));
        }
        let options = ReaderOptions { isolation: Isolation::ReadCommitted, queue_bytes_max: AHEAD_BYTES };
        let (reader, log, clock) = (log.reader(&options)?, Arc::clone(log), Arc::clone(clock));
        Ok(Some(Pump { log, clock, admin, reader, parts, asked_ms: None, runs: Vec::new() }))
    }

    /// Takes partitions that nobody writes, reads for a while, and publishes what is due. Says whether records came.
    ///
    /// # Errors
    /// [`JobError::Outlet`]; [`JobError::Log`] for what will not pass.
    pub fn turn(&mut self, wait: Duration) -> Result<bool, JobError> {
        self.take_parts()?;
        if self.parts.iter().all(|part| part.writer.is_none()) {
            std::thread::sleep(wait);
            return Ok(false);
        }
        let read = self.reader.poll(wait, &mut self.runs);
        let now_ms = self.clock.monotonic_ms();
        let came = !self.runs.is_empty();
        for Run { place, records } in std::mem::take(&mut self.runs) {
            self.write(&place, &records, now_ms)?;
        }
        self.check_read(read)?;
        for index in 0..self.parts.len() {
            let due = self.parts[index].writer.as_mut().is_some_and(|writer| writer.is_due(now_ms));
            if due && let Some(status) = self.reader.status(&self.parts[index].place) {
                self.publish(index, status.position)?;
            }
        }
        Ok(came)
    }

    /// What will not pass of a failed read.
    fn check_read(&self, read: Result<(), LogError>) -> Result<(), JobError> {
        if let Err(LogError::OffsetOutOfRange { place, wanted, start, end }) = &read
            && let Some(part) = self.parts.iter().find(|part| part.place == *place)
        {
            part.check_log(*wanted, *start, *end)?;
        }
        passing(read)
    }

    fn write(&mut self, place: &TopicPartition, records: &Records, now_ms: u64) -> Result<(), JobError> {
        let Some(index) = self.parts.iter().position(|part| part.place == *place) else { return Ok(()) };
        for record in records.iter() {
            let part = &mut self.parts[index];
            let Some(writer) = &mut part.writer else { return Ok(()) };
            if let Err(reason) = writer.write(&record, now_ms) {
                return Err(part.failed(reason));
            }
            if writer.is_due(now_ms) {
                self.publish(index, record.offset + 1)?;
            }
        }
        Ok(())
    }

    /// Where each partition of the topics ends now. Commits are answered before they can be read, so it is the end of everything.
    ///
    /// # Errors
    /// [`JobError::Log`] when the log can't be asked; it may be asked again where the error is one that passes.
    pub fn ends(&mut self) -> Result<Vec<Offset>, LogError> {
        let places: Vec<TopicPartition> = self.parts.iter().map(|part| part.place.clone()).collect();
        self.admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)
    }

    /// Whether everything before these ends is where it is to be. What this process writes is published as soon as it has been
    /// read up to there. With `only_own` what others write is left to them.
    ///
    /// # Errors
    /// As [`Pump::turn`].
    pub fn is_through(&mut self, ends: &[Offset], only_own: bool) -> Result<bool, JobError> {
        let mut through = true;
        for (index, end) in ends.iter().enumerate() {
            let Some(part) = self.parts.get(index) else { continue };
            let position = match &part.writer {
                Some(writer) => writer.position(),
                None if only_own => continue,
                None => part.outlet.position(&part.of).map_err(|reason| part.failed(reason))?,
            };
            if position >= *end {
                continue;
            }
            through = false;
            let read = self.reader.status(&part.place).map(|status| status.position);
            if let Some(to) = read.filter(|to| to >= end && part.writer.is_some()) {
                self.publish(index, to)?;
            }
        }
        Ok(through)
    }

    /// Asks for the partitions that this process does not write, and goes on with those that nobody does.
    fn take_parts(&mut self) -> Result<(), JobError> {
        let now_ms = self.clock.monotonic_ms();
        let is_soon = self.asked_ms.is_some_and(|asked| now_ms < asked + ASK_AGAIN_MS);
        if is_soon || self.parts.iter().all(|part| part.writer.is_some()) {
            return Ok(());
        }
        self.asked_ms = Some(now_ms);
        let mut taken = false;
        for index in 0..self.parts.len() {
            if self.parts[index].writer.is_some() {
                continue;
            }
            let place = [self.parts[index].place.clone()];
            // Only the end of everything: what is being written may have been committed by the time it is read.
            let mut ask = |query| self.admin.offsets(&place, query, Isolation::ReadUncommitted);
            let (starts, ends) = match (ask(OffsetQuery::Earliest), ask(OffsetQuery::Latest)) {
                (Ok(starts), Ok(ends)) => (starts, ends),
                (Err(error), _) | (_, Err(error)) => return passing(Err(error)),
            };
            let part = &mut self.parts[index];
            let opened = part.outlet.open(&part.of).map_err(|reason| part.failed(reason))?;
            let Some(writer) = opened else { continue };
            let (start, end) = (starts.first().copied().unwrap_or(0), ends.first().copied().unwrap_or(0));
            part.check_log(writer.position(), start, end)?;
            tracing::debug!(place = %part.place, position = writer.position(), "output goes on");
            part.writer = Some(writer);
            taken = true;
        }
        if taken {
            let places: Vec<(TopicPartition, Offset)> = self
                .parts
                .iter()
                .filter_map(|part| Some((part.place.clone(), part.writer.as_ref()?.position())))
                .collect();
            // Those that are read already stay where they stand.
            self.reader.assign(&places)?;
        }
        Ok(())
    }

    /// Has everything of a partition before an offset be where it is to be, and removes it from the log.
    fn publish(&mut self, index: usize, to: Offset) -> Result<(), JobError> {
        let place = self.parts[index].place.clone();
        // What is outside of the log must not be ahead of it after a power cut.
        self.log.sync()?;
        let places = std::slice::from_ref(&place);
        let starts = match self.admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadUncommitted) {
            Ok(starts) => starts,
            Err(error) => return passing(Err(error)),
        };
        let part = &mut self.parts[index];
        let position = part.writer.as_ref().map_or(0, |writer| writer.position());
        part.check_log(position, starts.first().copied().unwrap_or(0), Offset::MAX)?;
        let published = part.writer.as_mut().map_or(Ok(()), |writer| writer.publish(to));
        published.map_err(|reason| part.failed(reason))?;
        // What is not removed now is removed the next time.
        if let Err(error) = self.admin.delete_records(&[(place, to)]) {
            tracing::debug!(%error, "could not remove records that are in files");
        }
        Ok(())
    }
}

/// What will not pass.
fn passing(result: Result<(), LogError>) -> Result<(), JobError> {
    match result {
        Err(error) if error.is_retriable() => {
            tracing::debug!(%error, "output waits");
            Ok(())
        }
        result => Ok(result?),
    }
}

impl std::fmt::Debug for Pump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pump").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}
