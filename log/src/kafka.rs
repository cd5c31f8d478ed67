//! Apache Kafka, and whatever else speaks its protocol.
//!
//! [`KafkaLog::connect`] takes a [`KafkaConfig`] and asks the cluster for its id. Readers and writers are the project's own
//! (`wire`), or librdkafka's where [`KafkaClient`] says so; members of groups and administration are librdkafka's either
//! way. Every client of librdkafka is an instance of its own, except for admin clients, which share one. What it does
//! otherwise than the traits promise is mended here:
//!
//! | trait | librdkafka | here |
//! |---|---|---|
//! | [`Reader`] | waits a second when its queue is full, starts over where a position is gone | short waits, and an error with the range there is |
//! | [`Member`] | wants a rebalance answered in a callback | keeps it until the worker answers; heartbeats go on |
//! | [`TransactionalWriter`] | may wait for ever, repeats the end of a transaction unseen, calls fencing by the group abortable | a watchdog, a count of the ends sent, fencing as fencing |
//! | all | close in `Drop`, waiting | are destroyed on a thread of their own |

mod admin;
mod config;
mod errors;
mod java_properties;
mod logging;
mod look;
mod member;
mod native;
mod properties;
mod reader;
mod shared;
mod transactional;
mod watchdog;
mod wire;
mod writer;

pub use config::{KafkaClient, KafkaConfig};
pub use java_properties::java_property;
pub use look::{BrokerLook, ClusterLook, TopicRights, look};
pub use properties::{PropertySource, is_secret};
pub use watchdog::EXIT_CODE_HUNG;

use super::{
    Admin, Log, LogError, LogInfo, Member, MemberOptions, Reader, ReaderOptions, TransactionOptions,
    TransactionalWriter, Writer,
};
use shared::Shared;
use std::sync::Arc;

/// A Kafka cluster.
#[derive(Debug, Clone)]
pub struct KafkaLog {
    shared: Arc<Shared>,
    cluster: String,
}

impl KafkaLog {
    /// Connects to a cluster.
    ///
    /// # Errors
    /// [`LogError::Timeout`] when none of the addresses answers, with the last reason; [`LogError::BadProperty`].
    pub fn connect(config: KafkaConfig) -> Result<Self, LogError> {
        let shared = Arc::new(Shared::connect(config)?);
        let cluster = shared.cluster_id()?;
        Ok(KafkaLog { shared, cluster })
    }
}

impl Log for KafkaLog {
    fn info(&self) -> LogInfo {
        LogInfo {
            kind: "kafka",
            cluster: self.cluster.clone(),
            location: self.shared.config().bootstrap().to_owned(),
        }
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(admin::KafkaAdmin::new(&self.shared)))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        Ok(match self.shared.config().client {
            KafkaClient::Wire => Box::new(wire::WireReader::new(&self.shared, options)?),
            KafkaClient::Rdkafka => Box::new(reader::KafkaReader::new(&self.shared, options)?),
        })
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        Ok(match self.shared.config().client {
            KafkaClient::Wire => Box::new(wire::WireWriter::new(&self.shared)?),
            KafkaClient::Rdkafka => Box::new(writer::KafkaWriter::new(&self.shared)?),
        })
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        Ok(Box::new(member::KafkaMember::new(&self.shared, options)?))
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        Ok(match self.shared.config().client {
            KafkaClient::Wire => Box::new(wire::WireTransactionalWriter::new(&self.shared, options)?),
            KafkaClient::Rdkafka => {
                Box::new(transactional::KafkaTransactionalWriter::new(&self.shared, options)?)
            }
        })
    }
}
