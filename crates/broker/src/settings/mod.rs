//! Settings: Apache Kafka's names, types and defaults, and where values come from.

mod broker;
mod change;
mod client_metrics;
pub(crate) mod describe;
mod document;
mod dynamic;
mod given;
mod group;
mod groups;
mod layers;
mod listeners;
mod load;
mod plug_ins;
mod properties;
mod same;
mod scoped;
mod stored;
mod table;
mod together;
mod topic;
mod topic_log;
mod value;

pub use broker::Settings;
pub use document::settings_document;
pub use load::{LoadError, Loaded, Sources};
pub use value::SettingError;

pub(crate) use change::{Edit, Operation, Wanted, settle};
pub(crate) use layers::Layers;
pub(crate) use listeners::{ListenerAddress, broker_listeners};
pub(crate) use same::SameSettings;
pub(crate) use scoped::ScopedSetting;
pub(crate) use topic::{Overrides, check_overrides};
pub(crate) use topic_log::{log_config, of_topic_named, topic_log_config};
