//! Where a worker's records go: its own counters, and its own way to the audit trail.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::trail::{Outcome, Record};
use crate::audit::{self, Action, Event, EventClass, User};
use crate::gate::SwitchQuery;
use crate::policy::{Classified, Demand, UpgradeRule};
use crate::rejection::Cause;
use crate::telemetry::clock;
use crate::telemetry::metrics::{self, Family, Kind, Label, Page, WorkerMetrics};

const UNPARSED: Family = Family {
    name: "mlgate_unparsed_requests_total",
    help: "Request heads that were no HTTP, too long or too large",
    labels: &[],
};
const TURNED_AWAY: Family =
    Family { name: "mlgate_connections_refused_total", help: "Connections closed at once, over a limit", labels: &[] };
const UNPROXIED: Family = Family {
    name: "mlgate_connections_unproxied_total",
    help: "Connections closed since they did not begin with the PROXY protocol, or came from no trusted proxy",
    labels: &[],
};
/// A load balancer that does not speak the PROXY protocol is told of so often, and not for each connection.
const UNPROXIED_TOLD_EVERY: Duration = Duration::from_secs(60);

/// What one worker writes down.
pub struct Recorder {
    metrics: RefCell<WorkerMetrics>,
    /// Names of realms, each kept once: there are few.
    realms: RefCell<Vec<Rc<str>>>,
    audit: audit::Sender,
    unparsed: Cell<u64>,
    turned_away: Cell<u64>,
    unproxied: Cell<u64>,
    unproxied_told: Cell<Option<Instant>>,
}

impl Recorder {
    pub fn new(audit: audit::Sender) -> Self {
        Self {
            metrics: RefCell::default(),
            realms: RefCell::default(),
            audit,
            unparsed: Cell::new(0),
            turned_away: Cell::new(0),
            unproxied: Cell::new(0),
            unproxied_told: Cell::new(None),
        }
    }

    pub(super) fn record(&self, record: &Record) {
        self.count(record);
        if let Some((action, outcome)) = audited(record)
            && self.audit.wants(action.class())
        {
            self.audit.send(event(record, action, outcome));
        }
    }

    /// Whether somebody reads why requests of this cause are refused.
    pub(super) fn wants_reason(&self, cause: Cause) -> bool {
        match cause {
            Cause::Denied => self.audit.wants(EventClass::AccessDenied),
            Cause::Unauthenticated | Cause::AuthenticationLimited => self.audit.wants(EventClass::AuthenticationFailed),
            Cause::Switch => self.audit.wants(EventClass::UpgradeMode),
            _ => false,
        }
    }

    /// A head that hyper could not parse was answered with `status`.
    pub(super) fn unparsed(&self, _status: u16) {
        self.unparsed.set(self.unparsed.get().wrapping_add(1));
    }

    /// A connection was closed at once, since there were too many.
    pub(super) fn turned_away(&self) {
        self.turned_away.set(self.turned_away.get().wrapping_add(1));
    }

    /// A connection does not say whose it is, as it has to.
    pub(super) fn unproxied(&self, address: SocketAddr, problem: &dyn Display) {
        self.unproxied.set(self.unproxied.get().wrapping_add(1));
        if self.unproxied_told.get().is_none_or(|told| told.elapsed() >= UNPROXIED_TOLD_EVERY) {
            self.unproxied_told.set(Some(Instant::now()));
            tracing::warn!(peer = %address, error = %problem, "connections without the PROXY protocol are closed");
        }
    }

    /// Adds this worker's counts to a page.
    pub fn copy_into(&self, page: &mut Page) {
        self.metrics.borrow().copy_into(page);
        page.put(&UNPARSED, Kind::Counter, &[], float(self.unparsed.get()));
        page.put(&TURNED_AWAY, Kind::Counter, &[], float(self.turned_away.get()));
        page.put(&UNPROXIED, Kind::Counter, &[], float(self.unproxied.get()));
    }

