"""What labels, roles, lists and titles make a name."""

from __future__ import annotations

import numpy as np
import pytest

from yuzui.privacy.ner import hints
from yuzui.privacy.ner.spans import NameSpan


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in (*hints.rule_spans(text, None), *hints.titled(text))]


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
    assert not hints.rule_spans(text, sure) and hints.rule_spans(text, sure + 0.2)
    labelled = "姓名：王小明"
    assert hints.rule_spans(labelled, np.zeros(len(labelled)))  # a label is not a guess


def test_titles_and_latin_spellings_belong_to_the_name() -> None:
    text = "王小明先生和李雷（Lei Li）"
    spans = [NameSpan(0, 3, "person", 0.9, "m"), NameSpan(6, 8, "person", 0.9, "m")]
    assert [text[one.start : one.end] for one in hints.with_titles(text, spans)] == ["王小明先生", "李雷（Lei Li"]


def test_works_are_read_by_themselves() -> None:
    text = "他读了《王小明传奇故事》和《abcd》"
    assert [text[start:end] for start, end in hints.works(text)] == ["王小明传奇故事"]


def test_rules_are_linear_in_the_text() -> None:
    for text in ("王" * 20_000, "王总" * 10_000, "·阿" * 10_000, "姓名：" * 7_000, "《" * 20_000, "记者王" * 7_000):
        hints.rule_spans(text, None)
        hints.titled(text)
        hints.works(text)
