//! `millstream dead-letter`: looking at the records that jobs could not use, and giving them back.

mod letters;
mod list;
mod replay;

use super::Failure;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// Print dead letters, why each was refused, whether it was replayed
    List(list::ListArgs),
    /// Write the original records back to the topics they came from
    Replay(replay::ReplayArgs),
}

impl DeadLetterCommand {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            DeadLetterCommand::List(args) => args.run(),
            DeadLetterCommand::Replay(args) => args.run(),
        }
    }
}

/// Why a record was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReasonArg {
    /// It could not be decoded
    Bad,
    /// It came after its time had passed
    Late,
}

impl ReasonArg {
    const ALL: [ReasonArg; 2] = [ReasonArg::Bad, ReasonArg::Late];

    /// As headers and groups have it.
    fn name(self) -> &'static str {
        match self {
            ReasonArg::Bad => "bad",
            ReasonArg::Late => "late",
        }
    }

    /// The group whose offsets say up to where letters of this reason have been replayed. Each reason has one, so that
    /// replaying those of one passes over none of the other.
    fn group(self, topic: &str) -> String {
        format!("millstream-dead-letter-{topic}-{}", self.name())
    }
}
