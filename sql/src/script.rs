//! The text of a file as statements.
//!
//! Words are those of sqlparser's tokenizer; statements are read by recursive descent, as Flink writes them. Queries
//! and expressions stay words ([`Tokens`]) until the planner reads them. After an error reading goes on at the next
//! column, option or statement, so that one run reports what is wrong with the whole file.

mod change;
mod columns;
mod create;
mod dialect;
mod function;
mod hints;
mod lexer;
mod like;
mod parser;
mod refused;
mod show;
mod statement;
mod types;

use crate::error::{Span, SqlError, code};
use crate::explain::Shows;
use crate::functions::values::detail::{Detail, TimeDigits};
use arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::tokenizer::{Span as LineSpan, Token, TokenWithSpan};
use millstream_operators::columns::map_type;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) use change::{Change, ColumnChange, Position, TableChange};
pub(crate) use dialect::FlinkDialect;
pub(crate) use lexer::Positions;
pub(crate) use like::{Feature, Like, Merging};
pub(crate) use parser::found_word;
pub(crate) use show::{Filter, Show, Shown};

/// The catalog that tables are in, as Flink calls the one that is always there.
pub(crate) const CATALOG: &str = "default_catalog";
/// The database of it that they are in.
pub(crate) const DATABASE: &str = "default_database";

/// A name of the text, without its backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ident {
    pub value: String,
    pub span: Span,
}

/// Something that stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// The words of an expression or a query, without white space and comments. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tokens {
    /// The words, with places in lines and columns; [`Positions`] turns these into bytes.
    pub tokens: Vec<TokenWithSpan>,
    /// Hints between them.
    pub hints: Vec<Hint>,
    /// From the first word to the last.
    pub span: Span,
}

/// `NAME(..)` of `/*+ NAME(..), .. */`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    /// The word that it stands behind.
    pub after: LineSpan,
    pub name: Ident,
    /// `'key' = 'value'`, none twice.
    pub options: Options,
    /// What else stands in its parentheses.
    pub names: Vec<Ident>,
    pub span: Span,
}

impl Hint {
    /// Whether it is called so, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.value.eq_ignore_ascii_case(name)
    }
}

/// `'key' = 'value', ..`
pub(crate) type Options = Vec<(Spanned<String>, Spanned<String>)>;

impl Tokens {
    /// The words that may be names.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match &token.token {
            Token::Word(word) => Some(word.value.as_str()),
            _ => None,
        })
    }
}

/// The statements of a file.
#[derive(Debug)]
pub(crate) struct Script {
    /// The statements that could be read, in their order.
    pub statements: Vec<Statement>,
    /// Names of tables and views whose definition could not be read: queries that use them are not to blame.
    pub broken: Vec<Ident>,
    /// From lines and columns to bytes.
    pub positions: Positions,
}

/// Another name for a function of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateFunction {
    pub name: Ident,
    pub if_not_exists: bool,
    /// What it is registered as.
    pub of: Spanned<String>,
    pub span: Span,
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::enum_variant_names, reason = "a statement set is called so")]
pub(crate) enum Statement {
    CreateTable(CreateTable),
    CreateView(CreateView),
    Insert(Insert),
    /// `EXECUTE STATEMENT SET BEGIN .. END`: one job of several insertions.
    StatementSet(Vec<Insert>),
    Set {
        key: Spanned<String>,
        value: Spanned<String>,
    },
    /// `RESET`, of one key or of all.
    Reset {
        key: Option<Spanned<String>>,
        span: Span,
    },
    /// `CREATE FUNCTION`.
    CreateFunction(CreateFunction),
    /// `DROP` and `ALTER`.
    Change(Change),
    /// `USE` of the one catalog or the one database that there are.
    Use(Span),
    /// `SHOW`, `DESCRIBE`, and `SET` alone.
    Show(Show),
    /// `EXPLAIN` of an [`Statement::Insert`], [`Statement::StatementSet`] or [`Statement::Select`].
    Explain(Box<Statement>, Shows),
    /// A query alone: only inside [`Statement::Explain`].
    Select {
        query: Tokens,
    },
}

/// `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreateTable {
    pub name: Ident,
    pub if_not_exists: bool,
    pub temporary: bool,
    pub columns: Vec<ColumnDef>,
    pub watermarks: Vec<WatermarkDef>,
    pub primary_key: Option<PrimaryKeyDef>,
    pub comment: Option<String>,
    pub partitions: Option<Partitions>,
    /// The options of `WITH`, none twice.
    pub options: Options,
    /// The table that it takes columns and options of.
    pub like: Option<Like>,
    /// The query of `CREATE TABLE .. AS`, which gives it columns and is written to it.
    pub query: Option<Tokens>,
    /// Names alone, in the place of columns: the order of those of the query.
    pub order: Vec<Ident>,
    /// The whole statement.
    pub span: Span,
}

/// `PARTITIONED BY (a, b)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partitions {
    pub columns: Vec<Ident>,
    pub span: Span,
}

/// A column of `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnDef {
    pub name: Ident,
    pub kind: ColumnDefKind,
    pub comment: Option<String>,
}

/// What a column is declared as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ColumnDefKind {
    Physical(DeclaredType),
    Computed { expr: Tokens },
    Metadata { declared: DeclaredType, from: Option<Spanned<String>>, virtual_: bool },
}

