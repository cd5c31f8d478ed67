//! Stream processing over a durable log: SQL and typed Rust jobs, exactly once, on Kafka or on an embedded log.
//!
//! This crate is the facade: what a program that embeds jobs needs, by name and nothing else. `tests/facade.rs` holds the list.
//!
//! | to | look at |
//! |---|---|
//! | declare a job over serde structs | [`typed`] |
//! | plan a job from a SQL file, which may call functions in Rust | [`sql`] |
//! | run a job on threads of this process | [`job`], [`worker`], [`topics`] |
//! | choose the log that it runs on | [`log`] |
//! | keep its state beside its machines | [`snapshot`] |
//! | copy it, and start another from the copy | [`savepoint`] |
//! | test it, without a broker | [`testing`] |
//! | drive and replay it by hand, under a clock that moves by call | [`driver`], [`replay`] |
//!
//! A job ends with [`exit_now`] where the process ends with it, before the libraries beneath it are taken down.
//! `docs/ARCHITECTURE.md` is the map of the code behind it.
//!
//! ```
//! use millstream::driver::TestDriver;
//! let job = millstream::sql::plan("job.sql", "
//!     CREATE TABLE clicks (page STRING)
//!     WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json');
//!     CREATE TABLE counts (page STRING, n BIGINT, PRIMARY KEY (page) NOT ENFORCED)
//!     WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');
//!     INSERT INTO counts SELECT page, COUNT(*) FROM clicks GROUP BY page;
//! ")?;
//! let mut driver = TestDriver::new(&job.topology, &[("clicks", 2), ("counts", 1)])?;
//! driver.produce("clicks", 0, None, Some(br#"{"page": "home"}"#), 1_000);
//! driver.produce("clicks", 1, None, Some(br#"{"page": "home"}"#), 1_000);
//! driver.run()?;
//! assert_eq!(driver.read("counts")[0].value.as_deref(), Some(r#"{"page":"home","n":2}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use job::{Job, JobError, JobSettings, MEMORY_BYTES_MIN, MemoryPlan, TaskId, Until, exit_now};
pub use typed::{Topology, TopologyError};

// What the command and the project's tests use beside the facade.
#[doc(hidden)]
pub use millstream_operators as operators;

/// Running a job on threads of this process.
///
/// ```
/// use millstream::log::{Log, memory::MemoryLog};
/// use millstream::{Job, JobSettings, Until, typed};
/// use std::sync::Arc;
/// let log = MemoryLog::new(Arc::new(millstream::log::SystemClock::default()));
/// log.admin()?.create_topic(&millstream::log::TopicSpec::new("numbers", 1))?;
/// let log: Arc<dyn Log> = Arc::new(log);
/// let program = typed::Program::new();
/// program.read::<u64>("numbers").key_by(|number| number % 2).count().to("counts");
/// let job = Job::start(&program.topology()?, &log, &JobSettings::new("parity"))?;
/// job.wait(Until::Drained)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod job {
    pub use millstream_runtime::job::{ENVIRONMENT, Job, JobBuilder, JobSettings, Printer, Until};
    pub use millstream_runtime::{JobError, JobPlan, MEMORY_BYTES_MIN, MemoryPlan, TaskId, exit_now};
}

/// What the workers of a job do, and what they tell.
///
/// ```
/// use millstream::worker::Guarantee;
/// let mut settings = millstream::JobSettings::new("job");
/// settings.worker.guarantee = Guarantee::AtLeastOnce;
/// settings.worker.commit_interval_ms = 1_000;
/// ```
pub mod worker {
    pub use millstream_runtime::worker::{Guarantee, TaskStatus, WorkerSettings, WorkerStatus};
}

/// The topics that a job needs, looked at before it starts.
///
/// ```
/// use millstream::log::{Log, memory::MemoryLog};
/// use millstream::{topics, typed};
/// let log = MemoryLog::new(std::sync::Arc::new(millstream::log::SystemClock::default()));
/// let program = typed::Program::new();
/// program.read::<u64>("numbers").to("copies");
/// // A topic that is read has to be there.
/// let new = topics::Before::Nothing;
/// assert!(topics::examine(&program.topology()?, "job", None, &mut *log.admin()?, new).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod topics {
    pub use millstream_runtime::feeds::with_feeds;
    pub use millstream_runtime::topics::{Before, Examined, check_input_topics, examine, started};
    pub use millstream_runtime::{Comparison, compare};
}

