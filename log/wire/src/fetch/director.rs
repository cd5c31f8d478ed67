//! The task that finds leaders and gives each a task.

use super::state::{Asked, Inner, Partition};
use super::{FetchError, Place, answer, broker};
use crate::cluster::Leader;
use crate::{Kind, WireError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a topic may be unknown: a new one is not known to every broker at once.
const UNKNOWN_MAX: Duration = Duration::from_secs(5);
/// How long is waited before the cluster is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(20);
/// How long is waited for news.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Finds leaders as long as the thread runs.
pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        let work = inner.work.notified();
        tokio::pin!(work);
        work.as_mut().enable();
        let mut look_again = lead_known(&inner);
        let missing = missing(&inner);
        if !missing.is_empty() {
            let topics: BTreeSet<Arc<str>> = missing.iter().map(|place| Arc::clone(&place.topic)).collect();
            let topics: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
            let deadline = Instant::now() + inner.cluster.config().request_timeout;
            let asked = inner.cluster.refresh(&topics, deadline).await;
            take(&inner, &missing, asked);
            lead_known(&inner);
            // Those that are still missing rest; nothing else keeps this from asking without end.
            look_again = ASK_AGAIN;
        }
        let _ = tokio::time::timeout(look_again, work).await;
    }
}

/// Partitions that need a leader whom nobody knows.
fn missing(inner: &Inner) -> Vec<Place> {
    let state = inner.state();
    let now = Instant::now();
    let all = state.partitions.iter().filter(|(_, partition)| partition.leader.is_none());
    all.filter(|(_, partition)| partition.is_wanted(now)).map(|(place, _)| place.clone()).collect()
}

/// Gives partitions whose leader is known to its task; says when some partition has rested enough.
fn lead_known(inner: &Arc<Inner>) -> Duration {
    let now = Instant::now();
    let mut look_again = LOOK_AGAIN;
    let mut has_changed = false;
    let mut state = inner.state();
    let state = &mut *state;
    let mut failed = Vec::new();
    for (place, partition) in &mut state.partitions {
        if partition.failed.is_some() {
            continue;
        }
        if let Some(asked) = partition.leader {
            // A replica that is nearer than the leader.
            if state.leaders.insert(asked.broker) {
                tokio::spawn(broker::run(Arc::clone(inner), asked.broker));
            }
            continue;
        }
        if !partition.is_wanted(now) {
            let rest = partition.not_before.map(|until| until.saturating_duration_since(now));
            look_again = look_again.min(rest.unwrap_or(look_again));
            continue;
        }
        let Some(leader) = inner.cluster.known_leader(&place.topic, place.partition) else { continue };
        if !lead(partition, leader) {
            failed.push(place.clone());
            continue;
        }
        has_changed = true;
        if state.leaders.insert(leader.broker) {
            tokio::spawn(broker::run(Arc::clone(inner), leader.broker));
        }
    }
    failed.iter().for_each(|place| state.fail(place, FetchError::MadeAnew));
    if has_changed || !failed.is_empty() {
        inner.work.notify_waiters();
        inner.arrived.notify_one();
    }
    look_again
}

/// Whether the topic is the one that it was.
fn lead(partition: &mut Partition, leader: Leader) -> bool {
    if partition.topic_id.is_some_and(|id| id != leader.topic_id && !id.is_nil()) {
        return false;
    }
    partition.topic_id = Some(leader.topic_id);
    partition.unknown_since = None;
    partition.lead(Asked { broker: leader.broker, leader_epoch: leader.epoch });
    true
}

/// What came of asking for partitions that were missing.
fn take(inner: &Inner, missing: &[Place], asked: Result<(), WireError>) {
    let config = inner.cluster.config();
    let now = Instant::now();
    let mut state = inner.state();
    if let Err(error) = &asked {
        tracing::debug!(target: "millstream::wire", %error, "metadata");
        let pause = match error.kind() {
            Kind::Fatal | Kind::Permanent => config.reconnect_backoff.1,
            _ => config.reconnect_backoff.0,
        };
        for place in missing {
            if let Some(partition) = state.partitions.get_mut(place) {
                partition.not_before = Some(now + pause);
            }
        }
        state.last_error = Some(error.clone());
        return;
    }
    state.last_error = None;
    for place in missing {
        let Some(partition) = state.partitions.get_mut(place) else { continue };
        let Some(error) = inner.cluster.why_no_leader(&place.topic, place.partition) else { continue };
        partition.not_before = Some(now + ASK_AGAIN);
        let is_passing = error.kind() == Kind::Retriable && !answer::is_unknown(&error);
        if is_passing {
            continue;
        }
        let since = *partition.unknown_since.get_or_insert(now);
        if (now.duration_since(since) > UNKNOWN_MAX || !answer::is_unknown(&error))
            && let Some(code) = error.code()
        {
            state.fail(place, FetchError::Refused(crate::Code(code.code())));
        }
    }
    drop(state);
    inner.arrived.notify_one();
}
