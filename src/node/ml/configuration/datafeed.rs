//! The configuration of a datafeed.

use serde_json::{Map, Value, json};

use super::delayed_data::DelayedDataCheck;
use super::fields::Fields;
use super::indices_options::Options;
use super::job::inconsistent;
use crate::node::documents::QueryNode;
use crate::node::http::ApiError;
use crate::node::indices::IndexExpression;
use crate::node::ml::duration;
use crate::node::ml::identifier::check_id;

const KNOWN: [&str; 12] = [
    "datafeed_id",
    "job_id",
    "indices",
    "indexes",
    "query",
    "query_delay",
    "frequency",
    "scroll_size",
    "chunking_config",
    "indices_options",
    "max_empty_searches",
    "delayed_data_check_config",
];
const UNSUPPORTED: [&str; 5] = ["aggregations", "aggs", "script_fields", "runtime_mappings", "headers"];
const SCROLL_SIZE_MAX: i64 = 10_000;

/// A validated datafeed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Datafeed {
    pub(crate) id: String,
    pub(crate) job_id: String,
    pub(crate) indices: IndexExpression,
    pub(crate) query: QueryNode,
    pub(crate) query_delay_ms: i64,
    pub(crate) frequency_ms: Option<i64>,
    /// Documents a page.
    pub(crate) scroll_size: usize,
    /// Searches in real time without a document after which a datafeed that never saw one stops.
    pub(crate) max_empty_searches: Option<u64>,
    delayed_data: DelayedDataCheck,
    source: Map<String, Value>,
}

impl Datafeed {
    /// Reads the body of `PUT _ml/datafeeds/{id}`; `job_id` where the path tells it (`datafeed_config` of a job).
    ///
    /// # Errors
    /// 400 with Elasticsearch's text, or one that names what the node does not support.
    pub(crate) fn create(id: &str, job_id: Option<&str>, body: &Map<String, Value>) -> Result<Self, ApiError> {
        check_id(id, "datafeed_id")?;
        let mut source = body.clone();
        for (field, own) in [("datafeed_id", Some(id)), ("job_id", job_id)] {
            let Some(own) = own else { continue };
            if let Some(other) = Fields::new("datafeed_config", body).text(field)?.filter(|other| *other != own) {
                return Err(inconsistent(field, other, own));
            }
            source.insert(field.to_owned(), json!(own));
        }
        check_chunk_span(&Fields::new("datafeed_config", body))?;
        Self::read(source)
    }

    /// Reads what [`Datafeed::source`] gave.
    ///
    /// # Errors
    /// As [`Datafeed::create`].
    pub(crate) fn read(given: Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new("datafeed_config", &given).only(&KNOWN, &UNSUPPORTED)?;
        let required =
            |name: &str| ApiError::illegal_argument(format!("Invalid {name} value 'null' in datafeed configuration"));
        let id = fields.text("datafeed_id")?.unwrap_or_default().to_owned();
        let job_id = fields.text("job_id")?.ok_or_else(|| required("job_id"))?.to_owned();
        let names = fields.texts("indices")?.or(fields.texts("indexes")?).unwrap_or_default();
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(ApiError::illegal_argument("Invalid indices value '[]' in datafeed configuration"));
        }
        let default_query = json!({"match_all": {"boost": 1.0}});
        let query_json = fields.value("query").unwrap_or(&default_query).clone();
        let query = QueryNode::parse(&query_json).map_err(ApiError::from)?;
        let query_delay_ms = fields.duration_ms("query_delay")?.unwrap_or_else(|| default_delay_ms(&id));
        if !(0..i64::MAX).contains(&query_delay_ms) {
            return Err(ApiError::illegal_argument("query_delay cannot be less than 0. Value = -1"));
        }
        let frequency_ms = fields.duration_ms("frequency")?;
        // The longest of all stands for `-1`.
        if frequency_ms.is_some_and(|frequency| !(1000..i64::MAX).contains(&frequency)) {
            return Err(ApiError::illegal_argument("frequency cannot be less or equal than 0. Value = 0"));
        }
        let scroll_size = fields.integer("scroll_size")?.unwrap_or(1000);
        if !(1..=SCROLL_SIZE_MAX).contains(&scroll_size) {
            return Err(ApiError::illegal_argument(format!(
                "Invalid scroll_size value '{scroll_size}' in datafeed configuration"
            )));
        }
        let max_empty_searches = max_empty_searches(&fields)?;
        let delayed_data = DelayedDataCheck::read(&fields)?;
        check_chunking(&fields)?;
        let options = Options::read(&fields)?;
        let mut source = Map::new();
        source.insert("datafeed_id".to_owned(), json!(id));
        source.insert("job_id".to_owned(), json!(job_id));
        source.insert("query_delay".to_owned(), json!(duration::exact(query_delay_ms)));
        if let Some(frequency_ms) = frequency_ms {
            source.insert("frequency".to_owned(), json!(duration::exact(frequency_ms)));
        }
        source.insert("indices".to_owned(), json!(names));
        source.insert("query".to_owned(), query_json);
        source.insert("scroll_size".to_owned(), json!(scroll_size));
        source.insert(
            "chunking_config".to_owned(),
            fields.value("chunking_config").cloned().unwrap_or_else(default_chunking),
        );
        if let Some(searches) = max_empty_searches {
            source.insert("max_empty_searches".to_owned(), json!(searches));
        }
        source.insert("delayed_data_check_config".to_owned(), delayed_data.shown());
        source.insert("indices_options".to_owned(), options.shown());
        let indices = IndexExpression::of(names).with(options.indices);
        let scroll_size = usize::try_from(scroll_size).unwrap_or(1000);
        Ok(Self {
            id,
            job_id,
            indices,
            query,
            query_delay_ms,
            frequency_ms,
            scroll_size,
            max_empty_searches,
            delayed_data,
            source,
        })
    }

    /// As `GET` shows it.
    pub(crate) fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// As `GET` shows it with `exclude_generated`: without defaults that follow from the rest.
    ///
    /// Source: elasticsearch, `DatafeedConfig.java`.
    pub(crate) fn exported(&self) -> Map<String, Value> {
        let mut shown = self.source.clone();
        if self.query_delay_ms == default_delay_ms(&self.id) {
            shown.shift_remove("query_delay");
        }
        if shown.get("indices_options") == Some(&Options::default().shown()) {
            shown.shift_remove("indices_options");
        }
        if shown.get("chunking_config") == Some(&default_chunking()) {
            shown.shift_remove("chunking_config");
        }
        shown
    }

    /// Applies the body of `_update`.
    ///
    /// # Errors
    /// 400 for what cannot be changed.
    pub(crate) fn updated(&self, body: &Map<String, Value>) -> Result<Self, ApiError> {
        check_chunk_span(&Fields::new("datafeed_update", body))?;
        let mut source = self.source.clone();
        for (name, value) in body {
            match name.as_str() {
                "datafeed_id" if value.as_str() == Some(&self.id) => {}
                "datafeed_id" => return Err(inconsistent("datafeed_id", &value.to_string(), &self.id)),
                "job_id" if value.as_str() != Some(&self.job_id) => {
                    return Err(ApiError::illegal_argument("[job_id] cannot be updated"));
                }
                "indexes" => {
                    source.insert("indices".to_owned(), value.clone());
                }
                name => {
                    source.insert(name.to_owned(), value.clone());
                }
            }
        }
        Self::read(source)
    }

    /// How far back it looks for documents that came too late, for a job with such buckets; `None`: it does not.
    ///
    /// # Errors
    /// 400: the window does not fit the buckets.
    pub(crate) fn delayed_data_window_ms(&self, bucket_span_ms: i64) -> Result<Option<i64>, ApiError> {
        self.delayed_data.window_ms(bucket_span_ms)
    }

    /// How often it reads in real time, milliseconds.
    ///
    /// Source: elasticsearch, `DatafeedConfig.java`, `defaultFrequency`.
    pub(crate) fn frequency_ms(&self, bucket_span_ms: i64) -> i64 {
        let default = match bucket_span_ms {
            ..=120_000 => 60_000,
            120_001..=1_200_000 => bucket_span_ms / 2000 * 1000,
            1_200_001..=43_200_000 => 600_000,
            _ => 3_600_000,
        };
        self.frequency_ms.unwrap_or(default)
    }
}

