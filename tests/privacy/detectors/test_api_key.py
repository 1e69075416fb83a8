"""Vendors' API keys. Every key here is put together at run time."""

from __future__ import annotations

import pytest

from privacy.kit import RANDOM_LOOKING, values, vendor_key

KEYS = [
    vendor_key("sk-"),
    vendor_key("sk-" + "proj-", 60),
    vendor_key("sk-" + "ant-api03-", 80),
    vendor_key("sk_" + "live_", 24),
    "AKIA" + "PYCDYBK377OXTZQ6",
    vendor_key("gh" + "p_", 36),
    vendor_key("github" + "_pat_", 60),
    vendor_key("glpat" + "-", 20),
    vendor_key("AI" + "za", 35),
    vendor_key("xo" + "xb-", 40),
    vendor_key("hf" + "_", 34),
    vendor_key("npm" + "_", 36),
    vendor_key("gsk" + "_", 52),
    vendor_key("LT" + "AI", 20),
    vendor_key("AK" + "ID", 32),
    vendor_key("yz" + "-", 32),
    "dapi" + "0123456789abcdef" * 2,
    "123456789:" + "AA" + RANDOM_LOOKING[:33],
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:6])
def test_a_key_is_found_whole_wherever_it_stands(key: str) -> None:
    for text in (key, f"key={key}&x=1", f'{{"k": "{key}"}}', f"用这个{key}，谢谢"):
        assert values(text, "api_key") == [key]


def test_a_greek_letter_in_the_prefix_does_not_hide_a_key() -> None:
    key = "ΑKIΑ" + "PYCDYBK377OXTZQ6"
    assert values(key, "api_key") == [key]


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-" + "learn-pipeline-with-very-long-name",
        "task-" + RANDOM_LOOKING[:24],
        "git commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "sk-" + "x" * 40,
        "hf" + "_hub_download_file_from_the_internet",
    ],
)
def test_examples_prose_and_hashes_are_left_alone(text: str) -> None:
    assert values(text, "api_key") == []
