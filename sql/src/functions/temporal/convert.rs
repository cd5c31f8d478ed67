//! Between times and texts or numbers.

use super::{local_at, timestamps};
use crate::functions::signature::Arg;
use crate::functions::time::formatter::{Formatter, TimeParser, can_parse};
use crate::functions::time::simple::SimpleFormat;
use crate::functions::time::zone::{UTC, Zone};
use crate::functions::time::{Moment, per_second};
use crate::functions::values::parse;
use crate::functions::{Call, Column, Failed, Param, Typed, fixed};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit};
use millstream_operators::formats::sql_type;

/// The pattern that is used where none is written.
const USUAL: &str = "yyyy-MM-dd HH:mm:ss";

fn millis() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

fn millis_utc() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

/// Patterns by row, each read once as long as it stays the same.
struct Patterns<'a, P> {
    texts: Option<Column<'a, StringArray>>,
    read: fn(&str) -> Result<P, String>,
    last: Option<(String, P)>,
}

impl<'a, P> Patterns<'a, P> {
    fn new(call: &Call<'a>, arg: usize, read: fn(&str) -> Result<P, String>) -> Result<Self, Failed> {
        let texts = if call.arity() > arg { Some(call.column(arg)?) } else { None };
        Ok(Patterns { texts, read, last: None })
    }

    /// The pattern of a row; `None` for null.
    fn of(&mut self, row: usize) -> Result<Option<&P>, Failed> {
        let text = match &self.texts {
            None => USUAL,
            Some(texts) => match texts.get(row) {
                None => return Ok(None),
                Some(text) => text,
            },
        };
        if self.last.as_ref().is_none_or(|(last, _)| last != text) {
            self.last = Some((text.to_owned(), (self.read)(text)?));
        }
        Ok(self.last.as_ref().map(|(_, pattern)| pattern))
    }
}

pub(super) fn date_format_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let [time, pattern] = args else { return Err("takes a timestamp and a pattern".to_owned()) };
    let time = match time.data_type {
        DataType::Timestamp(_, _) | DataType::Utf8 => time.data_type.clone(),
        DataType::Null => millis(),
        other => return Err(format!("takes a TIMESTAMP, not {}: CAST it to TIMESTAMP(3)", sql_type(other))),
    };
    if let Some(text) = pattern.text() {
        match time {
            DataType::Utf8 => SimpleFormat::new(text).map(drop)?,
            _ => drop(Formatter::new(text)),
        }
    }
    fixed(
        &[Arg { data_type: &DataType::Utf8, literal: None }, *pattern],
        2,
        &[Param::Text, Param::Text],
        DataType::Utf8,
    )?;
    Ok(Typed { args: vec![time, DataType::Utf8], returns: DataType::Utf8 })
}

pub(super) fn date_format(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let times = call.array(0)?;
    let zone = call.zone();
    let mut out = String::new();
    if *times.data_type() == DataType::Utf8 {
        let texts = call.column::<StringArray>(0)?;
        let usual = SimpleFormat::new(USUAL)?;
        let mut patterns = Patterns::new(call, 1, SimpleFormat::new)?;
        return call.texts(|row| {
            let (Some(text), Some(pattern)) = (texts.get(row), patterns.of(row)?) else { return Ok(None) };
            let Some(moment) = usual.parse(text, UTC) else { return Ok(None) };
            out.clear();
            pattern.format(moment, UTC, &mut out);
            Ok(Some(out.clone()))
        });
    }
    let mut patterns = Patterns::new(call, 1, Formatter::new)?;
    call.texts(|row| {
        let Some(local) = local_at(&times, row, zone)? else { return Ok(None) };
        let Some(pattern) = patterns.of(row)? else { return Ok(None) };
        out.clear();
        pattern.format(local, &mut out);
        Ok(Some(out.clone()))
    })
}

/// A text and maybe a pattern.
pub(super) fn with_pattern(args: &[Arg<'_>], returns: DataType) -> Result<Typed, String> {
    fixed(args, 1, &[Param::Text, Param::Text], returns)
}

pub(super) fn to_timestamp_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    if let Some(pattern) = args.get(1).and_then(Arg::text) {
        can_parse(pattern)?;
    }
    with_pattern(args, millis())
}

pub(super) fn to_timestamp(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = call.column::<StringArray>(0)?;
    if call.arity() == 1 {
        return timestamps(call, |row| Ok(texts.get(row).and_then(parse::timestamp)));
    }
    let parsed = parsed(call, texts)?;
    timestamps(call, |row| Ok(parsed.get(row).copied().flatten()))
}

/// The texts of the first argument by the patterns of the second. A pattern that is none makes nulls.
fn parsed(call: &Call<'_>, texts: Column<'_, StringArray>) -> Result<Vec<Option<Moment>>, Failed> {
    let mut patterns = Patterns::new(call, 1, |text| Ok(TimeParser::new(text).ok()))?;
    let one = |row| -> Result<Option<Moment>, Failed> {
        let (Some(text), Some(Some(pattern))) = (texts.get(row), patterns.of(row)?) else { return Ok(None) };
        Ok(pattern.parse(text))
    };
    (0..call.rows()).map(one).collect()
}

