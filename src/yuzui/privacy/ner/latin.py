"""Latin script: a linear-chain tagger whose weights are looked up by word, and what titles and labels add.

Each token has a few properties (the word, its shape, its ending, what lists it is in). A property of a token or of
a neighbour votes for a label; so do the lists of two and three tokens in a row. The best sequence of labels is found as
in a conditional random field (Lafferty et al. 2001). Votes of one word are added up once and remembered, so that a text
costs little more than being cut into words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.spans import NameKind, NameSpan, merge

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

LABELS: Final = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-ADR", "I-ADR")
KINDS: Final[Mapping[str, NameKind]] = {
    "PER": "person",
    "ORG": "organization",
    "LOC": "location",
    "ADR": "postal_address",
}
OFFSETS: Final = (-3, -2, -1, 0, 1, 2, 3)
"""Neighbours whose own properties vote."""
LEAST: Final[dict[NameKind, float]] = {"person": 0.5, "organization": 0.6, "postal_address": 0.7, "location": 0.5}
"""What the tagger must give to a span of a kind."""
EAGERNESS: Final = 0.7
"""Taken from the votes against a name: a missed one costs more than a word masked in vain."""
_LOWER_CASE: Final = 0.8
"""And to a name in lower case."""
_LONGEST_ADDRESS: Final = 120
_MOST_DIGITS: Final = 11
_NOT_LATIN: Final = re.compile(r"[^\W\d_A-Za-zÀ-ɏ]")
_NO_ADDRESS: Final = re.compile(r"[{}\[\]=<>\\;\"_@|$%*!?«»:]|//")
_PROPER_WORD: Final = re.compile(r"[A-ZÀ-Þ][a-zß-ÿ]{2}|(?i:\b(?:street|road|avenue|lane|st|rd|ave|box|straße|str)\b)")
_NO_NAME: Final = re.compile(r"[{}\[\]()=<>/\\;\"_@|$%*!?#+:0-9]")
_CAMEL: Final = re.compile(r"[a-z][A-Z]")
_CAMEL_NAMES: Final = ("Mc", "Mac", "De", "Di", "Du", "La", "Le", "Fitz", "Van", "O'", "O’", "St")
_GLUE_BEFORE: Final = frozenset("@_/\\=#.")
_GLUE_AFTER: Final = frozenset("@_/\\=(")
_MOST_REMEMBERED: Final = 50_000
"""Distinct words; beyond it the memory starts anew."""
_LONGEST_CHAIN: Final = 200
"""Tokens that are decoded together; a longer line is cut, with an overlap."""
_OVERLAP: Final = 12

EDGE: Final = "¤¤"
"""Stands beyond both ends of a line; no token is like it."""
EDGE_FEATURES: Final = tuple(f"{kind}={EDGE}" for kind in "wsge")

TOKEN: Final = re.compile(
    r"[A-Za-zÀ-ɏ]\.(?:[A-Za-z]\.)*(?![A-Za-zÀ-ɏ])|[A-Za-zÀ-ɏ]+(?:['’][A-Za-zÀ-ɏ]+)*|\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th|[a-zA-Z])?\b|[^\w\s]|\S"
)

_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor sir lady lord dame rev fr sr capt captain col colonel gen general lt "
    "sgt sergeant maj major judge justice president senator representative congressman minister ambassador "
    "governor mayor king queen prince princess pope bishop father sister brother aunt uncle coach nurse "
    "officer detective inspector agent herr frau monsieur madame mme mlle señor señora don doña signor signora "
    "dott maître"
)
TITLES: Final = frozenset(_TITLE_WORDS.split())
_ORG_WORDS = (
    "inc inc. ltd ltd. llc llp plc corp corp. corporation company co co. gmbh ag sa nv bv ab oy kg sarl spa "
    "pty group holdings partners associates bank university college institute school academy hospital clinic "
    "center centre foundation association society council committee ministry department agency authority "
    "commission court union federation church museum library laboratories labs systems technologies solutions "
    "services industries enterprises ventures capital insurance airlines airways motors pharmaceuticals press "
    "times news records fc club party"
)
ORG_WORDS: Final = frozenset(_ORG_WORDS.split())
_STREET_WORDS = (
    "street st st. avenue ave ave. road rd rd. drive dr. lane ln ln. boulevard blvd blvd. court ct way place "
    "pl square sq terrace highway hwy parkway pkwy close crescent gardens grove mews row walk trail circle cir "
    "apt apt. apartment suite ste unit flat floor fl box po p.o. strasse straße str platz weg allee rue via "
    "viale piazza calle avenida plaza rua straat laan gata gatan vej utca ulica"
)
STREET_WORDS: Final = frozenset(_STREET_WORDS.split())
_DATE_WORDS = (
    "january february march april may june july august september october november december jan feb mar apr jun "
    "jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri "
    "sat sun"
)
DATE_WORDS: Final = frozenset(_DATE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Lists:
    """Words in lower case: given names, surnames, words of the language, words of place names."""

    given: frozenset[str]
    surnames: frozenset[str]
    common: frozenset[str]
    places: frozenset[str]


def lists_of(word: str, lists: Lists) -> str:
    """In which lists a token is, and how it is written; the same for all punctuation of one kind."""
    if not word[0].isalpha():
        return "d" if word[0].isdigit() else word[0]
    lower = word.lower()
    if word.islower():
        case = "l"
    elif word.isupper():
        case = "I" if len(word) <= 2 or "." in word else "U"
    else:
        case = "C"
    marks = [case]
    if lower.rstrip(".") in TITLES:
        marks.append("t")
    if lower in ORG_WORDS:
        marks.append("o")
    if lower in STREET_WORDS:
        marks.append("r")
    if lower in DATE_WORDS:
        marks.append("m")
    stem = lower[:-2] if lower.endswith(("'s", "’s")) else lower
    if stem in lists.given:
        marks.append("g")
    if stem in lists.surnames:
        marks.append("s")
    if stem in lists.places:
        marks.append("n")
    if stem in lists.common:
        marks.append("c")
    return "".join(marks)


def shape_of(word: str) -> str:
    """`Xx` for Smith, `X.` for J., `d` for numbers by length, `xXx` for iPhone."""
    shape: list[str] = []
    for char in word[:12]:
        kind = "X" if char.isupper() else "x" if char.isalpha() else "d" if char.isdigit() else char
        if not shape or shape[-1] != kind or kind == "d":
            shape.append(kind)
    return "".join(shape)


def own_features(word: str, lists: Lists) -> tuple[str, str, str, str]:
    """What votes by itself, at each offset but the ending, which votes for its own token only."""
    lower = word.lower()
    return (f"w={lower}", f"s={shape_of(word)}", f"g={lists_of(word, lists)}", f"e={lower[-3:]}")


def pair_features(classes: Sequence[str], at: int) -> tuple[str, str, str]:
    """The lists of a token with those of its neighbours. `classes` has one more entry at each end."""
    before, own, after = classes[at], classes[at + 1], classes[at + 2]
    return (f"{before}|{own}<", f"{own}|{after}>", f"{before}|{own}|{after}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What training left: votes per feature (`0w=…` for the offset 0), and scores of a label after a label."""

    features: Mapping[str, Array]
    transitions: Array
    evidence: str


