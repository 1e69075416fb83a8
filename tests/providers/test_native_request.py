"""What codecs of vendors with a wire of their own do alike on the way up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_kit import CALL, FREE, HI, NOW, WEATHER, embedding, request, reranking, result, said
from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers import native_request as native
from yuzui.providers.openai_rerank import RerankWire

TARGET = Target(
    name="t", provider="cohere", codec="cohere", model="m", base_url="https://x.test", premises="vendor", clearance=0,
    jurisdiction="",
)  # fmt: skip
PICTURE = ImagePart(data="aGk=", media_type="image/png")


# ---- refusing and reporting -----------------------------------------------------------------------------------------


def test_a_name_of_the_client_is_reported_only_when_it_is_fit_for_a_header() -> None:
    dropped = native.Dropped()
    for name in ("top_k", "a b\r\nx: y", "x" * 65, "top_k", "web_search_options.user_location"):
        dropped(name)
    assert dropped.names == ("top_k", "unknown_field", "web_search_options.user_location")


@pytest.mark.parametrize(
    ("feature", "field"), [("logprobs", "logprobs"), ("web_search", "web_search_options"), ("server_tools", "tools")]
)
def test_a_feature_that_is_lacking_is_refused_by_the_field_that_asks_for_it(feature: str, field: str) -> None:
    asked = request(features=frozenset({feature}))
    native.refuse_features(asked, ("n", "audio"))
    with pytest.raises(UnsupportedFeature, match=f"`{field}`") as caught:
        native.refuse_features(asked, (feature,))  # type: ignore[arg-type]  # the table holds features
    assert caught.value.param == field


def test_several_answers_are_a_feature() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        native.refuse_features(request(n=2), ("n",))
    assert caught.value.param == "n"


def test_a_model_that_ranks_only_ranks() -> None:
    asked = reranking("q", "a")
    assert native.ranking_of(asked) is asked
    with pytest.raises(UnsupportedFeature, match="query and documents"):
        native.ranking_of(embedding("a"))


@pytest.mark.parametrize(("documents", "searches"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_search_is_a_hundred_documents_begun(documents: int, searches: int) -> None:
    wire = RerankWire(path="/", headers={}, body=b"{}", is_stream=False, count=documents)
    assert native.searches_of(wire) == searches
    assert native.searches_of(None) == 1


@pytest.mark.parametrize(("own", "cap", "limit"), [(None, None, None), (5, None, 5), (None, 9, 9), (5, 9, 5)])
def test_the_clients_limit_goes_before_the_budgets(own: int | None, cap: int | None, limit: int | None) -> None:
    assert native.limit_of(request(max_output_tokens=own), cap) == limit


@pytest.mark.parametrize(
    "meaning",
    [
        Meaning(messages=(said("user", TextPart(text="hi", cache="5m")),)),
        Meaning(messages=(said("user", ToolResultPart(call_id="c", parts=(), cache="1h")),)),
    ],
)
def test_marks_for_a_cache_are_reported(meaning: Meaning) -> None:
    dropped = native.Dropped()
    native.drop_caches(Meaning(messages=(HI,)), dropped)
    assert not dropped.names
    native.drop_caches(meaning, dropped)
    assert dropped.names == ("cache_control",)


# ---- turns ----------------------------------------------------------------------------------------------------------


def test_each_result_stands_alone_and_its_pictures_follow_all_of_them() -> None:
    both = said(
        "user",
        ToolResultPart(call_id="c1", parts=(TextPart(text="see"), PICTURE)),
        ToolResultPart(call_id="c2", parts=(TextPart(text="no"),), is_error=True),
        TextPart(text="so?"),
    )
    first, second, rest = native.unfold((both,))
    assert [native.result_of(first).call_id, native.result_of(second).call_id] == ["c1", "c2"]
    assert native.result_of(first).parts == (TextPart(text="see"),)
    assert native.result_of(second).is_error
    assert rest == said("user", TextPart(text="[from the tool call c1]"), PICTURE, TextPart(text="so?"))


def test_pictures_of_results_come_before_the_next_turn() -> None:
    turns = native.unfold((result(PICTURE), result(TextPart(text="b"), call="c2"), said("assistant", CALL)))
    assert [turn.role for turn in turns] == ["tool", "tool", "user", "assistant"]
    assert [turn.role for turn in native.unfold((result(PICTURE),))] == ["tool", "user"]


@given(
    st.lists(st.sampled_from([HI, said("assistant", CALL), result(TextPart(text="a")), result(PICTURE)]), max_size=8)
)
def test_unfolding_loses_no_part(messages: list[Message]) -> None:
    turns = native.unfold(tuple(messages))
    assert not any(
        isinstance(part, ToolResultPart) and (len(turn.parts) != 1 or any(isinstance(p, ImagePart) for p in part.parts))
        for turn in turns
        for part in turn.parts
    )
    before = sum(_pictures(message.parts) for message in messages)
    assert sum(_pictures(turn.parts) for turn in turns) == before
    assert [turn.role for turn in turns if turn.role != "user"] == [m.role for m in messages if m.role != "user"]


def _pictures(parts: tuple[Part, ...]) -> int:
    inside = sum(_pictures(part.parts) for part in parts if isinstance(part, ToolResultPart))
    return inside + sum(isinstance(part, ImagePart) for part in parts)


def test_rules_move_to_the_front_and_lose_nothing() -> None:
    messages = [HI, said("system", TextPart(text="a")), said("developer", TextPart(text="b"))]
    system, turns = native.system_first(messages)
    assert system == [TextPart(text="a"), TextPart(text="b")]
    assert turns == [HI]


def test_the_text_of_parts_leaves_thoughts_and_calls_out() -> None:
    document = DocumentPart(text="Tall.", title="Birds", context="notes")
    parts: tuple[Part, ...] = (ReasoningPart(text="hm"), TextPart(text="a "), CALL, document)
    assert native.text_of(parts) == "a Birds\nnotes\n\nTall."
    assert native.document_text(DocumentPart(text="x")) == "x"


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (PICTURE, "an image here"),
        (DocumentPart(data="aGk=", media_type="application/pdf"), "a file of this kind"),
        (AudioPart(data="aGk=", media_type="audio/wav"), "sound"),
        (OpaquePart(kind="hologram"), "'hologram'"),
        (ToolResultPart(call_id="c", parts=()), "ToolResultPart"),
    ],
)
def test_a_part_that_no_text_can_say_is_refused_by_its_name(part: Part, what: str) -> None:
    with pytest.raises(UnsupportedFeature, match=what) as caught:
        native.text_of([part])
    assert caught.value.param == "messages"


def test_an_image_is_an_address_or_its_bytes_and_no_file_of_another_vendor() -> None:
    assert native.image_url(PICTURE) == "data:image/png;base64,aGk="
    assert native.image_url(ImagePart(url="https://x.test/a.png")) == "https://x.test/a.png"
    with pytest.raises(UnsupportedFeature, match="file_id"):
        native.image_url(ImagePart(file_id="file_1"))


@pytest.mark.parametrize(
    ("part", "returns"),
    [
        (ReasoningPart(text="a"), True),
        (ReasoningPart(text="a", origin="cohere"), True),
        (ReasoningPart(text="a", origin="deepseek"), False),
        (ReasoningPart(text="", signature="s"), False),
        (ReasoningPart(text="a", redacted="x"), False),
    ],
)
def test_a_thought_returns_to_where_it_came_from_or_is_reported(part: ReasoningPart, returns: bool) -> None:
    dropped = native.Dropped()
    assert native.thoughts_of(said("assistant", part), TARGET, dropped) == ([part] if returns else [])
    assert dropped.names == (() if returns else ("reasoning",))


# ---- tools and knobs ------------------------------------------------------------------------------------------------


def test_tools_have_a_schema_and_custom_ones_become_functions() -> None:
    dropped = native.Dropped()
    weather, now, free = native.write_tools((WEATHER, NOW, FREE), dropped)
    assert dropped.names == ()
    assert weather["function"] == {"name": "get_weather", "parameters": {"type": "object"}}
    assert now["function"]["parameters"] == {"type": "object", "properties": {}}
    assert free["function"]["parameters"]["required"]


def test_what_a_tool_asks_for_beyond_its_schema_is_reported() -> None:
    strict = ToolSpec(name="s", is_strict=True)
    spelled = ToolSpec(
        name="g", is_custom=True, grammar={"type": "grammar", "syntax": "lark", "definition": "start: A"}
    )
    dropped, kept = native.Dropped(), native.Dropped()
    native.write_tools((strict, spelled), dropped)
    native.write_tools((strict,), kept, knows_strict=True)
    assert (dropped.names, kept.names) == (("tools.format", "tools.strict"), ())


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (ToolCallPart(id="c", name="now", arguments=""), "{}"),
        (ToolCallPart(id="c", name="now", arguments='{"a":1}'), '{"a":1}'),
        (ToolCallPart(id="c", name="run", arguments="ls", is_custom=True), '{"input":"ls"}'),
    ],
)
def test_the_arguments_of_a_call_are_json_text_and_never_empty(call: ToolCallPart, arguments: str) -> None:
    (written,) = native.write_calls(said("assistant", TextPart(text="a"), call))
    assert written["function"]["arguments"] == arguments


def test_a_forced_tool_must_be_among_the_tools() -> None:
    choice = ToolChoice(mode="named", name="now")
    assert native.named_tool(Meaning(messages=(HI,), tools=(WEATHER, NOW), tool_choice=choice)) == (NOW,)
    with pytest.raises(InvalidRequest, match="add it"):
        native.named_tool(Meaning(messages=(HI,), tools=(WEATHER,), tool_choice=choice))


@pytest.mark.parametrize(
    ("value", "inside", "reported"), [(0.5, 0.5, False), (1.0, 0.99, False), (2.0, 0.99, True), (-1.0, 0.01, True)]
)
def test_a_value_outside_the_vendors_scale_is_moved_and_a_real_change_reported(
    value: float, inside: float, reported: bool
) -> None:
    dropped = native.Dropped()
    assert native.clamp("top_p", value, 0.01, 0.99, dropped) == inside
    assert bool(dropped.names) is reported


def test_knobs_go_under_the_vendors_names() -> None:
    body: dict[str, object] = {}
    dropped = native.Dropped()
    meaning = Meaning(messages=(HI,), knobs={"top_k": 3, "stream_options": {}, "seed": None, "logit_bias": {}})
    native.write_knobs(body, meaning, {"top_k": "k", "seed": "seed", "stream_options": ""}, dropped)
    assert body == {"k": 3}
    assert dropped.names == ("logit_bias",)
