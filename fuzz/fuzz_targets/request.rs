//! Header, check and decoding of any request.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ottla_wire::fuzz::fuzz_request(data));
