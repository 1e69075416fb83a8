"""What of a body is a file."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.uploads import upload_bytes, uploads


@pytest.mark.parametrize(
    ("body", "sizes"),
    [
        ({}, []),
        ({"input": "text"}, []),
        ({"input": [{"data": "base64 is text"}, "x", 3]}, []),
        ({"input": [{"data": b"RIFF"}, {"data": b"xx", "name": "mask"}]}, [4, 2]),
        ({"messages": [{"data": b"elsewhere"}]}, []),
    ],
)
def test_files_are_parts_whose_data_is_bytes(body: dict[str, Any], sizes: list[int]) -> None:  # Any: JSON, and bytes
    assert [len(part["data"]) for part in uploads(body)] == sizes
    assert upload_bytes(body) == sum(sizes)
