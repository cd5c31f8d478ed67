//! What a type of SQL says beyond what Arrow's type says of it: digits behind the second, and lengths.
//!
//! Arrow has times with 0, 3, 6 or 9 digits and texts of any length. What differs from that goes with a field, in its
//! metadata: digits for every time in the type, in the order in which they stand in it, so that `ROW<a TIMESTAMP(1), b
//! ARRAY<TIMESTAMP(7)>>` has 1 and 7.

use super::cast::Length;
use super::text::digits_of;
use arrow::datatypes::{DataType, Field, FieldRef};
use std::sync::Arc;

const DIGITS: &str = "digits";
const LENGTH: &str = "length";

/// Digits behind the second: one for every time in a type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TimeDigits(Vec<u8>);

impl TimeDigits {
    /// Those that Arrow's type says.
    pub(crate) fn of_units(data_type: &DataType) -> Self {
        let mut digits = Vec::new();
        push_units(data_type, &mut digits);
        TimeDigits(digits)
    }

    /// These, if they are as many as there are times in the type.
    pub(crate) fn new(digits: Vec<u8>, data_type: &DataType) -> Option<Self> {
        (digits.len() == times(data_type)).then_some(TimeDigits(digits))
    }

    /// Those of a field.
    pub(crate) fn of_field(field: &Field) -> Self {
        let said = field.metadata().get(DIGITS).and_then(|said| {
            let digits = said.split(' ').map(|digits| digits.parse().ok()).collect::<Option<Vec<u8>>>()?;
            TimeDigits::new(digits, field.data_type())
        });
        said.unwrap_or_else(|| TimeDigits::of_units(field.data_type()))
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Of each time the larger number; as many as both have.
    pub(crate) fn max(&self, other: &Self) -> Self {
        TimeDigits(self.0.iter().zip(&other.0).map(|(one, other)| *one.max(other)).collect())
    }

    /// Whether no time has more digits than the other.
    pub(crate) fn fit(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one <= other)
    }

    /// The one number of digits that all times have.
    pub(crate) fn one(&self) -> Option<u8> {
        let first = *self.0.first()?;
        self.0.iter().all(|digits| *digits == first).then_some(first)
    }

    /// The same digits for every time in a type.
    pub(crate) fn all(digits: u8, data_type: &DataType) -> Self {
        TimeDigits(vec![digits; times(data_type)])
    }

    /// Those of a part of a type; so many times stand in front of it.
    pub(super) fn slice(&self, before: usize, part: &DataType) -> Option<Self> {
        Some(TimeDigits(self.0.get(before..before + times(part))?.to_vec()))
    }

    /// Those of the field of a row.
    pub(crate) fn of_part(&self, row: &DataType, name: &str) -> Option<Self> {
        let DataType::Struct(fields) = row else { return None };
        let at = fields.iter().position(|field| field.name() == name)?;
        let before: usize = fields[..at].iter().map(|field| times(field.data_type())).sum();
        self.slice(before, fields[at].data_type())
    }
}

/// How many times there are in a type.
pub(super) fn times(data_type: &DataType) -> usize {
    use DataType as T;
    match data_type {
        T::Timestamp(_, _) | T::Time32(_) | T::Time64(_) => 1,
        T::List(item) => times(item.data_type()),
        T::Map(entries, _) => times(entries.data_type()),
        T::Struct(fields) => fields.iter().map(|field| times(field.data_type())).sum(),
        _ => 0,
    }
}

fn push_units(data_type: &DataType, digits: &mut Vec<u8>) {
    use DataType as T;
    match data_type {
        T::Timestamp(unit, _) | T::Time32(unit) | T::Time64(unit) => digits.push(digits_of(*unit)),
        T::List(item) => push_units(item.data_type(), digits),
        T::Map(entries, _) => push_units(entries.data_type(), digits),
        T::Struct(fields) => fields.iter().for_each(|field| push_units(field.data_type(), digits)),
        _ => {}
    }
}

