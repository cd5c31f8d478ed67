//! A real Apache Kafka for tests.
//!
//! [`Broker::start`] fetches Kafka with Maven (once per machine, into a cache), formats a directory of its own and
//! starts broker and controller in one process on free loopback ports; [`shared`] gives the one that all tests of a
//! binary use. A [`Broker`] can be stopped, continued, killed and started again on the same data and ports. However its
//! owner ends, the process ends with it. A [`Proxy`] in front of the broker cuts single clients off.
//!
//! Where Java or Maven is missing there is no broker: tests that get `None` pass, after the reason was printed. With
//! `CI=true` in the environment that is a failure instead.

mod fetch;
mod java;
mod process;
mod properties;
mod proxy;

pub use java::run_source;
pub use process::{Broker, BrokerOptions};
pub use proxy::{Mischief, Proxy};

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The broker that all tests of a binary share: they use topics, groups and ids of their own.
pub fn shared() -> Option<&'static Broker> {
    static SHARED: OnceLock<Option<Broker>> = OnceLock::new();
    SHARED.get_or_init(|| Broker::start(&BrokerOptions::default())).as_ref()
}

/// The directory with Kafka's jars, fetched if it is not there; `None` where that can't be done.
///
/// # Panics
/// With `CI=true`, when it can't be done.
pub fn jars() -> Option<PathBuf> {
    available(fetch::jars())
}

/// What is there, or `None` and a line that says why not. In CI there is no excuse.
fn available<T>(found: Result<T, impl Display>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("no Kafka to test with: {reason}")
        }
        Err(reason) => {
            eprintln!("skipped, no Kafka to test with: {reason}");
            None
        }
    }
}
