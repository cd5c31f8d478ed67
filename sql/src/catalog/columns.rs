//! Columns, the primary key and the watermark of a table.

use super::{Column, ColumnKind, Watermark};
use crate::error::{Span, SqlError, code, nearest};
use crate::functions::values::detail::Detail;
use crate::script::{
    ColumnDef, ColumnDefKind, CreateTable, DeclaredType, Ident, Spanned, Tokens, WatermarkDef,
};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::sql::sqlparser::tokenizer::{Token, Word};
use millstream_operators::formats::sql_type;
use millstream_operators::table::Metadata;

/// The columns that a statement declares.
pub(super) fn columns(def: &CreateTable, errors: &mut Vec<SqlError>) -> Vec<Column> {
    def.columns
        .iter()
        .filter_map(|column| self::column(column).map_err(|error| errors.push(error)).ok())
        .collect()
}

fn column(def: &ColumnDef) -> Result<Column, SqlError> {
    let name = def.name.clone();
    Ok(match &def.kind {
        ColumnDefKind::Physical(declared) => declared_column(name, declared, ColumnKind::Physical),
        ColumnDefKind::Computed { expr } => Column {
            name,
            data_type: DataType::Null,
            detail: Detail::default(),
            inner_length: false,
            nullable: true,
            kind: ColumnKind::Computed(expr.clone()),
        },
        ColumnDefKind::Metadata { declared, from, virtual_ } => {
            let metadata = metadata(&name, &declared.data_type, declared.nullable, from.as_ref())?;
            declared_column(name, declared, ColumnKind::Metadata { metadata, virtual_: *virtual_ })
        }
    })
}

fn declared_column(name: Ident, declared: &DeclaredType, kind: ColumnKind) -> Column {
    Column {
        name,
        data_type: declared.data_type.value.clone(),
        detail: declared.detail.clone(),
        inner_length: declared.inner_length,
        nullable: declared.nullable,
        kind,
    }
}

fn metadata(
    column: &Ident,
    data_type: &Spanned<DataType>,
    nullable: bool,
    from: Option<&Spanned<String>>,
) -> Result<Metadata, SqlError> {
    let (key, span) = from.map_or((&column.value, column.span), |from| (&from.value, from.span));
    let metadata = Metadata::parse(key).map_err(|known| {
        let help = match nearest(key, known.split(", ")) {
            Some(near) => format!("did you mean METADATA FROM '{near}'?"),
            None => format!("write METADATA FROM '..' with one of {known}"),
        };
        SqlError::new(code::METADATA, span, format!("records have no metadata '{key}'")).help(help)
    })?;
    let wanted = metadata.data_type();
    let fits = match metadata {
        Metadata::Timestamp => matches!(data_type.value, DataType::Timestamp(TimeUnit::Millisecond, Some(_))),
        _ => data_type.value == wanted,
    };
    if !fits {
        let message =
            format!("metadata '{key}' is {}, not {}", sql_type(&wanted), sql_type(&data_type.value));
        let help = format!("declare {}; a computed column can CAST it", sql_type(&wanted));
        return Err(SqlError::new(code::METADATA, data_type.span, message).help(help));
    }
    if metadata.is_nullable() && !nullable {
        let message = format!("metadata '{key}' may be null");
        return Err(SqlError::new(code::METADATA, data_type.span, message).help("leave NOT NULL out"));
    }
    Ok(metadata)
}

