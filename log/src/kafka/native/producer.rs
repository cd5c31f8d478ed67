//! A producer, idempotent or transactional.
//!
//! Delivery reports are collected per partition and not per record: every record carries the number of its partition's
//! slot, and its report moves the slot's end or keeps the first error. Slots live until [`Producer::forget`]; a number
//! that says to which life it belongs keeps a late report of an earlier life out.

use super::client::{Callbacks, Client, ClientKind};
use super::config::NativeConfig;
use super::list::PartitionList;
use super::{Code, NativeError, c_string, timeout_ms};
use crate::{GroupMetadata, Offset};
use millstream_records::{Headers, Record, Records};
use rdkafka_sys as sys;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// API key of the request that ends a transaction.
const END_TXN: i16 = 26;

/// A producer.
#[derive(Debug)]
pub(crate) struct Producer {
    client: Client,
}

/// A topic as a producer has it. Has to go before its producer does.
#[derive(Debug)]
pub(crate) struct ProducerTopic(NonNull<sys::rd_kafka_topic_t>);

// SAFETY: topics may be used from any thread.
unsafe impl Send for ProducerTopic {}
// SAFETY: the same.
unsafe impl Sync for ProducerTopic {}

impl Drop for ProducerTopic {
    fn drop(&mut self) {
        // SAFETY: a reference of ours.
        unsafe { sys::rd_kafka_topic_destroy(self.0.as_ptr()) };
    }
}

/// Delivery reports so far.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    life: u32,
    slots: Vec<Delivery>,
}

/// What became of the records of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The offset after the last record that was acknowledged.
    pub(crate) end: Option<Offset>,
    /// The first error, and bytes of key and value of the largest record that failed.
    pub(crate) failed: Option<(Code, usize)>,
}

