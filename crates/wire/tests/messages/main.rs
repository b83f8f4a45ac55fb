//! The messages with code of their own against `kafka-protocol`, byte for byte, and against bytes that Kafka's
//! own classes wrote for the versions that `kafka-protocol` lacks.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)] // A test.

mod random;
mod requests;
mod responses;
mod vectors;
