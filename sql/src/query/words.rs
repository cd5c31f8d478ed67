//! What the planner's library finds wrong, in words of our own.
//!
//! A user of this project has not heard of DataFusion, of schemas and of `Utf8`. Each of its errors that queries have led to
//! stands in a table with what we say instead. One that stands in none is shown as it is if it is plain, and not at all if
//! it speaks of what is inside.

use super::provider::Names;
use crate::error::{Span, SqlError, code, nearest};
use crate::script::{Positions, Tokens};
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Span as LineSpan, Token};
use std::fmt;

/// What this project itself says through the library.
#[derive(Debug)]
pub(crate) struct Said {
    /// What is wrong, and what to do.
    pub(crate) words: Words,
    /// Where, if it is known.
    at: Option<LineSpan>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Words {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Words { message: message.into(), help: Some(help.into()) }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.message)
    }
}

impl std::error::Error for Said {}

/// An error of our own for the library to pass on.
pub(crate) fn said(message: impl Into<String>, help: impl Into<String>, at: LineSpan) -> DataFusionError {
    let at = (at.start.line > 0).then_some(at);
    DataFusionError::External(Box::new(Said { words: Words::new(message, help), at }))
}

/// An error of the library at its place: the one it names, or that of what it quotes.
pub(crate) fn from_datafusion(
    error: &DataFusionError,
    names: &Names,
    tokens: &Tokens,
    positions: &Positions,
) -> SqlError {
    let words = words(error, Some(names));
    let diagnostic = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let own = said_in(error).and_then(|said| said.at).and_then(|at| positions.span(at));
    let location = |at: datafusion::common::Location| Location { line: at.line, column: at.column };
    let named = own.or_else(|| {
        diagnostic.map(|span| Span {
            start: positions.byte(location(span.start)),
            end: positions.byte(location(span.end)),
        })
    });
    let span = named
        .or_else(|| column_of(error).and_then(|column| column_in(column, tokens, positions)))
        .or_else(|| quoted_in(&words.message, tokens, positions))
        .unwrap_or(tokens.span);
    let found = SqlError::new(code::QUERY, span, words.message).label("here");
    match words.help {
        Some(help) => found.help(help),
        None => found,
    }
}

/// An error of the library in our words.
pub(crate) fn words(error: &DataFusionError, names: Option<&Names>) -> Words {
    if let Some(said) = said_in(error) {
        return said.words.clone();
    }
    let root = root(error);
    if let DataFusionError::SchemaError(error, _) = root {
        return of_columns(error);
    }
    let diagnostic = error.diagnostic().map(|diagnostic| diagnostic.message.clone());
    let text = plain(&root.strip_backtrace());
    let known = diagnostic.iter().chain([&text]).find_map(|text| of_table(text, names));
    known.unwrap_or_else(|| unknown(&diagnostic.unwrap_or(text)))
}

/// Whether an error says less than what the query has that there is not.
pub(crate) fn is_vague(error: &DataFusionError) -> bool {
    let is_unsupported = |text: &str| text.contains("not supported") || text.contains("no table function");
    match root(error) {
        DataFusionError::SchemaError(..) => false,
        DataFusionError::External(_) => said_in(error).is_none_or(|said| is_unsupported(&said.words.message)),
        DataFusionError::Plan(text) => is_unsupported(text) || of_table(text, None).is_none(),
        _ => true,
    }
}

/// The error at the bottom of others, of several the first.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        other => other,
    }
}

fn said_in(error: &DataFusionError) -> Option<&Said> {
    match root(error) {
        DataFusionError::External(inner) => inner.downcast_ref::<Said>(),
        _ => None,
    }
}

