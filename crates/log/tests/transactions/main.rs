//! Transactions in a log: who may append, what readers of committed data see, and what is known after a restart.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod appends;
mod damage;
mod random;
mod restarts;
