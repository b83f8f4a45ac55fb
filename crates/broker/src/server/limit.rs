//! How many connections there may be, of all clients and of one address (`ConnectionQuotas`). The limits can change at any
//! time; connections that are there stay.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::settings::Settings;
use crate::shard::Shard;

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The connections of a broker, counted.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    counts: Mutex<Counts>,
    freed: Notify,
}

/// Room for one connection, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Connections {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are fewer connections than `max.connections`.
    pub(super) async fn room(self: &Arc<Self>, shard: &Shard) -> Room {
        let mut changes = shard.settings_changes();
        loop {
            let freed = self.freed.notified();
            if let Some(room) = self.room_now(&shard.settings()) {
                return room;
            }
            tokio::select! {
                () = freed => {}
                // The sender lives as long as the shard.
                _ = changes.changed() => {}
            }
        }
    }

    fn room_now(self: &Arc<Self>, settings: &Settings) -> Option<Room> {
        let most = usize::try_from(settings.max_connections).unwrap_or(0);
        let mut counts = self.counts();
        if counts.all >= most {
            return None;
        }
        counts.all = counts.all.saturating_add(1);
        Some(Room { connections: Arc::clone(self), address: None })
    }
}

impl Room {
    /// Takes the room for a client at `address`; `None` when it has as many connections as one may have.
    pub(super) fn taken_by(mut self, address: IpAddr, settings: &Settings) -> Option<Self> {
        let address = address.to_canonical();
        let mut counts = self.connections.counts();
        let there = counts.by_address.get(&address).copied().unwrap_or(0);
        if there >= most_of(address, settings) {
            return None;
        }
        counts.by_address.insert(address, there.saturating_add(1));
        drop(counts);
        self.address = Some(address);
        Some(self)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut counts = self.connections.counts();
        counts.all = counts.all.saturating_sub(1);
        if let Some(address) = self.address {
            let left = counts.by_address.get(&address).map_or(0, |there| there.saturating_sub(1));
            if left == 0 {
                counts.by_address.remove(&address);
            } else {
                counts.by_address.insert(address, left);
            }
        }
        drop(counts);
        self.connections.freed.notify_one();
    }
}

/// Most connections of one address.
fn most_of(address: IpAddr, settings: &Settings) -> usize {
    let own = settings.connections_of_addresses().find(|(other, _)| *other == address);
    let most = own.map_or(settings.max_connections_per_ip, |(_, most)| most);
    usize::try_from(most).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_up_to_the_limits_and_comes_back() {
        let mut settings = Settings::default();
        settings.set("max.connections", "3").expect("fits");
        settings.set("max.connections.per.ip", "1").expect("fits");
        settings.set("max.connections.per.ip.overrides", "10.0.0.2:2").expect("fits");
        let connections = Arc::new(Connections::default());
        let [one, two]: [IpAddr; 2] =
            ["10.0.0.1", "::ffff:10.0.0.2"].map(|text| text.parse().expect("address"));
        let take = |address| connections.room_now(&settings)?.taken_by(address, &settings);
        let first = take(one).expect("room");
        assert!(take(one).is_none());
        let second = take(two).expect("room");
        let third = take(two).expect("room");
        assert!(connections.room_now(&settings).is_none());
        drop(first);
        assert!(take(two).is_none());
        assert!(take(one).is_some());
        drop((second, third));
        assert_eq!(connections.counts().all, 0);
        assert!(connections.counts().by_address.is_empty());
    }
}
