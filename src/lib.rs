//! mlgate: a gateway in front of Elasticsearch clusters that decides who may run machine learning
//! and takes ML through an upgrade without losing a write.
//!
//! The modules in reading order; each uses only those below it (`tests/it/architecture.rs` checks).
//!
//! ```text
//! cli → serve → config → gateway · admin · node → rejection · maintenance → realm · gate → upstream → audit
//!     → elasticsearch · telemetry → policy → secret
//! ```
//!
//! `docs/request-flow.md` walks one request through the gateway, `ARCHITECTURE.md` explains each folder.

pub mod config;
pub mod gate;
pub mod gateway;
pub mod node;
pub mod policy;
pub mod realm;
pub mod secret;
pub mod upstream;
