//! Rows, their fields, `IS JSON` and `BETWEEN SYMMETRIC`, as DataFusion's planner knows them.

use super::forms::SYMMETRIC;
use super::special::call;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr as SqlExpr, FunctionArg, FunctionArgExpr, FunctionArguments,
    NormalizationForm, UnaryOperator, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::Span;

/// `a BETWEEN SYMMETRIC x AND y` is between them whichever is greater.
pub(super) fn symmetric_as_two(expr: &mut SqlExpr) {
    let SqlExpr::Between { expr: value, negated, low, high } = expr else { return };
    let SqlExpr::Function(mark) = low.as_ref() else { return };
    let is_mark = matches!(mark.name.0.as_slice(), [name] if name.as_ident().is_some_and(|name| name.value == SYMMETRIC));
    let FunctionArguments::List(list) = &mark.args else { return };
    let (true, [FunctionArg::Unnamed(FunctionArgExpr::Expr(low))]) = (is_mark, list.args.as_slice()) else {
        return;
    };
    let between = |low: &SqlExpr, high: &SqlExpr| {
        Box::new(SqlExpr::Between {
            expr: value.clone(),
            negated: false,
            low: Box::new(low.clone()),
            high: Box::new(high.clone()),
        })
    };
    let either =
        SqlExpr::BinaryOp { left: between(low, high), op: BinaryOperator::Or, right: between(high, low) };
    let either = SqlExpr::Nested(Box::new(either));
    *expr = match negated {
        true => SqlExpr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either) },
        false => either,
    };
}

/// A row, a field of one, and `IS JSON`, as calls that DataFusion's planner knows.
pub(super) fn as_call(expr: &mut SqlExpr) {
    match expr {
        SqlExpr::Prefixed { prefix, value } if prefix.value.eq_ignore_ascii_case("_UTF8") => {
            *expr = value.as_ref().clone();
        }
        SqlExpr::Tuple(values) => *expr = call("row", std::mem::take(values)),
        SqlExpr::CompoundFieldAccess { root, access_chain } => {
            // In front of the first index, names behind a name are columns or fields of one.
            let mut named = matches!(root.as_ref(), SqlExpr::Identifier(_));
            for access in access_chain {
                match access {
                    AccessExpr::Dot(SqlExpr::Identifier(ident)) if !named => {
                        let name = Value::SingleQuotedString(ident.value.clone());
                        *access =
                            AccessExpr::Dot(SqlExpr::Value(ValueWithSpan { value: name, span: ident.span }));
                    }
                    AccessExpr::Dot(_) => {}
                    AccessExpr::Subscript(_) => named = false,
                }
            }
        }
        SqlExpr::IsNormalized { expr: text, form, negated } => {
            let kind = match form {
                None | Some(NormalizationForm::NFC) => "VALUE",
                Some(NormalizationForm::NFD) => "SCALAR",
                Some(NormalizationForm::NFKC) => "ARRAY",
                Some(NormalizationForm::NFKD) => "OBJECT",
            };
            let kind = Value::SingleQuotedString(kind.to_owned());
            let kind = SqlExpr::Value(ValueWithSpan { value: kind, span: Span::empty() });
            let is_json = call("is_json", vec![text.as_ref().clone(), kind]);
            *expr = match negated {
                true => SqlExpr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(is_json) },
                false => is_json,
            };
        }
        _ => {}
    }
}
