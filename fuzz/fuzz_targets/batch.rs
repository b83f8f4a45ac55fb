//! Validation of record batches.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla_log::fuzz::fuzz_batch(data));
