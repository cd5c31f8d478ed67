//! Functions that stand with `OVER` only, beside the ranks: how they are planned, and a batch engine's answer.

use datafusion::functions_window::lead_lag::lag_udwf;
use datafusion::functions_window::nth_value::{first_value_udwf, last_value_udwf};
use datafusion::logical_expr::{WindowFunctionDefinition, WindowUDF};
use std::sync::Arc;

/// A function by its name, in any case.
pub(crate) fn named(name: &str) -> Option<Arc<WindowUDF>> {
    [lag_udwf(), first_value_udwf(), last_value_udwf()]
        .into_iter()
        .find(|function| function.name().eq_ignore_ascii_case(name))
}

/// The name of a window function that is no aggregate.
pub(super) fn name_of(definition: &WindowFunctionDefinition) -> Option<&str> {
    match definition {
        WindowFunctionDefinition::WindowUDF(function) => Some(function.name()),
        WindowFunctionDefinition::AggregateUDF(_) => None,
    }
}
