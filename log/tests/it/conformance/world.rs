//! What a test of the suite works with: the log under test, names of its own, and the steps that many tests share.

use super::{Feature, Target};
use millstream_log::{
    Admin, CommittedOffset, GroupMetadata, Isolation, Log, LogError, MemberOptions, Offset, OffsetQuery,
    Reader, ReaderOptions, Records, RecordsBuilder, Run, TopicPartition, TopicSpec, TransactionError,
    TransactionOptions, TransactionalWriter,
};
use std::sync::Arc;
use std::time::Duration;

/// Time a test gives the log for anything at all, milliseconds on the log's clock.
const DEADLINE_MS: u64 = 40_000;
/// Time between two looks, milliseconds.
const STEP_MS: u64 = 10;
/// How long one poll of a reader may wait.
pub(crate) const POLL: Duration = Duration::from_millis(20);
/// How long a request may take.
pub(crate) const REQUEST: Duration = Duration::from_secs(20);

/// A log under test, and the name of the test.
pub(crate) struct World {
    target: Box<dyn Target>,
    test: String,
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) offset: Offset,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl World {
    pub(crate) fn new(target: Box<dyn Target>, test: &str) -> Self {
        World { target, test: test.to_owned() }
    }

    /// Whether the log can do this; says so where it can't.
    pub(crate) fn can(&self, feature: Feature) -> bool {
        let can = self.target.can(feature);
        if !can {
            println!("{} is left out: the log has no {feature:?}", self.test);
        }
        can
    }

    pub(crate) fn target(&self) -> &dyn Target {
        self.target.as_ref()
    }

    /// The log as this test's own process holds it.
    pub(crate) fn log(&self) -> Arc<dyn Log> {
        self.target.log("")
    }

    /// The log as another process holds it, and the name that process has.
    pub(crate) fn process(&self, name: &str) -> (Arc<dyn Log>, String) {
        let process = self.name(name);
        (self.target.log(&process), process)
    }

    /// A name that no other test has.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.test)
    }

    // --- waiting ---

    /// Looks again and again until `look` gives something.
    pub(crate) fn eventually<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        for _ in 0..DEADLINE_MS / STEP_MS {
            if let Some(found) = look() {
                return found;
            }
            self.target.pass(STEP_MS);
        }
        panic!("{}: {what} did not happen within {DEADLINE_MS} ms", self.test);
    }

    /// Waits until `look` gives what is expected, and shows the difference when it never does.
    pub(crate) fn eventually_equals<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        expected: &T,
        mut look: impl FnMut() -> T,
    ) {
        let mut last = None;
        for _ in 0..DEADLINE_MS / STEP_MS {
            let found = look();
            if found == *expected {
                return;
            }
            last = Some(found);
            self.target.pass(STEP_MS);
        }
        panic!("{}: {what}: expected {expected:?}, last seen {last:?}", self.test);
    }

    // --- topics and offsets ---

    pub(crate) fn admin(&self) -> Box<dyn Admin> {
        self.log().admin().expect("an admin client")
    }

    /// Makes a topic of this test's own; gives its name.
    pub(crate) fn topic(&self, name: &str, partitions: u32) -> Arc<str> {
        self.topic_with(name, partitions, &[])
    }

    pub(crate) fn topic_with(&self, name: &str, partitions: u32, config: &[(&str, &str)]) -> Arc<str> {
        let spec = TopicSpec::new(self.name(name), partitions);
        let spec = config.iter().fold(spec, |spec, (key, value)| spec.with(key, value));
        self.admin().create_topic(&spec).expect("a new topic");
        spec.name.into()
    }

    /// A topic with one partition: the partition.
    pub(crate) fn partition(&self, name: &str) -> TopicPartition {
        TopicPartition::new(self.topic(name, 1), 0)
    }

    pub(crate) fn offset(&self, place: &TopicPartition, query: OffsetQuery, isolation: Isolation) -> Offset {
        let places = std::slice::from_ref(place);
        self.admin().offsets(places, query, isolation).expect("an offset of an existing partition")[0]
    }

    pub(crate) fn earliest(&self, place: &TopicPartition) -> Offset {
        self.offset(place, OffsetQuery::Earliest, Isolation::ReadUncommitted)
    }

    pub(crate) fn end(&self, place: &TopicPartition) -> Offset {
        self.offset(place, OffsetQuery::Latest, Isolation::ReadUncommitted)
    }

    pub(crate) fn committed_end(&self, place: &TopicPartition) -> Offset {
        self.offset(place, OffsetQuery::Latest, Isolation::ReadCommitted)
    }

    /// Waits until no transaction of a partition is open and all markers are written: both ends are the same.
    pub(crate) fn settled(&self, place: &TopicPartition) -> Offset {
        self.eventually("the end of every transaction", || {
            let end = self.end(place);
            (self.committed_end(place) == end).then_some(end)
        })
    }

    // --- writing ---

    pub(crate) fn write(&self, place: &TopicPartition, values: &[&str]) {
        self.write_records(place, records(values));
    }

    pub(crate) fn write_records(&self, place: &TopicPartition, records: Records) {
        let mut writer = self.log().writer().expect("a writer");
        writer.write(place, records).expect("records are taken");
        writer.flush(REQUEST).expect("records are acknowledged");
    }

    /// A transactional writer that has been initialized.
    pub(crate) fn transactional(&self, id: &str, timeout_ms: u64) -> Box<dyn TransactionalWriter> {
        self.transactional_of(&self.log(), id, timeout_ms)
    }

    pub(crate) fn transactional_of(
        &self,
        log: &Arc<dyn Log>,
        id: &str,
        timeout_ms: u64,
    ) -> Box<dyn TransactionalWriter> {
        let options = TransactionOptions { id: self.name(id), timeout_ms };
        let mut writer = log.transactional_writer(&options).expect("a transactional writer");
        self.retry("init", || writer.init());
        writer
    }

    /// Calls until the answer is something else than "not yet".
    pub(crate) fn retry<T>(&self, what: &str, call: impl FnMut() -> Result<T, TransactionError>) -> T {
        self.outcome(what, call).unwrap_or_else(|error| panic!("{}: {what}: {error}", self.test))
    }

    /// The same for calls that may be refused.
    pub(crate) fn outcome<T>(
        &self,
        what: &str,
        mut call: impl FnMut() -> Result<T, TransactionError>,
    ) -> Result<T, TransactionError> {
        self.eventually(what, || match call() {
            Err(TransactionError::Retriable(_)) => None,
            outcome => Some(outcome),
        })
    }

    /// Writes values in an open transaction; gives the ends of what was written.
    pub(crate) fn put(
        &self,
        writer: &mut dyn TransactionalWriter,
        place: &TopicPartition,
        values: &[&str],
    ) -> Vec<(TopicPartition, Offset)> {
        let records = records(values);
        self.retry("write", || writer.write(place, &records));
        self.retry("flush", || writer.flush())
    }

    // --- reading ---

    pub(crate) fn reader(&self, isolation: Isolation) -> Box<dyn Reader> {
        self.log().reader(&ReaderOptions::new(isolation)).expect("a reader")
    }

    /// Everything there is in a partition, from the first offset to the end by this isolation.
    pub(crate) fn read_all(&self, place: &TopicPartition, isolation: Isolation) -> Vec<Read> {
        let end = self.offset(place, OffsetQuery::Latest, isolation);
        let mut reader = self.reader(isolation);
        reader.assign(&[(place.clone(), self.earliest(place))]).expect("an assignment");
        self.read_to(reader.as_mut(), place, end)
    }

    /// The committed records of a partition from an offset on.
    pub(crate) fn read_from(&self, place: &TopicPartition, from: Offset) -> Vec<Read> {
        let end = self.committed_end(place);
        let mut reader = self.reader(Isolation::ReadCommitted);
        reader.assign(&[(place.clone(), from)]).expect("an assignment");
        self.read_to(reader.as_mut(), place, end)
    }

    /// What a reader hands out of a partition until it stands at `end`.
    pub(crate) fn read_to(&self, reader: &mut dyn Reader, place: &TopicPartition, end: Offset) -> Vec<Read> {
        let mut found = Vec::new();
        self.eventually("reading to the end", || {
            let mut runs = Vec::new();
            reader.poll(POLL, &mut runs).expect("records");
            found.extend(runs.iter().filter(|run| run.place == *place).flat_map(reads));
            reader.status(place).filter(|status| status.position >= end)
        });
        found
    }

    /// The committed values of a partition.
    pub(crate) fn values(&self, place: &TopicPartition) -> Vec<String> {
        self.read_all(place, Isolation::ReadCommitted).iter().map(Read::text).collect()
    }

    // --- groups ---

    pub(crate) fn member_options(&self, group: &str, topics: &[&str]) -> MemberOptions {
        MemberOptions {
            group: self.name(group),
            instance: None,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            session_timeout_ms: 6_000,
        }
    }

    /// What a group has committed for a partition, whatever a transaction holds.
    pub(crate) fn committed(&self, group: &str, place: &TopicPartition) -> Option<CommittedOffset> {
        let places = std::slice::from_ref(place);
        let found = self.admin().committed(&self.name(group), places, Isolation::ReadUncommitted);
        found.expect("committed offsets").remove(0)
    }

    /// The same once no transaction holds it.
    pub(crate) fn stable(&self, group: &str, place: &TopicPartition) -> Option<CommittedOffset> {
        let places = std::slice::from_ref(place);
        let (mut admin, group) = (self.admin(), self.name(group));
        self.eventually("an answer about committed offsets", || {
            match admin.committed(&group, places, Isolation::ReadCommitted) {
                Ok(mut found) => Some(found.remove(0)),
                Err(LogError::NotReady(_) | LogError::Timeout(_)) => None,
                Err(error) => panic!("{}: {error}", self.test),
            }
        })
    }

    /// Whoever claims to be nobody: offsets are committed without a check.
    pub(crate) fn nobody(&self, group: &str) -> GroupMetadata {
        GroupMetadata { group: self.name(group), generation: -1, member: String::new(), instance: None }
    }
}

impl Read {
    /// The value as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default()).into_owned()
    }
}

/// Records without keys, one for each value.
pub(crate) fn records(values: &[&str]) -> Records {
    let mut builder = RecordsBuilder::default();
    for value in values {
        builder.push(None, Some(value.as_bytes()), 1_700_000_000_000);
    }
    builder.finish()
}

/// Text that no compression makes much smaller: brokers compare compressed sizes.
pub(crate) fn noise(length: usize) -> String {
    let mut state = 7u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b' ' + (state >> 24) as u8 % 90)
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The records of a run. A run is never empty and its offsets rise.
pub(crate) fn reads(run: &Run) -> Vec<Read> {
    assert!(!run.records.is_empty(), "{}: an empty run", run.place);
    let read = |record: millstream_records::Record<'_>| Read {
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
            .collect(),
    };
    let found: Vec<Read> = run.records.iter().map(read).collect();
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "{}: offsets fall", run.place);
    found
}

/// An offset with a note.
pub(crate) fn noted(offset: Offset, metadata: &str) -> CommittedOffset {
    CommittedOffset { offset, metadata: metadata.to_owned() }
}
