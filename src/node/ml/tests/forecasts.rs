use serde_json::{Value, json};

use super::harness::{Bench, MINUTE_MS, START_MS, documents, job, killed};
use crate::node::documents::{QueryNode, SearchRequest};
use crate::node::indices::{IndexExpression, IndicesOptions};
use crate::node::security::Access;

const DAY_MS: i64 = 86_400_000;

/// The documents of one kind in the results of `j`.
async fn found(bench: &Bench, result_type: &str) -> Vec<Value> {
    let query = json!({"bool": {"filter": [{"term": {"job_id": "j"}}, {"term": {"result_type": result_type}}]}});
    let options = IndicesOptions { expand_hidden: true, ..IndicesOptions::default() };
    let request = SearchRequest {
        size: 10_000,
        ..SearchRequest::new(
            IndexExpression::of(vec![".ml-anomalies-shared".to_owned()]).with(options),
            QueryNode::parse(&query).unwrap(),
        )
    };
    let hits = bench.node.core.documents.search(request, &Access::Everything).await.unwrap().hits;
    hits.into_iter().map(|hit| hit.document.source).collect()
}

async fn open_with_data(bench: &Bench, config: Value) {
    bench.done("PUT /_ml/anomaly_detectors/j", config).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let lines: String = documents(0, 180).map(|(_, document)| document.to_string()).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
}

async fn forecast(bench: &Bench, body: Value) -> String {
    let answer = bench.done("POST /_ml/anomaly_detectors/j/_forecast", body).await;
    assert_eq!(answer["acknowledged"], true);
    answer["forecast_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_forecast_is_made_counted_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    open_with_data(&bench, job("mean", Some("value"))).await;
    assert_eq!(bench.job_stats("j").await["forecasts_stats"], json!({"total": 0, "forecasted_jobs": 0}));
    let hour = forecast(&bench, json!({"duration": "1h", "expires_in": "0s"})).await;
    let values = found(&bench, "model_forecast").await;
    assert_eq!(values.len(), 60);
    let first = values.iter().find(|value| value["timestamp"] == START_MS + 59 * MINUTE_MS).unwrap();
    assert_eq!((&first["forecast_id"], &first["bucket_span"]), (&json!(hour), &json!(60)));
    assert_eq!(first["model_feature"], "'arithmetic mean value by person'");
    let [lower, middle, upper] =
        ["lower", "prediction", "upper"].map(|name| first[format!("forecast_{name}")].as_f64());
    assert!(lower < middle && middle < upper && (middle.unwrap() - 105.0).abs() < 3.0, "{first}");

    let day = forecast(&bench, Value::Null).await;
    assert_eq!(found(&bench, "model_forecast").await.len(), 60 + 1440, "more than are written at once");
    let now_ms = bench.node.core.clock.now_ms();
    let stats = found(&bench, "model_forecast_request_stats").await;
    let of = |id: &str| stats.iter().find(|one| one["forecast_id"] == id).unwrap();
    assert_eq!(of(&hour).get("forecast_expiry_timestamp"), None);
    assert_eq!(of(&day)["forecast_expiry_timestamp"], now_ms + 14 * DAY_MS);
    assert_eq!(of(&day)["forecast_end_timestamp"], START_MS + 59 * MINUTE_MS + DAY_MS);
    for (member, expected) in [
        ("processed_record_count", json!(1440)),
        ("forecast_progress", json!(1.0)),
        ("forecast_status", json!("finished")),
    ] {
        assert_eq!(of(&day)[member], expected, "{member}");
    }
    let total = bench.job_stats("j").await["forecasts_stats"].clone();
    assert_eq!((&total["total"], &total["status"]), (&json!(2), &json!({"finished": 2})));
    assert_eq!(total["records"], json!({"total": 1500.0, "min": 60, "max": 1440, "avg": 750.0}));

    bench.done(&format!("DELETE /_ml/anomaly_detectors/j/_forecast/{day}"), Value::Null).await;
    assert_eq!(found(&bench, "model_forecast").await.len(), 60);
    assert_eq!(bench.job_stats("j").await["forecasts_stats"]["total"], 1);
    bench.done("POST /_ml/anomaly_detectors/j/_close", Value::Null).await;
    bench.done("DELETE /_ml/anomaly_detectors/j", Value::Null).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("count", None)).await;
    assert_eq!(bench.job_stats("j").await["forecasts_stats"]["total"], 0, "forecasts go with their job");
    assert_eq!(found(&bench, "model_forecast").await.len(), 0);
    bench.done("DELETE /_ml/anomaly_detectors/j/_forecast/_all", Value::Null).await;
}

