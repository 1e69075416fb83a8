"""Requests in Google's words: tables for what wire cases would only repeat."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.answers import EmbeddingRequest
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
    RequestLine,
    ResponseFormat,
    Role,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.reasoning import seal
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.providers import gemini_count_tokens, gemini_embeddings
from yuzui.providers._gemini_models import traits_of
from yuzui.providers._gemini_turns import FOREIGN_CALL
from yuzui.providers.catalogue import codec_of, load_rows
from yuzui.providers.gemini import CODEC, ROW
from yuzui.providers.native_request import INVALID_ARGUMENTS

NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"
HI = Message(role="user", parts=(TextPart(text="hi"),))
TOOL = ToolSpec(name="f")
SEAL = b64encode(seal(ReasoningPart(text="", signature="sig"), "anthropic").encode()).decode()


def target(model: str = NEW, **changes: Any) -> Target:  # Any: fields of Target
    fields: dict[str, Any] = {  # Any: see above
        "name": "vendor/gemini",
        "provider": "gemini",
        "codec": "gemini",
        "model": model,
        "base_url": ROW.base_url,
        "premises": "vendor",
        "clearance": 0,
        "jurisdiction": "US",
        "api_key": "secret-of-the-operator",
    }
    return Target(**(fields | changes))


def request(meaning: Meaning | None = None, **changes: Any) -> ChatRequest:  # Any: fields of ChatRequest
    meant = meaning or Meaning(messages=(HI,))
    fields: dict[str, Any] = {"dialect": "openai_chat", "model": "auto", "body": {}} | changes  # Any: see above
    return ChatRequest(read_meaning=lambda _: meant, **fields)


def sent(
    meaning: Meaning, model: str = NEW, **changes: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: JSON values
    wire = CODEC.write_request(request(meaning, **changes), target(model), output_cap=None)
    assert not wire.is_lane
    body: dict[str, Any] = json.loads(wire.body)  # Any: JSON values
    return body, wire.dropped


def config(meaning: Meaning, model: str = NEW) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: JSON values
    body, dropped = sent(meaning, model)
    return body.get("generationConfig", {}), dropped


def contents(*messages: Message, model: str = NEW) -> tuple[list[dict[str, Any]], tuple[str, ...]]:  # Any: JSON values
    body, dropped = sent(Meaning(messages=messages), model)
    return body["contents"], dropped


def said(role: Role, *parts: Part) -> Message:
    return Message(role=role, parts=parts)


def test_the_row_is_found_and_names_the_codec() -> None:
    assert load_rows()["gemini"] is ROW
    assert codec_of("gemini") == "gemini"
    assert "server_tools" in ROW.features


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("m", "/models/m:generateContent"),
        ("models/m", "/models/m:generateContent"),
        ("tunedModels/m", "/tunedModels/m:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(model: str, path: str) -> None:
    assert CODEC.write_request(request(), target(model), output_cap=None).path == path


def test_headers_hold_the_key_unless_there_is_none() -> None:
    quirks = Quirks(headers={"x-goog-user-project": "p"})
    headers = CODEC.write_request(request(), target(quirks=quirks), output_cap=None).headers
    assert headers["x-goog-api-key"] == "secret-of-the-operator"
    assert headers["x-goog-user-project"] == "p"
    for bare in (target(api_key=""), target(quirks=Quirks(auth="none"))):
        assert "x-goog-api-key" not in CODEC.write_request(request(), bare, output_cap=None).headers


# ---- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "thinking", "levels", "is_current"),
    [
        ("gemini-4-argon", "level", "LOW MEDIUM HIGH", True),
        ("gemini-3.8-flash", "level", "LOW MEDIUM HIGH", True),
        ("gemini-3.6-flash", "level", "MINIMAL LOW MEDIUM HIGH", True),
        ("gemini-3.5-flash-lite", "level", "MINIMAL LOW MEDIUM HIGH", True),
        ("gemini-3.1-pro-preview", "level", "LOW MEDIUM HIGH", True),
        ("gemini-3-pro-preview", "level", "LOW HIGH", True),
        ("models/gemini-flash-latest", "level", "LOW MEDIUM HIGH", True),
        ("gemini-2.5-pro", "budget", "", False),
        ("gemini-2.0-flash", "none", "", False),
        ("gemma-4-31b-it", "none", "", False),
        ("endpoints/123", "none", "", False),
    ],
)
def test_traits_are_read_from_the_name(model: str, thinking: str, levels: str, is_current: bool) -> None:
    traits = traits_of(model)
    assert (traits.thinking, " ".join(traits.levels), traits.is_current) == (thinking, levels, is_current)


@pytest.mark.parametrize(
    ("model", "effort", "budget", "thinking", "dropped"),
    [
        (NEW, None, None, None, ()),
        (NEW, "none", None, {"thinkingLevel": "LOW"}, ("reasoning_effort",)),
        (NEW, "minimal", None, {"thinkingLevel": "LOW"}, ()),
        ("gemini-3.5-flash", "minimal", None, {"thinkingLevel": "MINIMAL"}, ()),
        (NEW, "xhigh", None, {"thinkingLevel": "HIGH"}, ()),
        ("gemini-3-pro-preview", "medium", None, {"thinkingLevel": "HIGH"}, ()),
        (NEW, "default", None, None, ("reasoning_effort",)),
        (NEW, None, 0, {"thinkingLevel": "LOW"}, ("thinking_budget",)),
        (NEW, None, -1, None, ()),
        (NEW, None, 2000, {"thinkingLevel": "LOW"}, ()),
        (NEW, None, 10_000, {"thinkingLevel": "MEDIUM"}, ()),
        (NEW, None, 64_000, {"thinkingLevel": "HIGH"}, ()),
        (OLD, "none", None, {"thinkingBudget": 0}, ()),
        (OLD, "low", None, {"thinkingBudget": 1024}, ()),
        (OLD, "max", None, {"thinkingBudget": 24_576}, ()),
        (OLD, None, 99_999, {"thinkingBudget": 24_576}, ()),
        (OLD, None, -1, {"thinkingBudget": -1}, ()),
        ("gemini-2.5-flash-lite", None, 5, {"thinkingBudget": 512}, ()),
        ("gemini-2.5-pro", "none", None, {"thinkingBudget": 128}, ("reasoning_effort",)),
        ("gemini-2.0-flash", "high", None, None, ("reasoning_effort",)),
        ("gemini-2.0-flash", None, 500, None, ("thinking_budget",)),
        ("gemini-2.0-flash", "none", 0, None, ()),
    ],
)
def test_thinking_is_set_as_the_model_takes_it(
    model: str, effort: str | None, budget: int | None, thinking: dict[str, Any] | None, dropped: tuple[str, ...]
) -> None:
    found, left_out = config(Meaning(messages=(HI,), reasoning_effort=effort, thinking_budget=budget), model)
    written = dict(found.get("thinkingConfig") or {})
    is_shown = written.pop("includeThoughts", False)
    assert (written or None) == thinking
    assert left_out == dropped
    # Who asks for thinking in another dialect expects to see it; who asks for none or for the least does not.
    asks = effort in ("low", "medium", "high", "xhigh", "max") or budget not in (None, 0)
    assert is_shown == (asks and traits_of(model).thinking != "none")


def test_thoughts_are_shown_when_they_are_wanted() -> None:
    found, _ = config(Meaning(messages=(HI,), wants_thoughts=True, reasoning_effort="low"))
    assert found["thinkingConfig"] == {"thinkingLevel": "LOW", "includeThoughts": True}


# ---- conversation ---------------------------------------------------------------------------------------------------


GOOGLES = ReasoningPart(text="", signature="Z29v", origin="gemini")
CALL = ToolCallPart(id="c1", name="f", arguments='{"a": 1.0}')
FC = {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1.0}}}


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ((GOOGLES, CALL), [FC | {"thoughtSignature": "Z29v"}]),
        ((GOOGLES, TextPart(text="Look."), CALL), [{"text": "Look."}, FC | {"thoughtSignature": "Z29v"}]),
        ((GOOGLES, TextPart(text="done")), [{"text": "done", "thoughtSignature": "Z29v"}]),
        ((TextPart(text="done"), GOOGLES), [{"text": "done"}, {"text": "", "thoughtSignature": "Z29v"}]),
        ((CALL, GOOGLES, TextPart(text="done")), [FC | {"thoughtSignature": FOREIGN_CALL}, {"text": "done", "thoughtSignature": "Z29v"}]),
        (
            (ReasoningPart(text="hm", signature="Z29v", origin="gemini"), TextPart(text="done")),
            [{"text": "hm", "thought": True}, {"text": "done", "thoughtSignature": "Z29v"}],
        ),
        ((GOOGLES, ReasoningPart(text="", signature="Zg==", origin="gemini"), CALL), [{"text": "", "thoughtSignature": "Z29v"}, FC | {"thoughtSignature": "Zg=="}]),
    ],
)  # fmt: skip
def test_signatures_stand_where_google_wants_them(parts: tuple[Part, ...], written: list[dict[str, Any]]) -> None:
    found, dropped = contents(HI, said("assistant", *parts))
    assert found[1]["parts"] == written
    assert dropped == ()


@pytest.mark.parametrize(
    "thought",
    [
        ReasoningPart(text="x", signature="sig", origin="anthropic"),
        ReasoningPart(text="x", signature="sig"),  # of unknown origin: Google refuses signatures that are not its own
        ReasoningPart(text="", redacted="crypt", origin="openai"),
        ReasoningPart(text="plain", origin="vertex"),
    ],
)
def test_thoughts_of_others_stay_away_and_that_is_told(thought: ReasoningPart) -> None:
    found, dropped = contents(
        HI, said("assistant", thought, CALL), said("tool", ToolResultPart(call_id="c1", parts=()))
    )
    assert found[1]["parts"] == [FC | {"thoughtSignature": FOREIGN_CALL}]
    assert dropped == ("reasoning",)


def test_only_the_running_turn_and_only_newer_models_need_a_stand_in() -> None:
    result = said("tool", ToolResultPart(call_id="c1", parts=(TextPart(text="1"),)))
    past, _ = contents(HI, said("assistant", CALL), result, HI, said("assistant", CALL), result)
    assert "thoughtSignature" not in past[1]["parts"][0]
    assert past[4]["parts"][0]["thoughtSignature"] == FOREIGN_CALL
    older, _ = contents(HI, said("assistant", CALL), result, model=OLD)
    assert "thoughtSignature" not in older[1]["parts"][0]


def test_roles_in_a_row_are_one_content_and_results_stay_apart() -> None:
    result = ToolResultPart(call_id="c1", parts=(TextPart(text="1"),))
    found, dropped = contents(
        said("system", TextPart(text="s")), said("user", TextPart(text="a"), TextPart(text="")), said("user", TextPart(text="b")),
        said("assistant", CALL), said("user", result, TextPart(text="c")), said("developer", TextPart(text="d")),
        Message(role="user", parts=(TextPart(text="e", cache="5m"),), name="ann"),
    )  # fmt: skip
    assert [(content["role"], len(content["parts"])) for content in found] == [
        ("user", 2),
        ("model", 1),
        ("user", 1),
        ("user", 2),
    ]
    assert dropped == ("messages.name", "cache_control")
    body, _ = sent(Meaning(messages=(said("system", TextPart(text="s")), HI, said("developer", TextPart(text="d")))))
    assert body["systemInstruction"] == {"parts": [{"text": "s"}, {"text": "d"}]}


@pytest.mark.parametrize(
    ("arguments", "is_custom", "args"),
    [
        ("", False, {}),
        ("{bad", False, {INVALID_ARGUMENTS: "{bad"}),
        ("[1]", False, {INVALID_ARGUMENTS: "[1]"}),
        ("free text", True, {"input": "free text"}),
    ],
)
def test_arguments_are_an_object(arguments: str, is_custom: bool, args: dict[str, Any]) -> None:
    call = ToolCallPart(id="c", name="f", arguments=arguments, is_custom=is_custom)
    found, _ = contents(HI, said("assistant", call), model=OLD)
    assert found[1]["parts"] == [{"functionCall": {"id": "c", "name": "f", "args": args}}]


@pytest.mark.parametrize(
    ("part", "written", "dropped"),
    [
        (ImagePart(data="AA==", media_type="image/png", detail="auto"), {"inlineData": {"mimeType": "image/png", "data": "AA=="}}, ()),
        (ImagePart(url="https://x.test/a.PNG#f"), {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a.PNG#f"}}, ()),
        (ImagePart(url="https://x.test/a.PNG?q=1"), {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.PNG?q=1"}}, ()),
        (ImagePart(file_id="gs://b/a.webp"), {"fileData": {"mimeType": "image/webp", "fileUri": "gs://b/a.webp"}}, ()),
        (AudioPart(data="AA==", media_type="audio/wav"), {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}, ()),
        (DocumentPart(url="https://x.test/a"), {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/a"}}, ()),
        (DocumentPart(text="é", title="t", context="c", wants_citations=True), {"inlineData": {"mimeType": "text/plain", "data": "w6k="}}, ("document.citations", "document.context", "document.title")),
    ],
)  # fmt: skip
def test_media(part: Part, written: dict[str, Any], dropped: tuple[str, ...]) -> None:
    found, left_out = contents(said("user", part))
    assert found[0]["parts"] == [written]
    assert left_out == dropped


@pytest.mark.parametrize(
    ("messages", "said_"),
    [
        ((said("user", OpaquePart(kind="x_of_tomorrow")),), "x_of_tomorrow"),
        ((said("user", ImagePart(file_id="file-abc")),), "another vendor"),
        ((said("system", ImagePart(data="AA==", media_type="image/png")), HI), "system message"),
        ((said("user", GOOGLES),), "thought"),
        ((said("tool", ToolResultPart(call_id="gone", parts=())),), "answers no call"),
        ((said("system", TextPart(text="s")),), "at least one message"),
    ],
)
def test_what_google_cannot_be_told_is_refused(messages: tuple[Message, ...], said_: str) -> None:
    with pytest.raises(UnsupportedFeature, match=said_):
        contents(*messages)


def test_pictures_in_results_need_a_newer_model() -> None:
    result = ToolResultPart(call_id="c1", parts=(ImagePart(data="AA==", media_type="image/png"),))
    assert contents(HI, said("assistant", CALL), said("tool", result))[0][2]["parts"][0]["functionResponse"]["parts"]
    with pytest.raises(UnsupportedFeature, match="from Gemini 3 on"):
        contents(HI, said("assistant", CALL), said("tool", result), model=OLD)


# ---- tools and output -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "is_strict", "calling", "dropped"),
    [
        (None, False, None, ()),
        (None, True, {"mode": "VALIDATED"}, ()),
        (ToolChoice(mode="auto"), True, {"mode": "VALIDATED"}, ()),
        (ToolChoice(mode="auto"), False, {"mode": "AUTO"}, ()),
        (ToolChoice(mode="none"), True, {"mode": "NONE"}, ()),
        (ToolChoice(mode="required"), True, {"mode": "ANY"}, ()),
        (ToolChoice(mode="named", name="f"), False, {"mode": "ANY", "allowedFunctionNames": ["f"]}, ()),
    ],
)
def test_the_choice_of_tools(
    choice: ToolChoice | None, is_strict: bool, calling: dict[str, Any] | None, dropped: tuple[str, ...]
) -> None:
    tool = ToolSpec(name="f", is_strict=is_strict)
    body, left_out = sent(Meaning(messages=(HI,), tools=(tool,), tool_choice=choice))
    assert body.get("toolConfig", {}).get("functionCallingConfig") == calling
    assert left_out == dropped


def test_strict_tools_are_reported_for_older_models_and_custom_ones_become_functions() -> None:
    tools = (
        ToolSpec(name="f", is_strict=True, parameters={"type": "object"}),
        ToolSpec(name="g", is_custom=True, description="d"),
    )
    body, dropped = sent(Meaning(messages=(HI,), tools=tools, parallel_tool_calls=False), OLD)
    first, second = body["tools"][0]["functionDeclarations"]
    assert first == {"name": "f", "parametersJsonSchema": {"type": "object"}}
    assert second["parametersJsonSchema"]["required"] == ["input"]
    assert dropped == ("tools.strict", "parallel_tool_calls")


@pytest.mark.parametrize(
    ("meaning", "features", "param"),
    [
        (Meaning(messages=(HI,), tools=(TOOL,), web_search=WebSearch()), (), "tools"),
        (Meaning(messages=(HI,), web_search=WebSearch(allowed_domains=("a.test",))), (), "web_search"),
        (Meaning(messages=(HI,), web_search=WebSearch(blocked_domains=("a.test",))), (), "web_search"),
        (Meaning(messages=(HI,), server_tools=("code_interpreter",)), (), "tools"),
        (Meaning(messages=(HI,)), ("logprobs",), "logprobs"),
        (Meaning(messages=(HI,)), ("audio",), "modalities"),
    ],
)
def test_features_that_cannot_be_said_are_refused(meaning: Meaning, features: tuple[str, ...], param: str) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        sent(meaning, features=frozenset(features))
    assert caught.value.param == param


def test_a_search_drops_what_google_does_not_know() -> None:
    wanted = WebSearch(most_uses=2, context_size="low", location={"city": "Oslo"})
    body, dropped = sent(Meaning(messages=(HI,), web_search=wanted))
    assert body["tools"] == [{"googleSearch": {}}]
    assert dropped == (
        "web_search_options.max_uses",
        "web_search_options.search_context_size",
        "web_search_options.user_location",
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ResponseFormat(kind="text"), {}),
        (ResponseFormat(kind="json_object"), {"responseMimeType": "application/json"}),
        (ResponseFormat(kind="json_schema", schema={"type": "string"}), {"responseMimeType": "application/json", "responseJsonSchema": {"type": "string"}}),
        (ResponseFormat(kind="json_schema", description="d", schema={"type": "string"}), {"responseMimeType": "application/json", "responseJsonSchema": {"type": "string", "description": "d"}}),
        (ResponseFormat(kind="json_schema"), {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}),
    ],
)  # fmt: skip
def test_formats(wanted: ResponseFormat, found: dict[str, Any]) -> None:
    assert config(Meaning(messages=(HI,), response_format=wanted))[0] == found


def test_what_tools_and_results_lose_is_reported() -> None:
    call = Message(role="assistant", parts=(ToolCallPart(id="1", name="f", arguments="{}"),))
    marked = ToolResultPart(call_id="1", parts=(TextPart(text="r", cache="1h"),))
    result = Message(role="tool", parts=(marked,))
    assert sent(Meaning(messages=(HI, call, result)))[1] == ("cache_control",)
    assert sent(Meaning(messages=(HI,), tools=(ToolSpec(name="f", cache="5m"),)))[1] == ("cache_control",)
    grammar = {"type": "grammar", "syntax": "regex", "definition": "a+"}
    assert sent(Meaning(messages=(HI,), tools=(ToolSpec(name="c", is_custom=True, grammar=grammar),)))[1] == (
        "tools.format",
    )


def test_knobs_are_mapped_or_reported_and_harmless_ones_are_neither() -> None:
    knobs: dict[str, object] = {
        "top_k": 40, "seed": 7, "presence_penalty": 0.1, "frequency_penalty": None, "logit_bias": {"5": 1}, "store": False,
        "service_tier": "flex", "stream_options": {"include_usage": True}, "parallel_tool_calls": True, "bad name!": 1, "logprobs": False,
    }  # fmt: skip
    body, dropped = sent(Meaning(messages=(HI,), knobs=knobs, user="u", stop=("a", "", "b", "c", "d", "e", "f")))
    assert body["generationConfig"] == {
        "topK": 40,
        "seed": 7,
        "presencePenalty": 0.1,
        "stopSequences": ["a", "b", "c", "d", "e"],
    }
    assert body["serviceTier"] == "flex"
    assert dropped == ("stop", "logit_bias", "unknown_field", "user")
    assert sent(Meaning(messages=(HI,), knobs={"service_tier": "scale", "store": True}))[1] == ("service_tier", "store")


@pytest.mark.parametrize(
    ("wanted", "cap", "limit", "most"),
    [(None, None, 0, None), (None, 50, 0, 50), (80, 50, 0, 80), (80, None, 64, 64), (None, None, 64, None)],
)
def test_bounds_on_tokens(wanted: int | None, cap: int | None, limit: int, most: int | None) -> None:
    wire = CODEC.write_request(request(max_output_tokens=wanted, n=2), target(max_output_tokens=limit), output_cap=cap)
    found = json.loads(wire.body)["generationConfig"]
    assert found.get("maxOutputTokens") == most
    assert found["candidateCount"] == 2


# ---- the lane -------------------------------------------------------------------------------------------------------


def lane(
    body: dict[str, Any], model: str = NEW, *, cap: int | None = None, **changes: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    before = copy.deepcopy(body)
    wire = CODEC.write_request(request(dialect="gemini", body=body, **changes), target(model), output_cap=cap)
    assert body == before, "the client's body is never changed in place"
    assert wire.is_lane
    found: dict[str, Any] = json.loads(wire.body)  # Any: JSON values
    return found, wire.dropped


def test_the_lane_changes_nothing_without_need() -> None:
    body = {
        "contents": [{"parts": [{"text": "a", "new": 1}]}],
        "generationConfig": {"x": 1},
        "y": None,
        "model": "models/auto",
    }
    assert lane(body) == (body | {"model": f"models/{NEW}"}, ())
    assert lane({"contents": {"parts": {"text": "a"}}}) == ({"contents": {"parts": {"text": "a"}}}, ())


@pytest.mark.parametrize("name", ["generationConfig", "generation_config"])
def test_the_cap_finds_the_clients_own_spelling(name: str) -> None:
    found, _ = lane({"contents": [], name: {"topK": 1, "max_output_tokens": None}}, cap=9)
    assert found[name] == {"topK": 1, "maxOutputTokens": 9}
    assert lane({"contents": [], name: {"topK": 1}}, cap=9, max_output_tokens=5)[0][name] == {"topK": 1}
    assert lane({"contents": []}, cap=9)[0]["generationConfig"] == {"maxOutputTokens": 9}


@pytest.mark.parametrize(
    ("parts", "left", "dropped"),
    [
        ([{"text": "a", "thought": True}, {"text": "", "thought": True, "thoughtSignature": SEAL}, {"text": "b"}], [{"text": "b"}], ("reasoning",)),
        ([{"text": "b", "thought_signature": SEAL}], [{"text": "b"}], ("reasoning",)),
        ([{"text": "a", "thought": True}, {"text": "b", "thoughtSignature": SEAL}], [{"text": "b"}], ("reasoning",)),
        ([{"text": "a", "thought": True, "thoughtSignature": "Z29v"}, {"text": "", "thought": True, "thoughtSignature": SEAL}], [{"text": "a", "thought": True, "thoughtSignature": "Z29v"}], ("reasoning",)),
        ([{"text": "b", "thoughtSignature": "eXoxLnh4"}], [{"text": "b", "thoughtSignature": "eXoxLnh4"}], ()),
        ([{"text": "b", "thoughtSignature": 5}], [{"text": "b", "thoughtSignature": 5}], ()),
    ],
)  # fmt: skip
def test_the_lane_keeps_sealed_thoughts_from_google(
    parts: list[dict[str, Any]], left: list[dict[str, Any]], dropped: tuple[str, ...]
) -> None:
    found, left_out = lane({"contents": [{"role": "model", "parts": parts}, {"parts": [{"text": "go on"}]}]})
    assert found["contents"][0]["parts"] == left
    assert left_out == dropped


def test_the_lane_leaves_out_a_content_that_held_nothing_else() -> None:
    thought = {"role": "model", "parts": [{"text": "", "thought": True, "thoughtSignature": SEAL}]}
    found, _ = lane({"contents": [thought, {"role": "user", "parts": [{"text": "a"}]}]})
    assert found["contents"] == [{"role": "user", "parts": [{"text": "a"}]}]


def test_the_lane_puts_a_stand_in_where_google_would_refuse() -> None:
    call = {
        "role": "model",
        "parts": [{"text": "Look."}, {"functionCall": {"name": "f"}}, {"function_call": {"name": "g"}}],
    }
    answer = {"role": "user", "parts": [{"functionResponse": {"name": "f"}}, {"function_response": {"name": "g"}}]}
    found, dropped = lane({"contents": [{"parts": [{"text": "a"}]}, call, answer]})
    assert found["contents"][1]["parts"][1] == {"functionCall": {"name": "f"}, "thoughtSignature": FOREIGN_CALL}
    assert found["contents"][1]["parts"][2] == {"function_call": {"name": "g"}}
    assert dropped == ()
    assert lane({"contents": [call, answer]}, OLD)[0]["contents"] == [call, answer]


PIECES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(  # Any: JSON values
    st.sampled_from(
        ["text", "thought", "thoughtSignature", "thought_signature", "functionCall", "functionResponse", "x"]
    ),
    st.sampled_from([True, "a", SEAL, "Z29v", None, {"name": "f"}, [], 5]),
    max_size=4,
)
CONTENTS = st.dictionaries(
    st.sampled_from(["role", "parts", "x"]),
    st.sampled_from(["user", "model", 5]) | st.lists(PIECES | st.integers(), max_size=3) | PIECES,
)


@given(found=st.lists(CONTENTS | st.integers(), max_size=4) | CONTENTS)
def test_no_contents_are_too_strange_for_the_lane(found: Any) -> None:
    body, _ = lane({"contents": found})
    for content in _dicts(body["contents"]):
        for part in _dicts(content.get("parts")):
            assert (part.get("thoughtSignature") or part.get("thought_signature")) != SEAL


def _dicts(value: Any) -> list[dict[str, Any]]:  # Any: JSON values
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


# ---- counting and embeddings ----------------------------------------------------------------------------------------


def counted(body: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    asked = request(dialect="gemini_count_tokens", operation="count_tokens", body=body)
    wire = gemini_count_tokens.CODEC.write_request(asked, target(), output_cap=None)
    assert wire.is_lane
    found: dict[str, Any] = json.loads(wire.body)  # Any: JSON values
    return found


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({"contents": []}, {"contents": []}),
        ({"contents": [], "model": "models/auto"}, {"contents": []}),
        ({"contents": [], "tools": []}, {"generateContentRequest": {"contents": [], "tools": [], "model": f"models/{NEW}"}}),
        ({"generateContentRequest": {"contents": [], "x": 1}}, {"generateContentRequest": {"contents": [], "x": 1, "model": f"models/{NEW}"}}),
    ],
)  # fmt: skip
def test_a_count_is_asked_for_in_the_shape_that_the_service_reads(
    body: dict[str, Any], written: dict[str, Any]
) -> None:
    assert counted(body) == written


def test_a_count_and_vectors_are_read() -> None:
    count = gemini_count_tokens.CODEC.read_response(b'{"totalTokens": 7, "x": 1}')
    assert getattr(count, "input_tokens", None) == 7
    vectors = gemini_embeddings.CODEC.read_response(
        b'{"embeddings":[{"values":[1,0.5]}],"usageMetadata":{"promptTokenCount":3}}'
    )
    assert getattr(vectors, "vectors", None) == ([1.0, 0.5],)
    assert vectors.usage == Usage(input_tokens=3)
    for body in (b'{"embeddings":[]}', b'{"embeddings":[{"values":[]}]}', b'{"embedding":{"values":["x"]}}'):
        with pytest.raises(UpstreamInvalid):
            gemini_embeddings.CODEC.read_response(body)


def vectors_of(*inputs: str, **changes: Any) -> EmbeddingRequest:  # Any: fields of EmbeddingRequest
    fields: dict[str, Any] = {"dialect": "openai_embeddings", "operation": "embeddings", "model": "auto", "body": {}}
    return EmbeddingRequest(inputs=inputs, read_meaning=lambda _: Meaning(messages=(HI,)), **(fields | changes))


@pytest.mark.parametrize("purpose", ["", "query", "document", "classification", "clustering"])
def test_a_purpose_is_a_task(purpose: str) -> None:
    wire = gemini_embeddings.CODEC.write_request(
        vectors_of("a", purpose=purpose, knobs={"user": "u"}), target(), output_cap=None
    )
    found = json.loads(wire.body)["requests"][0].get("taskType", "")
    assert found.lower().endswith(purpose)
    assert wire.dropped == ("user",)


def test_more_texts_than_the_service_takes_are_refused_and_so_are_tokens() -> None:
    for asked in (vectors_of(*["a"] * 101), vectors_of("1 2", has_tokens=True)):
        with pytest.raises(UnsupportedFeature) as caught:
            gemini_embeddings.CODEC.write_request(asked, target(), output_cap=None)
        assert caught.value.param == "input"


def test_vectors_on_the_lane_go_on_as_they_are() -> None:
    line = RequestLine(path="/v1beta/models/auto:batchEmbedContents")
    asked = vectors_of("a", dialect="gemini_embeddings", line=line, body={"requests": {"content": {}}})
    wire = gemini_embeddings.CODEC.write_request(asked, target("gemini-embedding-2"), output_cap=None)
    assert json.loads(wire.body) == {"requests": [{"content": {}, "model": "models/gemini-embedding-2"}]}
    answer = gemini_embeddings.CODEC.read_response(b'{"embedding":{"values":[1]}}', wire)
    assert (getattr(answer, "raw", b""), getattr(answer, "raw_dialect", "")) == (
        b'{"embedding":{"values":[1]}}',
        "gemini_embeddings",
    )
