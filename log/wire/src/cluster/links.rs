//! Connections by broker: made when they are needed, by one at a time, with a pause after failures that grows.

use crate::config::Address;
use crate::connection::{Connection, Connector};
use crate::{Config, WireError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a connection is for: brokers answer the requests of one connection one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Requests that are answered at once.
    Requests,
    /// Fetch, which waits for records.
    Fetch,
}

/// A broker by its id, or by its place among the addresses that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Broker(i32),
    Seed(usize),
}

#[derive(Debug)]
pub(super) struct Links {
    connector: Connector,
    links: Mutex<HashMap<(Target, Lane), Arc<tokio::sync::Mutex<Link>>>>,
}

#[derive(Debug)]
struct Link {
    connection: Option<(Address, Connection)>,
    failures: u32,
    /// Nobody connects before.
    not_before: Instant,
    last: Option<String>,
}

impl Links {
    pub(super) fn new(connector: Connector) -> Links {
        Links { connector, links: Mutex::default() }
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        self.connector.config()
    }

    /// The connection to a broker.
    pub(super) async fn to(
        &self,
        id: i32,
        address: &Address,
        lane: Lane,
        deadline: Instant,
    ) -> Result<Connection, WireError> {
        self.link(Target::Broker(id), address, lane, deadline, true).await
    }

    /// A connection to any of these, or of the addresses that were given.
    pub(super) async fn to_any(
        &self,
        known: &[(i32, Address)],
        deadline: Instant,
    ) -> Result<Connection, WireError> {
        let mut last = None;
        loop {
            let seeds = self.config().bootstrap.iter().enumerate();
            let mut targets: Vec<(Target, &Address)> =
                known.iter().map(|(id, address)| (Target::Broker(*id), address)).collect();
            let turn = if targets.is_empty() { 0 } else { rand::random_range(0..targets.len()) };
            targets.rotate_left(turn);
            targets.extend(seeds.map(|(at, address)| (Target::Seed(at), address)));
            // One that is open already before all others.
            targets.sort_by_key(|(target, _)| !self.is_open(*target));
            for (target, address) in targets {
                match self.link(target, address, Lane::Requests, deadline, false).await {
                    Ok(connection) => return Ok(connection),
                    Err(error @ (WireError::Login { .. } | WireError::Unsupported { .. })) => {
                        return Err(error);
                    }
                    Err(error) => last = Some(error),
                }
            }
            let pause = self.config().reconnect_backoff.0;
            if Instant::now() + pause >= deadline {
                let last = last.map(|error| error.to_string());
                return Err(WireError::Timeout { what: "connecting to any broker".to_owned(), last });
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn is_open(&self, target: Target) -> bool {
        let link = self.get(target, Lane::Requests);
        link.try_lock()
            .is_ok_and(|link| link.connection.as_ref().is_some_and(|(_, connection)| connection.is_fresh()))
    }

    fn get(&self, target: Target, lane: Lane) -> Arc<tokio::sync::Mutex<Link>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let link = links.entry((target, lane)).or_insert_with(|| {
            let (connection, failures, last) = (None, 0, None);
            Arc::new(tokio::sync::Mutex::new(Link { connection, failures, not_before: Instant::now(), last }))
        });
        Arc::clone(link)
    }

    /// The connection of a link, made if there is none. Where a pause is due after failures, waits for its end or,
    /// where others can be tried, says so.
    async fn link(
        &self,
        target: Target,
        address: &Address,
        lane: Lane,
        deadline: Instant,
        patient: bool,
    ) -> Result<Connection, WireError> {
        let late =
            |last: Option<String>| WireError::Timeout { what: format!("connecting to {address}"), last };
        let link = self.get(target, lane);
        let Ok(mut link) = tokio::time::timeout_at(deadline.into(), link.lock()).await else {
            return Err(late(None));
        };
        if let Some((known, connection)) = &link.connection
            && known == address
            && connection.is_fresh()
        {
            return Ok(connection.clone());
        }
        // A broker that moved, or whose login is about to end: what is under way there is still answered.
        link.connection = None;
        let pause = link.not_before.saturating_duration_since(Instant::now());
        if pause > Duration::ZERO {
            if !patient || Instant::now() + pause >= deadline {
                return Err(late(link.last.clone()));
            }
            tokio::time::sleep(pause).await;
        }
        let id = match target {
            Target::Broker(id) => Some(id),
            Target::Seed(_) => None,
        };
        match self.connector.open(address, id, deadline).await {
            Ok(connection) => {
                link.connection = Some((address.clone(), connection.clone()));
                (link.failures, link.last) = (0, None);
                Ok(connection)
            }
            Err(error) => {
                link.failures += 1;
                link.last = Some(error.to_string());
                let pause = crate::connection::backoff(self.config(), link.failures);
                link.not_before = Instant::now() + pause;
                tracing::debug!(target: "millstream::wire", %address, %error, "connecting failed");
                Err(error)
            }
        }
    }
}
