//! Types and names of what a query over the catalog puts out, as far as clients look at them.

use super::expression::Evaluation;
use super::frame::{Env, name_of, parts};
use crate::types::{KNOWN, Kind};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    UnaryOperator, Value,
};

/// The type of an expression.
pub(super) fn of(evaluation: &Evaluation<'_>, expr: &Expr, env: &Env<'_>) -> Kind {
    let of = |expr: &Expr| of(evaluation, expr, env);
    match expr {
        Expr::Identifier(ident) => {
            env.named(std::slice::from_ref(ident)).map_or(Kind::Name, |(field, _)| field.kind)
        }
        Expr::CompoundIdentifier(idents) => env.named(idents).map_or(Kind::Text, |(field, _)| field.kind),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) if number.parse::<i32>().is_ok() => Kind::Int4,
            Value::Number(number, _) if number.parse::<i64>().is_ok() => Kind::Int8,
            Value::Number(..) => Kind::Float8,
            Value::Boolean(_) => Kind::Bool,
            _ => Kind::Text,
        },
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of(inner),
        Expr::Cast { data_type, .. } => named(&data_type.to_string()),
        Expr::TypedString(typed) => named(&typed.data_type.to_string()),
        Expr::Function(call) => of_call(call, of),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => Kind::Bool,
        Expr::UnaryOp { expr, .. } => of(expr),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::StringConcat => Kind::Text,
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr => match (of(left), of(right)) {
                (Kind::Float4 | Kind::Float8, _) | (_, Kind::Float4 | Kind::Float8) => Kind::Float8,
                (Kind::Int8, _) | (_, Kind::Int8) => Kind::Int8,
                _ => Kind::Int4,
            },
            _ => Kind::Bool,
        },
        Expr::Case { conditions, else_result, .. } => {
            let results = conditions.iter().map(|case| &case.result).chain(else_result.as_deref());
            first_known(results, of)
        }
        Expr::Subquery(query) => {
            let frame = evaluation.query(query, Some(env));
            frame.ok().and_then(|frame| frame.fields.first().map(|field| field.kind)).unwrap_or(Kind::Text)
        }
        Expr::Array(array) => match array.elem.first().map(of) {
            Some(Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid) => Kind::IntArray,
            _ => Kind::TextArray,
        },
        Expr::CompoundFieldAccess { root, access_chain } => match (of(root), access_chain.first()) {
            (Kind::IntArray, Some(AccessExpr::Subscript(_))) => Kind::Int4,
            _ => Kind::Text,
        },
        Expr::Tuple(_) => Kind::TextArray,
        Expr::Trim { .. } | Expr::Substring { .. } => Kind::Text,
        _ => Kind::Bool,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// The type of the first one that is no null.
fn first_known<'e>(exprs: impl Iterator<Item = &'e Expr>, of: impl Fn(&Expr) -> Kind) -> Kind {
    exprs.filter(|expr| !is_null(expr)).map(of).next().unwrap_or(Kind::Text)
}

fn arguments(call: &Function) -> impl Iterator<Item = &Expr> {
    let list = match &call.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
}

fn of_call(call: &Function, of: impl Fn(&Expr) -> Kind) -> Kind {
    let name = parts(&call.name).pop().unwrap_or_default();
    match name.as_str() {
        "count"
        | "sum"
        | "row_number"
        | "pg_relation_size"
        | "pg_total_relation_size"
        | "pg_table_size"
        | "pg_database_size"
        | "pg_indexes_size" => Kind::Int8,
        "length"
        | "char_length"
        | "character_length"
        | "octet_length"
        | "array_length"
        | "array_upper"
        | "array_lower"
        | "cardinality"
        | "array_position"
        | "pg_backend_pid"
        | "abs"
        | "inet_server_port"
        | "generate_subscripts"
        | "generate_series" => Kind::Int4,
        "pg_my_temp_schema" => Kind::Oid,
        "current_schema" | "current_database" | "current_user" | "session_user" | "pg_get_userbyid" => {
            Kind::Name
        }
        "pg_is_in_recovery"
        | "starts_with"
        | "bool_or"
        | "bool_and"
        | "every"
        | "pg_is_other_temp_schema" => Kind::Bool,
        name if name.starts_with("has_") || name.ends_with("_is_visible") => Kind::Bool,
        "current_schemas" | "string_to_array" | "array" => Kind::TextArray,
        "array_agg" => match arguments(call).next().map(of) {
            Some(Kind::Int2 | Kind::Int4 | Kind::Oid) => Kind::IntArray,
            _ => Kind::TextArray,
        },
        "coalesce" | "nullif" | "min" | "max" => first_known(arguments(call), of),
        _ => Kind::Text,
    }
}

/// A type by a name of PostgreSQL's.
fn named(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name).trim_matches('"');
    if let Some(item) = name.strip_suffix("[]") {
        return if matches!(item, "int2" | "int4" | "integer" | "oid") {
            Kind::IntArray
        } else {
            Kind::TextArray
        };
    }
    let name = match name.split('(').next().unwrap_or_default().trim() {
        "int" => "int4",
        "decimal" => "numeric",
        "double" => "float8",
        other => other,
    };
    let known = KNOWN.iter().find(|known| known.name == name || known.long_name == name);
    known.and_then(|known| Kind::of_oid(known.oid)).unwrap_or(Kind::Text)
}

/// How PostgreSQL calls a column that the query gives no name.
pub(super) fn name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => name_of(ident),
        Expr::CompoundIdentifier(idents) => idents.last().map(name_of).unwrap_or_default(),
        Expr::Function(call) => parts(&call.name).pop().unwrap_or_default(),
        Expr::Cast { expr, data_type, .. } => match name(expr) {
            // A value goes by its type.
            unnamed if unnamed == "?column?" => {
                let name = data_type.to_string().to_ascii_lowercase();
                let known = KNOWN.iter().find(|known| known.name == name || known.long_name == name);
                known.map_or(name, |known| known.name.to_owned())
            }
            name => name,
        },
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => name(inner),
        Expr::Case { else_result, .. } => match else_result.as_deref().map(name) {
            Some(name) if name != "?column?" => name,
            _ => "case".to_owned(),
        },
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::CompoundFieldAccess { root, .. } => name(root),
        _ => "?column?".to_owned(),
    }
}
