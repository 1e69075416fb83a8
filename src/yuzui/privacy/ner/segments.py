"""Which pieces of a text are worth asking a model about: sentences of natural language, never code.

Everything here is a cheap filter by line: fenced blocks, source code, JSON punctuation, log lines and tables of numbers
are left out, and what remains is cut at sentence ends into pieces that a model can take, with an overlap where a
sentence is longer than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

Script = Literal["han", "latin"]

MOST_HAN: Final = 128
"""Characters in one piece of Chinese: recurrent models do not gain from more, and padding costs."""
LONG_LINE: Final = 300
SHORT_PIECE: Final = 80
"""Characters: longer lines are cut into pieces of at least so many, each looked at by itself."""
FEWEST: Final = 3
SOURCE: Final = 0.3
"""So many lines, and such a share of a text, make all of it source code with its comments."""
NEAR: Final = 6
AMONG: Final = 0.25
"""And the same for the lines before and behind one."""
_LOOKED_AT: Final = 300  # characters of a line: enough to know it by, and a bound for the expressions below
OVERLAP: Final = 24
"""Characters that two pieces of one over-long sentence share: longer than almost any name."""

HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_HAN_RUN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]{2}")
_LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]{2}")
_SENTENCE: Final = re.compile(r"[^。！？；\n]+[。！？；]?[”’」』）)]?")
_FENCE: Final = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})")

_CODE_LINE: Final = re.compile(
    r"""^\s*(?:
      (?:async\s+)?def\s+\w+\s*\( | class\s+\w+\s*[:({] | import\s+[\w.{*] | from\s+[\w.]+\s+import\b
    | @\w[\w.]*(?:\(|$)
    | (?:if|elif|while|for|switch|catch|match|with)\b.*[:{]\s*(?:\#.*)?$ | (?:else|try|finally|do)\s*[:{]\s*$
    | return\b.{0,80}$ | raise\s+\w | yield\b | assert\s | print\( | (?:const|let|var|val|func|fn|pub|static|final)\s+\w
    | (?:public|private|protected|export|namespace|using|package|typedef|struct|enum|interface|impl|template)\s+[\w<{]
    | \#\s*(?:include|define|ifdef|ifndef|endif|pragma) | </?\w[^>]*>\s*$ | [\w.\[\]'"]+\s*(?:[-+*/|&:]?=)\s*[^=\s].*$
    | \w[\w.]*\([^)]*\)\s*[;{:]?\s*$ | [{}()\[\];,]+\s*$ | .*[;{]\s*$ | \$\s\w | >>>\s | \.\.\.\s
    | (?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WHERE|FROM|JOIN|VALUES)\b.*[,;(=] | (?://|/\*|\*/)
    | [\w.-]+\.[\w-]+\([^)]*$ | \w+\([^)]*,$ | ['"][\w.-]+['"]\s*:\s*[\[{(\d'"].*,?\s*$
    | [rbfuRBFU]{0,2}(?:'[^']*'|"[^"]*")\s*(?:[,)\]]|\#|\Z).*$ | [\w.-]+:\s*[\[{].*$ | \#\s.*$ | ["']{3}
    | [\w.]+:\s[\w.\[\]|\s,]+(?:=\s.*|,)$
    | [+-]{1,3}\s?[@\w]+.*[({;]$
    )""",
    re.VERBOSE,
)
_LOG_LINE: Final = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\w{3} +\d+ \d\d:\d\d:\d\d |\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\b"
    r"|\d{1,3}(?:\.\d{1,3}){3} - )"
)
_STOP: Final = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|No|Jr|Sr))(?<!\bMrs)(?<!\bProf)[.!?;:]['\")\]]{0,2}\s+|[;{}]\s*"
)
_PROSE: Final = re.compile(
    r"(?!\s*(?:return|import|from|if|else|while|for \(|using|public|private|const|let|var|static|[A-Z]{2,} )\b)"
    r"(?!.*(?:[={}\[\]<>]|\w\())\s*(?:\(?\w[^\s(){};]*\)?[,.:]? ){6,}[^;]*;\s*$"
)
"""A list of people or clauses that ends in a semicolon, as lawyers write them."""
_SYMBOLS: Final = re.compile(r"[{}\[\]();=<>|\\&^~`$#*+/_]")

_LONG_ASCII: Final = re.compile(r"[!-~]{10,}")
_KEPT: Final = 4
"""Characters at either end of an address, a number or a link: what stands between says nothing about a name."""


class Segment(NamedTuple):
    """`text[start:end]`, to be looked at as `script`."""

    start: int
    end: int
    script: Script


class Line(NamedTuple):
    start: int
    end: int
    is_code: bool


def segments(text: str) -> list[Segment]:
    """Pieces of `text` to ask a model about, in order; every Chinese character outside of fenced code is in one."""
    found: list[Segment] = []
    for line in lines(text):
        piece = text[line.start : line.end]
        if _HAN_RUN.search(piece):
            # A Chinese comment is natural language, whatever stands around it.
            found.extend(_cut_han(text, line.start, line.end))
        elif not line.is_code and _LATIN_WORD.search(piece):
            found.extend(_cut_latin(text, line.start, line.end))
    return found


def squeeze(text: str) -> tuple[str, list[int] | None]:
    """The text without the middle of its long runs of ASCII, and for each of its characters the place in that which
    stands for it; None where nothing is left out. A recurrent model pays for every character."""
    kept: list[str] = []
    places: list[int] = []
    size = at = 0
    for match in _LONG_ASCII.finditer(text):
        head, tail = match.start() + _KEPT, match.end() - _KEPT
        kept.append(text[at:head])
        places.extend(range(size, size + head - at))
        size += head - at
        places.extend([size - 1] * (tail - head))
        at = tail
    if not kept:
        return text, None
    kept.append(text[at:])
    places.extend(range(size, size + len(text) - at))
    return "".join(kept), places


def lines(text: str) -> Iterator[Line]:
    """The lines of `text` outside of fenced blocks; blank ones are left out."""
    spans: list[tuple[int, int, bool]] = []
    fence, start = "", 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        mark = _FENCE.match(line)
        if mark is not None and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and line.strip():
            spans.append((start, end, is_code_line(line)))
        start = end + 1
    if fence:  # never closed: then it was no fence, and nothing behind it may be skipped
        yield from _unfenced(text)
        return
    yield from _by_neighbours(spans)


def _unfenced(text: str) -> Iterator[Line]:
    start = 0
    spans: list[tuple[int, int, bool]] = []
    for line in text.split("\n"):
        if line.strip():
            spans.append((start, start + len(line), is_code_line(line)))
        start += len(line) + 1
    yield from _by_neighbours(spans)


def _by_neighbours(spans: list[tuple[int, int, bool]]) -> Iterator[Line]:
    """A line among lines of code is code too (a docstring, a comment, a wrapped call); a form of two lines is none."""
    is_code = [code for _, _, code in spans]
    count = sum(is_code)
    is_source = count >= FEWEST and count / len(is_code) >= SOURCE
    for number, (start, end, code) in enumerate(spans):
        near = is_code[max(0, number - NEAR) : number + NEAR + 1]
        around = sum(near)
        yield Line(start, end, code or is_source or (around >= FEWEST and around / len(near) >= AMONG))


def is_code_line(line: str) -> bool:
    """Whether one line looks like source, markup, a log record or data rather than a sentence."""
    line = line[:_LOOKED_AT]
    if _LOG_LINE.match(line) or (_CODE_LINE.match(line) and not _PROSE.match(line)):
        return True
    symbols = len(_SYMBOLS.findall(line))
    return symbols >= 3 and symbols * 12 > len(line.strip())


def _cut_latin(text: str, start: int, end: int) -> Iterator[Segment]:
    """A line, or where it is long its sentences, without those that look like code on one line."""
    if end - start <= LONG_LINE:
        yield Segment(start, end, "latin")
        return
    at = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() - at >= SHORT_PIECE:
            if not _is_dense(text[at : stop.end()]):
                yield Segment(at, stop.end(), "latin")
            at = stop.end()
    if at < end and not _is_dense(text[at:end]):
        yield Segment(at, end, "latin")


def _is_dense(piece: str) -> bool:
    """Whether so many symbols stand in it that it is no sentence."""
    symbols = len(_SYMBOLS.findall(piece))
    return symbols >= 4 and symbols * 16 > len(piece)


def _cut_han(text: str, start: int, end: int) -> Iterator[Segment]:
    for sentence in _SENTENCE.finditer(text, start, end):
        first, last = sentence.span()
        if HAN.search(text, first, last) is None:
            if _LATIN_WORD.search(text, first, last):
                yield Segment(first, last, "latin")
            continue
        yield from _cut_long(text, first, last)


def _cut_long(text: str, start: int, end: int) -> Iterator[Segment]:
    """Pieces of at most `MOST_HAN`: at a comma or a space where there is one, else with an overlap."""
    while end - start > MOST_HAN:
        cut = max(text.rfind(mark, start + MOST_HAN // 2, start + MOST_HAN) for mark in "，,、：: \t")
        if cut >= 0:
            yield Segment(start, cut + 1, "han")
            start = cut + 1
        else:
            yield Segment(start, start + MOST_HAN, "han")
            start += MOST_HAN - OVERLAP
    if end > start:
        yield Segment(start, end, "han")