class LatinTagger:
    """Finds spans in Latin segments. Remembers the votes of words; use on one thread."""

    def __init__(self, weights: Weights, lists: Lists) -> None:
        self._weights = weights
        self._lists = lists
        self._into = np.ascontiguousarray(weights.transitions.T)
        self._numbers: dict[str, int] = {}
        self._classes: list[str] = []
        self._votes = np.zeros((1024, len(OFFSETS), len(LABELS)), dtype=np.float32)
        self._remember(EDGE)  # number 0: what stands beyond both ends

    @property
    def evidence(self) -> str:
        return self._weights.evidence

    def __call__(self, text: str, segments: Sequence[Segment]) -> list[NameSpan]:
        if len(self._numbers) > _MOST_REMEMBERED:
            self._numbers.clear()
            self._classes.clear()
            self._remember(EDGE)
        chains: list[list[tuple[int, int]]] = []
        for segment in segments:
            tokens = [match.span() for match in TOKEN.finditer(text, segment.start, segment.end)]
            step = _LONGEST_CHAIN - _OVERLAP
            for first in range(0, max(1, len(tokens) - _OVERLAP), step):
                if tokens[first : first + _LONGEST_CHAIN]:
                    chains.append(tokens[first : first + _LONGEST_CHAIN])
        found: list[NameSpan] = []
        chains.sort(key=len)
        for first in range(0, len(chains), 64):
            found.extend(self._decode(text, chains[first : first + 64]))
        credible = with_titles(text, [span for span in found if self._is_credible(text, span)])
        return merge([*credible, *rule_spans(text, segments, self._lists), *postal_blocks(text)])

    def _is_credible(self, text: str, span: NameSpan) -> bool:
        """Whether a span looks like what it is said to be; code on one line and other languages fool the tagger."""
        words = text[span.start : span.end]
        if span.score < LEAST[span.kind] or _NOT_LATIN.search(words):
            return False
        if span.kind == "postal_address":
            return (
                len(words) <= _LONGEST_ADDRESS
                and _NO_ADDRESS.search(words) is None
                and _PROPER_WORD.search(words) is not None
                and sum(map(str.isdigit, words)) <= _MOST_DIGITS
            )
        if _NO_NAME.search(words) or _is_glued(text, span.start, span.end):
            return False
        if span.kind == "person" and any(map(self._is_identifier, words.split())):
            return False
        if words.islower():
            parts = [part for part in words.split() if part not in self._lists.common]
            known = any(part in self._lists.given or part in self._lists.surnames for part in parts)
            return known and len(words) > 2 and span.score >= _LOWER_CASE
        return True

    def _is_identifier(self, word: str) -> bool:
        """`messageText`, but neither `McGee` nor a known name in odd capitals."""
        if _CAMEL.search(word) is None or word.startswith(_CAMEL_NAMES):
            return False
        lower = word.lower()
        return lower not in self._lists.given and lower not in self._lists.surnames

    def _remember(self, word: str) -> int:
        number = len(self._classes)
        if number == len(self._votes):
            self._votes = np.concatenate((self._votes, np.zeros_like(self._votes)))
        votes = self._votes[number]
        votes[:] = 0.0
        table = self._weights.features
        own = own_features(word, self._lists) if word != EDGE else EDGE_FEATURES
        for position, offset in enumerate(OFFSETS):
            for feature in own:
                weight = table.get(f"{offset}{feature}")
                if weight is not None:
                    votes[position] += weight
        self._numbers[word] = number
        self._classes.append(own[2][2:])
        return number

    def _decode(self, text: str, chains: Sequence[Sequence[tuple[int, int]]]) -> list[NameSpan]:
        longest = max(map(len, chains))
        pad = max(OFFSETS)
        types = np.zeros((len(chains), longest + 2 * pad), dtype=np.int64)
        pairs = np.zeros((len(chains), longest, len(LABELS)), dtype=np.float32)
        table, numbers = self._weights.features, self._numbers
        for row, chain in enumerate(chains):
            own = []
            for start, end in chain:
                word = text[start:end]
                number = numbers.get(word)
                own.append(self._remember(word) if number is None else number)
            types[row, pad : pad + len(own)] = own
            classes = [EDGE, *[self._classes[number] for number in own], EDGE]
            for at in range(len(own)):
                for feature in pair_features(classes, at):
                    weight = table.get(feature)
                    if weight is not None:
                        pairs[row, at] += weight
        votes, scores = self._votes, pairs
        for position, offset in enumerate(OFFSETS):
            scores += votes[types[:, pad + offset : pad + offset + longest], position]
        scores[:, :, 0] -= EAGERNESS
        lengths = [len(chain) for chain in chains]
        paths, chances = decode(scores, lengths, self._into)
        found: list[NameSpan] = []
        for row, chain in enumerate(chains):
            found.extend(_spans(chain, paths[row].tolist(), chances[row], self._weights.evidence))
        return found


