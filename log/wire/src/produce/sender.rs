//! The task that sends what is due and takes in the answers.
//!
//! One task for all brokers. Each broker has up to [`UNDER_WAY_MAX`] requests under way, each with at most one batch of a
//! partition. What may take time (connecting, looking for leaders, waiting for answers) runs in tasks of its own, which
//! come back by [`Event`]s.

use super::error::{ProduceError, Refusal, Verdict, verdict};
use super::queue::{Identity, Queue, State};
use super::request::{self, Part};
use super::track::Next;
use super::{Place, Setup};
use crate::batch::{Compression, Stamp};
use crate::cluster::{Cluster, Lane};
use crate::connection::Connection;
use crate::{Kind, WireError};
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Requests that a broker may have under way: as many as batches whose offsets it remembers.
const UNDER_WAY_MAX: usize = super::track::NUMBERED_MAX;
/// Bytes of a request, unless one batch is larger: what waits behind it waits longer.
const REQUEST_BYTES: usize = 4 << 20;
/// How often is looked for what has waited too long.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Sender {
    queue: Arc<Queue>,
    cluster: Cluster,
    setup: Arc<Setup>,
    /// By track.
    leaders: Vec<Leader>,
    brokers: HashMap<i32, Broker>,
    is_adding: bool,
    events: mpsc::UnboundedSender<Event>,
}

/// What is known of a partition's leader.
#[derive(Debug, Clone)]
enum Leader {
    Unknown,
    Asked,
    Known(i32, Connection),
}

#[derive(Debug, Default)]
struct Broker {
    under_way: usize,
    /// The broker wants to be left alone until then.
    muted_until: Option<Instant>,
}

/// One batch of a request.
#[derive(Debug, Clone, Copy)]
struct Item {
    track: usize,
    serial: u64,
}

/// What comes back.
enum Event {
    Answered { broker: i32, life: u64, items: Vec<Item>, answer: Result<ProduceResponse, WireError> },
    Located { track: usize, leader: Result<(i32, Connection), WireError> },
    Added { life: u64, tracks: Vec<usize>, result: Result<(), ProduceError> },
}

/// What is due, by broker.
type Due = HashMap<i32, (Connection, Vec<(Item, Next)>)>;

impl Sender {
    /// Runs until the queue is closed.
    pub(super) async fn run(queue: Arc<Queue>, cluster: Cluster, setup: Arc<Setup>) {
        let (events, mut incoming) = mpsc::unbounded_channel();
        let (leaders, brokers, is_adding) = (Vec::new(), HashMap::new(), false);
        let mut sender = Sender { queue, cluster, setup, leaders, brokers, is_adding, events };
        loop {
            let Some(next_look) = sender.send_due(Instant::now()) else { return };
            tokio::select! {
                () = sender.queue.wake.notified() => {}
                () = tokio::time::sleep_until(next_look.into()) => {}
                event = incoming.recv() => {
                    let mut next = event;
                    while let Some(event) = next {
                        sender.take(event);
                        next = incoming.try_recv().ok();
                    }
                    sender.queue.tell();
                }
            }
        }
    }

    // --- out ---

    /// Sends what is due and says when to look again; `None` when the queue is closed.
    fn send_due(&mut self, now: Instant) -> Option<Instant> {
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        if state.is_closed {
            return None;
        }
        let mut next_look = now + Duration::from_secs(60);
        let Some(identity) = state.identity else { return Some(next_look) };
        self.leaders.resize(state.tracks.len(), Leader::Unknown);
        self.give_up(&mut state, now);
        if state.failure.is_some() {
            queue.tell();
            return Some(next_look);
        }
        let due = self.collect(&mut state, now, &mut next_look);
        if !due.is_empty() {
            state.has_begun = true;
        }
        if state.under_way > 0 || state.tracks.iter().any(|track| !track.is_idle()) {
            next_look = next_look.min(now + LOOK);
        }
        let life = state.life;
        drop(state);
        for (broker, (connection, items)) in due {
            self.send(broker, connection, life, identity, items);
        }
        Some(next_look)
    }

