//! Printing dead letters.

use super::ReasonArg;
use super::letters::Letters;
use crate::cli::log_args::LogArgs;
use crate::cli::output::written;
use crate::cli::text::Text;
use crate::cli::{Failure, signals};
use clap::Args;
use millstream::operators::dead_letter::original_of;
use millstream::operators::{Record, TopicPartition};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::sync::atomic::Ordering;

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is an object with partition and offset of the letter; topic, original_partition, original_offset and timestamp \
of the record that it was; reason, column and detail; whether it was replayed; and the record's key and value. Bytes that \
are not text appear as {\"base64\": ..}.

Example: millstream dead-letter list dead --reason bad | jq -r '[.column, .detail] | @tsv' | sort | uniq -c")]
pub(crate) struct ListArgs {
    /// Name of the dead-letter topic
    topic: String,
    /// Only records that were refused for this reason
    #[arg(long, value_enum)]
    reason: Option<ReasonArg>,
    #[command(flatten)]
    log: LogArgs,
}

/// A letter as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    partition: u32,
    offset: u64,
    topic: &'a str,
    original_partition: u32,
    original_offset: u64,
    timestamp: i64,
    reason: &'a str,
    column: Option<&'a str>,
    detail: &'a str,
    replayed: bool,
    key: Option<Text<'a>>,
    value: Option<Text<'a>>,
}

impl ListArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let log = self.log.open_for_topics(false)?;
        let asked_to_end = signals::watch(None)?;
        let mut admin = log.admin()?;
        let letters = Letters::of(&mut *admin, &self.topic)?;
        let mut replayed = BTreeMap::new();
        for reason in ReasonArg::ALL {
            replayed.insert(reason.name(), letters.replayed(&mut *admin, &self.topic, reason)?);
        }
        let is_replayed = |reason: &str, place: &TopicPartition, offset: u64| {
            replayed.get(reason).and_then(|offsets| offsets.get(place)).is_some_and(|next| offset < *next)
        };
        let mut reading = letters.read(&*log, &BTreeMap::new())?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        while !reading.is_done() && !asked_to_end.load(Ordering::Relaxed) {
            for run in reading.next()? {
                for record in run.records.iter() {
                    if !written(self.print(&run.place, &record, &is_replayed, &mut out))? {
                        return Ok(());
                    }
                }
            }
        }
        written(out.flush()).map(|_| ())
    }

    fn print(
        &self,
        place: &TopicPartition,
        record: &Record<'_>,
        is_replayed: &dyn Fn(&str, &TopicPartition, u64) -> bool,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let Some(original) = original_of(record) else { return Ok(()) };
        if self.reason.is_some_and(|reason| reason.name() != original.reason) {
            return Ok(());
        }
        let line = Line {
            partition: place.partition,
            offset: record.offset,
            topic: &original.place.topic,
            original_partition: original.place.partition,
            original_offset: original.offset,
            timestamp: original.timestamp_ms,
            reason: original.reason,
            column: original.column,
            detail: original.detail,
            replayed: is_replayed(original.reason, place, record.offset),
            key: record.key.map(Text),
            value: record.value.map(Text),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }
}
