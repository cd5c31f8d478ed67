//! Rights that a client has not, and settings that brokers do not take: said at once, by both clients.

use millstream_log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_log::{
    ErrorKind, Isolation, Log, LogError, MemberOptions, OffsetQuery, ReaderOptions, RecordsBuilder,
    TopicPartition, TopicSpec, TransactionError, TransactionOptions,
};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const JAAS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

/// A broker on which nobody but who does not log in may do anything.
fn broker() -> Option<Broker> {
    let listener = "listener.name.login";
    let properties = [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        "super.users=User:ANONYMOUS".to_owned(),
        "transaction.max.timeout.ms=20000".to_owned(),
        format!("{listener}.sasl.enabled.mechanisms=PLAIN"),
        format!("{listener}.plain.sasl.jaas.config={JAAS} required user_alice=\"hush\";"),
    ];
    let listeners = vec![("LOGIN".to_owned(), "SASL_PLAINTEXT".to_owned())];
    Broker::start(&BrokerOptions { properties: properties.into(), listeners, ..BrokerOptions::default() })
}

fn alice(broker: &Broker, client: &str) -> KafkaLog {
    let properties = [
        ("kafka.client", client),
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "alice"),
        ("sasl.password", "hush"),
    ];
    let config = KafkaConfig::new(broker.bootstrap_at("LOGIN"));
    let config = properties
        .iter()
        .try_fold(config, |config, (key, value)| config.with(key, value, PropertySource::Operator));
    KafkaLog::connect(config.expect("properties")).expect("the broker answers")
}

/// Calls until there is an error that is not for asking again.
fn refused<T>(what: &str, mut call: impl FnMut() -> Result<T, LogError>) -> LogError {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Err(error) if !error.is_retriable() => return error,
            _ => assert!(Instant::now() < deadline, "{what}: nothing was refused"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn assert_denied(what: &str, error: &LogError, right: &str) {
    assert!(matches!(error, LogError::Denied(_)), "{what}: {error:?}");
    assert_eq!(error.kind(), ErrorKind::FixConfiguration);
    let said = error.to_string();
    assert!(said.contains(&format!("User:alice has not the right to {right}")), "{what}: {said}");
    assert!(said.contains("--allow-principal User:alice --operation"), "{what}: {said}");
    assert!(!said.contains("hush"), "{what}: {said}");
}

/// Getting a transactional writer, until that is refused for good.
fn init_refused(log: &KafkaLog, id: &str, timeout_ms: u64) -> LogError {
    let options = TransactionOptions { id: id.to_owned(), timeout_ms };
    let mut writer = log.transactional_writer(&options).expect("a writer");
    refused(&format!("init of {id}"), || match writer.init() {
        Ok(()) => Ok(()),
        Err(TransactionError::Permanent(error)) => Err(error),
        Err(TransactionError::Retriable(text)) => Err(LogError::NotReady(text)),
        Err(other) => panic!("{other:?}"),
    })
}

#[test]
fn what_is_not_allowed_ends_with_the_operation_the_resource_and_who_asked() {
    let Some(broker) = broker() else { return };
    let open = KafkaLog::connect(KafkaConfig::new(broker.bootstrap())).expect("the broker answers");
    open.admin().expect("an admin").create_topic(&TopicSpec::new("t", 1)).expect("made");
    let place = TopicPartition::new("t", 0);
    for client in ["wire", "rdkafka"] {
        let log = alice(&broker, client);
        let mut admin = log.admin().expect("an admin");
        let error = refused("describe", || admin.describe_topic("t"));
        assert_denied("describe", &error, "Describe topic \"t\"");
        let error = refused("create", || admin.create_topic(&TopicSpec::new("u", 1)));
        assert_denied("create", &error, "Create topic \"u\"");
        let group = "g".to_owned();
        let options =
            MemberOptions { group, instance: None, topics: vec!["t".to_owned()], session_timeout_ms: 10_000 };
        let mut member = log.member(&options).expect("a member");
        let error = refused("member", || member.poll());
        assert_denied("member", &error, "Read group \"g\"");
        let error = init_refused(&log, "job-0", 10_000);
        assert!(error.to_string().contains("transactional id \"job-0\""), "{client}: {error}");
        assert!(matches!(error, LogError::Denied(_)), "{client}: {error:?}");
        // librdkafka's consumer says nothing of it; whoever reads has asked for the topic's offsets before.
        if client == "wire" {
            let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).expect("a reader");
            reader.assign(&[(place.clone(), 0)]).expect("assigned");
            let error = refused("read", || reader.poll(Duration::from_millis(50), &mut Vec::new()));
            assert_denied("read", &error, "Read topic \"t\"");
        }
        let error = refused("offsets", || {
            admin.offsets(std::slice::from_ref(&place), OffsetQuery::Earliest, Isolation::ReadCommitted)
        });
        assert_denied("offsets", &error, "Describe topic \"t\"");
        let mut writer = log.writer().expect("a writer");
        let error = refused("write", || {
            let mut records = RecordsBuilder::default();
            records.push(None, Some(b"x"), 1);
            writer.write(&place, records.finish())?;
            writer.flush(PATIENCE)
        });
        assert!(matches!(error, LogError::Denied(_)), "{client}: {error:?}");
    }
}

/// Both were asked for again some hundred times a second, without a word.
#[test]
fn settings_that_brokers_do_not_take_end_with_their_names() {
    let Some(broker) = broker() else { return };
    for client in ["wire", "rdkafka"] {
        let config = KafkaConfig::new(broker.bootstrap()).with("kafka.client", client, PropertySource::Job);
        let log = KafkaLog::connect(config.expect("a client")).expect("the broker answers");
        let error = init_refused(&log, &format!("job-{client}"), 30_000);
        let said = error.to_string();
        assert!(matches!(error, LogError::Rejected(_)), "{client}: {error:?}");
        for part in ["transaction.max.timeout.ms", "millstream.transaction-timeout"] {
            assert!(said.contains(part), "{client}: {part} is missing in {said}");
        }
    }
    let log = KafkaLog::connect(KafkaConfig::new(broker.bootstrap())).expect("the broker answers");
    let options = TransactionOptions { id: "long".repeat(10_000), timeout_ms: 10_000 };
    let error = log.transactional_writer(&options).err().expect("no such id");
    assert!(matches!(error, LogError::Rejected(_)), "{error:?}");
    assert!(error.to_string().contains("too long"), "{error}");
}
