//! One test binary, a file a capability.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test says what is wrong by a panic"
)]

mod admin;
mod architecture;
mod attacks;
mod authentication;
mod classification;
mod classification_twin;
mod cli;
mod config;
mod forwarding;
mod harness;
mod inspection_twin;
mod limits;
mod maintenance;
mod node;
mod node_apis;
mod node_bulk;
mod node_crash;
mod node_ml;
mod node_start;
mod perimeter;
mod privileges;
mod scenarios;
mod serve;
mod tls;
mod upgrade_mode;
mod upgrade_mode_model;
