//! Groups by transcript: what clients ask and when, against everything that they are told and that is written.

mod consumer;
mod failures;
mod membership;
mod offsets;
mod random;
mod rebalances;
mod scene;
mod show;
mod static_members;

use scene::{Scene, id, join};
