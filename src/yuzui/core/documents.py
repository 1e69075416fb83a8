"""Documents in a request: what an operator lets be read of them, and what a reader found in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

DocumentKind = Literal["pdf", "image", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRules:
    """`[sensitivity.documents]`: bounds are per request where they are not said to be per document."""

    enabled: bool = False
    trust_ocr: bool = False
    """Whether a picture counts as scanned when text was recognised in it. Recognition misses text."""
    max_documents: int = 8
    max_bytes: int = 20 * 1024 * 1024
    """Of each document, decoded."""
    max_pages: int = 100
    """Of each document."""
    max_pixels: int = 40_000_000
    """Of each picture."""
    max_chars: int = 2_000_000
    deadline_ms: int = 10_000
    """For all documents of a request together, waiting for others included."""


class DocumentText(msgspec.Struct, frozen=True, kw_only=True):
    """What was read in a document."""

    text: str = ""
    is_complete: bool = False
    """Whether nothing is in it but `text`, as far as the reader can tell."""
    pages: tuple[int, ...] = ()
    """Where in `text` each page begins; empty where there are none. What stands before the first is of no page."""
    by_ocr: bool = False
    """Whether some of it was recognised in pictures."""
    reason: str = ""
    """Why it is not complete, in fixed words: `encrypted`, `picture`, `deadline`, …"""
