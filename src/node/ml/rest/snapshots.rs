//! `model_snapshots`: list, change, delete, upgrade.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::results::{direction, search, time_range};
use crate::node::documents::{Direction, Missing, Sort};
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::identifier::NoMatch;
use crate::node::ml::job::snapshot::{self, SNAPSHOT_RESULT};
use crate::node::ml::notification::{self, Level};
use crate::node::ml::problem::Problem;
use crate::node::store::Source;

pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    const KNOWN: [&str; 6] = ["desc", "end", "from", "size", "sort", "start"];
    let options = call.options(&KNOWN)?;
    let fields = Fields::new("get_model_snapshots_request", &options)
        .only(&["desc", "end", "from", "size", "sort", "start", "page", "job_id", "snapshot_id"], &[])?;
    let job = Arc::clone(call.metadata().job(&call.expression("job_id"))?);
    let mut filters = vec![json!({"term": {"job_id": job.id}}), json!({"exists": {"field": SNAPSHOT_RESULT}})];
    filters.extend(time_range(&call, &fields)?);
    let wanted = call.request.parameters.get("snapshot_id").filter(|id| !matches!(id.as_str(), "_all" | "*"));
    if let Some(ids) = wanted {
        let named = ids.split(',').map(str::trim).map(|id| match id.contains('*') {
            true => json!({"wildcard": {"snapshot_id": id}}),
            false => json!({"term": {"snapshot_id": id}}),
        });
        filters.push(json!({"bool": {"should": named.collect::<Vec<_>>()}}));
    }
    let sort = Sort {
        field: fields.text("sort")?.unwrap_or("timestamp").to_owned(),
        direction: direction(&fields, Direction::Descending)?,
        missing: Missing::Last,
        unmapped: false,
    };
    let (total, found) = search(&call, &job.results_index, filters, sort, &fields).await?;
    if let Some(id) = wanted.filter(|_| found.is_empty()) {
        return Err(Problem::UnknownSnapshot { job: job.id.clone(), snapshot: id.clone() }.into());
    }
    let snapshots: Vec<Value> = found;
    Ok(Reply::json(json!({"count": total, "model_snapshots": snapshots})))
}

/// Changes the description, or whether the snapshot is to be retained.
pub(super) async fn update(call: Call) -> Result<Reply, ApiError> {
    let body = call.object()?;
    let fields = Fields::new("update_model_snapshot_request", &body)
        .only(&["description", "retain", "job_id", "snapshot_id"], &[])?;
    let description = fields.text("description")?;
    let retain = fields.flag("retain")?;
    call.permit()?;
    let (id, snapshot_id) = (call.expression("job_id"), call.expression("snapshot_id"));
    let model = call
        .change(|metadata, batch| {
            let job = metadata.job(&id)?;
            let mut model = snapshot::find(&call.node.core, job, &snapshot_id)?;
            let given = [("description", description.map(Value::from)), ("retain", retain.map(Value::from))];
            if let Some(members) = model.as_object_mut() {
                members.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            }
            let document = snapshot::document_id(&id, &snapshot_id);
            batch.index(&job.results_index, document, Source::from_value(model.clone())?);
            Ok(model)
        })
        .await?;
    Ok(Reply::json(json!({"acknowledged": true, "model": model})))
}

pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    call.permit()?;
    let (id, snapshot_id) = (call.expression("job_id"), call.expression("snapshot_id"));
    call.change(|metadata, batch| {
        let job = metadata.job(&id)?;
        let model = snapshot::find(&call.node.core, job, &snapshot_id)?;
        if job.snapshot_id() == Some(&snapshot_id) {
            return Err(Problem::ActiveSnapshot { job: id.clone(), snapshot: snapshot_id.clone() }.into());
        }
        snapshot::remove(job, &snapshot_id, batch);
        let description = model.get("description").and_then(Value::as_str).unwrap_or("null");
        let message = format!("Model snapshot [{snapshot_id}] with description '{description}' deleted");
        notification::put(&call.node.core, &id, Level::Info, message, batch)
    })
    .await?;
    Ok(Reply::json(json!({"acknowledged": true})))
}

/// A snapshot of this node is always of its own version, so that none can be upgraded.
pub(super) async fn upgrade(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    call.request.query.flag("wait_for_completion")?;
    call.request.query.duration("timeout")?;
    call.permit()?;
    let (id, snapshot) = (call.expression("job_id"), call.expression("snapshot_id"));
    let metadata = call.metadata();
    let job = metadata.job(&id)?;
    let state = metadata.job_state(&id);
    if job.snapshot_id() == Some(&snapshot) && state != "closed" {
        return Err(Problem::UpgradeOpenSnapshot { job: id, snapshot, state }.into());
    }
    snapshot::find(&call.node.core, job, &snapshot)?;
    Err(Problem::UpgradeCurrentSnapshot { job: id, snapshot }.into())
}

/// The upgrades that run: none.
pub(super) async fn upgrade_stats(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let no_match = NoMatch::from(call.request.query.flag("allow_no_match")?.unwrap_or(true));
    call.metadata().expand_jobs(&call.expression("job_id"), no_match)?;
    Ok(Reply::json(json!({"count": 0, "model_snapshot_upgrades": []})))
}
