//! `millstream topic`: the same on both logs.

mod consume;
mod manage;
mod produce;

pub(super) use manage::described;

use super::Failure;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum TopicCommand {
    /// Create a topic; its records are kept for ever unless told otherwise
    Create(manage::CreateArgs),
    /// List the topics
    List(manage::ListArgs),
    /// Show a topic's partitions, offsets and settings
    Describe(manage::DescribeArgs),
    /// Delete a topic and its records
    Delete(manage::DeleteArgs),
    /// Write records from a file or standard input
    Produce(produce::ProduceArgs),
    /// Print records, one JSON object a line
    Consume(consume::ConsumeArgs),
}

impl TopicCommand {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            TopicCommand::Create(args) => args.run(),
            TopicCommand::List(args) => args.run(),
            TopicCommand::Describe(args) => args.run(),
            TopicCommand::Delete(args) => args.run(),
            TopicCommand::Produce(args) => args.run(),
            TopicCommand::Consume(args) => args.run(),
        }
    }
}
