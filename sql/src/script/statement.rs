//! Statements that are not `CREATE`.

use super::parser::{Failed, Parsed, Parser};
use super::{CATALOG, DATABASE, Insert, OnConflict, Show, Shown, Statement};
use crate::error::{SqlError, code};
use crate::explain::Shows;
use datafusion::sql::sqlparser::tokenizer::Token;

/// Words behind `EXPLAIN` for what there is not, and what to do instead.
const NO_DETAILS: &[(&str, &str)] = &[
    ("ESTIMATED_COST", "leave it out: there are no statistics that costs could be estimated by"),
    (
        "PLAN_ADVICE",
        "leave it out: what is missing of a plan is refused, and what has no effect is warned of",
    ),
    ("JSON_EXECUTION_PLAN", "leave it out: the server gives plans as JSON, see docs/server.md"),
    ("AST", "leave it out: what is shown are the operators that run"),
];

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
        } else if self.take_words("RESET") {
            self.reset()
        } else if self.take_words("SHOW") {
            self.show()
        } else if self.take_words("DESCRIBE") || self.take_words("DESC") {
            self.describe()
        } else if self.is_word(0, "USE") && !self.is_word(1, "MODULES") {
            self.use_here()
        } else if let Some(function) = self.create_function() {
            function
        } else if let Some(change) = self.change() {
            change
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
        let hints = self.hints_from(self.at - 1, self.at);
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
        Ok(Insert { target, hints, columns, query, on_conflict, span: self.span_from(first) })
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
        let shows = self.details()?;
        let statement = if self.are_words("INSERT INTO") {
            Statement::Insert(self.insert()?)
        } else if self.are_words("STATEMENT SET") || self.are_words("EXECUTE STATEMENT") {
            self.statement_set()?
        } else if self.are_words("INSERT OVERWRITE") {
            return self.refuse_statement();
        } else {
            Statement::Select { query: self.query()? }
        };
        Ok(Statement::Explain(Box::new(statement), shows))
    }

    /// `CHANGELOG_MODE, ..`
    fn details(&mut self) -> Parsed<Shows> {
        let mut shows = Shows::default();
        loop {
            if shows.changelog_mode && self.is_word(0, "CHANGELOG_MODE") {
                let error = SqlError::new(code::CLAUSE, self.span(), "CHANGELOG_MODE is written twice");
                return self.fail(error.help("write it once"));
            } else if self.take_words("CHANGELOG_MODE") {
                shows.changelog_mode = true;
            } else if let Some((word, help)) = NO_DETAILS.iter().find(|(word, _)| self.is_word(0, word)) {
                let error =
                    SqlError::new(code::CLAUSE, self.span(), format!("EXPLAIN {word} is not supported"));
                return self.fail(error.help(*help));
            } else {
                return Ok(shows);
            }
            if !self.take(&Token::Comma) {
                return Ok(shows);
            }
        }
    }

    /// `USE CATALOG ..`, `USE ..`
    fn use_here(&mut self) -> Parsed<Statement> {
        let first = self.at;
        self.take_words("USE");
        match self.take_words("CATALOG") {
            true => self.here(&[&[CATALOG]])?,
            false => self.here(&[&[DATABASE], &[CATALOG, DATABASE]])?,
        }
        Ok(Statement::Use(self.span_from(first)))
    }

    /// Behind `RESET`: a key, or nothing for all.
    fn reset(&mut self) -> Parsed<Statement> {
        let first = self.at - 1;
        let key = match self.peek() {
            None | Some(Token::SemiColon) => None,
            _ => Some(self.text("a key in '..'")?),
        };
        Ok(Statement::Reset { key, span: self.span_from(first) })
    }

    /// `SET 'key' = 'value'`, behind `SET`; nothing shows what is set.
    fn set(&mut self) -> Parsed<Statement> {
        const HELP: &str = "write SET 'key' = 'value';";
        if matches!(self.peek(), None | Some(Token::SemiColon)) {
            let span = self.span_from(self.at - 1);
            return Ok(Statement::Show(Show { what: Shown::Settings, filter: None, span }));
        }
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
