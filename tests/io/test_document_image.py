"""What is recognised in a picture. Needs the extra `ocr`; without it these tests are skipped."""

from __future__ import annotations

import importlib
import socket
from io import BytesIO
from typing import Any

import pytest

from yuzui.io.document_image import Recogniser
from yuzui.io.document_protocol import ReadOrder

pytest.importorskip("rapidocr")
images: Any = importlib.import_module("PIL.Image")  # Any: an optional package
draws: Any = importlib.import_module("PIL.ImageDraw")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def picture(words: str, *, format: str = "PNG", frames: int = 1, **save: Any) -> bytes:
    shown = []
    for number in range(frames):
        image = images.new("RGB", (900, 120), "white")
        draws.Draw(image).text((20, 40 + number), words, fill="black", font_size=36)
        shown.append(image)
    out = BytesIO()
    more = {"save_all": True, "append_images": shown[1:]} if frames > 1 else {}
    shown[0].save(out, format, **more, **save)
    return out.getvalue()


def order(data: bytes, **bounds: int) -> ReadOrder:
    return ReadOrder(kind="image", data=data, **({"max_pages": 1, "max_pixels": 1_000_000, "max_chars": 1000} | bounds))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_printed_words_are_recognised_and_that_is_told(recogniser: Recogniser, format: str) -> None:
    found = recogniser.read_file(order(picture("mail carol@example.com", format=format)))
    assert (found.is_complete, found.by_ocr) == (True, True)
    assert "carol@example.com" in found.text


def test_words_beside_the_pixels_are_read(recogniser: Recogniser) -> None:
    found = recogniser.read_file(order(picture("x", format="GIF", comment=b"by dan@example.com")))
    assert "dan@example.com" in found.text


def test_a_picture_in_several_frames_is_not_complete(recogniser: Recogniser) -> None:
    found = recogniser.read_file(order(picture("mail carol@example.com", format="GIF", frames=3)))
    assert (found.is_complete, found.reason) == (False, "frames")


def test_one_with_too_many_pixels_is_not_even_unpacked(recogniser: Recogniser) -> None:
    out = BytesIO()
    images.new("1", (20_000, 20_000)).save(out, "PNG")
    assert len(out.getvalue()) < 200_000
    assert recogniser.read_file(order(out.getvalue())).reason == "pixels"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"", b"GIF89a"])
def test_a_broken_file_is_not_read(recogniser: Recogniser, data: bytes) -> None:
    assert recogniser.read_file(order(data)).reason == "damaged"


def test_models_come_from_the_wheel_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    Recogniser()
