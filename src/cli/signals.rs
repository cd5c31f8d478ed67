//! Ctrl-C and SIGTERM: the first asks a command to end, the second ends the process.

use super::Failure;
use super::progress::say;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a command may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(10);
/// The exit code of a process that was interrupted with work left.
const INTERRUPTED: u8 = 130;

/// Raises the flag it gives at the first signal and says `what` happens then; at the second, or when the command does
/// not end in time, the process exits.
pub(crate) fn watch(what: Option<&'static str>) -> Result<Arc<AtomicBool>, Failure> {
    watch_within(what, GRACE)
}

/// The same, of a command that may take so long to end.
pub(crate) fn watch_within(what: Option<&'static str>, grace: Duration) -> Result<Arc<AtomicBool>, Failure> {
    let failed = |error: std::io::Error| Failure::Io(format!("can't watch for signals: {error}"));
    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked);
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let thread = thread.spawn(move || {
        for _ in signals.forever() {
            if flag.swap(true, Ordering::Relaxed) {
                give_up("interrupted again: ended at once");
            }
            if let Some(what) = what {
                say(&format!("{what} (interrupt again to end at once)"));
            }
            // A broker that does not answer must not keep the process from ending.
            std::thread::spawn(move || {
                std::thread::sleep(grace);
                give_up(&format!("did not end within {} s", grace.as_secs()));
            });
        }
    });
    thread.map_err(failed)?;
    Ok(asked)
}

fn give_up(why: &str) -> ! {
    eprintln!("{why}; what was not committed will be done again by the next start");
    millstream::exit_now(INTERRUPTED)
}
