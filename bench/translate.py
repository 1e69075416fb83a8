"""What translation costs: microseconds of CPU per request and per streamed chunk, for each client dialect × codec.

    python bench/translate.py [--out FILE]

* A request is 2 KB of the client's JSON: from the checked body to the bytes for the target (read, meaning, write).
  Reading the JSON itself is timed apart: the same-dialect lane pays it too.
* A chunk is one event of the target's stream: from its bytes to the client's. Streams are those of the wire cases, with
  the event that carries text repeated, so that beginnings and ends do not count.
* The ratio is to `msgspec.json.decode` + `encode` of the same bytes, in the same run.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import fuzz_kit as kit  # noqa: E402 - needs the path above
from yuzui.core import eventstream  # noqa: E402 - as above
from yuzui.core.chat import AnswerFacts, RequestLine  # noqa: E402 - as above
from yuzui.core.errors import ClientFault, UpstreamFault  # noqa: E402 - as above

CLIENTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
REPEATS = 400
ROUNDS = 7
LINE = RequestLine(path="/v1beta/models/auto:streamGenerateContent", query="alt=sse")

WORDS = (
    "The levee at Dujiangyan divides the Min River: part of the water is kept inside to feed the plain, "
    "part is let out, and its shape decides how much goes where. 鱼嘴分水堤把岷江分为内外两江。"
)
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of the city"}, "unit": {"enum": ["c", "f"]}},
    "required": ["city"],
}


CITY = {"city": "成都"}
TOOLS = (("weather", "Current weather of a city"), ("tide", "Next high tide at a harbour"))
ARGUMENTS = json.dumps(CITY, ensure_ascii=False)
FUNCTIONS = [{"name": name, "description": said, "parameters": PARAMETERS} for name, said in TOOLS]


def chat_body() -> dict[str, Any]:  # Any: JSON values, here and below
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
    return {
        "model": "auto", "stream": True, "temperature": 0.2, "max_tokens": 500,
        "messages": [
            {"role": "system", "content": WORDS}, {"role": "user", "content": WORDS},
            {"role": "assistant", "content": WORDS, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": WORDS}, {"role": "user", "content": WORDS},
        ],
        "tools": [{"type": "function", "function": function} for function in FUNCTIONS],
    }  # fmt: skip


def responses_body() -> dict[str, Any]:
    return {
        "model": "auto", "stream": True, "temperature": 0.2, "max_output_tokens": 500, "instructions": WORDS,
        "store": False,
        "input": [
            {"role": "user", "content": WORDS}, {"role": "assistant", "content": WORDS},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": ARGUMENTS},
            {"type": "function_call_output", "call_id": "call_1", "output": WORDS},
            {"role": "user", "content": WORDS},
        ],
        "tools": [{"type": "function", "strict": False, **function} for function in FUNCTIONS],
    }  # fmt: skip


def messages_body() -> dict[str, Any]:
    call = {"type": "tool_use", "id": "call_1", "name": "weather", "input": CITY}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": WORDS}
    return {
        "model": "auto", "stream": True, "temperature": 0.2, "max_tokens": 500, "system": WORDS,
        "messages": [
            {"role": "user", "content": WORDS},
            {"role": "assistant", "content": [{"type": "text", "text": WORDS}, call]},
            {"role": "user", "content": [result, {"type": "text", "text": WORDS}]},
        ],
        "tools": [{"name": name, "description": said, "input_schema": PARAMETERS} for name, said in TOOLS],
    }  # fmt: skip


def gemini_body() -> dict[str, Any]:
    call = {"functionCall": {"name": "weather", "args": CITY}}
    result = {"functionResponse": {"name": "weather", "response": {"output": WORDS}}}
    declared = [{"name": name, "description": said, "parametersJsonSchema": PARAMETERS} for name, said in TOOLS]
    return {
        "systemInstruction": {"parts": [{"text": WORDS}]},
        "generationConfig": {"temperature": 0.2, "maxOutputTokens": 500},
        "contents": [
            {"role": "user", "parts": [{"text": WORDS}]}, {"role": "model", "parts": [{"text": WORDS}, call]},
            {"role": "user", "parts": [result]}, {"role": "user", "parts": [{"text": WORDS}]},
        ],
        "tools": [{"functionDeclarations": declared}],
    }  # fmt: skip


BODIES = {
    "openai_chat": chat_body, "openai_responses": responses_body, "anthropic_messages": messages_body,
    "gemini": gemini_body,
}  # fmt: skip
"""About 2 KB each: rules, two questions, an answer with a tool call and its result, two tools."""


def request_of(client: str) -> bytes:
    return json.dumps(BODIES[client](), ensure_ascii=False).encode()


def events_of(codec: str) -> list[bytes] | None:
    """A recorded stream of `codec`, with its text event `REPEATS` times; None when no wire case has one."""
    for body in kit.seeds("<< upstream").get(codec, []):
        events = _split(body)
        if len(events) < 2:
            continue
        decoder = kit.CODECS[codec].decoder(kit.wire_of(codec, is_lane=False))
        try:
            for number, event in enumerate(events):
                chunks = decoder.feed(event)
                deltas = chunks[0].deltas if len(chunks) == 1 else ()
                if number and len(deltas) == 1 and deltas[0].text and deltas[0].finish_reason is None:
                    return [*events[:number], *[event] * REPEATS]
        except UpstreamFault:
            continue
    return None


def _split(body: bytes) -> list[bytes]:
    if body[:2] == b"\x00\x00":
        events = []
        while body:
            size = int.from_bytes(body[:4], "big")
            events.append(body[:size])
            body = body[size:]
        return events
    end = b"\n\n" if b"\n\n" in body.strip() or b"data:" in body else b"\n"
    return [event + end for event in body.split(end) if event.strip()]


def json_of(event: bytes) -> bytes:
    """The JSON inside an event, for the ratio."""
    if event[:2] == b"\x00\x00":
        return eventstream.EventStreamReader().feed(event)[0].payload
    start, stop = event.find(b"{"), event.rfind(b"}")
    return event[start : stop + 1] if start >= 0 else b"{}"


def cpu_us(work: Callable[[], object], times: int) -> float:
    """Microseconds of CPU for one call: the best of some rounds, because a shared machine only ever adds to it."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(times):
            work()
        best = min(best, (time.process_time_ns() - began) / times / 1000)
    return best


