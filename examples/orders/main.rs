//! An order pipeline: one topic of orders, and three jobs that read it, each in a group of its own and at its own pace.
//!
//! ```text
//! cargo run --release --example orders -- inventory     # stock by article, and what can't be delivered
//! cargo run --release --example orders -- sales         # revenue by article and hour, and by customer
//! cargo run --release --example orders -- notify        # a message for each order, once
//! ```
//! Each on the embedded log in `orders-data`, whose owner can be one process: `all` runs the three in one. On Kafka they are
//! three processes, or thirty: `MILLSTREAM_BOOTSTRAP_SERVERS=broker:9092`. A job that is started later, or under another name
//! (`-- sales sales-again`), begins with the first order there is.

#![allow(unreachable_pub, reason = "a program's own modules, as they are written outside of this project")]

mod events;
mod inventory;
mod notify;
mod sales;

use millstream::{Job, JobError, Topology, TopologyError};
use std::error::Error;

/// The jobs by name.
const JOBS: [(&str, fn() -> Result<Topology, TopologyError>); 3] =
    [("inventory", inventory::inventory), ("sales", sales::sales), ("notify", notify::notify)];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let which = arguments.next().unwrap_or_default();
    if which == "all" {
        return Ok(all()?);
    }
    let Some((name, job)) = JOBS.into_iter().find(|(name, _)| *name == which) else {
        return Err("expected inventory, sales, notify or all".into());
    };
    let name = arguments.next().unwrap_or_else(|| name.to_owned());
    let builder = Job::builder(name).directory("orders-data");
    Ok(events::TOPICS.iter().fold(builder, |job, topic| job.topic(topic, 4)).run(&job()?)?)
}

/// The three jobs as one: the same topologies, in one process that owns the embedded log.
fn all() -> Result<(), JobError> {
    use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
    let log = std::sync::Arc::new(EmbeddedLog::open("orders-data/log", &EmbeddedOptions::default())?);
    let run = |(name, job): (&'static str, fn() -> Result<Topology, TopologyError>)| {
        let builder = Job::builder(name).log(log.clone()).state(format!("orders-data/state/{name}"));
        let builder =
            events::TOPICS.iter().fold(builder.without_environment(), |job, topic| job.topic(topic, 4));
        // What is declared here fits together: the tests plan it.
        std::thread::spawn(move || job().map(|topology| builder.run(&topology)))
    };
    let running: Vec<_> = JOBS.into_iter().map(run).collect();
    for thread in running {
        if let Ok(Ok(ended)) = thread.join() {
            ended?;
        }
    }
    Ok(())
}