/// The logs that jobs run on: embedded in a directory, Kafka, and one in memory for tests.
///
/// ```
/// use millstream::log::memory::MemoryLog;
/// use millstream::log::{Log, RecordsBuilder, SystemClock, TopicPartition, TopicSpec};
/// use std::{sync::Arc, time::Duration};
/// let log = MemoryLog::new(Arc::new(SystemClock::default()));
/// log.admin()?.create_topic(&TopicSpec::new("lines", 1))?;
/// let mut records = RecordsBuilder::default();
/// records.push(None, Some(b"a line"), 1_000);
/// let mut writer = log.writer()?;
/// writer.write(&TopicPartition::new("lines", 0), records.finish())?;
/// writer.flush(Duration::from_secs(1))?;
/// # Ok::<(), millstream::log::LogError>(())
/// ```
pub mod log {
    pub use millstream_operators::sink::partition_for_key;
    pub use millstream_runtime::clock::{Clock, ManualClock, SystemClock};
    pub use millstream_runtime::log::{
        Admin, CleanupPolicy, CommittedOffset, EndOutcome, ErrorKind, GroupMetadata, Isolation, Log,
        LogError, LogInfo, Member, MemberEvent, MemberOptions, MissingRight, Offset, OffsetQuery, ReadStatus,
        Reader, ReaderOptions, Record, Records, RecordsBuilder, Run, TopicConfig, TopicDescription, TopicId,
        TopicIdentity, TopicPartition, TopicSpec, TransactionError, TransactionOptions, TransactionalWriter,
        Writer, overlay::Overlay,
    };

    /// A log in a directory, for one machine.
    ///
    /// ```
    /// use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
    /// let directory = tempfile::tempdir()?;
    /// let log = EmbeddedLog::open(directory.path(), &EmbeddedOptions::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "embedded")]
    pub mod embedded {
        pub use millstream_runtime::log::embedded::{
            EmbeddedClient, EmbeddedLog, EmbeddedOptions, SyncPolicy, find, open_or_connect,
        };
    }

    /// Kafka, and whatever speaks its protocol.
    ///
    /// ```
    /// use millstream::log::kafka::{KafkaConfig, PropertySource};
    /// let config = KafkaConfig::new("broker:9092").with("client.id", "mine", PropertySource::Job)?;
    /// # Ok::<(), millstream::log::LogError>(())
    /// ```
    #[cfg(feature = "kafka")]
    pub mod kafka {
        pub use millstream_runtime::log::kafka::{
            BrokerLook, ClusterLook, EXIT_CODE_HUNG, KafkaClient, KafkaConfig, KafkaLog, PropertySource,
            TopicRights, is_secret, java_property, look,
        };
    }

    /// A log that does what brokers do at their worst, for tests: see [`crate::log`] for an example.
    pub mod memory {
        pub use millstream_runtime::log::memory::{Fault, MemoryLog, Request};
    }
}

/// Jobs in Flink's SQL.
///
/// ```
/// let errors = millstream::sql::plan("job.sql", "INSERT INTO nowhere SELECT 1;").unwrap_err();
/// assert!(errors.to_string().contains("nowhere"));
/// ```
#[cfg(feature = "sql")]
pub mod sql {
    pub use millstream_sql::{
        Answered, Defaults, JobSetting, KnownSetting, PLANNER, Picture, Question, Relation, Span, SqlError,
        SqlErrors, SqlJob, ask, check_tables, error, explain, plan, relations, settings_in, show,
    };

    #[doc(hidden)]
    pub use millstream_sql::testing;

