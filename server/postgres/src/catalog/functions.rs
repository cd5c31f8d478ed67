//! Functions over the catalog.

use super::World;
use super::cast::{cast, quoted};
use super::rows::{OWNER, numbered};
use super::value::Value;
use crate::error::Trouble;
use crate::settings::VERSION;
use crate::types::format_type;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
};

/// Tables of PostgreSQL's own by their numbers there, which clients compare with.
pub(super) const SYSTEM_CLASSES: &[(i64, &str)] = &[
    (1_247, "pg_type"),
    (1_249, "pg_attribute"),
    (1_255, "pg_proc"),
    (1_259, "pg_class"),
    (1_260, "pg_authid"),
    (1_262, "pg_database"),
    (2_606, "pg_constraint"),
    (2_610, "pg_index"),
    (2_615, "pg_namespace"),
    (2_618, "pg_rewrite"),
    (2_620, "pg_trigger"),
    (3_079, "pg_extension"),
];

/// A call of a function with these arguments.
pub(super) fn call(name: &str, arguments: &[&Expr]) -> Function {
    let args = arguments.iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr((*expr).clone())));
    let list = FunctionArgumentList { duplicate_treatment: None, args: args.collect(), clauses: Vec::new() };
    Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

/// A word that is a function without parentheses.
pub(super) fn word(name: &str, world: &World<'_>) -> Option<Value> {
    matches!(
        name,
        "current_user"
            | "session_user"
            | "user"
            | "current_role"
            | "current_catalog"
            | "current_schema"
            | "current_database"
    )
    .then(|| called(name, &[], world).ok())
    .flatten()
}

/// What a function gives that is no aggregate.
pub(super) fn called(name: &str, values: &[Value], world: &World<'_>) -> Result<Value, Trouble> {
    let first = values.first().unwrap_or(&Value::Null);
    let second = values.get(1).unwrap_or(&Value::Null);
    if let Some(value) = of_session(name, first, second, world) {
        return Ok(value);
    }
    // Of a null it is null, unless it is about nulls.
    let takes_nulls = matches!(
        name,
        "coalesce" | "concat" | "nullif" | "array_to_string" | "format_type" | "greatest" | "least"
    );
    if !takes_nulls && first.is_null() && !values.is_empty() {
        return if is_known(name) { Ok(Value::Null) } else { Err(unknown(name)) };
    }
    let value = of_texts(name, values)
        .or_else(|| of_lists(name, first, second))
        .or_else(|| of_catalog(name, values, world));
    value.ok_or_else(|| unknown(name))
}

/// What functions of texts give, and those of any value.
fn of_texts(name: &str, values: &[Value]) -> Option<Value> {
    let first = values.first().unwrap_or(&Value::Null);
    let second = values.get(1).unwrap_or(&Value::Null);
    let int = |at: usize| values.get(at).and_then(Value::int);
    let text = || first.written();
    Some(match name {
        "coalesce" => values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null),
        "nullif" => match first.compare(second) {
            Some(order) if order.is_eq() => Value::Null,
            _ => first.clone(),
        },
        "abs" => first.int().map_or(Value::Null, |number| Value::Int(number.saturating_abs())),
        "lower" => Value::text(text().to_lowercase()),
        "upper" => Value::text(text().to_uppercase()),
        "length" | "char_length" | "character_length" => Value::Int(text().chars().count() as i64),
        "octet_length" => Value::Int(text().len() as i64),
        "concat" => Value::Text(values.iter().map(Value::written).collect()),
        "replace" => match values.get(2) {
            Some(to) if !second.is_null() && !to.is_null() && !second.written().is_empty() => {
                Value::text(text().replace(&second.written(), &to.written()))
            }
            _ => first.clone(),
        },
        "substring" | "substr" => {
            let skip = usize::try_from(int(1).unwrap_or(1).saturating_sub(1)).unwrap_or(0);
            let count = int(2).map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(0));
            Value::Text(text().chars().skip(skip).take(count).collect())
        }
        "left" => {
            let count = int(1).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            Value::Text(text().chars().take(count).collect())
        }
        "trim" | "btrim" => Value::text(text().trim()),
        "split_part" => {
            let at = int(2).and_then(|at| usize::try_from(at.saturating_sub(1)).ok());
            let (text, separator) = (text(), second.written());
            Value::text(at.and_then(|at| text.split(&separator).nth(at)).unwrap_or_default())
        }
        "starts_with" => Value::Bool(text().starts_with(&second.written())),
        "quote_ident" => Value::Text(quoted(&text())),
        "quote_literal" => Value::Text(format!("'{}'", text().replace('\'', "''"))),
        "pg_size_pretty" => Value::Text(format!("{} bytes", text())),
        _ => return None,
    })
}

