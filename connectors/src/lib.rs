//! What jobs read and write that is no topic.
//!
//! Each connector is a [`Feed`](millstream_operators::feed::Feed): partitions whose records are a function of the offset, so
//! that a position is all that a job has to remember of them. Rows that are made ([`datagen`], [`nexmark`]) and rows of the
//! file itself ([`values`]) are numbers to the job's log, and become rows where they are decoded; a feed of [`numbers`] counts.
//! Lines of [`files`] are records as they are. What is written goes through a topic of the job into an
//! [`Outlet`](millstream_operators::outlet::Outlet): files, each whole.

pub mod datagen;
pub mod files;
pub mod nexmark;
pub mod numbers;
pub mod values;
