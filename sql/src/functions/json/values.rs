//! Values of SQL as JSON: `JSON_STRING`, `JSON_OBJECT`, `JSON_ARRAY`.

use super::super::encoding::push_base64;
use super::super::time::{DAY_S, SECOND, calendar::Date, timestamp_at};
use super::super::values::text::{Style, write, write_f64};
use super::super::{Arg, Call, Failed, Typed, time::zone::UTC};
use super::clauses::MARK;
use super::scan;
use super::write::{push_members, push_number, push_text, push_value, sort_members};
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use millstream_operators::formats::sql_type;
use std::fmt::Write;

/// Whether values of a type have JSON.
pub(in super::super) fn check(data_type: &DataType) -> Result<(), String> {
    use DataType as T;
    match data_type {
        T::Utf8 | T::Boolean | T::Int8 | T::Int16 | T::Int32 | T::Int64 => Ok(()),
        T::Float32 | T::Float64 | T::Decimal128(_, _) | T::Binary | T::Timestamp(_, _) => Ok(()),
        T::List(item) => check(item.data_type()),
        T::Struct(fields) => fields.iter().try_for_each(|field| check(field.data_type())),
        T::Map(_, _) => match super::super::elements::pair_of(data_type) {
            Some((T::Utf8, value)) => check(value),
            _ => Err("takes MAPs whose keys are texts".to_owned()),
        },
        other => Err(format!("has no JSON of {}: CAST it to STRING", sql_type(other))),
    }
}

/// Appends a value.
pub(in super::super) fn push(array: &dyn Array, row: usize, out: &mut String) -> Result<(), Failed> {
    use DataType as T;
    if array.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    let style = Style { zone: UTC, digits: &[] };
    match array.data_type() {
        T::Utf8 => push_text(array.as_string::<i32>().value(row), out),
        T::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        T::Float64 => push_float(array.as_primitive::<Float64Type>().value(row), out),
        T::Float32 => push_float(f64::from(array.as_primitive::<Float32Type>().value(row)), out),
        T::Decimal128(_, _) => {
            let mut text = String::new();
            write(array, row, style, &mut text)?;
            push_number(&text, out);
        }
        T::Binary => {
            out.push('"');
            push_base64(array.as_binary::<i32>().value(row), out);
            out.push('"');
        }
        T::Timestamp(_, zone) => {
            out.push('"');
            push_timestamp(array, row, out)?;
            out.push_str(if zone.is_some() { "Z\"" } else { "\"" });
        }
        T::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for place in 0..items.len() {
                out.push_str(if place == 0 { "" } else { "," });
                push(&items, place, out)?;
            }
            out.push(']');
        }
        T::Map(_, _) => push_map(array, row, out)?,
        T::Struct(fields) => {
            let columns = array.as_struct().columns();
            let mut members = Vec::with_capacity(fields.len());
            for (field, column) in fields.iter().zip(columns) {
                let mut value = String::new();
                push(column, row, &mut value)?;
                members.push((field.name(), value));
            }
            sort_members(&mut members);
            push_members(members.into_iter(), out);
        }
        _ => write(array, row, style, out)?,
    }
    Ok(())
}

fn push_map(array: &dyn Array, row: usize, out: &mut String) -> Result<(), Failed> {
    let entries = array.as_map().value(row);
    let names =
        entries.column(0).as_string_opt::<i32>().ok_or_else(|| Failed::from("the keys are no texts"))?;
    let mut members = Vec::with_capacity(entries.len());
    for place in 0..entries.len() {
        let mut value = String::new();
        push(entries.column(1), place, &mut value)?;
        members.push((names.value(place), value));
    }
    sort_members(&mut members);
    push_members(members.into_iter(), out);
    Ok(())
}

/// As a `BigDecimal` of the shortest text that is the number; what is no number is a text.
fn push_float(value: f64, out: &mut String) {
    let mut text = String::new();
    write_f64(value, &mut text);
    match value.is_finite() {
        true => push_number(&text, out),
        false => push_text(&text, out),
    }
}

/// Appends `2024-02-29T01:02:03.4`: as many digits behind the second as there are.
pub(crate) fn push_timestamp(array: &dyn Array, row: usize, out: &mut String) -> Result<(), Failed> {
    let Some(moment) = timestamp_at(array, row)? else { return Ok(()) };
    let (days, nanos) = moment.day();
    let date = Date::of_days(days);
    let seconds = nanos / SECOND;
    debug_assert!(seconds < DAY_S);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ =
        write!(out, "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", date.year, date.month, date.day);
    let fraction = nanos % SECOND;
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
    Ok(())
}

/// What the planner says of a call: whether members that are null stand there, and which values are JSON already.
struct Form {
    nulls: bool,
    /// By value: `v` for a value, `c` for a call that makes JSON, `j` for `JSON(..)`.
    kinds: Vec<u8>,
}

