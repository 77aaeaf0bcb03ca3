"""Datafeeds: configurations, previews, looking back, real time."""

import time

from world import (
    COUNT,
    DESCRIPTION,
    MEAN,
    SPAN,
    T0,
    add,
    counts,
    drop,
    fed_job,
    feed_stats,
    filled,
    job,
    ml,
    name,
    records,
    refused,
    state,
    until,
)


def a_datafeed_is_shown_as_it_was_made_with_elasticsearchs_defaults():
    job_id = job()
    feed = f"{job_id}-feed"
    made = ml.put_datafeed(datafeed_id=feed, job_id=job_id, indices=["none"])
    assert (made["datafeed_id"], made["job_id"], made["indices"], made["scroll_size"]) == (feed, job_id, ["none"], 1000)
    assert list(made["query"]) == ["match_all"] and 60_000 <= int(made["query_delay"].removesuffix("ms")) <= 120_000
    assert made["chunking_config"] == {"mode": "auto"} and made["delayed_data_check_config"] == {"enabled": True}
    options = {
        "expand_wildcards": ["open"],
        "ignore_unavailable": False,
        "allow_no_indices": True,
        "ignore_throttled": True,
    }
    assert made["indices_options"] == options
    assert ml.get_datafeeds(datafeed_id=feed)["datafeeds"] == [made.body]
    assert ml.get_jobs(job_id=job_id)["jobs"][0]["datafeed_config"] == made.body
    assert ml.get_datafeeds(datafeed_id="none*") == {"count": 0, "datafeeds": []}
    taken = f"A datafeed with id [{feed}] already exists"
    refused(400, taken, ml.put_datafeed, datafeed_id=feed, job_id=job_id, indices=["none"])
    second = f"A datafeed [{feed}] already exists for job [{job_id}]"
    refused(409, second, ml.put_datafeed, datafeed_id=name("feed"), job_id=job_id, indices=["none"])
    refused(
        404, "No known job with id 'none'", ml.put_datafeed, datafeed_id=name("feed"), job_id="none", indices=["none"]
    )
    refused(400, "Invalid datafeed_id; 'No' can", ml.put_datafeed, datafeed_id="No", job_id=job_id, indices=["none"])
    assert ml.delete_datafeed(datafeed_id=feed) == {"acknowledged": True}
    for call in (ml.get_datafeeds, ml.delete_datafeed, ml.preview_datafeed, ml.stop_datafeed, ml.start_datafeed):
        refused(404, f"No datafeed with id [{feed}] exists", call, datafeed_id=feed)
    for call in (ml.get_datafeeds, ml.stop_datafeed):
        refused(404, "No datafeed with id [none*] exists", call, datafeed_id="none*", allow_no_match=False)
    assert "datafeed_config" not in ml.get_jobs(job_id=job_id)["jobs"][0]
    drop(job_id)


def datafeeds_are_changed():
    job_id, feed = fed_job("none")
    new = {
        "query": {"term": {"host": {"value": "a"}}},
        "scroll_size": 10,
        "frequency": "2m",
        "query_delay": "1s",
        "max_empty_searches": 3,
        "delayed_data_check_config": {"enabled": False},
        "chunking_config": {"mode": "manual", "time_span": "1h"},
    }
    changed = ml.update_datafeed(datafeed_id=feed, **new)
    assert {key: changed[key] for key in new} == new, changed
    lenient = ml.update_datafeed(datafeed_id=feed, ignore_unavailable=True, expand_wildcards="open,hidden")[
        "indices_options"
    ]
    assert lenient["ignore_unavailable"] is True and lenient["expand_wildcards"] == ["open", "hidden"], lenient
    for unsupported in (
        {"aggregations": {"a": {"avg": {"field": "x"}}}},
        {"runtime_mappings": {"x": {"type": "long"}}},
        {"script_fields": {"x": {"script": {"source": "1"}}}},
    ):
        refused(400, next(iter(unsupported)), ml.update_datafeed, datafeed_id=feed, **unsupported)
    refused(400, "scroll_size", ml.update_datafeed, datafeed_id=feed, scroll_size=-1)
    refused(400, "[fuzzy] query is not supported", ml.update_datafeed, datafeed_id=feed, query={"fuzzy": {"host": "a"}})
    refused(404, "No datafeed with id [none] exists", ml.update_datafeed, datafeed_id="none", scroll_size=1)
    drop(job_id)


def a_datafeed_may_stand_in_its_job():
    job_id = job(datafeed_config={"indices": ["none"], "datafeed_id": "tour-inner"})
    assert ml.get_jobs(job_id=job_id)["jobs"][0]["datafeed_config"]["datafeed_id"] == "tour-inner"
    assert ml.get_datafeeds(datafeed_id="tour-inner")["count"] == 1
    drop(job_id)
    assert ml.get_datafeeds(datafeed_id="tour-inner*")["count"] == 0


