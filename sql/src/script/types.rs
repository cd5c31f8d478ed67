//! Flink's data types as Arrow's.

use super::parser::{Parsed, Parser};
use super::{DeclaredType, Spanned};
use crate::error::{Span, SqlError, code, nearest};
use crate::functions::values::cast::Length;
use crate::functions::values::detail::{Detail, TimeDigits};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion::sql::sqlparser::tokenizer::Token;
use millstream_operators::columns::{map_type, multiset_type};
use std::sync::Arc;

/// Names of types, for those who missed one.
const KNOWN: &[&str] = &[
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "STRING",
    "VARCHAR",
    "CHAR",
    "BYTES",
    "VARBINARY",
    "BINARY",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "ARRAY",
    "MAP",
    "MULTISET",
    "ROW",
];

/// Types of Flink and of others, and what to write for them.
const OTHERS: &[(&str, &str)] = &[
    ("INTERVAL", "keep a span of time as a BIGINT of milliseconds"),
    ("RAW", "declare BYTES"),
    ("VARIANT", "declare STRING"),
    ("JSON", "declare STRING"),
    ("TEXT", "declare STRING"),
    ("UUID", "declare STRING"),
    ("BOOL", "declare BOOLEAN"),
    ("LONG", "declare BIGINT"),
    ("INT64", "declare BIGINT"),
    ("INT32", "declare INT"),
    ("FLOAT64", "declare DOUBLE"),
    ("DATETIME", "declare TIMESTAMP(3)"),
    ("TIMESTAMPTZ", "declare TIMESTAMP_LTZ(3)"),
    ("BLOB", "declare BYTES"),
    ("BYTEA", "declare BYTES"),
    ("STRUCT", "declare ROW<..>"),
    ("UNSIGNED", "declare the next larger type"),
];

/// How deep types may be nested.
const DEPTH_MAX: usize = 16;

