//! Forecasts: make, delete.

use serde_json::json;

use super::call::Call;
use super::data::ask;
use crate::node::http::{ApiError, Reply};
use crate::node::ml::configuration::{Fields, Forecast};
use crate::node::ml::identifier::wildcard;
use crate::node::ml::job::Command;
use crate::node::ml::problem::Problem;
use crate::node::ml::{forecast, indices};
use crate::node::store::document_id;

/// The answer comes when the whole forecast is on disk.
pub(super) async fn forecast(call: Call) -> Result<Reply, ApiError> {
    let options = call.options(&["duration", "expires_in", "max_model_memory"])?;
    let wanted = Forecast::read(&Fields::new("forecast_job_request", &options))?;
    call.permit()?;
    let job_id = call.expression("job_id");
    if let Some(job) = call.metadata().jobs.get(&job_id) {
        // An index of an earlier build lacks the fields by which forecasts are found.
        indices::ensure_results(&call.node.core, job).await?;
    }
    let forecast_id = document_id(call.node.core.clock.now_ms());
    ask(&call, |reply| Command::Forecast { id: forecast_id.clone(), wanted, reply }).await?;
    Ok(Reply::json(json!({"acknowledged": true, "forecast_id": forecast_id})))
}

pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    let query = &call.request.query;
    let allow_none = query.flag("allow_no_forecasts")?.unwrap_or(true);
    query.duration("timeout")?;
    call.permit()?;
    let (job_id, expression) = (call.expression("job_id"), call.expression("forecast_id"));
    let metadata = call.metadata();
    let found = match metadata.jobs.get(&job_id) {
        Some(job) => forecast::list(&call.node.core, job).await?,
        None => Vec::new(),
    };
    let parts: Vec<&str> = expression.split(',').map(str::trim).collect();
    let everything = parts.contains(&"_all") || parts.contains(&"*");
    let named = |id: &str| everything || parts.iter().any(|part| wildcard(part, id));
    let (running, ended): (Vec<_>, Vec<_>) =
        found.into_iter().filter(|one| named(&one.id)).partition(|one| one.unfinished);
    let Some(job) = metadata.jobs.get(&job_id).filter(|_| !running.is_empty() || !ended.is_empty()) else {
        return match everything && allow_none {
            true => Ok(Reply::json(json!({"acknowledged": true}))),
            false => Err(Problem::UnknownForecast { job: job_id, forecasts: expression }.into()),
        };
    };
    if !running.is_empty() && metadata.job_state(&job_id) == "opened" {
        let ids: Vec<String> = running.into_iter().map(|one| one.id).collect();
        return Err(Problem::ForecastRuns { job: job_id, forecasts: ids.join(", ") }.into());
    }
    let ids: Vec<String> = running.into_iter().chain(ended).map(|one| one.id).collect();
    let mut removal = forecast::removal(job, &ids)?;
    while let Some((removed, _)) = removal.next(&call.node.core).await? {
        call.change(|_, batch| {
            *batch = removed;
            Ok(())
        })
        .await?;
    }
    Ok(Reply::json(json!({"acknowledged": true})))
}
