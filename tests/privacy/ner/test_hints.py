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
        ("有请江主席讲话", ["江"]),
        ("桥本首相说", ["桥本"]),
        ("（实习生李泽玲 记者玺润）", ["玺润"]),
        ("商为智实习生陈文波", ["商为智"]),
        ("《古诗论》（曲江）、", ["曲江"]),
        ("梅立山，20岁", ["梅立山"]),
        ("叶真、福缘二人", ["福缘"]),
        ("马克思主义", ["马克思"]),
        ("哈哈//@滚滚T:能带个吗", ["滚滚T"]),
        ("特别助理由喜贵出席演讲会", ["由喜贵"]),
        ("国务委员罗干等同志", ["罗干"]),
        ("病人高兴，男，35岁", ["高兴"]),
        ("王经理和李总说", ["王"]),
        ("上野公园、石川县、千叶县", []),
        ("法西斯主义", []),
        ("由总统签署，任董事长", []),
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


def test_a_full_name_before_a_title_needs_the_models_consent() -> None:
    text = "何次琴女士，大学学历"
    assert not hints.titled(text, np.zeros(len(text)))
    assert [text[one.start : one.end] for one in hints.titled(text, np.full(len(text), 0.1))] == ["何次琴女士"]
    assert not hints.titled(text)
    text = "由韩梅医生负责"
    assert [text[one.start : one.end] for one in hints.titled(text, np.full(len(text), 0.1))] == ["韩梅医生"]


def test_items_beside_a_person_are_persons() -> None:
    def listed(text: str, *persons: str) -> list[str]:
        spans = [NameSpan(text.find(one), text.find(one) + len(one), "person", 0.9, "m") for one in persons]
        return [text[one.start : one.end] for one in hints.coordinated(text, spans, None)]

    assert listed("（１）克林顿（２）布什（３）戈尔４．", "克林顿") == ["布什", "戈尔"]
    assert listed("李雷、韩梅梅、王芳等", "王芳") == ["韩梅梅"]
    assert listed("普通法、平法官、条例") == []


def test_a_middle_dot_joins_what_the_model_takes_for_a_name() -> None:
    def dotted(text: str, near: float) -> list[str]:
        return [text[one.start : one.end] for one in hints.dotted(text, np.full(len(text), near))]

    assert dotted("会长差猜·春哈旺说", 0.0) == []
    assert dotted("，差猜·春哈旺，", 0.2) == ["差猜·春哈旺"]
    assert dotted("，约翰·拉贝奋不", 0.0) == ["约翰·拉贝"]
    assert dotted("人大·政协", 0.0) == []


def test_titles_and_latin_spellings_belong_to_the_name() -> None:
    text = "王小明先生和李雷（Lei Li）"
    spans = [NameSpan(0, 3, "person", 0.9, "m"), NameSpan(6, 8, "person", 0.9, "m")]
    assert [text[one.start : one.end] for one in hints.with_titles(text, spans)] == ["王小明先生", "李雷（Lei Li"]


def test_works_are_read_by_themselves() -> None:
    text = "他读了《王小明传奇故事》和《abcd》"
    assert [text[start:end] for start, end in hints.works(text)] == ["王小明传奇故事"]


def test_rules_are_linear_in_the_text() -> None:
    for text in (
        "王" * 20_000,
        "王总" * 10_000,
        "·阿" * 10_000,
        "姓名：" * 7_000,
        "《" * 20_000,
        "记者王" * 7_000,
        "王、" * 9_000,
    ):
        hints.rule_spans(text, None)
        hints.titled(text, np.ones(len(text)))
        hints.dotted(text, np.ones(len(text)))
        hints.coordinated(text, [NameSpan(0, 1, "person", 0.9, "m")], None)
        hints.works(text)
