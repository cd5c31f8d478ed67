//! `millstream why`: why a job puts nothing out, or is behind.

mod reasons;

use super::Failure;
use super::client::ServerArgs;
use super::doctor::topics::held_back;
use super::log_args::LogArgs;
use super::output::print;
use clap::Args;
use reasons::{Reason, reasons};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Between the two looks by which it is seen what moves.
const BETWEEN: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 said, 2 wrong command line or no such job, 4 the server or the log can't be reached")]
pub(crate) struct WhyArgs {
    /// Name of the job
    name: String,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
}

impl WhyArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let path = format!("/api/v1/jobs/{}", self.name);
        let before = self.server.json("GET", &path)?;
        std::thread::sleep(BETWEEN);
        let now = self.server.json("GET", &path)?;
        let mut found = reasons(&before, &now);
        if self.log.is_given() {
            found.extend(self.held(&now)?);
        }
        print(&found.iter().map(Reason::line).collect::<String>())
    }

    /// Transactions that hold readers of the job's topics back.
    fn held(&self, job: &Value) -> Result<Vec<Reason>, Failure> {
        let log = self.log.choose(None)?.open_for_topics(false)?;
        let mut admin = log.admin()?;
        let inputs = reasons::inputs(job);
        let topics: BTreeSet<&str> = inputs.iter().filter_map(|input| input["topic"].as_str()).collect();
        let mut found = Vec::new();
        for topic in topics {
            let Some(described) = admin.describe_topic(topic)? else { continue };
            let held = held_back(&mut *admin, topic, described.partitions)?;
            found.extend(held.into_iter().map(|held| Reason::new(held.found, held.help.unwrap_or_default())));
        }
        Ok(found)
    }
}
