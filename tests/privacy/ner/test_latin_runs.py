"""Latin sentences in Chinese lines."""

from __future__ import annotations

from yuzui.privacy.ner.latin_runs import latin_runs
from yuzui.privacy.ner.segments import Segment


def test_runs_of_three_words_are_segments_of_their_own() -> None:
    text = "翻译：It was announced that Ada spoke.谢谢 OK吗，use Python 3"
    runs = list(latin_runs(text, [Segment(0, len(text), "han")]))
    assert [text[one.start : one.end] for one in runs] == ["It was announced that Ada spoke."]
    assert {one.script for one in runs} == {"latin"}
