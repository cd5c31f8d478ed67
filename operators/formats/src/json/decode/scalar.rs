//! Single values of JSON: the usual spellings quickly, all others as Flink's converters take them.

use super::super::strings::{copy_string, push_compact, unescape};
use super::super::syntax::{Expected, FaultKind, literal, skip_number, skip_value};
use super::{FieldShape, Reader, Shape};
use crate::columns::ColumnBuilder;
use crate::datetime::timestamp_prefix;
use crate::numbers::{ShortDecimal, digits, parse_whole, short_decimal};
use crate::text::{Unfit, append_text, decimal, float32, float64};

/// Appends an integer and leaves, if there is a usual one of the column's range.
macro_rules! integer {
    ($column:ident, $rest:ident) => {
        if let Some((value, tail)) = integer($rest)
            && let Ok(value) = value.try_into()
        {
            $column.append(value);
            return Some(tail);
        }
    };
}

impl Reader {
    /// Reads a value of the field at `index`. Few types need to know more of it than the column does.
    #[inline(always)]
    pub(super) fn value<'t>(
        &mut self,
        fields: &mut [FieldShape],
        index: usize,
        column: &mut ColumnBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        use ColumnBuilder as C;
        match (&mut *column, rest) {
            (C::Int64(column), _) => integer!(column, rest),
            (C::Utf8(column), [b'"', inside @ ..]) => {
                let tail = copy_string(inside, column.open(), &mut self.fault)?;
                column.seal();
                return Some(tail);
            }
            (C::Timestamp(column, unit, zone), [b'"', inside @ ..]) => {
                let (standard, zoned) = (self.rules.timestamps, zone.is_some());
                if let Some((instant, rest)) =
                    timestamp_prefix(inside, standard, zoned, &mut self.rules.last_date)
                    && let [b'"', tail @ ..] = rest
                    && let Some(value) = instant.in_unit(*unit)
                {
                    column.append(value);
                    return Some(tail);
                }
            }
            (C::Struct(column), [b'{', ..]) => {
                let Shape::Row(shape) = &mut fields[index].shape else { unreachable!("the shape of a ROW") };
                let (columns, row) = column.open();
                let tail = self.row(shape, columns, row, rest, depth)?;
                column.seal();
                return Some(tail);
            }
            (C::Struct(column), [b'n', b'u', b'l', b'l', tail @ ..]) if fields[index].nullable => {
                column.append_null();
                return Some(tail);
            }
            (C::Int32(column), _) => integer!(column, rest),
            (C::Float64(column), _) => {
                if let Some((number, tail)) = json_decimal(rest)
                    && let Some(value) = number.as_f64()
                {
                    column.append(value);
                    return Some(tail);
                }
            }
            (C::Boolean(column), [first @ (b't' | b'f'), ..]) => {
                let tail = match first {
                    b't' => literal(rest, b"true", &mut self.fault)?,
                    _ => literal(rest, b"false", &mut self.fault)?,
                };
                column.append(*first == b't');
                return Some(tail);
            }
            _ => return self.less_usual(&mut fields[index], column, rest, depth),
        }
        self.unusual(fields[index].nullable, column, rest, depth)
    }

    /// Reads a value of a type that is less usual. On its own, so that the function around the usual ones stays small.
    #[inline(never)]
    fn less_usual<'t>(
        &mut self,
        field: &mut FieldShape,
        column: &mut ColumnBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        use ColumnBuilder as C;
        match (&mut *column, &mut field.shape, rest) {
            (C::Int16(column), _, _) => integer!(column, rest),
            (C::Int8(column), _, _) => integer!(column, rest),
            (C::Float32(column), _, _) => {
                if let Some((number, tail)) = json_decimal(rest)
                    && let Some(value) = number.as_f32()
                {
                    column.append(value);
                    return Some(tail);
                }
            }
            (C::Decimal(column, precision, scale), _, _) => {
                if let Some((number, tail)) = json_decimal(rest)
                    && let Some(value) = number.unscaled(*precision, *scale)
                {
                    column.append(value);
                    return Some(tail);
                }
            }
            (C::List(list), Shape::Items(item), [b'[', inside @ ..]) => {
                return self.list(item, list, inside, depth);
            }
            (C::Map(map), Shape::Items(value), [b'{', inside @ ..]) => {
                return self.map(value, map, inside, depth);
            }
            _ => {}
        }
        self.unusual(field.nullable, column, rest, depth)
    }

    /// Reads a value, however it is spelled.
    #[inline(never)]
    fn unusual<'t>(
        &mut self,
        nullable: bool,
        column: &mut ColumnBuilder,
        text: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        let fault = &mut self.fault;
        let (appended, behind) = match text {
            [b'n', ..] => {
                let rest = literal(text, b"null", fault)?;
                if !nullable {
                    return fault.set(text, FaultKind::Null);
                }
                column.append_null();
                return Some(rest);
            }
            [b'"', inside @ ..] => {
                let (inside, rest) = unescape(inside, &mut self.scratch, fault)?;
                (append_text(column, inside, &mut self.rules), rest.len())
            }
            [b'-' | b'0'..=b'9', ..] => {
                let rest = skip_number(text, fault)?;
                (append_number(column, &text[..text.len() - rest.len()]), rest.len())
            }
            [first, ..] => {
                let rest = skip_value(text, depth, fault)?;
                let value = &text[..text.len() - rest.len()];
                let appended = match column {
                    ColumnBuilder::Utf8(column) if matches!(first, b'{' | b'[') => {
                        push_compact(value, column.open(), fault).or_else(|| {
                            fault.left += rest.len();
                            None
                        })?;
                        column.seal();
                        Ok(())
                    }
                    ColumnBuilder::Utf8(column) => {
                        column.append(value);
                        Ok(())
                    }
                    _ => Err(Unfit::Kind),
                };
                (appended, rest.len())
            }
            [] => return fault.malformed(text, Expected::Value),
        };
        match appended {
            Ok(()) => Some(&text[text.len() - behind..]),
            Err(Unfit::Kind) => fault.set(text, FaultKind::Kind),
            Err(Unfit::Range) => fault.set(text, FaultKind::Range),
        }
    }
}