def _is_glued(text: str, start: int, end: int) -> bool:
    """Whether the span is a piece of an address of mail, a path or an identifier."""
    if start and text[start - 1] in _GLUE_BEFORE:
        return True
    if end >= len(text):
        return False
    return text[end] in _GLUE_AFTER or (text[end] == "." and text[end + 1 : end + 2].isalnum())


def decode(scores: Array, lengths: Sequence[int], into: Array) -> tuple[Array, Array]:
    """Best label of each token, and the probability of each label there. Shapes: (batch, time, labels), …,
    (labels, labels before). Probabilities by forward and backward sums."""
    batch, steps, labels = scores.shape
    ends = np.asarray(lengths)
    forward = np.empty_like(scores)
    best = scores[:, 0].copy()
    forward[:, 0] = scores[:, 0]
    back = np.empty((steps, batch, labels), dtype=np.int8)
    still = np.arange(labels, dtype=np.int8)
    for step in range(1, steps):
        alive = (step < ends)[:, None]
        ways = best[:, None, :] + into
        back[step] = np.where(alive, ways.argmax(axis=2), still)
        best = np.where(alive, ways.max(axis=2) + scores[:, step], best)
        sums = _log_sum(forward[:, step - 1][:, None, :] + into)
        forward[:, step] = np.where(alive, sums + scores[:, step], forward[:, step - 1])
    backward = np.zeros_like(scores)
    onward = np.ascontiguousarray(into.T)  # (before, after)
    for step in range(steps - 2, -1, -1):
        alive = (step + 1 < ends)[:, None]
        sums = _log_sum(onward[None, :, :] + (scores[:, step + 1] + backward[:, step + 1])[:, None, :])
        backward[:, step] = np.where(alive, sums, 0.0)
    joint = forward + backward
    chances = np.exp(joint - _log_sum(joint)[:, :, None])
    paths = np.empty((batch, steps), dtype=np.int8)
    at, rows = best.argmax(axis=1), np.arange(batch)
    for step in range(steps - 1, -1, -1):
        paths[:, step] = at
        if step:
            at = back[step][rows, at]
    return paths, chances


