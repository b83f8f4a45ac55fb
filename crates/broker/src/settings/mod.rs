//! Settings: Apache Kafka's names, types and defaults, and where values come from.

mod accepted;
mod broker;
mod groups;
mod load;
mod topic;
mod value;

pub use broker::Settings;
pub use load::{LoadError, Loaded, Sources};
pub use value::SettingError;

pub(crate) use broker::ROWS;
pub(crate) use topic::{Overrides, TOPIC_SETTINGS, check_overrides, log_config, topic_log_config};
