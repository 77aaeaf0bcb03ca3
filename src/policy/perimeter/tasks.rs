//! Cancelling tasks of ML through the task API.

use std::sync::LazyLock;

use super::query::values;
use crate::policy::catalog;
use crate::policy::operation::Demand;
use crate::policy::privilege::pattern::Pattern;

/// Bytes of an `actions` parameter that are judged; what is longer is taken to reach ML.
const ACTIONS_BYTES_MAX: usize = 1024;

/// Tasks that run under other names than the actions of the table.
const TASK_NAMES: &[&str] = &[
    "xpack/ml/job",
    "xpack/ml/datafeed",
    "xpack/ml/data_frame/analytics",
    "xpack/ml/job/snapshot/upgrade",
    "xpack/ml/model_allocation",
    "xpack/ml/trained_models/deployment",
];

/// Whether `POST /_tasks/_cancel` with this query may cancel a task of ML: it names a task, or no actions, or actions
/// that match one of ML's.
pub(super) fn cancels_ml(query: Option<&str>) -> bool {
    if values(query, "task_id").next().is_some() {
        return true;
    }
    let mut lists = values(query, "actions").peekable();
    lists.peek().is_none() || lists.any(|list| list_matches_ml(&list))
}

fn list_matches_ml(list: &[u8]) -> bool {
    if list.len() > ACTIONS_BYTES_MAX {
        return true;
    }
    let Ok(list) = std::str::from_utf8(list) else { return true };
    let mut patterns = list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).peekable();
    patterns.peek().is_none() || patterns.any(pattern_matches_ml)
}

fn pattern_matches_ml(pattern: &str) -> bool {
    // Only `*` is special here, unlike in privileges.
    let pattern = Pattern::parse(&pattern.replace('\\', r"\\").replace('?', r"\?"));
    ML_TASKS.iter().any(|task| pattern.matches(task))
}

/// Every name a task of ML may have; one that does its work for another node is marked `[c]`, `[n]` or `[m]`.
static ML_TASKS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let actions = catalog::operations().filter_map(|operation| match operation.demand {
        Demand::Action(action) => Some(action),
        Demand::Privileges(_) => None,
    });
    let mut names: Vec<&str> = actions.chain(TASK_NAMES.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let marked = |name: &str| ["", "[c]", "[n]", "[m]"].map(|mark| format!("{name}{mark}"));
    names.into_iter().flat_map(marked).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_decide_over_cancelling() {
        let ml = [
            None,
            Some(""),
            Some("actions="),
            Some("actions=*"),
            Some("actions=*%2Fml%2F*"),
            Some("actions=xpack/ml/job"),
            Some("actions=*search,xpack/ml/job%5Bc%5D"),
            Some("actions=*search&actions=cluster:*"),
            Some("nodes=a"),
            Some("actions=*search&task_id=a:1"),
        ];
        for query in ml {
            assert!(cancels_ml(query), "{query:?}");
        }
        for query in ["actions=*search", "actions=indices:*", "actions=*reindex;nodes=a", "actions=xpack?ml?job"] {
            assert!(!cancels_ml(Some(query)), "{query}");
        }
        assert!(cancels_ml(Some(&format!("actions=a{}", ",a".repeat(600)))));
    }
}
