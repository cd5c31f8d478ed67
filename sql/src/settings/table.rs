//! The keys of `SET`: one table, with what each may be, what it is for, and what does as it says.

use super::Settings;

/// What a key may be set to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The name of a job.
    Name,
    /// The name of a topic.
    Topic,
    /// A duration longer than 0.
    Duration,
    /// A duration; 0 stands for no end.
    Retention,
    /// A number of bytes, greater than 0.
    Size,
    /// A number of bytes, at least this many MiB.
    SizeFrom(u64),
    /// A whole number greater than 0.
    Count,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A time zone.
    Zone,
    /// The only value there is: what Flink's other values ask for does not exist.
    Only(&'static str, &'static str),
}

/// A key of `SET`: what it may be set to, what it is for, and what does as it says. A key that nothing applies can't stand
/// here: there is nothing to write for it.
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// What holds where nobody says anything, as it would be written; empty where that is nothing.
    pub(super) default: &'static str,
    /// What it is for, as the reference says it.
    pub(super) help: &'static str,
    pub(super) applied: Applied,
}

/// What does as a setting says.
pub(super) enum Applied {
    /// Whoever runs the job.
    Job(fn(&str) -> Option<JobSetting>),
    /// The planner, or the command line: the file that asks for it.
    #[cfg_attr(not(test), allow(dead_code, reason = "a test looks whether it does"))]
    In(&'static str),
    /// It says what is done anyway.
    Anyway,
    /// Another key means the same.
    As(&'static str),
}

/// A setting for whoever runs the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobSetting {
    /// Number of workers.
    Workers(usize),
    /// How often results are committed, milliseconds.
    CommitIntervalMs(u64),
    /// State that changed since the last checkpoint, before the next.
    CheckpointBytes(usize),
    /// Commits since the last checkpoint, before the next.
    CheckpointCommits(u64),
    /// Bytes of a task's journal between two snapshots.
    SnapshotBytes(u64),
    /// When a process counts as gone, milliseconds.
    SessionTimeoutMs(u64),
    /// When a transaction is aborted, milliseconds.
    TransactionTimeoutMs(u64),
    /// Memory of the process.
    MemoryBytes(usize),
    /// Records that a worker takes in a second.
    RecordsPerSecond(u64),
    /// Whether output may be repeated after a failure.
    AtLeastOnce(bool),
}

fn number<T: std::str::FromStr>(value: &str, setting: fn(T) -> JobSetting) -> Option<JobSetting> {
    value.parse().ok().map(setting)
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "pipeline.name",
        kind: Kind::Name,
        default: "",
        help: "Name of the job: of its topics, its consumer group and its state.",
        applied: Applied::In("../../src/cli/job_file.rs"),
    },
    Setting {
        key: "parallelism.default",
        kind: Kind::Count,
        default: "1",
        help: "Number of workers: threads that share the job's tasks.",
        applied: Applied::Job(|value| number(value, JobSetting::Workers)),
    },
    Setting {
        key: "table.exec.state.ttl",
        kind: Kind::Retention,
        default: "0 ms",
        help: "How long updating joins keep a row; 0 for ever.",
        applied: Applied::In("lower/stream_join.rs"),
    },
    Setting {
        key: "table.exec.sink.not-null-enforcer",
        kind: Kind::Choice(&["ERROR", "DROP"]),
        default: "ERROR",
        help: "What becomes of a row with a null for a key or another column that is NOT NULL: it fails the job, or is left out and counted.",
        applied: Applied::In("lower/sink.rs"),
    },
    Setting {
        key: "table.exec.sink.type-length-enforcer",
        kind: Kind::Only("IGNORE", "texts of a column are written as long as they are"),
        default: "IGNORE",
        help: "What becomes of texts that are longer than the column they are read as: they are written as they are.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "table.exec.sink.require-on-conflict",
        kind: Kind::Choice(&["true", "false"]),
        default: "true",
        help: "Whether a query whose rows the table's PRIMARY KEY does not tell apart has to say ON CONFLICT.",
        applied: Applied::In("lower/sink.rs"),
    },
    Setting {
        key: "execution.checkpointing.interval",
        kind: Kind::Duration,
        default: "100 ms",
        help: "The same as millstream.commit-interval: results appear with each commit.",
        applied: Applied::As("millstream.commit-interval"),
    },
    Setting {
        key: "execution.checkpointing.mode",
        kind: Kind::Only(
            "EXACTLY_ONCE",
            "for the other set 'millstream.delivery-guarantee' = 'at-least-once'",
        ),
        default: "EXACTLY_ONCE",
        help: "Set millstream.delivery-guarantee.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "execution.runtime-mode",
        kind: Kind::Only("streaming", "a table that ends is read with 'scan.bounded.mode'"),
        default: "streaming",
        help: "Jobs are streaming; over tables that end they end.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "table.local-time-zone",
        kind: Kind::Zone,
        default: "UTC",
        help: "The zone whose clocks show a TIMESTAMP_LTZ: in casts, in texts, in functions of dates.",
        applied: Applied::In("plan.rs"),
    },
    Setting {
        key: "table.sql-dialect",
        kind: Kind::Only("default", "there is no other"),
        default: "default",
        help: "The dialect of SQL.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "table.exec.source.cdc-events-duplicate",
        kind: Kind::Only("false", "a record that comes twice is another row"),
        default: "false",
        help: "Whether records of an upsert table may come twice: the last one counts.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "table.exec.legacy-cast-behaviour",
        kind: Kind::Only("DISABLED", "CAST fails where there is no value; TRY_CAST gives NULL"),
        default: "DISABLED",
        help: "How CAST fails.",
        applied: Applied::Anyway,
    },
    Setting {
        key: "millstream.exchange-tasks",
        kind: Kind::Count,
        default: "32",
        help: "Of a new job, the most tasks behind an exchange, where rows of a key come together: 32 unless set, as many as the input has partitions where these are fewer. A job keeps what it began with.",
        applied: Applied::In("lower.rs"),
    },
    Setting {
        key: "millstream.commit-interval",
        kind: Kind::Duration,
        default: "100 ms",
        help: "How often results are committed: how late they appear.",
        applied: Applied::Job(|value| number(value, JobSetting::CommitIntervalMs)),
    },
    Setting {
        key: "millstream.checkpoint-bytes",
        kind: Kind::Size,
        default: "64 mb",
        help: "State that a task has changed since its last checkpoint, before it makes the next.",
        applied: Applied::Job(|value| number(value, JobSetting::CheckpointBytes)),
    },
    Setting {
        key: "millstream.checkpoint-commits",
        kind: Kind::Count,
        default: "10000",
        help: "Commits of a task since its last checkpoint, before it makes the next.",
        applied: Applied::Job(|value| number(value, JobSetting::CheckpointCommits)),
    },
    Setting {
        key: "millstream.snapshot-bytes",
        kind: Kind::Size,
        default: "64 mb",
        help: "Bytes that a task writes to its journal between two snapshots.",
        applied: Applied::Job(|value| number(value, JobSetting::SnapshotBytes)),
    },
    Setting {
        key: "millstream.session-timeout",
        kind: Kind::Duration,
        default: "10 s",
        help: "How long a process may say nothing before its tasks go to others.",
        applied: Applied::Job(|value| number(value, JobSetting::SessionTimeoutMs)),
    },
    Setting {
        key: "millstream.transaction-timeout",
        kind: Kind::Duration,
        default: "10 s",
        help: "How long a transaction may stay open before the log aborts it.",
        applied: Applied::Job(|value| number(value, JobSetting::TransactionTimeoutMs)),
    },
    Setting {
        key: "millstream.memory",
        kind: Kind::SizeFrom(128),
        default: "1 gb",
        help: "Memory that the process keeps to.",
        applied: Applied::Job(|value| number(value, JobSetting::MemoryBytes)),
    },
    Setting {
        key: "millstream.records-per-second",
        kind: Kind::Count,
        default: "",
        help: "Records that each worker takes in a second at most.",
        applied: Applied::Job(|value| number(value, JobSetting::RecordsPerSecond)),
    },
    Setting {
        key: "millstream.delivery-guarantee",
        kind: Kind::Choice(&["exactly-once", "at-least-once"]),
        default: "exactly-once",
        help: "Whether output may be repeated after a failure.",
        applied: Applied::Job(|value| Some(JobSetting::AtLeastOnce(value == "at-least-once"))),
    },
    Setting {
        key: "millstream.bad-records",
        kind: Kind::Choice(&["fail", "skip", "dead-letter"]),
        default: "fail",
        help: "What becomes of records that are no rows, where the table does not say it.",
        applied: Applied::In("lower/letters.rs"),
    },
    Setting {
        key: "millstream.late-records",
        kind: Kind::Choice(&["fail", "skip", "dead-letter"]),
        default: "skip",
        help: "What becomes of rows that come late, where the table does not say it.",
        applied: Applied::In("lower/letters.rs"),
    },
    Setting {
        key: "millstream.dead-letter-topic",
        kind: Kind::Topic,
        default: "",
        help: "The topic of dead letters, where the table names none.",
        applied: Applied::In("lower/letters.rs"),
    },
];

