"""The header of a GGUF file: is it one, which model is inside; read with bounds, as the file may be hostile.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian; read 2026-11-22).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from yuzui.engine.faults import WrongContent

MAGIC: Final = b"GGUF"
MOST_PAIRS: Final = 65_536
MOST_TENSORS: Final = 65_536
MOST_KEY_BYTES: Final = 65_535  # the format's own bound
MOST_ELEMENTS: Final = 4_000_000  # of one array; vocabularies have some 260,000
MOST_KEPT_BYTES: Final = 1024 * 1024  # of one string value that we look at
MOST_HEADER_BYTES: Final = 256 * 1024 * 1024
MOST_DIMENSIONS: Final = 4

_STRING, _ARRAY = 8, 9
_SCALARS: Final = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_HEAD: Final = struct.Struct("<4sIQQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What we use of it."""

    version: int
    tensor_count: int
    architecture: str
    """`llama`, `qwen3`, …; never empty."""
    name: str
    context_tokens: int
    """The longest context that the model was trained for; 0: the file does not say."""
    has_chat_template: bool


def read_header(path: Path) -> GgufHeader:
    """Read and check the header of `path`. Raise `WrongContent` for anything but a plausible GGUF model."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            return _Reader(file, size).header()
        except WrongContent as error:
            raise WrongContent(f"{path.name}: {error}") from None


class _Reader:
    """Walks the header once; every length is held against what is left of the file before it is used."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0

    def header(self) -> GgufHeader:
        magic, version, tensors, pairs = _HEAD.unpack(self._take(_HEAD.size, "the head"))
        if magic != MAGIC:
            raise WrongContent("this is not a GGUF file; other formats (pickle, safetensors, …) are not loaded")
        if version not in (2, 3):
            raise WrongContent(f"GGUF version {version} is not supported (2 and 3 are)")
        if not 0 < tensors <= MOST_TENSORS:
            raise WrongContent(f"a model of {tensors} tensors is not plausible")
        if not 0 < pairs <= MOST_PAIRS:
            raise WrongContent(f"a header of {pairs} fields is not plausible")
        found: dict[str, str | int] = {}
        for _ in range(pairs):
            key = self._key()
            value = self._value(self._u32("a field's type"))
            if value is not None:
                if key in found:
                    raise WrongContent(f"the field {key[:80]} is there twice")
                found[key] = value
        self._tensors(tensors, found)
        return _summary(version, tensors, found)

    def _key(self) -> str:
        length = self._u64("a key's length")
        if not 0 < length <= MOST_KEY_BYTES:
            raise WrongContent(f"a key of {length} bytes is not plausible")
        try:
            return self._take(length, "a key").decode("utf-8")
        except UnicodeDecodeError:
            raise WrongContent("a key is not UTF-8") from None

    def _value(self, kind: int) -> str | int | None:
        """A string or an integer; None for what is only walked over."""
        if kind == _STRING:
            length = self._u64("a string's length")
            if length > MOST_KEPT_BYTES:
                self._skip(length, "a string")
                return None
            return self._take(length, "a string").decode("utf-8", "replace")
        if kind == _ARRAY:
            self._array()
            return None
        scalar = _SCALARS.get(kind)
        if scalar is None:
            raise WrongContent(f"a field has the unknown type {kind}")
        value = scalar.unpack(self._take(scalar.size, "a number"))[0]
        return value if type(value) is int else None

    def _array(self) -> None:
        kind = self._u32("an array's type")
        count = self._u64("an array's length")
        if count > MOST_ELEMENTS:
            raise WrongContent(f"an array of {count} elements is not plausible")
        if kind == _STRING:
            for _ in range(count):
                self._skip(self._u64("a string's length"), "a string")
        elif kind in _SCALARS:
            self._skip(count * _SCALARS[kind].size, "an array")
        else:
            raise WrongContent(f"an array has elements of the unsupported type {kind}")

    def _tensors(self, count: int, found: dict[str, str | int]) -> None:
        """Every tensor must begin inside the file, aligned, at a place of its own; the engine checks their sizes."""
        alignment = found.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 65_536:
            raise WrongContent("the alignment is not plausible")
        offsets: set[int] = set()
        for _ in range(count):
            self._key()
            dimensions = self._u32("a tensor's dimensions")
            if not 1 <= dimensions <= MOST_DIMENSIONS:
                raise WrongContent(f"a tensor of {dimensions} dimensions is not plausible")
            elements = 1
            for _ in range(dimensions):
                elements *= self._u64("a tensor's shape")
            self._u32("a tensor's type")
            offset = self._u64("a tensor's place")
            # The densest type in use packs about 1.5 bits into an element: 8 elements to a byte is more than any.
            if not 0 < elements <= 8 * self._size:
                raise WrongContent("a tensor is larger than the file")
            if offset % alignment or offset in offsets:
                raise WrongContent("a tensor's place is not aligned, or taken twice")
            offsets.add(offset)
        start = -(-self._at // alignment) * alignment
        if start + max(offsets) >= self._size:
            raise WrongContent("the file ends before its tensors: it is truncated")

    def _u32(self, what: str) -> int:
        return int(_U32.unpack(self._take(4, what))[0])

    def _u64(self, what: str) -> int:
        return int(_U64.unpack(self._take(8, what))[0])

    def _take(self, count: int, what: str) -> bytes:
        self._advance(count, what)
        data = self._file.read(count)
        if len(data) != count:
            raise WrongContent(f"the file ends inside {what}")
        return data

    def _skip(self, count: int, what: str) -> None:
        self._advance(count, what)
        self._file.seek(self._at)

    def _advance(self, count: int, what: str) -> None:
        self._at += count
        if self._at > self._size:
            raise WrongContent(f"the file ends inside {what}")
        if self._at > MOST_HEADER_BYTES:
            raise WrongContent("a header of this size is not plausible")


def _summary(version: int, tensors: int, found: dict[str, str | int]) -> GgufHeader:
    architecture = found.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise WrongContent("the header does not name the model's architecture")
    name = found.get("general.name", "")
    context = found.get(f"{architecture}.context_length", 0)
    template = found.get("tokenizer.chat_template", "")
    return GgufHeader(
        version=version,
        tensor_count=tensors,
        architecture=architecture,
        name=name if isinstance(name, str) else "",
        context_tokens=context if isinstance(context, int) and context > 0 else 0,
        has_chat_template=isinstance(template, str) and bool(template),
    )
