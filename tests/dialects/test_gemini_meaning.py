"""What a generateContent body means, in tables."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.core.reasoning import seal
from yuzui.dialects.gemini_meaning import HOME, read_meaning, standard_base64

HI = {"contents": [{"parts": [{"text": "hi"}]}]}
PICTURE = {"mimeType": "image/png", "data": "AAAA"}
CLAUDES = ReasoningPart(text="", signature="sig", origin="anthropic")
SEAL = b64encode(seal(CLAUDES).encode()).decode()


def meaning(config: dict[str, Any] | None = None, **changes: Any) -> Meaning:  # Any: JSON values
    body: dict[str, Any] = HI | changes  # Any: see above
    return read_meaning(body | {"generationConfig": config} if config is not None else body)


def model_turn(*contents: list[dict[str, Any]]) -> tuple[Part, ...]:  # Any: JSON values
    """The parts of the model's turn that `contents` are, between two turns of the user."""
    turns = [{"role": "user", "parts": [{"text": "hi"}]}, *({"role": "model", "parts": parts} for parts in contents)]
    found = read_meaning({"contents": [*turns, {"role": "user", "parts": [{"text": "go on"}]}]}).messages
    assert [message.role for message in found] == ["user", "assistant", "user"]
    return found[1].parts


@pytest.mark.parametrize(
    ("contents", "parts"),
    [
        ([[{"text": "a"}], [{"text": "b"}]], (TextPart(text="ab"),)),
        ([[{"text": "a", "thought": True}, {"text": "b"}]], (ReasoningPart(text="a", is_summary=True, origin=HOME), TextPart(text="b"))),
        ([[{"text": "b", "thoughtSignature": "Z29vZ2xl"}]], (ReasoningPart(text="", signature="Z29vZ2xl", origin=HOME), TextPart(text="b"))),
        ([[{"text": "b"}], [{"text": "", "thoughtSignature": "Z29v"}]], (TextPart(text="b"), ReasoningPart(text="", signature="Z29v", origin=HOME))),
        ([[{"text": "x", "thought": True, "thoughtSignature": "Z29v"}]], (ReasoningPart(text="x", signature="Z29v", is_summary=True, origin=HOME),)),
        (
            [[{"text": "x", "thought": True}], [{"text": "y", "thought": True}], [{"text": "", "thought": True, "thoughtSignature": SEAL}, {"text": "z"}]],
            (ReasoningPart(text="xy", signature="sig", origin="anthropic"), TextPart(text="z")),
        ),
        ([[{"text": "", "thought": True, "thoughtSignature": SEAL.replace("+", "-").replace("/", "_").rstrip("=")}, {"text": "z"}]], (CLAUDES, TextPart(text="z"))),
        ([[{"text": "", "thought": True, "thoughtSignature": "eXoxLnh4eA=="}, {"text": "z"}]], (ReasoningPart(text="", signature="eXoxLnh4eA==", is_summary=True, origin=HOME), TextPart(text="z"))),
        ([[{"text": "x", "thought": True}]], (ReasoningPart(text="x", is_summary=True, origin=HOME),)),
        # a seal that the client moved to the next part, as Pydantic AI does with signatures
        ([[{"text": "x", "thought": True}, {"text": "z", "thoughtSignature": SEAL}]], (ReasoningPart(text="x", signature="sig", origin="anthropic"), TextPart(text="z"))),
        ([[{"text": "z", "thoughtSignature": SEAL}]], (CLAUDES, TextPart(text="z"))),
        ([[{"text": "z", "thoughtSignature": "skip_thought_signature_validator"}]], (TextPart(text="z"),)),
        ([[{"text": "z", "thoughtSignature": "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="}]], (TextPart(text="z"),)),
        (
            [[{"functionCall": {"name": "f", "args": {"a": "é"}}, "thoughtSignature": "Z29v"}]],
            (ReasoningPart(text="", signature="Z29v", origin=HOME), ToolCallPart(id="call_1", name="f", arguments='{"a":"é"}')),
        ),
        ([[{"functionCall": {"id": "x", "name": "f"}}]], (ToolCallPart(id="x", name="f", arguments="{}"),)),
    ],
)  # fmt: skip
def test_the_models_turn(contents: list[list[dict[str, Any]]], parts: tuple[Part, ...]) -> None:
    assert model_turn(*contents) == parts


def test_an_empty_turn_is_none() -> None:
    body = {"contents": [{"role": "model", "parts": [{"text": ""}]}, {"parts": []}, {"parts": [{"text": "hi"}]}]}
    assert read_meaning(body).messages == (Message(role="user", parts=(TextPart(text="hi"),)),)


CALLS = {
    "role": "model",
    "parts": [{"functionCall": {"name": "f"}}, {"functionCall": {"name": "g"}}, {"functionCall": {"name": "f"}}],
}


def results(*responses: dict[str, Any]) -> list[ToolResultPart]:  # Any: JSON values
    parts = [{"functionResponse": response} for response in responses]
    found = read_meaning({"contents": [CALLS, {"role": "user", "parts": parts}]}).messages[1].parts
    return [part for part in found if isinstance(part, ToolResultPart)]


