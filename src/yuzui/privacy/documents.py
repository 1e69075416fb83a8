"""Documents inside a request's parts, in every client's dialect: where they are, and a body in which they are text.

Detectors read a part that is a picture or a file only as what its reader says of it. Which parts count as read is
decided here, and narrowly: a shape that is not known to the last key stays a part that nobody reads.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from yuzui.core.documents import DocumentKind, DocumentRules, DocumentText
from yuzui.core.sensitivity import Fact, Finding, Path, Place
from yuzui.core.strict_json import MAX_DEPTH
from yuzui.privacy.leaves import PROTOCOL_KEYS, spell_path
from yuzui.privacy.scan import ScanResult

_TEXT_KEY: Final = "content"
"""Under this key the text stands in the part: no document part has it, and upstreams' joining of `text` does not
reach it."""
_MAGIC: Final[tuple[tuple[bytes, DocumentKind], ...]] = (
    (b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"),
)  # fmt: skip  # a table
_BLOB_KEYS: Final = ("inlineData", "inline_data", "file_data")
_TEXT_TYPES: Final = ("text/", "application/json", "application/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a body."""

    path: Path
    """Of the part."""
    holders: tuple[str, ...]
    """Keys from the part to the string that holds the document."""
    spelled: str
    """That string."""
    kind: DocumentKind
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBody:
    """A body in which documents are text, for detectors only: it is never sent."""

    body: Mapping[str, Any]  # Any: checked JSON
    documents: tuple[Document, ...]
    """Those that have a text in it."""
    texts: tuple[DocumentText, ...]
    """Theirs, in the same order."""
    size_chars: int


def find_documents(body: Mapping[str, Any], rules: DocumentRules) -> list[Document]:  # Any: checked JSON
    """At most `rules.max_documents` of them that can be read at all; the others stay what they are."""
    found: list[Document] = []
    waiting: list[tuple[Any, Path, int]] = [(body, ("", "$"), 1)]  # Any: as above
    while waiting and len(found) < rules.max_documents:
        value, path, depth = waiting.pop()
        if depth > MAX_DEPTH:
            continue  # the detectors refuse the request
        if type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict and (document := _read_part(item, (path, index), rules)) is not None:
                    found.append(document)
                    if len(found) >= rules.max_documents:
                        break
                elif type(item) in (dict, list):
                    waiting.append((item, (path, index), depth + 1))
        else:
            for number, (key, item) in enumerate(value.items()):
                if type(item) in (dict, list):
                    waiting.append((item, (path, "." + key if key in PROTOCOL_KEYS else f".#{number}"), depth + 1))
    return found


def with_texts(
    body: Mapping[str, Any], documents: Sequence[Document], texts: Sequence[DocumentText], rules: DocumentRules
) -> ReadBody:  # Any: checked JSON
    """Put what was read beside each document; one that is nothing but its text becomes a part that is read.

    The others stay what they are, so they count as nobody's reading, and what was found in them counts besides.
    """
    parts: dict[Path, tuple[Document, DocumentText]] = {}
    size = 0
    for document, text in zip(documents, texts, strict=True):
        if text.text or _is_read(text, rules):
            parts[document.path] = document, text
            size += len(text.text)
    if not parts:
        return ReadBody(body=body, documents=(), texts=(), size_chars=0)
    changed = _replaced(body, ("", "$"), parts, rules, _ancestors(parts))
    shown = [document for document, _ in parts.values()]
    return ReadBody(
        body=changed, documents=tuple(shown), texts=tuple([text for _, text in parts.values()]), size_chars=size
    )


def relocate(result: ScanResult, read: ReadBody) -> ScanResult:
    """Findings in the text of a document stand in the document: all of it, since it cannot be changed in part."""
    inside = {
        (document.path, "." + _TEXT_KEY): (document, text)
        for document, text in zip(read.documents, read.texts, strict=True)
    }
    if not inside:
        return result
    return replace(
        result,
        findings=tuple([_relocated(finding, inside) for finding in result.findings]),
        repeats=tuple([_relocated(finding, inside) for finding in result.repeats]),
    )


def _relocated(finding: Finding, inside: Mapping[Path, tuple[Document, DocumentText]]) -> Finding:
    path = finding.place.path if finding.place is not None else ()
    while path and path not in inside:
        path = path[0]
    if not path:
        return finding
    document, text = inside[path]
    where = document.path
    for key in document.holders:
        where = (where, "." + key)
    return replace(finding, path=spell_path(where), start=0, end=len(document.spelled), place=Place(where, "whole"),
                   evidence=(*finding.evidence, _fact(finding, document, text)))  # fmt: skip  # what is another


def _fact(finding: Finding, document: Document, text: DocumentText) -> Fact:
    """`document pdf page 3`, `document image recognised`. The page is that of its first character, where it has one."""
    detail: str = document.kind
    if text.pages and finding.place is not None and finding.place.form == "text":
        page = bisect_right(text.pages, finding.start)
        detail += f" page {page}" if page else ""
    return Fact("document", f"{detail} recognised" if text.by_ocr else detail)


def _is_read(text: DocumentText, rules: DocumentRules) -> bool:
    return text.is_complete and (rules.trust_ocr or not text.by_ocr)


def _ancestors(parts: Mapping[Path, object]) -> set[Path]:
    found: set[Path] = set()
    for path in parts:
        while path:
            found.add(path)
            path = path[0] if isinstance(path[0], tuple) else ()
    return found


