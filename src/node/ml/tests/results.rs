use serde_json::{Value, json};

use super::harness::{Bench, documents, job};
use crate::node::documents::QueryNode;
use crate::node::indices::IndexExpression;
use crate::node::security::Access;
use crate::node::store::{Batch, Source};

/// 2016-06-01T00:00:00Z
const JUNE_MS: i64 = 1_464_739_200_000;
const MINUTE_MS: i64 = 60_000;

/// Three jobs with spans of 60, 30 and 17 minutes, and buckets as in Elasticsearch's own test of overall buckets:
///
/// ```text
/// job-60: [ 30.0] [0.0] [       20.0     ]
/// job-30: [     ] [0.0] [    10.0, 40.0  ]
/// job-17: [     ] [0.0] [ 1.0, 0.0, 60.0 ]
/// ```
async fn three_jobs(bench: &Bench) {
    let mut batch = Batch::new();
    for (span, buckets) in [
        (60, vec![(0, 30.0), (60, 0.0), (120, 20.0)]),
        (30, vec![(60, 0.0), (120, 10.0), (150, 40.0)]),
        (17, vec![(60, 0.0), (128, 1.0), (145, 0.0), (162, 60.0)]),
    ] {
        let id = format!("job-{span}");
        let mut config = job("count", None);
        config["analysis_config"]["bucket_span"] = json!(format!("{span}m"));
        config["groups"] = json!(["all-jobs"]);
        bench.done(&format!("PUT /_ml/anomaly_detectors/{id}"), config).await;
        for (minute, score) in buckets {
            let bucket = json!({
                "job_id": id, "result_type": "bucket", "timestamp": JUNE_MS + minute * MINUTE_MS, "anomaly_score": score,
                "bucket_span": span * 60, "is_interim": score == 60.0,
            });
            batch.index(".ml-anomalies-shared", format!("{id}-{minute}"), Source::from_value(bucket).unwrap());
        }
    }
    bench.node.core.store.commit(batch).await.unwrap().all().unwrap();
}

/// Minute, score and number of jobs of each overall bucket.
async fn overall(bench: &Bench, jobs: &str, body: Value) -> Vec<(i64, f64, usize)> {
    let line = format!("POST /_ml/anomaly_detectors/{jobs}/results/overall_buckets");
    let found = bench.done(&line, body).await;
    let buckets = found["overall_buckets"].as_array().unwrap();
    assert_eq!(found["count"], buckets.len());
    let shown = |bucket: &Value| {
        let minute = (bucket["timestamp"].as_i64().unwrap() - JUNE_MS) / MINUTE_MS;
        (minute, bucket["overall_score"].as_f64().unwrap(), bucket["jobs"].as_array().unwrap().len())
    };
    buckets.iter().map(shown).collect()
}

#[tokio::test]
async fn overall_buckets_are_elasticsearchs() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    three_jobs(&bench).await;
    let all = vec![(0, 30.0, 1), (60, 0.0, 3), (120, 60.0, 3)];
    assert_eq!(overall(&bench, "job-*", Value::Null).await, all);
    for (body, expected) in [
        (json!({"top_n": 2}), vec![(0, 30.0, 1), (60, 0.0, 3), (120, 50.0, 3)]),
        (json!({"top_n": 3}), vec![(0, 30.0, 1), (60, 0.0, 3), (120, 40.0, 3)]),
        (json!({"top_n": 333}), vec![(0, 30.0, 1), (60, 0.0, 3), (120, 40.0, 3)]),
        (json!({"overall_score": 41.0}), vec![(120, 60.0, 3)]),
        (json!({"exclude_interim": true}), vec![(0, 30.0, 1), (60, 0.0, 3), (120, 40.0, 3)]),
        (json!({"bucket_span": "2h"}), vec![(0, 30.0, 3), (120, 60.0, 3)]),
        (json!({"bucket_span": "2h", "top_n": 2}), vec![(0, 30.0, 3), (120, 50.0, 3)]),
        (json!({"start": "2016-06-01T00:01:00Z"}), vec![(60, 0.0, 3), (120, 60.0, 3)]),
        (json!({"end": "2016-06-01T02:59:00Z"}), vec![(0, 30.0, 1), (60, 0.0, 3)]),
    ] {
        assert_eq!(overall(&bench, "all-jobs", body.clone()).await, expected, "{body}");
    }
    let first = bench
        .done(
            "GET /_ml/anomaly_detectors/job-60,job-30/results/overall_buckets?start=0&end=2016-06-01T01:00:00Z",
            Value::Null,
        )
        .await;
    let expected = json!({
        "timestamp": JUNE_MS, "bucket_span": 3600, "overall_score": 30.0, "jobs": [{"job_id": "job-60", "max_anomaly_score": 30.0}],
        "is_interim": false, "result_type": "overall_bucket",
    });
    assert_eq!(first, json!({"count": 1, "overall_buckets": [expected]}));
    assert_eq!(overall(&bench, "none-*", Value::Null).await, vec![]);
    #[rustfmt::skip] // a table: one request a line
    let cases = [
        ("GET /_ml/anomaly_detectors/no/results/overall_buckets", 404, "No known job with id 'no'"),
        ("GET /_ml/anomaly_detectors/no-*/results/overall_buckets?allow_no_match=false", 404, "No known job with id 'no-*'"),
        ("GET /_ml/anomaly_detectors/_all/results/overall_buckets?top_n=0", 400, "[topN] parameter must be positive, found [0]"),
        ("GET /_ml/anomaly_detectors/_all/results/overall_buckets?top_n=-1", 400, "[topN] parameter must be positive, found [-1]"),
        ("GET /_ml/anomaly_detectors/_all/results/overall_buckets?bucket_span=30m", 400, "Param [bucket_span] must be greater or equal to the max bucket_span [1h]"),
    ];
    for (line, status, reason) in cases {
        assert_eq!(bench.refused(line, Value::Null).await, (status, reason.to_owned()), "{line}");
    }
}

