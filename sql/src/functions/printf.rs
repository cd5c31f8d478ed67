//! `PRINTF`: texts by the formats of Java's `Formatter`.
//!
//! What Java refuses, a format or a value that does not fit it, is NULL.

use super::time::zone::UTC;
use super::values::text::{Style, write};
use super::{Arg, Call, Failed, Function, Param, Typed, utf16};
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use millstream_operators::formats::sql_type;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[Function {
    names: &["PRINTF"],
    signature: "PRINTF(format, value1, value2, ..)",
    types,
    eval: printf,
    fails: true,
    examples: &[
        ("PRINTF('%s-%d', 'a', 42)", "a-42"),
        ("PRINTF('%5d|%-5s|%05.2f', 42, 'a', CAST(1.5 AS DOUBLE))", "   42|a    |01.50"),
        ("PRINTF('%2$s %1$s', 'a', 'b')", "b a"),
        ("PRINTF('%x %o %,d %+d', 255, 8, 1234567, 5)", "ff 10 1,234,567 +5"),
        (
            "PRINTF('%g %e %.1f', CAST(0.0001 AS DOUBLE), CAST(9.9999999 AS DOUBLE), CAST(9.95 AS DOUBLE))",
            "0.000100000 1.000000e+01 10.0",
        ),
        ("PRINTF('%(,.2f', CAST(-1234567.891 AS DOUBLE))", "(1,234,567.89)"),
        ("PRINTF('%s', TIMESTAMP '2024-01-02 03:04:00')", "2024-01-02T03:04"),
        ("PRINTF('%s %s', 'a')", "null"),
    ],
}];

