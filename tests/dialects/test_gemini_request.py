"""What a generateContent request may say, in tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import Feature, RequestLine
from yuzui.core.errors import ClientFault, InvalidRequest, NotFound
from yuzui.dialects.gemini import DIALECT
from yuzui.dialects.gemini_request import (
    FIELDS,
    GENERATION,
    Generate,
    GenerationConfig,
    in_camel_case,
    is_sse,
    parse,
    read_path,
)

METHODS = frozenset({"generateContent", "streamGenerateContent"})
TEXT = {"contents": [{"parts": [{"text": "hi"}]}]}
LINE = RequestLine(path="/v1beta/models/auto:generateContent")


@pytest.mark.parametrize(
    ("path", "model", "method"),
    [
        ("/v1beta/models/auto:generateContent", "auto", "generateContent"),
        ("/v1/models/auto:streamGenerateContent", "auto", "streamGenerateContent"),
        ("/v1beta/models/team/qwen:7b:generateContent", "team/qwen:7b", "generateContent"),
        ("/v1beta/tunedModels/mine:generateContent", "tunedModels/mine", "generateContent"),
        ("/v1/projects/p/locations/l/publishers/google/models/auto:generateContent", "auto", "generateContent"),
        ("/v1beta1/projects/p/locations/l/publishers/qwen/models/q3:generateContent", "qwen/q3", "generateContent"),
        ("/v1/projects/p/locations/l/endpoints/7:generateContent", "endpoints/7", "generateContent"),
        ("/v1beta1/publishers/google/models/auto:generateContent", "auto", "generateContent"),
    ],
)
def test_model_and_method_come_from_the_path(path: str, model: str, method: str) -> None:
    assert read_path(RequestLine(path=path), METHODS) == (model, method)


@pytest.mark.parametrize("path", ["", "/v1beta/models/:generateContent", "/v1beta/models/auto", "/v1/models/a:predict"])
def test_a_path_without_a_known_method_is_not_found(path: str) -> None:
    with pytest.raises(NotFound, match="generateContent"):
        read_path(RequestLine(path=path), METHODS)


@pytest.mark.parametrize("model", ["a" * 257, "a\x07b", "a\u2028"])
def test_a_models_name_that_could_reach_a_log_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequest, match="model's name"):
        read_path(RequestLine(path=f"/v1beta/models/{model}:generateContent"), METHODS)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [("alt=sse", True), ("key=x&alt=sse", True), ("", False), ("alt=json", False), ("xalt=sse", False)],
)
def test_events_are_sent_only_when_asked_for(query: str, wanted: bool) -> None:
    line = RequestLine(path="/v1beta/models/auto:streamGenerateContent", query=query)
    assert is_sse(line) is wanted
    request = DIALECT.read_request(TEXT, line)
    assert request.stream
    assert DIALECT.answer_type(request).startswith("text/event-stream") is wanted


def test_snake_case_is_read_as_google_reads_it() -> None:
    body = {
        "contents": {"role": "USER", "parts": {"function_call": {"name": "f", "args": {"snake_key": {"a_b": 1}}}}},
        "generation_config": {"max_output_tokens": "12", "thinking_config": {"include_thoughts": True}},
    }
    wire = parse(in_camel_case(body))
    config = wire.generation_config
    assert config is not None and config.max_output_tokens == 12
    assert config.thinking_config is not None and config.thinking_config.include_thoughts
    content = wire.contents
    assert not isinstance(content, list) and content is not None
    part = content.parts
    assert not isinstance(part, list) and part is not None and part.function_call is not None
    assert part.function_call.args == {"snake_key": {"a_b": 1}}, "the client's own words keep their spelling"


def test_a_body_in_camel_case_is_not_copied() -> None:
    assert in_camel_case(TEXT) is TEXT


@pytest.mark.parametrize(
    "body",
    [
        TEXT | {"generationConfig": {"topK": 1, "top_k": 2}},
        TEXT | {"system_instruction": {"parts": []}, "systemInstruction": {"parts": []}},
        {"contents": [{"parts": [{"inlineData": {"data": "a", "mimeType": "x", "mime_type": "y"}}]}]},
    ],
)
def test_the_same_field_in_two_spellings_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="two spellings"):
        in_camel_case(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "`contents` is missing or empty"),
        ({"contents": []}, "`contents` is missing or empty"),
        ({"contents": "hi"}, "`contents`: expected an object or an array, got a string"),
        ({"contents": [{"parts": [{"text": 5}]}]}, r"`contents\[0\].parts\[0\].text`: expected a string"),
        ({"contents": [{"parts": [{"text": "a", "functionCall": {"name": "f"}}]}]}, "several kinds of data"),
        ({"contents": [{"parts": [{"functionCall": {}}]}]}, r"functionCall.name` is missing"),
        ({"contents": [{"parts": [{"functionResponse": {"name": "a\n"}}]}]}, "control character"),
        (TEXT | {"generationConfig": {"temperature": 3}}, "`generationConfig.temperature`"),
        (TEXT | {"generationConfig": {"maxOutputTokens": 0}}, "`generationConfig.maxOutputTokens`"),
        (TEXT | {"tools": [{"functionDeclarations": [{}]}]}, r"`tools\[0\].functionDeclarations\[0\].name` is missing"),
    ],
)
def test_a_wrong_body_is_refused_with_the_place(body: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        parse(body)


def media(kind: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"inlineData": {"mimeType": kind, "data": "AAAA"}}]}]}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (TEXT, set()),
        (TEXT | {"tools": [{"functionDeclarations": []}]}, set()),
        (TEXT | {"tools": [{"functionDeclarations": [{"name": "f"}]}]}, {"tools"}),
        (TEXT | {"tools": {"googleSearch": {}}}, {"web_search"}),
        (TEXT | {"tools": [{"codeExecution": {}}, {"urlContext": {}}]}, {"server_tools"}),
        (TEXT | {"tools": [{"toolOfTomorrow": {}}]}, {"server_tools"}),
        (TEXT | {"generationConfig": {"responseMimeType": "application/json"}}, {"json_schema"}),
        (TEXT | {"generationConfig": {"responseMimeType": "text/plain"}}, set()),
        (TEXT | {"generationConfig": {"responseJsonSchema": {"type": "object"}}}, {"json_schema"}),
        (TEXT | {"generationConfig": {"responseFormat": {"text": {"mimeType": "APPLICATION_JSON"}}}}, {"json_schema"}),
        (TEXT | {"generationConfig": {"responseLogprobs": True}}, {"logprobs"}),
        (TEXT | {"generationConfig": {"candidateCount": 2}}, {"n"}),
        (TEXT | {"generationConfig": {"responseModalities": ["AUDIO"]}}, {"audio"}),
        (media("image/png"), {"images"}),
        (media("audio/wav"), {"audio"}),
        (media("application/pdf"), {"files"}),
        (media("video/mp4"), {"files"}),
        (
            {
                "contents": [
                    {
                        "parts": [
                            {"functionResponse": {"name": "f", "parts": [{"inlineData": {"mimeType": "image/png"}}]}}
                        ]
                    }
                ]
            },
            {"images"},
        ),
    ],
)
def test_features_are_what_a_target_must_be_able_to_do(body: dict[str, Any], wanted: set[Feature]) -> None:
    assert DIALECT.read_request(body, LINE).features == wanted


def test_bounds_are_read() -> None:
    body = TEXT | {"generationConfig": {"candidateCount": 3, "maxOutputTokens": 7}}
    request = DIALECT.read_request(body, LINE)
    assert (request.model, request.n, request.max_output_tokens, request.stream) == ("auto", 3, 7, False)
    assert request.body is body


def test_every_typed_field_has_a_fate() -> None:
    assert set(Generate.__struct_encode_fields__) <= FIELDS.keys()
    assert set(GenerationConfig.__struct_encode_fields__) <= GENERATION.keys()
    assert GENERATION["topK"] == "knob"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [*FIELDS, *GENERATION, "parts", "role", "text", "function_call", "inlineData", "functionResponse"]
)
BODIES = st.recursive(
    JSON, lambda inner: st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=2), max_leaves=20
)


@given(body=st.dictionaries(KEYS, BODIES, max_size=5), text=st.booleans())
def test_any_body_is_a_request_or_the_clients_fault(body: dict[str, Any], text: bool) -> None:
    try:
        request = DIALECT.read_request(body | TEXT if text else body, LINE)
        assert request.meaning.messages is not None
    except ClientFault as fault:
        assert fault.message


def test_deep_nesting_is_the_clients_fault() -> None:
    deep: Any = {"a_b": 1}
    for _ in range(3000):
        deep = {"x": deep}
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        DIALECT.read_request(TEXT | {"generationConfig": deep}, LINE)
