//! Who attends a job: plans it, starts it, looks at it, and tries again when it has failed.

use super::diary::Diary;
use super::orders::{Order, Orders, Text, Wanted};
use super::{FleetOptions, JobText, PlannedJob, Planner};
use crate::board::{Board, JobEnd};
use crate::problem::Problem;
use millstream_operators::PrintedLine;
use millstream_runtime::job::{Job, Printer, Until};
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked what the job is doing.
const LOOK: Duration = Duration::from_millis(100);
/// A job that ran for so long failed for another reason than the last time.
const RAN_WELL: Duration = Duration::from_secs(600);

/// Which job has which topics, group and state: two can't have the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    by_name: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A name that is taken until this is dropped.
struct Claim<'a> {
    claims: &'a Claims,
    runs_as: String,
}

impl Claims {
    fn take(&self, runs_as: &str, job: &str) -> Result<Claim<'_>, Problem> {
        let mut taken = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = taken.get(runs_as) {
            return Err(Problem::conflict(format!(
                "job {other} has the topics and the state that are called {runs_as}: give this one another name with SET \
                 'pipeline.name', or wait until that one has ended"
            )));
        }
        taken.insert(runs_as.to_owned(), job.to_owned());
        Ok(Claim { claims: self, runs_as: runs_as.to_owned() })
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut taken = self.claims.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.runs_as);
    }
}

/// How an attempt to run a job ended.
enum Attempt {
    /// It was told something else.
    Told,
    /// All its input has been read.
    Finished,
    /// With an error that may pass.
    Failed(Problem),
    /// With one that only a change of its text can mend.
    Wrong(Problem),
}

pub(super) struct Attendant {
    pub(super) name: String,
    /// Its text, as messages call it.
    pub(super) file: String,
    pub(super) orders: Arc<Orders>,
    pub(super) diary: Arc<Diary>,
    pub(super) board: Board,
    pub(super) planner: Planner,
    pub(super) claims: Claims,
    pub(super) options: FleetOptions,
}

impl Attendant {
    /// Attends the job until it is gone.
    pub(super) fn attend(self) {
        let mut failures = 0;
        loop {
            let order = self.orders.now();
            if order.gone {
                return self.board.forget(&self.name);
            }
            let begun = Instant::now();
            let end = match order.wanted {
                Wanted::Paused => JobEnd::Paused,
                Wanted::Stopped => JobEnd::Stopped,
                Wanted::Running => match self.attempt_guarded(&order) {
                    Attempt::Told => {
                        failures = 0;
                        continue;
                    }
                    Attempt::Finished => JobEnd::Finished,
                    Attempt::Wrong(problem) => JobEnd::Failed(problem, None),
                    Attempt::Failed(problem) => {
                        failures = if begun.elapsed() > RAN_WELL { 1 } else { failures + 1 };
                        JobEnd::Failed(problem, self.next_try(failures))
                    }
                },
            };
            let again = match &end {
                JobEnd::Failed(_, next) => *next,
                _ => None,
            };
            self.note_end(&end);
            self.board.end(&self.name, end);
            let pause = again.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
            let next = self.orders.wait(order.number, pause.map(|pause| Instant::now() + pause));
            if next.number != order.number {
                failures = 0;
            } else {
                self.board.change(&self.name, |view| view.restarts += 1);
            }
        }
    }

    /// When a job that has failed so often is started again.
    fn next_try(&self, failures: u32) -> Option<SystemTime> {
        let FleetOptions { restarts_max, pause_min, pause_max, .. } = self.options;
        let pause = pause_min.saturating_mul(1 << (failures - 1).min(20)).min(pause_max);
        (failures <= restarts_max).then(|| SystemTime::now() + pause)
    }

    fn note_end(&self, end: &JobEnd) {
        let text = match end {
            JobEnd::Finished => "finished: all its input has been read".to_owned(),
            JobEnd::Stopped => "stopped".to_owned(),
            JobEnd::Paused => "paused".to_owned(),
            JobEnd::Failed(problem, next) => {
                let wait = next.and_then(|at| at.duration_since(SystemTime::now()).ok());
                let next = match wait {
                    Some(wait) => format!("is started again in {:.0} s", wait.as_secs_f64()),
                    None => "is not started again by itself".to_owned(),
                };
                let first = problem.detail.lines().next().unwrap_or_default();
                tracing::warn!(job = self.name, "failed, {next}: {first}");
                format!("failed, {next}: {}", problem.detail)
            }
        };
        self.diary.note(&text);
    }