impl Producer {
    pub(crate) fn new(config: NativeConfig) -> Result<Self, NativeError> {
        Ok(Producer { client: Client::new(ClientKind::Producer, config)? })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn topic(&self, name: &str) -> Result<ProducerTopic, NativeError> {
        let name = c_string(name)?;
        // SAFETY: the instance lives; the name is copied; the topic is a reference of its own.
        let topic = unsafe { sys::rd_kafka_topic_new(self.client.rk(), name.as_ptr(), std::ptr::null_mut()) };
        NonNull::new(topic).map(ProducerTopic).ok_or_else(|| NativeError::invalid("no such topic".to_owned()))
    }

    // --- records ---

    /// A slot for a partition's delivery reports.
    pub(crate) fn open_slot(&self) -> usize {
        let mut deliveries = self.deliveries();
        deliveries.slots.push(Delivery::default());
        deliveries.slots.len() - 1
    }

    /// What became of the records of a slot so far.
    pub(crate) fn delivery(&self, slot: usize) -> Delivery {
        self.deliveries().slots.get(slot).cloned().unwrap_or_default()
    }

    /// Forgets all slots. Reports of records that are still under way go nowhere.
    pub(crate) fn forget(&self) {
        let mut deliveries = self.deliveries();
        deliveries.life = deliveries.life.wrapping_add(1);
        deliveries.slots.clear();
    }

    fn deliveries(&self) -> std::sync::MutexGuard<'_, Deliveries> {
        self.client.callbacks().deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the records of a partition from `from` on; gives the index of the first that was not taken, and why. The
    /// records are copied.
    pub(crate) fn produce(
        &self,
        topic: &ProducerTopic,
        partition: u32,
        records: &Records,
        from: usize,
        slot: usize,
    ) -> Result<(), (usize, NativeError)> {
        let life = self.deliveries().life;
        let partition = i32::try_from(partition).unwrap_or(i32::MAX);
        let mut arguments = Arguments::new(topic, partition, report_number(life, slot));
        for at in from..records.len() {
            let record = records.get(at);
            let headers = headers_of(&record.headers).map_err(|error| (at, error))?;
            let arguments = arguments.with(&record, headers);
            // SAFETY: the instance lives; the arguments point to the topic, the record and its headers, which live
            // through the call; key and value are copied. Headers change hands only when the call succeeds.
            let result = unsafe {
                NativeError::take(sys::rd_kafka_produceva(
                    self.client.rk(),
                    arguments.as_ptr(),
                    arguments.len(),
                ))
            };
            if let Err(error) = result {
                if let Some(headers) = headers {
                    // SAFETY: still ours, as the call failed.
                    unsafe { sys::rd_kafka_headers_destroy(headers.as_ptr()) };
                }
                return Err((at, error));
            }
        }
        Ok(())
    }

    /// Waits until everything was acknowledged or given up; `false` when that takes longer. Lingering ends at once.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        // SAFETY: the instance lives.
        let code = unsafe { sys::rd_kafka_flush(self.client.rk(), timeout_ms(timeout)) };
        code == Code::RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Gives up everything that was not acknowledged.
    pub(crate) fn purge(&self) {
        let flags = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT;
        // SAFETY: the instance lives.
        unsafe { sys::rd_kafka_purge(self.client.rk(), flags | sys::RD_KAFKA_PURGE_F_NON_BLOCKING) };
    }

    // --- transactions ---

    pub(crate) fn init_transactions(&self, timeout: Duration) -> Result<(), NativeError> {
        // SAFETY: the instance lives.
        unsafe { NativeError::take(sys::rd_kafka_init_transactions(self.client.rk(), timeout_ms(timeout))) }
    }

    pub(crate) fn begin_transaction(&self) -> Result<(), NativeError> {
        // SAFETY: the instance lives.
        unsafe { NativeError::take(sys::rd_kafka_begin_transaction(self.client.rk())) }
    }

    pub(crate) fn send_offsets(
        &self,
        offsets: &PartitionList,
        member: &GroupMetadata,
        timeout: Duration,
    ) -> Result<(), NativeError> {
        let (group, id) = (c_string(&member.group)?, c_string(&member.member)?);
        let instance = member.instance.as_deref().map(c_string).transpose()?;
        // SAFETY: instance, list and strings live through the calls; the metadata object is ours and freed.
        unsafe {
            let metadata = sys::rd_kafka_consumer_group_metadata_new_with_genid(
                group.as_ptr(),
                member.generation,
                id.as_ptr(),
                instance.as_ref().map_or(std::ptr::null(), |instance| instance.as_ptr()),
            );
            let result = NativeError::take(sys::rd_kafka_send_offsets_to_transaction(
                self.client.rk(),
                offsets.as_ptr(),
                metadata,
                timeout_ms(timeout),
            ));
            sys::rd_kafka_consumer_group_metadata_destroy(metadata);
            result
        }
    }

    pub(crate) fn commit_transaction(&self, timeout: Duration) -> Result<(), NativeError> {
        // SAFETY: the instance lives.
        unsafe { NativeError::take(sys::rd_kafka_commit_transaction(self.client.rk(), timeout_ms(timeout))) }
    }

    pub(crate) fn abort_transaction(&self, timeout: Duration) -> Result<(), NativeError> {
        // SAFETY: the instance lives.
        unsafe { NativeError::take(sys::rd_kafka_abort_transaction(self.client.rk(), timeout_ms(timeout))) }
    }

    /// Requests to end a transaction that were sent since this was last asked.
    pub(crate) fn take_ends_sent(&self) -> u32 {
        self.client.callbacks().ends_sent.swap(0, Ordering::SeqCst)
    }
}

/// The arguments of a call to produce, most of which stay the same from record to record.
struct Arguments([sys::rd_kafka_vu_t; 8]);

impl Arguments {
    fn new(topic: &ProducerTopic, partition: i32, report: usize) -> Self {
        use sys::rd_kafka_vtype_t::{
            RD_KAFKA_VTYPE_HEADERS, RD_KAFKA_VTYPE_KEY, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_VTYPE_OPAQUE,
            RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_TIMESTAMP, RD_KAFKA_VTYPE_VALUE,
        };
        let argument = |vtype, u| sys::rd_kafka_vu_t { vtype, u };
        Arguments([
            argument(RD_KAFKA_VTYPE_RKT, Value { rkt: topic.0.as_ptr() }),
            argument(RD_KAFKA_VTYPE_PARTITION, Value { i32_: partition }),
            argument(RD_KAFKA_VTYPE_MSGFLAGS, Value { i: sys::RD_KAFKA_MSG_F_COPY }),
            argument(RD_KAFKA_VTYPE_OPAQUE, Value { ptr: std::ptr::without_provenance_mut(report) }),
            argument(RD_KAFKA_VTYPE_TIMESTAMP, Value { i64_: 0 }),
            argument(RD_KAFKA_VTYPE_KEY, memory(None)),
            argument(RD_KAFKA_VTYPE_VALUE, memory(None)),
            argument(RD_KAFKA_VTYPE_HEADERS, Value { headers: std::ptr::null_mut() }),
        ])
    }

    fn with(
        &mut self,
        record: &Record<'_>,
        headers: Option<NonNull<sys::rd_kafka_headers_t>>,
    ) -> &[sys::rd_kafka_vu_t] {
        // librdkafka takes 0 for "now": the millisecond after it is as near as one gets.
        self.0[4].u = Value { i64_: if record.timestamp_ms == 0 { 1 } else { record.timestamp_ms } };
        self.0[5].u = memory(record.key);
        self.0[6].u = memory(record.value);
        match headers {
            None => &self.0[..7],
            Some(headers) => {
                self.0[7].u = Value { headers: headers.as_ptr() };
                &self.0
            }
        }
    }
}

type Value = sys::rd_kafka_vu_s__bindgen_ty_1;

fn memory(bytes: Option<&[u8]>) -> Value {
    let (ptr, size) = match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()),
        None => (std::ptr::null_mut(), 0),
    };
    Value { mem: sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size } }
}

