//! Features of Flink's queries that there are not yet, each by its own name.
//!
//! When a query can't be read, or has what can't be run, it is looked whether it has one of them: what is wrong is then that,
//! and not the word at which the parser gave up. A row goes when its feature comes. Each is shown in a query of its own, by
//! which it is tested.

use crate::error::{SqlError, code};
use crate::script::{Positions, Tokens};
use datafusion::sql::sqlparser::tokenizer::Token;

/// A feature that there is not.
struct Feature {
    /// Words and symbols that stand next to each other where it is used: words in any case, `A|B` for either, `_` for
    /// any one.
    words: &'static str,
    /// What it is.
    name: &'static str,
    /// What to do instead.
    help: &'static str,
    /// A query that has it, over the tables of the test.
    #[cfg_attr(not(test), allow(dead_code, reason = "it is what the row is tested by"))]
    example: &'static str,
}

impl Feature {
    fn verb(&self) -> &'static str {
        let name = self.name.split(" (").next().unwrap_or_default();
        let is_plural = name.contains(" and ")
            || name.ends_with("windows")
            || name.starts_with("bounds of")
            || name.starts_with("arguments by")
            || name.starts_with("functions of");
        if is_plural { "are" } else { "is" }
    }
}

const fn feature(
    words: &'static str,
    name: &'static str,
    help: &'static str,
    example: &'static str,
) -> Feature {
    Feature { words, name, help, example }
}

/// The first that is found is named: what is special stands in front of what is general.
const FEATURES: &[Feature] = &[
    feature(
        "LATERAL SNAPSHOT (",
        "LATERAL SNAPSHOT",
        "join with FOR SYSTEM_TIME AS OF the time of the left row",
        "SELECT t.k FROM t, LATERAL SNAPSHOT(input => TABLE u) AS s",
    ),
    feature(
        "LATERAL (",
        "LATERAL",
        "compute the columns in a view with functions of a row, or JOIN a table",
        "SELECT t.k FROM t, LATERAL (SELECT u.id FROM u WHERE u.id = t.k) AS s(x)",
    ),
    feature(
        "WITHIN GROUP (",
        "WITHIN GROUP",
        "aggregate without an order, with MIN, MAX, FIRST_VALUE or LAST_VALUE",
        "SELECT LISTAGG(k) WITHIN GROUP (ORDER BY v) FROM t",
    ),
    feature(
        "AS ROW (",
        "CAST to a ROW in parentheses",
        "write ROW<a STRING, b INT>",
        "SELECT CAST((k, v) AS ROW(a STRING, b INT)) FROM t",
    ),
    feature(
        "AS MULTISET <",
        "CAST to a MULTISET",
        "use a MAP<.., INT>, declared in the CREATE TABLE",
        "SELECT CAST(k AS MULTISET<STRING>) FROM t",
    ),
    feature(
        "AS VARIANT|RAW )|(",
        "CAST to VARIANT or RAW",
        "keep the value as STRING or BYTES",
        "SELECT CAST(k AS VARIANT) FROM t",
    ),
    feature(
        "AS INTERVAL",
        "CAST to an INTERVAL",
        "keep a span of time as a BIGINT of milliseconds",
        "SELECT CAST('5' AS INTERVAL SECOND) FROM t",
    ),
    feature(
        "LEFT SEMI JOIN",
        "LEFT SEMI JOIN",
        "write WHERE .. IN (SELECT ..) or EXISTS",
        "SELECT t.k FROM t LEFT SEMI JOIN u ON t.k = u.id",
    ),
    feature(
        "LEFT ANTI JOIN",
        "LEFT ANTI JOIN",
        "write WHERE NOT EXISTS (SELECT ..)",
        "SELECT t.k FROM t LEFT ANTI JOIN u ON t.k = u.id",
    ),
    feature(
        "WITH RECURSIVE",
        "WITH RECURSIVE",
        "write the steps as views",
        "WITH RECURSIVE r AS (SELECT k FROM t UNION ALL SELECT k FROM r) SELECT k FROM r",
    ),
    feature(
        "FETCH FIRST|NEXT _ PERCENT",
        "FETCH FIRST of a hundred",
        "say how many rows: FETCH FIRST 3 ROWS ONLY",
        "SELECT k FROM t ORDER BY v FETCH FIRST 3 PERCENT ROWS ONLY",
    ),
    feature(
        "TABLESAMPLE",
        "TABLESAMPLE",
        "filter with WHERE, as in WHERE MOD(id, 10) = 0",
        "SELECT k FROM t TABLESAMPLE BERNOULLI (10)",
    ),
    feature(
        "PIVOT|UNPIVOT (",
        "PIVOT",
        "write an aggregate for each column: SUM(v) FILTER (WHERE k = 'a')",
        "SELECT * FROM t PIVOT (SUM(v) FOR k IN ('a'))",
    ),
    feature(
        "OVERLAPS",
        "OVERLAPS",
        "compare the bounds: a.start < b.end AND b.start < a.end",
        "SELECT k FROM t WHERE (ts, ts) OVERLAPS (ts, ts)",
    ),
    feature(
        "ML_PREDICT|ML_EVALUATE|VECTOR_SEARCH (",
        "models and vectors",
        "leave it out",
        "SELECT * FROM ML_PREDICT(TABLE t, m, DESCRIPTOR(v))",
    ),
    feature(
        "TO_CHANGELOG|FROM_CHANGELOG (",
        "TO_CHANGELOG and FROM_CHANGELOG",
        "write to a table of 'upsert-kafka', and read it as one of 'kafka'",
        "SELECT * FROM TO_CHANGELOG(input => TABLE t)",
    ),
    feature(
        "=>",
        "arguments by name (name => value)",
        "write them in their order, without names",
        "SELECT UPPER(string => k) FROM t",
    ),
];