    /// Fails what has waited too long. What is under way has a deadline of its own.
    fn give_up(&self, state: &mut State, now: Instant) {
        let is_late = |since: Instant| now.saturating_duration_since(since) >= self.setup.delivery_timeout;
        let late = state.tracks.iter().find(|track| track.oldest().is_some_and(is_late));
        let Some(late) = late else { return };
        let seconds = self.setup.delivery_timeout.as_secs_f32();
        let trouble = state.last_trouble.as_deref().unwrap_or("no answer");
        let text = format!("writing to {}: not acknowledged within {seconds} s; last: {trouble}", late.place);
        state.fail(ProduceError::Abortable(text));
    }

    fn collect(&mut self, state: &mut State, now: Instant, next_look: &mut Instant) -> Due {
        let linger = if state.is_flushing { Duration::ZERO } else { self.setup.linger };
        let mut due = Due::new();
        let mut bytes: HashMap<i32, usize> = HashMap::new();
        let mut to_add = Vec::new();
        for at in 0..state.tracks.len() {
            let track = &mut state.tracks[at];
            let Some(when) = track.due(linger) else { continue };
            if when > now {
                *next_look = (*next_look).min(when);
                continue;
            }
            if self.setup.adds_partitions && !track.is_added {
                to_add.push(at);
                continue;
            }
            let Some((id, connection)) = self.leader(at, &track.place) else { continue };
            let broker = self.brokers.entry(id).or_default();
            if let Some(until) = broker.muted_until.filter(|until| *until > now) {
                *next_look = (*next_look).min(until);
                continue;
            }
            let held = bytes.entry(id).or_default();
            if broker.under_way >= UNDER_WAY_MAX {
                continue;
            }
            // What finds no room in this request goes into the next one, if there may be one.
            if *held >= REQUEST_BYTES {
                if broker.under_way + 1 < UNDER_WAY_MAX {
                    *next_look = now;
                }
                continue;
            }
            let Some(next) = track.next() else { continue };
            let (serial, length) = match &next {
                Next::New { serial, open, .. } => (*serial, open.encoder.bytes()),
                Next::Again { serial, bytes } => (*serial, bytes.len()),
            };
            *held += length;
            let (_, items) = due.entry(id).or_insert_with(|| (connection, Vec::new()));
            items.push((Item { track: at, serial }, next));
        }
        if !to_add.is_empty() && !self.is_adding {
            self.add(state, to_add);
        }
        due
    }

    /// The partition's leader, if it is known and connected; looks for it otherwise.
    fn leader(&mut self, track: usize, place: &Place) -> Option<(i32, Connection)> {
        match &self.leaders[track] {
            Leader::Known(id, connection) if connection.is_fresh() => Some((*id, connection.clone())),
            Leader::Asked => None,
            Leader::Known(..) | Leader::Unknown => {
                self.leaders[track] = Leader::Asked;
                let (cluster, place, events) = (self.cluster.clone(), place.clone(), self.events.clone());
                let deadline = Instant::now() + self.setup.request_timeout;
                tokio::spawn(async move {
                    let leader = locate(&cluster, &place, deadline).await;
                    let _ = events.send(Event::Located { track, leader });
                });
                None
            }
        }
    }

    fn add(&mut self, state: &mut State, tracks: Vec<usize>) {
        let (Some(identity), Some(id)) = (state.identity, self.setup.transactional_id.clone()) else {
            return;
        };
        self.is_adding = true;
        state.has_begun = true;
        state.under_way += 1;
        let places: Vec<Place> = tracks.iter().map(|at| state.tracks[*at].place.clone()).collect();
        let (cluster, events, life) = (self.cluster.clone(), self.events.clone(), state.life);
        let timeouts = (self.setup.request_timeout, Instant::now() + self.setup.delivery_timeout);
        tokio::spawn(async move {
            let result = super::coordinator::add_partitions(&cluster, &id, identity, &places, timeouts).await;
            let _ = events.send(Event::Added { life, tracks, result });
        });
    }