/// Errors about the columns of a relation.
fn of_columns(error: &SchemaError) -> Words {
    let listed = |names: Vec<String>| {
        let more = if names.len() > 20 { ", .." } else { "" };
        format!("there are {}{more}", names[..names.len().min(20)].join(", "))
    };
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut fields: Vec<String> = valid_fields.iter().map(|field| field.name.clone()).collect();
            fields.sort();
            fields.dedup();
            let relation = field.relation.as_ref().map(|relation| relation.to_string().replace('"', ""));
            let of_relation: Vec<String> = valid_fields
                .iter()
                .filter(|other| other.relation == field.relation)
                .map(|field| field.name.clone())
                .collect();
            let message = match &relation {
                Some(relation) if of_relation.is_empty() => {
                    format!("there is no table {relation} in FROM, and no column {relation}")
                }
                Some(relation) => format!("{relation} has no column {}", field.name),
                None => format!("there is no column {}", field.name),
            };
            let of_relation = if of_relation.is_empty() { fields } else { of_relation };
            let help = match nearest(&field.name, of_relation.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None if of_relation.is_empty() => "there is no column to read here".to_owned(),
                None => listed(of_relation),
            };
            Words::new(message, help)
        }
        SchemaError::AmbiguousReference { field } => Words::new(
            format!("{} is a column of several tables", field.name),
            format!("name the table: t.{}", field.name),
        ),
        SchemaError::DuplicateQualifiedField { qualifier, name } => Words::new(
            format!("there are two columns {}.{name}", qualifier.table()),
            "give one of the tables another name with AS",
        ),
        SchemaError::DuplicateUnqualifiedField { name } => Words::new(
            format!("there are two columns {name}"),
            format!("give one of them another name with AS, as in {name} AS other_{name}"),
        ),
    }
}

