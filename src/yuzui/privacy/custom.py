"""The operator's own patterns and words, as detectors like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b

from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import CustomPattern, Fact, SensitivityRules, TermList
from yuzui.privacy.canonical import Canonicaliser
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.engine import EngineName, check_pattern

MAX_TERM_LENGTH = 200  # characters; more is a document, not a word


def compile_custom(rules: SensitivityRules, engine: EngineName = "auto") -> dict[str, Detector]:
    """Name → detector. Raise `ConfigError` naming the entry that cannot be used."""
    level = rules.lattice.names[rules.lattice.top]
    found: dict[str, Detector] = {}
    for number, custom in enumerate(rules.patterns):
        found[f"pattern:{number}:{custom.kind}"] = _from_pattern(
            custom, f"sensitivity.patterns[{number}]", level, engine
        )
    for number, terms in enumerate(rules.terms):
        found[f"terms:{number}:{terms.kind}"] = _from_terms(terms, f"sensitivity.terms[{number}]", level)
    return found


def _from_pattern(custom: CustomPattern, where: str, level: str, engine: EngineName) -> Detector:
    pattern = Pattern(regex=custom.regex)
    check_pattern(pattern, f"{where} ({custom.kind})", engine)
    return Detector(levels={custom.kind: level}, patterns=(pattern,), check=_always(custom.kind, where),
                    version=_version(custom.regex))  # fmt: skip  # as it is declared


def _from_terms(terms: TermList, where: str, level: str) -> Detector:
    fold = Canonicaliser().fold
    patterns: dict[str, Pattern] = {}
    for term in terms.terms:
        words = fold(term).text.split()
        if not words:
            raise ConfigError(f"{where} ({terms.kind}): the term {term!r} has no visible character")
        if len(term) > MAX_TERM_LENGTH:
            raise ConfigError(f"{where} ({terms.kind}): a term has more than {MAX_TERM_LENGTH} characters")
        regex = "[ \\t\\r\\n]+".join([_escape(word) for word in words])
        patterns[regex] = Pattern(regex=regex, ignore_case=True)
    version = _version("\n".join(sorted(patterns)))
    return Detector(levels={terms.kind: level}, patterns=tuple(patterns.values()), check=_whole(terms.kind, where),
                    version=version)  # fmt: skip  # as above


def _escape(word: str) -> str:
    return "".join([f"\\{char}" if char.isascii() and not char.isalnum() and char != "_" else char for char in word])


def _version(content: str) -> str:
    """Four hexadecimal digits: enough to see a change, too few to try guesses of a secret project's name against."""
    return blake2b(content.encode(), digest_size=2).hexdigest()


def _always(kind: str, where: str) -> Callable[[str, int, int], Iterable[Hit]]:
    why = (Fact("pattern", where),)
    return lambda _text, start, end: (Hit(kind, start, end, evidence=why),)


def _whole(kind: str, where: str) -> Callable[[str, int, int], Iterable[Hit]]:
    """Scripts with case separate their words, so a term must be a whole one; Chinese does not."""
    why = (Fact("list", where),)

    def check(text: str, start: int, end: int) -> Iterable[Hit]:
        if _joins(text, start - 1, start) or _joins(text, end - 1, end):
            return ()
        return (Hit(kind, start, end, evidence=why),)

    return check


def _joins(text: str, left: int, right: int) -> bool:
    return left >= 0 and right < len(text) and _separates_words(text[left]) and _separates_words(text[right])


def _separates_words(char: str) -> bool:
    return char.isdigit() or char.lower() != char.upper()
