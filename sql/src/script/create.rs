//! `CREATE TABLE` and `CREATE VIEW`.

use super::columns::Elements;
use super::parser::{Failed, Parsed, Parser};
use super::{CreateTable, CreateView, Ident, Like, Options, Partitions, Spanned, Tokens};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// What stands behind the name of a table.
#[derive(Default)]
struct Body {
    elements: Elements,
    comment: Option<String>,
    partitions: Option<Partitions>,
    options: Options,
    like: Option<Like>,
    query: Option<Tokens>,
}

impl Parser<'_> {
    /// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] t (..) [COMMENT ..] [PARTITIONED BY (..)] [WITH (..)] [LIKE other (..) | AS query]`
    pub(super) fn create_table(&mut self) -> Parsed<CreateTable> {
        let first = self.at;
        self.take_words("CREATE");
        let temporary = self.take_words("TEMPORARY");
        self.take_words("TABLE");
        let if_not_exists = self.take_words("IF NOT EXISTS");
        let name = self.table_name("the name of the table")?;
        let reported = self.errors.len();
        let body = self.table_body(&name);
        if let (Ok(Body { query: Some(query), .. }), true) = (&body, temporary) {
            let error = SqlError::new(code::CLAUSE, query.span, "a TEMPORARY table can't be made of a query");
            self.errors
                .push(error.help("leave TEMPORARY out: the tables of a file are there as long as its job"));
        }
        match body {
            Ok(body) if self.errors.len() == reported => {
                let Body { elements, comment, partitions, options, like, query } = body;
                Ok(CreateTable {
                    name,
                    if_not_exists,
                    temporary,
                    columns: elements.columns,
                    watermarks: elements.watermarks,
                    primary_key: elements.primary_key,
                    comment,
                    partitions,
                    options,
                    like,
                    query,
                    order: elements.order,
                    span: self.span_from(first),
                })
            }
            _ => {
                self.broken.push(name);
                Err(Failed)
            }
        }
    }

    fn table_body(&mut self, name: &Ident) -> Parsed<Body> {
        self.refuse_table_clause()?;
        let mut body = Body::default();
        let has_elements = self.peek() == Some(&Token::LParen);
        if has_elements {
            body.elements = self.elements()?;
        }
        let mut has_options = false;
        loop {
            if self.take_words("COMMENT") {
                body.comment = Some(self.text("a comment in '..'")?.value);
            } else if self.are_words("PARTITIONED BY") && !has_options && body.partitions.is_none() {
                let first = self.at;
                self.take_words("PARTITIONED BY");
                let span = self.span_from(first);
                body.partitions = Some(Partitions { columns: self.idents("the name of a column")?, span });
            } else if self.is_word(0, "WITH") && !has_options {
                self.take_words("WITH");
                has_options = true;
                body.options = self.options()?;
            } else {
                break;
            }
        }
        self.refuse_table_clause()?;
        if self.take_words("LIKE") {
            body.like = Some(self.like()?);
        } else if self.take_words("AS") {
            body.query = Some(self.query()?);
        } else if !has_elements && has_options {
            let error =
                SqlError::new(code::SYNTAX, name.span, format!("table \"{}\" has no columns", name.value));
            return self.fail(error.help("list them in front of WITH: (name TYPE, ..); or write LIKE another table, or AS a query, behind it"));
        } else if !has_elements {
            return self.unexpected("'('");
        }
        if let (Some(like), true) = (&body.like, self.is_word(0, "AS")) {
            let error = SqlError::new(code::CLAUSE, self.span(), "AS a query and LIKE can't both be");
            let help = format!("leave LIKE {} out: the query gives the table its columns", like.source.value);
            return self.fail(error.help(help));
        }
        if let Some(alone) = body.elements.order.first() {
            let mixed = !body.elements.columns.is_empty() || body.query.is_none();
            if mixed {
                let message = format!("column \"{}\" has no type", alone.value);
                let error = SqlError::new(code::TYPE, alone.span, message);
                return self.fail(error.help("write the type behind the name; names alone order the columns of a query: (a, b) AS SELECT .."));
            }
        }
        match self.peek() {
            Some(token)
                if !has_options
                    && body.like.is_none()
                    && body.query.is_none()
                    && *token != Token::SemiColon
                    && !self.statement_begins() =>
            {
                self.unexpected("WITH (..)")
            }
            _ => Ok(body),
        }
    }

    /// `('key' = 'value', ..)`
    pub(super) fn options(&mut self) -> Parsed<Options> {
        let open = self.expect(&Token::LParen)?;
        let mut options: Options = Vec::new();
        if self.take(&Token::RParen) {
            return Ok(options);
        }
        loop {
            let first = self.at;
            match self.option() {
                Ok((key, value)) if options.iter().all(|(other, _)| other.value != key.value) => {
                    options.push((key, value));
                }
                Ok((key, _)) => {
                    let message = format!("option '{}' is set twice", key.value);
                    let error = SqlError::new(code::CONFLICT, key.span, message);
                    self.errors.push(error.help("leave one of the two out"));
                }
                Err(Failed) => self.skip_element(first),
            }
            if self.list_ends(first, open)? {
                return Ok(options);
            }
        }
    }

    fn option(&mut self) -> Parsed<(Spanned<String>, Spanned<String>)> {
        let first = self.at;
        let reported = self.errors.len();
        let option = self.text("an option in '..'").and_then(|key| {
            self.expect(&Token::Eq)?;
            Ok((key, self.text("a value in '..'")?))
        });
        let help = match (self.peek_at(0), first == self.at) {
            (Some(Token::RParen), true) => "leave the ',' before the ')' out",
            (Some(Token::SingleQuotedString(_)), false) => {
                "write 'option' = 'value', and a ',' between two options"
            }
            _ => "write 'option' = 'value', both in single quotes",
        };
        if let Some(error) = self.errors.get_mut(reported) {
            error.help = Some(help.to_owned());
        }
        option
    }

    /// Behind an element of a list: takes `,`, or the `)` that ends it.
    pub(super) fn list_ends(&mut self, first: usize, open: crate::error::Span) -> Parsed<bool> {
        if !matches!(self.peek(), Some(Token::Comma | Token::RParen | Token::SemiColon) | None) {
            let reported: Parsed<()> = self.unexpected("',' or ')'");
            self.skip_element(first);
            if !matches!(self.peek(), Some(Token::Comma | Token::RParen)) {
                return reported.map(|()| false);
            }
        }
        if self.take(&Token::Comma) {
            return Ok(false);
        }
        if self.take(&Token::RParen) {
            return Ok(true);
        }
        if self.peek() == Some(&super::lexer::BAD) {
            return Err(Failed);
        }
        let error = SqlError::new(code::SYNTAX, open, "this parenthesis is not closed");
        self.fail(error.help("close it before the end of the statement"))
    }

    /// Goes on at the `,` or `)` behind the element of a list that began at `first`.
    pub(super) fn skip_element(&mut self, first: usize) {
        self.half = false;
        let reached = std::mem::replace(&mut self.at, first);
        let (mut parentheses, mut angles) = (0_usize, 0_usize);
        while let Some(token) = self.peek() {
            let outside = parentheses == 0 && angles == 0 && self.at >= reached;
            match token {
                Token::SemiColon => return,
                Token::Comma | Token::RParen if outside => return,
                token if *token == super::lexer::BAD => return,
                Token::LParen => parentheses += 1,
                Token::RParen => parentheses = parentheses.saturating_sub(1),
                Token::Lt if angles > 0 || self.behind_type() => angles += 1,
                Token::Gt => angles = angles.saturating_sub(1),
                Token::ShiftRight => angles = angles.saturating_sub(2),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the word before is a type that is followed by others in angle brackets.
    fn behind_type(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.token(at));
        matches!(before, Some(Token::Word(word))
            if ["ARRAY", "MAP", "ROW", "MULTISET"].contains(&word.value.to_uppercase().as_str()))
    }

    /// `CREATE [TEMPORARY] VIEW [IF NOT EXISTS] v [(a, ..)] [COMMENT ..] AS query`
    pub(super) fn create_view(&mut self) -> Parsed<CreateView> {
        let first = self.at;
        self.take_words("CREATE");
        let temporary = self.take_words("TEMPORARY");
        self.take_words("VIEW");
        let if_not_exists = self.take_words("IF NOT EXISTS");
        let name = self.table_name("the name of the view")?;
        let body = self.view_body();
        if body.is_err() {
            self.broken.push(name.clone());
        }
        let (columns, comment, query) = body?;
        let span = self.span_from(first);
        Ok(CreateView { name, columns, query, if_not_exists, temporary, comment, span })
    }

    fn view_body(&mut self) -> Parsed<(Option<Vec<Ident>>, Option<String>, Tokens)> {
        let columns = match self.peek() {
            Some(Token::LParen) => Some(self.idents("the name of a column")?),
            _ => None,
        };
        let comment = match self.take_words("COMMENT") {
            true => Some(self.text("a comment in '..'")?.value),
            false => None,
        };
        self.expect_words("AS")?;
        Ok((columns, comment, self.query()?))
    }
}
