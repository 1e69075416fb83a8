"""A page says everything that the report holds, in both languages."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from backtest_kit import TOML, Sent, record_of, replayed, snapshot
from yuzui.backtest.document import Block, Grid, Heading, document, money
from yuzui.backtest.gates import check_gates, read_gate
from yuzui.backtest.markdown import write_markdown
from yuzui.backtest.quality import GradedExamples
from yuzui.backtest.report import Report, make_report
from yuzui.backtest.words import ASSUMPTIONS, Language, words_of
from yuzui.core.caller import Caller

THERE = snapshot()
DRAFT = snapshot(TOML.replace('"house/qwen", "deepseek/chat", "far/gpt"]', '"far/gpt"]'))


def report() -> Report:
    sents = [Sent(minute=1440 * n) for n in range(6)]
    sents += [Sent(caller=Caller(key_id="k", app="a", team="red|x"), findings=("email",))]
    sents += [Sent(model="far/gpt"), Sent(model="far/gpt", findings=("email",))]
    tally = replayed([record_of(sent, THERE, n) for n, sent in enumerate(sents)], DRAFT)
    tally.suppressed, tally.by_load = 3, 4
    tally.not_routed["rate_limit_exceeded"] = 5
    made = make_report(
        tally, Random(1), GradedExamples([{"qwen": 1.0, "gpt": 0.5}] * 6, {"house/qwen": "qwen", "far/gpt": "gpt"}),
        draft="d.toml", snapshot="s", block="day", currency="USD", home=(), team=None, unknown_places=("gone/x",),
        token_factors={},
    )  # fmt: skip
    gates = [read_gate("left_house > 0", "USD"), read_gate("cost > 1000000%", "USD")]
    return msgspec.structs.replace(made, gates=check_gates(gates, made))


REPORT = report()


def shown(blocks: list[Block]) -> str:
    return write_markdown(blocks)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_leaves_comes_before_all_other_changes_with_examples(language: Language) -> None:
    words = words_of(language)
    headings = [block.text for block in document(REPORT, language) if isinstance(block, Heading)]
    assert headings.index(words["leaving"]) < headings.index(words["changes"])
    assert "req\\_000000" in shown(document(REPORT, language))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_that_was_supposed_or_left_out_is_kept_silent(language: Language) -> None:
    text, words = shown(document(REPORT, language)), words_of(language)
    for name in ("assume_key", "how_content", "how_quality_graded", "how_budgets", "how_limits", "no_home"):
        assert words[name].split("{")[0][:25].replace("_", "\\_") in text
    for detail in ("gone/x", "rate\\_limit\\_exceeded 5", words["failed"], words["passed"]):
        assert detail in text


def test_rows_are_as_wide_as_their_tables() -> None:
    for block in document(REPORT, "en"):
        if isinstance(block, Grid):
            assert {len(row) for row in block.rows} <= {len(block.columns)}


def test_an_empty_replay_says_that_nothing_is_known() -> None:
    nothing = make_report(
        replayed([], DRAFT), Random(1), None, draft="d", snapshot="s", block="day", currency="USD", home=(), team=None,
        unknown_places=(), token_factors={},
    )  # fmt: skip
    assert words_of("en")["nothing"] in shown(document(nothing, "en"))


def test_without_changes_the_page_says_so() -> None:
    same = make_report(
        replayed([record_of(Sent(), THERE)], THERE), Random(1), None, draft="d", snapshot="s", block="day",
        currency="USD", home=("CN",), team=None, unknown_places=(), token_factors={},
    )  # fmt: skip
    text = shown(document(same, "en"))
    for name in ("leaves_nothing", "no_changes", "how_quality_unmoved"):
        assert words_of("en")[name] in text


@pytest.mark.parametrize(
    ("nano", "is_change", "words"),
    [(0, False, "0.00 USD"), (1_500_000_000, False, "1.50 USD"), (123_456, True, "+0.000123 USD"),
     (-2_000_000_000, True, "-2.00 USD")],
)  # fmt: skip
def test_money_for_people(nano: int, is_change: bool, words: str) -> None:
    assert money(nano, "USD", is_change=is_change) == words


def test_each_supposition_has_its_sentence() -> None:
    for language in ("en", "zh"):
        assert all(f"assume_{name}" in words_of(language) for name in ASSUMPTIONS)
