"""From a request's body to its findings: walk, fold, one pass of all patterns, each candidate checked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Fact, Finding, Place, SensitivityRules
from yuzui.privacy import encodings
from yuzui.privacy.canonical import Canonical, Canonicaliser, count_controls
from yuzui.privacy.catalogue import load_detectors, version_of
from yuzui.privacy.custom import compile_custom
from yuzui.privacy.detectors._contract import SEPARATOR, Detector, Digits, Hit, Pattern
from yuzui.privacy.engine import Candidate, EngineName, TooManyCandidates, compile_engine
from yuzui.privacy.evidence import ANTI_CUE, FIELD, is_cued, joined, named_by_field
from yuzui.privacy.leaves import Leaf, Leaves, place_in, read_leaves, spell_path
from yuzui.privacy.numbers import CLUSTER_REGEX, Layouts
from yuzui.privacy.surroundings import has_cue
from yuzui.privacy.turn_joins import find_across_turns
from yuzui.privacy.views import read_hidden

MAX_FINDINGS = 10_000  # enough for any honest request; looking on would only cost time, so the rest counts as the worst
FIELD_GAIN, ANTI_CUE_LOSS = 0.5, 0.3  # of the doubt, of the confidence
_ANTI_CUE_WORDS = "example sample dummy fake placeholder fictitious 示例 样例 例如 虚构 測試用 测试用"
ANTI_CUES = tuple(_ANTI_CUE_WORDS.split())
"""Words in front of what is only shown. They lower the confidence and hide nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What was found, what could not be read, and which detectors broke. Holds no text."""

    findings: tuple[Finding, ...] = ()
    repeats: tuple[Finding, ...] = ()
    """The same values in other readings of the same text: not counted, but masking must know where they stand."""
    unscannable: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Names of detectors that raised, `too_many_candidates`, `too_many_findings` or `engine: …`: the request counts as
    most sensitive."""


NOTHING = ScanResult()


def with_more(result: ScanResult, findings: Sequence[Finding], failures: Sequence[str]) -> ScanResult:
    """`result` with those of `findings` that none of its own of the same kind covers."""
    news = _without_known(tuple(findings), result.findings) if findings else ()
    broken = tuple([one for one in failures if one not in result.failures])
    if not news and not broken:
        return result
    return replace(result, findings=result.findings + news, failures=result.failures + broken)


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class _Sheet:
    """All leaves of one request as one canonical text."""

    __slots__ = ("canonicals", "data", "leaves", "starts", "text")

    def __init__(self, leaves: list[Leaf], text: str, data: bytes, canonicals: list[Canonical] | None) -> None:
        """`canonicals` is None when the canonical text is the text itself; `data` is `text` in UTF-8."""
        self.leaves = leaves
        self.text = text
        self.data = data
        self.canonicals = canonicals
        self.starts: list[int] = []

    def leaf_at(self, at: int) -> int:
        if not self.starts:
            position = 0
            for number, leaf in enumerate(self.leaves):
                self.starts.append(position)
                text = leaf.text if self.canonicals is None else self.canonicals[number].text
                position += len(text) + len(SEPARATOR)
        return bisect_right(self.starts, at) - 1

    def size_of(self, number: int) -> int:
        return len(self.leaves[number].text if self.canonicals is None else self.canonicals[number].text)

    def original_span(self, number: int, start: int, end: int) -> tuple[int, int]:
        leaf = self.leaves[number]
        return self._span(number, start, end) if leaf.whole is None else (leaf.offset, leaf.offset + leaf.whole)

    def place(self, number: int, start: int, end: int) -> Place:
        leaf = self.leaves[number]
        return place_in(leaf, *self._span(number, start, end)) if leaf.has_places else place_in(leaf, start, end)

    def is_in_name(self, number: int, end: int) -> bool:
        """Whether what ends there stands in the name in front of a value, which is a leaf of its own."""
        shift = self.leaves[number].shift
        return shift > 0 and self._span(number, end - 1, end)[1] <= shift

    def weigh(self, number: int, start: int, hit: Hit) -> tuple[tuple[Fact, ...], float]:
        """Evidence and confidence of a hit, with what only its surroundings tell: that the cue is the name of its
        field, that it is given as an example, how its leaf was read."""
        leaf = self.leaves[number]
        evidence, confidence = hit.evidence, hit.confidence
        if leaf.shift and is_cued(evidence) and self._follows_name(number, start):
            evidence = named_by_field(evidence)
            confidence += (1.0 - confidence) * FIELD_GAIN
        if has_cue(self.text, hit.start, ANTI_CUES):
            evidence = joined(evidence, (ANTI_CUE,))
            confidence *= 1.0 - ANTI_CUE_LOSS
        if leaf.how:
            evidence = joined(evidence, leaf.how)
        return evidence, round(confidence, 2)

    def _follows_name(self, number: int, start: int) -> bool:
        """Whether nothing is said between the name of a field and what begins at `start`."""
        leaf = self.leaves[number]
        return not any(map(str.isalnum, leaf.text[leaf.shift : self._span(number, start, start + 1)[0]]))

    def _span(self, number: int, start: int, end: int) -> tuple[int, int]:
        return (start, end) if self.canonicals is None else self.canonicals[number].span(start, end)


