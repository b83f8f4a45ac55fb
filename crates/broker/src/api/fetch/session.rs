//! Fetch sessions (KIP-227): a consumer names its partitions once and afterwards only what changed, and is told only
//! what changed. The rules are those of Kafka's `FetchManager` and `FetchSessionCache`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ottla_model::{ErrorCode, Random, TopicId, WallMillis};
use ottla_wire::StrBytes;
use ottla_wire::fetch::{FetchPartition, FetchPartitionResponse, FetchRequest, ForgottenTopic};

use crate::api::text::text;
use crate::clock::SystemRandom;
use crate::shard::Shard;

/// `FetchMetadata.INVALID_SESSION_ID`: no session.
const NO_SESSION: i32 = 0;
/// `FetchMetadata.INITIAL_EPOCH`: a full request that may begin a session.
const INITIAL_EPOCH: i32 = 0;
/// `FetchMetadata.FINAL_EPOCH`: a full request that ends its session, or has none.
const FINAL_EPOCH: i32 = -1;

/// A session that was used within this time is not evicted (`ServerConfigs.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`).
const EVICTION_AGE_MS: i64 = 120_000;

/// Partitions of one session; a request for more gets none.
const SESSION_PARTITIONS_MAX: usize = 100_000;

/// Partitions of all sessions together; beyond, no session is made.
const ALL_SESSIONS_PARTITIONS_MAX: usize = 1_000_000;

/// A topic as the request names it. Owned: it outlives the request's frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TopicKey {
    Name(StrBytes),
    Id(TopicId),
}

impl TopicKey {
    fn new(by_id: bool, name: Option<&StrBytes>, id: TopicId) -> Self {
        match name {
            Some(name) if !by_id => Self::Name(text(name)),
            _ => Self::Id(id),
        }
    }
}

/// One partition that is fetched.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) topic: TopicKey,
    pub(super) fetch: FetchPartition,
    /// The topic existed when the request named it by its id.
    pub(super) was_there: bool,
}

/// A partition of a session, and what its client was told last.
#[derive(Debug)]
struct Cached {
    target: Target,
    told: Option<Told>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    high_watermark: i64,
    last_stable_offset: i64,
    log_start_offset: i64,
}

#[derive(Debug)]
struct Session {
    by_id: bool,
    /// The epoch that the next request must carry.
    next_epoch: i32,
    /// In the order in which they are read; those that returned records go to the end, so that none starves.
    partitions: BTreeMap<u64, Cached>,
    places: HashMap<(TopicKey, i32), u64>,
    next_place: u64,
    used: WallMillis,
}

impl Session {
    fn put(&mut self, target: Target) {
        let key = (target.topic.clone(), target.fetch.index);
        if let Some(cached) = self.places.get(&key).and_then(|place| self.partitions.get_mut(place)) {
            cached.target = target;
            return;
        }
        let place = self.next_place;
        self.next_place = place.saturating_add(1);
        self.places.insert(key, place);
        self.partitions.insert(place, Cached { target, told: None });
    }

    fn forget(&mut self, forgotten: &ForgottenTopic) {
        let topic = TopicKey::new(self.by_id, forgotten.name.as_ref(), forgotten.topic_id);
        for partition in &forgotten.partitions {
            if let Some(place) = self.places.remove(&(topic.clone(), *partition)) {
                self.partitions.remove(&place);
            }
        }
    }

    fn move_to_end(&mut self, key: &(TopicKey, i32)) {
        let Some(place) = self.places.get_mut(key) else { return };
        if let Some(cached) = self.partitions.remove(place) {
            *place = self.next_place;
            self.next_place = self.next_place.saturating_add(1);
            self.partitions.insert(*place, cached);
        }
    }
}

/// `FetchMetadata.nextEpoch`: epochs wrap to 1, since 0 begins a session.
fn epoch_after(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch.saturating_add(1) }
}

/// The sessions of a broker.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    slots: usize,
    sessions: Mutex<HashMap<i32, Arc<Mutex<Session>>>>,
}

impl FetchSessions {
    /// Room for `slots` sessions.
    pub(crate) fn new(slots: usize) -> Self {
        Self { slots, sessions: Mutex::new(HashMap::new()) }
    }

