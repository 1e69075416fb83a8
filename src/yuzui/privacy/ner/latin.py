"""Latin script: a linear-chain tagger whose weights are looked up by word, and what titles and labels add.

Each token has a few properties (the word, its shape, its ending, what lists it is in). A property of a token or of
a neighbour votes for a label; so do the lists of two and three tokens in a row. The best sequence of labels is found as
in a conditional random field (Lafferty et al. 2001). Votes of one word are added up once and remembered, so that a text
costs little more than being cut into words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.echoes import echoes
from yuzui.privacy.ner.latin_rules import is_glued, rule_spans, with_titles
from yuzui.privacy.ner.postal_blocks import postal_blocks
from yuzui.privacy.ner.proper_nouns import proper_nouns
from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.shared_words import FUNCTION_WORDS, MEDICINES, PEOPLES, PLACES, TECHNICAL
from yuzui.privacy.ner.spans import NameKind, NameSpan, merge
from yuzui.privacy.ner.word_lists import DATE_WORDS, TITLES, Lists

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
_PLACES: Final = frozenset(PLACES)
_MOST_SMALL_WORDS: Final = 4
_SENTENCE_BEHIND: Final = re.compile(
    r"[ ,]+(?:and|or|but|who|which|where|when|while|with|is|was|has|had|holds|in case|as)(?: [a-z].*)?$", re.DOTALL
)
"""What a tagger takes along behind an address. No end of one: streets are called `Rose and Crown Lane`."""
_ARTICLE_BEFORE: Final = re.compile(r"\b(?:[Tt]he|[Tt]his|[Aa]n?|[Ee]ach|[Ee]very|[Nn]o|[Yy]our|[Oo]ur|[Mm]y|[Ii]ts) $")
_NUMBER_BEHIND: Final = re.compile(r" (?:[Nn]os?\. ?)?\d")
_HEADING: Final = re.compile(r"^(?:[A-Z]|[IVX]{1,4})\. ")
_CODE: Final = re.compile(r"\b[A-Za-z]{3,}\d{4,}\b")
_NOT_LATIN: Final = re.compile(r"[^\W\d_A-Za-zÀ-ɏ]")
_NO_ADDRESS: Final = re.compile(r"[{}\[\]=<>\\;\"_@|$%*!?«»:]|//")
_PROPER_WORD: Final = re.compile(r"[A-ZÀ-Þ][a-zß-ÿ]{2}|(?i:\b(?:street|road|avenue|lane|st|rd|ave|box|straße|str)\b)")
_NO_NAME: Final = re.compile(r"[{}\[\]()=<>/\\;\"_@|$%*!?#+:0-9]")
_CAMEL: Final = re.compile(r"[a-z][A-Z]")
_CAMEL_NAMES: Final = ("Mc", "Mac", "De", "Di", "Du", "La", "Le", "Fitz", "Van", "O'", "O’", "St")
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
        self._rows: dict[tuple[str, str, str], int] = {}
        self._row_votes = np.zeros((1024, len(LABELS)), dtype=np.float32)  # number 0: beyond a line, no votes
        self._remember(EDGE)  # number 0: what stands beyond both ends

    @property
    def evidence(self) -> str:
        return self._weights.evidence

    def __call__(self, text: str, segments: Sequence[Segment]) -> list[NameSpan]:
        if len(self._numbers) > _MOST_REMEMBERED:
            self._numbers.clear()
            self._classes.clear()
            self._rows.clear()
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
        credible = [span for raw in found if (span := self._settled(text, raw)) is not None]
        spans = [*credible, *rule_spans(text, segments, self._lists)]
        spans = [*with_titles(text, spans, self._lists), *postal_blocks(text)]
        taken = taken_by(text, spans)
        spans.extend(proper_nouns(text, segments, taken, self._lists))
        spans.extend(echoes(text, spans, self._lists))
        return merge(spans)

    def _settled(self, text: str, span: NameSpan) -> NameSpan | None:
        """The span as it is reported: without words that belong to the sentence, of the kind that the words say."""
        if not self._is_credible(text, span):
            return None
        words = text[span.start : span.end]
        if span.kind == "postal_address":
            cut = _SENTENCE_BEHIND.search(words)
            end = span.start + cut.start() if cut is not None else span.end
            return span._replace(end=end) if any(map(str.isalpha, text[span.start : end])) else None
        heading = _HEADING.match(words) if text[span.start - 1 : span.start] in ("", "\n") else None
        if heading is not None:  # `B. Trial`: a number of a section
            span = span._replace(start=span.start + heading.end())
            words = words[heading.end() :]
        parts = [part for part in words.split() if part.lower() not in FUNCTION_WORDS]
        if not parts or all(part.lower().rstrip("s") in TECHNICAL or part.lower() in TECHNICAL for part in parts):
            return None
        if all(part.lower() in MEDICINES for part in parts):
            return None
        if len(parts) == 1 and self._is_thing(text, span, parts[0]):
            return None
        if parts[0].removesuffix("s") in PEOPLES and (len(parts) == 1 or parts[1].islower()):
            return NameSpan(*_place_of(text, span, parts[0]), "nationality", span.score, span.evidence)
        if " ".join(parts) in _PLACES:
            return span._replace(kind="location")
        return span

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
                and _CODE.search(words) is None
                and sum(map(str.isdigit, words)) <= _MOST_DIGITS
            )
        if _NO_NAME.search(words) or is_glued(text, span.start, span.end):
            return False
        if span.kind == "person" and (any(map(self._is_identifier, words.split())) or self._is_mixed(words)):
            return False
        if sum(map(str.islower, words.split())) > _MOST_SMALL_WORDS:
            return False
        if words.islower():
            parts = [part for part in words.split() if part not in self._lists.common]
            known = any(part in self._lists.given or part in self._lists.surnames for part in parts)
            return known and len(words) > 2 and span.score >= _LOWER_CASE
        return True

    def _is_thing(self, text: str, span: NameSpan, word: str) -> bool:
        """`the Convention`, `Article 34`: a word of the language with an article before it or a number behind."""
        lower = word.lower()
        if lower not in self._lists.common or lower in self._lists.given or lower in self._lists.surnames:
            return False
        is_one = word != text[span.start : span.end] or _ARTICLE_BEFORE.search(text, max(0, span.start - 6), span.start)
        return bool(is_one) or _NUMBER_BEHIND.match(text, span.end) is not None

    def _is_mixed(self, words: str) -> bool:
        """`INDO TRF Payment`: codes beside a word, no word of which is a name; nobody writes a person like that."""
        parts = words.split()
        capitals = sum(part.isupper() and len(part) > 2 for part in parts)
        known = (part.lower() in self._lists.given or part.lower() in self._lists.surnames for part in parts)
        return 0 < capitals < len(parts) and not any(known)

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

    def _remember_row(self, classes: tuple[str, str, str]) -> int:
        """What the lists of two and three tokens in a row vote; there are few different ones."""
        number = len(self._rows) + 1
        if number == len(self._row_votes):
            self._row_votes = np.concatenate((self._row_votes, np.zeros_like(self._row_votes)))
        votes = self._row_votes[number]
        votes[:] = 0.0
        for feature in pair_features(classes, 0):
            weight = self._weights.features.get(feature)
            if weight is not None:
                votes += weight
        self._rows[classes] = number
        return number

    def _decode(self, text: str, chains: Sequence[Sequence[tuple[int, int]]]) -> list[NameSpan]:
        longest = max(map(len, chains))
        pad = max(OFFSETS)
        types = np.zeros((len(chains), longest + 2 * pad), dtype=np.int64)
        rows_of = np.zeros((len(chains), longest), dtype=np.int64)
        numbers, known = self._numbers, self._rows
        for row, chain in enumerate(chains):
            own = []
            for start, end in chain:
                word = text[start:end]
                number = numbers.get(word)
                own.append(self._remember(word) if number is None else number)
            types[row, pad : pad + len(own)] = own
            classes = [EDGE, *[self._classes[number] for number in own], EDGE]
            triples = zip(classes, classes[1:], classes[2:], strict=False)
            rows_of[row, : len(own)] = [known.get(one) or self._remember_row(one) for one in triples]
        votes, scores = self._votes, self._row_votes[rows_of]
        for position, offset in enumerate(OFFSETS):
            scores += votes[types[:, pad + offset : pad + offset + longest], position]
        scores[:, :, 0] -= EAGERNESS
        lengths = [len(chain) for chain in chains]
        paths = best_paths(scores, lengths, self._into)
        named = [row for row, chain in enumerate(chains) if paths[row, : len(chain)].any()]
        if not named:
            return []
        chances = probabilities(scores[named], [lengths[row] for row in named], self._into)
        found: list[NameSpan] = []
        for place, row in enumerate(named):
            found.extend(_spans(chains[row], paths[row].tolist(), chances[place], self._weights.evidence))
        return found


def best_paths(scores: Array, lengths: Sequence[int], into: Array) -> Array:
    """Best label of each token. Shapes: (batch, time, labels), …, (labels, labels before) → (batch, time)."""
    batch, steps, labels = scores.shape
    ends = np.asarray(lengths)
    best = scores[:, 0].copy()
    back = np.empty((steps, batch, labels), dtype=np.int8)
    still = np.arange(labels, dtype=np.int8)
    for step in range(1, steps):
        alive = (step < ends)[:, None]
        ways = best[:, None, :] + into
        back[step] = np.where(alive, ways.argmax(axis=2), still)
        best = np.where(alive, ways.max(axis=2) + scores[:, step], best)
    paths = np.empty((batch, steps), dtype=np.int8)
    at, rows = best.argmax(axis=1), np.arange(batch)
    for step in range(steps - 1, -1, -1):
        paths[:, step] = at
        if step:
            at = back[step][rows, at]
    return paths


def probabilities(scores: Array, lengths: Sequence[int], into: Array) -> Array:
    """The chance of each label at each token, by forward and backward sums. Shapes as for `best_paths`."""
    steps = scores.shape[1]
    ends = np.asarray(lengths)
    forward = np.empty_like(scores)
    forward[:, 0] = scores[:, 0]
    for step in range(1, steps):
        alive = (step < ends)[:, None]
        sums = _log_sum(forward[:, step - 1][:, None, :] + into)
        forward[:, step] = np.where(alive, sums + scores[:, step], forward[:, step - 1])
    backward = np.zeros_like(scores)
    onward = np.ascontiguousarray(into.T)  # (before, after)
    for step in range(steps - 2, -1, -1):
        alive = (step + 1 < ends)[:, None]
        sums = _log_sum(onward[None, :, :] + (scores[:, step + 1] + backward[:, step + 1])[:, None, :])
        backward[:, step] = np.where(alive, sums, 0.0)
    joint = forward + backward
    chances: Array = np.exp(joint - _log_sum(joint)[:, :, None])
    return chances


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


def taken_by(text: str, spans: Sequence[NameSpan]) -> bytearray:
    """A byte per character of `text`, 1 where one of `spans` is."""
    taken = bytearray(len(text))
    for span in spans:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
    return taken


def _place_of(text: str, span: NameSpan, word: str) -> tuple[int, int]:
    at = text.index(word, span.start)
    return at, at + len(word)
