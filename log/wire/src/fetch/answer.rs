//! What a Fetch answer means for the partitions it is about.

use super::session::{Session, Wanted};
use super::state::{Need, Partition, State};
use super::{FetchError, Fetched, Place};
use crate::batch::{AbortedTransactions, Batches};
use crate::{Code, WireError};
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_response::PartitionData;
use std::time::{Duration, Instant};

/// Bytes of a batch's head that the length does not count.
const PREFIX_BYTES: usize = 12;
/// How often in a row a broker may say that what it has is damaged.
const ERRORS_MAX: u32 = 10;
/// Up to where the last offset stands.
const HEAD_BYTES: usize = 27;

/// What is to be done beside reading on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing.
    None,
    /// Another replica is to be asked.
    Nearer,
    /// The partition's leader is another.
    Leader,
    /// The topic is not what it was taken for.
    Topic,
}

/// Takes in what a broker says of one partition.
pub(super) fn take(
    state: &mut State,
    session: &Session,
    place: &Place,
    data: &PartitionData,
    read_committed: bool,
    error_backoff: Duration,
) -> Consequence {
    let Some(asked) = session.asked(place).copied() else { return Consequence::None };
    let Some(partition) = state.partitions.get_mut(place) else { return Consequence::None };
    // Another assignment, or one that was sent back, meanwhile.
    if partition.serial != asked.serial || partition.next != asked.offset {
        return Consequence::None;
    }
    if let Err(code) = Code::check(data.error_code) {
        return on_error(state, place, code, error_backoff);
    }
    (partition.unknown_since, partition.errors) = (None, 0);
    if data.high_watermark >= 0 {
        partition.high_watermark = Some(data.high_watermark);
        // -1 from who asks for everything.
        let last_stable =
            if data.last_stable_offset >= 0 { data.last_stable_offset } else { data.high_watermark };
        partition.last_stable = Some(last_stable);
    }
    let nearer = data.preferred_read_replica.0;
    if nearer >= 0
        && let Some(asked) = &mut partition.leader
        && asked.broker != nearer
    {
        asked.broker = nearer;
        return Consequence::Nearer;
    }
    let Some(records) = data.records.as_ref().filter(|records| !records.is_empty()) else {
        return Consequence::None;
    };
    take_records(state, place, &asked, records, data, read_committed);
    Consequence::None
}

fn take_records(
    state: &mut State,
    place: &Place,
    asked: &Wanted,
    records: &Bytes,
    data: &PartitionData,
    read_committed: bool,
) {
    let Some(partition) = state.partitions.get_mut(place) else { return };
    let Some(found) = scan(records) else { return };
    let aborted = data.aborted_transactions.iter().flatten();
    let aborted = aborted.map(|transaction| (transaction.producer_id.0, transaction.first_offset));
    let fetched = Fetched {
        place: place.clone(),
        life: partition.life,
        serial: asked.serial,
        batches: Batches::new(records.slice(..found.bytes)),
        aborted: AbortedTransactions::new(aborted),
        read_committed,
        bytes: found.bytes,
        position: asked.offset,
        end: found.next,
        visited: 0,
    };
    // What ends before where it was asked from can't be; the walk will say what it is.
    partition.next = found.next.max(asked.offset);
    partition.epoch_read = found.epoch;
    state.queue(fetched);
}

/// What the heads of batches say.
#[derive(Debug, PartialEq, Eq)]
struct Scanned {
    /// Of batches that are whole.
    bytes: usize,
    /// The offset after the last of them.
    next: i64,
    /// Its epoch.
    epoch: i32,
}