class _Budget:
    """How much decoded text one request may still bring."""

    __slots__ = ("bytes_left", "views_left")

    def __init__(self) -> None:
        self.bytes_left = encodings.MAX_BYTES
        self.views_left = encodings.MAX_VIEWS

    def spend(self, size: int) -> None:
        self.bytes_left -= size
        self.views_left -= 1

    @property
    def is_spent(self) -> bool:
        return self.bytes_left < 0 or self.views_left < 0


class Scanner:
    """Compiled once per configuration; safe to share between threads. Raise `ConfigError` for a bad custom pattern."""

    def __init__(self, rules: SensitivityRules, *, engine: EngineName = "auto") -> None:
        self._detectors: dict[str, Detector] = {**load_detectors(), **compile_custom(rules, engine)}
        self._versions = {name: one.version or version_of(name) for name, one in self._detectors.items()}
        self._canonicaliser = Canonicaliser()
        owners: dict[Pattern, list[str]] = {}
        wanted: dict[tuple[int, ...], list[str]] = {}
        across: dict[tuple[int, ...], list[str]] = {}
        for name, detector in self._detectors.items():
            for pattern in detector.patterns:
                owners.setdefault(pattern, []).append(name)
            for layout in detector.layouts:
                wanted.setdefault(layout, []).append(name)
                if detector.crosses_lines:
                    across.setdefault(layout, []).append(name)
        self._layouts = Layouts(wanted, across)
        self._owners = [(), *(tuple(names) for names in owners.values())]
        self._engine = compile_engine((Pattern(regex=CLUSTER_REGEX), *owners, *encodings.PATTERNS), engine)

    @property
    def engine_name(self) -> str:
        return self._engine.name

    def versions_of(self, kind: str) -> frozenset[str]:
        """Of the detectors that can report `kind`; empty: none does."""
        return frozenset(self._versions[name] for name, one in self._detectors.items() if kind in one.levels)

    def scan(
        self, body: Mapping[str, Any], headers: Mapping[str, str] = NO_HEADERS, leaves: Leaves | None = None
    ) -> ScanResult:  # Any: checked JSON
        """Findings in every leaf of `body`, and in those of the client's headers that a target may be told.

        `leaves`: of `body`, if they are read already; they are used up.
        Raise `InvalidRequest` for nesting beyond 64 levels and lone surrogates.
        """
        if leaves is None:
            leaves = read_leaves(body)
        if headers:
            leaves.found.extend([Leaf(value, (("", "$"), ".headers")) for value in headers.values()])
        return with_more(self._scan(leaves), *find_across_turns(body, self.look))

    def scan_text(self, text: str) -> ScanResult:
        """Findings in one text, for example an answer; their path is `$`."""
        return self._scan(Leaves([Leaf(text, ((), "$"))], []))

    def look(self, texts: Sequence[str]) -> tuple[list[list[Finding]], tuple[str, ...]]:
        """Findings in each of these texts, and which detectors broke."""
        result = self._scan(Leaves([Leaf(text, (("", "$"), number)) for number, text in enumerate(texts)], []))
        found: list[list[Finding]] = [[] for _ in texts]
        for finding in result.findings:
            assert finding.place is not None  # every finding of ours has one
            found[finding.place.path[1]].append(finding)
        return found, result.failures

    def _scan(self, leaves: Leaves) -> ScanResult:
        failures: dict[str, None] = {}
        findings: tuple[Finding, ...] = ()
        repeats: tuple[Finding, ...] = ()
        pending = leaves.found
        budget = _Budget()
        for depth in range(encodings.MAX_DEPTH + 1):
            sheet = self._lay_out(pending)
            try:
                candidates = _possible(self._engine.find(sheet.text, sheet.data), len(sheet.text))
            except TooManyCandidates:
                failures["too_many_candidates"] = None
                break
            except Exception as error:  # fail closed whatever breaks; the name of the error holds no content
                failures[f"engine: {type(error).__name__}"] = None
                break
            if not candidates:
                break
            found: list[tuple[str, Hit]] = []
            self._ask_all(sheet.text, candidates, failures, found)
            if found:
                more, again = _to_findings(sheet, found, self._versions)
                new = more if depth == 0 else _without_known(more, findings)
                kept = set(map(id, new))
                repeats += (*again, *(one for one in more if id(one) not in kept))
                findings += new
            pending = self._views(sheet, candidates, budget, failures)
            if not pending:
                break
            if depth == encodings.MAX_DEPTH or budget.is_spent:
                leaves.unscannable.append("encoded")
                break
        if not findings and not failures and not leaves.unscannable:
            return NOTHING
        return ScanResult(
            findings=findings, repeats=repeats, unscannable=tuple(leaves.unscannable), failures=tuple(failures)
        )

    def _views(
        self, sheet: _Sheet, candidates: list[Candidate], budget: _Budget, failures: dict[str, None]
    ) -> list[Leaf]:
        """What the encoded pieces of a sheet spell, as leaves that cover these pieces."""
        first = len(self._owners)
        if all(index < first for index, _, _ in candidates):
            return []
        found: list[Leaf] = []
        places = ((index - first, start, end) for index, start, end in candidates if index >= first)
        try:
            for view in encodings.read_encoded(sheet.text, places):
                _check_place(view.start, view.end, len(sheet.text))
                number = sheet.leaf_at(view.start)
                start = view.start - sheet.starts[number]
                end = min(view.end - sheet.starts[number], sheet.size_of(number))
                offset, behind = sheet.original_span(number, start, end)
                place = sheet.place(number, start, end)
                span = None if place.form == "whole" else (place.start, place.end)
                how = (*sheet.leaves[number].how, Fact("encoded", view.coding))
                found.append(Leaf(view.text, place.path, behind - offset, offset, True, place.form, span, how=how))
                budget.spend(len(view.text))
                if budget.is_spent:
                    break
        except Exception:  # as in `_ask`: what cannot be read must not pass for clean
            failures["encodings"] = None
        return found

    def _ask_all(
        self, text: str, candidates: list[Candidate], failures: dict[str, None], found: list[tuple[str, Hit]]
    ) -> None:
        for index, start, end in candidates:
            if index == 0:
                for digits, names in self._layouts.find(text, start, end):
                    for name in names:
                        self._ask_digits(name, text, digits, failures, found)
                    if len(found) > MAX_FINDINGS:
                        break
            elif index < len(self._owners):
                for name in self._owners[index]:
                    self._ask(name, text, start, end, failures, found)
            if len(found) > MAX_FINDINGS:
                failures["too_many_findings"] = None
                return

    def _ask_digits(
        self, name: str, text: str, digits: Digits, failures: dict[str, None], found: list[tuple[str, Hit]]
    ) -> None:
        try:
            check = self._detectors[name].check_digits
            assert check is not None  # who names layouts has it; a detector that lacks it fails closed
            hit = check(digits)
            if hit is not None:
                self._check_hit(name, hit, text)
                found.append((name, hit))
        except Exception:  # a broken detector must not take the request with it, nor let it pass
            failures[name] = None

    def _ask(
        self, name: str, text: str, start: int, end: int, failures: dict[str, None], found: list[tuple[str, Hit]]
    ) -> None:
        try:
            check = self._detectors[name].check
            assert check is not None  # as above, for patterns
            for hit in check(text, start, end):
                self._check_hit(name, hit, text)
                found.append((name, hit))
        except Exception:  # as above
            failures[name] = None

    def _check_hit(self, name: str, hit: Hit, text: str) -> None:
        """What a detector finds must be of a kind that it declares and lie in the text. Else it is broken, and what it
        did not find is unknown."""
        _check_place(hit.start, hit.end, len(text))
        if hit.kind not in self._detectors[name].levels:
            raise ValueError("a kind that was not declared")

    def _lay_out(self, leaves: list[Leaf]) -> _Sheet:
        """The leaves one after another, folded where needed. Each is followed by a separator."""
        texts = [leaf.text for leaf in leaves]
        texts.append("")
        text = SEPARATOR.join(texts)
        if text.isascii():
            data = text.encode("ascii")
            if count_controls(data) == len(leaves):  # those are ours, one in each separator
                return _Sheet(leaves, text, data, None)
        return self._lay_out_folded(leaves)

    def _lay_out_folded(self, leaves: list[Leaf]) -> _Sheet:
        fold = self._canonicaliser.fold
        canonicals = [fold(leaf.text) for leaf in leaves]
        leaves = list(leaves)
        for number, canonical in enumerate(canonicals[:]):
            if canonical.pieces is None:
                continue
            leaf = leaves[number]
            for view, how in read_hidden(leaf.text):
                whole = len(leaf.text) if leaf.whole is None else leaf.whole
                leaves.append(Leaf(view, leaf.path, whole, how=(*leaf.how, how)))
                canonicals.append(fold(view))
        text = SEPARATOR.join([canonical.text for canonical in canonicals] + [""])
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            where = next((leaf for leaf in leaves if not _is_encodable(leaf.text)), leaves[0])
            path = spell_path(where.path)
            raise InvalidRequest(
                f"{path} has a lone surrogate, which is no character; send valid Unicode",
                code="invalid_unicode",
                param=path,
            ) from error
        return _Sheet(leaves, text, data, canonicals)


