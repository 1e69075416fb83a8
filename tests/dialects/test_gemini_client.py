"""The official client reads what this dialect writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from yuzui.core.answers import Count, Vectors
from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Choice,
    Citation,
    Delta,
    Part,
    ReasoningPart,
    RequestLine,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.core.errors import NoPermittedTarget, UpstreamInterrupted
from yuzui.core.strict_json import read_object
from yuzui.core.usage import Usage
from yuzui.dialects import gemini_models
from yuzui.dialects._contract import ClientDialect
from yuzui.dialects.gemini import DIALECT
from yuzui.dialects.gemini_count_tokens import DIALECT as COUNTING
from yuzui.dialects.gemini_embeddings import DIALECT as EMBEDDING

FACTS = AnswerFacts(request_id="req-1", origin="anthropic")
USAGE = Usage(input_tokens=10, cached_input_tokens=4, output_tokens=9, reasoning_tokens=5)
METHODS: dict[str, ClientDialect] = {
    "generateContent": DIALECT,
    "streamGenerateContent": DIALECT,
    "countTokens": COUNTING,
    "embedContent": EMBEDDING,
    "batchEmbedContents": EMBEDDING,
}
Answer = Callable[[ClientDialect, ChatRequest], tuple[int, bytes]]


class Place:
    """A gateway in memory: reads what the client sends with our dialect, and answers with `answer`."""

    def __init__(self, answer: Answer, *, is_vertex: bool = False) -> None:
        self.requests: list[ChatRequest] = []
        self._answer = answer

        def handle(request: httpx2.Request) -> httpx2.Response:
            url = request.url
            dialect = METHODS[url.path.rpartition(":")[2]]
            body = read_object(request.content)
            read = dialect.read_request(body, RequestLine(path=url.path, query=url.query.decode()))
            self.requests.append(read)
            status, content = self._answer(dialect, read)
            kind = dialect.answer_type(read) if status == 200 else "application/json"
            return httpx2.Response(status, content=content, headers={"content-type": kind})

        http = types.HttpOptions(
            base_url="http://gateway.test", httpx_client=httpx2.Client(transport=httpx2.MockTransport(handle))
        )
        if is_vertex:
            credentials: dict[str, Any] = {"api_key": "none"}  # Any: what the client takes
            self.client = genai.Client(vertexai=True, http_options=http, **credentials)
        else:
            self.client = genai.Client(api_key="none", http_options=http)


def whole(*parts: Part) -> Answer:
    choice = Choice(index=0, parts=parts, finish_reason="stop")
    response = ChatResponse(id="", model="claude", created_s=0, usage=USAGE, choices=(choice,))
    return lambda dialect, request: (200, dialect.write_response(response, request, FACTS))


def streamed(*deltas: Delta) -> Answer:
    def answer(dialect: ClientDialect, request: ChatRequest) -> tuple[int, bytes]:
        writer = dialect.stream_writer(request, FACTS)
        sent = writer.heartbeat()
        for delta in deltas:
            sent += writer.write(StreamChunk(id="r", model="claude", deltas=(delta,))) + writer.heartbeat()
        writer.write(StreamChunk(usage=USAGE))
        return 200, sent + writer.finish({"request_id": "req-1"})

    return answer


def test_a_plain_answer_is_read() -> None:
    cited = Citation(url="https://a.test", title="A", start=0, end=2)
    place = Place(whole(TextPart(text="Hi", citations=(cited,))))
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        max_output_tokens=20,
        response_schema={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
        response_mime_type="application/json",
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.BLOCK_NONE
            )
        ],
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW, include_thoughts=True),
    )
    answer = place.client.models.generate_content(model="auto", contents="Say hi", config=config)
    assert answer.text == "Hi"
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    grounding = answer.candidates[0].grounding_metadata
    assert grounding is not None and grounding.grounding_chunks is not None
    assert grounding.grounding_chunks[0].web == types.GroundingChunkWeb(uri="https://a.test", title="A")
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (10, 4, 5)
    assert (usage.cached_content_token_count, usage.total_token_count) == (4, 19)
    (request,) = place.requests
    assert request.model == "auto" and request.max_output_tokens == 20
    assert request.meaning.reasoning_effort == "low" and request.meaning.wants_thoughts
    assert request.meaning.response_format is not None and request.meaning.response_format.is_strict


def test_a_stream_is_read_and_heartbeats_are_nothing() -> None:
    place = Place(streamed(Delta(text="H"), Delta(text="i"), Delta(finish_reason="length")))
    chunks = list(place.client.models.generate_content_stream(model="auto", contents="Say hi"))
    assert "".join(chunk.text or "" for chunk in chunks) == "Hi"
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert chunks[-1].usage_metadata is not None and chunks[-1].usage_metadata.total_token_count == 19


def test_parallel_calls_of_a_stream_are_run_by_the_client() -> None:
    """The client's own loop: it calls the functions, sends both results, and gets the last word."""
    calls = (
        Delta(tool_calls=(ToolCallDelta(position=0, id="t1", name="weather", arguments='{"city": "Os'),)),
        Delta(tool_calls=(ToolCallDelta(position=1, id="t2", name="clock", arguments="{}"),)),
        Delta(tool_calls=(ToolCallDelta(position=0, arguments='lo"}'),)),
        Delta(finish_reason="tool_calls"),
    )

    def answer(dialect: ClientDialect, request: ChatRequest) -> tuple[int, bytes]:
        is_first = len(place.requests) == 1
        return streamed(*(calls if is_first else (Delta(text="rain at 12"), Delta(finish_reason="stop"))))(
            dialect, request
        )

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    def clock() -> str:
        """The time."""
        return "12"

    place = Place(answer)
    config = types.GenerateContentConfig(tools=[weather, clock])
    chunks = list(place.client.models.generate_content_stream(model="auto", contents="?", config=config))
    assert "".join(part.text or "" for chunk in chunks for part in chunk.parts or []) == "rain at 12"
    results = place.requests[1].meaning.messages[2].parts
    assert [(getattr(part, "call_id", ""), getattr(part, "parts", ())) for part in results] == [
        ("t1", (TextPart(text="rain in Oslo"),)),
        ("t2", (TextPart(text="12"),)),
    ]


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_thought_comes_back_whole_in_the_clients_next_turn(is_streamed: bool) -> None:
    if is_streamed:
        thinking = streamed(
            Delta(reasoning="Let me "), Delta(reasoning="look."), Delta(signature="sig"), Delta(redacted="crypt"),
            Delta(text="An"), Delta(text="swer."), Delta(finish_reason="stop"),
        )  # fmt: skip
    else:
        thinking = whole(
            ReasoningPart(text="Let me look.", signature="sig"), ReasoningPart(text="", redacted="crypt"),
            TextPart(text="Answer."),
        )  # fmt: skip
    place = Place(thinking)
    chat = place.client.chats.create(model="auto")
    for said in ("first", "second"):
        if is_streamed:
            list(chat.send_message_stream(said))
        else:
            assert chat.send_message(said).text == "Answer.", "thoughts are not part of the text"
    assert place.requests[1].meaning.messages[1].parts == (
        ReasoningPart(text="Let me look.", signature="sig", origin="anthropic"),
        ReasoningPart(text="", redacted="crypt", origin="anthropic"),
        TextPart(text="Answer."),
    )


