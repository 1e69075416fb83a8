"""What watching tells at `/metrics`: how promises stand, what was dropped, what shadows cost and say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from yuzui.core.money import NANO
from yuzui.promises import Promise
from yuzui.watching import Watching

Gauge = tuple[str, str, Callable[[], Mapping[str, float]]]
"""What it is, the name of its label, and how it is read."""


def watch_gauges(watching: Watching) -> Mapping[str, Gauge]:
    """A model with two promises shows the one that stands worse."""

    def of_promises(read: Callable[[Promise], float]) -> Callable[[], Mapping[str, float]]:
        def found() -> Mapping[str, float]:
            values: dict[str, float] = {}
            for key, promise in watching.promises.known.items():
                values[key.model] = max(read(promise), values.get(key.model, float("-inf")))
            return values

        return found

    def of_shadows(read: Callable[[str, str], float]) -> Callable[[], Mapping[str, float]]:
        return lambda: {f"{model} {target}": read(model, target) for model, target in watching.shadows}

    def dropped() -> Mapping[str, float]:
        counts: Counter[str] = Counter()
        for (_, why), count in watching.dropped.items():
            counts[why] += count
        return {why: float(count) for why, count in counts.items()}

    shadows = watching.shadows
    return {
        "yuzui_promise_broken": (
            "1 while a model's promise is broken and the reference answers, 0.5 while a stricter threshold is applied.",
            "model", of_promises(lambda one: {"holds": 0.0, "tightened": 0.5, "broken": 1.0}[one.state.stage]),
        ),
        "yuzui_watch_audits": ("Audits that were compared.", "model", of_promises(lambda one: one.state.all_audited)),
        "yuzui_watch_mean_loss": (
            "Mean loss of the requests that the running test has seen.", "model",
            of_promises(lambda one: 2 * one.state.sums.total / one.state.sums.count - 1 if one.state.sums.count else 0),
        ),
        "yuzui_watch_log_wealth": (
            "Evidence against the promise, natural logarithm; broken at log(1 / alpha).", "model",
            of_promises(lambda one: one.watch.log_wealth),
        ),
        "yuzui_watch_cost": (
            "What audits have cost, book currency.", "model", of_promises(lambda one: one.state.all_cost_nano / NANO),
        ),
        "yuzui_watch_dropped": ("Requests that were drawn and say nothing, since the start.", "reason", dropped),
        "yuzui_watch_waiting": ("Requests that wait to be audited or copied.", "", lambda: {"": watching.waiting}),
        "yuzui_shadow_copies": ("Copies sent to shadows.", "shadow", of_shadows(lambda *key: shadows[key].asked)),
        "yuzui_shadow_failed": (
            "Copies that a shadow failed.", "shadow", of_shadows(lambda *key: sum(shadows[key].failed.values())),
        ),
    }  # fmt: skip  # a table