/// A copy of a record's headers for librdkafka; `None` when it has none.
fn headers_of(headers: &Headers<'_>) -> Result<Option<NonNull<sys::rd_kafka_headers_t>>, NativeError> {
    if headers.is_empty() {
        return Ok(None);
    }
    // SAFETY: a new object; names and values are copied and live through the calls.
    unsafe {
        let native = NonNull::new(sys::rd_kafka_headers_new(headers.len()));
        let native = native.expect("librdkafka ends the process when it has no memory");
        for (name, value) in headers.iter() {
            let (start, length) = value.map_or((std::ptr::null(), 0), |value| (value.as_ptr(), value.len()));
            let code = sys::rd_kafka_header_add(
                native.as_ptr(),
                name.as_ptr().cast::<c_char>(),
                name.len() as isize,
                start.cast::<c_void>(),
                length as isize,
            );
            if let Err(error) = NativeError::check(code) {
                sys::rd_kafka_headers_destroy(native.as_ptr());
                return Err(error);
            }
        }
        Ok(Some(native))
    }
}

/// The number that a record's report brings back. Never 0, so that it is not taken for "none".
fn report_number(life: u32, slot: usize) -> usize {
    (life as usize) << 32 | (slot + 1)
}

/// Registers what a producer calls back.
pub(super) fn set_callbacks(config: &NativeConfig, callbacks: &Callbacks) -> Result<(), NativeError> {
    let opaque = std::ptr::from_ref(callbacks).cast_mut().cast::<c_void>();
    // SAFETY: the configuration is whole; the functions have the signatures librdkafka asks for; the callbacks outlive
    // the client that is made of the configuration.
    unsafe {
        sys::rd_kafka_conf_set_dr_msg_cb(config.as_ptr(), Some(on_delivery));
        let code =
            sys::rd_kafka_conf_interceptor_add_on_new(config.as_ptr(), NAME.as_ptr(), Some(on_new), opaque);
        NativeError::check(code)
    }
}

/// Name of the interceptor.
const NAME: &std::ffi::CStr = c"millstream";

/// An instance is being made: the only moment at which an interceptor can be added to it.
unsafe extern "C" fn on_new(
    rk: *mut sys::rd_kafka_t,
    _config: *const sys::rd_kafka_conf_t,
    opaque: *mut c_void,
    _reason: *mut c_char,
    _reason_size: usize,
) -> Code {
    // SAFETY: librdkafka calls with the instance that is being made, and with the opaque it was given.
    unsafe { sys::rd_kafka_interceptor_add_on_request_sent(rk, NAME.as_ptr(), Some(on_request_sent), opaque) }
}

unsafe extern "C" fn on_request_sent(
    _rk: *mut sys::rd_kafka_t,
    _socket: c_int,
    _broker_name: *const c_char,
    _broker: i32,
    api_key: i16,
    _api_version: i16,
    _correlation: i32,
    _size: usize,
    opaque: *mut c_void,
) -> Code {
    if api_key == END_TXN {
        // SAFETY: the opaque is the instance's callbacks, which live as long as it does.
        let callbacks = unsafe { &*opaque.cast::<Callbacks>() };
        callbacks.ends_sent.fetch_add(1, Ordering::SeqCst);
    }
    Code::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// A record was acknowledged or given up.
unsafe extern "C" fn on_delivery(
    _rk: *mut sys::rd_kafka_t,
    message: *const sys::rd_kafka_message_t,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka calls with a message that lives through the call and with the instance's callbacks.
    let (message, callbacks) = unsafe { (&*message, &*opaque.cast::<Callbacks>()) };
    let report = message._private.addr();
    let mut deliveries = callbacks.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
    if report >> 32 != deliveries.life as usize {
        return;
    }
    let Some(slot) = deliveries.slots.get_mut((report & 0xffff_ffff).wrapping_sub(1)) else { return };
    match message.err {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR => {
            let next = u64::try_from(message.offset).map_or(0, |offset| offset + 1);
            slot.end = slot.end.max(Some(next));
        }
        code => {
            let bytes = message.len + message.key_len;
            let (_, largest) = slot.failed.get_or_insert((code, 0));
            *largest = bytes.max(*largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::report_number;

    #[test]
    fn a_report_number_says_life_and_slot() {
        assert_eq!(report_number(0, 0), 1);
        assert_eq!(report_number(7, 41), 7 << 32 | 42);
    }
}
