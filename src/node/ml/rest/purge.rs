//! Removes what a job has written.

use serde_json::json;

use crate::node::Core;
use crate::node::documents::{QueryNode, SearchRequest};
use crate::node::http::ApiError;
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::ml::configuration::Job;
use crate::node::ml::indices::STATE_INDEX;
use crate::node::security::Access;
use crate::node::store::Batch;

/// Documents that one batch removes.
const BATCH: usize = 1000;

/// Removes the results, snapshots and saved state of a job that does not run.
///
/// # Errors
/// The store cannot be read or written; what is left is removed by the next attempt.
pub(super) async fn results(core: &Core, job: &Job) -> Result<(), ApiError> {
    for index in [job.results_index.as_str(), STATE_INDEX] {
        let options = IndicesOptions { ignore_unavailable: true, expand_hidden: true, ..IndicesOptions::default() };
        let indices = IndexExpression::of(vec![index.to_owned()]).with(options);
        let query = QueryNode::parse(&json!({"term": {"job_id": job.id}}))?;
        loop {
            let request = SearchRequest { size: BATCH, ..SearchRequest::new(indices.clone(), query.clone()) };
            let hits = core.documents.search(request, &Access::Everything).await?.hits;
            if hits.is_empty() {
                break;
            }
            let mut batch = Batch::new();
            for hit in hits {
                batch.delete(hit.document.index.as_ref(), hit.document.id);
            }
            core.store.commit(batch).await?.all()?;
        }
    }
    Ok(())
}
