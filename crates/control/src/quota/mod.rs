//! Quotas of clients as they are enforced (`ClientQuotaManager`): whose quota counts for a client, and how long a client
//! that goes beyond it has to wait.
//!
//! Pure arithmetic; time is an argument.

mod limits;
mod meter;
mod meters;

pub use limits::{Limit, MeterId, limit_for, limit_for_ip};
pub use meter::{Meter, TokenBucket, Windows};
pub use meters::{METERS_MAX, Meters};
