//! Listeners: where the broker is reached, and what clients are told about it.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::connection::{Connection, RequestMemory};
use super::limit::{Connections, Room};
use crate::error::OpenError;
use crate::metrics::count;
use crate::settings::{ListenerAddress, Settings};
use crate::shard::Shard;

/// Longest time that a connection beyond the quota of its address is held before it is closed: a window of the quota
/// (`ConnectionQuotas.maxThrottleTimeMs`).
const CONNECTION_THROTTLE_MAX: Duration = Duration::from_secs(1);

/// Pause after a failed accept, such as when no descriptor is free, so that the loop does not spin.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

fn resolve(address: &ListenerAddress) -> Result<SocketAddr, OpenError> {
    let ListenerAddress { host, port, .. } = address;
    let wrong = |reason: String| OpenError::Listener { text: format!("{host}:{port}"), reason };
    let named = if host.is_empty() { "0.0.0.0" } else { host };
    let mut found = (named, *port).to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    found.next().ok_or_else(|| wrong("the host name has no address".to_owned()))
}

/// Listens there, and gives the address with its real port.
pub(super) fn bind(address: &ListenerAddress, backlog: i32) -> Result<(TcpListener, SocketAddr), OpenError> {
    let wanted = resolve(address)?;
    let wrong = |error: std::io::Error| OpenError::Listen { address: wanted, reason: error.to_string() };
    let socket =
        Socket::new(Domain::for_address(wanted), Type::STREAM, Some(Protocol::TCP)).map_err(wrong)?;
    // A restarted broker must get its port back while old connections linger in TIME_WAIT.
    socket.set_reuse_address(true).map_err(wrong)?;
    socket.set_nonblocking(true).map_err(wrong)?;
    socket.bind(&wanted.into()).map_err(wrong)?;
    socket.listen(backlog).map_err(wrong)?;
    let socket = TcpListener::from_std(socket.into()).map_err(wrong)?;
    let bound = socket.local_addr().map_err(wrong)?;
    Ok((socket, bound))
}

/// Reads a listener as it is written.
pub(crate) fn parse(text: &str) -> Result<ListenerAddress, OpenError> {
    ListenerAddress::parse(text).map_err(|reason| OpenError::Listener { text: text.to_owned(), reason })
}

/// What clients of a listener are told to connect to.
#[derive(Debug, Clone)]
pub(crate) enum Advertised {
    /// This, always.
    Fixed(Arc<str>, u16),
    /// The address that the client's own connection reached, so that loopback and LAN need no configuration.
    Reached,
}

impl Advertised {
    /// What the settings say for the listener with that name.
    pub(crate) fn from_settings(settings: &Settings, name: &str, port: u16) -> Result<Self, OpenError> {
        for text in &settings.advertised_listeners {
            let address = parse(text)?;
            if address.name == name {
                // Port 0 there means the port that was picked here.
                let port = if address.port == 0 { port } else { address.port };
                return Ok(Self::Fixed(address.host.into(), port));
            }
        }
        Ok(Self::Reached)
    }

    /// Host and port for a client whose connection reached `local`.
    pub(crate) fn for_local(&self, local: SocketAddr) -> (Arc<str>, u16) {
        match self {
            Self::Fixed(host, port) => (Arc::clone(host), *port),
            Self::Reached => (local.ip().to_canonical().to_string().into(), local.port()),
        }
    }
}

/// A bound listener.
pub(crate) struct Listener {
    socket: TcpListener,
    /// Its name, such as `PLAINTEXT`.
    pub(crate) name: String,
    /// Where it listens, with the real port.
    pub(crate) address: SocketAddr,
    advertised: Advertised,
}

impl Listener {
    /// Binds.
    pub(crate) fn bind(address: ListenerAddress, settings: &Settings) -> Result<Self, OpenError> {
        let (socket, bound) = bind(&address, settings.socket_listen_backlog_size)?;
        Self::bound(address.name, socket, bound, settings)
    }

