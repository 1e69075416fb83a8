"""Files in a request: parts of `input` whose `data` is bytes, as the dialects with uploads make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def uploads(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:  # Any: checked JSON, and bytes of files
    parts = body.get("input")
    if not isinstance(parts, list):
        return []
    return [part for part in parts if isinstance(part, dict) and isinstance(part.get("data"), bytes)]


def upload_bytes(body: Mapping[str, Any]) -> int:  # Any: as above
    """Size of the files: they are no text, so there is no token for each of their bytes."""
    return sum(len(part["data"]) for part in uploads(body))
