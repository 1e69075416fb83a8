"""Counts and refusals in the chat-completions spelling."""

from __future__ import annotations

import json

from yuzui.core.chat import ChatResponse, Choice
from yuzui.core.usage import Usage
from yuzui.dialects.openai_chat_answer import write_answer


def test_a_refusal_has_no_content_and_unknown_usage_is_left_out() -> None:
    choice = Choice(index=0, parts=(), finish_reason="stop", refusal="I cannot.")
    found = json.loads(write_answer(ChatResponse(id="i", model="m", created_s=1, choices=(choice,), usage=None)))
    assert found["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert "usage" not in found


def test_counts_include_their_parts() -> None:
    usage = Usage(input_tokens=10, cached_input_tokens=4, cache_write_tokens=2, output_tokens=6, reasoning_tokens=5)
    found = json.loads(write_answer(ChatResponse(id="i", model="m", created_s=1, choices=(), usage=usage)))["usage"]
    assert found == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
