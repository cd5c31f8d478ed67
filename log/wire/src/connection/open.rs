//! From an address to a connection that takes requests: name, socket, TLS, versions, login.

use super::{Connection, Shared, State, Versions};
use crate::config::{Address, Family};
use crate::sasl::Login;
use crate::{Code, Config, WireError, tls};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicI32;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The first version that names the cluster's features; brokers have it since Kafka 2.4.
const API_VERSIONS: i16 = 3;

/// Makes connections to the brokers of one cluster.
#[derive(Clone)]
pub struct Connector {
    config: Arc<Config>,
    tls: Option<TlsConnector>,
    login: Option<Arc<Login>>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads the certificates and keys that the configuration names.
    ///
    /// # Errors
    /// [`WireError::Config`].
    pub fn new(config: Arc<Config>) -> Result<Connector, WireError> {
        config.check()?;
        let tls = config.tls_in_use().map(|tls| tls::connector(&tls)).transpose()?;
        let login = config.sasl_in_use().cloned().map(|sasl| Arc::new(Login::new(sasl)));
        Ok(Connector { config, tls, login })
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Connects and logs in. `id` is the broker's, where it is known.
    ///
    /// # Errors
    /// [`WireError::Timeout`] when there is no connection by `deadline` or the time that connecting may take;
    /// [`WireError::Login`] when the broker refuses this client, or is not who it should be.
    pub async fn open(
        &self,
        address: &Address,
        id: Option<i32>,
        deadline: Instant,
    ) -> Result<Connection, WireError> {
        let broker = id.map_or_else(|| address.to_string(), |id| format!("{address} ({id})"));
        let deadline = deadline.min(Instant::now() + self.config.connect_timeout);
        let opening = self.open_now(address, &broker, deadline);
        match tokio::time::timeout_at(deadline.into(), opening).await {
            Ok(opened) => opened,
            Err(_) => Err(WireError::Timeout { what: format!("connecting to {broker}"), last: None }),
        }
    }

    async fn open_now(
        &self,
        address: &Address,
        broker: &str,
        deadline: Instant,
    ) -> Result<Connection, WireError> {
        let failed = |error: io::Error| WireError::Timeout {
            what: format!("connecting to {broker}"),
            last: Some(error.to_string()),
        };
        let stream = self.socket(address).await.map_err(failed)?;
        let answer_bytes_max = self.config.response_bytes_max;
        let shared = Shared {
            broker: broker.into(),
            client_id: StrBytes::from_string(self.config.client_id.clone()),
            versions: OnceLock::new(),
            until: OnceLock::new(),
            correlation: AtomicI32::new(0),
            state: Mutex::new(State::default()),
        };
        let connection = match &self.tls {
            None => {
                let (read, write) = stream.into_split();
                Connection::start(shared, read, write, answer_bytes_max)
            }
            Some(tls) => {
                let refuse = |reason: String| WireError::Login { broker: broker.to_owned(), reason };
                let name = ServerName::try_from(address.host.clone())
                    .map_err(|_| refuse("its name can't be one of a certificate".to_owned()))?;
                let stream = tls.connect(name, stream).await.map_err(|error| match error.kind() {
                    io::ErrorKind::InvalidData => refuse(format!("TLS: {error}; see ssl.ca.pem")),
                    _ => failed(error),
                })?;
                let (read, write) = tokio::io::split(stream);
                Connection::start(shared, read, write, answer_bytes_max)
            }
        };
        let _ = connection.shared.versions.set(versions(&connection, deadline).await?);
        if let Some(login) = &self.login
            && let Some(lifetime) = login.login(&connection, deadline).await?
        {
            // Requests that are under way then are still answered.
            let _ = connection.shared.until.set(Instant::now() + lifetime.mul_f64(0.8));
        }
        Ok(connection)
    }

    async fn socket(&self, address: &Address) -> io::Result<TcpStream> {
        let options = &self.config.socket;
        let is_wanted = |found: &SocketAddr| match options.family {
            Family::Any => true,
            Family::V4 => found.is_ipv4(),
            Family::V6 => found.is_ipv6(),
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for found in lookup_host((address.host.as_str(), address.port)).await?.filter(is_wanted) {
            let socket = if found.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.set_keepalive(options.keepalive)?;
            if let Some(bytes) = options.send_buffer_bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
                socket.set_send_buffer_size(bytes)?;
            }
            if let Some(bytes) = options.receive_buffer_bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
                socket.set_recv_buffer_size(bytes)?;
            }
            // A host that is not there must not use up the time of the others.
            match tokio::time::timeout(self.config.connect_timeout / 2, socket.connect(found)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(!options.nagle)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

/// What the broker offers.
async fn versions(connection: &Connection, deadline: Instant) -> Result<Versions, WireError> {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("millstream"))
        .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
    let unsupported = || WireError::Unsupported {
        at: connection.at::<ApiVersionsRequest>(),
        reason: "the broker is too old, it needs Kafka 2.4 or later; or set kafka.client = rdkafka"
            .to_owned(),
    };
    let answer = connection.send_version(&request, API_VERSIONS)?.wait(deadline).await;
    let answer: ApiVersionsResponse = match answer {
        // An older broker answers in a version of its own.
        Err(WireError::Malformed { .. }) => return Err(unsupported()),
        other => other?,
    };
    if Code::check(answer.error_code).is_err() {
        return Err(unsupported());
    }
    let apis = answer.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version)));
    let features =
        answer.finalized_features.iter().map(|feature| (feature.name.to_string(), feature.max_version_level));
    Ok(Versions { apis: apis.collect(), features: features.collect() })
}

/// How long is waited before connecting again, after so many failures in a row.
pub(crate) fn backoff(config: &Config, failures: u32) -> Duration {
    let (first, most) = config.reconnect_backoff;
    let wait = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(most.max(first));
    // Many clients lose the same broker at the same moment.
    wait.mul_f64(rand::random_range(0.8..1.2))
}
