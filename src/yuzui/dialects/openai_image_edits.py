"""The dialect that changes pictures: a form with a prompt and pictures in, pictures out as when they are asked for.

Source: openai==3.54.0, types/image_edit_params.py; 2026-11-26. Pictures cannot be scanned: they count as unreadable.
The variant with a JSON body, which names pictures by address or id, is refused: those could be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from typing_extensions import override

from yuzui.core.chat import NO_LINE, ChatRequest, Dialect, RequestLine
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._multipart import FILES, Form, read_form
from yuzui.dialects.openai_images import OpenAIImages

FORM: Final = Form(
    files=dict.fromkeys(("image", "image[]", "mask", "markup"), "input_image"), lists=frozenset(("image",))
)


class OpenAIImageEdits(OpenAIImages):
    """`POST /v1/images/edits`."""

    name: Dialect = "openai_image_edits"

    @override
    def read_body(self, body: bytes, content_type: str) -> dict[str, Any]:  # Any: texts, lists of them, parts
        return read_form(body, content_type, FORM)

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: as above
        if not any(part["name"] in ("image", "image[]") and part["data"] for part in body.get(FILES) or ()):
            raise InvalidRequest("`image` is missing or empty; send the picture as a file of the form", param="image")
        return self.read_pictures(body, line, strict=False)


DIALECT: Final = OpenAIImageEdits()
