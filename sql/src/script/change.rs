//! `DROP` and `ALTER` of tables and views: they change what a file has declared, for the statements behind them.

use super::columns::Elements;
use super::parser::{Failed, Parsed, Parser};
use super::{ColumnDef, Ident, Options, PrimaryKeyDef, Spanned, Statement, Tokens, WatermarkDef};
use crate::error::{Span, SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;
use std::collections::BTreeSet;

/// `DROP TABLE`, `ALTER TABLE` and the same of a view.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub name: Ident,
    pub if_exists: bool,
    pub is_view: bool,
    pub what: TableChange,
    pub span: Span,
}

/// What becomes of a table or a view.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableChange {
    Drop,
    Rename(Ident),
    Set(Options),
    Reset(Vec<Spanned<String>>),
    /// `ADD`, or `MODIFY` of what is there.
    Put {
        modify: bool,
        columns: Vec<ColumnChange>,
        watermark: Option<WatermarkDef>,
        primary_key: Option<PrimaryKeyDef>,
    },
    RenameColumn {
        from: Ident,
        to: Ident,
    },
    DropColumns(Vec<Ident>),
    DropWatermark,
    /// By the name of its constraint, where it is given.
    DropPrimaryKey(Option<Ident>),
    /// Another query of a view.
    Query(Tokens),
}

/// A column that is added, or that takes the place of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnChange {
    pub def: ColumnDef,
    pub position: Option<Position>,
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    First,
    After(Ident),
}

impl Change {
    /// What it makes of the names of the tables and views there are.
    pub(super) fn renames(&self, names: &mut BTreeSet<String>) {
        match &self.what {
            TableChange::Drop => {
                names.remove(&self.name.value);
            }
            // Whether the new name is free is said where it is applied.
            TableChange::Rename(to) if names.remove(&self.name.value) => {
                names.insert(to.value.clone());
            }
            _ => {}
        }
    }
}

impl Parser<'_> {
    /// `DROP [TEMPORARY] TABLE [IF EXISTS] t`, if such a statement stands here.
    pub(super) fn change(&mut self) -> Option<Parsed<Statement>> {
        let kinds = [
            ("DROP TABLE", false),
            ("DROP TEMPORARY TABLE", false),
            ("DROP VIEW", true),
            ("DROP TEMPORARY VIEW", true),
            ("ALTER TABLE", false),
            ("ALTER VIEW", true),
        ];
        let first = self.at;
        let (words, is_view) = kinds.into_iter().find(|(words, _)| self.take_words(words))?;
        let if_exists = self.take_words("IF EXISTS");
        let what = if is_view { "the name of a view" } else { "the name of a table" };
        let read = self.table_name(what).and_then(|name| {
            let what = match (words.starts_with("DROP"), is_view) {
                (true, _) => TableChange::Drop,
                (false, true) => self.altered_view()?,
                (false, false) => self.altered_table()?,
            };
            Ok(Statement::Change(Change { name, if_exists, is_view, what, span: self.span_from(first) }))
        });
        Some(read)
    }

    fn altered_view(&mut self) -> Parsed<TableChange> {
        if self.take_words("RENAME TO") {
            return self.table_name("the new name").map(TableChange::Rename);
        }
        if self.take_words("AS") {
            return self.query().map(TableChange::Query);
        }
        self.unexpected("RENAME TO or AS")
    }

    fn altered_table(&mut self) -> Parsed<TableChange> {
        if self.take_words("RENAME TO") {
            return self.table_name("the new name").map(TableChange::Rename);
        }
        if self.take_words("RENAME") {
            let from = self.ident("the name of a column")?;
            self.expect_words("TO")?;
            return Ok(TableChange::RenameColumn { from, to: self.ident("the new name")? });
        }
        if self.take_words("SET") {
            return self.options().map(TableChange::Set);
        }
        if self.take_words("RESET") {
            return self.keys().map(TableChange::Reset);
        }
        for (word, modify) in [("ADD", false), ("MODIFY", true)] {
            if self.take_words(word) {
                self.refuse_partitions()?;
                return self.put(modify);
            }
        }
        if self.take_words("DROP") {
            self.refuse_partitions()?;
            return self.dropped();
        }
        self.refuse_partitions()?;
        self.unexpected("ADD, MODIFY, DROP, RENAME, SET or RESET")
    }

    /// Refuses what tables of topics do not have.
    fn refuse_partitions(&mut self) -> Parsed<()> {
        for word in ["PARTITION", "PARTITIONS", "DISTRIBUTION", "COMPACT"] {
            if self.is_word(0, word) && !matches!(self.peek_at(1), Some(Token::Word(_))) {
                let error = SqlError::new(code::CLAUSE, self.span(), format!("{word} is not supported"));
                return self.fail(
                    error.help("leave it out: a record's partition follows from its key, set 'key.fields'"),
                );
            }
        }
        Ok(())
    }

    /// `('key', ..)`
    fn keys(&mut self) -> Parsed<Vec<Spanned<String>>> {
        self.expect(&Token::LParen)?;
        let mut keys = vec![self.text("an option in '..'")?];
        while self.take(&Token::Comma) {
            keys.push(self.text("an option in '..'")?);
        }
        match self.take(&Token::RParen) {
            true => Ok(keys),
            false => self.unexpected("',' or ')'"),
        }
    }

    fn dropped(&mut self) -> Parsed<TableChange> {
        if self.take_words("WATERMARK") {
            return Ok(TableChange::DropWatermark);
        }
        if self.take_words("PRIMARY KEY") {
            return Ok(TableChange::DropPrimaryKey(None));
        }
        if self.take_words("CONSTRAINT") {
            let name = self.ident("the name of the constraint")?;
            return Ok(TableChange::DropPrimaryKey(Some(name)));
        }
        let columns = match self.peek() {
            Some(Token::LParen) => self.idents("the name of a column")?,
            _ => vec![self.ident("the name of a column")?],
        };
        Ok(TableChange::DropColumns(columns))
    }

    /// Behind `ADD` or `MODIFY`: one element, or several in parentheses.
    fn put(&mut self, modify: bool) -> Parsed<TableChange> {
        let mut elements = Elements { altering: true, ..Elements::default() };
        let mut positions = Vec::new();
        match self.peek() {
            Some(Token::LParen) => {
                let open = self.expect(&Token::LParen)?;
                loop {
                    let first = self.at;
                    if let Err(Failed) = self.placed(&mut elements, &mut positions) {
                        self.skip_element(first);
                    }
                    if self.list_ends(first, open)? {
                        break;
                    }
                }
            }
            _ => self.placed(&mut elements, &mut positions)?,
        }
        if let Some(second) = elements.watermarks.get(1) {
            let error = SqlError::new(code::WATERMARK, second.span, "the table has two watermarks");
            return self.fail(error.help("leave one out: event time passes in one column"));
        }
        let columns = elements.columns.into_iter().zip(positions);
        Ok(TableChange::Put {
            modify,
            columns: columns.map(|(def, position)| ColumnChange { def, position }).collect(),
            watermark: elements.watermarks.pop(),
            primary_key: elements.primary_key,
        })
    }

    /// An element with the place of its column.
    fn placed(&mut self, elements: &mut Elements, positions: &mut Vec<Option<Position>>) -> Parsed<()> {
        self.element(elements)?;
        if positions.len() == elements.columns.len() {
            return Ok(());
        }
        let position = if self.take_words("FIRST") {
            Some(Position::First)
        } else if self.take_words("AFTER") {
            Some(Position::After(self.ident("the name of a column")?))
        } else {
            None
        };
        positions.push(position);
        Ok(())
    }
}
