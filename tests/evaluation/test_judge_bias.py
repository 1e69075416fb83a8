"""Biases that are planted are found, and a fair judge has none."""

from __future__ import annotations

import random

import pytest

from yuzui.evaluation.judge_bias import Choice, Judged, bias_of, sign_test


def judged(first: Choice, second: Choice, human: Choice | None, *, longer: bool = True, own: bool = False) -> Judged:
    return Judged(
        orders=(first, second), human=human, answer_chars=200 if longer else 100, reference_chars=150, answer_is_own=own
    )


def test_a_fair_judge() -> None:
    pairs = [judged("answer", "answer", "answer"), judged("reference", "reference", "reference")] * 20
    found = bias_of(pairs, random.Random(0))
    assert (found.agreement, found.kappa, found.disagreements, found.position_p) == (1.0, 1.0, 0, 1.0)
    assert found.length is not None and found.length.value == 0
    assert found.own is None and found.labelled == 40


def test_a_judge_that_takes_the_first_place() -> None:
    found = bias_of([judged("answer", "reference", "answer")] * 20, random.Random(0))
    assert (found.to_first, found.to_second, found.disagreements) == (20, 0, 20)
    assert found.position_p == pytest.approx(2 / 2**20)
    assert found.agreement == 0.0  # contradicting itself is a tie


def test_a_judge_that_takes_the_longer_one_and_its_own() -> None:
    generator = random.Random(1)
    pairs = []
    for _ in range(200):
        human: Choice = generator.choice(("answer", "reference"))
        longer = generator.random() < 0.5
        said: Choice = ("answer" if longer else "reference") if generator.random() < 0.6 else human
        pairs.append(judged(said, said, human, longer=longer, own=longer))
    found = bias_of(pairs, generator)
    assert found.length is not None and found.length.excludes_zero and found.length.value > 0.15
    assert found.own is not None and found.own.excludes_zero


def test_without_labels_only_the_place_can_be_told() -> None:
    found = bias_of([judged("tie", "answer", None)] * 3, random.Random(0))
    assert (found.agreement, found.kappa, found.length, found.own) == (None, None, None, None)
    assert found.disagreements == 3 and found.to_first == 0


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1.0), (5, 5, 1.0), (6, 0, 2 / 64), (9, 1, 22 / 1024)])
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p) == sign_test(losses, wins)
