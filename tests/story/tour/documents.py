"""Documents, bulk requests, searches."""

import json

from world import T0, answer, es, name, plain, reasons, refused

from elasticsearch import helpers


def documents_are_written_read_and_deleted():
    index = name("docs")
    made = es.index(index=index, id="1", document={"a": 1}, refresh=True)
    assert (made["result"], made["_version"], made["_seq_no"], made["_primary_term"]) == ("created", 1, 0, 1)
    assert (made["_index"], made["_id"], made["_shards"]["successful"]) == (index, "1", 1)
    assert es.index(index=index, id="1", document={"a": 2})["result"] == "updated"
    refused(409, "version conflict, document already exists", es.create, index=index, id="1", document={"a": 3})
    got = es.get(index=index, id="1")
    assert (got["found"], got["_source"], got["_version"]) == (True, {"a": 2}, 2)
    assert es.exists(index=index, id="1") and not es.exists(index=index, id="2")
    assert es.get_source(index=index, id="1") == {"a": 2}
    assert refused(404, "", es.get, index=index, id="2") == {"_index": index, "_id": "2", "found": False}
    stale = {"if_seq_no": 0, "if_primary_term": 1}
    refused(409, "version conflict, required seqNo", es.index, index=index, id="1", document={}, **stale)
    assert es.delete(index=index, id="1")["result"] == "deleted"
    assert refused(404, "", es.delete, index=index, id="1")["result"] == "not_found"
    es.indices.delete(index=index)


def indices_are_made_found_and_deleted():
    index = name("docs")
    es.indices.create(index=index, mappings={"properties": {"n": {"type": "long"}}})
    assert es.indices.exists(index=index) and not es.indices.exists(index="none")
    refused(400, "already exists", es.indices.create, index=index)
    refused(400, "Invalid index name [Upper], must be lowercase", es.indices.create, index="Upper")
    assert es.search(index="none*")["hits"]["total"]["value"] == 0
    assert es.search(index="none", ignore_unavailable=True)["hits"]["hits"] == []
    refused(404, "no such index [none]", es.search, index="none")
    refused(404, "no such index [none*]", es.search, index="none*", allow_no_indices=False)
    assert es.indices.delete(index=index) == {"acknowledged": True}
    refused(404, f"no such index [{index}]", es.indices.delete, index=index)


def bulk_requests_answer_for_each_operation():
    index = name("docs")
    es.indices.create(index=index, mappings={"properties": {"n": {"type": "long"}}})
    operations = [
        *({"index": {"_index": index, "_id": "1"}}, {"n": 1}),
        *({"create": {"_index": index, "_id": "1"}}, {"n": 2}),
        {"delete": {"_index": index, "_id": "9"}},
        *({"index": {"_index": index, "_id": "2"}}, {"n": "no"}),
    ]
    told = es.bulk(operations=operations, refresh=True)
    items = [(action, item) for each in told["items"] for action, item in each.items()]
    done = [(action, item["status"]) for action, item in items]
    assert told["errors"] is True and done == [("index", 201), ("create", 409), ("delete", 404), ("index", 400)], told
    assert items[1][1]["error"]["type"] == "version_conflict_engine_exception"
    assert items[3][1]["error"]["type"] == "document_parsing_exception"
    lines = ({"_index": index, "_id": f"b{number}", "n": number} for number in range(2500))
    assert helpers.bulk(es, lines, refresh="wait_for") == (2500, [])
    assert all(done for done, _ in helpers.streaming_bulk(es, [{"_op_type": "delete", "_index": index, "_id": "b1"}]))
    assert all(done for done, _ in helpers.parallel_bulk(es, [{"_index": index, "n": 1}]))
    assert es.count(index=index)["count"] == 2501
    es.indices.delete(index=index)


def malformed_bulk_requests_are_refused():
    for body, text in (
        ("", "request body is required"),
        ('{"index":{"_index":"x"}}', "The bulk request must be terminated by a newline"),
        ('{"nonsense":{}}\n{}\n', "Malformed action/metadata line [1]"),
        ('{"index":{"_index":"x","nonsense":1}}\n{}\n', "nonsense"),
    ):
        status, _, told = plain("POST", "/_bulk", body, Content_Type="application/x-ndjson")
        assert status == 400 and text in reasons(json.loads(told)["error"]), told


