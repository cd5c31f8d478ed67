//! The catalog: what clients ask about tables, columns and types before anybody asks them anything.
//!
//! `psql`, drivers and tools ask tables of the schemas `pg_catalog` and `information_schema`, in PostgreSQL's SQL with all
//! that there is in it. These tables are a few hundred rows in memory, and queries over them are computed here, row by row:
//! that is small, takes whatever form a tool's query has, and leaves nothing to guess. Questions about tables of users never
//! come here.

mod cast;
mod expression;
mod frame;
mod from;
mod functions;
mod kinds;
mod operators;
mod query;
mod rows;
mod select;
mod tables;
mod value;

use crate::Table;
use crate::error::Trouble;
use crate::settings::Settings;
use crate::types::Kind;
use sqlparser::ast::{Expr, ObjectName, Query, Statement, TableFactor, Visit, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(crate) use value::Value;

/// The longest query about the catalog, in bytes: those of tools have a few thousand.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Levels of a query as it is parsed, and of its expressions, which are as deep as they are long.
const LEVELS_MAX: usize = 60;
const DEPTH_MAX: usize = 150;
/// Words of a query.
const TOKENS_MAX: usize = 8_000;
/// The stack that a query is parsed and computed on: what turns out to be too deep has been parsed by then.
const STACK_BYTES: usize = 64 << 20;

/// What there is to ask about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'w> {
    pub(crate) database: &'w str,
    pub(crate) databases: &'w [String],
    pub(crate) tables: &'w [Table],
    pub(crate) settings: &'w Settings,
    pub(crate) user: &'w str,
    pub(crate) process: u32,
    /// Whether nobody waits for the answer any longer.
    pub(crate) cancelled: &'w AtomicBool,
}

/// A query that is about nothing but the catalog.
#[derive(Debug, Clone)]
pub(crate) struct CatalogQuery {
    /// Not copied: that takes a stack, as dropping it does.
    query: Arc<Query>,
}

/// What a query comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Names and types.
    pub(crate) columns: Vec<(String, Kind)>,
    /// Values of JSON.
    pub(crate) rows: Vec<Vec<String>>,
}

/// Names of tables in a query, and those that the query gives itself.
#[derive(Default)]
struct Names {
    tables: Vec<ObjectName>,
    given: BTreeSet<String>,
    depth: usize,
    deepest: usize,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        // With arguments it is a function.
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.tables.push(name.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let given = query.with.iter().flat_map(|with| &with.cte_tables);
        self.given.extend(given.map(|given| frame::name_of(&given.alias.name)));
        ControlFlow::Continue(())
    }
}

/// Runs something on a stack that is large enough.
fn on_own_stack<T: Send>(run: impl FnOnce() -> Result<T, Trouble> + Send) -> Result<T, Trouble> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| Trouble::new("53000", format!("a thread: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Trouble::new("XX000", "a defect of millstream's catalog")))
    })
}

impl CatalogQuery {
    /// Takes a query that is about the catalog, or about no table. Nothing for any other, and for what is no query.
    pub(crate) fn parse(text: &str, is_own: impl Fn(&str) -> bool + Send) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX || crate::text::tokens(text).ok()?.len() > TOKENS_MAX {
            return None;
        }
        let parsed = on_own_stack(|| Ok(parsed(text, is_own)));
        parsed.ok().flatten()
    }

    /// The columns that it will have.
    pub(crate) fn columns(&self, world: World<'_>) -> Result<Vec<(String, Kind)>, Trouble> {
        on_own_stack(|| query::run(&self.query, &world, None)).map(|found| found.columns)
    }

    /// Computes it with these values for its parameters.
    pub(crate) fn run(&self, world: World<'_>, parameters: &[Value]) -> Result<Found, Trouble> {
        on_own_stack(|| query::run(&self.query, &world, Some(parameters)))
    }
}

fn parsed(text: &str, is_own: impl Fn(&str) -> bool) -> Option<CatalogQuery> {
    let dialect = PostgreSqlDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(LEVELS_MAX);
    let mut statements = parser.try_with_sql(text).and_then(|mut parser| parser.parse_statements()).ok()?;
    let Some(Statement::Query(query)) = statements.pop().filter(|_| statements.is_empty()) else {
        return None;
    };
    let mut names = Names::default();
    let _: ControlFlow<()> = query.visit(&mut names);
    let is_of_catalog = |name: &ObjectName| {
        let parts = frame::parts(name);
        match parts.as_slice() {
            [table] if names.given.contains(table) => true,
            [table] => !is_own(table) && tables::find(None, table).is_some(),
            [.., schema, _] => matches!(schema.as_str(), "pg_catalog" | "information_schema"),
            [] => false,
        }
    };
    let is_one = names.deepest <= DEPTH_MAX
        && names.tables.iter().all(is_of_catalog)
        && (!names.tables.is_empty() || is_answerable(&query));
    is_one.then(|| CatalogQuery { query: query.into() })
}

/// Whether a query of no table has nothing in it that only a question could.
fn is_answerable(query: &Query) -> bool {
    let (settings, cancelled) = (Settings::default(), AtomicBool::new(false));
    let (databases, tables) = (&[], &[]);
    let world = World {
        database: "",
        databases,
        tables,
        settings: &settings,
        user: "",
        process: 0,
        cancelled: &cancelled,
    };
    let unknown = ["42883", "42703", "0A000"];
    query::run(query, &world, None).map_or_else(|trouble| !unknown.contains(&trouble.state), |_| true)
}

#[cfg(test)]
mod tests;
