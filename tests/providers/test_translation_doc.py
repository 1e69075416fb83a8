"""docs/reference/translation.md says what the codecs do: its table is compared with the code and with real requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import completion_create_params as official

from yuzui.core.errors import ClientFault
from yuzui.core.target import Quirks, Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.dialects.openai_chat_request import FIELDS as UNDERSTOOD
from yuzui.providers import anthropic, openai
from yuzui.providers._anthropic_answer import FINISH_REASONS, UNKNOWN_FINISH
from yuzui.providers._anthropic_fields import FIELDS
from yuzui.providers._anthropic_request import DEFAULT_MAX_TOKENS
from yuzui.providers._anthropic_thinking import THINKING_BUDGETS
from yuzui.providers._contract import Codec

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "translation.md"
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
FUNCTIONS = [{"name": "f", "parameters": {"type": "object"}}]
MESSAGES = [{"role": "system", "content": "rule"}, {"role": "user", "content": "hi"}]
AUDIO = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}

# Field → what a request needs to use it in full, next to model and messages.
SAMPLES: dict[str, dict[str, Any]] = {  # Any: JSON values
    "audio": AUDIO,
    "frequency_penalty": {"frequency_penalty": 0.5},
    "function_call": {"function_call": {"name": "f"}, "functions": FUNCTIONS},
    "functions": {"functions": FUNCTIONS},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "logprobs": {"logprobs": True},
    "max_completion_tokens": {"max_completion_tokens": 50},
    "max_tokens": {"max_tokens": 50},
    "messages": {"messages": MESSAGES},
    "metadata": {"metadata": {"a": "b"}},
    "modalities": AUDIO,
    "model": {"model": "auto"},
    "moderation": {"moderation": {"model": "omni-moderation-latest"}},
    "n": {"n": 2},
    "parallel_tool_calls": {"parallel_tool_calls": False, "tools": TOOLS},
    "prediction": {"prediction": {"type": "content", "content": "hi"}},
    "presence_penalty": {"presence_penalty": 0.5},
    "prompt_cache_key": {"prompt_cache_key": "k"},
    "prompt_cache_options": {"prompt_cache_options": {"mode": "explicit"}},
    "prompt_cache_retention": {"prompt_cache_retention": "24h"},
    "reasoning_effort": {"reasoning_effort": "high"},
    "response_format": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
    },
    "safety_identifier": {"safety_identifier": "u-1"},
    "seed": {"seed": 7},
    "service_tier": {"service_tier": "default"},
    "stop": {"stop": ["END"]},
    "store": {"store": True},
    "stream": {"stream": True},
    "stream_options": {"stream": True, "stream_options": {"include_usage": False}},
    "temperature": {"temperature": 1.5},
    "tool_choice": {"tool_choice": "required", "tools": TOOLS},
    "tools": {"tools": TOOLS},
    "top_logprobs": {"logprobs": True, "top_logprobs": 3},
    "top_p": {"top_p": 0.5},
    "user": {"user": "u-2"},
    "verbosity": {"verbosity": "low"},
    "web_search_options": {"web_search_options": {}},
}


def treatment(codec: Codec, quirks: Quirks, model: str, field: str) -> str:
    """What `codec` really does with `field`."""
    sample = SAMPLES[field]
    target = Target(
        name="t",
        provider="p",
        codec="c",
        model=model,
        base_url="https://upstream.test",
        premises="vendor",
        clearance=0,
        jurisdiction="US",
        quirks=quirks,
    )
    try:
        request = DIALECT.read_request({"model": "auto", "messages": MESSAGES} | sample)
        wire = codec.write_request(request, target, output_cap=None)
    except ClientFault as fault:
        assert fault.param in sample, f"{field}: refused for {fault.param}"
        return "refused"
    body = json.loads(wire.body)
    if field in body and body[field] == sample[field]:
        return "sent"
    return "dropped" if field in wire.dropped and field not in body else "mapped"


def lane(field: str) -> str:
    return treatment(openai.CODEC, Quirks(), "m", field)


def to_anthropic(field: str) -> str:
    # A model that takes sampling: what the newer ones drop stands in the notes.
    return treatment(anthropic.CODEC, anthropic.ROW.quirks, "claude-haiku-4-5-20251001", field)


def test_the_tables_know_every_field_of_the_official_client() -> None:
    params = official.CompletionCreateParamsNonStreaming, official.CompletionCreateParamsStreaming
    fields = {name for each in params for name in each.__required_keys__ | each.__optional_keys__}
    assert FIELDS.keys() == SAMPLES.keys() == fields
    assert fields <= UNDERSTOOD.keys()


@pytest.mark.parametrize("field", sorted(SAMPLES))
def test_a_field_fares_as_its_table_says(field: str) -> None:
    assert to_anthropic(field) == FIELDS[field].treatment


@pytest.mark.parametrize("field", sorted(name for name, fate in FIELDS.items() if fate.treatment == "mapped"))
def test_a_mapped_field_changes_what_is_sent(field: str) -> None:
    if field == "stream_options":
        return  # usage comes in any case; nothing is sent for it
    target = Target(
        name="t",
        provider="p",
        codec="c",
        model="claude-haiku-4-5-20251001",
        base_url="https://upstream.test",
        premises="vendor",
        clearance=0,
        jurisdiction="US",
    )
    plain = {"model": "auto", "messages": [{"role": "user", "content": "bye"}]}
    rest = {name: value for name, value in SAMPLES[field].items() if name != field}
    with_field = anthropic.CODEC.write_request(DIALECT.read_request(plain | SAMPLES[field]), target, output_cap=None)
    without = anthropic.CODEC.write_request(DIALECT.read_request(plain | rest), target, output_cap=None)
    if field == "model":
        assert json.loads(with_field.body)["model"] == target.model
    else:
        assert with_field.body != without.body


def test_the_page_prints_the_tables() -> None:
    rows = [f"| `{field}` | {lane(field)} | {fate.treatment} | {fate.note} |" for field, fate in sorted(FIELDS.items())]
    table = "\n".join(["| field | OpenAI wire format | Anthropic | note on Anthropic |", "|---|---|---|---|", *rows])
    assert table in PAGE.read_text("utf-8"), f"docs/reference/translation.md should hold:\n{table}"


def test_the_page_tells_each_stop_reason_and_budget() -> None:
    page = PAGE.read_text("utf-8")
    section = page.partition("| stop reason |")[2].partition("\n\n")[0]
    told = {
        reason.strip(" `"): finish.split("`")[1]
        for line in section.splitlines()[2:]
        for reasons, finish in [line.strip("| ").split(" | ", 1)]
        for reason in reasons.split(",")
        if "reason to come" not in reason
    }
    assert told == FINISH_REASONS | {"pause_turn": UNKNOWN_FINISH}
    assert " · ".join(f"{tokens:,}" for tokens in THINKING_BUDGETS.values()) in page
    assert f"{DEFAULT_MAX_TOKENS}" in FIELDS["max_completion_tokens"].note
