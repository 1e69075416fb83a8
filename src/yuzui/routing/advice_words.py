"""How a learned router's advice is told in a decision: one line for the header and the record."""

from __future__ import annotations

from yuzui.core.guarantee import Advised

RULES = {
    "certified": "certified",
    "reference_better": "the reference is expected to be better",
    "unlike": "unlike the examples, so the reference",
    "no_certificate": "no certificate, so the reference",
    "promise_broken": "the promise did not hold, so the reference",
    "not_permitted": "not permitted",
    "cascade": "cascade: its answer decides",
    "accepted": "its answer was accepted",
    "escalated": "escalated to the reference",
}


def advice_words(advised: Advised | None, first: str) -> str:
    """`; certified: at most 2% worse at 90% (n=2000), gain +0.012 up to +0.045, likeness 0.43; guarantee: certified`.

    `first`: the target that the plan begins with.
    """
    if advised is None:
        return ""
    words = f"; {RULES[advised.rule]}"
    if advised.detail:
        words += f" ({advised.detail})"
    told = []
    if advised.epsilon is not None and advised.delta is not None:
        told.append(f"at most {advised.epsilon:.4g} worse at {1 - advised.delta:.0%} (n={advised.examples})")
    if advised.gain is not None:
        up_to = f" of {advised.threshold:+.3f}" if advised.threshold is not None else ""
        told.append(f"gain {advised.gain:+.3f}{up_to}")
    if advised.p_value is not None:
        told.append(f"likeness {advised.p_value:.2g}")
    promise = "open until its answer was judged" if advised.rule == "cascade" else advised.kept(first)
    return f"{words}{': ' if told else ''}{', '.join(told)}; guarantee: {promise}"
