"""Upgrade mode: what stands still, what is refused, and that it goes on."""

from world import COUNT, answer, counts, drop, fed_job, feed_stats, filled, ml, name, records, refused, stats, until

AWAITING = "persistent task cannot be assigned while upgrade mode is enabled."


def upgrade_mode_stops_and_refuses_until_it_is_off():
    index = filled(records(30))
    job_id, feed = fed_job(index, opened=True)
    ml.start_datafeed(datafeed_id=feed, start="0")
    until(lambda: counts(job_id)["processed_record_count"] == 60)
    try:
        for _ in range(2):  # The second time there is nothing to do.
            assert ml.set_upgrade_mode(enabled=True, timeout="30s") == {"acknowledged": True}
        assert ml.info()["upgrade_mode"] is True
        for shown, kept in ((stats(job_id), "opened"), (feed_stats(feed), "started")):
            assert (shown["state"], shown["assignment_explanation"]) == (kept, AWAITING) and "node" not in shown, shown
        _what_changes_is_refused(job_id, feed)
        refused(409, "cannot reset job while indices are being upgraded", ml.reset_job, job_id=job_id)
        assert ml.validate_detector(detector=COUNT) == {"acknowledged": True}
    finally:
        assert ml.set_upgrade_mode(enabled=False) == {"acknowledged": True}
    assert ml.info()["upgrade_mode"] is False and stats(job_id)["node"]["id"] and feed_stats(feed)["node"]["id"]
    ml.close_job(job_id=job_id)
    assert counts(job_id)["processed_record_count"] == 60
    drop(job_id)


def _what_changes_is_refused(job_id, feed):
    for action, call, arguments in (
        ("job/open", ml.open_job, {"job_id": "none"}),
        ("job/close", ml.close_job, {"job_id": job_id}),
        ("job/delete", ml.delete_job, {"job_id": job_id}),
        ("job/flush", ml.flush_job, {"job_id": job_id}),
        ("job/data/post", ml.post_data, {"job_id": job_id, "data": [{"time": 1}]}),
        ("job/put", ml.put_job, {"job_id": name(), "analysis_config": {"detectors": [COUNT]}, "data_description": {}}),
        ("datafeed/start", ml.start_datafeed, {"datafeed_id": feed}),
        ("datafeed/stop", ml.stop_datafeed, {"datafeed_id": feed}),
        ("filters/put", ml.put_filter, {"filter_id": "x", "items": []}),
        ("calendars/put", ml.put_calendar, {"calendar_id": "x"}),
        ("delete_expired_data", ml.delete_expired_data, {}),
    ):
        refused(
            429,
            f"Cannot perform cluster:admin/xpack/ml/{action} action while upgrade mode is enabled",
            call,
            **arguments,
        )


def the_switch_is_read_strictly():
    assert answer("POST", "/_ml/set_upgrade_mode") == (200, {"acknowledged": True})
    for request, body, text in (
        ("?enabled=x", None, "Failed to parse value [x] as only [true] or [false] are allowed."),
        ("?enabled=false&nonsense=1", None, "unrecognized parameter: [nonsense]"),
        ("", {"enabled": True}, "request [POST /_ml/set_upgrade_mode] does not support having a body"),
    ):
        status, told = answer("POST", f"/_ml/set_upgrade_mode{request}", body)
        assert status == 400 and text in told["error"]["reason"], told