/// The column that an error is about.
fn column_of(error: &DataFusionError) -> Option<&Column> {
    match root(error) {
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, .. } | SchemaError::AmbiguousReference { field } => {
                Some(field)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What the library says, with `{0}` and `{1}` for what differs; what we say, and what to do. The first that fits is taken.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "a temporal join is on equalities",
        "a temporal join is on equalities between the two sides",
        "move other conditions to a WHERE behind the join",
    ),
    ("Function 'avg' failed to match any signature", "AVG takes numbers", "CAST the argument to a number"),
    ("Function 'sum' failed to match any signature", "SUM takes numbers", "CAST the argument to a number"),
    ("table '{0}' not found", "there is no table or view {0}", ""),
    ("column '{0}' not found in '{1}'", "{1} has no column {0}", ""),
    ("column '{0}' not found", "there is no column {0}", ""),
    ("column '{0}' is ambiguous", "{0} is a column of several tables", "name the table: t.{0}"),
    (
        "'{0}' must appear in GROUP BY",
        "{0} is neither in GROUP BY nor inside of an aggregate",
        "add it to GROUP BY, or aggregate it: MAX({0})",
    ),
    (
        "Column in SELECT must be in GROUP BY",
        "a column of SELECT is neither in GROUP BY nor inside of an aggregate",
        "add it to GROUP BY, or aggregate it, as in MAX(column)",
    ),
    (
        "Column in HAVING must be in GROUP BY",
        "a column of HAVING is neither in GROUP BY nor inside of an aggregate",
        "add it to GROUP BY, or aggregate it, as in MAX(column)",
    ),
    (
        "Aggregate function calls cannot be nested: '{0}' is nested inside '{1}'",
        "{0} is an aggregate inside of the aggregate {1}",
        "compute the inner one in a view, and aggregate that",
    ),
    ("is nested inside", "an aggregate stands inside of another", "compute the inner one in a view"),
    (
        "Aggregate functions are not allowed",
        "an aggregate can't stand here",
        "compute it in a view, and filter or join that",
    ),
    (
        "Projections require unique expression names but the expression \"{0}\" at",
        "two columns are called {0}",
        "give one of them another name with AS",
    ),
    (
        "queries have different number of columns",
        "the queries of a UNION have different numbers of columns",
        "select as many columns in each",
    ),
    (
        "Failed to coerce arguments to satisfy a call to '{0}' function: coercion from {1} to the signature",
        "{0} can't take {1}",
        "CAST the arguments to types that it takes",
    ),
    ("user-defined coercion failed with: Error during planning: {0}. No function matches", "{0}", ""),
    (
        "user-defined coercion failed with",
        "the arguments of a function are of types that don't fit",
        "CAST them",
    ),
    ("Function '{0}' requires {1}, but received {2} (DataType", "{0} takes {1}, not {2}", "CAST it"),
    ("Function '{0}' expects {1} but received {2}. No function matches", "{0} takes {1}, not {2}", "CAST it"),
    (
        "For function '{0}' {1} is not comparable",
        "{0} can't compare {1}",
        "CAST one to the type of the other",
    ),
    (
        "Cannot create filter with non-boolean predicate '{0}' returning {1}",
        "WHERE takes a condition, not {1}",
        "compare it with something",
    ),
    (
        "Join condition must be boolean type, but got {0}",
        "ON takes a condition, not {0}",
        "compare it with something",
    ),
    ("NOT cannot be used with {0}", "NOT takes a condition, not {0}", "compare it with something"),
    ("- cannot be used with {0}", "- takes a number, not {0}", "CAST it"),
    (
        "Failed to coerce types {0} in BETWEEN",
        "{0} can't be compared",
        "CAST one of them to the type of the other",
    ),
    ("in CASE WHEN", "the values of a CASE are of types that don't fit each other", "CAST them to one type"),
    ("Unsupported compound identifier '{0}'", "{0} is no name of a table or column", "write the name alone"),
    (
        "Substring without for/from",
        "SUBSTRING takes a text and a place",
        "write SUBSTRING(text FROM 2 FOR 3)",
    ),
    ("Dot access not supported", "a field can only be taken of a column", "name the column in a view"),
    ("join condition should not be empty", "a join needs a condition", "write ON and the condition"),
    ("The function '{0}' expected", "{0} takes other arguments", "give it as many as it takes"),
    (
        "failed to match any signature",
        "a function takes other arguments",
        "give it as many as it takes; CAST those of other types",
    ),
    ("Decimal scale", "a number has more digits than DECIMAL can have", "write it with fewer, or as text"),
    (
        "Cannot get result type for temporal operation {0}: ",
        "this can't be computed: {0}",
        "CAST the operands to types that fit",
    ),
    (
        "FLOOR with datetime",
        "FLOOR(time TO unit) is not supported yet",
        "compute it with EXTRACT, or use TUMBLE",
    ),
    (
        "CEIL with datetime",
        "CEIL(time TO unit) is not supported yet",
        "compute it with EXTRACT, or use TUMBLE",
    ),
    ("with scale is not supported", "CEIL and FLOOR take one number", "use ROUND(number, digits)"),
    (
        "expressions have incompatible types",
        "the values are of types that don't fit each other",
        "CAST one of them",
    ),
    ("Unavailable default cast", "a value is of a type that can't stand here", "CAST it"),
    (
        "Function '{0}' failed to match any signature",
        "{0} can't take these arguments",
        "give it as many as it takes; CAST those of other types",
    ),
    ("The function '{0}' expected {1} arguments but received", "{0} takes {1} arguments", "give it as many"),
    (
        "'{0}' does not support zero arguments",
        "{0} takes arguments",
        "write what it is computed of between the parentheses",
    ),
    ("Avg does not support inputs of type {0}.", "AVG takes numbers, not {0}", "CAST it to a number"),
    ("Sum not supported for {0}", "SUM takes numbers, not {0}", "CAST it to a number"),
    (
        "Cannot infer common argument type for comparison operation {0}",
        "these can't be compared: {0}",
        "CAST one of the two to the type of the other",
    ),
    (
        "Cannot coerce arithmetic expression {0} to valid types",
        "this can't be computed: {0}",
        "CAST the operands to types that fit",
    ),
    (
        "Cannot get result type for arithmetic operation {0}",
        "this can't be computed: {0}",
        "CAST the operands to types that fit",
    ),
    (
        "There isn't a common type to coerce {0} and {1} in",
        "{0} and {1} can't be compared",
        "CAST one of the two to the type of the other",
    ),
    (
        "Cannot infer common argument type",
        "these values are of types that don't fit each other",
        "CAST one of them to the type of the other",
    ),
    ("Cannot automatically convert {0} to {1}", "{0} is not {1}", "CAST it"),
    ("Unsupported CAST from {0} to {1}", "{0} can't be CAST to {1}", "CAST it to another type"),
    ("Unsupported SQL type {0}", "there is no data type {0} to CAST to", "CAST it to another type"),
    ("Cannot specify only scale for decimal", "DECIMAL needs its precision", "write DECIMAL(10, 2)"),
    ("Decimal(precision = {0}", "DECIMAL has 1 to 38 digits", "write DECIMAL(10, 2)"),
    ("SELECT * with no tables", "SELECT * needs a table", "name one in FROM"),
    ("Recursive CTEs", "WITH RECURSIVE is not supported", "write the steps as views"),
    (
        "WITH query name \"{0}\" specified more than once",
        "WITH names two queries {0}",
        "give one of them another name",
    ),
    (
        "subquery must return exactly one column",
        "a query inside of an expression has to select one column",
        "select one",
    ),
    (
        "subquery should only return one column",
        "a query inside of an expression has to select one column",
        "select one",
    ),
    (
        "Source table contains {0} columns but only {1} names given as column alias",
        "it has {0} columns, but {1} names are given",
        "name each of them, or none",
    ),
    ("compound identifier: {0}", "this names no column", "write column, table.column or row_column.field"),
    (
        "could not parse compound identifier",
        "this names no column",
        "write column, table.column or row_column.field",
    ),
    (
        "Dot access not supported for non-column",
        "a field can only be taken of a column",
        "name the column in a view",
    ),
    ("Field {0} not found in struct", "the row has no field {0}", ""),
    (
        "The expression to get an indexed field is only valid for",
        "only an ARRAY, a MAP or a ROW has parts",
        "",
    ),
    ("Divide by zero", "a division by zero", "divide by something else"),
    ("Arithmetic overflow", "a constant is too large for its type", "CAST it to a larger type"),
    ("Overflow happened on", "a constant is too large for its type", "CAST it to a larger type"),
    ("Cannot cast string '{0}' to value of {1} type", "'{0}' is no {1}", ""),
    ("Cannot cast value '{0}' to value of {1} type", "'{0}' is no {1}", ""),
    ("Error parsing timestamp from '{0}'", "'{0}' is no time", "write it as '2025-03-01 08:05:06.789'"),
    ("Invalid timezone", "there is no such time zone", ""),
    ("LIMIT must be", "LIMIT takes a number that is not negative", ""),
    ("Unsupported qualified wildcard", "a wildcard stands where it can't", "name the columns"),
    ("Invalid qualifier {0}", "there is no table {0} in FROM", "name one of FROM in front of .*"),
    ("wildcard * with", "* can't leave out or rename columns", "name the columns"),
    ("EXCLUDE or EXCEPT contains", "* can't leave out or rename columns", "name the columns"),
    ("Table Functions are not supported", "there is no such table function", "there are TUMBLE and HOP"),
    ("UNNEST", "UNNEST is not supported yet", "flatten the arrays before they are written"),
    ("unnest", "UNNEST is not supported yet", "flatten the arrays before they are written"),
    (
        "Tuples are not supported",
        "several values in parentheses can't stand here",
        "compare them one by one with AND",
    ),
    (
        "Only identifiers and literals are supported in tuples",
        "several values in parentheses can't stand here",
        "compare them one by one with AND",
    ),
    ("Unsupported function argument", "an argument is nothing that the function takes", "give an expression"),
    ("Qualified functions are not supported", "a function's name has one part", "write the name alone"),
    ("There is no window function named {0}", "there is no function {0}", ""),
    ("Unsupported ast node", "this is not supported", "write it with SELECT, WHERE, GROUP BY and JOIN"),
    ("Unsupported binary operator", "there is no such operator", "write it with another"),
    ("Unsupported SQL binary operator", "there is no such operator", "write it with another"),
    ("Unsupported interval operator", "an interval can't be computed so", "write INTERVAL '5' SECOND"),
    ("INTERVAL expression cannot be", "an interval is a text and a unit", "write INTERVAL '5' SECOND"),
    ("Unsupported Interval Expression", "an interval is a text and a unit", "write INTERVAL '5' SECOND"),
    ("Invalid input syntax for type interval", "this is no interval", "write INTERVAL '5' SECOND"),
    (
        "Physical plan does not support logical expression",
        "this can't be computed for a row",
        "compute it in a view",
    ),
    ("GROUP BY position {0} is not in", "GROUP BY {0}: there is no such column", "name the column"),
    ("GROUP BY ALL", "GROUP BY ALL is not supported", "name the columns"),
    ("Placeholder", "a parameter has no value", "write the value"),
    ("placeholder", "a parameter has no value", "write the value"),
    ("Cannot parse", "a number is none", "write it with digits"),
    ("Cannot MERGE", "MERGE is not supported", "write INSERT INTO"),
];

