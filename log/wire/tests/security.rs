//! TLS and logins against a real broker: who has the right certificate or password reads, who has not is told so.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Tool, batch, numbers, options, place, poll_until, soon};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use millstream_wire::batch::Compression;
use millstream_wire::cluster::Cluster;
use millstream_wire::fetch::Fetcher;
use millstream_wire::{Config, IoThread, WireError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, in PEM.
fn identity(issuer: &Issuer, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// PEM on one line, as files of properties have it.
fn one_line(pem: &str) -> String {
    pem.lines().fold(String::new(), |mut text, line| {
        let _ = write!(text, "{line}\\n");
        text
    })
}

struct World {
    broker: Broker,
    authority: Issuer,
    topic: String,
}

const JAAS: &str = "org.apache.kafka.common.security";

fn world() -> Option<World> {
    let authority = authority();
    let (certificate, key) = identity(&authority, "127.0.0.1");
    let trust = one_line(&authority.pem());
    let mut properties = Vec::new();
    for (listener, client_auth) in [("encrypted", "none"), ("mutual", "required"), ("secret", "none")] {
        for (property, value) in [
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.certificate.chain", &one_line(&certificate)),
            ("ssl.keystore.key", &one_line(&key)),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.certificates", &trust),
            ("ssl.client.auth", client_auth),
        ] {
            properties.push(format!("listener.name.{listener}.{property}={value}"));
        }
    }
    for listener in ["secret", "login"] {
        let login = |mechanism: &str, module: &str| {
            format!("listener.name.{listener}.{mechanism}.sasl.jaas.config={JAAS}.{module};")
        };
        properties.extend([
            format!(
                "listener.name.{listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
            ),
            login("plain", "plain.PlainLoginModule required user_me=\"hush\""),
            login("scram-sha-256", "scram.ScramLoginModule required"),
            login("scram-sha-512", "scram.ScramLoginModule required"),
            login("oauthbearer", "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"me\""),
        ]);
    }
    let listeners =
        [("ENCRYPTED", "SSL"), ("MUTUAL", "SSL"), ("SECRET", "SASL_SSL"), ("LOGIN", "SASL_PLAINTEXT")];
    let options = BrokerOptions {
        properties,
        listeners: listeners.map(|(name, protocol)| (name.to_owned(), protocol.to_owned())).into(),
        scram_users: ["SCRAM-SHA-256", "SCRAM-SHA-512"]
            .map(|it| format!("{it}=[name=me,password=hush]"))
            .into(),
        ..BrokerOptions::default()
    };
    let broker = Broker::start(&options)?;
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(1, &[]);
    tool.write(&place(&topic, 0), batch(&numbers(0..100), Compression::Zstd));
    Some(World { broker, authority, topic })
}

impl World {
    fn config(&self, listener: &str, properties: &[(&str, &str)]) -> Config {
        let mut config = Config::new(&self.broker.bootstrap_at(listener)).unwrap();
        properties.iter().for_each(|(key, value)| config.set(key, value).unwrap());
        config
    }

    fn reads(&self, listener: &str, properties: &[(&str, &str)]) {
        let mut fetcher = Fetcher::start(self.config(listener, properties), &options()).unwrap();
        fetcher.assign(&[(place(&self.topic, 0), 0)]);
        let mut found = Vec::new();
        poll_until(&mut fetcher, &mut found, |_, found| found.len() == 100);
    }

    /// What a client that must not get in is told.
    fn refuses(&self, listener: &str, properties: &[(&str, &str)]) -> String {
        let io = IoThread::start("wire-test").unwrap();
        let cluster = Cluster::new(self.config(listener, properties)).unwrap();
        let refused = io.call("connecting", soon(), async move { cluster.any(soon()).await }).map(drop);
        let error = refused.unwrap_err();
        assert!(matches!(error, WireError::Login { .. }), "{error:?}");
        let text = error.to_string();
        assert!(!text.contains("hush") && !text.contains("wrong-password"), "{text}");
        text
    }
}

/// An endpoint that gives unsigned tokens to who knows the secret; the port it listens on.
fn token_endpoint() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            // "me:hush" in base 64.
            let answer = match text.contains("Basic bWU6aHVzaA==") && text.contains("client_credentials") {
                true => {
                    // {"alg":"none"} and {"sub":"me","iat":1,"exp":4102444800}
                    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsImlhdCI6MSwiZXhwIjo0MTAyNDQ0ODAwfQ.";
                    let body = format!("{{\"access_token\":\"{token}\",\"expires_in\":60}}");
                    format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                }
                false => "HTTP/1.0 401 Unauthorized\r\n\r\n{}".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn who_has_the_right_certificate_or_password_reads_and_nobody_else() {
    let Some(world) = world() else { return };
    let trusted = world.authority.pem();
    let ca = ("ssl.ca.pem", trusted.as_str());

    // TLS
    let tls = ("security.protocol", "ssl");
    world.reads("ENCRYPTED", &[tls, ca]);
    world.reads("ENCRYPTED", &[tls, ("enable.ssl.certificate.verification", "false")]);
    let other = authority().pem();
    let refused = world.refuses("ENCRYPTED", &[tls, ("ssl.ca.pem", &other)]);
    assert!(refused.contains("ssl.ca.pem"), "{refused}");
    let (certificate, key) = identity(&world.authority, "me");
    world.reads("MUTUAL", &[tls, ca, ("ssl.certificate.pem", &certificate), ("ssl.key.pem", &key)]);

    // Passwords
    let tls = ("security.protocol", "sasl_ssl");
    let plain = ("security.protocol", "sasl_plaintext");
    let (user, password) = (("sasl.username", "me"), ("sasl.password", "hush"));
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mechanism = ("sasl.mechanism", mechanism);
        world.reads("LOGIN", &[plain, mechanism, user, password]);
        world.reads("SECRET", &[tls, ca, mechanism, user, password]);
        let refused = world.refuses("LOGIN", &[plain, mechanism, user, ("sasl.password", "wrong-password")]);
        assert!(refused.contains("SASL_AUTHENTICATION_FAILED"), "{refused}");
    }

    // Tokens
    let bearer = ("sasl.mechanism", "OAUTHBEARER");
    world.reads("LOGIN", &[plain, bearer, ("sasl.oauthbearer.config", "principal=me")]);
    let url = format!("http://127.0.0.1:{}/token", token_endpoint());
    let endpoint = ("sasl.oauthbearer.token.endpoint.url", url.as_str());
    let (id, secret) = (("sasl.oauthbearer.client.id", "me"), ("sasl.oauthbearer.client.secret", "hush"));
    world.reads("SECRET", &[tls, ca, bearer, endpoint, id, secret]);
    let wrong = ("sasl.oauthbearer.client.secret", "wrong-password");
    let refused = world.refuses("LOGIN", &[plain, bearer, endpoint, id, wrong]);
    assert!(refused.contains("401"), "{refused}");
    let expired = ("sasl.oauthbearer.config", "principal=me lifeSeconds=0");
    let refused = world.refuses("LOGIN", &[plain, bearer, expired]);
    assert!(refused.contains("token was refused"), "{refused}");
}
