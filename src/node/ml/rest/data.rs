//! `_data` and `_flush`.

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::call::Call;
use crate::node::http::{ApiError, Reply};
use crate::node::json::Strict;
use crate::node::ml::configuration::Fields;
use crate::node::ml::job::{Command, Flush};
use crate::node::ml::persistent::{Assignment, Phase};
use crate::node::ml::problem::Problem;

/// Takes records: JSON objects one after another, in lines or not, or in arrays. The answer counts these records alone.
pub(super) async fn post(call: Call) -> Result<Reply, ApiError> {
    let records = records(&call.request.body)?;
    call.permit()?;
    let input_bytes = call.request.body.len() as u64;
    let counts = ask(&call, |reply| Command::Post { records, input_bytes, reply }).await?;
    Ok(Reply::with_status(StatusCode::ACCEPTED, Value::Object(counts.shown(&call.expression("job_id")))))
}

fn records(body: &[u8]) -> Result<Vec<Map<String, Value>>, ApiError> {
    let mut records = Vec::new();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<Strict>() {
        match value.map(|Strict(value)| value) {
            Ok(Value::Object(record)) => records.push(record),
            Ok(Value::Array(list)) => {
                for item in list {
                    match item {
                        Value::Object(record) => records.push(record),
                        _ => return Err(ApiError::content("a record is not an object")),
                    }
                }
            }
            Ok(_) => return Err(ApiError::content("a record is not an object")),
            Err(problem) => return Err(ApiError::content(format!("the records are not JSON: {problem}"))),
        }
    }
    Ok(records)
}

pub(super) async fn flush(call: Call) -> Result<Reply, ApiError> {
    const KNOWN: [&str; 6] = ["advance_time", "calc_interim", "end", "skip_time", "start", "job_id"];
    let options = call.options(&KNOWN)?;
    let fields = Fields::new("flush_job_request", &options).only(&KNOWN, &[])?;
    let flush = Flush {
        calc_interim: fields.flag("calc_interim")?.unwrap_or(false),
        advance_ms: call.time_ms(&fields, "advance_time")?,
        skip_ms: call.time_ms(&fields, "skip_time")?,
    };
    check_range(&call, &fields, flush.calc_interim)?;
    call.permit()?;
    let until_ms = ask(&call, |reply| Command::Flush { flush, reply }).await?;
    Ok(Reply::json(json!({"flushed": true, "last_finalized_bucket_end": until_ms.unwrap_or(0)})))
}

/// `start` and `end` only narrow interim results, of which there is one open bucket at most without latency.
fn check_range(call: &Call, fields: &Fields<'_>, calc_interim: bool) -> Result<(), ApiError> {
    let (start, end) = (call.time_ms(fields, "start")?, call.time_ms(fields, "end")?);
    for (name, given) in [("start", start), ("end", end)] {
        if given.is_some() && !calc_interim {
            return Err(ApiError::illegal_argument(format!("Invalid flush parameters: unexpected '{name}'.")));
        }
    }
    match (start, end) {
        (None, Some(_)) => Err(ApiError::illegal_argument("Invalid flush parameters: 'start' has not been specified.")),
        (Some(start), Some(end)) if end < start => Err(ApiError::illegal_argument(format!(
            "Invalid time range: end time '{end}' is earlier than start time '{start}'."
        ))),
        (Some(_), _) => Err(ApiError::illegal_argument(
            "[flush_job_request] [start] is not supported by the embedded node: interim results are of all open buckets",
        )),
        _ => Ok(()),
    }
}

/// Gives an open job a command and waits for its answer.
pub(super) async fn ask<T>(
    call: &Call,
    command: impl FnOnce(oneshot::Sender<Result<T, ApiError>>) -> Command,
) -> Result<T, ApiError> {
    let id = call.expression("job_id");
    let metadata = call.metadata();
    metadata.job(&id)?;
    let closed = || Problem::JobNotOpen(id.clone());
    let open =
        metadata.job_task(&id).is_some_and(|task| task.phase == Phase::Running && task.assignment == Assignment::Node);
    let commands = call.parts().local.commands(&id).filter(|_| open).ok_or_else(closed)?;
    let (reply, answer) = oneshot::channel();
    commands.send(command(reply)).await.map_err(|_| closed())?;
    answer.await.map_err(|_| closed())?
}
