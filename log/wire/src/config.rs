//! How to reach a cluster, by librdkafka's names for properties.
//!
//! One configuration serves both clients of the engine: every name that it lets through is known here. A property that
//! is about the path is kept; one that can make no difference to it is taken and means nothing (see
//! [`Config::set`]); one that would mean something and can't be had is refused with what to do instead. Showing a
//! configuration never shows a secret.

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

/// How sockets are set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Socket {
    /// Whether small requests may wait for others.
    pub nagle: bool,
    /// Whether silent connections are probed.
    pub keepalive: bool,
    /// Size of the kernel's buffer; `None` leaves it to the kernel.
    pub send_buffer_bytes: Option<usize>,
    /// Size of the kernel's buffer; `None` leaves it to the kernel.
    pub receive_buffer_bytes: Option<usize>,
    /// Which addresses of a name are tried.
    pub family: Family,
}

/// Which addresses of a name are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// Those of IPv4.
    V4,
    /// Those of IPv6.
    V6,
}

/// TLS.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates that are trusted, PEM; without any the system's.
    pub ca_pem: Option<String>,
    /// A file with more of them, or a directory of such files.
    pub ca_location: Option<String>,
    /// This client's certificate and those it rests on, PEM.
    pub certificate_pem: Option<String>,
    /// A file with that.
    pub certificate_location: Option<String>,
    /// This client's key, PEM, not encrypted.
    pub key_pem: Option<String>,
    /// A file with that.
    pub key_location: Option<String>,
    /// Whether the broker's certificate is not looked at.
    pub trust_anybody: bool,
    /// Whether the broker's certificate may be for another name.
    pub any_name: bool,
}

/// Login.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sasl {
    /// How.
    pub mechanism: Mechanism,
    /// Who.
    pub username: String,
    /// With what.
    pub password: String,
    /// OAUTHBEARER: where tokens come from.
    pub oauth: OAuth,
}

/// How a client logs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password as they are.
    #[default]
    Plain,
    /// Salted challenge and response over SHA-256.
    ScramSha256,
    /// Salted challenge and response over SHA-512.
    ScramSha512,
    /// A token of somebody both sides trust.
    OAuthBearer,
}

impl Mechanism {
    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
            Mechanism::OAuthBearer => "OAUTHBEARER",
        }
    }
}

/// Where tokens come from: with an endpoint, from there by the grant of client credentials; without, an unsigned token is
/// made from `config` (`principal=.. scope=.. lifeSeconds=..`), which brokers take in development only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OAuth {
    /// The endpoint's URL.
    pub endpoint_url: Option<String>,
    /// Who asks.
    pub client_id: String,
    /// With what.
    pub client_secret: String,
    /// For what.
    pub scope: String,
    /// What is sent beside the token, `name=value` with commas between.
    pub extensions: String,
    /// What an unsigned token says.
    pub config: String,
}

/// How much is fetched at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// How long a broker may wait for records.
    pub wait_max: Duration,
    /// For how many bytes it waits.
    pub bytes_min: usize,
    /// Bytes of an answer.
    pub bytes_max: usize,
    /// Bytes of one partition in an answer.
    pub partition_bytes_max: usize,
    /// How long a partition rests after an error.
    pub error_backoff: Duration,
}

/// How much is sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Produce {
    /// How long a batch waits for more records.
    pub linger: Duration,
    /// Bytes of records of a batch, not compressed.
    pub batch_bytes_max: usize,
    /// Records of a batch.
    pub batch_records_max: usize,
    /// Bytes of a request.
    pub request_bytes_max: usize,
    /// How batches are compressed.
    pub compression: Compression,
    /// How hard; `None` is the codec's default.
    pub compression_level: Option<i32>,
    /// How long a broker may wait for its replicas.
    pub ack_timeout: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Protocol {
    tls: bool,
    sasl: bool,
}

/// Properties that are taken and make no difference here, and why they make none.
const WITHOUT_MEANING: &[&str] = &[
    // Every address of a name is tried, on every connect.
    "client.dns.lookup",
    "broker.address.ttl",
    // The first failure closes a connection.
    "socket.max.fails",
    // Of group members, which are not made here.
    "max.poll.interval.ms",
    // Names for the same limit in another client's queue.
    "sasl.kerberos.service.name",
    "https.ca.location",
];

