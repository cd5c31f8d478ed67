//! Which client properties may be set from outside, by librdkafka's names.
//!
//! An allow-list: librdkafka has properties that load libraries, run commands, read files and fetch from addresses.
//! What can be set in a job's text must do none of that; what reads files or weakens checks may be set by whoever runs
//! the process ([`PropertySource::Operator`]), and what runs code by nobody. Properties that exactly-once or the memory
//! budget rest on are refused with the reason, whoever asks.

use crate::LogError;

/// Who asks for a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertySource {
    /// The text of a job: anybody who may submit one.
    Job,
    /// The settings of the process.
    Operator,
}

/// Which clients a property is for: librdkafka warns of the others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Consumers,
    Producers,
}

/// Properties that anybody may set.
const FREE: &[(&str, Scope)] = &[
    ("client.id", Scope::All),
    ("client.rack", Scope::Consumers),
    ("client.dns.lookup", Scope::All),
    ("broker.address.family", Scope::All),
    ("broker.address.ttl", Scope::All),
    ("connections.max.idle.ms", Scope::All),
    ("reconnect.backoff.ms", Scope::All),
    ("reconnect.backoff.max.ms", Scope::All),
    ("socket.connection.setup.timeout.ms", Scope::All),
    ("socket.keepalive.enable", Scope::All),
    ("socket.nagle.disable", Scope::All),
    ("socket.send.buffer.bytes", Scope::All),
    ("socket.receive.buffer.bytes", Scope::All),
    ("socket.max.fails", Scope::All),
    ("metadata.max.age.ms", Scope::All),
    ("topic.metadata.refresh.interval.ms", Scope::All),
    ("security.protocol", Scope::All),
    ("sasl.mechanism", Scope::All),
    ("sasl.mechanisms", Scope::All),
    ("sasl.username", Scope::All),
    ("sasl.password", Scope::All),
    ("sasl.kerberos.service.name", Scope::All),
    ("sasl.kerberos.principal", Scope::All),
    ("ssl.ca.pem", Scope::All),
    ("ssl.certificate.pem", Scope::All),
    ("ssl.key.pem", Scope::All),
    ("ssl.key.password", Scope::All),
    ("ssl.endpoint.identification.algorithm", Scope::All),
    ("ssl.cipher.suites", Scope::All),
    ("fetch.wait.max.ms", Scope::Consumers),
    ("fetch.min.bytes", Scope::Consumers),
    ("fetch.max.bytes", Scope::Consumers),
    ("fetch.message.max.bytes", Scope::Consumers),
    ("max.partition.fetch.bytes", Scope::Consumers),
    ("fetch.error.backoff.ms", Scope::Consumers),
    ("receive.message.max.bytes", Scope::Consumers),
    ("max.poll.interval.ms", Scope::Consumers),
    ("linger.ms", Scope::Producers),
    ("queue.buffering.max.ms", Scope::Producers),
    ("batch.size", Scope::Producers),
    ("batch.num.messages", Scope::Producers),
    ("message.max.bytes", Scope::Producers),
    ("request.timeout.ms", Scope::Producers),
    ("compression.type", Scope::Producers),
    ("compression.codec", Scope::Producers),
    ("compression.level", Scope::Producers),
];

/// Properties that read files, fetch from addresses or weaken checks.
const OPERATORS_ONLY: &[&str] = &[
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.crl.location",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.ca.certificate.stores",
    "enable.ssl.certificate.verification",
    "sasl.kerberos.keytab",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.assertion.file",
    "https.ca.location",
];

/// Properties that run what somebody else wrote.
const NOBODY: &[&str] = &[
    "plugin.library.paths",
    "sasl.kerberos.kinit.cmd",
    "ssl.engine.location",
    "ssl.engine.id",
    "ssl.providers",
    "test.mock.num.brokers",
    "test.mock.broker.rtt",
];

