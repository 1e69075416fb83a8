"""A body with stand-ins for what was found in it, so that a target that may not see the values may see the rest.

Replaced are the findings themselves and every other occurrence of their values, in any string of the body, through JSON
in strings, in keys of objects, and across parts that upstreams join. What cannot be replaced without changing what the
body is (a number without a likeness, the model's name, what a vendor signed) raises `Unmaskable`: the request stays as
it is, at its level. Restoring every changed string is tried before the body is given out.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from yuzui.core.reasoning import PREFIX as SEAL
from yuzui.core.reasoning import seal, unseal
from yuzui.core.sensitivity import Finding, Form, Path, Place
from yuzui.core.strict_json import MAX_DEPTH
from yuzui.privacy.json_text import Edit, Literal, apply, edits_in, read_literals, within
from yuzui.privacy.leaves import EMBEDDED, KEY, PROTOCOL_KEYS, READABLE_PARTS
from yuzui.privacy.realistic import imitate, imitate_number
from yuzui.privacy.restore import EVERYWHERE, Originals, Tally, TextRestorer
from yuzui.privacy.surrogates import LOOKALIKE, TYPED, Namer, Surrogates
from yuzui.privacy.turn_joins import EARLIER
from yuzui.privacy.values import Needles
from yuzui.privacy.vault import Entry
from yuzui.privacy.views import SEALED

_encoder: Final = msgspec.json.Encoder()
_MOST_SEARCHES: Final = 3_000_000  # values times texts, per thousand characters: about a second
_MOST_ROUNDS: Final = 4  # overlapping findings make new values, which may stand elsewhere too
_UNTOUCHED: Final = frozenset(("model", "role", "type", "signature", "thoughtSignature", "thought_signature",
                               "encrypted_content", "media_type", "mime_type", "mimeType"))  # fmt: skip
"""Fields whose words are the protocol's or a vendor's seal: other occurrences are not looked for in them."""

_VENDORS: Final = frozenset(("signature", "thoughtSignature", "thought_signature", "encrypted_content"))
"""What a vendor signed or encrypted of what it saw: the bytes that leave are searched for what it may hold."""

Json = Any  # Any: checked JSON


class Unmaskable(Exception):
    """Why a request cannot be masked; words without content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """What the operator lets masked. `realistic`: kinds whose stand-ins look like the value, where they can."""

    kinds: frozenset[str]
    realistic: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    body: Mapping[str, Json]
    surrogates: Surrogates
    counts: Mapping[str, int]
    """Kind → findings that were replaced."""


@dataclass(slots=True)
class _Node:
    """What is to be replaced at one place and below it."""

    steps: dict[object, _Node] = field(default_factory=dict)
    spans: list[tuple[Form, int, int, str]] = field(default_factory=list)

    def at(self, step: object) -> _Node | None:
        return self.steps.get(step)


def mask(
    body: Mapping[str, Json],
    findings: Collection[Finding],
    repeats: Collection[Finding] = (),
    *,
    masking: Masking,
    namer: Namer,
    known: Iterable[Entry] = (),
) -> Masked:
    """`body` without what `findings` of the maskable kinds cover; raise `Unmaskable`.

    `repeats` are other readings of the same values. `known` are stand-ins that this conversation was given earlier:
    where they stand in `body` they stay.
    """
    chosen = [finding for finding in (*findings, *repeats) if finding.kind in masking.kinds]
    counts = Counter([finding.kind for finding in findings if finding.kind in masking.kinds])
    root = _Node()
    for finding in chosen:
        _plant(root, body, finding)
    said = _encoder.encode(body).decode("utf-8", "surrogatepass").lower()
    entries = {entry.token: entry for entry in known}
    values = _values(body, root)
    for realistic in [masking.realistic, frozenset[str]()] if masking.realistic else [frozenset[str]()]:
        for _ in range(_MOST_ROUNDS):
            work = _Work(Surrogates(namer, said), realistic, entries, Needles(values))
            masked = work.walk_object(body, root, 1)
            if not (more := work.unsought()):
                break
            values += more
        if work.can_be_undone():
            return Masked(body=masked, surrogates=work.surrogates, counts=dict(counts))
    raise Unmaskable("a text of the request would not come back as it was")


