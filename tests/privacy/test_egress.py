"""The last look before bytes leave."""

from __future__ import annotations

import pytest

from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.privacy.egress import check_egress


def target(name: str, clearance: int) -> Target:
    return Target(
        name=name, provider="vllm", codec="openai", model="m", base_url="http://127.0.0.1:1", premises="own",
        clearance=clearance, jurisdiction="CN",
    )  # fmt: skip  # two lines say less than nine


def decision(*allowed: str, level: int = 3) -> Decision:
    return Decision(
        model="auto",
        policy="own_first",
        level=level,
        allowed=AllowedSet(frozenset(allowed)),
        plan=(),
        refused=(),
        why="",
    )


def sensitivity(level: int) -> Sensitivity:
    return Sensitivity(level=level, causes=(), kinds={})


@pytest.mark.parametrize(("clearance", "level"), [(3, 3), (3, 0), (0, 0)])
def test_an_allowed_target_with_clearance_passes(clearance: int, level: int) -> None:
    scanned = check_egress(decision("a"), target("a", clearance), sensitivity(level), "wire", b"{}")
    assert (scanned.wire, scanned.target) == ("wire", "a")


@pytest.mark.parametrize(("name", "clearance", "level", "decided"), [("b", 3, 0, 3), ("a", 1, 2, 3), ("a", 3, 3, 2)])
def test_anything_else_is_stopped(name: str, clearance: int, level: int, decided: int) -> None:
    with pytest.raises(PermissionError):
        check_egress(decision("a", level=decided), target(name, clearance), sensitivity(level), None, b"{}")
