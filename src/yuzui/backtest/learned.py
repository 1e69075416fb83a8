"""A draft's learned routers over recorded requests: from the text where it is kept, else from what the record says.

A record has the numbers of one look: the predicted gain of the reference, and whether the request was like the
examples. They are good for every certificate of the same fit, so another threshold can be replayed; they are not enough
where another fit or a second candidate would have been asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from typing_extensions import override

from yuzui.audit.record import RoutedRecord
from yuzui.backtest.recorded import Recorded
from yuzui.backtest.texts import ReadText
from yuzui.core.guarantee import Advice, Advised, Judged, Rule, Said
from yuzui.learned_routing import GuaranteedModel, asked_of, recalled, unread

if TYPE_CHECKING:  # needs numpy
    from yuzui.routing.artefact import Certificate

_RULES: Final[Mapping[str, Rule]] = {"accepted": "accepted", "escalated": "escalated", "unlike": "unlike"}

Source = Literal["record", "text", "masked_text", "nothing", "not_asked", "broken"]
"""What a router was replayed from. nothing: it was not replayed, the reference answers. not_asked: the reference
answers whatever is asked, because nothing is certified or it is no chat. broken: watching had found that the promise of
this fit does not hold, so the reference answers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a draft's router says of one request."""

    advice: Advice
    source: Source
    gains: Mapping[str, float] = field(default_factory=dict)
    """Target → predicted gain of the reference over it, where it is known; the reference's own is 0."""


class LearnedRouters:
    def __init__(self, models: Mapping[str, GuaranteedModel], known: Mapping[str, GuaranteedModel]) -> None:
        """`models`: of the draft; `known`: of the configuration of that time, where it is at hand."""
        self.models = models
        self._fits = {
            one.demand.router_sha256: one.learned.artefact.fitted_sha256 for one in (*known.values(), *models.values())
        }

    def look(self, recorded: Recorded, text: ReadText | None) -> Seen | None:
        """None: the draft's model has no learned router."""
        model = self.models.get(recorded.model)
        if model is None:
            return None
        routed = recorded.routed_read
        is_up_front = routed is not None and routed.policy == "up_front" and model.certificate is not None
        if recorded.operation == "chat" and model.cascade is not None and not is_up_front:
            return self._cascaded(model, model.cascade, routed, recorded.model)
        if model.certificate is None or recorded.operation != "chat":
            return Seen(advice=self._unread(recorded.model), source="not_asked")
        if routed is not None and self._is_same_fit(model, routed):
            if routed.rule == "promise_broken":
                return Seen(advice=self._unread(recorded.model), source="broken")
            gains = _gains_of(routed, model, model.certificate)
            if gains is not None:
                is_like = routed.rule != "unlike"
                advice = recalled(model, gains, is_like=is_like, p_value=routed.p_value or 0.0)
                return Seen(advice=advice, source="record", gains=_by_target(model, gains) if is_like else {})
        if text is not None:
            return _read(model, text)
        return Seen(advice=self._unread(recorded.model), source="nothing")

    def _cascaded(self, model: GuaranteedModel, cascade: Certificate, routed: RoutedRecord | None, name: str) -> Seen:
        """An answer would have to be judged. What was accepted or not under the same certificate is so again."""
        if routed is not None and self._is_same_fit(model, routed):
            if routed.rule == "promise_broken":
                return Seen(advice=self._unread(name), source="broken")
            is_same = routed.policy == cascade.policy and _is_same(routed, cascade)
            if is_same and routed.rule in ("accepted", "escalated", "unlike"):
                return Seen(advice=_AsBefore(routed, self._unread(name)), source="record")
        return Seen(advice=self._unread(name), source="nothing")

    def _unread(self, name: str) -> Advice:
        advice = unread(self.models, name)
        assert advice is not None  # it has a router
        return advice

    def _is_same_fit(self, model: GuaranteedModel, routed: RoutedRecord) -> bool:
        return self._fits.get(routed.router) == model.learned.artefact.fitted_sha256


class _AsBefore(Advice):
    """What a cascade came to, where its candidate may answer again."""

    def __init__(self, routed: RoutedRecord, otherwise: Advice) -> None:
        self._routed, self._otherwise = routed, otherwise

    @override
    def choose(self, permitted: frozenset[str], masked: frozenset[str]) -> Advised:
        routed = self._routed
        other = self._otherwise.choose(permitted, masked)
        if routed.rule == "accepted" and routed.chosen not in permitted - masked:
            return other
        return replace(other, rule=_RULES[routed.rule], chosen=routed.chosen if other.chosen else "", detail="")

    @property
    @override
    def question(self) -> str:
        return self._otherwise.question

    @override
    def judge(self, said: Said) -> Judged:
        return self._otherwise.judge(said)


def _gains_of(routed: RoutedRecord, model: GuaranteedModel, certificate: Certificate) -> tuple[float, ...] | None:
    """Per candidate as far as the draft's certificate needs them; None where the record does not say enough.

    Of a candidate that was passed over only a bound is known: it stands as infinity, which no threshold reaches.
    """
    count = len(model.learned.candidates)
    if routed.rule == "unlike":
        return (math.inf,) * count
    if routed.gain is None:
        return None
    if routed.rule == "reference_better":
        gain = _beyond(routed.gain, routed, certificate)
        is_enough = count == 1 or (certificate.threshold is not None and gain > certificate.threshold)
        return (gain,) * count if is_enough else None
    if routed.rule in ("certified", "not_permitted") and count == 1:
        return (routed.gain,)
    if routed.rule == "certified" and _is_same(routed, certificate):
        names = [model.targets[name] for name in model.learned.candidates]
        return tuple([routed.gain if name == routed.chosen else math.inf for name in names])
    return None


def _beyond(gain: float, routed: RoutedRecord, certificate: Certificate) -> float:
    """Records round to six digits: what was above a threshold stays above the same one."""
    threshold = certificate.threshold
    if threshold is None or routed.threshold != threshold or gain > threshold:
        return gain
    return math.nextafter(threshold, math.inf)


def _is_same(routed: RoutedRecord, certificate: Certificate) -> bool:
    return (routed.threshold, routed.data, routed.epsilon) == (
        certificate.threshold, certificate.data.sha256, certificate.epsilon,
    )  # fmt: skip  # one thing


def _read(model: GuaranteedModel, text: ReadText) -> Seen:
    source: Source = "masked_text" if text.is_masked else "text"
    asked = asked_of(text.request.meaning)
    if asked is None:
        return Seen(advice=model.advice(text.request), source=source)
    look = model.learned.look(asked)
    advice = recalled(model, look.gains, is_like=look.is_like, p_value=look.p_value)
    return Seen(advice=advice, source=source, gains=_by_target(model, look.gains) if look.is_like else {})


def _by_target(model: GuaranteedModel, gains: tuple[float, ...]) -> dict[str, float]:
    known = {model.targets[name]: gain for name, gain in zip(model.learned.candidates, gains, strict=False)}
    return {model.reference: 0.0} | {name: gain for name, gain in known.items() if math.isfinite(gain)}
