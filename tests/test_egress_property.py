"""The egress guarantee, over generated configurations and traffic. YUZUI_WORLDS: how many; 100 by default.

For every target that received bytes: what is in them is at or below its clearance, or was masked away; and no constraint
of the key, the target or the model was passed over.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from egress_worlds import Plan, Seen, Worlds, plans
from faults.fault_runs import quietly
from yuzui.privacy import scan

WORLDS = int(os.environ.get("YUZUI_WORLDS", "100"))


class Examples:
    """One loop and its gateways for all examples, and what they showed together."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.worlds = Worlds(self.stack)
        self.seen = Seen()

    def play(self, plan: Plan) -> None:
        with quietly():
            self.loop.run_until_complete(self.worlds.play(plan, self.seen))

    def end(self) -> None:
        self.loop.run_until_complete(self.stack.aclose())
        self.loop.close()


@pytest.fixture
def examples() -> Iterator[Examples]:
    found = Examples()
    yield found
    found.end()


def check_all(examples: Examples, count: int) -> None:
    is_sample = count <= 200  # the same worlds in every run of the tests; others where more are asked for

    @settings(
        max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES, derandomize=is_sample
    )
    @given(plan=plans())
    def every_target_sees_only_what_it_may(plan: Plan) -> None:
        examples.play(plan)

    every_target_sees_only_what_it_may()


PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


def test_every_target_sees_only_what_it_may(examples: Examples) -> None:
    check_all(examples, WORLDS)
    seen = examples.seen
    print(seen)
    assert seen.sent > WORLDS // 2 and seen.withheld > WORLDS // 2, "if nothing was sent, nothing was proved"
    assert seen.marked > WORLDS // 10 and seen.masked > WORLDS // 50


def test_the_property_fails_where_nothing_is_found(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan.Scanner, "scan", lambda *_: scan.NOTHING)
    with pytest.raises(AssertionError):
        check_all(examples, 200)
