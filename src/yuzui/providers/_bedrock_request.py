"""A chat request in the words of Converse: what can be said is said, the rest is reported or refused.

Sources (read 2026-11-26): botocore==1.44.8, bedrock-runtime service model: ConverseRequest; what lies in
`additionalModelRequestFields` is each model's own, see `_bedrock_models`. How Claude's thinking goes together with
tools and sampling: https://platform.claude.com/docs/en/build-with-claude/thinking.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from yuzui.core.chat import ChatRequest, Meaning, ResponseFormat, ToolSpec
from yuzui.core.custom_tools import as_function, loses_grammar
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._anthropic_schema import enforceable
from yuzui.providers._bedrock_models import claude_traits, family_of, schemas_of
from yuzui.providers._bedrock_turns import Block, Conversation
from yuzui.providers.native_request import Dropped, unsupported

ANSWER_TOOL: Final = "json_answer"
"""The tool that a model must call whose arguments are the answer, where a schema is held to in this way."""
THINKING_BUDGETS: Final = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 65_536}
"""Tokens of thinking per effort, for the Claude models that take a budget; our choice, from the API's minimum up."""
MIN_THINKING_BUDGET: Final = 1024
_EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
_SERVICE_TIERS: Final = frozenset(("default", "flex", "priority", "reserved"))
SAYABLE: Final = frozenset([f"service_tier={tier}" for tier in _SERVICE_TIERS])
"""Price terms that a client can ask for."""
_SETTLED: Final = frozenset(("metadata", "service_tier", "store", "stream_options", "top_k"))
_HARMLESS: Final[dict[str, object]] = {"modalities": ["text"], "n": 1}
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_MOST_METADATA: Final = 16
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Writer:
    """One request on its way: its body grows, what is left out is noted."""

    def __init__(self, request: ChatRequest, target: Target, output_cap: int | None) -> None:
        self.drop = Dropped()
        self.body: Block = {}
        self.answer_tool = ""
        self._request = request
        self._meaning = request.meaning
        self._target = target
        self._family = family_of(target.model, target.parameters)
        self._extra: Block = {}
        self._config: Block = {}
        self._max_tokens = _limit(request, target, output_cap)
        self._is_thinking = False

    def write(self) -> None:
        """Raise `UnsupportedFeature` naming the field that cannot be said."""
        _refuse(self._request, self._meaning)
        talk = Conversation(self._target, self._family, self.drop)
        talk.add(self._meaning.messages)
        self.body["messages"] = talk.turns
        if talk.system:
            self.body["system"] = talk.system
        self._write_format()
        self._write_tools(talk)
        self._write_effort(talk)
        self._write_inference()
        self._write_knobs()
        self._write_place()
        if self._config:
            self.body["outputConfig"] = self._config
        if self._extra:
            self.body["additionalModelRequestFields"] = self._extra

    # ---- structured output ------------------------------------------------------------------------------------------

    def _write_format(self) -> None:
        wanted = self._meaning.response_format
        if wanted is None or wanted.kind == "text":
            return
        schemas = schemas_of(self._family, self._target.model)
        if schemas == "none" or (wanted.kind == "json_object" and "named" not in self._family.tool_choices):
            raise unsupported("cannot be held to a schema", "response_format")
        if schemas == "native" and wanted.kind == "json_schema":
            self._config["textFormat"] = self._native_format(wanted)
        elif self._meaning.tools:
            raise UnsupportedFeature(
                "this target is held to a JSON answer by a tool, which leaves no room for other `tools`; leave out "
                "`response_format` or `tools`, or choose another model",
                param="response_format",
            )
        else:
            self.answer_tool = ANSWER_TOOL
            spec = {
                "name": ANSWER_TOOL,
                "description": "Gives the answer. Its input is the whole answer, and nothing else is said.",
                "inputSchema": {"json": wanted.whole_schema},
            }
            choice = {"tool": {"name": ANSWER_TOOL}}
            self.body["toolConfig"] = {"tools": [{"toolSpec": spec}], "toolChoice": choice}

    def _native_format(self, wanted: ResponseFormat) -> Block:
        schema: Any = wanted.whole_schema  # Any: a JSON schema
        if self._family.name == "claude":
            schema, hints = enforceable(schema)
            for keyword in sorted(hints):
                self.drop(f"response_format.{keyword}")
        definition: Block = {"schema": msgspec.json.encode(schema).decode()}
        if _NAME.fullmatch(wanted.name):
            definition["name"] = wanted.name
        return {"type": "json_schema", "structure": {"jsonSchema": definition}}

    # ---- tools ------------------------------------------------------------------------------------------------------

    def _write_tools(self, talk: Conversation) -> None:
        if self.answer_tool:
            return
        meaning = self._meaning
        tools: list[Block] = []
        for tool in meaning.tools:
            if loses_grammar(tool):
                self.drop("tools.format")
            tools.append({"toolSpec": self._write_tool(as_function(tool))})
            talk.add_cache_point(tools, tool.cache)
        called = talk.called_tools()
        choice = meaning.tool_choice.mode if meaning.tool_choice is not None else "auto"
        if choice == "none":
            # There is no such choice here, but without tools none is called.
            tools = []
        if not tools and called:
            # Tool blocks in a conversation without tools are refused; OpenAI's API does not mind.
            tools = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in called]
            if choice == "none":
                self.drop("tool_choice")
        if not tools:
            return
        self.body["toolConfig"] = {"tools": tools}
        if choice in ("required", "named"):
            if choice not in self._family.tool_choices:
                raise unsupported("cannot be made to call a tool", "tool_choice")
            name = meaning.tool_choice.name if meaning.tool_choice is not None else ""
            self.body["toolConfig"]["toolChoice"] = {"tool": {"name": name}} if choice == "named" else {"any": {}}
        if meaning.parallel_tool_calls is False:
            self.drop("parallel_tool_calls")

    def _write_tool(self, tool: ToolSpec) -> Block:
        schema: dict[str, Any] = {"type": "object", **(tool.parameters or {})}  # Any: a JSON schema
        is_strict = tool.is_strict and schemas_of(self._family, self._target.model) == "native"
        if is_strict and self._family.name == "claude":
            schema, hints = enforceable(schema)
            for keyword in sorted(hints):
                self.drop(f"tools.parameters.{keyword}")
        elif tool.is_strict and not is_strict:
            self.drop("tools.strict")
        written: Block = {"name": tool.name, "inputSchema": {"json": schema}}
        if tool.description:
            written["description"] = tool.description
        if is_strict:
            written["strict"] = True
        return written

    # ---- thinking ---------------------------------------------------------------------------------------------------

    def _write_effort(self, talk: Conversation) -> None:
        meaning = self._meaning
        effort, budget = meaning.reasoning_effort, meaning.thinking_budget
        if effort is None and budget is None:
            return
        if effort is not None and effort != "none" and effort not in _EFFORTS:
            self.drop("reasoning_effort")
            return
        if effort is None and budget is not None:
            effort = _effort_of(budget)
        elif budget is None and effort is not None:
            budget = THINKING_BUDGETS.get(effort, 0)
        assert effort is not None and budget is not None  # each stands for the other
        match self._family.effort:
            case "claude":
                self._write_claude(effort, budget, talk)
            case "nova":
                self._write_nova(effort)
            case "reasoning":
                self._extra["reasoning"] = {"effort": "low" if effort == "minimal" else effort}
            case "reasoning_effort" if effort != "none":
                self._extra["reasoning_effort"] = _between(effort, "low", "high")
            case _:
                if effort != "none":
                    self.drop("reasoning_effort")

    def _write_claude(self, effort: str, budget: int, talk: Conversation) -> None:
        traits = claude_traits(self._target.model)
        if effort == "none" or budget == 0:
            if traits.thinks_unasked and traits.can_stop_thinking:
                self._extra["thinking"] = {"type": "disabled"}
            elif traits.thinks_unasked:
                self._config["effort"] = "low"  # as near as this model comes
                self.drop("reasoning_effort")
            return
        if traits.efforts:
            below = _EFFORTS[: _EFFORTS.index(effort) + 1]
            self._config["effort"] = next((level for level in reversed(below) if level in traits.efforts), "low")
        if effort == "minimal":
            return  # thinking is off unless asked for
        forces_tool = "toolChoice" in self.body.get("toolConfig", {})
        if traits.thinking == "adaptive":
            # A tool that must be called leaves no room for thinking: the tool is what was asked for.
            if not forces_tool:
                display = "omitted" if self._meaning.wants_thoughts is False else "summarized"
                self._extra["thinking"] = {"type": "adaptive", "display": display}
                self._is_thinking = True
            return
        budget = budget if budget > 0 else THINKING_BUDGETS[effort]
        if self._max_tokens:
            budget = min(budget, self._max_tokens // 2)  # it counts towards the limit; an answer must fit too
        if budget < MIN_THINKING_BUDGET or forces_tool or talk.is_unthought_tool_loop():
            self.drop("reasoning_effort")
            return
        self._extra["thinking"] = {"type": "enabled", "budget_tokens": budget}
        self._is_thinking = True

    def _write_nova(self, effort: str) -> None:
        if "nova-2" not in self._target.model:
            if effort != "none":
                self.drop("reasoning_effort")
            return
        if effort == "none":
            self._extra["reasoningConfig"] = {"type": "disabled"}
            return
        level = _between(effort, "low", "high")
        self._extra["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": level}
        self._is_thinking = level == "high"  # which takes neither sampling nor a limit

    # ---- the rest ---------------------------------------------------------------------------------------------------

    def _write_inference(self) -> None:
        meaning, inference = self._meaning, dict[str, object]()
        is_nova_at_full = self._family.name == "nova" and self._is_thinking
        if self._max_tokens and not is_nova_at_full:
            inference["maxTokens"] = self._max_tokens
        elif self._max_tokens:
            self.drop("max_tokens")
        claude = claude_traits(self._target.model) if self._family.name == "claude" else None
        takes_sampling = not self._is_thinking and (claude is None or claude.takes_sampling)
        for name, key, value in (("temperature", "temperature", meaning.temperature), ("top_p", "topP", meaning.top_p)):
            if value is None:
                continue
            is_second = key == "topP" and "temperature" in inference and claude is not None
            if not takes_sampling or (is_second and claude is not None and not claude.takes_both_samplers):
                self.drop(name)
                continue
            inference[key] = min(value, 1.0)
            if value > 1.0:  # OpenAI's scale of temperatures ends at 2, this one at 1
                self.drop(name)
        stops = [stop for stop in meaning.stop if stop.strip()]
        if stops:
            inference["stopSequences"] = stops
            if claude is not None:
                self.body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]  # which of them it was
        if len(stops) < len(meaning.stop):
            self.drop("stop")
        if inference:
            self.body["inferenceConfig"] = inference

    def _write_knobs(self) -> None:
        knobs = self._meaning.knobs
        for name, value in knobs.items():
            if value is not None and name not in _SETTLED and _HARMLESS.get(name) != value:
                self.drop(name)
        if self._meaning.user:
            self.drop("user")
        top_k = knobs.get("top_k")
        if top_k is not None:
            if self._family.top_k and not self._is_thinking:
                _put(self._extra, self._family.top_k, top_k)
            else:
                self.drop("top_k")
        tier = knobs.get("service_tier")
        if isinstance(tier, str) and tier in _SERVICE_TIERS:
            self.body["serviceTier"] = {"type": tier}
        elif tier is not None and tier != "auto":
            self.drop("service_tier")
        metadata = knobs.get("metadata")
        if isinstance(metadata, dict) and metadata:
            if len(metadata) <= _MOST_METADATA and all(map(_is_plain, (*metadata, *metadata.values()))):
                self.body["requestMetadata"] = metadata
            else:
                self.drop("metadata")

    def _write_place(self) -> None:
        """What the operator set for this target."""
        said = self._target.parameters
        if said.get("guardrail"):
            guardrail = {
                "guardrailIdentifier": said["guardrail"],
                "guardrailVersion": said.get("guardrail_version", "DRAFT"),
            }
            self.body["guardrailConfig"] = guardrail
        if said.get("latency"):
            self.body["performanceConfig"] = {"latency": said["latency"]}
        if said.get("project"):
            self.body["projectIdentifier"] = said["project"]


