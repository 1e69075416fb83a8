"""What yuzui.toml says of a model that demands a guarantee: the router's file, its hash, and how much may be lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from yuzui.config_checks import convert
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import Demand
from yuzui.core.target import VirtualModel

GUARANTEED: Final = "guaranteed"
"""The policy that needs all of it."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class GuaranteeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    loss: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]


def read_demand(
    policy: str, router: str, sha256: str, guarantee: dict[str, Any] | None, path: str
) -> Demand | None:  # Any: TOML values
    """All three keys with policy `guaranteed`, and none of them with another. Raise `ConfigError`."""
    given = {"router": router, "router_sha256": sha256, "guarantee": guarantee}
    if policy != GUARANTEED:
        for key, value in given.items():
            if value:
                raise ConfigError(f'{path}.{key}: only policy = "{GUARANTEED}" uses it; write that, or leave it out')
        return None
    if not router:
        raise ConfigError(f'{path}.router: policy = "{GUARANTEED}" needs the file that `yuzui route fit` wrote')
    if not _SHA256.fullmatch(sha256):
        raise ConfigError(
            f"{path}.router_sha256: write the SHA-256 of the file {router}, 64 characters of 0-9 and a-f; "
            "`yuzui route status` shows it"
        )
    if guarantee is None:
        raise ConfigError(f"{path}.guarantee: say what must be promised, such as {{ loss = 0.02, confidence = 0.9 }}")
    table = convert(guarantee, GuaranteeTable, f"{path}.guarantee")
    return Demand(router=router, router_sha256=sha256, loss=table.loss, confidence=table.confidence)


def check_guarantees(models: Sequence[VirtualModel]) -> None:
    """A promise is against a reference that can be asked. Raise `ConfigError`."""
    for position, model in enumerate(models):
        if model.demand is not None and model.reference not in model.candidates:
            raise ConfigError(
                f'models[{position}].reference: policy = "{GUARANTEED}" loses at most so much against it, so name one '
                f"of the model's candidates: {', '.join(model.candidates)}"
            )
