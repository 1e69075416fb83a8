"""The join of everything known about a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import CONFIDENTIAL, INTERNAL, RESTRICTED, make_rules
from yuzui.core.sensitivity import Cause, Finding
from yuzui.privacy.label import label, raised_by
from yuzui.privacy.scan import NOTHING, ScanResult

RULES = make_rules(unscannable=CONFIDENTIAL)


def scan(*kinds: str, unscannable: tuple[str, ...] = (), failures: tuple[str, ...] = ()) -> ScanResult:
    findings = tuple(Finding(kind=kind, detector=kind, start=0, end=1) for kind in kinds)
    return ScanResult(findings=findings, unscannable=unscannable, failures=failures)


@pytest.mark.parametrize(
    ("result", "floor", "remembered", "level", "sources"),
    [
        (NOTHING, 0, None, INTERNAL, ["default"]),
        (NOTHING, CONFIDENTIAL, None, CONFIDENTIAL, ["floor"]),
        (scan("email"), 0, None, CONFIDENTIAL, ["finding"]),
        (scan("email", "bank_card", "email"), 0, None, RESTRICTED, ["finding", "finding"]),
        (scan("cn_social_credit_code"), 0, None, INTERNAL, ["default"]),
        (scan(unscannable=("image_url",)), 0, None, CONFIDENTIAL, ["unscanned"]),
        (NOTHING, 0, RESTRICTED, RESTRICTED, ["conversation"]),
        (NOTHING, 0, 0, INTERNAL, ["default"]),
        (scan(failures=("email",)), 0, None, RESTRICTED, ["detector_failure"]),
        (scan("email"), RESTRICTED, CONFIDENTIAL, RESTRICTED, ["floor", "finding", "conversation"]),
        (scan("a_kind_without_a_level"), 0, None, RESTRICTED, ["finding"]),
    ],
)
def test_the_highest_cause_sets_the_level_and_stands_first(
    result: ScanResult, floor: int, remembered: int | None, level: int, sources: list[str]
) -> None:
    sensitivity = label(RULES, floor=floor, scan=result, remembered=remembered)
    assert sensitivity.level == level
    assert [cause.source for cause in sensitivity.causes] == sources
    assert sensitivity.causes[0].level == level


def test_findings_are_counted_by_kind_also_when_they_raise_nothing() -> None:
    assert label(RULES, floor=0, scan=scan("email", "email", "iban"), remembered=None).kinds == {"email": 2, "iban": 1}
    assert label(RULES, floor=0, scan=scan("cn_social_credit_code"), remembered=None).kinds == {
        "cn_social_credit_code": 1
    }


def test_rules_are_counted_with_their_versions_and_survive_a_further_cause() -> None:
    one = Finding(kind="email", detector="email", rule="plain", version="1", start=0, end=1)
    other = Finding(kind="email", detector="variant", rule="full", version="2", start=0, end=1)
    known = label(RULES, floor=0, scan=ScanResult(findings=(one, one, other)), remembered=None)
    assert known.rules == {"email/plain@1": 2, "variant/full@2": 1}
    raised = raised_by(RULES, known, [Cause(source="judge", level=RESTRICTED, detail="trade_secret")])
    assert (raised.level, raised.rules, raised.kinds) == (RESTRICTED, known.rules, known.kinds)


def test_requests_without_anything_share_one_label() -> None:
    assert label(RULES, floor=0, scan=NOTHING, remembered=None) is label(RULES, floor=0, scan=NOTHING, remembered=None)


@given(
    st.lists(st.sampled_from(sorted(RULES.kinds)), max_size=4),
    st.integers(0, 3),
    st.none() | st.integers(0, 3),
    st.booleans(),
    st.booleans(),
)
def test_the_label_is_the_join_and_never_below_any_part(
    kinds: list[str], floor: int, remembered: int | None, is_opaque: bool, is_broken: bool
) -> None:
    result = scan(*kinds, unscannable=("file",) * is_opaque, failures=("x",) * is_broken)
    parts = [RULES.default, floor, remembered or 0, *(RULES.kinds[kind] for kind in kinds)]
    parts += [RULES.unscannable] * is_opaque + [RULES.lattice.top] * is_broken
    assert label(RULES, floor=floor, scan=result, remembered=remembered).level == max(parts)
