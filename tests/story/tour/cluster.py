"""What stands around machine learning: the cluster, tasks, compact tables, common parameters, security."""

import json

from world import answer, drop, es, fed_job, filled, job, ml, name, plain, post, records, refused


def the_cluster_tells_about_itself():
    assert es.info()["tagline"] == "You Know, for Search" and es.ping()
    assert es.cluster.health()["status"] in ("green", "yellow")
    license = es.license.get()["license"]
    assert license["status"] == "active" and license["uid"] and license["type"]
    assert es.license.get_trial_status().body and es.license.get_basic_status().body
    assert es.xpack.info()["features"]["ml"] == {"available": True, "enabled": True}
    nodes = es.nodes.info()
    assert nodes["_nodes"] == {"total": 1, "successful": 1, "failed": 0}
    (node,) = nodes["nodes"].values()
    assert {"name", "transport_address", "host", "ip", "version", "build_hash"} <= set(node) and "ml" in node["roles"]
    info = ml.info()
    assert info["defaults"]["anomaly_detectors"]["model_memory_limit"] == "1gb" and info["upgrade_mode"] is False
    assert (
        info["defaults"]["datafeeds"]["scroll_size"] == 1000
        and info["native_code"]["version"]
        and "limits" in info.body
    )


def apis_that_are_not_there_are_refused_by_name():
    for method, path in (("GET", "/_ml/nonsense"), ("GET", "/_nodes/stats"), ("GET", "/_data_stream/x/_nonsense")):
        told = answer(method, path)
        assert told == (400, {"error": f"no handler found for uri [{path}] and method [{method}]"}), told
    status, headers, text = plain("POST", "/_ml/info", {})
    wrong = "Incorrect HTTP method for uri [/_ml/info] and method [POST], allowed: [GET]"
    assert status == 405 and json.loads(text) == {"error": wrong, "status": 405} and headers["Allow"] == "GET"


def tasks_show_what_runs():
    job_id = job(opened=True)
    found = es.tasks.list(actions="xpack/ml/job*", detailed=True)["nodes"]
    tasks = [
        task for node in found.values() for task in node["tasks"].values() if task["description"] == f"job-{job_id}"
    ]
    assert len(tasks) == 1, found
    (task,) = tasks
    assert (task["action"], task["type"], task["cancellable"]) == ("xpack/ml/job[c]", "persistent", True), task
    assert task["running_time_in_nanos"] > 0 and isinstance(task["start_time_in_millis"], int)
    got = es.tasks.get(task_id=f"{task['node']}:{task['id']}")
    assert got["completed"] is False and got["task"]["action"] == "xpack/ml/job[c]"
    refused(404, "isn't running and hasn't stored its results", es.tasks.get, task_id=f"{task['node']}:99999999")
    assert "xpack/ml/job[c]" in str(es.cat.tasks())
    drop(job_id)


def compact_tables_of_jobs_and_datafeeds():
    job_id, feed = fed_job("none", opened=True)
    post(job_id, 5)
    (row,) = es.cat.ml_jobs(job_id=job_id, format="json").body
    shown = {"data.processed_records": "10", "buckets.count": "4", "model.memory_status": "ok", "forecasts.total": "0"}
    assert row == {"id": job_id, "state": "opened", "model.bytes": row["model.bytes"], **shown}, row
    (row,) = es.cat.ml_datafeeds(datafeed_id=feed, format="json").body
    assert row == {"id": feed, "state": "stopped", "buckets.count": "0", "search.count": "0"}, row
    (row,) = es.cat.ml_jobs(job_id=job_id, format="json", h="*").body
    assert len(row) == 60 and "node.ephemeral_id" in row and "buckets.time.exp_avg_hour" in row, row
    lines = str(es.cat.ml_jobs(job_id=job_id, v=True, h="id,s,mb", bytes="b")).splitlines()
    assert lines[0].split() == ["id", "s", "mb"] and lines[1].split()[:2] == [job_id, "opened"], lines
    assert lines[1].split()[2].isdigit()
    help_lines = str(es.cat.ml_jobs(help=True)).splitlines()
    assert [part.strip() for part in help_lines[1].split("|")] == ["state", "s", "the job state"], help_lines[1]
    second = job()
    order = es.cat.ml_jobs(job_id=f"{job_id},{second}", format="json", s="id:desc", h="id").body
    assert [row["id"] for row in order] == sorted([job_id, second], reverse=True)
    assert str(es.cat.ml_jobs(job_id="none*")) == ""
    refused(400, "Unable to sort by unknown sort key `nonsense`", es.cat.ml_jobs, job_id=job_id, s="nonsense")
    refused(404, "No known job with id 'none'", es.cat.ml_jobs, job_id="none")
    refused(404, "No datafeed with id [none] exists", es.cat.ml_datafeeds, datafeed_id="none")
    drop(job_id, second)


