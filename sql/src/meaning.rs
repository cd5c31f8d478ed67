//! Expressions in words that stay the same while their meaning does: see [`millstream_operators::meaning`].
//!
//! The words are those of the physical expression, with what the columns are made of in the place of their names, and with
//! literals and fields of rows that show their types.

use crate::functions::casting::cast_of;
use crate::functions::time::zone::UTC;
use crate::functions::user::scalar_of;
use crate::functions::values::detail::{Detail, type_name};
use crate::functions::zone_of;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use millstream_operators::formats::sql_type;
use std::any::Any;
use std::sync::Arc;

/// The place of columns that stand for a text: no row is so wide.
const TEXT: usize = usize::MAX - 7;

/// What an expression means whose columns are made of what `column` says, and its type.
pub(crate) fn of_expression(
    expr: &Arc<dyn PhysicalExpr>,
    data_type: &DataType,
    column: &dyn Fn(usize) -> String,
) -> String {
    let text = text_of(expr, column);
    if (expr.as_ref() as &dyn Any).is::<Column>() {
        return text;
    }
    // It may come to stand in another expression.
    let text = if text.contains(' ') { format!("({text})") } else { text };
    match data_type {
        DataType::Boolean => text,
        other => format!("{text}:{}", sql_type(other)),
    }
}

fn text_of(expr: &Arc<dyn PhysicalExpr>, column: &dyn Fn(usize) -> String) -> String {
    let written = Arc::clone(expr).transform_down(|node| {
        Ok(match text_of_node(&node, column) {
            Some(text) => {
                let text: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&text, TEXT));
                Transformed::new(text, true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(node),
        })
    });
    match written.data() {
        Ok(written) => written.to_string().replace(&format!("@{TEXT}"), ""),
        // An expression that can't be rebuilt: its own words, which name all it reads, and what that is.
        Err(_) => {
            let mut read = Vec::new();
            let walked = expr.apply(|node| {
                if let Some(column_read) = (node.as_ref() as &dyn Any).downcast_ref::<Column>() {
                    read.push(format!("{} = {}", column_read.name(), column(column_read.index())));
                }
                Ok(TreeNodeRecursion::Continue)
            });
            debug_assert!(walked.is_ok(), "looking changes nothing");
            format!("{expr} with {}", read.join(", "))
        }
    }
}

/// The text of a column, a literal, or a field of a row.
fn text_of_node(node: &Arc<dyn PhysicalExpr>, column: &dyn Fn(usize) -> String) -> Option<String> {
    let any = node.as_ref() as &dyn Any;
    if let Some(found) = any.downcast_ref::<Column>() {
        return Some(column(found.index()));
    }
    if let Some(literal) = any.downcast_ref::<Literal>() {
        return Some(text_of_literal(literal.value()));
    }
    let call = any.downcast_ref::<ScalarFunctionExpr>()?;
    if call.name() != "get_field" {
        return text_of_call(call, column);
    }
    let (row, names) = call.args().split_first()?;
    let names: Vec<String> = names.iter().map(|name| text_of(name, column)).collect();
    let names: Vec<&str> = names.iter().map(|name| name.trim_matches('\'')).collect();
    Some(format!("{}.{}:{}", text_of(row, column), names.join("."), sql_type(call.return_type())))
}

/// The text of a cast, of a function of a program, and of one that reads the clocks of a zone.
fn text_of_call(call: &ScalarFunctionExpr, column: &dyn Fn(usize) -> String) -> Option<String> {
    let args: Vec<String> = call.args().iter().map(|arg| text_of(arg, column)).collect();
    let args = args.join(", ");
    if let Some(cast) = cast_of(call.fun()) {
        let detail = Detail { digits: cast.digits_to.clone(), length: cast.length };
        let zone = if cast.zone == UTC { String::new() } else { format!(" in {:?}", cast.zone) };
        return Some(format!("{}({args} AS {}{zone})", call.name(), type_name(&cast.to, &detail)));
    }
    if let Some(function) = scalar_of(call.fun()) {
        return Some(format!("{}({args}) version {}", function.name, function.version));
    }
    let zone = zone_of(call.fun()).filter(|zone| *zone != UTC)?;
    Some(format!("{}({args}) in {zone:?}", call.name()))
}

fn text_of_literal(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text)) => format!("'{}'", text.replace('\'', "''")),
        ScalarValue::Int32(Some(number)) => number.to_string(),
        ScalarValue::Int64(Some(number)) => number.to_string(),
        ScalarValue::Boolean(Some(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}
