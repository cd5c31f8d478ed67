//! The task that reads from one broker: one request under way, for all of its partitions that have room.

use super::answer::{self, Consequence, rest};
use super::session::{Limits, Session, WITH_IDS, Wanted};
use super::state::{Inner, Need, State};
use super::{FetchError, Place};
use crate::cluster::Lane;
use crate::connection::{Answer, Connection};
use crate::{Code, Kind, WireError};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, OffsetForLeaderEpochRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Room for less than this is not asked for: many small answers cost more than a moment of waiting.
const ROOM_BYTES_MIN: usize = 64 << 10;
/// Answers of one partition that are fetched ahead.
const ANSWERS_AHEAD: usize = 3;
/// How long a broker may wait for records while a partition has no room: it may have some again in a moment.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(2);
/// How long a task without work waits before it looks again by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// What [`ListOffsetsRequest`] calls the first offset and the end.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// Reads from a broker as long as it leads anything that is to be read.
pub(super) async fn run(inner: Arc<Inner>, broker: i32) {
    let mut session = Session::default();
    let mut connection: Option<Connection> = None;
    loop {
        let work = inner.work.notified();
        tokio::pin!(work);
        // What happens from here on is not missed.
        work.as_mut().enable();
        let plan = {
            let mut state = inner.state();
            if !state.partitions.values().any(|partition| partition.is_led_by(broker)) {
                state.leaders.remove(&broker);
                return;
            }
            plan(&mut state, &inner, broker)
        };
        if plan.is_empty() {
            let _ = tokio::time::timeout(plan.look_again, work).await;
            continue;
        }
        if let Err(error) = carry_out(&inner, broker, plan, &mut session, &mut connection).await {
            tracing::debug!(target: "millstream::wire", broker, %error, "reading");
            session.forget();
            connection = None;
            let pause = match error.kind() {
                Kind::Fatal | Kind::Permanent => inner.cluster.config().reconnect_backoff.1,
                _ => inner.cluster.config().reconnect_backoff.0,
            };
            let lost = inner.state().lose_leader(broker, Instant::now() + pause);
            lost.iter().for_each(|place| inner.cluster.forget_leader(&place.topic, place.partition));
            inner.work.notify_waiters();
        }
    }
}

/// What to ask a broker for.
#[derive(Debug)]
struct Plan {
    fetch: BTreeMap<Place, Wanted>,
    limits: Limits,
    /// Partitions whose new leader this is, with the epoch of what was read.
    validate: Vec<(Place, Wanted, i32)>,
    range: Vec<(Place, Wanted)>,
    look_again: Duration,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.fetch.is_empty() && self.validate.is_empty() && self.range.is_empty()
    }
}

fn plan(state: &mut State, inner: &Inner, broker: i32) -> Plan {
    let config = &inner.cluster.config().fetch;
    let now = Instant::now();
    let held = state.queued_bytes + state.asked_bytes;
    let room = inner.options.queue_bytes_max.saturating_sub(held).min(config.bytes_max);
    // One leader that has nothing to say must not take the room of the others.
    let room = room.min(inner.options.queue_bytes_max / state.leaders.len().max(1));
    // A queue so small that there never is that much room still gets one batch at a time.
    let has_room = room >= ROOM_BYTES_MIN.min(inner.options.queue_bytes_max) || held == 0;
    let share = (inner.options.queue_bytes_max / state.partitions.len().max(1)).max(1);
    let bytes_max = config.partition_bytes_max.min(inner.options.queue_bytes_max);
    // More than a few answers ahead is of no use, and leaves the processor's cache before it is walked.
    let share = share.min(ANSWERS_AHEAD * bytes_max.max(1));
    let wait_max = config.wait_max;
    let limits = Limits { wait_max, bytes_max: room.max(1), read_committed: inner.options.read_committed };
    let mut plan = Plan {
        fetch: BTreeMap::new(),
        limits,
        validate: Vec::new(),
        range: Vec::new(),
        look_again: LOOK_AGAIN,
    };
    for (place, partition) in &state.partitions {
        let Some(leader) = partition.leader.filter(|leader| leader.broker == broker) else { continue };
        if !partition.is_wanted(now) {
            if let Some(until) = partition.not_before.filter(|_| partition.failed.is_none()) {
                plan.look_again = plan.look_again.min(until.saturating_duration_since(now));
            }
            continue;
        }
        let wanted = Wanted {
            serial: partition.serial,
            topic_id: partition.topic_id.unwrap_or_default(),
            offset: partition.next,
            leader_epoch: leader.leader_epoch,
            bytes_max: i32::try_from(bytes_max).unwrap_or(i32::MAX),
        };
        match partition.need {
            Need::Validation => plan.validate.push((place.clone(), wanted, partition.epoch_read)),
            Need::Range => plan.range.push((place.clone(), wanted)),
            Need::Records if partition.paused => {}
            Need::Records if !has_room || partition.queued_bytes >= share => {
                plan.limits.wait_max = plan.limits.wait_max.min(WAIT_FOR_ROOM);
            }
            Need::Records => {
                if partition.high_watermark.is_none() {
                    plan.limits.wait_max = Duration::ZERO;
                }
                plan.fetch.insert(place.clone(), wanted);
            }
        }
    }
    if !plan.fetch.is_empty() {
        state.asked_bytes += plan.limits.bytes_max;
    }
    plan
}

