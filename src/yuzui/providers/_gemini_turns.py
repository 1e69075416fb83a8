"""The conversation as Google wants it: a system instruction, and contents of the user and of the model.

* System and developer messages, wherever they stand, become the one instruction, in their order.
* Messages of one role in a row are one content, but results of functions stay apart from what the user says: Google
  counts the results against the calls before them.
* A signature stands on the part that it belongs to. Models from Gemini 3 on refuse a call of the running turn without
  one; for calls that another model made, Google names a stand-in, `FOREIGN_CALL`.

Sources (2026-11-26): https://ai.google.dev/gemini-api/docs/thought-signatures,
https://ai.google.dev/gemini-api/docs/function-calling, https://ai.google.dev/gemini-api/docs/file-input-methods,
`google-genai` 3.6.1, types.py.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, assert_never

import msgspec

from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.reasoning import PREFIX, may_return, unseal
from yuzui.providers._gemini_models import ModelTraits
from yuzui.providers.native_request import INVALID_ARGUMENTS, arguments_of

Json = dict[str, Any]  # Any: JSON values, about to be encoded
Drop = Callable[[str], None]

FOREIGN_CALL: Final = "skip_thought_signature_validator"
"""Google's own word for a call that its models did not make; it must not stand where a signature is at hand."""
_SEALED: Final = "eXoxL"  # how every seal of ours begins in base64
_OWN_FILES: Final = ("gs://", "files/", "https://generativelanguage.googleapis.com/")
_IMAGE_TYPE: Final = "image/jpeg"  # for addresses that do not tell: Google looks at the bytes
_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "webp": "image/webp",
}
"""Media types by the end of an address: Google wants one with each."""

_read_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def write_conversation(
    messages: Iterable[Message], provider: str, traits: ModelTraits, drop: Drop
) -> tuple[list[Json], list[Json]]:
    """Parts of the system instruction, and contents. Raise `UnsupportedFeature` for what Google has no part for."""
    writer = _Conversation(provider, traits, drop)
    for message in messages:
        if message.name:
            drop("messages.name")
        if message.role in ("system", "developer"):
            writer.instruct(message)
        elif message.role == "assistant":
            writer.add("model", writer.thought_parts(message))
        else:
            for part in message.parts:
                block = writer.part(part)
                if block is not None:
                    writer.add("user", [block], is_result=isinstance(part, ToolResultPart))
    if not writer.contents:
        raise UnsupportedFeature(
            "this target needs at least one message with content from the user; add one to `messages`", param="messages"
        )
    if traits.is_current:
        sign_calls(writer.contents)
    return writer.system, writer.contents


def sign_calls(contents: list[Json]) -> bool:
    """Put the stand-in on the first call of each content of the running turn that has none; say whether one was put.

    `contents` is changed in place, its parts are copied.
    """
    is_changed = False
    for index in range(len(contents) - 1, -1, -1):
        content = contents[index]
        parts = _parts(content)
        if _role(content) != "model":
            if any(not (_is(part, "functionResponse", "function_response")) for part in parts):
                break  # what the user said last begins the turn
            continue
        for position, part in enumerate(parts):
            if not _is(part, "functionCall", "function_call"):
                continue
            if not _is(part, "thoughtSignature", "thought_signature"):
                signed = [*parts]
                signed[position] = {**part, "thoughtSignature": FOREIGN_CALL}
                contents[index] = {**content, "parts": signed}
                is_changed = True
            break
    return is_changed


def patch_contents(contents: object, traits: ModelTraits, drop: Drop) -> list[Json] | None:
    """A client's own contents, fit for the vendor; None when they are so already.

    What stands in the way are thoughts of other vendors' models, under our seal, and calls that they made.
    """
    found = contents if isinstance(contents, list) else [contents]
    patched = [content for content in found if isinstance(content, dict)]
    is_changed = _without_foreign_thoughts(patched)
    if is_changed:
        drop("reasoning")
    if traits.is_current:
        is_changed = sign_calls(patched) or is_changed
    return patched if is_changed else None