    /// Compresses what is new and sends a request.
    fn send(
        &mut self,
        broker: i32,
        connection: Connection,
        life: u64,
        identity: Identity,
        items: Vec<(Item, Next)>,
    ) {
        let (mut sent, mut batches) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for (item, next) in items {
            match self.bytes_of(item, next, life, identity) {
                Ok(bytes) => {
                    sent.push(item);
                    batches.push(bytes);
                }
                Err(error) => self.queue.lock().fail(error),
            }
        }
        let mut state = self.queue.lock();
        // Compressing takes its time.
        if state.life != life || sent.is_empty() {
            return;
        }
        let part = |(item, batch): (&Item, Bytes)| {
            let place = &state.tracks[item.track].place;
            Part { topic: Arc::clone(&place.topic), partition: place.partition, batch }
        };
        let mut parts: Vec<Part> = sent.iter().zip(batches).map(part).collect();
        parts.sort_by(|a, b| a.topic.cmp(&b.topic));
        state.under_way += 1;
        drop(state);
        self.brokers.entry(broker).or_default().under_way += 1;
        let answer = self.send_parts(&connection, &parts);
        let deadline = Instant::now() + self.setup.request_timeout;
        let (events, items) = (self.events.clone(), sent);
        tokio::spawn(async move {
            let answer = match answer {
                Ok(answer) => answer.wait(deadline).await,
                Err(error) => Err(error),
            };
            let _ = events.send(Event::Answered { broker, life, items, answer });
        });
    }

    fn send_parts(
        &self,
        connection: &Connection,
        parts: &[Part],
    ) -> Result<crate::connection::Answer<ProduceRequest>, WireError> {
        let version_max = match self.setup.adds_partitions {
            true => request::VERSION_MAX_EXPLICIT,
            false => request::VERSION_MAX,
        };
        let version = connection.versions().of::<ProduceRequest>().ok_or_else(|| WireError::Unsupported {
            at: connection.at::<ProduceRequest>(),
            reason: "the broker speaks no version of it that is known here".to_owned(),
        })?;
        let version = version.min(version_max);
        let timeout_ms = i32::try_from(self.setup.ack_timeout.as_millis()).unwrap_or(i32::MAX);
        let body = request::encode(version, self.setup.transactional_id.as_deref(), timeout_ms, parts);
        connection.send_encoded::<ProduceRequest>(version, body)
    }

    /// The bytes of a batch, and the memory it was encoded in back for others.
    fn bytes_of(&self, item: Item, next: Next, life: u64, identity: Identity) -> Result<Bytes, ProduceError> {
        let (sequence, open) = match next {
            Next::Again { bytes, .. } if !bytes.is_empty() => return Ok(bytes),
            Next::Again { .. } => {
                return Err(ProduceError::Fatal("a batch without bytes was to be sent again".to_owned()));
            }
            Next::New { sequence, open, .. } => (sequence, open),
        };
        let (codec, level) = (self.setup.compression, self.setup.compression_level);
        let spare = match codec {
            Compression::None => Vec::new(),
            _ => self.queue.lock().spare(),
        };
        let (sealed, spare) = open
            .encoder
            .seal_into(codec, level, spare)
            .map_err(|error| ProduceError::Fatal(error.to_string()))?;
        let bytes = sealed.stamp(&Stamp {
            producer_id: identity.id,
            producer_epoch: identity.epoch,
            base_sequence: sequence,
            is_transactional: self.setup.transactional_id.is_some(),
        });
        let mut state = self.queue.lock();
        state.take_spare(spare);
        if state.life == life {
            let less = state.tracks[item.track].compressed(item.serial, &bytes);
            state.release(less);
        }
        drop(state);
        if codec != Compression::None {
            // There may be room now.
            self.queue.tell();
        }
        Ok(bytes)
    }

    // --- in ---

    fn take(&mut self, event: Event) {
        match event {
            Event::Answered { broker, life, items, answer } => self.answered(broker, life, &items, answer),
            Event::Located { track, leader } => self.located(track, leader),
            Event::Added { life, tracks, result } => {
                self.is_adding = false;
                let mut state = self.queue.lock();
                state.under_way -= 1;
                if state.life != life {
                    return;
                }
                match result {
                    Ok(()) => tracks.into_iter().for_each(|at| state.tracks[at].is_added = true),
                    Err(error) => state.fail(error),
                }
            }
        }
    }

    fn located(&mut self, at: usize, leader: Result<(i32, Connection), WireError>) {
        let error = match leader {
            Ok((id, connection)) => {
                self.leaders[at] = Leader::Known(id, connection);
                return;
            }
            Err(error) => error,
        };
        self.leaders[at] = Leader::Unknown;
        let now = Instant::now();
        let mut state = self.queue.lock();
        state.last_trouble = Some(error.to_string());
        let track = &mut state.tracks[at];
        track.rest(now);
        let is_missing = matches!(
            error.code(),
            Some(ResponseError::UnknownTopicOrPartition | ResponseError::UnknownTopicId)
        );
        let failed = match error.kind() {
            _ if is_missing => track.missing(now),
            Kind::Retriable | Kind::InDoubt => None,
            Kind::Permanent => Some(ProduceError::of_request(&error)),
            _ if error.code().is_some() => {
                let (place, reason) = (track.place.clone(), Refusal::Other(error.to_string()));
                Some(ProduceError::Refused { place, reason })
            }
            _ => Some(ProduceError::Fatal(error.to_string())),
        };
        if let Some(failed) = failed {
            state.fail(failed);
        }
    }