    /// Works out which partitions a request fetches, and in which session.
    pub(super) fn begin(
        &self,
        request: &FetchRequest,
        by_id: bool,
        shard: &Shard,
    ) -> Result<Context, ErrorCode> {
        if !matches!(request.session_epoch, INITIAL_EPOCH | FINAL_EPOCH) {
            return self.go_on(request, by_id, shard.wall(), |id| shard.topic_by_id(id).is_some());
        }
        if request.session_id != NO_SESSION {
            self.lock().remove(&request.session_id);
        }
        let targets = targets(request, by_id, |id| shard.topic_by_id(id).is_some());
        let session = if request.session_epoch == INITIAL_EPOCH {
            self.make(&targets, by_id, shard.wall())
        } else {
            None
        };
        let (id, session) = session.map_or((NO_SESSION, None), |(id, session)| (id, Some(session)));
        Ok(Context { targets, id, session, incremental: false })
    }

    fn go_on(
        &self,
        request: &FetchRequest,
        by_id: bool,
        now: WallMillis,
        exists: impl Fn(TopicId) -> bool,
    ) -> Result<Context, ErrorCode> {
        let found = self.lock().get(&request.session_id).cloned();
        let shared = found.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut session = lock(&shared);
        if session.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if session.next_epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        targets(request, by_id, exists).into_iter().for_each(|target| session.put(target));
        request.forgotten_topics.iter().for_each(|topic| session.forget(topic));
        session.used = now;
        if session.partitions.is_empty() || session.partitions.len() > SESSION_PARTITIONS_MAX {
            drop(session);
            self.lock().remove(&request.session_id);
            return Ok(Context { targets: Vec::new(), id: NO_SESSION, session: None, incremental: false });
        }
        session.next_epoch = epoch_after(request.session_epoch);
        let targets = session.partitions.values().map(|cached| cached.target.clone()).collect();
        drop(session);
        Ok(Context { targets, id: request.session_id, session: Some(shared), incremental: true })
    }

