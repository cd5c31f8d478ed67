//! The log of another process, through its socket.

use super::frame;
use super::messages::{Place, Request, Response, committed_received, committed_sent, sent};
use super::socket::SocketPath;
use crate::embedded::batch::{self, Encoder};
use crate::{
    Admin, CommittedOffset, Isolation, Log, LogError, LogInfo, Member, MemberOptions, OffsetQuery,
    ReadStatus, Reader, ReaderOptions, Run, TopicDescription, TopicId, TopicIdentity, TopicSpec,
    TransactionOptions, TransactionalWriter, Writer,
};
use bytes::Bytes;
use millstream_records::{Offset, Records, TopicPartition};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the owner may take to answer, beyond the time it was asked to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest wait that is asked for at once.
const POLL_STEP_MS: u32 = 1_000;
/// Bytes gathered before they are sent.
const GATHER_BYTES_MAX: usize = 512 << 10;
/// Bytes of one request, beyond one batch.
const REQUEST_BYTES: usize = 4 << 20;

/// A log that another process owns: topics, offsets, reading and writing. Each client made from it has a connection
/// of its own.
#[derive(Debug, Clone)]
pub struct EmbeddedClient {
    dir: PathBuf,
    info: LogInfo,
}

impl EmbeddedClient {
    /// Connects to the process that owns the log in `dir`, see [`super::super::find`].
    ///
    /// # Errors
    /// [`LogError::NotReady`] when nobody answers there; [`LogError::Unsupported`] when the owner is another build.
    pub fn connect(dir: impl AsRef<Path>) -> Result<Self, LogError> {
        let dir = super::super::find(dir.as_ref())?.unwrap_or_else(|| dir.as_ref().to_owned());
        let mut connection = Connection::open(&dir)?;
        match connection.ask(&Request::Info)? {
            Response::Info { cluster, location } => {
                Ok(EmbeddedClient { dir, info: LogInfo { kind: "embedded", cluster, location } })
            }
            other => Err(unexpected(&other)),
        }
    }

    fn unsupported(&self, what: &str) -> LogError {
        LogError::Unsupported(format!(
            "{what} has to be in the process that owns the log in {}",
            self.info.location
        ))
    }
}

impl Log for EmbeddedClient {
    fn info(&self) -> LogInfo {
        self.info.clone()
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(RemoteAdmin { connection: Connection::open(&self.dir)? }))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        let connection = Connection::open(&self.dir)?;
        Ok(Box::new(RemoteReader { connection, options: options.clone(), statuses: BTreeMap::new() }))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        let connection = Connection::open(&self.dir)?;
        Ok(Box::new(RemoteWriter {
            connection,
            gathered: Vec::new(),
            bytes: 0,
            unsent: VecDeque::new(),
            encoder: Encoder::default(),
        }))
    }

    fn member(&self, _options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        Err(self.unsupported("a member of a group"))
    }

    fn transactional_writer(
        &self,
        _options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        Err(self.unsupported("a transactional writer"))
    }
}

/// One connection: a question at a time.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    /// Set when an answer is missing: the next one would be taken for it.
    broken: bool,
}

fn unexpected(response: &Response) -> LogError {
    LogError::Client(format!("the log's owner answers something else than was asked: {response:?}"))
}

impl Connection {
    fn open(dir: &Path) -> Result<Self, LogError> {
        let stream = SocketPath::of(dir).and_then(|address| UnixStream::connect(address.path()));
        let mut stream = stream.map_err(|error| {
            LogError::NotReady(format!("nobody serves the log in {}: {error}", dir.display()))
        })?;
        let timeouts = stream
            .set_read_timeout(Some(ANSWER_TIMEOUT))
            .and_then(|()| stream.set_write_timeout(Some(ANSWER_TIMEOUT)));
        timeouts.map_err(|error| LogError::Client(format!("can't set up the log's socket: {error}")))?;
        frame::greet(&mut stream)?;
        Ok(Connection { stream, broken: false })
    }

    fn ask(&mut self, request: &Request) -> Result<Response, LogError> {
        self.ask_with(request, &[]).map(|(response, _)| response)
    }

    fn ask_with(&mut self, request: &Request, body: &[Bytes]) -> Result<(Response, Bytes), LogError> {
        if self.broken {
            return Err(LogError::Client("the connection to the log's owner is lost".to_owned()));
        }
        let asked = frame::write(&mut self.stream, request, body);
        // Nothing was sent of what is too large.
        self.broken = asked.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::FileTooLarge);
        let answer = asked.and_then(|()| {
            let answer = frame::read(&mut self.stream);
            self.broken = answer.is_err();
            answer
        });
        match answer.map_err(|error| lost(&error))? {
            (Response::Failed(failure), _) => Err(failure.into()),
            answer => Ok(answer),
        }
    }

    fn done(&mut self, request: &Request) -> Result<(), LogError> {
        match self.ask(request)? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

fn lost(error: &io::Error) -> LogError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            LogError::Timeout("the log's owner did not answer".to_owned())
        }
        io::ErrorKind::FileTooLarge => LogError::Unsupported(error.to_string()),
        _ => LogError::Client(format!("the connection to the log's owner is lost: {error}")),
    }
}

struct RemoteAdmin {
    connection: Connection,
}