    /// Functions written in Rust, to be called in SQL.
    ///
    /// ```
    /// use millstream::sql::functions::{Aggregate, Functions};
    /// let mut functions = Functions::new();
    /// functions.scalar("slug", 1, |title: &str| title.to_lowercase().replace(' ', "-"))?;
    /// functions.table("words", 1, &["word"], |text: &str| {
    ///     text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    /// })?;
    /// let longest = Aggregate::new(|most: &mut i32, x: i32| *most = x.max(*most), |most: &i32| *most);
    /// functions.aggregate("longest", 1, longest.merge(|most, other| *most = *other.max(most)))?;
    /// assert!(functions.scalar("upper", 1, |text: &str| text.to_uppercase()).is_err());
    /// # Ok::<(), millstream::sql::functions::FunctionError>(())
    /// ```
    pub mod functions {
        pub use millstream_sql::user::{
            Aggregate, Argument, Date, Decimal, Fold, FunctionError, Functions, Returned, ScalarFunction,
            TableFunction, TableRow, TableRows, Timestamp, TimestampLtz, Value,
        };
    }
}

/// Jobs over serde structs.
///
/// ```
/// let program = millstream::typed::Program::new();
/// program.read::<String>("words").key_by(|word| word.clone()).count().to("counts");
/// let topology = program.topology()?;
/// # Ok::<(), millstream::TopologyError>(())
/// ```
pub mod typed {
    pub use millstream_operators::source::{Bounded, Policy, Startup};
    pub use millstream_operators::typed::{
        Context, CountStream, EventTime, GlobalTable, GroupedTable, Include, Included, JsonKey, Key,
        KeyedStream, ListState, MapState, ProcessFunction, Program, Rank, ReadOptions, RecordInfo, RecordOf,
        ReducingState, Row, SessionStream, Side, Sides, SlidingStream, Source, States, Stream, Table,
        ValueState, VersionedTable, WindowStream, Windowed, Windows, Within,
    };
    pub use millstream_operators::{Topology, TopologyError};
}

/// Tests of jobs without a broker: the production task under a clock that the test moves.
///
/// ```
/// let program = millstream::typed::Program::new();
/// program.read::<String>("words").key_by(|word| word.clone()).count().to("counts");
/// millstream::testing::run(&program.topology()?, &[("words", 2)], |job| {
///     job.pipe("words", "mill", 1_000);
///     job.pipe("words", "mill", 1_000);
///     job.crash_and_restore();
///     assert_eq!(job.table::<String, u64>("counts")["mill"], 2);
///     assert_eq!(job.state::<String, u64>("count", "values")["mill"], 2);
/// });
/// # Ok::<(), millstream::TopologyError>(())
/// ```
pub mod testing {
    pub use millstream_runtime::testing::{RawRecord, TestJob, TestRecord, run};
}

/// Where a job's state is kept beside its machines.
///
/// ```
/// let mut settings = millstream::JobSettings::new("job");
/// settings.snapshots = "file:///backup/snapshots".parse()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod snapshot {
    pub use millstream_runtime::shown::{Keeper, ShowError, Shown, keepers, show_state};
    pub use millstream_runtime::snapshot::{
        CheckpointNote, DirectoryStore, FoundSnapshot, FoundState, MemoryStore, ObjectStorage,
        SnapshotLocation, SnapshotRef, SnapshotStore, StoreError, StoredObject, TopicStore,
        inspect_snapshots, inspect_state,
    };
}

/// A copy of a job, taken by request, that another job can be started from.
///
/// ```
/// let nothing = tempfile::tempdir()?;
/// let opened = millstream::savepoint::OpenSavepoint::open(&nothing.path().display().to_string());
/// assert!(opened.is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub mod savepoint {
    pub use millstream_runtime::savepoint::{
        OpenSavepoint, Savepoint, SavepointError, SavepointTask, TakeProgress, TakeSettings, open_location,
        take,
    };
}

/// A job in a test, under a clock that the test moves: see [the crate](crate) for an example.
pub mod driver {
    pub use millstream_runtime::driver::{Output, TestDriver, produce};
}

/// A job's commits run again and compared; a whole partition read.
///
/// ```
/// use millstream::log::{Log, TopicPartition, TopicSpec, memory::MemoryLog};
/// let log = MemoryLog::new(std::sync::Arc::new(millstream::log::SystemClock::default()));
/// log.admin()?.create_topic(&TopicSpec::new("empty", 1))?;
/// assert!(millstream::replay::read_all(&log, &TopicPartition::new("empty", 0))?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod replay {
    pub use millstream_runtime::replay::{ReplayError, ReplayOptions, read_all, replay_task};
}
