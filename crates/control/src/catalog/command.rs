//! Commands to the catalog and what they answer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ottla_model::{
    CLUSTER_METADATA, Env, ErrorCode, Monotonic, Offset, PartitionIndex, ProducerId, TopicId, TopicName,
};

use bytes::Bytes;

use super::collision::check_collision;
use super::config::{ConfigResource, Configs, Kept, with};
use super::feature::{self, Feature, FeatureUpdates, Features};
use super::quota::{ClientQuotas, QuotaAlteration, QuotaEntity, QuotaKey};
use super::record::{CatalogRecord, decode, encode};
use super::topic::Topic;
use crate::machine::{Caller, Effects, Machine, Record, RecordRef, ReplayError, ReplyTo};

/// What clients may make the catalog hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most topics.
    pub topics_max: usize,
    /// Most partitions of one topic.
    pub partitions_per_topic_max: PartitionIndex,
    /// Most partitions of all topics together.
    pub partitions_max: usize,
    /// Most resources that are no topics and have settings of their own.
    pub config_resources_max: usize,
    /// Most settings of one resource.
    pub configs_per_resource_max: usize,
    /// Most records that one request leads to (`QuorumController.MAX_RECORDS_PER_USER_OP`).
    pub records_per_request_max: usize,
}

/// The limits in force.
pub const LIMITS: Limits = Limits {
    topics_max: 200_000,
    partitions_per_topic_max: 10_000,
    partitions_max: 1_000_000,
    config_resources_max: 100_000,
    configs_per_resource_max: 1_000,
    records_per_request_max: 10_000,
};

/// How many producer ids one record hands out, as Kafka's controller (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
const PRODUCER_IDS_PER_BLOCK: ProducerId = 1000;

/// A topic to create. The settings were checked by the caller, who knows their names.
#[derive(Debug, Clone)]
pub struct CreateTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions.
    pub partitions: PartitionIndex,
    /// Its own settings.
    pub configs: BTreeMap<String, String>,
    /// The id that its logs have already; `None` draws a new one.
    pub id: Option<TopicId>,
}

/// What the catalog can be asked to do.
#[derive(Debug)]
pub enum Command {
    /// Creates topics; each stands for itself.
    CreateTopics {
        /// The topics.
        topics: Vec<CreateTopic>,
        /// Check only.
        validate_only: bool,
    },
    /// Deletes a topic.
    DeleteTopic(TopicId),
    /// Gives a topic more partitions.
    CreatePartitions {
        /// The topic.
        name: TopicName,
        /// How many it shall have in all.
        count: PartitionIndex,
        /// Check only.
        validate_only: bool,
    },
    /// Makes these the settings of a resource.
    AlterConfigs {
        /// Whose.
        resource: ConfigResource,
        /// All that it sets itself from now on.
        configs: Configs,
    },
    /// Takes a block of producer ids.
    AllocateProducerIds,
    /// Changes levels of features, all of them or none.
    UpdateFeatures {
        /// The levels.
        updates: FeatureUpdates,
        /// Check only.
        validate_only: bool,
    },
    /// Changes quotas of clients; each alteration stands for itself.
    AlterClientQuotas {
        /// The alterations.
        alterations: Vec<QuotaAlteration>,
        /// Check only.
        validate_only: bool,
    },
}

/// Why a command was refused: Kafka's code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Kafka's code.
    pub error: ErrorCode,
    /// For the person who asked.
    pub message: String,
}

/// What a command answers.
#[derive(Debug)]
pub enum Reply {
    /// To `CreateTopics`, in the order of the request.
    Created(Vec<Result<Arc<Topic>, Refusal>>),
    /// To `DeleteTopic`: the topic that went.
    Deleted(Result<Arc<Topic>, Refusal>),
    /// To `CreatePartitions`: the topic as it is now.
    Grown(Result<Arc<Topic>, Refusal>),
    /// To `AlterConfigs`.
    Altered(Result<(), Refusal>),
    /// To `AllocateProducerIds`: the first id and how many.
    ProducerIds(Result<(ProducerId, ProducerId), Refusal>),
    /// To `UpdateFeatures`.
    Features(Result<(), Refusal>),
    /// To `AlterClientQuotas`, in the order of the request.
    Quotas(Vec<Result<(), Refusal>>),
}

