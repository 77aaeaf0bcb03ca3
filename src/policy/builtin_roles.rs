//! The roles that every Elasticsearch cluster has, with their cluster privileges.
//!
//! Source: `ReservedRolesStore.java` and `KibanaOwnedReservedRoleDescriptors.java`. Index and application privileges
//! are the cluster's own business and left out.

use super::principal::RoleName;
use super::role::Role;

/// Name, cluster privileges, users that it may act as.
type Definition = (&'static str, &'static [&'static str], &'static [&'static str]);

pub(super) fn all() -> impl Iterator<Item = Role> {
    // Every line resolves, as a test shows; one that did not would be a role that does not exist, and grant nothing.
    DEFINITIONS.iter().filter_map(|definition| resolved(definition).ok())
}

fn resolved((name, cluster, run_as): &Definition) -> Result<Role, super::role::RoleProblem> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Role::new(RoleName::new(*name), owned(cluster), owned(run_as))
}

const SYSTEM: &[&str] = &["monitor", "cluster:admin/xpack/monitoring/bulk"];

#[rustfmt::skip] // a table
const DEFINITIONS: &[Definition] = &[
    ("superuser", &["all"], &["*"]),
    ("machine_learning_admin", &["manage_ml"], &[]),
    ("machine_learning_user", &["monitor_ml"], &[]),
    ("inference_admin", &["manage_inference"], &[]),
    ("inference_user", &["monitor_inference"], &[]),
    ("kibana_system", &[
        "monitor", "manage_index_templates", "manage_inference", "cluster:admin/xpack/monitoring/bulk", "manage_saml", "manage_token",
        "manage_oidc", "manage_enrich", "manage_pipeline", "manage_ilm", "monitor_connector", "manage_transform",
        "cluster:admin/xpack/security/api_key/invalidate", "grant_api_key", "manage_own_api_key",
        "cluster:admin/xpack/security/privilege/builtin/get", "delegate_pki", "cluster:admin/xpack/security/profile/get",
        "cluster:admin/xpack/security/profile/activate", "cluster:admin/xpack/security/profile/suggest",
        "cluster:admin/xpack/security/profile/has_privileges", "write_fleet_secrets", "manage_ml", "cluster:admin/analyze",
        "cluster:admin/script/put", "cluster:admin/script/get", "monitor_text_structure", "cancel_task", "cluster:admin/streams/logs/toggle",
    ], &[]),
    ("apm_system", SYSTEM, &[]),
    ("beats_system", SYSTEM, &[]),
    ("logstash_system", SYSTEM, &[]),
    ("remote_monitoring_agent", &[
        "manage_index_templates", "manage_ingest_pipelines", "monitor", "cluster:admin/ilm/get", "cluster:admin/ilm/put",
        "cluster:monitor/xpack/watcher/watch/get", "cluster:admin/xpack/watcher/watch/put", "cluster:admin/xpack/watcher/watch/delete",
    ], &[]),
    ("remote_monitoring_collector", &["monitor"], &[]),
    ("enrich_user", &["manage_enrich", "manage_ingest_pipelines", "monitor"], &[]),
    ("monitoring_user", &["cluster:monitor/main", "cluster:monitor/xpack/info", "cluster:monitor/remote/info"], &[]),
    ("transport_client", &["transport_client"], &[]),
    ("ingest_admin", &["manage_index_templates", "manage_pipeline"], &[]),
    ("data_frame_transforms_admin", &["manage_data_frame_transforms"], &[]),
    ("data_frame_transforms_user", &["monitor_data_frame_transforms"], &[]),
    ("transform_admin", &["manage_transform"], &[]),
    ("transform_user", &["monitor_transform"], &[]),
    ("watcher_admin", &["manage_watcher"], &[]),
    ("watcher_user", &["monitor_watcher"], &[]),
    ("rollup_admin", &["manage_rollup"], &[]),
    ("rollup_user", &["monitor_rollup"], &[]),
    ("logstash_admin", &["manage_logstash_pipelines"], &[]),
    ("snapshot_user", &["create_snapshot", "cluster:admin/repository/get"], &[]),
    ("apm_user", &[], &[]),
    ("beats_admin", &[], &[]),
    ("editor", &[], &[]),
    ("kibana_admin", &[], &[]),
    ("kibana_user", &[], &[]),
    ("reporting_user", &[], &[]),
    ("viewer", &[], &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_resolves() {
        let problems: Vec<_> = DEFINITIONS.iter().filter_map(|definition| resolved(definition).err()).collect();
        assert_eq!(problems, []);
    }
}
