from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.routing.surface import NAMES, Asked, surface


def of(text: str, **facts: int) -> dict[str, float]:
    asked = Asked(text=text, **facts)  # type: ignore[arg-type]  # numbers of a table, none of them a claim
    return dict(zip(NAMES, surface(asked).tolist(), strict=True))


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=300), st.integers(0, 10**9))
def test_any_request_has_finite_numbers_within_bounds(text: str, number: int) -> None:
    row = surface(Asked(text=text, system_characters=number, earlier_characters=number, tools=number))
    assert row.shape == (len(NAMES),)
    assert np.all(np.isfinite(row))
    assert np.all(np.abs(row) < 1e4)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Which?\nA. one\nB. two\n(c) three\nd) four", "options", 4),
        ("How many apples are there?", "asks_how_many", 1),
        ("苹果有多少?", "asks_how_many", 1),
        ("Return JSON with a schema", "wants_format", 2),
        ("def f():\n    return 1", "code_lines", np.log1p(2)),
        ("1,200 and 3.5", "largest_number", np.log1p(1200)),
        ("1,200 and 3.5", "decimals", 1),
        ("```py\n```", "fences", 2),
        ("字字字字", "cjk", 1),
        ("абв", "other_scripts", 1),
        ("12ab", "digits", 0.5),
        ("Is it? Or not?", "questions", 2),
        ("", "log_characters", 0),
    ],
)
def test_what_can_be_counted_is_counted(text: str, name: str, value: float) -> None:
    assert of(text)[name] == pytest.approx(value, abs=1e-5)


def test_facts_around_the_message_are_numbers_too() -> None:
    row = of("x", turns=3, tools=2, schema_characters=100, system_characters=50)
    assert row["log_turns"] == pytest.approx(np.log(3))
    assert row["tools"] == 2
    assert row["log_schema"] == pytest.approx(np.log1p(100))
    assert row["log_system"] == pytest.approx(np.log1p(50))


def test_names_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_only_the_ends_of_a_long_text_are_counted_but_its_length_is_known() -> None:
    row = of("?" + "x" * 5_000_000 + "?")
    assert row["questions"] == 2
    assert row["log_characters"] == pytest.approx(np.log1p(5_000_002))