def _replaced(
    value: Any, path: Path, parts: Mapping[Path, tuple[Document, DocumentText]], rules: DocumentRules, on_way: set[Path]
) -> Any:  # Any: checked JSON
    """`value` with its documents replaced; only what leads to one is copied."""
    if path not in on_way:
        return value
    if path in parts:
        return _with_text(value, *parts[path], rules)
    if type(value) is list:
        return [_replaced(item, (path, index), parts, rules, on_way) for index, item in enumerate(value)]
    return {
        key: _replaced(item, (path, "." + key if key in PROTOCOL_KEYS else f".#{number}"), parts, rules, on_way)
        for number, (key, item) in enumerate(value.items())
    }


def _with_text(part: dict[str, Any], document: Document, text: DocumentText, rules: DocumentRules) -> dict[str, Any]:
    """Names and captions stay where they are; the space keeps a text without one from looking like a blob."""
    if not _is_read(text, rules):
        return {**part, _TEXT_KEY: f" {text.text}"}
    first, *rest = document.holders
    if first in _BLOB_KEYS:  # the key itself says that it is a blob
        others = {key: item for key, item in part.items() if key != first}
        title = part[first].get("displayName", "") if rest else ""
        return {**others, "title": title, "type": "text", _TEXT_KEY: text.text}
    return {**part, first: _without(part[first], rest), "type": "text", _TEXT_KEY: text.text}


def _without(value: Any, keys: Sequence[str]) -> Any:  # Any: checked JSON
    if not keys:
        return ""
    return {**value, keys[0]: _without(value[keys[0]], keys[1:])}


# ---- shapes ---------------------------------------------------------------------------------------------------------


def _read_part(part: dict[str, Any], path: Path, rules: DocumentRules) -> Document | None:
    holders = _holders_of({key: item for key, item in part.items() if item is not None})
    if not holders:
        return None
    spelled: Any = part
    for key in holders:
        spelled = spelled[key]
    if not isinstance(spelled, str):
        return None
    declared, encoded = _split(spelled)
    if not declared:
        declared = _declared(part, holders)
    if len(encoded) > rules.max_bytes * 4 // 3 + 4:
        return None
    try:
        data = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None  # whoever decodes it more generously reads something that we have not seen
    kind = _kind_of(data, declared)
    if kind is None or len(data) > rules.max_bytes:
        return None
    return Document(path=path, holders=holders, spelled=spelled, kind=kind, data=data)


def _holders_of(part: dict[str, Any]) -> tuple[str, ...]:
    """Keys that lead to the document in a part of a known shape, which says nothing else; else empty."""
    keys = part.keys() - {"cache_control"}
    match part.get("type"):
        case "image_url" if keys <= {"type", "image_url"} and _has(part.get("image_url"), {"url", "detail"}, "url"):
            return ("image_url", "url")  # OpenAI chat
        case "file" if keys <= {"type", "file"} and _has(part.get("file"), {"file_data", "filename"}, "file_data"):
            return ("file", "file_data")
        case "input_image" if keys <= {"type", "image_url", "detail"} and "image_url" in part:
            return ("image_url",)  # OpenAI responses
        case "input_file" if keys <= {"type", "file_data", "filename", "detail"} and "file_data" in part:
            return ("file_data",)
        case "image" | "document" if keys <= {"type", "source", "title", "context", "citations"}:
            source: Any = part.get("source")  # Anthropic messages
            if _has(source, {"type", "media_type", "data"}, "data") and source.get("type") == "base64":
                return ("source", "data")
        case None if len(keys) == 1:
            key = next(iter(keys))
            names = {"mimeType", "mime_type", "data", "displayName"}
            if key in ("inlineData", "inline_data") and _has(part[key], names, "data"):
                return (key, "data")  # Gemini
    return ()


def _has(value: Any, allowed: set[str], needed: str) -> bool:  # Any: checked JSON
    """Whether it has what is needed, and nothing that is not allowed."""
    return (
        type(value) is dict
        and needed in value
        and all(key in allowed for key, item in value.items() if item is not None)
    )


def _split(spelled: str) -> tuple[str, str]:
    """The media type that a `data:` address names, and the base64 behind it; of anything else the whole."""
    if spelled[:5].lower() != "data:":
        return "", spelled
    head, comma, rest = spelled[5:].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return "", " "  # no base64
    return head[: -len(";base64")].lower(), rest


def _declared(part: dict[str, Any], holders: tuple[str, ...]) -> str:
    if len(holders) < 2 or type(part[holders[0]]) is not dict:
        return ""
    holder = part[holders[0]]
    for key in ("media_type", "mimeType", "mime_type"):
        if isinstance(holder.get(key), str):
            return str(holder[key]).lower()
    return ""


def _kind_of(data: bytes, declared: str) -> DocumentKind | None:
    """By its first bytes; what is declared only says that the rest may be text."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image"
    return "text" if declared.startswith(_TEXT_TYPES) else None


def read_plain(data: bytes, rules: DocumentRules) -> DocumentText:
    """A document that is text already, strictly."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return DocumentText(reason="encoding")
    if "\0" in text:
        return DocumentText(reason="encoding")
    if len(text) > rules.max_chars:
        return DocumentText(text=text[: rules.max_chars], reason="length")
    return DocumentText(text=text, is_complete=True)
