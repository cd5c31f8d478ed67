//! Which record a row is, for rows that turn out to be of no use behind their decoder.
//!
//! A batch that a source decodes holds on to the [`Run`] of records that it was made of, and its rows to their places in
//! it ([`Origins`]). Filters and projections hand that on; operators whose rows are no longer one record's drop it. A row
//! that an expression can't be computed for, and one that comes too late, then meets its table's policy with its
//! coordinates, as if it had never been decoded.
//!
//! A run is held only as long as a batch is on its way through a task: whoever keeps batches for longer drops their
//! origins first ([`crate::Batch::without_origins`]). Through an exchange only those rows take their record along that may
//! turn out to be late, and whose table keeps late rows as dead letters.

use crate::batch::EventTime;
use crate::brief;
use crate::dead_letter::{DeadLetters, Reason};
use crate::error::OperatorError;
use crate::operator::Counters;
use crate::outbox::Outbox;
use crate::records::{Headers, Offset, Record, Records, TopicPartition};
use crate::source::Policy;
use arrow::buffer::ScalarBuffer;
use bytes::Bytes;
use std::sync::Arc;

/// The place of a row that is no record of its run.
pub const NO_RECORD: u32 = u32::MAX;

/// A run of records that rows were made of, and what becomes of those that can't be used.
#[derive(Debug)]
pub struct Run {
    /// Where the records stand.
    pub place: TopicPartition,
    /// The records.
    pub records: Arc<Records>,
    /// What becomes of a row that can't be computed.
    pub bad: Policy,
    /// Where dead letters go, if there may be any.
    pub letters: Option<Arc<DeadLetters>>,
    /// Whether late rows are among them.
    pub late_letters: bool,
}

impl Run {
    /// Counts a record that turned out to be of no use, and applies the table's policy to it.
    ///
    /// # Errors
    /// [`OperatorError::BadRecord`], by the policy.
    pub(crate) fn on_bad(
        &self,
        record: &Record<'_>,
        (field, detail): (Option<String>, String),
        now_ms: i64,
        counters: &mut Counters,
        outbox: &mut Outbox,
    ) -> Result<(), OperatorError> {
        counters.bad += 1;
        // What is wrong may quote the record, which is not for people to read whole.
        let (field, detail) = (field.map(|field| brief(&field).into_owned()), brief(&detail).into_owned());
        match (self.bad, &self.letters) {
            (Policy::Skip, _) => Ok(()),
            (Policy::DeadLetter, Some(letters)) => {
                let reason = Reason { kind: "bad", column: field.as_deref(), detail: &detail };
                letters.write(&self.place, record, &reason, now_ms, outbox);
                counters.dead_letters += 1;
                Ok(())
            }
            _ => Err(OperatorError::BadRecord {
                place: self.place.clone(),
                offset: record.offset,
                field,
                detail,
            }),
        }
    }
}

/// The records of the rows of a batch.
#[derive(Debug, Clone)]
pub enum Origins {
    /// All of one run: by row the index of its record, [`NO_RECORD`] for a row that is none of them.
    Run {
        /// The run.
        run: Arc<Run>,
        /// By row: the index of its record.
        records: ScalarBuffer<u32>,
    },
    /// By row a copy of its record, where one has been kept: behind an exchange.
    Kept(Vec<Option<Arc<Origin>>>),
}

impl Origins {
    /// The run and the record of a row, if it is one of a run.
    pub(crate) fn record(&self, row: usize) -> Option<(&Run, Record<'_>)> {
        match self {
            Origins::Run { run, records } if records[row] != NO_RECORD => {
                Some((run, run.records.get(records[row] as usize)))
            }
            _ => None,
        }
    }

    /// Writes the letter of a row that is late. `false` where there is nothing to write it from.
    pub(crate) fn write_late(
        &self,
        row: usize,
        reason: &Reason<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) -> bool {
        match self {
            Origins::Kept(kept) => {
                let origin = kept[row].as_ref();
                origin.inspect(|origin| origin.write(reason, now_ms, outbox)).is_some()
            }
            Origins::Run { .. } => match self.record(row) {
                Some((Run { place, letters: Some(letters), late_letters: true, .. }, record)) => {
                    letters.write(place, &record, reason, now_ms, outbox);
                    true
                }
                _ => false,
            },
        }
    }

    /// The origins of the rows at `rows`, in that order.
    pub(crate) fn pick(&self, rows: &[u32]) -> Origins {
        match self {
            Origins::Run { run, records } => {
                let records: Vec<u32> = rows.iter().map(|row| records[*row as usize]).collect();
                Origins::Run { run: Arc::clone(run), records: records.into() }
            }
            Origins::Kept(kept) => {
                Origins::Kept(rows.iter().map(|row| kept[*row as usize].clone()).collect())
            }
        }
    }

    /// What goes through an exchange: copies of the records of rows that may turn out to be late anywhere behind it,
    /// those that are not ahead of the watermark, where late rows become letters.
    pub(crate) fn kept(self, times: &[EventTime], behind: Option<&[EventTime]>) -> Option<Origins> {
        let (run, records) = match &self {
            Origins::Kept(_) => return Some(self),
            Origins::Run { run, records } => (run, records),
        };
        let letters = run.letters.as_ref().filter(|_| run.late_letters)?;
        let rows = records.iter().zip(times.iter().zip(behind?));
        let kept = rows.map(|(record, (time, bound))| {
            (time <= bound && *record != NO_RECORD).then(|| Origin::new(letters, run, *record))
        });
        Some(Origins::Kept(kept.collect()))
    }
}

/// A copy of the record that a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    letters: Arc<DeadLetters>,
    place: TopicPartition,
    offset: Offset,
    timestamp_ms: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Bytes,
}

