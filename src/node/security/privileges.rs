//! Privileges: names for sets of actions, on the cluster and on indices.
//!
//! Source: elasticsearch, `ClusterPrivilegeResolver.java`, `IndexPrivilege.java`.

use std::cmp::Reverse;

use crate::node::indices::wildcard;

/// A set of actions: what the first patterns match and the second do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    include: Vec<String>,
    exclude: Vec<String>,
}

/// Where a privilege holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Cluster,
    Index,
}

impl Scope {
    fn table(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Cluster => CLUSTER,
            Self::Index => INDEX,
        }
    }
}

/// Without these `manage` is `all`.
const NOT_MANAGE: &str = "cluster:admin/xpack/security/*";

#[rustfmt::skip] // a table: one privilege a line
const CLUSTER: &[(&str, &[&str])] = &[
    ("all", &["cluster:*", "indices:admin/template/*", "indices:admin/index_template/*"]),
    ("cancel_task", &["cluster:admin/tasks/cancel*"]),
    ("create_snapshot", &["cluster:admin/snapshot/create*", "cluster:admin/snapshot/status*", "cluster:admin/snapshot/get*", "cluster:admin/repository/get*"]),
    ("delegate_pki", &["cluster:admin/xpack/security/delegate_pki*", "cluster:admin/xpack/security/token/invalidate*"]),
    ("grant_api_key", &["cluster:admin/xpack/security/api_key/grant*"]),
    ("manage", &["cluster:*", "indices:admin/template/*", "indices:admin/index_template/*"]),
    ("manage_api_key", &["cluster:admin/xpack/security/api_key/*"]),
    ("manage_autoscaling", &["cluster:admin/autoscaling/*"]),
    ("manage_ccr", &["cluster:admin/xpack/ccr/*"]),
    ("manage_data_frame_transforms", &["cluster:admin/data_frame/*", "cluster:monitor/data_frame/*", "cluster:monitor/transform/*", "cluster:admin/transform/*"]),
    ("manage_enrich", &["cluster:admin/xpack/enrich/*"]),
    ("manage_ilm", &["cluster:admin/ilm/*"]),
    ("manage_index_templates", &["indices:admin/template/*", "indices:admin/index_template/*", "cluster:admin/component_template/*"]),
    ("manage_inference", &["cluster:admin/xpack/inference/*", "cluster:monitor/xpack/inference*", "cluster:admin/xpack/ml/trained_models/deployment/start", "cluster:admin/xpack/ml/trained_models/deployment/stop", "cluster:monitor/xpack/ml/trained_models/deployment/infer"]),
    ("manage_ingest_pipelines", &["cluster:admin/ingest/pipeline/*", "cluster:monitor/text_structure/*"]),
    ("manage_logstash_pipelines", &["cluster:admin/logstash/pipeline/*"]),
    ("manage_ml", &["cluster:admin/xpack/ml/*", "cluster:monitor/xpack/ml/*"]),
    ("manage_oidc", &["cluster:admin/xpack/security/oidc/*"]),
    ("manage_own_api_key", &["cluster:admin/xpack/security/api_key/create", "cluster:admin/xpack/security/api_key/get", "cluster:admin/xpack/security/api_key/invalidate"]),
    ("manage_pipeline", &["cluster:admin/ingest/pipeline/*"]),
    ("manage_rollup", &["cluster:admin/xpack/rollup/*", "cluster:monitor/xpack/rollup/*"]),
    ("manage_saml", &["cluster:admin/xpack/security/saml/*", "cluster:admin/xpack/security/token/invalidate*", "cluster:admin/xpack/security/token/refresh*"]),
    ("manage_security", &["cluster:admin/xpack/security/*"]),
    ("manage_service_account", &["cluster:admin/xpack/security/service_account/*"]),
    ("manage_slm", &["cluster:admin/slm/*", "cluster:admin/ilm/operation_mode/*"]),
    ("manage_token", &["cluster:admin/xpack/security/token/*"]),
    ("manage_transform", &["cluster:admin/data_frame/*", "cluster:monitor/data_frame/*", "cluster:monitor/transform/*", "cluster:admin/transform/*"]),
    ("manage_user_profile", &["cluster:admin/xpack/security/profile/*"]),
    ("manage_watcher", &["cluster:admin/xpack/watcher/*", "cluster:monitor/xpack/watcher/*"]),
    ("monitor", &["cluster:monitor/*", "indices:admin/template/get", "indices:admin/index_template/get", "cluster:admin/component_template/get"]),
    ("monitor_data_frame_transforms", &["cluster:monitor/data_frame/*", "cluster:monitor/transform/*"]),
    ("monitor_enrich", &["cluster:monitor/xpack/enrich/*", "cluster:admin/xpack/enrich/get"]),
    ("monitor_inference", &["cluster:monitor/xpack/inference*", "cluster:monitor/xpack/ml/trained_models/deployment/infer"]),
    ("monitor_ml", &["cluster:monitor/xpack/ml/*"]),
    ("monitor_rollup", &["cluster:monitor/xpack/rollup/*"]),
    ("monitor_snapshot", &["cluster:admin/snapshot/status*", "cluster:admin/snapshot/get*", "cluster:admin/repository/get*"]),
    ("monitor_stats", &["cluster:monitor/stats*"]),
    ("monitor_text_structure", &["cluster:monitor/text_structure/*"]),
    ("monitor_transform", &["cluster:monitor/data_frame/*", "cluster:monitor/transform/*"]),
    ("monitor_watcher", &["cluster:monitor/xpack/watcher/*"]),
    ("none", &[]),
    ("read_ccr", &["cluster:monitor/state", "cluster:admin/xpack/security/user/has_privileges"]),
    ("read_ilm", &["cluster:admin/ilm/get", "cluster:admin/ilm/operation_mode/get"]),
    ("read_pipeline", &["cluster:admin/ingest/pipeline/get", "cluster:admin/ingest/pipeline/simulate"]),
    ("read_security", &["cluster:admin/xpack/security/role/get", "cluster:admin/xpack/security/user/get", "cluster:admin/xpack/security/user/list_privileges", "cluster:admin/xpack/security/user/has_privileges"]),
    ("read_slm", &["cluster:admin/slm/get", "cluster:admin/slm/stats", "cluster:admin/slm/status", "cluster:admin/ilm/operation_mode/get"]),
    ("transport_client", &["cluster:monitor/nodes/liveness", "cluster:monitor/state"]),
];

