"""How people write a value again, and what says too little to be sought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.variants import MOST_CHARS, MOST_WORDS, forms_of, numbers_in


def strong(kind: str, value: str) -> set[str]:
    return {" ".join(form.words) for form in forms_of(kind, value) if not form.is_weak}


def weak(kind: str, value: str) -> set[str]:
    return {" ".join(form.words) for form in forms_of(kind, value) if form.is_weak and not form.is_titled}


def titled(kind: str, value: str) -> set[str]:
    return {" ".join(form.words) for form in forms_of(kind, value) if form.is_titled}


def test_chinese_names() -> None:
    assert strong("person", "王小明") == {"王 小 明", "wang xiaoming", "xiaoming wang", "wangxiaoming", "xiaomingwang"}
    assert titled("person", "王小明") == {"王", "wang"}
    assert titled("person", "王") == {"王"} and all(one.is_titled for one in forms_of("person", "王"))
    assert "张 伟" in weak("person", "张伟") and "zhang wei" in strong("person", "张伟")
    assert strong("person", "李娜") == set() and "li na" in weak("person", "李娜")
    assert titled("person", "欧阳修") == {"欧 阳", "ouyang"}


def test_latin_names() -> None:
    assert strong("person", "Dr. John Smith") == {"john smith", "smith john", "johnsmith", "smithjohn"}
    assert titled("person", "Dr. John Smith") == {"smith"}
    assert "j smith" in weak("person", "John Smith")
    assert strong("person", "Li") == set() and weak("person", "Li") == {"li"}
    assert {"maria garcia", "garcia lopez maria", "lopez maria"} & strong("person", "Maria Garcia-Lopez")


def test_mail_addresses() -> None:
    assert strong("email", "zhang.wei83@corp.example") == {"zhang wei83 corp example", "zhang wei83", "zhangwei83"}
    assert strong("email", "info@corp.example") == {"info corp example"}
    assert weak("email", "wei.l@corp.example") == set()
    assert weak("email", "annabel@corp.example") == {"annabel"}


def test_numbers_lose_their_gaps_and_the_code_of_the_country() -> None:
    numbers = {form.words[0] for form in forms_of("cn_mobile", "+86 138-1234-5678") if form.is_number}
    assert numbers == {"8613812345678", "13812345678"}
    assert not [form for form in forms_of("postcode", "100 080") if form.is_number]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("person", ""), ("person", "  "), ("password", "short"), ("organization", "IBM"), ("email", "@"), ("person", "Dr."),
     ("postal_address", "x" * (MOST_CHARS + 1)), ("terms", "the a")],
)  # fmt: skip
def test_what_says_too_little_is_not_sought(kind: str, value: str) -> None:
    assert strong(kind, value) <= {" ".join(value.lower().split())} - {value.lower()} or not strong(kind, value)


def test_secrets_and_addresses_are_sought_as_they_are() -> None:
    assert strong("password", "Tr0ub4dor&3x") == {"tr0ub4dor 3x"}
    assert "北 京 市 朝 阳 区" in strong("postal_address", "北京市朝阳区")


@given(st.sampled_from(("person", "email", "cn_mobile", "iban", "password", "own_kind")), st.text(max_size=60))
def test_any_value_has_bounded_forms(kind: str, value: str) -> None:
    forms = forms_of(kind, value)
    assert len(forms) < 60
    assert all(0 < len(form.words) <= MOST_WORDS and all(form.words) for form in forms)


def test_numbers_are_found_with_their_gaps_and_whole() -> None:
    text = "call (138) 1234-5678 or +86 139 0000 0000; v1.2.3 on 2026-11"
    assert [digits for _, _, digits in numbers_in(text)] == ["13812345678", "8613900000000"]
    start, end, _ = next(numbers_in(text))
    assert text[start:end] == "(138) 1234-5678"
    assert list(numbers_in("a1234567890b")) == []
