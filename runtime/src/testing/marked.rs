//! Records that are no rows, and raise the watermark: what a test moves event time with.

use crate::log::{Records, RecordsBuilder, TopicPartition};
use millstream_operators::meaning::SourceMeaning;
use millstream_operators::source::{
    Bounded, DecodeCx, Decoded, Decoder, DecoderSpec, EventTimeSpec, SourceSpec, Startup,
};
use millstream_operators::{NodeSpec, OperatorError, Topology};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The header that has a watermark.
pub(super) const WATERMARK: &str = "millstream.test.watermark";

/// A topology whose sources take such records, wherever they were to begin and end; and the topics that it reads.
pub(super) fn marked(topology: &Topology) -> (Topology, BTreeSet<String>) {
    let sources = topology.nodes().iter().filter_map(|node| match &node.spec {
        NodeSpec::Source(source) => Some(source),
        _ => None,
    });
    // Only what has event time has a watermark that can rise.
    let timed = sources.filter(|source| source.event_time.is_some());
    let topics = timed.flat_map(|source| source.topics.iter().cloned()).collect();
    let marked = topology.clone().with_sources(|source| {
        Some(SourceSpec {
            decoder: Arc::new(Marked(Arc::clone(&source.decoder))),
            startup: Startup::Earliest,
            bounded: Bounded::Unbounded,
            // A test's times are what they are, whatever its clock reads.
            event_time: source.event_time.map(|time| EventTimeSpec { max_future_ms: i64::MAX, ..time }),
            // A test says when time passes.
            idle_timeout_ms: i64::MAX,
            ..source.clone()
        })
    });
    (marked, topics)
}

#[derive(Debug)]
struct Marked(Arc<dyn DecoderSpec>);

impl DecoderSpec for Marked {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn meaning(&self, topics: &str) -> SourceMeaning {
        self.0.meaning(topics)
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(Marking(self.0.build()?)))
    }
}

struct Marking(Box<dyn Decoder>);

impl Decoder for Marking {
    fn decode(
        &mut self,
        place: &TopicPartition,
        records: &Records,
        cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        let mark = |value: &[u8]| std::str::from_utf8(value).ok()?.parse::<i64>().ok();
        let marks: Vec<Option<i64>> =
            records.iter().map(|record| record.headers.get(WATERMARK).and_then(mark)).collect();
        let Some(watermark) = marks.iter().flatten().copied().max() else {
            return self.0.decode(place, records, cx);
        };
        let (mut others, mut at) = (RecordsBuilder::default(), Vec::new());
        for (index, record) in records.iter().enumerate().filter(|(index, _)| marks[*index].is_none()) {
            others.push_record(record);
            at.push(index);
        }
        let mut decoded = self.0.decode(place, &others.finish(), cx)?;
        decoded.records.iter_mut().for_each(|record| *record = at[*record as usize] as u32);
        decoded.bad.iter_mut().for_each(|bad| bad.index = at[bad.index]);
        decoded.watermark = Some(watermark);
        Ok(decoded)
    }
}
