//! Any bytes as a body that is inspected: reading never panics and agrees with its twin.
//!
//! `cargo +nightly fuzz run bodies`; an input that fails is copied to `fuzz/corpus/bodies/found-NAME`, which a plain test
//! replays.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/inspection_twin.rs"]
#[allow(dead_code, reason = "the property tests call more of it")]
mod twin;

fuzz_target!(|input: &[u8]| twin::check_bytes(input));
