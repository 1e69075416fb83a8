"""Names in a request: its leaves, what is remembered of them, the worker for the rest, and the clock against it all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from typing_extensions import override

from yuzui.core.sensitivity import Finding, NameRules
from yuzui.io.ner_process import NamesUnavailable
from yuzui.ports import Names
from yuzui.privacy.leaves import Leaf, finding_in, spell_path
from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.ner.candidates import may_hold_name
from yuzui.privacy.ner.grounds import DETECTOR, ground_of
from yuzui.privacy.ner.reading import Reading, read
from yuzui.privacy.ner.repeats import known_names, search_again
from yuzui.privacy.ner.spans import ASKED_FOR, NameKind, NameSpan
from yuzui.privacy.scan import MAX_FINDINGS, NOTHING, ScanResult

DEADLINE_BYTES: Final = 32 * 1024
"""`deadline_ms` is for so much new text; longer text has that much more time."""
_FAILURE: Final = "names: "


_Read = tuple[Leaf, Reading, bytes]
"""A leaf, how it is read, and the key under which that is remembered."""
_Spans = tuple[NameSpan, ...]


class Worker(Protocol):
    def ask(self, texts: Sequence[str]) -> asyncio.Future[list[list[NameSpan]]]: ...


class NameSearch(Names):
    """The `Names` port over a worker process. Whatever is not looked at in time is a failure in the result."""

    def __init__(self, worker: Worker, *, cache: SpanCache) -> None:
        self._worker = worker
        self._cache = cache

    @override
    def begin(self, leaves: Sequence[Leaf], rules: NameRules) -> ScanResult | Coroutine[Any, Any, ScanResult]:
        """As in the port; raises nothing that has to do with the worker."""
        readings: list[_Read] = []
        unknown: dict[bytes, str] = {}
        known: dict[bytes, tuple[NameSpan, ...]] = {}
        for leaf in leaves:
            if not may_hold_name(leaf.text):
                continue
            reading = read(leaf.text)
            key = self._cache.key_of(reading.text)
            readings.append((leaf, reading, key))
            if key in known or key in unknown:
                continue
            remembered = self._cache.get(key)
            if remembered is None:
                unknown[key] = reading.text
            else:
                known[key] = remembered
        return self._find(readings, unknown, known, rules) if unknown else self._result(readings, known, rules)

    async def _find(
        self, readings: Sequence[_Read], unknown: Mapping[bytes, str], known: dict[bytes, _Spans], rules: NameRules
    ) -> ScanResult:
        try:
            known |= await self._ask(unknown, rules)
        except NamesUnavailable as error:
            return ScanResult(failures=(f"{_FAILURE}{error}",))
        except TimeoutError:
            return ScanResult(failures=(f"{_FAILURE}deadline",))
        return self._result(readings, known, rules)

    async def _ask(self, unknown: Mapping[bytes, str], rules: NameRules) -> dict[bytes, tuple[NameSpan, ...]]:
        texts = list(unknown.values())
        size_bytes = sum(len(text) if text.isascii() else 3 * len(text) for text in texts)
        deadline_s = rules.deadline_ms / 1000 * max(1.0, size_bytes / DEADLINE_BYTES)
        answer = self._worker.ask(texts)
        answer.add_done_callback(lambda done: self._remember(tuple(unknown), done))
        async with asyncio.timeout(deadline_s):
            found = await asyncio.shield(answer)  # too late for this request is in time for its repetition
        return {key: tuple(spans) for key, spans in zip(unknown, found, strict=True)}

    def _again(self, readings: Sequence[_Read], known: Mapping[bytes, tuple[NameSpan, ...]]) -> dict[bytes, _Spans]:
        """Per text, what names of the other texts are in it; within one text the worker has looked already."""
        if len({key for _, _, key in readings}) < 2:
            return {}
        by_text = {key: known_names(reading.text, known[key]) for _, reading, key in readings}
        everywhere: dict[str, NameKind] = {}
        for names in by_text.values():
            everywhere.update(names)
        found: dict[bytes, _Spans] = {}
        for _, reading, key in readings:
            foreign = {name: kind for name, kind in everywhere.items() if name not in by_text[key]}
            if not foreign or key in found:
                continue
            both = self._cache.key_of("\0".join((key.hex(), *sorted(foreign))))
            remembered = self._cache.get(both)
            if remembered is None:
                taken = bytearray(len(reading.text))
                for span in [span for span in known[key] if span.kind not in ASKED_FOR]:
                    taken[span.start : span.end] = b"\1" * (span.end - span.start)
                remembered = tuple(search_again(reading.text, foreign, taken))
                self._cache.put(both, remembered)
            found[key] = remembered
        return found

    def _result(
        self, readings: Sequence[_Read], known: Mapping[bytes, tuple[NameSpan, ...]], rules: NameRules
    ) -> ScanResult:
        """Findings at their places in the client's text."""
        again = self._again(readings, known)
        findings: list[Finding] = []
        for leaf, reading, key in readings:
            spans = [span for span in (*known[key], *again.get(key, ())) if span.kind in rules.kinds]
            path = spell_path(leaf.path) if spans else ""
            for span in spans:
                place = reading.original(span)
                rule, version, fact = ground_of(span)
                found = finding_in(
                    leaf, place.start, place.end, kind=span.kind, detector=DETECTOR, rule=rule, version=version,
                    confidence=round(span.score, 2), evidence=(fact,), path=path,
                )  # fmt: skip  # what a finding has
                if found is not None:
                    findings.append(found)
            if len(findings) > MAX_FINDINGS:
                return ScanResult(findings=tuple(findings[:MAX_FINDINGS]), failures=(f"{_FAILURE}too_many_findings",))
        return ScanResult(findings=tuple(findings)) if findings else NOTHING

    def _remember(self, keys: Sequence[bytes], answer: asyncio.Future[list[list[NameSpan]]]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            return
        for key, spans in zip(keys, answer.result(), strict=True):
            self._cache.put(key, spans)
