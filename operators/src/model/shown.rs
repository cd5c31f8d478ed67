//! State as rows, for people: what an operator keeps, read from a checkpoint and changed by nobody.

use crate::OperatorError;
use crate::formats::{Encoder, parse};
use crate::operator::StateScope;
use arrow::array::RecordBatch;
use millstream_state::BytesColumn;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Takes rows of state, and says whether it wants more.
pub type EachRows<'a> = &'a mut dyn FnMut(RecordBatch) -> ControlFlow<()>;

/// Pairs that are read at once: state may be larger than memory.
const PAIRS: usize = 1_024;

/// Writes rows as lines.
#[derive(Debug)]
pub struct RowLines {
    format: &'static str,
    encoder: Option<Box<dyn Encoder>>,
}

impl RowLines {
    /// Each row as a JSON object.
    pub fn json() -> Self {
        RowLines { format: "json", encoder: None }
    }

    /// Each row as fields with commas between; a line with the names of columns comes first.
    pub fn csv() -> Self {
        RowLines { format: "csv", encoder: None }
    }

    /// Appends rows, which have the same columns as those before.
    ///
    /// # Errors
    /// A sentence that says what the format can't write.
    pub fn write(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String> {
        let schema = rows.schema();
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => {
                let format = parse(self.format, &BTreeMap::new()).map_err(|error| error.to_string())?;
                let encoder = format.encoder(schema.fields()).map_err(|error| error.to_string())?;
                if self.format == "csv" {
                    let names: Vec<String> =
                        schema.fields().iter().map(|field| heading(field.name())).collect();
                    out.extend_from_slice(names.join(",").as_bytes());
                    out.push(b'\n');
                }
                none.insert(encoder)
            }
        };
        encoder.begin(&mut rows.columns().iter(), &[])?;
        for row in 0..rows.num_rows() {
            encoder.encode(row, out)?;
            out.push(b'\n');
        }
        Ok(())
    }
}

/// A name as a field of CSV.
fn heading(name: &str) -> String {
    let is_plain = !name.contains([',', '"', '\n', '\r']);
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Walks a store in pieces, each with its keys and values.
pub(crate) fn pieces(
    store: u16,
    state: &mut StateScope<'_>,
    mut each: impl FnMut(
        &BytesColumn,
        &BytesColumn,
        &mut StateScope<'_>,
    ) -> Result<ControlFlow<()>, OperatorError>,
) -> Result<(), OperatorError> {
    let mut from = Vec::new();
    loop {
        let (mut keys, mut values) = (BytesColumn::default(), BytesColumn::default());
        let mut count = 0;
        let mut last = Vec::new();
        state.scan(store, &from, None, |key, value| {
            keys.push(key);
            values.push(value);
            count += 1;
            if count < PAIRS {
                return ControlFlow::Continue(());
            }
            last = key.to_vec();
            ControlFlow::Break(())
        })?;
        if count == 0 || each(&keys, &values, state)?.is_break() || count < PAIRS {
            return Ok(());
        }
        // The next key there can be.
        last.push(0);
        from = last;
    }
}
