"""Items to label, who labelled what, what most say, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation_kit import OWN, VENDOR, outcomes
from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, hash_of
from yuzui.evaluation.labels import (
    Label,
    agreed,
    answer_items,
    corrected,
    judged_pairs,
    pair_id,
    pair_items,
    pending,
    review_items,
)
from yuzui.evaluation.scorers._contract import Grade


def label(item: str, text: str, by: str = "ann", kind: str = "pairwise", right: str = "") -> Label:
    return Label(item=item, kind=kind, by=by, label=text, text=right)  # type: ignore[arg-type]  # a test's own kind


def test_pairs_are_shown_in_an_order_that_depends_on_who_looks() -> None:
    run = outcomes(400)
    items = pair_items(run, OWN, VENDOR, "ann")
    assert {item.texts[0][0] for item in items} == {OWN, VENDOR}
    first = sum(item.texts[0][0] == OWN for item in items)
    assert 0.35 < first / len(items) < 0.65
    assert items == pair_items(run, VENDOR, OWN, "ann") != pair_items(run, OWN, VENDOR, "bo")
    assert all(item.texts[0][1] != item.texts[1][1] for item in items)
    with pytest.raises(ConfigError, match="two models"):
        pair_items(run, OWN, OWN, "ann")


def test_answers_and_references_are_reviewed() -> None:
    assert len(answer_items(outcomes(), VENDOR)) == 35
    examples = [Example(prompt="q", references=["r"]), Example(prompt="none")]
    (item,) = review_items(examples)
    assert (item.id, item.texts) == (hash_of(examples[0]), (("reference", "r"),))


def test_what_one_labelled_is_still_pending_for_another() -> None:
    items = pair_items(outcomes(), OWN, VENDOR, "ann")
    labels = [label(items[0].id, OWN), label(items[1].id, "tie", by="bo"), label(items[2].id, "accept", kind="review")]
    assert pending(items, labels, "ann") == items[1:]


def test_most_votes_count_and_the_last_word_of_each() -> None:
    labels = [label("i", "a"), label("i", "b"), label("i", "b", by="bo"), label("i", "a", by="cy")]
    assert agreed(labels, "pairwise") == {"i": "b"}
    assert agreed([label("i", "a"), label("i", "b", by="bo")], "pairwise") == {"i": "tie"}
    assert agreed([label("i", "accept", kind="review"), label("i", "reject", "bo", "review")], "review") == {}


def test_reviewed_references() -> None:
    examples = [Example(prompt=f"q{number}", references=["old"]) for number in range(3)]
    labels = [
        label(hash_of(examples[0]), "correct", kind="review", right="new"),
        label(hash_of(examples[1]), "reject", kind="review"),
    ]
    kept, changed, rejected = corrected(examples, labels)
    assert [example.references for example in kept] == [["new"], ["old"]] and (changed, rejected) == (1, 1)


def test_pairs_that_a_judge_and_people_saw() -> None:
    run = outcomes(8)
    grades = {
        (3, OWN, "pairwise"): Grade(score=1.0, detail={"verdict": "answer", "orders": ["answer", "answer"]}),
        (4, OWN, "pairwise"): Grade(score=0.5, detail={"verdict": "tie", "orders": ["answer", "reference"]}),
        (5, OWN, "pairwise"): Grade(score=None, detail={"why": "no verdict"}),
    }
    run = replace(run, grades=grades, settings=replace(run.settings, judge=OWN))
    item = pair_id(hash_of(run.examples[4]), OWN, VENDOR)
    found = judged_pairs(run, [label(item, VENDOR)])
    assert [(pair.orders, pair.human) for pair in found] == [
        (("answer", "answer"), None), (("answer", "reference"), "reference"),
    ]  # fmt: skip
    assert found[0].answer_is_own and not found[0].reference_is_own and found[1].answer_chars == len("wrong")