/// Gives back what was reserved for an answer, however it ends.
struct Reserved<'a> {
    inner: &'a Inner,
    bytes: usize,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.inner.state().asked_bytes -= self.bytes;
    }
}

async fn carry_out(
    inner: &Inner,
    broker: i32,
    plan: Plan,
    session: &mut Session,
    connection: &mut Option<Connection>,
) -> Result<(), WireError> {
    let bytes = if plan.fetch.is_empty() { 0 } else { plan.limits.bytes_max };
    let reserved = Reserved { inner, bytes };
    let deadline = Instant::now() + inner.cluster.config().request_timeout;
    let open = match connection.take().filter(Connection::is_fresh) {
        Some(open) => open,
        None => {
            // A session belongs to the broker, but another may listen there now.
            session.forget();
            inner.cluster.broker(broker, Lane::Fetch, deadline).await?
        }
    };
    *connection = Some(open.clone());
    if !plan.validate.is_empty() {
        validate(inner, &open, &plan.validate, deadline).await?;
    }
    if !plan.range.is_empty() {
        find_ranges(inner, &open, &plan.range, deadline).await?;
    }
    if plan.fetch.is_empty() {
        return Ok(());
    }
    let deadline = Instant::now() + inner.cluster.config().request_timeout + plan.limits.wait_max;
    let (asked, version) = send(inner, &open, session, &plan)?;
    let answer = asked.wait(deadline).await?;
    drop(reserved);
    take(inner, &open, session, answer, version);
    Ok(())
}

fn send(
    inner: &Inner,
    connection: &Connection,
    session: &mut Session,
    plan: &Plan,
) -> Result<(Answer<FetchRequest>, i16), WireError> {
    let Some(newest) = connection.versions().of::<FetchRequest>() else {
        let reason = "the broker is too old, it needs Kafka 2.1 or later".to_owned();
        return Err(WireError::Unsupported { at: connection.at::<FetchRequest>(), reason });
    };
    // Topics without ids are of clusters older than those.
    let has_ids = plan.fetch.values().all(|wanted| !wanted.topic_id.is_nil());
    let version = if has_ids { newest } else { newest.min(WITH_IDS - 1) };
    let request = session.request(&plan.fetch, &plan.limits, inner.cluster.config(), version);
    Ok((connection.send_version(&request, version)?, version))
}

