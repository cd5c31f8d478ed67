//! Functions that a program has written in Rust, to be called in SQL: closures with a name and a version.
//!
//! Types of SQL follow from those of the closure ([`value`]). A function is called like one of the language's: its
//! arguments are widened, a null that it does not take gives null, and what it can't compute is the row's error, be it an
//! `Err` or a panic. No function hides one of Flink's, whether that is built or not. Name and version are what a job's
//! state is known by (`docs/upgrades.md`).
//!
//! | function | is for the planner | is when it runs |
//! |---|---|---|
//! | of a row ([`scalar`]) | a scalar function | a part of an expression |
//! | of a table ([`table`]) | a scalar function with an array of rows, below `LATERAL TABLE` | that, and `Unnest` |
//! | of many rows ([`aggregate`]) | an aggregate | a state by group, or all values of a group |

pub(crate) mod aggregate;
mod args;
mod scalar;
mod table;
mod types;
mod value;

pub use aggregate::{Aggregate, Fold};
pub use args::{Argument, Parameter, Rows};
pub use scalar::ScalarFunction;
pub use table::{TableFunction, TableRow, TableRows};
pub use types::{Date, Decimal, Timestamp, TimestampLtz};
pub use value::{Returned, Room, Value};

pub(crate) use aggregate::of_users as aggregate_of;
pub(crate) use scalar::{UserScalar, of_users as scalar_of};

use crate::error::{SqlErrors, nearest};
use crate::plan::{Beside, SqlJob};
use crate::query::is_builtin;
use crate::script::FlinkDialect;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;
use datafusion::sql::sqlparser::keywords::{RESERVED_FOR_COLUMN_ALIAS, RESERVED_FOR_TABLE_ALIAS};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use millstream_operators::typed::Row;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How long a function's name may be.
const NAME_BYTES_MAX: usize = 128;

/// Functions that SQL may call beside those of the language.
///
/// Each has a name, in any case, and a version. **Give it another version when it computes something else**: a job's state is
/// known by both, so a job with state made by the old one is refused, and not carried on with the new one.
///
/// A function gives the same for the same arguments: no clock, no chance, no I/O, nothing kept from one row to the next.
/// What is computed once is computed again after a crash, and when a row is taken back.
///
/// ```
/// # use millstream_sql as sql;
/// let mut functions = sql::user::Functions::new();
/// functions.scalar("slug", 1, |title: &str| title.to_lowercase().replace(' ', "-"))?;
/// let job = functions.plan("job.sql", "
///     CREATE TABLE pages (title STRING) WITH ('connector' = 'kafka', 'topic' = 'pages', 'format' = 'json');
///     CREATE TABLE slugs (slug STRING) WITH ('connector' = 'kafka', 'topic' = 'slugs', 'format' = 'json');
///     INSERT INTO slugs SELECT SLUG(title) FROM pages;
/// ")?;
/// assert!(!job.topology.nodes().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Functions {
    /// By name in lower case.
    listed: BTreeMap<String, Listed>,
}

/// A function as the planner calls it.
#[derive(Clone)]
enum Listed {
    Scalar(Arc<ScalarUDF>),
    Table(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
}

/// Why a function can't be called in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionError {
    /// It is no name, or a word that means something else.
    Name(String),
    /// Flink has a function of this name, which would mean something else in another place.
    BuiltIn(String),
    /// There is one of this name.
    Registered(String),
    /// A table function has other columns than names for them.
    Columns {
        /// The function.
        function: String,
        /// Columns of its rows.
        columns: usize,
        /// Names that were given.
        names: usize,
    },
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FunctionError::Name(name) => {
                write!(
                    f,
                    "\"{name}\" can't be called in SQL: take a name of letters, digits and _ that is no word of SQL"
                )
            }
            FunctionError::BuiltIn(name) => {
                write!(
                    f,
                    "{} is a function of Flink's, which a function of a program can't hide: take another name",
                    name.to_uppercase()
                )
            }
            FunctionError::Registered(name) => {
                write!(f, "there is already a function {name}: take another name, case does not count")
            }
            FunctionError::Columns { function, columns, names } => {
                write!(
                    f,
                    "rows of {function} have {columns} columns, and it was given {names} names: name each, none twice"
                )
            }
        }
    }
}

impl std::error::Error for FunctionError {}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.listed.keys()).finish()
    }
}

impl Functions {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A function of a row: a closure of at most eight arguments of types that are [`Argument`]s, whose result is
    /// [`Returned`].
    ///
    /// ```
    /// # let mut functions = millstream_sql::user::Functions::new();
    /// functions.scalar("area", 1, |width: f64, height: f64| width * height)?;
    /// // A null is an argument like others where it is an `Option`, and else gives null.
    /// functions.scalar("shown", 1, |name: Option<&str>| name.unwrap_or("nobody").to_owned())?;
    /// // An error is the row's: 'scan.bad-records' of its table says what becomes of it.
    /// functions.scalar("port", 1, |text: &str| text.parse::<i32>().map_err(|error| format!("{text}: {error}")))?;
    /// # Ok::<(), millstream_sql::user::FunctionError>(())
    /// ```
    ///
    /// # Errors
    /// When it can't have this name.
    pub fn scalar<S>(
        &mut self,
        name: &str,
        version: u32,
        function: impl ScalarFunction<S>,
    ) -> Result<&mut Self, FunctionError> {
        let key = self.free(name)?;
        self.listed.insert(key, Listed::Scalar(scalar::udf(name, version, function)));
        Ok(self)
    }

