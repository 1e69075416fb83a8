"""What to tell the client when no target is left: whose fault it is, and what would change it. Never content."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from yuzui.core.chat import Feature
from yuzui.core.decision import Verdict
from yuzui.core.errors import GatewayFault, NoPermittedTarget, UnsupportedFeature, YuzuiError
from yuzui.core.price_terms import field_of
from yuzui.core.sensitivity import Lattice, Sensitivity
from yuzui.core.target import Target
from yuzui.routing.allowed import (
    SOVEREIGN,
    Demands,
    is_permitted,
    level_name,
    refuse_for_ability,
    refuse_for_sovereignty,
    unpriced_terms,
)

MOST_VERDICTS_IN_MESSAGE = 5

FIELDS: Mapping[Feature, str] = {
    "tools": "tools",
    "images": "messages",
    "audio": "messages",
    "files": "messages",
    "json_schema": "response_format",
    "logprobs": "logprobs",
    "n": "n",
    "web_search": "web_search_options",
    "server_tools": "tools",
}
"""Feature → the request field that asks for it."""


def explain_refusal(
    model: str,
    refused: tuple[Verdict, ...],
    candidates: Sequence[Target],
    everything: Iterable[Target],
    demands: Demands,
    sensitivity: Sensitivity,
    *,
    lattice: Lattice,
    currencies: Collection[str],
) -> YuzuiError:
    """The error for a request without a permitted target; its `refused` carries every verdict.

    A missing price comes first, because there the target is permitted and able and the operator can fix it at once.
    Sovereignty decides when nothing else stands in the way of some candidate, or when no candidate may see the request.
    """
    case = _Case(model=model, candidates=candidates, demands=demands, lattice=lattice, currencies=currencies)
    unpriced = [verdict for verdict in refused if verdict.reason == "unknown_price"]
    if unpriced:
        error: YuzuiError = GatewayFault(
            f"the price of {unpriced[0].target!r} is unknown, so the request is not sent: {_short(unpriced)}",
            code="unknown_price",
            retryable=False,  # until the operator mends it, asking again is in vain
            status=503,
        )
    elif unpriced := [verdict for verdict in refused if verdict.reason == "unknown_price_factor"]:
        error = case.unpriced(unpriced)
    elif case.is_for_sovereignty(refused):
        error = NoPermittedTarget(
            f"no target behind model {model!r} may see this request: it is "
            f"{level_name(lattice, max(demands.level, demands.constraints.floor))}{_because(sensitivity, lattice)}."
            f" Refused: {_short(refused)}"
        )
    else:
        error = case.unable(refused, everything)
    error.refused = refused
    return error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    model: str
    candidates: Sequence[Target]
    demands: Demands
    lattice: Lattice
    currencies: Collection[str]

    def is_for_sovereignty(self, refused: Sequence[Verdict]) -> bool:
        hidden = {verdict.target for verdict in refused if verdict.reason in SOVEREIGN}
        if len(hidden) == len(refused):
            return True
        return any(self._is_able(target) for target in self.candidates if target.name in hidden)

    def unpriced(self, refused: Sequence[Verdict]) -> UnsupportedFeature:
        """Some candidate could answer, at a price that nobody knows: client and operator can each mend it."""
        asked = self.demands.sent_terms[refused[0].target]
        target = next(target for target in self.candidates if target.name == refused[0].target)
        field = field_of(unpriced_terms(target, asked)[0])
        return UnsupportedFeature(
            f"`{field}` changes the price of model {self.model!r} by a factor that is not known here, so the request is"
            f" not sent: leave it out, or ask the operator to say it. Refused: {_short(refused)}",
            code="unknown_price_factor",
            param=field,
        )

    def unable(self, refused: Sequence[Verdict], everything: Iterable[Target]) -> UnsupportedFeature:
        """Some candidate may see the request, and none that may can answer it."""
        able = next((target for target in everything if self._is_permitted(target)), None)
        hint = f" A permitted target that can: {able.name!r}" if able is not None else ""
        lacking = [verdict for verdict in refused if verdict.reason == "lacks_feature"]
        if not lacking:
            return UnsupportedFeature(
                f"the prompt does not fit model {self.model!r}: {_short(refused)}; shorten it.{hint}",
                code="context_length_exceeded",
                param="messages",
            )
        missing = sorted(self._missing_everywhere() or self.demands.features)
        if not missing:
            return UnsupportedFeature(
                f"model {self.model!r} has no permitted target for {self.demands.operation}: {_short(lacking)}.{hint}",
                param="model",
            )
        field = FIELDS[missing[0]]
        return UnsupportedFeature(
            f"model {self.model!r} has no permitted target with {', '.join(missing)} (`{field}` asks for it): "
            f"{_short(lacking)}.{hint}",
            param=field,
        )

    def _missing_everywhere(self) -> frozenset[Feature]:
        """Features that no candidate which may see the request has; empty when each exists, but not in one place."""
        missing = self.demands.features
        for target in self.candidates:
            if self._may_see(target):
                missing -= target.features
        return missing

    def _is_permitted(self, target: Target) -> bool:
        return is_permitted(target, self.demands, self.lattice, self.currencies)

    def _may_see(self, target: Target) -> bool:
        return refuse_for_sovereignty(target, self.demands, self.lattice) is None

    def _is_able(self, target: Target) -> bool:
        return refuse_for_ability(target, self.demands, self.currencies) is None


def _because(sensitivity: Sensitivity, lattice: Lattice) -> str:
    """The causes that lift the label this high, by source and kind."""
    causes = [cause for cause in sensitivity.causes if cause.level >= sensitivity.level]
    words = dict.fromkeys(f"{cause.source} {cause.detail}".strip() for cause in causes)
    return f" ({', '.join(words)})" if words else ""


def _short(verdicts: Sequence[Verdict]) -> str:
    shown = "; ".join(f"{verdict.target}: {verdict.words}" for verdict in verdicts[:MOST_VERDICTS_IN_MESSAGE])
    hidden = len(verdicts) - MOST_VERDICTS_IN_MESSAGE
    return f"{shown}; and {hidden} more" if hidden > 0 else shown
