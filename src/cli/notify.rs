//! What systemd is told of this process, where it asks for that: it is ready, it lives, it ends.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The process does what it is for.
pub(super) fn ready() {
    send("READY=1");
}

/// It has been asked to end.
pub(super) fn ending() {
    send("STOPPING=1");
}

/// It does not hang: said half as often as a watchdog asks for it.
pub(super) fn alive() {
    static SAID: Mutex<Option<Instant>> = Mutex::new(None);
    let interval = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
    let (Some(interval), Ok(mut said)) = (interval.map(Duration::from_micros), SAID.lock()) else { return };
    if said.is_none_or(|at| at.elapsed() > interval / 3) {
        *said = Some(Instant::now());
        send("WATCHDOG=1");
    }
}

/// Nobody listens where it is not run by systemd; whether it is heard changes nothing.
fn send(what: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let bytes = path.as_encoded_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), &address).map(|_| ()));
    if let Err(error) = sent {
        tracing::debug!(%error, "systemd was not told: {what}");
    }
}
