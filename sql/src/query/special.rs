//! Special forms of SQL as calls of functions: `EXTRACT(DAY FROM t)` is `EXTRACT('DAY', t)`, `FLOOR(t TO DAY)` is
//! `FLOOR(t, 'DAY')`, `TRIM(LEADING 'x' FROM s)` is `LTRIM(s, 'x')`. Literals get the type that Flink gives them.

use super::relations::error_at;
use crate::functions::parse;
use datafusion::common::Result;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName,
    TrimWhereField, TypedString, UnaryOperator, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

/// The most digits behind the second.
const DIGITS_MAX: usize = 9;

/// The name of a function that no text can name: what `MAP[..]` is read as.
pub(super) const MAP_LITERAL: &str = "MAP[..]";

/// `MAP['k', 1]` as a call: sqlparser would take it for an element of something called MAP.
pub(super) fn map_literals(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let meaning = |token: &TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    for at in 0..tokens.len() {
        let is_map = matches!(&tokens[at].token, Token::Word(word) if word.keyword == Keyword::MAP && word.quote_style.is_none());
        let behind = tokens.iter().enumerate().skip(at + 1).find(|(_, token)| meaning(token));
        let behind = behind.map(|(open, token)| (open, token.token.clone()));
        let is_call = matches!(behind, Some((_, Token::LParen)));
        if is_call
            && let Token::Word(word) = &mut tokens[at].token
            && word.value.eq_ignore_ascii_case("CEILING")
        {
            // sqlparser knows the units of the short name only.
            word.value = "CEIL".to_owned();
            word.keyword = Keyword::CEIL;
            continue;
        }
        let Some((open, _)) = behind.filter(|(_, token)| is_map && *token == Token::LBracket) else {
            continue;
        };
        let mut depth = 0_usize;
        let close = tokens.iter().enumerate().skip(open).find(|(_, token)| {
            match token.token {
                Token::LBracket => depth += 1,
                Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let Some((close, _)) = close else { continue };
        if let Token::Word(word) = &mut tokens[at].token {
            word.value = MAP_LITERAL.to_owned();
            word.keyword = Keyword::NoKeyword;
        }
        tokens[open].token = Token::LParen;
        tokens[close].token = Token::RParen;
    }
    tokens
}

/// Changes an expression, whose parts are changed already.
pub(super) fn as_call(expr: &mut Expr) -> Result<()> {
    let taken = std::mem::replace(expr, number("0"));
    *expr = changed(taken)?;
    Ok(())
}

fn changed(expr: Expr) -> Result<Expr> {
    Ok(match expr {
        Expr::Extract { field, expr, .. } => call("extract", vec![unit(&field), *expr]),
        Expr::Floor { expr, field } => rounded("floor", *expr, field),
        Expr::Ceil { expr, field } => rounded("ceil", *expr, field),
        Expr::Position { expr, r#in } => call("position", vec![*expr, *r#in]),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let from = substring_from.map_or_else(|| number("1"), |from| *from);
            call("substring", [*expr, from].into_iter().chain(substring_for.map(|length| *length)).collect())
        }
        Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let args = [*expr, *overlay_what, *overlay_from];
            call("overlay", args.into_iter().chain(overlay_for.map(|length| *length)).collect())
        }
        Expr::Trim { expr, trim_where, trim_what, trim_characters: None } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                Some(TrimWhereField::Both) | None => "trim",
            };
            call(name, [*expr].into_iter().chain(trim_what.map(|what| *what)).collect())
        }
        Expr::Value(ValueWithSpan { value: Value::Number(digits, long), span }) => {
            literal(digits, long, span)?
        }
        Expr::Value(ValueWithSpan { value: Value::UnicodeStringLiteral(text), span }) => {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span })
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => *expr,
        Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
            typed_string(data_type, value)?
        }
        Expr::Interval(interval) => Expr::Interval(plain_interval(interval)?),
        Expr::Function(function) => special_call(function),
        other => other,
    })
}

/// `name(args)`.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn value(value: Value) -> Expr {
    Expr::Value(ValueWithSpan { value, span: Span::empty() })
}

/// A text.
pub(crate) fn text(text: &str) -> Expr {
    value(Value::SingleQuotedString(text.to_owned()))
}

fn number(digits: &str) -> Expr {
    value(Value::Number(digits.to_owned(), false))
}

/// A unit of time as a text.
fn unit(field: &DateTimeField) -> Expr {
    text(&field.to_string().to_uppercase())
}

fn rounded(name: &str, expr: Expr, field: CeilFloorKind) -> Expr {
    match field {
        CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => call(name, vec![expr]),
        CeilFloorKind::DateTimeField(field) => call(name, vec![expr, unit(&field)]),
        CeilFloorKind::Scale(scale) => call(name, vec![expr, Expr::Value(scale)]),
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// A number with an exponent is a `DOUBLE`, one with a point a `DECIMAL` of as many digits as are written.
fn literal(digits: String, long: bool, span: Span) -> Result<Expr> {
    let written = Expr::Value(ValueWithSpan { value: Value::Number(digits.clone(), long), span });
    if digits.contains(['e', 'E']) {
        return Ok(cast(text(&digits), DataType::Double(ExactNumberInfo::None)));
    }
    let Some((whole, fraction)) = digits.split_once('.') else {
        return match digits.parse::<i64>() {
            // One more is the least number of all, behind a minus.
            Err(_) if digits != "9223372036854775808" => Err(too_large(&written)),
            _ => Ok(written),
        };
    };
    if format!("{whole}{fraction}").parse::<i64>().is_err() {
        return Err(too_large(&written));
    }
    let scale = fraction.len() as i64;
    let precision = (whole.len() as i64 + scale).max(1);
    Ok(cast(written, DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision as u64, scale))))
}

