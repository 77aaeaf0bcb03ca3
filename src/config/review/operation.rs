//! `workers`, `upgrade_mode`, `limits`, `timeouts`, `logging`, `audit` and `tracing`.

use std::num::NonZero;
use std::time::Duration;

use super::{Fault, Found, KeyPath, Review};
use crate::audit::{self, EventClass};
use crate::config::LoggingSettings;
use crate::config::document::{
    AuditDocument, AuditEvent, AuditOutput, FormatDocument, LevelDocument, LoggingDocument, Period, Size,
    WhenUnknownDocument,
};
use crate::policy::upgrade_mode::WhenUnknown;
use crate::telemetry::log::Format;
use crate::{gate, gateway};

/// hyper reads heads into a buffer of at least this size.
const HEADER_BYTES_MIN: u64 = 8 << 10;
const HEADER_BYTES_MAX: u64 = 16 << 20;
/// Below it ordinary action lines would not fit; above it a document that is read at once holds up others.
const INSPECTED_MIN: u64 = 4 << 10;
const INSPECTED_MAX: u64 = 64 << 20;
/// A cluster that has tried for as long as it was told answers a moment later.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// 0: one per core.
pub(super) fn workers(document: usize) -> usize {
    if document == 0 { std::thread::available_parallelism().map_or(1, NonZero::get) } else { document }
}

pub(super) fn logging(document: &LoggingDocument) -> LoggingSettings {
    let level = match document.level {
        LevelDocument::Error => "error",
        LevelDocument::Warn => "warn",
        LevelDocument::Info => "info",
        LevelDocument::Debug => "debug",
        LevelDocument::Trace => "trace",
    };
    let format = match document.format {
        FormatDocument::Ecs => Format::Ecs,
        FormatDocument::Text => Format::Text,
    };
    LoggingSettings { level: level.to_owned(), format }
}

pub(super) fn audit(document: &AuditDocument) -> audit::Settings {
    let output = match document.output {
        AuditOutput::Stdout => audit::Output::Stdout,
    };
    let events = document.events.iter().map(|event| match event {
        AuditEvent::AccessGranted => EventClass::AccessGranted,
        AuditEvent::AccessDenied => EventClass::AccessDenied,
        AuditEvent::AuthenticationFailed => EventClass::AuthenticationFailed,
        AuditEvent::UpgradeMode => EventClass::UpgradeMode,
        AuditEvent::MlChange => EventClass::MlChange,
    });
    audit::Settings { output, events: events.collect() }
}

impl Review<'_> {
    pub(super) fn gate(&mut self) -> gate::Settings {
        let document = &self.file.document().upgrade_mode;
        let key = KeyPath::root().key("upgrade_mode");
        self.positive(&key.key("poll_interval"), document.poll_interval);
        self.positive(&key.key("alert_after"), document.alert_after);
        if document.max_staleness.0 <= document.poll_interval.0 {
            let expected = format!("more than [poll_interval] ({})", document.poll_interval);
            self.unexpected(&key.key("max_staleness"), &document.max_staleness.to_string(), &expected);
        }
        gate::Settings {
            poll_interval: document.poll_interval.0,
            max_staleness: document.max_staleness.0,
            when_unknown: match document.when_unknown {
                WhenUnknownDocument::Reject => WhenUnknown::Reject,
                WhenUnknownDocument::Forward => WhenUnknown::Forward,
            },
            verify_acknowledgement: document.verify_acknowledgement,
            answer_grace: ANSWER_GRACE,
            alert_after: document.alert_after.0,
            journal: self.file.resolve(&self.file.document().state.path),
        }
    }

    pub(super) fn limits(&mut self) -> gateway::Limits {
        let document = &self.file.document().limits;
        let key = KeyPath::root().key("limits");
        let size = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
        self.size_within(&key.key("max_header_bytes"), document.max_header_bytes, HEADER_BYTES_MIN, HEADER_BYTES_MAX);
        self.size_within(&key.key("max_content_length"), document.max_content_length, 1, u64::MAX);
        self.size_within(&key.key("inspect_buffer"), document.inspect_buffer, INSPECTED_MIN, INSPECTED_MAX);
        gateway::Limits {
            max_header_bytes: size(document.max_header_bytes),
            max_content_length: document.max_content_length.0,
            max_connections: document.max_connections,
            max_connections_per_ip: document.max_connections_per_ip,
            requests_per_second_per_principal: document.requests_per_second_per_principal,
            inspect_buffer: size(document.inspect_buffer),
        }
    }

    pub(super) fn timeouts(&mut self) -> gateway::Timeouts {
        let document = &self.file.document().timeouts;
        let key = KeyPath::root().key("timeouts");
        let periods = [
            ("header", document.header),
            ("body", document.body),
            ("idle", document.idle),
            ("connect", document.connect),
            ("response", document.response),
        ];
        for (name, period) in periods {
            self.positive(&key.key(name), period);
        }
        gateway::Timeouts {
            header: document.header.0,
            body: document.body.0,
            idle: document.idle.0,
            drain: document.drain.0,
        }
    }

    pub(super) fn tracing(&mut self) {
        if let Some(endpoint) = &self.file.document().tracing.otlp_endpoint {
            let key = KeyPath::root().key("tracing").key("otlp_endpoint");
            self.not_there_yet(&key, endpoint, "[null]");
        }
    }

    /// For what would never wait, or wait for nothing, with 0.
    pub(super) fn positive(&mut self, key: &KeyPath, period: Period) {
        if period.0.is_zero() {
            self.unexpected(key, "0", "a duration above [0]");
        }
    }

    fn size_within(&mut self, key: &KeyPath, size: Size, least: u64, most: u64) {
        if !(least..=most).contains(&size.0) {
            let most = if most == u64::MAX { String::new() } else { format!(" to [{}]", Size(most)) };
            let expected = format!("a size from [{}]{most}", Size(least));
            self.fault(key, Fault::Unexpected { found: Found::Text(size.to_string()), expected });
        }
    }
}
