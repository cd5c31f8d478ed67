//! Options of Flink's that can't be set, and why; and what of Kafka's client may be set.

use crate::error::{SqlError, code, nearest};
use crate::script::Spanned;

/// Options by their names, or by what they begin with when that ends with a `.`.
const REFUSED: &[(&str, &str)] = &[
    ("property-version", "leave it out: there is one version of each table's options"),
    ("sink.semantic", "set 'sink.delivery-guarantee', or leave it out"),
    ("sink.transactional-id-prefix", "leave it out: transactions are named by the job"),
    ("sink.transaction-naming-strategy", "leave it out: transactions are named by the job"),
    ("sink.partition-commit.", "leave it out: a file that has its name is whole, and none is taken back"),
    ("partition.time-extractor.", "leave it out: directories are there as soon as they have a file"),
    ("compaction.", "leave it out: make files larger with 'sink.rolling-policy.file-size'"),
    ("streaming-source.", "leave it out: a table has the files that are there when its job first starts"),
    ("lookup.", "leave it out: FOR SYSTEM_TIME AS OF joins with an 'upsert-kafka' table"),
    ("sink.parallelism", "leave it out: a job has as many tasks as its topics have partitions"),
    ("scan.parallelism", "leave it out: a job has as many tasks as its topics have partitions"),
    ("sink.buffer-flush.max-rows", "leave it out: each commit writes the last row of each key once"),
    (
        "sink.buffer-flush.interval",
        "leave it out: each commit writes the last row of each key once; set how often with \
      SET 'millstream.commit-interval'",
    ),
    ("scan.watermark.emit.", "leave it out: watermarks are computed for every run of records"),
    ("scan.watermark.alignment.", "leave it out: partitions are not held back for each other"),
    ("schema.", "list the columns in CREATE TABLE"),
    (
        "source.monitor-interval",
        "leave it out: a table has the files that are there when its job first starts",
    ),
    ("source.path.regex-pattern", "set 'path' to a directory that has the files and no others"),
    ("rate.", "leave it out: events come at one rate, 'first-event.rate'"),
    ("keep-alive", "leave it out: a table without 'events.num' never ends"),
    ("stop-at", "set 'events.num'"),
];

/// Options that are those of `'kafka'` only.
const NOT_OF_UPSERTS: &[(&str, &str)] = &[
    ("scan.startup.mode", "leave it out: an upsert table is always read from its beginning"),
    ("scan.startup.timestamp-millis", "leave it out: an upsert table is always read from its beginning"),
    ("scan.startup.specific-offsets", "leave it out: an upsert table is always read from its beginning"),
    ("key.fields", "leave it out: the primary key is the key of the records"),
    ("topic-pattern", "name the topics: 'topic' = 'a;b'"),
    ("format", "set 'key.format' and 'value.format'"),
];

/// Why an option of Flink's can't be set, if it is one that can't.
pub(super) fn reason(connector: &str, name: &str) -> Option<&'static str> {
    let of_upserts = if connector == "upsert-kafka" { NOT_OF_UPSERTS } else { &[] };
    let is = |(refused, _): &&(&str, &str)| {
        *refused == name || (refused.ends_with('.') && name.starts_with(refused))
    };
    REFUSED.iter().chain(of_upserts).find(is).map(|(_, reason)| *reason)
}

/// Properties of Kafka's client that a table may set.
const PROPERTIES: &[&str] = &[
    "client.id",
    "client.rack",
    "client.dns.lookup",
    "connections.max.idle.ms",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "socket.connection.setup.timeout.ms",
    "send.buffer.bytes",
    "receive.buffer.bytes",
    "metadata.max.age.ms",
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "sasl.username",
    "sasl.password",
    "sasl.kerberos.service.name",
    "ssl.truststore.type",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "ssl.cipher.suites",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "fetch.max.bytes",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "linger.ms",
    "batch.size",
    "max.request.size",
    "compression.type",
];

/// Properties that Flink's files have, and that are decided elsewhere.
const DECIDED: &[(&str, &str)] = &[
    ("auto.offset.reset", "set 'scan.startup.mode'"),
    ("enable.auto.commit", "leave it out: offsets are committed with the results, in one transaction"),
    ("auto.commit.interval.ms", "leave it out: offsets are committed with the results, in one transaction"),
    (
        "allow.auto.create.topics",
        "leave it out: topics that are read have to be there, and those that are written are made",
    ),
    ("isolation.level", "leave it out: inputs are read committed, as exactly-once needs it"),
    ("transactional.id", "leave it out: transactions are named by the job"),
    ("transaction.timeout.ms", "leave it out: it is a setting of the job"),
    ("enable.idempotence", "leave it out: records are written exactly once"),
    ("acks", "leave it out: records count as written when all replicas in sync have them"),
    ("retries", "leave it out: sending is repeated until the transaction's time-out"),
    ("max.poll.records", "leave it out: runs of records are cut by size"),
    ("partitioner.class", "leave it out: partitions are chosen as Kafka's Java client chooses them"),
    ("key.serializer", "leave it out: set 'key.format'"),
    ("value.serializer", "leave it out: set 'value.format'"),
    ("key.deserializer", "leave it out: set 'key.format'"),
    ("value.deserializer", "leave it out: set 'value.format'"),
    (
        "ssl.truststore.location",
        "a Java key store can't be read; set 'properties.ssl.truststore.certificates', in PEM",
    ),
    (
        "ssl.keystore.location",
        "a Java key store can't be read; set 'properties.ssl.keystore.key' and \
      'properties.ssl.keystore.certificate.chain', in PEM",
    ),
];

/// Checks a property of Kafka's client, named without its prefix.
pub(super) fn check_property(name: &str, key: &Spanned<String>) -> Result<(), SqlError> {
    if PROPERTIES.contains(&name) {
        return Ok(());
    }
    if let Some((_, help)) = DECIDED.iter().find(|(decided, _)| *decided == name) {
        let error = SqlError::new(code::REFUSED_OPTION, key.span, format!("'{}' can't be set", key.value));
        return Err(error.help(*help));
    }
    let message = format!("'properties.{name}' is no property that a table may set");
    let help = match nearest(name, PROPERTIES.iter().copied()) {
        Some(near) => format!("did you mean 'properties.{near}'?"),
        None => "leave it out; what a whole process needs is set where it is configured".to_owned(),
    };
    Err(SqlError::new(code::UNKNOWN_OPTION, key.span, message).help(help))
}