/// Properties that are decided elsewhere, and where.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "set with the address of the cluster"),
    ("metadata.broker.list", "set with the address of the cluster"),
    ("group.id", "the group is the job's; name it with the job"),
    ("group.instance.id", "members are named by their state directory"),
    ("group.protocol", "tasks are shared out by the classic protocol"),
    ("group.protocol.type", "tasks are shared out by the classic protocol"),
    ("group.remote.assignor", "tasks are shared out by the classic protocol"),
    ("partition.assignment.strategy", "tasks are shared out cooperatively, so that they move one by one"),
    ("session.timeout.ms", "a setting of the job"),
    ("heartbeat.interval.ms", "follows from the session's time-out"),
    ("coordinator.query.interval.ms", "follows from the session's time-out"),
    ("enable.auto.commit", "offsets are committed with the results, in one transaction"),
    ("auto.commit.enable", "offsets are committed with the results, in one transaction"),
    ("auto.commit.interval.ms", "offsets are committed with the results, in one transaction"),
    ("enable.auto.offset.store", "positions come from the job's journal"),
    ("auto.offset.reset", "a position that is gone is reported, never skipped; say where a new job begins"),
    ("isolation.level", "inputs are read committed, as exactly-once needs it"),
    ("enable.partition.eof", "ends of partitions decide which inputs are idle"),
    ("check.crcs", "checksums are always verified"),
    ("queued.min.messages", "the memory budget decides how much is fetched ahead"),
    ("queued.max.messages.kbytes", "the memory budget decides how much is fetched ahead"),
    ("fetch.queue.backoff.ms", "the memory budget decides how much is fetched ahead"),
    ("queue.buffering.max.messages", "the memory budget decides how much waits to be sent"),
    ("queue.buffering.max.kbytes", "the memory budget decides how much waits to be sent"),
    ("transactional.id", "writers are named by their state directory, so that a restart fences what it left"),
    ("transaction.timeout.ms", "a setting of the job"),
    ("message.timeout.ms", "follows from the transaction's time-out"),
    ("delivery.timeout.ms", "follows from the transaction's time-out"),
    ("socket.timeout.ms", "follows from the transaction's time-out"),
    ("enable.idempotence", "records are written exactly once"),
    ("enable.gapless.guarantee", "records are written exactly once"),
    ("acks", "records count as written when all replicas in sync have them"),
    ("request.required.acks", "records count as written when all replicas in sync have them"),
    ("retries", "sending is repeated until the transaction's time-out"),
    ("message.send.max.retries", "sending is repeated until the transaction's time-out"),
    ("retry.backoff.ms", "short, for the next transaction begins while the last one ends"),
    ("retry.backoff.max.ms", "short, for the next transaction begins while the last one ends"),
    ("max.in.flight", "records are written in order"),
    ("max.in.flight.requests.per.connection", "records are written in order"),
    ("partitioner", "partitions are chosen by the job, as Kafka's Java client chooses them"),
    ("queuing.strategy", "records are written in order"),
    ("allow.auto.create.topics", "topics are made on purpose"),
    ("statistics.interval.ms", "the client's statistics are not read"),
    ("enable.metrics.push", "nothing is sent to brokers beside requests"),
    ("log_level", "set by the process's log settings"),
    ("debug", "set by the process's log settings"),
    ("log.queue", "set by the process's log settings"),
    ("opaque", "not a property of a connection"),
];

/// What a property is for, when it may be set.
///
/// # Errors
/// [`LogError::BadProperty`] with the reason, and for a name that is not known the nearest that is.
pub(super) fn check(key: &str, source: PropertySource) -> Result<Scope, LogError> {
    let refuse = |reason: String| Err(LogError::BadProperty { key: key.to_owned(), reason });
    if let Some((_, scope)) = FREE.iter().find(|(free, _)| *free == key) {
        return Ok(*scope);
    }
    if OPERATORS_ONLY.contains(&key) {
        return match source {
            PropertySource::Operator => Ok(Scope::All),
            PropertySource::Job => refuse(
                "reads files, fetches from an address or weakens a check; \
                 set it where the process is configured, not in a job"
                    .to_owned(),
            ),
        };
    }
    if NOBODY.contains(&key) {
        return refuse("runs code from outside, and is never allowed".to_owned());
    }
    if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| *owned == key) {
        return refuse(format!("can't be set: {reason}"));
    }
    refuse(unknown(key, known()))
}