def json_us(data: bytes, times: int = 2000) -> float:
    decode, encode = msgspec.json.decode, msgspec.json.encode
    return cpu_us(lambda: encode(decode(data)), times)


def time_request(client: str, codec: str) -> dict[str, object]:
    dialect, speaker = kit.DIALECTS[client], kit.CODECS[codec]
    target, data = kit.target_of(codec), request_of(client)
    body = dialect.read_body(data, "application/json")

    def translate() -> object:
        return speaker.write_request(dialect.read_request(body, LINE), target, output_cap=None)

    try:
        translate()
    except ClientFault as fault:
        return {"refused": fault.message}
    took = cpu_us(translate, 300)
    return {
        "us": round(took, 1), "ratio": round(took / json_us(data), 2), "bytes": len(data),
        "parse_us": round(cpu_us(lambda: dialect.read_body(data, "application/json"), 300), 1),
    }  # fmt: skip


def time_chunk(client: str, codec: str, events: list[bytes]) -> dict[str, object]:
    dialect, speaker = kit.DIALECTS[client], kit.CODECS[codec]
    wire = kit.wire_of(codec, is_lane=speaker.dialect == client)
    request = dialect.read_request(dialect.read_body(request_of(client), "application/json"), LINE)
    head, rest = events[:-REPEATS], events[-REPEATS:]
    facts = AnswerFacts(request_id="req-1", origin="somebody", at_s=1, is_lane=wire.is_lane)
    best = float("inf")
    for _ in range(ROUNDS):
        decoder, writer = speaker.decoder(wire), dialect.stream_writer(request, facts)
        for event in head:
            for chunk in decoder.feed(event):
                writer.write(chunk)
        began = time.process_time_ns()
        for event in rest:
            for chunk in decoder.feed(event):
                writer.write(chunk)
        best = min(best, (time.process_time_ns() - began) / REPEATS / 1000)
    plain = json_us(json_of(rest[0]), 20_000)
    return {"us": round(best, 2), "ratio": round(best / plain, 2), "bytes": len(rest[0])}


def describe() -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit.strip(),
        "cpu": cpu.group(1) if cpu else platform.processor(), "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0], "python": platform.python_version(), "msgspec": version("msgspec"),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    gc.disable()
    codecs = [name for name, codec in kit.CODECS.items() if codec.operation == "chat" and name != "scripted"]
    rows = []
    print(f"{'client':20} {'codec':20} {'request µs':>10} {'ratio':>6}   {'chunk µs':>8} {'ratio':>6}")
    for client in CLIENTS:
        for codec in codecs:
            events = events_of(codec)
            row: dict[str, Any] = {"client": client, "codec": codec, "request": time_request(client, codec)}
            row["chunk"] = time_chunk(client, codec, events) if events else None
            rows.append(row)
            r, c = row["request"], row["chunk"] or {}
            lane = " lane" if kit.CODECS[codec].dialect == client else ""
            asked = f"{r.get('us', '-'):>10} {r.get('ratio', '-'):>6}"
            told = f"{c.get('us', '-'):>8} {c.get('ratio', '-'):>6}"
            print(f"{client:20} {codec:20} {asked}   {told}{lane}")
    if out is not None:
        out.write_text(json.dumps({**describe(), "rows": rows}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
