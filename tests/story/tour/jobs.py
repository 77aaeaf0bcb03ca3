"""Configurations of jobs, and their life from creation to deletion."""

from world import (
    COUNT,
    DESCRIPTION,
    MEAN,
    answer,
    drop,
    es,
    fed_job,
    job,
    ml,
    name,
    post,
    reasons,
    refused,
    state,
    stats,
    until,
)


def a_job_is_shown_as_it_was_made_with_elasticsearchs_defaults():
    job_id = name("job")
    analysis = {"bucket_span": "5m", "detectors": [{**MEAN, "partition_field_name": "host"}]}
    made = ml.put_job(
        job_id=job_id,
        analysis_config=analysis,
        data_description={},
        groups=["tour-a", "tour-b"],
        results_retention_days=30,
    )
    assert (
        made["job_id"] == job_id
        and made["job_type"] == "anomaly_detector"
        and made["create_time"]
        and made["job_version"]
    )
    detector = made["analysis_config"]["detectors"][0]
    assert detector["detector_description"] == "mean(value) partitionfield=host" and detector["detector_index"] == 0
    assert made["analysis_config"]["influencers"] == [] and made["analysis_config"]["model_prune_window"] == "30d"
    assert made["analysis_limits"] == {"model_memory_limit": "1024mb", "categorization_examples_limit": 4}
    assert made["data_description"] == {"time_field": "time", "time_format": "epoch_ms"}
    assert made["model_snapshot_retention_days"] == 10 and made["daily_model_snapshot_retention_after_days"] == 1
    assert (
        made["results_index_name"] == "shared"
        and made["allow_lazy_open"] is False
        and made["results_retention_days"] == 30
    )
    assert ml.get_jobs(job_id=job_id) == {"count": 1, "jobs": [made.body]}
    assert es.indices.exists(index=".ml-anomalies-shared")
    drop(job_id)


def what_elasticsearch_refuses_is_refused_in_its_words():
    def put(text, **changes):
        body = {
            "analysis_config": {"bucket_span": "5m", "detectors": [COUNT]},
            "data_description": DESCRIPTION,
            **changes,
        }
        refused(400, text, ml.put_job, job_id=body.pop("job_id", name("job")), **body)

    def analysis(text, detector=COUNT, **changes):
        put(text, analysis_config={"bucket_span": "5m", "detectors": [detector], **changes})

    put("Invalid job_id; 'Upper' can contain lowercase alphanumeric", job_id="Upper")
    put("The job id cannot contain more than 64 characters", job_id="a" * 65)
    put("Invalid group id 'A b'; must be non-empty string", groups=["A b"])
    put("model_memory_limit must be at least 1 MiB. Value = 0", analysis_limits={"model_memory_limit": "0mb"})
    put(
        "with value [1x] as a size in bytes: unit is missing or unrecognized",
        analysis_limits={"model_memory_limit": "1x"},
    )
    put("model_snapshot_retention_days cannot be less than 0. Value = -1", model_snapshot_retention_days=-1)
    put("results_retention_days cannot be less than 0. Value = -1", results_retention_days=-1)
    put(
        "The value of 'daily_model_snapshot_retention_after_days' [11] cannot be greater than",
        daily_model_snapshot_retention_after_days=11,
        model_snapshot_retention_days=10,
    )
    put("Invalid results_index_name", results_index_name="A/b")
    analysis("No detectors configured", detectors=[])
    analysis("Duplicate detectors are not allowed: [count]", detectors=[COUNT, COUNT])
    analysis("with value [5x] as a time value: unit is missing or unrecognized", bucket_span="5x")
    analysis("bucket_span cannot be less or equal than 0. Value = 0s", bucket_span="0s")
    analysis("bucket_span has to be a multiple of 1s", bucket_span="1500ms")
    analysis("Fields [a] and [a.b] cannot both be used in the same analysis_config", influencers=["a", "a.b"])
    analysis("Unknown function 'no'", {"function": "no"})
    analysis("Unless a count or temporal function is used one of field_name", {"function": "mean"})
    analysis("field_name must be set when the 'mean' function is used", {"function": "mean", "by_field_name": "x"})
    analysis("field_name cannot be used with function 'count'", {**COUNT, "field_name": "x"})
    analysis("by_field_name must be set when the 'rare' function is used", {"function": "rare", "over_field_name": "x"})
    analysis(
        "over_field_name cannot be used with function 'non_zero_count'", {"function": "nzc", "over_field_name": "x"}
    )
    analysis(
        "categorization_field_name must be set for mlcategory to be available", {**COUNT, "by_field_name": "mlcategory"}
    )
    analysis("Invalid field name '\"x'", {**COUNT, "by_field_name": '"x'})
    for one, other in (("by", "over"), ("partition", "by"), ("partition", "over")):
        same = {f"{one}_field_name": "x", f"{other}_field_name": "x"}
        analysis(f"{one}_field_name and {other}_field_name cannot be the same: 'x'", {**COUNT, **same})


