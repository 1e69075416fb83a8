"""The worker's loop: one answer for each question, an error's name instead of a crash, silence when nobody listens."""

from __future__ import annotations

import io

import msgspec

from yuzui.io.ner_frames import Ask, Told, pack
from yuzui.io.ner_worker import read_frame, serve
from yuzui.privacy.ner.spans import NameSpan


def find(text: str) -> list[NameSpan]:
    if text == "bad":
        raise ValueError("the text must not be told: bad")
    return [NameSpan(0, len(text), "person", 0.5, "m 1")]


def answers_to(data: bytes) -> list[Told]:
    out = io.BytesIO()
    serve(io.BytesIO(data), out, find)
    out.seek(0)
    told = []
    while True:
        try:
            told.append(msgspec.msgpack.decode(read_frame(out), type=Told))
        except EOFError:
            return told


def test_each_question_has_its_answer_and_an_error_only_its_name() -> None:
    told = answers_to(pack(Ask(number=1, texts=("ab", "c"))) + pack(Ask(number=2, texts=("bad",))))
    assert told == [
        Told(number=1, found=(((0, 2, "person", 0.5, "m 1"),), ((0, 1, "person", 0.5, "m 1"),))),
        Told(number=2, error="ValueError"),
    ]


def test_half_a_frame_or_rubbish_ends_the_loop() -> None:
    whole = pack(Ask(number=1, texts=("ab",)))
    for cut in range(len(whole)):
        assert answers_to(whole[:cut]) == []
    assert answers_to(b"\xff\xff\xff\xff") == []
    assert len(answers_to(whole + b"\0\0\0\3abc")) == 1
