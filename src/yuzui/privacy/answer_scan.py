"""What is looked for in an answer, what is to be done about it, and what is no news: all before originals come back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from yuzui.core.sensitivity import Finding, SensitivityRules
from yuzui.privacy.canonical import Canonicaliser
from yuzui.privacy.json_spelling import readable
from yuzui.privacy.leaves import read_leaves
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import TYPED, Surrogates
from yuzui.privacy.values import Known
from yuzui.privacy.windows import read_passages

Action = Literal["off", "note", "redact", "refuse"]
Verdict = Literal["off", "note", "redact", "refuse", "echoed", "ours"]
"""`echoed`: the client said it itself; `ours`: a stand-in, or a marker of ours."""
Scan = Callable[[str], ScanResult]
ACTING: Final = frozenset(("redact", "refuse"))
WINDOW_CHARS: Final = 32 * 1024  # longer texts are read in windows

_MARKER: Final = re.compile(r"\[redacted: [^\]\n]{1,80}\]")
_APPLICATIONS: Final = frozenset(
    ("system", "systemInstruction", "system_instruction", "instructions", "tools", "functions")
)
"""Fields of requests that an application writes, and its user need not know."""
_APPLICATION_ROLES: Final = frozenset(("system", "developer"))
_MOST_VERDICTS: Final = 1000
_DATA_URL: Final = "data:"


def marker(kind: str) -> str:
    """What stands in place of a finding."""
    return f"[redacted: {kind}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRules:
    """What happens to findings in answers, by kind."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    """Complete: every built-in and custom kind has an entry."""
    otherwise: Action = "note"
    """For a kind that nobody listed."""
    reach: int = 16
    """Characters of plain words that one finding of the operator's own may begin with."""

    def action(self, kind: str) -> Action:
        return self.actions.get(kind, self.otherwise)

    @property
    def is_on(self) -> bool:
        return self.otherwise != "off" or any(action != "off" for action in self.actions.values())

    @property
    def acts(self) -> bool:
        """Whether any answer may be changed or withheld."""
        return self.otherwise in ACTING or not ACTING.isdisjoint(self.actions.values())


class StandIns(NamedTuple):
    """Of the masked request that was answered."""

    matcher: Matcher
    issued: Surrogates


class Assessor:
    """Says of findings in the answer to one request what is to be done. Keeps the client's texts: drop it with them."""

    __slots__ = ("_body", "_fold", "_is_ready", "_known", "_secrets", "_stand_ins", "_verdicts", "rules")

    def __init__(
        self, rules: AnswerRules, body: Mapping[str, Any], stand_ins: StandIns | None = None
    ) -> None:  # Any: checked JSON
        self.rules = rules
        self._body = body
        self._stand_ins = stand_ins
        self._known: Known | None = None
        self._secrets: Matcher | None = None
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        """A text is searched in overlapping windows: the same finding is asked for several times."""
        self._fold = Canonicaliser().fold
        self._is_ready = False

    def prepare(self) -> None:
        """Read the request. Called when it is first needed, for most answers have no finding; call it before, in a
        thread, where the request is large."""
        if self._is_ready:
            return
        self._known = Known([self._fold(text).text for text in client_texts(self._body)])
        if self._stand_ins is not None and _has_applications_words(self._body):
            self._secrets = self._find_secrets(self._stand_ins.issued)
        self._is_ready = True

    def assess(self, kind: str, value: str) -> Verdict:
        known = self._verdicts.get((kind, value))
        if known is None:
            known = self._assess(kind, value)
            if len(self._verdicts) < _MOST_VERDICTS:
                self._verdicts[kind, value] = known
        return known

    def _assess(self, kind: str, value: str) -> Verdict:
        action = self.rules.action(kind)
        if action == "off":
            return action
        if not any(char.isalnum() for char in self._without_ours(value)):
            return "ours"
        return "echoed" if self._is_known(kind, value) else action

    def secrets_in(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, kind) of stand-ins for what only the application said: to put them back would tell its user."""
        if self._stand_ins is None:
            return
        self.prepare()
        if self._secrets is None:
            return
        found, end = self._secrets.next(text)
        while found is not None:
            yield found.start, found.end, self._stand_ins.issued.kinds[found.token]
            found, end = self._secrets.next(text, end)

    def _find_secrets(self, issued: Surrogates) -> Matcher | None:
        tokens = [
            token
            for token, original in issued.originals.items()
            if (kind := issued.kinds[token]) != TYPED
            and self.rules.action(kind) != "off"
            and not self._is_known(kind, original)
            and not self._is_known("", token)  # it came back with the client, who had it before
        ]
        return Matcher(tokens) if tokens else None

    def _is_known(self, kind: str, value: str) -> bool:
        if self._known is None:
            self.prepare()
        assert self._known is not None
        return self._known.hold(kind, self._fold(value).text)

    def _without_ours(self, value: str) -> str:
        value = _MARKER.sub(" ", value)
        if self._stand_ins is None:
            return value
        pieces: list[str] = []
        at = 0
        matcher = self._stand_ins.matcher
        found, end = matcher.next(value)
        while found is not None:
            pieces.append(value[at : found.start])
            at = found.end
            found, end = matcher.next(value, end)
        return " ".join([*pieces, value[at:]])


def client_texts(body: Mapping[str, Any]) -> Iterator[str]:  # Any: checked JSON
    """What the user, tools and earlier answers said: all but what stands in the application's own words."""
    said: dict[str, Any] = {}  # Any: as above
    for name, value in body.items():
        if name in _APPLICATIONS:
            continue
        if isinstance(value, list):
            value = [item for item in value if not _is_applications(item)]
        said[name] = value
    for leaf in read_leaves(said).found:
        if not leaf.text.startswith(_DATA_URL):
            yield leaf.text


