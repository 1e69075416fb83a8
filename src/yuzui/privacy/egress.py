"""The last look before bytes leave: independent of how the plan was made, and the only maker of what may be sent."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from yuzui.core.decision import Decision
from yuzui.core.sensitivity import Finding, Sensitivity, SensitivityRules
from yuzui.core.target import Target
from yuzui.privacy.leaves import Leaf, read_leaves, spell_path
from yuzui.privacy.mask import text_of
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import TYPED, Surrogates
from yuzui.privacy.values import Leftovers

Wire = TypeVar("Wire")
_SEAL: Final = object()
_ESCAPES: Final = re.compile(r"\\+(?:u[0-9a-fA-F]{4}|.)?", re.DOTALL)


class Scanned(Generic[Wire]):
    """A request that may leave, to `target` alone. Nothing but `check_egress` makes one: the upstream's port takes no
    other proof that somebody looked."""

    __slots__ = ("target", "wire")

    def __init__(self, wire: Wire, target: str, *, seal: object) -> None:
        if seal is not _SEAL:
            raise PermissionError("only check_egress says that a request may leave")
        self.wire = wire
        self.target = target


class MaskedProof:
    """That a body was masked down to `level` for `target`, and that its bytes were searched. Made by `check_masked`."""

    __slots__ = ("body", "level", "target")

    def __init__(self, body: bytes, target: str, level: int, *, seal: object) -> None:
        if seal is not _SEAL:
            raise PermissionError("only check_masked says that a body is masked")
        self.body = body
        self.target = target
        self.level = level


class EgressRefused(Exception):
    """A masked body is not clean; words without content."""


def check_egress(
    decision: Decision,
    target: Target,
    sensitivity: Sensitivity,
    wire: Wire,
    body: bytes,
    masked: MaskedProof | None = None,
) -> Scanned[Wire]:
    """`wire`, whose body is `body`, as what may be sent to `target`.

    Raise `PermissionError` when the target may not see this request. That is a bug of ours, never the client's.
    """
    if target.name not in decision.allowed:
        raise PermissionError(f"target {target.name!r} is not in the allowed set of this request")
    if decision.level < sensitivity.level:
        raise PermissionError("the decision was made for a lower sensitivity than the request has")
    level = sensitivity.level
    if masked is not None:
        if masked.body is not body or masked.target != target.name:
            raise PermissionError("these are not the bytes that were searched after masking")
        if not target.takes_masked:
            raise PermissionError(f"target {target.name!r} takes no masked requests")
        level = masked.level
    if level > target.clearance:
        raise PermissionError(
            f"target {target.name!r} is cleared up to level {target.clearance}, the request is {level}"
        )
    return Scanned(wire, target.name, seal=_SEAL)


def check_masked(
    sent: Mapping[str, Any],  # Any: JSON values
    body: bytes,
    target: Target,
    level: int,
    surrogates: Surrogates,
    scanner: Scanner,
    rules: SensitivityRules,
) -> MaskedProof:
    """Search `sent`, which is what `body` spells, once more: for every original and its variants, and with all
    detectors. Raise `EgressRefused` for what `target` may not see."""
    values = [(surrogates.kinds[token], original) for token, original in surrogates.originals.items()]
    leftovers = Leftovers([(kind, original) for kind, original in values if kind != TYPED])
    matcher = Matcher(surrogates.originals)
    leaves = read_leaves(sent).found
    for leaf in leaves:
        if leftovers.are_in(_without(leaf.text, matcher)):
            raise EgressRefused("an original is still in it")
    result = scanner.scan(sent)
    if result.failures:
        raise EgressRefused(f"a detector failed: {', '.join(result.failures)}")
    for finding in (*result.findings, *result.repeats):
        if rules.kinds.get(finding.kind, rules.lattice.top) <= target.clearance:
            continue
        if _is_ours(sent, finding, matcher) or _is_inside_ours(leaves, finding, matcher):
            continue
        inner = {"prompt": _decoded(text_of(sent, finding) or "")}  # what some wires encode
        if not inner["prompt"] or not _shows(scanner.scan(inner), finding.kind):  # else that is not where it stands
            raise EgressRefused(f"an unmasked {finding.kind} is in it")
        check_masked(inner, body, target, level, surrogates, scanner, rules)
    return MaskedProof(body, target.name, level, seal=_SEAL)


def _shows(result: ScanResult, kind: str) -> bool:
    return any(finding.kind == kind for finding in (*result.findings, *result.repeats))


def _decoded(text: str) -> str:
    """What a piece of base64 says; "" for anything else."""
    try:
        plain = text.replace("-", "+").replace("_", "/")
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except ValueError:
        return ""


def _is_ours(sent: Mapping[str, Any], finding: Finding, matcher: Matcher) -> bool:  # Any: JSON values
    """Whether a finding is made of nothing but stand-ins."""
    text = _ESCAPES.sub(
        " ", text_of(sent, finding) or ""
    )  # as JSON spells it, an escape's letter looks like the word's
    if not any(char.isalnum() for char in text):
        return False  # whatever this is, it is not what was found
    return not any(char.isalnum() for char in _without(text, matcher))


def _is_inside_ours(leaves: Sequence[Leaf], finding: Finding, matcher: Matcher) -> bool:
    """Whether a finding is a piece of stand-ins, as one across turns can be: digits of two of them, read as one."""
    if finding.place is not None and finding.place.form != "text":
        return False
    texts = [leaf.text for leaf in leaves if leaf.stands_as_sent and spell_path(leaf.path) == finding.path]
    return bool(texts) and all(_covers(matcher, text, finding.start, finding.end) for text in texts)


def _covers(matcher: Matcher, text: str, start: int, end: int) -> bool:
    """Whether every letter and digit from `start` to `end` belongs to a stand-in."""
    at, clear = 0, [place for place in range(start, min(end, len(text))) if text[place].isalnum()]
    if not clear or end > len(text):
        return False
    while clear:
        found, at = matcher.next(text, at)
        if found is None:
            return False
        clear = [place for place in clear if not found.start <= place < found.end]
    return True


def _without(text: str, matcher: Matcher) -> str:
    pieces: list[str] = []
    at = 0
    found, end = matcher.next(text)
    while found is not None:
        pieces += (text[at : found.start], "\n")
        at = found.end
        found, end = matcher.next(text, end)
    return "".join([*pieces, text[at:]])