def _possible(candidates: list[Candidate], size: int) -> list[Candidate]:
    """`candidates`, all in a text of so many characters: an engine that points elsewhere has not looked at it."""
    for index, start, end in candidates:
        if index < 0 or not 0 <= start < end <= size:
            raise ValueError("a candidate that cannot be")
    return candidates


def _check_place(start: int, end: int, size: int) -> None:
    if not 0 <= start < end <= size:
        raise ValueError("a place that cannot be")


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _without_known(more: tuple[Finding, ...], known: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings in encoded pieces, without those that lie inside one of their kind that was found without decoding."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for one in known:
        places.setdefault((one.path, one.kind), []).append(one)
    return tuple(
        one
        for one in more
        if not any(old.start <= one.start and one.end <= old.end for old in places.get((one.path, one.kind), ()))
    )


def _to_findings(
    sheet: _Sheet, found: Iterable[tuple[str, Hit]], versions: Mapping[str, str]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Hits at their places in the client's text: one per kind and place, and derived readings only for what is new.
    The other readings come second."""
    placed: list[tuple[bool, int, int, int, str, Hit]] = []
    for name, hit in found:
        number = sheet.leaf_at(hit.start)
        start = hit.start - sheet.starts[number]
        end = min(hit.end - sheet.starts[number], sheet.size_of(number))
        seam = sheet.leaves[number].seam
        if end > start and (not seam or start < seam < end) and not sheet.is_in_name(number, end):
            placed.append((sheet.leaves[number].whole is not None, number, start, -end, name, hit))
    placed.sort(key=lambda entry: entry[:5])
    known: dict[tuple[str, str], int] = {}
    reached: dict[tuple[int, str], int] = {}
    findings: list[Finding] = []
    repeats: list[Finding] = []
    for is_derived, number, start, negative_end, name, hit in placed:
        end = -negative_end
        offset = sheet.starts[number]
        value = (hit.kind, sheet.text[offset + start : offset + end])
        if end <= reached.get((number, hit.kind), 0):
            continue  # the same thing seen twice
        reached[number, hit.kind] = end
        first, last = sheet.original_span(number, start, end)
        evidence, confidence = sheet.weigh(number, start, hit)
        finding = Finding(
            kind=hit.kind, detector=name, rule=hit.rule, version=versions[name], start=first, end=last,
            path=spell_path(sheet.leaves[number].path), confidence=confidence, evidence=evidence,
            place=sheet.place(number, start, end),
        )  # fmt: skip  # as short as it can be
        is_repeat = is_derived and value in known and not sheet.leaves[number].is_piece
        if not is_repeat:
            known.setdefault(value, len(findings))
            findings.append(finding)
            continue
        repeats.append(finding)
        first = known[value]
        if FIELD in evidence and findings[first].path == finding.path and findings[first].confidence < confidence:
            # the same value, without and with the name of its field
            findings[first] = replace(findings[first], rule=hit.rule, evidence=evidence, confidence=confidence)
    return tuple(findings), tuple(repeats)
