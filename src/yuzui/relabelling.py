"""A question that holds more than its client's request, such as an answer: labelled anew, and who may see it then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yuzui.accounting import bounds
from yuzui.core.caller import Caller
from yuzui.core.decision import Decision
from yuzui.core.sensitivity import Sensitivity
from yuzui.privacy.label import label
from yuzui.routing.health import Health
from yuzui.scanning import scan_request
from yuzui.world import Snapshot, World


async def relabelled(
    snapshot: Snapshot, world: World, caller: Caller, body: Mapping[str, Any], size_bytes: int, before: Sensitivity
) -> Sensitivity:  # Any: JSON values
    """The label of `body`, of so many bytes, never below `before`."""
    scan = await scan_request(snapshot, world, body, {}, size_bytes)
    return label(snapshot.config.sensitivity, floor=caller.constraints.floor, scan=scan, remembered=before.level)


def who_may_see(
    snapshot: Snapshot, caller: Caller, model: str, size_bytes: int, found: Sensitivity, max_tokens: int
) -> Decision:
    """Who of `model` may be asked what has so many bytes and is labelled `found`. Raise a `YuzuiError` where nobody
    may."""
    return snapshot.router.decide(
        model, sensitivity=found, constraints=caller.constraints, allowed_models=None, features=frozenset(),
        input_tokens=bounds.input_tokens(size_bytes), output_tokens=max_tokens, health=Health(),
        fraction=0.0,
    )  # fmt: skip  # one thing