    /// Takes over a socket that listens already.
    pub(crate) fn adopt(
        name: String,
        socket: std::net::TcpListener,
        settings: &Settings,
    ) -> Result<Self, OpenError> {
        let wrong =
            |error: std::io::Error| OpenError::Listener { text: name.clone(), reason: error.to_string() };
        socket.set_nonblocking(true).map_err(wrong)?;
        let socket = TcpListener::from_std(socket).map_err(wrong)?;
        let address = socket.local_addr().map_err(wrong)?;
        Self::bound(name, socket, address, settings)
    }

    fn bound(
        name: String,
        socket: TcpListener,
        address: SocketAddr,
        settings: &Settings,
    ) -> Result<Self, OpenError> {
        let advertised = Advertised::from_settings(settings, &name, address.port())?;
        Ok(Self { socket, name, address, advertised })
    }

    /// Accepts until told to stop, then waits until every connection has ended.
    pub(crate) async fn serve(
        self,
        shard: Arc<Shard>,
        connections: Arc<Connections>,
        memory: RequestMemory,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.changed() => break,
                accepted = self.accept(&connections, &shard) => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            let Some((stream, peer, room)) = accepted else { continue };
            let throttle = shard.quotas().record_connection(peer.ip()).min(CONNECTION_THROTTLE_MAX);
            if !throttle.is_zero() {
                tasks.spawn(refuse_later(throttle, stream, room, stop.clone()));
                continue;
            }
            match Connection::new(stream, peer, &self.advertised, Arc::clone(&shard), memory.clone()) {
                Ok(connection) => {
                    let (stop, shard) = (stop.clone(), Arc::clone(&shard));
                    count(&shard.counters().accepted, 1);
                    tasks.spawn(async move {
                        let _ended = Ended(shard);
                        connection.serve(stop).await;
                        drop(room);
                    });
                }
                Err(error) => debug!(%peer, %error, "connection lost before it began"),
            }
        }
        drop(self.socket);
        while tasks.join_next().await.is_some() {}
    }

    async fn accept(
        &self,
        connections: &Arc<Connections>,
        shard: &Shard,
    ) -> Option<(tokio::net::TcpStream, SocketAddr, Room)> {
        let room = connections.room(shard).await;
        match self.socket.accept().await {
            Ok((stream, peer)) => match room.taken_by(peer.ip(), &shard.settings()) {
                Some(room) => Some((stream, peer, room)),
                None => {
                    debug!(%peer, "closed: its address has as many connections as one may have");
                    None
                }
            },
            Err(error) => {
                warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

/// Closes a connection beyond the quota of its address, only after a while: a client that tries again at once would use up
/// more than it was refused for.
async fn refuse_later(
    throttle: Duration,
    stream: tokio::net::TcpStream,
    room: Room,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = tokio::time::sleep(throttle) => {}
        _ = stop.changed() => {}
    }
    drop((stream, room));
}

/// Counts a connection as ended, however it ends.
struct Ended(Arc<Shard>);

impl Drop for Ended {
    fn drop(&mut self) {
        count(&self.0.counters().ended, 1);
    }
}

/// An address as Kafka prints a client's host: a slash and the address.
pub(crate) fn host_text(ip: IpAddr) -> Arc<str> {
    format!("/{}", ip.to_canonical()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_the_address_that_they_reached() {
        let reached: SocketAddr = "[::ffff:192.168.1.5]:9092".parse().expect("address");
        assert_eq!(Advertised::Reached.for_local(reached), ("192.168.1.5".into(), 9092));
        let mut settings = Settings::default();
        settings.set("advertised.listeners", "PLAINTEXT://broker.example:19092").expect("fits");
        let fixed = Advertised::from_settings(&settings, "PLAINTEXT", 9092).expect("legal");
        assert_eq!(fixed.for_local(reached), ("broker.example".into(), 19092));
    }
}
