//! A connection to one broker.
//!
//! [`Connection::send`] queues a request and gives an [`Answer`] to wait for; requests are written in the order of the
//! calls, and answers come in that order. A [`Connection`] is cheap to clone and closes for all its clones at once: when
//! the socket ends, when an answer is not the one that is due, and when an answer is late, for whatever came after it
//! would be taken for something else. What becomes of the requests is told apart: one that was still queued was
//! [`WireError::NotSent`]; of one that was written, in part or whole, [`WireError::NoAnswer`] says that it may have been
//! carried out.
//!
//! ```text
//! send -> queue -> writer task: pending <- request, then its bytes to the socket
//!                  reader task: length, correlation id, body -> the first of pending
//! ```

mod open;
mod parts;

pub use open::Connector;
pub(crate) use open::backoff;
pub use parts::Parts;

use crate::pool::{POOLED_BYTES_MAX, Pool};
use crate::{At, WireError, bounds};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// Requests that may wait to be written and for answers.
const UNDER_WAY_MAX: usize = 128;
const NOBODY_LEFT: &str = "nobody uses it any more";

/// What a broker offers.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    apis: BTreeMap<i16, (i16, i16)>,
    features: BTreeMap<String, i16>,
}

impl Versions {
    /// The newest version of a request that both sides speak.
    pub fn of<R: Request>(&self) -> Option<i16> {
        let (min, max) = self.apis.get(&R::KEY)?;
        let (min, max) = ((*min).max(R::VERSIONS.min), (*max).min(R::VERSIONS.max));
        (min <= max).then_some(max)
    }

    /// The level of a feature that the cluster has agreed on, 0 for none: `transaction.version`.
    pub fn feature(&self, name: &str) -> i16 {
        self.features.get(name).copied().unwrap_or(0)
    }
}

/// A connection. See the module's head.
#[derive(Debug, Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Outgoing>,
}

#[derive(Debug)]
struct Shared {
    /// `host:port (id)`.
    broker: Arc<str>,
    client_id: StrBytes,
    /// Empty until the broker was asked.
    versions: OnceLock<Versions>,
    /// When the broker will ask for a new login.
    until: OnceLock<Instant>,
    correlation: AtomicI32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why it is closed.
    closed: Option<Arc<str>>,
    /// Written and not answered.
    pending: VecDeque<Pending>,
    /// Queued, and those above.
    under_way: usize,
    /// Nobody can ask any more: closed with the last answer.
    is_left: bool,
    tasks: Vec<AbortHandle>,
}

#[derive(Debug)]
struct Pending {
    correlation: i32,
    answer: oneshot::Sender<Result<Bytes, Arc<str>>>,
}

#[derive(Debug)]
struct Outgoing {
    pending: Pending,
    bytes: Parts,
}

/// An answer that is under way.
#[derive(Debug)]
pub struct Answer<R: Request> {
    shared: Arc<Shared>,
    body: oneshot::Receiver<Result<Bytes, Arc<str>>>,
    version: i16,
    of: PhantomData<fn() -> R>,
}

impl Connection {
    fn start(
        shared: Shared,
        read: impl AsyncRead + Send + Unpin + 'static,
        write: impl AsyncWrite + Send + Unpin + 'static,
        answer_bytes_max: usize,
    ) -> Connection {
        let shared = Arc::new(shared);
        let (queue, queued) = mpsc::unbounded_channel();
        let reader = tokio::spawn(read_answers(Arc::clone(&shared), read, answer_bytes_max));
        let writer = tokio::spawn(write_requests(Arc::clone(&shared), write, queued));
        let mut state = shared.state();
        state.tasks = vec![reader.abort_handle(), writer.abort_handle()];
        // The reader may have been quicker than this.
        if state.closed.is_some() {
            state.tasks.iter().for_each(AbortHandle::abort);
        }
        drop(state);
        Connection { shared, queue }
    }

