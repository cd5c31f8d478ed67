//! How to reach a cluster, and the configuration of each kind of client.

use super::native::NativeConfig;
use super::properties::{Scope, check, is_secret};
use super::{PropertySource, java_property};
use crate::{Isolation, LogError, MemberOptions, ReaderOptions, TransactionOptions};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The group of clients that are in none: librdkafka asks for a name, and joins only who subscribes.
const NO_GROUP: &str = "millstream";

/// The property that chooses a [`KafkaClient`]: `wire` or `rdkafka`.
const CLIENT: &str = "kafka.client";

/// Which client reads and writes. Groups and administration are librdkafka's either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KafkaClient {
    /// The project's own.
    #[default]
    Wire,
    /// librdkafka.
    Rdkafka,
}

impl FromStr for KafkaClient {
    type Err = LogError;

    fn from_str(name: &str) -> Result<Self, LogError> {
        match name {
            "wire" => Ok(KafkaClient::Wire),
            "rdkafka" => Ok(KafkaClient::Rdkafka),
            _ => Err(LogError::BadProperty {
                key: CLIENT.to_owned(),
                reason: format!("\"{name}\" is none; wire is the project's own, rdkafka is librdkafka"),
            }),
        }
    }
}

/// Where a cluster is and how its clients are set up. Showing one never shows a secret.
///
/// ```
/// use millstream_log::kafka::{KafkaConfig, PropertySource};
/// let config = KafkaConfig::new("localhost:9092")
///     .with("linger.ms", "20", PropertySource::Job)?
///     .with("sasl.password", "hunter2", PropertySource::Job)?;
/// assert!(!format!("{config:?}").contains("hunter2"));
/// assert!(config.with("acks", "0", PropertySource::Job).is_err());
/// # Ok::<(), millstream_log::LogError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    bootstrap: String,
    properties: BTreeMap<String, (Scope, String)>,
    /// How long a request may take, connecting included.
    pub request_timeout: Duration,
    /// How long a transactional call may take before the process is ended: librdkafka may wait for ever.
    pub watchdog: Duration,
    /// Bytes that one writer may hold unsent.
    pub write_queue_bytes_max: usize,
    /// Which client reads and writes.
    pub client: KafkaClient,
}