    /// A function of a table, which gives rows for each row: a closure that gives a `Vec`, an `Option` or a `Result` of one.
    /// Rows are values or tuples of them, with a name for each column.
    ///
    /// ```
    /// # let mut functions = millstream_sql::user::Functions::new();
    /// functions.table("words", 1, &["word", "length"], |text: &str| {
    ///     text.split(' ').map(|word| (word.to_owned(), word.len() as i32)).collect::<Vec<_>>()
    /// })?;
    /// // FROM lines, LATERAL TABLE(words(text)) AS w (word, length)
    /// # Ok::<(), millstream_sql::user::FunctionError>(())
    /// ```
    ///
    /// # Errors
    /// When it can't have this name, or a column has none.
    pub fn table<S>(
        &mut self,
        name: &str,
        version: u32,
        columns: &[&str],
        function: impl TableFunction<S>,
    ) -> Result<&mut Self, FunctionError> {
        let key = self.free(name)?;
        self.listed.insert(key, Listed::Table(table::udf(name, version, columns, function)?));
        Ok(self)
    }

    /// A function of many rows: what it keeps of a group, how a row goes into that, and its result. See [`Aggregate`].
    ///
    /// ```
    /// # use millstream_sql::user::{Aggregate, Functions};
    /// # let mut functions = Functions::new();
    /// // The geometric mean: a sum of logarithms, and how many there are.
    /// let mean = Aggregate::new(
    ///     |(sum, count): &mut (f64, u64), value: f64| {
    ///         *sum += value.ln();
    ///         *count += 1;
    ///     },
    ///     |(sum, count): &(f64, u64)| (*count > 0).then(|| (sum / *count as f64).exp()),
    /// );
    /// functions.aggregate("geometric_mean", 1, mean)?;
    /// # Ok::<(), millstream_sql::user::FunctionError>(())
    /// ```
    ///
    /// # Errors
    /// When it can't have this name.
    pub fn aggregate<State: Row + Default, S>(
        &mut self,
        name: &str,
        version: u32,
        function: Aggregate<State, S>,
    ) -> Result<&mut Self, FunctionError> {
        let key = self.free(name)?;
        self.listed.insert(key, Listed::Aggregate(aggregate::udaf(name, version, function)));
        Ok(self)
    }

    /// Plans the statements of a file that may call them, as [`crate::plan()`] does.
    ///
    /// # Errors
    /// Everything that is wrong with the file; show it to the user.
    pub fn plan(&self, file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
        let beside = Beside { functions: self.clone(), ..Beside::default() };
        crate::plan::plan_with(&beside, file_name, text)
    }

    /// The name in lower case, when a function can have it.
    fn free(&self, name: &str) -> Result<String, FunctionError> {
        self.check_name(name).map(|()| name.to_lowercase())
    }

    fn check_name(&self, name: &str) -> Result<(), FunctionError> {
        let is_name = name.len() <= NAME_BYTES_MAX
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if is_name && is_builtin(name) {
            return Err(FunctionError::BuiltIn(name.to_owned()));
        }
        if !is_name || !is_called(name) {
            return Err(FunctionError::Name(name.chars().take(NAME_BYTES_MAX).collect()));
        }
        match self.listed.contains_key(&name.to_lowercase()) {
            true => Err(FunctionError::Registered(name.to_owned())),
            false => Ok(()),
        }
    }

    /// Calls a function by another name, too.
    ///
    /// # Errors
    /// When there is no such function, or it can't have this name.
    pub(crate) fn add_name(&mut self, name: &str, of: &str) -> Result<(), String> {
        let Some(listed) = self.listed.get(&of.to_lowercase()).cloned() else {
            let known: Vec<&str> = self.listed.keys().map(String::as_str).collect();
            return Err(match nearest(of, known.iter().copied()) {
                Some(near) => format!("no function \"{of}\" is registered: did you mean {near}?"),
                None if known.is_empty() => format!("no function \"{of}\" is registered, nor is another"),
                None => format!("no function \"{of}\" is registered; there are {}", known.join(", ")),
            });
        };
        if name.eq_ignore_ascii_case(of) {
            return Ok(());
        }
        self.check_name(name).map_err(|error| error.to_string())?;
        self.listed.insert(name.to_lowercase(), listed);
        Ok(())
    }

    /// The names of all, in lower case, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.listed.keys().map(String::as_str)
    }

    /// Whether there is one of this name in lower case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.listed.contains_key(name)
    }

    /// The function of a row of this name in lower case.
    pub(crate) fn scalar_named(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        match self.listed.get(name) {
            Some(Listed::Scalar(udf)) => Some(Arc::clone(udf)),
            _ => None,
        }
    }

    /// The function of a table of this name in lower case.
    pub(crate) fn table_named(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        match self.listed.get(name) {
            Some(Listed::Table(udf)) => Some(Arc::clone(udf)),
            _ => None,
        }
    }

    /// The function of many rows of this name in lower case.
    pub(crate) fn aggregate_named(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        match self.listed.get(name) {
            Some(Listed::Aggregate(udaf)) => Some(Arc::clone(udaf)),
            _ => None,
        }
    }
}

/// Whether a name with arguments behind it is a call of it.
fn is_called(name: &str) -> bool {
    let is_reserved = match Token::make_keyword(name) {
        Token::Word(word) => {
            RESERVED_FOR_COLUMN_ALIAS.contains(&word.keyword)
                || RESERVED_FOR_TABLE_ALIAS.contains(&word.keyword)
        }
        _ => true,
    };
    if is_reserved {
        return false;
    }
    let dialect = FlinkDialect::of_words(8);
    let parser = Parser::new(&dialect).try_with_sql(&format!("{name}(a, b)"));
    let read = parser.and_then(|mut parser| parser.parse_expr());
    matches!(read, Ok(SqlExpr::Function(call)) if call.name.to_string().eq_ignore_ascii_case(name))
}