/// An error that stands in the table.
fn of_table(text: &str, names: Option<&Names>) -> Option<Words> {
    if let Some([name, ..]) = captures("Invalid function '{0}'", text) {
        return Some(no_such_function(&name, names));
    }
    let in_types = |text: &str| in_flinks_types(text);
    TABLE.iter().find_map(|(theirs, message, help)| {
        let [first, second, third] = captures(theirs, text)?;
        let filled = |ours: &str| {
            in_types(&ours.replace("{0}", &first).replace("{1}", &second).replace("{2}", &third))
        };
        let mut words = Words { message: filled(message), help: (!help.is_empty()).then(|| filled(help)) };
        if *theirs == "table '{0}' not found" {
            words.help = names.map(|names| names.instead_of(&first));
        }
        words.help.get_or_insert_with(|| "change it, or leave it out".to_owned());
        Some(words)
    })
}

/// Functions that are called with `OVER` only.
const OF_WINDOWS: &[&str] = &["lag", "lead", "ntile", "nth_value", "percent_rank", "cume_dist"];

fn no_such_function(name: &str, names: Option<&Names>) -> Words {
    let is_aggregate = names.is_some_and(|names| names.is_aggregate(name));
    if is_aggregate || OF_WINDOWS.contains(&name.to_lowercase().as_str()) {
        return Words::new(
            format!("{} with OVER is not supported yet", name.to_uppercase()),
            "aggregate with GROUP BY, over TUMBLE or HOP, or into an upsert table",
        );
    }
    let message = format!("there is no function {}", name.to_uppercase());
    let known = names.map(Names::functions).unwrap_or_default();
    match nearest(&name.to_lowercase(), known.iter().map(String::as_str)) {
        Some(near) => Words::new(message, format!("did you mean {}?", near.to_uppercase())),
        None => Words::new(message, "compute it with the functions there are"),
    }
}

