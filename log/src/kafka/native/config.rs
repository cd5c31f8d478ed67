//! The configuration of one client.

use super::client::Callbacks;
use super::{Code, NativeError, c_string, text_of};
use rdkafka_sys as sys;
use std::ffi::c_void;
use std::ptr::NonNull;

/// Properties of a client that is still to be made.
#[derive(Debug)]
pub(crate) struct NativeConfig {
    conf: NonNull<sys::rd_kafka_conf_t>,
}

impl NativeConfig {
    pub(crate) fn new() -> Self {
        // SAFETY: makes a new object.
        let conf = unsafe { sys::rd_kafka_conf_new() };
        NativeConfig { conf: NonNull::new(conf).expect("librdkafka ends the process when it has no memory") }
    }

    /// Sets a property.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), NativeError> {
        let (key, value) = (c_string(key)?, c_string(value)?);
        let mut reason = [0; 512];
        // SAFETY: both strings and the buffer live through the call; `conf` is ours.
        let result = unsafe {
            let reason = reason.as_mut_ptr();
            sys::rd_kafka_conf_set(self.conf.as_ptr(), key.as_ptr(), value.as_ptr(), reason, 512)
        };
        if result == sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
            return Ok(());
        }
        // SAFETY: librdkafka ends what it writes with a zero byte.
        let reason = unsafe { text_of(reason.as_ptr()) };
        Err(NativeError::with_text(Code::RD_KAFKA_RESP_ERR__INVALID_ARG, reason))
    }

    /// Lets the consumer's queue give events instead of calling back.
    pub(crate) fn enable_events(&mut self) {
        // SAFETY: `conf` is ours.
        unsafe {
            let events = sys::RD_KAFKA_EVENT_REBALANCE | sys::RD_KAFKA_EVENT_ERROR;
            sys::rd_kafka_conf_set_events(self.conf.as_ptr(), events);
        }
    }

    /// Takes what callbacks need; `callbacks` has to outlive the client.
    pub(super) fn set_callbacks(&mut self, callbacks: &Callbacks) {
        let conf = self.conf.as_ptr();
        let opaque = std::ptr::from_ref(callbacks).cast_mut().cast::<c_void>();
        // SAFETY: `conf` is ours; the functions have the signatures librdkafka asks for.
        unsafe {
            sys::rd_kafka_conf_set_opaque(conf, opaque);
            sys::rd_kafka_conf_set_log_cb(conf, Some(super::client::on_log));
            sys::rd_kafka_conf_set_error_cb(conf, Some(super::client::on_error));
        }
    }

    pub(super) fn as_ptr(&self) -> *mut sys::rd_kafka_conf_t {
        self.conf.as_ptr()
    }

    /// Hands the object over to a client.
    pub(super) fn release(self) {
        std::mem::forget(self);
    }
}

impl Drop for NativeConfig {
    fn drop(&mut self) {
        // SAFETY: `conf` is ours, and a client that took it has made us forget it.
        unsafe { sys::rd_kafka_conf_destroy(self.conf.as_ptr()) };
    }
}
