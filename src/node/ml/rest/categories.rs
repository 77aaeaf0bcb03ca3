//! `results/categories`: no job of this node categorizes, so that there never is one.

use serde_json::json;

use super::call::Call;
use super::paging::Page;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::Fields;

pub(super) async fn categories(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["from", "partition_field_value", "size"])?;
    let fields = Fields::new("get_categories_request", &options)
        .only(&["category_id", "from", "job_id", "page", "partition_field_value", "size"], &[])?;
    Page::of(&fields)?;
    fields.text("partition_field_value")?;
    if let Some(id) = call.request.parameters.get("category_id").filter(|id| id.parse::<i64>().is_err()) {
        return Err(ApiError::illegal_argument(format!("For input string: \"{id}\"")));
    }
    call.metadata().job(&call.expression("job_id"))?;
    Ok(Reply::json(json!({"count": 0, "categories": []})))
}
