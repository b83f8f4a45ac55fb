//! The clients that have asked what to push.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ottla_model::{ErrorCode, Monotonic, Random, TopicId};

use super::subscription::{ClientTraits, InstanceId, Subscription, wanted};

/// Most instances (`ClientMetricsManager.CACHE_MAX_SIZE`). Beyond it the one that was heard of longest ago is forgotten, and
/// has to ask again.
pub const INSTANCES_MAX: usize = 16_384;

/// How long an instance is remembered at least (`ClientMetricsManager.DEFAULT_CACHE_EXPIRY_MS`); else three intervals.
const EXPIRY: Duration = Duration::from_secs(60);

/// What a client is told to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its instance id, which may be new.
    pub instance_id: InstanceId,
    /// What it has to name when it pushes.
    pub subscription_id: i32,
    /// How often, in milliseconds.
    pub interval_ms: i32,
    /// Beginnings of the names of metrics; none for nothing.
    pub metrics: Vec<String>,
}

/// What a client says when it pushes.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    /// What it was told.
    pub subscription_id: i32,
    /// Whether it ends.
    pub is_terminating: bool,
    /// Whether the codec is a known one.
    pub is_codec_known: bool,
    /// How long what it pushes is, compressed.
    pub bytes: usize,
}

#[derive(Debug)]
struct Instance {
    offer: Offer,
    /// The version of the subscriptions that the offer was made by.
    version: u64,
    last_get: Option<Monotonic>,
    last_push: Option<Monotonic>,
    is_terminating: bool,
    last_error: ErrorCode,
    heard_of: Monotonic,
    /// Its place among those that were heard of.
    turn: u64,
}

impl Instance {
    fn interval(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.offer.interval_ms).unwrap_or(0))
    }

    fn may_get(&mut self, now: Monotonic) -> bool {
        let last = self.last_get.max(self.last_push);
        let may = last.is_none_or(|last| now.since(last) >= self.interval());
        if may {
            self.last_get = Some(now);
        }
        may
    }

    /// Once after each time that it has asked, and then once an interval.
    fn may_push(&mut self, now: Monotonic) -> bool {
        let has_asked = self.last_get > self.last_push;
        let may = has_asked || self.last_push.is_none_or(|last| now.since(last) >= self.interval());
        if may {
            self.last_push = Some(now);
        }
        may
    }

    fn kept(&self) -> Duration {
        EXPIRY.max(self.interval().saturating_mul(3))
    }
}

/// Every instance that was heard of lately, and the subscriptions.
#[derive(Debug, Default)]
pub struct Instances {
    subscriptions: Vec<Subscription>,
    version: u64,
    known: HashMap<InstanceId, Instance>,
    /// All of them, by the turn in which they were heard of last.
    by_turn: BTreeMap<u64, InstanceId>,
    turns: u64,
}

impl Instances {
    /// Other subscriptions from now on.
    pub fn subscribe(&mut self, subscriptions: Vec<Subscription>) {
        self.subscriptions = subscriptions;
        self.version = self.version.saturating_add(1);
    }

    /// How many instances there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Forgets who was not heard of for long.
    pub fn expire(&mut self, now: Monotonic) {
        let by_turn = &mut self.by_turn;
        self.known.retain(|_, instance| {
            let is_kept = now.since(instance.heard_of) < instance.kept();
            if !is_kept {
                by_turn.remove(&instance.turn);
            }
            is_kept
        });
    }

