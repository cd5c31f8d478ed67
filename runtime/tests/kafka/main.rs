//! Jobs on a real Kafka, in processes that are killed, cut off and stopped.
//!
//! A process of a job is this test binary once more, running the same test: [`test`] tells the two apart. Both clients of
//! Kafka have to do; what happens without a rule is shown by one.

mod process;
mod stopped;
mod words;
mod world;

use millstream_test_support::kafka::shared;
use process::Spec;
use world::World;

/// Runs a test by a client of Kafka, or in a process that a test has started what it was started for.
fn test(client: &'static str, body: fn(&World)) {
    match Spec::from_env() {
        Some(spec) => process::run(&spec),
        None => {
            if let Some(broker) = shared() {
                body(&World::new(broker, client));
            }
        }
    }
}

macro_rules! tests {
    ($client:literal => $($module:ident { $($test:ident,)+ })+) => {
        $($(#[test]
        fn $test() {
            crate::test($client, crate::$module::$test);
        })+)+
    };
}

mod by_wire {
    tests! { "wire" =>
        words {
            words_are_counted_once_by_processes_that_are_killed,
            words_are_counted_once_by_processes_that_are_cut_off,
        }
        stopped {
            a_commit_that_lands_after_its_session_is_waited_for,
            without_waiting_for_pending_offsets_words_are_doubled,
            a_commit_behind_an_open_transaction_is_waited_for,
            without_reading_to_the_true_end_words_are_doubled,
        }
    }
}

mod by_rdkafka {
    tests! { "rdkafka" =>
        words {
            words_are_counted_once_by_processes_that_are_killed,
            words_are_counted_once_by_processes_that_are_cut_off,
        }
        stopped {
            a_commit_that_lands_after_its_session_is_waited_for,
            a_commit_behind_an_open_transaction_is_waited_for,
        }
    }
}
