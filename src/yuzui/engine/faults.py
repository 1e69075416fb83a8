"""What can go wrong while an open model is fetched, checked or found on this machine."""

from __future__ import annotations

from typing import Literal

from yuzui.core.errors import YuzuiError

Trust = Literal["pinned", "announced", "first_use"]
"""What a file's hash was compared with: our catalogue, the source's announcement, or nothing (then recorded)."""


class ModelFault(YuzuiError):
    """A model cannot be fetched or used. The message says what to do; it never carries credentials."""

    code = "model_unavailable"


class WrongContent(ModelFault):
    """The bytes are not what was promised (hash, size, format). Another source may still have the right ones."""

    code = "model_content_wrong"


class SourceFault(ModelFault):
    """One source cannot give the file now; the next one is tried. A partial file is kept for the next attempt."""

    code = "model_source_unreachable"
