//! What an audit event says.
//!
//! Source: Elastic Common Schema; INTERFACE.md, section 7.

use std::net::IpAddr;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::telemetry::clock;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A caller may read what was asked for.
    AccessGranted,
    /// A caller may start or change what was asked for; named as the one above.
    ChangeGranted,
    AccessDenied,
    AuthenticationFailed,
    UpgradeModeEnabled,
    UpgradeModeDisabled,
    /// Jobs and datafeeds that ran before upgrade mode do not run after it.
    UpgradeModeNotBack,
}

/// Kinds of events that the config switches on one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// Every ML request that is granted, reads too.
    AccessGranted,
    AccessDenied,
    AuthenticationFailed,
    UpgradeMode,
    /// Granted requests that start or change ML work.
    MlChange,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::AccessGranted | Self::ChangeGranted => "access_granted",
            Self::AccessDenied => "access_denied",
            Self::AuthenticationFailed => "authentication_failed",
            Self::UpgradeModeEnabled => "upgrade_mode_enabled",
            Self::UpgradeModeDisabled => "upgrade_mode_disabled",
            Self::UpgradeModeNotBack => "upgrade_mode_not_back",
        }
    }

    /// The switch of the config that it falls under.
    pub const fn class(self) -> EventClass {
        match self {
            Self::AccessGranted => EventClass::AccessGranted,
            Self::ChangeGranted => EventClass::MlChange,
            Self::AccessDenied => EventClass::AccessDenied,
            Self::AuthenticationFailed => EventClass::AuthenticationFailed,
            Self::UpgradeModeEnabled | Self::UpgradeModeDisabled | Self::UpgradeModeNotBack => EventClass::UpgradeMode,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// The caller has gone while it was carried out.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub roles: Vec<String>,
    /// Name of the realm that verified the user; `None`, and no roles, where that was another request.
    pub realm: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub time: SystemTime,
    pub action: Action,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub cluster: String,
    pub user: Option<User>,
    pub source_ip: Option<IpAddr>,
    /// `None` for what no request to this gateway brought about.
    pub request: Option<Request>,
    /// Transport action, where the request has one.
    pub elasticsearch_action: Option<&'static str>,
    /// The rule of the perimeter that the request falls under.
    pub rule: Option<&'static str>,
    /// Cluster privileges that the request needs or that granted it.
    pub privileges: Vec<String>,
    /// From `traceparent`.
    pub trace_id: Option<String>,
}

/// The request that an event tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: String,
    pub method: String,
    /// Without the query, which may hold secrets.
    pub path: String,
}

impl Event {
    /// One line of JSON, without the line feed.
    pub fn line(&self) -> String {
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
        put("@timestamp", json!(clock::rfc3339(self.time)));
        put("event.dataset", json!("mlgate.audit"));
        put("event.action", json!(self.action.name()));
        put("event.outcome", json!(self.outcome.name()));
        if let Some(reason) = &self.reason {
            put("event.reason", json!(reason));
        }
        put("elasticsearch.cluster.name", json!(self.cluster));
        if let Some(user) = &self.user {
            put("user.name", json!(user.name));
            if let Some(realm) = &user.realm {
                put("user.roles", json!(user.roles));
                put("user.realm", json!(realm));
            }
        }
        if let Some(address) = self.source_ip {
            put("source.ip", json!(address));
        }
        if let Some(request) = &self.request {
            put("http.request.method", json!(request.method));
            put("url.path", json!(request.path));
        }
        if let Some(action) = self.elasticsearch_action {
            put("elasticsearch.action", json!(action));
        }
        if let Some(rule) = self.rule {
            put("mlgate.rule", json!(rule));
        }
        if !self.privileges.is_empty() {
            put("elasticsearch.privileges", json!(self.privileges));
        }
        if let Some(trace) = &self.trace_id {
            put("trace.id", json!(trace));
        }
        if let Some(request) = &self.request {
            put("http.request.id", json!(request.id));
        }
        Value::Object(line).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_json_whatever_the_names_hold() {
        let event = Event {
            time: std::time::UNIX_EPOCH,
            action: Action::AccessDenied,
            outcome: Outcome::Failure,
            reason: Some("action [a] is unauthorized for user [x\n{]".to_owned()),
            cluster: "main".to_owned(),
            user: Some(User {
                name: "x\n{".to_owned(),
                roles: vec!["viewer".to_owned()],
                realm: Some("file1".to_owned()),
            }),
            source_ip: Some(IpAddr::from([127, 0, 0, 1])),
            request: Some(Request {
                id: "1-1".to_owned(),
                method: "POST".to_owned(),
                path: "/_ml/anomaly_detectors/web/_open".to_owned(),
            }),
            elasticsearch_action: Some("cluster:admin/xpack/ml/job/open"),
            rule: None,
            privileges: vec!["manage_ml".to_owned()],
            trace_id: None,
        };
        let line = event.line();
        assert_eq!(line.lines().count(), 1);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["event.action"], "access_denied");
        assert_eq!(read["user.name"], "x\n{");
        assert_eq!(read["source.ip"], "127.0.0.1");
        assert_eq!(read["elasticsearch.action"], "cluster:admin/xpack/ml/job/open");
        assert_eq!(read["@timestamp"], "1970-01-01T00:00:00.000Z");
    }
}