    fn count(&self, record: &Record) {
        let mut metrics = self.metrics.borrow_mut();
        let cluster = record.cluster.clone().map_or(Label::Static(""), Label::Local);
        let class = Label::Static(class(record));
        let action = Label::Static(named(record));
        let outcome = Label::Static(outcome(record.outcome));
        metrics.took(cluster.clone(), class.clone(), record.duration);
        match record.outcome {
            Outcome::Refused(Cause::Held | Cause::GateUnknown) => {
                metrics.count(&metrics::GATE_REJECTIONS, [cluster.clone(), action.clone()]);
            }
            Outcome::Refused(Cause::Denied) => {
                metrics.count(&metrics::AUTHORIZATION_DENIED, [cluster.clone(), action.clone()]);
            }
            _ => {}
        }
        if let Some((realm, outcome)) = authentication(record) {
            let realm = Label::Local(self.realm(realm));
            metrics.count(&metrics::AUTHENTICATIONS, [cluster.clone(), realm, Label::Static(outcome)]);
        }
        if let Some(node) = &record.node {
            let node = Label::Local(Rc::clone(node));
            metrics.count(&metrics::UPSTREAM_REQUESTS, [cluster.clone(), node, outcome.clone()]);
        }
        metrics.count(&metrics::REQUESTS, [cluster, class, action, outcome]);
    }

    fn realm(&self, name: &str) -> Rc<str> {
        let mut realms = self.realms.borrow_mut();
        if let Some(known) = realms.iter().find(|known| &***known == name) {
            return Rc::clone(known);
        }
        let new: Rc<str> = Rc::from(name);
        realms.push(Rc::clone(&new));
        new
    }
}

/// Counters stay below 2^53 for longer than any process runs.
#[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats only")]
const fn float(count: u64) -> f64 {
    count as f64
}

const fn class(record: &Record) -> &'static str {
    match record.classified {
        Some(Classified::Ml(_)) => "ml",
        Some(Classified::Perimeter(_)) => "perimeter",
        Some(Classified::Other) => "other",
        None => "unroutable",
    }
}

/// The transport action, or what else names the request in the table.
fn named(record: &Record) -> &'static str {
    match (record.action(), record.classified) {
        (Some(action), _) => action,
        (None, Some(Classified::Ml(operation))) => operation.api,
        (None, Some(Classified::Perimeter(perimeter))) => perimeter.rule,
        (None, Some(Classified::Other) | None) => "",
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::CallerLeft => "caller_left",
        Outcome::Forwarded => "forwarded",
        Outcome::Answered => "answered",
        Outcome::Broken => "broken",
        Outcome::Refused(cause) => match cause {
            Cause::Malformed => "malformed",
            Cause::Misdirected => "misdirected",
            Cause::TooLarge => "too_large",
            Cause::BodyTimeout => "body_timeout",
            Cause::Unroutable => "unroutable",
            Cause::Unauthenticated => "unauthenticated",
            Cause::AuthenticationBusy => "authentication_busy",
            Cause::AuthenticationLimited => "authentication_limited",
            Cause::AuthenticationUnavailable => "authentication_unavailable",
            Cause::Denied => "denied",
            Cause::Throttled => "throttled",
            Cause::Held => "held",
            Cause::GateUnknown => "gate_unknown",
            Cause::Switch => "switch_failed",
            Cause::Upstream => "upstream_failed",
            Cause::Internal => "internal",
        },
    }
}

/// The realm that answered, and what. A refusal names none: the chain has asked several.
fn authentication(record: &Record) -> Option<(&str, &'static str)> {
    match (&record.principal, record.outcome) {
        (Some(principal), _) => Some((&principal.realm.name, "success")),
        (None, Outcome::Refused(Cause::Unauthenticated)) => Some(("", "failure")),
        (None, Outcome::Refused(Cause::AuthenticationBusy)) => Some(("", "busy")),
        (None, Outcome::Refused(Cause::AuthenticationLimited)) => Some(("", "limited")),
        (None, Outcome::Refused(Cause::AuthenticationUnavailable)) => Some(("", "unavailable")),
        (None, _) => None,
    }
}

