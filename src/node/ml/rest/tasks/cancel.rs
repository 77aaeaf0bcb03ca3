//! `_tasks/_cancel`: takes the tasks of jobs and datafeeds away, as `force` does; nothing that was acknowledged is lost by it.
//!
//! Source: elasticsearch, `TransportCancelTasksAction.java`, `JobTask.java`.

use serde_json::json;

use super::listing::{Grouping, Listing};
use super::{TaskId, described, matching, name};
use crate::elasticsearch::error_body::Exception;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::local::LocalTask;
use crate::node::ml::persistent::TaskKey;
use crate::node::ml::rest::call::Call;

pub(in crate::node::ml::rest) async fn cancel(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let query = &call.request.query;
    let grouping = Grouping::of(query)?;
    let waits = query.flag("wait_for_completion")?.unwrap_or(false);
    let wanted = call.request.parameter("task_id").filter(|id| !id.is_empty()).map(TaskId::parse).transpose()?;
    if wanted.is_some() && query.text("nodes").is_some() {
        return Err(ApiError::validation(&["task id cannot be used together with node ids".to_owned()]));
    }
    let mut listing = Listing::default();
    let chosen = match wanted {
        None => {
            let tasks = matching(&call, &call.parts().local.now());
            tasks.into_iter().filter(|(key, _)| key.cancellable()).collect()
        }
        Some(id) => match one(&call, &id) {
            Ok(task) => vec![task],
            Err(cause) => {
                listing.node_failed(id.node, cause);
                Vec::new()
            }
        },
    };
    take_away(&call, &chosen).await?;
    if waits {
        ended(&call, &chosen).await;
    }
    for (key, task) in &chosen {
        let mut shown = described(&call, key, task, false);
        shown.insert("cancelled".to_owned(), json!(true));
        listing.tasks.insert(name(&call, task), shown.into());
    }
    Ok(listing.reply(&call, grouping))
}

/// The task of an id, if it can be cancelled.
fn one(call: &Call, id: &TaskId<'_>) -> Result<(TaskKey, LocalTask), Exception> {
    let TaskId { node, number } = id;
    if !id.is_here(call) {
        let reason = format!("No such node [{node}]");
        return Err(Exception::new("no_such_node_exception", reason).with("node_id", json!(node)));
    }
    let running = call.parts().local.now();
    let (key, task) = id.find(call, &running).ok_or_else(|| {
        Exception::new("resource_not_found_exception", format!("task [{node}:{number}] is not found"))
    })?;
    let refused =
        |why| Exception::new("illegal_argument_exception", format!("task [{node}:{number}] doesn't support {why}"));
    if !key.cancellable() {
        return Err(refused("cancellation"));
    }
    if !matching(call, &running).iter().any(|(other, _)| *other == key) {
        return Err(refused("this operation"));
    }
    Ok((key, task))
}

/// Removes the persistent tasks, unless they have got another holder in the meantime.
async fn take_away(call: &Call, tasks: &[(TaskKey, LocalTask)]) -> Result<(), ApiError> {
    if tasks.is_empty() {
        return Ok(());
    }
    call.change(|metadata, _| {
        for (key, task) in tasks {
            if metadata.held(key, task.allocation).is_some() {
                metadata.tasks.remove(key);
            }
        }
        Ok(())
    })
    .await
}

async fn ended(call: &Call, tasks: &[(TaskKey, LocalTask)]) {
    let mut running = call.parts().local.subscribe();
    let gone = running.wait_for(|running| {
        tasks.iter().all(|(key, task)| running.tasks.get(key).is_none_or(|other| other.id != task.id))
    });
    // The sender lives as long as the node.
    let _ = gone.await;
}
