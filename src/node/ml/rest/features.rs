//! `_features`: what has state of its own on this node, and its removal.
//!
//! Source: elasticsearch, `RestResetFeatureStateAction.java`, `ResetFeatureStateResponse.java`.

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use crate::node::Core;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::operation::TASKS_INDEX;
use crate::node::ml::reset;
use crate::node::store::{Batch, Operation, OperationError};

const MACHINE_LEARNING: &str = "machine_learning";
const TASKS: &str = "tasks";

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    call.request.query.duration("master_timeout")?;
    Ok(Reply::json(json!({"features": [
        {"name": MACHINE_LEARNING, "description": "Provides anomaly detection and forecasting functionality"},
        {"name": TASKS, "description": "Manages task results"},
    ]})))
}

/// Each feature for itself; 500 if one of them failed.
pub(super) async fn reset(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    call.request.query.duration("master_timeout")?;
    let done = [(MACHINE_LEARNING, reset::reset(call.parts()).await), (TASKS, forget_outcomes(&call.node.core).await)];
    let failed = done.iter().any(|(_, outcome)| outcome.is_err());
    let status = if failed { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    let features: Vec<Value> = done.into_iter().map(|(name, outcome)| shown(name, outcome)).collect();
    Ok(Reply::with_status(status, json!({"features": features})))
}

async fn forget_outcomes(core: &Core) -> Result<(), ApiError> {
    let mut batch = Batch::new();
    batch.push(Operation::DeleteIndex { index: TASKS_INDEX.to_owned() });
    match core.store.commit(batch).await?.all() {
        Ok(_) | Err(OperationError::IndexMissing { .. }) => Ok(()),
        Err(problem) => Err(problem.into()),
    }
}

fn shown(name: &str, outcome: Result<(), ApiError>) -> Value {
    match outcome {
        Ok(()) => json!({"feature_name": name, "status": "SUCCESS"}),
        Err(problem) => json!({
            "feature_name": name,
            "status": "FAILURE",
            "exception": {"type": "exception", "reason": problem.reason(), "caused_by": problem.item()},
        }),
    }
}
