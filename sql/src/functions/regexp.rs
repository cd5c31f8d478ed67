//! Functions of regular expressions.

use super::Function;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[];