def _has_applications_words(body: Mapping[str, Any]) -> bool:  # Any: checked JSON
    return not _APPLICATIONS.isdisjoint(body) or any(
        _is_applications(item) for value in body.values() if isinstance(value, list) for item in value
    )


def _is_applications(item: object) -> bool:
    return isinstance(item, dict) and item.get("role") in _APPLICATION_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One text of an answer. `is_json`: the arguments of a call, or an answer that was asked for as JSON."""

    text: str
    is_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFindings:
    """What was found in an answer, by kind: counts, never a value."""

    noted: Mapping[str, int] = field(default_factory=dict)
    """They went to the client."""
    redacted: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    """Because of them the answer was refused."""
    echoed: Mapping[str, int] = field(default_factory=dict)
    """The client had said them itself."""
    failures: tuple[str, ...] = ()
    """Why it could not be searched, or not all of it."""

    @property
    def news(self) -> dict[str, int]:
        """All but what was echoed."""
        if self is NOTHING_FOUND:
            return {}
        return dict(Counter(self.noted) + Counter(self.redacted) + Counter(self.withheld))

    def level(self, rules: SensitivityRules, *, without: frozenset[str] = frozenset()) -> int:
        """Of what the client was told; -1 for nothing. `without`: kinds that are masked when they come back."""
        if self.failures:
            return rules.lattice.top
        return max([rules.kinds.get(kind, rules.lattice.top) for kind in self.noted if kind not in without], default=-1)


NOTHING_FOUND: Final = AnswerFindings()


def search(scanner: Scanner, said: Sequence[Said], assessor: Assessor) -> AnswerFindings:
    """Findings in what an answer says. Never raises: what could not be searched is in `failures`."""
    noted: dict[str, int] = {}
    echoed: dict[str, int] = {}
    failures: dict[str, None] = {}
    for one in said:
        try:
            text = readable(one.text) if one.is_json else one.text
            for finding, value in _findings(scanner.scan_text, text, failures):
                verdict = assessor.assess(finding.kind, value)
                if verdict == "echoed":
                    echoed[finding.kind] = echoed.get(finding.kind, 0) + 1
                elif verdict not in ("off", "ours"):
                    noted[finding.kind] = noted.get(finding.kind, 0) + 1
            for _, _, kind in assessor.secrets_in(text):
                noted[kind] = noted.get(kind, 0) + 1
        except Exception as error:  # fail closed whatever breaks; the name of the error holds no content
            failures[f"answer: {type(error).__name__}"] = None
    if not noted and not echoed and not failures:
        return NOTHING_FOUND
    return AnswerFindings(noted=noted, echoed=echoed, failures=tuple(failures))


def _findings(scan: Scan, text: str, failures: dict[str, None]) -> Iterator[tuple[Finding, str]]:
    if len(text) <= WINDOW_CHARS:
        result = scan(text)
        failures.update(dict.fromkeys((*result.failures, *result.unscannable)))
        for finding in result.findings:
            yield finding, text[finding.start : finding.end]
        return
    for passage in read_passages(scan, [text]):
        failures.update(dict.fromkeys((*passage.failures, *passage.unscannable)))
        for finding in passage.findings:
            yield finding, text[finding.start : finding.end]
