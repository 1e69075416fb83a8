"""What yuzui.toml says of a model that demands a guarantee: the router's file, its hash, how much may be lost, and
whether a candidate may answer first and be judged by its answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Final

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import CascadePolicy, CascadeRules, Demand, Streaming
from yuzui.core.target import Target, VirtualModel

GUARANTEED: Final = "guaranteed"
"""The policy that needs all of it."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class GuaranteeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    loss: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)]


class CascadeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    streaming: Streaming
    accepts: Annotated[tuple[CascadePolicy, ...], msgspec.Meta(min_length=1)] = ("cascade", "portable_cascade")
    checks: tuple[str, ...] = ()
    judge: str = ""
    run_tests: bool = False
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 60.0


def read_demand(
    policy: str,
    router: str,
    sha256: str,
    guarantee: dict[str, Any] | None,
    cascade: dict[str, Any] | None,
    path: str,
) -> Demand | None:  # Any: TOML values
    """The first three keys with policy `guaranteed`, and none of the four with another. Raise `ConfigError`."""
    given = {"router": router, "router_sha256": sha256, "guarantee": guarantee, "cascade": cascade}
    if policy != GUARANTEED:
        for key, value in given.items():
            if value or (key == "cascade" and value is not None):
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
    return Demand(
        router=router, router_sha256=sha256, loss=table.loss, confidence=table.confidence,
        cascade=None if cascade is None else _cascade(cascade, f"{path}.cascade"),
    )  # fmt: skip  # one thing


def _cascade(table: dict[str, Any], path: str) -> CascadeRules:  # Any: TOML values
    if "streaming" not in table:
        raise ConfigError(
            f'{path}.streaming: say what becomes of streamed answers: "hold" sends nothing until the answer was '
            'accepted, "up_front" decides before who answers, without a cascade'
        )
    read = convert(table, CascadeTable, path)
    for key, values in (("accepts", read.accepts), ("checks", read.checks)):
        if len(set(values)) < len(values):
            raise ConfigError(f"{path}.{key}: write each name once")
    return CascadeRules(
        streaming=read.streaming, accepts=read.accepts, checks=read.checks, judge=read.judge, run_tests=read.run_tests,
        timeout_s=read.timeout_s,
    )  # fmt: skip  # one thing


def check_guarantees(models: Sequence[VirtualModel], targets: Collection[Target]) -> None:
    """A promise is against a reference that can be asked; second opinions and judges are targets that chat. Raise
    `ConfigError`."""
    chatting = {target.name for target in targets if "chat" in target.serves}
    for position, model in enumerate(models):
        if model.demand is None:
            continue
        if model.reference not in model.candidates:
            raise ConfigError(
                f'models[{position}].reference: policy = "{GUARANTEED}" loses at most so much against it, so name one '
                f"of the model's candidates: {', '.join(model.candidates)}"
            )
        rules = model.demand.cascade
        if rules is None:
            continue
        for key, name in (*(("checks", check) for check in rules.checks), ("judge", rules.judge)):
            if name and name not in chatting:
                raise ConfigError(
                    f"models[{position}].cascade.{key}: no target that chats is named {name!r}{near(name, chatting)}"
                )
