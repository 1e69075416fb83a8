"""Log-probabilities are asked for and noted; who did not ask for them sees an answer without."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from yuzui.core.target import Quirks, Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.providers import anthropic, openai
from yuzui.providers._log_probabilities import OddsCodec, tells_odds

TARGET = Target(
    name="t", provider="vllm", codec="openai", model="real", base_url="http://x.test/v1", premises="own", clearance=0,
    jurisdiction="",
)  # fmt: skip
TOKENS = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -2}, {"token": "c"}, {"logprob": "x"}]
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}  # Any: JSON


def whole(logprobs: object) -> bytes:
    message = {"role": "assistant", "content": "ab"}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    return json.dumps({"id": "x", "model": "m", "choices": [choice], "own_field": 7}).encode()


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_whole_answer(is_asked: bool) -> None:
    codec = OddsCodec(openai.CODEC)
    request = DIALECT.read_request({**ASKED, **({"logprobs": True} if is_asked else {})})
    wire = codec.write_request(request, TARGET, output_cap=None)
    assert json.loads(wire.body)["logprobs"] is True
    answer = codec.read_response(whole({"content": TOKENS}), wire)
    assert codec.odds == [-0.5, -2.0]
    told = json.loads(answer.raw)
    assert told["own_field"] == 7 and (told["choices"][0]["logprobs"] is None) != is_asked


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_stream_of_any_cut(is_asked: bool) -> None:
    request = DIALECT.read_request({**ASKED, "stream": True, **({"logprobs": True} if is_asked else {})})
    deltas = [({"content": "a"}, TOKENS[:1]), ({"content": "b"}, TOKENS[1:]), ({}, None)]
    data = b"".join(
        b"data: " + json.dumps({"id": "x", "choices": [{
            "index": 0, "delta": delta, "logprobs": {"content": told} if told else None,
            "finish_reason": None if delta else "stop"}]}).encode() + b"\n\n"
        for delta, told in deltas
    ) + b"data: [DONE]\n\n"  # fmt: skip
    for size in (1, 7, len(data)):
        codec = OddsCodec(openai.CODEC)
        decoder = codec.decoder(codec.write_request(request, TARGET, output_cap=None))
        chunks = [chunk for at in range(0, len(data), size) for chunk in decoder.feed(data[at : at + size])]
        decoder.close()
        assert codec.odds == [-0.5, -2.0]
        assert any(b"-0.5" in chunk.raw for chunk in chunks) == is_asked
        assert "".join(delta.text for chunk in chunks for delta in chunk.deltas) == "ab"


@pytest.mark.parametrize("body", [whole(None), whole({"content": None}), whole({}), b'{"logprobs": '])
def test_answers_without_any_stay_readable(body: bytes) -> None:
    codec = OddsCodec(openai.CODEC)
    assert codec.odds == [] and codec.take(body)
    assert codec.odds == []


def test_who_can_be_asked() -> None:
    assert tells_odds(openai.CODEC, TARGET)
    assert not tells_odds(anthropic.CODEC, TARGET)
    assert not tells_odds(openai.CODEC, replace(TARGET, features=TARGET.features - {"logprobs"}))
    assert not tells_odds(openai.CODEC, replace(TARGET, quirks=Quirks(drops=frozenset(("logprobs",)))))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"choices": 5, "logprobs": 1}',
        b'{"choices": [{"index": 0, "logprobs": {"content": 5}}]}',
        b'{"choices": [{"index": 0, "logprobs": {"content": [{"logprob": ' + b"9" * 400 + b"}]}}]}",
    ],
)
def test_a_server_that_says_nonsense_breaks_nothing(raw: bytes) -> None:
    codec = OddsCodec(openai.CODEC)
    assert b"9" * 400 not in codec.take(raw) and codec.odds == []
