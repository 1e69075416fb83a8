"""From requests that a gateway really answered to what `yuzui backtest` and `yuzui tco report` say of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, completion
from gateway_kit import gateway, without_names
from guarantee_kit import EASY, HARD, STRANGE, certificate, config, write_router
from yuzui.core.money import NANO

from .conftest import Run

MORE = """
[masking]
kinds = ["email"]

[capture]
apps = ["shop"]
max_level = "restricted"
"""
MAIL, PROJECT = "Please write to wang@corp.cn today.", "What is the status of Yangtze-7?"
SAID = (EASY, HARD, STRANGE, MAIL, PROJECT)
Json = dict[str, Any]  # Any: a report


@dataclass(frozen=True, slots=True)
class Served:
    folder: Path
    text: str
    router: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ten requests of two applications; of one of them the texts were kept."""
    folder = tmp_path_factory.mktemp("served")
    router = folder / "r.json"
    sha256 = write_router(router, certificate())
    yield Served(folder / "data", asyncio.run(_serve(folder / "data", router, sha256)), router)


async def _serve(folder: Path, router: Path, sha256: str) -> str:
    async def answer(call: Call) -> None:
        await call.json(completion("ok"))

    async with FaultUpstream(answer) as own, FaultUpstream(answer) as vendor:
        text = without_names(config(router, sha256, own=own.base_url, vendor=vendor.base_url) + MORE)
        async with gateway(text, {"BIG": "k"}, folder) as running:
            for seed, (app, budget) in enumerate((("shop", None), ("desk", NANO)), 1):
                key = running.add_key(id=f"key_{app}", app=app, team=f"team-{app}", seed=seed, budget_nano=budget)
                for said in SAID:
                    await running.client(key).chat.completions.create(
                        model="support", messages=[{"role": "user", "content": said}], max_tokens=20
                    )
    return text


@pytest.fixture
def told(run: Run, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # Any: a function
    monkeypatch.setenv("BIG", "k")

    def ask(text: str, *args: str) -> Json:
        draft = tmp_path / "draft.toml"
        draft.write_text(text, encoding="utf-8")
        result = run("backtest", "--config", draft, "--data-dir", served.folder, "--json", *args)
        assert result.exit_code in (0, 1), result.stderr
        found: Json = json.loads(result.stdout)
        return found

    return ask


def test_the_file_that_served_changes_nothing_whether_texts_are_read_or_not(served: Served, told: Any) -> None:
    for args, texts in (((), {"closed": 5}), (("--with-content",), {"read": 4, "masked": 1})):
        found = told(served.text, *args)
        assert (found["replayed"], found["changes"], found["leaving"]) == (10, [], [])
        assert found["texts"] == texts
        (promise,) = found["promises"]
        assert promise["looks"] == {"record": 10}
        assert promise["rules"]["certified"] >= 2
        assert found["total"]["quality"]["how"] == "unmoved"
        assert found["over_budget"] == 0


def test_a_new_pattern_is_found_in_kept_texts_and_nowhere_else(served: Served, told: Any) -> None:
    draft = served.text + (
        '\n[[sensitivity.patterns]]\nkind = "project"\nregex = "Yangtze-[0-9]+"\n'
        '[sensitivity.kinds]\nproject = "restricted"\n'
    )
    assert told(draft)["total"]["relabelled"] == 0
    found = told(draft, "--with-content")
    assert found["total"]["relabelled"] == 1
    labels = {(one["label"], one["new_label"], one["team"]) for one in (*found["changes"], *found["leaving"])}
    assert ("internal", "restricted", "team-shop") in labels


def test_a_more_careful_certificate_wins_quality_back_and_a_gate_holds_it(served: Served, told: Any) -> None:
    careful = served.router.with_name("careful.json")
    sha256 = write_router(careful, certificate(threshold=-0.9))
    draft = served.text.replace(str(served.router), str(careful)).replace(_sha256_in(served.text), sha256)
    baseline = careful.with_name("served.toml")
    baseline.write_text(served.text, encoding="utf-8")
    found = told(draft, "--baseline", str(baseline), "--fail-if", "quality < -1pp", "--fail-if",
                 "quality[team=team-desk] < -1pp")  # fmt: skip
    quality = found["total"]["quality"]
    assert (quality["how"], quality["unknown"]) == ("router", 0)
    assert quality["examples"] == found["total"]["moved"] >= 2
    assert not any(gate["has_failed"] for gate in found["gates"])
    assert {one["team"]: one["quality"]["how"] for one in found["teams"]} == {
        "team-desk": "router", "team-shop": "router",
    }  # fmt: skip


def _sha256_in(text: str) -> str:
    return text.partition('router_sha256 = "')[2].partition('"')[0]


def test_a_dearer_vendor_runs_into_the_budget_of_a_key(served: Served, told: Any) -> None:
    dear = served.text.replace("output = 30", "output = 3000000").replace("input = 10,", "input = 1000000,")
    found = told(dear, "--fail-if", "over_budget > 0")
    assert found["over_budget"] >= 1
    assert found["gates"][0]["has_failed"]
    desk = next(one for one in found["teams"] if one["team"] == "team-desk")
    assert desk["newly_refused"] == found["over_budget"]


@pytest.mark.parametrize(("language", "words"), [("en", "nothing is extrapolated"), ("zh", "没有外推")])
@pytest.mark.parametrize("shape", ["text", "markdown"])
def test_people_read_what_was_read_and_how_figures_came_about(
    run: Run, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str, language: str, words: str
) -> None:
    monkeypatch.setenv("BIG", "k")
    draft = tmp_path / "draft.toml"
    draft.write_text(served.text, encoding="utf-8")
    result = run("backtest", "--config", draft, "--data-dir", served.folder, "--with-content", "--format", shape,
                 "--lang", language)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert words in result.stdout.replace("\n", " ")
    assert all(said not in result.stdout for said in SAID)  # no text, ever


def test_texts_need_books(run: Run, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG", "k")
    draft = tmp_path / "draft.toml"
    draft.write_text(served.text, encoding="utf-8")
    result = run("backtest", "--config", draft, "--data-dir", served.folder / "audit", "--with-content")
    assert result.exit_code == 2
    assert "there are no books" in result.stderr


def test_the_cost_of_ownership_of_the_same_traffic_says_what_is_still_an_example(
    run: Run, served: Served, tmp_path: Path
) -> None:
    assert run("tco", "init").exit_code == 0
    result = run("tco", "report", "--from-books", "--since", "1h", "--data-dir", served.folder, "--json")
    assert result.exit_code == 0, result.stderr
    found: Json = json.loads(result.stdout)
    assert found["requests_per_month"] == 10 * 730
    inputs = {one["key"]: one["source"] for one in found["inputs"]}
    assert inputs["traffic.requests_per_month"].startswith("the books, ")
    assert "10 answered requests, " in inputs["traffic.requests_per_month"]
    assert inputs["traffic.cached_input_share"] == "an example: replace it"  # books do not tell it
    page = run("tco", "report", "--from-books", "--since", "1h", "--data-dir", served.folder).stdout
    assert "inputs below are still the examples" in page
    assert "Work from the books" in page
