"""What a client dialect offers, and how server-sent events are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from conformance.facts import Failure, Json, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    path: str
    headers: dict[str, str]
    body: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came back. `fault`: how the connection broke, empty when the answer came to its end."""

    status: int
    headers: dict[str, str]
    body: bytes
    fault: str = ""


class Client(Protocol):
    cannot_tell: frozenset[str]
    """Facts of an answer that the dialect has no place for."""

    def write(self, body: dict[str, Json], *, model: str, is_stream: bool, key: str) -> Sent: ...

    def read_whole(self, got: Received) -> Told: ...

    def read_stream(self, got: Received) -> Told: ...


def events(body: bytes) -> list[tuple[str, str]]:
    """(event, data) of each whole server-sent event, as https://html.spec.whatwg.org/multipage/server-sent-events.html
    dispatches them: what the last empty line does not end never happened."""
    out: list[tuple[str, str]] = []
    event = ""
    data: list[str] = []
    for line in body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        if not line:
            if data:
                out.append((event, "\n".join(data)))
            event, data = "", []
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data.append(value)
    return out


def read_json(text: str | bytes, told: Told) -> Json:
    """The value, or None and a complaint."""
    try:
        return json.loads(text)
    except ValueError:
        told.complaints.append("not JSON")
        return None


def failure_of(got: Received, kind: str, message: Json) -> Failure:
    """`kind`: the dialect's own word, empty when the body has not the dialect's shape."""
    return Failure(
        is_told_by="status",
        status=got.status,
        kind=kind,
        message=str(message or ""),
        retry_after=got.headers.get("retry-after", ""),
    )


def broken(told: Told, got: Received) -> Told:
    """`told`, with the broken connection as its failure unless it told of one already."""
    if got.fault and told.failure is None:
        told.failure = Failure(is_told_by="transport", message=got.fault)
    return told