    /// An attempt; a panic of this thread is a failure of the job's.
    fn attempt_guarded(&self, order: &Order) -> Attempt {
        catch_unwind(AssertUnwindSafe(|| self.attempt(order))).unwrap_or_else(|_| {
            Attempt::Failed(Problem::failure("a defect of millstream: its log has more; please report it"))
        })
    }

    fn plan(&self, text: &Text) -> Result<PlannedJob, Problem> {
        let text = text.clone()?;
        (self.planner)(JobText { name: &self.name, file: &self.file, text: &text })
    }

    fn attempt(&self, order: &Order) -> Attempt {
        self.board.begin(&self.name, Vec::new());
        let planned = match self.plan(&order.text) {
            Ok(planned) => planned,
            Err(problem) => return Attempt::Wrong(problem),
        };
        let claim = match self.claims.take(&planned.runs_as, &self.name) {
            Ok(claim) => claim,
            Err(problem) => return Attempt::Failed(problem),
        };
        self.board.begin(&self.name, planned.operators);
        self.board.change(&self.name, |view| view.runs_as = Some(planned.runs_as));
        planned.warnings.iter().for_each(|warning| self.diary.note(&format!("warning: {warning}")));
        let job = match (planned.start)(self.printer()) {
            Ok(job) => job,
            Err(problem) => return Attempt::Failed(problem),
        };
        self.diary.note("started");
        job.made_topics().iter().for_each(|topic| self.diary.note(&format!("created topic {topic}")));
        for operator in job.plan().new_operators() {
            self.diary.note(&format!("{operator} is new and begins empty"));
        }
        let ended = self.stay(job, order);
        drop(claim);
        ended
    }

    /// Stays with a job until it has ended, or is told something else.
    fn stay(&self, job: Job, order: &Order) -> Attempt {
        let (mut told, mut finished, mut seen) = (false, false, order.number);
        while !job.has_ended() {
            let now = self.orders.wait(seen, Some(Instant::now() + LOOK));
            if now.number != seen {
                seen = now.number;
                told = told || self.is_to_end(order, &now);
            }
            finished = finished || (!told && job.is_done(Until::Finished));
            if told || finished {
                job.stop();
            }
            self.board.look(&self.name, job.status());
        }
        self.board.look(&self.name, job.status());
        match job.join() {
            Err(error) => Attempt::Failed(Problem::failure(error.to_string())),
            Ok(()) if told => Attempt::Told,
            Ok(()) => Attempt::Finished,
        }
    }

    /// Whether a job that runs by one order has to end by another. A text that does not plan is no reason: the job goes on
    /// as it was, and says so.
    fn is_to_end(&self, runs_by: &Order, now: &Order) -> bool {
        if now.gone || now.wanted != Wanted::Running || now.starts != runs_by.starts {
            return true;
        }
        let change = if now.text == runs_by.text { None } else { Some(self.plan(&now.text)) };
        let (ends, problem) = match change {
            None => (false, None),
            Some(Ok(_)) => (true, None),
            Some(Err(problem)) => (false, Some(problem)),
        };
        if let Some(problem) = &problem {
            self.diary.note(&format!("its text has changed and can't be taken up: {}", problem.detail));
        }
        self.board.change(&self.name, |view| view.change = problem);
        ends
    }

    /// Lines of `print` tables go to the diary and, with the job's name, to where the process prints.
    fn printer(&self) -> Printer {
        let (name, diary) = (self.name.clone(), Arc::clone(&self.diary));
        Arc::new(move |line: &PrintedLine| {
            diary.note(&line.text);
            match line.to_stderr {
                true => writeln!(std::io::stderr().lock(), "{name}> {}", line.text),
                false => writeln!(std::io::stdout().lock(), "{name}> {}", line.text),
            }
        })
    }
}