/// Properties that would mean something, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("sasl.kerberos.principal", "Kerberos is for librdkafka; set kafka.client = rdkafka"),
    ("sasl.kerberos.keytab", "Kerberos is for librdkafka; set kafka.client = rdkafka"),
    ("ssl.key.password", "encrypted keys can't be read; decrypt it, or set kafka.client = rdkafka"),
    (
        "ssl.keystore.location",
        "key stores can't be read; give PEM in ssl.key.pem and ssl.certificate.pem, or set kafka.client = rdkafka",
    ),
    (
        "ssl.keystore.password",
        "key stores can't be read; give PEM in ssl.key.pem and ssl.certificate.pem, or set kafka.client = rdkafka",
    ),
    ("ssl.crl.location", "lists of revoked certificates are not looked at; set kafka.client = rdkafka"),
    ("ssl.ca.certificate.stores", "give PEM in ssl.ca.pem, or set kafka.client = rdkafka"),
    ("ssl.cipher.suites", "suites can't be chosen; leave it out, or set kafka.client = rdkafka"),
    ("sasl.oauthbearer.assertion.file", "assertions can't be sent; set kafka.client = rdkafka"),
];

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

    /// Sets a property by librdkafka's name.
    ///
    /// # Errors
    /// [`WireError::Config`] for a value that is none, a property that can't be had, and a name that is not known.
    pub fn set(&mut self, property: &str, value: &str) -> Result<(), WireError> {
        let refuse = |reason: &str| {
            Err(WireError::Config { property: property.to_owned(), reason: reason.to_owned() })
        };
        let set = Value { property, value };
        if WITHOUT_MEANING.contains(&property) {
            return Ok(());
        }
        if let Some((_, reason)) = REFUSED.iter().find(|(name, _)| *name == property) {
            return refuse(reason);
        }
        match property {
            "client.id" => self.client_id = value.to_owned(),
            "client.rack" => self.client_rack = value.to_owned(),
            "broker.address.family" => self.socket.family = set.family()?,
            // Connections are pinged by use; one that was closed for being idle is made again when it is needed.
            "connections.max.idle.ms" => drop(set.milliseconds()?),
            "reconnect.backoff.ms" => self.reconnect_backoff.0 = set.milliseconds()?,
            "reconnect.backoff.max.ms" => self.reconnect_backoff.1 = set.milliseconds()?,
            "socket.connection.setup.timeout.ms" => self.connect_timeout = set.milliseconds()?,
            "socket.keepalive.enable" => self.socket.keepalive = set.truth()?,
            "socket.nagle.disable" => self.socket.nagle = !set.truth()?,
            "socket.send.buffer.bytes" => self.socket.send_buffer_bytes = set.size_or_default()?,
            "socket.receive.buffer.bytes" => self.socket.receive_buffer_bytes = set.size_or_default()?,
            "metadata.max.age.ms" | "topic.metadata.refresh.interval.ms" => {
                self.metadata_age_max = set.milliseconds()?;
            }
            "receive.message.max.bytes" => self.response_bytes_max = set.size()?,
            "security.protocol" => self.set_protocol(&set)?,
            _ if property.starts_with("ssl.") || property == "enable.ssl.certificate.verification" => {
                self.set_tls(&set)?;
            }
            _ if property.starts_with("sasl.") => self.set_sasl(&set)?,
            "fetch.wait.max.ms" => self.fetch.wait_max = set.milliseconds()?,
            "fetch.min.bytes" => self.fetch.bytes_min = set.size()?,
            "fetch.max.bytes" => self.fetch.bytes_max = set.size()?,
            "fetch.message.max.bytes" | "max.partition.fetch.bytes" => {
                self.fetch.partition_bytes_max = set.size()?;
            }
            "fetch.error.backoff.ms" => self.fetch.error_backoff = set.milliseconds()?,
            "linger.ms" | "queue.buffering.max.ms" => self.produce.linger = set.fractional_milliseconds()?,
            "batch.size" => self.produce.batch_bytes_max = set.size()?,
            "batch.num.messages" => self.produce.batch_records_max = set.size()?.max(1),
            "message.max.bytes" => self.produce.request_bytes_max = set.size()?,
            "request.timeout.ms" => self.produce.ack_timeout = set.milliseconds()?,
            "compression.type" | "compression.codec" => self.produce.compression = set.compression()?,
            "compression.level" => {
                let level = value.parse().or_else(|_| set.none("a number"))?;
                self.produce.compression_level = (level >= 0).then_some(level);
            }
            _ => return refuse("not known"),
        }
        Ok(())
    }

    fn set_protocol(&mut self, set: &Value<'_>) -> Result<(), WireError> {
        let (tls, sasl) = match set.value.to_ascii_lowercase().as_str() {
            "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            _ => return set.none("one of plaintext, ssl, sasl_plaintext, sasl_ssl"),
        };
        self.protocol = Protocol { tls, sasl };
        Ok(())
    }

    fn set_tls(&mut self, set: &Value<'_>) -> Result<(), WireError> {
        let tls = self.tls.get_or_insert_default();
        let text = Some(set.value.to_owned()).filter(|value| !value.is_empty());
        match set.property {
            "ssl.ca.pem" => tls.ca_pem = text,
            "ssl.ca.location" => tls.ca_location = text,
            "ssl.certificate.pem" => tls.certificate_pem = text,
            "ssl.certificate.location" => tls.certificate_location = text,
            "ssl.key.pem" => tls.key_pem = text,
            "ssl.key.location" => tls.key_location = text,
            "enable.ssl.certificate.verification" => tls.trust_anybody = !set.truth()?,
            "ssl.endpoint.identification.algorithm" => {
                tls.any_name = match set.value {
                    "https" => false,
                    "none" => true,
                    _ => return set.none("https or none"),
                }
            }
            _ => return set.none_such(),
        }
        Ok(())
    }

    fn set_sasl(&mut self, set: &Value<'_>) -> Result<(), WireError> {
        let sasl = self.sasl.get_or_insert_default();
        match set.property {
            "sasl.mechanism" | "sasl.mechanisms" => {
                sasl.mechanism = match set.value.to_ascii_uppercase().as_str() {
                    "PLAIN" => Mechanism::Plain,
                    "SCRAM-SHA-256" => Mechanism::ScramSha256,
                    "SCRAM-SHA-512" => Mechanism::ScramSha512,
                    "OAUTHBEARER" => Mechanism::OAuthBearer,
                    "GSSAPI" => {
                        return set.none_but("Kerberos is for librdkafka; set kafka.client = rdkafka");
                    }
                    _ => return set.none("one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"),
                }
            }
            "sasl.username" => sasl.username = set.value.to_owned(),
            "sasl.password" => sasl.password = set.value.to_owned(),
            // An endpoint's URL decides.
            "sasl.oauthbearer.method" => match set.value {
                "default" | "oidc" => {}
                _ => return set.none("default or oidc"),
            },
            "sasl.oauthbearer.config" => sasl.oauth.config = set.value.to_owned(),
            "sasl.oauthbearer.client.id" => sasl.oauth.client_id = set.value.to_owned(),
            "sasl.oauthbearer.client.secret" => sasl.oauth.client_secret = set.value.to_owned(),
            "sasl.oauthbearer.scope" => sasl.oauth.scope = set.value.to_owned(),
            "sasl.oauthbearer.extensions" => sasl.oauth.extensions = set.value.to_owned(),
            "sasl.oauthbearer.token.endpoint.url" => {
                sasl.oauth.endpoint_url = Some(set.value.to_owned()).filter(|url| !url.is_empty());
            }
            _ => return set.none_such(),
        }
        Ok(())
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

struct Value<'a> {
    property: &'a str,
    value: &'a str,
}