    /// GetTelemetrySubscriptions. A client without an instance id is given one.
    ///
    /// # Errors
    /// THROTTLING_QUOTA_EXCEEDED for who asks more often than it is to push.
    pub fn get(
        &mut self,
        client: &ClientTraits<'_>,
        random: &mut dyn Random,
        now: Monotonic,
    ) -> Result<Offer, ErrorCode> {
        let mut client = *client;
        while client.instance_id.is_reserved() {
            let drawn = InstanceId(TopicId::from_random(random.next_u128()).0);
            if !self.known.contains_key(&drawn) {
                client.instance_id = drawn;
            }
        }
        let instance = self.instance(&client, now);
        let has_to_ask = matches!(
            instance.last_error,
            ErrorCode::UnknownSubscriptionId | ErrorCode::UnsupportedCompressionType
        );
        if !instance.may_get(now) && !has_to_ask {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        instance.last_error = ErrorCode::None;
        Ok(instance.offer.clone())
    }

    /// PushTelemetry: for how long what the client pushes is worth keeping, if it is to be looked at.
    ///
    /// # Errors
    /// Kafka's codes, in its order.
    pub fn push(
        &mut self,
        client: &ClientTraits<'_>,
        push: &Push,
        bytes_max: usize,
        now: Monotonic,
    ) -> Result<Duration, ErrorCode> {
        if client.instance_id.is_reserved() {
            return Err(ErrorCode::InvalidRequest);
        }
        let instance = self.instance(client, now);
        let verdict = if instance.is_terminating {
            Err(ErrorCode::InvalidRequest)
        } else if !instance.may_push(now) && !push.is_terminating {
            Err(ErrorCode::ThrottlingQuotaExceeded)
        } else if push.subscription_id != instance.offer.subscription_id {
            Err(ErrorCode::UnknownSubscriptionId)
        } else if !push.is_codec_known {
            Err(ErrorCode::UnsupportedCompressionType)
        } else if push.bytes > bytes_max {
            Err(ErrorCode::TelemetryTooLarge)
        } else {
            Ok(instance.kept())
        };
        // As in Kafka also when it was refused: a second last word is no last one, and opens the door again.
        instance.is_terminating = push.is_terminating;
        instance.last_error = verdict.err().unwrap_or(ErrorCode::None);
        verdict
    }

    /// The instance, which is made anew when other subscriptions are in force than those that it was told of.
    fn instance(&mut self, client: &ClientTraits<'_>, now: Monotonic) -> &mut Instance {
        let id = client.instance_id;
        if let Some(known) = self.known.get(&id) {
            self.by_turn.remove(&known.turn);
            if known.version != self.version {
                self.known.remove(&id);
            }
        } else if self.known.len() >= INSTANCES_MAX
            && let Some((_, oldest)) = self.by_turn.pop_first()
        {
            self.known.remove(&oldest);
        }
        self.turns = self.turns.saturating_add(1);
        self.by_turn.insert(self.turns, id);
        let (subscriptions, version) = (&self.subscriptions, self.version);
        let instance = self.known.entry(id).or_insert_with(|| Instance {
            offer: offer(subscriptions, client),
            version,
            last_get: None,
            last_push: None,
            is_terminating: false,
            last_error: ErrorCode::None,
            heard_of: now,
            turn: 0,
        });
        instance.heard_of = now;
        instance.turn = self.turns;
        instance
    }
}

fn offer(subscriptions: &[Subscription], client: &ClientTraits<'_>) -> Offer {
    let (metrics, interval_ms) = wanted(subscriptions, client);
    let subscription_id = subscription_id(&metrics, interval_ms, client.instance_id);
    Offer { instance_id: client.instance_id, subscription_id, interval_ms, metrics }
}

/// Kafka's id of a set of metrics, an interval and an instance (`ClientMetricsManager.computeSubscriptionId`). Kafka takes
/// the metrics in the order of a hash set.
fn subscription_id(metrics: &[String], interval_ms: i32, instance: InstanceId) -> i32 {
    let text = format!("[{}]{interval_ms}", metrics.join(", "));
    crc32c::crc32c(text.as_bytes()).cast_signed() ^ instance.hash_code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Configs;

    struct Counter(u128);
    impl Random for Counter {
        fn next_u128(&mut self) -> u128 {
            self.0 += 1;
            self.0
        }
    }

    const BYTES_MAX: usize = 1000;

    fn client(instance: u8) -> ClientTraits<'static> {
        ClientTraits {
            instance_id: InstanceId([instance; 16]),
            client_id: "c",
            software: ("s", "1"),
            address: "127.0.0.1",
            port: 1,
        }
    }

    fn at(ms: u64) -> Monotonic {
        Monotonic(Duration::from_millis(ms))
    }

    fn subscribed() -> Instances {
        let configs = Configs::from([
            ("metrics".to_owned(), "*".to_owned()),
            ("interval.ms".to_owned(), "1000".to_owned()),
        ]);
        let mut instances = Instances::default();
        instances.subscribe(Subscription::new(&configs).into_iter().collect());
        instances
    }

    fn get(instances: &mut Instances, instance: u8, ms: u64) -> Result<Offer, ErrorCode> {
        instances.get(&client(instance), &mut Counter(0), at(ms))
    }

