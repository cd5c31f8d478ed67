//! Features of the language, a file each: how a plan shows that it is used, its node, and how it is lowered.

pub(crate) mod top_n;
