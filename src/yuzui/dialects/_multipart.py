"""Forms with files (`multipart/form-data`), read in one way only: fields as texts, files as parts that a scanner knows.

The result is a body like any other: `{"model": "whisper-1", "input": [{"type": "input_audio", "name": "file",
"filename": "a.mp3", "media_type": "audio/mpeg", "data": b"…"}]}`. Its files stand under `input`, where a part of such a
type counts as unreadable: its name is scanned, its bytes are not. Nothing of the client's own framing goes further.

Source: RFC 7578, RFC 2046 section 5.1.1 (https://www.rfc-editor.org/rfc/rfc7578, 2026-11-26).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from yuzui.core.errors import InvalidRequest
from yuzui.dialects._explain import CONTROL
from yuzui.dialects._spelling import refuse_look_alike

FILES: Final = "input"
"""Where the files of a form stand in its body."""
MOST_PARTS: Final = 128
MOST_FIELD_BYTES: Final = 1024 * 1024
MOST_NAME_CHARS: Final = 128
MOST_FILENAME_CHARS: Final = 255  # as file systems have it

_MOST_HEADERS: Final = 8
_MOST_HEADER_BYTES: Final = 4096
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PARAMETER: Final = re.compile(r';\s*([!#$&*+\-.^_`|~0-9A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s";]+)\s*', re.DOTALL)
_CHARSET: Final = "_charset_"  # RFC 7578, section 4.6; browsers take it in any case
_ENCODINGS: Final = frozenset((b"binary", b"8bit", b"7bit"))
_EXTENDED: Final = re.compile(r"utf-8'[A-Za-z0-9-]*'(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a path's form may hold besides texts."""

    files: Mapping[str, str]
    """Field name → type of the part that it becomes (`input_audio`)."""
    lists: frozenset[str] = frozenset()
    """Names that may come several times; those that end in `[]` always may."""
    blobs: Mapping[str, str] = field(default_factory=dict)
    """Text fields that hold a file as a `data:` address, as in `files`."""


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: list[bytes] = field(default_factory=list)


def read_form(body: bytes, content_type: str, form: Form) -> dict[str, Any]:  # Any: texts, lists of them, parts
    """Raise `InvalidRequest` for a form that could be read in two ways, or is larger than any honest one."""
    found: dict[str, Any] = {}  # Any: as above
    files: list[dict[str, Any]] = []  # Any: a part's names are texts, its data bytes
    for part in _split(body, _boundary_of(content_type)):
        parameters = _disposition(part.headers.get(b"content-disposition", b""))
        name = parameters.get("name", "")
        _check_name(name, form)
        data = part.data[0] if len(part.data) == 1 else b"".join(part.data)
        if name in form.files:
            files.append(
                {
                    "type": form.files[name],
                    "name": name,
                    "filename": _filename(parameters, name),
                    "media_type": _media_type(part.headers.get(b"content-type", b""), name),
                    "data": data,
                }
            )
            _check_once(name, form, sum(file["name"] == name for file in files) > 1)
            continue
        if "filename" in parameters or "filename*" in parameters:
            raise InvalidRequest(f"`{name}` is no file here; send it as a text field", param=name)
        text = _text(data, name)
        if name in form.blobs:
            files.append({"type": form.blobs[name], "name": name, "data": text})
        elif name.endswith("[]") or name in form.lists:
            found.setdefault(name, []).append(text)
        else:
            _check_once(name, form, name in found)
            found[name] = text
    if files:
        found[FILES] = files
    return found


def _boundary_of(content_type: str) -> bytes:
    kind, _, rest = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise InvalidRequest("this path takes a form with a file; send multipart/form-data", param="content-type")
    found = [value for name, value in _parameters(f";{rest}") if name.lower() == "boundary"]
    if len(found) != 1 or not _BOUNDARY.fullmatch(found[0]):
        raise InvalidRequest(
            "the content-type names no boundary, or not exactly one of RFC 2046; let your HTTP client write it",
            param="content-type",
        )
    return found[0].encode("ascii")


