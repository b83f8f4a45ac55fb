//! Compaction: what stays, what goes, when, and what a crash leaves.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

#[path = "../support/mod.rs"]
mod support;

mod census;
mod crashes;
mod fold;
mod keyed;
mod power;
mod producers;
mod status;
mod swap;
mod time;
mod tombstones;
mod transactions;
