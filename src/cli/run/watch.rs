//! What a running job is doing, for people.

use crate::cli::progress::{Panel, is_live, say};
use indicatif::{BinaryBytes, HumanCount};
use millstream::operators::clock::format_time;
use millstream::operators::{END_OF_TIME, EventTime, NO_WATERMARK};
use millstream::worker::{TaskStatus, WorkerStatus};
use std::collections::VecDeque;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How far back rates look.
const RATE_WINDOW: Duration = Duration::from_secs(3);
/// How often plain lines are written.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);
/// How often the files of the state are looked at.
const DISK_INTERVAL: Duration = Duration::from_secs(2);

/// Shows what a job is doing: live on a terminal, as a line now and then elsewhere.
pub(super) struct Watch {
    job: String,
    state: PathBuf,
    panel: Option<Panel>,
    start: Instant,
    told: Instant,
    /// Records read and written at some moments of the last seconds.
    past: VecDeque<(Instant, u64, u64)>,
    disk: Option<(Instant, u64)>,
    now: Totals,
}

impl Watch {
    pub(super) fn new(job: &str, state: PathBuf) -> Self {
        let now = Instant::now();
        Watch {
            job: job.to_owned(),
            state,
            panel: is_live().then(Panel::new),
            start: now,
            told: now,
            past: VecDeque::new(),
            disk: None,
            now: Totals::default(),
        }
    }

    /// Shows how things are.
    pub(super) fn look(&mut self, workers: &[WorkerStatus]) {
        self.now = Totals::of(workers);
        let now = Instant::now();
        self.past.push_back((now, self.now.records_in, self.now.records_out));
        while self.past.len() > 2 && self.past.front().is_some_and(|(at, ..)| now - *at > RATE_WINDOW) {
            self.past.pop_front();
        }
        if self.panel.is_none() && now - self.told < PLAIN_INTERVAL {
            return;
        }
        self.told = now;
        let disk_bytes = self.disk_bytes(now);
        match &self.panel {
            Some(panel) => panel.show(self.now.live(&self.job, self.rates(), disk_bytes)),
            None => say(&self.now.plain(&self.job, self.rates(), disk_bytes)),
        }
    }

    /// Ends the display; a job that ended well says what it did.
    pub(super) fn close(&mut self, ended_well: bool) {
        self.panel = None;
        if ended_well {
            let Totals { records_in, records_out, commits, .. } = self.now;
            say(&format!(
                "{}: ended; {} records read, {} written, {} commits in {:.1} s",
                self.job,
                HumanCount(records_in),
                HumanCount(records_out),
                HumanCount(commits),
                self.start.elapsed().as_secs_f64(),
            ));
        }
    }

    /// Records read and written in a second.
    fn rates(&self) -> (u64, u64) {
        let (Some(first), Some(last)) = (self.past.front(), self.past.back()) else { return (0, 0) };
        let seconds = (last.0 - first.0).as_secs_f64();
        let rate = |count: u64| if seconds > 0.0 { (count as f64 / seconds).round() as u64 } else { 0 };
        (rate(last.1.saturating_sub(first.1)), rate(last.2.saturating_sub(first.2)))
    }

    fn disk_bytes(&mut self, now: Instant) -> u64 {
        match self.disk {
            Some((at, bytes)) if now - at < DISK_INTERVAL => bytes,
            _ => {
                let bytes = directory_bytes(&self.state);
                self.disk = Some((now, bytes));
                bytes
            }
        }
    }
}

/// Bytes of the files below a directory. Those that come and go meanwhile do not matter.
fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => directory_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// A job over all its workers in this process.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    records_in: u64,
    records_out: u64,
    commits: u64,
    lag: u64,
    state_bytes: u64,
    watermark: Option<EventTime>,
    running: usize,
    waiting: usize,
    restoring: usize,
    /// Offsets of journals read and to read, of the tasks that are being taken over.
    restored: (u64, u64),
    /// Bytes of snapshots fetched and to fetch, of the same.
    fetched: (u64, u64),
    /// What the first task that is not running waits for.
    waits_for: Option<String>,
    /// Rows that were dropped, and why.
    late: u64,
    bad: u64,
    null: u64,
}

impl Totals {
    fn of(workers: &[WorkerStatus]) -> Self {
        let mut totals = Totals::default();
        for worker in workers {
            totals.records_in += worker.records_in;
            totals.records_out += worker.records_out;
            totals.commits += worker.commits;
            worker.tasks.iter().for_each(|task| totals.add(task));
        }
        totals
    }

    fn add(&mut self, task: &TaskStatus) {
        match task.state {
            "running" => {
                self.running += 1;
                self.watermark =
                    Some(self.watermark.map_or(task.watermark, |least| least.min(task.watermark)));
            }
            "restoring" => self.restoring += 1,
            _ => self.waiting += 1,
        }
        self.lag += task.lag;
        self.state_bytes += task.state_bytes;
        if let Some((read, total)) = task.restored {
            self.restored = (self.restored.0 + read.min(total), self.restored.1 + total);
        }
        if let Some((done, total)) = task.fetched {
            self.fetched = (self.fetched.0 + done, self.fetched.1 + total);
        }
        self.waits_for = self.waits_for.take().or_else(|| task.waits_for.clone());
        for (_, counters) in &task.operators {
            self.late += counters.late;
            self.bad += counters.bad;
            self.null += counters.null_dropped;
        }
    }