    fn answered(
        &mut self,
        broker: i32,
        life: u64,
        items: &[Item],
        answer: Result<ProduceResponse, WireError>,
    ) {
        let now = Instant::now();
        let broker = self.brokers.entry(broker).or_default();
        broker.under_way -= 1;
        if let Ok(answer) = &answer
            && answer.throttle_time_ms > 0
        {
            broker.muted_until = Some(now + Duration::from_millis(answer.throttle_time_ms as u64));
        }
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        state.under_way -= 1;
        if state.life != life {
            return;
        }
        let results = answer.as_ref().map(results);
        for item in items {
            let place = state.tracks[item.track].place.clone();
            let result = results.as_ref().map(|results| results.get(&(&*place.topic, place.partition)));
            let (verdict, trouble) = match result {
                Ok(Some(result)) => {
                    let largest = state.tracks[item.track].largest_record(item.serial);
                    let (code, message) = (result.error_code, result.error_message.as_deref());
                    let trouble = (code != 0).then(|| format!("{place}: {}", crate::Code(code)));
                    (verdict(&place, code, result.base_offset, message, largest), trouble)
                }
                Ok(None) => (Verdict::Unknown, Some(format!("an answer that does not speak of {place}"))),
                Err(error) => {
                    self.leaders[item.track] = Leader::Unknown;
                    (verdict_of_error(error), Some(error.to_string()))
                }
            };
            if let Some(trouble) = trouble {
                tracing::debug!(target: "millstream::wire", %place, %trouble, "a batch was not written");
                state.last_trouble = Some(trouble);
            }
            let track = &mut state.tracks[item.track];
            let settled = track.answered(item.serial, verdict, now);
            if settled.moved {
                self.leaders[item.track] = Leader::Unknown;
                self.cluster.forget_leader(&track.place.topic, track.place.partition);
            }
            state.settle(settled);
        }
        drop(state);
        // Last, for it is newer than what was just forgotten.
        if let Ok(answer) = &answer {
            self.learn(answer);
        }
    }

    /// What the answer says of leaders and brokers.
    fn learn(&self, answer: &ProduceResponse) {
        for node in &answer.node_endpoints {
            self.cluster.learn_broker(node.node_id.0, &node.host, node.port);
        }
        for topic in &answer.responses {
            for partition in topic.partition_responses.iter().filter(|it| it.current_leader.leader_id.0 >= 0)
            {
                let leader = &partition.current_leader;
                self.cluster.learn_leader(
                    &topic.name,
                    partition.index,
                    leader.leader_id.0,
                    leader.leader_epoch,
                );
            }
        }
    }
}

/// What a request without an answer means for its batches.
fn verdict_of_error(error: &WireError) -> Verdict {
    match error {
        WireError::NotSent { .. } | WireError::Timeout { .. } => Verdict::Again { moved: true },
        WireError::NoAnswer { .. } | WireError::Malformed { .. } => Verdict::Unknown,
        other => Verdict::Failed(ProduceError::of_request(other)),
    }
}

type PartitionResult = kafka_protocol::messages::produce_response::PartitionProduceResponse;

fn results(answer: &ProduceResponse) -> HashMap<(&str, i32), &PartitionResult> {
    let topics = answer.responses.iter();
    topics
        .flat_map(|topic| {
            topic.partition_responses.iter().map(|result| ((topic.name.as_str(), result.index), result))
        })
        .collect()
}

async fn locate(cluster: &Cluster, place: &Place, deadline: Instant) -> Result<(i32, Connection), WireError> {
    let leader = cluster.leader(&place.topic, place.partition, deadline).await?;
    let connection = cluster.broker(leader.broker, Lane::Requests, deadline).await;
    if connection.is_err() {
        cluster.forget_leader(&place.topic, place.partition);
    }
    Ok((leader.broker, connection?))
}