/// Whether a property's value must never be shown.
pub fn is_secret(key: &str) -> bool {
    ["password", "secret", ".pem", "sasl.oauthbearer.config", "sasl.jaas.config"]
        .iter()
        .any(|part| key.contains(part))
}

/// All names that may be meant.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let free = FREE.iter().map(|(known, _)| *known);
    let owned = OWNED.iter().map(|(known, _)| *known);
    free.chain(OPERATORS_ONLY.iter().copied()).chain(owned)
}

/// Says that a name is not known, and which is meant if one is near.
pub(super) fn unknown(key: &str, known: impl Iterator<Item = &'static str>) -> String {
    let lower = key.to_lowercase();
    let nearest = known.map(|known| (strsim::osa_distance(&lower, known), known)).min();
    match nearest.filter(|(distance, _)| *distance <= 1 + key.len() / 6) {
        Some((_, near)) => format!("not known; did you mean \"{near}\"?"),
        None => "not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(key: &str, source: PropertySource) -> String {
        match check(key, source) {
            Err(LogError::BadProperty { key: of, reason }) => {
                assert_eq!(of, key);
                reason
            }
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn harmless_properties_are_taken_with_their_scope() {
        assert_eq!(check("fetch.wait.max.ms", PropertySource::Job), Ok(Scope::Consumers));
        assert_eq!(check("linger.ms", PropertySource::Job), Ok(Scope::Producers));
        assert_eq!(check("sasl.username", PropertySource::Job), Ok(Scope::All));
    }

    #[test]
    fn what_runs_code_is_refused_whoever_asks() {
        for key in ["plugin.library.paths", "sasl.kerberos.kinit.cmd", "ssl.engine.location", "ssl.providers"]
        {
            for source in [PropertySource::Job, PropertySource::Operator] {
                assert!(reason(key, source).contains("never allowed"), "{key}");
            }
        }
    }

    #[test]
    fn what_reads_files_is_for_the_operator() {
        for key in ["ssl.ca.location", "sasl.kerberos.keytab", "sasl.oauthbearer.token.endpoint.url"] {
            assert!(reason(key, PropertySource::Job).contains("not in a job"), "{key}");
            assert_eq!(check(key, PropertySource::Operator), Ok(Scope::All));
        }
    }

    #[test]
    fn what_exactly_once_rests_on_is_refused_with_the_reason() {
        let why = reason("enable.auto.commit", PropertySource::Operator);
        assert_eq!(why, "can't be set: offsets are committed with the results, in one transaction");
        for key in ["isolation.level", "transactional.id", "acks", "auto.offset.reset", "partitioner"] {
            assert!(reason(key, PropertySource::Job).starts_with("can't be set: "), "{key}");
        }
    }

    #[test]
    fn a_wrong_name_is_met_with_the_nearest_right_one() {
        let cases = [
            ("fetch.wait.max.msec", "fetch.wait.max.ms"),
            ("linger.sm", "linger.ms"),
            ("sasl.user.name", "sasl.username"),
            ("Security.Protocol", "security.protocol"),
            ("enable.autocommit", "enable.auto.commit"),
        ];
        for (wrong, right) in cases {
            assert_eq!(reason(wrong, PropertySource::Job), format!("not known; did you mean \"{right}\"?"));
        }
        assert_eq!(reason("bananas", PropertySource::Job), "not known");
    }

    /// What librdkafka calls a property must be in exactly one of the lists, or somebody will ask why it is unknown.
    #[test]
    fn no_name_is_in_two_lists() {
        let free = FREE.iter().map(|(key, _)| *key);
        let owned = OWNED.iter().map(|(key, _)| *key);
        let mut all: Vec<&str> =
            free.chain(owned).chain(OPERATORS_ONLY.iter().copied()).chain(NOBODY.iter().copied()).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }
}
