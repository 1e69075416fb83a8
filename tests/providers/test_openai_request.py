"""Requests of other dialects, as chat-completions bodies; and the way back: read(write(x)) == x."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Quirks, Target
from yuzui.dialects.openai_chat_meaning import read_meaning
from yuzui.providers.openai_request import Dropped, body_of_meaning

FULL = Meaning(
    messages=(
        Message(role="system", parts=(TextPart(text="be brief"),)),
        Message(role="user", parts=(TextPart(text="a"), ImagePart(data="AAAA", media_type="image/png")), name="ann"),
        Message(role="user", parts=(TextPart(text="b"), ImagePart(url="https://x.test/i.png", detail="low"))),
        Message(role="assistant", parts=(TextPart(text="c"), ToolCallPart(id="1", name="f", arguments='{"x":1}'))),
        Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(TextPart(text="r"),)),)),
    ),
    tools=(ToolSpec(name="f", description="d", parameters={"type": "object"}, is_strict=True), ToolSpec(name="g")),
    tool_choice=ToolChoice(mode="named", name="f"),
    response_format=ResponseFormat(kind="json_schema", name="p", schema={"type": "object"}, is_strict=True),
    temperature=0.5,
    top_p=0.9,
    stop=("x", "y"),
    parallel_tool_calls=False,
    reasoning_effort="low",
    user="u",
    knobs={"seed": 1},
)


def target_with(quirks: Quirks = Quirks(), provider: str = "vllm") -> Target:  # noqa: B008 - frozen
    return Target(
        name="t", provider=provider, codec="openai", model="m", base_url="", premises="own", clearance=0,
        jurisdiction="", quirks=quirks,
    )  # fmt: skip


def written(
    meaning: Meaning, dropped: list[str] | None = None, target: Target | None = None
) -> dict[str, Any]:  # Any: JSON values
    request = ChatRequest(dialect="anthropic_messages", model="m", body={}, read_meaning=lambda body: meaning)
    drop = Dropped()
    body = body_of_meaning(request, target or target_with(), drop)
    if dropped is not None:
        dropped += drop.names
    return body


@pytest.mark.parametrize(
    "meaning",
    [
        FULL,
        Meaning(messages=FULL.messages, tool_choice=ToolChoice(mode="required"), response_format=None),
        Meaning(messages=FULL.messages, response_format=ResponseFormat(kind="json_object")),
    ],
)
def test_what_is_written_means_the_same_when_read_again(meaning: Meaning) -> None:
    assert read_meaning({"model": "m", **written(meaning)}) == meaning


def test_several_tool_results_in_one_turn_become_messages_before_its_text() -> None:
    parts: tuple[Part, ...] = (
        ToolResultPart(call_id="1", parts=(TextPart(text="a"),)),
        ToolResultPart(call_id="2", parts=(TextPart(text="b"),)),
        TextPart(text="go on"),
    )
    assert written(Meaning(messages=(Message(role="user", parts=parts),)))["messages"] == [
        {"role": "tool", "tool_call_id": "1", "content": "a"},
        {"role": "tool", "tool_call_id": "2", "content": "b"},
        {"role": "user", "content": "go on"},
    ]


def test_thoughts_of_another_vendors_model_are_dropped_and_reported_once() -> None:
    thought = Message(role="assistant", parts=(ReasoningPart(text="t", signature="s"), TextPart(text="a")))
    dropped: list[str] = []
    body = written(Meaning(messages=(thought, thought), knobs={"top_k": 1}), dropped)
    assert body["messages"][0] == {"role": "assistant", "content": "a"}
    assert dropped == ["reasoning", "top_k"]


def test_a_call_without_arguments_gets_the_empty_object() -> None:
    call = Message(role="assistant", parts=(ToolCallPart(id="1", name="f", arguments=""),))
    said = written(Meaning(messages=(call,)))["messages"][0]
    assert (said["content"], said["tool_calls"][0]["function"]["arguments"]) == (None, "{}")


@pytest.mark.parametrize(
    "message",
    [
        Message(role="user", parts=(OpaquePart(kind="document"),)),
        Message(role="assistant", parts=(OpaquePart(kind="server_tool_use"),)),
        Message(role="user", parts=(ToolResultPart(call_id="1", parts=(DocumentPart(data="AA"),)),)),
        Message(role="user", parts=(ImagePart(file_id="file-1"),)),
        Message(role="user", parts=(DocumentPart(url="https://x.test/a.pdf"),)),
        Message(role="assistant", parts=(DocumentPart(data="AA"),)),
    ],
)
def test_what_cannot_be_said_here_is_refused(message: Message) -> None:
    with pytest.raises(UnsupportedFeature):
        written(Meaning(messages=(message,)))


def test_pictures_of_tool_results_follow_behind_all_results() -> None:
    picture = ImagePart(data="AAAA", media_type="image/png")
    messages = (
        Message(
            role="assistant",
            parts=(ToolCallPart(id="1", name="f", arguments="{}"), ToolCallPart(id="2", name="f", arguments="{}")),
        ),
        Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(TextPart(text="a chart"), picture)),)),
        Message(role="tool", parts=(ToolResultPart(call_id="2", parts=(picture,)),)),
        Message(role="user", parts=(TextPart(text="so?"),)),
    )
    said = written(Meaning(messages=messages))["messages"]
    assert [message["role"] for message in said] == ["assistant", "tool", "tool", "user", "user"]
    assert (said[1]["content"], said[2]["content"]) == ("a chart", "[the result is in the images that follow]")
    assert [part["type"] for part in said[3]["content"]] == ["text", "image_url", "text", "image_url"]
    assert "1" in said[3]["content"][0]["text"] and "2" in said[3]["content"][2]["text"]
    assert said[4]["content"] == "so?"


THOUGHTS = Message(
    role="assistant", parts=(ReasoningPart(text="t", origin="deepseek"), TextPart(text="a"), ReasoningPart(text="u"))
)


@pytest.mark.parametrize(
    ("fields", "provider", "said", "dropped"),
    [
        ((), "deepseek", {}, ["reasoning"]),
        (("reasoning_content",), "deepseek", {"reasoning_content": "tu"}, []),
        (("reasoning_content", "reasoning"), "deepseek", {"reasoning_content": "tu", "reasoning": "tu"}, []),
        (("reasoning_content",), "moonshot", {"reasoning_content": "u"}, ["reasoning"]),  # one came from another vendor
    ],
)
def test_thoughts_return_to_their_vendor_in_its_own_field(
    fields: tuple[str, ...], provider: str, said: dict[str, str], dropped: list[str]
) -> None:
    names: list[str] = []
    target = target_with(Quirks(reasoning_fields=fields), provider)
    message = written(Meaning(messages=(THOUGHTS,)), names, target)["messages"][0]
    assert message == {"role": "assistant", "content": "a", **said}
    assert names == dropped


def test_signed_thoughts_return_as_details() -> None:
    thoughts = (
        ReasoningPart(text="t", signature="s", id="r1"), ReasoningPart(text="", redacted="xx"),
        ReasoningPart(text="short", is_summary=True),
    )  # fmt: skip
    target = target_with(Quirks(reasoning_fields=("reasoning_details",)), "openrouter")
    said = written(Meaning(messages=(Message(role="assistant", parts=thoughts),)), None, target)["messages"][0]
    assert said["reasoning_details"] == [
        {"type": "reasoning.text", "text": "t", "signature": "s", "id": "r1"},
        {"type": "reasoning.encrypted", "data": "xx"},
        {"type": "reasoning.summary", "summary": "short"},
    ]


@pytest.mark.parametrize(
    ("meaning", "takes", "effort", "dropped"),
    [
        ({"thinking_budget": 0}, (), None, ["thinking"]),
        ({"thinking_budget": 0}, ("effort_none",), "none", []),
        ({"thinking_budget": 1024}, (), "low", []),
        ({"thinking_budget": 4096}, (), "medium", []),
        ({"thinking_budget": 32_000}, (), "high", []),
        ({"thinking_budget": -1}, (), None, []),
        ({"reasoning_effort": "none"}, (), "none", []),
        ({"reasoning_effort": "xhigh", "thinking_budget": 10}, (), "xhigh", []),
    ],
)
def test_a_budget_of_thought_becomes_the_effort_that_is_near(
    meaning: dict[str, Any],
    takes: tuple[str, ...],
    effort: str | None,
    dropped: list[str],  # Any: a Meaning's fields
) -> None:
    names: list[str] = []
    target = target_with(Quirks(takes=frozenset(takes)))
    body = written(Meaning(messages=FULL.messages, **meaning), names, target)
    assert (body.get("reasoning_effort"), names) == (effort, dropped)


def test_documents_sound_and_the_webs_search_have_their_fields() -> None:
    parts = (
        DocumentPart(data="AAAA", media_type="application/pdf", title="a.pdf"),
        DocumentPart(text="words", title="Notes", wants_citations=True),
        AudioPart(data="UklG", media_type="audio/x-wav"),
        AudioPart(data="UklG", media_type="audio/mpeg"),
    )
    search = WebSearch(context_size="low", location={"country": "CN"}, most_uses=2)
    names: list[str] = []
    body = written(Meaning(messages=(Message(role="user", parts=parts),), web_search=search), names)
    assert body["messages"][0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "text", "text": "Notes\n\nwords"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "mp3"}},
    ]
    assert body["web_search_options"] == {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": {"country": "CN"}},
    }
    assert names == ["document.citations", "tools.web_search"]


def test_what_a_text_is_called_and_where_it_comes_from_is_said_with_it() -> None:
    found = DocumentPart(text="words", title="Notes", context="Source: https://x.test", wants_citations=True)
    result = Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(found,)),))
    dropped: list[str] = []
    body = written(Meaning(messages=(*FULL.messages[:-1], result)), dropped)
    assert body["messages"][-1]["content"] == "Notes\n\nSource: https://x.test\n\nwords"
    assert dropped == ["document.citations"]
    body = written(Meaning(messages=(Message(role="user", parts=(found,)),)))
    assert body["messages"][0]["content"] == "Notes\n\nSource: https://x.test\n\nwords"
    dropped.clear()
    pdf = DocumentPart(data="AAAA", context="c")
    written(Meaning(messages=(Message(role="user", parts=(pdf,)),)), dropped)
    assert dropped == ["document.context"]


def test_a_tool_that_the_vendor_would_have_to_run_is_refused_by_its_name() -> None:
    with pytest.raises(UnsupportedFeature, match="code_execution") as refused:
        written(Meaning(messages=FULL.messages, server_tools=("code_execution",)))
    assert refused.value.param == "tools"


def test_custom_tools_are_functions_here() -> None:
    call = ToolCallPart(id="1", name="patch", arguments="*** Begin", is_custom=True)
    tools = (ToolSpec(name="patch", is_custom=True),)
    body = written(Meaning(messages=(Message(role="assistant", parts=(call,)),), tools=tools))
    assert body["tools"][0]["function"]["parameters"]["required"] == ["input"]
    assert body["messages"][0]["tool_calls"][0]["function"]["arguments"] == '{"input":"*** Begin"}'


def test_what_tools_and_results_lose_is_reported() -> None:
    grammar = {"type": "grammar", "syntax": "regex", "definition": "a+"}
    marked = Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(TextPart(text="r", cache="1h"),)),))
    for meaning, name in (
        (Meaning(messages=FULL.messages, tools=(ToolSpec(name="c", is_custom=True, grammar=grammar),)), "tools.format"),
        (Meaning(messages=(*FULL.messages[:-1], marked)), "cache_control"),
    ):
        dropped: list[str] = []
        written(meaning, dropped)
        assert dropped == [name]
