"""The process that holds the models for names: frames in, frames out, one after the other, until stdin ends.

Started as `python -P -m yuzui.io.ner_worker`. It never opens a socket or a file but those of the models' packages, and
says nothing of a text on any other way than its answer.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO, NoReturn

import msgspec

from yuzui.io.ner_frames import LENGTH_BYTES, Ask, Ready, Rubbish, Settings, Told, length_of, pack
from yuzui.privacy.ner.spans import NameSpan

Find = Callable[[str], list[NameSpan]]


def main() -> NoReturn:
    """Serve until stdin ends; never return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C in a terminal reaches the whole group: the gateway decides
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    questions = sys.stdin.buffer
    try:
        settings = msgspec.msgpack.decode(read_frame(questions), type=Settings)
        from yuzui.io.ner_models import load_recogniser  # here: a missing extra is an answer, not a crash

        recogniser = load_recogniser(settings.threads)
        recogniser.find("张三是Example的员工。")  # the first inference pays for what the runtime puts off
    except EOFError:
        os._exit(0)
    except ImportError as error:
        answers.write(pack(Ready(error=f"not installed: {error.name or error}")))
        os._exit(3)
    except Exception as error:  # whatever a library throws is this process's last word
        answers.write(pack(Ready(error=f"{type(error).__name__}: {error}")))
        os._exit(3)
    answers.write(pack(Ready(models=recogniser.models)))
    serve(questions, answers, recogniser.find)
    os._exit(0)  # at once: the runtime's threads would otherwise be waited for


def serve(questions: BinaryIO, answers: BinaryIO, find: Find) -> None:
    """Answer each question until there are no more; return also when nobody listens any more or rubbish comes."""
    while True:
        try:
            ask = msgspec.msgpack.decode(read_frame(questions), type=Ask)
        except (EOFError, Rubbish, msgspec.DecodeError):
            return
        try:
            answers.write(pack(answer(ask, find)))
        except OSError:
            return


def answer(ask: Ask, find: Find) -> Told:
    try:
        return Told(number=ask.number, found=tuple([tuple(find(text)) for text in ask.texts]))
    except Exception as error:  # a text that breaks a model must not end the process: the request fails closed
        return Told(number=ask.number, error=type(error).__name__)


def read_frame(source: BinaryIO) -> bytes:
    """Raise `EOFError` when the other side is gone, also in the middle of a frame."""
    size = length_of(_exactly(source, LENGTH_BYTES))
    return _exactly(source, size)


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if data is None or len(data) < size:
        raise EOFError
    return data


if __name__ == "__main__":
    main()
