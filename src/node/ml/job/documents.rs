//! Results as documents of `.ml-anomalies-*`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::node::ml::configuration::Job;
use crate::node::ml::detector::{
    BucketOutcome, DetectorPlan, ExpectedValue, FieldOutcome, InfluencerOutcome, ModelSize, RecordOutcome,
};
use crate::node::ml::forecast::VALUE_RESULT;
use crate::node::ml::result_fields::is_free;

/// Whether a result can still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finality {
    Final,
    Interim,
}

/// The documents of a bucket: id and source, the bucket itself first.
pub(crate) fn of_bucket(job: &Job, bucket: &BucketOutcome, finality: Finality) -> Vec<(String, Value)> {
    let stem = Stem { job, bucket, interim: finality == Finality::Interim };
    let mut documents = vec![(stem.id("bucket", ""), stem.bucket())];
    for (index, record) in bucket.records.iter().enumerate() {
        documents.push((stem.id("record", &format!("_{index}")), stem.record(record)));
    }
    for (index, influencer) in bucket.influencers.iter().enumerate() {
        documents.push((stem.id("influencer", &format!("_{index}")), stem.influencer(influencer)));
    }
    for (index, expected) in bucket.expected.iter().enumerate() {
        documents.push((stem.id("model_plot", &format!("_{index}")), plotted(job, expected)));
    }
    documents
}

/// A value of a forecast, the `number`th of it: id and source.
pub(crate) fn of_forecast(job: &Job, forecast_id: &str, number: u64, value: &ExpectedValue) -> (String, Value) {
    let mut document = expected(job, VALUE_RESULT, value);
    document.insert("forecast_id".to_owned(), json!(forecast_id));
    document.insert("forecast_lower".to_owned(), json!(value.bounds.lower));
    document.insert("forecast_upper".to_owned(), json!(value.bounds.upper));
    document.insert("forecast_prediction".to_owned(), json!(value.bounds.median));
    (format!("{}_{VALUE_RESULT}_{forecast_id}_{number}", job.id), Value::Object(document))
}

fn plotted(job: &Job, value: &ExpectedValue) -> Value {
    let mut document = expected(job, "model_plot", value);
    document.insert("model_lower".to_owned(), json!(value.bounds.lower));
    document.insert("model_upper".to_owned(), json!(value.bounds.upper));
    document.insert("model_median".to_owned(), json!(value.bounds.median));
    if let Some(actual) = value.actual {
        document.insert("actual".to_owned(), json!(actual));
    }
    Value::Object(document)
}

/// What plots and forecasts say alike.
fn expected(job: &Job, result_type: &str, value: &ExpectedValue) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("job_id".to_owned(), json!(job.id));
    document.insert("result_type".to_owned(), json!(result_type));
    document.insert("timestamp".to_owned(), json!(value.start_ms));
    document.insert("bucket_span".to_owned(), json!(job.plan.bucket_span_ms / 1000));
    document.insert("detector_index".to_owned(), json!(value.detector));
    if let Some(plan) = job.plan.detectors.get(value.detector) {
        let feature = plan.function.model_feature(value.feature, plan.over.is_some());
        document.insert("model_feature".to_owned(), json!(feature));
        name_series(&mut document, plan, [&value.by, &value.over, &value.partition]);
    }
    document
}

/// Puts names and values of the by, over and partition field into a document, as far as there are some.
fn name_series(document: &mut Map<String, Value>, plan: &DetectorPlan, values: [&Option<String>; 3]) {
    let fields = [("by", &plan.by), ("over", &plan.over), ("partition", &plan.partition)];
    for ((kind, field), value) in fields.into_iter().zip(values) {
        let (Some(field), Some(value)) = (field, value) else { continue };
        document.insert(format!("{kind}_field_name"), json!(field));
        document.insert(format!("{kind}_field_value"), json!(value));
    }
}

struct Stem<'a> {
    job: &'a Job,
    bucket: &'a BucketOutcome,
    interim: bool,
}

