//! For tests: an expression is asked of the planner and evaluated over a few rows.

mod run;

use super::{For, Names, optimize, plan_expression, plan_query};
use crate::error::Span;
use crate::expression::{Columns, Evaluated, sql_text};
use crate::functions::time::calendar::Date;
use crate::functions::time::zone::{UTC, Zone};
use crate::functions::time::{Moment, SECOND, date_at, time_at, timestamp_at};
use crate::functions::values::detail::{Detail, type_name};
use crate::functions::values::text::{write_date, write_f32, write_f64};
use crate::script::{FlinkDialect, Positions, Tokens};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::concat;
use arrow::datatypes::*;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, SetExpr, Statement, TableFactor, Value};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use millstream_operators::{Expression, ExpressionCx};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What came of it.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A value, as Java prints it, and its type.
    Value { data_type: String, value: String },
    /// The planner refuses it.
    Refused(String),
    /// It fails for the row.
    Failed(String),
    /// It panics.
    Panicked,
}

/// Asks for the expression over the rows behind `FROM`.
pub(crate) fn ask(expression: &str, setup: &str, zone: Zone) -> Answer {
    catch_unwind(AssertUnwindSafe(|| answer(expression, setup, zone).unwrap_or_else(Answer::Refused)))
        .unwrap_or(Answer::Panicked)
}

fn answer(expression: &str, setup: &str, zone: Zone) -> Result<Answer, String> {
    let mut names = Names::in_zone(zone);
    // The rows were written in UTC.
    let rows = rows(setup, &Names::in_zone(UTC))?;
    names.add_table("t", rows.schema(), "t");
    let text = format!("SELECT {expression} FROM t");
    let (tokens, positions) = tokens(&text)?;
    let plan = plan_query(&tokens, For::Rows, &names, &positions).map_err(|error| said(&error))?;
    let plan = optimize(plan, &names).map_err(|error| format!("optimize: {error}"))?;
    let detail = Detail::of(plan.schema().field(0));
    let of_one_row =
        |plan: &LogicalPlan| matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::TableScan(_));
    if plan.exists(|plan| Ok(!of_one_row(plan))).map_err(|error| error.to_string())? {
        return of_many(expression, &rows, zone, &detail);
    }
    let (exprs, input) = match &plan {
        LogicalPlan::Projection(projection) => (projection.expr.clone(), projection.input.as_ref()),
        other => (other.schema().columns().into_iter().map(Expr::Column).collect(), other),
    };
    let [expr] = exprs.as_slice() else { return Err("several columns".to_owned()) };
    let LogicalPlan::TableScan(scan) = input else {
        return Err(format!("only expressions over a table are evaluated here, not {}", input.display()));
    };
    let relation = scan.projected_schema.as_ref().clone();
    let places: Vec<Option<usize>> =
        relation.fields().iter().map(|field| rows.schema().index_of(field.name()).ok()).collect();
    let schema = rows.schema();
    let columns = Columns { relation: &relation, places: &places, rows: &schema, clock: false };
    let physical = columns.expression(expr).map_err(|error| format!("physical: {error}"))?;
    let evaluated = Evaluated::new(physical, &schema, sql_text(expr)).map_err(|error| error.to_string())?;
    let values = match evaluated.evaluate(&rows, &ExpressionCx { now_ms: 0 }) {
        Ok(values) => values,
        Err(error) => return Ok(Answer::Failed(error.to_string())),
    };
    if values.len() != 1 {
        return Err(format!("{} rows", values.len()));
    }
    let mut value = String::new();
    print(&values, 0, &mut value);
    Ok(Answer::Value { data_type: named(values.data_type(), &detail), value })
}

fn named(data_type: &DataType, detail: &Detail) -> String {
    match data_type {
        DataType::Interval(_) => "INTERVAL".to_owned(),
        // A bitmap is a row whose field no text can name.
        other => type_name(other, &Detail { length: None, ..detail.clone() })
            .replace("ROW<BITMAP .. BYTES>", "BITMAP"),
    }
}

/// What a job makes of the rows, whose expression is of all of them.
fn of_many(expression: &str, rows: &RecordBatch, zone: Zone, detail: &Detail) -> Result<Answer, String> {
    if zone != UTC {
        return Err("aggregates are asked for in UTC".to_owned());
    }
    let schema = rows.schema();
    let column = |field: &Arc<Field>| {
        let data_type = type_name(field.data_type(), &Detail::of(field));
        format!("`{}` {data_type}", field.name())
    };
    let columns: Vec<String> = schema.fields().iter().map(column).collect();
    let text = format!(
        "CREATE TABLE t ({}) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');\n\
         EXPLAIN SELECT {expression} FROM t;",
        columns.join(", ")
    );
    let job =
        crate::plan("f.sql", &text).map_err(|errors| errors.errors.iter().map(said).collect::<String>())?;
    let text = |rows: &RecordBatch, row: usize| {
        let mut value = String::new();
        print(rows.column(0), row, &mut value);
        value
    };
    match run::run(&job.topology, rows, text) {
        Err(error) => Ok(Answer::Failed(error.to_string())),
        Ok((data_type, values)) => match values.as_slice() {
            [value] => Ok(Answer::Value { data_type: named(&data_type, detail), value: value.clone() }),
            values => Err(format!("{} rows", values.len())),
        },
    }
}

