//! What the libraries say, and what is said in its place.

use super::{Names, Words, cut, in_flinks_types, no_such_function};

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
pub(super) fn of_table(text: &str, names: Option<&Names>) -> Option<Words> {
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

/// Bytes that are shown of what is captured.
const CAPTURED_MAX: usize = 200;

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
        // Why, in words of another library.
        let captured = captured.split(": Invalid argument error: ").next().unwrap_or(captured);
        // What goes on with these is another sentence.
        if captured.contains("Error during") || captured.contains("No function") {
            return None;
        }
        *found.get_mut(slot)? = cut(&in_flinks_types(captured), CAPTURED_MAX);
        rest = &rest[end + behind.len()..];
    }
    Some(found)
}
