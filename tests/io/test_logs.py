"""Logs are JSON lines without content, and no reader of them can stop the gateway or its end."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from typing import Any

import pytest
from typing_extensions import override

from yuzui.io import logs
from yuzui.io.logs import JsonLines, LogSink


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:  # Any: JSON values
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields() -> None:
    stream = io.StringIO()
    sink = LogSink(stream)
    logging.getLogger("yuzui").info("target_failed", extra={"fields": {"target": "鱼嘴", "code": "x\n\x1b[2J"}})
    sink.close()
    (line,) = lines_of(stream)
    assert (line["event"], line["level"], line["target"]) == ("target_failed", "info", "鱼嘴")
    assert line["ts"].endswith("Z")
    assert stream.getvalue().count("\n") == 1 and "\x1b" not in stream.getvalue()


def test_an_exception_shows_its_places_and_never_its_words() -> None:
    stream = io.StringIO()
    sink = LogSink(stream)
    prompt = "my private " + "prompt"
    try:
        raise ValueError(prompt)
    except ValueError:
        logging.getLogger("yuzui").exception("request_failed")
    sink.close()
    (line,) = lines_of(stream)
    assert line["exception"] == "ValueError"
    assert line["at"][-1].startswith("test_logs.py:")
    assert "private" not in stream.getvalue()


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio"])
def test_libraries_that_log_on_their_own_get_no_second_line_and_no_words(name: str) -> None:
    stream = io.StringIO()
    sink = LogSink(stream)
    try:
        raise ValueError("my private prompt")
    except ValueError as error:
        logging.getLogger(name).error("Task exception was never retrieved\nfuture: %r", error, exc_info=error)
        logging.getLogger(name).info("Started server")  # chatter is not for our log
    sink.close()
    (line,) = lines_of(stream)
    assert line["event"] == "Task exception was never retrieved"
    assert "private" not in stream.getvalue()


def test_a_record_without_fields_is_a_line_too() -> None:
    record = logging.LogRecord("yuzui", logging.ERROR, "f.py", 1, "plain", None, None)
    assert json.loads(JsonLines().format(record))["event"] == "plain"


class StuckStream(io.StringIO):
    """A pipe whose reader has stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.may_go_on = threading.Event()

    @override
    def write(self, text: str) -> int:
        self.reached.set()
        self.may_go_on.wait(10)
        return super().write(text)


def test_a_reader_that_stops_costs_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "QUEUE_SIZE", 5)
    monkeypatch.setattr(logs, "LAST_WORDS_S", 0.05)
    stream = StuckStream()
    sink = LogSink(stream)
    log = logging.getLogger("yuzui")
    log.info("first")
    assert stream.reached.wait(5)
    began = time.monotonic()
    for _ in range(20):
        log.info("more")
    assert sink.dropped == 15
    sink.close()  # neither raises because the queue is full, nor waits for ever
    assert time.monotonic() - began < 5
    stream.may_go_on.set()


def test_closing_twice_is_as_good_as_once() -> None:
    sink = LogSink(io.StringIO())
    sink.close()
    sink.close()