def what_is_not_modelled_is_refused_by_name():
    for function in ("freq_rare", "time_of_day", "time_of_week", "lat_long", "info_content"):
        fields = {"field_name": "a"} if function in ("lat_long", "info_content") else {}
        if function == "freq_rare":
            fields = {"by_field_name": "a", "over_field_name": "b"}
        refused(400, function, job, detectors=[{"function": function, **fields}])
    refused(400, "categorization_field_name", job, analysis={"categorization_field_name": "m"})
    refused(400, "multivariate_by_fields", job, analysis={"multivariate_by_fields": True})
    refused(400, "renormalization_window_days", job, renormalization_window_days=3)
    refused(400, "background_persist_interval", job, background_persist_interval="1h")


def bodies_are_read_strictly():
    config = {"analysis_config": {"bucket_span": "5m", "detectors": [COUNT]}, "data_description": {}}
    for body, kind, text in (
        ({**config, "nonsense": 1}, "x_content_parse_exception", "[job_details] unknown field [nonsense]"),
        (
            {**config, "job_id": "other"},
            "illegal_argument_exception",
            "Inconsistent job_id; 'other' specified in the body",
        ),
        ({**config, "analysis_config": None}, "illegal_argument_exception", "An analysis_config must be set"),
        ({**config, "data_description": None}, "illegal_argument_exception", "A data_description must be set"),
        (None, "parse_exception", "request body is required"),
    ):
        status, told = answer("PUT", f"/_ml/anomaly_detectors/{name('job')}", body)
        assert (status, told["error"]["type"]) == (400, kind) and text in reasons(told["error"]), told


def jobs_and_groups_share_one_set_of_names():
    job_id, group = name("job"), name("group")
    job(job_id, groups=[group])
    refused(400, f"The job cannot be created with the Id '{job_id}'. The Id is already used.", job, job_id)
    refused(400, "job and group names must be unique", job, group)
    refused(400, "job and group names must be unique", job, groups=[job_id])
    drop(job_id)


def jobs_are_found_by_ids_lists_wildcards_and_groups():
    prefix = name("x")
    one, two = job(f"{prefix}-1", groups=[f"{prefix}-g"]), job(f"{prefix}-2", groups=[f"{prefix}-g", f"{prefix}-h"])

    def found(expression):
        return [each["job_id"] for each in ml.get_jobs(job_id=expression)["jobs"]]

    for expression in (f"{prefix}-*", f"{two},{one}", f"{prefix}-g", f"{prefix}-g*"):
        assert found(expression) == [one, two], expression
    assert found(f"{prefix}-h") == [two] and found(f"{prefix}-none*") == []
    for everything in ("_all", "*"):
        assert {one, two} <= set(found(everything))
    assert [each["job_id"] for each in ml.get_job_stats(job_id=f"{prefix}-g")["jobs"]] == [one, two]
    unknown = f"No known job with id '{prefix}-none'"
    for call in (ml.get_jobs, ml.open_job, ml.close_job, ml.delete_job, ml.flush_job, ml.reset_job):
        refused(404, unknown, call, job_id=f"{prefix}-none")
    refused(404, unknown, ml.get_job_stats, job_id=f"{one},{prefix}-none")
    assert ml.close_job(job_id=f"{prefix}-none*") == {"closed": True}
    for call in (ml.get_jobs, ml.close_job):
        refused(404, "No known job with id", call, job_id=f"{prefix}-none*", allow_no_match=False)
    drop(one, two)