    fn make(&self, targets: &[Target], by_id: bool, now: WallMillis) -> Option<(i32, Arc<Mutex<Session>>)> {
        if targets.len() > SESSION_PARTITIONS_MAX {
            return None;
        }
        let mut sessions = self.lock();
        let remembered = sessions.values().map(|session| lock(session).partitions.len()).sum::<usize>();
        if remembered.saturating_add(targets.len()) > ALL_SESSIONS_PARTITIONS_MAX {
            return None;
        }
        if sessions.len() >= self.slots {
            let oldest = sessions.iter().map(|(id, session)| (lock(session).used, *id)).min()?;
            if now.0.saturating_sub(oldest.0.0) < EVICTION_AGE_MS {
                return None;
            }
            sessions.remove(&oldest.1);
        }
        let mut session = Session {
            by_id,
            next_epoch: epoch_after(INITIAL_EPOCH),
            partitions: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
            used: now,
        };
        targets.iter().cloned().for_each(|target| session.put(target));
        let mut random = SystemRandom::new();
        let id = loop {
            // Positive and not 0; the mask keeps 31 bits.
            let id = (random.next_u128() & 0x7fff_ffff) as i32;
            if id != NO_SESSION && !sessions.contains_key(&id) {
                break id;
            }
        };
        let session = Arc::new(Mutex::new(session));
        sessions.insert(id, Arc::clone(&session));
        Some((id, session))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Arc<Mutex<Session>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

fn targets(request: &FetchRequest, by_id: bool, exists: impl Fn(TopicId) -> bool) -> Vec<Target> {
    let count = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    let mut targets = Vec::with_capacity(count);
    for topic in &request.topics {
        let key = TopicKey::new(by_id, topic.name.as_ref(), topic.topic_id);
        let was_there = matches!(key, TopicKey::Id(id) if exists(id));
        let fetches = topic.partitions.iter();
        targets.extend(fetches.map(|fetch| Target { topic: key.clone(), fetch: *fetch, was_there }));
    }
    targets
}

/// The partitions of one request, and the session that it belongs to.
pub(super) struct Context {
    targets: Vec<Target>,
    id: i32,
    session: Option<Arc<Mutex<Session>>>,
    incremental: bool,
}

impl Context {
    /// What to read, in order.
    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// What the answer names as its session.
    pub(super) fn session_id(&self) -> i32 {
        self.id
    }

    /// Remembers what the client is told, and takes out of `responses` what it knows already.
    pub(super) fn note(&mut self, responses: &mut [Option<FetchPartitionResponse>]) {
        let Some(session) = &self.session else { return };
        let mut session = lock(session);
        for (target, slot) in self.targets.iter().zip(responses) {
            let Some(response) = slot else { continue };
            let key = (target.topic.clone(), target.fetch.index);
            let place = session.places.get(&key).copied();
            let Some(cached) = place.and_then(|place| session.partitions.get_mut(&place)) else { continue };
            let now = Told {
                high_watermark: response.high_watermark,
                last_stable_offset: response.last_stable_offset,
                log_start_offset: response.log_start_offset,
            };
            let news = !response.records.is_empty()
                || response.error.is_error()
                || response.diverging_epoch.is_some()
                || cached.told != Some(now);
            // After an error the client is told everything again.
            cached.told = (!response.error.is_error()).then_some(now);
            if !response.records.is_empty() {
                session.move_to_end(&key);
            }
            if self.incremental && !news {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session_id: i32, session_epoch: i32, partitions: &[i32]) -> FetchRequest {
        let fetch = |index: &i32| FetchPartition {
            index: *index,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            max_bytes: 100,
        };
        let topic = ottla_wire::fetch::FetchTopic {
            name: Some(StrBytes::from_static_str("orders")),
            topic_id: TopicId::ZERO,
            partitions: partitions.iter().map(fetch).collect(),
        };
        let topics = if partitions.is_empty() { Vec::new() } else { vec![topic] };
        FetchRequest { session_id, session_epoch, topics, ..FetchRequest::default() }
    }

    fn answers(context: &mut Context, high_watermark: i64) -> Vec<bool> {
        let one = |target: &Target| {
            Some(FetchPartitionResponse { index: target.fetch.index, high_watermark, ..Default::default() })
        };
        let mut responses: Vec<_> = context.targets.iter().map(one).collect();
        context.note(&mut responses);
        responses.iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_session_tells_only_what_changed() {
        let sessions = FetchSessions::new(1);
        let full = request(0, 0, &[0, 1]);
        let (id, session) =
            sessions.make(&targets(&full, false, |_| true), false, WallMillis(0)).expect("room");
        let mut first = Context {
            targets: targets(&full, false, |_| true),
            id,
            session: Some(session),
            incremental: false,
        };
        assert_eq!(answers(&mut first, 5), [true, true]);
        let mut second = sessions
            .go_on(&request(id, 1, &[]), false, WallMillis(1), |_| true)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answers(&mut second, 5), [false, false]);
        let mut third = sessions
            .go_on(&request(id, 2, &[2]), false, WallMillis(2), |_| true)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(third.targets().len(), 3);
        assert_eq!(answers(&mut third, 5), [false, false, true]);
        let mut fourth = sessions
            .go_on(&request(id, 3, &[]), false, WallMillis(3), |_| true)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answers(&mut fourth, 6), [true, true, true]);
    }

    #[test]
    fn wrong_ids_and_epochs_are_refused() {
        let sessions = FetchSessions::new(1);
        let full = request(0, 0, &[0]);
        let (id, _) = sessions.make(&targets(&full, false, |_| true), false, WallMillis(0)).expect("room");
        let error =
            |request: &FetchRequest, by_id| sessions.go_on(request, by_id, WallMillis(1), |_| true).err();
        assert_eq!(
            error(&request(id.wrapping_add(1), 1, &[]), false),
            Some(ErrorCode::FetchSessionIdNotFound)
        );
        assert_eq!(error(&request(id, 2, &[]), false), Some(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(error(&request(id, 1, &[]), true), Some(ErrorCode::FetchSessionTopicIdError));
        assert_eq!(error(&request(id, 1, &[]), false), None);
    }

    #[test]
    fn only_old_sessions_make_room() {
        let sessions = FetchSessions::new(1);
        let full = targets(&request(0, 0, &[0]), false, |_| true);
        assert!(sessions.make(&full, false, WallMillis(0)).is_some());
        assert!(sessions.make(&full, false, WallMillis(EVICTION_AGE_MS - 1)).is_none());
        assert!(sessions.make(&full, false, WallMillis(EVICTION_AGE_MS)).is_some());
    }
}
