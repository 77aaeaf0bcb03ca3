//! `upgrade_mode`, `limits`, `timeouts`, `logging`, `audit` and `tracing`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Size};

/// How the upgrade mode of the clusters is followed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct UpgradeModeDocument {
    /// Time between two looks at the cluster's upgrade mode.
    pub(in crate::config) poll_interval: Period,
    /// A view older than this counts as unknown.
    pub(in crate::config) max_staleness: Period,
    /// What becomes of guarded requests while the mode is unknown: `reject` (503) or `forward`.
    pub(in crate::config) when_unknown: WhenUnknownDocument,
    /// Acknowledge a switch only when the cluster is seen to have done it.
    pub(in crate::config) verify_acknowledgement: bool,
    /// Warn when the mode has been on for so long.
    pub(in crate::config) alert_after: Period,
}

impl Default for UpgradeModeDocument {
    fn default() -> Self {
        Self {
            poll_interval: Period::seconds(1),
            max_staleness: Period::seconds(3),
            when_unknown: WhenUnknownDocument::Reject,
            verify_acknowledgement: true,
            alert_after: Period::seconds(4 * 60 * 60),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum WhenUnknownDocument {
    Reject,
    Forward,
}

/// Upper limits of everything that a caller can make grow.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct LimitsDocument {
    /// Request line and headers together; above: 431, or 414 for the request line alone. From 8kb to 16mb.
    pub(in crate::config) max_header_bytes: Size,
    /// Body of a request; above: 413.
    pub(in crate::config) max_content_length: Size,
    /// Open connections, of all listeners and workers together.
    #[schemars(range(min = 1))]
    pub(in crate::config) max_connections: usize,
    /// Open connections of one address.
    #[schemars(range(min = 1))]
    pub(in crate::config) max_connections_per_ip: usize,
    /// Requests of one principal in a second, of which each worker gives its share; above: 429; 0: unlimited.
    pub(in crate::config) requests_per_second_per_principal: u32,
    /// How much of a body is held in memory where the body decides. A document that is larger is refused for callers
    /// without the privilege that it may need; a bulk is judged as it streams.
    pub(in crate::config) inspect_buffer: Size,
}

impl Default for LimitsDocument {
    fn default() -> Self {
        Self {
            max_header_bytes: Size(64 << 10),
            max_content_length: Size(100 << 20),
            max_connections: 65_536,
            max_connections_per_ip: 4096,
            requests_per_second_per_principal: 0,
            inspect_buffer: Size(1 << 20),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct TimeoutsDocument {
    /// Until the head of a request is complete.
    pub(in crate::config) header: Period,
    /// Between two parts of a request body.
    pub(in crate::config) body: Period,
    /// How long a connection may wait for the next request.
    pub(in crate::config) idle: Period,
    /// Until a node has accepted a connection.
    pub(in crate::config) connect: Period,
    /// Until a node begins to answer.
    pub(in crate::config) response: Period,
    /// How long requests may take to end after SIGTERM.
    pub(in crate::config) drain: Period,
}

impl Default for TimeoutsDocument {
    fn default() -> Self {
        Self {
            header: Period::seconds(10),
            body: Period::seconds(60),
            idle: Period::seconds(120),
            connect: Period::seconds(2),
            response: Period::seconds(600),
            drain: Period::seconds(30),
        }
    }
}

/// The log on standard error.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct LoggingDocument {
    /// The least severe level that is written.
    pub(in crate::config) level: LevelDocument,
    /// `ecs`: JSON in Elastic Common Schema, one event a line; `text`: for people.
    pub(in crate::config) format: FormatDocument,
}

impl Default for LoggingDocument {
    fn default() -> Self {
        Self { level: LevelDocument::Info, format: FormatDocument::Ecs }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum LevelDocument {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FormatDocument {
    Ecs,
    Text,
}

/// The audit trail: ECS JSON, one event a line.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct AuditDocument {
    /// Where events go.
    pub(in crate::config) output: AuditOutput,
    /// Which events are written.
    pub(in crate::config) events: Vec<AuditEvent>,
}

impl Default for AuditDocument {
    fn default() -> Self {
        use AuditEvent::{AccessDenied, AuthenticationFailed, MlChange, UpgradeMode};
        Self { output: AuditOutput::Stdout, events: vec![AccessDenied, AuthenticationFailed, UpgradeMode, MlChange] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum AuditOutput {
    Stdout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum AuditEvent {
    AccessGranted,
    AccessDenied,
    AuthenticationFailed,
    UpgradeMode,
    MlChange,
}

/// Traces. Not there yet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct TracingDocument {
    /// OTLP address that traces are sent to. Not there yet: only `null`.
    pub(in crate::config) otlp_endpoint: Option<String>,
    /// Part of the requests that is traced.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(in crate::config) sample_ratio: f64,
}

impl Default for TracingDocument {
    fn default() -> Self {
        Self { otlp_endpoint: None, sample_ratio: 0.01 }
    }
}
