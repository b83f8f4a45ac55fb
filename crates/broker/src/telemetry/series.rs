//! The last value of each number that clients have pushed lately.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ottla_control::telemetry::{ClientTraits, InstanceId};
use ottla_model::Monotonic;

use super::ClientMetric;
use super::otlp::Point;

/// Most numbers of one client that are kept.
const SERIES_PER_CLIENT_MAX: usize = 1000;

/// Most numbers of all clients together.
const SERIES_MAX: usize = 20_000;

/// Longest name or attributes of a number that is kept, in bytes.
const NAME_BYTES_MAX: usize = 512;

#[derive(Debug)]
struct Client {
    client_id: String,
    numbers: BTreeMap<(String, String), Number>,
}

#[derive(Debug)]
struct Number {
    value: f64,
    is_counter: bool,
    expires: Monotonic,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Series {
    clients: HashMap<InstanceId, Client>,
    count: usize,
}

impl Series {
    /// Takes what a client has pushed, which is kept for so long, and gives how much of it there was no room for.
    pub(super) fn take(
        &mut self,
        client: &ClientTraits<'_>,
        points: Vec<Point>,
        now: Monotonic,
        kept: Duration,
    ) -> u64 {
        if self.count.saturating_add(points.len()) > SERIES_MAX {
            self.expire(now);
        }
        let expires = Monotonic(now.0.saturating_add(kept));
        let mut left_out = 0_u64;
        let of_client = self
            .clients
            .entry(client.instance_id)
            .or_insert_with(|| Client { client_id: client.client_id.to_owned(), numbers: BTreeMap::new() });
        for point in points {
            let Point { name, attributes, value, is_counter, is_delta } = point;
            let fits = name.len() <= NAME_BYTES_MAX && attributes.len() <= NAME_BYTES_MAX;
            let key = (name, attributes);
            if let Some(number) = of_client.numbers.get_mut(&key) {
                let value = if is_delta { (number.value + value).min(f64::MAX) } else { value };
                *number = Number { value, is_counter, expires };
            } else if fits && of_client.numbers.len() < SERIES_PER_CLIENT_MAX && self.count < SERIES_MAX {
                of_client.numbers.insert(key, Number { value, is_counter, expires });
                self.count = self.count.saturating_add(1);
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
        if of_client.numbers.is_empty() {
            self.clients.remove(&client.instance_id);
        }
        left_out
    }

    /// Forgets what was not pushed for long.
    pub(super) fn expire(&mut self, now: Monotonic) {
        self.clients.retain(|_, client| {
            client.numbers.retain(|_, number| now < number.expires);
            !client.numbers.is_empty()
        });
        self.count = self.clients.values().map(|client| client.numbers.len()).sum();
    }

    /// Shows every number.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(&ClientMetric<'_>)) {
        for (id, client) in &self.clients {
            let instance = id.to_string();
            for ((name, attributes), number) in &client.numbers {
                visit(&ClientMetric {
                    instance: &instance,
                    client_id: &client.client_id,
                    name,
                    attributes,
                    is_counter: number.is_counter,
                    value: number.value,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Duration = Duration::from_secs(60);

    fn client(instance: u8) -> ClientTraits<'static> {
        ClientTraits {
            instance_id: InstanceId([instance; 16]),
            client_id: "c",
            software: ("s", "1"),
            address: "127.0.0.1",
            port: 1,
        }
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn point(name: &str, value: f64, is_delta: bool) -> Point {
        Point { name: name.to_owned(), attributes: String::new(), value, is_counter: is_delta, is_delta }
    }

    fn values(series: &Series) -> Vec<(String, f64, bool)> {
        let mut values = Vec::new();
        series.visit(&mut |metric| values.push((metric.name.to_owned(), metric.value, metric.is_counter)));
        values
    }

    #[test]
    fn differences_add_up_and_others_replace_until_they_are_old() {
        let mut series = Series::default();
        for (value, second) in [(2.0, 0), (3.0, 10)] {
            let points = vec![point("total", value, true), point("ratio", value, false)];
            assert_eq!(series.take(&client(1), points, at(second), KEPT), 0);
        }
        assert_eq!(values(&series), [("ratio".to_owned(), 3.0, false), ("total".to_owned(), 5.0, true)]);
        series.take(&client(1), vec![point("ratio", 4.0, false)], at(20), KEPT);
        series.expire(at(70));
        assert_eq!(values(&series), [("ratio".to_owned(), 4.0, false)]);
        series.expire(at(80));
        assert_eq!((values(&series), series.count, series.clients.len()), (Vec::new(), 0, 0));
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut series = Series::default();
        let many = |count: usize| (0..count).map(|at| point(&at.to_string(), 1.0, false)).collect::<Vec<_>>();
        assert_eq!(series.take(&client(0), many(SERIES_PER_CLIENT_MAX + 5), at(0), KEPT), 5);
        let long = point(&"x".repeat(NAME_BYTES_MAX + 1), 1.0, false);
        assert_eq!(series.take(&client(1), vec![long], at(0), KEPT), 1);
        assert_eq!((series.count, series.clients.len()), (SERIES_PER_CLIENT_MAX, 1));
        for instance in 1..20 {
            assert_eq!(series.take(&client(instance), many(SERIES_PER_CLIENT_MAX), at(1), KEPT), 0);
        }
        assert_eq!(series.take(&client(20), many(3), at(2), KEPT), 3);
        assert_eq!((series.count, series.clients.len()), (SERIES_MAX, 20));
        // The first client's numbers are old by now, and make room.
        assert_eq!(series.take(&client(20), many(3), at(60), KEPT), 0);
        assert_eq!((series.count, series.clients.len()), (SERIES_MAX - SERIES_PER_CLIENT_MAX + 3, 20));
    }
}