fn said(error: &crate::SqlError) -> String {
    format!("{} ({})", error.message, error.help.as_deref().unwrap_or("-"))
}

fn tokens(text: &str) -> Result<(Tokens, Positions), String> {
    let words = Tokenizer::new(&FlinkDialect::default(), text).tokenize_with_location();
    let words = words.map_err(|error| error.to_string())?.into_iter();
    let tokens = words.filter(|word| !matches!(word.token, Token::Whitespace(_))).collect();
    Ok((Tokens { tokens, hints: Vec::new(), span: Span { start: 0, end: text.len() } }, Positions::new(text)))
}

/// The rows of `(VALUES (..), (..)) AS t(a, b)`; one row without columns where there is none.
fn rows(setup: &str, names: &Names) -> Result<RecordBatch, String> {
    if setup.is_empty() {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let schema = Arc::new(Schema::empty());
        return RecordBatch::try_new_with_options(schema, vec![], &options)
            .map_err(|error| error.to_string());
    }
    let text = format!("SELECT * FROM {setup}");
    let parsed = Parser::parse_sql(&FlinkDialect::default(), &text).map_err(|error| error.to_string())?;
    let [Statement::Query(query)] = parsed.as_slice() else { return Err("no query".to_owned()) };
    let SetExpr::Select(select) = query.body.as_ref() else { return Err("no select".to_owned()) };
    let Some(TableFactor::Derived { subquery, alias: Some(alias), .. }) =
        select.from.first().map(|from| &from.relation)
    else {
        return Err("the setup is not supported yet".to_owned());
    };
    let SetExpr::Values(values) = subquery.body.as_ref() else { return Err("no values".to_owned()) };
    let mut columns: Vec<Vec<(Field, ArrayRef)>> = Vec::new();
    for row in &values.rows {
        for (index, cell) in row.content.iter().enumerate() {
            if columns.len() <= index {
                columns.push(Vec::new());
            }
            columns[index].push(value_of(cell, names)?);
        }
    }
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (index, cells) in columns.iter().enumerate() {
        let name =
            alias.columns.get(index).map_or_else(|| format!("c{index}"), |column| column.name.value.clone());
        let (field, _) = cells.first().ok_or("no rows")?;
        fields.push(field.clone().with_name(name).with_nullable(true));
        let cells: Vec<&dyn Array> = cells.iter().map(|(_, array)| array.as_ref()).collect();
        arrays.push(concat(&cells).map_err(|error| format!("setup: {error}"))?);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| format!("setup: {error}"))
}

/// The value of a constant.
fn value_of(cell: &SqlExpr, names: &Names) -> Result<(Field, ArrayRef), String> {
    let mut cell = cell.clone();
    if let SqlExpr::Cast { expr, .. } = &mut cell {
        quote_number(expr);
    }
    let text = cell.to_string();
    let (tokens, positions) = tokens(&text)?;
    let empty = DFSchema::empty();
    let expr = plan_expression(&tokens, &empty, names, &positions)
        .map_err(|error| format!("setup {text}: {}", said(&error)))?;
    let (_, field) = expr.to_field(&empty).map_err(|error| format!("setup {text}: {error}"))?;
    let columns = Columns { relation: &empty, places: &[], rows: &Arc::new(Schema::empty()), clock: false };
    let physical = columns.expression(&expr).map_err(|error| format!("setup {text}: {error}"))?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| error.to_string())?;
    let value = physical.evaluate(&one).and_then(|value| value.into_array(1));
    Ok((field.as_ref().clone(), value.map_err(|error| format!("setup {text}: {error}"))?))
}

/// A decimal has more digits than a number in SQL can have.
fn quote_number(expr: &mut Box<SqlExpr>) {
    let text = expr.to_string();
    if text.len() > 15 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) {
        let quoted = Value::SingleQuotedString(text);
        **expr = SqlExpr::Value(quoted.with_empty_span());
    }
}

