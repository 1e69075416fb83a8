"""How a guaranteed model stands after what watching found: as certified, tightened, or the reference alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from yuzui.core.guarantee import Advised
from yuzui.core.watching import PromiseKey, WatchState
from yuzui.learned_routing import GuaranteedModel

if TYPE_CHECKING:  # needs numpy
    from yuzui.routing.artefact import Certificate

BROKEN = "watching found that its promise does not hold (yuzui route status)"


def promises_of(name: str, model: GuaranteedModel) -> Iterator[tuple[PromiseKey, Certificate]]:
    """Every certificate that is applied, with the key of its watch."""
    for certificate in (model.certificate, model.cascade):
        if certificate is not None:
            yield key_of(name, model, certificate), certificate


def key_of(name: str, model: GuaranteedModel, certificate: Certificate) -> PromiseKey:
    digest = hashlib.sha256(msgspec.json.encode(certificate)).hexdigest()
    return PromiseKey(model=name, router_sha256=model.demand.router_sha256, certificate=digest[:32])


def stricter(certificate: Certificate) -> tuple[float, ...]:
    """Certified thresholds below the best, from bold to careful: all were passed, so all keep the promise. Those under
    which no candidate answered an example would only be the reference by another name."""
    best = certificate.threshold
    if best is None:
        return ()
    found = {one.threshold for one in certificate.tested if one.passed and one.threshold < best and one.open_share > 0}
    return tuple(sorted(found, reverse=True))


def as_it_stands(name: str, model: GuaranteedModel, states: Mapping[PromiseKey, WatchState]) -> GuaranteedModel:
    """`model`, held to what is known of its promises."""
    for key, certificate in promises_of(name, model):
        state = states.get(key)
        if state is None or state.stage == "holds":
            continue
        if state.stage == "broken":
            model = _broken(model, certificate)
        else:
            model = _held_to(model, certificate, state.threshold)
    return model


def _broken(model: GuaranteedModel, certificate: Certificate) -> GuaranteedModel:
    """Without `certificate`: another that holds is still applied."""
    if certificate.policy == "up_front":
        return replace(model, certificate=None, problem=BROKEN, is_broken=True)
    left = replace(model, cascade=None, asks=None, cascade_problem=BROKEN)
    return left if left.certificate is not None else replace(left, problem=BROKEN, is_broken=True)


def _held_to(model: GuaranteedModel, certificate: Certificate, threshold: float | None) -> GuaranteedModel:
    held = msgspec.structs.replace(certificate, threshold=threshold)
    return replace(model, certificate=held) if certificate.policy == "up_front" else replace(model, cascade=held)


def rests_on(advised: Advised, certificate: Certificate, state: WatchState) -> bool:
    """Whether `advised` was given under `certificate` as `state` has it now: not under a bolder threshold of before."""
    threshold = certificate.threshold if state.threshold is None else state.threshold
    return (
        state.stage != "broken"
        and advised.policy == certificate.policy
        and advised.threshold == threshold
        and (advised.epsilon, advised.delta, advised.examples, advised.data_sha256)
        == (certificate.epsilon, certificate.delta, certificate.data.examples, certificate.data.sha256)
    )
