"""Knows how what watching and shadowing have learnt is shown, and how each figure was computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any, Final

from yuzui.cli._text import show_moment, show_money
from yuzui.core.money import NANO
from yuzui.core.watching import PromiseKey, ShadowState, WatchRules, WatchState

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.io.books import SqliteBooks
    from yuzui.learned_routing import GuaranteedModel
    from yuzui.routing.artefact import Certificate

STAGES: Final = {
    "holds": "nothing speaks against it",
    "tightened": "did not hold; a stricter certified threshold is applied",
    "broken": "did not hold; only the reference answers until `yuzui route resume`",
}
HOW: Final = (
    'how: each drawn request is a bet against "on average at most {promised:.4g} worse": the loss of the candidate\'s '
    "answer where it answered, 0 where the reference did. Wealth begins at 1; while the promise holds it reaches "
    "{limit:g} with probability {alpha:g} at most, however long it is watched. The interval holds at all times at "
    "once, with 95 %, if the mean does not change."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One promise, as the configuration has it and the books know it."""

    key: PromiseKey
    certificate: Certificate
    rules: WatchRules | None
    state: WatchState
    log_wealth: float


def promises_seen(config: Config, guaranteed: Mapping[str, GuaranteedModel], books: SqliteBooks) -> Iterator[Seen]:
    """Of every certificate that is applied; one that nobody has watched yet has an empty state."""
    from yuzui.evaluation.promise_watch import PromiseWatch
    from yuzui.promises import terms_of
    from yuzui.standing import promises_of

    rules = {model.name: model.watch for model in config.models}
    states = books.watch_states()
    for name, model in guaranteed.items():
        for key, certificate in promises_of(name, model):
            _, state = states.get(key, (0, WatchState()))
            watch = PromiseWatch(terms_of(certificate, rules[name]), state)
            yield Seen(key=key, certificate=certificate, rules=rules[name], state=state, log_wealth=watch.log_wealth)


def facts_of(seen: Seen, config: Config) -> dict[str, str]:
    from yuzui.evaluation.running_interval import interval

    state, rules, currency = seen.state, seen.rules, config.money.currency
    alpha = rules.alpha if rules is not None else 0.01
    found = interval(state.sums)
    facts = {
        "promise": f"{seen.certificate.policy}: at most {seen.certificate.epsilon:.4g} worse than the reference",
        "state": f"{state.stage}{_since(state)}: {STAGES[state.stage]}",
        "watched": _rules(rules, config),
        "audits": f"{state.audited} compared, {state.referred} answered by the reference itself; {state.all_audited} "
        "compared since the beginning",
        "mean loss": "nothing seen yet" if found is None
        else f"{found.mean:+.2%} (95 %: {found.low:+.2%} to {found.high:+.2%}) over {state.seen} requests",
        "evidence": f"wealth {exp(min(seen.log_wealth, 700.0)):.3g} of {1 / alpha:g}",
        "cost": f"{show_money(state.cost_nano, currency)} in this test, "
        f"{show_money(state.all_cost_nano, currency)} in all",
    }  # fmt: skip  # one table
    if state.threshold is not None:
        facts["threshold"] = f"{state.threshold:+.4f} in the place of {seen.certificate.threshold:+.4f}"
    if state.ungraded:
        facts["said nothing"] = ", ".join(f"{why} {count}" for why, count in sorted(state.ungraded.items()))
    return facts


def how(seen: Seen) -> str:
    alpha = seen.rules.alpha if seen.rules is not None else 0.01
    return HOW.format(promised=seen.certificate.epsilon, limit=1 / alpha, alpha=alpha)


def as_json(seen: Seen) -> dict[str, Any]:  # Any: JSON values
    from yuzui.evaluation.running_interval import interval

    state = seen.state
    return {
        "model": seen.key.model, "router_sha256": seen.key.router_sha256, "certificate": seen.key.certificate,
        "policy": seen.certificate.policy, "promised": seen.certificate.epsilon, "stage": state.stage,
        "threshold": state.threshold if state.threshold is not None else seen.certificate.threshold,
        "since_ns": state.since_ns, "audited": state.audited, "referred": state.referred, "seen": state.seen,
        "loss": interval(state.sums), "log_wealth": seen.log_wealth,
        "alpha": seen.rules.alpha if seen.rules is not None else None, "ungraded": state.ungraded,
        "cost_nano": state.cost_nano, "all_audited": state.all_audited, "all_cost_nano": state.all_cost_nano,
        "last_ns": state.last_ns,
    }  # fmt: skip


def shadow_facts(target: str, state: ShadowState, config: Config) -> dict[str, str]:
    answered, currency = max(state.answered, 1), config.money.currency
    facts = {
        f"shadow {target}": f"{state.asked} copies asked{_from(state)}, {state.answered} answered, "
        f"{sum(state.failed.values()) / max(state.asked, 1):.1%} failed{_counts(state.failed)}",
    }  # fmt: skip
    if state.answered:
        facts["its latency"] = (
            f"{state.duration_ms / answered:.0f} ms on average, {state.slowest_ms} ms at most; what answered took "
            f"{state.usual_duration_ms / answered:.0f} ms (whole answers)"
        )
        facts["its cost"] = (
            f"{show_money(state.cost_nano // answered, currency)} a request; what answered took "
            f"{show_money(state.usual_cost_nano // answered, currency)}"
        )
        agreed = (
            f"{state.agreed / state.comparable:.1%} of {state.comparable}" if state.comparable else "none comparable"
        )
        facts["agreement"] = f"{agreed} come down to the same; likeness of the texts {state.likeness / answered:.2f}"
    if state.dropped:
        facts["not copied"] = ", ".join(f"{why} {count}" for why, count in sorted(state.dropped.items()))
    return facts


def _rules(rules: WatchRules | None, config: Config) -> str:
    if rules is None:
        return "no: write `watch` for this model"
    by = f"{rules.grade} by {rules.judge}" if rules.judge else rules.grade
    level = config.sensitivity.lattice.names[rules.max_level]
    return (
        f"{rules.share:.1%} of the requests up to {level}, compared by {by}, for "
        f"{rules.budget_nano / NANO:g} {config.money.currency} a day at most"
    )


def _since(state: WatchState) -> str:
    return f" since {show_moment(state.since_ns)} UTC" if state.since_ns else ""


def _from(state: ShadowState) -> str:
    return f" since {show_moment(state.first_ns)} UTC" if state.first_ns else ""


def _counts(counts: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{code} {count}' for code, count in sorted(counts.items()))})" if counts else ""
