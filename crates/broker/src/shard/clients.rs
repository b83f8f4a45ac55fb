//! When each client was seen last and what it asked, for who wonders why a member fell silent.
//!
//! A connection has a number of its own to write that into, so that a request costs one store. Clients are known by
//! client id and address, under a lock that is taken at a connection's first request, at its end, and by who asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ottla_model::{Monotonic, Presence, Seen};

use crate::clock::Clock;

/// Clients that are known at most, by client id and address. Further ones are not seen.
const CLIENTS_MAX: usize = 20_000;

/// How long a client is remembered after its last connection ended.
const GONE_KEPT: Duration = Duration::from_secs(1800);

/// How often those that are gone for longer are looked for, when there is no more room.
const PURGE_INTERVAL: Duration = Duration::from_secs(10);

/// The lower bits of a sighting are milliseconds, the upper ones the API's key and one.
const TIME_BITS: u32 = 48;

/// A client id and an address.
type Name = (Arc<str>, Arc<str>);

/// Every client that was seen lately.
#[derive(Debug)]
pub(crate) struct Clients {
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<Name, Connections>,
    purged: Monotonic,
}

/// The connections of one client.
#[derive(Debug, Default)]
struct Connections {
    open: Vec<Arc<AtomicU64>>,
    /// The last sighting on one that ended.
    ended: u64,
}

impl Connections {
    fn last(&self) -> u64 {
        let open = self.open.iter().map(|sighting| sighting.load(Ordering::Relaxed));
        // The later time wins, whatever the API.
        open.chain([self.ended]).max_by_key(|sighting| sighting & time_mask()).unwrap_or(0)
    }
}

fn time_mask() -> u64 {
    (1 << TIME_BITS) - 1
}

fn millis(moment: Monotonic) -> u64 {
    u64::try_from(moment.0.as_millis()).unwrap_or(0) & time_mask()
}

/// A connection whose requests are seen.
#[derive(Debug)]
pub(crate) struct SeenConnection {
    clients: Arc<Clients>,
    name: Name,
    last: Arc<AtomicU64>,
}

impl SeenConnection {
    /// A request has come.
    pub(crate) fn note(&self, api_key: i16) {
        let api = u64::from(api_key.unsigned_abs()).saturating_add(1);
        let now = millis(self.clients.clock.monotonic());
        self.last.store((api << TIME_BITS) | now, Ordering::Relaxed);
    }
}

impl Drop for SeenConnection {
    fn drop(&mut self) {
        let mut known = self.clients.lock();
        let Some(connections) = known.clients.get_mut(&self.name) else { return };
        connections.ended = connections.last();
        connections.open.retain(|open| !Arc::ptr_eq(open, &self.last));
    }
}

impl Clients {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Mutex::default() }
    }

    /// Begins to see a connection; `None` when there is no room.
    pub(crate) fn connected(self: &Arc<Self>, client_id: &str, client_host: &str) -> Option<SeenConnection> {
        let name = (Arc::from(client_id), Arc::from(client_host));
        let last = Arc::new(AtomicU64::new(0));
        let mut known = self.lock();
        if !known.clients.contains_key(&name) && !self.make_room(&mut known) {
            return None;
        }
        known.clients.entry(name.clone()).or_default().open.push(Arc::clone(&last));
        drop(known);
        Some(SeenConnection { clients: Arc::clone(self), name, last })
    }

    /// Forgets clients that are gone for long, if that is needed. False when there is no room all the same.
    fn make_room(&self, known: &mut Known) -> bool {
        let now = self.clock.monotonic();
        if known.clients.len() >= CLIENTS_MAX && now.since(known.purged) >= PURGE_INTERVAL {
            known.purged = now;
            known.clients.retain(|_, connections| {
                let ended = Monotonic(Duration::from_millis(connections.ended & time_mask()));
                !connections.open.is_empty() || now.since(ended) < GONE_KEPT
            });
        }
        known.clients.len() < CLIENTS_MAX
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence for Clients {
    fn last_seen(&self, client_id: &str, client_host: &str) -> Option<Seen> {
        let name = (Arc::from(client_id), Arc::from(client_host));
        let last = self.lock().clients.get(&name)?.last();
        let api_key = i16::try_from((last >> TIME_BITS).checked_sub(1)?).ok()?;
        let at = Monotonic(Duration::from_millis(last & time_mask()));
        Some(Seen { api: ottla_wire::api_name(api_key)?, ago: self.clock.monotonic().since(at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_model::WallMillis;

    #[derive(Debug, Default)]
    struct SetClock(AtomicU64);

    impl Clock for SetClock {
        fn wall(&self) -> WallMillis {
            WallMillis(0)
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic(Duration::from_millis(self.0.load(Ordering::Relaxed)))
        }
    }

    fn scene() -> (Arc<SetClock>, Arc<Clients>) {
        let clock = Arc::new(SetClock::default());
        let clients = Arc::new(Clients::new(Arc::clone(&clock) as Arc<dyn Clock>));
        (clock, clients)
    }

    fn seen(clients: &Clients, client_id: &str) -> Option<(&'static str, u128)> {
        clients.last_seen(client_id, "/h").map(|seen| (seen.api, seen.ago.as_millis()))
    }

    #[test]
    fn the_last_request_on_any_connection_counts_also_when_that_has_ended() {
        let (clock, clients) = scene();
        let set = |millis| clock.0.store(millis, Ordering::Relaxed);
        assert_eq!(seen(&clients, "a"), None);
        let fetching = clients.connected("a", "/h").expect("room");
        let coordinating = clients.connected("a", "/h").expect("room");
        assert_eq!(seen(&clients, "a"), None, "it has not asked yet");
        set(1_000);
        coordinating.note(12);
        assert_eq!(seen(&clients, "a"), Some(("Heartbeat", 0)));
        set(3_000);
        fetching.note(1);
        set(4_500);
        assert_eq!(seen(&clients, "a"), Some(("Fetch", 1_500)));
        drop(fetching);
        assert_eq!(seen(&clients, "a"), Some(("Fetch", 1_500)));
        coordinating.note(12);
        assert_eq!(seen(&clients, "a"), Some(("Heartbeat", 0)));
        drop(coordinating);
        assert_eq!((seen(&clients, "a"), seen(&clients, "b")), (Some(("Heartbeat", 0)), None));
        assert_eq!(clients.last_seen("a", "/elsewhere"), None);
    }

    #[test]
    fn those_who_are_gone_make_room() {
        let (clock, clients) = scene();
        clock.0.store(60_000, Ordering::Relaxed);
        let stays = clients.connected("stays", "/h").expect("room");
        for number in 1..CLIENTS_MAX {
            let passing = clients.connected(&number.to_string(), "/h").expect("room");
            passing.note(3);
        }
        assert!(clients.connected("more", "/h").is_none(), "no room");
        assert!(clients.connected("1", "/h").is_some(), "but for who is known");
        clock.0.fetch_add(1_800_000, Ordering::Relaxed);
        assert!(clients.connected("more", "/h").is_some());
        assert_eq!(clients.lock().clients.len(), 2);
        drop(stays);
    }
}