@pytest.mark.parametrize(
    ("responses", "ids"),
    [
        (["f", "g", "f"], ["call_1", "call_2", "call_3"]),
        (["g", "f", "f"], ["call_2", "call_1", "call_3"]),
        (["f", "f"], ["call_1", "call_3"]),
    ],
)
def test_results_without_ids_answer_the_oldest_open_call_of_their_name(responses: list[str], ids: list[str]) -> None:
    assert [
        part.call_id for part in results(*({"name": name, "response": {"output": "x"}} for name in responses))
    ] == ids


def test_results_with_ids_keep_them() -> None:
    assert [part.call_id for part in results({"name": "f", "id": "call_3"}, {"name": "f", "id": "call_1"})] == [
        "call_3",
        "call_1",
    ]
    assert results({"name": "g", "id": "elsewhere"})[0].call_id == "call_2", "an id that no call has: the name counts"


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "x"}, "x", False),
        ({"result": [1, "é"]}, '[1,"é"]', False),
        ({"error": "bad"}, "bad", True),
        ({"error": "bad", "code": 5}, '{"error":"bad","code":5}', True),
        ({"output": "x", "error": "y"}, '{"output":"x","error":"y"}', False),
        ({"a": 1}, '{"a":1}', False),
    ],
)
def test_the_text_of_a_result(response: dict[str, Any], text: str, is_error: bool) -> None:
    (part,) = results({"name": "g", "response": response})
    assert part.parts == (TextPart(text=text),)
    assert part.is_error is is_error


def test_a_result_may_hold_pictures_and_files() -> None:
    pieces = [
        {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
    ]
    (part,) = results({"name": "g", "response": {}, "parts": pieces})
    assert part.parts == (
        TextPart(text="{}"),
        ImagePart(data="AA==", media_type="image/png"),
        DocumentPart(file_id="gs://b/a.pdf", media_type="application/pdf"),
    )


@pytest.mark.parametrize(
    ("part", "meant"),
    [
        ({"inlineData": {"mimeType": "image/PNG", "data": "-_8"}}, ImagePart(data="+/8=", media_type="image/png")),
        ({"inlineData": {"mimeType": "audio/wav", "data": "AA"}}, AudioPart(data="AA==", media_type="audio/wav")),
        ({"inlineData": {"mimeType": "text/csv", "data": "YSxi", "displayName": "t"}}, DocumentPart(text="a,b", media_type="text/csv", title="t")),
        ({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}, DocumentPart(data="AAAA", media_type="application/pdf")),
        ({"fileData": {"fileUri": "https://x.test/a", "mimeType": "image/png"}}, ImagePart(url="https://x.test/a", media_type="image/png")),
        ({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a"}}, DocumentPart(file_id="https://generativelanguage.googleapis.com/v1beta/files/a")),
        ({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}, ImagePart(data="AAAA", media_type="image/png", detail="high")),
    ],
)  # fmt: skip
def test_media(part: dict[str, Any], meant: Part) -> None:
    assert read_meaning({"contents": {"parts": [part]}}).messages[0].parts == (meant,)


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
        {"fileData": {"mimeType": "audio/wav", "fileUri": "https://x.test/a.wav"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}},
        {"executableCode": {"code": "1"}},
        {"codeExecutionResult": {"output": "1"}},
        {"toolCall": {"id": "1"}},
        {"toolResponse": {"id": "1"}},
    ],
)
def test_what_only_google_can_do_is_refused_where_it_stands(part: dict[str, Any]) -> None:
    for role in ("user", "model"):
        with pytest.raises(UnsupportedFeature, match="only Google's own services") as caught:
            read_meaning({"contents": [{"role": role, "parts": [{"text": "a"}, part]}]})
        assert (caught.value.param or "").startswith("contents[0].parts[1].")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"continuationToken": "x"}, "continuationToken"),
        ({"systemInstruction": {"parts": [{"inlineData": {"data": ""}}]}}, "systemInstruction.parts"),
        ({"generationConfig": {"speechConfig": {}}}, "generationConfig.speechConfig"),
        ({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
        ({"generationConfig": {"responseFormat": [{"image": {"mimeType": "x"}}]}}, "generationConfig.responseFormat"),
    ],
)
def test_settings_that_only_google_has_are_refused(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        meaning(**changes)
    assert caught.value.param == param


def test_broken_text_and_misplaced_results_are_the_clients_fault() -> None:
    with pytest.raises(InvalidRequest, match="base64"):
        read_meaning({"contents": {"parts": [{"inlineData": {"mimeType": "text/plain", "data": "/w=="}}]}})
    with pytest.raises(InvalidRequest, match="role user"):
        read_meaning({"contents": {"role": "model", "parts": [{"functionResponse": {"name": "f"}}]}})


TOOLS = [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": {"type": "OBJECT"}}, {"name": "g"}]}]


@pytest.mark.parametrize(
    ("calling", "choice", "names"),
    [
        ({}, None, "fg"),
        ({"mode": "auto"}, ToolChoice(mode="auto"), "fg"),
        ({"mode": "NONE"}, ToolChoice(mode="none"), "fg"),
        ({"mode": "ANY"}, ToolChoice(mode="required"), "fg"),
        ({"mode": "ANY", "allowedFunctionNames": ["g"]}, ToolChoice(mode="named", name="g"), "g"),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "f"]}, ToolChoice(mode="required"), "fg"),
        ({"mode": "VALIDATED", "allowedFunctionNames": "f"}, ToolChoice(mode="auto"), "f"),
    ],
)
def test_the_choice_of_tools(calling: dict[str, Any], choice: ToolChoice | None, names: str) -> None:
    found = meaning(tools=TOOLS, toolConfig={"functionCallingConfig": calling})
    assert found.tool_choice == choice
    assert "".join(tool.name for tool in found.tools) == names
    if "f" in names:
        assert found.tools[0] == ToolSpec(name="f", description="d", parameters={"type": "object"})


