//! One row of the table of requests that reach ML, and what it asks of the caller.

/// An ML endpoint of Elasticsearch: one method on one path template.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Name in the Elasticsearch specification, such as `ml.open_job`.
    pub api: &'static str,
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Path template, such as `/_ml/anomaly_detectors/{job_id}/_open`.
    pub template: &'static str,
    /// What the caller needs.
    pub demand: Demand,
    /// What upgrade mode does to it.
    pub upgrade_mode: UpgradeRule,
}

/// What a request asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A grant of this transport action, such as `cluster:admin/xpack/ml/job/open`.
    Action(&'static str),
    /// All of these named cluster privileges; where Elasticsearch names no action for the route.
    Privileges(&'static [&'static str]),
}

/// What Elasticsearch does to an operation while upgrade mode is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpgradeRule {
    /// Served in every state.
    Passes,
    /// 429 `status_exception`, "Cannot perform `<action>` action while upgrade mode is enabled".
    Refused,
    /// 409 `status_exception`, "cannot reset job while indices are being upgraded".
    RefusedAsReset,
    /// 429 as well, unless the caller also has `manage`: writes to `.ml-*`, which the mode is there for.
    RefusedUnlessManage,
    /// Switches the mode itself.
    Switches,
}
