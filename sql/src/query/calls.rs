//! Which functions a query calls: those that there are; all others are refused under their own name.

use super::provider::Names;
use super::relations::error_at;
use crate::error::nearest;
use crate::features::{grouping_sets, over, proctime, top_n};
use crate::functions::{aggregates, table};
use datafusion::common::Result;
use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

/// The aggregates of numbers, as DataFusion names them.
pub(super) const AGGREGATES: &[&str] = &[
    "avg",
    "count",
    "max",
    "min",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Functions of Flink that there are not, or not yet, and what to do: no function of a program can have such a name.
const CURES: &[(&[&str], &str)] = &[
    (
        &[
            "CURRENT_TIMESTAMP",
            "NOW",
            "LOCALTIMESTAMP",
            "CURRENT_ROW_TIMESTAMP",
            "CURRENT_DATE",
            "CURRENT_TIME",
            "LOCALTIME",
        ],
        "use PROCTIME(), the clock when a row is processed, or a column of the table, as one with METADATA FROM 'timestamp'",
    ),
    (
        &["RAND", "RAND_INTEGER", "UUID"],
        "the same input gives the same result whenever it is read, so there is no chance: derive a value from columns, \
         as MD5(CONCAT(..))",
    ),
    (
        &[
            "TUMBLE_START",
            "TUMBLE_END",
            "TUMBLE_ROWTIME",
            "TUMBLE_PROCTIME",
            "HOP_START",
            "HOP_END",
            "HOP_ROWTIME",
            "HOP_PROCTIME",
            "SESSION_START",
            "SESSION_END",
            "SESSION_ROWTIME",
            "SESSION_PROCTIME",
        ],
        "it stands beside GROUP BY TUMBLE(time, INTERVAL '1' MINUTE) and the like; windows that are tables, as FROM \
         TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE)), have window_start, window_end and window_time",
    ),
    (
        &["TUMBLE", "HOP", "CUMULATE", "SESSION"],
        "windows are tables: write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE)) and GROUP BY \
         window_start, window_end",
    ),
    (
        &["LEAD", "NTILE", "PERCENT_RANK", "CUME_DIST", "NTH_VALUE"],
        "it looks at rows that come later: with OVER there are the aggregates, LAG, ROW_NUMBER, RANK and DENSE_RANK",
    ),
    (
        &["CURRENT_WATERMARK", "SOURCE_WATERMARK"],
        "watermarks are the runtime's: rows that are late are counted, and kept by 'millstream.late-records'",
    ),
    (&["CURRENT_DATABASE"], "there is one database: leave it out"),
    (&["TYPEOF"], "EXPLAIN shows the types of columns"),
    (&["APPROX_COUNT_DISTINCT"], "COUNT(DISTINCT ..) is exact"),
];

/// Functions of other systems, and what is written in Flink.
const CURES_OF_OTHERS: &[(&[&str], &str)] = &[
    (
        &["EVERY", "SOME", "ANY", "BIT_AND", "BIT_OR", "BIT_XOR", "ANY_VALUE"],
        "Flink has no such aggregate: MIN and MAX of a BOOLEAN are EVERY and SOME, FIRST_VALUE is any value",
    ),
    (&["STRING_AGG"], "write LISTAGG(s, ', ')"),
    (&["MEDIAN"], "write PERCENTILE(x, 0.5)"),
    (&["RANDOM"], "the same input gives the same result whenever it is read, so there is no chance"),
    (&["DATE_TRUNC"], "write FLOOR(t TO DAY)"),
    (&["DATE_PART"], "write EXTRACT(DAY FROM t)"),
    (&["DATEDIFF", "DATE_DIFF"], "write TIMESTAMPDIFF(DAY, a, b)"),
    (&["DATE_ADD", "DATE_SUB", "DATEADD"], "write t + INTERVAL '1' DAY, or TIMESTAMPADD(DAY, n, t)"),
    (&["NVL"], "write IFNULL(a, b) or COALESCE(a, b)"),
    (&["LEN"], "write CHAR_LENGTH(s)"),
    (&["STRPOS"], "write POSITION(a IN s)"),
    (&["SPLIT_PART"], "write SPLIT_INDEX(s, separator, index), which counts from 0"),
    (&["TO_CHAR"], "write DATE_FORMAT(t, pattern) or CAST(x AS STRING)"),
];

/// Whether it is `DESCRIPTOR(column)`, or a function of a table, which has one.
fn is_table_function(args: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = args else { return false };
    list.args.iter().any(|arg| match arg {
        FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => true,
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) => is_descriptor(function),
        FunctionArg::Unnamed(_) => false,
    })
}

fn is_descriptor(function: &Function) -> bool {
    function.name.to_string().eq_ignore_ascii_case("DESCRIPTOR")
}

/// Functions and aggregates of the tables.
fn listed() -> impl Iterator<Item = &'static str> {
    let of_groups = aggregates::table().flat_map(|aggregate| aggregate.names.iter().copied());
    table().flat_map(|function| function.names.iter().copied()).chain(of_groups)
}

/// Whether it is a function of the language, by its name in either case.
fn is_callable(upper: &str, lower: &str) -> bool {
    let is_over = top_n::functions::named(lower).is_some() || over::functions::named(lower).is_some();
    let is_special =
        is_over || grouping_sets::NAMES.contains(&lower) || lower == proctime::NAME || lower == "mod";
    is_special || AGGREGATES.contains(&lower) || listed().any(|known| known == upper)
}

/// Names that the planner calls what stands in plans, which are no functions of the language.
const OF_PLANS: &[&str] = &["GET_FIELD", "MAKE_ARRAY", "DESCRIPTOR", "TABLE", "LATERAL", "UNNEST"];

/// Whether a name is that of a function of Flink's, built or not: none of a program can have it.
pub(crate) fn is_builtin(name: &str) -> bool {
    let (upper, lower) = (name.to_uppercase(), name.to_lowercase());
    let is_flinks = CURES.iter().any(|(names, _)| names.contains(&upper.as_str()));
    is_callable(&upper, &lower) || is_flinks || OF_PLANS.contains(&upper.as_str())
}

/// Checks that there is the function.
pub(super) fn check(expr: &Expr, names: &Names) -> Result<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let Function { name, args, .. } = function;
    if is_table_function(args) || is_descriptor(function) {
        return Ok(());
    }
    let written = name.to_string();
    let upper = written.to_uppercase();
    let lower = upper.to_lowercase();
    // Names with a blank stand for syntax that sqlparser has not: no text can call a function so.
    let is_syntax = written.contains(' ') && !written.contains('`') || written == super::special::MAP_LITERAL;
    if is_syntax || is_callable(&upper, &lower) || names.users().has(&lower) {
        return Ok(());
    }
    let mut cures = CURES.iter().chain(CURES_OF_OTHERS);
    let cure = cures.find(|(names, _)| names.contains(&upper.as_str())).map(|(_, cure)| (*cure).to_owned());
    let mut known: Vec<&str> = listed().chain(AGGREGATES.iter().copied()).collect();
    known.extend(names.users().names());
    let help = cure.or_else(|| {
        let near = nearest(&upper, known)?;
        Some(format!("did you mean {}?", near.to_uppercase()))
    });
    Err(error_at(
        format!("there is no function {upper}"),
        name,
        help.unwrap_or_else(|| "the functions that there are stand in docs/sql/functions.md".to_owned()),
    ))
}