impl Stem<'_> {
    fn span_s(&self) -> i64 {
        self.job.plan.bucket_span_ms / 1000
    }

    fn id(&self, kind: &str, rest: &str) -> String {
        format!("{}_{kind}_{}_{}{rest}", self.job.id, self.bucket.start_ms, self.span_s())
    }

    fn base(&self, result_type: &str) -> Map<String, Value> {
        let mut base = Map::new();
        base.insert("job_id".to_owned(), json!(self.job.id));
        base.insert("result_type".to_owned(), json!(result_type));
        base.insert("timestamp".to_owned(), json!(self.bucket.start_ms));
        base.insert("bucket_span".to_owned(), json!(self.span_s()));
        base.insert("is_interim".to_owned(), json!(self.interim));
        base
    }

    fn bucket(&self) -> Value {
        let mut bucket = self.base("bucket");
        let influencers = if self.bucket.score > 0.0 { self.bucket_influencers() } else { Vec::new() };
        bucket.insert("anomaly_score".to_owned(), json!(self.bucket.score));
        bucket.insert("initial_anomaly_score".to_owned(), json!(self.bucket.score));
        bucket.insert("event_count".to_owned(), json!(self.bucket.event_count));
        bucket.insert("bucket_influencers".to_owned(), json!(influencers));
        bucket.insert("processing_time_ms".to_owned(), json!(0));
        if !self.bucket.scheduled_events.is_empty() {
            bucket.insert("scheduled_events".to_owned(), json!(self.bucket.scheduled_events));
        }
        Value::Object(bucket)
    }

    /// The time itself, and each influencer field of the bucket.
    fn bucket_influencers(&self) -> Vec<Value> {
        let BucketOutcome { probability, score, influencer_fields, .. } = self.bucket;
        let time = self.bucket_influencer("bucket_time", *probability, *score);
        let field = |field: &FieldOutcome| self.bucket_influencer(&field.field, field.probability, field.score);
        std::iter::once(time).chain(influencer_fields.iter().map(field)).collect()
    }

    fn bucket_influencer(&self, field: &str, probability: f64, score: f64) -> Value {
        let mut influencer = self.base("bucket_influencer");
        influencer.insert("influencer_field_name".to_owned(), json!(field));
        influencer.insert("anomaly_score".to_owned(), json!(score));
        influencer.insert("initial_anomaly_score".to_owned(), json!(score));
        influencer.insert("raw_anomaly_score".to_owned(), json!(score));
        influencer.insert("probability".to_owned(), json!(probability));
        Value::Object(influencer)
    }

    fn record(&self, outcome: &RecordOutcome) -> Value {
        let mut record = self.base("record");
        record.insert("detector_index".to_owned(), json!(outcome.detector));
        record.insert("probability".to_owned(), json!(outcome.probability));
        record.insert("record_score".to_owned(), json!(outcome.score));
        record.insert("initial_record_score".to_owned(), json!(outcome.score));
        record.insert("typical".to_owned(), json!([outcome.typical]));
        record.insert("actual".to_owned(), json!([outcome.actual]));
        let Some(plan) = self.job.plan.detectors.get(outcome.detector) else { return Value::Object(record) };
        record.insert("function".to_owned(), json!(plan.function.name));
        record.insert("function_description".to_owned(), json!(plan.function.description(outcome.feature)));
        if let Some(field) = &plan.field {
            record.insert("field_name".to_owned(), json!(field));
        }
        name_series(&mut record, plan, [&outcome.by, &outcome.over, &outcome.partition]);
        if plan.over.is_some() {
            record.insert("causes".to_owned(), json!([cause(&record)]));
        }
        let influencers = influencers_of(outcome);
        if !influencers.is_empty() {
            record.insert("influencers".to_owned(), json!(influencers));
        }
        for (field, values) in values_of(plan, outcome) {
            record.insert(field.to_owned(), json!(values));
        }
        Value::Object(record)
    }

    fn influencer(&self, outcome: &InfluencerOutcome) -> Value {
        let mut influencer = self.base("influencer");
        influencer.insert("influencer_field_name".to_owned(), json!(outcome.field));
        influencer.insert("influencer_field_value".to_owned(), json!(outcome.value));
        influencer.insert("influencer_score".to_owned(), json!(outcome.score));
        influencer.insert("initial_influencer_score".to_owned(), json!(outcome.score));
        influencer.insert("probability".to_owned(), json!(outcome.probability));
        if is_free(&outcome.field) {
            influencer.insert(outcome.field.clone(), json!(outcome.value));
        }
        Value::Object(influencer)
    }
}

/// What a member of a population did. A record is of one member, so it has one cause.
///
/// Source: elasticsearch, `AnomalyCause.java`.
fn cause(record: &Map<String, Value>) -> Map<String, Value> {
    const OF_THE_RECORD: [&str; 8] = [
        "job_id",
        "result_type",
        "timestamp",
        "bucket_span",
        "is_interim",
        "detector_index",
        "record_score",
        "initial_record_score",
    ];
    let own = record.iter().filter(|(name, _)| !OF_THE_RECORD.contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The values of a record's by, over, partition and influencer fields, for searches by the fields' own names.
fn values_of<'a>(plan: &'a DetectorPlan, outcome: &'a RecordOutcome) -> BTreeMap<&'a str, Vec<&'a str>> {
    let split = [(&plan.by, &outcome.by), (&plan.over, &outcome.over), (&plan.partition, &outcome.partition)];
    let split = split.into_iter().filter_map(|(field, value)| Some((field.as_ref()?, value.as_ref()?)));
    let influencers = outcome.influencers.iter().map(|(field, value)| (field, value));
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (field, value) in split.chain(influencers).filter(|(field, _)| is_free(field)) {
        let values = fields.entry(field).or_default();
        if !values.contains(&value.as_str()) {
            values.push(value);
        }
    }
    fields
}

/// The influencers of a record, each field with its values.
fn influencers_of(outcome: &RecordOutcome) -> Vec<Value> {
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (field, value) in &outcome.influencers {
        fields.entry(field).or_default().push(value);
    }
    let shown = |(field, values)| json!({"influencer_field_name": field, "influencer_field_values": values});
    fields.into_iter().map(shown).collect()
}

/// `model_size_stats`; the categorization figures are zero because there is no categorization.
pub(crate) fn model_size(
    job_id: &str,
    size: &ModelSize,
    peak_bytes: u64,
    now_ms: i64,
    at_ms: Option<i64>,
) -> Map<String, Value> {
    let shown = json!({
        "job_id": job_id,
        "result_type": "model_size_stats",
        "model_bytes": size.bytes,
        "peak_model_bytes": peak_bytes,
        "model_bytes_exceeded": 0,
        "model_bytes_memory_limit": size.memory_limit_bytes,
        "total_by_field_count": size.by_values,
        "total_over_field_count": size.over_values,
        "total_partition_field_count": size.partition_values,
        "bucket_allocation_failures_count": size.allocation_failures,
        "memory_status": size.status,
        "categorized_doc_count": 0,
        "total_category_count": 0,
        "frequent_category_count": 0,
        "rare_category_count": 0,
        "dead_category_count": 0,
        "failed_category_count": 0,
        "categorization_status": "ok",
        "log_time": now_ms,
    });
    let mut shown = if let Value::Object(shown) = shown { shown } else { Map::new() };
    shown.extend(at_ms.map(|at_ms| ("timestamp".to_owned(), json!(at_ms))));
    shown
}
