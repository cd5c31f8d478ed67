//! What a statement is: a query over the catalog, a question, or one of those that clients send to set themselves up.

use crate::catalog::CatalogQuery;
use crate::error::Trouble;
use crate::text::{Piece, Token, value};

/// A statement, as it is run.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// There is nothing in it.
    Empty,
    /// `SET name = value`; nothing for DEFAULT and for `RESET name`.
    Set(String, Option<String>),
    /// `RESET ALL`.
    ResetAll,
    /// `SHOW name`, or `SHOW ALL`.
    Show(String),
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// Without an effect, by its tag: savepoints, `LISTEN`, `DISCARD`.
    Nothing(&'static str),
    /// `DEALLOCATE name`, or all.
    Deallocate(Option<String>),
    /// About the catalog, or about no table.
    Catalog(Box<CatalogQuery>),
    /// About tables of the database.
    Question,
    /// Nothing that there is here.
    Refused(Trouble),
}

/// What a statement is; `is_own` says whether a name is that of a table of the database.
pub(crate) fn kind(statement: &[Token], text: &str, is_own: impl Fn(&str) -> bool + Send) -> Kind {
    let words: Vec<&Token> = statement.iter().filter(|token| token.piece != Piece::Space).collect();
    let word =
        |at: usize| words.get(at).map(|token| token.text(text).to_ascii_uppercase()).unwrap_or_default();
    let rest = |from: usize| words.get(from..).unwrap_or_default();
    match word(0).as_str() {
        "" => Kind::Empty,
        "SELECT" | "WITH" | "VALUES" | "(" | "TABLE" => {
            let begin = statement.first().map_or(0, |token| token.start);
            let end = statement.last().map_or(0, |token| token.end);
            let query = CatalogQuery::parse(text.get(begin..end).unwrap_or_default(), is_own);
            query.map_or(Kind::Question, |query| Kind::Catalog(Box::new(query)))
        }
        "SET" => set(rest(1), text),
        "RESET" if word(1) == "ALL" => Kind::ResetAll,
        "RESET" => Kind::Set(name_of(rest(1), text), None),
        "SHOW" => match (word(1).as_str(), word(2).as_str()) {
            ("TRANSACTION", "ISOLATION") => Kind::Show("transaction_isolation".to_owned()),
            ("TIME", "ZONE") => Kind::Show("timezone".to_owned()),
            _ => Kind::Show(name_of(rest(1), text)),
        },
        "BEGIN" | "START" => Kind::Begin,
        "COMMIT" | "END" => Kind::Commit,
        "ROLLBACK" | "ABORT" if word(1) == "TO" || word(2) == "TO" => Kind::Nothing("ROLLBACK"),
        "ROLLBACK" | "ABORT" => Kind::Rollback,
        "SAVEPOINT" => Kind::Nothing("SAVEPOINT"),
        "RELEASE" => Kind::Nothing("RELEASE"),
        "DISCARD" if word(1) == "ALL" => Kind::ResetAll,
        "DISCARD" => Kind::Nothing("DISCARD"),
        "UNLISTEN" => Kind::Nothing("UNLISTEN"),
        "DEALLOCATE" => {
            let name = name_of(rest(if word(1) == "PREPARE" { 2 } else { 1 }), text);
            Kind::Deallocate(Some(name).filter(|name| !name.eq_ignore_ascii_case("all")))
        }
        other => Kind::Refused(refused(other)),
    }
}

fn refused(word: &str) -> Trouble {
    let word: String = word.chars().take(40).collect();
    let trouble = Trouble::unsupported(
        format!("{word} is not supported: tables are only read here"),
        "millstream run FILE and millstream job submit FILE run statements",
    );
    Trouble { state: if is_writing(&word) { "25006" } else { "0A000" }, ..trouble }
}

fn is_writing(word: &str) -> bool {
    matches!(
        word,
        "INSERT"
            | "UPDATE"
            | "DELETE"
            | "MERGE"
            | "CREATE"
            | "DROP"
            | "ALTER"
            | "TRUNCATE"
            | "COPY"
            | "GRANT"
            | "REVOKE"
    )
}