/// Appends a number as JSON spells it. As in Flink, `INT` and `BIGINT` take the whole part of a number with a
/// fraction, `TINYINT` and `SMALLINT` don't take it.
fn append_number(column: &mut ColumnBuilder, number: &[u8]) -> Result<(), Unfit> {
    use ColumnBuilder as C;
    let has_fraction = number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let whole = || parse_whole(number).ok_or(Unfit::Range);
    match column {
        C::Int8(_) | C::Int16(_) if has_fraction => return Err(Unfit::Kind),
        C::Int8(column) => column.append(in_range(whole()?)?),
        C::Int16(column) => column.append(in_range(whole()?)?),
        C::Int32(column) => column.append(in_range(whole()?)?),
        C::Int64(column) => column.append(whole()?),
        C::Float32(column) => column.append(float32(number)?),
        C::Float64(column) => column.append(float64(number)?),
        C::Decimal(column, precision, scale) => column.append(decimal(number, *precision, *scale)?),
        C::Utf8(column) => column.append(number),
        C::Boolean(column) => column.append(false),
        _ => return Err(Unfit::Kind),
    }
    Ok(())
}

fn in_range<T: TryFrom<i64>>(value: i64) -> Result<T, Unfit> {
    T::try_from(value).map_err(|_| Unfit::Range)
}

/// Whether a number ends before this text.
#[inline(always)]
fn number_ends(rest: &[u8]) -> bool {
    matches!(rest, [b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t', ..])
}

/// An integer of up to 18 digits; `None` for every other spelling.
#[inline(always)]
fn integer(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        _ => (false, text),
    };
    let (length, value) = digits(unsigned);
    let rest = unsigned.get(length..)?;
    let usual = (1..=18).contains(&length) && !(length > 1 && unsigned[0] == b'0') && number_ends(rest);
    let value = value as i64;
    usual.then_some((if negative { -value } else { value }, rest))
}

/// A number of few digits and no exponent; `None` for every other spelling.
#[inline(always)]
fn json_decimal(text: &[u8]) -> Option<(ShortDecimal, &[u8])> {
    let (number, rest) = short_decimal(text)?;
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = matches!(unsigned, [b'0', b'0'..=b'9', ..]);
    (!leading_zero && number_ends(rest)).then_some((number, rest))
}