pub(super) fn to_date(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = call.column::<StringArray>(0)?;
    let fits = |days: i64| i32::try_from(days).map_err(|_| Failed::from("the date is out of range"));
    if call.arity() == 1 {
        return call.numbers::<Date32Type>(|row| texts.get(row).and_then(parse::date).map(fits).transpose());
    }
    let mut patterns = Patterns::new(call, 1, SimpleFormat::new)?;
    call.numbers::<Date32Type>(|row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.of(row)?) else { return Ok(None) };
        pattern.parse(text, UTC).map(|moment| fits(moment.day().0)).transpose()
    })
}

pub(super) fn to_timestamp_ltz_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let first = args.first().ok_or("takes a number or a string")?;
    if *first.data_type == DataType::Utf8 {
        if let Some(pattern) = args.get(1).and_then(Arg::text) {
            can_parse(pattern)?;
        }
        return fixed(args, 1, &[Param::Text, Param::Text, Param::Text], millis_utc());
    }
    let precision = match args.get(1).map(|arg| arg.literal) {
        None => 3,
        Some(Some(literal)) => literal.to_string().parse().unwrap_or(-1),
        Some(None) => -1,
    };
    if !matches!(precision, 0 | 3) {
        return Err("takes the precision 0 (seconds) or 3 (milliseconds), as a constant".to_owned());
    }
    fixed(args, 1, &[Param::Long, Param::Int], millis_utc())
}

/// The first and last milliseconds of the years 1 and 9999.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

pub(super) fn to_timestamp_ltz(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    if let Ok(texts) = call.column::<StringArray>(0) {
        let session = call.zone();
        let zones = if call.arity() > 2 { Some(call.column::<StringArray>(2)?) } else { None };
        let parsed = match call.arity() {
            1 => (0..call.rows()).map(|row| texts.get(row).and_then(parse::timestamp)).collect(),
            _ => parsed(call, texts)?,
        };
        return timestamps(call, |row| {
            let Some(local) = parsed.get(row).copied().flatten() else { return Ok(None) };
            let zone = match &zones {
                None => Some(session),
                Some(zones) => match zones.get(row) {
                    None => return Ok(None),
                    Some(name) => Zone::named(name),
                },
            };
            Ok(zone.map(|zone| zone.moment(local)))
        });
    }
    let numbers = call.column::<Int64Array>(0)?;
    let seconds = call.arity() > 1 && call.column::<arrow::array::Int32Array>(1)?.get(0) == Some(0);
    let factor = if seconds { 1000 } else { 1 };
    timestamps(call, |row| {
        let millis = numbers.get(row).and_then(|number| number.checked_mul(factor));
        Ok(millis
            .filter(|millis| RANGE_MS.contains(millis))
            .map(|millis| Moment::new(millis, TimeUnit::Millisecond)))
    })
}

pub(super) fn from_unixtime_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    fixed(args, 1, &[Param::Long, Param::Text], DataType::Utf8)
}

pub(super) fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let numbers = call.column::<Int64Array>(0)?;
    let mut patterns = Patterns::new(call, 1, SimpleFormat::new)?;
    let zone = call.zone();
    let mut out = String::new();
    call.texts(|row| {
        let (Some(seconds), Some(pattern)) = (numbers.get(row), patterns.of(row)?) else { return Ok(None) };
        // Java counts milliseconds, of which the upper bits are lost.
        let moment =
            Moment::new(seconds.wrapping_mul(per_second(TimeUnit::Millisecond)), TimeUnit::Millisecond);
        out.clear();
        pattern.format(moment, zone, &mut out);
        Ok(Some(out.clone()))
    })
}

pub(super) fn unix_timestamp_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    if args.is_empty() {
        return Err("without a text reads the clock: the same input gives the same result whenever it is read; use a \
                    column of the table"
            .to_owned());
    }
    with_pattern(args, DataType::Int64)
}

pub(super) fn unix_timestamp(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = call.column::<StringArray>(0)?;
    let mut patterns = Patterns::new(call, 1, SimpleFormat::new)?;
    let zone = call.zone();
    call.numbers::<Int64Type>(|row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.of(row)?) else { return Ok(None) };
        // What is no time is the least number there is, as in Flink.
        Ok(Some(pattern.parse(text, zone).map_or(i64::MIN, |moment| moment.seconds)))
    })
}

pub(super) fn convert_tz(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = call.column::<StringArray>(0)?;
    let (from, to) = (call.column::<StringArray>(1)?, call.column::<StringArray>(2)?);
    let usual = SimpleFormat::new(USUAL)?;
    let mut out = String::new();
    call.texts(|row| {
        let (Some(text), Some(from), Some(to)) = (texts.get(row), from.get(row), to.get(row)) else {
            return Ok(None);
        };
        // A zone that there is not is GMT, as in Java.
        let (from, to) = (java_zone(from), java_zone(to));
        let Some(moment) = usual.parse(text, from) else { return Ok(None) };
        out.clear();
        usual.format(moment, to, &mut out);
        Ok(Some(out.clone()))
    })
}

/// `java.util.TimeZone.getTimeZone`: offsets need a `GMT` in front of them, and what it does not know is GMT.
fn java_zone(name: &str) -> Zone {
    if name.starts_with(['+', '-']) {
        return UTC;
    }
    let long = match name {
        "PST" => "America/Los_Angeles",
        "CST" => "America/Chicago",
        "CTT" => "Asia/Shanghai",
        "JST" => "Asia/Tokyo",
        "IST" => "Asia/Kolkata",
        "ECT" => "Europe/Paris",
        "BST" => "Asia/Dhaka",
        other => other,
    };
    Zone::named(long).unwrap_or(UTC)
}