/// What functions of lists give.
fn of_lists(name: &str, first: &Value, second: &Value) -> Option<Value> {
    Some(match name {
        "array_to_string" if first.is_null() => Value::Null,
        "array_to_string" => {
            let items = first.items().unwrap_or_default();
            let texts: Vec<String> =
                items.iter().filter(|item| !item.is_null()).map(Value::written).collect();
            Value::Text(texts.join(&second.written()))
        }
        "string_to_array" => {
            let (text, separator) = (first.written(), second.written());
            Value::List(text.split(&separator).map(Value::text).collect())
        }
        "array_length" | "array_upper" | "cardinality" => match first.items().map(|items| items.len() as i64)
        {
            Some(0) if name != "cardinality" => Value::Null,
            length => length.map_or(Value::Null, Value::Int),
        },
        "array_lower" => Value::Int(1),
        "array_position" => {
            let items = first.items().unwrap_or_default();
            let at = items.iter().position(|item| item.is_same(second));
            at.map_or(Value::Null, |at| Value::Int(at as i64 + 1))
        }
        _ => return None,
    })
}

/// What functions about tables, types and rights give.
fn of_catalog(name: &str, values: &[Value], world: &World<'_>) -> Option<Value> {
    let first = values.first().unwrap_or(&Value::Null);
    let second = values.get(1).unwrap_or(&Value::Null);
    let right = || values.last().map(Value::written).unwrap_or_default().to_ascii_uppercase();
    Some(match name {
        "format_type" => match first.int().and_then(|oid| u32::try_from(oid).ok()) {
            Some(oid) => {
                Value::text(format_type(oid, second.int().and_then(|modifier| i32::try_from(modifier).ok())))
            }
            None => Value::Null,
        },
        "to_regclass" => cast(first.clone(), "regclass", world).unwrap_or(Value::Null),
        "to_regtype" => cast(first.clone(), "regtype", world).unwrap_or(Value::Null),
        "pg_get_userbyid" => Value::text(OWNER),
        "pg_encoding_to_char" => Value::text("UTF8"),
        "pg_table_is_visible" => {
            let is_one = numbered(world.tables).any(|(oid, _)| Some(oid) == first.int());
            Value::Bool(is_one || SYSTEM_CLASSES.iter().any(|(oid, _)| Some(*oid) == first.int()))
        }
        // Tables are read, and nothing else.
        "has_table_privilege" | "has_any_column_privilege" | "has_column_privilege" => {
            Value::Bool(right().split(',').any(|right| right.trim() == "SELECT"))
        }
        "has_schema_privilege" | "has_database_privilege" => {
            Value::Bool(right().split(',').any(|right| matches!(right.trim(), "USAGE" | "CONNECT")))
        }
        name if name.starts_with("pg_") && name.ends_with("_is_visible") => Value::Bool(true),
        name if is_about_nothing(name) => Value::Null,
        _ => return None,
    })
}

/// What functions give that are about who asks.
fn of_session(name: &str, first: &Value, second: &Value, world: &World<'_>) -> Option<Value> {
    Some(match name {
        "version" => Value::Text(format!("PostgreSQL {VERSION} (millstream {})", env!("CARGO_PKG_VERSION"))),
        "current_database" | "current_catalog" => Value::text(world.database),
        "current_schema" => Value::text("public"),
        "current_schemas" => match first.truth() {
            Some(true) => Value::List(vec![Value::text("pg_catalog"), Value::text("public")]),
            _ => Value::List(vec![Value::text("public")]),
        },
        "current_user" | "session_user" | "user" | "current_role" => Value::text(world.user),
        "pg_backend_pid" => Value::Int(i64::from(world.process)),
        "pg_is_in_recovery" | "pg_is_other_temp_schema" => Value::Bool(false),
        "pg_my_temp_schema" => Value::Int(0),
        "current_setting" => match world.settings.get(&first.written()) {
            Some(value) => Value::text(value),
            // Of one that there is not, without an error where that is asked for.
            None if second.truth() == Some(true) => Value::Null,
            None => return None,
        },
        // What is set is the session's affair, and not that of a query.
        "set_config" => second.clone(),
        "inet_server_addr" | "inet_client_addr" | "inet_server_port" | "inet_client_port" => Value::Null,
        _ => return None,
    })
}

