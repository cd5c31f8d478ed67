//! Functions of arrays, maps and rows.

use super::Function;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[];
