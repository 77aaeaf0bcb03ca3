//! `model_snapshots`: the list.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::results::{direction, search, time_range};
use crate::node::documents::{Direction, Missing, Sort};
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;
use crate::node::ml::job::SNAPSHOT_RESULT;
use crate::node::ml::problem::Problem;

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
        let ids: Vec<&str> = ids.split(',').collect();
        filters.push(json!({"terms": {"snapshot_id": ids}}));
    }
    let sort = Sort {
        field: fields.text("sort")?.unwrap_or("timestamp").to_owned(),
        direction: direction(&fields, Direction::Descending)?,
        missing: Missing::Last,
        unmapped: true,
    };
    let (total, found) = search(&call, &job.results_index, filters, sort, &fields).await?;
    if let Some(id) = wanted.filter(|_| found.is_empty()) {
        return Err(Problem::UnknownSnapshot { job: job.id.clone(), snapshot: id.clone() }.into());
    }
    let snapshots: Vec<Value> = found;
    Ok(Reply::json(json!({"count": total, "model_snapshots": snapshots})))
}
