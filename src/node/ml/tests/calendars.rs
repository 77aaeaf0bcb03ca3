use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, results};

#[tokio::test]
async fn calendars_are_made_listed_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let made = bench.done("PUT /_ml/calendars/advent", json!({"job_ids": ["j", "group"], "description": "d"})).await;
    assert_eq!(made, json!({"calendar_id": "advent", "job_ids": ["j", "group"], "description": "d"}));
    for id in ["cal-2", "cal-3"] {
        bench.done(&format!("PUT /_ml/calendars/{id}"), Value::Null).await;
    }
    let page = bench.done("POST /_ml/calendars", json!({"page": {"from": 1, "size": 1}})).await;
    assert_eq!(page, json!({"count": 3, "calendars": [{"calendar_id": "cal-2", "job_ids": []}]}));
    assert_eq!(bench.done("GET /_ml/calendars/_all", Value::Null).await["count"], 3);
    let added = bench.done("PUT /_ml/calendars/cal-2/jobs/j,web", Value::Null).await;
    assert_eq!(added, json!({"calendar_id": "cal-2", "job_ids": ["j", "web"]}));
    let removed = bench.done("DELETE /_ml/calendars/cal-2/jobs/j", Value::Null).await;
    assert_eq!(removed["job_ids"], json!(["web"]));
    bench.done("PUT /_ml/anomaly_detectors/web", job("count", None)).await;
    bench.done("DELETE /_ml/anomaly_detectors/web", Value::Null).await;
    assert_eq!(bench.done("GET /_ml/calendars/cal-2", Value::Null).await["calendars"][0]["job_ids"], json!([]));
    bench.stop().await;

    let bench = Bench::start(folder.path()).await;
    bench.done("DELETE /_ml/calendars/cal-3", Value::Null).await;
    assert_eq!(bench.done("GET /_ml/calendars/adv*", Value::Null).await["calendars"], json!([made]));
    #[rustfmt::skip] // a table: one request a line
    let cases = [
        ("PUT /_ml/calendars/advent", Value::Null, 400, "Cannot create calendar with id [advent] as it already exists"),
        ("PUT /_ml/calendars/a", json!({"calendar_id": "b"}), 400, "Inconsistent calendar_id; 'b' specified in the body differs from 'a' specified as a URL argument"),
        ("PUT /_ml/calendars/_all", Value::Null, 400, "Validation Failed: 1: Cannot create a Calendar with the reserved name [_all]; 2: Invalid calendar_id; '_all' can contain lowercase alphanumeric (a-z and 0-9), hyphens or underscores; must start and end with alphanumeric;"),
        ("GET /_ml/calendars/no", Value::Null, 404, "No calendar with id [no]"),
        ("GET /_ml/calendars/advent?size=1", Value::Null, 400, "Validation Failed: 1: Params [from, size] are incompatible with [calendar_id].;"),
        ("DELETE /_ml/calendars/cal-3", Value::Null, 404, "No calendar with id [cal-3]"),
        ("DELETE /_ml/calendars/cal-2/jobs/x", Value::Null, 400, "Cannot remove [x] as it is not present in calendar [cal-2]"),
        ("PUT /_ml/calendars/no/jobs/x", Value::Null, 404, "No calendar with id [no]"),
    ];
    for (line, body, status, reason) in cases {
        assert_eq!(bench.refused(line, body).await, (status, reason.to_owned()), "{line}");
    }
}

fn event(description: &str, start: Value, end: Value) -> Value {
    json!({"description": description, "start_time": start, "end_time": end})
}

