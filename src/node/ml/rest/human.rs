//! `human`: times as text beside the milliseconds.

use serde_json::{Map, Value, json};

use crate::node::http::Request;
use crate::node::indices::dates;

/// Members of ML's answers that are times.
#[rustfmt::skip]
const TIMES: [&str; 17] = [
    "create_time", "earliest_record_timestamp", "end_time", "finished_time", "last_data_time",
    "latest_bucket_timestamp", "latest_empty_bucket_timestamp", "latest_record_time_stamp", "latest_record_timestamp",
    "latest_result_time_stamp", "latest_sparse_bucket_timestamp", "latest_timestamp", "log_time", "start_time", "timestamp",
    "forecast_create_timestamp", "forecast_expiry_timestamp",
];

/// Members that are the caller's own.
const FOREIGN: [&str; 3] = ["custom_settings", "query", "_source"];

/// Whether the answer gets such texts; what a preview shows are documents.
pub(super) fn wanted(request: &Request, action: &str) -> bool {
    request.query.flag("human").is_ok_and(|human| human == Some(true)) && !action.ends_with("/preview")
}

/// Adds `create_time_string` beside `create_time`, and so on; below `search_interval` it is `start` beside `start_ms`.
pub(super) fn add(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add),
        Value::Object(members) => {
            let own = members.iter_mut().filter(|(name, _)| !FOREIGN.contains(&name.as_str()));
            own.for_each(|(_, value)| add(value));
            *members = std::mem::take(members).into_iter().flat_map(with_text).collect::<Map<_, _>>();
        }
        _ => {}
    }
}

fn with_text((name, value): (String, Value)) -> impl Iterator<Item = (String, Value)> {
    let text_name = match name.as_str() {
        "start_ms" | "end_ms" => name.strip_suffix("_ms").map(str::to_owned),
        time if TIMES.contains(&time) => Some(format!("{time}_string")),
        _ => None,
    };
    let text = text_name.zip(value.as_i64()).map(|(name, time_ms)| (name, json!(dates::format(time_ms))));
    text.into_iter().chain([(name, value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_beside_each_time() {
        let mut value = json!({"jobs": [{"create_time": 0, "job_id": "j"}], "search_interval": {"start_ms": 0}});
        add(&mut value);
        let text = "1970-01-01T00:00:00.000Z";
        assert_eq!(
            value,
            json!({
                "jobs": [{"create_time_string": text, "create_time": 0, "job_id": "j"}],
                "search_interval": {"start": text, "start_ms": 0},
            })
        );
    }
}
