"""An answer before it is released: what it says, and whether it keeps to what the request asks of its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from yuzui.core.chat import ChatResponse, FinishReason, Meaning, StreamChunk, TextPart, ToolCallPart, ToolSpec
from yuzui.core.errors import ConfigError
from yuzui.core.json_schema import Schema
from yuzui.core.said_text import Called, said_text

_BAD: Final = (msgspec.DecodeError, RecursionError, UnicodeEncodeError)


class HeldAnswer:
    """Fed with an answer, whole or in chunks. It is about the first choice."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._names: dict[int, str] = {}
        self._arguments: dict[int, list[str]] = {}
        self._calls_elsewhere = False
        self.finish: FinishReason | None = None

    def hear(self, chunk: StreamChunk) -> None:
        for delta in chunk.deltas:
            if delta.index:
                self._calls_elsewhere |= bool(delta.tool_calls)
                continue
            self._texts.append(delta.text)
            self._refusals.append(delta.refusal)
            for call in delta.tool_calls:
                name = self._names.get(call.position, "")
                self._names[call.position] = name if call.name == name else name + call.name  # as clients join pieces
                self._arguments.setdefault(call.position, []).append(call.arguments)
            self.finish = delta.finish_reason or self.finish

    def hear_whole(self, response: ChatResponse) -> None:
        for choice in response.choices:
            if choice.index:
                self._calls_elsewhere |= any(isinstance(part, ToolCallPart) for part in choice.parts)
                continue
            self._refusals.append(choice.refusal)
            self.finish = choice.finish_reason
            for part in choice.parts:
                if isinstance(part, TextPart):
                    self._texts.append(part.text)
                elif isinstance(part, ToolCallPart):
                    position = len(self._names)
                    self._names[position], self._arguments[position] = part.name, [part.arguments]

    @property
    def calls(self) -> tuple[Called, ...]:
        return tuple([Called(self._names[at], "".join(self._arguments[at])) for at in sorted(self._names)])

    @property
    def own_text(self) -> str:
        """Without calls."""
        return "".join(self._texts)

    @property
    def text(self) -> str:
        """As a router looks at it: with what it calls behind it."""
        return said_text(self.own_text, self.calls)

    @property
    def was_cut(self) -> bool:
        return self.finish == "length"

    def problem(self, meaning: Meaning) -> str:
        """Why it must not be released, whatever else speaks for it; "" where nothing stands against it. No content."""
        if any(self._refusals) or self.finish == "content_filter":
            return "it refuses"
        return self._problem_of_calls(meaning) or self._problem_of_form(meaning)

    def _problem_of_calls(self, meaning: Meaning) -> str:
        """Tools have side effects, so each call is looked at before anybody can carry it out."""
        if self._calls_elsewhere:
            return "it calls a tool in an answer that nobody asked for"
        calls, choice = self.calls, meaning.tool_choice
        mode = choice.mode if choice is not None else "auto"
        if mode == "none" and calls:
            return "it calls a tool where none may be called"
        if mode in ("required", "named") and not calls:
            return "it calls no tool where one must be called"
        if meaning.parallel_tool_calls is False and len(calls) > 1:
            return "it calls several tools where one may be called"
        tools = {tool.name: tool for tool in meaning.tools}
        for call in calls:
            tool = tools.get(call.name)
            if tool is None:
                return "it calls a tool that there is not"
            if mode == "named" and choice is not None and call.name != choice.name:
                return "it calls another tool than the one that must be called"
            if problem := _problem_of_call(call, tool):
                return problem
        if calls and self.was_cut:
            return "its call is cut off"
        return ""

    def _problem_of_form(self, meaning: Meaning) -> str:
        form = meaning.response_format
        if form is None or form.kind == "text" or (self.calls and not self.own_text):
            return ""
        try:
            value = msgspec.json.decode(self.own_text)
        except _BAD:
            return "it is no JSON"
        if form.kind == "json_object":
            return "" if isinstance(value, dict) else "it is no JSON object"
        return _misfit(form.schema or {}, value, "it does not fit its JSON schema")


def _problem_of_call(call: Called, tool: ToolSpec) -> str:
    if tool.is_custom:
        return "it calls a tool whose grammar nobody checks here" if tool.grammar else ""
    try:
        value = msgspec.json.decode(call.arguments or "{}")
    except _BAD:
        return "the arguments of its call are no JSON"
    if not isinstance(value, dict):
        return "the arguments of its call are no JSON object"
    return _misfit(tool.parameters or {}, value, "the arguments of its call do not fit the tool's schema")


def _misfit(schema: Mapping[str, Any], value: object, words: str) -> str:  # Any: a JSON schema
    try:
        return words if Schema(dict(schema)).problem(value) else ""
    except ConfigError:
        return "there is a schema that cannot be checked"
    except ValueError:  # the library's own: a pattern that takes too long, a reference to elsewhere
        return "there is a schema that cannot be checked"
