//! What a running job is doing, for people.

use crate::cli::output::counted;
use crate::cli::progress::{Panel, is_live, say};
use indicatif::{BinaryBytes, HumanCount};
use millstream::operators::clock::format_time;
use millstream::operators::{Counters, END_OF_TIME, EventTime, NO_WATERMARK, Offset, TopicPartition};
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
    /// Whether it was said that the log keeps the job waiting.
    said_waiting: bool,
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
            said_waiting: false,
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
        // Said at once: a job that stands still for a reason that somebody can mend should not do so unseen.
        let is_news = self.now.trouble.is_some() && !self.said_waiting;
        if self.panel.is_none() && !is_news && now - self.told < PLAIN_INTERVAL {
            return;
        }
        self.said_waiting = self.now.trouble.is_some();
        self.told = now;
        let disk_bytes = self.disk_bytes(now);
        match &self.panel {
            Some(panel) => panel.show(self.now.live(&self.job, self.rates(), disk_bytes)),
            None => say(&self.now.plain(&self.job, self.rates(), disk_bytes)),
        }
    }

    /// Ends the display and says what the job did, well ended or not.
    pub(super) fn close(&mut self, ended_well: bool) {
        self.panel = None;
        let ended = if ended_well { "ended" } else { "failed; committed until then" };
        let between = if ended_well { ";" } else { ":" };
        say(&format!("{}: {ended}{between} {}", self.job, self.now.summary(self.start.elapsed())));
    }

    /// Bounded inputs that were read to their ends, and the ends.
    pub(super) fn ended(&self) -> &[(TopicPartition, Offset)] {
        &self.now.ended
    }

    /// Whether nothing was read and nothing committed: what there is to read was read before.
    pub(super) fn did_nothing(&self) -> bool {
        self.now.records_in == 0 && self.now.commits == 0
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
    /// What the log does not do for a worker, and why.
    trouble: Option<String>,
    /// What became of rows.
    rows: Counters,
    /// Bounded inputs that were read to their ends, and the ends.
    ended: Vec<(TopicPartition, Offset)>,
    /// What keeps the job from doing all it should.
    degraded: Vec<String>,
}

impl Totals {
    fn of(workers: &[WorkerStatus]) -> Self {
        let mut totals = Totals::default();
        for worker in workers {
            let WorkerStatus { rows, .. } = worker;
            totals.records_in += worker.table_records_in;
            // Rows that are shown, or thrown away on purpose, are written as well; dead letters are counted by themselves.
            totals.records_out += worker.records_out.saturating_sub(rows.dead_letters) + rows.rows_in;
            totals.commits += worker.commits;
            totals.trouble = totals.trouble.take().or_else(|| worker.waits_for.clone());
            totals.rows = totals.rows.plus(rows);
            totals.ended.extend(worker.ended.iter().cloned());
            worker.tasks.iter().for_each(|task| totals.add(task));
            totals.degraded.extend(worker.degraded.iter().cloned());
        }
        totals.degraded.sort_unstable();
        totals.degraded.dedup();
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
    }

