"""What a model family takes on Bedrock beyond Converse's common ground, by the name of the model.

A Bedrock address serves many vendors' models, and a knob that one takes another answers with a 400. Where the name says
nothing (the ARN of an application inference profile), `targets.parameters.family` does: `claude`, `nova`, …

Sources (read 2026-11-26): botocore==1.44.8, bedrock-runtime service model (notes on fields);
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html (native schemas);
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html (cache points);
https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-converse-api.html (`reasoningConfig`);
https://github.com/stdapi-ai/stdapi.ai/issues/283 (`reasoning.effort` of OpenAI's models on Converse).
Which schemas and forced tools the open families take is partly unverified; an unknown family is sent what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from yuzui.providers._anthropic_models import ModelTraits, traits_of

Schemas = Literal["native", "tool", "none"]
"""How a model is held to a schema: Converse's `outputConfig`, a tool that it must call, or not at all."""
Effort = Literal["claude", "nova", "reasoning", "reasoning_effort", "none"]
"""Under which additional field an effort is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    name: str
    schemas: Schemas = "native"
    effort: Effort = "none"
    top_k: tuple[str, ...] = ()
    """Path of the additional field that holds it; empty: it has none."""
    takes_cache_points: bool = False
    takes_status: bool = False
    """`toolResult.status`."""
    tool_choices: frozenset[str] = field(default_factory=lambda: frozenset(("auto", "required", "named")))
    signs_thoughts: bool = False
    """What it thought must return, signed; others refuse it or ignore it."""


_AUTO: Final = frozenset(("auto",))
FAMILIES: Final = (
    Family(
        name="claude", effort="claude", top_k=("top_k",), takes_cache_points=True, takes_status=True,
        signs_thoughts=True,
    ),
    Family(
        name="nova", schemas="tool", effort="nova", top_k=("inferenceConfig", "topK"), takes_cache_points=True,
        takes_status=True,
    ),
    Family(name="gpt-oss", effort="reasoning_effort"),
    Family(name="gpt", effort="reasoning"),
    Family(name="deepseek"),
    Family(name="qwen"),
    Family(name="mistral", top_k=("top_k",)),
    Family(name="llama", schemas="none", tool_choices=_AUTO),
    Family(name="command", schemas="none", top_k=("k",), tool_choices=_AUTO),
    Family(name="jamba", schemas="none", tool_choices=_AUTO),
    Family(name="titan", schemas="none", tool_choices=_AUTO),
)  # fmt: skip
UNKNOWN: Final = Family(name="")

_WORDS: Final = {
    re.compile(r"claude"): "claude",
    re.compile(r"(?:^|[.:/])nova-"): "nova",
    re.compile(r"gpt-oss"): "gpt-oss",
    re.compile(r"openai\.|gpt-\d"): "gpt",
    re.compile(r"deepseek"): "deepseek",
    re.compile(r"qwen"): "qwen",
    re.compile(r"mi[sx]tral|pixtral|magistral|ministral|voxtral"): "mistral",
    re.compile(r"llama"): "llama",
    re.compile(r"cohere\.|command-r"): "command",
    re.compile(r"jamba|ai21\."): "jamba",
    re.compile(r"titan"): "titan",
}
_BY_NAME: Final = {family.name: family for family in FAMILIES}


def family_of(model: str, parameters: Mapping[str, str]) -> Family:
    """The family of `model`, an id or an ARN; what the operator says in `parameters` comes first."""
    said = parameters.get("family")
    if said is not None:
        return _BY_NAME.get(said, UNKNOWN)
    return _named(model)


@lru_cache(maxsize=256)  # names of the operator's targets: few, and asked for with every request
def _named(model: str) -> Family:
    name = model.lower()
    return next((_BY_NAME[family] for word, family in _WORDS.items() if word.search(name)), UNKNOWN)


@lru_cache(maxsize=256)  # as above
def claude_traits(model: str) -> ModelTraits:
    return traits_of(model)


def schemas_of(family: Family, model: str) -> Schemas:
    """Claude models before 4.5 are held to a schema by a tool."""
    if family.name == "claude" and not claude_traits(model).takes_schemas:
        return "tool"
    return family.schemas