def _log_sum(values: Array) -> Array:
    most = values.max(axis=-1, keepdims=True)
    result: Array = np.log(np.exp(values - most).sum(axis=-1)) + most[..., 0]
    return result


def _spans(chain: Sequence[tuple[int, int]], path: Sequence[int], chances: Array, evidence: str) -> list[NameSpan]:
    found: list[NameSpan] = []
    at = 0
    while at < len(chain):
        label = LABELS[path[at]]
        end = at + 1
        if label == "O":
            at = end
            continue
        inside = LABELS.index("I-" + label[2:])
        while end < len(chain) and path[end] == inside:
            end += 1
        # What counts is that it is a name at all: a person taken for a company is found too.
        score = float(1.0 - chances[at:end, 0].mean())
        found.append(NameSpan(chain[at][0], chain[end - 1][1], KINDS[label[2:]], min(1.0, max(0.0, score)), evidence))
        at = end
    return found


_TITLE_BEFORE: Final = re.compile(r"(?:\b([A-Za-zñôî]+)\.?\s{1,2})$")
_LOOK_BACK: Final = 14


def with_titles(text: str, spans: Iterable[NameSpan]) -> list[NameSpan]:
    """Each person's span with the title before it (`Dr. `) and without a genitive's end."""
    widened: list[NameSpan] = []
    for span in spans:
        if span.kind == "person":
            before = _TITLE_BEFORE.search(text, max(0, span.start - _LOOK_BACK), span.start)
            if before is not None and before[1].lower() in TITLES and before[1][0].isupper():
                span = span._replace(start=before.start(1))
        if text[span.end - 2 : span.end] in ("'s", "’s") and span.end - span.start > 3:
            span = span._replace(end=span.end - 2)
        widened.append(span)
    return widened


# ---- rules ----------------------------------------------------------------------------------------------------------

_WORD: Final = r"[A-ZÀ-Þ][A-Za-zÀ-ɏ]*(?:['’-][A-Za-zÀ-ɏ]+)*"
_INITIALS: Final = r"(?:[A-ZÀ-Þ]\.[ -]?){1,3}"
_PARTICLE: Final = r"(?:(?:van|von|der|den|de|la|le|di|del|da|al|bin|ter) ){0,2}"
_TITLED: Final = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Lord|Lady|Dame|Justice|Herr|Frau)\b\.? "
    rf"(?:(?:Justice|{_INITIALS}) ?)?{_PARTICLE}{_WORD}(?: {_PARTICLE}{_WORD}){{0,2}}"
)
_NAMED: Final = re.compile(r"(?i:\bmy name is|\bmy name's|\bcall me) ([^\W\d_][\w'’-]+(?: [^\W\d_][\w'’-]+){0,2})")
_LABEL: Final = re.compile(
    rf"(?i:\b(?:full|first|last|sur|patient|customer|client|employee|contact|applicant|candidate) ?name|^\W*name)"
    rf"\W{{1,4}}({_WORD}(?:[ ,]{{1,2}}{_WORD}\.?){{0,3}})",
    re.MULTILINE,
)
_MAIL: Final = re.compile(r"\b([A-Za-z]{2,20})[._-]([A-Za-z]{2,20})\d{0,4}@[A-Za-z0-9]")
_MOST_MAILS: Final = 50


