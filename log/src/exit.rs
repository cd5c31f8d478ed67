//! How a process ends.

#![allow(unsafe_code, reason = "the standard library can't end a process without what C has registered")]

use std::io::Write as _;

/// Ends the process with `code`, at once: nothing is dropped, and nothing that C or C++ libraries have registered for the
/// end is run.
///
/// A program whose job is over is advised to end like this. RocksDB, librdkafka and OpenSSL take their global state down
/// while the process returns from `main`, and a thread of theirs that still runs then aborts the process: a job that
/// ended well would end with a signal. What a job has committed is in its log by then, and needs no more of the process.
pub fn exit_now(code: u8) -> ! {
    // Nobody is left to tell.
    let _ = std::io::stdout().flush();
    // SAFETY: does not return, and needs nothing of the process's state.
    unsafe { libc::_exit(i32::from(code)) }
}