def jobs_are_changed():
    job_id = job(detectors=[MEAN])
    rule = {"conditions": [{"applies_to": "actual", "operator": "gt", "value": 5.0}]}
    changed = ml.update_job(
        job_id=job_id,
        description="new",
        groups=["tour-v"],
        results_retention_days=5,
        model_snapshot_retention_days=20,
        custom_settings={"a": 1},
        allow_lazy_open=True,
        analysis_limits={"model_memory_limit": "20mb"},
        model_prune_window="60d",
        detectors=[{"detector_index": 0, "description": "mine", "custom_rules": [rule]}],
    )
    assert (
        changed["description"] == "new" and changed["groups"] == ["tour-v"] and changed["custom_settings"] == {"a": 1}
    )
    assert changed["results_retention_days"] == 5 and changed["model_snapshot_retention_days"] == 20
    assert changed["allow_lazy_open"] is True and changed["analysis_limits"]["model_memory_limit"] == "20mb"
    detector = changed["analysis_config"]["detectors"][0]
    assert detector["detector_description"] == "mine" and detector["custom_rules"] == [
        {"actions": ["skip_result"], **rule}
    ]
    assert changed["analysis_config"]["model_prune_window"] == "60d"
    assert ml.get_jobs(job_id=job_id)["jobs"] == [changed.body]
    refused(404, "No known job with id 'none'", ml.update_job, job_id="none", description="x")
    refused(400, "job and group names must be unique", ml.update_job, job_id=job_id, groups=[job_id])
    status, told = answer("POST", f"/_ml/anomaly_detectors/{job_id}/_update", {"bucket_span": "1h"})
    assert status == 400 and "[job_update] unknown field [bucket_span]" in told["error"]["reason"], told
    ml.open_job(job_id=job_id)
    limits = {"model_memory_limit": "30mb"}
    refused(
        400, "Cannot update analysis_limits while the job is open", ml.update_job, job_id=job_id, analysis_limits=limits
    )
    drop(job_id)


def an_export_leaves_out_what_was_generated():
    job_id, feed = fed_job("none*", custom_settings={"created_by": "x", "a": 1})
    shown = ml.get_jobs(job_id=job_id, exclude_generated=True)["jobs"][0]
    datafeed = ml.get_datafeeds(datafeed_id=feed, exclude_generated=True)["datafeeds"][0]
    drop(job_id)
    assert not {"create_time", "job_version", "job_type", "finished_time"} & set(shown), shown
    assert shown["custom_settings"] == {"a": 1} and shown["datafeed_config"] == datafeed
    assert datafeed["datafeed_id"] == feed and datafeed["job_id"] == job_id
    assert not {"query_delay", "chunking_config", "indices_options"} & set(datafeed), datafeed


