//! A log behind TLS and a login: every kind of client gets in with the right password, and is told of a wrong one.
//!
//! Where `kafka.client` is `wire` that is two implementations behind one configuration: groups and administration are
//! librdkafka's. What each mechanism does is tested in `log/wire/tests/security.rs`.

use millstream_log::clock::{Clock, SystemClock};
use millstream_log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_log::{
    Isolation, Log, LogError, MemberEvent, MemberOptions, ReaderOptions, RecordsBuilder, TopicPartition,
    TopicSpec,
};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::time::{Duration, Instant};

/// A broker that wants a login over TLS, and the certificate of who vouches for it.
fn guarded() -> Option<(Broker, String)> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    // OpenSSL takes a certificate whose issuer has its own name for one that vouches for itself.
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &authority).expect("a certificate").pem();
    let one_line = |pem: &str| pem.lines().map(|line| format!("{line}\\n")).collect::<String>();
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    let properties = [
        ("ssl.keystore.type", "PEM".to_owned()),
        ("ssl.keystore.certificate.chain", one_line(&certificate)),
        ("ssl.keystore.key", one_line(&key.serialize_pem())),
        ("sasl.enabled.mechanisms", "SCRAM-SHA-512".to_owned()),
        ("scram-sha-512.sasl.jaas.config", scram.to_owned()),
    ];
    let options = BrokerOptions {
        properties: properties.map(|(key, value)| format!("listener.name.secret.{key}={value}")).into(),
        listeners: vec![("SECRET".to_owned(), "SASL_SSL".to_owned())],
        scram_users: vec!["SCRAM-SHA-512=[name=me,password=hush]".to_owned()],
        ..BrokerOptions::default()
    };
    Some((Broker::start(&options)?, authority.pem()))
}

fn connect(broker: &Broker, authority: &str, client: &str, password: &str) -> Result<KafkaLog, LogError> {
    let mut config = KafkaConfig::new(broker.bootstrap_at("SECRET"));
    for (key, value) in [
        ("kafka.client", client),
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.pem", authority),
        ("sasl.mechanisms", "SCRAM-SHA-512"),
        ("sasl.username", "me"),
        ("sasl.password", password),
    ] {
        config = config.with(key, value, PropertySource::Operator)?;
    }
    config.request_timeout = Duration::from_secs(8);
    KafkaLog::connect(config)
}

fn a_log_behind_a_login(client: &str) {
    let Some((broker, authority)) = guarded() else { return };
    let log = connect(&broker, &authority, client, "hush").expect("the right password");
    let place = TopicPartition::new("behind", 0);
    log.admin().expect("an admin").create_topic(&TopicSpec::new("behind", 1)).expect("a topic");

    let mut records = RecordsBuilder::default();
    // Of now: what is old is deleted soon.
    records.push(Some(b"key"), Some(b"value"), SystemClock::default().wall_ms());
    let mut writer = log.writer().expect("a writer");
    writer.write(&place, records.finish()).expect("a write");
    writer.flush(Duration::from_secs(30)).expect("a flush");

    let deadline = Instant::now() + Duration::from_secs(60);
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).expect("a reader");
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    let mut runs = Vec::new();
    while runs.is_empty() {
        assert!(Instant::now() < deadline, "nothing is read");
        reader.poll(Duration::from_millis(100), &mut runs).expect("a poll");
    }
    assert_eq!(runs[0].records.get(0).value, Some(&b"value"[..]));

    let options = MemberOptions {
        group: "behind".to_owned(),
        instance: None,
        topics: vec!["behind".to_owned()],
        session_timeout_ms: 10_000,
    };
    let mut member = log.member(&options).expect("a member");
    loop {
        assert!(Instant::now() < deadline, "the group gives it nothing");
        match member.poll().expect("a poll") {
            Some(MemberEvent::Assigned(places)) => break assert_eq!(places, std::slice::from_ref(&place)),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }

    let refused = connect(&broker, &authority, client, "wrong").expect_err("the wrong password").to_string();
    assert!(refused.to_lowercase().contains("authentication") && !refused.contains("wrong"), "{refused}");
}

#[test]
fn a_log_behind_tls_and_a_login_by_wire() {
    a_log_behind_a_login("wire");
}

#[test]
fn a_log_behind_tls_and_a_login_by_rdkafka() {
    a_log_behind_a_login("rdkafka");
}
