//! Requests that block a job until they are done: waited for, or answered with the id of their task.

use serde_json::json;

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::duration::to_ms;
use crate::node::ml::metadata::{Blocked, Metadata};
use crate::node::ml::notification::{self, Level};
use crate::node::ml::persistent::Operation;
use crate::node::ml::problem::Problem;

const TIMEOUT_DEFAULT_MS: i64 = 1_800_000;

/// Whether the caller waits for the end, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    completion: bool,
    pub(super) timeout_ms: i64,
}

impl Waiting {
    /// Of the query. There are no annotations, so that it is all one whether those of users are to go too.
    ///
    /// # Errors
    /// 400 for a value that is not of its kind.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let query = &call.request.query;
        query.flag("delete_user_annotations")?;
        query.duration("master_timeout")?;
        let timeout_ms = query.duration("timeout")?.map_or(TIMEOUT_DEFAULT_MS, to_ms);
        Ok(Self { completion: query.flag("wait_for_completion")?.unwrap_or(true), timeout_ms })
    }
}

/// Blocks a job by an operation, with the change that begins it; joins one of the same kind that is on its way.
///
/// # Errors
/// 404, 409, what `begin` refuses; 500 when the time is up, and the operation goes on.
pub(super) async fn block(
    call: &Call,
    id: &str,
    operation: Operation,
    waiting: Waiting,
    begin: impl FnOnce(&mut Metadata) -> Result<(), Problem>,
) -> Result<Reply, ApiError> {
    let number = mark(call, id, operation, !waiting.completion, begin).await?;
    if waiting.completion {
        finished(call, id, number, waiting.timeout_ms).await?;
        return Ok(Reply::json(json!({"acknowledged": true})));
    }
    Ok(Reply::json(json!({"task": format!("{}:{number}", call.node.core.identity.node_id)})))
}

async fn mark(
    call: &Call,
    id: &str,
    operation: Operation,
    kept: bool,
    begin: impl FnOnce(&mut Metadata) -> Result<(), Problem>,
) -> Result<u64, ApiError> {
    let (task, since_ms) = (call.parts().local.reserve(), call.node.core.clock.now_ms());
    call.change(|metadata, batch| {
        if operation == Operation::Reset && metadata.standing.upgrade_mode {
            return Err(Problem::ResetInUpgradeMode.into());
        }
        metadata.job(id)?;
        if let Some(blocked) = metadata.blocked.get_mut(id) {
            if blocked.operation != operation {
                return Err(blocked_by(operation, id, blocked.operation).into());
            }
            blocked.kept |= kept;
            return Ok(blocked.task);
        }
        begin(metadata)?;
        if operation == Operation::Delete {
            let message = format!("Deleting job by task with id '{}:{task}'", call.node.core.identity.node_id);
            notification::put(&call.node.core, id, Level::Info, message, batch)?;
        }
        metadata.blocked.insert(id.to_owned(), Blocked { operation, task, since_ms, kept });
        Ok(task)
    })
    .await
}

fn blocked_by(operation: Operation, id: &str, by: Operation) -> Problem {
    match operation {
        Operation::Reset => Problem::ResetBlocked { by: by.name() },
        _ => Problem::BlockedBy { operation: operation.name(), job: id.to_owned(), by: by.name() },
    }
}

/// Waits until a job's operation is done.
///
/// # Errors
/// 500 when the time is up.
pub(super) async fn finished(call: &Call, id: &str, number: u64, timeout_ms: i64) -> Result<(), ApiError> {
    let done = |metadata: &Metadata| metadata.blocked.get(id).is_none_or(|blocked| blocked.task != number);
    if call.parts().cluster.wait(timeout_ms, done).await {
        Ok(())
    } else {
        Err(Problem::TasksTimedOut(timeout_ms).into())
    }
}
