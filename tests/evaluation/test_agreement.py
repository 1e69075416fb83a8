"""Agreement has the values of worked examples."""

from __future__ import annotations

import pytest

from yuzui.evaluation.agreement import cohens_kappa, krippendorffs_alpha, pairwise_kappas, units_of


def test_kappa_of_a_worked_table() -> None:
    # 50 proposals: yes/yes 20, yes/no 5, no/yes 10, no/no 15. Observed 0.7, by chance 0.5: 0.4.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)


def test_kappa_at_its_ends() -> None:
    assert cohens_kappa([("a", "a"), ("b", "b")]) == 1
    assert cohens_kappa([("a", "b"), ("b", "a")]) == -1
    assert cohens_kappa([("a", "a")] * 5) is None
    assert cohens_kappa([]) is None


RELIABILITY = [  # Krippendorff 2011, section C: four observers, twelve units, with gaps
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4], [1, 1, 2, 1],
    [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip


def test_alpha_of_krippendorffs_own_data() -> None:
    units: list[list[str | float]] = [list(unit) for unit in RELIABILITY]
    assert krippendorffs_alpha(units) == pytest.approx(0.743, abs=5e-4)
    assert krippendorffs_alpha(units, "interval") == pytest.approx(0.849, abs=5e-4)


def test_alpha_at_its_ends() -> None:
    assert krippendorffs_alpha([["a", "a"], ["b", "b"]]) == 1
    assert krippendorffs_alpha([["a", "a"], ["a", "a"]]) is None
    assert krippendorffs_alpha([["a"], ["b"]]) is None
    assert krippendorffs_alpha([]) is None
    found = krippendorffs_alpha([["a", "b"], ["b", "a"]])
    assert found is not None and found < 0


def test_annotators_are_compared_on_what_both_labelled() -> None:
    labels = {"ann": {"1": "y", "2": "n", "3": "y"}, "bo": {"2": "n", "3": "y", "4": "y"}, "cy": {"9": "y"}}
    assert pairwise_kappas(labels) == {("ann", "bo"): (2, 1.0), ("ann", "cy"): (0, None), ("bo", "cy"): (0, None)}
    assert units_of(labels) == [["y"], ["n", "n"], ["y", "y"], ["y"], ["y"]]
