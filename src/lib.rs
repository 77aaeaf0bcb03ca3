//! mlgate: a gateway in front of Elasticsearch clusters that decides who may run machine learning
//! and takes ML through an upgrade without losing a write.
//!
//! The modules in reading order; each uses only those to its right (`tests/it/architecture.rs` checks).
//!
//! ```text
//! cli → serve → config → gateway · admin · node → rejection · maintenance → realm · gate → upstream → audit
//!     → elasticsearch · telemetry → inspection → policy → secret
//! ```
//!
//! `docs/request-flow.md` walks one request through the gateway, `ARCHITECTURE.md` explains each folder.

pub mod cli;
pub mod serve;

pub mod config;

pub mod admin;
pub mod gateway;
pub mod node;

pub mod rejection;

pub mod maintenance;

pub mod gate;
pub mod realm;

pub mod upstream;

pub mod audit;

pub mod elasticsearch;
pub mod telemetry;

pub mod inspection;

pub mod policy;

pub mod secret;
