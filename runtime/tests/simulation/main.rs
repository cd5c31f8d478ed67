//! The commit protocol under attack: production workers on the log in memory, everything decided by one seed.
//!
//! A [`world::World`] holds a few processes of one job, their disks and the broker. A seed decides, event by event, whose
//! turn it is: a worker takes one step of its protocol, time passes, a transaction marker arrives, a request is lost or
//! delayed, a process is killed, paused, started twice, or comes back with an old disk. Afterwards everything is set
//! right and the job has to drain its input; then the committed output must hold every input record exactly once, and
//! the folded counts must be those of the input.
//!
//! Run more seeds with `MILLSTREAM_SEEDS=10000`, repeat one with `MILLSTREAM_SEED=17`.

#![allow(clippy::unwrap_used, reason = "a test")]

mod job;
mod rng;
mod rules;
mod snapshots;
mod world;

use millstream_runtime::worker::Guarantee;
use world::{Profile, run_seed};

/// Seeds of a test run. A full second core-minute of simulation; CI runs them all.
const SEEDS: u64 = 1_000;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    match number("MILLSTREAM_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("MILLSTREAM_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// Runs seeds on all cores; panics with the first that fails and the command that repeats it.
fn run_all(test: &str, profile: Profile) -> world::Totals {
    let seeds = seeds();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failure = std::sync::Mutex::new(None);
    let totals = std::sync::Mutex::new(world::Totals::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(seed) = seeds.get(index).copied() else { return };
                    if failure.lock().unwrap().is_some() {
                        return;
                    }
                    match run_seed(seed, &profile) {
                        Ok(counted) => totals.lock().unwrap().add(&counted),
                        Err(error) => {
                            failure.lock().unwrap().get_or_insert((seed, error));
                        }
                    }
                }
            });
        }
    });
    if let Some((seed, error)) = failure.into_inner().unwrap() {
        panic!(
            "seed {seed}: {error}\nrepeat with: MILLSTREAM_SEED={seed} cargo test --release -p millstream-runtime \
             --test simulation {test} -- --nocapture"
        );
    }
    let totals = totals.into_inner().unwrap();
    println!("{} seeds: {totals:?}", seeds.len());
    if seeds.len() > 50 {
        totals.assert_everything_happened();
    }
    totals
}

#[test]
fn nothing_is_lost_or_doubled_whatever_happens() {
    run_all("nothing_is_lost_or_doubled_whatever_happens", Profile::chaos());
}

/// Output may come again; state is exact, and no journal forks.
#[test]
fn at_least_once_loses_nothing_and_keeps_its_state() {
    let profile = Profile { guarantee: Guarantee::AtLeastOnce, ..Profile::chaos() };
    let totals = run_all("at_least_once_loses_nothing_and_keeps_its_state", profile);
    assert!(totals.repeated > 0 || seeds().len() <= 50, "nothing was repeated: output does not go ahead");
}

#[test]
fn nothing_is_lost_or_doubled_while_journals_are_purged() {
    let totals = run_all("nothing_is_lost_or_doubled_while_journals_are_purged", Profile::purged());
    // Most takings-over in this weather begin with a snapshot, some with the one before the newest.
    assert!(seeds().len() <= 50 || totals.lost_snapshots > 0, "{totals:?}");
}

#[test]
fn nothing_is_lost_or_doubled_by_a_job_that_goes_on_from_a_savepoint() {
    let profile = Profile { savepoint: true, ..Profile::chaos() };
    let totals = run_all("nothing_is_lost_or_doubled_by_a_job_that_goes_on_from_a_savepoint", profile);
    assert_eq!(totals.savepoints, seeds().len() as u64);
}

/// Control run: what lies between tasks belongs to no task.
#[test]
fn a_savepoint_that_does_not_wait_for_what_lies_between_tasks_loses_it() {
    let profile = Profile { savepoint: true, drain: false, ..Profile::chaos() };
    let lost = (0..1_000).find_map(|seed| run_seed(seed, &profile).err().map(|error| (seed, error)));
    let (seed, error) = lost.expect("nothing was lost in 1 000 seeds");
    println!("seed {seed}: {error}");
    assert!(error.starts_with("counts are ") && !error.contains("panicked"), "{error}");
}

#[test]
fn nothing_is_lost_or_doubled_while_partitions_are_added() {
    let profile = Profile { grow: 400, ..Profile::chaos() };
    let totals = run_all("nothing_is_lost_or_doubled_while_partitions_are_added", profile);
    assert!(totals.grown > 0 || seeds().len() <= 50, "{totals:?}");
}

#[test]
fn nothing_is_lost_or_doubled_in_quiet_weather() {
    run_all("nothing_is_lost_or_doubled_in_quiet_weather", Profile::quiet());
}
