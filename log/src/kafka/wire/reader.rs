//! Reading partitions assigned by hand, by the project's own client.
//!
//! Batches come in the buffers they were fetched in, or were decompressed into; a run is the records of one partition in
//! one such buffer, keys and values where they stand. The client knows both ends of every partition from every answer,
//! so a status is never older than the last one.

use super::{engine_place, wire_place};
use crate::kafka::errors::denied;
use crate::kafka::shared::Shared;
use crate::{Isolation, LogError, Offset, ReadStatus, Reader, ReaderOptions, Run, TopicPartition};
use bytes::Bytes;
use millstream_records::{RecordsWithin, Span};
use millstream_wire::batch::{self, BatchError, Body, HeaderIter};
use millstream_wire::fetch::{FetchError, FetchOptions, Fetcher, Place};
use millstream_wire::{Denied, Kind, WireError};
use std::sync::Arc;
use std::time::Duration;

/// Records of one poll: enough for decoders to run warm, few enough for a worker to look around in between.
const RECORDS_MAX: usize = 8192;
/// Bytes of one batch, decompressed. Brokers have no limit on that.
const BATCH_BYTES_MAX: usize = 256 << 20;
/// A partition's part of an answer, at least: less would be mostly heads.
const PARTITION_BYTES_MIN: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct WireReader {
    shared: Arc<Shared>,
    fetcher: Fetcher,
}

impl WireReader {
    pub(crate) fn new(shared: &Arc<Shared>, options: &ReaderOptions) -> Result<Self, LogError> {
        let mut config = shared.config().wire()?;
        // Several answers fit the queue, so that one is under way while another is read.
        let share = (options.queue_bytes_max / 4).max(PARTITION_BYTES_MIN);
        config.fetch.partition_bytes_max = config.fetch.partition_bytes_max.min(share);
        let options = FetchOptions {
            read_committed: options.isolation == Isolation::ReadCommitted,
            queue_bytes_max: options.queue_bytes_max,
            batch_bytes_max: BATCH_BYTES_MAX,
        };
        let fetcher = Fetcher::start(config, &options);
        let fetcher = fetcher.map_err(|error| LogError::Client(format!("no reader can be made: {error}")))?;
        Ok(WireReader { shared: Arc::clone(shared), fetcher })
    }

    fn error(&self, place: &Place, error: &FetchError) -> LogError {
        let here = engine_place(place);
        let offset = |offset: i64| Offset::try_from(offset).unwrap_or(0);
        match error {
            FetchError::OutOfRange { wanted, start, end } => LogError::OffsetOutOfRange {
                place: here,
                wanted: offset(*wanted),
                start: offset(*start),
                end: offset(*end),
            },
            FetchError::Cut { wanted, end, .. } => {
                tracing::error!(target: "millstream::kafka", %place, "{error}");
                let start = self.shared.range(&here).map_or(0, |(start, _)| start.min(offset(*end)));
                LogError::OffsetOutOfRange { place: here, wanted: offset(*wanted), start, end: offset(*end) }
            }
            FetchError::Refused(code) if [3, 100].contains(&code.0) => {
                LogError::UnknownTopic(here.to_string())
            }
            FetchError::Damaged(error) => LogError::Corrupt(format!("reading {place}: {error}")),
            FetchError::MadeAnew => LogError::TopicMadeAnew(here.to_string()),
            FetchError::Refused(code) if Denied::of("Fetch", &place.topic, code.error()).is_some() => {
                let missing = Denied::of("Fetch", &place.topic, code.error());
                let principal = self.shared.config().principal();
                missing.map_or_else(|| LogError::Client(error.to_string()), |it| denied(&principal, &it))
            }
            FetchError::Refused(_) => LogError::Client(format!("reading {place}: {error}")),
        }
    }
}

/// A run that batches are still added to.
struct Open {
    place: Place,
    buffer: Bytes,
    records: RecordsWithin,
}

impl Open {
    /// Whether a batch's records stand in the same buffer.
    fn takes(&self, place: &Place, body: &Body) -> bool {
        let buffer = body.buffer();
        self.buffer.as_ptr() == buffer.as_ptr() && self.buffer.len() == buffer.len() && self.place == *place
    }

    fn close(self, runs: &mut Vec<Run>) {
        if !self.records.is_empty() {
            runs.push(Run { place: engine_place(&self.place), records: self.records.finish() });
        }
    }
}

/// Adds the records of a batch, from a position on.
fn add(records: &mut RecordsWithin, position: i64, body: &Body) -> Result<(), BatchError> {
    let mut fits = true;
    body.for_each(|record| {
        let Ok(offset) = Offset::try_from(record.offset) else { return };
        if record.offset < position {
            return;
        }
        fits &= records.push(offset, record.timestamp_ms, span(record.key), span(record.value)).is_some();
        if record.header_count > 0 {
            let headers = HeaderIter::new(body.buffer(), &record);
            records.headers(
                headers.map(|(name, value)| (std::str::from_utf8(name).unwrap_or("\u{fffd}"), value)),
            );
        }
    })?;
    match fits {
        true => Ok(()),
        false => Err(BatchError::Malformed {
            base_offset: body.header().base_offset,
            what: "a record beyond its batch",
        }),
    }
}

#[inline]
fn span(slice: batch::Slice) -> Span {
    Span { start: slice.start, length: slice.length }
}

impl Reader for WireReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let place = |(place, offset): &(TopicPartition, Offset)| {
            (wire_place(place), i64::try_from(*offset).unwrap_or(i64::MAX))
        };
        self.fetcher.assign(&places.iter().map(place).collect::<Vec<_>>());
        Ok(())
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        self.fetcher.pause(&wire_place(place), paused);
        Ok(())
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let mut open: Option<Open> = None;
        self.fetcher.poll(timeout, RECORDS_MAX, &mut |place, position, body| {
            if !open.as_ref().is_some_and(|open| open.takes(place, body)) {
                open.take().into_iter().for_each(|open| open.close(runs));
                let buffer = body.buffer().clone();
                let records = RecordsWithin::new(buffer.clone(), body.records_max());
                open = Some(Open { place: place.clone(), buffer, records });
            }
            match &mut open {
                Some(open) => add(&mut open.records, position, body),
                None => Ok(()),
            }
        });
        open.into_iter().for_each(|open| open.close(runs));
        if let Some((place, error)) = self.fetcher.failure() {
            return Err(self.error(&place, &error));
        }
        match self.fetcher.last_error() {
            // The rest mends itself: connections, and brokers that come back.
            Some(error @ (WireError::Login { .. } | WireError::Unsupported { .. })) => {
                debug_assert_eq!(error.kind(), Kind::Fatal);
                Err(LogError::Client(format!("reading: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        let status = self.fetcher.status(&wire_place(place))?;
        let offset = |offset: i64| Offset::try_from(offset).unwrap_or(0);
        Some(ReadStatus { position: offset(status.position), end: offset(status.end) })
    }
}
