"""A field is written as its API writes it; what only looks like one is refused, at every depth, in every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import pytest

from yuzui.core.chat import NO_LINE, RequestLine
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._spelling import Fields, fields_of, fold
from yuzui.routes import EXACT, METHODS


class Leaf(msgspec.Struct, tag_field="type", tag="leaf"):
    file_id: str
    inner: list[Leaf] | None = None


class Other(msgspec.Struct, tag_field="type", tag="other"):
    url: str
    free: dict[str, Any] | None = None  # Any: the client's own words


class Wire(msgspec.Struct, rename={"n": "top_n"}):
    n: int
    parts: str | Annotated[list[Leaf | Other], msgspec.Meta(max_length=3)] | None = None


@pytest.mark.parametrize("name", ["Top_N", "topN", "TOPN", "top__n", "_top_n", "T\u200dop_n".replace("\u200d", "")])
def test_a_look_alike_is_refused_with_the_right_spelling(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fields_of(Wire).check({"top_n": 1, name: 2})
    assert caught.value.message == f"`{name}` is no field of this API, only looks like one; send `top_n`"
    assert caught.value.param == name


def test_letters_that_other_readers_take_for_ascii_ones_fold_as_well() -> None:
    assert fold("me\u017f\u017fages") == "messages"  # long s, as Go's reader has it
    assert fold("\u212aind") == "kind"  # the sign for kelvin


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"parts": [{"type": "leaf", "File_ID": "x"}]}, "parts[0].File_ID"),
        ({"parts": [{"type": "other"}, {"Type": "leaf"}]}, "parts[1].Type"),
        ({"parts": [{"inner": [{"inner": [{"URL": "x"}]}]}]}, ""),
        ({"parts": [{"inner": [{"inner": [{"fileId": "x"}]}]}]}, "parts[0].inner[0].inner[0].fileId"),
        ({"parts": {"fileId": 1}}, "parts.fileId"),
        ({"parts": [[{"fileId": 1}]]}, "parts[0][0].fileId"),
        ({"parts": [{"free": {"File_ID": 1, "Top_N": 1}}]}, ""),
        ({"stranger": {"File_ID": 1}, "topM": 1}, ""),
        ({"parts": "text", "top_n": None}, ""),
    ],
)
def test_objects_inside_are_looked_at_as_far_as_their_fields_are_known(body: Mapping[str, Any], param: str) -> None:
    if not param:
        Fields.of(Wire).check(body)
        return
    with pytest.raises(InvalidRequest) as caught:
        Fields.of(Wire).check(body)
    assert caught.value.param == param


def test_names_that_no_struct_has_can_be_added() -> None:
    fields = Fields.of(Wire, {"": ("seed",), "parts": ("weight",)})
    for body in ({"Seed": 1}, {"parts": [{"Weight": 1}]}, {"TOP_N": 1}):
        with pytest.raises(InvalidRequest, match="only looks like one"):
            fields.check(body)


def test_a_body_nested_deeper_than_the_stack_is_walked_to_its_end() -> None:
    body: dict[str, Any] = {"fileId": 1}  # Any: JSON
    for _ in range(5000):
        body = {"inner": [body]}
    with pytest.raises(InvalidRequest):
        Fields.of(Wire).check({"parts": [body]})


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
RESPONSES = {"model": "m", "input": [{"role": "user", "content": "hi"}]}
MESSAGES = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
GEMINI = {"contents": [{"parts": [{"text": "hi"}]}]}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {  # Any: JSON
    "chat": ("/v1/chat/completions", CHAT),
    "responses": ("/v1/responses", RESPONSES),
    "messages": ("/v1/messages", MESSAGES),
    "count": ("/v1/messages/count_tokens", {"model": "m", "messages": MESSAGES["messages"]}),
    "gemini": ("/v1beta/models/m:generateContent", GEMINI),
    "gemini_count": ("/v1beta/models/m:countTokens", GEMINI),
    "gemini_embed": ("/v1beta/models/m:embedContent", {"content": {"parts": [{"text": "hi"}]}}),
    "embeddings": ("/v1/embeddings", {"model": "m", "input": "hi"}),
    "completions": ("/v1/completions", {"model": "m", "prompt": "hi"}),
    "rerank": ("/v1/rerank", {"model": "m", "query": "q", "documents": ["d"]}),
    "moderations": ("/v1/moderations", {"input": "hi"}),
    "speech": ("/v1/audio/speech", {"model": "m", "input": "hi", "voice": "v"}),
    "images": ("/v1/images/generations", {"model": "m", "prompt": "hi"}),
}


def read(path: str, body: Mapping[str, Any]) -> object:  # Any: JSON
    dialect = EXACT.get(path) or METHODS[path.rpartition(":")[2]]
    return dialect.read_request(body, RequestLine(path=path) if ":" in path else NO_LINE)


@pytest.mark.parametrize(
    ("call", "more", "param", "spelling"),
    [
        ("chat", {"Model": "x"}, "Model", "model"),
        ("chat", {"Messages": []}, "Messages", "messages"),
        ("chat", {"Max_tokens": 99}, "Max_tokens", "max_tokens"),
        ("chat", {"MAX_COMPLETION_TOKENS": 99}, "MAX_COMPLETION_TOKENS", "max_completion_tokens"),
        ("chat", {"Stream": True}, "Stream", "stream"),
        ("chat", {"Best_Of": 9}, "Best_Of", "best_of"),
        ("chat", {"messages": [{"role": "user", "content": "a", "Role": "system"}]}, "messages[0].Role", "role"),
        ("chat", {"messages": [{"role": "user", "Content": "a"}]}, "messages[0].Content", "content"),
        (
            "chat",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "Image_URL": {}}]}]},
            "messages[0].content[0].Image_URL",
            "image_url",
        ),
        ("chat", {"stream_options": {"Include_Usage": False}, "stream": True}, "stream_options.Include_Usage", ""),
        ("responses", {"Max_Output_Tokens": 99}, "Max_Output_Tokens", "max_output_tokens"),
        ("responses", {"Input": "x"}, "Input", "input"),
        ("responses", {"Instructions": "x"}, "Instructions", "instructions"),
        ("responses", {"input": [{"role": "user", "content": "a", "Role": "system"}]}, "input[0].Role", "role"),
        ("messages", {"Max_Tokens": 99}, "Max_Tokens", "max_tokens"),
        ("messages", {"System": "x"}, "System", "system"),
        ("messages", {"thinking": {"type": "enabled", "budget_tokens": 9, "Budget_Tokens": 99}}, "", "budget_tokens"),
        ("count", {"Messages": []}, "Messages", "messages"),
        ("gemini", {"Contents": []}, "Contents", "contents"),
        ("gemini", {"GenerationConfig": {}}, "GenerationConfig", "generationConfig"),
        ("gemini", {"generation_Config": {}}, "generation_Config", "generationConfig"),
        ("gemini", {"Generation_Config": {}}, "Generation_Config", "generationConfig"),
        ("gemini", {"System_Instruction": {}}, "System_Instruction", "systemInstruction"),
        ("gemini", {"SafetySettings": []}, "SafetySettings", "safetySettings"),
        *(
            ("gemini", {config: {name: 9}}, f"generationConfig.{name}", "maxOutputTokens")
            for config in ("generationConfig", "generation_config")
            for name in ("MaxOutputTokens", "max_outputTokens", "maxOutput_tokens", "max_Output_Tokens", "_max_output_tokens")
        ),
        ("gemini", {"generationConfig": {"topk": 9}}, "generationConfig.topk", "topK"),
        ("gemini", {"tools": [{"FunctionDeclarations": []}]}, "tools[0].FunctionDeclarations", "functionDeclarations"),
        ("gemini", {"tools": [{"Google_Search": {}}]}, "tools[0].Google_Search", "googleSearch"),
        ("gemini", {"contents": [{"parts": [{"text": "a", "InlineData": {}}]}]}, "", "inlineData"),
        ("gemini", {"contents": [{"parts": [{"text": "a"}], "Role": "model"}]}, "contents[0].Role", "role"),
        ("gemini_count", {"GenerateContentRequest": GEMINI}, "GenerateContentRequest", "generateContentRequest"),
        ("gemini_count", {"Contents": []}, "Contents", "contents"),
        ("gemini_embed", {"output_Dimensionality": 3}, "output_Dimensionality", "outputDimensionality"),
        ("embeddings", {"Input": "x"}, "Input", "input"),
        ("completions", {"Max_tokens": 99}, "Max_tokens", "max_tokens"),
        ("rerank", {"Documents": []}, "Documents", "documents"),
        ("moderations", {"Input": "x"}, "Input", "input"),
        ("speech", {"Input": "x"}, "Input", "input"),
        ("images", {"N": 9}, "N", "n"),
    ],
)  # fmt: skip
def test_every_dialect_refuses_look_alikes_of_what_it_reads(
    call: str, more: Mapping[str, Any], param: str, spelling: str  # Any: JSON
) -> None:  # fmt: skip
    path, body = CALLS[call]
    with pytest.raises(InvalidRequest) as caught:
        read(path, {**body, **more})
    assert not param or caught.value.param == param
    assert caught.value.message.endswith(f"only looks like one; send `{spelling}`" if spelling else "`")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"generationConfig": {"maxOutputTokens": 1, "max_output_tokens": 9}}, "generationConfig.maxOutputTokens"),
        ({"generation_config": {"max_output_tokens": 9}, "generationConfig": {}}, "generationConfig"),
        ({"systemInstruction": {"parts": []}, "system_instruction": {"parts": []}}, "systemInstruction"),
    ],
)
def test_both_of_googles_spellings_at_once_are_refused(one: Mapping[str, Any], other: str) -> None:  # Any: JSON
    with pytest.raises(InvalidRequest, match=f"`{other}` is said in two spellings"):
        read(CALLS["gemini"][0], {**GEMINI, **one})


@pytest.mark.parametrize("call", CALLS)
def test_unknown_fields_that_look_like_nothing_known_pass(call: str) -> None:
    path, body = CALLS[call]
    read(path, {**body, "vendorField": {"Model": 1, "some_Thing": 2}, "X_Y": 3})
