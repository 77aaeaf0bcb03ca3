//! The explanation for people.

use super::explanation::{Authorization, Classification, Explanation, Outcome};

/// A few lines, the outcome last.
pub(super) fn render(explanation: &Explanation) -> String {
    let mut lines = vec![format!("{} {}", explanation.method, explanation.path)];
    let mut line = |name: &str, text: String| lines.push(format!("  {name:<13} {text}"));
    line("cluster", explanation.cluster.clone());
    match &explanation.classification {
        Classification::Ml { api, template, action } => {
            line("reaches", format!("{api} ({template})"));
            action.iter().for_each(|action| line("action", action.clone()));
        }
        Classification::Perimeter { rule, action } => {
            line("reaches", format!("machine learning by another way: {rule}"));
            action.iter().for_each(|action| line("action", action.clone()));
        }
        Classification::Other => line("reaches", "no machine learning".to_owned()),
        Classification::Refused { status, reason } => line("answer", format!("{status}: {reason}")),
    }
    let caller = &explanation.caller;
    line("caller", format!("{} of realm {}, roles [{}]", caller.username, caller.realm, caller.roles.join(", ")));
    if !caller.undefined_roles.is_empty() {
        line("not defined", format!("[{}]: these roles grant nothing", caller.undefined_roles.join(", ")));
    }
    match &explanation.authorization {
        Some(Authorization::Granted { role, privilege }) => {
            line("granted by", format!("privilege [{privilege}] of role [{role}]"))
        }
        Some(Authorization::Denied { reason, granted_by }) => {
            line("answer", format!("403: {reason}"));
            line("needs", format!("a role with one of [{}]", granted_by.join(", ")));
        }
        None => {}
    }
    for (state, answer) in &explanation.upgrade_mode {
        line("upgrade mode", format!("{state}: {answer}"));
    }
    let outcome = match explanation.outcome {
        Outcome::Refused => "answered by the gateway, never forwarded",
        Outcome::Denied => "denied",
        Outcome::Forwarded => "forwarded, unless upgrade mode refuses it",
        Outcome::ForwardedForClusterToDecide => "forwarded; the cluster decides",
    };
    line("outcome", outcome.to_owned());
    lines.join("\n") + "\n"
}