def a_preview_shows_what_the_job_would_see():
    index = filled(records(3, more=lambda bucket, turn: {"host": "ab"[turn], "other": 1}))
    job_id, feed = fed_job(index, detectors=[{**MEAN, "partition_field_name": "host"}])
    rows = ml.preview_datafeed(datafeed_id=feed).body
    assert len(rows) == 6 and rows[0] == {"time": T0, "value": 10.0, "host": "a"}, rows
    assert len(ml.preview_datafeed(datafeed_id=feed, start=str(T0 + SPAN), end=str(T0 + 2 * SPAN)).body) == 2
    rows = ml.preview_datafeed(
        datafeed_config={"indices": [index], "query": {"term": {"host": "a"}}},
        job_config={"analysis_config": {"bucket_span": "5m", "detectors": [COUNT]}, "data_description": DESCRIPTION},
    )
    assert rows.body == [{"time": T0 + at * SPAN} for at in range(3)], rows
    drop(job_id)


def a_datafeed_needs_indices_with_the_fields_of_its_job():
    index = filled(records(3))
    for indices, field, status, text in (
        (index, "absent", 400, "cannot retrieve field [absent] because it has no mappings"),
        ("never-*", "value", 400, "cannot retrieve data because no index matches datafeed's indices [never-*]"),
        ("never-there", "value", 404, "cannot retrieve data because index [never-there] does not exist"),
    ):
        job_id, feed = fed_job(indices, detectors=[{"function": "mean", "field_name": field}], opened=True)
        refused(status, text, ml.preview_datafeed, datafeed_id=feed)
        refused(status, text, ml.start_datafeed, datafeed_id=feed, start="0")
        drop(job_id)


def a_datafeed_looks_back_and_closes_its_job():
    index = filled(records(50, more=lambda bucket, turn: {"host": "ab"[turn]}))
    job_id, feed = fed_job(index, {"query": {"term": {"host": "a"}}, "scroll_size": 7})
    closed = f"cannot start datafeed [{feed}] because job [{job_id}] is closed"
    refused(409, closed, ml.start_datafeed, datafeed_id=feed, start="0")
    ml.open_job(job_id=job_id)
    backwards = {"start": "2023-01-02T00:00:00Z", "end": "2023-01-01T00:00:00Z"}
    refused(400, "must be earlier than end", ml.start_datafeed, datafeed_id=feed, **backwards)
    started = ml.start_datafeed(datafeed_id=feed, start=str(T0), end=str(T0 + 50 * SPAN))
    assert started["started"] is True and isinstance(started["node"], str)
    until(lambda: state(job_id) == "closed" and feed_stats(feed)["state"] == "stopped")
    told = counts(job_id)
    assert told["processed_record_count"] == 50 and told["bucket_count"] == 49, told
    events = [bucket["event_count"] for bucket in ml.get_buckets(job_id=job_id, size=100)["buckets"]]
    assert events == [1] * 49, events
    shown = feed_stats(feed)
    assert "running_state" not in shown and shown["timing_stats"]["job_id"] == job_id
    assert shown["timing_stats"]["search_count"] > 0 and shown["timing_stats"]["bucket_count"] == 49, shown
    drop(job_id)


def buckets_of_posted_records_are_not_the_datafeeds():
    job_id, feed = fed_job("none", opened=True)
    ml.post_data(job_id=job_id, data=list(records(5)))
    assert feed_stats(feed)["timing_stats"]["bucket_count"] == 0
    drop(job_id)


def _until_read(job_id, number):
    until(lambda: counts(job_id)["processed_record_count"] == number)


def a_stopped_datafeed_goes_on_where_it_was():
    first = int(time.time()) * 1000 - 60_000
    index = filled({"time": first + turn * 500, "value": 1.0} for turn in range(100))
    job_id, feed = fed_job(index, {"query_delay": "1s", "frequency": "1s"}, span="2s", opened=True)
    ml.start_datafeed(datafeed_id=feed, start=str(first))
    again = f"cannot start datafeed [{feed}] because it has already been started"
    refused(409, again, ml.start_datafeed, datafeed_id=feed)
    refused(409, f"Cannot delete datafeed [{feed}] while its status is started", ml.delete_datafeed, datafeed_id=feed)
    busy = f"Cannot update datafeed [{feed}] while its status is started"
    refused(409, busy, ml.update_datafeed, datafeed_id=feed, scroll_size=5)
    until(lambda: feed_stats(feed)["running_state"]["real_time_running"])
    shown = feed_stats(feed)
    assert shown["state"] == "started" and shown["node"]["id"] and shown["assignment_explanation"] == ""
    assert shown["running_state"]["real_time_configured"] is True
    sent = 100
    for _ in range(2):
        _until_read(job_id, sent)
        assert ml.stop_datafeed(datafeed_id=feed) == {"stopped": True}
        assert feed_stats(feed)["state"] == "stopped" and state(job_id) == "opened"
        add(index, [{"time": int(time.time() * 1000) + turn, "value": 1.0} for turn in range(10)])
        sent += 10
        ml.start_datafeed(datafeed_id=feed)
    _until_read(job_id, sent)
    assert ml.close_job(job_id=job_id) == {"closed": True} and feed_stats(feed)["state"] == "stopped"
    assert counts(job_id)["out_of_order_timestamp_count"] == 0
    assert ml.stop_datafeed(datafeed_id=feed, force=True) == ml.stop_datafeed(datafeed_id="none*") == {"stopped": True}
    drop(job_id)
