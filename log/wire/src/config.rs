//! How to reach a cluster, by librdkafka's names for properties.
//!
//! One configuration serves both clients of the engine: every name that it lets through is known here. A property that
//! is about the path is kept; one that can make no difference to it is taken and means nothing (see
//! [`Config::set`]); one that would mean something and can't be had is refused with what to do instead. Showing a
//! configuration never shows a secret.

mod parts;
mod properties;

pub use parts::{Family, Fetch, Mechanism, OAuth, Produce, Sasl, Socket, Tls};

use crate::WireError;
use crate::batch::Compression;
use std::fmt;
use std::time::Duration;

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How to reach a cluster and how much to ask for at once.
#[derive(Clone)]
pub struct Config {
    /// Some of the cluster's brokers.
    pub bootstrap: Vec<Address>,
    /// What brokers call this client.
    pub client_id: String,
    /// Where this client is: brokers may name a nearer replica.
    pub client_rack: String,
    /// How long connecting may take, TLS and login included.
    pub connect_timeout: Duration,
    /// How long a request may take where the caller sets no deadline.
    pub request_timeout: Duration,
    /// How long is waited before connecting again: at first, and at most.
    pub reconnect_backoff: (Duration, Duration),
    /// After how long metadata is asked for again although nothing seems wrong.
    pub metadata_age_max: Duration,
    /// Bytes that an answer may have.
    pub response_bytes_max: usize,
    /// Sockets.
    pub socket: Socket,
    /// TLS; without it bytes go as they are.
    pub tls: Option<Tls>,
    /// Login; without it there is none.
    pub sasl: Option<Sasl>,
    /// Reading.
    pub fetch: Fetch,
    /// Writing.
    pub produce: Produce,
    protocol: Protocol,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Protocol {
    tls: bool,
    sasl: bool,
}

impl Config {
    /// A cluster by the addresses of some of its brokers, `host:port` with commas between.
    ///
    /// # Errors
    /// [`WireError::Config`] for an address that is none.
    pub fn new(bootstrap: &str) -> Result<Config, WireError> {
        Ok(Config {
            bootstrap: addresses(bootstrap)?,
            client_id: "millstream".to_owned(),
            client_rack: String::new(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            reconnect_backoff: (Duration::from_millis(50), Duration::from_secs(2)),
            metadata_age_max: Duration::from_secs(300),
            response_bytes_max: 100_000_000,
            socket: Socket { nagle: false, ..Socket::default() },
            tls: None,
            sasl: None,
            fetch: Fetch {
                wait_max: Duration::from_millis(100),
                bytes_min: 1,
                bytes_max: 50 << 20,
                partition_bytes_max: 1 << 20,
                error_backoff: Duration::from_millis(100),
            },
            produce: Produce {
                linger: Duration::from_millis(5),
                batch_bytes_max: 1_000_000,
                batch_records_max: 100_000,
                request_bytes_max: 100 << 20,
                compression: Compression::Lz4,
                compression_level: None,
                ack_timeout: Duration::from_secs(5),
            },
            protocol: Protocol::default(),
        })
    }

    /// TLS, if `security.protocol` says so.
    pub(crate) fn tls_in_use(&self) -> Option<Tls> {
        self.protocol.tls.then(|| self.tls.clone().unwrap_or_default())
    }

    /// Login, if `security.protocol` says so.
    pub(crate) fn sasl_in_use(&self) -> Option<&Sasl> {
        self.sasl.as_ref().filter(|_| self.protocol.sasl)
    }

    /// Whether everything that `security.protocol` asks for is there.
    ///
    /// # Errors
    /// [`WireError::Config`] names what is missing.
    pub fn check(&self) -> Result<(), WireError> {
        let missing = |property: &str, reason: &str| {
            Err(WireError::Config { property: property.to_owned(), reason: reason.to_owned() })
        };
        if !self.protocol.sasl {
            return Ok(());
        }
        let Some(sasl) = &self.sasl else {
            return missing("sasl.mechanism", "needed with security.protocol = sasl_plaintext or sasl_ssl");
        };
        let is_token = sasl.mechanism == Mechanism::OAuthBearer;
        if !is_token && sasl.username.is_empty() {
            return missing("sasl.username", "needed with this sasl.mechanism");
        }
        if is_token && sasl.oauth.endpoint_url.is_none() && sasl.oauth.config.is_empty() {
            return missing("sasl.oauthbearer.token.endpoint.url", "needed with OAUTHBEARER");
        }
        Ok(())
    }
}

fn addresses(bootstrap: &str) -> Result<Vec<Address>, WireError> {
    let refuse = |text: &str| {
        let reason = format!("\"{text}\" is not host:port");
        Err(WireError::Config { property: "bootstrap.servers".to_owned(), reason })
    };
    let mut found = Vec::new();
    for text in bootstrap.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        // As librdkafka takes it: with a protocol before, which is not what decides.
        let address = text.split_once("://").map_or(text, |(_, address)| address);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') => (host, port),
            _ => (address, "9092"),
        };
        let Ok(port) = port.parse() else { return refuse(text) };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return refuse(text);
        }
        found.push(Address { host: host.to_owned(), port });
    }
    if found.is_empty() { refuse(bootstrap) } else { Ok(found) }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("bootstrap", &self.bootstrap)
            .field("client_id", &self.client_id)
            .field("protocol", &self.protocol)
            .field("mechanism", &self.sasl.as_ref().map(|sasl| sasl.mechanism))
            .field("fetch", &self.fetch)
            .field("produce", &self.produce)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::properties::REFUSED;
    use super::*;

    fn config() -> Config {
        Config::new("localhost:9092").expect("an address")
    }

    #[test]
    fn addresses_are_read_as_librdkafka_reads_them() {
        let found = addresses("a:1, PLAINTEXT://b:2,c,[::1]:3").expect("addresses");
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a:1", "b:2", "c:9092", "[::1]:3"]);
        for wrong in ["", "a:b", ":1", "a:99999"] {
            assert!(addresses(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn properties_are_kept() {
        let mut config = config();
        let properties = [
            ("client.id", "me"),
            ("fetch.max.bytes", "1000"),
            ("linger.ms", "0.5"),
            ("compression.type", "zstd"),
            ("socket.nagle.disable", "false"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.username", "u"),
        ];
        properties.into_iter().for_each(|(property, value)| config.set(property, value).expect(property));
        assert_eq!((config.client_id.as_str(), config.fetch.bytes_max), ("me", 1_000));
        assert_eq!(config.produce.linger, Duration::from_micros(500));
        assert_eq!(config.produce.compression, Compression::Zstd);
        assert!(config.socket.nagle && config.tls_in_use().is_some());
        assert_eq!(config.sasl_in_use().map(|sasl| sasl.mechanism), Some(Mechanism::ScramSha512));
        config.check().expect("complete");
    }

    #[test]
    fn what_cannot_be_had_is_refused_with_what_to_do() {
        for (property, _) in REFUSED {
            let refused = config().set(property, "hush").expect_err(property).to_string();
            assert!(refused.contains(property) && !refused.contains("hush"), "{refused}");
        }
        let refused = config().set("sasl.mechanism", "GSSAPI").expect_err("not here").to_string();
        assert!(refused.contains("kafka.client = rdkafka"), "{refused}");
        for (property, value) in [("linger.ms", "soon"), ("fetch.max.bytes", "-1"), ("bananas", "1")] {
            assert!(config().set(property, value).is_err(), "{property}");
        }
        let mut incomplete = config();
        incomplete.set("security.protocol", "sasl_ssl").expect("a protocol");
        assert!(incomplete.check().is_err());
    }

    #[test]
    fn secrets_are_never_shown() {
        let mut config = config();
        for property in ["sasl.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"] {
            config.set(property, "hush").expect(property);
        }
        let shown = format!("{config:?} {:?} {:?}", config.tls, config.sasl);
        assert!(!shown.contains("hush"), "{shown}");
    }
}
