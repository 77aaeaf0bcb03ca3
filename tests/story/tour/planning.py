"""Filters, calendars and their events."""

from world import MEAN, SPAN, T0, drop, job, ml, name, post, refused


def filters_are_kept_and_honoured():
    filter_id = name("filter")
    made = ml.put_filter(filter_id=filter_id, description="d", items=["b", "a", "b", "*.x"])
    assert made == {"filter_id": filter_id, "description": "d", "items": ["*.x", "a", "b"]}, made
    assert ml.get_filters(filter_id=filter_id) == {"count": 1, "filters": [made.body]}
    assert ml.get_filters(filter_id=filter_id[:-2] + "*")["count"] == 1 and ml.get_filters(from_=0, size=1)["filters"]
    changed = ml.update_filter(filter_id=filter_id, add_items=["c"], remove_items=["a"], description="e")
    assert changed["items"] == ["*.x", "b", "c"]
    refused(400, f"A filter with id [{filter_id}] already exists", ml.put_filter, filter_id=filter_id, items=[])
    refused(400, "Cannot remove item [zz]", ml.update_filter, filter_id=filter_id, remove_items=["zz"])
    refused(400, "Invalid filter_id; 'No' can contain", ml.put_filter, filter_id="No", items=[])
    for call, more in ((ml.update_filter, {"description": ""}), (ml.delete_filter, {})):
        refused(404, "No filter with id [none] exists", call, filter_id="none", **more)

    rule = {"scope": {"host": {"filter_id": filter_id}}}
    detector = {"function": "max", "field_name": "value", "partition_field_name": "host", "custom_rules": [rule]}
    job_id = job(detectors=[detector], opened=True)
    shown = ml.get_jobs(job_id=job_id)["jobs"][0]["analysis_config"]["detectors"][0]["custom_rules"]
    included = {"host": {"filter_id": filter_id, "filter_type": "include"}}
    assert shown == [{"actions": ["skip_result"], "scope": included}]
    used = f"Cannot delete filter [{filter_id}] currently used by jobs [{job_id}]"
    refused(409, used, ml.delete_filter, filter_id=filter_id)

    def value(bucket, turn):
        return 500.0 if bucket == 150 else 10 + bucket % 4

    post(job_id, 200, value=value, more=lambda bucket, turn: {"host": "bd"[turn]})
    ml.close_job(job_id=job_id)
    assert {record["partition_field_value"] for record in ml.get_records(job_id=job_id)["records"]} == {"d"}
    drop(job_id)
    assert ml.delete_filter(filter_id=filter_id) == {"acknowledged": True}


def calendars_name_their_jobs():
    calendar, job_id = name("calendar"), job()
    made = ml.put_calendar(calendar_id=calendar, job_ids=[job_id], description="d")
    assert made == {"calendar_id": calendar, "job_ids": [job_id], "description": "d"}
    assert ml.get_calendars(calendar_id=calendar) == {"count": 1, "calendars": [made.body]}
    assert ml.get_calendars(page={"from": 0, "size": 1})["calendars"]
    taken = f"Cannot create calendar with id [{calendar}] as it already exists"
    refused(400, taken, ml.put_calendar, calendar_id=calendar)
    refused(404, "No calendar with id [none]", ml.get_calendars, calendar_id="none")
    assert ml.delete_calendar_job(calendar_id=calendar, job_id=job_id)["job_ids"] == []
    absent = f"Cannot remove [{job_id}] as it is not present in calendar [{calendar}]"
    refused(400, absent, ml.delete_calendar_job, calendar_id=calendar, job_id=job_id)
    assert ml.put_calendar_job(calendar_id=calendar, job_id=job_id)["job_ids"] == [job_id]
    assert ml.delete_calendar(calendar_id=calendar) == {"acknowledged": True}
    refused(404, f"No calendar with id [{calendar}]", ml.delete_calendar, calendar_id=calendar)
    drop(job_id)


def scheduled_events_hide_what_falls_into_them():
    calendar, job_id = name("calendar"), job(detectors=[MEAN])
    ml.put_calendar(calendar_id=calendar, job_ids=[job_id])
    holiday = {"description": "holiday", "start_time": T0 + 150 * SPAN, "end_time": T0 + 152 * SPAN}
    later = {"description": "later", "start_time": "2030-01-01T00:00:00Z", "end_time": "2030-01-02T00:00:00Z"}
    made = ml.post_calendar_events(calendar_id=calendar, events=[holiday, later])["events"]
    assert [event["description"] for event in made] == ["holiday", "later"] and made[1]["start_time"] == 1893456000000
    listed = ml.get_calendar_events(calendar_id=calendar)
    assert listed["count"] == 2 and all(event["calendar_id"] == calendar for event in listed["events"])
    assert ml.get_calendar_events(calendar_id="_all", job_id=job_id)["count"] == 2
    assert ml.get_calendar_events(calendar_id=calendar, start=str(T0 + 160 * SPAN))["count"] == 1
    second = ml.get_calendar_events(calendar_id=calendar, from_=1, size=1)["events"][0]
    assert ml.delete_calendar_event(calendar_id=calendar, event_id=second["event_id"]) == {"acknowledged": True}
    gone = f"No event with id [{second['event_id']}]"
    refused(404, gone, ml.delete_calendar_event, calendar_id=calendar, event_id=second["event_id"])
    refused(400, "At least 1 event is required", ml.post_calendar_events, calendar_id=calendar, events=[])
    backwards = {"description": "x", "start_time": 2000, "end_time": 1000}
    refused(400, "must come before end time", ml.post_calendar_events, calendar_id=calendar, events=[backwards])

    ml.open_job(job_id=job_id)
    post(job_id, 200, value=lambda bucket, turn: 100.0 if bucket in (150, 170) else 10 + bucket % 4)
    ml.close_job(job_id=job_id)
    found = ml.get_records(job_id=job_id, record_score=20)["records"]
    assert [record["timestamp"] for record in found] == [T0 + 170 * SPAN]
    covered = ml.get_buckets(job_id=job_id, timestamp=str(T0 + 150 * SPAN))["buckets"][0]
    assert covered["scheduled_events"] == ["holiday"] and covered["anomaly_score"] == 0.0, covered
    ml.delete_calendar(calendar_id=calendar)
    drop(job_id)
