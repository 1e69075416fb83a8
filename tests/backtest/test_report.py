from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import pytest

from backtest_kit import TOML, Sent, record_of, replayed, snapshot
from guarantee_kit import certificate, config, write_router
from yuzui.backtest.document import document
from yuzui.backtest.markdown import write_markdown
from yuzui.backtest.report import MOST_CHANGES, Report, changes_of, make_report
from yuzui.backtest.tally import Change, Line, Slice, Sums, Tally
from yuzui.backtest.words import Language
from yuzui.core.caller import Caller
from yuzui.io.learned_routers import load_routers

THERE = snapshot()
PINNED_FAR = snapshot(TOML.replace('"house/qwen", "deepseek/chat", "far/gpt"]', '"far/gpt"]'))


def report_of(tally: Tally) -> Report:
    return make_report(
        tally, Random(1), None, draft="d.toml", snapshot="s", block="day", currency="USD", home=("CN",), team=None,
        unknown_places={"b", "a"}, token_factors={},
    )  # fmt: skip


def traffic() -> Tally:
    red, blue = (Caller(key_id=team, app="a", team=team) for team in ("red", "blue"))
    sents = [
        *[Sent(caller=red, duration_ms=100 + n) for n in range(10)],
        *[Sent(caller=blue, findings=("email",)) for _ in range(3)],
        *[Sent(caller=blue, model="far/gpt", duration_ms=9000) for _ in range(4)],
    ]
    records = [record_of(sent, THERE, number) for number, sent in enumerate(sents)]
    return replayed(records, PINNED_FAR, callers=(red, blue))


def test_slices_add_up_to_the_whole() -> None:
    report = report_of(traffic())
    for slices in (report.teams, report.labels, report.slices):
        for name in ("requests", "moved", "newly_refused", "left_house", "left_country"):
            assert sum(getattr(one, name) for one in slices) == getattr(report.total, name)
        assert sum(one.cost.after_nano for one in slices) == report.total.cost.after_nano
    assert (report.total.requests, report.total.moved, report.total.newly_refused) == (17, 13, 3)
    assert report.total.left_house == report.total.left_country == 10


def test_what_leaves_stands_apart_and_first_by_weight() -> None:
    report = report_of(traffic())
    assert [(one.team, one.requests, one.after) for one in report.leaving] == [("red", 10, "far/gpt")]
    assert report.leaving[0].examples == tuple(f"req_{n:06d}" for n in range(5))
    assert [(one.team, one.after, one.now) for one in report.changes] == [("blue", "", "no_permitted_target")]


def test_who_moves_takes_as_long_as_the_others_there() -> None:
    red = next(one for one in report_of(traffic()).teams if one.team == "red")
    latency = red.latency["latency_p50"]
    assert latency.before is not None
    assert latency.after is not None
    assert latency.before[0] < 120
    assert abs(latency.after[0] - 9000) < 300
    assert red.latency_unknown == 0


def test_a_target_without_recorded_latencies_has_no_data() -> None:
    report = report_of(replayed([record_of(Sent(), THERE)], PINNED_FAR))
    assert report.total.latency_unknown == 1
    assert report.total.latency["latency_p50"].after is None
    assert report.total.latency["latency_p50"].change is None


def test_the_same_records_give_the_same_report() -> None:
    assert msgspec.json.encode(report_of(traffic())) == msgspec.json.encode(report_of(traffic()))


def test_names_are_in_order_and_nothing_is_made_up_without_grades() -> None:
    report = report_of(traffic())
    assert report.unknown_places == ("a", "b")
    assert report.total.quality is None


def test_long_lists_of_changes_are_cut_and_say_so() -> None:
    change = Change(Slice("t", "internal"), "internal", "a", "b", "permitted", "permitted", False, False, False, False)
    lines = {change._replace(before=f"a{n}"): Line(requests=n + 1) for n in range(MOST_CHANGES + 7)}
    report = report_of(Tally(lines=lines))
    assert (len(report.changes), report.hidden_changes) == (MOST_CHANGES, 7)
    assert report.changes[0].requests == MOST_CHANGES + 7


def test_what_leaves_is_never_cut() -> None:
    change = Change(Slice("t", "internal"), "internal", "a", "b", "permitted", "permitted", False, True, False, False)
    leaving, others = changes_of({change._replace(before=f"a{n}"): Line(requests=1) for n in range(MOST_CHANGES + 7)})
    assert (len(leaving), others) == (MOST_CHANGES + 7, [])


def test_predicted_gains_become_quality_per_slice_and_what_is_not_predicted_is_counted() -> None:
    red, blue = Slice("red", "internal"), Slice("blue", "internal")
    blocks = {
        red: {f"2026-11-{day:02d}": Sums(requests=9, answered=10, moved=2, predicted=1, gained_micro=-100_000 * day)
              for day in range(1, 7)},
        blue: {"2026-11-01": Sums(requests=9, answered=10, moved=1)},
    }  # fmt: skip
    change = Change(red, "internal", "a", "b", "permitted", "permitted", False, False, False, False)
    report = report_of(Tally(lines={change: Line(requests=1)}, blocks=blocks))
    total = report.total.quality
    assert total is not None
    assert (total.how, total.examples, total.unknown) == ("router", 6, 7)
    assert total.change == pytest.approx(-2.1 / 70)
    assert total.low is not None and total.high is not None
    assert total.low < total.change < total.high
    teams = {one.team: one.quality for one in report.teams}
    assert teams["blue"] is None  # it moves, and nothing is predicted
    assert teams["red"] is not None and teams["red"].change == pytest.approx(-2.1 / 60)


def test_a_promise_stands_in_the_report_with_what_it_rests_on(tmp_path: Path) -> None:
    text = config(tmp_path / "r.json", write_router(tmp_path / "r.json", certificate()))
    draft = replace(snapshot(text), guaranteed=load_routers(snapshot(text).config))
    records = [record_of(Sent(model="support"), draft)]
    made = make_report(
        replayed(records, draft), Random(1), None, draft="d", snapshot="s", block="day", currency="USD", home=(),
        team=None, unknown_places=(), token_factors={}, routers=draft.guaranteed,
    )  # fmt: skip
    (promise,) = made.promises
    assert (promise.model, promise.reference, promise.problem) == ("support", "vendor/big", "")
    assert (promise.epsilon, promise.delta, promise.examples) == (0.02, 0.1, 400)
    assert promise.loss is not None and promise.loss[1] < promise.loss[0] == 0.01 < promise.loss[2]
    assert promise.looks == {"nothing": 1}
    promised: dict[Language, str] = {"en": "at most 2 points of a hundred", "zh": "最多差 2 个百分点"}
    for language, words in promised.items():
        assert words in write_markdown(document(made, language)).replace("\\", "")