fn take(inner: &Inner, connection: &Connection, session: &mut Session, answer: FetchResponse, version: i16) {
    let throttled = u64::try_from(answer.throttle_time_ms).unwrap_or(0);
    if let Err(code) = Code::check(answer.error_code) {
        tracing::debug!(target: "millstream::wire", broker = connection.broker(), %code, "fetch");
        // The broker has forgotten the session, or it knows topics by ids that they don't have any more.
        let pause = match code.error() {
            ResponseError::FetchSessionIdNotFound | ResponseError::InvalidFetchSessionEpoch => throttled,
            _ => throttled.max(10),
        };
        hold_back(inner, session, pause);
        session.forget();
        return;
    }
    for endpoint in &answer.node_endpoints {
        inner.cluster.learn_broker(endpoint.node_id.0, &endpoint.host, endpoint.port);
    }
    let config = inner.cluster.config();
    let mut has_changed = false;
    {
        let mut state = inner.state();
        for topic in &answer.responses {
            let name = if version >= WITH_IDS {
                inner.cluster.topic_name(topic.topic_id)
            } else {
                Some(Arc::from(topic.topic.as_str()))
            };
            let Some(name) = name else { continue };
            for data in &topic.partitions {
                let place = Place { topic: Arc::clone(&name), partition: data.partition_index };
                let read_committed = inner.options.read_committed;
                let found = answer::take(
                    &mut state,
                    session,
                    &place,
                    data,
                    read_committed,
                    config.fetch.error_backoff,
                );
                match found {
                    Consequence::None => continue,
                    Consequence::Nearer => {}
                    Consequence::Leader => {
                        let leader = &data.current_leader;
                        inner.cluster.forget_leader(&name, place.partition);
                        inner.cluster.learn_leader(
                            &name,
                            place.partition,
                            leader.leader_id.0,
                            leader.leader_epoch,
                        );
                    }
                    Consequence::Topic => inner.cluster.forget_topic(&name),
                }
                has_changed = true;
            }
        }
    }
    session.answered(answer.session_id);
    inner.arrived.notify_one();
    if has_changed {
        inner.work.notify_waiters();
    }
    hold_back(inner, session, throttled);
}

/// A client that is throttled does not ask before that is over; brokers would not answer.
fn hold_back(inner: &Inner, session: &Session, ms: u64) {
    if ms == 0 {
        return;
    }
    let mut state = inner.state();
    for (place, _) in session.all() {
        if let Some(partition) = state.partitions.get_mut(place) {
            let until = Instant::now() + Duration::from_millis(ms);
            partition.not_before = Some(partition.not_before.map_or(until, |before| before.max(until)));
        }
    }
}

/// Groups partitions by topic.
fn by_topic<'a, T>(all: impl Iterator<Item = (&'a Place, T)>) -> Vec<(TopicName, Vec<T>)> {
    let mut topics: BTreeMap<&'a Arc<str>, Vec<T>> = BTreeMap::new();
    for (place, it) in all {
        topics.entry(&place.topic).or_default().push(it);
    }
    let name = |topic: &str| TopicName(StrBytes::from_string(topic.to_owned()));
    topics.into_iter().map(|(topic, all)| (name(topic), all)).collect()
}

// --- truncation ---

/// Asks a new leader where what was read ends with it. What it has not got was cut off.
async fn validate(
    inner: &Inner,
    connection: &Connection,
    places: &[(Place, Wanted, i32)],
    deadline: Instant,
) -> Result<(), WireError> {
    let asked = places.iter().map(|(place, wanted, epoch)| {
        let partition = OffsetForLeaderPartition::default()
            .with_partition(place.partition)
            .with_current_leader_epoch(wanted.leader_epoch)
            .with_leader_epoch(*epoch);
        (place, partition)
    });
    let topic =
        |(name, partitions)| OffsetForLeaderTopic::default().with_topic(name).with_partitions(partitions);
    let request = OffsetForLeaderEpochRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(by_topic(asked).into_iter().map(topic).collect());
    let answer = connection.ask(&request, deadline).await?;
    let mut state = inner.state();
    for topic in &answer.topics {
        for found in &topic.partitions {
            let is_it = |(place, ..): &&(Place, Wanted, i32)| {
                *place.topic == *topic.topic.as_str() && place.partition == found.partition
            };
            let Some((place, wanted, epoch)) = places.iter().find(is_it) else { continue };
            let end = (found.end_offset, found.leader_epoch);
            validated(&mut state, inner, place, wanted, *epoch, Code::check(found.error_code).map(|()| end));
        }
    }
    // Those that the answer is silent about are asked for again, but not at once.
    for (place, ..) in places {
        let partition = state.partitions.get_mut(place);
        if let Some(partition) =
            partition.filter(|it| it.need == Need::Validation && it.is_wanted(Instant::now()))
        {
            rest(partition, Duration::from_millis(10));
        }
    }
    drop(state);
    inner.arrived.notify_one();
    Ok(())
}

