//! Streams of changes into other streams of changes: an upsert stream as rows with what they replace, and rows without a
//! key of their own as upserts.

pub(crate) mod materialize;
pub(crate) mod normalize;
