//! Formats as their tests use them: payloads to rows, and rows to payloads.

use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, Schema};
use millstream_formats::{Absent, Format, Run};
use millstream_operators::sink::{FormatEncoderSpec, RowEncoderSpec};
use millstream_operators::testing::{batch, print};
use millstream_operators::{Batch, Ops};
use std::sync::Arc;

/// The rows of some payloads, and what else came of them.
pub(crate) fn read(
    format: &dyn Format,
    declared: &Fields,
    needed: &Fields,
    payloads: &[Option<&[u8]>],
) -> (String, Run) {
    let mut decoder = format.decoder(declared, needed).unwrap();
    let mut run = Run::default();
    decoder.decode_run(payloads, Absent::AsItIs, &mut run);
    let columns = RecordBatch::try_new(Arc::new(Schema::new(needed.clone())), decoder.finish()).unwrap();
    let signs = if run.signs.is_empty() { vec![1; run.payloads.len()] } else { run.signs.clone() };
    (print(&Batch::changes(columns, vec![0; signs.len()], Ops::from_signs(signs))), run)
}

/// What is wrong with bad payloads, a line each: which, the field where one is known, and why.
pub(crate) fn bad_lines(run: Run) -> Vec<String> {
    let line = |(index, bad): (u32, millstream_formats::BadPayload)| {
        let field = bad.field.map(|field| format!(" {field}:")).unwrap_or_default();
        format!("{index}:{field} {}", bad.detail)
    };
    run.bad.into_iter().map(line).collect()
}

/// What a format writes of rows.
pub(crate) fn write(format: &Arc<dyn Format>, rows: &str) -> Result<Vec<Vec<u8>>, String> {
    let batch = batch(rows);
    let fields = batch.columns().unwrap().schema().fields().clone();
    let spec = FormatEncoderSpec::new(Arc::clone(format), "out", (0..fields.len()).collect(), fields);
    let mut encoder = spec.map_err(|error| error.to_string())?.build().unwrap();
    encoder.begin(&batch).map_err(|error| error.to_string())?;
    let mut written = Vec::new();
    for row in 0..batch.len() {
        let mut out = Vec::new();
        encoder.encode(row, &mut out).map_err(|error| error.to_string())?;
        written.push(out);
    }
    Ok(written)
}

/// Bytes from hexadecimal digits, whatever stands between them.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