impl Parser<'_> {
    /// A data type, and whether it may be null.
    pub(super) fn data_type(&mut self) -> Parsed<DeclaredType> {
        self.half = false;
        self.digits.clear();
        (self.length, self.inner_length) = (None, false);
        let (data_type, nullable) = self.nested_type(0)?;
        let digits = TimeDigits::new(std::mem::take(&mut self.digits), &data_type.value);
        let detail = Detail { digits, length: self.length };
        Ok(DeclaredType { data_type, nullable, detail, inner_length: self.inner_length })
    }

    fn nested_type(&mut self, depth: usize) -> Parsed<(Spanned<DataType>, bool)> {
        let first = self.at;
        if depth > DEPTH_MAX {
            let error = SqlError::new(code::TYPE, self.span(), "types are nested too deeply");
            return self.fail(error.help("keep the inner part as STRING"));
        }
        let name = match self.peek() {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
            _ => return self.unexpected("a data type"),
        };
        let at = self.span();
        self.at += 1;
        let data_type = match name.as_str() {
            "ARRAY" => self.array(depth)?,
            "MAP" => self.map(depth)?,
            "MULTISET" => self.multiset(depth)?,
            "ROW" => self.row(depth)?,
            _ => self.plain_type(&name, at)?,
        };
        if depth > 0 {
            self.inner_length |= self.length.take().is_some();
        }
        let span = self.span_from(first);
        let nullable = !self.take_words("NOT NULL");
        if nullable {
            self.take_words("NULL");
        }
        Ok((Spanned { value: data_type, span }, nullable))
    }

    fn plain_type(&mut self, name: &str, at: Span) -> Parsed<DataType> {
        Ok(match name {
            "BOOLEAN" => DataType::Boolean,
            "TINYINT" => DataType::Int8,
            "SMALLINT" => DataType::Int16,
            "INT" | "INTEGER" => DataType::Int32,
            "BIGINT" => DataType::Int64,
            "FLOAT" | "REAL" => DataType::Float32,
            "DOUBLE" => {
                self.take_words("PRECISION");
                DataType::Float64
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "STRING" => DataType::Utf8,
            "VARCHAR" | "CHAR" | "CHARACTER" => {
                let varies = self.take_words("VARYING") || name == "VARCHAR";
                self.length(varies)?;
                DataType::Utf8
            }
            "BYTES" => DataType::Binary,
            "VARBINARY" | "BINARY" => {
                let varies = self.take_words("VARYING") || name == "VARBINARY";
                self.length(varies)?;
                DataType::Binary
            }
            "DATE" => DataType::Date32,
            "TIME" => {
                let unit = self.precision(0)?;
                self.take_words("WITHOUT TIME ZONE");
                match unit {
                    TimeUnit::Second | TimeUnit::Millisecond => DataType::Time32(unit),
                    TimeUnit::Microsecond | TimeUnit::Nanosecond => DataType::Time64(unit),
                }
            }
            "TIMESTAMP" => self.timestamp()?,
            "TIMESTAMP_LTZ" => DataType::Timestamp(self.timestamp_unit()?, utc()),
            _ => return self.no_such_type(name, at),
        })
    }

    fn no_such_type<T>(&mut self, name: &str, at: Span) -> Parsed<T> {
        let error = SqlError::new(code::TYPE, at, format!("there is no data type {name}"));
        let other = OTHERS.iter().find(|(other, _)| *other == name);
        let help = match (other, nearest(name, KNOWN.iter().copied())) {
            (Some((_, help)), _) => (*help).to_owned(),
            (None, Some(near)) => format!("did you mean {near}?"),
            (None, None) => format!("data types are {}", KNOWN.join(", ")),
        };
        self.fail(error.help(help))
    }

    /// `TIMESTAMP(3) [WITH LOCAL TIME ZONE]`, behind its first word.
    fn timestamp(&mut self) -> Parsed<DataType> {
        let first = self.at - 1;
        let unit = self.timestamp_unit()?;
        if self.take_words("WITH LOCAL TIME ZONE") {
            return Ok(DataType::Timestamp(unit, utc()));
        }
        if self.take_words("WITH TIME ZONE") {
            let error =
                SqlError::new(code::TYPE, self.span_from(first), "there is no TIMESTAMP WITH TIME ZONE");
            return self.fail(
                error.help("declare TIMESTAMP_LTZ: a point in time, without the zone it was written in"),
            );
        }
        self.take_words("WITHOUT TIME ZONE");
        Ok(DataType::Timestamp(unit, None))
    }

    /// `(p)` of a timestamp, which holds milliseconds at least.
    fn timestamp_unit(&mut self) -> Parsed<TimeUnit> {
        Ok(match self.precision(6)? {
            TimeUnit::Second => TimeUnit::Millisecond,
            unit => unit,
        })
    }

    /// `(p)`: digits behind the second.
    fn precision(&mut self, default: u64) -> Parsed<TimeUnit> {
        let digits = match self.take(&Token::LParen) {
            false => default,
            true => {
                let digits = self.number("a number of digits from 0 to 9", 0, 9)?;
                self.expect(&Token::RParen)?;
                digits
            }
        };
        self.digits.push(u8::try_from(digits).unwrap_or(9));
        Ok(match digits {
            0 => TimeUnit::Second,
            1..=3 => TimeUnit::Millisecond,
            4..=6 => TimeUnit::Microsecond,
            _ => TimeUnit::Nanosecond,
        })
    }

    /// `(p, s)`.
    fn decimal(&mut self) -> Parsed<DataType> {
        let (mut precision, mut scale) = (10, 0);
        if self.take(&Token::LParen) {
            precision = self.number("a number of digits from 1 to 38", 1, 38)?;
            if self.take(&Token::Comma) {
                let expected = format!("a number of digits behind the point from 0 to {precision}");
                scale = self.number(&expected, 0, precision)?;
            }
            self.expect(&Token::RParen)?;
        }
        Ok(DataType::Decimal128(precision as u8, scale as i8))
    }

    /// `(n)`: how long a text is. As in Flink nobody counts what is read; what is written is cut.
    fn length(&mut self, varies: bool) -> Parsed<()> {
        const MOST: u64 = (u32::MAX >> 1) as u64;
        let mut length = if varies { MOST } else { 1 };
        if self.take(&Token::LParen) {
            length = self.number("a length", 1, MOST)?;
            self.expect(&Token::RParen)?;
        }
        let count = usize::try_from(length).unwrap_or(usize::MAX);
        self.length = match varies {
            true => (length < MOST).then_some(Length::AtMost(count)),
            false => Some(Length::Fixed(count)),
        };
        Ok(())
    }

    fn number(&mut self, what: &str, min: u64, max: u64) -> Parsed<u64> {
        let found = match self.peek() {
            Some(Token::Number(digits, false)) => digits.parse::<u64>().ok(),
            _ => None,
        };
        match found.filter(|found| (min..=max).contains(found)) {
            Some(found) => {
                self.at += 1;
                Ok(found)
            }
            None => self.unexpected(what),
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect(&Token::Lt)?;
        let (item, nullable) = self.nested_type(depth + 1)?;
        self.close_angle()?;
        Ok(DataType::List(Arc::new(Field::new("item", item.value, nullable))))
    }

    fn map(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect(&Token::Lt)?;
        let (key, _) = self.nested_type(depth + 1)?;
        self.expect(&Token::Comma)?;
        let (value, _) = self.nested_type(depth + 1)?;
        self.close_angle()?;
        Ok(map_type(key.value, value.value))
    }

    fn multiset(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect(&Token::Lt)?;
        let (value, _) = self.nested_type(depth + 1)?;
        self.close_angle()?;
        Ok(multiset_type(value.value))
    }

    /// `<a t, ..>` or `(a t, ..)`.
    fn row(&mut self, depth: usize) -> Parsed<DataType> {
        let parentheses = self.take(&Token::LParen);
        if !parentheses {
            self.expect(&Token::Lt)?;
        }
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let name = self.ident("the name of a field")?;
            let (data_type, nullable) = self.nested_type(depth + 1)?;
            self.take_words("COMMENT");
            if let Some(Token::SingleQuotedString(_)) = self.peek() {
                self.at += 1;
            }
            if fields.iter().any(|field| *field.name() == name.value) {
                let message = format!("the ROW has two fields \"{}\"", name.value);
                return self.fail(SqlError::new(code::TYPE, name.span, message).help("rename one of them"));
            }
            fields.push(Field::new(name.value, data_type.value, nullable));
            if !self.take(&Token::Comma) {
                break;
            }
        }
        match parentheses {
            true => self.expect(&Token::RParen).map(drop)?,
            false => self.close_angle()?,
        }
        Ok(DataType::Struct(Fields::from(fields)))
    }

    /// `>`, which may be half of a `>>`.
    fn close_angle(&mut self) -> Parsed<()> {
        match self.peek() {
            Some(Token::ShiftRight) => {
                self.at += usize::from(self.half);
                self.half = !self.half;
                Ok(())
            }
            Some(Token::Gt) => {
                self.at += 1;
                Ok(())
            }
            _ => self.unexpected("',' or '>'"),
        }
    }
}

/// The zone of a `TIMESTAMP_LTZ`.
fn utc() -> Option<Arc<str>> {
    Some("+00:00".into())
}
