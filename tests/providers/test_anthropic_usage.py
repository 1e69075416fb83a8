"""Counts of the Messages API in the canonical shape."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from yuzui.core.usage import Usage
from yuzui.providers._anthropic_usage import UsageReader, WireUsage

Counts = dict[str, Any]  # Any: JSON values


def read(*counts: Counts) -> Usage | None:
    reader = UsageReader()
    for one in counts:
        reader.read(msgspec.json.decode(json.dumps(one), type=WireUsage))
    return reader.usage


@pytest.mark.parametrize(
    ("counts", "want"),
    [
        ({}, Usage()),
        ({"input_tokens": 1, "output_tokens": 2, "inference_geo": "us"}, Usage(input_tokens=1, output_tokens=2)),
        (
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 200,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                "output_tokens": 5,
                "output_tokens_details": {"thinking_tokens": 3},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            },
            Usage(
                input_tokens=240,
                cached_input_tokens=200,
                cache_write_tokens=30,
                cache_write_1h_tokens=20,
                output_tokens=5,
                reasoning_tokens=3,
                server_tools=(("web_search", 2),),
            ),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "iterations": [
                    {"type": "message", "input_tokens": 10, "output_tokens": 5},
                    {"type": "compaction", "input_tokens": 900, "output_tokens": 40, "cache_read_input_tokens": 7},
                    {
                        "type": "advisor_message",
                        "input_tokens": 50,
                        "output_tokens": 6,
                        "cache_creation_input_tokens": 8,
                        "cache_creation": {"ephemeral_1h_input_tokens": 8},
                    },
                    {"type": "to_come", "input_tokens": 10_000},
                ],
            },
            Usage(
                input_tokens=10 + 900 + 7 + 50 + 8,
                cached_input_tokens=7,
                cache_write_tokens=8,
                cache_write_1h_tokens=8,
                output_tokens=51,
            ),
        ),
    ],
)
def test_each_count_has_its_place(counts: Counts, want: Usage) -> None:
    assert read(counts) == want


def test_nothing_told_is_no_count() -> None:
    assert read() is None


def test_later_counts_replace_earlier_ones_and_absent_ones_stand() -> None:
    start = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_1h_input_tokens": 20},
        "output_tokens": 1,
    }
    end = {"input_tokens": 12, "output_tokens": 9, "server_tool_use": {"web_fetch_requests": 1}}
    assert read(start, end) == Usage(
        input_tokens=42,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        output_tokens=9,
        server_tools=(("web_fetch", 1),),
    )