impl KafkaConfig {
    /// A cluster by the addresses of some of its brokers, `host:port` with commas between.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        KafkaConfig {
            bootstrap: bootstrap.into(),
            properties: BTreeMap::new(),
            request_timeout: Duration::from_secs(10),
            watchdog: Duration::from_secs(30),
            write_queue_bytes_max: 64 << 20,
            client: KafkaClient::default(),
        }
    }

    /// The same with a client property, by librdkafka's name.
    ///
    /// # Errors
    /// [`LogError::BadProperty`] when it can't be set, with the reason.
    pub fn with(mut self, key: &str, value: &str, source: PropertySource) -> Result<Self, LogError> {
        if key == CLIENT {
            self.client = value.parse()?;
            return Ok(self);
        }
        let scope = check(key, source)?;
        try_value(key, value)?;
        self.properties.insert(key.to_owned(), (scope, value.to_owned()));
        Ok(self)
    }

    /// The same with a client property by the name that Kafka's Java client has for it.
    ///
    /// # Errors
    /// [`LogError::BadProperty`] when it has no equivalent or can't be set, with the reason.
    pub fn with_java(mut self, key: &str, value: &str, source: PropertySource) -> Result<Self, LogError> {
        if key == CLIENT {
            return self.with(key, value, source);
        }
        for (mapped, value) in java_property(key, value, source)? {
            self = self.with(&mapped, &value, source)?;
        }
        Ok(self)
    }

    /// The addresses.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    // --- the project's own client ---

    /// Its configuration; one serves all kinds of clients.
    pub(super) fn wire(&self) -> Result<millstream_wire::Config, LogError> {
        let refused = |error: millstream_wire::WireError| match error {
            millstream_wire::WireError::Config { property: key, reason } => {
                LogError::BadProperty { key, reason }
            }
            other => LogError::Client(other.to_string()),
        };
        let mut config = millstream_wire::Config::new(&self.bootstrap).map_err(refused)?;
        config.request_timeout = self.request_timeout;
        for (key, (_, value)) in &self.properties {
            config.set(key, value).map_err(refused)?;
        }
        Ok(config)
    }

    // --- kinds of clients of librdkafka ---

    /// A client for requests. It has a group for the same reason as a reader, and because without one librdkafka 2.12
    /// dereferences a null pointer when a group's coordinator has moved (`rd_kafka_handle_OffsetFetch`).
    pub(super) fn admin(&self) -> Result<NativeConfig, LogError> {
        self.native(Scope::Consumers, &[("group.id", NO_GROUP)])
    }

    /// A client that reads partitions assigned by hand. It never joins its group, which librdkafka asks for all the
    /// same.
    pub(super) fn reader(&self, options: &ReaderOptions) -> Result<NativeConfig, LogError> {
        let isolation = match options.isolation {
            Isolation::ReadCommitted => "read_committed",
            Isolation::ReadUncommitted => "read_uncommitted",
        };
        let queue_kbytes = (options.queue_bytes_max >> 10).max(1).to_string();
        // One answer must not be larger than the queue it goes to; one record may be.
        // A message takes some 300 bytes of the client beside its own: many small ones would be many times the queue.
        let queue_messages = (options.queue_bytes_max / 512).max(1_000).to_string();
        let fetch_bytes = options.queue_bytes_max.clamp(1 << 20, 50 << 20).to_string();
        // Compressed: small records come out several times as large, and as many messages.
        let partition_bytes = (options.queue_bytes_max / 16).clamp(256 << 10, 1 << 20).to_string();
        self.native(
            Scope::Consumers,
            &[
                ("group.id", NO_GROUP),
                ("isolation.level", isolation),
                ("enable.partition.eof", "true"),
                ("check.crcs", "true"),
                ("auto.offset.reset", "error"),
                ("queued.max.messages.kbytes", &queue_kbytes),
                ("queued.min.messages", &queue_messages),
                // The default of a second would stop reading for that long whenever the queue was full.
                ("fetch.queue.backoff.ms", "2"),
                // A partition that is assigned anew waits until the fetch under way comes back.
                ("fetch.wait.max.ms", "100"),
                ("fetch.max.bytes", &fetch_bytes),
                ("fetch.message.max.bytes", &partition_bytes),
            ],
        )
    }

    /// A client that writes without transactions.
    pub(super) fn writer(&self) -> Result<NativeConfig, LogError> {
        self.producer(&[("message.timeout.ms", "60000")])
    }

    /// A member of a group.
    pub(super) fn member(&self, options: &MemberOptions) -> Result<NativeConfig, LogError> {
        let session = options.session_timeout_ms.to_string();
        // Rebalances are noticed by heartbeats: often enough that moving a task does not wait for them.
        let heartbeat = (options.session_timeout_ms / 10).clamp(100, 1_000).to_string();
        // How long a generation waits for a member, and a member for its application: longer than a transactional
        // call may take, or a slow commit would cost the tasks.
        let poll = options.session_timeout_ms.max(2 * self.watchdog.as_millis() as u64).to_string();
        let mut properties = vec![
            ("group.id", options.group.as_str()),
            ("group.protocol", "classic"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("session.timeout.ms", &session),
            ("heartbeat.interval.ms", &heartbeat),
            ("max.poll.interval.ms", &poll),
            ("isolation.level", "read_committed"),
            ("auto.offset.reset", "error"),
        ];
        if let Some(instance) = &options.instance {
            properties.push(("group.instance.id", instance));
        }
        let mut config = self.native(Scope::Consumers, &properties)?;
        config.enable_events();
        Ok(config)
    }

    /// A client that writes in transactions.
    pub(super) fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<NativeConfig, LogError> {
        let timeout = options.timeout_ms.to_string();
        // A lost answer is noticed, and the request repeated, while the transaction is still open.
        let socket = (options.timeout_ms / 2).clamp(500, 5_000).to_string();
        self.producer(&[
            ("transactional.id", &options.id),
            ("transaction.timeout.ms", &timeout),
            ("message.timeout.ms", &timeout),
            ("socket.timeout.ms", &socket),
        ])
    }

    fn producer(&self, properties: &[(&str, &str)]) -> Result<NativeConfig, LogError> {
        let kbytes = (self.write_queue_bytes_max >> 10).max(1).to_string();
        let mut all = vec![
            ("enable.idempotence", "true"),
            ("compression.type", "lz4"),
            ("linger.ms", "5"),
            ("batch.num.messages", "100000"),
            // The broker decides how large a record may be.
            ("message.max.bytes", "104857600"),
            ("queue.buffering.max.messages", "10000000"),
            ("queue.buffering.max.kbytes", &kbytes),
            // The first request of a transaction is refused while the one before ends, and repeated after this.
            ("retry.backoff.ms", "10"),
            ("retry.backoff.max.ms", "200"),
        ];
        all.extend(properties);
        self.native(Scope::Producers, &all)
    }

    /// Who the clients are to the brokers, as far as it can be told from here.
    pub(super) fn principal(&self) -> String {
        let get = |key: &str| self.properties.get(key).map_or("", |(_, value)| value);
        let protocol = get("security.protocol").to_ascii_lowercase();
        let user = match get("sasl.username") {
            _ if protocol == "ssl" => "(the name in the client's certificate)",
            "" if protocol.starts_with("sasl") => "(the name in the client's token)",
            "" => "ANONYMOUS",
            user => user,
        };
        format!("User:{user}")
    }

    fn native(&self, scope: Scope, properties: &[(&str, &str)]) -> Result<NativeConfig, LogError> {
        let common = [
            ("bootstrap.servers", self.bootstrap.as_str()),
            ("client.id", "millstream"),
            ("enable.metrics.push", "false"),
            ("log.connection.close", "false"),
            ("socket.nagle.disable", "true"),
            ("reconnect.backoff.max.ms", "2000"),
        ];
        let consumers = [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("allow.auto.create.topics", "false"),
        ];
        let consumers = consumers.iter().filter(|_| scope == Scope::Consumers);
        let given = self.properties.iter().filter(|(_, (of, _))| *of == Scope::All || *of == scope);
        let given = given.map(|(key, (_, value))| (key.as_str(), value.as_str()));
        let mut config = NativeConfig::new();
        for (key, value) in common.iter().chain(consumers).chain(properties).copied().chain(given) {
            set(&mut config, key, value)?;
        }
        Ok(config)
    }
}