/// Between 60 s and 120 s, as Elasticsearch picks it, but the same for the same id.
fn default_delay_ms(id: &str) -> i64 {
    60_000 + id.bytes().fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 60_000)
}

fn default_chunking() -> Value {
    json!({"mode": "auto"})
}

/// `-1` takes it back.
fn max_empty_searches(fields: &Fields<'_>) -> Result<Option<u64>, ApiError> {
    match fields.integer("max_empty_searches")? {
        None | Some(-1) => Ok(None),
        Some(searches @ 1..) => Ok(u64::try_from(searches).ok()),
        Some(other) => Err(ApiError::illegal_argument(format!(
            "Invalid max_empty_searches value '{other}' in datafeed configuration"
        ))),
    }
}

/// What a datafeed may not be given; one that has it already is left alone.
///
/// Source: elasticsearch, `ChunkingConfig.java`.
fn check_chunk_span(fields: &Fields<'_>) -> Result<(), ApiError> {
    let Some(config) = fields.object("chunking_config")? else { return Ok(()) };
    let chunking = Fields::new("chunking_config", config);
    let problem = match (chunking.text("mode")? == Some("manual"), chunking.duration_ms("time_span")?) {
        (true, None) => "when chunk mode is manual time_span is required",
        (true, Some(..=0 | i64::MAX)) => "chunk time_span has to be positive",
        (false, Some(_)) => "chunk time_span may only be set when mode is manual",
        _ => return Ok(()),
    };
    Err(ApiError::illegal_argument(problem))
}

/// Reading is paged whatever the chunking, so a valid mode changes nothing that anybody can see.
fn check_chunking(fields: &Fields<'_>) -> Result<(), ApiError> {
    let Some(config) = fields.object("chunking_config")? else { return Ok(()) };
    let chunking = Fields::new("chunking_config", config).only(&["mode", "time_span"], &[])?;
    chunking.duration_ms("time_span")?;
    match chunking.text("mode")? {
        Some("auto" | "manual" | "off") => Ok(()),
        other => Err(ApiError::content(format!("[chunking_config] unknown mode [{}]", other.unwrap_or("null")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_chunks_is_of_the_manual_mode() {
        for (config, problem) in [
            (json!({"mode": "manual"}), "when chunk mode is manual time_span is required"),
            (json!({"mode": "manual", "time_span": "0s"}), "chunk time_span has to be positive"),
            (json!({"mode": "auto", "time_span": "1h"}), "chunk time_span may only be set when mode is manual"),
        ] {
            let body = json!({"job_id": "j", "indices": ["i"], "chunking_config": config});
            let refused = Datafeed::create("d", None, body.as_object().unwrap()).unwrap_err();
            assert_eq!(refused.reason(), problem);
        }
        let body = json!({"job_id": "j", "indices": ["i"], "chunking_config": {"mode": "manual", "time_span": "1h"}});
        assert!(Datafeed::create("d", None, body.as_object().unwrap()).is_ok());
    }
}
