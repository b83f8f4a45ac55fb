//! Which metrics clients are asked for, and how often they may push them (KIP-714, `ClientMetricsManager`).
//!
//! Soft state, without a log: what was subscribed to is in the catalog's settings. Time is an argument.

mod instances;
mod subscription;

pub use instances::{INSTANCES_MAX, Instances, Offer, Push};
pub use subscription::{ClientTraits, InstanceId, Subscription};
