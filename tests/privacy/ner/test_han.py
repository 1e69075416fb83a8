"""Chinese: spans and borders by the model."""

from __future__ import annotations

import numpy as np
import pytest

from yuzui.privacy.ner import han
from yuzui.privacy.ner.spans import NameSpan

TAGS = han.Tags(["PER-B", "PER-I", "LOC-B", "LOC-I", "n-B", "O"])


def test_a_path_becomes_spans_with_the_models_probability() -> None:
    chances = np.full((5, 6), 0.1, dtype=np.float32)
    chances[0:2, 0:2] = 0.4
    spans = han.spans_of_path(np.array([0, 1, 0, 4, 2]), chances, TAGS, "m")
    assert [(one.start, one.end, one.kind) for one in spans] == [(0, 2, "person"), (2, 3, "person"), (4, 5, "location")]
    assert spans[0].score == pytest.approx(0.8)


def test_borders_are_mended_and_what_the_model_doubts_is_dropped() -> None:
    near = np.array([0.9, 0.9, 0.3, 0.0, 0.5, 0.9])

    def settle(text: str, span: NameSpan) -> list[str]:
        return [text[one.start : one.end] for one in han.settle_persons(text, [span], near)]

    assert settle("王小明来见他", NameSpan(0, 2, "person", 0.9, "m")) == ["王小明"]
    assert settle("王小明来见他", NameSpan(4, 5, "person", 0.5, "m")) == []
    assert settle("见他们", NameSpan(0, 2, "person", 0.2, "m")) == []


def test_a_name_that_the_model_nearly_saw_needs_a_surname() -> None:
    near = np.array([0.1, 0.6, 0.6, 0.0])
    assert [(one.start, one.end) for one in han.weaker_persons("王小明来", near, bytearray(4), "m")] == [(0, 3)]
    assert not han.weaker_persons("的小明来", near, bytearray(4), "m")
    assert not han.weaker_persons("王小明来", near, bytearray(b"\0\1\0\0"), "m")
