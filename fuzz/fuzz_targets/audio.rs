#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| agi_tests::fuzz::audio(data));