/// The column called so.
///
/// # Errors
/// What is said of names that are no column, with the nearest that is.
fn find(columns: &[Column], name: &str, span: Span, code: &'static str) -> Result<usize, SqlError> {
    columns.iter().position(|column| column.name.value == name).ok_or_else(|| {
        let help = match nearest(name, columns.iter().map(|column| column.name.value.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => "declare it, or name another".to_owned(),
        };
        SqlError::new(code, span, format!("there is no column \"{name}\"")).help(help)
    })
}

/// The columns of the primary key, which from here on can't be null.
pub(super) fn primary_key(
    def: &CreateTable,
    columns: &mut [Column],
    errors: &mut Vec<SqlError>,
) -> Vec<usize> {
    let mut key = Vec::new();
    for name in def.primary_key.iter().flat_map(|key| &key.columns) {
        match find(columns, &name.value, name.span, code::PRIMARY_KEY) {
            Ok(index) if key.contains(&index) => {
                let message = format!("column \"{}\" is twice in the primary key", name.value);
                errors.push(SqlError::new(code::PRIMARY_KEY, name.span, message).help("name it once"));
            }
            Ok(index) if !matches!(columns[index].kind, ColumnKind::Physical) => {
                let message =
                    format!("column \"{}\" can't be in the primary key: it is not stored", name.value);
                let help = "name columns that have a type and no METADATA";
                errors.push(SqlError::new(code::PRIMARY_KEY, name.span, message).help(help));
            }
            Ok(index) => {
                columns[index].nullable = false;
                key.push(index);
            }
            Err(error) => errors.push(error),
        }
    }
    key
}

/// The watermark, if there is one.
pub(super) fn watermark(
    def: &CreateTable,
    columns: &[Column],
    errors: &mut Vec<SqlError>,
) -> Option<Watermark> {
    for second in def.watermarks.iter().skip(1) {
        let error = SqlError::new(code::WATERMARK, second.span, "the table has two watermarks");
        errors.push(error.help("leave one out: event time passes in one column"));
    }
    let def = def.watermarks.first()?;
    one_watermark(def, columns).map_err(|error| errors.push(error)).ok()
}

fn one_watermark(def: &WatermarkDef, columns: &[Column]) -> Result<Watermark, SqlError> {
    let index = find(columns, &def.column.value, def.column.span, code::WATERMARK)?;
    let Column { data_type, .. } = &columns[index];
    if !matches!(data_type, DataType::Timestamp(..) | DataType::Null) {
        let name = &def.column.value;
        let message = format!("a watermark can't be for a column of type {}", sql_type(data_type));
        let help = match data_type {
            DataType::Int64 => {
                format!(
                    "add a column event_time AS TO_TIMESTAMP_LTZ({name}, 3), and WATERMARK FOR event_time"
                )
            }
            DataType::Utf8 => {
                format!("add a column event_time AS TO_TIMESTAMP({name}), and WATERMARK FOR event_time")
            }
            _ => "declare it TIMESTAMP(3) or TIMESTAMP_LTZ(3)".to_owned(),
        };
        return Err(SqlError::new(code::WATERMARK, def.column.span, message).help(help));
    }
    let out_of_orderness_ms = delay_ms(&def.expr, &def.column.value).map_err(|reason| {
        let name = &def.column.value;
        let help = format!("write WATERMARK FOR {name} AS {name} - INTERVAL '5' SECOND; {reason}");
        SqlError::new(code::WATERMARK, def.expr.span, "a watermark can't be computed so").help(help)
    })?;
    Ok(Watermark { column: index, out_of_orderness_ms, span: def.span })
}

/// How far a watermark `column` or `column - INTERVAL 'n' UNIT` trails, milliseconds.
fn delay_ms(expr: &Tokens, column: &str) -> Result<i64, &'static str> {
    let words: Vec<&Token> = expr.tokens.iter().map(|token| &token.token).collect();
    let is = |word: &Word, name: &str| word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name);
    match words.as_slice() {
        [Token::Word(word), ..] if word.value != column => Err("it starts from the column that it is for"),
        [Token::Word(_)] => Ok(0),
        [
            Token::Word(_),
            Token::Minus,
            Token::Word(interval),
            Token::SingleQuotedString(number),
            Token::Word(unit),
        ] if is(interval, "INTERVAL") => {
            let unit_ms = match unit.value.to_uppercase().trim_end_matches('S') {
                "MILLISECOND" => 1,
                "SECOND" => 1_000,
                "MINUTE" => 60_000,
                "HOUR" => 3_600_000,
                "DAY" => 86_400_000,
                "WEEK" => 7 * 86_400_000,
                _ => return Err("the unit is SECOND, MINUTE, HOUR, DAY or WEEK"),
            };
            scaled(number.trim(), unit_ms).ok_or("the number is not negative, and whole in milliseconds")
        }
        _ => Err("the delay is one interval of one unit"),
    }
}

/// A decimal number of units in whole milliseconds.
fn scaled(number: &str, unit_ms: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let mut part = 0;
    if !fraction.is_empty() {
        let scaled = fraction.parse::<i64>().ok()?.checked_mul(unit_ms)?;
        let divisor = 10_i64.pow(fraction.len() as u32);
        part = (scaled % divisor == 0).then_some(scaled / divisor)?;
    }
    whole.parse::<i64>().ok()?.checked_mul(unit_ms)?.checked_add(part)
}
