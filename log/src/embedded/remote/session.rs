//! One connection, as the owner serves it.

use super::frame;
use super::messages::{
    Failure, Place, Request, Response, committed_received, committed_sent, isolation, received, status_sent,
};
use crate::embedded::batch::{self, Encoder, Extent};
use crate::embedded::clients::EmbeddedAdmin;
use crate::embedded::engine::Shared;
use crate::embedded::reader::EmbeddedReader;
use crate::embedded::writer::EmbeddedWriter;
use crate::{Admin, LogError, Reader, ReaderOptions, Run, TopicSpec, Writer};
use bytes::Bytes;
use millstream_records::{Offset, TopicPartition};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// How long a poll waits at most: the client asks again.
const POLL_MAX: Duration = Duration::from_secs(1);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// What a client's reader holds here at most, whatever it asks for: the memory is the owner's.
const QUEUE_BYTES_MAX: usize = 64 << 20;

struct Session<'a> {
    shared: &'a Arc<Shared>,
    admin: EmbeddedAdmin,
    writer: EmbeddedWriter,
    reader: Option<EmbeddedReader>,
    encoder: Encoder,
}

/// A log that was not ready in the middle of a request has done a part of it: asking again would do that twice.
fn in_part(error: LogError) -> LogError {
    match error {
        LogError::NotReady(text) => LogError::Client(text),
        other => other,
    }
}

type Answer = (Response, Vec<Bytes>);

/// Answers requests until the client is gone.
pub(crate) fn run(stream: &mut UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    let mut session = Session {
        shared,
        admin: EmbeddedAdmin::new(shared),
        writer: EmbeddedWriter::new(shared),
        reader: None,
        encoder: Encoder::default(),
    };
    loop {
        let (request, body) = match frame::read::<Request>(stream) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            request => request?,
        };
        let answer = session.answer(request, &body);
        let (response, body) = answer.unwrap_or_else(|error| (Response::Failed(error.into()), Vec::new()));
        match frame::write(stream, &response, &body) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let failure = Failure::Unsupported(error.to_string());
                frame::write(stream, &Response::Failed(failure), &[])?;
            }
            written => written?,
        }
    }
}

impl Session<'_> {
    fn answer(&mut self, request: Request, body: &Bytes) -> Result<Answer, LogError> {
        let response = match request {
            Request::Info => {
                let info = self.shared.info.clone();
                Response::Info { cluster: info.cluster, location: info.location }
            }
            Request::CreateTopic { name, partitions, config } => {
                self.admin.create_topic(&TopicSpec { name, partitions, config })?;
                Response::Done
            }
            Request::DeleteTopic(name) => self.admin.delete_topic(&name).map(|()| Response::Done)?,
            Request::Topics => Response::Names(self.admin.topics()?),
            Request::DescribeTopic(name) => {
                self.admin.describe_topic(&name)?.map_or(Response::Topic(None), Response::from)
            }
            Request::IdentifyTopics(names) => {
                let found = self.admin.identify_topics(&names)?.into_iter();
                let sent = found.map(|found| found.map(|it| (it.id.map(|id| id.0), it.partitions)));
                Response::Identities(sent.collect())
            }
            Request::Offsets { places, query, committed_only } => {
                let isolation = isolation(committed_only);
                Response::Offsets(self.admin.offsets(&received(places), query.into(), isolation)?)
            }
            Request::DeleteRecords(before) => {
                self.admin.delete_records(&positions(before))?;
                Response::Done
            }
            Request::Committed { group, places, committed_only } => {
                let isolation = isolation(committed_only);
                let found = self.admin.committed(&group, &received(places), isolation)?;
                let found = found.iter().map(|offset| offset.as_ref().map(committed_sent));
                Response::Committed(found.collect())
            }
            Request::Commit { group, offsets } => {
                let offsets: Vec<_> = offsets
                    .into_iter()
                    .map(|(place, offset)| (place.into(), committed_received(offset)))
                    .collect();
                self.admin.commit(&group, &offsets)?;
                Response::Done
            }
            Request::DeleteGroup(group) => self.admin.delete_group(&group).map(|()| Response::Done)?,
            Request::Write(batches) => self.write(batches, body)?,
            Request::Assign { places, committed_only, queue_bytes_max } => {
                let queue_bytes_max = usize::try_from(queue_bytes_max)
                    .map_or(QUEUE_BYTES_MAX, |wanted| wanted.min(QUEUE_BYTES_MAX));
                let options = ReaderOptions { isolation: isolation(committed_only), queue_bytes_max };
                let shared = self.shared;
                let reader = self.reader.get_or_insert_with(|| EmbeddedReader::new(shared, &options));
                reader.assign(&positions(places))?;
                return self.polled(Vec::new(), Ok(()));
            }
            Request::Pause(place, paused) => {
                if let Some(reader) = &mut self.reader {
                    reader.pause(&place.into(), paused)?;
                }
                Response::Done
            }
            Request::Poll { timeout_ms } => {
                let timeout = Duration::from_millis(u64::from(timeout_ms)).min(POLL_MAX);
                let mut runs = Vec::new();
                let outcome = self.reader.as_mut().map_or(Ok(()), |reader| reader.poll(timeout, &mut runs));
                return self.polled(runs, outcome);
            }
        };
        Ok((response, Vec::new()))
    }

    /// Writes all batches, or says that nothing was done; any other failure leaves in doubt what is there.
    fn write(&mut self, batches: Vec<(Place, u32)>, body: &Bytes) -> Result<Response, LogError> {
        self.shared.store.check_space(body.len())?;
        let mut rest = body.clone();
        for (place, length) in batches {
            if length as usize > rest.len() {
                return Err(LogError::Client("a batch is longer than what was sent".to_owned()));
            }
            let records = batch::decode(&rest.split_to(length as usize), 0, 0, None);
            let records = records.map_err(|error| {
                LogError::Client(format!("a batch did not arrive as it was sent: {error}"))
            })?;
            // There was room for all of them a moment ago.
            self.writer.write(&place.into(), records).map_err(in_part)?;
        }
        self.writer.flush(FLUSH_TIMEOUT).map_err(in_part)?;
        Ok(Response::Done)
    }

    /// Records as the client gets them: as batches, whatever they were stored as.
    fn polled(&mut self, runs: Vec<Run>, outcome: Result<(), LogError>) -> Result<Answer, LogError> {
        let (mut batches, mut body) = (Vec::new(), Vec::new());
        for Run { place, records } in runs {
            let mut base = records.first_offset().unwrap_or(0);
            let count = records.next_offset().unwrap_or(base) - base;
            let encoded = if count == records.len() as u64 {
                self.encoder.encode(&[records], None)
            } else {
                // Part of it was compacted away.
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let extent = Extent { base, count, deletions_kept_until_ms: None };
                self.encoder.rewrite(&records.iter().collect::<Vec<_>>(), &extent).into_iter().collect()
            };
            for unplaced in encoded {
                let batch = unplaced.place(0, 0, base);
                batches.push((Place::from(&place), base, batch.bytes.len() as u32));
                base = batch.next();
                body.push(batch.bytes);
            }
        }
        let statuses = self.reader.iter().flat_map(EmbeddedReader::statuses).map(status_sent).collect();
        let failure = outcome.err().map(Failure::from);
        Ok((Response::Polled { batches, statuses, failure }, body))
    }
}

fn positions(sent: Vec<(Place, Offset)>) -> Vec<(TopicPartition, Offset)> {
    sent.into_iter().map(|(place, offset)| (place.into(), offset)).collect()
}
