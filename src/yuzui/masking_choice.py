"""Which kinds one request may have masked: what the operator allows, less what its model, its key or itself rules out.

Every step only narrows. Nothing that arrives over the line masks what the configuration does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from yuzui.config import Config
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Cause
from yuzui.privacy.mask import Masking

HEADER: Final = "x-yuzui-masking"


@dataclass(frozen=True, slots=True)
class NotMasked:
    """Why a request stays as it is; words without content. "" where masking would change nothing."""

    reason: str


def choose(config: Config, caller: Caller, request: ChatRequest, wish: str | None) -> Masking | NotMasked:
    """What may be masked of `request`. `wish`: its header; raise `InvalidRequest` for anything but `off`."""
    masking = config.masking.masking
    wants_none = _read(wish)
    if not masking.kinds:
        return NotMasked("masking.kinds is empty")
    if wants_none:
        return NotMasked(f"the request says {HEADER}: off")
    if not caller.constraints.allow_masking:
        return NotMasked("the key was made with --no-masking")
    model = next((one for one in config.models if one.name == request.model), None)
    if model is None or model.masked_kinds is None:
        return masking
    if not model.masked_kinds:
        return NotMasked(f'model {model.name!r} says masking = "off"')
    kinds = masking.kinds & model.masked_kinds
    return replace(masking, kinds=kinds, realistic=masking.realistic & kinds)


def still(level: str, causes: tuple[Cause, ...], least: int) -> NotMasked:
    """For a request that masking would leave at `level`, because of those of `causes` that are at `least`."""
    said = dict.fromkeys([f"{one.source} {one.detail}".strip() for one in causes if one.level >= least])
    return NotMasked(f"what may not be masked keeps it {level}: {', '.join(said)}")


def _read(wish: str | None) -> bool:
    if wish is None:
        return False
    if {one.strip().lower() for one in wish.split(",")} != {"off"}:
        raise InvalidRequest(
            f"{HEADER} may only say `off`: a request can rule masking out, and the configuration alone allows it",
            param=HEADER,
        )
    return True
