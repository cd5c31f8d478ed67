//! `SHOW`, `DESCRIBE` and `SET` alone: what a file has declared, as rows.

use super::parser::{Parsed, Parser};
use super::{CATALOG, DATABASE, Ident, Spanned, Statement};
use crate::error::{Span, SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// A statement that shows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Show {
    pub what: Shown,
    pub filter: Option<Filter>,
    pub span: Span,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Tables,
    Views,
    Functions,
    /// Those of the program that plans the file.
    UserFunctions,
    Catalogs,
    Databases,
    CurrentCatalog,
    CurrentDatabase,
    Columns(Ident),
    CreateTable(Ident),
    CreateView(Ident),
    Describe(Ident),
    Settings,
}

/// `[NOT] LIKE 'pattern'`, of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub pattern: Spanned<String>,
    pub negated: bool,
    /// `ILIKE`: in any case.
    pub any_case: bool,
}

impl Parser<'_> {
    /// Behind `SHOW`.
    pub(super) fn show(&mut self) -> Parsed<Statement> {
        let first = self.at - 1;
        let mut filtered = true;
        let what = if self.take_words("TABLES") {
            self.of_database()?;
            Shown::Tables
        } else if self.take_words("VIEWS") {
            self.of_database()?;
            Shown::Views
        } else if self.take_words("COLUMNS") {
            if !self.take_words("FROM") && !self.take_words("IN") {
                return self.unexpected("FROM");
            }
            Shown::Columns(self.table_name("the name of a table or view")?)
        } else if self.take_words("CREATE TABLE") {
            filtered = false;
            Shown::CreateTable(self.table_name("the name of a table")?)
        } else if self.take_words("CREATE VIEW") {
            filtered = false;
            Shown::CreateView(self.table_name("the name of a view")?)
        } else if self.take_words("USER FUNCTIONS") {
            self.of_database()?;
            Shown::UserFunctions
        } else if self.take_words("FUNCTIONS") {
            self.of_database()?;
            Shown::Functions
        } else if self.take_words("CATALOGS") {
            Shown::Catalogs
        } else if self.take_words("DATABASES") {
            if self.take_words("FROM") || self.take_words("IN") {
                self.here(&[&[CATALOG]])?;
            }
            Shown::Databases
        } else if self.take_words("CURRENT CATALOG") {
            filtered = false;
            Shown::CurrentCatalog
        } else if self.take_words("CURRENT DATABASE") {
            filtered = false;
            Shown::CurrentDatabase
        } else {
            self.at = first;
            return self.refuse_statement();
        };
        let filter = if filtered { self.filter()? } else { None };
        Ok(Statement::Show(Show { what, filter, span: self.span_from(first) }))
    }

    /// Behind `DESCRIBE`.
    pub(super) fn describe(&mut self) -> Parsed<Statement> {
        let first = self.at - 1;
        for word in ["CATALOG", "DATABASE", "FUNCTION", "JOB", "MODEL"] {
            if self.is_word(0, word) && self.peek_at(1).is_some_and(|next| *next != Token::SemiColon) {
                let error =
                    SqlError::new(code::STATEMENT, self.span(), format!("DESCRIBE {word} is not supported"));
                return self.fail(error.help("DESCRIBE shows the columns of a table or view"));
            }
        }
        self.take_words("EXTENDED");
        let name = self.table_name("the name of a table or view")?;
        Ok(Statement::Show(Show { what: Shown::Describe(name), filter: None, span: self.span_from(first) }))
    }

    /// `FROM` the one database, if it stands there.
    fn of_database(&mut self) -> Parsed<()> {
        if self.take_words("FROM") || self.take_words("IN") {
            self.here(&[&[DATABASE], &[CATALOG, DATABASE]])?;
        }
        Ok(())
    }

    /// A name that has to be one of these.
    pub(super) fn here(&mut self, names: &[&[&str]]) -> Parsed<()> {
        let first = self.at;
        let mut found = vec![self.ident("a name")?.value];
        while self.take(&Token::Period) {
            found.push(self.ident("a name")?.value);
        }
        if names.iter().any(|name| *name == found) {
            return Ok(());
        }
        let message = format!("there is one catalog, {CATALOG}, and in it one database, {DATABASE}");
        let error = SqlError::new(code::CLAUSE, self.span_from(first), message);
        self.fail(error.help("leave the statement out, or name these: all tables of a file are there"))
    }

    fn filter(&mut self) -> Parsed<Option<Filter>> {
        let negated = self.take_words("NOT");
        let any_case = self.is_word(0, "ILIKE");
        if !self.take_words("LIKE") && !self.take_words("ILIKE") {
            return match negated {
                true => self.unexpected("LIKE"),
                false => Ok(None),
            };
        }
        let pattern = self.text("a pattern in '..'")?;
        Ok(Some(Filter { pattern, negated, any_case }))
    }
}