def _without_foreign_thoughts(contents: list[Json]) -> bool:
    """Remove the parts of thoughts that end with a seal, and seals on other parts; say whether there were any."""
    open_thoughts: list[tuple[int, int]] = []  # content and part of thoughts whose end has not come
    gone: set[tuple[int, int]] = set()
    bare: set[tuple[int, int]] = set()
    for index, content in enumerate(contents):
        for position, part in enumerate(_parts(content)):
            signature = part.get("thoughtSignature") or part.get("thought_signature")
            is_foreign = isinstance(signature, str) and signature.startswith(_SEALED) and _is_seal(signature)
            if part.get("thought") is not True:
                if is_foreign:  # of a thought without words, or moved there by the client
                    bare.add((index, position))
                    gone.update(open_thoughts)
                open_thoughts = []
                continue
            open_thoughts.append((index, position))
            if is_foreign:
                gone.update(open_thoughts)
            if signature:
                open_thoughts = []
    if not (gone or bare):
        return False
    kept: list[Json] = []
    for index, content in enumerate(contents):
        parts = [
            _unsigned(part) if (index, position) in bare else part
            for position, part in enumerate(_parts(content))
            if (index, position) not in gone
        ]
        if parts:
            kept.append({**content, "parts": parts})
    contents[:] = kept
    return True


def _is_seal(signature: str) -> bool:
    data = signature.replace("-", "+").replace("_", "/")
    try:
        sealed = b64decode(data + "=" * (-len(data) % 4)).decode("ascii")
    except ValueError:
        return False
    return sealed.startswith(PREFIX) and unseal(sealed) is not None


def _unsigned(part: Json) -> Json:
    return {name: value for name, value in part.items() if name not in ("thoughtSignature", "thought_signature")}


def _role(content: Json) -> str:
    role = content.get("role")
    return role.lower() if isinstance(role, str) else "user"


def _parts(content: Json) -> list[Json]:
    parts = content.get("parts")
    return [part for part in (parts if isinstance(parts, list) else [parts]) if isinstance(part, dict)]


def _is(part: Json, name: str, other_name: str) -> bool:
    return part.get(name) is not None or part.get(other_name) is not None