def compact_tables_of_indices():
    index = filled(records(3))
    (row,) = es.cat.indices(index=index, format="json").body
    assert (row["index"], row["docs.count"], row["status"]) == (index, "6", "open"), row
    assert {"health", "uuid", "pri", "rep", "docs.deleted", "store.size", "pri.store.size"} <= set(row), row
    assert index in str(es.cat.indices(v=True, h="index,docs.count", s="index", bytes="b"))
    es.indices.delete(index=index)


def every_request_takes_the_common_parameters():
    job_id = job()
    assert ml.get_jobs(job_id=job_id, filter_path="jobs.job_id") == {"jobs": [{"job_id": job_id}]}
    assert "analysis_config" not in ml.get_jobs(job_id=job_id, filter_path="-jobs.analysis_config")["jobs"][0]
    spans = ml.get_jobs(job_id=job_id, filter_path="**.bucket_span")
    assert spans == {"jobs": [{"analysis_config": {"bucket_span": "5m"}}]}
    assert "\n  " in plain("GET", f"/_ml/anomaly_detectors/{job_id}?pretty")[2]
    human = ml.get_jobs(job_id=job_id, human=True)["jobs"][0]
    assert human["create_time_string"].endswith("Z") and isinstance(human["create_time"], int)
    status, told = answer("GET", "/_ml/anomaly_detectors/none?error_trace=true")
    assert status == 404 and "stack_trace" in told["error"]
    status, _, text = plain("GET", "/_ml/info?format=yaml")
    assert status == 200 and text.startswith("---\n") and "upgrade_mode: false" in text
    status, headers, _ = plain("GET", "/_ml/info", X_Opaque_Id="tour")
    assert status == 200 and headers["X-elastic-product"] == "Elasticsearch" and headers["X-Opaque-Id"] == "tour"
    drop(job_id)


def what_a_request_cannot_have_is_refused():
    for path, reason in (
        ("/_ml/info?nonsense=1", "request [/_ml/info] contains unrecognized parameter: [nonsense]"),
        ("/_ml/info?b=1&a=1", "request [/_ml/info] contains unrecognized parameters: [a], [b]"),
        (
            "/_ml/datafeeds?exclude_generate=1",
            "unrecognized parameter: [exclude_generate] -> did you mean [exclude_generated]?",
        ),
    ):
        status, told = answer("GET", path)
        assert (status, told["error"]["type"]) == (400, "illegal_argument_exception") and reason in told["error"][
            "reason"
        ], told
    status, _, text = plain("PUT", f"/_ml/anomaly_detectors/{name()}", "{}", Content_Type="text/plain")
    assert status == 406 and json.loads(text)["error"] == "Content-Type header [text/plain] is not supported"


def callers_learn_what_they_may():
    who = es.security.authenticate()
    assert who["enabled"] and who["username"] and isinstance(who["roles"], list)
    asked = es.security.has_privileges(cluster=["manage_ml"], index=[{"names": ["x"], "privileges": ["read"]}])
    assert asked["has_all_requested"] and asked["index"]["x"]["read"] and asked["cluster"]["manage_ml"]