/// What stands in a text where a pattern has `{0}` and `{1}`, if the pattern is in the text. What a pattern ends with a
/// capture takes up to the end of the line.
fn captures(pattern: &str, text: &str) -> Option<[String; 3]> {
    let mut found = [const { String::new() }; 3];
    let parts: Vec<&str> = pattern.split(['{', '}']).collect();
    let first = parts.first()?;
    let mut rest = &text[text.find(first)? + first.len()..];
    for pair in parts[1..].chunks(2) {
        let [number, behind] = pair else { return None };
        let end = match behind.is_empty() {
            true => rest.find('\n').unwrap_or(rest.len()),
            false => rest.find(behind)?,
        };
        let slot: usize = number.parse().ok()?;
        let captured = rest[..end].trim();
        // What goes on so far is another sentence.
        if captured.len() > 200 || captured.contains("Error during") || captured.contains("No function") {
            return None;
        }
        *found.get_mut(slot)? = captured.to_owned();
        rest = &rest[end + behind.len()..];
    }
    Some(found)
}

/// Words that only those know who know what is inside.
const INSIDE: &[&str] = &[
    "DataFusion",
    "datafusion",
    "Internal",
    "internal",
    "likely a bug",
    "schema",
    "Schema",
    "logical",
    "Logical",
    "physical",
    "Physical",
    "udf",
    "UDF",
    "coerc",
    "signature",
    "Signature",
    "candidate",
    "Candidate",
    "NativeType",
    "Some(",
    "::",
    "Expr",
    "expr_",
    "LogicalPlan",
    "TableScan",
    "not implemented",
    "sqlparser",
    "sql parser",
    "ScalarValue",
    "Arrow",
    "arrow",
    "qualifier",
    "quote_style",
    "span:",
    "Optimizer",
    "optimizer",
    "panicked",
    "RecordBatch",
    "Invalid argument error",
    "Compute error",
    "External error",
    "}",
    "{",
    "Utf8",
    "UInt",
    "Float16",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Decimal128",
    "Decimal256",
    "Interval(",
    "Timestamp(",
    "Struct(",
    "List(",
    "Dictionary(",
    "Binary",
    "LargeBinary",
    "Date32",
    "Time64",
];