/// What a new leader says of where an epoch ends: the end, and the last epoch up to it that it has.
fn validated(
    state: &mut State,
    inner: &Inner,
    place: &Place,
    wanted: &Wanted,
    epoch: i32,
    found: Result<(i64, i32), Code>,
) {
    let Some(partition) = state.partitions.get_mut(place) else { return };
    if partition.serial != wanted.serial || partition.need != Need::Validation {
        return;
    }
    match found {
        // It knows nothing of epochs that old: what was read of them is no longer there to be cut.
        Ok((end, _)) if end < 0 => partition.need = Need::Records,
        Ok((end, _)) if end < partition.handed_out() => {
            let wanted = partition.handed_out();
            state.fail(place, FetchError::Cut { wanted, end, epoch });
        }
        // Only what nobody has seen was cut.
        Ok((end, last)) if end < partition.next => {
            partition.need = Need::Records;
            state.send_back(place, Some(last));
        }
        Ok(_) => partition.need = Need::Records,
        Err(code) if code.error().is_retriable() => {
            partition.leader = None;
            rest(partition, Duration::from_millis(10));
            inner.cluster.forget_leader(&place.topic, place.partition);
            inner.work.notify_waiters();
        }
        Err(code) => state.fail(place, FetchError::Refused(code)),
    }
}

// --- positions that are not there ---

/// Asks what there is in partitions whose position is said not to be there.
async fn find_ranges(
    inner: &Inner,
    connection: &Connection,
    places: &[(Place, Wanted)],
    deadline: Instant,
) -> Result<(), WireError> {
    let starts = list_offsets(connection, places, EARLIEST, deadline).await?;
    let ends = list_offsets(connection, places, LATEST, deadline).await?;
    let mut state = inner.state();
    for (place, wanted) in places {
        let Some(partition) = state.partitions.get_mut(place) else { continue };
        if partition.serial != wanted.serial || partition.need != Need::Range {
            continue;
        }
        let found = |all: &BTreeMap<Place, Result<i64, Code>>| all.get(place).copied().unwrap_or(Ok(-1));
        match (found(&starts), found(&ends)) {
            (Ok(start), Ok(end)) if start >= 0 && end >= 0 => {
                let wanted = partition.next;
                if (start..=end).contains(&wanted) {
                    // Whoever said so was behind.
                    partition.need = Need::Records;
                    rest(partition, inner.cluster.config().fetch.error_backoff);
                } else {
                    state.fail(place, FetchError::OutOfRange { wanted, start, end });
                }
            }
            (Err(code), _) | (_, Err(code)) if !code.error().is_retriable() => {
                state.fail(place, FetchError::Refused(code));
            }
            _ => {
                partition.leader = None;
                rest(partition, Duration::from_millis(10));
                inner.cluster.forget_leader(&place.topic, place.partition);
            }
        }
    }
    drop(state);
    inner.arrived.notify_one();
    inner.work.notify_waiters();
    Ok(())
}

async fn list_offsets(
    connection: &Connection,
    places: &[(Place, Wanted)],
    which: i64,
    deadline: Instant,
) -> Result<BTreeMap<Place, Result<i64, Code>>, WireError> {
    let asked = places.iter().map(|(place, wanted)| {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(place.partition)
            .with_current_leader_epoch(wanted.leader_epoch)
            .with_timestamp(which);
        (place, partition)
    });
    let topic = |(name, partitions)| ListOffsetsTopic::default().with_name(name).with_partitions(partitions);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(by_topic(asked).into_iter().map(topic).collect());
    let answer = connection.ask(&request, deadline).await?;
    let mut found = BTreeMap::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let place = Place { topic: topic.name.as_str().into(), partition: partition.partition_index };
            found.insert(place, Code::check(partition.error_code).map(|()| partition.offset));
        }
    }
    Ok(found)
}
