//! Transactions by transcript: what clients ask and when, against everything that they are told and that is written.

mod admin;
mod ends;
mod failures;
mod inits;
mod partitions;
mod random;
mod scene;
mod timeouts;
mod work;

use scene::Scene;
