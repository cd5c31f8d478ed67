//! What a client knows of its cluster: brokers, leaders and their epochs, coordinators, and a connection to each broker
//! that is in use.
//!
//! A [`Cluster`] asks when it has to: for a topic when a partition's leader is not known or was said to be wrong, for a
//! coordinator likewise. What a broker says in passing (a new leader in an answer) is taken at once. Knowledge of a
//! partition's leader never goes back to an older epoch, for metadata comes from any broker, and some are behind.

mod links;
mod topics;

pub use links::Lane;
pub use topics::{Leader, TopicView};

use crate::config::Address;
use crate::connection::{Connection, Connector};
use crate::{Code, Config, WireError};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, FindCoordinatorRequest, MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use links::Links;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use topics::Topics;
use uuid::Uuid;

/// How long is waited before "not now" is asked again: first, and at most.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What somebody coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coordinator {
    /// A consumer group, by its name.
    Group,
    /// A transactional id.
    Transaction,
}

/// A client's view of its cluster. Clones share it.
#[derive(Debug, Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    links: Links,
    state: Mutex<State>,
    /// Metadata is asked for by one at a time.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    id: Option<String>,
    brokers: BTreeMap<i32, Address>,
    topics: Topics,
    coordinators: HashMap<(Coordinator, String), i32>,
}

impl Cluster {
    /// A cluster that nothing is known of yet but some addresses.
    ///
    /// # Errors
    /// [`WireError::Config`].
    pub fn new(config: Config) -> Result<Cluster, WireError> {
        let links = Links::new(Connector::new(Arc::new(config))?);
        let inner = Inner { links, state: Mutex::default(), asking: tokio::sync::Mutex::default() };
        Ok(Cluster { inner: Arc::new(inner) })
    }

    /// How it is reached.
    pub fn config(&self) -> &Arc<Config> {
        self.inner.links.config()
    }

    /// Its id, once a broker was asked for anything.
    pub fn id(&self) -> Option<String> {
        self.state().id.clone()
    }

