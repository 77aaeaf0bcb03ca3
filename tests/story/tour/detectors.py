"""What detectors find: functions, splits, custom rules."""

from world import MEAN, SPAN, T0, drop, job, ml, name, post, records, refused


def _steady(bucket, turn):
    return 10 + (bucket * 7 + turn * 3) % 5 / 10


def _spiky(at, height, low_at=None, depth=None):
    """Steady values, but for one bucket, or one high and one low."""

    def value(bucket, turn):
        return height if bucket == at else depth if bucket == low_at else _steady(bucket, turn)

    return value


def _found(detector, value=_steady, more=None, **settings):
    """The records above 20 of a job with one detector."""
    job_id = job(detectors=[detector], opened=True, **settings)
    post(job_id, 200, per_bucket=4, value=value, more=more)
    ml.close_job(job_id=job_id)
    found = ml.get_records(job_id=job_id, record_score=20, page={"size": 1000})["records"]
    drop(job_id)
    return found


def _at(found):
    return {(record["timestamp"] - T0) // SPAN for record in found}


def metric_functions_find_spikes():
    for function in ("mean", "avg", "min", "max", "median", "sum", "non_null_sum", "metric"):
        assert 150 in _at(_found({"function": function, "field_name": "value"}, _spiky(150, 100))), function


def functions_of_one_side_find_that_side_only():
    for function in ("mean", "median", "sum", "non_null_sum"):
        for side, finds, overlooks in (("high", 150, 170), ("low", 170, 150)):
            found = _at(_found({"function": f"{side}_{function}", "field_name": "value"}, _spiky(150, 100, 170, -90)))
            assert finds in found and overlooks not in found, (side, function, found)


def variance_is_found_where_the_mean_stays():
    def value(bucket, turn):
        return 10 + (turn - 1.5) * (100 if bucket == 150 else 1) + bucket % 3 / 10

    for function in ("varp", "high_varp"):
        assert 150 in _at(_found({"function": function, "field_name": "value"}, value)), function


def counting_functions_find_more_and_less():
    usual = list(records(200, per_bucket=25, gap=10_000, more=lambda bucket, turn: {"user": f"u{turn}"}))
    crowd = [{"time": T0 + 150 * SPAN + turn * 100, "user": f"n{turn}"} for turn in range(100)]
    more = sorted(usual + crowd, key=lambda record: record["time"])
    less = [record for record in usual if (record["time"] - T0) // SPAN != 170]

    def found(data, function, **fields):
        job_id = job(detectors=[{"function": function, **fields}], opened=True)
        ml.post_data(job_id=job_id, data=data)
        ml.close_job(job_id=job_id)
        found = ml.get_records(job_id=job_id, record_score=20)["records"]
        drop(job_id)
        return _at(found)

    for function in ("count", "high_count", "non_zero_count", "high_nzc"):
        assert 150 in found(more, function), function
    for function in ("distinct_count", "high_dc"):
        assert 150 in found(more, function, field_name="user"), function
    for function in ("count", "low_count"):
        assert 170 in found(less, function), function
    assert 170 in found(less, "low_distinct_count", field_name="user")
    assert 170 not in found(less, "high_count") and 170 not in found(less, "non_zero_count")
    assert 150 not in found(more, "low_count")


def rare_finds_what_is_seldom():
    def kind(bucket, turn):
        return {"kind": "odd" if (bucket, turn) == (150, 0) else f"k{turn % 3}"}

    found = _found({"function": "rare", "by_field_name": "kind"}, more=kind)
    assert [(record["by_field_name"], record["by_field_value"]) for record in found] == [("kind", "odd")], found


def members_of_a_population_are_compared_and_named_as_causes():
    def value(bucket, turn):
        return 1000.0 if (bucket, turn) == (150, 2) else 10 + (bucket * 7 + turn * 3) % 5

    detector = {"function": "high_sum", "field_name": "value", "over_field_name": "user"}
    found = _found(detector, value, lambda bucket, turn: {"user": f"u{turn}"})
    assert found and {record["over_field_value"] for record in found} == {"u2"}, found
    cause = found[0]["causes"][0]
    assert (cause["over_field_value"], cause["actual"]) == ("u2", [1000.0]), cause
    assert (cause["function"], cause["field_name"]) == ("high_sum", "value"), cause


def splits_are_modelled_apart():
    def value(bucket, turn):
        return 500.0 if (bucket, turn) == (150, 3) else 10 + bucket % 4

    detector = {"function": "max", "field_name": "value", "by_field_name": "part", "partition_field_name": "host"}
    found = _found(detector, value, lambda bucket, turn: {"part": f"p{turn % 2}", "host": f"h{turn // 2}"})
    assert [(record["by_field_value"], record["partition_field_value"]) for record in found] == [("p1", "h1")], found


def what_is_frequent_and_what_is_null_may_be_left_out():
    def value(bucket, turn):
        return 500.0 if (bucket, turn) == (150, 3) else 10 + bucket % 4

    def parts(bucket, turn):
        return {"part": f"p{turn}"}

    detector = {"function": "max", "field_name": "value", "by_field_name": "part"}
    assert _found(detector, value, parts) and not _found({**detector, "exclude_frequent": "by"}, value, parts)
    assert not _found(detector, value) and _found({**detector, "use_null": True}, value)


def custom_rules_skip_what_they_describe():
    spike = _spiky(150, 100.0)

    def ruled(*conditions):
        rule = [dict(zip(("applies_to", "operator", "value"), condition, strict=True)) for condition in conditions]
        return _found({**MEAN, "custom_rules": [{"actions": ["skip_result"], "conditions": rule}]}, spike)

    assert ruled(("actual", "lt", 50)) and ruled(("typical", "gt", 50))
    assert not ruled(("actual", "gt", 50)) and not ruled(("diff_from_typical", "gt", 20))
    assert not ruled(("time", "gte", (T0 + 150 * SPAN) / 1000), ("time", "lt", (T0 + 151 * SPAN) / 1000))

    def refuse(status, text, rule, **fields):
        refused(status, text, job, detectors=[{**MEAN, **fields, "custom_rules": [rule]}])

    refuse(400, "Invalid detector rule: at least scope or a condition is required", {"actions": ["skip_result"]})
    scope = {"scope": {"host": {"filter_id": name("none")}}}
    refuse(400, "scope field 'host' is invalid", scope)
    refuse(404, "", scope, partition_field_name="host")