fn types(args: &[Arg<'_>]) -> Result<Typed, String> {
    use DataType as T;
    let Some((format, values)) = args.split_first() else { return Err("takes a format".to_owned()) };
    let first = super::fixed(&[*format], 1, &[Param::Text], T::Utf8)?;
    let mut types = first.args;
    for value in values {
        types.push(match value.data_type {
            T::Null => T::Utf8,
            T::Utf8 | T::Boolean | T::Timestamp(_, None) => value.data_type.clone(),
            number if super::signature::is_number(number) => number.clone(),
            other => {
                return Err(format!(
                    "takes texts, numbers, truth values and TIMESTAMPs, not {}: CAST it",
                    sql_type(other)
                ));
            }
        });
    }
    if let Some(format) = format.text() {
        parse(format).map_err(|Unknown(letter)| format!("does not support %{letter}"))?;
    }
    Ok(Typed { args: types, returns: T::Utf8 })
}

/// A conversion of Java that is not supported.
#[derive(Debug)]
struct Unknown(char);

/// A piece of a format.
#[derive(Debug)]
enum Piece<'f> {
    Text(&'f str),
    Spec(Spec),
}

#[derive(Debug, Default)]
struct Spec {
    index: Option<usize>,
    /// `%<s`: the argument of the one before.
    same: bool,
    left: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    zero: bool,
    group: bool,
    parentheses: bool,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

/// The pieces; `None` where Java takes it for no format.
fn parse(format: &str) -> Result<Option<Vec<Piece<'_>>>, Unknown> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((text, behind)) = rest.split_once('%') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let Some((spec, behind)) = Spec::parse(behind) else { return Ok(None) };
        if matches!(spec.conversion, 'h' | 'H' | 'a' | 'A') {
            return Err(Unknown(spec.conversion));
        }
        if !spec.is_valid() {
            return Ok(None);
        }
        pieces.push(Piece::Spec(spec));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(Some(pieces))
}

impl Spec {
    /// Behind the `%`: `[index$][flags][width][.precision]conversion`, and what follows.
    fn parse(text: &str) -> Option<(Spec, &str)> {
        let mut spec = Spec::default();
        let mut rest = text;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let count = digits(rest);
        if count > 0 && rest[count..].starts_with('$') && !rest.starts_with('0') {
            spec.index = Some(rest[..count].parse::<i32>().ok()? as usize);
            rest = &rest[count + 1..];
        } else if let Some(behind) = rest.strip_prefix('<') {
            spec.same = true;
            rest = behind;
        }
        loop {
            let flag = match rest.chars().next()? {
                '-' => &mut spec.left,
                '#' => &mut spec.alternate,
                '+' => &mut spec.plus,
                ' ' => &mut spec.space,
                '0' => &mut spec.zero,
                ',' => &mut spec.group,
                '(' => &mut spec.parentheses,
                _ => break,
            };
            if std::mem::replace(flag, true) {
                return None;
            }
            rest = &rest[1..];
        }
        let count = digits(rest);
        if count > 0 {
            spec.width = Some(rest[..count].parse::<i32>().ok()? as usize);
            rest = &rest[count..];
        }
        if let Some(behind) = rest.strip_prefix('.') {
            let count = digits(behind);
            spec.precision = Some(behind[..count].parse::<i32>().ok()? as usize);
            rest = &behind[count..];
        }
        spec.conversion = rest.chars().next()?;
        let behind = &rest[spec.conversion.len_utf8()..];
        Some((spec, behind))
    }

    /// Whether Java takes the flags together, and with the conversion.
    fn is_valid(&self) -> bool {
        let signs = self.plus || self.space || self.zero || self.group || self.parentheses;
        let width = self.width.is_some() || !(self.left || self.zero);
        let conflict = (self.plus && self.space) || (self.left && self.zero);
        let together = width && !conflict;
        match self.conversion {
            'b' | 'B' | 's' | 'S' => !signs && !self.alternate && width,
            'c' | 'C' => !signs && !self.alternate && self.precision.is_none() && width,
            'd' => !self.alternate && self.precision.is_none() && together,
            'x' | 'X' | 'o' => {
                !(self.plus || self.space || self.group || self.parentheses)
                    && self.precision.is_none()
                    && together
            }
            'e' | 'E' => !self.group && together,
            'f' => together,
            'g' | 'G' => !self.alternate && together,
            '%' => !signs && !self.alternate && self.precision.is_none() && width,
            'n' => {
                !signs && !self.alternate && !self.left && self.width.is_none() && self.precision.is_none()
            }
            _ => false,
        }
    }

    /// Filled up to the width.
    fn pad(&self, text: &str, out: &mut String) -> Result<(), Failed> {
        let width = self.width.unwrap_or(0);
        super::call::check_bytes(out.len().saturating_add(width))?;
        let missing = width.saturating_sub(utf16::count(text));
        if self.left {
            out.push_str(text);
        }
        out.extend(std::iter::repeat_n(' ', missing));
        if !self.left {
            out.push_str(text);
        }
        Ok(())
    }

    /// A number with its sign: zeros go between them.
    fn signed(&self, negative: bool, digits: &str) -> String {
        let (before, behind) = match (negative, self.parentheses) {
            (true, true) => ("(", ")"),
            (true, false) => ("-", ""),
            (false, _) if self.plus => ("+", ""),
            (false, _) if self.space => (" ", ""),
            (false, _) => ("", ""),
        };
        let missing = match self.zero && digits != "NaN" && digits != "Infinity" {
            true => self.width.unwrap_or(0).saturating_sub(before.len() + digits.len() + behind.len()),
            false => 0,
        };
        format!("{before}{}{digits}{behind}", "0".repeat(missing))
    }
}

fn printf(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let format = call.column::<StringArray>(0)?;
    let values: Vec<ArrayRef> = (1..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    let mut last: Option<(&str, Option<Vec<Piece<'_>>>)> = None;
    call.write_texts(|row, out| {
        let Some(format) = format.get(row) else { return Ok(false) };
        if last.as_ref().is_none_or(|(last, _)| *last != format) {
            let pieces = parse(format)
                .map_err(|Unknown(letter)| Failed(format!("PRINTF does not support %{letter}")))?;
            last = Some((format, pieces));
        }
        match &last {
            Some((_, Some(pieces))) => print(pieces, &values, row, out),
            _ => Ok(false),
        }
    })
}

/// Prints a row; `false` where an argument is missing or does not fit.
fn print(pieces: &[Piece<'_>], values: &[ArrayRef], row: usize, out: &mut String) -> Result<bool, Failed> {
    let (mut ordinary, mut before) = (0, None);
    for piece in pieces {
        let spec = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Spec(spec) => spec,
        };
        match spec.conversion {
            'n' => out.push('\n'),
            '%' => spec.pad("%", out)?,
            _ => {
                let place = match (spec.same, spec.index) {
                    (true, _) => before,
                    (false, Some(index)) => index.checked_sub(1),
                    (false, None) => {
                        ordinary += 1;
                        Some(ordinary - 1)
                    }
                };
                before = place;
                super::call::check_bytes(
                    spec.width.unwrap_or(0).saturating_add(spec.precision.unwrap_or(0)),
                )?;
                let Some(value) = place.and_then(|place| values.get(place)) else { return Ok(false) };
                let Some(text) = converted(spec, value, row)? else { return Ok(false) };
                let text = if spec.conversion.is_ascii_uppercase() { text.to_uppercase() } else { text };
                spec.pad(&text, out)?;
            }
        }
    }
    Ok(true)
}

/// A value by its conversion, not yet filled up; `None` where it does not fit.
fn converted(spec: &Spec, value: &ArrayRef, row: usize) -> Result<Option<String>, Failed> {
    let limited = |text: String| match spec.precision {
        Some(precision) => {
            let mut cut = String::new();
            let units = utf16::units(&text);
            utf16::push(&units[..units.len().min(precision)], &mut cut);
            cut
        }
        None => text,
    };
    let conversion = spec.conversion.to_ascii_lowercase();
    if value.is_null(row) {
        let null = if conversion == 'b' { "false" } else { "null" };
        return Ok(Some(limited(null.to_owned())));
    }
    Ok(match conversion {
        'b' => {
            let truth = value.as_boolean_opt().is_none_or(|truth| truth.value(row));
            Some(limited(truth.to_string()))
        }
        's' => {
            let mut text = String::new();
            match value.data_type() {
                DataType::Boolean => text.push_str(&value.as_boolean().value(row).to_string()),
                DataType::Timestamp(_, _) => push_timestamp(value, row, &mut text)?,
                _ => write(value, row, Style { zone: UTC, digits: &[] }, &mut text)?,
            }
            Some(limited(text))
        }
        'c' => whole(value, row)
            .filter(|(_, bits)| *bits < 64)
            .and_then(|(code, _)| char::from_u32(u32::try_from(code).ok()?))
            .map(String::from),
        'd' => whole(value, row).map(|(number, _)| {
            let digits = number.unsigned_abs().to_string();
            spec.signed(number < 0, &if spec.group { grouped(&digits) } else { digits })
        }),
        'x' | 'o' => whole(value, row).map(|(number, bits)| {
            let number = number as u64 & (u64::MAX >> (64 - bits));
            let digits = if conversion == 'x' { format!("{number:x}") } else { format!("{number:o}") };
            let prefix = match (spec.alternate, conversion) {
                (true, 'x') => "0x",
                (true, _) => "0",
                (false, _) => "",
            };
            let width = if spec.zero { spec.width.unwrap_or(0) } else { 0 };
            let missing = width.saturating_sub(prefix.len() + digits.len());
            format!("{prefix}{}{digits}", "0".repeat(missing))
        }),
        _ => floating(value, row).map(|number| float(spec, conversion, number)),
    })
}

/// As Java writes a `LocalDateTime`: without seconds that are 0, with 3, 6 or 9 digits behind them.
fn push_timestamp(value: &ArrayRef, row: usize, out: &mut String) -> Result<(), Failed> {
    let start = out.len();
    super::json::push_timestamp(value, row, out)?;
    match out[start..].split_once('.') {
        Some((_, fraction)) => {
            let missing = fraction.len().next_multiple_of(3) - fraction.len();
            out.extend(std::iter::repeat_n('0', missing));
        }
        None if out.ends_with(":00") => out.truncate(out.len() - 3),
        None => {}
    }
    Ok(())
}

/// A whole number, and of how many bits its type is.
fn whole(value: &ArrayRef, row: usize) -> Option<(i64, u32)> {
    Some(match value.data_type() {
        DataType::Int8 => (i64::from(value.as_primitive::<Int8Type>().value(row)), 8),
        DataType::Int16 => (i64::from(value.as_primitive::<Int16Type>().value(row)), 16),
        DataType::Int32 => (i64::from(value.as_primitive::<Int32Type>().value(row)), 32),
        DataType::Int64 => (value.as_primitive::<Int64Type>().value(row), 64),
        _ => return None,
    })
}

fn floating(value: &ArrayRef, row: usize) -> Option<f64> {
    match value.data_type() {
        DataType::Float64 => Some(value.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Some(f64::from(value.as_primitive::<Float32Type>().value(row))),
        _ => None,
    }
}

fn grouped(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, f)| (whole, Some(f)));
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn float(spec: &Spec, conversion: char, number: f64) -> String {
    let negative = number.is_sign_negative() && !number.is_nan();
    let number = number.abs();
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return spec.signed(negative, "Infinity");
    }
    let precision = spec.precision.unwrap_or(6);
    let mut digits = match conversion {
        'e' => scientific(number, precision),
        'f' => fixed(number, precision),
        _ => general(number, precision.max(1)),
    };
    if spec.alternate && precision == 0 {
        digits.push('.');
    }
    if spec.group {
        digits = grouped(&digits);
    }
    spec.signed(negative, &digits)
}

/// The fewest digits that tell a number apart, and its exponent: `0.d1d2.. * 10^exponent`.
fn shortest(number: f64) -> (Vec<u8>, i32) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    (digits, exponent.parse::<i32>().unwrap_or(0) + 1)
}

/// Rounded half up to so many digits; a carry makes one more in front.
fn rounded(digits: &[u8], count: i64) -> (Vec<u8>, bool) {
    let Ok(count) = usize::try_from(count) else { return (Vec::new(), false) };
    let mut kept: Vec<u8> = digits.iter().copied().take(count).collect();
    if digits.get(count).is_none_or(|next| *next < 5) {
        return (kept, false);
    }
    for digit in kept.iter_mut().rev() {
        *digit += 1;
        if *digit < 10 {
            return (kept, false);
        }
        *digit = 0;
    }
    kept.insert(0, 1);
    (kept, true)
}

fn push_digits(digits: impl Iterator<Item = u8>, out: &mut String) {
    out.extend(digits.map(|digit| char::from(b'0' + digit)));
}

/// Digits in front of the point and so many behind it.
fn fixed(number: f64, precision: usize) -> String {
    let (digits, exponent) = shortest(number);
    let (digits, carried) = rounded(&digits, i64::from(exponent) + precision as i64);
    let exponent = exponent + i32::from(carried);
    let digit =
        |place: i64| usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
    let mut out = String::new();
    let whole = i64::from(exponent.max(1));
    push_digits((0..whole).map(|place| if exponent < 1 { 0 } else { digit(place) }), &mut out);
    if precision > 0 {
        out.push('.');
        let first = i64::from(exponent);
        push_digits((0..precision as i64).map(|place| digit(first + place)), &mut out);
    }
    out
}

/// One digit in front of the point and so many behind it.
fn scientific(number: f64, precision: usize) -> String {
    let (digits, exponent) = shortest(number);
    let (digits, carried) = rounded(&digits, 1 + precision as i64);
    let exponent = if number == 0.0 { 0 } else { exponent - 1 + i32::from(carried) };
    let mut out = String::new();
    let digit = |place: usize| digits.get(place).copied().unwrap_or(0);
    push_digits([digit(0)].into_iter(), &mut out);
    if precision > 0 {
        out.push('.');
        push_digits((1..=precision).map(digit), &mut out);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("e{sign}{:02}", exponent.abs()));
    out
}

/// So many digits, with an exponent where the number is below 0.0001 or has more digits in front of the point.
fn general(number: f64, precision: usize) -> String {
    if number == 0.0 {
        return fixed(number, precision - 1);
    }
    let (digits, exponent) = shortest(number);
    let (_, carried) = rounded(&digits, precision as i64);
    let exponent = exponent + i32::from(carried);
    match (-3..=precision as i64).contains(&i64::from(exponent)) {
        true => fixed(number, (precision as i64 - i64::from(exponent)) as usize),
        false => scientific(number, precision - 1),
    }
}
