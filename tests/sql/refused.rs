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
