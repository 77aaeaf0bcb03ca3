//! Any bytes as a request: classification never panics and agrees with its twin.
//!
//! `cargo +nightly fuzz run classify`; an input that fails is copied to `fuzz/corpus/classify/found-NAME`, which a plain
//! test replays.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/classification_twin.rs"]
#[allow(dead_code, reason = "the property tests call more of it")]
mod twin;

fuzz_target!(|input: &[u8]| twin::check_bytes(input));
