//! Client properties by the names of Kafka's Java client, as `properties.*` options of Flink tables have them.
//!
//! Nothing is ignored in silence: a property has an equivalent here, or is refused by name.

use super::PropertySource;
use super::properties::{check, known, unknown};
use crate::LogError;

/// Java's names for properties that librdkafka calls otherwise.
const RENAMED: &[(&str, &str)] = &[
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("max.request.size", "message.max.bytes"),
    ("request.timeout.ms", "socket.timeout.ms"),
    ("default.api.timeout.ms", "socket.timeout.ms"),
    ("ssl.truststore.certificates", "ssl.ca.pem"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
    ("ssl.cipher.suites", "ssl.cipher.suites"),
    ("max.in.flight.requests.per.connection", "max.in.flight"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("buffer.memory", "queue.buffering.max.kbytes"),
    ("partitioner.class", "partitioner"),
];

/// Java's properties that have no equivalent, and what to do.
const REFUSED: &[(&str, &str)] = &[
    (
        "ssl.truststore.location",
        "a Java key store can't be read; give its certificates as ssl.truststore.certificates, in PEM",
    ),
    (
        "ssl.truststore.password",
        "a Java key store can't be read; give its certificates as ssl.truststore.certificates, in PEM",
    ),
    (
        "ssl.keystore.location",
        "a Java key store can't be read; give ssl.keystore.key and ssl.keystore.certificate.chain, in PEM",
    ),
    (
        "ssl.keystore.password",
        "a Java key store can't be read; give ssl.keystore.key and ssl.keystore.certificate.chain, in PEM",
    ),
    ("key.serializer", "formats are set with the table"),
    ("value.serializer", "formats are set with the table"),
    ("key.deserializer", "formats are set with the table"),
    ("value.deserializer", "formats are set with the table"),
    ("max.poll.records", "runs of records are cut by size"),
    ("interceptor.classes", "Java classes can't be loaded"),
    ("metric.reporters", "Java classes can't be loaded"),
    ("sasl.login.callback.handler.class", "Java classes can't be loaded"),
    ("sasl.client.callback.handler.class", "Java classes can't be loaded"),
    ("security.providers", "Java classes can't be loaded"),
    ("ssl.engine.factory.class", "Java classes can't be loaded"),
    ("max.block.ms", "writing waits for room in its queue"),
    ("exclude.internal.topics", "topics are named one by one"),
    ("partition.discovery.interval.ms", "set scan.topic-partition-discovery.interval"),
];

/// A property of the Java client by librdkafka's names: mostly one, two for a login.
///
/// # Errors
/// [`LogError::BadProperty`] when there is no equivalent, or it can't be set.
pub fn java_property(
    key: &str,
    value: &str,
    source: PropertySource,
) -> Result<Vec<(String, String)>, LogError> {
    let refuse = |reason: String| Err(LogError::BadProperty { key: key.to_owned(), reason });
    if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == key) {
        return refuse((*reason).to_owned());
    }
    match key {
        "sasl.jaas.config" => return login(value),
        // PEM is the only type there is.
        "ssl.truststore.type" | "ssl.keystore.type" if value.eq_ignore_ascii_case("PEM") => {
            return Ok(Vec::new());
        }
        "ssl.truststore.type" | "ssl.keystore.type" => {
            return refuse(format!("\"{value}\" can't be read; only PEM can"));
        }
        // Java turns the check of host names off with an empty text.
        "ssl.endpoint.identification.algorithm" if value.is_empty() => {
            return Ok(vec![(key.to_owned(), "none".to_owned())]);
        }
        _ => {}
    }
    let renamed = RENAMED.iter().find(|(java, _)| *java == key).map_or(key, |(_, renamed)| renamed);
    match check(renamed, source) {
        Ok(_) => Ok(vec![(renamed.to_owned(), value.to_owned())]),
        Err(LogError::BadProperty { reason, .. }) if reason.starts_with("not known") => {
            let java = RENAMED.iter().map(|(java, _)| *java).chain(REFUSED.iter().map(|(java, _)| *java));
            refuse(unknown(key, java.chain(known())))
        }
        Err(LogError::BadProperty { reason, .. }) => refuse(reason),
        Err(other) => Err(other),
    }
}

/// User and password of a JAAS configuration, as the two login modules that take them write it:
/// `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`
fn login(value: &str) -> Result<Vec<(String, String)>, LogError> {
    let refuse = |reason: &str| {
        Err(LogError::BadProperty { key: "sasl.jaas.config".to_owned(), reason: reason.to_owned() })
    };
    let module = value.split_whitespace().next().unwrap_or_default();
    let known = ["PlainLoginModule", "ScramLoginModule"];
    if !known.iter().any(|known| module.rsplit('.').next() == Some(*known)) {
        return refuse(
            "only PlainLoginModule and ScramLoginModule are understood; set sasl.* properties instead",
        );
    }
    match (option(value, "username"), option(value, "password")) {
        (Some(user), Some(password)) => {
            Ok(vec![("sasl.username".to_owned(), user), ("sasl.password".to_owned(), password)])
        }
        _ => refuse("needs username=\"..\" and password=\"..\""),
    }
}

/// The value of `name="value"` or `name='value'`; a backslash takes the next character as it is.
fn option(text: &str, name: &str) -> Option<String> {
    let at = text.match_indices(name).find(|(at, _)| {
        let before = text[..*at].chars().next_back();
        before.is_some_and(char::is_whitespace) && text[at + name.len()..].trim_start().starts_with('=')
    })?;
    let rest = text[at.0 + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let mut rest = rest.chars();
    let quote = rest.next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut value = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => value.push(rest.next()?),
            next if next == quote => return Some(value),
            next => value.push(next),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(key: &str, value: &str) -> Result<Vec<(String, String)>, String> {
        java_property(key, value, PropertySource::Job).map_err(|error| error.to_string())
    }

    fn one(key: &str, value: &str) -> Result<Vec<(String, String)>, String> {
        Ok(vec![(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn properties_get_the_names_that_librdkafka_has_for_them() {
        assert_eq!(mapped("fetch.max.wait.ms", "50"), one("fetch.wait.max.ms", "50"));
        assert_eq!(mapped("max.partition.fetch.bytes", "9"), one("fetch.message.max.bytes", "9"));
        assert_eq!(mapped("security.protocol", "SASL_SSL"), one("security.protocol", "SASL_SSL"));
        assert_eq!(
            mapped("ssl.endpoint.identification.algorithm", ""),
            one("ssl.endpoint.identification.algorithm", "none")
        );
        assert_eq!(mapped("ssl.truststore.type", "PEM"), Ok(vec![]));
    }

    #[test]
    fn a_jaas_login_becomes_user_and_password() {
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
        let value = format!("{module} required\n  username=\"me\" password = 'a\\'b \"c\" username=\"x\"';");
        let expected = [("sasl.username", "me"), ("sasl.password", "a'b \"c\" username=\"x\"")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(mapped("sasl.jaas.config", &value), Ok(expected));
        let refused = mapped("sasl.jaas.config", "com.sun.security.auth.module.Krb5LoginModule required;");
        assert!(refused.unwrap_err().contains("only PlainLoginModule"));
        let refused = mapped("sasl.jaas.config", "a.PlainLoginModule required username=\"secret-user\";");
        assert!(!refused.unwrap_err().contains("secret-user"));
    }

    #[test]
    fn what_has_no_equivalent_is_refused_by_name() {
        for key in ["key.deserializer", "max.poll.records", "ssl.truststore.location", "interceptor.classes"]
        {
            let refused = mapped(key, "x").unwrap_err();
            assert!(refused.starts_with(&format!("client property \"{key}\": ")), "{refused}");
        }
    }

    #[test]
    fn what_is_decided_elsewhere_is_refused_under_the_name_that_was_used() {
        for key in ["enable.auto.commit", "isolation.level", "request.timeout.ms", "partitioner.class"] {
            let refused = mapped(key, "x").unwrap_err();
            assert!(refused.starts_with(&format!("client property \"{key}\": can't be set")), "{refused}");
        }
        let unknown = mapped("fetch.max.wait", "x").unwrap_err();
        assert!(unknown.contains("did you mean"), "{unknown}");
    }
}
