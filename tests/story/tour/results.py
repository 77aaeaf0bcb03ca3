"""Data that is posted, what is counted of it, and results: buckets, records, influencers, overall buckets."""

from world import (
    MEAN,
    SPAN,
    T0,
    counts,
    drop,
    es,
    fed_job,
    filled,
    job,
    ml,
    post,
    records,
    refused,
    state,
    stats,
    until,
)

SPIKE = T0 + 150 * SPAN


def _anomalous_job(**more):
    """A closed job over two hosts, with one spike of host b."""

    def value(bucket, turn):
        return 100.0 if (bucket, turn) == (150, 1) else 10 + (bucket * 7 + turn * 3) % 5 / 10

    analysis = {"influencers": ["host"]}
    job_id = job(detectors=[{**MEAN, "partition_field_name": "host"}], analysis=analysis, opened=True, **more)
    post(job_id, 200, value=value, more=lambda bucket, turn: {"host": "ab"[turn]})
    ml.close_job(job_id=job_id)
    return job_id


def _of(job_id, kind):
    return {"bool": {"filter": [{"term": {"job_id": job_id}}, {"term": {"result_type": kind}}]}}


# ---- What is counted.


def data_is_counted():
    job_id = job(detectors=[MEAN], opened=True)
    told = post(job_id, 10)
    assert told.meta.status == 202 and told["input_bytes"] > 0
    assert told["processed_record_count"] == told["input_record_count"] == 20 and told["bucket_count"] == 9, told
    assert told["earliest_record_timestamp"] == T0 and told["latest_record_timestamp"] == T0 + 9 * SPAN + 60_000
    late, undated, empty = {"time": T0, "value": 1}, {"time": "no", "value": 1}, {"time": T0 + 9 * SPAN + 70_000}
    told = ml.post_data(job_id=job_id, data=[late, undated, empty])
    assert [told[f"{what}_count"] for what in ("out_of_order_timestamp", "invalid_date", "missing_field")] == [
        1,
        1,
        1,
    ], told
    ml.post_data(job_id=job_id, data=[{"time": T0 + 15 * SPAN, "value": 1}])
    all_told = stats(job_id)
    assert all_told["data_counts"]["empty_bucket_count"] == 5
    assert all_told["data_counts"]["latest_empty_bucket_timestamp"] == T0 + 14 * SPAN
    assert all_told["model_size_stats"]["memory_status"] == "ok" and all_told["timing_stats"]["bucket_count"] == 15
    ml.close_job(job_id=job_id)
    not_open = f"Cannot perform requested action because job [{job_id}] is not open"
    refused(409, not_open, ml.post_data, job_id=job_id, data=[{"time": T0}])
    drop(job_id)


def fields_that_no_detector_reads_are_not_processed():
    job_id = job(detectors=[{**MEAN, "partition_field_name": "host"}], opened=True)
    told = post(job_id, 10, more=lambda bucket, turn: {"host": "a", "unused": 1})
    assert told["input_field_count"] == 60 and told["processed_field_count"] == 40, told
    index = filled(records(10, more=lambda bucket, turn: {"host": "a", "unused": 1}))
    fed, feed = fed_job(index, detectors=[MEAN], opened=True)
    ml.start_datafeed(datafeed_id=feed, start="0", end=str(T0 + 10 * SPAN))
    until(lambda: state(fed) == "closed")
    told = counts(fed)
    assert told["input_field_count"] == told["processed_field_count"] == 20, told
    drop(job_id, fed)


def lists_are_one_value_and_objects_are_dotted_fields():
    job_id = job(detectors=[{**MEAN, "by_field_name": "tags"}], opened=True)
    tagged = [{"time": T0 + at * SPAN, "value": 1, "tags": ["a", "b"] if at % 2 else "c"} for at in range(10)]
    assert ml.post_data(job_id=job_id, data=tagged)["missing_field_count"] == 0
    assert stats(job_id)["model_size_stats"]["total_by_field_count"] == 2
    nested = job(detectors=[{"function": "mean", "field_name": "o.value", "by_field_name": "o.k"}], opened=True)
    objects = [{"time": T0 + at * SPAN, "o": {"value": 1, "k": "a"}} for at in range(10)]
    assert ml.post_data(job_id=nested, data=objects)["missing_field_count"] == 0
    drop(job_id, nested)


