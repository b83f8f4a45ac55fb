//! The Ottla broker as a library.
//!
//! The same broker that the binary serves starts inside a test and stops when it is dropped:
//!
//! ```
//! # fn main() -> Result<(), ottla_broker::OpenError> {
//! let broker = ottla_broker::Broker::builder().memory().start()?;
//! println!("bootstrap.servers={}", broker.address());
//! # Ok(())
//! # }
//! ```
//!
//! Inside, a request goes through four folders: `server` reads frames and writes answers, `api` translates one Kafka
//! API a file, `shard` owns what is durable and drives the state machines of `ottla-control` over the logs of
//! `ottla-log`, `settings` says under which rules.

mod api;
mod clock;
mod embed;
mod error;
mod error_codes;
mod import;
mod metrics;
pub mod private;
mod server;
mod settings;
mod shard;
mod telemetry;

pub use embed::{Broker, Builder};
pub use error::OpenError;
pub use import::{Import, ImportError, ImportedPartition, ImportedTopic, import};
pub use settings::{LoadError, Loaded, SettingError, Settings, Sources, settings_document};
pub use shard::{InspectError, StoppedDirectory, inspect_compaction};
