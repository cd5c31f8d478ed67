//! What all statements are read with: words one by one, names, texts, and the words of queries and expressions.

use super::lexer::{BAD, Lexed};
use super::{CATALOG, DATABASE, Hint, Ident, Spanned, Statement, Tokens};
use crate::error::{Span, SqlError, code};
use crate::functions::values::cast::Length;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use std::collections::BTreeSet;

/// What could not be read. Its error is in [`Parser::errors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed;

/// What was read, if it could be.
pub(super) type Parsed<T> = Result<T, Failed>;

/// Reads statements from words.
#[derive(Debug)]
pub(super) struct Parser<'l> {
    tokens: &'l [TokenWithSpan],
    spans: &'l [Span],
    hints: &'l [(usize, Hint)],
    /// The hints that somebody has read, by their numbers.
    read_hints: BTreeSet<usize>,
    /// Where the text ends.
    end: usize,
    /// The next word.
    pub(super) at: usize,
    /// Whether the first half of a `>>` is read.
    pub(super) half: bool,
    /// Digits behind the second of the times of the type that is read.
    pub(super) digits: Vec<u8>,
    /// The length of the type that is read.
    pub(super) length: Option<Length>,
    /// Whether a type inside of it has one.
    pub(super) inner_length: bool,
    pub(super) errors: Vec<SqlError>,
    pub(super) broken: Vec<Ident>,
}