impl Origin {
    fn new(letters: &Arc<DeadLetters>, run: &Run, record: u32) -> Arc<Self> {
        let bytes = |part: Option<&[u8]>| part.map(Bytes::copy_from_slice);
        let record = run.records.get(record as usize);
        Arc::new(Origin {
            letters: Arc::clone(letters),
            place: run.place.clone(),
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: bytes(record.key),
            value: bytes(record.value),
            headers: Bytes::copy_from_slice(record.headers.as_bytes()),
        })
    }

    /// Puts the record among what the next commit sends.
    fn write(&self, reason: &Reason<'_>, now_ms: i64, outbox: &mut Outbox) {
        let record = Record {
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::from_bytes(&self.headers).unwrap_or(Headers::NONE),
        };
        self.letters.write(&self.place, &record, reason, now_ms, outbox);
    }

    /// Appends the origin of a row to a block of an exchange.
    pub(crate) fn encode(origin: Option<&Origin>, out: &mut Vec<u8>) {
        let Some(origin) = origin else { return out.push(0) };
        out.push(1);
        out.extend(origin.letters.partitions.to_le_bytes());
        out.extend(origin.place.partition.to_le_bytes());
        out.extend(origin.offset.to_le_bytes());
        out.extend(origin.timestamp_ms.to_le_bytes());
        let Origin { letters, place, key, value, headers, .. } = origin;
        let parts = [
            Some(letters.topic.as_bytes()),
            Some(place.topic.as_bytes()),
            key.as_deref(),
            value.as_deref(),
            Some(headers),
        ];
        for part in parts {
            out.extend(part.map_or(u32::MAX, |part| part.len() as u32).to_le_bytes());
            out.extend(part.unwrap_or_default());
        }
    }

    /// Reads what [`Origin::encode`] wrote; `None` for bytes that are something else.
    pub(crate) fn decode(input: &mut &[u8]) -> Option<Option<Arc<Origin>>> {
        if take::<1>(input)? == [0] {
            return Some(None);
        }
        // Letters are spread over so many partitions.
        let partitions = Some(u32::from_le_bytes(take(input)?)).filter(|count| *count > 0)?;
        let partition = u32::from_le_bytes(take(input)?);
        let offset = u64::from_le_bytes(take(input)?);
        let timestamp_ms = i64::from_le_bytes(take(input)?);
        let letters = std::str::from_utf8(take_part(input)??).ok()?;
        let topic = std::str::from_utf8(take_part(input)??).ok()?;
        let key = take_part(input)?.map(Bytes::copy_from_slice);
        let value = take_part(input)?.map(Bytes::copy_from_slice);
        let headers = take_part(input)??;
        Headers::from_bytes(headers)?;
        Some(Some(Arc::new(Origin {
            letters: Arc::new(DeadLetters { topic: letters.into(), partitions }),
            place: TopicPartition::new(topic, partition),
            offset,
            timestamp_ms,
            key,
            value,
            headers: Bytes::copy_from_slice(headers),
        })))
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

fn take_part<'a>(input: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = u32::from_le_bytes(take(input)?);
    if length == u32::MAX {
        return Some(None);
    }
    let (head, tail) = input.split_at_checked(length as usize)?;
    *input = tail;
    Some(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordsBuilder;

    fn run() -> Arc<Run> {
        let mut builder = RecordsBuilder::default();
        builder.push(None, Some(b"first"), 1);
        builder.push(Some(b"k"), None, 2);
        Arc::new(Run {
            place: TopicPartition::new("orders", 3),
            records: Arc::new(builder.finish()),
            bad: Policy::Fail,
            letters: Some(Arc::new(DeadLetters { topic: "dead".into(), partitions: 2 })),
            late_letters: true,
        })
    }

    #[test]
    fn origins_survive_an_exchange_and_noise_is_refused() {
        let origins = Origins::Run { run: run(), records: vec![0, 1, NO_RECORD].into() };
        let Some(Origins::Kept(kept)) = origins.kept(&[10, 11, 9], Some(&[10, 10, 10])) else {
            panic!("nothing is kept");
        };
        assert!(kept[0].is_some() && kept[1].is_none() && kept[2].is_none());
        let mut bytes = Vec::new();
        kept.iter().for_each(|origin| Origin::encode(origin.as_deref(), &mut bytes));
        let mut input = bytes.as_slice();
        let read: Vec<Option<Arc<Origin>>> = (0..3).map(|_| Origin::decode(&mut input).unwrap()).collect();
        assert_eq!((read, input.len()), (kept, 0));
        for end in 0..bytes.len() - 2 {
            assert!(Origin::decode(&mut &bytes[..end]).is_none(), "cut at {end}");
        }
    }

    #[test]
    fn nothing_goes_through_an_exchange_that_can_not_be_late() {
        let origins = || Origins::Run { run: run(), records: vec![0, 1].into() };
        assert!(origins().kept(&[1, 2], None).is_none());
        let without = Arc::new(Run { late_letters: false, ..Arc::into_inner(run()).unwrap() });
        let origins = Origins::Run { run: without, records: vec![0, 1].into() };
        assert!(origins.kept(&[1, 2], Some(&[5, 5])).is_none());
    }

    #[test]
    fn a_row_keeps_its_record_wherever_it_stands() {
        let origins = Origins::Run { run: run(), records: vec![1, NO_RECORD, 0].into() };
        let picked = origins.pick(&[2, 1, 0]);
        let value = |row| picked.record(row).map(|(_, record)| record.value);
        assert_eq!([value(0), value(1), value(2)], [Some(Some(&b"first"[..])), None, Some(None)]);
    }
}
