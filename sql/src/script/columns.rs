//! Columns, watermarks and keys of `CREATE TABLE`.

use super::parser::{Failed, Parsed, Parser};
use super::{ColumnDef, ColumnDefKind, Ident, PrimaryKeyDef, WatermarkDef};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// What stands in the parentheses of `CREATE TABLE`.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub(super) columns: Vec<ColumnDef>,
    pub(super) watermarks: Vec<WatermarkDef>,
    pub(super) primary_key: Option<PrimaryKeyDef>,
    /// Names alone.
    pub(super) order: Vec<Ident>,
    /// Whether a place may stand behind a column: `FIRST` or `AFTER other`.
    pub(super) altering: bool,
}

impl Parser<'_> {
    /// `(name TYPE, name AS expr, WATERMARK FOR .., PRIMARY KEY ..)`
    pub(super) fn elements(&mut self) -> Parsed<Elements> {
        let open = self.expect(&Token::LParen)?;
        let mut elements = Elements::default();
        loop {
            let first = self.at;
            if let Err(Failed) = self.element(&mut elements) {
                self.skip_element(first);
            }
            if self.list_ends(first, open)? {
                return Ok(elements);
            }
        }
    }

    /// A column, a watermark or a key.
    pub(super) fn element(&mut self, elements: &mut Elements) -> Parsed<()> {
        let first = self.at;
        let mut named = None;
        if self.are_words("WATERMARK FOR") {
            elements.watermarks.push(self.watermark()?);
            return Ok(());
        }
        if self.take_words("CONSTRAINT") {
            named = Some(self.ident("the name of the constraint")?.value);
            if !self.are_words("PRIMARY KEY") {
                self.refuse_column_clause()?;
                return self.unexpected("PRIMARY KEY");
            }
        }
        if self.take_words("PRIMARY KEY") {
            let columns = self.idents("the name of a column")?;
            return self.primary_key(first, named, columns, elements);
        }
        if ["UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| self.is_word(0, word)) && !self.is_column() {
            self.refuse_column_clause()?;
        }
        self.column(elements)
    }

    /// Whether a type or `AS` stands behind the next word.
    fn is_column(&self) -> bool {
        matches!(self.peek_at(1), Some(Token::Word(word)) if !word.value.eq_ignore_ascii_case("KEY"))
    }

    /// `WATERMARK FOR ts AS ts - INTERVAL '5' SECOND`
    fn watermark(&mut self) -> Parsed<WatermarkDef> {
        let first = self.at;
        self.take_words("WATERMARK FOR");
        let column = self.ident("the name of a column")?;
        if self.peek() == Some(&Token::Period) {
            let error =
                SqlError::new(code::WATERMARK, column.span, "a watermark can't be for a field of a ROW");
            return self.fail(error.help("make it a column: name AS row.field, and WATERMARK FOR name"));
        }
        self.expect_words("AS")?;
        let ends = |_: &Self, token: &Token| matches!(token, Token::Comma | Token::RParen);
        let expr = self.words(ends, "an expression")?;
        Ok(WatermarkDef { column, expr, span: self.span_from(first) })
    }

    /// Behind the columns of a primary key that began at `first`.
    fn primary_key(
        &mut self,
        first: usize,
        name: Option<String>,
        columns: Vec<Ident>,
        elements: &mut Elements,
    ) -> Parsed<()> {
        if !self.take_words("NOT ENFORCED") {
            self.take_words("ENFORCED");
            let error = SqlError::new(
                code::PRIMARY_KEY,
                self.span_from(first),
                "a primary key has to be NOT ENFORCED",
            )
            .help(
                "write PRIMARY KEY (..) NOT ENFORCED: nothing checks that the records of a topic keep to it",
            );
            return self.fail(error);
        }
        let span = self.span_from(first);
        if elements.primary_key.is_some() {
            let error = SqlError::new(code::PRIMARY_KEY, span, "the table has two primary keys");
            return self
                .fail(error.help("name all columns of the key in one: PRIMARY KEY (a, b) NOT ENFORCED"));
        }
        elements.primary_key = Some(PrimaryKeyDef { name, columns, span });
        Ok(())
    }

    fn column(&mut self, elements: &mut Elements) -> Parsed<()> {
        let name = self.ident("the name of a column")?;
        if matches!(self.peek(), Some(Token::Comma | Token::RParen)) && !elements.altering {
            elements.order.push(name);
            return Ok(());
        }
        let kind = match self.take_words("AS") {
            true => {
                let altering = elements.altering;
                let ends = |parser: &Self, token: &Token| {
                    let comment = parser.is_word(0, "COMMENT");
                    let text = matches!(parser.peek_at(1), Some(Token::SingleQuotedString(_)));
                    let placed = altering && (parser.is_word(0, "FIRST") || parser.is_word(0, "AFTER"));
                    matches!(token, Token::Comma | Token::RParen) || (comment && text) || placed
                };
                ColumnDefKind::Computed { expr: self.words(ends, "an expression")? }
            }
            false => self.typed_column(&name, elements)?,
        };
        let comment = match self.take_words("COMMENT") {
            true => Some(self.text("a comment in '..'")?.value),
            false => None,
        };
        self.refuse_column_clause()?;
        if let Some(other) = elements.columns.iter().find(|other| other.name.value == name.value) {
            let message = format!("there is already a column \"{}\"", other.name.value);
            return self.fail(SqlError::new(code::COLUMN, name.span, message).help("rename one of the two"));
        }
        elements.columns.push(ColumnDef { name, kind, comment });
        Ok(())
    }

    /// Behind the name of a column that has a type.
    fn typed_column(&mut self, name: &Ident, elements: &mut Elements) -> Parsed<ColumnDefKind> {
        let declared = self.data_type()?;
        if self.take_words("METADATA") {
            let from = match self.take_words("FROM") {
                true => Some(self.text("the name of the metadata in '..'")?),
                false => None,
            };
            let virtual_ = self.take_words("VIRTUAL");
            return Ok(ColumnDefKind::Metadata { declared, from, virtual_ });
        }
        let first = self.at;
        let mut named = None;
        if self.take_words("CONSTRAINT") {
            named = Some(self.ident("the name of the constraint")?.value);
        }
        if self.take_words("PRIMARY KEY") {
            self.primary_key(first, named, vec![name.clone()], elements)?;
        }
        self.refuse_column_clause()?;
        Ok(ColumnDefKind::Physical(declared))
    }
}
