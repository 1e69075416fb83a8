"""From findings to a label: the join of everything known about a request, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from yuzui.core.sensitivity import Cause, Sensitivity, SensitivityRules
from yuzui.privacy.scan import ScanResult


def label(rules: SensitivityRules, *, floor: int, scan: ScanResult, remembered: int | None) -> Sensitivity:
    """The sensitivity of one request.

    `floor` is the caller's, `remembered` the level of its conversation so far. Causes above the default level are
    listed, highest first; without any, the one that sets the level. Never change the result: plain ones are shared.
    """
    if not scan.findings and not scan.unscannable and not scan.failures and remembered is None:
        return _plain(rules.default, floor)
    kinds = dict(Counter([finding.kind for finding in scan.findings]))
    fired = dict(Counter([finding.versioned_rule for finding in scan.findings]))
    top = rules.lattice.top
    # A kind without a level is a hole in the configuration: it counts as the highest.
    causes = [Cause(source="finding", level=rules.kinds.get(kind, top), detail=kind) for kind in kinds]
    causes.extend([Cause(source="detector_failure", level=top, detail=failure) for failure in scan.failures])
    if scan.unscannable:
        causes.append(
            Cause(source="unscanned", level=rules.unscannable, detail=", ".join(sorted(set(scan.unscannable))))
        )
    if remembered is not None:
        causes.append(
            Cause(source="conversation", level=min(remembered, top), detail="said earlier in this conversation")
        )
    if floor:
        causes.append(Cause(source="floor", level=floor, detail="the caller's floor"))
    raised = sorted((cause for cause in causes if cause.level > rules.default), key=lambda cause: -cause.level)
    if not raised:
        plain = _plain(rules.default, floor)
        return Sensitivity(level=plain.level, causes=plain.causes, kinds=kinds, rules=fired)
    return Sensitivity(level=raised[0].level, causes=tuple(raised), kinds=kinds, rules=fired)


def raised_by(rules: SensitivityRules, label: Sensitivity, causes: Sequence[Cause]) -> Sensitivity:
    """`label` joined with further `causes`: never lower than before."""
    raised = [cause for cause in causes if cause.level > rules.default]
    if not raised:
        return label
    kept = [cause for cause in label.causes if cause.level > rules.default]
    listed = sorted([*kept, *raised], key=lambda cause: -cause.level)
    return replace(label, level=max(label.level, listed[0].level), causes=tuple(listed))


@lru_cache(maxsize=256)
def _plain(default: int, floor: int) -> Sensitivity:
    """A request about which nothing is known but who sent it."""
    if floor > default:
        return Sensitivity(
            level=floor, causes=(Cause(source="floor", level=floor, detail="the caller's floor"),), kinds={}
        )
    return Sensitivity(
        level=default, causes=(Cause(source="default", level=default, detail="the default level"),), kinds={}
    )
