//! Bringing rows together: keys, and exchanges by them.

use super::{Lowering, PartitionedBy, Partitioning, Refusal, Stream, Times};
use millstream_operators::exchange::{ByEncodedKey, ByTopicKey, ColumnBlocks, ExchangeSpec, PartitionBytes};
use millstream_operators::formats::{FormatEncoderSpec, sql_type};
use millstream_operators::{KeyBy, NodeSpec};
use std::sync::Arc;

impl Lowering<'_> {
    /// Keys the rows by these places.
    pub(crate) fn key_by(&mut self, stream: Stream, places: Vec<usize>) -> Result<Stream, Refusal> {
        if stream.keyed.as_ref() == Some(&places) {
            return Ok(stream);
        }
        let column = |place: &usize| {
            let field = stream.rows.field(*place);
            (*place, field.name().clone(), field.data_type().clone())
        };
        let key_by = KeyBy::new(places.iter().map(column).collect()).map_err(|data_type| {
            Refusal::new(
                format!("rows can't be grouped or joined by a column of type {}", sql_type(&data_type)),
                "use one of its fields",
            )
        })?;
        let node = self.add("key", NodeSpec::Operator(Arc::new(key_by)), &[stream.node])?;
        Ok(Stream { node, keyed: Some(places), ..stream })
    }

    /// Sends rows to the tasks that these places of theirs belong to, and keys them by the places.
    ///
    /// An upsert stream is sent by places of its key only: all versions of a row stay in one task, in their order.
    pub(crate) fn exchange(
        &mut self,
        stream: Stream,
        places: Vec<usize>,
        by: PartitionedBy,
    ) -> Result<Stream, Refusal> {
        let stream = self.key_by(stream, places.clone())?;
        let names: Vec<&str> = places.iter().map(|place| stream.rows.field(*place).name().as_str()).collect();
        let partition_by: Arc<dyn PartitionBytes> = match &by {
            PartitionedBy::EncodedKey => Arc::new(ByEncodedKey),
            PartitionedBy::TopicKey(format, fields) => {
                let encoder = FormatEncoderSpec::new(
                    Arc::clone(format),
                    names.join(", "),
                    places.clone(),
                    fields.clone(),
                )
                .map_err(|error| Refusal { message: error.to_string(), help: None })?;
                Arc::new(ByTopicKey(Arc::new(encoder)))
            }
        };
        let codec = Arc::new(ColumnBlocks::new(Arc::clone(&stream.rows)));
        let by_clock = stream.times == Times::Arrival;
        let spec = ExchangeSpec { by: names.join(", "), partition_by, codec, by_clock };
        let node = self.add("exchange", NodeSpec::Exchange(Arc::new(spec)), &[stream.node])?;
        let times = if by_clock { Times::Clock } else { stream.times };
        Ok(Stream { node, times, partitioning: Some(Partitioning { places, by }), ..stream })
    }
}
