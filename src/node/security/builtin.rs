//! Elasticsearch's built-in roles, as far as they matter to what the node has.
//!
//! Source: elasticsearch, `ReservedRolesStore.java`, `KibanaOwnedReservedRoleDescriptors.java`.

use super::role::{Role, RoleProblem};

const ORDINARY: &str = "/~(([.]|ilm-history-).*)/";

/// Role, cluster privileges, and then index names with privileges on them.
type Line = (&'static str, &'static [&'static str], &'static [(&'static [&'static str], &'static [&'static str])]);

#[rustfmt::skip] // a table: one role a line
const ROLES: &[Line] = &[
    ("apm_system", &["monitor", "cluster:admin/xpack/monitoring/bulk"], &[(&[".monitoring-beats-*"], &["create_index", "create_doc"])]),
    ("apm_user", &[], &[(&["apm-*"], &["read", "view_index_metadata"])]),
    ("beats_admin", &[], &[(&[".management-beats"], &["all"])]),
    ("beats_system", &["monitor", "cluster:admin/xpack/monitoring/bulk"], &[(&[".monitoring-beats-*"], &["create_index", "create"])]),
    ("data_frame_transforms_admin", &["manage_data_frame_transforms"], &[(&[".transform-notifications*", ".data-frame-notifications*"], &["view_index_metadata", "read"])]),
    ("data_frame_transforms_user", &["monitor_data_frame_transforms"], &[(&[".transform-notifications*", ".data-frame-notifications*"], &["view_index_metadata", "read"])]),
    ("editor", &[], &[
        (&[ORDINARY], &["read", "view_index_metadata"]),
        (&["observability-annotations"], &["read", "view_index_metadata", "write"]),
        (&[".siem-signals*", ".lists-*", ".items-*"], &["read", "view_index_metadata", "write", "maintenance"]),
        (&[".alerts*", ".preview.alerts*"], &["read", "view_index_metadata", "write", "maintenance"]),
    ]),
    ("enrich_user", &["manage_enrich", "manage_ingest_pipelines", "monitor"], &[(&[".enrich-*"], &["manage", "read", "write"])]),
    ("inference_admin", &["manage_inference"], &[]),
    ("inference_user", &["monitor_inference"], &[]),
    ("ingest_admin", &["manage_index_templates", "manage_pipeline"], &[]),
    ("kibana_admin", &[], &[]),
    ("kibana_system", &["monitor", "manage_index_templates", "manage_ingest_pipelines", "manage_saml", "manage_token", "manage_oidc", "manage_enrich", "manage_pipeline", "manage_ilm", "manage_transform", "manage_own_api_key", "manage_ml", "manage_inference", "cancel_task", "read_slm"], &[
        (&[".kibana*", ".reporting-*"], &["all"]),
        (&[".monitoring-*"], &["read", "read"]),
        (&[".management-beats"], &["create_index", "read", "write"]),
        (&[".ml-anomalies*", ".ml-stats-*"], &["read"]),
        (&[".ml-annotations*", ".ml-notifications*"], &["read", "write"]),
        (&[".apm-agent-configuration", ".apm-custom-link", ".apm-source-map"], &["all"]),
        (&["apm-*", "logs-*", "metrics-*", "traces-*"], &["read"]),
        (&["*"], &["view_index_metadata", "monitor"]),
        (&[".alerts*", ".preview.alerts*", ".lists-*", ".items-*", ".siem-signals*"], &["all"]),
    ]),
    ("kibana_user", &[], &[]),
    ("logstash_admin", &["manage_logstash_pipelines"], &[(&[".logstash*"], &["create", "delete", "index", "manage", "read"])]),
    ("logstash_system", &["monitor", "cluster:admin/xpack/monitoring/bulk"], &[]),
    ("machine_learning_admin", &["manage_ml"], &[
        (&[".ml-anomalies*", ".ml-notifications*", ".ml-state*", ".ml-meta*", ".ml-stats-*"], &["view_index_metadata", "read"]),
        (&[".ml-annotations*"], &["view_index_metadata", "read", "write"]),
    ]),
    ("machine_learning_user", &["monitor_ml"], &[
        (&[".ml-anomalies*", ".ml-notifications*"], &["view_index_metadata", "read"]),
        (&[".ml-annotations*"], &["view_index_metadata", "read", "write"]),
    ]),
    ("monitoring_user", &["cluster:monitor/main", "cluster:monitor/xpack/info", "cluster:monitor/remote/info"], &[(&[".monitoring-*", "metricbeat-*"], &["read", "view_index_metadata"])]),
    ("remote_monitoring_agent", &["manage_index_templates", "manage_ingest_pipelines", "monitor", "cluster:admin/ilm/get", "cluster:admin/ilm/put"], &[(&[".monitoring-*", "metricbeat-*"], &["all"])]),
    ("remote_monitoring_collector", &["monitor"], &[(&["*"], &["monitor"]), (&[".kibana*"], &["read"])]),
    ("reporting_user", &[], &[]),
    ("rollup_admin", &["manage_rollup"], &[]),
    ("rollup_user", &["monitor_rollup"], &[]),
    ("snapshot_user", &["create_snapshot", "cluster:admin/repository/get"], &[(&["*"], &["view_index_metadata"])]),
    ("transform_admin", &["manage_transform"], &[(&[".transform-notifications*", ".data-frame-notifications*"], &["view_index_metadata", "read"])]),
    ("transform_user", &["monitor_transform"], &[(&[".transform-notifications*", ".data-frame-notifications*"], &["view_index_metadata", "read"])]),
    ("transport_client", &["transport_client"], &[]),
    ("viewer", &[], &[
        (&[ORDINARY], &["read", "view_index_metadata"]),
        (&[".siem-signals*", ".lists-*", ".items-*"], &["read", "view_index_metadata"]),
        (&[".alerts*", ".preview.alerts*"], &["read", "view_index_metadata"]),
    ]),
    ("watcher_admin", &["manage_watcher"], &[(&[".watches", ".triggered_watches", ".watcher-history-*"], &["read"])]),
    ("watcher_user", &["monitor_watcher"], &[(&[".watches", ".watcher-history-*"], &["read"])]),
];

/// All of them.
///
/// # Errors
/// None; a test makes them all.
pub(super) fn roles() -> Result<Vec<Role>, RoleProblem> {
    let mut roles = vec![superuser()?];
    for (name, cluster, indices) in ROLES {
        let mut role = Role::new(name, cluster)?;
        for (names, privileges) in *indices {
            role = role.on(names, privileges, *name == "kibana_system" || *name == "remote_monitoring_collector")?;
        }
        roles.push(role);
    }
    Ok(roles)
}

fn superuser() -> Result<Role, RoleProblem> {
    // As in Elasticsearch 8 and later, even a superuser only reads system indices.
    Role::new("superuser", &["all"])?.on(&["*"], &["all"], false)?.on(
        &["*"],
        &["monitor", "read", "view_index_metadata"],
        true,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_can_be_made() {
        assert_eq!(roles().map(|roles| roles.len()).ok(), Some(ROLES.len() + 1));
    }
}
