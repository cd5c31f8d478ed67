//! The log: whether it can be reached and lets this client in, and does transactions.

use super::topics::Topic;
use super::{Finding, bad, brokers, good, poor};
use crate::cli::Failure;
use crate::cli::log_args::ChosenLog;
use millstream::log::kafka::KafkaConfig;
use millstream::log::{Log, TransactionError, TransactionOptions};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it is waited for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer that takes longer is slow.
const SLOW: Duration = Duration::from_millis(500);
/// How often a coordinator that is not there yet is asked.
const TRIES: usize = 20;

/// What was found, and the log if it is there.
pub(super) fn look(chosen: ChosenLog, topics: &[Topic]) -> (Vec<Finding>, Option<Arc<dyn Log>>) {
    let mut findings = match &chosen {
        ChosenLog::Kafka(config) => servers(config),
        ChosenLog::Embedded(_) => Vec::new(),
    };
    if findings.iter().all(|finding| finding.mark == super::Mark::Bad) && !findings.is_empty() {
        return (findings, None);
    }
    if let ChosenLog::Kafka(config) = &chosen {
        findings.extend(brokers::look(config, topics));
    }
    let is_kafka = matches!(chosen, ChosenLog::Kafka(_));
    match reached(chosen) {
        Ok((log, took, topics)) => {
            let info = log.info();
            let found =
                format!("{} at {}: {topics} topics, answered in {took:.1?}", info.kind, info.location);
            findings.push(match took > SLOW {
                true => poor("log", found, "commits wait for answers: is it far away, or busy?"),
                false => good("log", found),
            });
            if is_kafka {
                findings.push(transactions(&*log));
            }
            (findings, Some(log))
        }
        Err(failure) => {
            let help = match is_kafka {
                true => {
                    "TLS and SASL are set with --client-config FILE: security.protocol, ssl.ca.location, sasl.mechanism, .."
                }
                false => "millstream topic create makes a log where there is none",
            };
            findings.push(bad("log", failure.to_string(), help));
            (findings, None)
        }
    }
}

fn reached(chosen: ChosenLog) -> Result<(Arc<dyn Log>, Duration, usize), Failure> {
    let log = chosen.open_for_topics(false)?;
    let begun = Instant::now();
    let topics = log.admin()?.topics()?.len();
    Ok((log, begun.elapsed(), topics))
}

/// Whether each server has an address at which something listens.
fn servers(config: &KafkaConfig) -> Vec<Finding> {
    let servers = config.bootstrap().split(',').map(str::trim).filter(|server| !server.is_empty());
    servers.map(|server| listens(server, PATIENCE)).collect()
}

fn listens(server: &str, patience: Duration) -> Finding {
    let begun = Instant::now();
    let addresses = match server.to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<_>>(),
        Err(error) => {
            return bad(
                "broker",
                format!("{server}: {error}"),
                "is the name right, and does this machine's DNS know it?",
            );
        }
    };
    let mut last = None;
    for address in &addresses {
        match TcpStream::connect_timeout(address, patience) {
            Ok(_) => {
                return good(
                    "broker",
                    format!("{server} is {address}, and listens ({:.1?})", begun.elapsed()),
                );
            }
            Err(error) => last = Some(format!("{server} is {address}: {error}")),
        }
    }
    let found = last.unwrap_or_else(|| format!("{server} has no address"));
    bad("broker", found, "is the broker there, the port right, and no firewall between?")
}

/// Begins a transaction and aborts it.
fn transactions(log: &dyn Log) -> Finding {
    let id = format!("millstream-doctor-{}", std::process::id());
    let begun = Instant::now();
    let options = TransactionOptions { id, timeout_ms: 10_000 };
    let mut writer = match log.transactional_writer(&options) {
        Ok(writer) => writer,
        Err(error) => return bad("transactions", error.to_string(), HELP),
    };
    for _ in 0..TRIES {
        match writer.init() {
            Ok(()) => break,
            Err(TransactionError::Retriable(_)) => std::thread::sleep(Duration::from_millis(250)),
            Err(error) => return bad("transactions", error.to_string(), HELP),
        }
    }
    let done = writer.begin().and_then(|()| writer.abort().map(drop));
    match done {
        Ok(()) => good("transactions", format!("begun and aborted in {:.1?}", begun.elapsed())),
        Err(error) => bad("transactions", error.to_string(), HELP),
    }
}

const HELP: &str = "exactly-once needs them: the rights WRITE and DESCRIBE on transactional ids that begin with millstream-, and \
                    brokers whose transaction.max.timeout.ms is 10 s or more";

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_server_listens_or_it_is_said_why_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap().to_string();
        assert_eq!(listens(&server, PATIENCE).mark, Mark::Good);
        drop(listener);
        let found = listens(&server, PATIENCE);
        assert!(found.mark == Mark::Bad && found.found.contains("refused"), "{found:?}");
        assert_eq!(listens("no-such-host.invalid:9092", PATIENCE).mark, Mark::Bad);
    }
}
