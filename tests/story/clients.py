"""Every API of the embedded node through the official client: what it answers has the shape that the client expects.

Expects URL; CA and ELASTIC where the server asks for credentials.
"""

import os
import time

import elasticsearch
from elasticsearch import ApiError, Elasticsearch, helpers

options = {"max_retries": 0, "request_timeout": 60}
if "CA" in os.environ:
    options |= {"ca_certs": os.environ["CA"], "basic_auth": ("elastic", os.environ["ELASTIC"])}
es = Elasticsearch(os.environ["URL"], **options)
START = 1767225600000


def refused(status, text, call, **arguments):
    try:
        call(**arguments)
    except ApiError as error:
        assert error.status_code == status and text in str(error), (error.status_code, str(error))
        return
    raise AssertionError(f"{call} was not refused")


def documents():
    assert es.info()["tagline"] == "You Know, for Search" and es.ping()
    assert es.cluster.health()["status"] in ("green", "yellow")
    es.indices.create(index="cl", mappings={"properties": {"time": {"type": "date"}, "host": {"type": "keyword"}}})
    assert es.indices.exists(index="cl") and not es.indices.exists(index="none")
    refused(400, "resource_already_exists_exception", es.indices.create, index="cl")
    assert es.index(index="cl", id="1", document={"time": START, "host": "a", "value": 1})["result"] == "created"
    assert es.index(index="cl", id="1", document={"time": START, "host": "a", "value": 2})["result"] == "updated"
    assert es.create(index="cl", id="2", document={"time": START, "host": "b", "value": 2})["_version"] == 1
    refused(409, "version_conflict", es.create, index="cl", id="2", document={})
    assert es.get(index="cl", id="1")["_source"]["value"] == 2 and es.exists(index="cl", id="1")
    refused(404, "", es.get, index="cl", id="none")
    assert es.delete(index="cl", id="2")["result"] == "deleted"
    lines = ({"_index": "cl", "_id": f"b{n}", "time": START + n * 1000, "host": "ab"[n % 2], "value": n} for n in range(600))
    assert helpers.bulk(es, lines, refresh=True) == (600, [])
    assert all(done for done, _ in helpers.streaming_bulk(es, [{"_op_type": "delete", "_index": "cl", "_id": "1"}]))
    assert all(done for done, _ in helpers.parallel_bulk(es, [{"_index": "cl2", "n": 1}]))
    es.indices.refresh(index="cl")
    total = lambda query: es.search(index="cl", query=query, size=0)["hits"]["total"]["value"]
    assert total({"match_all": {}}) == 600 == es.count(index="cl")["count"]
    assert total({"term": {"host": "a"}}) == total({"term": {"host": {"value": "a"}}}) == 300
    assert total({"range": {"time": {"gte": START, "lt": START + 10000}}}) == 10
    both = {"filter": [{"term": {"host": "a"}}], "must_not": [{"range": {"value": {"gte": 10}}}]}
    assert total({"bool": both}) == 5 == es.count(index="cl", query={"bool": both})["count"]
    hits = es.search(index="cl", sort=[{"time": "desc"}], size=2, source=["value"])["hits"]["hits"]
    assert [hit["_source"] for hit in hits] == [{"value": 599}, {"value": 598}]
    try:
        list(helpers.scan(es, index="cl"))
    except ApiError as error:
        assert error.status_code == 400 and "scroll" in str(error), str(error)
    else:
        raise AssertionError("scroll was not refused")
    es.indices.delete(index="cl2")
    refused(404, "no such index [cl2]", es.indices.delete, index="cl2")


