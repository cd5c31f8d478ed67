//! One instance of librdkafka.

use super::config::NativeConfig;
use super::producer::Deliveries;
use super::{Code, NativeError, text_of};
use crate::kafka::logging;
use rdkafka_sys as sys;
use std::ffi::{c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, PoisonError};

/// Which kind of instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    Consumer,
    Producer,
}

/// An instance. Dropping it never waits: the instance is destroyed on a thread of its own, because librdkafka may take
/// long over that, or for ever.
#[derive(Debug)]
pub(crate) struct Client {
    instance: ManuallyDrop<Instance>,
}

/// The instance and what its callbacks use.
#[derive(Debug)]
struct Instance {
    rk: NonNull<sys::rd_kafka_t>,
    callbacks: Box<Callbacks>,
}

/// What an instance's callbacks write to.
#[derive(Debug, Default)]
pub(super) struct Callbacks {
    pub(super) deliveries: Mutex<Deliveries>,
    /// Requests to end a transaction that were sent.
    pub(super) ends_sent: AtomicU32,
    /// The last thing that went wrong with a connection: the reason for a time-out that follows.
    pub(super) last_error: Mutex<String>,
}

// SAFETY: librdkafka's functions may be called from any thread, and the callbacks' data is behind locks and atomics.
unsafe impl Send for Instance {}
// SAFETY: the same.
unsafe impl Sync for Instance {}

impl Client {
    pub(crate) fn new(kind: ClientKind, mut config: NativeConfig) -> Result<Self, NativeError> {
        let callbacks = Box::<Callbacks>::default();
        config.set_callbacks(&callbacks);
        if kind == ClientKind::Producer {
            super::producer::set_callbacks(&config, &callbacks)?;
        }
        let kind = match kind {
            ClientKind::Consumer => sys::rd_kafka_type_t::RD_KAFKA_CONSUMER,
            ClientKind::Producer => sys::rd_kafka_type_t::RD_KAFKA_PRODUCER,
        };
        let mut reason = [0; 512];
        // SAFETY: the configuration is whole, the buffer as long as is said.
        let rk = unsafe { sys::rd_kafka_new(kind, config.as_ptr(), reason.as_mut_ptr(), reason.len()) };
        let Some(rk) = NonNull::new(rk) else {
            // SAFETY: librdkafka ends what it writes with a zero byte.
            let reason = unsafe { text_of(reason.as_ptr()) };
            return Err(NativeError::with_text(Code::RD_KAFKA_RESP_ERR__INVALID_ARG, reason));
        };
        config.release();
        Ok(Client { instance: ManuallyDrop::new(Instance { rk, callbacks }) })
    }

    pub(super) fn rk(&self) -> *mut sys::rd_kafka_t {
        self.instance.rk.as_ptr()
    }

    pub(super) fn callbacks(&self) -> &Callbacks {
        &self.instance.callbacks
    }

    /// The error after which the instance can't be used any more, if there was one.
    pub(crate) fn fatal_error(&self) -> Option<NativeError> {
        let mut reason = [0; 512];
        // SAFETY: the instance lives; the buffer is as long as is said, and ends with a zero byte after the call.
        let (code, text) = unsafe {
            let code = sys::rd_kafka_fatal_error(self.rk(), reason.as_mut_ptr(), reason.len());
            (code, text_of(reason.as_ptr()))
        };
        let fatal = code != Code::RD_KAFKA_RESP_ERR_NO_ERROR;
        fatal.then(|| NativeError { is_fatal: true, ..NativeError::with_text(code, text) })
    }

    /// The last thing that went wrong with a connection, for people; empty when nothing has.
    pub(crate) fn last_error(&self) -> String {
        self.callbacks().last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves callbacks, waiting up to so many milliseconds for one.
    pub(crate) fn poll(&self, timeout_ms: i32) {
        // SAFETY: the instance lives.
        unsafe { sys::rd_kafka_poll(self.rk(), timeout_ms) };
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let instance = unsafe { ManuallyDrop::take(&mut self.instance) };
        let destroy = move || {
            let instance = instance;
            // SAFETY: nobody else has the instance any more. Its callbacks live until it is gone. A consumer is not
            // closed first: that talks to the group, and who wants that has done so with a deadline.
            unsafe {
                let flags = sys::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE;
                sys::rd_kafka_destroy_flags(instance.rk.as_ptr(), flags);
            }
        };
        // Without a thread the instance stays until the process ends.
        let _ = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(destroy);
    }
}

/// A line of librdkafka's log.
pub(super) unsafe extern "C" fn on_log(
    rk: *const sys::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    line: *const c_char,
) {
    // SAFETY: librdkafka calls with strings and an instance that live through the call. A line from before there is an
    // instance comes without one.
    unsafe {
        let client = if rk.is_null() { String::new() } else { text_of(sys::rd_kafka_name(rk)) };
        logging::record(&client, level, &text_of(facility), &text_of(line));
    }
}

/// Something went wrong with the instance as a whole, mostly connections. librdkafka goes on trying.
pub(super) unsafe extern "C" fn on_error(
    rk: *mut sys::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    opaque: *mut c_void,
) {
    // Follows the errors of the connections, which say more.
    let is_general = code == Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN as c_int;
    // SAFETY: `opaque` is the instance's callbacks, which live as long as it does; strings live through the call.
    unsafe {
        let reason = text_of(reason);
        logging::record(&text_of(sys::rd_kafka_name(rk)), 4, "ERROR", &reason);
        let callbacks = &*opaque.cast::<Callbacks>();
        let mut last = callbacks.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_general || last.is_empty() {
            *last = reason;
        }
    }
}
