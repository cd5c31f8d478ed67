//! `CREATE FUNCTION`: another name for a function that the program has registered.

use super::parser::{Parsed, Parser};
use super::{CreateFunction, Statement};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// Beginnings of the statement, the longest first.
const BEGINNINGS: &[&str] =
    &["CREATE TEMPORARY SYSTEM FUNCTION", "CREATE TEMPORARY FUNCTION", "CREATE FUNCTION"];

/// What is done instead of naming a class.
const HELP: &str = "functions are written in Rust: the program registers a closure, functions.scalar(name, version, closure), and plans \
     the file with functions.plan(..), where it is called by its name; see docs/sql/user-functions.md";

impl Parser<'_> {
    /// `CREATE [TEMPORARY [SYSTEM]] FUNCTION [IF NOT EXISTS] f AS 'g' LANGUAGE RUST`, if such a statement stands here.
    pub(super) fn create_function(&mut self) -> Option<Parsed<Statement>> {
        let first = self.at;
        BEGINNINGS.iter().find(|words| self.take_words(words))?;
        Some(self.created_function(first).map(Statement::CreateFunction))
    }

    fn created_function(&mut self, first: usize) -> Parsed<CreateFunction> {
        let if_not_exists = self.take_words("IF NOT EXISTS");
        let name = self.table_name("the name of the function")?;
        self.expect_words("AS")?;
        let of = self.text("the name of a registered function in '..'")?;
        if self.take_words("LANGUAGE RUST") {
            return Ok(CreateFunction { name, if_not_exists, of, span: self.span_from(first) });
        }
        while self.peek().is_some_and(|token| *token != Token::SemiColon) {
            self.at += 1;
        }
        let message = format!("{} is of a class, \"{}\", which nothing here can run", name.value, of.value);
        self.fail(SqlError::new(code::STATEMENT, self.span_from(first), message).help(HELP))
    }
}