/// A data type, as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeclaredType {
    pub data_type: Spanned<DataType>,
    pub nullable: bool,
    /// What it says beyond Arrow's type.
    pub detail: Detail,
    /// Whether texts or bytes inside of an array, a map or a row have a length.
    pub inner_length: bool,
}

/// `WATERMARK FOR column AS expr`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WatermarkDef {
    pub column: Ident,
    pub expr: Tokens,
    pub span: Span,
}

/// `PRIMARY KEY (..) NOT ENFORCED`, for the table or behind a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrimaryKeyDef {
    /// What `CONSTRAINT` calls it.
    pub name: Option<String>,
    pub columns: Vec<Ident>,
    pub span: Span,
}

/// `CREATE VIEW`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreateView {
    pub name: Ident,
    pub columns: Option<Vec<Ident>>,
    pub query: Tokens,
    pub if_not_exists: bool,
    pub temporary: bool,
    pub comment: Option<String>,
    pub span: Span,
}

/// `INSERT INTO`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Insert {
    pub target: Ident,
    /// Hints behind the table's name.
    pub hints: Vec<Hint>,
    /// The columns that are named; empty when none are.
    pub columns: Vec<Ident>,
    /// `SELECT ..`, `VALUES ..`, `WITH ..`.
    pub query: Tokens,
    pub on_conflict: Option<OnConflict>,
    /// The whole statement.
    pub span: Span,
}

/// What is done with rows of a query that are different ones for the query and the same one for the table's primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// The table has the last of those that are there.
    Deduplicate,
}

impl Statement {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Statement::CreateTable(table) => table.span,
            Statement::CreateView(view) => view.span,
            Statement::CreateFunction(function) => function.span,
            Statement::Insert(insert) => insert.span,
            Statement::StatementSet(inserts) => match (inserts.first(), inserts.last()) {
                (Some(first), Some(last)) => first.span.to(last.span),
                _ => Span::default(),
            },
            Statement::Set { key, value } => key.span.to(value.span),
            Statement::Reset { span, .. } | Statement::Use(span) => *span,
            Statement::Change(change) => change.span,
            Statement::Show(show) => show.span,
            Statement::Explain(inner, _) => inner.span(),
            Statement::Select { query } => query.span,
        }
    }

    /// The table or view that it makes.
    pub(crate) fn makes(&self) -> Option<(&Ident, bool)> {
        match self {
            Statement::CreateTable(table) => Some((&table.name, table.if_not_exists)),
            Statement::CreateView(view) => Some((&view.name, view.if_not_exists)),
            _ => None,
        }
    }

    /// Whether it changes what tables, views and settings there are, and does nothing else.
    pub(crate) fn declares(&self) -> bool {
        matches!(
            self,
            Statement::CreateTable(_)
                | Statement::CreateView(_)
                | Statement::CreateFunction(_)
                | Statement::Change(_)
                | Statement::Use(_)
                | Statement::Set { .. }
                | Statement::Reset { .. }
        )
    }
}

/// Reads the text of a file. All errors it has are returned; what could be read is, too.
pub(crate) fn parse(text: &str) -> (Script, Vec<SqlError>) {
    let lexed = lexer::lex(text);
    let (read, broken, mut errors) = parser::Parser::new(&lexed, text.len()).script();
    errors.extend(lexed.errors);
    let statements = without_repetitions(read, &mut errors);
    errors.sort_by_key(|error| error.span);
    (Script { statements, broken, positions: Positions::new(text) }, errors)
}

/// Reads the text of an array's, a map's or a row's type. What is in it may be null.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn nested_type(text: &str) -> Result<(DataType, Option<TimeDigits>), String> {
    let lexed = lexer::lex(text);
    let mut parser = parser::Parser::new(&lexed, text.len());
    let read = parser.data_type();
    match (read, parser.errors.first(), parser.at == lexed.tokens.len()) {
        (Ok(DeclaredType { inner_length: true, .. }), None, _) => {
            Err("texts and bytes with a length inside of a type are not supported yet".to_owned())
        }
        (Ok(read), None, true) => Ok((nullable(&read.data_type.value), read.detail.digits)),
        (_, Some(error), _) => Err(error.message.clone()),
        _ => Err("the type can't be read".to_owned()),
    }
}

/// The same type, of whose parts each may be null.
fn nullable(data_type: &DataType) -> DataType {
    let part = |field: &Field| field.clone().with_data_type(nullable(field.data_type())).with_nullable(true);
    match data_type {
        DataType::List(item) => DataType::List(Arc::new(part(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| part(field)).collect()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                map_type(nullable(pair[0].data_type()), nullable(pair[1].data_type()))
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

/// Refuses what makes a table or view of a name that there is already, unless it says `IF NOT EXISTS`.
fn without_repetitions(statements: Vec<Statement>, errors: &mut Vec<SqlError>) -> Vec<Statement> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let is_new = |statement: &Statement| {
        if let Statement::Change(change) = statement {
            change.renames(&mut names);
            return true;
        }
        let Some((name, if_not_exists)) = statement.makes() else { return true };
        let new = names.insert(name.value.clone());
        let fills = matches!(statement, Statement::CreateTable(CreateTable { query: Some(_), .. }));
        if !new && if_not_exists && fills {
            return true;
        }
        if !new && !if_not_exists {
            let message = format!("there is already a table or view \"{}\"", name.value);
            errors.push(SqlError::new(code::SYNTAX, name.span, message).help("give it another name"));
        }
        new
    };
    statements.into_iter().filter(is_new).collect()
}
