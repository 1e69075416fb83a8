"""Chinese: paths and borders by the model, labels, roles and titles by rules."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from yuzui.privacy.ner import han
from yuzui.privacy.ner.spans import NameSpan

TAGS = han.Tags(["PER-B", "PER-I", "LOC-B", "LOC-I", "n-B", "O"])


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in (*han.rule_spans(text, None), *han.titled(text))]


def test_the_best_path_is_the_best_of_all_paths() -> None:
    random = np.random.default_rng(7)
    emissions = random.normal(size=(3, 5, 4)).astype(np.float32)
    transitions = random.normal(size=(4, 4)).astype(np.float32)
    lengths = [5, 3, 1]
    paths = han.best_paths(emissions, lengths, transitions)
    for row, length in enumerate(lengths):

        def score(path: tuple[int, ...], row: int = row) -> float:
            steps = sum(emissions[row, at, tag] for at, tag in enumerate(path))
            return float(steps + sum(transitions[a, b] for a, b in pairwise(path)))

        best = max(product(range(4), repeat=length), key=score)
        assert tuple(paths[row, :length]) == best


def test_a_path_becomes_spans_with_the_models_probability() -> None:
    chances = np.full((5, 6), 0.1, dtype=np.float32)
    chances[0:2, 0:2] = 0.4
    spans = han.spans_of_path([0, 1, 0, 4, 2], chances, TAGS, "m")
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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("姓名：王小明", ["王小明"]),
        ("联系人: 欧阳修，电话", ["欧阳修"]),
        ("总经理王小明说", ["王小明"]),
        ("副主任李雷、主任韩梅梅。", ["李雷", "韩梅梅"]),
        ("昨天，王总来了", ["王总"]),
        ("诸葛老师好", ["诸葛老师"]),
        ("王小明，男，1980年生", ["王小明"]),
        ("弗拉基米尔·伊里奇来信", ["弗拉基米尔·伊里奇"]),
        ("总统奥巴马访问", ["奥巴马"]),
        ("博士毕业，经理高级", []),
        ("水平很高，方面很多", []),
    ],
)
def test_labels_roles_and_titles_make_a_name(text: str, names: list[str]) -> None:
    assert set(names) <= set(found(text))
    assert bool(names) or not found(text)


def test_a_rule_is_not_believed_where_the_model_is_sure_of_another_word() -> None:
    text = "总经理王小明说"
    sure = np.zeros(len(text))
    assert not han.rule_spans(text, sure) and han.rule_spans(text, sure + 0.2)
    labelled = "姓名：王小明"
    assert han.rule_spans(labelled, np.zeros(len(labelled)))  # a label is not a guess


def test_titles_and_latin_spellings_belong_to_the_name() -> None:
    text = "王小明先生和李雷（Lei Li）"
    spans = [NameSpan(0, 3, "person", 0.9, "m"), NameSpan(6, 8, "person", 0.9, "m")]
    assert [text[one.start : one.end] for one in han.with_titles(text, spans)] == ["王小明先生", "李雷（Lei Li"]


def test_places_with_a_door_are_addresses_and_others_stay_places() -> None:
    text = "北京市海淀区中关村大街27号，以及上海"
    spans = [NameSpan(0, 3, "location", 0.9, "m"), NameSpan(3, 6, "location", 0.8, "m"),
             NameSpan(6, 11, "location", 0.9, "m"), NameSpan(17, 19, "location", 0.9, "m")]  # fmt: skip
    joined = han.with_addresses(text, spans)
    assert [(text[one.start : one.end], one.kind) for one in joined] == [
        ("北京市海淀区中关村大街27号", "postal_address"), ("上海", "location")]  # fmt: skip


def test_works_are_read_by_themselves() -> None:
    text = "他读了《王小明传奇故事》和《abcd》"
    assert [text[start:end] for start, end in han.works(text)] == ["王小明传奇故事"]


def test_rules_are_linear_in_the_text() -> None:
    for text in ("王" * 20_000, "王总" * 10_000, "·阿" * 10_000, "姓名：" * 7_000, "《" * 20_000, "记者王" * 7_000):
        han.rule_spans(text, None)
        han.titled(text)
        han.works(text)