    /// The broker, `host:port (id)`.
    pub fn broker(&self) -> &str {
        &self.shared.broker
    }

    /// What it offers.
    pub fn versions(&self) -> &Versions {
        self.shared.versions.get_or_init(Versions::default)
    }

    /// Whether it takes no more requests.
    pub fn is_closed(&self) -> bool {
        self.shared.state().closed.is_some()
    }

    /// Whether it is as good as new: open, and the login is not about to end.
    pub fn is_fresh(&self) -> bool {
        self.shared.until.get().is_none_or(|until| Instant::now() < *until) && !self.is_closed()
    }

    /// Closes it. Requests that were written stay in doubt.
    pub fn close(&self, reason: &str) {
        self.shared.close(reason);
    }

    /// Which request, for errors.
    pub fn at<R: Request>(&self) -> At {
        self.shared.at::<R>()
    }

    /// Queues a request in the newest version that both sides speak.
    ///
    /// # Errors
    /// [`WireError::NotSent`] when it is closed or too much is under way; [`WireError::Unsupported`].
    pub fn send<R: Request>(&self, request: &R) -> Result<Answer<R>, WireError> {
        let Some(version) = self.versions().of::<R>() else {
            let reason = format!(
                "the broker speaks no version of it that is known here ({}); it needs Kafka 2.1 or later",
                R::VERSIONS
            );
            return Err(WireError::Unsupported { at: self.at::<R>(), reason });
        };
        self.send_version(request, version)
    }

    /// Queues a request in a version.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_version<R: Request>(&self, request: &R, version: i16) -> Result<Answer<R>, WireError> {
        let mut body = BytesMut::with_capacity(request.compute_size(version).unwrap_or(256) + 64);
        let (correlation, at) = self.begin::<R>(&mut body, version)?;
        request.encode(&mut body, version).map_err(|error| invalid::<R>(self, &error))?;
        self.queue_parts(correlation, at, version, Parts::from(body.freeze()))
    }

    /// Queues a request whose body was encoded elsewhere, in several pieces: what is large is not copied.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_encoded<R: Request>(&self, version: i16, body: Parts) -> Result<Answer<R>, WireError> {
        let mut head = BytesMut::with_capacity(64);
        let (correlation, at) = self.begin::<R>(&mut head, version)?;
        let mut parts = Parts::from(head.freeze());
        parts.append(body);
        self.queue_parts(correlation, at, version, parts)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As [`Connection::send`] and [`Answer::wait`].
    pub async fn ask<R: Request>(&self, request: &R, deadline: Instant) -> Result<R::Response, WireError> {
        self.send(request)?.wait(deadline).await
    }

    /// Writes the header.
    fn begin<R: Request>(&self, to: &mut BytesMut, version: i16) -> Result<(i32, At), WireError> {
        let correlation = self.shared.correlation.fetch_add(1, Ordering::Relaxed);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(correlation)
            .with_client_id(Some(self.shared.client_id.clone()));
        let encoded = header.encode(to, R::header_version(version));
        encoded.map_err(|error| invalid::<R>(self, &error))?;
        Ok((correlation, self.at::<R>()))
    }

    fn queue_parts<R: Request>(
        &self,
        correlation: i32,
        at: At,
        version: i16,
        mut bytes: Parts,
    ) -> Result<Answer<R>, WireError> {
        let refuse = |reason: &str| Err(WireError::NotSent { at: at.clone(), reason: reason.to_owned() });
        let Ok(length) = i32::try_from(bytes.remaining()) else { return refuse("larger than 2 GiB") };
        let mut prefix = BytesMut::with_capacity(4);
        prefix.put_i32(length);
        bytes.prepend(prefix.freeze());
        {
            let mut state = self.shared.state();
            if let Some(reason) = &state.closed {
                return refuse(reason);
            }
            if state.under_way >= UNDER_WAY_MAX {
                return refuse("too many requests are under way");
            }
            state.under_way += 1;
        }
        let (answer, body) = oneshot::channel();
        let pending = Pending { correlation, answer };
        if self.queue.send(Outgoing { pending, bytes }).is_err() {
            return refuse(&self.shared.reason());
        }
        Ok(Answer { shared: Arc::clone(&self.shared), body, version, of: PhantomData })
    }
}