def statistics_of_a_new_job_are_complete():
    job_id = job()
    shown = stats(job_id)
    drop(job_id)
    categories = {f"{kind}_category_count" for kind in ("total", "frequent", "rare", "dead", "failed")}
    fields = {f"total_{kind}_field_count" for kind in ("by", "over", "partition")}
    more = {"model_bytes", "memory_status", "bucket_allocation_failures_count", "categorization_status", "log_time"}
    assert categories | fields | more <= set(shown["model_size_stats"]), shown
    assert shown["forecasts_stats"] == {"total": 0, "forecasted_jobs": 0}
    assert shown["data_counts"]["bucket_count"] == shown["timing_stats"]["bucket_count"] == 0


def summaries_count_what_they_stand_for_and_latency_waits():
    job_id = job(opened=True, analysis={"summary_count_field_name": "n"})
    ml.post_data(job_id=job_id, data=[{"time": T0 + at * SPAN, "n": 7} for at in range(5)])
    ml.close_job(job_id=job_id)
    assert [bucket["event_count"] for bucket in ml.get_buckets(job_id=job_id)["buckets"]] == [7] * 4
    patient = job(opened=True, analysis={"latency": "10m"})
    told = ml.post_data(job_id=patient, data=[{"time": T0 + at * SPAN} for at in (3, 2, 0)])
    assert told["out_of_order_timestamp_count"] == 1, told
    drop(job_id, patient)


def memory_is_limited():
    limits = {"model_memory_limit": "1mb"}
    job_id = job(opened=True, detectors=[{**MEAN, "partition_field_name": "host"}], analysis_limits=limits)
    hosts = ({"time": T0 + at * SPAN, "value": 1, "host": f"h{host}"} for at in range(3) for host in range(3000))
    ml.post_data(job_id=job_id, data=list(hosts))
    shown = stats(job_id)["model_size_stats"]
    drop(job_id)
    assert shown["memory_status"] == "hard_limit" and shown["bucket_allocation_failures_count"] > 0, shown
    assert shown["model_bytes_memory_limit"] == 1 << 20 and shown["total_partition_field_count"] < 3000, shown


# ---- Results.


def a_spike_is_a_record_a_bucket_and_an_influencer():
    job_id = _anomalous_job()
    found = ml.get_records(job_id=job_id)
    assert found["count"] == 1, found
    record = found["records"][0]
    assert (record["timestamp"], record["bucket_span"], record["is_interim"]) == (SPIKE, 300, False)
    assert (record["function"], record["function_description"], record["field_name"]) == ("mean", "mean", "value")
    assert (record["partition_field_name"], record["partition_field_value"], record["host"]) == ("host", "b", ["b"])
    assert record["actual"] == [100.0] and 9.9 < record["typical"][0] < 10.6
    assert record["record_score"] > 75 and 0 <= record["probability"] < 0.01
    assert record["influencers"] == [{"influencer_field_name": "host", "influencer_field_values": ["b"]}]
    bucket = ml.get_buckets(job_id=job_id, timestamp=str(SPIKE), expand=True)["buckets"][0]
    assert bucket["anomaly_score"] > 75 and bucket["initial_anomaly_score"] > 75 and bucket["event_count"] == 2
    assert bucket["records"] == [record]
    assert {each["influencer_field_name"] for each in bucket["bucket_influencers"]} == {"bucket_time", "host"}
    influencer = ml.get_influencers(job_id=job_id)["influencers"][0]
    assert (influencer["influencer_field_name"], influencer["influencer_field_value"], influencer["host"]) == (
        "host",
        "b",
        "b",
    )
    assert influencer["influencer_score"] > 75
    drop(job_id)


