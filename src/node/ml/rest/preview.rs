//! `_preview`: the first documents of a datafeed as its job would see them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Fields, Job};
use crate::node::ml::detector::find;

pub(super) async fn preview(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let options = call.options(&["start", "end"])?;
    let fields = Fields::new("preview", &options);
    let from_ms = call.time_ms(&fields, "start")?.unwrap_or(0);
    let to_ms = call.time_ms(&fields, "end")?.unwrap_or(i64::MAX);
    call.permit()?;
    let metadata = call.metadata();
    let datafeed = Arc::clone(metadata.datafeed(&call.expression("datafeed_id"))?);
    let job = Arc::clone(metadata.job(&datafeed.job_id)?);
    let documents = &call.node.core.documents;
    // The caller sees documents here, so the caller's own rights count, whoever made the datafeed.
    documents.count(&datafeed.indices, &datafeed.query, &call.request.access).await?;
    let (indices, query, limit) = (&datafeed.indices, &datafeed.query, datafeed.scroll_size);
    let page = documents.range(indices, query, &job.time_field, from_ms, to_ms, None, limit).await?;
    let names = analysed(&job);
    let shown = page.documents.iter().map(|document| {
        let mut shown = Map::new();
        shown.insert(job.time_field.clone(), json!(document.time_ms));
        for name in &names {
            if let Some(value) = document.source.as_object().and_then(|source| find(source, name)) {
                shown.insert(name.clone(), value.clone());
            }
        }
        Value::Object(shown)
    });
    Ok(Reply::json(shown.collect()))
}

/// The fields that the job reads.
fn analysed(job: &Job) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for detector in &job.plan.detectors {
        names.extend(
            [&detector.field, &detector.by, &detector.over, &detector.partition].into_iter().flatten().cloned(),
        );
    }
    names.extend(job.plan.summary_count_field.clone());
    names.sort();
    names.dedup();
    names
}