# ---- places ---------------------------------------------------------------------------------------------------------


def _plant(root: _Node, body: Mapping[str, Json], finding: Finding) -> None:
    place = finding.place or _read_place(body, finding)
    steps: list[object] = []
    path: Path = place.path
    while path and path[0]:  # the root, ("", "$"), is no step
        path, step = path
        steps.append(step)
    if steps[-1:] == [".headers"]:  # no field of a body is spelled like that
        raise Unmaskable("a finding stands in a header")
    if steps[-1:] == [EARLIER]:
        raise Unmaskable("a value began in an earlier request, which was not masked for it")
    steps.reverse()
    form, start, end = place.form, place.start, place.end
    if form == "joined" and EMBEDDED not in steps:
        value: Json = body
        for step in steps:
            value = _below(value, step)
        part = _part_of(value, start, end)
        if part is not None:  # all of it stands in one part: found there as well, or only by what stands around it
            number, start, end = part
            form = "text"
            steps += [number] if isinstance(value[number], str) else [number, ".text"]
    node = root
    for step in steps:
        node = node.steps.setdefault(step, _Node())
    node.spans.append((form, start, end, finding.kind))


def _part_of(parts: list[Json], start: int, end: int) -> tuple[int, int, int] | None:
    """(number, start, end) in the only part that holds those characters of all joined; None where they are several."""
    begin = 0
    for number, text in _part_texts(parts):
        if begin <= start and end <= begin + len(text):
            return number, start - begin, end - begin
        begin += len(text)
    return None


def _read_place(body: Mapping[str, Json], finding: Finding) -> Place:
    """The place of a finding that only spells its path: all of what stands there, unless that is a string."""
    path: Path = ("", "$")
    value: Json = body
    rest = finding.path.removeprefix("$")
    while rest:
        step, rest = _first_step(rest)
        path = (path, step)
        if step == KEY:
            break
        value = _below(value, step)
    form: Form = "text" if isinstance(value, str) or path[1] == KEY else "whole"
    return Place(path, form, finding.start, finding.end) if form == "text" else Place(path, form)


def _first_step(spelled: str) -> tuple[object, str]:
    if spelled[0] == "[":
        index, _, rest = spelled[1:].partition("]")
        return int(index), rest
    if spelled[0] == KEY:
        return KEY, ""
    ends = [at for at in (spelled.find(mark, 1) for mark in ".[~") if at > 0]
    end = min(ends, default=len(spelled))
    return spelled[:end], spelled[end:]


def _below(value: Json, step: object) -> Json:
    try:
        if isinstance(step, int):
            return value[step]
        name = str(step)[1:]
        if name.startswith("#"):
            return list(value.values())[int(name[1:])]
        return value[name]
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Unmaskable("a finding stands outside of what can be changed") from None