def test_pictures_and_results_of_the_client_are_understood() -> None:
    place = Place(whole(TextPart(text="ok")))
    history = [
        types.UserContent(
            parts=[types.Part.from_bytes(data=b"\xfb\xff\xfe", mime_type="image/png"), types.Part(text="?")]
        ),
        types.ModelContent(parts=[types.Part.from_function_call(name="shot", args={"a": 1})]),
        types.UserContent(parts=[types.Part.from_function_response(name="shot", response={"result": {"x": [1]}})]),
    ]
    place.client.models.generate_content(model="auto", contents=history)
    seen, called, result = place.requests[0].meaning.messages
    assert getattr(seen.parts[0], "data", "") == "+//+"
    assert called.parts == (ToolCallPart(id="call_1", name="shot", arguments='{"a":1}'),)
    assert getattr(result.parts[0], "call_id", "") == "call_1"


def test_errors_become_the_clients_exceptions() -> None:
    error = NoPermittedTarget("nothing may see this")
    place = Place(lambda dialect, request: (403, dialect.write_error(error, "req-1")))
    with pytest.raises(errors.ClientError) as caught:
        place.client.models.generate_content(model="auto", contents="?")
    assert (caught.value.code, caught.value.status, caught.value.message) == (
        403,
        "PERMISSION_DENIED",
        "nothing may see this",
    )
    with pytest.raises(errors.ClientError):
        list(place.client.models.generate_content_stream(model="auto", contents="?"))


def test_an_error_inside_a_stream_becomes_an_exception() -> None:
    def answer(dialect: ClientDialect, request: ChatRequest) -> tuple[int, bytes]:
        writer = dialect.stream_writer(request, FACTS)
        sent = writer.write(StreamChunk(deltas=(Delta(text="H"),)))
        return 200, sent + writer.fail(UpstreamInterrupted("cut"), "req-1")

    seen = []
    with pytest.raises(errors.ServerError, match="cut"):
        for chunk in Place(answer).client.models.generate_content_stream(model="auto", contents="?"):
            seen.append(chunk.text)
    assert seen == ["H"]


def test_a_client_of_vertex_ai_finds_its_paths() -> None:
    place = Place(whole(TextPart(text="Hi")), is_vertex=True)
    assert place.client.models.generate_content(model="auto", contents="?").text == "Hi"
    place.client.models.generate_content(model="team/auto", contents="?")
    assert [request.model for request in place.requests] == ["auto", "team/auto"]
    assert "/publishers/google/models/auto" in place.requests[0].line.path


def test_counts_and_vectors_are_read() -> None:
    counting = Place(lambda dialect, request: (200, dialect.write_response(Count(input_tokens=7), request, FACTS)))
    assert counting.client.models.count_tokens(model="auto", contents="hi").total_tokens == 7
    vectors = Vectors(model="m", vectors=((0.5, 0.25), (1.0, 0.0)), usage=Usage(input_tokens=3))
    embedding = Place(lambda dialect, request: (200, dialect.write_response(vectors, request, FACTS)))
    found = embedding.client.models.embed_content(
        model="auto", contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=2)
    )
    assert [vector.values for vector in found.embeddings or []] == [[0.5, 0.25], [1.0, 0.0]]


def test_the_list_of_models_is_read() -> None:
    entry = {"id": "auto", "yuzui": {"context_tokens": 1000, "max_output_tokens": 50, "serves": ["chat"]}}

    def handle(request: httpx2.Request) -> httpx2.Response:
        is_one = request.url.path.endswith("/auto")
        return httpx2.Response(
            200, content=gemini_models.show_model(entry) if is_one else gemini_models.list_models([entry])
        )

    http = types.HttpOptions(
        base_url="http://gateway.test", httpx_client=httpx2.Client(transport=httpx2.MockTransport(handle))
    )
    client = genai.Client(api_key="none", http_options=http)
    (model,) = client.models.list()
    assert model == client.models.get(model="auto")
    assert (model.name, model.input_token_limit, model.output_token_limit) == ("models/auto", 1000, 50)
    assert model.supported_actions is not None and "generateContent" in model.supported_actions
