//! A broker's settings.

use super::BrokerOptions;
use std::fmt::Write as _;
use std::path::Path;

/// Where a broker listens.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) broker: u16,
    pub(super) controller: u16,
    /// Where the proxy reaches the broker, and where clients reach the proxy.
    pub(super) proxied: u16,
    pub(super) proxy: u16,
    /// Those of [`BrokerOptions::listeners`].
    pub(super) listeners: Vec<(String, u16)>,
}

/// What a process is in its cluster.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) node: u32,
    /// The first one is; the others rely on it.
    pub(super) is_controller: bool,
}

pub(super) const LOGGING: &str = "rootLogger.level=WARN\n\
    rootLogger.appenderRef.console.ref=console\n\
    appender.console.type=Console\n\
    appender.console.name=console\n\
    appender.console.layout.type=PatternLayout\n\
    appender.console.layout.pattern=%d %p %c: %m%n\n";

/// Short waits, so that tests of what happens in time do not take long.
pub(super) fn properties(dir: &Path, role: &Role, ports: &Ports, options: &BrokerOptions) -> String {
    let Ports { broker, controller, proxied, proxy, listeners } = ports;
    let (roles, controller_listener) = match role.is_controller {
        true => ("broker,controller", format!(",CONTROLLER://127.0.0.1:{controller}")),
        false => ("broker", String::new()),
    };
    let (mut more, mut protocols) = (String::new(), String::new());
    for ((name, protocol), (_, port)) in options.listeners.iter().zip(listeners) {
        let _ = write!(more, ",{name}://127.0.0.1:{port}");
        let _ = write!(protocols, ",{name}:{protocol}");
    }
    let mut text = format!(
        "process.roles={roles}\n\
         node.id={node}\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},PROXIED://127.0.0.1:{proxied}{more}{controller_listener}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker},PROXIED://127.0.0.1:{proxy}{more}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT{protocols}\n\
         log.dirs={dir}\n\
         auto.create.topics.enable=false\n\
         broker.session.timeout.ms=2000\n\
         broker.heartbeat.interval.ms=300\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         transaction.abort.timed.out.transaction.cleanup.interval.ms=1000\n\
         group.initial.rebalance.delay.ms=0\n\
         log.cleaner.backoff.ms=200\n\
         group.min.session.timeout.ms=1000\n\
         log.initial.task.delay.ms=500\n\
         log.retention.check.interval.ms=500\n",
        node = role.node,
        dir = dir.join("data").display()
    );
    for property in &options.properties {
        let _ = writeln!(text, "{property}");
    }
    text
}
