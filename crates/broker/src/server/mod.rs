//! Sockets: listeners, connections, and how answers leave.

mod charge;
mod connection;
mod idle;
mod limit;
mod listener;
mod metrics;
mod outgoing;

pub(crate) use connection::RequestMemory;
pub(crate) use limit::Connections;
pub(crate) use listener::{Listener, host_text, parse as parse_listener};
pub(crate) use metrics::MetricsListener;