def _split(body: bytes, boundary: bytes) -> list[_Part]:
    """The parts between the first and the last delimiter. What stands before or behind them is an error."""
    parts: list[_Part] = []
    header: list[bytes] = [b"", b""]
    ended = False

    def begin() -> None:
        if len(parts) >= MOST_PARTS:
            raise InvalidRequest(f"the form has more than {MOST_PARTS} parts; send fewer")
        parts.append(_Part())

    def name(data: bytes, start: int, end: int) -> None:
        header[0] += data[start:end]

    def value(data: bytes, start: int, end: int) -> None:
        header[1] += data[start:end]

    def end_header() -> None:
        key, said = header[0].lower(), header[1].strip(b" \t")
        header[:] = [b"", b""]
        if key in parts[-1].headers:
            raise InvalidRequest(f"part {len(parts)} of the form has a header twice; send each once")
        if key == b"content-transfer-encoding" and said.lower() not in _ENCODINGS:
            raise InvalidRequest(f"part {len(parts)} of the form is encoded; send its bytes as they are")
        parts[-1].headers[key] = said

    def content(data: bytes, start: int, end: int) -> None:
        parts[-1].data.append(data[start:end])

    def finish() -> None:
        nonlocal ended
        ended = True

    parser = MultipartParser(
        boundary,
        {"on_part_begin": begin, "on_header_field": name, "on_header_value": value, "on_header_end": end_header,
         "on_part_data": content, "on_end": finish},
        max_header_count=_MOST_HEADERS, max_header_size=_MOST_HEADER_BYTES,
    )  # fmt: skip
    if not body.startswith(b"--" + boundary) or not body.rstrip(b"\r\n").endswith(b"--" + boundary + b"--"):
        raise InvalidRequest("the form does not begin and end with its boundary; send it whole")
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:  # its words quote a byte
        raise InvalidRequest(f"part {len(parts)} of the form is not as RFC 7578 has it") from error
    if not ended or not parts:
        raise InvalidRequest("the form has no parts, or its last one does not end; send it whole")
    return parts


def _disposition(header: bytes) -> dict[str, str]:
    """The parameters of `form-data; name="file"; filename="a.mp3"`; each at most once."""
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("a part of the form has a name that is not UTF-8; send UTF-8") from error
    kind, semicolon, rest = text.partition(";")
    if kind.strip().lower() != "form-data":
        raise InvalidRequest("a part of the form has no `content-disposition: form-data`; add it")
    found: dict[str, str] = {}
    for name, value in _parameters(semicolon + rest):
        if name.lower() in found:
            raise InvalidRequest("a part of the form names itself twice; send each parameter once")
        found[name.lower()] = value
    return found


def _parameters(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text.rstrip("; \t")):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise InvalidRequest("a header of the form has a parameter that cannot be read; quote its value")
        value = match[2]
        if value.startswith('"'):
            value = re.sub(r'\\(["\\])', r"\1", value[1:-1])
        found.append((match[1], value))
        position = match.end()
    return found


def _check_name(name: str, form: Form) -> None:
    if not name or len(name) > MOST_NAME_CHARS or CONTROL.search(name):
        raise InvalidRequest(
            f"a part of the form has no name, or one of more than {MOST_NAME_CHARS} characters; name each field"
        )
    if name == FILES:
        raise InvalidRequest(f"`{FILES}` is no field of this form; remove it", param=FILES)
    if name.lower() == _CHARSET:
        raise InvalidRequest(
            f"`{_CHARSET}` changes how the other fields are read; remove it: they are always UTF-8", param=_CHARSET
        )
    refuse_look_alike(name, (*form.files, *form.blobs))


def _check_once(name: str, form: Form, is_again: bool) -> None:
    if is_again and not name.endswith("[]") and name not in form.lists:
        raise InvalidRequest(f"the form has the field `{name}` twice; send each field once", param=name)


def _filename(parameters: Mapping[str, str], name: str) -> str:
    """The plain name; else the one that RFC 5987 encodes, which some clients send for letters beyond ASCII."""
    found = parameters.get("filename")
    if found is None and (extended := parameters.get("filename*")) is not None:
        match = _EXTENDED.fullmatch(extended)
        found = unquote(match[1], errors="replace") if match else None
        if found is None:
            raise InvalidRequest(f"the file name of `{name}` is not UTF-8; send UTF-8", param=name)
    found = found or ""
    if len(found) > MOST_FILENAME_CHARS or CONTROL.search(found):
        raise InvalidRequest(
            f"the file name of `{name}` holds control characters, or more than {MOST_FILENAME_CHARS} characters",
            param=name,
        )
    return found


def _media_type(header: bytes, name: str) -> str:
    text = header.decode("latin-1")
    if not text.isascii() or CONTROL.search(text):
        raise InvalidRequest(f"the content-type of `{name}` holds characters beyond ASCII; correct it", param=name)
    return text


def _text(data: bytes, name: str) -> str:
    if len(data) > MOST_FIELD_BYTES:
        raise InvalidRequest(f"`{name}` is longer than {MOST_FIELD_BYTES} bytes; send less", param=name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"`{name}` is not valid UTF-8; send UTF-8", param=name) from error
