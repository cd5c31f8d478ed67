//! What is wrong with a query is said with its place, and for every wrong statement.

use millstream::sql;

#[test]
fn every_wrong_statement_is_reported_where_it_is_wrong() {
    let text = include_str!("refused.sql");
    let errors = sql::plan("refused.sql", text).unwrap_err();
    insta::assert_snapshot!(errors.to_string());
    let right = ["CREATE TABLE s", "CREATE TABLE u", "CREATE TABLE c", "CREATE TABLE d"];
    for (number, line) in text.lines().enumerate() {
        let reported = errors.errors.iter().any(|error| errors.line_column(error.span).0 == number + 1);
        let is_right = right.iter().any(|start| line.starts_with(start));
        assert_eq!(reported, !is_right, "line {}: {line}", number + 1);
    }
}

#[test]
fn every_pattern_that_is_not_supported_is_refused_by_name() {
    let text = include_str!("refused_patterns.sql");
    let errors = sql::plan("refused_patterns.sql", text).unwrap_err();
    let lines: Vec<String> = errors.lines().collect();
    insta::assert_snapshot!(lines.join("\n"));
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("INSERT")) {
        let reported = errors.errors.iter().any(|error| errors.line_column(error.span).0 == number + 1);
        assert!(reported, "line {}: {line}", number + 1);
    }
}
