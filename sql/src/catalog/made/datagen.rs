//! `'connector' = 'datagen'`, with Flink's options.

use super::super::options::{DURATION, Options, duration_ms};
use super::{Column, Made, PARTITIONS_MAX, number, physical};
use crate::error::{SqlError, code};
use crate::functions::values::cast::Length as Declared;
use arrow::datatypes::{DataType, Field};
use millstream_connectors::datagen::{self, Datagen, ELEMENTS, LENGTH, Length, Make};
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// Rows a second when nothing is said, as in Flink.
const PER_SECOND: u64 = 10_000;
/// How long a value may be.
const LENGTH_MAX: usize = 1 << 20;

/// Reads the options. `None` if an error was reported.
pub(super) fn made(table: &str, columns: &[Column], options: &mut Options<'_>) -> Option<Made> {
    let reported = options.errors.len();
    let per_second = number("rows-per-second", 1, u64::MAX, options).unwrap_or(PER_SECOND);
    let rows = number("number-of-rows", 0, u64::MAX, options);
    let partitions = number("scan.parallelism", 1, PARTITIONS_MAX, options).unwrap_or(1);
    let mut reading = Reading { options, rows };
    let mut made = Vec::new();
    for column in physical(columns) {
        let of = Of { data_type: &column.data_type, nullable: column.nullable, column };
        made.extend(reading.column(&column.name.value, &of).map(|made| (column.name.value.clone(), made)));
    }
    let rows = reading.rows;
    let generator = Arc::new(Datagen::new(table, made));
    (options.errors.len() == reported).then_some(Made {
        generator,
        partitions,
        rows,
        per_second: Some(per_second),
    })
}

/// A column, or what is in one.
struct Of<'c> {
    data_type: &'c DataType,
    nullable: bool,
    /// The column of the table.
    column: &'c Column,
}

impl<'c> Of<'c> {
    /// How long values are: as long as they are declared, as in Flink.
    fn length(&self) -> usize {
        let declared = self.column.detail.length.filter(|_| *self.data_type == self.column.data_type);
        match declared {
            Some(Declared::Fixed(length) | Declared::AtMost(length)) => length.min(LENGTH_MAX),
            None => LENGTH,
        }
    }

    fn inside(&self, field: &'c Field) -> Of<'c> {
        Of { data_type: field.data_type(), nullable: field.is_nullable(), column: self.column }
    }
}

struct Reading<'o, 'd> {
    options: &'o mut Options<'d>,
    /// How many rows there are: sequences end.
    rows: Option<u64>,
}

impl Reading<'_, '_> {
    /// How the values of a column are made.
    fn column(&mut self, path: &str, of: &Of<'_>) -> Option<datagen::Column> {
        let kinds = [("random", false), ("sequence", true)];
        let is_sequence = self.options.choice(&format!("fields.{path}.kind"), &kinds);
        let make = if is_sequence { self.sequence(path, of) } else { self.random(path, of) };
        let null_rate = self.null_rate(path, of);
        Some(datagen::Column { make: make?, null_rate })
    }

    fn random(&mut self, path: &str, of: &Of<'_>) -> Option<Make> {
        use DataType as T;
        Some(match of.data_type {
            T::Boolean => Make::Boolean,
            T::Int8 => self.integer(path, i8::MIN.into(), i8::MAX.into())?,
            T::Int16 => self.integer(path, i16::MIN.into(), i16::MAX.into())?,
            T::Int32 => self.integer(path, i32::MIN.into(), i32::MAX.into())?,
            T::Int64 => self.integer(path, i64::MIN, i64::MAX)?,
            T::Float32 => self.float(path, f32::MAX.into())?,
            T::Float64 => self.float(path, f64::MAX)?,
            T::Decimal128(precision, scale) => self.decimal(path, *precision, *scale)?,
            T::Utf8 => {
                let (length, varies) = self.length(path, of.length());
                Make::Text(length, varies)
            }
            T::Binary => {
                let (length, varies) = self.length(path, of.length());
                Make::Bytes(length, varies)
            }
            T::Timestamp(..) => Make::Past(self.max_past(path)?),
            T::Date32 => Make::Today,
            T::Time32(_) | T::Time64(_) => Make::TimeOfDay,
            T::Struct(fields) => {
                let mut made = Vec::new();
                for field in fields {
                    let column = self.column(&format!("{path}.{}", field.name()), &of.inside(field))?;
                    made.push((field.name().clone(), column));
                }
                Make::Row(made)
            }
            T::List(element) => {
                let (length, _) = self.length(path, ELEMENTS);
                Make::Array(Box::new(self.column(&format!("{path}.element"), &of.inside(element))?), length)
            }
            T::Map(entries, _) => self.map(path, of, entries)?,
            other => return self.unsupported(other, of, "made"),
        })
    }

    fn map<'c>(&mut self, path: &str, of: &Of<'c>, entries: &'c Field) -> Option<Make> {
        let DataType::Struct(pair) = entries.data_type() else { return None };
        let [key, value] = pair.as_ref() else { return None };
        let (length, _) = self.length(path, ELEMENTS);
        let key = self.column(&format!("{path}.key"), &of.inside(key));
        let value = self.column(&format!("{path}.value"), &of.inside(value));
        Some(Make::Map(Box::new(key?), Box::new(value?), length))
    }

    fn unsupported<T>(&mut self, data_type: &DataType, of: &Of<'_>, what: &str) -> Option<T> {
        let message = format!("values of type {} can't be {what}", sql_type(data_type));
        let error = SqlError::new(code::COLUMN, of.column.name.span, message);
        self.options.fail(error.help("declare another type; a computed column can CAST it"))
    }