def jobs_open_and_close():
    group = name("group")
    job_id, other = job(groups=[group]), job(groups=[group], opened=True)
    assert state(job_id) == "closed" and ml.close_job(job_id=job_id) == {"closed": True}
    opened = ml.open_job(job_id=job_id, timeout="35s")
    assert opened["opened"] is True and opened["node"]
    shown = stats(job_id)
    assert shown["state"] == "opened" and shown["assignment_explanation"] == "" and shown["open_time"].endswith("s")
    assert set(shown["node"]) >= {"id", "name", "ephemeral_id", "transport_address", "attributes"}
    refused(409, f"Cannot open job [{job_id}] because it has already been opened", ml.open_job, job_id=job_id)
    refused(409, f"Cannot delete job [{job_id}] because the job is opened", ml.delete_job, job_id=job_id)
    refused(409, "Can only reset a job when it is closed.", ml.reset_job, job_id=job_id)
    assert ml.close_job(job_id=group, timeout="1m") == {"closed": True} and state(job_id) == state(other) == "closed"
    assert "finished_time" in ml.get_jobs(job_id=job_id)["jobs"][0]
    # Options come in the query or in the body.
    assert answer("POST", f"/_ml/anomaly_detectors/{job_id}/_open?timeout=5s")[0] == 200
    closed = answer("POST", f"/_ml/anomaly_detectors/{job_id}/_close", {"timeout": "10s", "force": True})
    assert closed == (200, {"closed": True})
    status, told = answer("POST", f"/_ml/anomaly_detectors/{job_id}/_open?timeout=5")
    unit = "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized"
    assert (status, told["error"]["reason"]) == (400, unit)
    drop(job_id, other)


def jobs_are_deleted_and_reset_in_the_background():
    job_id = job(opened=True)
    post(job_id, 20)
    ml.close_job(job_id=job_id)
    assert ml.get_buckets(job_id=job_id)["count"] > 0
    task = ml.reset_job(job_id=job_id, wait_for_completion=False)["task"]
    assert until(lambda: es.tasks.get(task_id=task)["completed"])
    assert ml.reset_job(job_id=job_id) == {"acknowledged": True}
    assert ml.get_buckets(job_id=job_id)["count"] == 0 and stats(job_id)["data_counts"]["processed_record_count"] == 0
    assert "model_snapshot_id" not in ml.get_jobs(job_id=job_id)["jobs"][0]
    task = ml.delete_job(job_id=job_id, wait_for_completion=False)["task"]
    assert until(lambda: es.tasks.get(task_id=task)["completed"])
    refused(404, f"No known job with id '{job_id}'", ml.get_jobs, job_id=job_id)
    job_id = job(opened=True)
    assert ml.delete_job(job_id=job_id, force=True) == {"acknowledged": True}


def configurations_are_validated_and_their_memory_estimated():
    analysis = {"bucket_span": "5m", "detectors": [COUNT]}
    assert ml.validate(analysis_config=analysis, data_description=DESCRIPTION, job_id="j") == {"acknowledged": True}
    empty = {"bucket_span": "5m", "detectors": []}
    refused(400, "No detectors configured", ml.validate, analysis_config=empty, data_description={}, job_id="j")
    detector = {"function": "metric", "field_name": "x", "by_field_name": "y"}
    assert ml.validate_detector(detector=detector) == {"acknowledged": True}
    refused(400, "Unknown function 'x'", ml.validate_detector, detector={"function": "x"})
    estimate = ml.estimate_model_memory(
        analysis_config={**analysis, "detectors": [{**MEAN, "by_field_name": "s"}], "influencers": ["s", "d"]},
        overall_cardinality={"s": 10},
        max_bucket_cardinality={"d": 50},
    )
    assert estimate["model_memory_estimate"].endswith("mb"), estimate


def expired_data_is_deleted():
    job_id = job(opened=True, results_retention_days=1)
    post(job_id, 3)
    ml.close_job(job_id=job_id)
    assert ml.delete_expired_data(job_id=job_id, requests_per_second=10.0, timeout="1h")["deleted"] is True
    assert ml.delete_expired_data()["deleted"] is True
    assert ml.get_buckets(job_id=job_id)["count"] == 2  # A day old is what is a day older than the newest result.
    refused(404, "No known job with id 'none'", ml.delete_expired_data, job_id="none")
    drop(job_id)