/// The feature that a query has and that there is not, at its place.
pub(super) fn missing_feature(tokens: &Tokens, positions: &Positions) -> Option<SqlError> {
    FEATURES.iter().find_map(|feature| {
        let words: Vec<&str> = feature.words.split(' ').collect();
        let at = (0..tokens.tokens.len()).find(|at| is_at(&words, tokens, *at))?;
        let span = |at: usize| positions.span(tokens.tokens.get(at)?.span);
        let last = at + words.len() - 1;
        let message = format!("{} {} not supported yet", feature.name, feature.verb());
        let error = SqlError::new(code::UNSUPPORTED, span(at)?.to(span(last)?), message);
        Some(error.label("here").help(feature.help))
    })
}

fn is_at(words: &[&str], tokens: &Tokens, at: usize) -> bool {
    words.iter().enumerate().all(|(ahead, word)| {
        tokens.tokens.get(at + ahead).is_some_and(|token| {
            *word == "_" || *word == "|" || word.split('|').any(|word| is_word(word, &token.token))
        })
    })
}

fn is_word(word: &str, token: &Token) -> bool {
    match token {
        Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
        Token::SingleQuotedString(_) => false,
        symbol => symbol.to_string() == word,
    }
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, Feature};
    use crate::error::code;
    use std::collections::BTreeSet;

    const TABLES: &str = "
CREATE TABLE t (k STRING, v INT, items ARRAY<INT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');
CREATE TABLE u (id STRING, x INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json');
";

    #[test]
    fn each_feature_that_there_is_not_is_refused_by_its_name_and_at_its_place() {
        let mut names = BTreeSet::new();
        let wrong: Vec<String> = FEATURES.iter().filter_map(|feature| wrong_with(feature).err()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(FEATURES.iter().all(|feature| names.insert(feature.name)), "two features have one name");
    }

    /// How a feature is refused, where it is not as it should be.
    fn wrong_with(feature: &Feature) -> Result<(), String> {
        let refused = |text: &str| match crate::plan("f.sql", text) {
            Ok(_) => Err(format!("{} runs", feature.example)),
            Err(errors) => Ok(errors),
        };
        let text = format!("{TABLES}EXPLAIN {};", feature.example);
        let errors = refused(&text)?;
        let error = &errors.errors[0];
        let marked = text[error.span.start..error.span.end].to_uppercase();
        let first = feature.words.split(' ').next().unwrap_or_default();
        let right = errors.errors.len() == 1
            && error.code == code::UNSUPPORTED
            && error.message.starts_with(feature.name)
            && first.split('|').any(|word| marked.starts_with(word))
            && error.help.as_deref() == Some(feature.help);
        // It is refused in a view where the view is, not where the view is read.
        let errors_of_view =
            refused(&format!("{TABLES}CREATE VIEW w AS {};\nEXPLAIN SELECT * FROM w;", feature.example))?;
        let in_view = errors_of_view.line_column(errors_of_view.errors[0].span).0 == 6;
        if right && in_view { Ok(()) } else { Err(format!("{}: {errors}{errors_of_view}", feature.name)) }
    }
}