    fn integer(&mut self, path: &str, min: i64, max: i64) -> Option<Make> {
        let (at_least, at_most) = (format!("fields.{path}.min"), format!("fields.{path}.max"));
        let from = number(&at_least, min, max, self.options).unwrap_or(min);
        let to = number(&at_most, min, max, self.options).unwrap_or(max);
        self.in_order(&at_most, from <= to).then_some(Make::Integer(from, to))
    }

    /// As in Flink a number is not negative unless that is asked for.
    fn float(&mut self, path: &str, max: f64) -> Option<Make> {
        let (at_least, at_most) = (format!("fields.{path}.min"), format!("fields.{path}.max"));
        let from = number(&at_least, -max, max, self.options).unwrap_or(0.0);
        let to = number(&at_most, -max, max, self.options).unwrap_or(max);
        self.in_order(&at_most, from <= to).then_some(Make::Float(from, to))
    }

    fn decimal(&mut self, path: &str, precision: u8, scale: i8) -> Option<Make> {
        let most = 10_i128.pow(u32::from(precision)) - 1;
        let mut bound = |name: &str, otherwise: i128| {
            let Some(text) = self.options.text(name) else { return Some(otherwise) };
            match unscaled(&text.value, scale).filter(|number| number.abs() <= most) {
                Some(number) => Some(number),
                None => self.options.bad(name, text, &format!("a number of DECIMAL({precision}, {scale})")),
            }
        };
        let at_most = format!("fields.{path}.max");
        let (from, to) = (bound(&format!("fields.{path}.min"), 0)?, bound(&at_most, most)?);
        self.in_order(&at_most, from <= to).then_some(Make::Decimal(from, to))
    }

    /// Whether the greatest number is not less than the least one, which is said otherwise.
    fn in_order(&mut self, name: &str, is_so: bool) -> bool {
        if !is_so {
            let span = self.options.span(name);
            let error = SqlError::new(code::OPTION_VALUE, span, format!("'{name}' is less than the minimum"));
            self.options.errors.push(error.help("exchange the two"));
        }
        is_so
    }

    fn length(&mut self, path: &str, otherwise: usize) -> (usize, Length) {
        let length = number(&format!("fields.{path}.length"), 0, LENGTH_MAX, self.options);
        let varies = [("false", Length::Fixed), ("true", Length::Varies)];
        (length.unwrap_or(otherwise), self.options.choice(&format!("fields.{path}.var-len"), &varies))
    }

    fn max_past(&mut self, path: &str) -> Option<i64> {
        let name = format!("fields.{path}.max-past");
        let Some(text) = self.options.text(&name) else { return Some(0) };
        match duration_ms(&text.value) {
            Some(duration) => Some(duration),
            None => self.options.bad(&name, text, DURATION),
        }
    }

    fn null_rate(&mut self, path: &str, of: &Of<'_>) -> f64 {
        let name = format!("fields.{path}.null-rate");
        let rate = number(&name, 0.0, 1.0, self.options).unwrap_or(0.0);
        if rate > 0.0 && !of.nullable {
            let span = self.options.span(&name);
            let message = format!("values of {path} can't be null: it is declared NOT NULL");
            let error = SqlError::new(code::CONFLICT, span, message);
            self.options.errors.push(error.help("leave the option or the NOT NULL out"));
        }
        rate
    }

    /// `start` and `end`, which ends the table.
    fn sequence(&mut self, path: &str, of: &Of<'_>) -> Option<Make> {
        use DataType as T;
        match of.data_type {
            T::Utf8
            | T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::Float32
            | T::Float64
            | T::Decimal128(..) => {}
            other => return self.unsupported(other, of, "counted"),
        }
        let (min, max) = bounds_of(of.data_type);
        let mut bound = |name: &str| {
            let name = format!("fields.{path}.{name}");
            if !self.options.was_given(&name) {
                self.options.missing(&name, &format!("set '{name}': a sequence has a start and an end"));
            }
            number(&name, min, max, self.options)
        };
        let (start, end) = (bound("start"), bound("end"));
        let (start, end) = (start?, end?);
        if !self.in_order(&format!("fields.{path}.end"), start <= end) {
            return None;
        }
        let count = u64::try_from(i128::from(end) - i128::from(start) + 1).unwrap_or(u64::MAX);
        self.rows = Some(self.rows.map_or(count, |rows| rows.min(count)));
        Some(Make::Sequence(start.into()))
    }
}

/// Which whole numbers a column can hold that counts.
fn bounds_of(data_type: &DataType) -> (i64, i64) {
    match data_type {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Decimal128(precision, scale) => {
            let digits = u32::try_from(i16::from(*precision) - i16::from(*scale)).unwrap_or(0);
            let most = 10_i64.checked_pow(digits).map_or(i64::MAX, |beyond| beyond - 1);
            (-most, most)
        }
        _ => (i64::MIN, i64::MAX),
    }
}

/// A decimal number by its digits, as many behind the point as the scale says.
fn unscaled(text: &str, scale: i8) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::try_from(scale).ok()?;
    if whole.is_empty() || fraction.len() > scale {
        return None;
    }
    let digits = format!("{whole}{fraction:0<scale$}");
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse::<i128>().ok()).flatten().map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_decimals_are_read_with_their_scale() {
        let cases = [("1", Some(100)), ("-1.5", Some(-150)), ("0.05", Some(5)), ("1.234", None), ("x", None)];
        for (text, expected) in cases {
            assert_eq!(unscaled(text, 2), expected, "{text}");
        }
        assert_eq!(bounds_of(&DataType::Decimal128(5, 2)), (-999, 999));
    }
}
