"""Counts, refusals and citations in the chat-completions spelling."""

from __future__ import annotations

import json
from typing import Any

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, Citation, TextPart
from yuzui.core.usage import Usage
from yuzui.dialects.openai_chat_answer import write_answer

FACTS = AnswerFacts(request_id="req-1", at_s=1_800_000_000)


def written(*choices: Choice, **more: Any) -> Any:  # Any: fields of a ChatResponse in, JSON values out
    fields = {"id": "i", "model": "m", "created_s": 1, "usage": None, **more}
    return json.loads(write_answer(ChatResponse(choices=choices, **fields), FACTS))


def test_a_refusal_has_no_content_and_unknown_usage_is_left_out() -> None:
    found = written(Choice(index=0, parts=(), finish_reason="stop", refusal="I cannot."))
    assert found["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert "usage" not in found


def test_counts_include_their_parts() -> None:
    usage = Usage(input_tokens=10, cached_input_tokens=4, cache_write_tokens=2, output_tokens=6, reasoning_tokens=5)
    assert written(usage=usage)["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    sound = Usage(input_tokens=10, input_audio_tokens=3, output_tokens=6, output_audio_tokens=2)
    details = written(usage=sound)["usage"]
    assert details["prompt_tokens_details"]["audio_tokens"] == 3
    assert details["completion_tokens_details"]["audio_tokens"] == 2


def test_an_answer_without_a_name_or_a_time_gets_ours() -> None:
    found = written(id="", created_s=0)
    assert (found["id"], found["created"]) == ("req-1", 1_800_000_000)


def test_citations_stand_at_their_places_in_the_joined_text() -> None:
    page = Citation(url="https://x.test", title="X", start=1, end=3)
    parts = (
        TextPart(text="abcd", citations=(page,)),
        TextPart(text="efgh", citations=(page, Citation(cited_text="d"))),
    )
    message = written(Choice(index=0, parts=parts, finish_reason="stop"))["choices"][0]["message"]
    assert message["content"] == "abcdefgh"
    places = [(a["url_citation"]["start_index"], a["url_citation"]["end_index"]) for a in message["annotations"]]
    assert places == [(1, 3), (5, 7)]
