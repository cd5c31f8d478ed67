//! Writing dead letters back to where they came from.
//!
//! What is written and how far that is stand in one transaction, so that a replay that is killed, at whatever moment,
//! goes on where it was the next time. An embedded log that a job has open takes transactions from nobody else: then
//! each batch is written first and the position after it, and a replay killed between the two repeats that batch.

use super::ReasonArg;
use super::letters::Letters;
use crate::cli::log_args::LogArgs;
use crate::cli::progress::say;
use crate::cli::{Failure, signals};
use clap::Args;
use millstream::log::{
    CommittedOffset, GroupMetadata, Log, LogError, Offset, Records, RecordsBuilder, Run, TopicPartition,
    TransactionError, TransactionOptions, TransactionalWriter,
};
use millstream::operators::dead_letter::original_of;
use millstream::operators::{Headers, Record};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// After how long the log aborts what a killed replay left open.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the log may take for what it says to try again.
const PATIENCE: Duration = Duration::from_secs(60);
const FLUSH: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
Keys, values, headers and timestamps are those of the original records, which go to the partitions they came from. What \
was replayed is remembered in the topic's log, so that a second replay writes only letters that came since; those of \
each reason have a position of their own. A record that the job still can't use becomes a dead letter again.

Example: millstream dead-letter replay dead --reason bad --dry-run")]
pub(crate) struct ReplayArgs {
    /// Name of the dead-letter topic
    topic: String,
    /// Only records that were refused for this reason
    #[arg(long, value_enum)]
    reason: Option<ReasonArg>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    log: LogArgs,
}

impl ReplayArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let log = self.log.open_for_topics(false)?;
        let asked_to_end = signals::watch(Some("ending: what was written stays written"))?;
        let mut counts: BTreeMap<TopicPartition, u64> = BTreeMap::new();
        let mut others = 0;
        for reason in ReasonArg::ALL {
            if self.reason.is_none_or(|wanted| wanted == reason) {
                others = self.replay(&*log, reason, &asked_to_end, &mut counts)?.max(others);
            }
        }
        let verb = if self.dry_run { "would write" } else { "wrote" };
        for (place, count) in &counts {
            say(&format!("{verb} {count} records to {place}"));
        }
        if others > 0 {
            say(&format!("passed over {others} records that are no dead letters"));
        }
        say(&format!("{verb} {} records of {}", counts.values().sum::<u64>(), self.topic));
        match asked_to_end.load(Ordering::Relaxed) {
            true => Err(Failure::Interrupted("interrupted; the next replay goes on from here".to_owned())),
            false => Ok(()),
        }
    }

    /// Replays the letters of one reason; gives the number of records that are no letters.
    fn replay(
        &self,
        log: &dyn Log,
        reason: ReasonArg,
        asked_to_end: &AtomicBool,
        counts: &mut BTreeMap<TopicPartition, u64>,
    ) -> Result<u64, Failure> {
        let mut admin = log.admin()?;
        let letters = Letters::of(&mut *admin, &self.topic)?;
        // Whatever an earlier replay left open is ended before its position is asked for.
        let mut output =
            if self.dry_run { None } else { Some(Output::open(log, reason.group(&self.topic))?) };
        let from = letters.replayed(&mut *admin, &self.topic, reason)?;
        let mut reading = letters.read(log, &from)?;
        let mut others = 0;
        while !reading.is_done() && !asked_to_end.load(Ordering::Relaxed) {
            let batch = Batch::of(&reading.next()?, reason);
            others += batch.others;
            if let Some(output) = &mut output {
                output.write(log, &batch)?;
            }
            for (place, records) in &batch.originals {
                *counts.entry(place.clone()).or_default() += records.len() as u64;
            }
        }
        Ok(others)
    }
}

/// What is written at once.
struct Batch {
    originals: Vec<(TopicPartition, Records)>,
    /// The offsets after the letters, by partition of the dead-letter topic.
    positions: Vec<(TopicPartition, CommittedOffset)>,
    others: u64,
}

impl Batch {
    fn of(runs: &[Run], reason: ReasonArg) -> Self {
        let mut originals: BTreeMap<TopicPartition, RecordsBuilder> = BTreeMap::new();
        let mut positions: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
        let mut others = 0;
        for Run { place, records } in runs {
            positions.insert(place.clone(), records.next_offset().unwrap_or(0));
            for letter in records.iter() {
                let Some(original) = original_of(&letter) else {
                    others += 1;
                    continue;
                };
                if original.reason != reason.name() {
                    continue;
                }
                let record = Record {
                    offset: 0,
                    timestamp_ms: original.timestamp_ms,
                    key: letter.key,
                    value: letter.value,
                    headers: Headers::NONE,
                };
                originals.entry(original.place).or_default().push_with_headers(record, original.headers);
            }
        }
        let committed = |offset| CommittedOffset { offset, metadata: String::new() };
        Batch {
            originals: originals.into_iter().map(|(place, builder)| (place, builder.finish())).collect(),
            positions: positions.into_iter().map(|(place, offset)| (place, committed(offset))).collect(),
            others,
        }
    }
}

/// Where originals go to.
struct Output {
    group: String,
    /// None on a log that takes no transactions from this process.
    transactions: Option<Box<dyn TransactionalWriter>>,
}

impl Output {
    fn open(log: &dyn Log, group: String) -> Result<Self, Failure> {
        let timeout_ms = TRANSACTION_TIMEOUT.as_millis() as u64;
        let transactions =
            match log.transactional_writer(&TransactionOptions { id: group.clone(), timeout_ms }) {
                Ok(mut writer) => {
                    patiently(|| writer.init())?;
                    Some(writer)
                }
                Err(LogError::Unsupported(_)) => None,
                Err(error) => return Err(error.into()),
            };
        Ok(Output { group, transactions })
    }

    fn write(&mut self, log: &dyn Log, batch: &Batch) -> Result<(), Failure> {
        if batch.positions.is_empty() {
            return Ok(());
        }
        let Some(writer) = &mut self.transactions else {
            let mut writer = log.writer()?;
            for (place, records) in &batch.originals {
                writer.write(place, records.clone())?;
            }
            writer.flush(FLUSH)?;
            return Ok(log.admin()?.commit(&self.group, &batch.positions)?);
        };
        // Of nobody: the group has no members, and the writer's id keeps two replays apart.
        let group = self.group.clone();
        let nobody = GroupMetadata { group, generation: -1, member: String::new(), instance: None };
        patiently(|| writer.begin())?;
        for (place, records) in &batch.originals {
            patiently(|| writer.write(place, records))?;
        }
        patiently(|| writer.flush())?;
        patiently(|| writer.send_offsets(&batch.positions, &nobody))?;
        patiently(|| writer.commit())?;
        Ok(())
    }
}

/// Calls again while the log says so.
fn patiently<T>(mut call: impl FnMut() -> Result<T, TransactionError>) -> Result<T, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Err(TransactionError::Retriable(_)) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => {
                return Err(Failure::Io(format!(
                    "the replay stopped: {error}; run it again: it goes on behind what was written"
                )));
            }
            Ok(done) => return Ok(done),
        }
    }
}
