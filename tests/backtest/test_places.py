from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from backtest_kit import Sent, read_back, record_of, snapshot
from yuzui.backtest.places import Places, home_of
from yuzui.backtest.recorded import Recorded

THERE = snapshot()
TARGETS = {target.name: target for target in THERE.config.targets}
HOUSE, NEAR, FAR = TARGETS["house/qwen"], TARGETS["deepseek/chat"], TARGETS["far/gpt"]


PLAIN = Sent()


def recorded(sent: Sent = PLAIN, **changes: object) -> Recorded:
    return read_back([msgspec.structs.replace(record_of(sent, THERE), **changes)])[0]


def test_home_is_where_own_targets_stand() -> None:
    assert home_of(TARGETS.values()) == ("CN",)
    assert home_of([NEAR, FAR, replace(HOUSE, jurisdiction="")]) == ()


def test_the_record_tells_its_place_whatever_the_name_means_now() -> None:
    places = Places([replace(HOUSE, premises="vendor")], ("CN",))
    assert places.was_inside(recorded())
    assert not places.was_inside(recorded(Sent(model="deepseek/chat")))


def test_a_vendor_that_was_tried_in_vain_saw_it() -> None:
    places = Places(TARGETS.values(), ("CN",))
    tried = recorded(Sent(model="thrifty", failed=1))
    assert tried.attempts[0].target == "house/qwen"
    assert places.was_inside(recorded(Sent(failed=0)))
    assert not places.was_inside(recorded(Sent(failed=1)))


def test_a_target_that_nobody_knows_counts_as_inside_and_is_named() -> None:
    places = Places([], ("CN",))
    old = recorded(v=1, premises="", jurisdiction="", target="gone/x", attempts=())
    assert places.was_inside(old)
    assert places.leaves_country(old, FAR)
    assert places.unknown == {"gone/x"}


@pytest.mark.parametrize(
    ("home", "sent", "target", "leaves"),
    [
        (("CN",), Sent(), FAR, True),
        (("cn",), Sent(), NEAR, False),
        (("CN", "US"), Sent(), FAR, False),
        (("CN",), Sent(model="far/gpt"), FAR, False),
        (("CN",), Sent(model="far/gpt"), NEAR, False),
        (("CN",), Sent(), replace(NEAR, jurisdiction=""), True),
        ((), Sent(), FAR, True),
        ((), Sent(), NEAR, False),
        ((), Sent(model="far/gpt"), NEAR, True),
    ],
)
def test_leaving_the_country(home: tuple[str, ...], sent: Sent, target: object, leaves: bool) -> None:
    assert Places(TARGETS.values(), home).leaves_country(recorded(sent), target) is leaves  # type: ignore[arg-type]  # targets


def test_what_was_refused_had_not_left() -> None:
    refused = recorded(Sent(model="far/gpt", findings=("email",)))
    places = Places(TARGETS.values(), ("CN",))
    assert places.was_inside(refused)
    assert places.plan_was_inside(refused)
    assert places.leaves_country(refused, FAR)
    assert not places.leaves_country(refused, NEAR)
