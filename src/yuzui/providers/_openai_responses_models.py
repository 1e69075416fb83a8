"""What an OpenAI model takes on the Responses API, read from its name: whether it reasons, and how hard it may.

A model that does not reason answers 400 to `include: ["reasoning.encrypted_content"]` and to `reasoning`; one that does
loses its thoughts between turns without the former, and takes no sampling unless its effort is `none`. Where the name
says nothing (a deployment at Azure), `targets.parameters.reasoning = "yes"` or `"no"` does.

Sources (read 2026-11-26): https://developers.openai.com/api/docs/guides/reasoning,
https://developers.openai.com/api/docs/guides/latest-model (sampling beside effort), openai==3.57.0
(types/shared_params/reasoning.py; types/responses/response_create_params.py: cache breakpoints from gpt-5.6 on),
https://github.com/microsoft/agent-framework/issues/7483 (the 400 for gpt-4.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""All levels, least first."""
_GPT = re.compile(r"(?:^|[/:_-])gpt-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)")
_O_SERIES = re.compile(r"(?:^|[/:_-])o\d(?!\d)")
_OTHERS = ("gpt-oss", "codex", "grok-4", "computer-use-preview")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTraits:
    reasons: bool | None
    """None: the name does not say."""
    efforts: frozenset[str] = frozenset(EFFORTS)
    takes_breakpoints: bool = False
    """`prompt_cache_breakpoint` on parts: where the prompt is to be kept up to."""

    def takes_sampling(self, effort: str | None) -> bool:
        """`temperature` and `top_p`, beside a reasoning effort of `effort`."""
        return not self.reasons or (effort == "none" and "none" in self.efforts)


_UNKNOWN = ModelTraits(reasons=None)
_PLAIN = ModelTraits(reasons=False)


def traits_of(model: str, parameters: Mapping[str, str]) -> ModelTraits:
    """The traits of `model`; what the operator says of it in `parameters` comes first."""
    said = parameters.get("reasoning")
    traits = _named(model)
    if said == "no":
        return _PLAIN
    if said == "yes" and not traits.reasons:
        return ModelTraits(reasons=True)
    return traits


@lru_cache(maxsize=256)  # names of the operator's targets: few, and asked for with every request
def _named(model: str) -> ModelTraits:
    name = model.lower()
    if name.startswith("chatgpt") or "gpt-5-chat" in name:
        return _PLAIN
    if _O_SERIES.search(name):
        return ModelTraits(reasons=True, efforts=frozenset(("low", "medium", "high")))
    found = _GPT.search(name)
    if found is None:
        return ModelTraits(reasons=True) if any(other in name for other in _OTHERS) else _UNKNOWN
    version = (int(found[1]), int(found[2] or 0))
    if version < (5, 0):
        return _PLAIN
    if "-chat" in name:
        return _UNKNOWN
    efforts = {"low", "medium", "high"} | ({"minimal"} if version == (5, 0) else {"none"})
    if version >= (5, 2):
        efforts.add("xhigh")
    if version >= (5, 6):
        efforts.add("max")
    return ModelTraits(reasons=True, efforts=frozenset(efforts), takes_breakpoints=version >= (5, 6))


def nearest_effort(effort: str, traits: ModelTraits) -> str:
    """The model's highest level that is not above `effort`, or its lowest. None at all is another wish than little."""
    below = EFFORTS[1 : EFFORTS.index(effort) + 1] if effort != "none" else EFFORTS[:1]
    return next((level for level in reversed(below) if level in traits.efforts), _least(traits, effort))


def _least(traits: ModelTraits, effort: str) -> str:
    levels = EFFORTS if effort == "none" else EFFORTS[1:]
    return next(level for level in levels if level in traits.efforts)