    fn push(subscription_id: i32) -> Push {
        Push { subscription_id, is_terminating: false, is_codec_known: true, bytes: 10 }
    }

    #[test]
    fn a_client_asks_once_and_pushes_once_an_interval() {
        let mut instances = subscribed();
        let offer = get(&mut instances, 0, 0).expect("told");
        assert!(!offer.instance_id.is_reserved());
        assert_eq!((offer.interval_ms, offer.metrics.as_slice()), (1000, &["*".to_owned()][..]));
        let id = ClientTraits { instance_id: offer.instance_id, ..client(0) };
        let mut push_at = |ms, push: Push| instances.push(&id, &push, BYTES_MAX, at(ms));
        let good = push(offer.subscription_id);
        assert_eq!(push_at(1, good), Ok(EXPIRY));
        assert_eq!(push_at(999, good), Err(ErrorCode::ThrottlingQuotaExceeded));
        assert_eq!(push_at(1001, good), Ok(EXPIRY));
        assert_eq!(push_at(2001, Push { bytes: 1001, ..good }), Err(ErrorCode::TelemetryTooLarge));
        let other = push_at(3001, Push { is_codec_known: false, ..good });
        assert_eq!(other, Err(ErrorCode::UnsupportedCompressionType));
        assert_eq!(push_at(4001, push(offer.subscription_id + 1)), Err(ErrorCode::UnknownSubscriptionId));
        // Now it may ask again at once, but has to wait until it pushes.
        assert!(instances.get(&id, &mut Counter(0), at(4002)).is_ok());
        let mut push_at = |ms, push: Push| instances.push(&id, &push, BYTES_MAX, at(ms));
        assert_eq!(push_at(4002, good), Err(ErrorCode::ThrottlingQuotaExceeded));
        // The last word comes at any time, and is the last.
        assert_eq!(push_at(4003, Push { is_terminating: true, ..good }), Ok(EXPIRY));
        assert_eq!(push_at(9000, good), Err(ErrorCode::InvalidRequest));
        assert_eq!(instances.push(&client(0), &good, BYTES_MAX, at(0)), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn asking_too_often_is_refused_until_the_subscriptions_change() {
        let mut instances = subscribed();
        let first = get(&mut instances, 5, 0).expect("told");
        assert_eq!(get(&mut instances, 5, 999), Err(ErrorCode::ThrottlingQuotaExceeded));
        assert_eq!(get(&mut instances, 5, 1000), Ok(first.clone()));
        instances.subscribe(Vec::new());
        let changed = get(&mut instances, 5, 1001).expect("told");
        assert_ne!(changed.subscription_id, first.subscription_id);
        assert_eq!(changed.metrics, [""; 0]);
    }

    #[test]
    fn who_is_silent_is_forgotten() {
        let mut instances = subscribed();
        get(&mut instances, 1, 0).expect("told");
        get(&mut instances, 2, 30_000).expect("told");
        instances.expire(at(59_999));
        assert_eq!(instances.len(), 2);
        instances.expire(at(60_000));
        assert_eq!((instances.len(), instances.by_turn.len()), (1, 1));
        assert!(instances.known.contains_key(&InstanceId([2; 16])));
    }

    #[test]
    fn the_number_of_instances_is_bounded_and_the_oldest_goes_first() {
        let mut instances = subscribed();
        let mut ids = Counter(1 << 64);
        let first = instances.get(&client(0), &mut ids, at(0)).expect("told").instance_id;
        let second = instances.get(&client(0), &mut ids, at(0)).expect("told").instance_id;
        let first_again = ClientTraits { instance_id: first, ..client(0) };
        let code = instances.get(&first_again, &mut ids, at(1)).expect_err("too early");
        assert_eq!(code, ErrorCode::ThrottlingQuotaExceeded);
        for _ in 2..=INSTANCES_MAX {
            instances.get(&client(0), &mut ids, at(2)).expect("told");
        }
        assert_eq!((instances.len(), instances.by_turn.len()), (INSTANCES_MAX, INSTANCES_MAX));
        assert!(instances.known.contains_key(&first) && !instances.known.contains_key(&second));
    }

    #[test]
    fn subscription_ids_are_those_of_kafka() {
        let instance = InstanceId([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7]);
        let metrics = ["org.apache.kafka.producer.".to_owned()];
        assert_eq!(subscription_id(&metrics, 1000, instance), 690_914_685);
    }
}