/// What can't be written down: a name longer than the protocol has room for.
fn invalid<R: Request>(connection: &Connection, error: &dyn std::fmt::Display) -> WireError {
    WireError::Invalid { at: connection.at::<R>(), reason: error.to_string() }
}

impl<R: Request> Answer<R> {
    /// Waits for the answer. When it is not there by the deadline the connection is closed.
    ///
    /// # Errors
    /// [`WireError::NotSent`], [`WireError::NoAnswer`], [`WireError::Malformed`].
    pub async fn wait(self, deadline: Instant) -> Result<R::Response, WireError> {
        let Answer { shared, mut body, version, .. } = self;
        let at = || shared.at::<R>();
        let received = match tokio::time::timeout_at(deadline.into(), &mut body).await {
            Ok(received) => received,
            Err(_) => {
                shared.close("an answer did not come in time");
                body.await
            }
        };
        let body = match received {
            Ok(Ok(body)) => body,
            Ok(Err(reason)) => return Err(WireError::NoAnswer { at: at(), reason: reason.to_string() }),
            // Dropped with the queue.
            Err(_) => return Err(WireError::NotSent { at: at(), reason: shared.reason() }),
        };
        decode::<R>(body, version).map_err(|reason| {
            shared.close("an answer could not be understood");
            WireError::Malformed { at: at(), reason }
        })
    }
}

pub(crate) fn decode<R: Request>(mut body: Bytes, version: i16) -> Result<R::Response, String> {
    let header_version = R::Response::header_version(version);
    ResponseHeader::decode(&mut body, header_version).map_err(|error| error.to_string())?;
    bounds::check(R::KEY, version, &body)?;
    let answer = R::Response::decode(&mut body, version).map_err(|error| error.to_string())?;
    match body.remaining() {
        0 => Ok(answer),
        left => Err(format!("{left} bytes are left over")),
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at<R: Request>(&self) -> At {
        At { broker: self.broker.to_string(), api: api_name(R::KEY) }
    }

    fn reason(&self) -> String {
        self.state()
            .closed
            .as_ref()
            .map_or_else(|| "the connection is closed".to_owned(), |it| it.to_string())
    }

    /// Closes it, for the first reason that comes.
    fn close(&self, reason: &str) {
        let (pending, reason) = {
            let mut state = self.state();
            if state.closed.is_some() {
                return;
            }
            let reason: Arc<str> = reason.into();
            state.closed = Some(Arc::clone(&reason));
            state.tasks.iter().for_each(AbortHandle::abort);
            (std::mem::take(&mut state.pending), reason)
        };
        tracing::debug!(target: "millstream::wire", broker = %self.broker, %reason, "connection closed");
        for pending in pending {
            let _ = pending.answer.send(Err(Arc::clone(&reason)));
        }
    }
}

/// A request's name in the protocol.
pub(crate) fn api_name(key: i16) -> &'static str {
    match ApiKey::try_from(key) {
        Ok(ApiKey::Produce) => "Produce",
        Ok(ApiKey::Fetch) => "Fetch",
        Ok(ApiKey::ListOffsets) => "ListOffsets",
        Ok(ApiKey::Metadata) => "Metadata",
        Ok(ApiKey::FindCoordinator) => "FindCoordinator",
        Ok(ApiKey::SaslHandshake) => "SaslHandshake",
        Ok(ApiKey::ApiVersions) => "ApiVersions",
        Ok(ApiKey::InitProducerId) => "InitProducerId",
        Ok(ApiKey::OffsetForLeaderEpoch) => "OffsetForLeaderEpoch",
        Ok(ApiKey::AddPartitionsToTxn) => "AddPartitionsToTxn",
        Ok(ApiKey::AddOffsetsToTxn) => "AddOffsetsToTxn",
        Ok(ApiKey::EndTxn) => "EndTxn",
        Ok(ApiKey::TxnOffsetCommit) => "TxnOffsetCommit",
        Ok(ApiKey::SaslAuthenticate) => "SaslAuthenticate",
        Ok(ApiKey::DescribeCluster) => "DescribeCluster",
        _ => "request",
    }
}