/// Whether a record is an audit event, and of what kind.
fn audited(record: &Record) -> Option<(Action, audit::Outcome)> {
    match record.outcome {
        Outcome::Refused(Cause::Denied) => Some((Action::AccessDenied, audit::Outcome::Failure)),
        Outcome::Refused(Cause::Unauthenticated | Cause::AuthenticationLimited) => {
            Some((Action::AuthenticationFailed, audit::Outcome::Failure))
        }
        Outcome::Refused(Cause::Switch) => Some((switched(record), audit::Outcome::Failure)),
        Outcome::Refused(_) => None,
        _ if record.grant.is_none() => None,
        Outcome::Answered | Outcome::Forwarded | Outcome::Broken | Outcome::CallerLeft => match rule(record)? {
            UpgradeRule::Passes => Some((Action::AccessGranted, audit::Outcome::Success)),
            // The switch goes on; the gate tells how it ended.
            UpgradeRule::Switches if matches!(record.outcome, Outcome::CallerLeft) => {
                Some((switched(record), audit::Outcome::Unknown))
            }
            UpgradeRule::Switches => Some((switched(record), succeeded(record.status))),
            UpgradeRule::Refused | UpgradeRule::RefusedAsReset | UpgradeRule::RefusedUnlessManage => {
                Some((Action::ChangeGranted, audit::Outcome::Success))
            }
        },
    }
}

fn rule(record: &Record) -> Option<UpgradeRule> {
    match record.classified? {
        Classified::Ml(operation) => Some(operation.upgrade_mode),
        Classified::Perimeter(perimeter) => Some(perimeter.upgrade_mode),
        Classified::Other => None,
    }
}

/// Which way the mode was to be switched; a query that cannot be read was refused, and a bare one switches off.
fn switched(record: &Record) -> Action {
    match SwitchQuery::parse(record.target.query()) {
        Ok(SwitchQuery { enabled: true, .. }) => Action::UpgradeModeEnabled,
        Ok(_) | Err(_) => Action::UpgradeModeDisabled,
    }
}

fn succeeded(status: Option<StatusCode>) -> audit::Outcome {
    if status.is_some_and(|status| status.is_success()) { audit::Outcome::Success } else { audit::Outcome::Failure }
}

fn event(record: &Record, action: Action, outcome: audit::Outcome) -> Event {
    let user = record.principal.as_ref().map(|principal| User {
        name: principal.username.clone(),
        roles: principal.roles.iter().map(ToString::to_string).collect(),
        realm: Some(principal.realm.name.clone()),
    });
    Event {
        time: clock::now(),
        action,
        outcome,
        reason: record.reason.clone(),
        cluster: record.cluster.as_deref().unwrap_or_default().to_owned(),
        user,
        source_ip: Some(record.peer.socket_address().ip()),
        request: Some(audit::Request {
            id: record.id.to_string(),
            method: record.method.to_string(),
            path: record.target.path().to_owned(),
        }),
        elasticsearch_action: record.action(),
        rule: match record.classified {
            Some(Classified::Perimeter(perimeter)) => Some(perimeter.rule),
            Some(Classified::Ml(_) | Classified::Other) | None => None,
        },
        privileges: privileges(record),
        trace_id: record.traceparent.as_ref().and_then(trace_id),
    }
}

/// What granted the request, or what it would need.
fn privileges(record: &Record) -> Vec<String> {
    if let Some(grant) = &record.grant {
        return vec![grant.privilege().to_owned()];
    }
    let demand = match record.classified {
        Some(Classified::Ml(operation)) => operation.demand,
        Some(Classified::Perimeter(perimeter)) => perimeter.demand,
        Some(Classified::Other) | None => return Vec::new(),
    };
    match demand {
        Demand::Action(_) => Vec::new(),
        Demand::Privileges(names) => names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// The trace of a `traceparent` header, `00-<32 hexadecimal digits>-..`.
fn trace_id(header: &http::HeaderValue) -> Option<String> {
    let trace = header.to_str().ok()?.split('-').nth(1)?;
    (trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| trace.to_owned())
}
