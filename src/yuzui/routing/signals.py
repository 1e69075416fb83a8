"""What a cascade looks at, as one row of named numbers: which ones there are depends on what it was fitted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import TestsRun
from yuzui.routing import own_text, surface
from yuzui.routing.agreement import agreement
from yuzui.routing.agreement import names as agreement_names
from yuzui.routing.own_text import Answered

Floats = npt.NDArray[np.float32]

JUDGED: Final = ("judged",)
TESTED: Final = ("tests_known", "tests_passed", "log_tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a cascade was fitted with besides the candidate's answer."""

    checks: int = 0
    """Second opinions."""
    is_judged: bool = False
    runs_tests: bool = False

    @property
    def portable_names(self) -> tuple[str, ...]:
        """Of the numbers that mean the same in every domain."""
        own = tuple(f"own_{name}" for name in own_text.NAMES)
        return (
            *agreement_names(self.checks), *own, *(JUDGED if self.is_judged else ()),
            *(TESTED if self.runs_tests else ()),
        )  # fmt: skip  # one thing

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that the full cascade looks at; the portable ones come first."""
        return (*self.portable_names, *surface.NAMES, "gain_up_front", "p_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An answer of the candidate, and what others say or show of it."""

    answered: Answered
    checks: Sequence[str] = ()
    """Texts of the second opinions, in the artefact's order."""
    samples: Sequence[str] = ()
    """Further answers of the candidate."""
    judged: float | None = None
    """How likely the judge holds it to be right, 0 to 1."""
    tests: TestsRun | None = None
    """What became of the tests that the request brings."""


def row_of(layout: Layout, evidence: Evidence, counted: Floats, gain: float, p_value: float) -> Floats:
    """One number per name of `layout.names`. Raise `ConfigError` where `evidence` lacks what the layout has.

    `counted`: of the request, as `surface.surface` gives it; `gain`: predicted before anybody answered.
    """
    if len(evidence.checks) != layout.checks:
        raise ConfigError(f"it was fitted with {layout.checks} second opinions, not {len(evidence.checks)}")
    parts = [agreement(evidence.answered.text, evidence.checks, evidence.samples), own_text.own_text(evidence.answered)]
    if layout.is_judged:
        if evidence.judged is None:
            raise ConfigError("it was fitted with what a judge says, and nobody judged")
        parts.append(np.array([evidence.judged], np.float32))
    if layout.runs_tests:
        if evidence.tests is None:
            raise ConfigError("it was fitted with tests that were run, and none were")
        tests = evidence.tests
        is_known = tests.count > 0
        parts.append(np.array([is_known, is_known and tests.passed, np.log1p(tests.count)], np.float32))
    return np.concatenate((*parts, counted, np.array([gain, p_value], np.float32)))
