//! Groups by transcript: what clients ask and when, against everything that they are told and that is written.

mod causes;
mod consumer;
mod crowds;
mod expiry;
mod failures;
mod membership;
mod offsets;
mod outline;
mod random;
mod rebalances;
mod restore;
mod scene;
mod show;
mod static_members;
mod transactions;
mod why;

use scene::{Scene, id, join};
