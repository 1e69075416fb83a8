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


def settle(text: str, near: list[float], *spans: tuple[int, int, float]) -> list[str]:
    persons = [NameSpan(start, end, "person", score, "m") for start, end, score in spans]
    return [text[one.start : one.end] for one in han.settle_persons(text, persons, np.array(near))]


def test_borders_are_mended_and_what_the_model_doubts_is_dropped() -> None:
    near = [0.9, 0.9, 0.3, 0.0, 0.5, 0.0]
    assert settle("王小明来见他", near, (0, 2, 0.9)) == ["王小明"]
    assert settle("王小明来见他", near, (4, 5, 0.5)) == []
    assert settle("见他们", near, (0, 2, 0.2)) == []
    assert settle("欢迎！！", [0, 0, 0.9, 0.9], (2, 4, 0.9)) == []  # a name has a letter


def test_a_name_in_parts_becomes_one() -> None:
    assert settle("会长沈被章说", [0, 0, 0.9, 0.2, 0.9, 0], (2, 3, 0.9), (4, 5, 0.9)) == ["沈被章"]
    assert settle("是拉夫桑贾尼", [0] + [0.6] * 5, (1, 3, 0.6), (3, 6, 0.6)) == ["拉夫桑贾尼"]
    assert settle("叶秋李明", [0.9] * 4, (0, 2, 0.9), (2, 4, 0.9)) == ["叶秋", "李明"]


def test_a_name_loses_what_belongs_to_the_post_before_or_behind_it() -> None:
    assert settle("总参谋长傅全有上将", [0, 0, 0, 0.2, 0.9, 0.9, 0.05, 0, 0], (3, 6, 0.9)) == ["傅全有"]
    assert settle("江主席来", [0.9] * 3 + [0], (0, 3, 0.9)) == ["江"]
    assert settle("王先生来", [0.9] * 3 + [0], (0, 3, 0.9)) == ["王先生"]


def test_a_surname_or_the_rest_of_a_foreign_name_needs_less_beside_a_name() -> None:
    assert settle("泪曾若彤苦", [0, 0.06, 0.7, 0.8, 0], (2, 4, 0.75)) == ["曾若彤"]
    assert settle("泪的若彤苦", [0, 0.06, 0.7, 0.8, 0], (2, 4, 0.75)) == ["若彤"]
    assert settle("对库马拉通加总统", [0, *[0.4] * 4, 0.01, 0, 0], (1, 5, 0.4)) == ["库马拉通加"]


def test_sheets_and_professions_are_no_persons() -> None:
    assert settle("一张特制床", [0, 0.5, 0.5, 0.5, 0], (1, 4, 0.5)) == []
    assert settle("女性心理咨询师", [0, 0, *[0.9] * 5], (2, 7, 0.9)) == []
    assert settle("张特制到了", [0.5, 0.5, 0.5, 0, 0], (0, 3, 0.5)) == ["张特制"]


def weaker(text: str, near: list[float], taken: bytes = b"") -> list[str]:
    found = han.weaker_persons(text, np.array(near), bytearray(taken or len(text)), "m")
    return [text[one.start : one.end] for one in found]


def test_a_name_that_the_model_nearly_saw_needs_a_surname() -> None:
    near = [0.1, 0.6, 0.6, 0.0]
    assert weaker("王晓鸣来", near) == ["王晓鸣"]
    assert weaker("的晓鸣来", near) == []
    assert weaker("王晓鸣来", near, b"\0\1\0\0") == []
    assert weaker("王晓来了", [0.15, 0.15, 0, 0]) == [] and weaker("王晓来了", [0.3, 0.3, 0, 0]) == ["王晓"]


def test_letters_of_transliteration_and_nicknames_need_none() -> None:
    assert weaker("在瓦塔纳两", [0, 0.2, 0.2, 0.3, 0]) == ["瓦塔纳"]
    assert weaker("在保拉两", [0, 0.2, 0.2, 0]) == [] and weaker("在保拉两", [0, 0.3, 0.3, 0]) == ["保拉"]
    assert weaker("问老于家", [0, 0.3, 0.4, 0]) == ["老于"]
