"""Every word of a report in English and Chinese, out of words.toml. Both have the same names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

Language = Literal["en", "zh"]

ASSUMPTIONS: Final = (
    "asked", "key", "unknown_kind", "conversation", "judge", "lower_default", "maskable", "draw", "terms", "router",
    "router_masked", "masked_text", "names", "elsewhere", "not_found",
)  # fmt: skip
"""What a replay may have to suppose; each has its sentence under `assume_…`."""


@cache
def words_of(language: Language) -> Mapping[str, str]:
    """Name → words, with places in braces where values belong."""
    text = (files("yuzui.backtest") / "words.toml").read_text("utf-8")
    words: Mapping[str, str] = tomllib.loads(text)[language]
    return words
