//! Functions that choose between values.

use super::Function;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[];
