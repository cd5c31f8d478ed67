//! What `SET` says about how a job runs. Keys that say what it computes are the planner's.

use millstream::JobSettings;
use millstream::sql::JobSetting;
use millstream::worker::Guarantee;

/// Puts the settings of a file where they belong.
pub(crate) fn apply(from: &[JobSetting], to: &mut JobSettings) {
    for setting in from {
        match *setting {
            JobSetting::Workers(workers) => to.workers = workers,
            JobSetting::CommitIntervalMs(interval) => to.worker.commit_interval_ms = interval,
            JobSetting::CheckpointBytes(bytes) => to.worker.checkpoint_bytes = bytes,
            JobSetting::CheckpointCommits(commits) => to.worker.checkpoint_commits = commits,
            JobSetting::SnapshotBytes(bytes) => to.worker.snapshot_journal_bytes = bytes,
            JobSetting::SessionTimeoutMs(timeout) => to.session_timeout_ms = timeout,
            JobSetting::TransactionTimeoutMs(timeout) => to.transaction_timeout_ms = timeout,
            JobSetting::MemoryBytes(bytes) => to.memory_bytes = bytes,
            JobSetting::RecordsPerSecond(records) => to.worker.records_per_second = Some(records),
            JobSetting::AtLeastOnce(true) => to.worker.guarantee = Guarantee::AtLeastOnce,
            JobSetting::AtLeastOnce(false) => to.worker.guarantee = Guarantee::ExactlyOnce,
        }
    }
    to.worker.commit_interval_min_ms = to.worker.commit_interval_min_ms.min(to.worker.commit_interval_ms);
    to.worker.commit_interval_idle_ms = to.worker.commit_interval_idle_ms.max(to.worker.commit_interval_ms);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(settings: &[(&str, &str)]) -> JobSettings {
        let set = settings.iter().map(|(key, value)| format!("SET '{key}' = '{value}';\n"));
        let tables = "CREATE TABLE t (k STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');\n\
                      EXPLAIN SELECT k FROM t;";
        let text = set.collect::<String>() + tables;
        let planned = millstream::sql::plan("job", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let mut to = JobSettings::new("job");
        apply(&planned.job_settings, &mut to);
        to
    }

    #[test]
    fn what_is_said_to_hold_unless_set_does() {
        let defaults: Vec<(&str, &str)> = millstream::sql::Defaults::known()
            .filter(|known| !known.default.is_empty())
            .map(|known| (known.key, known.default))
            .collect();
        let (set, unset) = (applied(&defaults), applied(&[]));
        let shown = |job: &JobSettings| {
            let worker = &job.worker;
            let sizes = (worker.checkpoint_bytes, worker.checkpoint_commits, worker.snapshot_journal_bytes);
            let times = (worker.commit_interval_ms, job.session_timeout_ms, job.transaction_timeout_ms);
            (job.workers, job.memory_bytes, sizes, times, worker.guarantee, worker.records_per_second)
        };
        assert_eq!(shown(&set), shown(&unset));
    }

    #[test]
    fn settings_reach_the_job() {
        let given = [
            ("parallelism.default", "3"),
            ("millstream.commit-interval", "5 s"),
            ("millstream.checkpoint-commits", "7"),
            ("millstream.records-per-second", "10"),
            ("millstream.delivery-guarantee", "at-least-once"),
            ("millstream.snapshot-bytes", "9"),
            ("table.local-time-zone", "UTC"),
        ];
        let job = applied(&given);
        assert_eq!((job.workers, job.worker.commit_interval_ms), (3, 5_000));
        assert_eq!((job.worker.checkpoint_commits, job.worker.guarantee), (7, Guarantee::AtLeastOnce));
        assert_eq!(applied(&[]).worker.guarantee, Guarantee::ExactlyOnce);
        assert_eq!(job.worker.snapshot_journal_bytes, 9);
        assert_eq!((job.worker.commit_interval_idle_ms, job.worker.records_per_second), (5_000, Some(10)));
        assert_eq!(applied(&[("millstream.commit-interval", "5")]).worker.commit_interval_min_ms, 5);
        assert_eq!(applied(&[("execution.checkpointing.interval", "3 s")]).worker.commit_interval_ms, 3_000);
        // What a file may ask for is what a process can keep to.
        let is_refused = |mb: usize| {
            let planned = millstream::sql::plan("job", &format!("SET 'millstream.memory' = '{mb} mb';"));
            planned.is_err_and(|errors| errors.to_string().contains("'millstream.memory' can't be"))
        };
        let least_mb = millstream::MEMORY_BYTES_MIN >> 20;
        assert!(is_refused(least_mb - 1) && !is_refused(least_mb));
    }
}
