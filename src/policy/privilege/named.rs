//! Elasticsearch's named cluster privileges as patterns over action names.
//!
//! Source: `ClusterPrivilegeResolver.java` (8.x late) and the list of names in the public specification.
//! `manage_own_api_key` depends on whose key it is; no request that the gateway decides on falls under it, so that it
//! grants nothing here.

/// Name, granted patterns, patterns taken out again.
pub(super) type Definition = (&'static str, &'static [&'static str], &'static [&'static str]);

pub(super) const ALL_PATTERNS: &[&str] = &["cluster:*", "indices:admin/template/*", "indices:admin/index_template/*"];
const SECURITY: &[&str] = &["cluster:admin/xpack/security/*"];
const TRANSFORM: &[&str] = &[
    "cluster:admin/data_frame/*",
    "cluster:monitor/data_frame/*",
    "cluster:monitor/transform/*",
    "cluster:admin/transform/*",
];
const MONITOR_TRANSFORM: &[&str] = &["cluster:monitor/data_frame/*", "cluster:monitor/transform/*"];
const CONNECTOR_SECRETS_WRITE: &[&str] = &[
    "cluster:admin/xpack/connector/secret/delete",
    "cluster:admin/xpack/connector/secret/post",
    "cluster:admin/xpack/connector/secret/put",
];
const INGEST_PIPELINE: &[&str] = &["cluster:admin/ingest/pipeline/*"];

#[rustfmt::skip] // a table
pub(super) const DEFINITIONS: &[Definition] = &[
    ("none", &[], &[]),
    ("all", ALL_PATTERNS, &[]),
    ("manage", ALL_PATTERNS, SECURITY),
    ("monitor", &["cluster:monitor/*", "indices:admin/template/get", "cluster:admin/component_template/get", "indices:admin/index_template/get"], &[]),

    ("manage_ml", &["cluster:admin/xpack/ml/*", "cluster:monitor/xpack/ml/*"], &[]),
    ("monitor_ml", &["cluster:monitor/xpack/ml/*"], &[]),
    ("manage_inference", &[
        "cluster:admin/xpack/inference/*", "cluster:monitor/xpack/inference*",
        "cluster:admin/xpack/ml/trained_models/deployment/start", "cluster:admin/xpack/ml/trained_models/deployment/stop",
        "cluster:monitor/xpack/ml/trained_models/deployment/infer",
    ], &[]),
    ("monitor_inference", &["cluster:monitor/xpack/inference*", "cluster:monitor/xpack/ml/trained_models/deployment/infer"], &[]),
    ("monitor_text_structure", &["cluster:monitor/text_structure/*"], &[]),

    ("cancel_task", &["cluster:admin/tasks/cancel*"], &[]),
    ("create_snapshot", &["cluster:admin/snapshot/create", "cluster:admin/snapshot/status*", "cluster:admin/snapshot/get", "cluster:admin/repository/get"], &[]),
    ("cross_cluster_replication", &[
        "cluster:internal/remote_cluster/handshake", "cluster:internal/remote_cluster/nodes", "cluster:internal/admin/tasks/ban",
        "cluster:internal/admin/tasks/cancel_child", "cluster:monitor/xpack/info", "cluster:monitor/state",
    ], &[]),
    ("cross_cluster_search", &[
        "cluster:internal/remote_cluster/handshake", "cluster:internal/remote_cluster/nodes", "cluster:internal/admin/tasks/ban",
        "cluster:internal/admin/tasks/cancel_child", "cluster:monitor/xpack/info", "cluster:monitor/xpack/enrich/esql/resolve_policy",
        "cluster:internal:data/read/esql/open_exchange", "cluster:internal:data/read/esql/exchange",
    ], &[]),
    ("delegate_pki", &["cluster:admin/xpack/security/delegate_pki", "cluster:admin/xpack/security/token/invalidate"], &[]),
    ("grant_api_key", &["cluster:admin/xpack/security/api_key/grant*"], &[]),
    ("manage_api_key", &["cluster:admin/xpack/security/api_key/*"], &[]),
    ("manage_autoscaling", &["cluster:admin/autoscaling/*"], &[]),
    ("manage_behavioral_analytics", &["cluster:admin/xpack/application/analytics/*"], &[]),
    ("manage_ccr", &["cluster:admin/xpack/ccr/*", "cluster:monitor/state", "cluster:admin/xpack/security/user/has_privileges"], &[]),
    ("manage_connector", &["cluster:admin/xpack/connector/*"], &["cluster:admin/xpack/connector/secret/get", "cluster:admin/xpack/connector/secret/delete", "cluster:admin/xpack/connector/secret/post", "cluster:admin/xpack/connector/secret/put"]),
    ("manage_data_frame_transforms", TRANSFORM, &[]),
    ("manage_data_stream_global_retention", &["cluster:admin/data_stream/global_retention/*", "cluster:monitor/data_stream/global_retention/*"], &[]),
    ("manage_enrich", &["cluster:admin/xpack/enrich/*", "cluster:monitor/xpack/enrich/*"], &[]),
    ("manage_esql", &["cluster:admin/xpack/esql/*", "cluster:monitor/xpack/esql/*"], &[]),
    ("manage_ilm", &["cluster:admin/ilm/*"], &[]),
    ("manage_index_templates", &["indices:admin/template/*", "indices:admin/index_template/*", "cluster:admin/component_template/*"], &[]),
    ("manage_ingest_pipelines", INGEST_PIPELINE, &[]),
    ("manage_logstash_pipelines", &["cluster:admin/logstash/pipeline/*"], &[]),
    ("manage_oidc", &["cluster:admin/xpack/security/oidc/*"], &[]),
    ("manage_own_api_key", &[], &[]),
    ("manage_pipeline", INGEST_PIPELINE, &[]),
    ("manage_rollup", &["cluster:admin/xpack/rollup/*", "cluster:monitor/xpack/rollup/*"], &[]),
    ("manage_saml", &[
        "cluster:admin/xpack/security/saml/*", "cluster:admin/xpack/security/token/invalidate",
        "cluster:admin/xpack/security/token/refresh", "cluster:monitor/xpack/security/saml/metadata",
    ], &[]),
    ("manage_search_application", &["cluster:admin/xpack/application/search_application/*"], &[]),
    ("manage_search_query_rules", &["cluster:admin/xpack/query_rules/*"], &[]),
    ("manage_search_synonyms", &["cluster:admin/synonyms/*", "cluster:admin/synonyms_sets/*", "cluster:admin/synonym_rules/*"], &[]),
    ("manage_security", SECURITY, &["cluster:admin/xpack/security/delegate_pki"]),
    ("manage_service_account", &["cluster:admin/xpack/security/service_account/*"], &[]),
    ("manage_slm", &["cluster:admin/slm/*", "cluster:admin/ilm/start", "cluster:admin/ilm/stop", "cluster:admin/ilm/operation_mode/get"], &[]),
    ("manage_token", &["cluster:admin/xpack/security/token/*"], &[]),
    ("manage_transform", TRANSFORM, &[]),
    ("manage_user_profile", &["cluster:admin/xpack/security/profile/*"], &[]),
    ("manage_watcher", &["cluster:admin/xpack/watcher/*", "cluster:monitor/xpack/watcher/*"], &[]),
    ("monitor_connector", &[
        "cluster:admin/xpack/connector/get", "cluster:admin/xpack/connector/list",
        "cluster:admin/xpack/connector/sync_job/get", "cluster:admin/xpack/connector/sync_job/list",
    ], &[]),
    ("monitor_data_frame_transforms", MONITOR_TRANSFORM, &[]),
    ("monitor_data_stream_global_retention", &["cluster:monitor/data_stream/global_retention/*"], &[]),
    ("monitor_enrich", &["cluster:monitor/xpack/enrich/*", "cluster:admin/xpack/enrich/get"], &[]),
    ("monitor_esql", &["cluster:monitor/xpack/esql/*"], &[]),
    ("monitor_rollup", &["cluster:monitor/xpack/rollup/*"], &[]),
    ("monitor_snapshot", &["cluster:admin/snapshot/status*", "cluster:admin/snapshot/get", "cluster:admin/repository/get"], &[]),
    ("monitor_stats", &["cluster:monitor/stats*"], &[]),
    ("monitor_transform", MONITOR_TRANSFORM, &[]),
    ("monitor_watcher", &["cluster:monitor/xpack/watcher/*"], &[]),
    ("post_behavioral_analytics_event", &["cluster:admin/xpack/application/analytics/post_event"], &[]),
    ("read_ccr", &["cluster:monitor/state", "cluster:admin/xpack/security/user/has_privileges"], &[]),
    ("read_connector_secrets", &["cluster:admin/xpack/connector/secret/get"], &[]),
    ("read_fleet_secrets", &["cluster:admin/fleet/secrets/get"], &[]),
    ("read_ilm", &["cluster:admin/ilm/get", "cluster:admin/ilm/operation_mode/get"], &[]),
    ("read_pipeline", &["cluster:admin/ingest/pipeline/get", "cluster:admin/ingest/pipeline/simulate"], &[]),
    ("read_security", &[
        "cluster:admin/xpack/security/api_key/get", "cluster:admin/xpack/security/api_key/query",
        "cluster:admin/xpack/security/privilege/builtin/get", "cluster:admin/xpack/security/privilege/get",
        "cluster:admin/xpack/security/profile/get", "cluster:admin/xpack/security/profile/has_privileges",
        "cluster:admin/xpack/security/profile/suggest", "cluster:admin/xpack/security/role/get",
        "cluster:admin/xpack/security/role/query", "cluster:admin/xpack/security/role_mapping/get",
        "cluster:admin/xpack/security/service_account/get", "cluster:admin/xpack/security/service_account/credential/get*",
        "cluster:admin/xpack/security/settings/get", "cluster:admin/xpack/security/user/get",
        "cluster:admin/xpack/security/user/query", "cluster:admin/xpack/security/user/list_privileges",
        "cluster:admin/xpack/security/user/has_privileges",
    ], &[]),
    ("read_slm", &["cluster:admin/slm/get", "cluster:admin/slm/status", "cluster:admin/ilm/operation_mode/get"], &[]),
    ("transport_client", &["cluster:monitor/nodes/liveness", "cluster:monitor/state"], &[]),
    ("write_connector_secrets", CONNECTOR_SECRETS_WRITE, &[]),
    ("write_fleet_secrets", &["cluster:admin/fleet/secrets/post", "cluster:admin/fleet/secrets/delete"], &[]),
];
