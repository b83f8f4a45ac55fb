//! The topic catalog: which topics exist, with what id, partitions and settings, which producer ids are taken, at which
//! levels the features are, and which quotas clients have.
//!
//! One state machine over one log, `__cluster_metadata-0`, whose records have the schemas of Apache Kafka's own
//! metadata log, so that Kafka's decoder reads it. Every command checks against the state, writes records, and
//! answers; only `replay` changes anything.

mod collision;
mod command;
mod config;
mod feature;
mod quota;
mod record;
mod topic;

pub use collision::check_collision;
pub use command::{Catalog, Command, CreateTopic, LIMITS, Limits, Refusal, Reply};
pub use config::{ConfigResource, Configs};
pub use feature::{Feature, FeatureUpdates, Features, UpgradeType};
pub use quota::{
    ClientQuotas, EntityKind, Match, QUOTA_ENTITIES_MAX, QuotaAlteration, QuotaEntity, QuotaKey, QuotaValues,
};
pub use topic::Topic;