impl Form {
    fn parse(text: Option<&str>) -> Option<Self> {
        let (nulls, kinds) = text?.strip_prefix(MARK)?.split_once('|')?;
        Some(Form { nulls: nulls == "NULL", kinds: kinds.bytes().collect() })
    }

    fn of(args: &[Arg<'_>]) -> Result<Self, String> {
        let form = args.first().and_then(|form| Form::parse(form.text()));
        form.ok_or_else(|| {
            "takes keys and values: JSON_OBJECT('k' VALUE v), and values: JSON_ARRAY(v)".to_owned()
        })
    }

    fn in_call(call: &Call<'_>) -> Result<Self, Failed> {
        let form = Form::parse(call.column::<StringArray>(0)?.get(0));
        form.ok_or_else(|| Failed::from("the form of the JSON is not known"))
    }
}

fn type_of_value(arg: &Arg<'_>, kind: Option<&u8>) -> Result<DataType, String> {
    match (kind, arg.data_type) {
        (_, DataType::Null) => Err("takes values with a type: write CAST(NULL AS ..)".to_owned()),
        (Some(b'v'), other) => check(other).map(|()| other.clone()),
        (_, DataType::Utf8) => Ok(DataType::Utf8),
        (_, other) => Err(format!("takes a text as JSON, not {}", sql_type(other))),
    }
}

/// The form, and then keys and values by turns.
pub(super) fn types_of_object(args: &[Arg<'_>]) -> Result<Typed, String> {
    let form = Form::of(args)?;
    let mut types = vec![DataType::Utf8];
    for (place, pair) in args[1..].chunks(2).enumerate() {
        let [key, value] = pair else { return Err("takes a value for each key".to_owned()) };
        if key.text().is_none() {
            return Err("takes keys that are texts and constants".to_owned());
        }
        types.extend([DataType::Utf8, type_of_value(value, form.kinds.get(place))?]);
    }
    Ok(Typed { args: types, returns: DataType::Utf8 })
}

/// The form, and then values.
pub(super) fn types_of_array(args: &[Arg<'_>]) -> Result<Typed, String> {
    let form = Form::of(args)?;
    let values =
        args[1..].iter().enumerate().map(|(place, value)| type_of_value(value, form.kinds.get(place)));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    Ok(Typed { args: [vec![DataType::Utf8], values].concat(), returns: DataType::Utf8 })
}

/// Appends a value of a call by what it is; `false` for null.
fn push_as(kind: u8, values: &ArrayRef, row: usize, out: &mut String) -> Result<bool, Failed> {
    if values.is_null(row) {
        return Ok(false);
    }
    match (kind, values.as_string_opt::<i32>()) {
        (b'c', Some(texts)) => out.push_str(texts.value(row)),
        (b'j', Some(texts)) => {
            let text = texts.value(row);
            if text.trim_matches(|char| char <= ' ').is_empty() {
                return Ok(false);
            }
            let wrong = |_| Failed::from("JSON takes JSON, which this text is not");
            push_value(scan::value(text).map_err(wrong)?, out).map_err(wrong)?;
        }
        _ => push(values, row, out)?,
    }
    super::super::call::check_bytes(out.len())?;
    Ok(true)
}

/// Members by name; of equal names the last one counts.
pub(super) fn object(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let form = Form::in_call(call)?;
    let args: Vec<ArrayRef> = (1..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    call.write_texts(|row, out| {
        let mut values = String::new();
        let mut members = Vec::with_capacity(args.len() / 2);
        for (pair, kind) in args.chunks(2).zip(&form.kinds) {
            let [keys, of] = pair else { return Err(Failed::from("a key has no value")) };
            let keys = keys.as_string_opt::<i32>().filter(|keys| keys.is_valid(row));
            let key = keys.ok_or_else(|| Failed::from("JSON_OBJECT takes no NULL as a key"))?.value(row);
            let start = values.len();
            match push_as(*kind, of, row, &mut values)? {
                true => {}
                false if form.nulls => values.push_str("null"),
                false => continue,
            }
            members.push((key, start..values.len()));
        }
        sort_members(&mut members);
        push_members(members.iter().map(|(key, value)| (*key, &values[value.clone()])), out);
        Ok(true)
    })
}

pub(super) fn array(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let form = Form::in_call(call)?;
    let args: Vec<ArrayRef> = (1..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    call.write_texts(|row, out| {
        out.push('[');
        for (values, kind) in args.iter().zip(&form.kinds) {
            let start = out.len();
            if start > 1 {
                out.push(',');
            }
            match push_as(*kind, values, row, out)? {
                true => {}
                false if form.nulls => out.push_str("null"),
                false => out.truncate(start),
            }
        }
        out.push(']');
        Ok(true)
    })
}