/// Whether a text says only what somebody can know who writes SQL.
fn is_plain(text: &str) -> bool {
    !text.contains('\n') && text.len() < 400 && !INSIDE.iter().any(|word| text.contains(word))
}

/// An error that stands in no table.
fn unknown(text: &str) -> Words {
    let text = in_flinks_types(text);
    match is_plain(&text) {
        // It is probably said by ourselves.
        true => Words { message: text, help: None },
        false => Words::new(
            "this can't be planned",
            "find the part that it is for by leaving out one after the other; if Flink runs it, please report it",
        ),
    }
}

/// Without the words that the library puts in front of its messages.
fn plain(message: &str) -> String {
    let prefixes = [
        "Error during planning: ",
        "This feature is not implemented: ",
        "Execution error: ",
        "Arrow error: ",
        "Optimizer rule 'simplify_expressions' failed\ncaused by\n",
        "Invalid argument error: ",
        "Cast error: ",
        "Parser error: ",
        "SQL error: ",
        "type_coercion\ncaused by\n",
    ];
    let mut rest = message;
    while let Some(prefix) = prefixes.iter().find(|prefix| rest.starts_with(**prefix)) {
        rest = &rest[prefix.len()..];
    }
    rest.to_owned()
}

/// Names of types as the library writes them, and as Flink does. Longer ones first.
const TYPES: &[(&str, &str)] = &[
    ("LargeUtf8", "STRING"),
    ("Utf8View", "STRING"),
    ("Utf8", "STRING"),
    ("Boolean", "BOOLEAN"),
    ("Float32", "FLOAT"),
    ("Float64", "DOUBLE"),
    ("Int8", "TINYINT"),
    ("Int16", "SMALLINT"),
    ("Int32", "INT"),
    ("Int64", "BIGINT"),
    ("Decimal128", "DECIMAL"),
    ("Decimal256", "DECIMAL"),
    ("Date32", "DATE"),
    ("LargeBinary", "BYTES"),
    ("BinaryView", "BYTES"),
    ("Binary", "BYTES"),
    ("Null", "NULL"),
    ("Time32", "TIME"),
    ("Time64", "TIME"),
    ("Interval", "INTERVAL"),
    ("Duration", "INTERVAL"),
];

