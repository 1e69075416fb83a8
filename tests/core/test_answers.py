"""Answers of operations other than chat."""

from __future__ import annotations

from yuzui.core.answers import Blob, Count
from yuzui.core.usage import Usage


def test_counting_consumes_nothing_and_a_blob_says_nothing_unless_it_does() -> None:
    assert Count(input_tokens=9).usage == Usage()
    assert Blob(usage=None, raw=b"RIFF", raw_dialect="openai_speech").texts == ()