impl Value<'_> {
    /// Values are not quoted: they may be secrets.
    fn none<T>(&self, expected: &str) -> Result<T, WireError> {
        self.none_but(&format!("the value must be {expected}"))
    }

    fn none_such<T>(&self) -> Result<T, WireError> {
        self.none_but("not known")
    }

    fn none_but<T>(&self, reason: &str) -> Result<T, WireError> {
        Err(WireError::Config { property: self.property.to_owned(), reason: reason.to_owned() })
    }

    fn milliseconds(&self) -> Result<Duration, WireError> {
        let ms = self.value.parse::<u32>().or_else(|_| self.none("milliseconds"))?;
        Ok(Duration::from_millis(ms.into()))
    }

    fn fractional_milliseconds(&self) -> Result<Duration, WireError> {
        let ms = self.value.parse::<f64>().ok().filter(|ms| (0.0..=900_000.0).contains(ms));
        ms.map_or_else(|| self.none("milliseconds"), |ms| Ok(Duration::from_secs_f64(ms / 1_000.0)))
    }

    fn size(&self) -> Result<usize, WireError> {
        // What the protocol has room for.
        let bytes = self.value.parse::<i32>().ok().and_then(|bytes| usize::try_from(bytes).ok());
        bytes.map_or_else(|| self.none("a number from 0 to 2147483647"), Ok)
    }

    fn size_or_default(&self) -> Result<Option<usize>, WireError> {
        Ok(Some(self.size()?).filter(|bytes| *bytes > 0))
    }

    fn truth(&self) -> Result<bool, WireError> {
        match self.value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(true),
            "false" | "f" | "0" => Ok(false),
            _ => self.none("true or false"),
        }
    }

    fn family(&self) -> Result<Family, WireError> {
        match self.value {
            "any" => Ok(Family::Any),
            "v4" => Ok(Family::V4),
            "v6" => Ok(Family::V6),
            _ => self.none("any, v4 or v6"),
        }
    }

    fn compression(&self) -> Result<Compression, WireError> {
        self.value.parse().or_else(|_| self.none("none, gzip, snappy, lz4 or zstd"))
    }
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

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("trust_anybody", &self.trust_anybody).finish_non_exhaustive()
    }
}

impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sasl").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").field("endpoint_url", &self.endpoint_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
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