def rule_spans(text: str, segments: Sequence[Segment], lists: Lists) -> list[NameSpan]:
    """Names behind a title, a label or `my name is`, and the two words of a mail address where they stand as words."""
    found: list[NameSpan] = []
    pairs: dict[str, None] = {}
    for match in _MAIL.finditer(text):
        if len(pairs) < _MOST_MAILS and match[1].lower() not in lists.common:
            pairs[f"{match[1]} {match[2]}".lower()] = None
    for segment in segments:
        for match in _TITLED.finditer(text, segment.start, segment.end):
            found.append(NameSpan(*match.span(), "person", 0.8, "rule: title"))
        for match in _LABEL.finditer(text, segment.start, segment.end):
            found.append(NameSpan(*match.span(1), "person", 0.8, "rule: label"))
        for match in _NAMED.finditer(text, segment.start, segment.end):
            end = match.start(1)
            for word in match[1].split(" "):
                if word.islower() and word in lists.common and word not in lists.given:
                    break
                end = text.index(word, end) + len(word)
            if end > match.start(1):
                found.append(NameSpan(match.start(1), end, "person", 0.8, "rule: my name is"))
    lower = text.lower() if pairs else ""
    if len(lower) == len(text):  # else a character grew, and places would be others
        for pair in pairs:
            at = lower.find(pair)
            while at >= 0:
                if not _is_glued(text, at, at + len(pair)):
                    found.append(NameSpan(at, at + len(pair), "person", 0.7, "rule: mail"))
                at = lower.find(pair, at + len(pair))
    return found


_UNIT: Final = re.compile(r"\b(?:Apt|Apartment|Suite|Ste|Unit|Flat|PSC|Box)\b\.?,? ?#?\d{1,5}[A-Za-z]?\b")
_HOUSE_FIRST: Final = re.compile(r"\b\d{1,6}[A-Za-z]?,? [^\W\d_]")
_HOUSE_LAST: Final = re.compile(r"\b[A-ZÀ-Þ][^\n:]{2,30} \d{1,5}\b")
_NEXT_LINE: Final = re.compile(r"\n[ \t>]*([^\n:?!]{1,34}?)[ \t]*(?=\n|\Z|[?!])")
_POST_CODE: Final = re.compile(r"\b(?:[A-Z]{1,2}-?)?\d{3,6}(?:[ -]\d{2,4})?\b|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_BEFORE_UNIT: Final = 70
_MOST_LINES: Final = 4


def postal_blocks(text: str) -> list[NameSpan]:
    """Addresses around a flat or suite number, with the lines of city, code and country below it."""
    found: list[NameSpan] = []
    for unit in _UNIT.finditer(text):
        if found and unit.start() < found[-1].end:
            continue
        first = max(0, unit.start() - _BEFORE_UNIT)
        line = text.rfind("\n", first, max(first, text.rfind("\n", first, unit.start())))
        above = max(first, line + 1)
        house = _HOUSE_FIRST.search(text, above, unit.start()) or _HOUSE_LAST.search(text, above, unit.start())
        start = house.start() if house is not None else unit.start()
        end, lines, at = unit.end(), 0, unit.end()
        rest = text.find("\n", at)
        if 0 <= rest - at <= 40:
            at = rest
        while lines < _MOST_LINES and (following := _NEXT_LINE.match(text, at)) is not None:
            lines, at = lines + 1, following.end(1)
            words = following[1]
            if words.rstrip().endswith(".") or (words.strip(" ,>").islower() and len(words) > 3):
                break
            if _POST_CODE.search(words) or _UNIT.search(words) or words.strip(" ,>").istitle() or words.isupper():
                end = at
        if end > unit.end() or house is not None:
            found.append(NameSpan(start, end, "postal_address", 0.7, "rule: postal block"))
    return found
