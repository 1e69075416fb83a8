"""How soon watching notices that a candidate got worse, and how often it is wrong: simulated, and through a gateway.

    .venv/bin/python bench/watching.py                     # a look
    .venv/bin/python bench/watching.py --simulated 1000 --served 6 --save   # the figures in bench/results/watching.json

Each audited answer loses 1 against the reference with one probability, gains 1 with another, else it is a tie; the
promise is "at most 2 points worse". Simulated runs feed the state machine that serves (`evaluation/promise_watch.py`).
Served runs are whole: a client asks a gateway over loopback, a candidate answers, the reference is asked again, a judge
compares both in both orders, and after a good while the candidate silently gets 5 points worse. Everything is drawn
from fixed seeds; nothing is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fault_upstream import Call  # noqa: E402  # a kit of the tests
from watch_kit import JUDGED, Places, Scene, is_judging, scene, verdict  # noqa: E402
from yuzui.core.watching import WatchState  # noqa: E402
from yuzui.evaluation.promise_watch import PromiseWatch, Terms  # noqa: E402

PROMISED, ALPHA = 0.02, 0.01
MOST_AUDITS = 1000
GOOD_AUDITS = 200
AT_ONCE = 8
RESULT = ROOT / "bench" / "results" / "watching.json"


@dataclass(frozen=True, slots=True)
class Rates:
    """Of audited answers: worse than the reference's, and better."""

    worse: float
    better: float

    @property
    def loss(self) -> float:
        return self.worse - self.better


SCENES = {
    "9 % differ": (Rates(0.03, 0.01), Rates(0.08, 0.01)),
    "13 % differ": (Rates(0.05, 0.03), Rates(0.10, 0.03)),
    "17 % differ": (Rates(0.07, 0.05), Rates(0.12, 0.05)),
}
"""At the edge of the promise, and 5 points worse. Named after the second."""


def simulated(rates: Rates, seed: int, audits: int, open_share: float = 1.0) -> int | None:
    """After how many audits the alarm came. `open_share`: the others are answered by the reference, at a loss of 0."""
    draw = random.Random(seed)
    watch = PromiseWatch(Terms(promised=PROMISED, alpha=ALPHA), WatchState())
    while watch.state.audited < audits:
        if draw.random() >= open_share:
            stage = watch.add(0.0, 1, is_audit=False)
        else:
            one = draw.random()
            loss = 1.0 if one < rates.worse else -1.0 if one < rates.worse + rates.better else 0.0
            stage = watch.add(loss, 1, is_audit=True)
        if stage is not None:
            return watch.state.audited
    return None


def scaled(rates: Rates, open_share: float) -> Rates:
    """With the mean of all traffic at the edge of the promise: fewer open answers may each lose more."""
    return Rates(rates.better + PROMISED / open_share, rates.better)


def simulation(runs: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, (edge, worse) in SCENES.items():
        for open_share in (1.0, 0.5):
            at_edge = scaled(edge, open_share)
            after = Rates(at_edge.worse + worse.loss - edge.loss, at_edge.better)
            alarms = [simulated(at_edge, seed, MOST_AUDITS, open_share) for seed in range(runs)]
            noticed = [simulated(after, 10_000 + seed, MOST_AUDITS, open_share) for seed in range(runs)]
            late = sorted(one for one in noticed if one is not None)
            found[f"{name}, {open_share:.0%} open"] = {
                "runs": runs, "false_alarms": sum(one is not None for one in alarms),
                "noticed_within_1000": len(late),
                "median_audits": statistics.median(late) if late else None,
                "ninth_decile_audits": late[int(0.9 * len(late))] if late else None,
            }  # fmt: skip
            print(f"simulated  {name}, {open_share:.0%} open: {found[f'{name}, {open_share:.0%} open']}", flush=True)
    return found


class Duel:
    """Who answers how, by the number in the question, from one seed."""

    def __init__(self, rates: Rates, seed: int) -> None:
        self.rates, self._seed = rates, seed
        self._known: dict[int, tuple[str, str]] = {}

    def answers(self, call: Call) -> tuple[str, str]:
        """Of the candidate and of the reference; equal where neither is better."""
        number = int(call.body.partition(b"number ")[2].partition(b"?")[0])
        if number not in self._known:  # drawn when the candidate answers: a later downgrade changes no old answer
            one = random.Random(self._seed * 100_003 + number).random()
            mine = "good" if one >= self.rates.worse else "bad"
            theirs = "bad" if self.rates.worse <= one < self.rates.worse + self.rates.better else "good"
            self._known[number] = f"a {mine} answer", f"a {theirs} answer"
        return self._known[number]

    def vendor(self, call: Call) -> str:
        if is_judging(call):
            return verdict(
                "first" if call.body.index(b"a good answer") < call.body.index(b"a bad answer") else "second"
            )
        return self.answers(call)[1]


async def ask_many(at: Scene, first: int, most: int) -> int:
    """Ask until so many audits were added, or the promise is broken; how many audits that took."""
    (promise,) = at.running.service.watching.promises.known.values()
    before, number = promise.state.audited, first
    client = at.running.client()
    while promise.state.audited - before < most and promise.state.stage == "holds":
        left = most - (promise.state.audited - before)
        batch = range(number, number + min(AT_ONCE, left))
        await asyncio.gather(*[
            client.chat.completions.create(
                model="support",
                messages=[{"role": "user", "content": f"What is the capital of France and a tree number {one}?"}],
            )
            for one in batch
        ])  # fmt: skip
        number = batch.stop
        await at.settled()
    return promise.state.audited - before


async def served(good: Rates, after: Rates, seed: int, *, folder: Path) -> tuple[bool, int, int | None]:
    """Whether the good while raised an alarm, its audits, and after how many audits the downgrade was noticed."""
    duel = Duel(good, seed)
    places = Places(own=lambda call: duel.answers(call)[0], vendor=duel.vendor)
    async with scene(folder, JUDGED, places=places) as at:
        (promise,) = at.running.service.watching.promises.known.values()
        calm = await ask_many(at, 1, GOOD_AUDITS)
        if promise.state.stage != "holds":
            return True, calm, None
        duel.rates = after
        count = await ask_many(at, 10_000, MOST_AUDITS)
        return False, calm, count if promise.state.stage == "broken" else None


def serving(runs: int) -> dict[str, object]:
    good, after = SCENES["9 % differ"]
    found = []
    for seed in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(asyncio.run(served(good, after, seed, folder=Path(folder))))
        print(f"served     seed {seed}: false alarm {found[-1][0]}, noticed after {found[-1][2]} audits", flush=True)
    return {
        "runs": runs, "good_audits": sum(one[1] for one in found), "false_alarms": sum(one[0] for one in found),
        "noticed_after_audits": [one[2] for one in found],
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--simulated", type=int, default=100, help="runs of each kind; 0: leave them out")
    options.add_argument("--served", type=int, default=1, help="runs through a gateway; 0: leave them out")
    options.add_argument("--save", action="store_true", help=f"put what ran into {RESULT.relative_to(ROOT)}")
    chosen = options.parse_args()
    parts = {}
    if chosen.simulated:
        parts["simulated"] = simulation(chosen.simulated)
    if chosen.served:
        parts["served"] = serving(chosen.served)
    if not chosen.save:
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()
    before = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    made = {name: {"commit": commit, "promised": PROMISED, "alpha": ALPHA, **part} for name, part in parts.items()}
    RESULT.write_text(json.dumps(before | made, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
