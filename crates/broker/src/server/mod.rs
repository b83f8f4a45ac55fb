//! Sockets: listeners, connections, and how answers leave.

mod connection;
mod idle;
mod listener;
mod metrics;
mod outgoing;

pub(crate) use connection::RequestMemory;
pub(crate) use listener::{Listener, ListenerAddress, host_text};
pub(crate) use metrics::MetricsListener;