def _searched():
    """An index of fifty documents; gives its name."""
    index = name("docs")
    types = {"n": "long", "k": "keyword", "t": "date", "text": "text"}
    es.indices.create(index=index, mappings={"properties": {field: {"type": kind} for field, kind in types.items()}})
    documents = (
        {"_id": str(n), "n": n, "k": "ab"[n % 2], "t": T0 + n * 1000, "text": f"word{n} common", "o": {"p": n}}
        for n in range(50)
    )
    helpers.bulk(es, ({"_index": index, **document} for document in documents), refresh=True)
    return index


def queries_find_what_they_ask_for():
    index = _searched()
    either = {"should": [{"term": {"n": 1}}, {"term": {"n": 2}}], "minimum_should_match": 1}
    late = {"must": [{"term": {"k": "a"}}], "must_not": {"range": {"n": {"lt": 40}}}, "filter": [{"match_all": {}}]}
    for query, count in (
        ({"match_all": {}}, 50),
        ({"match_none": {}}, 0),
        ({"term": {"k": "a"}}, 25),
        ({"term": {"k": {"value": "a"}}}, 25),
        ({"terms": {"n": [1, 2, 99]}}, 2),
        ({"range": {"n": {"gte": 10, "lt": 20}}}, 10),
        ({"range": {"t": {"gte": "2023-11-14T22:15:10Z", "lt": T0 + 20_000}}}, 10),
        ({"prefix": {"k": "a"}}, 25),
        ({"wildcard": {"k": "?"}}, 50),
        ({"exists": {"field": "o.p"}}, 50),
        ({"exists": {"field": "none"}}, 0),
        ({"ids": {"values": ["1", "2"]}}, 2),
        ({"match": {"text": "word7"}}, 1),
        ({"bool": late}, 5),
        ({"bool": either}, 2),
        ({"constant_score": {"filter": {"term": {"n": 1}}}}, 1),
    ):
        assert (
            es.search(index=index, query=query)["hits"]["total"]["value"]
            == es.count(index=index, query=query)["count"]
            == count
        ), query
    refused(400, "unknown query [nonsense]", es.search, index=index, query={"nonsense": {}})
    es.indices.delete(index=index)


def hits_are_sorted_paged_and_cut():
    index = _searched()

    def hits(**options):
        return es.search(index=index, **options)["hits"]["hits"]

    page = hits(sort=[{"n": {"order": "desc"}}], from_=5, size=3, source=["n"])
    assert [hit["_source"] for hit in page] == [{"n": 44}, {"n": 43}, {"n": 42}] and page[0]["sort"] == [44]
    assert [hit["_source"]["n"] for hit in hits(sort=["n"], size=2, search_after=[10])] == [11, 12]
    assert [hit["sort"] for hit in hits(sort=["_doc"], size=2)] == [[0], [1]]
    assert hits(size=0) == [] and "_source" not in hits(size=1, source=False)[0]
    assert hits(size=1, source_includes=["o.*"], source_excludes=["k"])[0]["_source"].keys() == {"o"}
    assert es.search(index=index, track_total_hits=10)["hits"]["total"] == {"value": 10, "relation": "gte"}
    assert "total" not in es.search(index=index, track_total_hits=False)["hits"]
    refused(400, "No mapping found for [none] in order to sort on", es.search, index=index, sort=["none"])
    refused(400, "Result window is too large, from + size must be less", es.search, index=index, size=10001)
    es.indices.delete(index=index)


def what_a_search_does_not_have_is_refused_by_name():
    index = _searched()
    for body, text in (
        ({"aggs": {"a": {"avg": {"field": "n"}}}}, "[aggs]"),
        ({"highlight": {"fields": {"text": {}}}}, "[highlight]"),
        ({"suggest": {"x": {}}}, "[suggest]"),
        ({"script_fields": {"x": {"script": "1"}}}, "[script_fields]"),
    ):
        status, told = answer("POST", f"/{index}/_search", body)
        assert status == 400 and text in reasons(told["error"]), told
    refused(400, "scroll", lambda: list(helpers.scan(es, index=index)))
    es.indices.delete(index=index)
