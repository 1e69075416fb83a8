from __future__ import annotations

import pytest

from yuzui.backtest.quality import GradedExamples, read_scores
from yuzui.core.errors import ConfigError

EXAMPLES = [{"a": 1.0, "b": 0.5, "big": 1.0}, {"a": 0.0, "b": 0.5, "big": 1.0}] * 5


def test_only_what_moves_changes_the_mean() -> None:
    told = GradedExamples(EXAMPLES, {}).change({("a", "a"): 50, ("a", "big"): 50})
    assert told is not None
    assert told.change == pytest.approx(0.25)
    assert told.low is not None
    assert told.low < 0.25
    assert (told.examples, told.unknown) == (10, 0)


def test_examples_may_name_the_model_behind_a_target() -> None:
    told = GradedExamples(EXAMPLES, {"vendor/x": "big"}).change({("a", "vendor/x"): 1})
    assert told is not None
    assert told.change == pytest.approx(0.5)


def test_moves_between_what_was_not_graded_are_counted_or_leave_nothing_to_say() -> None:
    graded = GradedExamples(EXAMPLES, {})
    assert graded.change({("a", "new"): 5}) is None
    assert graded.change({}) is None
    told = graded.change({("a", "new"): 5, ("a", "b"): 5})
    assert told is not None
    assert told.unknown == 5
    staying = graded.change({("x", "x"): 5})
    assert staying is not None
    assert staying.change == 0


def test_only_examples_with_every_grade_are_used() -> None:
    told = GradedExamples([*EXAMPLES, {"a": 1.0}], {}).change({("a", "b"): 1, ("a", "big"): 1})
    assert told is not None
    assert told.examples == 10


def test_scores_are_read_nested_bare_and_flat() -> None:
    lines = [
        b'{"prompt": "p", "answers": {"a": {"score": 0.5, "text": "t"}, "b": 1}}',
        b"",
        b'{"score:a": 0, "id": "x"}',
    ]
    assert read_scores(lines, "f") == [{"a": 0.5, "b": 1.0}, {"a": 0.0}]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[1]", "f:1 is not one JSON object"),
        (b'{"answers": 3}', "must be an object"),
        (b'{"answers": {"a": 2}}', "the score of 'a' is 2"),
        (b'{"score:a": "x"}', "the score of 'a' is 'x'"),
        (b'{"answers": {"a": {}}}', "is None"),
        (b'{"prompt": "p"}', "no graded examples"),
    ],
)
def test_bad_lines_are_named(line: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_scores([line], "f")


def test_it_says_what_it_rests_on() -> None:
    graded = GradedExamples(EXAMPLES, {})
    told, staying = graded.change({("a", "big"): 1}), graded.change({("a", "a"): 1})
    assert told is not None and staying is not None
    assert (told.how, staying.how) == ("graded", "unmoved")
