//! Functions of JSON texts.

use super::Function;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[];