/// The catalog's state.
#[derive(Debug)]
pub struct Catalog {
    /// Written into records as the leader and only replica of every partition.
    node_id: i32,
    by_name: BTreeMap<TopicName, Arc<Topic>>,
    names: HashMap<TopicId, TopicName>,
    partitions: usize,
    kept: Kept,
    next_producer_id: ProducerId,
    features: Features,
    /// Shared with who enforces them; a change makes a copy.
    quotas: Arc<ClientQuotas>,
}

/// What a record overwrote.
#[derive(Debug)]
pub enum Undo {
    /// The topic with that id was this before, or was not there.
    Topic(TopicId, Option<Arc<Topic>>),
    /// The settings of what is no topic were these.
    Configs(ConfigResource, Option<Arc<Configs>>),
    /// The next producer id was this.
    NextProducerId(ProducerId),
    /// The features were at these levels.
    Features(Features),
    /// A quota of an entity was this, or was not there.
    Quota(QuotaEntity, QuotaKey, Option<f64>),
    /// Nothing.
    Nothing,
}

pub(super) fn refuse<T>(error: ErrorCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { error, message: message.into() })
}

impl Catalog {
    /// An empty catalog of the node with that id.
    #[must_use]
    pub fn new(node_id: i32) -> Self {
        Self {
            node_id,
            by_name: BTreeMap::new(),
            names: HashMap::new(),
            partitions: 0,
            kept: Kept::new(),
            next_producer_id: 0,
            features: Features::default(),
            quotas: Arc::default(),
        }
    }

