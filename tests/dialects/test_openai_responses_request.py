"""Every field of a Responses request, what becomes of it, and what is said of a wrong one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, get_args, get_type_hints

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseInputItemParam, ToolParam
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, Meaning, TextPart
from yuzui.core.errors import ClientFault, InvalidRequest, UnsupportedFeature
from yuzui.dialects import openai_responses_wire as wire
from yuzui.dialects.openai_responses import DIALECT
from yuzui.dialects.openai_responses_request import FIELDS, parse
from yuzui.dialects.openai_responses_state import list_input_items

FACTS = AnswerFacts(request_id="req_a")
ANSWER = ChatResponse(
    id="v",
    model="m",
    created_s=0,
    choices=(Choice(index=0, parts=(TextPart(text="Hi"),), finish_reason="stop"),),
    usage=None,
)
SAID = {"role": "user", "content": "Hi"}


def body(**changes: Any) -> dict[str, Any]:  # Any: JSON values
    return {"model": "auto", "input": "Hi", **changes}


def with_part(**part: Any) -> dict[str, Any]:  # Any: JSON values
    return body(input=[{"role": "user", "content": [part]}])


def with_tool(**tool: Any) -> dict[str, Any]:  # Any: JSON values
    return body(tools=[tool])


def kinds_of(union: Any) -> set[str]:  # Any: a union of typed dictionaries
    """What may stand in `type` of the members of `union`."""
    kinds: set[str] = set()
    for member in get_args(union):
        hint = get_type_hints(member).get("type")
        for one in get_args(hint) or (hint,):
            kinds |= {word for word in (get_args(one) or (one,)) if isinstance(word, str)}
    return kinds


def test_every_field_of_the_official_client_is_in_the_table() -> None:
    official = set(get_type_hints(ResponseCreateParamsBase)) | {"stream"}
    assert official == set(FIELDS), openai.__version__
    assert set(FIELDS) <= set(wire.WireResponses.__struct_fields__)


@pytest.mark.parametrize("kind", sorted(kinds_of(ResponseInputItemParam)))
def test_every_kind_of_item_is_accepted_and_what_a_vendor_runs_asks_for_a_target_that_does(kind: str) -> None:
    common = {"id": "x_1", "call_id": "c", "name": "n", "arguments": "{}", "input": "", "output": "", "role": "user"}
    item = {**common, "type": kind, "content": [], "tools": []}
    asked, features = parse(body(input=[item]))
    assert isinstance(asked.input, list)
    is_vendors = isinstance(asked.input[0], wire.OpaqueItem) and kind != "web_search_call"
    assert ("server_tools" in features) is is_vendors
    assert is_vendors == (kind not in known_items() | {"web_search_call"})


def known_items() -> set[str]:
    return {member.__struct_config__.tag for member in get_args(wire.Item)} - {"?"}


@pytest.mark.parametrize("kind", sorted(kinds_of(ToolParam)))
def test_every_kind_of_tool_is_accepted_and_asks_for_a_target_that_has_it(kind: str) -> None:
    _, features = parse(with_tool(type=kind, name="t", tools=[], parameters={}))
    own = {"function": "tools", "custom": "tools", "namespace": "tools"}
    expected = "web_search" if kind.startswith("web_search") else own.get(kind, "server_tools")
    assert features == {expected}


@pytest.mark.parametrize(
    ("wrong", "param", "said"),
    [
        ({}, "model", "add it"),
        ({"model": "m"}, "input", "send a string or an array of items"),
        ({"model": "m", "input": []}, "input", "send a string or an array of items"),
        ({"model": "m", "input": 5}, "input", "expected a string or an array, got an integer"),
        (body(input=[5]), "input[0]", "expected an object"),
        (body(input=[{"role": "x", "content": "a"}]), "input[0].role", "use user, assistant, system or developer"),
        (body(input=[{"role": "user"}]), "input[0].content", "add it"),
        (body(input=[{"type": ["x"], "role": "user"}]), "input[0].type", "expected a string"),
        (body(input=[{"type": "function_call", "name": "f", "arguments": "{}"}]), "input[0].call_id", "add it"),
        (body(input=[SAID, {"type": "function_call_output", "call_id": "c"}]), "input[1].output", "add it"),
        (with_part(type="text", text="a"), "input[0].content[0].type", "use input_text, input_image"),
        (with_part(type="input_image"), "input[0].content[0].image_url", "send it or `file_id`"),
        (with_part(type="input_image", image_url="file:///etc/x"), "input[0].content[0].image_url", "https://"),
        (with_part(type="input_file", file_url="gopher://x"), "input[0].content[0].file_url", "https://"),
        (with_part(type="input_file", filename="a"), "input[0].content[0].file_data", "`file_url` or `file_id`"),
        (
            body(input=[{"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_image"}]}]),
            "input[0].output[0].image_url",
            "file_id",
        ),
        (with_tool(type="function"), "tools[0].name", "add it"),
        (with_tool(type="function", function={"name": "f"}), "tools[0].name", "add it"),
        (with_tool(type="function", name="a\nb"), "tools[0].name", "control character"),
        (with_tool(type=5), "tools[0].type", "expected a string"),
        (
            with_tool(type="namespace", name="n", tools=[{"type": "mcp"}]),
            "tools[0].tools[0].type",
            "function or custom",
        ),
        (body(tools=[5]), "tools[0]", "expected an object"),
        (body(tool_choice="any"), "tool_choice", "none, auto, required"),
        (body(text={"format": {"type": "xml"}}), "text.format.type", "json_schema"),
        (body(text={"format": {"type": "json_schema", "name": "n"}}), "text.format.schema", "add it"),
        (body(text={"verbosity": "loud"}), "text.verbosity", "low, medium or high"),
        (body(reasoning={"effort": "huge"}), "reasoning.effort", "xhigh or max"),
        (body(truncation="middle"), "truncation", "auto or disabled"),
        (body(max_output_tokens=0), "max_output_tokens", "1"),
        (body(temperature=3), "temperature", "2"),
        (body(top_logprobs=21), "top_logprobs", "20"),
        (body(store="yes"), "store", "a boolean"),
        (body(metadata={"a": 1}), "metadata[...]", "a string"),
        (body(metadata={"conversation_id": "a\r"}), "metadata.conversation_id", "control character"),
        (body(previous_response_id="resp\n1"), "previous_response_id", "control character"),
        (body(user="a\x00"), "user", "control character"),
        (body(messages=[SAID]), "messages", "send `input`"),
        (body(max_tokens=5), "max_tokens", "send `max_output_tokens`"),
        (body(response_format={"type": "json_object"}), "response_format", "send `text.format`"),
        (body(Instructions="x"), "Instructions", "send `instructions`"),
        (body(background=True), "background", "stream it"),
        (body(conversation="conv_1", previous_response_id="resp_1"), "previous_response_id", "send one of them"),
    ],
)
def test_an_error_names_the_field_and_what_to_change(wrong: dict[str, Any], param: str, said: str) -> None:
    with pytest.raises(ClientFault) as raised:
        DIALECT.read_request(wrong)
    assert raised.value.param == param
    assert said in raised.value.message
    assert raised.value.status == 400
    assert isinstance(raised.value, InvalidRequest | UnsupportedFeature)


@pytest.mark.parametrize(
    ("asked", "features"),
    [
        (body(), set()),
        (body(tools=[]), set()),
        (body(text={"format": {"type": "text"}}), set()),
        (body(text={"format": {"type": "json_object"}}), {"json_schema"}),
        (body(top_logprobs=3), {"logprobs"}),
        (body(top_logprobs=0), set()),
        (body(include=["message.output_text.logprobs"]), {"logprobs"}),
        (body(include=["reasoning.encrypted_content"]), set()),
        (with_part(type="input_image", file_id="f"), {"images"}),
        (with_part(type="input_file", file_id="f"), {"files"}),
        (with_part(type="input_audio", input_audio={"data": "", "format": "wav"}), {"audio"}),
        (
            body(
                input=[
                    {
                        "type": "function_call_output",
                        "call_id": "c",
                        "output": [{"type": "input_image", "file_id": "f"}],
                    }
                ]
            ),
            {"images"},
        ),
        (
            body(input=[SAID, {"type": "additional_tools", "role": "developer", "tools": [{"type": "mcp"}]}]),
            {"server_tools"},
        ),
        (body(input=[SAID, {"type": "?"}]), {"server_tools"}),
    ],
)
def test_a_request_tells_what_its_target_must_be_able_to_do(asked: dict[str, Any], features: set[str]) -> None:
    assert DIALECT.read_request(asked).features == features


def test_what_a_request_says_of_itself_is_read() -> None:
    request = DIALECT.read_request(
        body(
            stream=True,
            max_output_tokens=50,
            metadata={"conversation_id": "c-1"},
            store=False,
            previous_response_id="resp_9",
        )
    )
    assert (request.model, request.stream, request.max_output_tokens) == ("auto", True, 50)
    assert (request.conversation_id, request.follows, request.keeps) == ("c-1", "resp_9", False)


@pytest.mark.parametrize(("store", "keeps"), [(None, True), (True, True), (False, False)])
def test_an_answer_is_kept_unless_the_client_says_otherwise(store: bool | None, keeps: bool) -> None:
    assert DIALECT.read_request(body(store=store)).keeps is keeps


def test_a_request_that_only_continues_needs_no_input() -> None:
    request = DIALECT.read_request({"model": "auto", "previous_response_id": "resp_1"})
    assert request.follows == "resp_1"


def test_null_is_the_same_as_left_out() -> None:
    nothing = dict.fromkeys(FIELDS.keys() - {"model", "input"})
    assert DIALECT.read_request(body(**nothing)).features == frozenset()


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"a": "\ud800"}},
        {"tools": [{"type": "function", "name": "f", "x": "\ud800"}], "store": False},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "description": "\ud800"}}},
        {"input": [{"role": "user", "content": "a", "x": "\ud800"}]},
        {"safety_identifier": "\ud800", "store": False},
    ],
)
def test_half_a_character_is_refused_before_an_answer_would_have_to_repeat_it(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="lone surrogate"):
        DIALECT.read_request(body(**changes))


def test_a_kind_that_is_no_name_is_not_repeated() -> None:
    asked, _ = parse(body(input=[{"type": "a b\n"}], tools=[{"type": "x" * 65}]))
    assert asked.input == [wire.OpaqueItem(kind="unknown")]
    assert asked.tools == [wire.OpaqueTool(kind="unknown")]


# ---- whatever comes, only declared errors ---------------------------------------------------------------------------

KEYS = sorted(
    set(FIELDS)
    | {"type", "role", "content", "id", "call_id", "name", "arguments", "output", "summary", "encrypted_content"}
    | {"text", "image_url", "file_data", "detail", "format", "schema", "effort", "mode", "namespace", "action"}
)
WORDS = sorted(
    kinds_of(ResponseInputItemParam)
    | kinds_of(ToolParam)
    | {
        "?",
        "user",
        "assistant",
        "input_text",
        "output_text",
        "input_image",
        "input_file",
        "auto",
        "high",
        "json_schema",
    }
    | {"yz1.", "data:image/png;base64,", "https://x.test", "msg_a_0"}
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=5)
    | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=30,
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6) | JSON, max_size=4)


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8), st.none() | ITEMS, st.none() | ITEMS)
def test_a_body_of_any_shape_is_a_request_or_an_error_of_the_client(
    found: dict[str, Any], items: list[Any] | None, tools: list[Any] | None
) -> None:
    if items is not None:
        found["input"] = items
    if tools is not None:
        found["tools"] = tools
    found.setdefault("model", "auto")
    before = json.dumps(found)
    try:
        request = DIALECT.read_request(found)
        with suppress(ClientFault):
            assert isinstance(request.meaning, Meaning)
        answer = DIALECT.write_response(ANSWER, request, FACTS)
        DIALECT.stream_writer(request, FACTS).finish({})
        kept = DIALECT.to_keep(request, answer)
        list_input_items(kept, "")
        DIALECT.follow(DIALECT.read_request(body(previous_response_id="resp_1")), kept)
    except ClientFault as fault:
        assert "\n" not in fault.message
    assert json.dumps(found) == before, "the body is never changed in place"