class _Conversation:
    """Grows content by content; remembers which call has which name, for results repeat it."""

    def __init__(self, provider: str, traits: ModelTraits, drop: Drop) -> None:
        self._provider = provider
        self._traits = traits
        self._drop = drop
        self._names: dict[str, str] = {}
        self._ends_with_result = False
        self.system: list[Json] = []
        self.contents: list[Json] = []

    def instruct(self, message: Message) -> None:
        for part in message.parts:
            if not isinstance(part, TextPart):
                raise _unsayable("anything but text in a system message")
            if part.cache:
                self._drop("cache_control")
            if part.text:
                self.system.append({"text": part.text})

    def add(self, role: str, parts: list[Json], *, is_result: bool = False) -> None:
        if not parts:
            return
        last = self.contents[-1] if self.contents else None
        if last is not None and last["role"] == role and self._ends_with_result == is_result:
            last["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": list(parts)})
        self._ends_with_result = is_result

    def thought_parts(self, message: Message) -> list[Json]:
        """The parts of a message of the model; a signature goes onto the next call, or else onto the next text.

        Google signs an answer once, on its first call or at its end, and not every client's dialect keeps a thought in
        its place: chat completions have texts before calls, whatever stood between them.
        """
        parts: list[Json] = []
        signature = ""
        calls = [number for number, part in enumerate(message.parts) if isinstance(part, ToolCallPart)]
        last_call = calls[-1] if calls else -1
        for number, part in enumerate(message.parts):
            if isinstance(part, ReasoningPart):
                # A signature that is not Google's is refused, so one whose origin nobody knows is not sent either.
                if not part.origin or not may_return(part, self._provider):
                    self._drop("reasoning")
                    continue
                if part.text:
                    parts.append({"text": part.text, "thought": True})
                if part.signature:
                    if signature:
                        parts.append({"text": "", "thoughtSignature": signature})
                    signature = part.signature
                continue
            block = self.part(part)
            if block is not None:
                if signature and (isinstance(part, ToolCallPart) or number > last_call):
                    block["thoughtSignature"] = signature
                    signature = ""
                parts.append(block)
        if signature:  # of a text that a stream had ended already
            parts.append({"text": "", "thoughtSignature": signature})
        return parts

    def part(self, part: Part) -> Json | None:
        match part:
            case TextPart():
                self._note_cache(part.cache)
                return {"text": part.text} if part.text else None
            case ToolCallPart():
                self._names[part.id] = part.name
                call = {"id": part.id, "name": part.name, "args": _arguments(part)}
                return {"functionCall": call if part.id else {"name": part.name, "args": call["args"]}}
            case ToolResultPart():
                return self._result(part)
            case ImagePart() | DocumentPart():
                return self._media(part)
            case AudioPart():
                return {"inlineData": {"mimeType": part.media_type, "data": part.data}}
            case ReasoningPart():
                raise _unsayable("a thought in a message of the user")
            case OpaquePart():
                raise _unsayable(f"a content part of type {part.kind[:40]!r}")
            case _:
                assert_never(part)

    def _result(self, part: ToolResultPart) -> Json:
        for marked in (part, *part.parts):
            self._note_cache(marked.cache)
        name = part.name or self._names.get(part.call_id, "")
        if not name:
            raise UnsupportedFeature(
                "a tool's result answers no call of this conversation, and this target must know the tool's name; "
                "send the call before it",
                param="messages",
            )
        text = "".join(piece.text for piece in part.parts if isinstance(piece, TextPart))
        response: Json = {"name": name, "response": {"error" if part.is_error else "output": text}}
        if part.call_id:
            response["id"] = part.call_id
        media = [self._media(piece) for piece in part.parts if not isinstance(piece, TextPart)]
        if media:
            if not self._traits.is_current:
                raise _unsayable("a picture or file in a tool's result (models from Gemini 3 on can)")
            response["parts"] = media
        return {"functionResponse": response}

    def _media(self, part: ImagePart | DocumentPart) -> Json:
        self._note_cache(part.cache)
        if isinstance(part, ImagePart):
            if part.detail not in ("", "auto"):
                self._drop("messages.image_url.detail")
            data, kind = part.data, part.media_type or _IMAGE_TYPE
        else:
            self._note_document(part)
            data, kind = part.data, part.media_type or "application/pdf"
            if part.text:
                data, kind = b64encode(part.text.encode("utf-8", "replace")).decode(), part.media_type or "text/plain"
        if data:
            return {"inlineData": {"mimeType": kind, "data": data}}
        if part.file_id and not part.file_id.startswith(_OWN_FILES):
            raise _unsayable("a file by an id of another vendor")
        uri = part.file_id or part.url
        guessed = _TYPES.get(uri.partition("?")[0].rpartition(".")[2].lower(), kind)
        return {"fileData": {"mimeType": part.media_type or guessed, "fileUri": uri}}

    def _note_document(self, part: DocumentPart) -> None:
        if part.wants_citations:
            self._drop("document.citations")
        if part.context:
            self._drop("document.context")
        if part.title:
            self._drop("document.title")

    def _note_cache(self, lifetime: str) -> None:
        if lifetime:
            self._drop("cache_control")  # Google finds repeated beginnings by itself


def _arguments(part: ToolCallPart) -> msgspec.Raw | Mapping[str, str]:
    text = arguments_of(part)
    if not text.strip():
        return {}  # how several vendors spell a call without arguments
    try:
        _read_arguments(text)
        return msgspec.Raw(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {INVALID_ARGUMENTS: text}


def _unsayable(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(f"this target cannot take {what}; leave it out or choose another model", param="messages")
