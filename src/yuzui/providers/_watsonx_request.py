"""A chat request in the words of watsonx.ai, and where its requests go.

Written as chat completions from the meaning, then respelled; only fields that the API documents are sent.
Sources (2026-11-26): see `watsonx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from yuzui.core.chat import ChatRequest, Feature
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers.native_request import Block, Dropped, limit_of, refuse_features
from yuzui.providers.openai_request import body_of_meaning

DEFAULT_VERSION: Final = "2025-04-23"
EFFORTS: Final[Mapping[str, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_LACKS: Final[tuple[Feature, ...]] = ("logprobs", "web_search", "server_tools")
_KEPT: Final = (
    "messages",
    "tools",
    "response_format",
    "n",
    "temperature",
    "top_p",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "seed",
)
"""Fields that have the same name and meaning here."""
_UNSAID: Final = frozenset({"stream", "stream_options", "max_tokens", "tool_choice", "reasoning_effort"})
"""Fields that say nothing here, or are said in other words."""
_OWN: Final = frozenset(
    {
        "time_limit",
        "guided_choice",
        "guided_regex",
        "guided_grammar",
        "guided_json",
        "chat_template_kwargs",
        "repetition_penalty",
        "length_penalty",
        "include_reasoning",
        "context",
    }
)
"""Knobs of the vendor's own, which its clients send under these names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request goes, and the fields that say for whom."""

    path: str
    fields: Mapping[str, Any]  # Any: JSON values


def place_of(target: Target, operation: str) -> Place:
    """Raise `UnsupportedFeature` when the operator did not say which project, space or deployment pays."""
    parameters = target.parameters
    version = parameters.get("version", DEFAULT_VERSION)
    deployment = parameters.get("deployment_id", "")
    if deployment:
        return Place(path=_path(operation, version, deployment), fields={})
    for name in ("project_id", "space_id"):
        if parameters.get(name):
            fields = {"model_id": target.model, name: parameters[name]}
            return Place(path=_path(operation, version, ""), fields=fields)
    raise UnsupportedFeature(
        f"the target {target.name!r} does not say who pays: set parameters.project_id, space_id or deployment_id",
        param="model",
    )


@lru_cache(maxsize=256)
def _path(operation: str, version: str, deployment: str) -> str:
    """The same for each request of a target, so made once."""
    place = f"deployments/{quote(deployment, safe='')}/" if deployment else ""
    return f"/ml/v1/{place}{operation}?{urlencode({'version': version})}"


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...]]:
    """The JSON body without model and project, and the names of dropped knobs."""
    refuse_features(request, _LACKS)
    dropped = Dropped()
    openai = _common_body(request, target, dropped)
    body: Block = {name: openai[name] for name in _KEPT if name in openai}
    for name in openai:
        if name not in _KEPT and name not in _UNSAID and openai[name] is not None:
            dropped(name)
    body["messages"] = [_respell(message) for message in body["messages"]]
    choice = openai.get("tool_choice")
    if isinstance(choice, str):
        body["tool_choice_option"] = choice
    elif choice is not None:
        body["tool_choice"] = choice
    limit = limit_of(request, output_cap)
    if limit is not None:
        body["max_completion_tokens"] = limit
    _write_thinking(body, request, dropped)
    for name, value in request.meaning.knobs.items():
        if name in _OWN and value is not None:
            body[name] = value
    return body, dropped.names


def _common_body(request: ChatRequest, target: Target, dropped: Dropped) -> Block:
    """Chat completions, with the knobs of the vendor's own left to us."""
    unknown = Dropped()
    body = body_of_meaning(request, target, unknown)
    for name in unknown.names:
        if name not in _OWN and name not in ("stream_options", "thinking"):
            dropped(name)
    return body


def _respell(message: Block) -> Block:
    """The role `developer` is unknown here, and so are files; text that is missing is left out, never null."""
    content = message.get("content")
    if isinstance(content, list) and any(piece["type"] == "file" for piece in content):
        raise UnsupportedFeature("this target reads no files; send their text", param="messages")
    if content is not None and message["role"] != "developer":
        return message
    written = {**message, "role": "system"} if message["role"] == "developer" else dict(message)
    if content is None:
        written.pop("content", None)
    return written


def _write_thinking(body: Block, request: ChatRequest, dropped: Dropped) -> None:
    """`reasoning_effort` for models that have levels, `chat_template_kwargs.thinking` for those with a switch."""
    meaning = request.meaning
    budget, effort = meaning.thinking_budget, meaning.reasoning_effort
    if budget is None and effort is None:
        return
    if budget == 0 or (budget is None and effort == "none"):
        body["chat_template_kwargs"] = {"thinking": False}
        return
    body["chat_template_kwargs"] = {"thinking": True}
    level = EFFORTS.get(effort or "")
    if level:
        body["reasoning_effort"] = level
    if budget is not None and budget > 0:
        dropped("thinking.budget_tokens")
