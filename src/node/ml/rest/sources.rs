//! Whether the indices of a datafeed have what its job reads.
//!
//! Source: elasticsearch, `ScrollDataExtractorFactory.java`, `TimeBasedExtractedFields.java`.

use super::call::Call;
use crate::node::documents::SearchError;
use crate::node::http::ApiError;
use crate::node::indices::IndexExpression;
use crate::node::indices::field::Kind;
use crate::node::ml::configuration::{Datafeed, Job};
use crate::node::ml::problem::Problem;
use crate::node::security::Access;

/// The indices that a datafeed means and that may be read, by their names.
///
/// # Errors
/// 404 for an index that is missing, 400 for no index at all and for a field that none of them has, 403 for one that the caller may
/// not read.
pub(super) fn found(call: &Call, datafeed: &Datafeed, job: &Job, access: &Access) -> Result<IndexExpression, ApiError> {
    let datafeed_id = || datafeed.id.clone();
    let found = access
        .resolve(&call.node.core.store.catalogue(), &datafeed.indices, "indices:data/read/search")
        .map_err(|problem| match problem {
            SearchError::IndexMissing { index } => Problem::SourceMissing { datafeed: datafeed_id(), index }.into(),
            other => ApiError::from(other),
        })?;
    if found.is_empty() {
        let indices = datafeed.indices.text().replace(',', ", ");
        return Err(Problem::NoSource { datafeed: datafeed_id(), indices }.into());
    }
    let kinds = |field: &str| -> Vec<Kind> {
        found.iter().filter_map(|index| index.mapping.field(field)).map(|field| field.kind).collect()
    };
    for field in std::iter::once(&job.time_field).chain(&job.fields) {
        if kinds(field).is_empty() {
            return Err(Problem::SourceUnmapped { datafeed: datafeed_id(), field: field.clone() }.into());
        }
    }
    if kinds(&job.time_field).iter().any(|kind| *kind != Kind::Date && !kind.is_number()) {
        return Err(Problem::SourceUntimed { datafeed: datafeed_id(), field: job.time_field.clone() }.into());
    }
    Ok(IndexExpression::of(found.iter().map(|index| index.name.to_string()).collect()))
}