async fn descriptions(bench: &Bench, line: &str) -> Vec<String> {
    let listed = bench.done(line, Value::Null).await;
    let events = listed["events"].as_array().unwrap().iter();
    events.map(|event| event["description"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn events_are_listed_by_time_range_and_job() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut grouped = job("count", None);
    grouped["groups"] = json!(["holidays"]);
    bench.done("PUT /_ml/anomaly_detectors/j", grouped).await;
    bench.done("PUT /_ml/calendars/c", json!({"job_ids": ["holidays"]})).await;
    bench.done("PUT /_ml/calendars/d", json!({})).await;
    let body = json!({"events": [
        event("1", json!("2017-12-01T00:00:00Z"), json!("2017-12-02T00:00:00Z")),
        event("2", json!(1_512_432_000_000_i64), json!("1512518400000")),
        event("3", json!("2017-12-12T00:00:00Z"), json!("2017-12-13T00:00:00Z")),
        event("4", json!("2017-12-12T00:00:00Z"), json!("2017-12-15T00:00:00Z")),
    ]});
    let posted = bench.done("POST /_ml/calendars/c/events", body).await;
    let shown = json!({
        "description": "1", "start_time": 1_512_086_400_000_i64, "end_time": 1_512_172_800_000_i64, "skip_result": true,
        "skip_model_update": true, "calendar_id": "c",
    });
    assert_eq!(posted["events"][0], shown);
    bench.done("POST /_ml/calendars/d/events", json!({"events": [event("5", json!(1), json!(2))]})).await;
    for (query, expected) in [
        ("c/events", vec!["1", "2", "3", "4"]),
        ("c/events?from=1&size=2", vec!["2", "3"]),
        ("c/events?end=2017-12-12T00:00:00Z", vec!["1", "2"]),
        ("c/events?start=2017-12-05T03:00:00Z", vec!["2", "3", "4"]),
        ("c/events?start=2017-12-02T00:00:00Z&end=2017-12-12T00:00:00Z", vec!["2"]),
        ("_all/events", vec!["5", "1", "2", "3", "4"]),
        ("_all/events?job_id=j&start=2017-12-06T01:00:00Z", vec!["3", "4"]),
        ("_all/events?job_id=holidays&size=1", vec!["1"]),
    ] {
        assert_eq!(descriptions(&bench, &format!("GET /_ml/calendars/{query}")).await, expected, "{query}");
    }
    let first = bench.done("GET /_ml/calendars/c/events?size=1", Value::Null).await["events"][0]["event_id"].clone();
    let first = first.as_str().unwrap();
    let (of_other, foreign) = (
        format!("DELETE /_ml/calendars/d/events/{first}"),
        format!("Event [{first}] has calendar_id [c] which does not match the request calendar_id [d]"),
    );
    #[rustfmt::skip] // a table: one request a line
    let cases = [
        (of_other.as_str(), Value::Null, 400, foreign.as_str()),
        ("DELETE /_ml/calendars/c/events/no", Value::Null, 404, "No event with id [no]"),
        ("DELETE /_ml/calendars/no/events/no", Value::Null, 404, "No calendar with id [no]"),
        ("POST /_ml/calendars/no/events", json!({"events": [event("", json!(1), json!(2))]}), 404, "No calendar with id [no]"),
        ("POST /_ml/calendars/c/events", json!({"events": []}), 400, "At least 1 event is required"),
        ("POST /_ml/calendars/c/events", json!({"events": [{"description": "x", "end_time": 5}]}), 400, "Field [start_time] cannot be null"),
        ("POST /_ml/calendars/c/events", json!({"events": [event("x", json!(60_000), json!(60_000))]}), 400, "Event start time [1970-01-01T00:01:00Z] must come before end time [1970-01-01T00:01:00Z]"),
        ("POST /_ml/calendars/c/events", json!({"events": [event("x", json!("soon"), json!(5))]}), 400, "[scheduled_event] failed to parse field [start_time]"),
        ("POST /_ml/calendars/c/events", json!({"events": [{"force_time_shift": 5}]}), 400, "[scheduled_event] [force_time_shift] is not supported by the embedded node"),
        ("GET /_ml/calendars/c/events?job_id=j", Value::Null, 400, "Validation Failed: 1: If job_id is used calendar_id must be '_all';"),
        ("GET /_ml/calendars/_all/events?job_id=no", Value::Null, 404, "No known job with id 'no'"),
        ("GET /_ml/calendars/no/events", Value::Null, 404, "No calendar with id [no]"),
    ];
    for (line, body, status, reason) in cases {
        assert_eq!(bench.refused(line, body).await, (status, reason.to_owned()), "{line}");
    }
    bench.done(&format!("DELETE /_ml/calendars/c/events/{first}"), Value::Null).await;
    bench.stop().await;
    let bench = Bench::start(folder.path()).await;
    assert_eq!(descriptions(&bench, "GET /_ml/calendars/c/events").await, ["2", "3", "4"]);
    bench.done("DELETE /_ml/calendars/c", Value::Null).await;
    assert_eq!(descriptions(&bench, "GET /_ml/calendars/_all/events").await, ["5"], "events go with their calendar");
    let found = bench.node.core.documents.document(".ml-meta", "calendar_c").unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_scheduled_event_hides_its_buckets_and_reaches_an_open_job() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    bench.done("PUT /_ml/anomaly_detectors/plain", job("mean", Some("value"))).await;
    let all: Vec<String> = documents(0, 360).map(|(_, document)| format!("{document}\n")).collect();
    let (before, after) = all.split_at(150);
    for id in ["j", "plain"] {
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_open"), Value::Null).await;
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_data"), Value::String(before.concat())).await;
    }
    // Minute 90 has the spike; the event begins and ends within it.
    bench.done("PUT /_ml/calendars/c", json!({"job_ids": ["j"]})).await;
    let minute = START_MS + 90 * MINUTE_MS;
    let body = json!({"events": [event("release", json!(minute + 20_000), json!(minute + 40_000))]});
    bench.done("POST /_ml/calendars/c/events", body).await;
    for id in ["j", "plain"] {
        bench.done(&format!("POST /_ml/anomaly_detectors/{id}/_data"), Value::String(after.concat())).await;
    }
    let at = |results: &Value| results["buckets"][90].clone();
    let (buckets, records) = results(&bench, "j").await;
    assert_eq!(at(&buckets)["scheduled_events"], json!(["release"]));
    assert_eq!((&at(&buckets)["anomaly_score"], &at(&buckets)["event_count"]), (&json!(0.0), &json!(3)));
    assert_eq!(buckets["buckets"][89].get("scheduled_events"), None);
    let hidden = records["records"].as_array().unwrap().iter().all(|record| record["timestamp"] != minute);
    assert!(hidden, "{records}");
    let (buckets, records) = results(&bench, "plain").await;
    assert_eq!(at(&buckets).get("scheduled_events"), None);
    assert!(records["records"].as_array().unwrap().iter().any(|record| record["timestamp"] == minute));
}
