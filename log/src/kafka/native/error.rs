//! What went wrong, as librdkafka says it.

use super::text_of;
use rdkafka_sys as sys;
use std::fmt;

/// An error code of librdkafka: its own are negative, the protocol's positive.
pub(crate) type Code = sys::rd_kafka_resp_err_t;

/// An error with its code, text, and what librdkafka says has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NativeError {
    pub(crate) code: Code,
    pub(crate) text: String,
    /// The client can't be used any more.
    pub(crate) is_fatal: bool,
    /// The same call with the same arguments may succeed.
    pub(crate) is_retriable: bool,
    /// The transaction has to be aborted.
    pub(crate) needs_abort: bool,
}

impl NativeError {
    /// An error with librdkafka's own text for it.
    pub(crate) fn of(code: Code) -> Self {
        // SAFETY: the text is static.
        let text = unsafe { text_of(sys::rd_kafka_err2str(code)) };
        NativeError::with_text(code, text)
    }

    pub(crate) fn with_text(code: Code, text: String) -> Self {
        NativeError { code, text, is_fatal: false, is_retriable: false, needs_abort: false }
    }

    /// An argument that librdkafka can't take.
    pub(crate) fn invalid(text: String) -> Self {
        NativeError::with_text(Code::RD_KAFKA_RESP_ERR__INVALID_ARG, text)
    }

    /// No answer came in time.
    pub(crate) fn timed_out(text: String) -> Self {
        NativeError::with_text(Code::RD_KAFKA_RESP_ERR__TIMED_OUT, text)
    }

    /// The result of a call that returns a code.
    pub(crate) fn check(code: Code) -> Result<(), NativeError> {
        match code {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(NativeError::of(code)),
        }
    }

    /// The result of a call that returns an error object, null for none. Frees it.
    ///
    /// # Safety
    /// `error` is null or an error object that nobody else owns.
    pub(crate) unsafe fn take(error: *mut sys::rd_kafka_error_t) -> Result<(), NativeError> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: not null; freed here and nowhere else, as the caller promises.
        unsafe {
            let found = NativeError::look(error);
            sys::rd_kafka_error_destroy(error);
            Err(found)
        }
    }

    /// The same for an error object that belongs to a larger result.
    ///
    /// # Safety
    /// `error` is null or lives while this runs.
    pub(crate) unsafe fn borrow(error: *const sys::rd_kafka_error_t) -> Result<(), NativeError> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: not null, and as the caller promises.
        let found = unsafe { NativeError::look(error) };
        if found.code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(found) }
    }

    /// # Safety
    /// `error` is an error object that lives while this runs.
    unsafe fn look(error: *const sys::rd_kafka_error_t) -> NativeError {
        // SAFETY: as the caller promises; the text is copied.
        unsafe {
            NativeError {
                code: sys::rd_kafka_error_code(error),
                text: text_of(sys::rd_kafka_error_string(error)),
                is_fatal: sys::rd_kafka_error_is_fatal(error) != 0,
                is_retriable: sys::rd_kafka_error_is_retriable(error) != 0,
                needs_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
            }
        }
    }
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the name is static.
        let name = unsafe { text_of(sys::rd_kafka_err2name(self.code)) };
        write!(f, "{} ({name})", self.text)
    }
}
