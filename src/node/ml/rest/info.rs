//! `_ml/info` and `_ml/set_upgrade_mode`.

use serde_json::{Value, json};

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::duration::to_ms;
use crate::node::ml::{JOB_VERSION, upgrade_mode};

const TIMEOUT_DEFAULT_MS: i64 = 30_000;

pub(super) async fn info(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    Ok(Reply::json(shown(call.metadata().standing.upgrade_mode)))
}

fn shown(upgrade_mode: bool) -> Value {
    json!({
        "defaults": {
            "anomaly_detectors": {
                "model_memory_limit": "1gb",
                "categorization_examples_limit": 4,
                "model_snapshot_retention_days": 10,
                "daily_model_snapshot_retention_after_days": 1,
            },
            "datafeeds": {"scroll_size": 1000},
        },
        "limits": {},
        "native_code": {"version": JOB_VERSION, "build_hash": "mlgate"},
        "upgrade_mode": upgrade_mode,
    })
}

/// A bare POST switches the mode off, as in Elasticsearch.
pub(super) async fn set_upgrade_mode(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let enabled = call.request.query.flag("enabled")?.unwrap_or(false);
    let timeout_ms = call.request.query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
    call.request.query.duration("master_timeout")?;
    upgrade_mode::switch(call.parts(), enabled, timeout_ms).await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}