/// Writes a value as Java prints it.
fn print(array: &dyn Array, row: usize, out: &mut String) {
    use DataType as T;
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    let _ = match array.data_type() {
        T::Boolean => write!(out, "{}", array.as_boolean().value(row)),
        T::Utf8 => write!(out, "{}", array.as_string::<i32>().value(row)),
        T::Int8 => write!(out, "{}", array.as_primitive::<Int8Type>().value(row)),
        T::Int16 => write!(out, "{}", array.as_primitive::<Int16Type>().value(row)),
        T::Int32 => write!(out, "{}", array.as_primitive::<Int32Type>().value(row)),
        T::Int64 => write!(out, "{}", array.as_primitive::<Int64Type>().value(row)),
        T::Float32 => {
            write_f32(array.as_primitive::<Float32Type>().value(row), out);
            Ok(())
        }
        T::Float64 => {
            write_f64(array.as_primitive::<Float64Type>().value(row), out);
            Ok(())
        }
        T::Decimal128(_, scale) => {
            print_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out);
            Ok(())
        }
        T::Binary => {
            let bytes = array.as_binary::<i32>().value(row).iter().map(|byte| (*byte as i8).to_string());
            write!(out, "[{}]", bytes.collect::<Vec<_>>().join(", "))
        }
        T::Date32 => {
            write_date(date_at(array, row).unwrap_or(0), out);
            Ok(())
        }
        T::Time32(_) | T::Time64(_) => {
            print_clock(time_at(array, row).unwrap().unwrap(), false, out);
            Ok(())
        }
        T::Timestamp(_, zone) => {
            let moment: Moment = timestamp_at(array, row).unwrap().unwrap();
            let (days, nanos) = moment.day();
            if Date::of_days(days).year > 9999 {
                out.push('+');
            }
            write_date(days, out);
            out.push('T');
            print_clock(nanos, zone.is_some(), out);
            out.push_str(if zone.is_some() { "Z" } else { "" });
            Ok(())
        }
        T::Interval(_) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            print_interval(value, out);
            Ok(())
        }
        T::List(_) | T::Map(_, _) | T::Struct(_) => {
            print_nested(array, row, out);
            Ok(())
        }
        other => write!(out, "a value of {other}"),
    };
}

/// What holds other values.
fn print_nested(array: &dyn Array, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            print_all(out, "[", "]", items.len(), |at, out| print(&items, at, out));
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            print_all(out, "{", "}", entries.len(), |at, out| {
                print(entries.column(0), at, out);
                out.push('=');
                print(entries.column(1), at, out);
            });
        }
        _ => {
            let columns = array.as_struct().columns();
            print_all(out, "+I[", "]", columns.len(), |at, out| print(&columns[at], row, out));
        }
    }
}

fn print_all(out: &mut String, open: &str, close: &str, count: usize, one: impl Fn(usize, &mut String)) {
    out.push_str(open);
    for at in 0..count {
        out.push_str(if at == 0 { "" } else { ", " });
        one(at, out);
    }
    out.push_str(close);
}

/// `BigDecimal.toString`.
fn print_decimal(value: i128, scale: i8, out: &mut String) {
    let digits = value.unsigned_abs().to_string();
    let exponent = digits.len() as i64 - 1 - i64::from(scale);
    if exponent >= -6 {
        crate::functions::values::decimal::write(value, scale as u8, out);
        return;
    }
    out.push_str(if value < 0 { "-" } else { "" });
    let (first, rest) = digits.split_at(1);
    let _ = if rest.is_empty() {
        write!(out, "{first}E{exponent}")
    } else {
        write!(out, "{first}.{rest}E{exponent}")
    };
}

/// `LocalTime.toString`; an `Instant` always has seconds.
fn print_clock(nanos: i64, seconds_always: bool, out: &mut String) {
    let (seconds, nanos) = (nanos / SECOND, nanos % SECOND);
    let _ = write!(out, "{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 || nanos != 0 || seconds_always {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
    let _ = match nanos {
        0 => Ok(()),
        nanos if nanos % 1_000_000 == 0 => write!(out, ".{:03}", nanos / 1_000_000),
        nanos if nanos % 1000 == 0 => write!(out, ".{:06}", nanos / 1000),
        nanos => write!(out, ".{nanos:09}"),
    };
}

/// `Period.toString` and `Duration.toString`.
fn print_interval(value: IntervalMonthDayNano, out: &mut String) {
    if value.months != 0 {
        let (years, months) = (value.months / 12, value.months % 12);
        out.push('P');
        let _ = if years != 0 { write!(out, "{years}Y") } else { Ok(()) };
        let _ = if months != 0 { write!(out, "{months}M") } else { Ok(()) };
        return;
    }
    let millis = i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000;
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    if millis == 0 {
        out.push_str("PT0S");
        return;
    }
    out.push_str("PT");
    let _ = if hours != 0 { write!(out, "{hours}H") } else { Ok(()) };
    let _ = if minutes != 0 { write!(out, "{minutes}M") } else { Ok(()) };
    if rest != 0 {
        let text =
            format!("{}{}.{:03}", if rest < 0 { "-" } else { "" }, rest.abs() / 1000, rest.abs() % 1000);
        let _ = write!(out, "{}S", text.trim_end_matches('0').trim_end_matches('.'));
    }
}
