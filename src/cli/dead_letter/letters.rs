//! Reading a dead-letter topic from given offsets to its end.

use super::ReasonArg;
use crate::cli::Failure;
use millstream::log::{
    Admin, Isolation, Log, LogError, Offset, OffsetQuery, Reader, ReaderOptions, Run, TopicPartition,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a poll waits before it is looked whether the command is to end.
const POLL: Duration = Duration::from_millis(200);
/// How long another replay may take to end what it has open.
const PENDING: Duration = Duration::from_secs(15);

/// What a topic holds and what was replayed of it.
pub(super) struct Letters {
    /// By partition: the first offset and the end.
    pub(super) ranges: BTreeMap<TopicPartition, (Offset, Offset)>,
}

impl Letters {
    pub(super) fn of(admin: &mut dyn Admin, topic: &str) -> Result<Self, Failure> {
        let described =
            admin.describe_topic(topic)?.ok_or_else(|| LogError::UnknownTopic(topic.to_owned()))?;
        let place = |partition| TopicPartition::new(topic, partition);
        let places: Vec<TopicPartition> = (0..described.partitions).map(place).collect();
        let isolation = Isolation::ReadCommitted;
        let starts = admin.offsets(&places, OffsetQuery::Earliest, isolation)?;
        let ends = admin.offsets(&places, OffsetQuery::Latest, isolation)?;
        Ok(Letters { ranges: places.into_iter().zip(starts.into_iter().zip(ends)).collect() })
    }

    /// By partition: the offset after the last letter of a reason that was replayed.
    pub(super) fn replayed(
        &self,
        admin: &mut dyn Admin,
        topic: &str,
        reason: ReasonArg,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Failure> {
        let places: Vec<TopicPartition> = self.ranges.keys().cloned().collect();
        let deadline = Instant::now() + PENDING;
        loop {
            match admin.committed(&reason.group(topic), &places, Isolation::ReadCommitted) {
                Ok(committed) => {
                    let offsets = committed.into_iter().map(|it| it.map_or(0, |it| it.offset));
                    return Ok(places.into_iter().zip(offsets).collect());
                }
                // A replay that was killed has its transaction open until that times out.
                Err(error) if error.is_retriable() && Instant::now() < deadline => {
                    std::thread::sleep(POLL);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A reading of everything from these offsets on, up to the end as it was.
    pub(super) fn read(
        &self,
        log: &dyn Log,
        from: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<Reading, Failure> {
        let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        let starts = self.ranges.iter().map(|(place, (start, end))| {
            let from = from.get(place).copied().unwrap_or(0);
            (place.clone(), from.max(*start), *end)
        });
        let starts: Vec<_> = starts.filter(|(_, start, end)| start < end).collect();
        let assigned: Vec<_> = starts.iter().map(|(place, start, _)| (place.clone(), *start)).collect();
        reader.assign(&assigned)?;
        let until = starts.into_iter().map(|(place, _, end)| (place, end)).collect();
        Ok(Reading { reader, until })
    }
}

/// A reading under way.
pub(super) struct Reading {
    reader: Box<dyn Reader>,
    /// Partitions that are left, and where they end.
    until: BTreeMap<TopicPartition, Offset>,
}

impl Reading {
    pub(super) fn is_done(&self) -> bool {
        self.until.is_empty()
    }

    /// Reads on; records beyond the ends are left out.
    pub(super) fn next(&mut self) -> Result<Vec<Run>, Failure> {
        let mut runs = Vec::new();
        match self.reader.poll(POLL, &mut runs) {
            Ok(()) => {}
            Err(error) if error.is_retriable() => {}
            Err(error) => return Err(error.into()),
        }
        let mut read = BTreeMap::new();
        for Run { place, records } in &mut runs {
            read.insert(place.clone(), records.next_offset().unwrap_or(0));
            let end = self.until.get(place).copied().unwrap_or(0);
            let beyond = records.iter().position(|record| record.offset >= end);
            drop(beyond.map(|at| records.split_off(at)));
        }
        let reader = &self.reader;
        self.until.retain(|place, end| {
            let position = reader.status(place).map_or(0, |status| status.position);
            position.max(read.get(place).copied().unwrap_or(0)) < *end
        });
        runs.retain(|run| !run.records.is_empty());
        Ok(runs)
    }
}
