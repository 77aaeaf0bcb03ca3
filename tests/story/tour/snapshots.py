"""Model snapshots: each close makes one, and a job goes back to any of them."""

from world import counts, drop, job, ml, post, refused, until


def _job_with_snapshots(number):
    """A closed job that was closed so often, and its snapshots, the oldest first."""
    job_id = job()
    for turn in range(number):
        ml.open_job(job_id=job_id)
        post(job_id, 30, start=turn * 30)
        ml.close_job(job_id=job_id)
    listed = ml.get_model_snapshots(job_id=job_id, sort="snapshot_id", desc=False)
    assert listed["count"] == number, listed
    return job_id, listed["model_snapshots"]


def each_close_saves_a_snapshot():
    job_id, snapshots = _job_with_snapshots(3)
    first, last = snapshots[0], snapshots[-1]
    described = {"job_id", "min_version", "timestamp", "description", "snapshot_id", "snapshot_doc_count", "retain"}
    assert described | {"model_size_stats", "latest_record_time_stamp", "latest_result_time_stamp"} <= set(first)
    assert ml.get_jobs(job_id=job_id)["jobs"][0]["model_snapshot_id"] == last["snapshot_id"]
    assert ml.get_model_snapshots(job_id=job_id, snapshot_id=first["snapshot_id"])["model_snapshots"] == [first]
    newest = ml.get_model_snapshots(job_id=job_id, page={"from": 0, "size": 1}, sort="snapshot_id", desc=True)
    assert newest["model_snapshots"] == [last] and newest["count"] == 3
    assert ml.get_model_snapshots(job_id=job_id, start=str(last["timestamp"]))["count"] >= 1
    assert ml.get_model_snapshots(job_id=job_id, end=str(first["timestamp"]))["count"] == 0
    drop(job_id)


def snapshots_are_changed_deleted_and_never_out_of_date():
    job_id, (first, last) = _job_with_snapshots(2)
    one, active = first["snapshot_id"], last["snapshot_id"]
    changed = ml.update_model_snapshot(job_id=job_id, snapshot_id=one, description="mine", retain=True)
    assert changed["acknowledged"] is True and changed["model"] == {**first, "description": "mine", "retain": True}
    unknown = f"No model snapshot with id [none] exists for job [{job_id}]"
    refused(404, unknown, ml.update_model_snapshot, job_id=job_id, snapshot_id="none", description="x")
    for call in (ml.revert_model_snapshot, ml.delete_model_snapshot):
        refused(404, unknown, call, job_id=job_id, snapshot_id="none")
    in_use = f"Model snapshot '{active}' is the active snapshot for job '{job_id}', so cannot be deleted"
    refused(400, in_use, ml.delete_model_snapshot, job_id=job_id, snapshot_id=active)
    refused(409, "already compatible with current version", ml.upgrade_job_snapshot, job_id=job_id, snapshot_id=one)
    upgrades = ml.get_model_snapshot_upgrade_stats(job_id=job_id, snapshot_id="_all")
    assert upgrades == {"count": 0, "model_snapshot_upgrades": []}
    assert ml.delete_model_snapshot(job_id=job_id, snapshot_id=one) == {"acknowledged": True}
    drop(job_id)


def a_reverted_job_forgets_and_learns_again():
    job_id, snapshots = _job_with_snapshots(3)
    first = snapshots[0]["snapshot_id"]

    def settled():
        return until(lambda: (shown := ml.get_jobs(job_id=job_id)["jobs"][0]) and "blocked" not in shown and shown)

    ml.open_job(job_id=job_id)
    open_job = "Can only revert to a model snapshot when the job is closed."
    refused(409, open_job, ml.revert_model_snapshot, job_id=job_id, snapshot_id=first)
    ml.close_job(job_id=job_id)
    assert ml.get_buckets(job_id=job_id)["count"] == 89
    reverted = ml.revert_model_snapshot(job_id=job_id, snapshot_id=first, delete_intervening_results=True)
    assert reverted["model"]["snapshot_id"] == first and settled()["model_snapshot_id"] == first
    assert ml.get_buckets(job_id=job_id)["count"] == 29
    assert counts(job_id)["latest_record_timestamp"] == snapshots[0]["latest_record_time_stamp"]
    ml.open_job(job_id=job_id)
    post(job_id, 60, start=30)
    ml.close_job(job_id=job_id)
    events = [bucket["event_count"] for bucket in ml.get_buckets(job_id=job_id, size=1000)["buckets"]]
    assert events == [2] * 89, events
    empty = ml.revert_model_snapshot(job_id=job_id, snapshot_id="empty")
    assert empty["model"]["snapshot_id"] == "empty" and settled()
    drop(job_id)