/// Functions about what there is not here: comments, sizes, defaults, the text of indexes and constraints.
fn is_about_nothing(name: &str) -> bool {
    matches!(
        name,
        "obj_description"
            | "col_description"
            | "shobj_description"
            | "pg_get_expr"
            | "pg_get_viewdef"
            | "pg_get_indexdef"
            | "pg_get_constraintdef"
            | "pg_get_functiondef"
            | "pg_get_function_result"
            | "pg_get_function_arguments"
            | "pg_get_function_identity_arguments"
            | "pg_get_triggerdef"
            | "pg_get_ruledef"
            | "pg_get_partkeydef"
            | "pg_get_partition_constraintdef"
            | "pg_get_statisticsobjdef_columns"
            | "pg_get_serial_sequence"
            | "pg_relation_size"
            | "pg_total_relation_size"
            | "pg_table_size"
            | "pg_indexes_size"
            | "pg_database_size"
            | "pg_tablespace_location"
            | "pg_relation_filepath"
            | "pg_relation_is_publishable"
            | "pg_stat_get_numscans"
            | "pg_postmaster_start_time"
            | "pg_conf_load_time"
            | "pg_last_wal_replay_lsn"
            | "generate_subscripts"
            | "unnest"
            | "pg_index_column_has_property"
            | "pg_indexam_has_property"
            | "pg_relation_is_updatable"
            | "pg_column_is_updatable"
    )
}

fn is_known(name: &str) -> bool {
    is_about_nothing(name)
        || (name.starts_with("pg_") && name.ends_with("_is_visible"))
        || name.starts_with("has_")
        || matches!(
            name,
            "lower"
                | "upper"
                | "length"
                | "char_length"
                | "character_length"
                | "octet_length"
                | "replace"
                | "substring"
                | "substr"
                | "left"
                | "trim"
                | "btrim"
                | "split_part"
                | "starts_with"
                | "quote_ident"
                | "quote_literal"
                | "string_to_array"
                | "array_length"
                | "array_upper"
                | "cardinality"
                | "array_lower"
                | "array_position"
                | "abs"
                | "to_regclass"
                | "to_regtype"
                | "pg_get_userbyid"
                | "pg_encoding_to_char"
                | "pg_size_pretty"
        )
}

fn unknown(name: &str) -> Trouble {
    Trouble::new("42883", format!("there is no function {name} over the catalog"))
}

/// What an aggregate of these values is.
pub(super) fn aggregated(name: &str, mut values: Vec<Value>, second: Option<Value>) -> Value {
    if name != "array_agg" {
        values.retain(|value| !value.is_null());
    }
    let some = |value: Option<Value>| value.unwrap_or(Value::Null);
    match name {
        "count" => Value::Int(values.len() as i64),
        "sum" if values.is_empty() => Value::Null,
        "sum" => Value::Int(values.iter().filter_map(Value::int).fold(0, i64::saturating_add)),
        "min" => some(values.into_iter().min_by(Value::order)),
        "max" => some(values.into_iter().max_by(Value::order)),
        _ if values.is_empty() => Value::Null,
        "array_agg" => Value::List(values),
        "string_agg" => {
            let texts: Vec<String> = values.iter().map(Value::written).collect();
            Value::Text(texts.join(&second.map(|second| second.written()).unwrap_or_default()))
        }
        "bool_or" => Value::Bool(values.iter().any(|value| value.truth() == Some(true))),
        _ => Value::Bool(values.iter().all(|value| value.truth() == Some(true))),
    }
}
