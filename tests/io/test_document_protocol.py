from __future__ import annotations

import msgspec

from yuzui.io.document_protocol import LENGTH_BYTES, ReadOrder, frame


def test_a_frame_is_its_length_and_its_message() -> None:
    order = ReadOrder(kind="pdf", data=b"\0" * 300, max_pages=1, max_pixels=2, max_chars=3)
    data = frame(order)
    assert int.from_bytes(data[:LENGTH_BYTES], "big") == len(data) - LENGTH_BYTES
    assert msgspec.msgpack.decode(data[LENGTH_BYTES:], type=ReadOrder) == order
