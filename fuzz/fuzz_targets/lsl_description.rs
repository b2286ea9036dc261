#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| affectograph::fuzz_bodies::lsl_description(bytes));
