//! Cuts frames from a stream.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla_wire::fuzz::fuzz_frame(data));