    /// The brokers that are known.
    pub fn brokers(&self) -> Vec<i32> {
        self.state().brokers.keys().copied().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- connections ---

    /// The connection to a broker; made when there is none. Requests that wait for records keep others of the same
    /// connection waiting: they have a [`Lane`] of their own.
    ///
    /// # Errors
    /// [`WireError::Timeout`] with the last reason; [`WireError::Login`].
    pub async fn broker(&self, id: i32, lane: Lane, deadline: Instant) -> Result<Connection, WireError> {
        let known = self.state().brokers.get(&id).cloned();
        let address = match known {
            Some(address) => address,
            None => {
                self.refresh::<&str>(&[], deadline).await?;
                let known = self.state().brokers.get(&id).cloned();
                known.ok_or_else(|| WireError::Timeout {
                    what: format!("broker {id}"),
                    last: Some("the cluster does not know it now".to_owned()),
                })?
            }
        };
        self.inner.links.to(id, &address, lane, deadline).await
    }

    /// A connection to some broker.
    ///
    /// # Errors
    /// As [`Cluster::broker`], when none can be reached.
    pub async fn any(&self, deadline: Instant) -> Result<Connection, WireError> {
        let known: Vec<(i32, Address)> =
            self.state().brokers.iter().map(|(id, address)| (*id, address.clone())).collect();
        self.inner.links.to_any(&known, deadline).await
    }

    // --- topics ---

    /// The leader of a partition as far as it is known.
    pub fn known_leader(&self, topic: &str, partition: i32) -> Option<Leader> {
        self.state().topics.leader(topic, partition, self.config().metadata_age_max)
    }

    /// What is known of a topic.
    pub fn known_topic(&self, topic: &str) -> Option<TopicView> {
        self.state().topics.view(topic)
    }

    /// A topic's name by its id.
    pub fn topic_name(&self, id: Uuid) -> Option<Arc<str>> {
        self.state().topics.name(id)
    }

    /// The leader of a partition. Waits while one is being elected.
    ///
    /// # Errors
    /// [`WireError::Refused`] when there is no such topic or partition, or it must not be looked at;
    /// [`WireError::Timeout`] when there is no leader by `deadline`.
    pub async fn leader(&self, topic: &str, partition: i32, deadline: Instant) -> Result<Leader, WireError> {
        let mut wait = ASK_AGAIN.0;
        loop {
            if let Some(leader) = self.known_leader(topic, partition) {
                return Ok(leader);
            }
            self.refresh(&[topic], deadline).await?;
            match self.state().topics.look(topic, partition) {
                Ok(leader) => return Ok(leader),
                Err(refused) if !refused.is_passing => {
                    return Err(self.refused_topic(topic, partition, refused.code));
                }
                Err(refused) if Instant::now() + wait >= deadline => {
                    let what = format!("the leader of {topic}/{partition}");
                    return Err(WireError::Timeout { what, last: Some(refused.code.to_string()) });
                }
                Err(_) => {}
            }
            tokio::time::sleep(wait).await;
            wait = (2 * wait).min(ASK_AGAIN.1);
        }
    }

    fn refused_topic(&self, topic: &str, partition: i32, code: Code) -> WireError {
        let at = crate::At { broker: "the cluster".to_owned(), api: "Metadata" };
        WireError::Refused { at, what: format!("{topic}/{partition}"), code, message: None }
    }

    /// Forgets a partition's leader: the next who asks for it will ask the cluster.
    pub fn forget_leader(&self, topic: &str, partition: i32) {
        self.state().topics.forget(topic, partition);
    }

    /// Forgets all leaders of a topic.
    pub fn forget_topic(&self, topic: &str) {
        self.state().topics.forget_topic(topic);
    }

    /// Why a partition has no leader; `None` when it has one.
    pub fn why_no_leader(&self, topic: &str, partition: i32) -> Option<WireError> {
        let refused = self.state().topics.look(topic, partition).err()?;
        Some(self.refused_topic(topic, partition, refused.code))
    }

    /// Takes over what an answer says of a partition's leader, if it is newer.
    pub fn learn_leader(&self, topic: &str, partition: i32, broker: i32, epoch: i32) {
        self.state().topics.learn(topic, partition, broker, epoch);
    }

    /// Takes over where a broker is.
    pub fn learn_broker(&self, id: i32, host: &str, port: i32) {
        if let Ok(port) = u16::try_from(port) {
            self.state().brokers.insert(id, Address { host: host.to_owned(), port });
        }
    }

    /// Asks for brokers and these topics.
    ///
    /// # Errors
    /// Any of the request.
    pub async fn refresh<T: AsRef<str>>(&self, topics: &[T], deadline: Instant) -> Result<(), WireError> {
        let from = Instant::now();
        let what = || "metadata".to_owned();
        let asking = tokio::time::timeout_at(deadline.into(), self.inner.asking.lock()).await;
        let Ok(_asking) = asking else { return Err(WireError::Timeout { what: what(), last: None }) };
        // Somebody else may just have asked.
        if !topics.is_empty() && topics.iter().all(|topic| self.state().topics.is_newer(topic.as_ref(), from))
        {
            return Ok(());
        }
        let connection = self.any(deadline).await?;
        let topic = |name: &T| {
            let name = TopicName(StrBytes::from_string(name.as_ref().to_owned()));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        let request = MetadataRequest::default()
            .with_topics(Some(topics.iter().map(topic).collect()))
            .with_allow_auto_topic_creation(false);
        // A broker that has fallen silent must not use up the time of the others.
        let patience = deadline.min(Instant::now() + self.config().request_timeout / 2);
        let answer = connection.ask(&request, patience).await?;
        self.take(&answer);
        Ok(())
    }

    fn take(&self, answer: &MetadataResponse) {
        let mut state = self.state();
        if let Some(id) = &answer.cluster_id {
            state.id = Some(id.to_string());
        }
        // A broker that has just started may not have heard of any other yet.
        if !answer.brokers.is_empty() {
            state.brokers = answer
                .brokers
                .iter()
                .filter_map(|broker| {
                    let port = u16::try_from(broker.port).ok()?;
                    Some((broker.node_id.0, Address { host: broker.host.to_string(), port }))
                })
                .collect();
        }
        let now = Instant::now();
        answer.topics.iter().for_each(|topic| state.topics.take(topic, now));
    }

    // --- coordinators ---

    /// The connection to whoever coordinates `key`. Waits while a coordinator is being found.
    ///
    /// # Errors
    /// [`WireError::Refused`] when the cluster will have none; [`WireError::Timeout`].
    pub async fn coordinator(
        &self,
        of: Coordinator,
        key: &str,
        deadline: Instant,
    ) -> Result<Connection, WireError> {
        let known = self.state().coordinators.get(&(of, key.to_owned())).copied();
        let id = match known {
            Some(id) => id,
            None => self.find_coordinator(of, key, deadline).await?,
        };
        let connection = self.broker(id, Lane::Requests, deadline).await;
        if connection.is_err() {
            self.forget_coordinator(of, key);
        }
        connection
    }

    /// Forgets who coordinates `key`: the next who asks for it will ask the cluster.
    pub fn forget_coordinator(&self, of: Coordinator, key: &str) {
        self.state().coordinators.remove(&(of, key.to_owned()));
    }

    async fn find_coordinator(
        &self,
        of: Coordinator,
        key: &str,
        deadline: Instant,
    ) -> Result<i32, WireError> {
        let mut wait = ASK_AGAIN.0;
        loop {
            let connection = self.any(deadline).await?;
            match ask_for_coordinator(&connection, of, key, deadline).await {
                Ok((id, address)) => {
                    let mut state = self.state();
                    state.brokers.insert(id, address);
                    state.coordinators.insert((of, key.to_owned()), id);
                    return Ok(id);
                }
                Err(error) => {
                    let again = match &error {
                        WireError::Refused { code, .. } => code.error().is_retriable(),
                        WireError::NoAnswer { .. } | WireError::NotSent { .. } => true,
                        _ => false,
                    };
                    if !again || Instant::now() + wait >= deadline {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(wait).await;
            wait = (2 * wait).min(ASK_AGAIN.1);
        }
    }
}

async fn ask_for_coordinator(
    connection: &Connection,
    of: Coordinator,
    key: &str,
    deadline: Instant,
) -> Result<(i32, Address), WireError> {
    let key_type = match of {
        Coordinator::Group => 0,
        Coordinator::Transaction => 1,
    };
    let text = StrBytes::from_string(key.to_owned());
    let many = connection.versions().of::<FindCoordinatorRequest>().is_some_and(|version| version >= 4);
    let request = FindCoordinatorRequest::default().with_key_type(key_type);
    let request = if many { request.with_coordinator_keys(vec![text]) } else { request.with_key(text) };
    let answer = connection.ask(&request, deadline).await?;
    let (code, message, BrokerId(id), host, port) = match answer.coordinators.first() {
        Some(it) if many => (it.error_code, &it.error_message, it.node_id, &it.host, it.port),
        _ => (answer.error_code, &answer.error_message, answer.node_id, &answer.host, answer.port),
    };
    let at = || connection.at::<FindCoordinatorRequest>();
    Code::check(code).map_err(|code| WireError::Refused {
        at: at(),
        what: key.to_owned(),
        code,
        message: message.as_ref().map(ToString::to_string),
    })?;
    let port = u16::try_from(port).ok().filter(|_| id >= 0);
    let port = port.ok_or_else(|| WireError::Malformed { at: at(), reason: "it names nobody".to_owned() })?;
    Ok((id, Address { host: host.to_string(), port }))
}
