"""docs/privacy.md says what the last whole run measured, and what our own corpus gives now."""

from __future__ import annotations

from typing import Any

import pytest

from bench_kit import load

page = load("privacy_bench.page")
corpora = load("privacy_bench.corpora")
QUICK = ("synth_v2", "multipriv_en", "multipriv_zh", "argus_fixtures")
NOTICEABLE = 0.005


def test_the_page_is_regenerated_from_the_result_and_from_what_is_found_now() -> None:
    written = page.PAGE.read_text("utf-8")
    assert page.render(page.load(page.RESULT), page.measure_own()) == written, (
        "run `make privacy-bench`, or privacy_bench.page"
    )


def test_our_own_corpus_is_large_and_the_same_each_time() -> None:
    own = load("privacy_bench.own")
    rows = own.rows()
    assert rows == own.rows()
    assert len(rows) > 4000
    assert all(row.text[span.start : span.end].strip() for row in rows for span in row.spans)
    assert sum(not row.spans for row in rows) * 2 == len(rows)


def test_a_detector_that_sees_less_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = page.measure_own()
    spans_of = page.Yuzui.spans_of
    monkeypatch.setattr(
        page.Yuzui, "spans_of", lambda self, text: [one for one in spans_of(self, text) if one.type != "iban"]
    )
    assert page.render(page.load(page.RESULT), page.measure_own()) != page.render(page.load(page.RESULT), seen)


@pytest.mark.parametrize("name", QUICK)
def test_the_patterns_still_reach_what_is_published(name: str) -> None:
    try:
        rows = corpora.load(name)
    except corpora.NoData as missing:
        pytest.skip(str(missing))
    tally: Any = load("privacy_bench.measures").Tally()
    detection = load("privacy_bench.detection").Yuzui()
    for row, found in zip(rows, detection.spans([row.text for row in rows]), strict=True):
        tally.add(row, found)
    published = page.load(page.RESULT)["runs"]["yuzui"]["corpora"][name]
    measured = tally.as_json()
    for measure in ("coverage", "leak", "over"):
        assert measured[measure] == pytest.approx(published[measure], abs=NOTICEABLE), measure
