//! Jobs on a real Kafka, in processes that are killed, cut off and stopped.
//!
//! A process of a job is this test binary once more, running the same test: [`test`] tells the two apart.

mod process;
mod stopped;
mod words;
mod world;

use millstream_test_support::kafka::shared;
use process::Spec;
use world::World;

/// Runs a test, or in a process that a test has started what it was started for.
fn test(body: fn(&World)) {
    match Spec::from_env() {
        Some(spec) => process::run(&spec),
        None => {
            if let Some(broker) = shared() {
                body(&World::new(broker));
            }
        }
    }
}
