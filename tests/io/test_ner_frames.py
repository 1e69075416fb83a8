"""Frames: what cannot be true is not believed."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from yuzui.io.ner_frames import LENGTH_BYTES, MAX_FRAME_BYTES, Rubbish, Told, check, length_of, pack
from yuzui.privacy.ner.spans import NameKind

SPAN = (0, 3, "person", 0.5, "m")


def test_a_frame_says_its_length() -> None:
    data = pack(Told(number=3))
    assert length_of(data[:LENGTH_BYTES]) == len(data) - LENGTH_BYTES
    for head in (b"", b"\0\0\0", b"\0\0\0\0", (MAX_FRAME_BYTES + 1).to_bytes(4, "big")):
        with pytest.raises(Rubbish):
            length_of(head)


def test_spans_become_spans() -> None:
    (spans,) = check(Told(number=1, found=((SPAN,),)), ["abc"])
    assert spans[0].kind == "person" and spans[0].end == 3


@pytest.mark.parametrize("kind", get_args(NameKind))
def test_every_kind_that_a_recogniser_finds_is_believed(kind: str) -> None:
    (spans,) = check(Told(number=1, found=(((0, 3, kind, 0.5, "m"),),)), ["abc"])
    assert spans[0].kind == kind


@pytest.mark.parametrize(
    "found",
    [(), ((), ()), (((0, 4, "person", 0.5, "m"),),), (((-1, 2, "person", 0.5, "m"),),), (((2, 2, "person", 0.5, "m"),),),
     (((0, 1, "secret", 0.5, "m"),),), (((0, 1, "person", 1.5, "m"),),), (((0, 1, "person", float("nan"), "m"),),)],
)  # fmt: skip
def test_impossible_answers_are_rubbish(found: Any) -> None:  # Any: on purpose
    with pytest.raises(Rubbish):
        check(Told(number=1, found=found), ["abc"])