/// A text in which types are called as Flink calls them: `Timestamp(ms, "+00:00")` is a `TIMESTAMP_LTZ(3)`.
pub(crate) fn in_flinks_types(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_alphabetic()) {
        out.push_str(&rest[..start]);
        let word = &rest[start..];
        let length =
            word.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(word.len());
        let (word, behind) = word.split_at(length);
        let arguments = behind.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = behind;
        if let Some((inside, after)) = nested(word, behind) {
            out.push_str(&inside);
            rest = after;
            continue;
        }
        match (TYPES.iter().find(|(theirs, _)| *theirs == word), arguments) {
            (None, Some((inner, behind))) if word == "Timestamp" => {
                out.push_str(&timestamp(inner));
                rest = behind;
            }
            (Some((_, ours @ ("TIME" | "INTERVAL"))), Some((_, behind))) => {
                out.push_str(ours);
                rest = behind;
            }
            (Some((_, ours)), _) => out.push_str(ours),
            (None, _) => out.push_str(word),
        }
    }
    out + rest
}

/// A type that others are in, and what stands behind it.
fn nested<'t>(word: &str, behind: &'t str) -> Option<(String, &'t str)> {
    let ours = ["List", "LargeList", "FixedSizeList", "Struct", "Map"].contains(&word);
    let inner = behind.strip_prefix('(').filter(|_| ours)?;
    let mut open = 1;
    let end = inner.char_indices().find(|(_, char)| {
        open += i32::from(*char == '(') - i32::from(*char == ')');
        open == 0
    });
    let end = end.map_or(inner.len(), |(at, _)| at);
    let after = inner.get(end + 1..).unwrap_or_default();
    let name = match word {
        "Struct" => "a ROW".to_owned(),
        "Map" => "a MAP".to_owned(),
        _ => format!("ARRAY<{}>", in_flinks_types(&inner[..end])),
    };
    Some((name, after))
}

fn timestamp(inner: &str) -> String {
    let unit = inner.split(',').next().unwrap_or_default().trim();
    let digits = match unit {
        "s" | "Second" => 0,
        "ms" | "Millisecond" => 3,
        "ns" | "Nanosecond" => 9,
        _ => 6,
    };
    let zone = if inner.contains('"') { "_LTZ" } else { "" };
    format!("TIMESTAMP{zone}({digits})")
}

/// The place of a column that is named in the query.
fn column_in(column: &Column, tokens: &Tokens, positions: &Positions) -> Option<Span> {
    let is = |at: usize, name: &str| {
        matches!(tokens.tokens.get(at).map(|token| &token.token),
        Some(Token::Word(word)) if word.value == name)
    };
    let at = (0..tokens.tokens.len()).find(|at| match &column.relation {
        Some(relation) => {
            is(*at, relation.table())
                && tokens.tokens.get(at + 1).is_some_and(|token| token.token == Token::Period)
                && is(at + 2, &column.name)
        }
        None => is(*at, &column.name),
    })?;
    let last = at + if column.relation.is_some() { 2 } else { 0 };
    Some(positions.span(tokens.tokens.get(at)?.span)?.to(positions.span(tokens.tokens.get(last)?.span)?))
}

/// The place of the first word of the query that the message quotes: a name, or the word that the message begins with.
pub(super) fn quoted_in(message: &str, tokens: &Tokens, positions: &Positions) -> Option<Span> {
    let words = || message.split(|c: char| !c.is_alphanumeric() && c != '_');
    let quoted: std::collections::BTreeSet<&str> = words().collect();
    let is_quoted = |token: &Token| match token {
        Token::Word(word) if word.keyword == Keyword::NoKeyword => {
            quoted.contains(word.value.as_str()) || quoted.contains(word.value.to_uppercase().as_str())
        }
        _ => false,
    };
    let first = words().next().filter(|first| first.len() > 1 && first.to_uppercase() == **first);
    let is_first = |token: &Token| match (token, first) {
        (Token::Word(word), Some(first)) => word.value.eq_ignore_ascii_case(first),
        _ => false,
    };
    let found = tokens.tokens.iter().find(|token| is_quoted(&token.token));
    let found = found.or_else(|| tokens.tokens.iter().find(|token| is_first(&token.token)));
    found.and_then(|token| positions.span(token.span))
}