def _values(value: Json, node: _Node, *, with_encoded: bool = False) -> list[tuple[str, str]]:
    """(kind, value) of every finding whose characters are known; pieces that encode stand-ins only `with_encoded`."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[Json, _Node]] = [(value, node)]
    while waiting:
        value, node = waiting.pop()
        texts = _part_texts(value) if isinstance(value, list) else []
        for form, start, end, kind in node.spans:
            text = "".join([text for _, text in texts]) if form == "joined" else value
            if form in ("text", "joined") and isinstance(text, str):
                if with_encoded or not _says_stand_in(text[start:end]):
                    found.append((kind, text[start:end]))
            elif form == "number":
                found.append((kind, str(value)))
        for step, below in node.steps.items():
            if step == EMBEDDED:
                waiting += [(item, inner) for item, inner in _inside(value, below) if inner is not None]
            elif step == KEY:
                continue  # read with its object, below
            else:
                waiting.append((_below(value, step), below))
                if KEY in below.steps and isinstance(value, dict):
                    waiting.append((_key_of(value, step), below.steps[KEY]))
    return found


def text_of(body: Mapping[str, Json], finding: Finding) -> str | None:
    """The characters that `finding` covers, with the backslashes right in front of them; all of its string where they
    have no characters of their own; None where they cannot be told."""
    root = _Node()
    try:
        _plant(root, body, finding)
        values = _values(body, root, with_encoded=True)
        if not values:
            return _whole_of(body, root)
        node = root
        while node.steps and not node.spans:
            ((_, node),) = node.steps.items()
        form, start, end, kind = node.spans[0]
        if form != "text" or start == 0:
            return values[0][1]
        node.spans[0] = (form, 0, end, kind)
        text = _values(body, root, with_encoded=True)[0][1]
        return text[len(text[:start].rstrip("\\")) :]
    except Unmaskable:
        return None


def _whole_of(value: Json, node: _Node) -> str | None:
    while node.steps:
        ((step, node),) = node.steps.items()
        if step == EMBEDDED:
            return value if isinstance(value, str) else None
        value = _key_of(value, step) if KEY in node.steps else _below(value, step)
        if KEY in node.steps:
            return str(value)
    return value if isinstance(value, str) else None


def _key_of(value: Mapping[str, Json], step: object) -> str:
    name = str(step)[1:]
    return list(value)[int(name[1:])] if name.startswith("#") else name


def _inside(text: Json, node: _Node) -> list[tuple[Json, _Node | None]]:
    if isinstance(text, str) and text.startswith(SEAL):
        thought = unseal(text)
        return [(thought.text if thought is not None else "", node)]
    literals = read_literals(text) if isinstance(text, str) else None
    return [(literal.value, _find(node, literal.path)) for literal in literals or ()]


def _find(node: _Node | None, path: Path) -> _Node | None:
    steps: list[object] = []
    while path:
        path, step = path
        steps.append(step)
    for step in reversed(steps):
        node = node.at(step) if node is not None else None
    return node


def _part_texts(parts: list[Json]) -> list[tuple[int, str]]:
    """Number and text of the parts that upstreams join, as `leaves` joins them."""
    found: list[tuple[int, str]] = []
    for number, part in enumerate(parts):
        if isinstance(part, str):
            found.append((number, part))
        elif isinstance(part, dict) and isinstance(text := part.get("text"), str):
            kind = part.get("type")
            if not isinstance(kind, str) or kind in READABLE_PARTS or kind == "document":
                found.append((number, text))
    return found


# ---- the walk -------------------------------------------------------------------------------------------------------

_Span = tuple[int, int, str]
"""(start, end, kind) in one string."""


class _Work:
    """One try at one body."""

    def __init__(
        self, surrogates: Surrogates, realistic: frozenset[str], known: Mapping[str, Entry], needles: Needles
    ) -> None:
        self.surrogates = surrogates
        self.needles = needles
        self._realistic = realistic
        self._known = known
        self._searches = 0
        self._written: list[tuple[str, str]] = []
        """Every text: as it must come back, and as it goes out."""

    def unsought(self) -> list[tuple[str, str]]:
        """(kind, value) of what got a stand-in and was not looked for everywhere."""
        issued = [(self.surrogates.kinds[token], value) for token, value in self.surrogates.originals.items()]
        return [(kind, value) for kind, value in issued if kind != TYPED and not self.needles.cover(kind, value)]

    def can_be_undone(self) -> bool:
        """Whether restoring gives back every string as it was."""
        originals = Originals(self.surrogates.originals)
        return all(TextRestorer(originals, EVERYWHERE, Tally()).whole(masked) == text for text, masked in self._written)

    def walk_object(self, value: Mapping[str, Json], node: _Node | None, depth: int) -> dict[str, Json]:
        if depth > MAX_DEPTH:
            raise Unmaskable("the JSON is nested too deep")
        changed: dict[str, Json] = {}
        for number, (key, item) in enumerate(value.items()):
            is_protocol = key in PROTOCOL_KEYS
            below = node.at("." + key if is_protocol else f".#{number}") if node is not None else None
            name = key if is_protocol else self._string(key, below.at(KEY) if below is not None else None, depth)
            if name in changed:
                raise Unmaskable("two keys of an object would become one")
            if key in _UNTOUCHED and is_protocol and isinstance(item, str) and not item.startswith(SEAL):
                if below is not None and key not in _VENDORS:
                    raise Unmaskable("a finding stands in a field that must not change")
                changed[name] = item
            else:
                changed[name] = self._walk(item, below, depth)
        return changed

    def _walk(self, value: Json, node: _Node | None, depth: int) -> Json:
        if isinstance(value, str):
            return self._string(value, node, depth)
        if isinstance(value, dict):
            return self.walk_object(value, node, depth + 1)
        if isinstance(value, list):
            return self._list(value, node, depth + 1)
        return self._number(value, node.spans[0][3]) if node is not None and node.spans else value

    def _number(self, value: Json, kind: str) -> int:
        if type(value) is not int or value < 0:
            raise Unmaskable("a finding stands in a number that has no likeness")
        return int(self._likeness(str(value), kind))

    def _likeness(self, digits: str, kind: str) -> str:
        token = self.surrogates.issue(kind, digits, imitate_number)
        if not token.isdigit():
            raise Unmaskable("a finding stands in a number that has no likeness")
        return token

    def _list(self, value: list[Json], node: _Node | None, depth: int) -> list[Json]:
        if depth > MAX_DEPTH:
            raise Unmaskable("the JSON is nested too deep")
        node = node or _Node()
        texts = _part_texts(value)
        joined = "".join([text for _, text in texts])
        across = [(0, len(joined), kind) if form == "whole" else (start, end, kind)
                  for form, start, end, kind in node.spans]  # fmt: skip  # one thing
        if across and not joined:
            raise Unmaskable("a finding stands in a list of numbers")
        if len(texts) > 1:
            across += [span for span in self.needles.find(joined) if _part_of(value, span[0], span[1]) is None]
        if across:
            return self._joined(value, texts, across, node, depth)
        return [self._walk(item, node.at(number), depth) for number, item in enumerate(value)]

    def _joined(
        self, value: list[Json], texts: list[tuple[int, str]], across: list[_Span], node: _Node, depth: int
    ) -> list[Json]:
        """A value that is cut into several parts becomes whole in the first of them."""
        joined = "".join([text for _, text in texts])
        edits: dict[int, list[Edit]] = {}
        for start, end, kind in _united(across):
            self._cut(texts, joined, start, end, kind, edits)
        walked: list[Json] = []
        for number, item in enumerate(value):
            below = node.at(number)
            if number not in edits:
                walked.append(self._walk(item, below, depth))
                continue
            text = item if isinstance(item, str) else item["text"]
            text_node = below if isinstance(item, str) or below is None else below.at(".text")
            spans = text_node.spans if text_node is not None else []
            own = [(start, end, kind) for form, start, end, kind in spans if form == "text"]
            masked = apply(text, self._edits_of_text(text, own, edits[number]))
            if isinstance(item, str):
                walked.append(masked)
            elif masked or "cache_control" in item:
                walked.append({**self.walk_object({**item, "text": ""}, below, depth + 1), "text": masked})
        return walked

    def _cut(
        self, texts: list[tuple[int, str]], joined: str, start: int, end: int, kind: str, edits: dict[int, list[Edit]]
    ) -> None:
        begin = 0
        token = self._token(kind, joined[start:end])
        for number, text in texts:
            first, last = max(start - begin, 0), min(end - begin, len(text))
            if first < last:
                edits.setdefault(number, []).append(Edit(first, last, token))
                token = ""
            begin += len(text)

    def _string(self, text: str, node: _Node | None, depth: int) -> str:
        return apply(text, self._edits(text, node, depth, []))

    def _edits(self, text: str, node: _Node | None, depth: int, spans: list[_Span]) -> list[Edit]:
        """What is to change in `text`; `spans` of it were found in what holds it."""
        if text.startswith(SEAL):
            return self._edits_of_seal(text, node, depth)
        for form, start, end, kind in node.spans if node is not None else ():
            if form != "text":
                return [self._whole(text, kind)]
            if not _says_stand_in(text[start:end]):
                spans.append((start, end, kind))
        inner = node.at(EMBEDDED) if node is not None else None
        if text.lstrip()[:1] in ("{", "[") or inner is not None:
            literals = read_literals(text)
            if literals is not None:
                return self._edits_of_json(text, literals, inner, spans, depth)
        return self._edits_of_text(text, spans)

    def _edits_of_seal(self, text: str, node: _Node | None, depth: int) -> list[Edit]:
        """A thought that travels with its seal is masked in it, as its vendor had it."""
        thought = unseal(text)
        if thought is None and node is not None and node.spans:
            raise Unmaskable("a finding stands under a seal")
        if thought is None or not thought.text:
            return []  # what a vendor signed stays; the bytes that leave are searched for what it may hold
        edits = self._edits(thought.text, node.at(EMBEDDED) if node is not None else None, depth + 1, [])
        masked = msgspec.structs.replace(thought, text=apply(thought.text, edits))
        return [Edit(0, len(text), seal(masked, with_text=True))] if edits else []

    def _whole(self, text: str, kind: str) -> Edit:
        if text.startswith(SEALED):
            raise Unmaskable("a finding stands under a seal")
        if read_literals(text) is not None:
            raise Unmaskable("a finding is hidden in JSON in a string")
        token = self._token(kind, text)
        self._written.append((text, token))
        return Edit(0, len(text), token)

    def _edits_of_json(
        self, text: str, literals: list[Literal], node: _Node | None, spans: list[_Span], depth: int
    ) -> list[Edit]:
        """JSON in a string: each of its strings by itself, all else as it was written."""
        if depth > MAX_DEPTH:
            raise Unmaskable("the JSON is nested too deep")
        edits: list[Edit] = []
        for literal in literals:
            below = _find(node, literal.path)
            inside = [span for span in spans if span[0] < literal.end and span[1] > literal.start]
            if literal.is_number:
                kind = below.spans[0][3] if below is not None and below.spans else inside[0][2] if inside else ""
                if kind:
                    if not literal.value.isdigit():
                        raise Unmaskable("a finding stands in a number that has no likeness")
                    edits.append(Edit(literal.start, literal.end, self._likeness(literal.value, kind)))
                continue
            own = [(*within(literal, text, start, end), kind) for start, end, kind in inside]
            own = [span for span in own if _has_word(literal.value[span[0] : span[1]])]
            edits += edits_in(literal, text, self._edits(literal.value, below, depth + 1, own))
        return edits

    def _edits_of_text(self, text: str, spans: list[_Span], fixed: Collection[Edit] = ()) -> list[Edit]:
        """`fixed`: edits that are settled; nothing else touches their places."""
        self._searches += len(self.needles) * (1 + len(text) // 1000)
        if self._searches > _MOST_SEARCHES:
            raise Unmaskable("it has more values and texts than masking takes")
        spans = [*spans, *self.needles.find(text)]
        expected = text
        for match in LOOKALIKE.finditer(text):
            entry = self._known.get(match[0])
            if entry is None:
                spans.append((*match.span(), TYPED))
            else:
                self.surrogates.adopt(entry.token, entry.kind, entry.original)
                expected = expected.replace(entry.token, entry.original)
        edits = [Edit(start, end, self._token(kind, text[start:end])) for start, end, kind in _united(spans)
                 if not any(start < edit.end and end > edit.start for edit in fixed)]  # fmt: skip  # one thing
        edits = sorted([*edits, *fixed])
        if not fixed:
            self._written.append((expected, apply(text, edits)))
        return edits

    def _token(self, kind: str, surface: str) -> str:
        try:
            return self.surrogates.issue(kind, surface, imitate if kind in self._realistic else None)
        except ValueError as error:
            raise Unmaskable(str(error)) from error


def _united(spans: Iterable[_Span]) -> list[_Span]:
    """In order, overlapping ones as one, of the kind of the longest."""
    united: list[_Span] = []
    longest = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end <= start:
            continue
        if united and start < united[-1][1]:
            first, last, known = united[-1]
            united[-1] = first, max(last, end), known if longest >= end - start else kind
            longest = max(longest, end - start)
        else:
            united.append((start, end, kind))
            longest = end - start
    return united


def _says_stand_in(piece: str) -> bool:
    """Whether a piece of base64 holds a stand-in: a vendor made it of what it saw, so it stays as it is. The bytes that
    leave are searched, through base64 too, for what it may hold besides."""
    try:
        plain = piece.replace("-", "+").replace("_", "/")
        said = b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except ValueError:
        return False
    return LOOKALIKE.search(said) is not None


def _has_word(text: str) -> bool:
    return any(char.isalnum() for char in text)
