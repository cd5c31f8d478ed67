//! Properties by their names: which are kept and where, which make no difference, which are refused.

use super::{Config, Family, Mechanism, Protocol};
use crate::WireError;
use crate::batch::Compression;
use std::time::Duration;

/// Properties that are taken and make no difference here, and why they make none.
const WITHOUT_MEANING: &[&str] = &[
    // Every address of a name is tried, on every connect.
    "client.dns.lookup",
    "broker.address.ttl",
    // The first failure closes a connection.
    "socket.max.fails",
    // Of group members, which are not made here.
    "max.poll.interval.ms",
    // Of librdkafka's Kerberos, and of its own fetching of tokens; neither is used here.
    "sasl.kerberos.service.name",
    "https.ca.location",
];

/// Properties that would mean something, and what to do instead.
pub(super) const REFUSED: &[(&str, &str)] = &[
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
