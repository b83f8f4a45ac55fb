//! Measures the broker beside others: Apache Kafka, servers that do nothing but what must be done, and more.
//!
//! Brokers are processes that are asked in Kafka's protocol and watched through the operating system, so that all of them
//! get the same settings, the same load and the same questions. [`lean`] is the load, [`floor`] the limit.

pub mod command;
pub mod contender;
pub mod figures;
pub mod floor;
mod go_program;
pub mod hour;
pub mod instrument;
pub mod lean;
pub mod measures;
pub mod report;
pub mod results;
pub mod run;
pub mod size;
mod spent;
pub mod stage;
mod stock;
mod system_calls;
mod topics;
