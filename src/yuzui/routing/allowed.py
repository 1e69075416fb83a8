"""Which targets may see one request and can answer it, and for every other candidate the one reason why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from yuzui.core.caller import Constraints
from yuzui.core.chat import Feature, Operation
from yuzui.core.decision import AllowedSet, RefusalReason, Verdict
from yuzui.core.price_terms import OTHER, PriceTerm, factor_of
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import Target

SOVEREIGN: frozenset[RefusalReason] = frozenset(("clearance", "premises", "jurisdiction", "retention", "training"))
"""Reasons that protect the content. All others only say that a target cannot do the work."""

BOUND_SLACK = 4
"""How often the reserved bound may exceed the true number of input tokens.

Bounds count bytes, and a token of English or Chinese text stands for about 3 to 4 of them. A target is refused for its
context only when even this smaller number does not fit; the target itself refuses the rest, and that is a fallback.
"""

WITHOUT_TEXT: frozenset[Feature] = frozenset(("images", "audio", "files"))
"""Parts whose size in bytes does not bound their tokens from below: with one of them no context is called too small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What one request asks of every target."""

    level: int
    """The join of the request's label and the caller's floor."""
    constraints: Constraints
    features: frozenset[Feature]
    operation: Operation = "chat"
    input_tokens: int
    """The least that the input can be expected to need."""
    sent_terms: Mapping[str, frozenset[PriceTerm]] = field(default_factory=dict)
    """Target name → what it would be asked that changes its price."""
    masked_level: int | None = None
    """The level once masked; None: it cannot be masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Every candidate once: either in `permitted` (the candidates' order) or with its verdict in `refused`."""

    allowed: AllowedSet
    permitted: tuple[Target, ...]
    refused: tuple[Verdict, ...]
    masked: frozenset[str] = frozenset()
    """Those that may see it only masked."""


def is_permitted(target: Target, demands: Demands, lattice: Lattice, currencies: Collection[str]) -> bool:
    return (
        refuse_for_sovereignty(target, demands, lattice) is None
        and refuse_for_ability(target, demands, currencies) is None
    )


def judge(
    candidates: Sequence[Target], demands: Demands, *, lattice: Lattice, currencies: Collection[str]
) -> Judgement:
    """Split `candidates` for `demands`. `currencies` are those with a rate to the book currency."""
    permitted: list[Target] = []
    refused: list[Verdict] = []
    for target in candidates:
        verdict = refuse_for_sovereignty(target, demands, lattice) or refuse_for_ability(target, demands, currencies)
        if verdict is None:
            permitted.append(target)
        else:
            refused.append(verdict)
    return Judgement(
        allowed=AllowedSet(frozenset(target.name for target in permitted)),
        permitted=tuple(permitted),
        refused=tuple(refused),
        masked=frozenset([target.name for target in permitted if target.clearance < demands.level]),
    )


def refuse_for_sovereignty(target: Target, demands: Demands, lattice: Lattice) -> Verdict | None:
    """The first sovereign reason against `target`; None when it may see the request. What is unknown is forbidden."""
    constraints = demands.constraints
    level = level_for(target, demands)
    if level > target.clearance:
        return Verdict(
            target=target.name,
            reason="clearance",
            words=f"cleared up to {level_name(lattice, target.clearance)}, the request is {level_name(lattice, level)};"
            " take the findings out or ask the operator for a higher clearance",
        )
    if constraints.own_only and target.premises != "own":
        return Verdict(
            target=target.name, reason="premises", words="a vendor's, and the key is pinned to own premises (own_only)"
        )
    if constraints.forbidden_jurisdictions and _is_forbidden(target.jurisdiction, constraints.forbidden_jurisdictions):
        place = target.jurisdiction or "unknown"
        return Verdict(
            target=target.name,
            reason="jurisdiction",
            words=f"its jurisdiction is {place}, and the key forbids "
            f"{', '.join(sorted(constraints.forbidden_jurisdictions))}",
        )
    if target.retains_data and not constraints.allow_retention:
        return Verdict(
            target=target.name, reason="retention", words="it keeps data, and the key does not allow retention"
        )
    if target.trains_on_data and not constraints.allow_training:
        return Verdict(
            target=target.name, reason="training", words="it trains on data, and the key does not allow training"
        )
    return None


def level_for(target: Target, demands: Demands) -> int:
    """The level of what `target` would see: masked only where it may not see the request as it is."""
    level = max(demands.level, demands.constraints.floor)
    may_mask = demands.constraints.allow_masking and target.takes_masked
    if level > target.clearance and demands.masked_level is not None and may_mask:
        return max(demands.masked_level, demands.constraints.floor)
    return level


def refuse_for_ability(target: Target, demands: Demands, currencies: Collection[str]) -> Verdict | None:
    """The first practical reason against `target`; the price last, so that an unknown price is the only obstacle."""
    if demands.operation not in target.serves and not _can_stand_in(target, demands.operation):
        return Verdict(
            target=target.name,
            reason="lacks_feature",
            words=f'it does not serve {demands.operation}; if its model does, say so: serves = ["{demands.operation}"]',
        )
    lacking = demands.features - target.features
    if lacking:
        return Verdict(target=target.name, reason="lacks_feature", words=f"it has no {', '.join(sorted(lacking))}")
    if target.context_tokens and demands.input_tokens > target.context_tokens:
        return Verdict(
            target=target.name,
            reason="context_too_small",
            words=f"its context holds {target.context_tokens} tokens, fewer than the prompt needs",
        )
    if target.price is None:
        help_words = target.price_help or f'set `price` of target {target.name!r} in yuzui.toml, or `price = "free"`'
        return Verdict(target=target.name, reason="unknown_price", words=f"its price is unknown; {help_words}")
    if not target.price.is_free and target.price.currency not in currencies:
        currency = target.price.currency
        return Verdict(
            target=target.name,
            reason="unknown_price",
            words=f"its price is in {currency}, which has no rate to the book currency; set `money.rates.{currency}`"
            " in yuzui.toml",
        )
    if target.price.is_free:
        return None
    unpriced = unpriced_terms(target, demands.sent_terms.get(target.name, frozenset()))
    if unpriced:
        return Verdict(target=target.name, reason="unknown_price_factor", words=_unpriced_words(target, unpriced[0]))
    return None


def unpriced_terms(target: Target, sent: Collection[PriceTerm]) -> list[PriceTerm]:
    """Those of `sent` whose part in the price of `target` nobody knows."""
    return sorted(term for term in sent if factor_of(term, target.price_factors) is None)


def _unpriced_words(target: Target, term: PriceTerm) -> str:
    name, _, value = term.partition("=")
    if value == OTHER:
        return f"what `{name}` asks for is nothing that a price is known for"
    return (
        f"what `{name}` = {value!r} makes of its price is unknown; set `price_factors.{name}.{value}` of target "
        f"{target.name!r} in yuzui.toml"
    )


def _can_stand_in(target: Target, operation: Operation) -> bool:
    """A model that chats answers a plain prompt too, and what it would read of a chat can be counted."""
    return operation in ("completions", "count_tokens") and "chat" in target.serves


def level_name(lattice: Lattice, level: int) -> str:
    """The operator's name of `level`; the top for what lies above it."""
    return lattice.names[min(level, lattice.top)]


def _is_forbidden(jurisdiction: str, forbidden: frozenset[str]) -> bool:
    if not jurisdiction:
        return True  # an unknown place may be a forbidden one
    return jurisdiction.casefold() in {place.casefold() for place in forbidden}
