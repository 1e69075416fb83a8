"""Recorded bytes, bent and cut: nothing but the declared errors comes out, and a cut changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fuzz_kit as kit

ANSWERS = kit.seeds("<< upstream")
REQUESTS = kit.seeds(">> client")
SOME = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
WORDS = (
    b"null",
    b'"',
    b"{}",
    b"[]",
    b"-1",
    b"1e999",
    b"\xff",
    b"\\ud800",
    b"data: ",
    b"\n\n",
    b"[DONE]",
    b"true",
    b'"type"',
)


@st.composite
def bent(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """A recorded body with some of its bytes replaced, cut out or said twice."""
    data = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data = data[:start] + draw(st.sampled_from((*WORDS, data[start:end] * 2, b""))) + data[end:]
    return data


def bodies_of(codec: str) -> list[bytes]:
    return ANSWERS.get(codec) or [body for bodies in ANSWERS.values() for body in bodies]


@pytest.mark.parametrize("name", [name for name, codec in kit.CODECS.items() if codec.operation in kit.STREAMED])
@SOME
@given(st.data())
def test_a_stream_ends_in_chunks_or_declared_faults_however_it_is_cut(name: str, data: st.DataObject) -> None:
    body = data.draw(bent(bodies_of(name)))
    marks = data.draw(st.lists(st.integers(0, len(body)), max_size=6))
    kit.check_stream(name, body, marks, is_lane=data.draw(st.booleans()))


@pytest.mark.parametrize("name", kit.CODECS)
@SOME
@given(st.data())
def test_a_body_is_an_answer_or_a_declared_fault(name: str, data: st.DataObject) -> None:
    body = data.draw(bent(bodies_of(name)))
    kit.check_answer(name, body)
    kit.check_error(name, body, data.draw(st.integers(300, 599)))


@pytest.mark.parametrize("name", kit.DIALECTS)
@SOME
@given(st.data())
def test_a_request_is_understood_or_refused_with_a_declared_error(name: str, data: st.DataObject) -> None:
    bodies = REQUESTS.get(name) or [body for bodies in REQUESTS.values() for body in bodies]
    kit.check_request(name, data.draw(bent(bodies)), data.draw(st.integers(0, 11)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        # Found by the fuzzer: what a typed reading skips need not be UTF-8, or JSON at all.
        ("openai", b'data: {"\x89": 1, "choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","function":{}}]}}]}\n\n'),
        (
            "openai",
            b'data: {"\xff":1,\ndata: "choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n',
        ),
        ("openai_responses", b'data: {"type":"response.created", "x": [nul\ndata: l], "response": {"id":"r"}}\n\n'),
        ("gemini", b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}],\ndata: "\xff":1}\n\n'),
    ],
)
@pytest.mark.parametrize("is_lane", [False, True])
def test_what_the_fuzzer_found_stays_found(name: str, data: bytes, is_lane: bool) -> None:
    kit.check_stream(name, data, [len(data) // 2], is_lane=is_lane)


def test_there_is_a_check_for_every_codec_and_every_dialect() -> None:
    assert {f"codec:{name}" for name in kit.CODECS} | {f"dialect:{name}" for name in kit.DIALECTS} == set(kit.CHECKS)