/// What a type says beyond Arrow's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Detail {
    /// Digits behind the second, where they are not those of the units.
    pub(crate) digits: Option<TimeDigits>,
    /// The length of texts and bytes.
    pub(crate) length: Option<Length>,
}

impl Detail {
    /// What a field says.
    pub(crate) fn of(field: &Field) -> Self {
        let units = TimeDigits::of_units(field.data_type());
        let digits = Some(TimeDigits::of_field(field)).filter(|digits| *digits != units);
        let length = field.metadata().get(LENGTH).and_then(|said| {
            let (kind, count) = said.split_once(' ')?;
            let count = count.parse().ok()?;
            match kind {
                "fixed" => Some(Length::Fixed(count)),
                "at-most" => Some(Length::AtMost(count)),
                _ => None,
            }
        });
        Detail { digits, length }
    }

    /// As metadata of a field of this type, which says all of it.
    pub(crate) fn metadata(&self, data_type: &DataType) -> Vec<(String, String)> {
        let units = TimeDigits::of_units(data_type);
        let digits = self.digits.as_ref().unwrap_or(&units);
        let digits: Vec<String> = digits.0.iter().map(u8::to_string).collect();
        let length = match self.length {
            None => "any 0".to_owned(),
            Some(Length::Fixed(count)) => format!("fixed {count}"),
            Some(Length::AtMost(count)) => format!("at-most {count}"),
        };
        let is_text = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let digits = (!digits.is_empty()).then(|| (DIGITS.to_owned(), digits.join(" ")));
        digits.into_iter().chain(is_text.then(|| (LENGTH.to_owned(), length))).collect()
    }

    /// The field, which says this.
    pub(crate) fn on(&self, field: Field) -> Field {
        match *self == Detail::default() {
            true => field,
            false => {
                let metadata = self.metadata(field.data_type());
                field.with_metadata(metadata.into_iter().collect())
            }
        }
    }

    /// A field without a name.
    pub(crate) fn unnamed(&self, data_type: DataType) -> FieldRef {
        Arc::new(self.on(Field::new("", data_type, true)))
    }
}

/// The name of a type in SQL, with the digits and the length that it has.
pub(crate) fn type_name(data_type: &DataType, detail: &Detail) -> String {
    let plain = millstream_operators::formats::sql_type(data_type);
    let (text, fixed) = match data_type {
        DataType::Utf8 => ("VARCHAR", "CHAR"),
        _ => ("VARBINARY", "BINARY"),
    };
    match (detail.length, &detail.digits) {
        (Some(Length::Fixed(count)), _) => format!("{fixed}({count})"),
        (Some(Length::AtMost(count)), _) => format!("{text}({count})"),
        (None, Some(digits)) => with_digits(data_type, &mut digits.0.iter()),
        (None, None) => plain,
    }
}

fn with_digits(data_type: &DataType, digits: &mut std::slice::Iter<'_, u8>) -> String {
    use DataType as T;
    let mut time = |name: &str| format!("{name}({})", digits.next().copied().unwrap_or_default());
    match data_type {
        T::Timestamp(_, None) => time("TIMESTAMP"),
        T::Timestamp(_, Some(_)) => time("TIMESTAMP_LTZ"),
        T::Time32(_) | T::Time64(_) => time("TIME"),
        T::List(item) => format!("ARRAY<{}>", with_digits(item.data_type(), digits)),
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(pair) => {
                let pair: Vec<String> =
                    pair.iter().map(|part| with_digits(part.data_type(), digits)).collect();
                format!("MAP<{}>", pair.join(", "))
            }
            other => with_digits(other, digits),
        },
        T::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), with_digits(field.data_type(), digits)))
                .collect();
            format!("ROW<{}>", fields.join(", "))
        }
        other => millstream_operators::formats::sql_type(other),
    }
}