/// Looks through the heads of batches, the last of which may be cut off; `None` when none is whole. Nothing of it is
/// believed but lengths: checksums are for whoever walks them.
fn scan(records: &[u8]) -> Option<Scanned> {
    let mut found: Option<Scanned> = None;
    let mut at = 0;
    while let Some(head) = records.get(at..).filter(|rest| rest.len() >= HEAD_BYTES) {
        let i32_at = |from: usize| head[from..].first_chunk().map_or(-1, |bytes| i32::from_be_bytes(*bytes));
        let base = head.first_chunk().map_or(-1, |bytes| i64::from_be_bytes(*bytes));
        let Ok(length) = usize::try_from(i32_at(8)) else { break };
        let end = at + PREFIX_BYTES + length;
        if end > records.len() {
            break;
        }
        // In formats before 2 there is no such field; the walk refuses them.
        let delta = if head[16] >= 2 { i32_at(23) } else { 0 };
        let next = base.saturating_add(i64::from(delta.max(0))).saturating_add(1);
        found = Some(Scanned { bytes: end, next, epoch: i32_at(12) });
        at = end;
    }
    // A length that is none ends the walk with an error; it has to see it.
    match found {
        None if records.len() >= HEAD_BYTES && records[8] >= 0x80 => {
            Some(Scanned { bytes: records.len(), next: 0, epoch: -1 })
        }
        found => found,
    }
}

fn on_error(state: &mut State, place: &Place, code: Code, error_backoff: Duration) -> Consequence {
    use ResponseError as E;
    let Some(partition) = state.partitions.get_mut(place) else { return Consequence::None };
    tracing::debug!(target: "millstream::wire", %place, %code, "fetch");
    match code.error() {
        E::OffsetOutOfRange => {
            partition.need = Need::Range;
            Consequence::None
        }
        E::NotLeaderOrFollower
        | E::FencedLeaderEpoch
        | E::ReplicaNotAvailable
        | E::LeaderNotAvailable
        | E::KafkaStorageError
        | E::BrokerNotAvailable => {
            partition.leader = None;
            rest(partition, Duration::from_millis(5));
            Consequence::Leader
        }
        E::UnknownTopicOrPartition | E::UnknownTopicId | E::InconsistentTopicId => {
            partition.leader = None;
            rest(partition, error_backoff);
            Consequence::Topic
        }
        // The broker is behind what is known here, and will be there in a moment.
        E::UnknownLeaderEpoch | E::OffsetNotAvailable => {
            rest(partition, Duration::from_millis(10));
            Consequence::None
        }
        E::TopicAuthorizationFailed | E::UnsupportedCompressionType => {
            state.fail(place, FetchError::Refused(code));
            Consequence::None
        }
        E::CorruptMessage if partition.errors >= ERRORS_MAX => {
            state.fail(place, FetchError::Refused(code));
            Consequence::None
        }
        _ => {
            partition.errors += 1;
            rest(partition, error_backoff);
            Consequence::None
        }
    }
}

/// It is not asked for until some time has passed.
pub(super) fn rest(partition: &mut Partition, pause: Duration) {
    partition.not_before = Some(Instant::now() + pause);
}

/// Whether a partition's error tells that there is no such thing.
pub(super) fn is_unknown(error: &WireError) -> bool {
    matches!(error.code(), Some(ResponseError::UnknownTopicOrPartition | ResponseError::UnknownTopicId))
}

#[cfg(test)]
mod tests {
    use super::super::session::Limits;
    use super::super::state::Asked;
    use super::*;
    use crate::batch::{BatchEncoder, Compression, Stamp};
    use kafka_protocol::messages::BrokerId;
    use uuid::Uuid;

    /// A batch of so many records at an offset.
    fn batch(base: i64, records: usize) -> Vec<u8> {
        let mut encoder = BatchEncoder::default();
        (0..records).for_each(|_| encoder.push(1, None, Some(b"value"), std::iter::empty()).expect("small"));
        let mut bytes = encoder.seal(Compression::None).expect("sealed").stamp(&Stamp::default()).to_vec();
        bytes[..8].copy_from_slice(&base.to_be_bytes());
        bytes[12..16].copy_from_slice(&3_i32.to_be_bytes());
        bytes
    }