async fn write_requests(
    shared: Arc<Shared>,
    mut to: impl AsyncWrite + Send + Unpin,
    mut queued: mpsc::UnboundedReceiver<Outgoing>,
) {
    while let Some(Outgoing { pending, mut bytes }) = queued.recv().await {
        {
            // From here on it may have been sent.
            let mut state = shared.state();
            if state.closed.is_some() {
                return;
            }
            state.pending.push_back(pending);
        }
        let written = async {
            to.write_all_buf(&mut bytes).await?;
            to.flush().await
        };
        if let Err(error) = written.await {
            shared.close(&format!("writing failed: {error}"));
            return;
        }
    }
    // Nobody can ask any more. What was asked is still answered; until then the socket must not be closed one way.
    let is_over = {
        let mut state = shared.state();
        state.is_left = true;
        state.pending.is_empty()
    };
    if is_over {
        shared.close(NOBODY_LEFT);
    }
    std::future::pending::<()>().await;
}

async fn read_answers(shared: Arc<Shared>, mut from: impl AsyncRead + Send + Unpin, answer_bytes_max: usize) {
    let mut pool = Pool::default();
    let reason = loop {
        match read_answer(&shared, &mut from, answer_bytes_max, &mut pool).await {
            Ok(()) => {}
            Err(reason) => break reason,
        }
    };
    shared.close(&reason);
}

async fn read_answer(
    shared: &Shared,
    from: &mut (impl AsyncRead + Send + Unpin),
    answer_bytes_max: usize,
    pool: &mut Pool,
) -> Result<(), String> {
    let body = read_frame(from, answer_bytes_max, pool).await?;
    let correlation = body.first_chunk::<4>().map(|id| i32::from_be_bytes(*id));
    let mut state = shared.state();
    let due = state.pending.front().map(|pending| pending.correlation);
    match (due, correlation) {
        (Some(due), Some(found)) if due == found => {}
        (due, found) => return Err(format!("answer {found:?} came where {due:?} was due")),
    }
    state.under_way = state.under_way.saturating_sub(1);
    let pending = state.pending.pop_front();
    let is_over = state.is_left && state.pending.is_empty();
    drop(state);
    if let Some(pending) = pending {
        // Nobody may wait for it any more.
        let _ = pending.answer.send(Ok(body));
    }
    if is_over { Err(NOBODY_LEFT.to_owned()) } else { Ok(()) }
}

/// A length and as many bytes, in one buffer.
async fn read_frame(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
    pool: &mut Pool,
) -> Result<Bytes, String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the broker closed the connection".to_owned(),
        _ => format!("reading failed: {error}"),
    };
    let length = from.read_i32().await.map_err(failed)?;
    let length =
        usize::try_from(length).ok().filter(|length| (4..=bytes_max).contains(length)).ok_or_else(|| {
            format!("an answer of {length} bytes, where {bytes_max} are taken (receive.message.max.bytes)")
        })?;
    // A larger one grows as it comes: the length alone asks for no more.
    let mut body = pool.take(length.min(POOLED_BYTES_MAX));
    while body.len() < length {
        let missing = length - body.len();
        let mut room = (&mut body).limit(missing);
        if from.read_buf(&mut room).await.map_err(failed)? == 0 {
            return Err("the broker closed the connection in the middle of an answer".to_owned());
        }
    }
    let body = body.freeze();
    pool.remember(&body);
    Ok(body)
}

#[cfg(test)]
mod tests;
