//! The parts of a configuration: sockets, TLS, login, reading, writing.

use crate::batch::Compression;
use std::fmt;
use std::time::Duration;

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
