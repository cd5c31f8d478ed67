//! A log over another one, which is only read: whatever is made or written is in the one above.
//!
//! A question is asked of topics by a job that leaves nothing behind: its own topics, groups and transactions are in a log
//! that goes with it, the topics that it reads stand below. A topic that is in both is the one above.

use crate::{
    Admin, CommittedOffset, Isolation, Log, LogError, LogInfo, Member, MemberOptions, Offset, OffsetQuery,
    ReadStatus, Reader, ReaderOptions, Run, TopicDescription, TopicIdentity, TopicPartition, TopicSpec,
    TransactionOptions, TransactionalWriter, Writer,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a reader waits for one of the two logs before it looks at the other.
const TURN: Duration = Duration::from_millis(2);

/// A log over another one. Clones are the same.
#[derive(Clone)]
pub struct Overlay {
    above: Arc<dyn Log>,
    below: Arc<dyn Log>,
    /// The topics above.
    made: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for Overlay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay")
            .field("above", &self.above.info())
            .field("below", &self.below.info())
            .finish()
    }
}

impl Overlay {
    /// The empty log `above` over `below`.
    pub fn new(above: Arc<dyn Log>, below: Arc<dyn Log>) -> Self {
        Overlay { above, below, made: Arc::default() }
    }

    fn is_above(&self, topic: &str) -> bool {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    fn split<T: Clone>(&self, all: &[T], place: impl Fn(&T) -> &TopicPartition) -> (Vec<T>, Vec<T>) {
        all.iter().cloned().partition(|one| self.is_above(&place(one).topic))
    }
}

impl Log for Overlay {
    fn info(&self) -> LogInfo {
        LogInfo { kind: "overlay", ..self.above.info() }
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        let (above, below) = (self.above.admin()?, self.below.admin()?);
        Ok(Box::new(OverlayAdmin { overlay: self.clone(), above, below }))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        let (above, below) = (self.above.reader(options)?, self.below.reader(options)?);
        Ok(Box::new(OverlayReader { overlay: self.clone(), above, below, reads: (false, false) }))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        self.above.writer()
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        self.above.member(options)
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        self.above.transactional_writer(options)
    }
}

struct OverlayAdmin {
    overlay: Overlay,
    above: Box<dyn Admin>,
    below: Box<dyn Admin>,
}

impl Admin for OverlayAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        self.above.create_topic(topic)?;
        self.overlay.made.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.name.clone());
        Ok(())
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        self.above.delete_topic(topic)?;
        self.overlay.made.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
        Ok(())
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        let all: BTreeSet<String> = self.above.topics()?.into_iter().chain(self.below.topics()?).collect();
        Ok(all.into_iter().collect())
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        match self.overlay.is_above(topic) {
            true => self.above.describe_topic(topic),
            false => self.below.describe_topic(topic),
        }
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        let above = self.above.identify_topics(topics)?;
        let below = self.below.identify_topics(topics)?;
        let both = topics.iter().zip(above.into_iter().zip(below));
        let each =
            both.map(|(topic, (above, below))| if self.overlay.is_above(topic) { above } else { below });
        Ok(each.collect())
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        let (above, below) = self.overlay.split(places, |place| place);
        let mut of_above = self.above.offsets(&above, query, isolation)?.into_iter();
        let mut of_below = self.below.offsets(&below, query, isolation)?.into_iter();
        let next = |place: &TopicPartition| match self.overlay.is_above(&place.topic) {
            true => of_above.next(),
            false => of_below.next(),
        };
        let offsets: Vec<Offset> = places.iter().filter_map(next).collect();
        Ok(offsets)
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let (above, below) = self.overlay.split(before, |(place, _)| place);
        match below.first() {
            Some((place, _)) => Err(LogError::Unsupported(format!("{place} can only be read here"))),
            None => self.above.delete_records(&above),
        }
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        self.above.committed(group, places, isolation)
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        self.above.commit(group, offsets)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.above.delete_group(group)
    }
}

struct OverlayReader {
    overlay: Overlay,
    above: Box<dyn Reader>,
    below: Box<dyn Reader>,
    /// Whether anything is read of either.
    reads: (bool, bool),
}

impl Reader for OverlayReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let (above, below) = self.overlay.split(places, |(place, _)| place);
        self.reads = (!above.is_empty(), !below.is_empty());
        self.above.assign(&above)?;
        self.below.assign(&below)
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        match self.overlay.is_above(&place.topic) {
            true => self.above.pause(place, paused),
            false => self.below.pause(place, paused),
        }
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        match self.reads {
            (false, _) => self.below.poll(timeout, runs),
            (true, false) => self.above.poll(timeout, runs),
            (true, true) => {
                let before = runs.len();
                self.above.poll(Duration::ZERO, runs)?;
                let wait = if runs.len() > before { Duration::ZERO } else { timeout.min(TURN) };
                self.below.poll(wait, runs)
            }
        }
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        match self.overlay.is_above(&place.topic) {
            true => self.above.status(place),
            false => self.below.status(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordsBuilder;
    use crate::clock::SystemClock;
    use crate::memory::MemoryLog;

    fn log() -> Arc<dyn Log> {
        Arc::new(MemoryLog::new(Arc::new(SystemClock::default())))
    }

    fn write(log: &dyn Log, topic: &str, values: &[&str]) {
        let mut records = RecordsBuilder::default();
        values.iter().for_each(|value| records.push(None, Some(value.as_bytes()), 1_000));
        let mut writer = log.writer().unwrap();
        writer.write(&TopicPartition::new(topic, 0), records.finish()).unwrap();
        writer.flush(Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn what_is_made_is_above_and_what_is_read_is_of_both() {
        let below = log();
        below.admin().unwrap().create_topic(&TopicSpec::new("old", 1)).unwrap();
        write(&*below, "old", &["a", "b"]);
        let overlay = Overlay::new(log(), Arc::clone(&below));
        let mut admin = overlay.admin().unwrap();
        admin.create_topic(&TopicSpec::new("new", 1)).unwrap();
        write(&overlay, "new", &["c"]);
        assert_eq!(below.admin().unwrap().topics().unwrap(), ["old"]);
        assert_eq!(admin.topics().unwrap(), ["new", "old"]);
        let places = [TopicPartition::new("old", 0), TopicPartition::new("new", 0)];
        let ends = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadCommitted).unwrap();
        assert_eq!(ends, [2, 1]);
        let identities =
            admin.identify_topics(&["old".to_owned(), "new".to_owned(), "no".to_owned()]).unwrap();
        assert_eq!(identities.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
        assert!(admin.delete_records(&[(places[0].clone(), 1)]).is_err());
        let mut reader = overlay.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
        reader.assign(&places.clone().map(|place| (place, 0))).unwrap();
        let mut runs = Vec::new();
        while runs.iter().map(|run: &Run| run.records.iter().count()).sum::<usize>() < 3 {
            reader.poll(Duration::from_millis(10), &mut runs).unwrap();
        }
        assert_eq!(reader.status(&places[0]).map(|status| status.end), Some(2));
        assert!(
            overlay.writer().unwrap().write(&places[0], RecordsBuilder::default().finish()).is_err() || {
                below
                    .admin()
                    .unwrap()
                    .offsets(&places[..1], OffsetQuery::Latest, Isolation::ReadCommitted)
                    .unwrap()
                    == [2]
            }
        );
    }
}
