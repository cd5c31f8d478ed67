//! librdkafka behind a safe interface: the one module of the project with unsafe code.
//!
//! Why not the `rdkafka` crate's own clients: they leave out the offset of an end of partition, the text of a broker's
//! refusal, group metadata, the interceptors that count the ends of transactions, and batches both ways; their
//! consumers' `Drop` may wait for ever, and their transactional calls wait in slices of 100 ms.
//!
//! What every function here may rely on: a [`Client`] owns its `rd_kafka_t` and everything its callbacks point to until
//! the instance is destroyed; librdkafka's functions may be called from any thread; what they return by pointer is
//! copied before the call that gave it returns, or owned by a type whose `Drop` frees it.

#![allow(unsafe_code)]

mod admin;
mod client;
mod config;
mod consumer;
mod error;
mod list;
mod message;
mod producer;

pub(crate) use admin::TopicView;
pub(crate) use client::{Client, ClientKind};
pub(crate) use config::NativeConfig;
pub(crate) use consumer::{Consumer, ConsumerEvent};
pub(crate) use error::{Code, NativeError};
pub(crate) use list::{ListItem, PartitionList};
pub(crate) use message::{Message, Messages};
pub(crate) use producer::{Delivery, Producer, ProducerTopic};

use std::ffi::{CStr, CString, c_char};

/// Text for librdkafka. Nothing that goes there may hold a zero byte.
fn c_string(text: &str) -> Result<CString, NativeError> {
    CString::new(text)
        .map_err(|_| NativeError::invalid(format!("a zero byte in \"{}\"", text.escape_default())))
}

/// A copy of text of librdkafka's; empty for none.
///
/// # Safety
/// `text` is null or points to a string that ends with a zero byte and lives while this runs.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A time-out as librdkafka takes it, milliseconds.
fn timeout_ms(timeout: std::time::Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}
