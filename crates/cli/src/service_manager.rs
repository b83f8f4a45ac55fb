//! What a service manager such as systemd hands over and is told: sockets that it has opened, and when the broker is
//! ready. Started by anything else, there are none and nobody is told.

use std::io;
use std::net::TcpListener;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tracing::warn;

/// The listener of a socket that has no name of its own.
const DEFAULT_NAME: &str = "PLAINTEXT";

/// The sockets that the service manager listens on already, each with the name of its listener.
///
/// `names` is what `LISTEN_FDNAMES` said. A name that could be a listener's, such as `FileDescriptorName=EXTERNAL` gives,
/// is taken as it is, and is one of those in the setting `listeners`; others, such as the name of the socket's unit, mean
/// [`DEFAULT_NAME`].
///
/// # Errors
/// What was handed over is no TCP socket.
pub(crate) fn sockets(names: Option<String>) -> io::Result<Vec<(String, TcpListener)>> {
    let names = names.unwrap_or_default();
    let mut names = names.split(':');
    let mut handed_over = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(handed_over.len());
    for index in 0..handed_over.len() {
        let name = listener_name(names.next().unwrap_or_default());
        if let Some(socket) = handed_over.take_tcp_listener(index)? {
            sockets.push((name, socket));
        }
    }
    Ok(sockets)
}

/// Says that clients are served.
pub(crate) fn tell_ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the broker is closing its logs.
pub(crate) fn tell_stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "the service manager cannot be told");
    }
}

fn listener_name(given: &str) -> String {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let named = !given.is_empty() && given.chars().all(is_name);
    if named { given.to_owned() } else { DEFAULT_NAME.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_listeners_are_told_from_names_of_units() {
        assert_eq!(listener_name("EXTERNAL"), "EXTERNAL");
        assert_eq!(listener_name("CLIENTS-2"), "CLIENTS-2");
        for other in ["", "ottla.socket", "unknown", "connection"] {
            assert_eq!(listener_name(other), "PLAINTEXT");
        }
    }
}