/// Keys of Flink's that change what comes out, and can't be set: by their names, or by what they begin with when that ends
/// with a `.`.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("execution.state-recovery.", "leave it out: start the job with --from and the place of the savepoint"),
    ("table.exec.source.idle-timeout", "set 'scan.watermark.idle-timeout' in the WITH of the table"),
    ("table.exec.emit.", "leave it out: a window is written when it closes"),
    ("table.exec.sink.", "leave it out: rows are written as the table declares them"),
    ("table.column-expansion-strategy", "leave it out: * is all columns of the table"),
    ("table.builtin-catalog-name", "leave it out: the catalog is called default_catalog"),
    ("table.builtin-database-name", "leave it out: the database is called default_database"),
];

/// Keys of Flink's that only say how it computes the same: they change nothing here, and are warned of.
pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("table.exec.sink.keyed-shuffle", "rows of a key always go to one task"),
    ("table.exec.mini-batch.", "rows are always computed in batches"),
    ("table.optimizer.", "the planner decides"),
    ("table.dml-sync", "how a file is run is said where it is started"),
    ("pipeline.auto-watermark-interval", "watermarks are computed for every run of records"),
    ("execution.checkpointing.", "each commit is a checkpoint, and exactly once"),
    ("state.", "state is kept in one way"),
    ("restart-strategy.", "whoever runs the process decides"),
    ("sql-client.", "it is for Flink's client"),
    ("rest.", "it is for Flink's cluster"),
    ("jobmanager.", "it is for Flink's cluster"),
    ("taskmanager.", "it is for Flink's cluster"),
    ("cluster.", "it is for Flink's cluster"),
    ("metrics.", "it is for Flink's cluster"),
    ("pipeline.", "it says how Flink runs a job"),
    ("execution.", "it is not known here"),
    ("table.", "it is not known here"),
];

