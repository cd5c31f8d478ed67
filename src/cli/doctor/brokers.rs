//! Brokers: whether TLS and login work, whether they can be reached where they say they are, what they speak, and what this
//! client may do with a job's topics.

use super::{Finding, bad, good, poor};
use millstream::log::kafka::{BrokerLook, ClusterLook, KafkaConfig, TopicRights, look as look_at};

/// A topic, whether it is read, and whether it holds upserts.
type Topic = (String, bool, bool);

pub(super) fn look(config: &KafkaConfig, topics: &[Topic]) -> Vec<Finding> {
    let names: Vec<String> = topics.iter().map(|(name, ..)| name.clone()).collect();
    match look_at(config, &names) {
        Ok(found) => told(&found, topics),
        Err(error) => vec![bad(
            "cluster",
            error.to_string(),
            "the client's properties are those of --client-config, --client-property and client-property in millstream.toml",
        )],
    }
}

fn told(found: &ClusterLook, topics: &[Topic]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        found.bootstrap.iter().map(|broker| login(broker, &found.secured)).collect();
    if found.advertised.is_empty() {
        return findings;
    }
    findings.extend(found.advertised.iter().map(advertised));
    findings.push(features(found));
    findings.extend(found.rights.iter().filter_map(|rights| right(rights, topics)));
    findings
}

/// Whether a broker that this client was told of lets it in.
fn login(broker: &BrokerLook, secured: &str) -> Finding {
    let address = &broker.address;
    let error = match &broker.reached {
        Ok(took) => return good("login", format!("{address}: {secured}, let in within {took:.1?}")),
        Err(error) => error.to_string(),
    };
    let help = match () {
        () if error.contains("TLS") || error.contains("certificate") => {
            "ssl.ca.location names the certificate of who signed the broker's, which has to have this name in it; with \
             security.protocol=plaintext there is no TLS"
        }
        () if secured.ends_with("no login") => {
            "where the port expects TLS or a login, say so with security.protocol and sasl.mechanism in --client-config FILE"
        }
        () => "sasl.mechanism, sasl.username and sasl.password have to be those that the cluster knows",
    };
    bad("login", format!("{address}: {secured}: {error}"), help)
}

/// Whether a broker can be reached where it says that it is.
fn advertised(broker: &BrokerLook) -> Finding {
    let id = broker.id.unwrap_or_default();
    let address = &broker.address;
    match &broker.reached {
        Ok(_) => good("advertised", format!("broker {id} says it is at {address}, and is")),
        Err(error) => bad(
            "advertised",
            format!("broker {id} says it is at {address}: {error}"),
            "clients go on with the address that a broker gives out: its advertised.listeners has to be one that this machine \
             can reach, also from a container",
        ),
    }
}

fn features(found: &ClusterLook) -> Finding {
    let (metadata, transactions) = found.levels;
    let levels = format!("metadata.version {metadata}, transaction.version {transactions}");
    match found.missing.is_empty() {
        false => bad(
            "features",
            format!("{levels}; brokers do not speak {}", found.missing.join(", ")),
            "exactly-once needs Kafka 2.5 or later, or what speaks its protocol in full",
        ),
        true => good("features", format!("{levels}; brokers speak all that jobs ask for")),
    }
}

/// What is not allowed with a topic; nothing where all is.
fn right(rights: &TopicRights, topics: &[Topic]) -> Option<Finding> {
    let topic = &rights.topic;
    let acl = |operation: &str| {
        format!(
            "allow it: kafka-acls.sh --add --allow-principal User:.. --operation {operation} --topic {topic}"
        )
    };
    if let Some(code) = rights.refused {
        // One that is not there is told of elsewhere.
        let name = code.to_string();
        return name
            .contains("AUTHORIZATION")
            .then(|| bad("rights", format!("{topic}: {name}"), acl("Describe")));
    }
    let uses: Vec<bool> =
        topics.iter().filter(|(name, ..)| name == topic).map(|(_, is_read, _)| *is_read).collect();
    let lacks_read = uses.contains(&true) && rights.may_read() == Some(false);
    let lacks_write = uses.contains(&false) && rights.may_write() == Some(false);
    match (lacks_read, lacks_write) {
        (true, _) => Some(bad("rights", format!("{topic} may not be read"), acl("Read"))),
        (_, true) => Some(bad("rights", format!("{topic} may not be written"), acl("Write"))),
        _ if rights.may_read().is_none() => Some(poor(
            "rights",
            format!("{topic}: the broker does not tell what this client may do with it"),
            "it needs Read on what is read and Write on what is written, and on groups and transactional ids of millstream-",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_brokers_lack_is_said_with_what_to_do() {
        let found = ClusterLook {
            secured: "TLS, PLAIN".to_owned(),
            missing: vec!["EndTxn"],
            levels: (27, 2),
            ..ClusterLook::default()
        };
        let finding = features(&found);
        assert!(finding.mark == Mark::Bad && finding.found.contains("do not speak EndTxn"), "{finding:?}");
        let config = KafkaConfig::new("127.0.0.1:1");
        let found = look_at(&config, &[]).unwrap();
        assert!(found.advertised.is_empty());
        let findings = told(&found, &[]);
        assert_eq!(findings.len(), 1);
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert!(finding.mark == Mark::Bad && finding.help.as_ref().unwrap().contains("security.protocol"));
        let reached =
            BrokerLook { id: Some(3), reached: Ok(Duration::from_millis(2)), ..found.bootstrap[0].clone() };
        assert_eq!(advertised(&reached).found, "broker 3 says it is at 127.0.0.1:1, and is");
        assert_eq!(advertised(&BrokerLook { id: Some(3), ..found.bootstrap[0].clone() }).mark, Mark::Bad);
    }
}