#[rustfmt::skip] // a table: one privilege a line
const INDEX: &[(&str, &[&str])] = &[
    ("all", &["indices:*"]),
    ("auto_configure", &["indices:admin/mapping/auto_put", "indices:admin/auto_create"]),
    ("create", &["indices:data/write/index*", "indices:data/write/bulk*"]),
    ("create_doc", &["indices:data/write/index", "indices:data/write/index[*", "indices:data/write/index:op_type/create", "indices:data/write/bulk*"]),
    ("create_index", &["indices:admin/create", "indices:admin/auto_create", "indices:admin/data_stream/create"]),
    ("delete", &["indices:data/write/delete*", "indices:data/write/bulk*"]),
    ("delete_index", &["indices:admin/delete", "indices:admin/data_stream/delete"]),
    ("index", &["indices:data/write/index*", "indices:data/write/bulk*", "indices:data/write/update*"]),
    ("maintenance", &["indices:admin/refresh*", "indices:admin/flush*", "indices:admin/synced_flush", "indices:admin/forcemerge*"]),
    ("manage", &["indices:monitor/*", "indices:admin/*"]),
    ("manage_follow_index", &["indices:admin/xpack/ccr/*", "indices:admin/close*", "indices:admin/open*"]),
    ("manage_ilm", &["indices:admin/ilm/*"]),
    ("monitor", &["indices:monitor/*"]),
    ("none", &[]),
    ("read", &["indices:data/read/*"]),
    ("view_index_metadata", &["indices:admin/aliases/get", "indices:admin/get", "indices:admin/exists", "indices:admin/mappings/fields/get*", "indices:admin/mappings/get*", "indices:admin/shards/search_shards", "indices:admin/types/exists", "indices:admin/validate/query*", "indices:monitor/settings/get", "indices:admin/ilm/explain", "indices:admin/resolve/index", "indices:admin/data_stream/get", "indices:monitor/field_usage_stats"]),
    ("write", &["indices:data/write/*", "indices:admin/mapping/auto_put"]),
];