/// A name that may have dots in it.
fn name_of(words: &[&Token], text: &str) -> String {
    words.iter().map(|token| value(token, text)).collect()
}

/// Behind SET.
fn set(words: &[&Token], text: &str) -> Kind {
    let word =
        |at: usize| words.get(at).map(|token| token.text(text).to_ascii_uppercase()).unwrap_or_default();
    match (word(0).as_str(), word(1).as_str()) {
        // Transactions have nothing that could be isolated.
        ("TRANSACTION", _) | ("SESSION", "CHARACTERISTICS") | ("CONSTRAINTS", _) => {
            return Kind::Nothing("SET");
        }
        ("SESSION", "AUTHORIZATION") | ("ROLE", _) => {
            return Kind::Refused(Trouble::unsupported(
                "who is connected stays who it is",
                "connect with another password: it says what may be done",
            ));
        }
        ("TIME", "ZONE") => {
            return Kind::Set("timezone".to_owned(), Some(name_of(words.get(2..).unwrap_or_default(), text)));
        }
        ("NAMES", _) => {
            return Kind::Set(
                "client_encoding".to_owned(),
                Some(name_of(words.get(1..).unwrap_or_default(), text)),
            );
        }
        _ => {}
    }
    let skipped = usize::from(matches!(word(0).as_str(), "SESSION" | "LOCAL"));
    let words = words.get(skipped..).unwrap_or_default();
    let at =
        words.iter().position(|token| token.text(text) == "=" || token.text(text).eq_ignore_ascii_case("TO"));
    let Some(at) = at else {
        return Kind::Refused(Trouble::new("42601", "SET takes a name, =, and a value"));
    };
    let (name, values) = words.split_at(at);
    let values = values.get(1..).unwrap_or_default();
    // `a, b` is one value of two words.
    let texts = values.iter().map(|token| match token.text(text) {
        "," => ", ".to_owned(),
        _ => value(token, text),
    });
    let given: String = texts.collect();
    let is_default = matches!(values, [one] if one.text(text).eq_ignore_ascii_case("DEFAULT"));
    Kind::Set(name_of(name, text), Some(given).filter(|_| !is_default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    fn shown(text: &str) -> String {
        let tokens = tokens(text).unwrap();
        match kind(&tokens, text, |name| name == "orders") {
            Kind::Catalog(_) => "catalog".to_owned(),
            Kind::Refused(trouble) => trouble.state.to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn statements_are_told_apart() {
        for (text, expected) in [
            ("", "Empty"),
            ("SELECT 1", "catalog"),
            ("select version(), current_schema()", "catalog"),
            ("SELECT * FROM pg_catalog.pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace", "catalog"),
            ("SELECT * FROM information_schema.tables", "catalog"),
            ("WITH x AS (SELECT oid FROM pg_type) SELECT * FROM x", "catalog"),
            ("SELECT * FROM orders", "Question"),
            ("SELECT * FROM orders, pg_class", "Question"),
            ("SELECT TUMBLE(", "Question"),
            ("SELECT DATE_FORMAT(a, b)", "Question"),
            ("set application_name to 'x y'", "Set(\"application_name\", Some(\"x y\"))"),
            ("SET LOCAL search_path = a, \"B\"", "Set(\"search_path\", Some(\"a, B\"))"),
            ("SET datestyle = DEFAULT", "Set(\"datestyle\", None)"),
            ("SET TIME ZONE 'UTC'", "Set(\"timezone\", Some(\"UTC\"))"),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "Nothing(\"SET\")"),
            ("SHOW transaction isolation level", "Show(\"transaction_isolation\")"),
            ("START TRANSACTION READ ONLY", "Begin"),
            ("END", "Commit"),
            ("ROLLBACK TO SAVEPOINT a", "Nothing(\"ROLLBACK\")"),
            ("DEALLOCATE PREPARE \"S_1\"", "Deallocate(Some(\"S_1\"))"),
            ("deallocate all", "Deallocate(None)"),
            ("DISCARD ALL", "ResetAll"),
            ("INSERT INTO orders VALUES (1)", "25006"),
            ("VACUUM", "0A000"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
