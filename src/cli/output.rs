//! What a command was asked for: standard output.

use super::Failure;
use std::io::{self, ErrorKind, Write};

/// Prints text. That nobody reads it any more is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map(|_| ())
}

/// Whether output was written: not when whoever read it has gone.
///
/// # Errors
/// Whatever else keeps it from being written.
pub(crate) fn written(result: io::Result<()>) -> Result<bool, Failure> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Io(format!("standard output: {error}"))),
    }
}

/// A number of things, as people write it.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
