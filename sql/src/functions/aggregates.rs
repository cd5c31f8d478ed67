//! Aggregates that are computed of the values of a group: callable only because they stand in a table, a family a file.
//!
//! The engine keeps the values, takes them back, merges and stores them; what stands here is what becomes of them
//! ([`ValuesFunction`]). An aggregate of several arguments is one of rows of them; arguments that are constants are part
//! of the function.

mod bitmap;
mod collect;
mod json;
mod list;
mod percentile;
mod picks;
mod squares;
mod udaf;

pub(crate) use squares::squares;
pub(crate) use udaf::{Listed, callable};

use super::Arg;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF};
use millstream_operators::aggregate::{AggregateFunction, ValuesFunction};
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// An aggregate of the language.
pub(crate) struct Aggregate {
    /// Its names as Flink has them, in upper case, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// As documented.
    pub(crate) signature: &'static str,
    /// The places of arguments that are constants. All others are values.
    pub(crate) constants: &'static [usize],
    /// What the engine computes for it, where that takes less than all values.
    pub(crate) engine: Option<AggregateFunction>,
    /// The aggregate of such arguments, or what is wrong with them, in plain words behind its name. A constant that is
    /// not known yet is any.
    pub(crate) make: fn(&[Arg<'_>]) -> Result<Arc<dyn ValuesFunction>, String>,
    /// Expressions over rows and what Flink gives for them: `("LISTAGG(s)", "(VALUES ('a'), ('b')) AS t(s)", "a,b")`.
    #[cfg_attr(not(test), allow(dead_code, reason = "they are tests, and lines of the reference"))]
    pub(crate) examples: &'static [(&'static str, &'static str, &'static str)],
}

impl std::fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.signature)
    }
}

/// Every aggregate, family by family.
pub(crate) fn table() -> impl Iterator<Item = &'static Aggregate> {
    let families = [
        bitmap::AGGREGATES,
        collect::AGGREGATES,
        json::AGGREGATES,
        list::AGGREGATES,
        percentile::AGGREGATES,
        picks::AGGREGATES,
    ];
    families.into_iter().flatten()
}

/// The value that is aggregated of the arguments that are values: the only one, or a row of all.
pub(crate) fn packed(values: Vec<Expr>) -> Option<Expr> {
    match values.len() {
        0 | 1 => values.into_iter().next(),
        _ => Some(Expr::ScalarFunction(ScalarFunction::new_udf(row()?, values))),
    }
}

fn row() -> Option<Arc<ScalarUDF>> {
    let function = super::table().find(|function| function.names == ["ROW"])?;
    Some(super::wrap(function))
}

/// Checks how many arguments there are.
fn count(args: &[Arg<'_>], least: usize, most: usize) -> Result<(), String> {
    match (least..=most).contains(&args.len()) {
        true => Ok(()),
        false if least == most => Err(format!("takes {least} arguments, not {}", args.len())),
        false => Err(format!("takes {least} to {most} arguments, not {}", args.len())),
    }
}

/// Says that an argument is none that is taken.
fn no(what: &str, found: &Arg<'_>) -> String {
    format!("takes {what}, not {}", sql_type(found.data_type))
}
