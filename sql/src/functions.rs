//! Functions: what may be called in an expression, and what it means.
//!
//! A function is callable only because it stands in a table of this module, and it stands there only with Flink's
//! meaning: types, nulls, bounds and errors; or because a program has registered it ([`user`]). Each family is a file with one table, [`Function`] by [`Function`]; its
//! examples are its tests and its lines in the reference. DataFusion's own functions are not callable by their names.
//!
//! What a function can't compute for a row is that row's error ([`Failed`]), never a panic, and never a wrong value.

pub(crate) mod aggregates;
mod array;
mod bitmap;
mod call;
pub(crate) mod casting;
mod collection;
mod common;
mod conditional;
mod elements;
mod encoding;
#[cfg(test)]
mod facts;
mod hash;
mod json;
pub(crate) mod like;
mod map;
mod math;
pub(crate) mod operators;
mod printf;
mod regexp;
mod search;
mod signature;
mod string;
mod substring;
mod temporal;
pub(crate) mod time;
mod udf;
mod url;
pub(crate) mod user;
mod utf16;
pub(crate) mod values;

pub(crate) use call::{Call, Column};
pub(crate) use collection::{ARRAY, ITEM, MAP};
pub(crate) use json::clauses::MARK as JSON_MARK;
pub(crate) use signature::{Arg, Param, Typed, fixed, variadic};
pub(crate) use udf::{function_of, of_typed, unzoned, wrap, zone_of};
pub(crate) use values::parse;

use arrow::array::ArrayRef;
use arrow::error::ArrowError;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;
use time::zone::Zone;

/// A function of the language: callable only because it is in a table of a family, and means what Flink means by it.
pub(crate) struct Function {
    /// Its names as Flink has them, in upper case, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// As documented: `REGEXP_REPLACE(string, regex, replacement)`.
    pub(crate) signature: &'static str,
    /// What types arguments are cast to and what type the result has, by the arguments as they are written; or what is
    /// wrong with them, in plain words behind the function's name: `takes a string, not INT`. Asked again with the
    /// types it gave, it gives the same.
    pub(crate) types: fn(&[Arg<'_>]) -> Result<Typed, String>,
    /// The values, one a row of the call and of the result's type. The same row gives the same value in whatever batch.
    pub(crate) eval: fn(&Call<'_>) -> Result<ArrayRef, Failed>,
    /// Whether there are rows for which it fails.
    pub(crate) fails: bool,
    /// Expressions of SQL and what Flink gives for them, as it prints values: `("UPPER('a')", "A")`.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.signature)
    }
}

/// Why there is no value for a row, in plain words. Which row it is is found by whoever evaluates the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Failed(reason)
    }
}

impl From<&str> for Failed {
    fn from(reason: &str) -> Self {
        Failed(reason.to_owned())
    }
}

impl From<ArrowError> for Failed {
    fn from(error: ArrowError) -> Self {
        Failed(error.to_string())
    }
}

/// Every function, family by family.
pub(crate) fn table() -> impl Iterator<Item = &'static Function> {
    let families = [
        array::FUNCTIONS,
        bitmap::FUNCTIONS,
        collection::FUNCTIONS,
        conditional::FUNCTIONS,
        encoding::FUNCTIONS,
        hash::FUNCTIONS,
        json::FUNCTIONS,
        map::FUNCTIONS,
        printf::FUNCTIONS,
        regexp::FUNCTIONS,
        search::FUNCTIONS,
        string::FUNCTIONS,
        substring::FUNCTIONS,
        url::FUNCTIONS,
        temporal::FUNCTIONS,
        math::FUNCTIONS,
    ];
    families.into_iter().flatten()
}

/// Every function as DataFusion's planner calls it in a session of this zone, by its names in lower case.
pub(crate) fn callable(zone: Zone) -> impl Iterator<Item = (String, Arc<ScalarUDF>)> {
    table().flat_map(move |function| {
        let udf = udf::wrap_in_zone(function, zone);
        function.names.iter().map(move |name| (name.to_lowercase(), Arc::clone(&udf)))
    })
}
