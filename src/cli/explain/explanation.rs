//! The explanation itself, as `--json` prints it.

use std::collections::BTreeMap;

use http::Method;
use serde::Serialize;

use crate::config::Settings;
use crate::policy::upgrade_mode::{GateAnswer, GateState, WhenUnknown, decide};
use crate::policy::{
    Classified, Demand, Principal, Target, TargetProblem, Unroutable, UpgradeRule, authorize, classify, has_privilege,
};

/// What becomes of one request.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) cluster: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) classification: Classification,
    pub(super) caller: Caller,
    /// `None`: the request is refused before anybody is asked for, or the cluster decides.
    pub(super) authorization: Option<Authorization>,
    /// State of the gate to what it says; empty where no gate is asked.
    pub(super) upgrade_mode: BTreeMap<&'static str, String>,
    pub(super) outcome: Outcome,
}

/// What the request reaches.
#[derive(Debug, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub(super) enum Classification {
    Ml { api: String, template: String, action: Option<String> },
    Perimeter { rule: String, action: Option<String> },
    Other,
    Refused { status: u16, reason: String },
}

#[derive(Debug, Serialize)]
pub(super) struct Caller {
    pub(super) username: String,
    pub(super) realm: String,
    pub(super) roles: Vec<String>,
    /// Assigned, but neither built in nor in `roles.yml`.
    pub(super) undefined_roles: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(super) enum Authorization {
    Granted { role: String, privilege: String },
    Denied { reason: String, granted_by: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The gateway answers it with an error.
    Refused,
    Denied,
    /// The gateway lets it through, unless upgrade mode says otherwise.
    Forwarded,
    /// No ML: the gateway asks who the caller is, the cluster what it may.
    ForwardedForClusterToDecide,
}

impl Explanation {
    pub(super) fn new(cluster: String, principal: Principal, method: &Method, path: &str, settings: &Settings) -> Self {
        let classified = Target::parse(path).map_err(Unroutable::Target).and_then(|target| classify(method, target));
        let asked = match classified {
            Ok(Classified::Ml(operation)) => Some((operation.demand, operation.upgrade_mode)),
            Ok(Classified::Perimeter(perimeter)) => Some((perimeter.demand, perimeter.upgrade_mode)),
            Ok(Classified::Other) | Err(_) => None,
        };
        let authorization = asked.map(|(demand, _)| authorization(&principal, demand, method, path, settings));
        let outcome = match (&classified, &authorization) {
            (Err(_), _) => Outcome::Refused,
            (Ok(_), Some(Authorization::Denied { .. })) => Outcome::Denied,
            (Ok(_), Some(Authorization::Granted { .. })) => Outcome::Forwarded,
            (Ok(_), None) => Outcome::ForwardedForClusterToDecide,
        };
        let upgrade_mode = match asked {
            Some((_, rule)) if outcome == Outcome::Forwarded => {
                upgrade_mode(rule, has_privilege(&principal, "manage", &settings.roles), settings.gate.when_unknown)
            }
            Some(_) | None => BTreeMap::new(),
        };
        Self {
            cluster,
            method: method.to_string(),
            path: path.to_owned(),
            classification: classification(classified, method, path),
            caller: caller(&principal, settings),
            authorization,
            upgrade_mode,
            outcome,
        }
    }
}

fn classification(classified: Result<Classified, Unroutable>, method: &Method, path: &str) -> Classification {
    match classified {
        Ok(Classified::Ml(operation)) => Classification::Ml {
            api: operation.api.to_owned(),
            template: format!("{} {}", operation.method, operation.template),
            action: action(operation.demand),
        },
        Ok(Classified::Perimeter(perimeter)) => {
            Classification::Perimeter { rule: perimeter.rule.to_owned(), action: action(perimeter.demand) }
        }
        Ok(Classified::Other) => Classification::Other,
        Err(Unroutable::Target(problem)) => Classification::Refused { status: 400, reason: target(problem).to_owned() },
        Err(Unroutable::NoHandler) => {
            let reason = format!("no handler found for uri [{path}] and method [{method}]");
            Classification::Refused { status: 400, reason }
        }
        Err(Unroutable::MethodNotAllowed(allowed)) => {
            let allowed = allowed.join(", ");
            let reason = format!("incorrect HTTP method [{method}] for uri [{path}], allowed: [{allowed}]");
            Classification::Refused { status: 405, reason }
        }
        Err(Unroutable::Options(allowed)) => {
            let reason = format!("answered by the gateway with the allowed methods: [{}]", allowed.join(", "));
            Classification::Refused { status: 200, reason }
        }
    }
}

fn action(demand: Demand) -> Option<String> {
    match demand {
        Demand::Action(action) => Some(action.to_owned()),
        Demand::Privileges(_) => None,
    }
}

const fn target(problem: TargetProblem) -> &'static str {
    match problem {
        TargetProblem::ForbiddenByte => "the path has a byte that must be escaped",
        TargetProblem::MalformedEscape => "the path has an escape that is not two hexadecimal digits",
        TargetProblem::Fragment => "the path has a fragment",
        TargetProblem::NotOriginForm => "the path does not start with a slash",
        TargetProblem::AmbiguousMl => "the path is no ML route, but could be read as one by another server",
    }
}

fn caller(principal: &Principal, settings: &Settings) -> Caller {
    let undefined = principal.roles.iter().filter(|role| settings.roles.find(role).is_none());
    Caller {
        username: principal.username.clone(),
        realm: principal.realm.name.clone(),
        roles: principal.roles.iter().map(ToString::to_string).collect(),
        undefined_roles: undefined.map(ToString::to_string).collect(),
    }
}

fn authorization(
    principal: &Principal,
    demand: Demand,
    method: &Method,
    path: &str,
    settings: &Settings,
) -> Authorization {
    match authorize(principal, demand, &settings.roles) {
        Ok(grant) => Authorization::Granted {
            role: grant.role().map(ToString::to_string).unwrap_or_default(),
            privilege: grant.privilege().to_owned(),
        },
        Err(denial) => {
            let route = format!("{method} {}", path.split('?').next().unwrap_or(path));
            Authorization::Denied {
                reason: denial.reason(&principal.username, &route),
                granted_by: demand.granting_privileges().into_iter().map(str::to_owned).collect(),
            }
        }
    }
}

fn upgrade_mode(rule: UpgradeRule, may_manage: bool, when_unknown: WhenUnknown) -> BTreeMap<&'static str, String> {
    let states = [GateState::Off, GateState::On, GateState::Unknown];
    states.into_iter().map(|state| (state.name(), answer(state, rule, may_manage, when_unknown))).collect()
}

fn answer(state: GateState, rule: UpgradeRule, may_manage: bool, when_unknown: WhenUnknown) -> String {
    if rule == UpgradeRule::Switches {
        return "passes, one at a time: it switches the mode".to_owned();
    }
    if rule == UpgradeRule::RefusedUnlessManage && may_manage {
        return "passes: the caller has [manage]".to_owned();
    }
    match decide(state, rule, may_manage, when_unknown) {
        GateAnswer::Pass => "passes".to_owned(),
        GateAnswer::Fenced if rule == UpgradeRule::RefusedAsReset => "refused with 409".to_owned(),
        GateAnswer::Fenced => "refused with 429".to_owned(),
        GateAnswer::Unknown => "refused with 503".to_owned(),
    }
}