#[tokio::test]
async fn buckets_expand_and_one_bucket_takes_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    bench.done("PUT /_ml/anomaly_detectors/j", job("mean", Some("value"))).await;
    bench.done("POST /_ml/anomaly_detectors/j/_open", Value::Null).await;
    let lines: String = documents(0, 360).map(|(_, document)| format!("{document}\n")).collect();
    bench.done("POST /_ml/anomaly_detectors/j/_data", Value::String(lines)).await;
    let records = bench.done("GET /_ml/anomaly_detectors/j/results/records?size=1000", Value::Null).await;
    let buckets = bench.done("GET /_ml/anomaly_detectors/j/results/buckets?expand&size=1000", Value::Null).await;
    let held: usize =
        buckets["buckets"].as_array().unwrap().iter().map(|bucket| bucket["records"].as_array().unwrap().len()).sum();
    assert!(held > 0);
    assert_eq!(records["count"], held);
    let at = records["records"][0]["timestamp"].as_i64().unwrap();
    let one = bench.done(&format!("GET /_ml/anomaly_detectors/j/results/buckets/{at}?expand"), Value::Null).await;
    assert_eq!((&one["count"], &one["buckets"][0]["records"][0]), (&json!(1), &records["records"][0]));
    for (query, names) in
        [("from=0", "from, size"), ("start=0", "start"), ("end=1", "end"), ("anomaly_score=1", "anomaly_score")]
    {
        let refused =
            bench.refused(&format!("GET /_ml/anomaly_detectors/j/results/buckets/{at}?{query}"), Value::Null).await;
        assert_eq!(refused, (400, format!("Param [{names}] is incompatible with [timestamp].")));
    }
    let none = json!({"count": 0, "categories": []});
    assert_eq!(bench.done("GET /_ml/anomaly_detectors/j/results/categories", Value::Null).await, none);
    assert_eq!(
        bench.done("POST /_ml/anomaly_detectors/j/results/categories/1", json!({"page": {"size": 1}})).await,
        none
    );
    assert_eq!(bench.call("GET /_ml/anomaly_detectors/no/results/categories", Value::Null).await.0, 404);
    assert_eq!(bench.call("GET /_ml/anomaly_detectors/j/results/categories/x", Value::Null).await.0, 400);
}

/// Members of a population with one spike, and what the members are influenced by.
async fn population(bench: &Bench, over: &str, influencer: &str) -> Value {
    let mut config = job("high_sum", Some("value"));
    config["analysis_config"]["detectors"][0]["over_field_name"] = json!(over);
    config["analysis_config"]["influencers"] = json!([influencer]);
    bench.done("PUT /_ml/anomaly_detectors/p", config).await;
    bench.done("POST /_ml/anomaly_detectors/p/_open", Value::Null).await;
    let record = |number: i64| {
        let (minute, member) = (number / 4, number % 4);
        let value = if (minute, member) == (150, 2) { 1000 } else { 10 + (minute * 7 + member * 3) % 5 };
        let mut record = json!({"time": JUNE_MS + minute * MINUTE_MS, "value": value});
        record[over] = json!(format!("u{member}"));
        record[influencer] = json!(format!("h{member}"));
        record.to_string()
    };
    let lines: String = (0..800).map(record).collect();
    bench.done("POST /_ml/anomaly_detectors/p/_data", Value::String(lines)).await;
    bench.done("POST /_ml/anomaly_detectors/p/_close", Value::Null).await;
    bench.done("GET /_ml/anomaly_detectors/p/results/records?record_score=50", Value::Null).await["records"][0].clone()
}

#[tokio::test]
async fn results_carry_the_values_of_their_fields_and_causes() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let record = population(&bench, "user", "host.name").await;
    assert_eq!((&record["user"], &record["host.name"]), (&json!(["u2"]), &json!(["h2"])));
    let cause = json!({
        "probability": record["probability"], "function": "high_sum", "function_description": "sum", "typical": record["typical"],
        "actual": [1000.0], "field_name": "value", "over_field_name": "user", "over_field_value": "u2",
    });
    assert_eq!(record["causes"], json!([cause]));
    let influencers = bench.done("GET /_ml/anomaly_detectors/p/results/influencers", Value::Null).await;
    assert_eq!(influencers["influencers"][0]["host.name"], "h2");
    for (field, value) in [("user", "u2"), ("host.name", "h2")] {
        let query = QueryNode::parse(&json!({"term": {field: value}})).unwrap();
        let indices = IndexExpression::parse(".ml-anomalies-shared");
        let found = bench.node.core.documents.count(&indices, &query, &Access::Everything).await.unwrap();
        assert!(found > 0, "{field} is searched by its own name");
    }
}

#[tokio::test]
async fn values_stand_in_no_place_of_a_members_or_of_another_fields() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    // In the same index there is a field that the other is nested in.
    let mut config = job("count", None);
    config["analysis_config"]["influencers"] = json!(["host"]);
    bench.done("PUT /_ml/anomaly_detectors/other", config).await;
    let record = population(&bench, "record_score", "host.name").await;
    assert_eq!((&record["over_field_value"], &record["host.name"]), (&json!("u2"), &json!(["h2"])));
    assert!(record["record_score"].is_f64(), "{record}");
    bench.done("DELETE /_ml/anomaly_detectors/p", Value::Null).await;
    let record = population(&bench, "a..b", " ").await;
    assert_eq!((&record["over_field_value"], record.get("a..b"), record.get(" ")), (&json!("u2"), None, None));
}
