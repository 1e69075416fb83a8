"""Knows whether learned routers can be used, and whether what they promise is what the configuration demands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from yuzui.cli._checks import Check
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.core.booking import TrialOrder
    from yuzui.learned_routing import GuaranteedModel
    from yuzui.routing.artefact import Certificate


def check_trials(config: Config, orders: Sequence[TrialOrder]) -> list[Check]:
    """`orders`: the latest in force about each trial. One line per trial of the file."""
    stopped = {order.trial_id: order for order in orders if order.action == "stop"}
    checks = []
    for trial in [trial for model in config.models for trial in model.trials]:
        name, order = f"trial {trial.model}/{trial.name}", stopped.get(trial.id)
        if order is None:
            checks.append(Check(name=name, verdict="ok", found=f"{trial.percent:g} % to {trial.arm}"))
            continue
        checks.append(
            Check(
                name=name,
                verdict="warn",
                found=f"{trial.arm} gets nothing: {order.by or 'rolled back'}: {order.reason}",
                fix=f"take the trial out, or: yuzui trial resume {trial.name} --by NAME --reason TEXT",
            )
        )
    return checks


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
    lines = [_told_of(model, one) for one in (model.cascade, certificate) if one is not None]
    rules = demand.cascade
    if rules is not None and model.cascade is not None and certificate is None and rules.streaming == "up_front":
        lines.append(f"streamed requests are answered by {model.reference}: {model.problem}")
    problem = f"no cascade: {model.cascade_problem}" if model.cascade_problem else ""
    if not lines:
        why = "; ".join(words for words in (model.problem, problem) if words)
        return f"{wanted} is demanded, and not certified: {why}; {model.reference} answers everything"
    return "; ".join([f"{wanted}: {lines[0]}", *lines[1:], *([problem] if problem else [])])


def _told_of(model: GuaranteedModel, certificate: Certificate) -> str:
    """`cascade (streams are held): house/small certified at 0.02, 0.9, on 2000 examples, 2026-11-26, with …`."""
    who = ", ".join(model.targets[name] for name in certificate.candidates)
    told = (
        f"{who} certified at {certificate.epsilon:.4g}, {1 - certificate.delta:.4g}, on {certificate.data.examples} "
        f"examples, {certificate.made_at}"
    )
    asks, rules = model.asks, model.demand.cascade
    if certificate is not model.cascade or asks is None or rules is None:
        return f"up_front: {told}"
    more = [f"second opinions of {', '.join(asks.checks)}"] if asks.checks else []
    more += [f"{asks.samples} more answers"] if asks.samples else []
    more += ["log-probabilities"] if asks.log_probabilities else []
    more += [f"{asks.judge} as judge"] if asks.judge else []
    more += ["tests of requests, which are run here"] if asks.runs_tests else []
    streams = "streams are held" if rules.streaming == "hold" else "not for streams"
    return f"{asks.policy} ({streams}): {told}{', with ' if more else ''}{', '.join(more)}"


def _check(name: str, model: GuaranteedModel) -> Check:
    return Check(
        name=f"guarantee of {name}", verdict="warn" if model.shortfall else "ok", found=told(model),
        fix="yuzui route certify, then write the file's new router_sha256" if model.shortfall else "",
    )  # fmt: skip