def jobs():
    assert es.ml.info()["upgrade_mode"] is False
    analysis = {"bucket_span": "1m", "detectors": [{"function": "max", "field_name": "value"}]}
    description = {"time_field": "time", "time_format": "epoch_ms"}
    for job in ("cl-fed", "cl-posted"):
        assert es.ml.put_job(job_id=job, analysis_config=analysis, data_description=description)["job_id"] == job
    assert es.ml.get_jobs(job_id="cl-*")["count"] == 2 == es.ml.get_job_stats(job_id="cl-*")["count"]
    assert es.ml.update_job(job_id="cl-fed", description="d")["description"] == "d"
    assert es.ml.open_job(job_id="cl-posted")["opened"]
    records = [{"time": START + n * 1000, "value": n % 7} for n in range(300)]
    assert es.ml.post_data(job_id="cl-posted", data=records)["processed_record_count"] == 300
    assert es.ml.flush_job(job_id="cl-posted", calc_interim=True)["flushed"]
    assert es.ml.close_job(job_id="cl-posted")["closed"]
    assert es.ml.get_model_snapshots(job_id="cl-posted")["count"] == 1
    assert es.ml.put_datafeed(datafeed_id="cl-feed", job_id="cl-fed", indices=["cl"])["datafeed_id"] == "cl-feed"
    assert es.ml.update_datafeed(datafeed_id="cl-feed", scroll_size=50)["scroll_size"] == 50
    assert len(es.ml.preview_datafeed(datafeed_id="cl-feed").body) == 50
    assert es.ml.get_datafeeds(datafeed_id="cl-feed")["count"] == 1
    es.ml.open_job(job_id="cl-fed")
    assert es.ml.start_datafeed(datafeed_id="cl-feed", start=str(START), end=str(START + 600000))["started"]
    deadline = time.monotonic() + 60
    while es.ml.get_job_stats(job_id="cl-fed")["jobs"][0]["state"] != "closed":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert es.ml.get_datafeed_stats(datafeed_id="cl-feed")["datafeeds"][0]["state"] == "stopped"
    assert es.ml.get_buckets(job_id="cl-fed")["count"] >= 9
    assert es.ml.get_buckets(job_id="cl-fed", timestamp=str(START))["buckets"][0]["event_count"] == 60
    assert isinstance(es.ml.get_records(job_id="cl-fed")["records"], list)
    assert isinstance(es.ml.get_influencers(job_id="cl-fed")["influencers"], list)
    es.ml.open_job(job_id="cl-posted")
    assert es.tasks.list(actions="xpack/ml/job*", detailed=True)["nodes"]
    cat()
    refused(409, "Cannot delete job [cl-posted] because the job is opened", es.ml.delete_job, job_id="cl-posted")
    assert es.ml.delete_job(job_id="cl-posted", force=True)["acknowledged"]
    assert es.ml.stop_datafeed(datafeed_id="_all")["stopped"]
    assert es.ml.delete_datafeed(datafeed_id="cl-feed")["acknowledged"]
    assert es.ml.delete_job(job_id="cl-fed")["acknowledged"]
    refused(404, "No known job with id 'cl-fed'", es.ml.get_jobs, job_id="cl-fed")
    for enabled in (True, False):
        assert es.ml.set_upgrade_mode(enabled=enabled, timeout="30s")["acknowledged"]
    es.indices.delete(index="cl")


def cat():
    rows = es.cat.ml_jobs(job_id="cl-*", format="json", h="id,state", s="id").body
    assert rows == [{"id": "cl-fed", "state": "closed"}, {"id": "cl-posted", "state": "opened"}], rows
    text = str(es.cat.ml_jobs(job_id="cl-*", v=True, h="id,state", s="id:desc"))
    assert [line.split() for line in text.splitlines()] == [["id", "state"], ["cl-posted", "opened"], ["cl-fed", "closed"]], text
    assert "cl-feed" in str(es.cat.ml_datafeeds()) and "xpack/ml/job" in str(es.cat.tasks())


def security():
    who = es.security.authenticate()
    assert who["enabled"] and who["username"] and isinstance(who["roles"], list)
    asked = es.security.has_privileges(cluster=["manage_ml"], index=[{"names": ["cl"], "privileges": ["read"]}])
    assert asked["has_all_requested"] and asked["index"]["cl"]["read"] and asked["cluster"]["manage_ml"]


documents()
jobs()
security()
print("python", elasticsearch.__versionstr__, ": every API answers as the client expects")
