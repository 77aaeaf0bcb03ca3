use serde_json::json;

use super::*;

/// Source: elasticsearch, `DetectorTests.java`.
#[test]
fn fields_are_checked_in_elasticsearchs_words() {
    const UNSET: &str =
        "Unless a count or temporal function is used one of field_name, by_field_name or over_field_name must be set";
    for (detector, reason) in [
        (json!({}), UNSET),
        (json!({"function": "mean"}), UNSET),
        (json!({"function": "rare"}), UNSET),
        (json!({"by_field_name": "b"}), "field_name must be set when the 'metric' function is used"),
        (json!({"function": "mean", "by_field_name": "b"}), "field_name must be set when the 'mean' function is used"),
        (json!({"function": "count", "field_name": "f"}), "field_name cannot be used with function 'count'"),
        (
            json!({"function": "rare", "over_field_name": "o"}),
            "by_field_name must be set when the 'rare' function is used",
        ),
        (
            json!({"function": "nzc", "over_field_name": "o"}),
            "over_field_name cannot be used with function 'non_zero_count'",
        ),
        (
            json!({"function": "mean", "field_name": "a\\b"}),
            "Invalid field name 'a\\b'. Field names including over, by and partition fields cannot contain any of these \
             characters: \",\\",
        ),
        (
            json!({"function": "count", "partition_field_name": "a", "over_field_name": "a"}),
            "partition_field_name and over_field_name cannot be the same: 'a'",
        ),
        (
            json!({"function": "count", "by_field_name": "a", "over_field_name": "a"}),
            "by_field_name and over_field_name cannot be the same: 'a'",
        ),
        (json!({"function": "count", "by_field_name": "count"}), "'count' is not a permitted value for by_field_name"),
        (json!({"function": "count", "over_field_name": "by"}), "'by' is not a permitted value for over_field_name"),
        (
            json!({"function": "count", "exclude_frequent": "some"}),
            "[detector] failed to parse field [exclude_frequent]",
        ),
        (
            json!({"function": "lat_long", "field_name": "f"}),
            "[detector] [function lat_long] is not supported by the embedded node",
        ),
    ] {
        assert_eq!(super::detector(&detector).unwrap_err().reason(), reason, "{detector}");
    }
    assert!(super::detector(&json!({"function": "count", "partition_field_name": "count"})).is_ok());
}

#[test]
fn what_is_given_is_shown_with_the_defaults() {
    let given = json!({
        "bucket_span": "1h",
        "detectors": [{
            "function": "high_dc", "field_name": "f", "by_field_name": "b", "use_null": true, "exclude_frequent": "by",
        }],
        "influencers": ["anything"],
    });
    let given = given.as_object().unwrap();
    let plan = plan(given, 1 << 20).unwrap();
    let expected = json!({
        "bucket_span": "1h",
        "detectors": [{
            "detector_description": "high_distinct_count(f) by b",
            "function": "high_distinct_count",
            "field_name": "f",
            "by_field_name": "b",
            "use_null": true,
            "exclude_frequent": "by",
            "detector_index": 0,
        }],
        "influencers": ["anything"],
        "model_prune_window": "30d",
    });
    assert_eq!(shown(&plan, given), expected);
}

#[test]
fn jobs_refuse_summaries_for_metric_and_short_prune_windows() {
    let metric = json!({"function": "metric", "field_name": "f"});
    for (config, reason) in [
        (
            json!({"detectors": [metric], "summary_count_field_name": "n"}),
            "The 'metric' function cannot be used in jobs that will take pre-summarized input",
        ),
        (
            json!({"detectors": [metric], "model_prune_window": "5m"}),
            "model_prune_window [5m] must be a multiple of bucket_span [5m] and at least [2] of it",
        ),
        (
            json!({"detectors": [metric], "categorization_field_name": "m"}),
            "[analysis_config] [categorization_field_name] is not supported by the embedded node",
        ),
    ] {
        assert_eq!(plan(config.as_object().unwrap(), 1 << 20).unwrap_err().reason(), reason);
    }
}

#[test]
fn what_no_job_may_be_made_with_is_refused() {
    let refused = |config: Value| {
        let config = config.as_object().unwrap();
        check_new(&plan(config, 1 << 20).unwrap(), Some(config)).err().map(|problem| problem.reason().to_owned())
    };
    let count = json!({"function": "count"});
    let by = |field: &str| json!({"function": "count", "by_field_name": field});
    let detectors = |detectors: [&Value; 2]| json!({"detectors": detectors});
    assert_eq!(refused(detectors([&count, &count])), Some("Duplicate detectors are not allowed: [count]".to_owned()));
    let described = json!({"function": "count", "detector_description": "mine"});
    assert_eq!(refused(detectors([&count, &described])), None);
    assert_eq!(
        refused(detectors([&described, &described])),
        Some("Duplicate detectors are not allowed: [mine]".to_owned())
    );
    assert_eq!(
        refused(json!({"detectors": [by("mlcategory")]})),
        Some("categorization_field_name must be set for mlcategory to be available".to_owned())
    );
    assert_eq!(
        refused(detectors([&by("a.b"), &by("a")])),
        Some("Fields [a] and [a.b] cannot both be used in the same analysis_config".to_owned())
    );
    assert_eq!(
        refused(json!({"detectors": [count], "influencers": ["a.b.c", "a.b"]})),
        Some("Fields [a.b] and [a.b.c] cannot both be used in the same analysis_config".to_owned())
    );
    assert_eq!(refused(json!({"detectors": [by("a.b")], "influencers": ["a.c", "ab"]})), None);
}

#[test]
fn a_bucket_is_whole_seconds() {
    for (span, reason) in [
        ("1500ms", "bucket_span has to be a multiple of 1s; actual was '1.5s'"),
        ("10ms", "bucket_span has to be a multiple of 1s; actual was '10ms'"),
        ("0s", "bucket_span cannot be less or equal than 0. Value = 0s"),
    ] {
        let config = json!({"detectors": [{"function": "count"}], "bucket_span": span});
        assert_eq!(plan(config.as_object().unwrap(), 1 << 20).unwrap_err().reason(), reason);
    }
}