def test_other_tools_are_told_by_name() -> None:
    found = meaning(
        tools=[
            {"googleSearch": {"excludeDomains": ["a.test"]}},
            {"codeExecution": {}, "mcpServers": []},
            {"urlContext": None},
        ]
    )
    assert found.server_tools == ("codeExecution", "mcpServers")
    assert found.web_search is not None and found.web_search.blocked_domains == ("a.test",)
    assert not found.tools


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, ResponseFormat(kind="json_object")),
        ({"responseSchema": {"type": "STRING"}}, ResponseFormat(kind="json_schema", schema={"type": "string"}, is_strict=True)),
        ({"responseJsonSchema": {"type": "object", "properties": {"a": {}}}}, ResponseFormat(kind="json_schema", schema={"type": "object", "properties": {"a": {}}})),
        ({"responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "string"}}}}, ResponseFormat(kind="json_schema", schema={"type": "string"}, is_strict=True)),
        ({"responseFormat": {"text": {"mimeType": "TEXT_PLAIN"}}}, None),
    ],
)  # fmt: skip
def test_formats(config: dict[str, Any], wanted: ResponseFormat | None) -> None:
    assert meaning(config).response_format == wanted


def test_knobs_have_openais_names_or_the_clients() -> None:
    found = meaning(
        {
            "topK": 40.0,
            "seed": "9007199254740993",
            "presencePenalty": "0.5",
            "responseLogprobs": True,
            "logprobs": 3,
            "audioTimestamp": True,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": {"thinkingBudget": 100, "thinkingLevel": "ULTRA", "includeThoughts": False},
        },
        safetySettings=[],
        serviceTier="STANDARD",
        model="models/auto",
    )
    assert found.knobs == {
        "top_k": 40,
        "seed": 9007199254740993,
        "presence_penalty": 0.5,
        "logprobs": True,
        "top_logprobs": 3,
        "audioTimestamp": True,
        "safetySettings": [],
        "service_tier": "default",
        "thinkingConfig.thinkingLevel": "ULTRA",
    }
    assert (found.thinking_budget, found.reasoning_effort, found.wants_thoughts) == (100, None, False)


def test_fields_further_inside_that_nobody_else_has_are_reported() -> None:
    body = {
        "contents": [
            {
                "parts": [
                    {"text": "a", "partMetadata": {"x": 1}, "new": None},
                    {"text": "b", "mediaProcessing": "STATIC"},
                    {"inlineData": PICTURE, "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}},
                ]
            },
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
            {
                "parts": [
                    {
                        "functionResponse": {
                            "name": "f",
                            "scheduling": "SILENT",
                            "parts": [{"inlineData": PICTURE, "documentMetadata": {"startPage": 1}}],
                        }
                    }
                ]
            },
        ],
        "tools": [
            {"googleSearch": {"timeRangeFilter": {}, "excludeDomains": []}},
            {"enterpriseWebSearch": {"excludeDomains": ["x.test"]}},
        ],
        "toolConfig": {"retrievalConfig": {"languageCode": "de"}},
        "generationConfig": {"thinkingConfig": {"newKnob": 1, "includeThoughts": True}},
    }
    assert read_meaning(body).knobs == {
        "parts.partMetadata": True,
        "parts.mediaProcessing": True,
        "parts.mediaResolution": True,
        "functionResponse.scheduling": True,
        "functionResponse.parts.documentMetadata": True,
        "googleSearch.timeRangeFilter": True,
        "enterpriseWebSearch.excludeDomains": True,
        "toolConfig.retrievalConfig": True,
        "thinkingConfig.newKnob": True,
    }


@pytest.mark.parametrize(
    ("level", "effort"), [("MINIMAL", "minimal"), ("low", "low"), ("HIGH", "high"), ("XHIGH", "xhigh")]
)
def test_levels_of_thinking_are_efforts(level: str, effort: str) -> None:
    assert meaning({"thinkingConfig": {"thinkingLevel": level}}).reasoning_effort == effort


@pytest.mark.parametrize(("given", "usual"), [("AAAA", "AAAA"), ("-_8", "+/8="), ("AA", "AA==")])
def test_base64_of_googles_clients_becomes_the_usual_one(given: str, usual: str) -> None:
    assert standard_base64(given) == usual
