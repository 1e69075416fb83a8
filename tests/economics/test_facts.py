from __future__ import annotations

import json

import msgspec

from economics_kit import TEXT, a_study
from yuzui.economics.facts import facts


def test_amounts_are_integers_and_add_up() -> None:
    found = json.loads(msgspec.json.encode(facts(a_study())))
    machine = found["machines"][0]
    lines = sum(
        line["month_nano"] * (machine["replicas"] if line["per"] == "replica" else 1) for line in machine["lines"]
    )
    assert abs(lines + machine["marginal_month_nano"] - machine["month_nano"]) <= 2 + machine["replicas"] * 3
    big = next(other for other in machine["against"] if other["vendor"] == "big")
    assert big["saving_month_nano"] == big["vendor_month_nano"] - machine["month_nano"]
    assert all(isinstance(vendor["month_nano"], int) for vendor in found["vendors"])
    assert big["break_even"]["first_requests_per_month"] > 0


def test_everything_of_the_report_is_there() -> None:
    found = facts(a_study())
    machine = found["machines"][0]
    assert len(machine["curves"]) == 3 and machine["curves"][0]["series"][0]["points"]
    assert {swing["name"] for swing in machine["sensitivity"]} >= {"vendor_price", "speed"}
    assert machine["energy"]["g_co2e_per_request"] > machine["energy"]["marginal_g_co2e_per_request"]
    assert machine["speed"]["points"][0]["concurrency"] == 1
    assert found["versus"] == "small"
    assert len(found["inputs"]) > 30


def test_what_is_not_known_is_null() -> None:
    found = facts(a_study(TEXT.split("[[vendors]]")[0]))
    assert found["versus"] is None and found["vendors"] == []
    assert found["machines"][0]["energy"]["kg_co2e_per_month"] is None
