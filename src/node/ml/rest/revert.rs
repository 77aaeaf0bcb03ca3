//! `model_snapshots/{snapshot_id}/_revert`.

use std::sync::Arc;

use serde_json::json;

use super::call::Call;
use super::operations::{Waiting, finished};
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::job::revert::{Intervening, revert as take_back};
use crate::node::ml::metadata::{Blocked, Metadata};
use crate::node::ml::notification::{self, Level};
use crate::node::ml::persistent::Operation;
use crate::node::ml::problem::Problem;

pub(super) async fn revert(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["delete_intervening_results"])?;
    let fields = Fields::new("revert_model_snapshot_request", &options)
        .only(&["delete_intervening_results", "job_id", "snapshot_id"], &[])?;
    let intervening = match fields.flag("delete_intervening_results")?.unwrap_or(false) {
        true => Intervening::Deleted,
        false => Intervening::Kept,
    };
    let waiting = Waiting::of(&call)?;
    call.permit()?;
    let (id, snapshot_id) = (call.expression("job_id"), call.expression("snapshot_id"));
    let (task, since_ms) = (call.parts().local.reserve(), call.node.core.clock.now_ms());
    let model = call
        .change(|metadata, batch| {
            check(metadata, &id, &snapshot_id)?;
            let reverted = take_back(&call.node.core, metadata.job(&id)?, &snapshot_id, intervening, batch)?;
            metadata.jobs.insert(id.clone(), Arc::new(reverted.job));
            let message = format!("Job model snapshot reverted to '{snapshot_id}'");
            notification::put(&call.node.core, &id, Level::Info, message, batch)?;
            if intervening == Intervening::Deleted {
                let operation = Operation::Revert { from_ms: reverted.results_from_ms };
                metadata.blocked.insert(id.clone(), Blocked { operation, task, since_ms, kept: false });
            }
            Ok(reverted.model)
        })
        .await?;
    finished(&call, &id, task, waiting.timeout_ms).await?;
    Ok(Reply::json(json!({"model": model})))
}

fn check(metadata: &Metadata, id: &str, snapshot_id: &str) -> Result<(), Problem> {
    metadata.job(id)?;
    if metadata.job_task(id).is_some() {
        return Err(Problem::RevertOpenJob);
    }
    match metadata.blocked.get(id) {
        Some(blocked) => {
            let (job, snapshot) = (id.to_owned(), snapshot_id.to_owned());
            Err(Problem::RevertBlocked { job, snapshot, by: blocked.operation.name() })
        }
        None => Ok(()),
    }
}
