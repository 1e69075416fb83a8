"""The last look before bytes leave: independent of how the plan was made."""

from __future__ import annotations

from yuzui.core.decision import Decision
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target


def check_egress(decision: Decision, target: Target, sensitivity: Sensitivity) -> None:
    """Raise `PermissionError` when `target` may not see this request. That is a bug of ours, never the client's."""
    if target.name not in decision.allowed:
        raise PermissionError(f"target {target.name!r} is not in the allowed set of this request")
    if sensitivity.level > target.clearance:
        raise PermissionError(
            f"target {target.name!r} is cleared up to level {target.clearance}, the request is {sensitivity.level}"
        )
    if decision.level < sensitivity.level:
        raise PermissionError("the decision was made for a lower sensitivity than the request has")