impl Admin for RemoteAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        self.connection.done(&topic.into())
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        self.connection.done(&Request::DeleteTopic(topic.to_owned()))
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        match self.connection.ask(&Request::Topics)? {
            Response::Names(names) => Ok(names),
            other => Err(unexpected(&other)),
        }
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        match self.connection.ask(&Request::DescribeTopic(topic.to_owned()))? {
            Response::Topic(found) => Ok(found.map(|(partitions, config)| TopicDescription {
                name: topic.to_owned(),
                partitions,
                config,
            })),
            other => Err(unexpected(&other)),
        }
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        match self.connection.ask(&Request::IdentifyTopics(topics.to_vec()))? {
            Response::Identities(found) if found.len() == topics.len() => {
                let identity =
                    |(id, partitions): (Option<u128>, u32)| TopicIdentity { id: id.map(TopicId), partitions };
                Ok(found.into_iter().map(|found| found.map(identity)).collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        let committed_only = isolation == Isolation::ReadCommitted;
        let request = Request::Offsets { places: sent(places), query: query.into(), committed_only };
        match self.connection.ask(&request)? {
            Response::Offsets(offsets) if offsets.len() == places.len() => Ok(offsets),
            other => Err(unexpected(&other)),
        }
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let before = before.iter().map(|(place, offset)| (Place::from(place), *offset)).collect();
        self.connection.done(&Request::DeleteRecords(before))
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        let (group, places) = (group.to_owned(), sent(places));
        let (count, committed_only) = (places.len(), isolation == Isolation::ReadCommitted);
        match self.connection.ask(&Request::Committed { group, places, committed_only })? {
            Response::Committed(found) if found.len() == count => {
                Ok(found.into_iter().map(|offset| offset.map(committed_received)).collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        let offsets = offsets.iter().map(|(place, offset)| (Place::from(place), committed_sent(offset)));
        let request = Request::Commit { group: group.to_owned(), offsets: offsets.collect() };
        self.connection.done(&request)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.connection.done(&Request::DeleteGroup(group.to_owned()))
    }
}

struct RemoteReader {
    connection: Connection,
    options: ReaderOptions,
    statuses: BTreeMap<TopicPartition, ReadStatus>,
}

impl RemoteReader {
    /// Asks for what is answered with records.
    fn ask(&mut self, request: &Request, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let (response, mut body) = self.connection.ask_with(request, &[])?;
        let Response::Polled { batches, statuses, failure } = response else {
            return Err(unexpected(&response));
        };
        for (place, base, length) in batches {
            if length as usize > body.len() {
                return Err(LogError::Client("the log's owner sent less than it said".to_owned()));
            }
            let records = batch::decode(&body.split_to(length as usize), 0, 0, Some(base));
            let records = records.map_err(|error| {
                LogError::Client(format!("a batch did not arrive as it was sent: {error}"))
            })?;
            runs.push(Run { place: place.into(), records });
        }
        let status = |(place, position, end): (Place, Offset, Offset)| {
            (TopicPartition::from(place), ReadStatus { position, end })
        };
        self.statuses = statuses.into_iter().map(status).collect();
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

impl Reader for RemoteReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let places = places.iter().map(|(place, offset)| (Place::from(place), *offset)).collect();
        let committed_only = self.options.isolation == Isolation::ReadCommitted;
        let queue_bytes_max = self.options.queue_bytes_max as u64;
        self.ask(&Request::Assign { places, committed_only, queue_bytes_max }, &mut Vec::new())
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        self.connection.done(&Request::Pause(place.into(), paused))
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let before = runs.len();
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).min(POLL_STEP_MS);
            self.ask(&Request::Poll { timeout_ms }, runs)?;
            if runs.len() > before || Instant::now() >= deadline {
                return Ok(());
            }
        }
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        self.statuses.get(place).copied()
    }
}

/// Gathers until there is enough to be worth a question; `flush` sends the rest. What the owner is not ready for stays
/// here, and is sent when it is asked again; records that are refused with it were not taken.
struct RemoteWriter {
    connection: Connection,
    gathered: Vec<(TopicPartition, Records)>,
    bytes: usize,
    /// Batches that are on their way to the owner.
    unsent: VecDeque<(Place, Bytes)>,
    encoder: Encoder,
}

impl RemoteWriter {
    fn send(&mut self) -> Result<(), LogError> {
        self.bytes = 0;
        for (place, records) in std::mem::take(&mut self.gathered) {
            let batches = self.encoder.encode(&[records], None).into_iter();
            let batches = batches.map(|unplaced| (Place::from(&place), unplaced.place(0, 0, 0).bytes));
            self.unsent.extend(batches);
        }
        while !self.unsent.is_empty() {
            let mut bytes = 0;
            let fits = |(_, batch): &&(Place, Bytes)| {
                bytes += batch.len();
                bytes <= REQUEST_BYTES
            };
            let count = self.unsent.iter().take_while(fits).count().max(1);
            let sent = self.ask(count);
            // What the owner has done with them nobody knows, unless it says that it was not ready.
            if !matches!(sent, Err(LogError::NotReady(_))) {
                self.unsent.drain(..count);
            }
            sent?;
        }
        Ok(())
    }

    /// Hands over the first so many batches.
    fn ask(&mut self, count: usize) -> Result<(), LogError> {
        let batches = self.unsent.iter().take(count);
        let (places, body): (Vec<(Place, u32)>, Vec<Bytes>) =
            batches.map(|(place, batch)| ((place.clone(), batch.len() as u32), batch.clone())).unzip();
        match self.connection.ask_with(&Request::Write(places), &body)?.0 {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

impl Writer for RemoteWriter {
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError> {
        if self.bytes >= GATHER_BYTES_MAX || !self.unsent.is_empty() {
            self.send()?;
        }
        self.bytes += records.data_bytes();
        self.gathered.push((place.clone(), records));
        Ok(())
    }

    fn flush(&mut self, _timeout: Duration) -> Result<(), LogError> {
        self.send()
    }
}

impl Drop for RemoteWriter {
    fn drop(&mut self) {
        let _ = self.send();
    }
}
