//! Changes of the topic catalog, and what follows for the open topics.

use std::sync::{Arc, PoisonError};

use ottla_control::catalog::{Command, CreateTopic, Refusal, Reply, Topic};
use ottla_control::group;
use ottla_control::machine::Caller;
use ottla_model::{CONSUMER_OFFSETS, ErrorCode, PartitionIndex, TRANSACTION_STATE, TopicId, TopicName};
use tracing::{info, warn};

use super::Shard;
use super::topics::LiveTopic;
use crate::settings::Overrides;

/// Why a topic was not made, changed or deleted: Kafka's code and a sentence.
pub(crate) type TopicError = Refusal;

impl Shard {
    /// Creates topics, each for itself. One that this returns is usable.
    pub(crate) async fn create_topics(
        &self,
        topics: Vec<CreateTopic>,
        validate_only: bool,
    ) -> Vec<Result<Arc<Topic>, TopicError>> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        let count = topics.len();
        let created = match self.change(Command::CreateTopics { topics, validate_only }).await {
            Ok(Reply::Created(created)) => created,
            Ok(_) => return vec![Err(unavailable()); count],
            Err(error) => return vec![Err(error); count],
        };
        if validate_only {
            return created;
        }
        let mut served = Vec::with_capacity(created.len());
        for topic in created {
            served.push(match topic {
                Ok(topic) => self.serve_or_take_back(topic).await,
                refused => refused,
            });
        }
        served
    }

    /// Opens a topic that was just created; if that fails, it is as if it had not been created.
    async fn serve_or_take_back(&self, topic: Arc<Topic>) -> Result<Arc<Topic>, TopicError> {
        let id = topic.id;
        let refusal = match self.serve(topic) {
            Ok(topic) => return Ok(topic),
            Err(refusal) => refusal,
        };
        if let Err(failure) = self.change(Command::DeleteTopic(id)).await {
            warn!(%id, failure = failure.message, "cannot take back a topic that could not be opened");
        }
        Err(refusal)
    }

    /// The topic, made with the default settings if it is missing.
    pub(crate) async fn create_if_missing(&self, name: &TopicName) -> Result<Arc<LiveTopic>, ErrorCode> {
        if let Some(live) = self.topic(name.as_str()) {
            return Ok(live);
        }
        let (partitions, configs) = self.defaults_of(name);
        let request = CreateTopic { name: name.clone(), partitions, configs, id: None };
        match self.create_topics(vec![request], false).await.pop() {
            // Somebody else may have made it just before.
            Some(Ok(_)) => {}
            Some(Err(refusal)) if refusal.error == ErrorCode::TopicAlreadyExists => {}
            Some(Err(refusal)) => return Err(refusal.error),
            None => return Err(ErrorCode::UnknownServerError),
        }
        self.topic(name.as_str()).ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// Partitions and settings of a topic that is made without any (`AutoTopicCreationManager`).
    fn defaults_of(&self, name: &TopicName) -> (PartitionIndex, Overrides) {
        let settings = self.settings();
        let (partitions, compression, segment_bytes) = match name.as_str() {
            CONSUMER_OFFSETS => {
                (settings.offsets_topic_num_partitions, "producer", settings.offsets_topic_segment_bytes)
            }
            TRANSACTION_STATE => (
                settings.transaction_state_log_num_partitions,
                "uncompressed",
                settings.transaction_state_log_segment_bytes,
            ),
            _ => return (settings.num_partitions, Overrides::new()),
        };
        let own = [
            ("cleanup.policy", "compact".to_owned()),
            ("compression.type", compression.to_owned()),
            ("segment.bytes", segment_bytes.to_string()),
        ];
        (partitions, own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Deletes a topic, its logs and the offsets that groups committed for it.
    pub(crate) async fn delete_topic(&self, id: TopicId) -> Result<(), TopicError> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        match self.change(Command::DeleteTopic(id)).await? {
            Reply::Deleted(result) => drop(result?),
            _ => return Err(unavailable()),
        }
        let Some(live) = self.topics.remove(id) else { return Ok(()) };
        live.partitions.iter().for_each(|partition| partition.go_offline());
        self.forget_checkpoints(&live.topic.name);
        if !remove_files(Arc::clone(&live)).await {
            self.data_dir.note_leftovers();
        }
        info!(topic = %live.topic.name, %id, "topic deleted");
        for coordinator in self.groups.get().into_iter().flatten() {
            let deleted = group::Command::TopicDeleted { topic: live.topic.name.clone(), topic_id: id };
            // The groups' answer comes with their own append; nobody waits for it.
            drop(coordinator.submit(broker(), deleted));
        }
        Ok(())
    }

    fn forget_checkpoints(&self, topic: &TopicName) {
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = checkpoints.forget(&*self.data_dir.disk, &self.data_dir.path, topic);
        if let Err(error) = forgotten {
            warn!(%topic, %error, "cannot take a deleted topic out of the checkpoints");
        }
    }

    /// Gives a topic more partitions.
    pub(crate) async fn create_partitions(
        &self,
        name: &TopicName,
        count: PartitionIndex,
        validate_only: bool,
    ) -> Result<(), TopicError> {
        let _one_at_a_time = self.catalog_changes.lock().await;
        let command = Command::CreatePartitions { name: name.clone(), count, validate_only };
        let topic = match self.change(command).await? {
            Reply::Grown(result) => result?,
            _ => return Err(unavailable()),
        };
        if validate_only { Ok(()) } else { self.serve(topic).map(drop) }
    }

    /// Takes a block of producer ids.
    pub(super) async fn allocate_producer_ids(&self) -> Result<(i64, i64), ErrorCode> {
        match self.change(Command::AllocateProducerIds).await {
            Ok(Reply::ProducerIds(result)) => result.map_err(|refusal| refusal.error),
            Ok(_) | Err(_) => Err(ErrorCode::CoordinatorNotAvailable),
        }
    }

    pub(super) async fn change(&self, command: Command) -> Result<Reply, TopicError> {
        self.catalog.submit(broker(), command).await.map_err(|_| unavailable())
    }

    /// Opens what the catalog has of the topic and is not open yet.
    fn serve(&self, topic: Arc<Topic>) -> Result<Arc<Topic>, TopicError> {
        let before = self.topics.by_id(topic.id);
        let partitions = before.as_ref().map_or(&[][..], |live| &live.partitions);
        match self.open_topic(Arc::clone(&topic), partitions) {
            Ok(live) => {
                self.topics.put(live);
                Ok(topic)
            }
            Err(error) => {
                warn!(topic = %topic.name, %error, "cannot open a topic");
                Err(Refusal { error: ErrorCode::KafkaStorageError, message: error.to_string() })
            }
        }
    }
}

/// Removes the files of a deleted topic, where blocking holds up nobody else. False when some may be left.
async fn remove_files(live: Arc<LiveTopic>) -> bool {
    let removed = tokio::task::spawn_blocking(move || {
        let mut are_removed = true;
        for partition in &live.partitions {
            if let Err(error) = partition.log().delete() {
                warn!(partition = %partition.name(), %error, "cannot remove a deleted log; the next start does");
                are_removed = false;
            }
        }
        are_removed
    });
    removed.await.unwrap_or_else(|_| {
        warn!("removing the files of a topic ended early; the next start does the rest");
        false
    })
}

/// The caller of what the broker asks its own machines.
pub(super) fn broker() -> Caller {
    Caller { client_id: None, client_host: "/".into() }
}

pub(super) fn unavailable() -> TopicError {
    Refusal {
        error: ErrorCode::RequestTimedOut,
        message: "The catalog is stopping or overloaded.".to_owned(),
    }
}
