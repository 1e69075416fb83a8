"""What to do with a certificate is said: the table that loads, and how one can be had."""

from __future__ import annotations

import tomllib
from pathlib import Path

from msgspec.structs import replace

from graded_kit import artefact
from guarantee_kit import certificate
from yuzui.cli._route_words import model_table, reachable, what_now
from yuzui.routing.artefact import Tested as Tried

TRIED = Tried(threshold=0.1, passed=False, loss=0.0, open_share=0.5, saving=0.4, needed=900)


def refused(*tried: Tried) -> str:
    return what_now(replace(certificate(), threshold=None, tested=tried))


def test_the_table_is_a_model_of_the_configuration() -> None:
    lines = model_table(Path('my "router".json'), artefact(), certificate(), "a" * 64)
    (model,) = tomllib.loads("\n".join(lines))["models"]
    assert model["candidates"] == ["small", "big"] and model["reference"] == "big"
    assert model["router"] == 'my "router".json' and model["router_sha256"] == "a" * 64
    assert model["guarantee"] == {"loss": 0.02, "confidence": 0.9}


def test_a_cascade_has_a_table_of_its_own() -> None:
    lines = model_table(Path("r.json"), artefact(), replace(certificate(), policy="cascade"), "a" * 64)
    (model,) = tomllib.loads("\n".join(lines))["models"]
    assert model["cascade"]["streaming"] == "hold"


def test_how_many_more_it_takes_is_said_and_when_none_would_do() -> None:
    count = certificate().data.examples
    assert f"About {900 - count} more to certify on would do for 0.02" in refused(TRIED)
    assert "the candidate loses too much" in refused(replace(TRIED, needed=None))
    assert "unlike what was fitted on" in refused(replace(TRIED, open_share=0.0))


def test_what_can_be_reached_depends_on_the_number_alone() -> None:
    assert reachable(100, 0.1).startswith("100 calibration examples certify an epsilon of 0.033 at best")
