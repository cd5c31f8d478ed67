//! Rows as the console shows them: the text of Flink's `print` sink, which is that of Java's types.
//!
//! ```text
//!   NULL        null                        BYTES    [10, -1]
//!   DECIMAL     2.00                        ARRAY    [1, null]
//!   TIMESTAMP   2020-01-02T03:04:05.600     MAP      {a=1}
//!   .. LTZ      2020-01-02T03:04:05.600Z    ROW      +I[1, x]
//!   TIME        03:04:05, 03:04
//! ```
//! Texts stand there as they are. It is for people: two rows that differ may look the same.

use crate::datetime::{Instant, write_date};
use crate::view::{Values, View, items};
use crate::write::{WriteRules, write_i64, write_plain};
use arrow::array::ArrayRef;
use std::fmt::Write;

/// Writes the columns of a row with `, ` between them.
#[derive(Debug, Default)]
pub struct PrintEncoder {
    columns: Vec<View>,
    rules: WriteRules,
}

impl PrintEncoder {
    /// Makes ready to write rows of these columns.
    ///
    /// # Errors
    /// A sentence that names a type that can't be written.
    pub fn begin<'a>(&mut self, columns: impl Iterator<Item = &'a ArrayRef>) -> Result<(), String> {
        let views = columns.map(View::of).collect::<Result<_, _>>();
        self.columns = views.map_err(|data_type| format!("a column of type {data_type} can't be shown"))?;
        Ok(())
    }

    /// Appends the row at `row`.
    pub fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        write_all(&self.columns, row, &mut self.rules, out);
    }
}

fn write_all(columns: &[View], row: usize, rules: &mut WriteRules, out: &mut Vec<u8>) {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write_value(column, row, rules, out);
    }
}

fn write_value(column: &View, row: usize, rules: &mut WriteRules, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match &column.values {
        Values::Struct(columns) => {
            out.extend_from_slice(b"+I[");
            write_all(columns, row, rules, out);
            out.push(b']');
        }
        Values::List(offsets, list) => {
            write_items(items(offsets, row), b"[]", out, |item, out| write_value(list, item, rules, out));
        }
        Values::Map(offsets, pair) => write_items(items(offsets, row), b"{}", out, |item, out| {
            write_value(&pair[0], item, rules, out);
            out.push(b'=');
            write_value(&pair[1], item, rules, out);
        }),
        Values::Binary(values) => {
            let bytes = values.value(row);
            write_items(0..bytes.len(), b"[]", out, |byte, out| write_i64((bytes[byte] as i8).into(), out));
        }
        Values::Decimal(values, scale) => write_decimal(values[row], *scale, out),
        Values::Time32(values, unit) => write_time(Instant::of_unit(values[row].into(), *unit), false, out),
        Values::Time64(values, unit) => write_time(Instant::of_unit(values[row], *unit), false, out),
        Values::Timestamp(values, unit, zoned) => {
            let instant = Instant::of_unit(values[row], *unit);
            write_date(instant.seconds.div_euclid(86_400), out);
            out.push(b'T');
            write_time(Instant { seconds: instant.seconds.rem_euclid(86_400), ..instant }, *zoned, out);
            if *zoned {
                out.push(b'Z');
            }
        }
        plain => write_plain(plain, row, rules, out),
    }
}

fn write_items(
    items: std::ops::Range<usize>,
    brackets: &[u8; 2],
    out: &mut Vec<u8>,
    mut write: impl FnMut(usize, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    let first = items.start;
    for item in items {
        if item > first {
            out.extend_from_slice(b", ");
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

/// As Java's `BigDecimal`: all places of the scale, and a power of ten where the number is very small.
fn write_decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    let digits = value.unsigned_abs().to_string();
    let scale = usize::from(scale.max(0) as u8);
    let sign = if value < 0 { "-" } else { "" };
    let exponent = digits.len() as i64 - 1 - scale as i64;
    let text = if scale == 0 {
        digits
    } else if exponent < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}E{exponent}")
    } else {
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{whole}.{fraction}")
    };
    out.extend_from_slice(sign.as_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// As Java's `LocalTime`: seconds only where there are some, and a fraction of three, six or nine digits; `whole` as its
/// `Instant`, with the seconds always.
fn write_time(time: Instant, whole: bool, out: &mut Vec<u8>) {
    let (seconds, nanos) = (time.seconds.rem_euclid(86_400), time.nanos);
    let mut text = format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    // Writing to a string does not fail.
    if whole || seconds % 60 != 0 || nanos != 0 {
        let _ = write!(text, ":{:02}", seconds % 60);
    }
    let _ = match nanos {
        0 => Ok(()),
        _ if nanos % 1_000_000 == 0 => write!(text, ".{:03}", nanos / 1_000_000),
        _ if nanos % 1_000 == 0 => write!(text, ".{:06}", nanos / 1_000),
        _ => write!(text, ".{nanos:09}"),
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Date32Array, Float64Array, Int32Array, StringArray};
    use std::sync::Arc;

    /// What Flink 2.3 prints of these rows.
    #[test]
    fn rows_are_printed_as_flink_prints_them() {
        let columns: [ArrayRef; 5] = [
            Arc::new(Int32Array::from(vec![1, 1, 2])),
            Arc::new(StringArray::from(vec![Some("x,y \"q\" z"), None, Some("")])),
            Arc::new(BooleanArray::from(vec![true, true, false])),
            Arc::new(Float64Array::from(vec![0.25, 2.0, 0.5])),
            Arc::new(Date32Array::from(vec![Some(18_263), Some(18_263), None])),
        ];
        let expected = [
            "1, x,y \"q\" z, true, 0.25, 2020-01-02",
            "1, null, true, 2.0, 2020-01-02",
            "2, , false, 0.5, null",
        ];
        let mut encoder = PrintEncoder::default();
        encoder.begin(columns.iter()).unwrap();
        for (row, expected) in expected.into_iter().enumerate() {
            let mut out = Vec::new();
            encoder.encode(row, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn decimals_and_times_are_javas() {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        for (value, scale, expected) in [
            (200, 2, "2.00"),
            (-5, 2, "-0.05"),
            (0, 3, "0.000"),
            (7, 0, "7"),
            (1, 6, "0.000001"),
            (1, 7, "1E-7"),
            (-12, 9, "-1.2E-8"),
            (0, 8, "0E-8"),
            (i128::MAX, 1, "17014118346046923173168730371588410572.7"),
        ] {
            assert_eq!(written(&|out| write_decimal(value, scale, out)), expected);
        }
        for (seconds, nanos, local, instant) in [
            (0, 0, "00:00", "00:00:00"),
            (11_045, 0, "03:04:05", "03:04:05"),
            (11_040, 600_000_000, "03:04:00.600", "03:04:00.600"),
            (86_399, 1_000, "23:59:59.000001", "23:59:59.000001"),
            (1, 1, "00:00:01.000000001", "00:00:01.000000001"),
        ] {
            let time = Instant { seconds, nanos };
            assert_eq!(written(&|out| write_time(time, false, out)), local);
            assert_eq!(written(&|out| write_time(time, true, out)), instant);
        }
    }
}
