//! What the file says: one field a key, its default, and the doc comment that the reference and the schema show.
//!
//! These types know nothing of each other's rules; `config::review` turns them into settings.

mod authentication;
mod cluster;
mod jwt_realm;
mod key_set;
mod listener;
mod operation;
mod period;
mod secret_text;
mod size;

pub(super) use authentication::{
    AnonymousDocument, AuthenticationDocument, ElasticsearchRealmDocument, FailedAttemptsDocument, FileRealmDocument,
    PkiRealmDocument, RealmDocument, RequiredDocument,
};
pub(super) use cluster::{
    ClusterDocument, CredentialsDocument, EmbeddedDocument, HealthDocument, IdentityDocument, UpstreamTlsDocument,
    VerificationMode,
};
pub(super) use jwt_realm::{
    ClaimNames, ClaimPatternTexts, ClientAuthenticationDocument, JwtRealmDocument, SharedSecretType, TokenTypeDocument,
};
pub(super) use key_set::KeySetVerification;
pub(super) use listener::{AdminDocument, ClientCertificates, ListenerDocument, ListenerTlsDocument};
pub(super) use operation::{
    AuditDocument, AuditEvent, AuditOutput, FormatDocument, LevelDocument, LimitsDocument, LoggingDocument,
    TimeoutsDocument, TracingDocument, UpgradeModeDocument, WhenUnknownDocument,
};
pub(super) use period::Period;
pub(super) use secret_text::SecretText;
pub(super) use size::Size;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The config file of mlgate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mlgate")]
pub(super) struct Document {
    /// Addresses that callers connect to; at least one.
    pub(super) listeners: Vec<ListenerDocument>,
    /// The address for health, metrics, status API and dashboard; left out: none.
    #[serde(default)]
    pub(super) admin: Option<AdminDocument>,
    /// Threads that serve requests; 0: one per core.
    #[serde(default)]
    #[schemars(range(max = 1024))]
    pub(super) workers: usize,
    /// Where mlgate keeps what it writes itself.
    #[serde(default)]
    pub(super) state: StateDocument,
    /// Clusters that requests are forwarded to; left out: one embedded node.
    #[serde(default = "cluster::one_embedded")]
    pub(super) clusters: Vec<ClusterDocument>,
    /// Who callers are.
    #[serde(default)]
    pub(super) authentication: AuthenticationDocument,
    /// What callers may do.
    #[serde(default)]
    pub(super) authorization: AuthorizationDocument,
    /// How the upgrade mode of the clusters is followed.
    #[serde(default)]
    pub(super) upgrade_mode: UpgradeModeDocument,
    /// Upper limits of everything that a caller can make grow.
    #[serde(default)]
    pub(super) limits: LimitsDocument,
    /// How long things may take.
    #[serde(default)]
    pub(super) timeouts: TimeoutsDocument,
    /// The log on standard error.
    #[serde(default)]
    pub(super) logging: LoggingDocument,
    /// The audit trail.
    #[serde(default)]
    pub(super) audit: AuditDocument,
    /// Traces.
    #[serde(default)]
    pub(super) tracing: TracingDocument,
}

/// Where mlgate keeps what it writes itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StateDocument {
    /// Folder for the journals of the gate; made if it does not exist.
    pub(super) path: String,
}

impl Default for StateDocument {
    fn default() -> Self {
        Self { path: "state".to_owned() }
    }
}

/// What callers may do.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AuthorizationDocument {
    /// Elasticsearch's `roles.yml`: roles beside the built-in ones; left out: none.
    pub(super) roles: Option<String>,
    /// Elasticsearch's `role_mapping.yml`, in the form of the file or of the role-mapping API; left out: none.
    pub(super) role_mapping: Option<String>,
}