def results_are_paged_sorted_and_filtered():
    job_id = _anomalous_job()

    def buckets(**options):
        return ml.get_buckets(job_id=job_id, **options)

    everything = buckets()
    assert (
        everything["count"] == 199 and len(everything["buckets"]) == 100 and everything["buckets"][0]["timestamp"] == T0
    )
    assert len(buckets(page={"from": 190, "size": 20})["buckets"]) == 9
    page = buckets(page={"from": 1, "size": 2})["buckets"]
    assert [bucket["timestamp"] for bucket in page] == [T0 + SPAN, T0 + 2 * SPAN]
    assert buckets(sort="anomaly_score", desc=True, page={"size": 1})["buckets"][0]["timestamp"] == SPIKE
    assert buckets(anomaly_score=50)["count"] == buckets(start=str(SPIKE), end=str(SPIKE + SPAN))["count"] == 1
    assert buckets(start="2023-11-15T10:00:00Z", end="2023-11-15T11:00:00Z")["count"] == 12
    assert ml.get_records(job_id=job_id, start=str(SPIKE + SPAN))["count"] == 0
    assert ml.get_records(job_id=job_id, sort="record_score", desc=True, exclude_interim=True)["count"] == 1
    assert ml.get_influencers(job_id=job_id, influencer_score=101.0)["count"] == 0
    assert ml.get_categories(job_id=job_id) == {"count": 0, "categories": []}
    refused(404, "No known bucket with timestamp [1000]", buckets, timestamp="1000")
    refused(
        400, "Query param [start] with value [no] cannot be parsed as a date", ml.get_records, job_id=job_id, start="no"
    )
    refused(400, "Parameter [from] cannot be < 0", ml.get_records, job_id=job_id, from_=-1)
    refused(400, "Parameter [size] cannot be < 0", ml.get_records, job_id=job_id, size=-1)
    refused(400, "No mapping found for [colour] in order to sort on", buckets, sort="colour")
    for call in (ml.get_buckets, ml.get_records, ml.get_influencers, ml.get_model_snapshots, ml.get_categories):
        refused(404, "No known job with id 'none'", call, job_id="none")
    drop(job_id)


def overall_buckets_compare_jobs():
    one, two = sorted([_anomalous_job(), _anomalous_job()])
    found = ml.get_overall_buckets(job_id=f"{one},{two}", overall_score=50)
    assert found["count"] == 1
    overall = found["overall_buckets"][0]
    assert (overall["timestamp"], overall["bucket_span"], overall["is_interim"]) == (SPIKE, 300, False)
    assert overall["overall_score"] > 50 and [each["job_id"] for each in overall["jobs"]] == [one, two]
    assert all(each["max_anomaly_score"] > 50 for each in overall["jobs"])
    wide = ml.get_overall_buckets(job_id=f"{one},{two}", bucket_span="1h", top_n=2, overall_score=50)["overall_buckets"]
    assert len(wide) == 1 and wide[0]["bucket_span"] == 3600 and wide[0]["timestamp"] % 3_600_000 == 0
    assert ml.get_overall_buckets(job_id=one)["count"] == 199
    assert ml.get_overall_buckets(job_id=one, start=str(T0), end=str(T0 + 10 * SPAN))["count"] == 10
    assert ml.get_overall_buckets(job_id="none*") == {"count": 0, "overall_buckets": []}
    refused(400, "bucket_span", ml.get_overall_buckets, job_id=one, bucket_span="1m")
    refused(400, "[topN] parameter must be positive, found [0]", ml.get_overall_buckets, job_id=one, top_n=0)
    refused(404, "No known job with id 'none'", ml.get_overall_buckets, job_id="none")
    drop(one, two)


