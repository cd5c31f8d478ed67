//! What `SET` says about how a job runs. Keys that say what it computes are the planner's.

use crate::cli::Failure;
use millstream::JobSettings;
use millstream::worker::Guarantee;
use std::collections::BTreeMap;

/// Puts the settings of a file where they belong. Durations come as whole milliseconds, sizes as bytes.
///
/// # Errors
/// For a value that is out of range.
pub(crate) fn apply(from: &BTreeMap<String, String>, to: &mut JobSettings) -> Result<(), Failure> {
    for (key, value) in from {
        let number = || value.parse::<u64>().map_err(|_| bad(key, value));
        let size = || value.parse::<usize>().map_err(|_| bad(key, value));
        match key.as_str() {
            "parallelism.default" => to.workers = size()?.max(1),
            "millstream.commit-interval" => to.worker.commit_interval_ms = number()?,
            "millstream.checkpoint-bytes" => to.worker.checkpoint_bytes = size()?,
            "millstream.checkpoint-commits" => to.worker.checkpoint_commits = number()?.max(1),
            "millstream.session-timeout" => to.session_timeout_ms = number()?,
            "millstream.transaction-timeout" => to.transaction_timeout_ms = number()?,
            "millstream.delivery-guarantee" if value == "at-least-once" => {
                to.worker.guarantee = Guarantee::AtLeastOnce;
            }
            "millstream.snapshot-bytes" => to.worker.snapshot_journal_bytes = number()?.max(1),
            "millstream.memory" => to.memory_bytes = size()?,
            "millstream.records-per-second" => to.worker.records_per_second = Some(number()?.max(1)),
            _ => {}
        }
    }
    to.worker.commit_interval_min_ms = to.worker.commit_interval_min_ms.min(to.worker.commit_interval_ms);
    to.worker.commit_interval_idle_ms = to.worker.commit_interval_idle_ms.max(to.worker.commit_interval_ms);
    Ok(())
}

fn bad(key: &str, value: &str) -> Failure {
    Failure::Usage(format!("SET '{key}' = '{value}': not a number that it can have"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(settings: &[(&str, &str)]) -> Result<JobSettings, Failure> {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut to = JobSettings::new("job");
        apply(&settings, &mut to).map(|()| to)
    }

    #[test]
    fn settings_reach_the_job() {
        let given = [
            ("parallelism.default", "3"),
            ("millstream.commit-interval", "5000"),
            ("millstream.checkpoint-commits", "7"),
            ("millstream.records-per-second", "10"),
            ("millstream.delivery-guarantee", "at-least-once"),
            ("millstream.snapshot-bytes", "9"),
            ("table.local-time-zone", "UTC"),
        ];
        let job = applied(&given).unwrap();
        assert_eq!((job.workers, job.worker.commit_interval_ms), (3, 5_000));
        assert_eq!((job.worker.checkpoint_commits, job.worker.guarantee), (7, Guarantee::AtLeastOnce));
        assert_eq!(applied(&[]).unwrap().worker.guarantee, Guarantee::ExactlyOnce);
        assert_eq!(job.worker.snapshot_journal_bytes, 9);
        assert_eq!((job.worker.commit_interval_idle_ms, job.worker.records_per_second), (5_000, Some(10)));
        assert_eq!(applied(&[("millstream.commit-interval", "5")]).unwrap().worker.commit_interval_min_ms, 5);
        assert!(applied(&[("millstream.memory", "-1")]).is_err());
        // What a file may ask for is what a process can keep to.
        let is_refused = |mb: usize| {
            let planned = millstream::sql::plan("job", &format!("SET 'millstream.memory' = '{mb} mb';"));
            planned.is_err_and(|errors| errors.to_string().contains("'millstream.memory' can't be"))
        };
        let least_mb = millstream::MEMORY_BYTES_MIN >> 20;
        assert!(is_refused(least_mb - 1) && !is_refused(least_mb));
    }
}
