//! Settings of the cluster that reconfigure or halt ML.

const OF_ML: [&str; 2] = ["xpack.ml.", "cluster.persistent_tasks."];

/// `path` is `persistent` or `transient` and the name of a setting, flat or nested. A name may hold `*`, by which several
/// settings are reset.
pub(super) fn is_of_ml(path: &str) -> bool {
    let Some((_kind, setting)) = path.split_once('.') else { return false };
    OF_ML.iter().any(|prefix| match setting.split_once('*') {
        Some((literal, _)) => literal.starts_with(prefix) || prefix.starts_with(literal),
        None => setting.starts_with(prefix),
    })
}

/// Whether settings of ML stand below `path`: taking it away takes them away.
pub(super) fn is_above_ml(path: &str) -> bool {
    let Some((_kind, setting)) = path.split_once('.') else { return false };
    OF_ML.iter().any(|prefix| prefix.strip_prefix(setting).is_some_and(|rest| rest.starts_with('.')))
}