def results_are_documents():
    job_id = _anomalous_job()
    for kind, count in (("bucket", 199), ("record", 1), ("influencer", 1)):
        assert es.count(index=".ml-anomalies-*", query=_of(job_id, kind))["count"] == count, kind
    assert es.count(index=".ml-anomalies-shared", query=_of(job_id, "model_size_stats"))["count"] >= 1
    by_host = {"bool": {"filter": [_of(job_id, "record"), {"term": {"host": "b"}}]}}
    assert es.count(index=".ml-anomalies-*", query=by_host)["count"] == 1
    sort = [{"anomaly_score": "desc"}]
    top = es.search(index=".ml-anomalies-*", query=_of(job_id, "bucket"), sort=sort, size=1)["hits"]["hits"][0]
    assert top["_source"]["timestamp"] == SPIKE and top["_id"] == f"{job_id}_bucket_{SPIKE}_300"
    own = {"term": {"job_id": job_id}}
    assert es.count(index=".ml-config", query=own)["count"] >= 1 and es.count(index=".ml-state*")["count"] >= 1
    told = es.search(index=".ml-notifications*", query=own, size=100)["hits"]["hits"]
    assert {"Job created", "Job is closing"} <= {hit["_source"]["message"] for hit in told}
    drop(job_id)
    assert es.count(index=".ml-anomalies-*", query=own)["count"] == 0
    custom = _anomalous_job(results_index_name="tour")
    assert ml.get_jobs(job_id=custom)["jobs"][0]["results_index_name"] == "custom-tour"
    assert es.count(index=".ml-anomalies-custom-tour", query=_of(custom, "bucket"))["count"] == 199
    drop(custom)


def a_flush_finishes_buckets_and_shows_the_open_one():
    job_id = job(opened=True)
    post(job_id, 3)
    assert ml.flush_job(job_id=job_id) == {"flushed": True, "last_finalized_bucket_end": T0 + 2 * SPAN}
    assert ml.flush_job(job_id=job_id, calc_interim=True)["flushed"] is True
    interim = ml.get_buckets(job_id=job_id)["buckets"][-1]
    assert interim["is_interim"] is True and interim["timestamp"] == T0 + 2 * SPAN
    assert ml.get_buckets(job_id=job_id, exclude_interim=True)["count"] == 2
    advanced = ml.flush_job(job_id=job_id, advance_time=str(T0 + 5 * SPAN))
    assert advanced["last_finalized_bucket_end"] == T0 + 5 * SPAN
    assert ml.get_buckets(job_id=job_id, exclude_interim=True)["count"] == 5
    assert ml.flush_job(job_id=job_id, skip_time=str(T0 + 20 * SPAN))["flushed"] is True
    post(job_id, 2, start=20)
    ml.close_job(job_id=job_id)
    assert ml.get_buckets(job_id=job_id)["count"] == 6
    refused(409, "is not open", ml.flush_job, job_id=job_id)
    drop(job_id)


def a_close_in_the_middle_of_a_bucket_loses_nothing():
    total = {"function": "sum", "field_name": "value"}
    whole, parted = job(opened=True, detectors=[total]), job(opened=True, detectors=[total])
    data = list(records(60, per_bucket=4))
    ml.post_data(job_id=whole, data=data)
    for begin in range(0, len(data), 50):
        ml.post_data(job_id=parted, data=data[begin : begin + 50])
        ml.close_job(job_id=parted)
        ml.open_job(job_id=parted)
    for job_id in (whole, parted):
        told = counts(job_id)
        assert told["processed_record_count"] == 240 and told["bucket_count"] == 59, told
        events = [bucket["event_count"] for bucket in ml.get_buckets(job_id=job_id, size=1000)["buckets"]]
        assert events == [4] * 59, events
    drop(whole, parted)


def forecasts_are_made_and_deleted():
    job_id = job(opened=True, detectors=[MEAN])
    post(job_id, 200)
    forecast = ml.forecast(job_id=job_id, duration="1h", expires_in="1d")["forecast_id"]
    until(lambda: stats(job_id)["forecasts_stats"].get("status") == {"finished": 1})
    query = {"bool": {"filter": [_of(job_id, "model_forecast"), {"term": {"forecast_id": forecast}}]}}
    assert es.count(index=".ml-anomalies-*", query=query)["count"] == 12
    assert ml.delete_forecast(job_id=job_id, forecast_id=forecast) == {"acknowledged": True}
    assert es.count(index=".ml-anomalies-*", query=query)["count"] == 0
    refused(
        404,
        f"No forecast(s) [{forecast}] exists for job [{job_id}]",
        ml.delete_forecast,
        job_id=job_id,
        forecast_id=forecast,
    )
    ml.close_job(job_id=job_id)
    refused(409, "is not open", ml.forecast, job_id=job_id)
    drop(job_id)