def _limit(request: ChatRequest, target: Target, output_cap: int | None) -> int:
    """0: none is sent, and the model's own most applies."""
    wanted = request.max_output_tokens or output_cap or 0
    most = target.max_output_tokens
    return min(wanted, most) if most and wanted else wanted


def _refuse(request: ChatRequest, meaning: Meaning) -> None:
    if request.n != 1:
        raise unsupported("gives one answer", "n")
    if "logprobs" in request.features:
        raise unsupported("has no token probabilities", "logprobs")
    if meaning.server_tools:
        raise unsupported(f"has no tool of type {meaning.server_tools[0][:40]!r}", "tools")
    if meaning.web_search is not None:
        raise unsupported("does not search the web", "web_search_options")


def _effort_of(budget: int) -> str:
    """The effort that a budget of thought stands for: for models that take no budget."""
    if budget == 0:
        return "none"
    if budget < 0:
        return "medium"  # as the model likes
    return next((effort for effort, most in THINKING_BUDGETS.items() if budget <= most), "max")


def _between(effort: str, least: str, most: str) -> str:
    position = min(max(_EFFORTS.index(effort), _EFFORTS.index(least)), _EFFORTS.index(most))
    return _EFFORTS[position]


def _put(fields: Block, path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        fields = fields.setdefault(name, {})
    fields[path[-1]] = value


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and _METADATA.fullmatch(text) is not None
