"""Knows the upstreams of the matrix (providers.toml) and which wire each path of theirs speaks."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from conformance.wires._contract import Wire
from conformance.wires.anthropic import Anthropic
from conformance.wires.bedrock import Bedrock
from conformance.wires.cohere import Cohere
from conformance.wires.dashscope import DashScope
from conformance.wires.gemini import Gemini
from conformance.wires.ollama import Ollama
from conformance.wires.openai_chat import AZURE, LLAMA_CPP, OPENAI, VLLM, OpenAIChat
from conformance.wires.openai_responses import OpenAIResponses
from conformance.wires.qianfan import Qianfan
from conformance.wires.tgi import TGI
from conformance.wires.watsonx import Watsonx

WIRES: dict[str, Wire] = {
    "openai": OpenAIChat(OPENAI),
    "azure": OpenAIChat(AZURE),
    "vllm": OpenAIChat(VLLM),
    "llama_cpp": OpenAIChat(LLAMA_CPP),
    "openai_responses": OpenAIResponses(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "bedrock": Bedrock(),
    "cohere": Cohere(),
    "ollama": Ollama(),
    "watsonx": Watsonx(),
    "dashscope": DashScope(),
    "qianfan": Qianfan(),
    "tgi": TGI(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    name: str
    title: str
    model: str
    thinking_model: str
    wires: dict[str, str]
    """Path below the upstream's address (a regular expression) → wire."""
    lane: tuple[str, ...] = ()
    """Client dialects that it speaks itself."""
    impossible: dict[str, str] = field(default_factory=dict)
    """Case → why the vendor's API cannot play it."""

    def wire_at(self, path: str) -> str:
        """The name of the wire that `path` speaks; empty: there is nothing."""
        return next((wire for pattern, wire in self.wires.items() if re.search(pattern, path)), "")


def load_providers() -> dict[str, Provider]:
    tables = tomllib.loads((Path(__file__).parent / "providers.toml").read_text("utf-8"))
    found = {}
    for name, table in tables.items():
        values = {"thinking_model": table["model"], **table, "lane": tuple(table.get("lane", ()))}
        found[name] = Provider(name=name, **values)
    return found
