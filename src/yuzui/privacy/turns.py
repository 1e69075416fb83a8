"""Who said what in a request, in any client's dialect: the units in which a conversation comes back.

The same thing said in two dialects is the same bytes here, so that a label follows a conversation across them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from yuzui.privacy.views import SEALED, read_sealed

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder()
_RULES = ("system", "instructions", "systemInstruction", "system_instruction")
_LISTS = ("messages", "input", "contents")
_SAID_BESIDE = ("arguments", "input", "args")
_LONGEST_CHARS: Final = 1024 * 1024  # no answer is as long as that: it is a file

Json = Mapping[str, Any]  # Any: checked JSON


class Turn(NamedTuple):
    path: str
    """`$.messages[3]`, as paths of findings begin."""
    role: str
    text: bytes
    """What it says, whoever says it and however it is cut into parts; with unreadable parts, their JSON."""
    beside: tuple[bytes, ...]
    """What it says outside its text: reasoning, arguments of tool calls, results."""
    tail: bytes
    """Tool calls as they stand, for the chain of turns."""
    is_unreadable: bool


def read_turns(body: Json) -> list[Turn]:
    """Every turn of a body, rules first where they stand apart from the messages."""
    turns = [
        _read({"role": "system", "content": _parts_of(body[name])}, f"$.{name}")
        for name in _RULES
        if body.get(name) is not None
    ]
    for name in _LISTS:
        found = body.get(name)
        if isinstance(found, str):
            turns.append(_read({"role": "user", "content": found}, f"$.{name}"))
        elif isinstance(found, list):
            for number, message in enumerate(found):
                said = {"role": "user", "content": message} if isinstance(message, str) else message
                turns.append(_read(said if isinstance(said, dict) else {}, f"$.{name}[{number}]"))
    return turns


def read_texts(body: Json, least_chars: int) -> Iterator[str]:
    """Every text of a body that is long enough, wherever its dialect has it: documents, prompts, results, seals."""
    waiting: list[Any] = [body]  # Any: checked JSON
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind is str:
            if least_chars <= len(value) <= _LONGEST_CHARS:
                yield value
                if value.startswith(SEALED):
                    waiting += read_sealed(value)
        elif kind is list:
            waiting += value
        elif kind is dict:
            waiting += value.values()


def joined_answers(turns: Sequence[Turn]) -> Iterator[bytes]:
    """What was said in one answer and came back as several items (Responses), put together again."""
    run: list[bytes] = []
    for turn in turns:
        if turn.role == "assistant":
            run.append(turn.text)
        elif turn.role:  # thoughts and calls between two texts have no role: they belong to the same answer
            if len(run) > 1:
                yield b"".join(run)
            run = []
    if len(run) > 1:
        yield b"".join(run)


def bytes_of(text: str) -> bytes:
    """A text as it is compared: white space around it does not count, nor how its JSON is spelled."""
    text = text.strip()
    if text.startswith("{"):
        try:
            return _encoder.encode(_decoder.decode(text))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            pass  # no JSON after all: a text like any other
    return text.encode("utf-8", "surrogatepass")


def _read(message: Json, path: str) -> Turn:
    role = message.get("role", "tool" if "output" in message else "")
    content = _parts_of(message)
    calls = message.get("tool_calls")
    return Turn(
        path=path,
        role=role if isinstance(role, str) else "",
        text=_spoken(content),
        beside=tuple(_beside(message, content)),
        tail=_encoder.encode(calls) if calls else b"",
        is_unreadable=isinstance(content, list)
        and any(isinstance(part, dict) and _text_of(part) is None and not _is_call(part) for part in content),
    )


def _parts_of(value: Any) -> Any:  # Any: checked JSON
    """Content in the place where this dialect has it."""
    if isinstance(value, dict):
        for name in ("content", "parts", "output", "summary"):
            if value.get(name) is not None:
                return value[name]
        return None
    return value


def _spoken(content: Any) -> bytes:  # Any: checked JSON
    if isinstance(content, str):
        return bytes_of(content)
    if isinstance(content, list):
        texts = [_text_of(part) for part in content]
        if all(text is not None for text in texts):
            return bytes_of("".join([text or "" for text in texts]))
        readable = [text for text in texts if text]
        if readable and all(text is not None or _is_call(part) for text, part in zip(texts, content, strict=True)):
            return bytes_of("".join(readable))  # calls and thoughts stand beside the text, as in other dialects
    return b"" if content is None else _encoder.encode(content)


def _text_of(part: Any) -> str | None:  # Any: checked JSON
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("thought") is True:
        return None
    text = part.get("text")
    return text if isinstance(text, str) else None


def _is_call(part: Any) -> bool:  # Any: checked JSON
    """A thought, a call or its result: said beside the text."""
    if not isinstance(part, dict):
        return False
    return part.get("type") in _CALLS or part.get("thought") is True or not _CALL_KEYS.isdisjoint(part)


_CALLS = frozenset(("tool_use", "tool_result", "thinking", "redacted_thinking"))
_CALL_KEYS = frozenset(("functionCall", "function_call", "functionResponse", "function_response", "thoughtSignature"))


def _beside(message: Json, content: Any) -> list[bytes]:  # Any: checked JSON
    said: list[bytes] = []
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str):
            said.append(bytes_of(message[name]))
    calls = message.get("tool_calls")
    for call in [*(calls if isinstance(calls, list) else ()), {"function": message.get("function_call")}, message]:
        said += _arguments(call)
    if isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and _is_call(part):
                said += _part_beside(part)
    return said


def _part_beside(part: Json) -> list[bytes]:
    """What a block or part that is no text says."""
    said = [bytes_of(part[name]) for name in ("thinking", "text") if isinstance(part.get(name), str)]
    if isinstance(part.get("content"), str | list):
        said.append(_spoken(part["content"]))
    for name in ("functionCall", "function_call"):
        if isinstance(part.get(name), dict):
            said += _arguments(part[name])
    for name in ("functionResponse", "function_response"):
        if isinstance(part.get(name), dict) and isinstance(part[name].get("response"), dict):
            said += _results(part[name]["response"])
    return said + _arguments(part)


def _results(response: Json) -> list[bytes]:
    """A result as an object, and the text that a client put into one because it had to be an object."""
    texts = [bytes_of(value) for value in response.values() if isinstance(value, str)]
    return [_encoder.encode(response), *texts]


def _arguments(call: Any) -> list[bytes]:  # Any: checked JSON
    if not isinstance(call, dict):
        return []
    said: list[bytes] = []
    for holder in (call, call.get("function"), call.get("custom")):
        if isinstance(holder, dict):
            for name in _SAID_BESIDE:
                value = holder.get(name)
                if isinstance(value, str):
                    said.append(bytes_of(value))
                elif isinstance(value, dict):
                    said.append(_encoder.encode(value))
    return said