#[tokio::test]
async fn what_cannot_be_forecast_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut population = job("count", None);
    population["analysis_config"]["detectors"][0]["over_field_name"] = json!("value");
    open_with_data(&bench, population).await;
    let line = "POST /_ml/anomaly_detectors/j/_forecast";
    for (body, reason) in [
        (Value::Null, "Cannot run forecast: Forecast is not supported for population analysis"),
        (json!({"duration": "10s"}), "[duration] must be greater or equal to the bucket span: [10s/1m]"),
    ] {
        assert_eq!(bench.refused(line, body).await, (400, reason.to_owned()));
    }
    bench.done("PUT /_ml/anomaly_detectors/k", job("count", None)).await;
    bench.done("POST /_ml/anomaly_detectors/k/_open", Value::Null).await;
    let reason =
        "Cannot run forecast: Forecast cannot be executed as job requires data to have been processed and modeled";
    assert_eq!(bench.refused("POST /_ml/anomaly_detectors/k/_forecast", Value::Null).await, (400, reason.to_owned()));
    let lines: String = documents(0, 180).map(|(_, document)| document.to_string()).collect();
    bench.done("POST /_ml/anomaly_detectors/k/_data", Value::String(lines)).await;
    let (status, reason) = bench.refused("POST /_ml/anomaly_detectors/k/_forecast", json!({"duration": "3650d"})).await;
    assert_eq!((status, reason.contains("[5256000] values")), (400, true), "{reason}");
    assert_eq!(found(&bench, "model_forecast_request_stats").await.len(), 0);
}

#[tokio::test]
async fn an_expired_forecast_goes_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    open_with_data(&bench, job("mean", Some("value"))).await;
    for expires_in in ["1h", "2h", "0"] {
        forecast(&bench, json!({"duration": "2m", "expires_in": expires_in})).await;
    }
    bench.clock.set(bench.node.core.clock.now_ms() + 3_600_001);
    bench.done("DELETE /_ml/_delete_expired_data", Value::Null).await;
    assert_eq!(found(&bench, "model_forecast").await.len(), 4);
    assert_eq!(bench.job_stats("j").await["forecasts_stats"]["total"], 2);
}

#[test]
fn a_forecast_that_a_kill_cuts_off_is_marked_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), async |bench| {
        open_with_data(bench, job("mean", Some("value"))).await;
        let mut commits = bench.node.core.store.subscribe();
        let asked = bench.call("POST /_ml/anomaly_detectors/j/_forecast", json!({"duration": "60d"}));
        tokio::select! {
            _ = asked => panic!("it was done before anything of it was seen"),
            () = async {
                while found(bench, "model_forecast").await.is_empty() {
                    commits.changed().await.unwrap();
                }
            } => {}
        }
    });
    killed(folder.path(), async |bench| {
        let stats = bench.until("j", |stats| stats["forecasts_stats"]["status"] == json!({"failed": 1})).await;
        assert!(stats["forecasts_stats"]["records"]["total"].as_f64() >= Some(1000.0));
        let shown = found(bench, "model_forecast_request_stats").await;
        assert_eq!(shown[0]["forecast_messages"], json!(["forecast unable to complete as native process was killed."]));
        bench.done("DELETE /_ml/anomaly_detectors/j/_forecast", Value::Null).await;
        assert_eq!(found(bench, "model_forecast").await.len(), 0);
    });
}

#[tokio::test]
async fn a_model_plot_is_written_while_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut config = job("mean", Some("value"));
    config["model_plot_config"] = json!({"enabled": true});
    open_with_data(&bench, config).await;
    let shown = bench.done("GET /_ml/anomaly_detectors/j", Value::Null).await;
    assert_eq!(shown["jobs"][0]["model_plot_config"], json!({"enabled": true, "annotations_enabled": false}));
    let plots = found(&bench, "model_plot").await;
    assert_eq!(plots.len(), 59 - 4, "of every finished bucket from the fifth value on");
    let plot = plots.iter().find(|plot| plot["timestamp"] == START_MS + 50 * MINUTE_MS).unwrap();
    let [lower, median, upper] = ["lower", "median", "upper"].map(|name| plot[format!("model_{name}")].as_f64());
    assert!(lower < median && median < upper, "{plot}");
    assert!(plot["actual"].as_f64() >= Some(100.0));

    let off = json!({"model_plot_config": {"enabled": false}});
    bench.done("POST /_ml/anomaly_detectors/j/_update", off).await;
    let more: String = documents(60, 30).map(|(_, document)| document.to_string()).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(more)).await;
    assert_eq!(found(&bench, "model_plot").await.len(), 55);
}