/// What whoever runs the job is to do.
pub(crate) fn of_job(settings: &Settings) -> Vec<JobSetting> {
    let of_job = |setting: &Setting| match &setting.applied {
        Applied::Job(read) => read(settings.get(setting.key)?),
        _ => None,
    };
    SETTINGS.iter().filter_map(of_job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_apply_a_setting_asks_for_it() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for setting in SETTINGS {
            match &setting.applied {
                Applied::In(file) => {
                    let text = std::fs::read_to_string(source.join(file)).unwrap();
                    assert!(
                        text.contains(&format!("\"{}\"", setting.key)),
                        "{file} asks for no {}",
                        setting.key
                    );
                }
                Applied::Job(read) => {
                    let value = match setting.kind {
                        Kind::Choice(choices) => choices[0],
                        _ => "134217728",
                    };
                    assert!(read(value).is_some(), "{}", setting.key);
                }
                Applied::As(other) => {
                    let is_there =
                        |other: &Setting| matches!(other.applied, Applied::Job(_) | Applied::In(_));
                    let same = SETTINGS.iter().find(|setting| setting.key == *other).unwrap();
                    assert!(is_there(same), "{}", setting.key);
                }
                Applied::Anyway => assert!(matches!(setting.kind, Kind::Only(..)), "{}", setting.key),
            }
            assert!(setting.help.ends_with('.'), "{}", setting.key);
        }
    }

    /// What a key may be set to, for the page.
    fn values(kind: Kind) -> String {
        match kind {
            Kind::Name => "a name of letters, digits, `.`, `_` and `-`".to_owned(),
            Kind::Topic => "the name of a topic".to_owned(),
            Kind::Duration => "a duration, as `10 s`".to_owned(),
            Kind::Retention => "a duration, as `1 d`; `0` for no end".to_owned(),
            Kind::Size => "a size, as `64 mb`".to_owned(),
            Kind::SizeFrom(least) => format!("a size of `{least} mb` or more"),
            Kind::Count => "a whole number greater than 0".to_owned(),
            Kind::Choice(choices) => {
                choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(" or ")
            }
            Kind::Zone => "a zone, as `Europe/Berlin` or `GMT+02:00`".to_owned(),
            Kind::Only(only, _) => format!("only `{only}`"),
        }
    }

    fn page() -> String {
        let mut page = "# Settings\n\nKeys of `SET 'key' = 'value'` in a job's file. They are for the whole job, wherever in the \
                        file they stand.\n\n| key | value | unless set | what it is for |\n|---|---|---|---|\n"
            .to_owned();
        for Setting { key, kind, default, help, .. } in SETTINGS {
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            page += &format!("| `{key}` | {} | {default} | {help} |\n", values(*kind));
        }
        page += "\n## Keys of Flink's that can't be set\n\nThey change what comes out in Flink. Those that end with `.` stand for \
                 all that begin so.\n\n| key | instead |\n|---|---|\n";
        for (key, instead) in REFUSED {
            page += &format!("| `{key}` | {instead} |\n");
        }
        page += "\n## Keys of Flink's that change nothing\n\nThey tune how Flink computes the same. A file may have them; they are \
                 warned of once.\n\n| key | why |\n|---|---|\n";
        for (key, why) in WITHOUT_EFFECT {
            page += &format!("| `{key}` | {why} |\n");
        }
        page
    }

    /// `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_page_of_settings_is_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sql/settings.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, page()).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == page(),
            "docs/sql/settings.md is not what the table says: run this test with UPDATE_DOCS=1"
        );
    }
}