impl Actions {
    /// The actions of a privilege, by its name, or by a pattern over actions, to which Elasticsearch appends `*`.
    pub fn of(scope: Scope, privilege: &str) -> Option<Self> {
        let lower = privilege.to_lowercase();
        if let Some((name, patterns)) = scope.table().iter().find(|(name, _)| *name == lower) {
            let exclude =
                if scope == Scope::Cluster && *name == "manage" { vec![NOT_MANAGE.to_owned()] } else { Vec::new() };
            return Some(Self { include: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(), exclude });
        }
        let all = match scope {
            Scope::Cluster => ["cluster:", "indices:admin/template/", "indices:admin/index_template/"].as_slice(),
            Scope::Index => ["indices:", "internal:transport/proxy/indices:"].as_slice(),
        };
        let is_action = all.iter().any(|prefix| lower.starts_with(prefix));
        is_action.then(|| Self { include: vec![format!("{lower}*")], exclude: Vec::new() })
    }

    pub fn allows(&self, action: &str) -> bool {
        covered(action, &self.include) && !covered(action, &self.exclude)
    }

    /// Whether every action of `other` is one of these.
    pub fn contains(&self, other: &Self) -> bool {
        // A star of the other's pattern is only matched by a star here, so comparing patterns as texts is exact enough.
        let inside = other.include.iter().all(|pattern| covered(pattern, &self.include));
        inside
            && self.exclude.iter().all(|excluded| {
                let apart = other.include.iter().all(|pattern| {
                    !wildcard::glob(pattern, excluded, true) && !wildcard::glob(excluded, pattern, true)
                });
                apart || other.exclude.contains(excluded)
            })
    }
}

fn covered(action: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| wildcard::glob(pattern, action, true))
}

/// The named privileges that grant an action, from the narrowest to the widest, as denials list them.
pub fn granting(scope: Scope, action: &str) -> Vec<&'static str> {
    let named: Vec<(&'static str, Actions)> =
        scope.table().iter().filter_map(|(name, _)| Some((*name, Actions::of(scope, name)?))).collect();
    let wider =
        |actions: &Actions| named.iter().filter(|(_, other)| other != actions && other.contains(actions)).count();
    let mut granting: Vec<_> = named
        .iter()
        .filter(|(_, actions)| actions.allows(action))
        .map(|(name, actions)| (Reverse(wider(actions)), *name))
        .collect();
    granting.sort_unstable();
    granting.into_iter().map(|(_, name)| name).collect()
}

/// Whether a name is one of Elasticsearch's.
pub fn is_named(scope: Scope, privilege: &str) -> bool {
    scope.table().iter().any(|(name, _)| name.eq_ignore_ascii_case(privilege))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_list_privileges_from_narrow_to_wide() {
        for (scope, action, expected) in [
            (Scope::Cluster, "cluster:admin/xpack/ml/job/open", "manage_ml,manage,all"),
            (Scope::Cluster, "cluster:monitor/xpack/ml/info/get", "monitor_ml,manage_ml,monitor,manage,all"),
            (
                Scope::Cluster,
                "cluster:admin/xpack/ml/trained_models/deployment/start",
                "manage_inference,manage_ml,manage,all",
            ),
            (Scope::Index, "indices:data/read/search", "read,all"),
            (Scope::Index, "indices:data/write/index", "create_doc,create,index,write,all"),
            (Scope::Index, "indices:data/write/bulk[s]", "create_doc,create,delete,index,write,all"),
            (Scope::Index, "indices:admin/delete", "delete_index,manage,all"),
        ] {
            assert_eq!(granting(scope, action).join(","), expected, "{action}");
        }
    }

    #[test]
    fn manage_is_all_but_security() {
        let manage = Actions::of(Scope::Cluster, "MANAGE").expect("a privilege");
        assert!(manage.allows("cluster:admin/xpack/ml/upgrade_mode"));
        assert!(!manage.allows("cluster:admin/xpack/security/user/put"));
        let all = Actions::of(Scope::Cluster, "all").expect("a privilege");
        assert!(all.contains(&manage) && !manage.contains(&all));
    }

    #[test]
    fn action_names_are_prefixes() {
        let actions = Actions::of(Scope::Cluster, "cluster:admin/xpack/ml/datafeed").expect("a pattern");
        assert!(actions.allows("cluster:admin/xpack/ml/datafeeds/put"));
        assert_eq!(Actions::of(Scope::Cluster, "manage_nothing"), None);
        assert_eq!(Actions::of(Scope::Index, "cluster:admin/x"), None);
    }
}
