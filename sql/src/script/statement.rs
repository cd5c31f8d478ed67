//! Statements that are not `CREATE`.

use super::parser::{Failed, Parsed, Parser};
use super::{Insert, OnConflict, Statement};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// Words behind `EXPLAIN` that ask for one part of what it shows.
const DETAILS: &[&str] = &["ESTIMATED_COST", "CHANGELOG_MODE", "PLAN_ADVICE", "JSON_EXECUTION_PLAN"];

impl Parser<'_> {
    /// A statement without its `;`.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        if self.are_words("CREATE TABLE") || self.are_words("CREATE TEMPORARY TABLE") {
            self.create_table().map(Statement::CreateTable)
        } else if self.are_words("CREATE VIEW") || self.are_words("CREATE TEMPORARY VIEW") {
            self.create_view().map(Statement::CreateView)
        } else if self.are_words("INSERT INTO") || self.are_words("EXECUTE INSERT") {
            self.insert().map(Statement::Insert)
        } else if self.are_words("EXECUTE STATEMENT") || self.are_words("BEGIN STATEMENT") {
            self.statement_set()
        } else if self.take_words("EXPLAIN") {
            self.explain()
        } else if self.take_words("SET") {
            self.set()
        } else {
            self.refuse_statement()
        }
    }

    /// `[EXECUTE] INSERT INTO t [(a, b)] query`
    fn insert(&mut self) -> Parsed<Insert> {
        let first = self.at;
        self.take_words("EXECUTE");
        self.expect_words("INSERT INTO")?;
        let target = self.table_name("the name of a table")?;
        if self.is_word(0, "PARTITION") {
            let error = SqlError::new(code::CLAUSE, self.span(), "PARTITION is not supported");
            return self.fail(error.help("leave it out, and select the columns instead"));
        }
        let columns = match self.peek() {
            Some(Token::LParen) if !self.query_in_parentheses() => self.idents("the name of a column")?,
            _ => Vec::new(),
        };
        let query = self.query()?;
        let on_conflict = self.on_conflict()?;
        Ok(Insert { target, columns, query, on_conflict, span: self.span_from(first) })
    }

    fn query_in_parentheses(&self) -> bool {
        ["SELECT", "WITH", "VALUES"].iter().any(|word| self.is_word(1, word))
            || self.peek_at(1) == Some(&Token::LParen)
    }

    /// `ON CONFLICT DO ..` at the end of an insertion, if it is there.
    fn on_conflict(&mut self) -> Parsed<Option<OnConflict>> {
        let first = self.at;
        if !self.take_words("ON CONFLICT DO") {
            return Ok(None);
        }
        if self.take_words("DEDUPLICATE") {
            return Ok(Some(OnConflict::Deduplicate));
        }
        for what in ["NOTHING", "ERROR"] {
            if self.take_words(what) {
                let message = format!("ON CONFLICT DO {what} is not supported yet");
                let error = SqlError::new(code::CLAUSE, self.span_from(first), message);
                return self.fail(error.help(
                    "write ON CONFLICT DO DEDUPLICATE: of each key the table then has the last row of those that are there",
                ));
            }
        }
        self.unexpected("DEDUPLICATE")
    }

    /// `EXECUTE STATEMENT SET BEGIN .. END`, or as it was written before, `BEGIN STATEMENT SET; .. END`.
    fn statement_set(&mut self) -> Parsed<Statement> {
        let first = self.at;
        if self.take_words("BEGIN") {
            self.expect_words("STATEMENT SET")?;
            self.expect(&Token::SemiColon)?;
        } else {
            self.take_words("EXECUTE");
            self.expect_words("STATEMENT SET BEGIN")?;
        }
        let begin = self.span_from(first);
        let mut inserts = Vec::new();
        let mut failed = false;
        while !self.take_words("END") {
            if self.take(&Token::SemiColon) {
                continue;
            }
            if self.peek().is_none() {
                let error = SqlError::new(code::SYNTAX, begin, "this statement set has no end");
                return self.fail(error.help("write END; behind its last statement"));
            }
            match self.member() {
                Ok(insert) => inserts.push(insert),
                Err(Failed) => failed = true,
            }
        }
        if failed {
            return Err(Failed);
        }
        if inserts.is_empty() {
            let error = SqlError::new(code::SYNTAX, self.span_from(first), "this statement set is empty");
            return self.fail(error.help("write INSERT INTO statements between BEGIN and END"));
        }
        Ok(Statement::StatementSet(inserts))
    }

    /// A statement of a set, with its `;`.
    fn member(&mut self) -> Parsed<Insert> {
        let first = self.at;
        let insert = if self.are_words("INSERT INTO") {
            self.insert()
        } else if self.is_word(0, "INSERT") {
            self.refuse_statement()
        } else {
            self.unexpected("INSERT INTO or END")
        };
        let insert = match insert {
            Ok(insert) if self.peek() != Some(&Token::SemiColon) => {
                self.unexpected("';' at the end of the statement").map(|()| insert)
            }
            insert => insert,
        };
        if insert.is_err() {
            self.skip_statement(first);
        }
        insert
    }

    /// Behind `EXPLAIN`.
    fn explain(&mut self) -> Parsed<Statement> {
        self.take_words("PLAN FOR");
        if DETAILS.iter().any(|detail| self.is_word(0, detail)) {
            let error = SqlError::new(code::CLAUSE, self.span(), "EXPLAIN has no details to choose from");
            return self.fail(error.help("write EXPLAIN alone: it shows everything there is"));
        }
        let statement = if self.are_words("INSERT INTO") {
            Statement::Insert(self.insert()?)
        } else if self.are_words("STATEMENT SET") || self.are_words("EXECUTE STATEMENT") {
            self.statement_set()?
        } else if self.are_words("INSERT OVERWRITE") {
            return self.refuse_statement();
        } else {
            Statement::Select { query: self.query()? }
        };
        Ok(Statement::Explain(Box::new(statement)))
    }

    /// `SET 'key' = 'value'`, behind `SET`.
    fn set(&mut self) -> Parsed<Statement> {
        const HELP: &str = "write SET 'key' = 'value';";
        let reported = self.errors.len();
        let pair = self.text("a key in '..'").and_then(|key| {
            self.expect(&Token::Eq)?;
            Ok(Statement::Set { key, value: self.text("a value in '..'")? })
        });
        if let Some(error) = self.errors.get_mut(reported) {
            error.help = Some(HELP.to_owned());
        }
        pair
    }
}
