//! A real Apache Kafka. A process of the world is a client id: a proxy in front of the broker cuts it off.

use super::{Feature, Target};
use millstream_log::Log;
use millstream_log::clock::{Clock, SystemClock};
use millstream_log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_test_support::kafka::{Broker, shared};
use std::sync::Arc;
use std::time::Duration;

struct Kafka {
    broker: &'static Broker,
    client: &'static str,
}

/// Read and written by librdkafka.
pub(crate) fn target() -> Option<Box<dyn Target>> {
    target_with("rdkafka")
}

/// Read and written by the project's own client.
pub(crate) fn wire_target() -> Option<Box<dyn Target>> {
    target_with("wire")
}

fn target_with(client: &'static str) -> Option<Box<dyn Target>> {
    // With RUST_LOG in the environment a test that fails shows what the client has said.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    Some(Box::new(Kafka { broker: shared()?, client }))
}

impl Target for Kafka {
    fn prefix(&self) -> &str {
        match self.client {
            "wire" => "wire-",
            _ => "",
        }
    }

    fn log(&self, process: &str) -> Arc<dyn Log> {
        let config = match process {
            "" => KafkaConfig::new(self.broker.bootstrap()),
            _ => KafkaConfig::new(self.broker.proxied_bootstrap())
                .with("client.id", process, PropertySource::Job)
                .expect("a property that may be set"),
        };
        let config = config.with("kafka.client", self.client, PropertySource::Job).expect("a client");
        Arc::new(KafkaLog::connect(config).expect("the broker answers"))
    }

    fn pass(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }

    fn now_ms(&self) -> i64 {
        SystemClock::default().wall_ms()
    }

    fn can(&self, _feature: Feature) -> bool {
        true
    }

    fn pause(&self, process: &str, paused: bool) {
        self.broker.proxy().pause(process, paused);
    }

    fn kill(&self, process: &str) {
        self.broker.proxy().kill(process);
    }

    fn eager_compaction(&self) -> &[(&str, &str)] {
        &[("segment.ms", "50")]
    }

    fn small_segments(&self) -> &[(&str, &str)] {
        &[("segment.bytes", "1048576")]
    }
}
