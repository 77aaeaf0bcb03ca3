//! Log, metrics and the wall clock.

pub mod clock;
mod label_hash;
pub mod log;
pub mod metrics;
