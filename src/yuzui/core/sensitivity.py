"""The lattice of sensitivity: ordered levels, findings, and the label that joins them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import override

Path = tuple[Any, ...]  # Any: nested pairs (parent path, step); made for every leaf, spelled only for findings
Form = Literal["text", "whole", "joined", "number"]

FactName = Literal[
    "shape", "checksum", "wrong_checksum", "cue", "field", "anti_cue", "entropy", "list", "pattern", "model", "repeat",
    "variant", "encoded", "hidden", "joined", "document",
]  # fmt: skip  # a list of words; docs/explanation/sensitivity.md says what each means

DEFAULT_LEVELS = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """The operator's ordered level names, lowest first. A level is an index into `names` everywhere inside."""

    names: tuple[str, ...] = DEFAULT_LEVELS

    @property
    def top(self) -> int:
        return len(self.names) - 1

    def level(self, name: str) -> int:
        """Index of `name`; raise `KeyError` when the operator does not define it."""
        try:
            return self.names.index(name)
        except ValueError as error:
            raise KeyError(name) from error

    def level_or_top(self, name: str) -> int:
        """Index of `name`; a level that the configuration does not know any more counts as the highest."""
        return self.names.index(name) if name in self.names else self.top


@dataclass(frozen=True, slots=True)
class Place:
    """Where exactly a finding stands, so that it can be replaced: through JSON in strings, and across parts.

    `text`: characters of the string at `path`; `joined`: of all texts of the parts of the list at `path`; `number`: the
    number there; `whole`: it was read out of what stands there in a way that has no characters of its own.
    """

    path: Path
    form: Form
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """One reason to believe, or to doubt, a finding. All its words are ours or the operator's, never the request's."""

    name: FactName
    detail: str = ""
    """Which one: the class of a cue, the name of a list or a model, a coding, …"""
    score: float | None = None
    """Of a model, 0 to 1."""

    @override
    def __str__(self) -> str:
        words = [self.name.replace("_", " "), self.detail] if self.detail else [self.name.replace("_", " ")]
        return " ".join(words if self.score is None else [*words, f"{self.score:.2f}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sensitive span. Offsets are characters of the leaf's text as the client sent it; the value is never kept."""

    kind: str
    detector: str
    rule: str = ""
    """Which of the detector's rules; empty when it has but one."""
    version: str = ""
    """Of the rule: changes whenever what it is made of does."""
    evidence: tuple[Fact, ...] = ()
    start: int
    end: int
    path: str = ""
    """Where it stands, as a JSON path: `$.messages[1].content`."""
    confidence: float = 1.0
    place: Place | None = field(default=None, compare=False, repr=False)
    """None: `path`, `start` and `end` say it all."""

    @property
    def rule_id(self) -> str:
        """`bank_card`, `case_number/docket`."""
        return f"{self.detector}/{self.rule}" if self.rule else self.detector

    @property
    def versioned_rule(self) -> str:
        """`case_number/docket@1f0c93ab`: what records carry."""
        return f"{self.rule_id}@{self.version}" if self.version else self.rule_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a label is at least `level`.

    `source` is floor | default | finding | conversation | detector_failure | unscanned | judge.
    """

    source: str
    level: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The label of one request: the join of everything known about it, with the reasons, and findings by kind."""

    level: int
    causes: tuple[Cause, ...]
    kinds: dict[str, int]
    """Finding kind → count. No content, no offsets: this is what logs and audit records may carry."""
    rules: dict[str, int] = field(default_factory=dict)
    """Rule with its version → count; likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPattern:
    """An operator's own pattern, RE2 syntax, matched on canonical text."""

    kind: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermList:
    """An operator's own words (project names, customers); matched whole, ignoring case where the script has it."""

    kind: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRules:
    """How names are searched for where their models are installed."""

    enabled: bool | None = None
    """None: when the extra is installed."""
    deadline_ms: int = 500
    """For up to 32 KB of text that was not seen before; more text has proportionally more."""
    threads: int = 1
    cache_mb: int = 16
    kinds: frozenset[str] = frozenset(("person", "organization", "postal_address"))
    """What is reported; those of `privacy/ner/spans.ASKED_FOR` may be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRules:
    """Who is asked about requests that patterns cannot label, when, and what the answers count as."""

    target: str
    """Name of a target on own premises that may see everything."""
    labels: Mapping[str, int]
    """Label of `privacy/judge.py` → level."""
    deadline_ms: int = 5000
    max_bytes: int = 16_384
    """Of text that was not judged before; a longer request counts as the highest level."""
    models: frozenset[str] = frozenset()
    """What a client must write into `model` for the judge to be asked. Empty, like `apps`: everything."""
    apps: frozenset[str] = frozenset()
    """Whose requests are judged whatever they name."""

    def asks(self, model: str, app: str) -> bool:
        return not (self.models or self.apps) or model in self.models or app in self.apps


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityRules:
    """The operator's policy on sensitivity, resolved to level indexes."""

    lattice: Lattice
    default: int
    kinds: dict[str, int]
    """Finding kind → level; complete: every built-in and custom kind has an entry."""
    patterns: tuple[CustomPattern, ...] = ()
    terms: tuple[TermList, ...] = ()
    unscannable: int = 0
    """Level of a request with parts that no detector can read (images, audio, files)."""
    names: NameRules = NameRules()
    declassifiers: tuple[str, ...] = ()
    """Names of those who may lower the label of a conversation; empty: nobody may."""
    judge: JudgeRules | None = None