    #[test]
    fn heads_are_scanned_to_the_last_whole_batch() {
        let (first, second) = (batch(10, 3), batch(13, 2));
        let all = [first.clone(), second.clone()].concat();
        let whole = Scanned { bytes: all.len(), next: 15, epoch: 3 };
        assert_eq!(scan(&all), Some(whole));
        for cut in 0..all.len() {
            let found = scan(&all[..cut]);
            let expected = (cut >= first.len()).then_some(Scanned { bytes: first.len(), next: 13, epoch: 3 });
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    /// A partition at offset 10, led by broker 1 in epoch 4, and a session that has just asked for it.
    fn asked() -> (State, Session, Place) {
        let place = Place { topic: "t".into(), partition: 0 };
        let mut state = State::default();
        state.assign(&[(place.clone(), 10)]);
        let partition = state.partitions.get_mut(&place).expect("assigned");
        partition.lead(Asked { broker: 1, leader_epoch: 4 });
        let (serial, offset) = (partition.serial, partition.next);
        let wanted = Wanted { serial, topic_id: Uuid::nil(), offset, leader_epoch: 4, bytes_max: 100 };
        let limits = Limits { wait_max: Duration::ZERO, bytes_max: 100, read_committed: true };
        let mut session = Session::default();
        let config = crate::Config::new("b:1").expect("an address");
        session.request(&[(place.clone(), wanted)].into(), &limits, &config, 12);
        (state, session, place)
    }

    fn answered(state: &mut State, session: &Session, place: &Place, data: &PartitionData) -> Consequence {
        take(state, session, place, data, true, Duration::from_millis(100))
    }

    #[test]
    fn records_are_queued_and_ends_known_and_a_second_answer_to_the_same_is_left_out() {
        let (mut state, session, place) = asked();
        let records = Bytes::from([batch(10, 3), batch(13, 2)].concat());
        let data = PartitionData::default()
            .with_high_watermark(20)
            .with_last_stable_offset(18)
            .with_records(Some(records.clone()));
        assert_eq!(answered(&mut state, &session, &place, &data), Consequence::None);
        let partition = &state.partitions[&place];
        assert_eq!((partition.next, partition.position, partition.epoch_read), (15, 10, 3));
        assert_eq!((partition.high_watermark, partition.last_stable), (Some(20), Some(18)));
        assert_eq!((partition.queued_bytes, state.queued_bytes), (records.len(), records.len()));
        answered(&mut state, &session, &place, &data);
        assert_eq!(state.queued_bytes, records.len(), "what was asked once is taken once");
    }

    #[test]
    fn an_answer_to_an_earlier_assignment_is_left_out() {
        let (mut state, session, place) = asked();
        state.assign(&[]);
        state.assign(&[(place.clone(), 10)]);
        let data = PartitionData::default().with_records(Some(Bytes::from(batch(10, 3))));
        answered(&mut state, &session, &place, &data);
        assert_eq!((state.queued_bytes, state.partitions[&place].next), (0, 10));
    }

    #[test]
    fn a_replica_that_is_nearer_is_asked_in_the_same_epoch() {
        let (mut state, session, place) = asked();
        let data = PartitionData::default().with_preferred_read_replica(BrokerId(2));
        assert_eq!(answered(&mut state, &session, &place, &data), Consequence::Nearer);
        assert_eq!(state.partitions[&place].leader, Some(Asked { broker: 2, leader_epoch: 4 }));
        assert_eq!(state.partitions[&place].need, Need::Records);
    }

    #[test]
    fn errors_of_a_partition_have_their_consequences() {
        let cases = [
            (6, Consequence::Leader, Need::Records),
            (74, Consequence::Leader, Need::Records),
            (100, Consequence::Topic, Need::Records),
            (1, Consequence::None, Need::Range),
            (75, Consequence::None, Need::Records),
        ];
        for (code, consequence, need) in cases {
            let (mut state, session, place) = asked();
            let data = PartitionData::default().with_error_code(code);
            assert_eq!(answered(&mut state, &session, &place, &data), consequence, "{code}");
            let partition = &state.partitions[&place];
            assert_eq!((partition.need, partition.failed.is_none()), (need, true), "{code}");
            assert_eq!(partition.leader.is_none(), consequence != Consequence::None, "{code}");
        }
        let (mut state, session, place) = asked();
        answered(&mut state, &session, &place, &PartitionData::default().with_error_code(29));
        assert_eq!(state.partitions[&place].failed, Some(FetchError::Refused(Code(29))));
    }

    #[test]
    fn nonsense_is_scanned_without_a_panic() {
        assert_eq!(scan(&[0; 26]), None);
        assert_eq!(scan(&[0x7f; 100]), None);
        let negative = scan(&[0xff; 100]).expect("for the walk to refuse");
        assert_eq!(negative.bytes, 100);
        let zeros = scan(&[0; 100]).expect("batches of no length");
        assert!(zeros.bytes <= 100);
    }
}
