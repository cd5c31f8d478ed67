//! State larger than memory: a running count for each of many keys, under a budget and with all of it in memory.
//!
//! ```text
//! cargo bench --bench state                     20 000 000 keys, then 5 000 000 updates of keys drawn at random
//! KEYS=2000000 UPDATES=1000000 cargo bench ..   others
//! BUDGETS_MB=256,8192 cargo bench ..            other budgets than 420 MiB, a tenth of what this takes, and 8 GiB
//! ```
//! Each budget has a process of its own, whose resident memory is watched from outside. It reads a topic of a real Apache
//! Kafka, exactly once, and adds its counts up into eight rows, so that the state is what is measured, and a key that was
//! lost or counted twice ends the run.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::Log;
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Counts, number, totals};

// As the binary has it.
#[path = "../src/allocator.rs"]
mod allocator;
mod support;

/// Runs the job in this process; prints how long each half took.
fn child(bootstrap: &str, budget_mb: usize, keys: u64, updates: u64) {
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(KafkaConfig::new(bootstrap)).unwrap());
    let name = format!("counts-{budget_mb}");
    let counts = Counts { keys, name_chars: 0 };
    let planned = sql::plan(&name, &counts.sql(&name, true)).unwrap_or_else(|errors| panic!("{errors}"));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(&name);
    settings.state_directory = Some(directory.path().to_path_buf());
    settings.memory_bytes = budget_mb << 20;
    let begin = Instant::now();
    let job = Job::start(&planned.topology, &log, &settings).unwrap();
    let mut keys_done_s = None;
    let mut last = job.status();
    while !job.is_done(Until::Finished) && !job.has_ended() {
        std::thread::sleep(Duration::from_millis(20));
        last = job.status();
        let read: u64 = last.iter().map(|worker| worker.records_in).sum();
        if read >= keys && keys_done_s.is_none() {
            keys_done_s = Some(begin.elapsed().as_secs_f64());
        }
    }
    let (keys_s, all_s) = (keys_done_s.unwrap(), begin.elapsed().as_secs_f64());
    let count = |of: fn(&millstream::worker::WorkerStatus) -> u64| last.iter().map(of).sum::<u64>();
    print!(
        "{keys_s} {} {} {}",
        all_s - keys_s,
        count(|worker| worker.evictions),
        count(|worker| worker.checkpoints)
    );
    assert_eq!(count(|worker| worker.records_in), keys + updates);
    job.wait(Until::Finished).unwrap();
    let wanted = counts.wanted(keys + updates);
    assert_eq!(totals(&log, &name), wanted, "keys, events and the sum of their values");
}

/// Resident memory of a process, and the most it has been, in MiB.
fn resident_mb(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? >> 10)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

fn measure(bootstrap: &str, budget_mb: &str, keys: u64, updates: u64) -> f64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env("STATE_BENCH_CHILD", bootstrap)
        .env("STATE_BENCH_BUDGET_MB", budget_mb)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        if let Some((_, most)) = resident_mb(child.id()) {
            peak = peak.max(most);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let figures: Vec<f64> = out.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    let [keys_s, updates_s, evictions, checkpoints] = figures[..] else { panic!("the job failed: {out}") };
    let rate = updates as f64 / updates_s;
    println!(
        "budget_mb={budget_mb} new_keys_per_s={:.0} updates_per_s={rate:.0} resident_mb={peak} \
         resident_ratio={:.2} evictions={evictions} checkpoints={checkpoints}",
        keys as f64 / keys_s,
        peak as f64 / budget_mb.parse::<f64>().unwrap()
    );
    rate
}

fn main() {
    allocator::keep_little();
    let (keys, updates) = (number("KEYS", 20_000_000), number("UPDATES", 5_000_000));
    if let Ok(bootstrap) = std::env::var("STATE_BENCH_CHILD") {
        return child(&bootstrap, number("STATE_BENCH_BUDGET_MB", 420) as usize, keys, updates);
    }
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let bootstrap = broker.bootstrap();
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(KafkaConfig::new(bootstrap.as_str())).unwrap());
    Counts { keys, name_chars: 0 }.write(&log, 0..keys + updates);
    drop(log);
    println!("# {keys} keys, {updates} updates");
    let budgets = std::env::var("BUDGETS_MB").unwrap_or_else(|_| "420,8192".to_owned());
    let rates: Vec<f64> =
        budgets.split(',').map(|budget| measure(&bootstrap, budget, keys, updates)).collect();
    if let [small, large] = rates[..] {
        println!("state ratio_to_memory={:.2}", small / large);
    }
}
