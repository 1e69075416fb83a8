"""Knows whether learned routers can be used, and whether what they promise is what the configuration demands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yuzui.cli._checks import Check
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.learned_routing import GuaranteedModel


def check_guarantees(config: Config) -> list[Check]:
    """One line per model with policy `guaranteed`; `config` has its prices."""
    from yuzui.io.learned_routers import load_routers

    if not any(model.demand is not None for model in config.models):
        return []
    try:
        found = load_routers(config)
    except ConfigError as error:
        return [Check(name="guarantee", verdict="fail", found=error.message,
                      fix="correct it: the gateway does not start like this")]  # fmt: skip
    return [_check(name, model) for name, model in found.items()]


def told(model: GuaranteedModel) -> str:
    """What is demanded, and what stands behind it."""
    demand, certificate = model.demand, model.certificate
    wanted = f"at most {demand.loss:.4g} worse than {model.reference} at {demand.confidence:.4g}"
    if certificate is None:
        return f"{wanted} is demanded, and not certified: {model.problem}; {model.reference} answers everything"
    who = ", ".join(model.targets[name] for name in certificate.candidates)
    return (
        f"{wanted}: {who} certified at {certificate.epsilon:.4g}, {1 - certificate.delta:.4g}, on "
        f"{certificate.data.examples} examples, {certificate.made_at}"
    )


def _check(name: str, model: GuaranteedModel) -> Check:
    return Check(
        name=f"guarantee of {name}", verdict="ok" if model.certificate is not None else "warn", found=told(model),
        fix="" if model.certificate is not None else "yuzui route certify, then write the file's new router_sha256",
    )  # fmt: skip
