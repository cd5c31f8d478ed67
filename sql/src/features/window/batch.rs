//! Windows as plain expressions, as a batch engine can be asked for them.

use super::node::{WindowKind, WindowSpec, WindowTable};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

/// Every row once for each window it is in. Sessions have no bounds of their own.
pub(super) fn every_window(table: &WindowTable) -> Option<Result<LogicalPlan>> {
    match table.window {
        WindowKind::Fixed(window) => Some(each_of(table, window)),
        WindowKind::Session(_) => None,
    }
}

fn each_of(table: &WindowTable, window: WindowSpec) -> Result<LogicalPlan> {
    let WindowSpec { size_ms, slide_ms, offset_ms, cumulates } = window;
    let millis = DataType::Timestamp(TimeUnit::Millisecond, None);
    let time = cast(cast(table.time.clone(), millis.clone()), DataType::Int64);
    let since =
        |length_ms: i64| ((time.clone() - lit(offset_ms)) % lit(length_ms) + lit(length_ms)) % lit(length_ms);
    let mut all: Option<LogicalPlanBuilder> = None;
    let schema = table.schema_ref();
    let added = schema.fields().len() - 3;
    let qualifier = schema.qualified_field(added).0.cloned();
    let time_type = schema.field(added + 2).data_type().clone();
    for earlier in 0..size_ms / slide_ms {
        // Cumulating: the window that is this many steps shorter than the longest.
        let (start, length_ms) = match cumulates {
            false => (time.clone() - since(slide_ms) - lit(earlier * slide_ms), size_ms),
            true => (time.clone() - since(size_ms), size_ms - earlier * slide_ms),
        };
        let bound = |shift: i64| cast(start.clone() + lit(shift), millis.clone());
        let named = |expr: Expr, name: &str| expr.alias_qualified(qualifier.clone(), name);
        let columns = table.input.schema().iter().map(Expr::from).chain([
            named(bound(0), "window_start"),
            named(bound(length_ms), "window_end"),
            named(cast(bound(length_ms - 1), time_type.clone()), "window_time"),
        ]);
        let inside = (time.clone() - start.clone()).lt(lit(length_ms));
        let part = LogicalPlanBuilder::from(table.input.clone()).filter(inside)?;
        let part = part.project(columns.collect::<Vec<_>>())?;
        all = Some(match all {
            None => part,
            Some(all) => all.union(part.build()?)?,
        });
    }
    // A union forgets which table its columns are of.
    let qualified = schema.iter().map(|(qualifier, field)| {
        Expr::Column(Column::new_unqualified(field.name())).alias_qualified(qualifier.cloned(), field.name())
    });
    match all {
        Some(all) if size_ms > slide_ms => all.project(qualified.collect::<Vec<_>>())?.build(),
        Some(all) => all.build(),
        None => plan_err!("no windows"),
    }
}
