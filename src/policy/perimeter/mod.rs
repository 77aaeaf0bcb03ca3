//! Requests that reach ML without an ML path: by method, path and query ([`find`]), or by what is in their body
//! ([`body`]).

pub(super) mod body;
mod index_names;
mod index_write;
pub(super) mod query;
mod tasks;

use super::classify::Perimeter;
use super::classify::segments::{Letters, Segments};
use super::operation::{Demand, UpgradeRule};

const ML_INDEX_WRITE: Perimeter = Perimeter {
    rule: "ml_index_write",
    demand: Demand::Privileges(&["manage_ml"]),
    upgrade_mode: UpgradeRule::RefusedUnlessManage,
};

const FEATURE_RESET: Perimeter =
    Perimeter { rule: "feature_reset", demand: Demand::Privileges(&["all"]), upgrade_mode: UpgradeRule::Passes };

const TASK_CANCEL: Perimeter =
    Perimeter { rule: "task_cancel", demand: Demand::Privileges(&["manage_ml"]), upgrade_mode: UpgradeRule::Passes };

const SYSTEM_FEATURE_MIGRATION: Perimeter = Perimeter {
    rule: "system_feature_migration",
    demand: Demand::Privileges(&["manage", "manage_ml"]),
    upgrade_mode: UpgradeRule::Passes,
};

const ML_RESTORE: Perimeter = Perimeter {
    rule: "ml_restore",
    demand: Demand::Privileges(&["manage", "manage_ml"]),
    upgrade_mode: UpgradeRule::Passes,
};

const CLUSTER_SETTINGS: Perimeter = Perimeter {
    rule: "cluster_settings",
    demand: Demand::Privileges(&["manage", "manage_ml"]),
    upgrade_mode: UpgradeRule::Passes,
};

/// All of them.
pub(super) const RULES: [Perimeter; 6] =
    [ML_INDEX_WRITE, FEATURE_RESET, TASK_CANCEL, SYSTEM_FEATURE_MIGRATION, ML_RESTORE, CLUSTER_SETTINGS];

/// The rule that a request falls under, or none, whatever its body.
pub(super) fn find(method: &str, segments: &Segments<'_>, query: Option<&str>, letters: Letters) -> Option<Perimeter> {
    let is = |index: usize, literal: &[u8]| segments.get(index).is_some_and(|segment| letters.equal(segment, literal));
    let rule = match (method, segments.count()) {
        ("POST", 2) if is(0, b"_features") && is(1, b"_reset") => Some(FEATURE_RESET),
        ("POST", 2) if is(0, b"_migration") && is(1, b"system_features") => Some(SYSTEM_FEATURE_MIGRATION),
        ("POST", 2) if is(0, b"_tasks") && is(1, b"_cancel") => tasks::cancels_ml(query).then_some(TASK_CANCEL),
        // Imported and deleted by their UUID: whose index it is, nobody can tell.
        ("POST" | "DELETE", 2) if is(0, b"_dangling") => Some(ML_INDEX_WRITE),
        ("POST", 3) if is(0, b"_tasks") && is(2, b"_cancel") => Some(TASK_CANCEL),
        _ => None,
    };
    rule.or_else(|| index_write::is_ml_write(method, segments, query, letters).then_some(ML_INDEX_WRITE))
}

#[cfg(test)]
mod tests;
