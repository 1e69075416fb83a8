"""Structured logs: one JSON line per event on standard error, event name and fields, never sentences, never content."""

from __future__ import annotations

import json
import logging
import queue
import sys
import time
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener
from typing import IO

LAST_WORDS_S = 2.0  # how long the end of the process waits for a reader of its last lines
OTHERS = ("uvicorn", "asyncio")  # libraries that log on their own; their texts may quote content beyond the first line
SILENT = ("python_multipart",)  # a line for each broken upload would be a stranger's to write
QUEUE_SIZE = 10_000  # a reader that stopped reading must not stop us: beyond this, lines are dropped and counted


class JsonLines(logging.Formatter):
    """`{"ts": …, "level": …, "event": …, <fields>}`; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:  # type: ignore[explicit-override]  # typing.override needs 3.12
        line: dict[str, object] = {
            "ts": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.msg if record.name == "yuzui" else str(record.msg).partition("\n")[0],
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            places = []
            while trace is not None:
                code = trace.tb_frame.f_code
                places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
                trace = trace.tb_next
            line["at"] = places[-6:]  # places, not values: exception texts may quote content
        return json.dumps(line, ensure_ascii=True, default=str)


class _DroppingHandler(QueueHandler):
    dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override]  # typing.override needs 3.12
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:  # type: ignore[explicit-override]  # see above
        return record  # formatted in the listener's thread; records are not changed after logging


class LogSink:
    """Logging that never blocks the event loop. `dropped` counts lines that nobody read in time."""

    def __init__(self, stream: IO[str] | None = None, level: int = logging.INFO) -> None:
        lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE_SIZE)
        self._handler = _DroppingHandler(lines)
        writer = logging.StreamHandler(stream or sys.stderr)
        writer.setFormatter(JsonLines())
        self._listener = _Listener(lines, writer)
        for name in ("yuzui", *OTHERS):
            logger = logging.getLogger(name)
            logger.setLevel(level if name == "yuzui" else logging.WARNING)
            logger.propagate = False
            logger.handlers = [self._handler]
        for name in SILENT:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._listener.start()

    @property
    def dropped(self) -> int:
        return self._handler.dropped

    def close(self) -> None:
        """Write what is queued; wait no longer than `LAST_WORDS_S` for a reader that has stopped."""
        for name in ("yuzui", *OTHERS):
            logger = logging.getLogger(name)
            logger.handlers = []
            logger.propagate = True
        self._listener.stop()


class _Listener(QueueListener):
    """The stdlib's raises from `stop` when the queue is full, and waits for ever for a reader that is stuck."""

    def stop(self) -> None:  # type: ignore[explicit-override]  # typing.override needs 3.12
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with suppress(queue.Full):  # a thread that is stuck dies with the process
            self.queue.put(self._sentinel, timeout=LAST_WORDS_S)  # type: ignore[attr-defined]  # the stdlib's own mark
            thread.join(LAST_WORDS_S)
