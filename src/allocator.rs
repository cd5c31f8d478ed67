//! The allocator of the `millstream` command: mimalloc, for C and C++ too.
//!
//! Half of what a job allocates comes from RocksDB and librdkafka, many small pieces that live long beside large ones that
//! do not. The system's allocator kept as much again in holes between them; and with two allocators each keeps its own
//! slack. So the command overrides `malloc` for everything that is linked into it.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Number of the option in mimalloc's header; the crate names only some.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Milliseconds until memory that was freed goes back to the system.
///
/// mimalloc's own choice, a second, keeps what a checkpoint or an eviction has freed while the next state grows beside
/// it, beyond the memory budget. Without any delay buffers that come and go cost a quarter of all CPU time.
const PURGE_DELAY_MS: std::ffi::c_long = 10;

/// Has freed memory go back to the system soon. `MIMALLOC_PURGE_DELAY` in the environment comes first.
#[allow(unsafe_code, reason = "the crate has no safe setter")]
pub(crate) fn keep_little() {
    // SAFETY: sets an integer, and no other thread runs yet.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS);
    }
}
