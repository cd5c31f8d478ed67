//! Names that the shell completes.

use millstream::sql::relations;
use std::collections::BTreeSet;

/// Words that many questions have.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "COUNT(*)",
    "SUM(",
    "AVG(",
    "MIN(",
    "MAX(",
    "LEFT JOIN",
    "JOIN",
    "BETWEEN",
    "DISTINCT",
    "INTERVAL",
    "TUMBLE(TABLE",
    "DESCRIPTOR(",
    ".watch",
    ".timer",
    ".mode",
    ".help",
];

/// The names of tables, views and columns, and words of SQL.
pub(super) struct Names {
    names: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(tables: &str) -> Self {
        let relations = relations(tables).into_iter();
        let names = relations.flat_map(|relation| {
            [relation.name].into_iter().chain(relation.columns.into_iter().map(|(name, _)| name))
        });
        Names { names: names.chain(WORDS.iter().map(|word| (*word).to_owned())).collect() }
    }

    /// Where the word at the end of a line begins, and what it may be.
    pub(super) fn complete_word(&self, line: &str) -> (usize, Vec<String>) {
        let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '.';
        let begins = line
            .rfind(|char| !is_part(char))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let word = &line[begins..];
        // Of `t.na` the name is behind the point.
        let begins = word.rfind('.').filter(|at| *at > 0).map_or(begins, |at| begins + at + 1);
        let word = line[begins..].to_lowercase();
        if word.is_empty() {
            return (begins, Vec::new());
        }
        // What is written as it is called is meant, and otherwise what is called so in other letters.
        let as_written = self.names.iter().filter(|name| name.starts_with(&line[begins..]));
        let found: Vec<String> = as_written.cloned().collect();
        if !found.is_empty() {
            return (begins, found);
        }
        let known = self.names.iter().filter(|name| name.to_lowercase().starts_with(&word));
        (begins, known.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_and_columns_are_completed() {
        let names = Names::of(
            "CREATE TABLE orders (customer STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');",
        );
        assert_eq!(names.complete_word("SELECT cus"), (7, vec!["customer".to_owned()]));
        assert_eq!(names.complete_word("SELECT o.cus"), (9, vec!["customer".to_owned()]));
        assert_eq!(names.complete_word("select * from or").1, ["orders"]);
        assert_eq!(names.complete_word("select * from t group").1, ["GROUP BY"]);
        assert_eq!(names.complete_word("é(sel"), (3, vec!["SELECT".to_owned()]));
        assert!(names.complete_word("").1.is_empty());
    }
}
