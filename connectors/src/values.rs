//! Rows that stand in the file: `VALUES`, and a query without a table, which is one row.

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::util::display::array_value_to_string;
use millstream_operators::meaning::{Columns, SourceMeaning};
use millstream_operators::source::{BadRecord, DecodeCx, Decoded, Decoder, DecoderSpec};
use millstream_operators::{OperatorError, Ops, Payload, Records, TopicPartition};

/// Rows by their numbers.
#[derive(Debug, Clone)]
pub struct Values {
    rows: RecordBatch,
    text: String,
}

impl Values {
    /// These rows; `text` is how they are written.
    pub fn new(rows: RecordBatch, text: impl Into<String>) -> Self {
        Values { rows, text: text.into() }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.rows.num_rows() as u64
    }

    /// Their columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

impl DecoderSpec for Values {
    fn describe(&self) -> String {
        self.text.clone()
    }

    fn meaning(&self, topics: &str) -> SourceMeaning {
        let columns = Columns::Of(format!("{{{topics}}}"));
        SourceMeaning { reads: "rows of the file".to_owned(), columns, time: "the clock".to_owned() }
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(self.clone()))
    }
}

impl Decoder for Values {
    fn decode(
        &mut self,
        _place: &TopicPartition,
        records: &Records,
        cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        let (mut numbers, mut indices, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (index, record) in records.iter().enumerate() {
            let number = record.value.and_then(|value| value.try_into().ok()).map(u64::from_be_bytes);
            match number.filter(|number| *number < self.rows.num_rows() as u64) {
                Some(number) => {
                    numbers.push(number);
                    indices.push(index as u32);
                }
                None => bad.push(BadRecord { index, field: None, detail: "there is no such row".to_owned() }),
            }
        }
        let numbers = UInt64Array::from(numbers);
        let columns = self.rows.columns().iter().map(|column| take(column, &numbers, None));
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        let rows = RecordBatch::try_new_with_options(self.rows.schema(), columns, &count)?;
        let times = vec![cx.now_ms; numbers.len()].into();
        let (rows, ops) = (Payload::Columns(rows), Ops::Append);
        Ok(Decoded { rows, times, ops, records: indices, bad, skipped: 0, watermark: None })
    }
}

/// What tells rows from others: their types and values.
pub fn identity(values: &Values) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(&values.count().to_be_bytes());
    for column in values.rows.columns() {
        hash.update(column.data_type().to_string().as_bytes());
        // Values as texts: what lies in the buffers below nulls is no part of them.
        for row in 0..column.len() {
            let text = array_value_to_string(column, row).unwrap_or_default();
            hash.update(&[u8::from(column.is_null(row))]);
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    hash.digest128()
}