    /// Every topic, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_name.values()
    }

    /// The topic with that name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name)
    }

    /// The settings of what is no topic.
    pub(super) fn kept_configs(&self) -> &Kept {
        &self.kept
    }

    /// The levels of the features.
    #[must_use]
    pub fn features(&self) -> Features {
        self.features
    }

    /// The quotas of clients.
    #[must_use]
    pub fn quotas(&self) -> &Arc<ClientQuotas> {
        &self.quotas
    }

    fn by_id(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.names.get(&id).and_then(|name| self.by_name.get(name))
    }

    /// Writes all of the records, or none when one of them cannot be written.
    pub(super) fn write(
        &self,
        records: impl IntoIterator<Item = CatalogRecord>,
        into: &mut Vec<Record>,
    ) -> Result<(), Refusal> {
        let before = into.len();
        for record in records {
            match encode(&record, self.node_id) {
                Ok(value) => into.push(Record { key: Bytes::new(), value: Some(value), headers: Vec::new() }),
                Err(error) => {
                    into.truncate(before);
                    return refuse(ErrorCode::InvalidConfig, error.to_string());
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, topic: Topic) -> Undo {
        let id = topic.id;
        let before = self.remove(id);
        self.partitions = self.partitions.saturating_add(usize::try_from(topic.partitions).unwrap_or(0));
        self.names.insert(id, topic.name.clone());
        self.by_name.insert(topic.name.clone(), Arc::new(topic));
        Undo::Topic(id, before)
    }

    /// Changes a topic where it is: every topic comes here once for each of its partitions.
    fn add_partition(&mut self, id: TopicId, partition: PartitionIndex) -> Undo {
        let Some(known) = self.names.get(&id).and_then(|name| self.by_name.get_mut(name)) else {
            return Undo::Nothing;
        };
        let partitions = known.partitions.max(partition.saturating_add(1));
        let after = Arc::new(Topic { partitions, ..Topic::clone(known) });
        let before = std::mem::replace(known, after);
        let more = partitions.saturating_sub(before.partitions);
        self.partitions = self.partitions.saturating_add(usize::try_from(more).unwrap_or(0));
        Undo::Topic(id, Some(before))
    }

    fn keep(&mut self, resource: ConfigResource, name: String, value: Option<String>) -> Undo {
        let before = self.kept.get(&resource).cloned();
        let after = with(&before.clone().unwrap_or_default(), name, value);
        if after.is_empty() {
            self.kept.remove(&resource);
        } else {
            self.kept.insert(resource.clone(), after);
        }
        Undo::Configs(resource, before)
    }

    fn remove(&mut self, id: TopicId) -> Option<Arc<Topic>> {
        let name = self.names.remove(&id)?;
        let topic = self.by_name.remove(&name)?;
        self.partitions = self.partitions.saturating_sub(usize::try_from(topic.partitions).unwrap_or(0));
        Some(topic)
    }

    fn create(
        &self,
        env: &mut Env<'_>,
        request: &CreateTopic,
        reserved: &Reserved,
    ) -> Result<Topic, Refusal> {
        let name = &request.name;
        if self.by_name.contains_key(name) || reserved.names.contains(name) {
            return refuse(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."));
        }
        if name.as_str() == CLUSTER_METADATA {
            return refuse(
                ErrorCode::InvalidTopicException,
                format!("Creation of internal topic {CLUSTER_METADATA} is prohibited."),
            );
        }
        check_collision(&self.by_name, name)?;
        check_count(request.partitions)?;
        if self.by_name.len().saturating_add(reserved.names.len()) >= LIMITS.topics_max {
            return refuse(
                ErrorCode::PolicyViolation,
                format!("There are {} topics already.", LIMITS.topics_max),
            );
        }
        self.check_total(reserved.partitions, request.partitions)?;
        let id = request.id.unwrap_or_else(|| TopicId::from_random(env.random.next_u128()));
        if self.names.contains_key(&id) {
            return refuse(ErrorCode::InvalidRequest, format!("There is a topic with the id {id} already."));
        }
        Ok(Topic {
            name: name.clone(),
            id,
            partitions: request.partitions,
            configs: Arc::new(request.configs.clone()),
        })
    }

    fn check_total(&self, reserved: usize, more: PartitionIndex) -> Result<(), Refusal> {
        let total =
            self.partitions.saturating_add(reserved).saturating_add(usize::try_from(more).unwrap_or(0));
        if total > LIMITS.partitions_max {
            return refuse(
                ErrorCode::PolicyViolation,
                format!("There would be more than {} partitions in all.", LIMITS.partitions_max),
            );
        }
        Ok(())
    }

    fn create_topics(
        &self,
        env: &mut Env<'_>,
        topics: &[CreateTopic],
        validate_only: bool,
        records: &mut Vec<Record>,
    ) -> Reply {
        let asked = topics.iter().map(|topic| {
            let partitions = usize::try_from(topic.partitions).unwrap_or(0);
            partitions.saturating_add(topic.configs.len()).saturating_add(1)
        });
        let partitions = topics.iter().map(|topic| usize::try_from(topic.partitions).unwrap_or(0));
        let message = if partitions.fold(0, usize::saturating_add) > LIMITS.records_per_request_max {
            Some("Excessively large number of partitions per request.")
        } else if asked.fold(0, usize::saturating_add) > LIMITS.records_per_request_max {
            Some("Unable to perform excessively large batch operation.")
        } else {
            None
        };
        if let Some(message) = message {
            let refused = |_| refuse(ErrorCode::PolicyViolation, message);
            return Reply::Created(topics.iter().map(refused).collect());
        }
        let mut reserved = Reserved::default();
        let mut created = Vec::with_capacity(topics.len());
        for request in topics {
            let result = self.create(env, request, &reserved).and_then(|topic| {
                if !validate_only {
                    self.write(creation(&topic), records)?;
                }
                reserved.names.insert(topic.name.clone());
                reserved.partitions =
                    reserved.partitions.saturating_add(usize::try_from(topic.partitions).unwrap_or(0));
                Ok(Arc::new(topic))
            });
            created.push(result);
        }
        Reply::Created(created)
    }

    fn grow(&self, name: &TopicName, count: PartitionIndex) -> Result<Topic, Refusal> {
        let Some(topic) = self.by_name.get(name) else {
            return refuse(
                ErrorCode::UnknownTopicOrPartition,
                "This server does not host this topic-partition.",
            );
        };
        if count == topic.partitions {
            return refuse(ErrorCode::InvalidPartitions, format!("Topic already has {count} partition(s)."));
        }
        if count < topic.partitions {
            return refuse(
                ErrorCode::InvalidPartitions,
                format!(
                    "The topic {name} currently has {} partition(s); {count} would not be an increase.",
                    topic.partitions
                ),
            );
        }
        check_count(count)?;
        self.check_total(0, count.saturating_sub(topic.partitions))?;
        Ok(Topic { partitions: count, ..Topic::clone(topic) })
    }
}

impl Catalog {
    fn delete(&self, id: TopicId, records: &mut Vec<Record>) -> Result<Arc<Topic>, Refusal> {
        let Some(topic) = self.by_id(id) else {
            return refuse(ErrorCode::UnknownTopicId, "This server does not host this topic ID.");
        };
        self.write([CatalogRecord::RemoveTopic { topic: id }], records)?;
        Ok(Arc::clone(topic))
    }

    fn create_partitions(
        &self,
        name: &TopicName,
        count: PartitionIndex,
        validate_only: bool,
        records: &mut Vec<Record>,
    ) -> Result<Arc<Topic>, Refusal> {
        let grown = self.grow(name, count)?;
        if !validate_only {
            let first = self.by_name.get(name).map_or(0, |before| before.partitions);
            let more =
                (first..count).map(|partition| CatalogRecord::Partition { topic: grown.id, partition });
            self.write(more, records)?;
        }
        Ok(Arc::new(grown))
    }

    fn update_features(
        &self,
        updates: &FeatureUpdates,
        validate_only: bool,
        records: &mut Vec<Record>,
    ) -> Result<(), Refusal> {
        let changed = feature::changed(self.features, updates, self.node_id)?;
        if validate_only {
            return Ok(());
        }
        let levels =
            changed.into_iter().map(|(feature, level)| CatalogRecord::FeatureLevel { feature, level });
        self.write(levels, records)
    }

    fn alter_quotas(
        &self,
        alterations: &[QuotaAlteration],
        validate_only: bool,
        records: &mut Vec<Record>,
    ) -> Vec<Result<(), Refusal>> {
        let asked = alterations.iter().map(|alteration| alteration.ops.len());
        if asked.fold(0, usize::saturating_add) > LIMITS.records_per_request_max {
            let message = "Unable to perform excessively large batch operation.";
            return alterations.iter().map(|_| refuse(ErrorCode::PolicyViolation, message)).collect();
        }
        let altered = self.quotas.alter(alterations).into_iter();
        let written = altered.map(|result| {
            let changes = result?;
            if validate_only { Ok(()) } else { self.write(changes, records) }
        });
        written.collect()
    }

    fn set_quota(&mut self, entity: QuotaEntity, key: QuotaKey, value: Option<f64>) -> Undo {
        let before = Arc::make_mut(&mut self.quotas).replay(&entity, key, value);
        Undo::Quota(entity, key, before)
    }

    fn set_feature(&mut self, feature: Feature, level: i16) -> Undo {
        let changed = self.features.with(feature, level);
        Undo::Features(std::mem::replace(&mut self.features, changed))
    }
}

/// What earlier topics of the same request take.
#[derive(Default)]
struct Reserved {
    names: HashSet<TopicName>,
    partitions: usize,
}

fn check_count(count: PartitionIndex) -> Result<(), Refusal> {
    if count < 1 {
        return refuse(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        );
    }
    if count > LIMITS.partitions_per_topic_max {
        return refuse(
            ErrorCode::InvalidPartitions,
            format!("A topic may have at most {} partitions.", LIMITS.partitions_per_topic_max),
        );
    }
    Ok(())
}

/// The records that make a topic what it is.
fn creation(topic: &Topic) -> impl Iterator<Item = CatalogRecord> {
    let begin = CatalogRecord::Topic { name: topic.name.clone(), id: topic.id };
    let partitions =
        (0..topic.partitions).map(|partition| CatalogRecord::Partition { topic: topic.id, partition });
    let configs = topic.configs.iter().map(|(name, value)| CatalogRecord::Config {
        resource: ConfigResource::Topic(topic.name.clone()),
        name: name.clone(),
        value: Some(value.clone()),
    });
    std::iter::once(begin).chain(partitions).chain(configs)
}

impl Machine for Catalog {
    type Command = Command;
    type Reply = Reply;
    type Undo = Undo;

    fn handle(
        &mut self,
        env: &mut Env<'_>,
        _caller: &Caller,
        reply_to: ReplyTo,
        command: Command,
        effects: &mut Effects<Reply>,
    ) {
        let records = &mut effects.records;
        let reply = match command {
            Command::CreateTopics { topics, validate_only } => {
                self.create_topics(env, &topics, validate_only, records)
            }
            Command::DeleteTopic(id) => Reply::Deleted(self.delete(id, records)),
            Command::CreatePartitions { name, count, validate_only } => {
                Reply::Grown(self.create_partitions(&name, count, validate_only, records))
            }
            Command::AlterConfigs { resource, configs } => {
                Reply::Altered(self.alter_configs(&resource, &configs, records))
            }
            Command::AllocateProducerIds => {
                let first = self.next_producer_id;
                let next = first.saturating_add(PRODUCER_IDS_PER_BLOCK);
                let written = self.write([CatalogRecord::ProducerIds { next }], records);
                Reply::ProducerIds(written.map(|()| (first, PRODUCER_IDS_PER_BLOCK)))
            }
            Command::UpdateFeatures { updates, validate_only } => {
                Reply::Features(self.update_features(&updates, validate_only, records))
            }
            Command::AlterClientQuotas { alterations, validate_only } => {
                Reply::Quotas(self.alter_quotas(&alterations, validate_only, records))
            }
        };
        effects.reply(reply_to, reply);
    }

    fn replay(&mut self, _offset: Offset, record: &RecordRef<'_>) -> Result<Undo, ReplayError> {
        let Some(value) = record.value else { return Ok(Undo::Nothing) };
        let Some(record) = decode(value).map_err(ReplayError::Value)? else { return Ok(Undo::Nothing) };
        Ok(match record {
            CatalogRecord::Topic { name, id } => {
                self.put(Topic { name, id, partitions: 0, configs: Arc::default() })
            }
            CatalogRecord::Partition { topic, partition } => self.add_partition(topic, partition),
            CatalogRecord::Config { resource: ConfigResource::Topic(topic), name, value } => {
                match self.by_name.get(&topic).cloned() {
                    Some(known) => {
                        self.put(Topic { configs: with(&known.configs, name, value), ..Topic::clone(&known) })
                    }
                    None => Undo::Nothing,
                }
            }
            CatalogRecord::Config { resource, name, value } => self.keep(resource, name, value),
            CatalogRecord::RemoveTopic { topic } => match self.remove(topic) {
                Some(before) => Undo::Topic(topic, Some(before)),
                None => Undo::Nothing,
            },
            CatalogRecord::ProducerIds { next } => {
                Undo::NextProducerId(std::mem::replace(&mut self.next_producer_id, next))
            }
            CatalogRecord::FeatureLevel { feature, level } => self.set_feature(feature, level),
            CatalogRecord::ClientQuota { entity, key, value } => self.set_quota(entity, key, value),
        })
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Topic(id, before) => {
                self.remove(id);
                if let Some(before) = before {
                    self.put(Topic::clone(&before));
                }
            }
            Undo::Configs(resource, Some(before)) => drop(self.kept.insert(resource, before)),
            Undo::Configs(resource, None) => drop(self.kept.remove(&resource)),
            Undo::NextProducerId(before) => self.next_producer_id = before,
            Undo::Features(before) => self.features = before,
            Undo::Quota(entity, key, before) => {
                Arc::make_mut(&mut self.quotas).replay(&entity, key, before);
            }
            Undo::Nothing => {}
        }
    }

    fn failed(
        &mut self,
        _env: &mut Env<'_>,
        cause: ErrorCode,
        replies: Vec<(ReplyTo, Reply)>,
    ) -> Vec<(ReplyTo, Reply)> {
        fn failure<T>(cause: ErrorCode) -> Result<T, Refusal> {
            refuse(cause, "The change could not be written to the catalog's log.")
        }
        let turn = |reply| match reply {
            Reply::Created(topics) => {
                Reply::Created(topics.into_iter().map(|topic| topic.and_then(|_| failure(cause))).collect())
            }
            Reply::Deleted(result) => Reply::Deleted(result.and_then(|_| failure(cause))),
            Reply::Altered(result) => Reply::Altered(result.and_then(|()| failure(cause))),
            Reply::Grown(result) => Reply::Grown(result.and_then(|_| failure(cause))),
            Reply::ProducerIds(result) => Reply::ProducerIds(result.and_then(|_| failure(cause))),
            Reply::Features(result) => Reply::Features(result.and_then(|()| failure(cause))),
            Reply::Quotas(results) => Reply::Quotas(
                results.into_iter().map(|result| result.and_then(|()| failure(cause))).collect(),
            ),
        };
        replies.into_iter().map(|(to, reply)| (to, turn(reply))).collect()
    }

    fn tick(&mut self, _env: &mut Env<'_>, _effects: &mut Effects<Reply>) {}

    fn deadline(&self) -> Option<Monotonic> {
        None
    }

    fn loaded(&mut self, _env: &mut Env<'_>) {}

    fn unloaded(&mut self) -> Vec<(ReplyTo, Reply)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_model::{Random, WallMillis};

    struct Counter(u128);
    impl Random for Counter {
        fn next_u128(&mut self) -> u128 {
            self.0 += 1;
            self.0
        }
    }

    /// A catalog and the log of all that it wrote.
    struct Driven {
        catalog: Catalog,
        random: Counter,
        log: Vec<Record>,
    }

    impl Driven {
        fn new() -> Self {
            Self { catalog: Catalog::new(1), random: Counter(0), log: Vec::new() }
        }

        fn run(&mut self, command: Command) -> Reply {
            let mut effects = Effects::default();
            let mut env = Env {
                wall: WallMillis(0),
                expiry_wall: WallMillis(0),
                monotonic: Monotonic::default(),
                random: &mut self.random,
                presence: &ottla_model::Unseen,
            };
            let caller = Caller { client_id: None, client_host: "/127.0.0.1".into() };
            self.catalog.handle(&mut env, &caller, ReplyTo(1), command, &mut effects);
            for record in effects.records {
                self.catalog.replay(0, &record.as_ref(0)).expect("own records replay");
                self.log.push(record);
            }
            effects.replies.pop().expect("answered at once").1
        }

        fn create(&mut self, name: &str, partitions: PartitionIndex) -> Result<Arc<Topic>, Refusal> {
            let configs = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
            let topic =
                CreateTopic { name: TopicName::new(name).expect("legal"), partitions, configs, id: None };
            match self.run(Command::CreateTopics { topics: vec![topic], validate_only: false }) {
                Reply::Created(mut topics) => topics.pop().expect("one topic"),
                other => panic!("{other:?}"),
            }
        }

        fn replayed(&self) -> Vec<Arc<Topic>> {
            let mut fresh = Catalog::new(1);
            for record in &self.log {
                fresh.replay(0, &record.as_ref(0)).expect("replays");
            }
            fresh.topics().cloned().collect()
        }
    }

    #[test]
    fn there_is_a_limit_of_topics() {
        let mut driven = Driven::new();
        for number in 0..LIMITS.topics_max {
            let name = TopicName::new(&format!("t-{number}")).expect("legal");
            let id = TopicId::from_random(number as u128);
            driven.catalog.put(Topic { name, id, partitions: 1, configs: Arc::default() });
        }
        let refused = driven.create("one-more", 1).expect_err("refused");
        let told = (ErrorCode::PolicyViolation, "There are 200000 topics already.");
        assert_eq!((refused.error, refused.message.as_str()), told);
    }

    #[test]
    fn topics_live_as_their_records_say() {
        let mut driven = Driven::new();
        let first = driven.create("orders", 3).expect("created");
        assert_eq!(
            driven.create("orders", 1).map_err(|refusal| refusal.error),
            Err(ErrorCode::TopicAlreadyExists)
        );
        assert_eq!(
            driven.create("none", 0).map_err(|refusal| refusal.error),
            Err(ErrorCode::InvalidPartitions)
        );
        driven.create("a.b", 1).expect("created");
        assert_eq!(
            driven.create("a_b", 1).map_err(|refusal| refusal.error),
            Err(ErrorCode::InvalidTopicException)
        );
        let name = first.name.clone();
        assert!(matches!(
            driven.run(Command::CreatePartitions { name: name.clone(), count: 5, validate_only: false }),
            Reply::Grown(Ok(topic)) if topic.partitions == 5
        ));
        for (count, error) in [(5, ErrorCode::InvalidPartitions), (2, ErrorCode::InvalidPartitions)] {
            let reply =
                driven.run(Command::CreatePartitions { name: name.clone(), count, validate_only: false });
            assert!(matches!(reply, Reply::Grown(Err(refusal)) if refusal.error == error));
        }
        assert_eq!(driven.catalog.topic("orders").map(|topic| topic.partitions), Some(5));
        assert_eq!(driven.catalog.topics().cloned().collect::<Vec<_>>(), driven.replayed());

        assert!(matches!(driven.run(Command::DeleteTopic(first.id)), Reply::Deleted(Ok(_))));
        assert!(matches!(driven.run(Command::DeleteTopic(first.id)), Reply::Deleted(Err(_))));
        let second = driven.create("orders", 1).expect("created again");
        assert_ne!(first.id, second.id);
        assert_eq!(driven.catalog.topics().cloned().collect::<Vec<_>>(), driven.replayed());
    }

    #[test]
    fn validating_changes_nothing_and_undo_takes_back() {
        let mut driven = Driven::new();
        let topic = CreateTopic {
            name: TopicName::new("orders").expect("legal"),
            partitions: 2,
            configs: BTreeMap::new(),
            id: Some(TopicId([9; 16])),
        };
        driven.run(Command::CreateTopics { topics: vec![topic.clone()], validate_only: true });
        assert_eq!(driven.catalog.topics().count(), 0);

        let twin = CreateTopic { name: TopicName::new("twin").expect("legal"), ..topic.clone() };
        let created = driven.run(Command::CreateTopics { topics: vec![topic], validate_only: false });
        assert!(
            matches!(created, Reply::Created(topics) if topics[0].as_ref().expect("created").id == TopicId([9; 16]))
        );
        let refused = driven.run(Command::CreateTopics { topics: vec![twin], validate_only: false });
        assert!(matches!(refused, Reply::Created(topics) if topics[0].is_err()), "the id is taken");

        let kept = driven.create("kept", 2).expect("created");
        let before: Vec<_> = driven.catalog.topics().cloned().collect();
        let doomed = Topic {
            name: TopicName::new("doomed").expect("legal"),
            id: TopicId([7; 16]),
            partitions: 3,
            configs: Arc::default(),
        };
        let mut records = Vec::new();
        driven.catalog.write(creation(&doomed), &mut records).expect("written");
        driven.catalog.write([CatalogRecord::RemoveTopic { topic: kept.id }], &mut records).expect("written");
        driven.catalog.write([CatalogRecord::ProducerIds { next: 9000 }], &mut records).expect("written");
        let level = CatalogRecord::FeatureLevel { feature: Feature::GroupVersion, level: 0 };
        let quota = CatalogRecord::ClientQuota {
            entity: QuotaEntity::from([(crate::catalog::EntityKind::User, None)]),
            key: QuotaKey::RequestPercentage,
            value: Some(1.0),
        };
        driven.catalog.write([level, quota], &mut records).expect("written");
        let undos: Vec<_> = records
            .iter()
            .map(|record| driven.catalog.replay(0, &record.as_ref(0)).expect("replays"))
            .collect();
        undos.into_iter().rev().for_each(|undo| driven.catalog.undo(undo));
        assert_eq!(driven.catalog.topics().cloned().collect::<Vec<_>>(), before);
        assert_eq!(driven.catalog.features(), Features::default());
        assert!(driven.catalog.quotas().is_empty());
        assert!(matches!(driven.run(Command::AllocateProducerIds), Reply::ProducerIds(Ok((0, 1000)))));
        assert!(matches!(driven.run(Command::AllocateProducerIds), Reply::ProducerIds(Ok((1000, 1000)))));
    }
}