impl<'l> Parser<'l> {
    pub(super) fn new(lexed: &'l Lexed, end: usize) -> Self {
        Parser {
            tokens: &lexed.tokens,
            spans: &lexed.spans,
            hints: &lexed.hints,
            read_hints: BTreeSet::new(),
            end,
            at: 0,
            half: false,
            digits: Vec::new(),
            length: None,
            inner_length: false,
            errors: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// All statements, the names of those that were to make a table or view and could not be read, and the errors.
    pub(super) fn script(mut self) -> (Vec<Statement>, Vec<Ident>, Vec<SqlError>) {
        let mut statements = Vec::new();
        while self.peek().is_some() {
            if self.take(&Token::SemiColon) {
                continue;
            }
            let first = self.at;
            let statement = self.statement();
            let ended = statement.is_ok() && self.statement_end().is_ok();
            self.check_hints(first, statement.is_ok());
            // What follows without a ';' is another statement's.
            statements.extend(statement.ok());
            if !ended {
                self.skip_statement(first);
            }
        }
        (statements, self.broken, self.errors)
    }

    /// The hints behind one of the words from `first` to the one before `end`.
    pub(super) fn hints_from(&mut self, first: usize, end: usize) -> Vec<Hint> {
        let stand = |(_, (at, _)): &(usize, &(usize, Hint))| *at > first && *at <= end;
        let found: Vec<(usize, &(usize, Hint))> = self.hints.iter().enumerate().filter(stand).collect();
        self.read_hints.extend(found.iter().map(|(number, _)| *number));
        found.into_iter().map(|(_, (_, hint))| hint.clone()).collect()
    }

    /// Refuses hints of the statement that began at `first` where nobody reads them.
    fn check_hints(&mut self, first: usize, is_read: bool) {
        let end = self.at;
        let stand = self.hints.iter().enumerate().filter(|(_, (at, _))| *at > first && *at <= end);
        let unread: Vec<Span> = stand
            .filter(|(number, _)| is_read && !self.read_hints.contains(number))
            .map(|(_, (_, hint))| hint.span)
            .collect();
        for span in unread {
            let error = SqlError::new(code::CLAUSE, span, "a hint can't stand here");
            self.errors.push(error.help(
                "hints stand behind the name of a table in a query or an INSERT INTO, or behind SELECT",
            ));
        }
    }

    /// Goes on behind the statement that began at `first`: behind its `;`, or where the next one begins without one.
    pub(super) fn skip_statement(&mut self, first: usize) {
        self.half = false;
        while let Some(token) = self.peek() {
            if *token == Token::SemiColon || (self.at > first && self.statement_begins()) {
                return;
            }
            self.at += 1;
        }
    }

    fn statement_end(&mut self) -> Parsed<()> {
        match self.peek() {
            None | Some(Token::SemiColon) => Ok(()),
            Some(_) => self.unexpected("';' at the end of the statement"),
        }
    }

    /// Whether two words stand here that begin a statement and stand nowhere else.
    pub(super) fn statement_begins(&self) -> bool {
        let pairs: [(&str, &[&str]); 5] = [
            ("CREATE", &["TABLE", "VIEW", "TEMPORARY"]),
            ("INSERT", &["INTO"]),
            ("EXECUTE", &["STATEMENT", "INSERT"]),
            ("EXPLAIN", &["PLAN", "INSERT", "STATEMENT", "SELECT"]),
            ("DROP", &["TABLE", "VIEW"]),
        ];
        pairs.iter().any(|(first, seconds)| {
            self.is_word(0, first) && seconds.iter().any(|second| self.is_word(1, second))
        })
    }

    /// The word that comes next.
    pub(super) fn peek(&self) -> Option<&'l Token> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&'l Token> {
        self.token(self.at + ahead)
    }

    /// The word of this number.
    pub(super) fn token(&self, at: usize) -> Option<&'l Token> {
        self.tokens.get(at).map(|token| &token.token)
    }

    /// Where the next word stands; the end of the text if there is none.
    pub(super) fn span(&self) -> Span {
        self.spans.get(self.at).copied().unwrap_or(Span { start: self.end, end: self.end })
    }

    /// From the word numbered `first` to the one before the next.
    pub(super) fn span_from(&self, first: usize) -> Span {
        let last = self.at.saturating_sub(1).max(first);
        match (self.spans.get(first), self.spans.get(last)) {
            (Some(from), Some(last)) => from.to(*last),
            _ => self.span(),
        }
    }

    /// Reports an error.
    pub(super) fn fail<T>(&mut self, error: SqlError) -> Parsed<T> {
        self.errors.push(error);
        Err(Failed)
    }

    /// Reports that the next word is not what it has to be.
    pub(super) fn unexpected<T>(&mut self, expected: &str) -> Parsed<T> {
        if self.peek() == Some(&BAD) {
            return Err(Failed);
        }
        let found = match self.peek() {
            None => "the end of the text".to_owned(),
            Some(Token::SemiColon) => "the end of the statement".to_owned(),
            Some(token) => found_word(token),
        };
        let message = format!("expected {expected}, found {found}");
        let mut error =
            SqlError::new(code::SYNTAX, self.span(), message).help(format!("write {expected} here"));
        if let Some(Token::Word(word)) = self.peek()
            && word.quote_style.is_none()
            && word.keyword != Keyword::NoKeyword
            && expected.contains("name")
        {
            error = error.help(format!("write `{}` if it is a name", word.value));
        }
        self.fail(error)
    }

    /// Whether the next word is this symbol; it is taken then.
    pub(super) fn take(&mut self, symbol: &Token) -> bool {
        let found = self.peek() == Some(symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: &Token) -> Parsed<Span> {
        let span = self.span();
        if self.take(symbol) { Ok(span) } else { self.unexpected(&format!("'{symbol}'")) }
    }

    /// Whether a word without backticks stands there, in any case.
    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Some(Token::Word(found))
            if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    /// Whether these words stand next.
    pub(super) fn are_words(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(ahead, word)| self.is_word(ahead, word))
    }

    /// Whether these words stand next; they are taken then.
    pub(super) fn take_words(&mut self, words: &str) -> bool {
        let found = self.are_words(words);
        if found {
            self.at += words.split(' ').count();
        }
        found
    }

    pub(super) fn expect_words(&mut self, words: &str) -> Parsed<()> {
        for word in words.split(' ') {
            if !self.take_words(word) {
                return self.unexpected(words);
            }
        }
        Ok(())
    }

    /// A name, in backticks or not.
    pub(super) fn ident(&mut self, what: &str) -> Parsed<Ident> {
        let span = self.span();
        match self.peek() {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(Ident { value: word.value.clone(), span })
            }
            _ => self.unexpected(what),
        }
    }

