//! A whole gateway in this process, nodes that keep every byte, and a client that sends any.
//!
//! Nothing here waits by the clock: reads block until the other side acts, and end after [`PATIENCE`] so that a broken
//! test fails instead of hanging.

mod authority;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod golden;
pub(crate) mod http2;
pub(crate) mod process;
pub(crate) mod upstream;

use std::time::Duration;

pub(crate) use authority::{Authority, Holder};
pub(crate) use certificates::Certificates;
pub(crate) use client::{Client, Response};
pub(crate) use gateway::{ClusterSetup, Gateway, Setup};
pub(crate) use process::{Home, Process};
pub(crate) use upstream::{Exchange, Upstream};

/// How long something that must happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
