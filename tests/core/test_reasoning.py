"""Thoughts travel sealed, and return only where they came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ReasoningPart
from yuzui.core.reasoning import MAX_SEALED_CHARS, PREFIX, may_return, seal, unseal

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.booleans())
def test_what_is_sealed_comes_back(text: str, signature: str, redacted: str, name: str, is_summary: bool) -> None:
    part = ReasoningPart(
        text=text, signature=signature, redacted=redacted, id=name, is_summary=is_summary, origin="deepseek"
    )
    sealed = seal(part)
    assert sealed.isascii() and sealed.isprintable()
    assert unseal(sealed, text) == part


def test_the_text_is_inside_for_clients_that_return_the_seal_alone() -> None:
    sealed = seal(ReasoningPart(text="t"), "deepseek", with_text=True)
    alone, beside = unseal(sealed), unseal(sealed, "as it came back")
    assert alone is not None and alone.text == "t"
    assert beside is not None and beside.text == "as it came back"


def test_the_answering_provider_is_stamped_where_the_part_does_not_say() -> None:
    found = unseal(seal(ReasoningPart(text="", signature="s"), "google"))
    assert found is not None and found.origin == "google"


@pytest.mark.parametrize(
    "text", ["", "EqQBCgIYAhIM", PREFIX, PREFIX + "!", PREFIX + "AAAA", PREFIX + "é", PREFIX + "A" * MAX_SEALED_CHARS]
)
def test_what_is_not_ours_is_nobodys_seal(text: str) -> None:
    assert unseal(text) is None


def test_a_thought_returns_to_its_origin_its_relatives_or_if_unknown_to_anyone() -> None:
    part = ReasoningPart(text="t", origin="anthropic")
    assert may_return(part, "anthropic")
    assert may_return(part, "bedrock", frozenset({"anthropic"}))
    assert not may_return(part, "openai")
    assert may_return(ReasoningPart(text="t"), "openai")