    /// The name of a table or view: one word, or all of `default_catalog.default_database.t`, for there is one catalog.
    pub(super) fn table_name(&mut self, what: &str) -> Parsed<Ident> {
        let first = self.at;
        let mut names = vec![self.ident(what)?];
        while self.take(&Token::Period) {
            names.push(self.ident(what)?);
        }
        let around: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
        let is_here = matches!(around.as_slice(), [_] | [DATABASE, _] | [CATALOG, DATABASE, _]);
        match names.pop() {
            Some(last) if is_here => Ok(Ident { span: self.span_from(first), ..last }),
            last => {
                let message = format!("there is one catalog, {CATALOG}, and in it one database, {DATABASE}");
                let last = last.map(|last| last.value).unwrap_or_default();
                let error = SqlError::new(code::CLAUSE, self.span_from(first), message);
                self.fail(error.help(format!("write the name alone: {last}")))
            }
        }
    }

    /// `(a, b, ..)`.
    pub(super) fn idents(&mut self, what: &str) -> Parsed<Vec<Ident>> {
        self.expect(&Token::LParen)?;
        let mut idents = vec![self.ident(what)?];
        while self.take(&Token::Comma) {
            idents.push(self.ident(what)?);
        }
        match self.take(&Token::RParen) {
            true => Ok(idents),
            false => self.unexpected("',' or ')'"),
        }
    }

    /// A text in `'`.
    pub(super) fn text(&mut self, what: &str) -> Parsed<Spanned<String>> {
        let span = self.span();
        match self.peek() {
            Some(Token::SingleQuotedString(value)) => {
                self.at += 1;
                Ok(Spanned { value: value.clone(), span })
            }
            _ => self.unexpected(what),
        }
    }

    /// Words up to the end of the statement: a query.
    pub(super) fn query(&mut self) -> Parsed<Tokens> {
        let starts = ["SELECT", "WITH", "VALUES", "TABLE"];
        let begins = starts.iter().any(|start| self.is_word(0, start)) || self.peek() == Some(&Token::LParen);
        if !begins {
            return self.unexpected("a query (SELECT, WITH or VALUES)");
        }
        // It belongs to the statement, not to its query.
        self.words(|parser, _| parser.are_words("ON CONFLICT DO"), "a query")
    }

    /// Words up to one at which `ends` says so outside of parentheses, or to the end of the statement.
    pub(super) fn words(&mut self, ends: impl Fn(&Self, &Token) -> bool, what: &str) -> Parsed<Tokens> {
        let first = self.at;
        let mut open = Vec::new();
        while let Some(token) = self.peek() {
            match token {
                Token::SemiColon => break,
                token if open.is_empty() && ends(self, token) => break,
                token if *token == BAD => return Err(Failed),
                _ if self.statement_begins() => {
                    let error =
                        SqlError::new(code::SYNTAX, self.span(), "a statement begins inside of another")
                            .label("expected ';' before this")
                            .help("end the statement before with ';'");
                    return self.fail(error);
                }
                Token::LParen | Token::LBracket => open.push(self.span()),
                Token::RParen | Token::RBracket if open.pop().is_none() => {
                    let error = SqlError::new(code::SYNTAX, self.span(), "this parenthesis closes nothing");
                    return self.fail(error.help("leave it out, or open it before"));
                }
                _ => {}
            }
            self.at += 1;
        }
        if let Some(span) = open.pop() {
            let error = SqlError::new(code::SYNTAX, span, "this parenthesis is not closed");
            return self.fail(error.help("close it before the end of the statement"));
        }
        if self.at == first {
            return self.unexpected(what);
        }
        let tokens = self.tokens[first..self.at].to_vec();
        let hints = self.hints_from(first, self.at);
        Ok(Tokens { tokens, hints, span: self.span_from(first) })
    }
}

/// A word as messages quote it.
pub(crate) fn found_word(token: &Token) -> String {
    match token {
        Token::EOF => "the end".to_owned(),
        token => {
            let text = token.to_string();
            let short: String = text.chars().take(40).collect();
            if short.len() < text.len() { format!("{short}...") } else { short }
        }
    }
}