    /// Which tasks there are and what they do.
    fn tasks(&self) -> String {
        let trouble = self.trouble.as_ref().map_or_else(String::new, |why| format!("; waits: {why}"));
        let mut text = match self.running + self.restoring + self.waiting {
            0 => return format!("joining the group{trouble}"),
            _ => format!("{} running", counted(self.running as u64, "task")),
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
        text + &trouble
    }

    fn watermark(&self) -> String {
        match self.watermark {
            None | Some(NO_WATERMARK) => "none yet".to_owned(),
            Some(END_OF_TIME) => "not needed, or at the end".to_owned(),
            Some(time) => format_time(time),
        }
    }

    /// What was read and is in no result, and why.
    fn dropped(&self) -> String {
        let Counters { late, bad, null_dropped, dead_letters, skipped, far_future, .. } = self.rows;
        let list = |counts: &[(&str, u64)]| {
            let counts = counts.iter().filter(|(_, count)| *count > 0);
            counts
                .map(|(what, count)| format!("{} {what}", HumanCount(*count)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts = Vec::new();
        let dropped = list(&[("late", late), ("bad", bad), ("null", null_dropped)]);
        let letters = if dead_letters > 0 { format!(" ({})", letters(dead_letters)) } else { String::new() };
        if !dropped.is_empty() {
            parts.push(format!("dropped {dropped}{letters}"));
        }
        let others =
            list(&[("without a row", skipped), ("too far in the future to move the watermark", far_future)]);
        parts.extend(Some(others).filter(|others| !others.is_empty()));
        parts.join("; ")
    }

    /// What it did, in the end.
    fn summary(&self, took: Duration) -> String {
        let dropped = Some(self.dropped()).filter(|dropped| !dropped.is_empty());
        format!(
            "{} read, {} written, {} in {:.1} s; {}",
            human(self.records_in, "record"),
            HumanCount(self.records_out),
            human(self.commits, "commit"),
            took.as_secs_f64(),
            dropped.as_deref().unwrap_or("nothing dropped"),
        )
    }

    /// As lines that are written over and over.
    fn live(&self, job: &str, (rate_in, rate_out): (u64, u64), disk_bytes: u64) -> String {
        let mut text = format!("{job}: {}\n", self.tasks());
        let _ = writeln!(
            text,
            "  read      {}, {}/s; lag {}",
            human(self.records_in, "record"),
            HumanCount(rate_in),
            HumanCount(self.lag),
        );
        let _ =
            writeln!(text, "  written   {}, {}/s", human(self.records_out, "record"), HumanCount(rate_out));
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
        for why in &self.degraded {
            let _ = write!(text, "\n  DEGRADED  {why}");
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
        for why in &self.degraded {
            let _ = write!(text, ", DEGRADED: {why}");
        }
        text
    }
}

/// A number of things with separators.
fn human(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

fn letters(count: u64) -> String {
    human(count, "dead letter")
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream::TaskId;

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
            operators: Vec::new(),
            inputs: Vec::new(),
        }
    }

    #[test]
    fn a_job_is_the_sum_of_its_workers() {
        let rows =
            Counters { late: 5, bad: 2, dead_letters: 3, skipped: 1, rows_in: 4, ..Counters::default() };
        let running = WorkerStatus {
            records_in: 9_000,
            table_records_in: 1_500,
            records_out: 23,
            commits: 7,
            rows,
            tasks: vec![task("running", 86_400_000), task("running", 1_000)],
            ..WorkerStatus::default()
        };
        let restoring =
            WorkerStatus { tasks: vec![task("restoring", NO_WATERMARK)], ..WorkerStatus::default() };
        let totals = Totals::of(&[running, restoring]);
        let line = "j: 2 tasks running, 1 restoring (40 of 100), 1.00 KiB of 4.00 KiB of snapshots fetched; read 1500 (5/s), \
                    written 24 (1/s), lag 30, watermark 1970-01-01 00:00:01.000, 7 commits, state 3.00 MiB in memory, 4.00 KiB on disk, \
                    dropped 5 late, 2 bad (3 dead letters); 1 without a row";
        assert_eq!(totals.plain("j", (5, 1), 4_096), line);
        let live = totals.live("j", (5, 1), 4_096);
        for part in ["1,500 records, 5/s; lag 30", "1970-01-01 00:00:01.000", "dropped 5 late, 2 bad"] {
            assert!(live.contains(part), "{part} is missing in\n{live}");
        }
        let summary = "1,500 records read, 24 written, 7 commits in 2.0 s; dropped 5 late, 2 bad (3 dead letters); 1 without a row";
        assert_eq!(totals.summary(Duration::from_secs(2)), summary);
        let one = WorkerStatus {
            table_records_in: 1,
            commits: 1,
            tasks: vec![task("running", 0)],
            ..WorkerStatus::default()
        };
        let one = Totals::of(&[one]);
        assert_eq!(one.tasks(), "1 task running");
        assert_eq!(
            one.summary(Duration::ZERO),
            "1 record read, 0 written, 1 commit in 0.0 s; nothing dropped"
        );
        assert_eq!(Totals::of(&[]).tasks(), "joining the group");
    }
}