    /// Which tasks there are and what they do.
    fn tasks(&self) -> String {
        let mut text = match self.running + self.restoring + self.waiting {
            0 => return "joining the group".to_owned(),
            _ => format!("{} tasks running", self.running),
        };
        // Writing to a string does not fail.
        if self.restoring > 0 {
            let (read, total) = self.restored;
            let _ = write!(
                text,
                ", {} restoring ({} of {})",
                self.restoring,
                HumanCount(read),
                HumanCount(total)
            );
        }
        if self.fetched.1 > 0 {
            let (done, total) = (BinaryBytes(self.fetched.0), BinaryBytes(self.fetched.1));
            let _ = write!(text, ", {done} of {total} of snapshots fetched");
        }
        if self.waiting > 0 {
            let _ = write!(text, ", {} waiting", self.waiting);
        }
        if let Some(waits_for) = &self.waits_for {
            let _ = write!(text, " for {waits_for}");
        }
        text
    }

    fn watermark(&self) -> String {
        match self.watermark {
            None | Some(NO_WATERMARK) => "none yet".to_owned(),
            Some(END_OF_TIME) => "not needed, or at the end".to_owned(),
            Some(time) => format_time(time),
        }
    }

    fn dropped(&self) -> String {
        let counts = [("late", self.late), ("bad", self.bad), ("null", self.null)];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(why, count)| format!("{} {why}", HumanCount(count))).collect();
        if counts.is_empty() { String::new() } else { format!("dropped {}", counts.join(", ")) }
    }

    /// As lines that are written over and over.
    fn live(&self, job: &str, (rate_in, rate_out): (u64, u64), disk_bytes: u64) -> String {
        let mut text = format!("{job}: {}\n", self.tasks());
        let _ = writeln!(
            text,
            "  read      {} records, {}/s; lag {}",
            HumanCount(self.records_in),
            HumanCount(rate_in),
            HumanCount(self.lag),
        );
        let _ = writeln!(
            text,
            "  written   {} records, {}/s",
            HumanCount(self.records_out),
            HumanCount(rate_out)
        );
        let _ = writeln!(text, "  watermark {}", self.watermark());
        let (memory, disk) = (BinaryBytes(self.state_bytes), BinaryBytes(disk_bytes));
        let _ = write!(
            text,
            "  commits   {}; state {memory} in memory, {disk} on disk",
            HumanCount(self.commits)
        );
        let dropped = self.dropped();
        if !dropped.is_empty() {
            let _ = write!(text, "\n  {dropped}");
        }
        text
    }

    /// As one line.
    fn plain(&self, job: &str, (rate_in, rate_out): (u64, u64), disk_bytes: u64) -> String {
        let mut text = format!(
            "{job}: {}; read {} ({rate_in}/s), written {} ({rate_out}/s), lag {}, watermark {}, {} commits, state {} in \
             memory, {} on disk",
            self.tasks(),
            self.records_in,
            self.records_out,
            self.lag,
            self.watermark(),
            self.commits,
            BinaryBytes(self.state_bytes),
            BinaryBytes(disk_bytes),
        );
        let dropped = self.dropped();
        if !dropped.is_empty() {
            let _ = write!(text, ", {dropped}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream::TaskId;
    use millstream::operators::Counters;

    fn task(state: &'static str, watermark: EventTime) -> TaskStatus {
        TaskStatus {
            id: TaskId::FIRST,
            state,
            restored: (state == "restoring").then_some((40, 100)),
            fetched: (state == "restoring").then_some((1 << 10, 4 << 10)),
            waits_for: None,
            watermark,
            commit: 3,
            lag: 10,
            state_bytes: 1 << 20,
            finished: false,
            operators: vec![("source".to_owned(), Counters { late: 2, ..Counters::default() })],
        }
    }

    #[test]
    fn a_job_is_the_sum_of_its_workers() {
        let running = WorkerStatus {
            records_in: 1_500,
            records_out: 20,
            commits: 7,
            tasks: vec![task("running", 86_400_000), task("running", 1_000)],
            ..WorkerStatus::default()
        };
        let restoring =
            WorkerStatus { tasks: vec![task("restoring", NO_WATERMARK)], ..WorkerStatus::default() };
        let totals = Totals::of(&[running, restoring]);
        let line = "j: 2 tasks running, 1 restoring (40 of 100), 1.00 KiB of 4.00 KiB of snapshots fetched; read 1500 (5/s), \
                    written 20 (1/s), lag 30, watermark 1970-01-01 00:00:01.000, 7 commits, state 3.00 MiB in memory, 4.00 KiB on disk, dropped 6 late";
        assert_eq!(totals.plain("j", (5, 1), 4_096), line);
        let live = totals.live("j", (5, 1), 4_096);
        for part in ["1,500 records, 5/s; lag 30", "1970-01-01 00:00:01.000", "dropped 6 late"] {
            assert!(live.contains(part), "{part} is missing in\n{live}");
        }
        assert_eq!(Totals::of(&[]).tasks(), "joining the group");
    }
}