/// Whether librdkafka takes a value.
fn try_value(key: &str, value: &str) -> Result<(), LogError> {
    set(&mut NativeConfig::new(), key, value)
}

fn set(config: &mut NativeConfig, key: &str, value: &str) -> Result<(), LogError> {
    config.set(key, value).map_err(|error| {
        // librdkafka may quote the value.
        let shows = is_secret(key) && error.text.contains(value);
        let reason = if shows { "not a value it takes".to_owned() } else { error.text };
        LogError::BadProperty { key: key.to_owned(), reason }
    })
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(key, (_, value)): (&String, &(Scope, String))| {
            let value = if is_secret(key) { "(not shown)".to_owned() } else { value.clone() };
            (key.clone(), value)
        };
        let properties: BTreeMap<String, String> = self.properties.iter().map(shown).collect();
        f.debug_struct("KafkaConfig")
            .field("bootstrap", &self.bootstrap)
            .field("properties", &properties)
            .field("request_timeout", &self.request_timeout)
            .field("watchdog", &self.watchdog)
            .field("write_queue_bytes_max", &self.write_queue_bytes_max)
            .field("client", &self.client)
            .finish()
    }
}

impl fmt::Display for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kafka at {}", self.bootstrap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_client_has_a_configuration_that_librdkafka_takes() {
        let config = KafkaConfig::new("localhost:9092");
        for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
            for queue_bytes_max in [1, 1 << 20, 32 << 20, 1 << 30] {
                config.reader(&ReaderOptions { isolation, queue_bytes_max }).expect("a reader");
            }
        }
        config.admin().expect("an admin client");
        config.writer().expect("a writer");
        for timeout_ms in [1_000, 10_000, 900_000] {
            let options = TransactionOptions { id: "w".to_owned(), timeout_ms };
            config.transactional_writer(&options).expect("a transactional writer");
        }
        for session_timeout_ms in [1_000, 10_000, 120_000] {
            let (group, instance) = ("g".to_owned(), Some("i".to_owned()));
            let options = MemberOptions { group, instance, topics: Vec::new(), session_timeout_ms };
            config.member(&options).expect("a member");
        }
    }

    #[test]
    fn a_value_that_is_none_is_refused_where_it_is_given() {
        let refused = KafkaConfig::new("h:1").with("linger.ms", "soon", PropertySource::Job);
        assert!(
            matches!(&refused, Err(LogError::BadProperty { key, .. }) if key == "linger.ms"),
            "{refused:?}"
        );
        let refused = KafkaConfig::new("h:1").with("client.id", "a\0b", PropertySource::Job);
        assert!(matches!(refused, Err(LogError::BadProperty { .. })), "{refused:?}");
    }

    #[test]
    fn the_client_is_chosen_by_a_property() {
        let client = |value: &str| {
            let config = KafkaConfig::new("h:1").with("kafka.client", value, PropertySource::Job);
            config.map(|config| config.client)
        };
        assert_eq!(client("wire"), Ok(KafkaClient::Wire));
        assert_eq!(client("rdkafka"), Ok(KafkaClient::Rdkafka));
        assert!(client("java").is_err_and(|error| error.to_string().contains("kafka.client")));
    }

    /// What one client is told the other understands, or refuses by name.
    #[test]
    fn properties_that_both_clients_have_are_taken_by_both() {
        let properties = [
            ("client.rack", "a"),
            ("fetch.wait.max.ms", "50"),
            ("fetch.max.bytes", "1000000"),
            ("receive.message.max.bytes", "100000000"),
            ("linger.ms", "0.5"),
            ("compression.type", "zstd"),
            ("security.protocol", "plaintext"),
            ("reconnect.backoff.ms", "10"),
            ("socket.keepalive.enable", "true"),
            ("max.poll.interval.ms", "60000"),
            ("client.dns.lookup", "use_all_dns_ips"),
        ];
        let config = properties.iter().try_fold(KafkaConfig::new("h:1"), |config, (key, value)| {
            config.with(key, value, PropertySource::Job)
        });
        let wire = config.and_then(|config| config.wire()).expect("properties that may be set");
        assert_eq!((wire.fetch.bytes_max, wire.client_rack.as_str()), (1_000_000, "a"));
    }

    #[test]
    fn secrets_are_never_shown() {
        let java = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"hush\";";
        let config = KafkaConfig::new("h:1")
            .with("sasl.password", "hush", PropertySource::Job)
            .and_then(|config| config.with_java("sasl.jaas.config", java, PropertySource::Job))
            .expect("properties that may be set");
        let shown = format!("{config:?} {config}");
        assert!(shown.contains("sasl.password") && !shown.contains("hush"), "{shown}");
    }
}