fn too_large(number: &Expr) -> datafusion::common::DataFusionError {
    error_at(
        format!("the number {number} has too many digits"),
        number,
        "numbers in SQL have up to 19 digits: CAST('..' AS DECIMAL(p, s)) has up to 38",
    )
}

/// `TIMESTAMP '2024-02-29 01:02:03.004'` is a `TIMESTAMP(3)`: the digits are those that are written. A literal is a
/// time or an error, where a cast of a text is more lenient.
fn typed_string(data_type: DataType, value: ValueWithSpan) -> Result<Expr> {
    let Value::SingleQuotedString(written) = &value.value else {
        return Ok(cast(Expr::Value(value), data_type));
    };
    let (start, fraction) = written.split_once('.').unwrap_or((written, ""));
    let digits = fraction.len().min(DIGITS_MAX);
    let clock = |time: &str| parse::time(time).is_some() && time.matches(':').count() == 2;
    let legal = match (&data_type, start.split_once(' ')) {
        (DataType::Date, None) => fraction.is_empty() && parse::date(start).is_some(),
        (DataType::Time(..), None) => clock(start),
        (DataType::Timestamp(..), None) => fraction.is_empty() && parse::date(start).is_some(),
        (DataType::Timestamp(..), Some((date, time))) => parse::date(date).is_some() && clock(time),
        (DataType::Date | DataType::Time(..), Some(_)) => false,
        _ => true,
    };
    if !legal || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        let expr = Expr::Value(value.clone());
        return Err(error_at(
            format!("{data_type} '{written}' is no such time"),
            &expr,
            "write DATE '2024-02-29', TIME '01:02:03' or TIMESTAMP '2024-02-29 01:02:03.004'",
        ));
    }
    let kept = match digits {
        0 => start.to_owned(),
        digits => format!("{start}.{}", fraction.get(..digits).unwrap_or(fraction)),
    };
    let digits = Some(digits as u64);
    let data_type = match data_type {
        DataType::Timestamp(None, zone) => DataType::Timestamp(digits, zone),
        DataType::Time(None, zone) => DataType::Time(digits, zone),
        other => other,
    };
    Ok(cast(text(&kept), data_type))
}

/// `MOD(a, b)` is `a % b`; the unit of `TIMESTAMPADD(DAY, n, t)` is a text.
fn special_call(mut function: Function) -> Expr {
    let name = function.name.to_string().to_uppercase();
    let FunctionArguments::List(list) = &mut function.args else { return Expr::Function(function) };
    if name == MAP_LITERAL.to_uppercase() {
        function.name = ObjectName::from(vec![Ident::new("make_map")]);
        return Expr::Function(function);
    }
    if name == "MOD"
        && let [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(left)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(right)),
        ] = list.args.as_slice()
    {
        let modulo = Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(left.clone()))),
            op: BinaryOperator::Modulo,
            right: Box::new(Expr::Nested(Box::new(right.clone()))),
        };
        return Expr::Nested(Box::new(modulo));
    }
    if matches!(name.as_str(), "TIMESTAMPADD" | "TIMESTAMPDIFF")
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(unit))) = list.args.first_mut()
        && let Expr::Identifier(ident) = unit
    {
        *unit = text(&ident.value.to_uppercase());
    }
    Expr::Function(function)
}

/// An interval in words that DataFusion knows: `'1-2' YEAR TO MONTH` is 14 months, `'1 02:03:04.5' DAY TO SECOND` so
/// many milliseconds.
fn plain_interval(interval: Interval) -> Result<Interval> {
    let (negative, written) = match interval.value.as_ref() {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => (false, text.clone()),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => (true, text.clone()),
            _ => return Ok(interval),
        },
        _ => return Ok(interval),
    };
    let Some(first) = &interval.leading_field else { return Ok(interval) };
    let wrong = |why: &str| {
        error_at(
            format!("the interval '{written}' {first} {why}"),
            interval.value.as_ref(),
            "write INTERVAL '5' MINUTE, or INTERVAL '1 02:03:04' DAY TO SECOND",
        )
    };
    let precision = interval.leading_precision.unwrap_or(2);
    let parsed = super::interval::parse(
        &written,
        &first.to_string(),
        interval.last_field.as_ref().map(|last| last.to_string()).as_deref(),
        precision,
    );
    let parsed = parsed.map_err(|why| wrong(&why))?;
    let words = match parsed {
        super::interval::Span::Months(months) => {
            format!("{} months", if negative { -months } else { months })
        }
        super::interval::Span::Millis(millis) => {
            let millis = if negative { -millis } else { millis };
            match millis % 86_400_000 {
                0 => format!("{} days", millis / 86_400_000),
                _ => format!("{millis} milliseconds"),
            }
        }
    };
    Ok(Interval {
        value: Box::new(text(&words)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    })
}
