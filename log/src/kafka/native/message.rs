//! Records as they were fetched.

use super::{Code, NativeError, text_of};
use rdkafka_sys as sys;
use std::ffi::{CStr, c_void};

/// Messages of one call, owned until they are cleared.
#[derive(Debug)]
pub(crate) struct Messages {
    /// Room for so many; the first `count` are messages, the rest is not looked at.
    room: Vec<*mut sys::rd_kafka_message_t>,
    count: usize,
}

// SAFETY: messages may be used and freed on any thread.
unsafe impl Send for Messages {}

/// A message, or an event that librdkafka delivers as one: an error, the end of a partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    message: &'a sys::rd_kafka_message_t,
}

impl Messages {
    /// Room for so many messages at once.
    pub(crate) fn with_room(room: usize) -> Self {
        Messages { room: vec![std::ptr::null_mut(); room], count: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        // SAFETY: the first `count` were given by librdkafka and are freed only by `clear`, which borrows mutably.
        self.room[..self.count].iter().map(|message| Message { message: unsafe { &**message } })
    }

    pub(crate) fn clear(&mut self) {
        for message in &self.room[..self.count] {
            // SAFETY: ours, and freed once: `count` is set to 0 before anybody looks again.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
        self.count = 0;
    }

    /// Fills the room that is left from a queue, waiting up to so many milliseconds for all of it.
    ///
    /// # Safety
    /// `queue` is a queue of a live consumer.
    pub(super) unsafe fn fill(&mut self, queue: *mut sys::rd_kafka_queue_t, timeout_ms: i32, at_most: usize) {
        let room = &mut self.room[self.count..];
        let size = room.len().min(at_most);
        // SAFETY: as the caller promises; librdkafka writes no more than `size` pointers and says how many.
        let count = unsafe { sys::rd_kafka_consume_batch_queue(queue, timeout_ms, room.as_mut_ptr(), size) };
        self.count += usize::try_from(count).unwrap_or(0);
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<'a> Message<'a> {
    /// A number that two messages have in common, among those of one [`Messages`], if they are of one topic.
    pub(crate) fn topic_key(&self) -> usize {
        self.message.rkt.addr()
    }

    /// Name of the topic; empty for an error of the whole client.
    pub(crate) fn topic(&self) -> &'a str {
        if self.message.rkt.is_null() {
            return "";
        }
        // SAFETY: the message keeps its topic alive, and the topic its name. Names are ASCII.
        unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(self.message.rkt)) }.to_str().unwrap_or_default()
    }

    pub(crate) fn partition(&self) -> u32 {
        u32::try_from(self.message.partition).unwrap_or(u32::MAX)
    }

    /// Its offset; for the end of a partition the offset that would be read next. Negative for none.
    pub(crate) fn offset(&self) -> i64 {
        self.message.offset
    }

    pub(crate) fn code(&self) -> Code {
        self.message.err
    }

    /// What is wrong, when something is.
    pub(crate) fn error(&self) -> Option<NativeError> {
        // SAFETY: for an error, librdkafka gives text that lives as long as the message.
        let text = || unsafe { text_of(sys::rd_kafka_message_errstr(self.message)) };
        let code = self.code();
        (code != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| NativeError::with_text(code, text()))
    }

    pub(crate) fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: the message owns its key.
        unsafe { bytes(self.message.key, self.message.key_len) }
    }

    pub(crate) fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: the message owns its value.
        unsafe { bytes(self.message.payload, self.message.len) }
    }

    /// Milliseconds since 1970; -1 for none.
    pub(crate) fn timestamp_ms(&self) -> i64 {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives; the kind is written.
        let at = unsafe { sys::rd_kafka_message_timestamp(self.message, &raw mut kind) };
        if kind == sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE { -1 } else { at }
    }

    /// Its headers, `None` when it has none: the usual case, told apart without parsing.
    pub(crate) fn headers(&self) -> Option<impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a>> {
        let mut headers = std::ptr::null_mut();
        // SAFETY: the message lives; it keeps the headers, which are only borrowed.
        let code = unsafe { sys::rd_kafka_message_headers(self.message, &raw mut headers) };
        let mut at = 0;
        (code == Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(move || {
            std::iter::from_fn(move || {
                let (mut name, mut value, mut length) = (std::ptr::null(), std::ptr::null(), 0);
                // SAFETY: the message keeps the headers, their names and values.
                unsafe {
                    let (name_at, value_at) = (&raw mut name, &raw mut value);
                    let code = sys::rd_kafka_header_get_all(headers, at, name_at, value_at, &raw mut length);
                    at += 1;
                    (code == Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| {
                        let name = CStr::from_ptr(name).to_str().unwrap_or("\u{fffd}");
                        (name, bytes(value, length))
                    })
                }
            })
        })
    }
}

/// # Safety
/// `start` is null or the start of `length` bytes that live as long as `'a`.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}
