"""The client, and what all capabilities need: names, jobs, records, refusals."""

import base64
import json
import os
import ssl
import time
import urllib.error
import urllib.request
import uuid

from elasticsearch import ApiError, Elasticsearch, helpers

URL = os.environ["URL"].rstrip("/")
SECURE = {}
if "CA" in os.environ:
    SECURE = {"ca_certs": os.environ["CA"], "basic_auth": ("elastic", os.environ["ELASTIC"])}
es = Elasticsearch(URL, request_timeout=60, max_retries=0, **SECURE)
ml = es.ml

SPAN = 300_000
T0 = 1_700_000_100_000  # A multiple of the span.
COUNT = {"function": "count"}
MEAN = {"function": "mean", "field_name": "value"}
DESCRIPTION = {"time_field": "time", "time_format": "epoch_ms"}


def name(prefix="t"):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def until(holds, seconds=30):
    """What `holds` gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)
    return value


# ---- Refusals and plain requests.


def reasons(error):
    """The reasons of an error and of its causes."""
    if not isinstance(error, dict):
        return str(error)
    return " | ".join([error.get("reason") or "", *([reasons(error["caused_by"])] if "caused_by" in error else [])])


def refused(status, text, call, *args, **kwargs):
    """The call is refused with this status, and a reason holds this text; gives the body."""
    try:
        answer = call(*args, **kwargs)
    except ApiError as problem:
        body = problem.body if isinstance(problem.body, dict) else {}
        told = reasons(body.get("error", body))
        assert problem.meta.status == status, f"{problem.meta.status} instead of {status}: {told}"
        assert text in told, f"{text!r} is not in {told!r}"
        return body
    raise AssertionError(f"not refused: {answer}")


def plain(method, path, body=None, **headers):
    """Status, headers and text of a request without the client; `body` may be text or what becomes JSON."""
    data = body if body is None or isinstance(body, str) else json.dumps(body)
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    context = None
    if SECURE:
        credentials = ":".join(SECURE["basic_auth"]).encode()
        headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
        context = ssl.create_default_context(cafile=SECURE["ca_certs"])
    request = urllib.request.Request(
        URL + path, data=data.encode() if data is not None else None, method=method, headers=headers
    )
    try:
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers, problem.read().decode()


def answer(method, path, body=None):
    """Status and JSON of a request without the client."""
    status, _, text = plain(method, path, body)
    return status, json.loads(text)


# ---- Jobs and datafeeds.


def job(job_id=None, detectors=None, span="5m", opened=False, analysis=None, **more):
    """Makes a job; gives its id."""
    job_id = job_id or name("job")
    analysis = {"bucket_span": span, "detectors": detectors or [COUNT], **(analysis or {})}
    ml.put_job(job_id=job_id, analysis_config=analysis, **{"data_description": DESCRIPTION, **more})
    if opened:
        ml.open_job(job_id=job_id)
    return job_id


def drop(*job_ids):
    """Deletes jobs and their datafeeds, whatever they are at."""
    for job_id in job_ids:
        ml.delete_job(job_id=job_id, force=True)


def records(buckets, per_bucket=2, start=0, value=None, more=None, gap=60_000):
    """`per_bucket` records in each of the buckets; `value` and `more` are of bucket and turn."""
    for bucket in range(start, start + buckets):
        for turn in range(per_bucket):
            number = value(bucket, turn) if value else 10 + (bucket * 7 + turn * 3) % 5 / 10
            yield {"time": T0 + bucket * SPAN + turn * gap, "value": number, **(more(bucket, turn) if more else {})}


def post(job_id, *args, **kwargs):
    """Posts such [`records`]; gives the counts."""
    return ml.post_data(job_id=job_id, data=list(records(*args, **kwargs)))


def stats(job_id):
    return ml.get_job_stats(job_id=job_id)["jobs"][0]


def counts(job_id):
    return stats(job_id)["data_counts"]


def state(job_id):
    return stats(job_id)["state"]


def feed_stats(feed):
    return ml.get_datafeed_stats(datafeed_id=feed)["datafeeds"][0]


def filled(documents):
    """An index of documents; gives its name."""
    index = name("data")
    fields = {"time": {"type": "date"}, "host": {"type": "keyword"}, "value": {"type": "double"}}
    es.indices.create(index=index, mappings={"properties": fields})
    add(index, documents)
    return index


def add(index, documents):
    helpers.bulk(es, ({"_index": index, "_source": document} for document in documents), refresh=True)


def fed_job(index, feed=None, **more):
    """A job and a datafeed for it; gives both ids."""
    job_id = job(**more)
    ml.put_datafeed(datafeed_id=f"{job_id}-feed", job_id=job_id, indices=[index], **(feed or {}))
    return job_id, f"{job_id}-feed"
