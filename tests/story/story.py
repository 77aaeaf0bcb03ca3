"""The story with the official client. Expects URL, CA and the passwords ELASTIC, ML_ADMIN, ML_USER, READER."""

import os
import time

import elasticsearch
from elasticsearch import ApiError, Elasticsearch, helpers

UPGRADING = "persistent task cannot be assigned while upgrade mode is enabled."


def client(user):
    return Elasticsearch(
        os.environ["URL"],
        ca_certs=os.environ["CA"],
        basic_auth=(user, os.environ[user.upper()]),
        max_retries=0,
        request_timeout=90,
    )


def refused(status, text, call, **arguments):
    try:
        call(**arguments)
    except ApiError as error:
        assert error.status_code == status, (error.status_code, str(error))
        assert text in str(error), str(error)
        return
    raise AssertionError(f"{call} was not refused")


def eventually(holds, what):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"not within a minute: {what}"
        time.sleep(0.25)


def documents(first, last):
    """One document a minute, from `first` to `last` minutes before now."""
    now = int(time.time()) // 60 * 60
    for minute in range(first, last, -1):
        yield {"_index": "web", "@timestamp": (now - minute * 60) * 1000, "responsetime": 100 + minute % 7}


def fresh(count):
    """That many documents of this moment, a millisecond apart."""
    now = int(time.time() * 1000)
    for number in range(count):
        yield {"_index": "web", "@timestamp": now + number, "responsetime": 104}


elastic, admin, user, reader = (client(name) for name in ("elastic", "ml_admin", "ml_user", "reader"))


def stats():
    return user.ml.get_job_stats(job_id="web")["jobs"][0]


def processed(count):
    return lambda: stats()["data_counts"]["processed_record_count"] == count


print("python", elasticsearch.__versionstr__, "server", elastic.info()["version"]["number"])
indexed, errors = helpers.bulk(elastic, documents(300, 100), refresh=True)
assert (indexed, errors) == (200, [])
admin.ml.put_job(
    job_id="web",
    analysis_config={"bucket_span": "10m", "detectors": [{"function": "mean", "field_name": "responsetime"}]},
    data_description={"time_field": "@timestamp", "time_format": "epoch_ms"},
)
elastic.ml.put_datafeed(datafeed_id="web-feed", job_id="web", indices=["web"], query_delay="1s", frequency="1s")
refused(403, "cluster:admin/xpack/ml/job/open", reader.ml.open_job, job_id="web")
refused(403, "cluster:admin/xpack/ml/job/open", user.ml.open_job, job_id="web")
assert admin.ml.open_job(job_id="web")["opened"]
assert admin.ml.start_datafeed(datafeed_id="web-feed", start="0")["started"]
eventually(processed(200), "all documents processed")
eventually(lambda: user.ml.get_buckets(job_id="web")["count"] > 0, "buckets")
refused(403, "job/results/buckets/get", reader.ml.get_buckets, job_id="web")
refused(403, "info/get", reader.ml.info)
assert reader.search(index="web", size=1)["hits"]["total"]["value"] == 200

assert admin.ml.set_upgrade_mode(enabled=True, timeout="1m")["acknowledged"]
assert user.ml.info()["upgrade_mode"] is True
for caller in (admin, elastic):
    refused(429, "job/open action while upgrade mode is enabled", caller.ml.open_job, job_id="web")
    refused(429, "datafeed/start action while upgrade mode is enabled", caller.ml.start_datafeed, datafeed_id="web-feed")
refused(403, "job/open", reader.ml.open_job, job_id="web")
assert (stats()["state"], stats()["assignment_explanation"]) == ("opened", UPGRADING)
assert "node" not in stats()
helpers.bulk(elastic, fresh(50), refresh=True)
assert admin.ml.set_upgrade_mode(enabled=False, timeout="1m")["acknowledged"]
eventually(processed(250), "the documents of the upgrade processed")
assert stats()["data_counts"]["out_of_order_timestamp_count"] == 0

# The legacy forms; the client has no names for them any more.
headers = {"accept": "application/json"}
assert admin.perform_request("POST", "/_xpack/ml/datafeeds/_all/_stop", headers=headers)["stopped"]
assert admin.perform_request("POST", "/_xpack/ml/anomaly_detectors/_all/_close", headers=headers)["closed"]
assert stats()["state"] == "closed"
assert user.ml.get_datafeed_stats(datafeed_id="web-feed")["datafeeds"][0]["state"] == "stopped"
assert admin.ml.open_job(job_id="web")["opened"]
assert admin.ml.close_job(job_id="web")["closed"]
print("python", elasticsearch.__versionstr__, ": the story holds")
