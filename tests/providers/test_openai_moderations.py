"""Verdicts on the lane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers.openai_moderations import CODEC


def test_counts_are_read_where_a_vendor_counts() -> None:
    body = b'{"results":[{"flagged":false}],"usage":{"prompt_tokens":4,"completion_tokens":0,"total_tokens":4}}'
    found = CODEC.read_response(body)
    assert (found.usage, found.raw, found.raw_dialect) == (Usage(input_tokens=4), body, "openai_moderations")
    assert CODEC.read_response(b'{"results":[{}]}').usage is None


def test_nothing_is_translated() -> None:
    target = Target(
        name="t", provider="p", codec="openai", model="m", base_url="https://x.test", premises="own", clearance=0,
        jurisdiction="",
    )  # fmt: skip
    chat = ChatRequest(dialect="x", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target, output_cap=None)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)
