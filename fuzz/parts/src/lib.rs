//! The parts of the product that read what strangers send, compiled by themselves: the rest would take minutes to
//! instrument.

#[path = "../../../src/policy/mod.rs"]
pub mod policy;

#[path = "../../../src/inspection/mod.rs"]
pub mod inspection;
