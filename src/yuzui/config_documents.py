"""The table `[sensitivity.documents]` of yuzui.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from yuzui.config_checks import convert
from yuzui.core.documents import DocumentRules

PATH = "sensitivity.documents"
_DEFAULTS = DocumentRules()


def read_documents(table: Mapping[str, Any] | None) -> DocumentRules:  # Any: TOML values
    """Without the table nothing is read; with it everything has a bound. Raise `ConfigError`."""
    if table is None:
        return DocumentRules()
    return DocumentRules(**msgspec.to_builtins(convert(table, DocumentTable, PATH)))


class DocumentTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool = True
    trust_ocr: bool = False
    max_documents: Annotated[int, msgspec.Meta(ge=1, le=1000)] = _DEFAULTS.max_documents
    max_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**30)] = _DEFAULTS.max_bytes
    max_pages: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = _DEFAULTS.max_pages
    max_pixels: Annotated[int, msgspec.Meta(ge=1, le=2**28)] = _DEFAULTS.max_pixels
    max_chars: Annotated[int, msgspec.Meta(ge=1, le=2**26)] = _DEFAULTS.max_chars
    deadline_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] = _DEFAULTS.deadline_ms
