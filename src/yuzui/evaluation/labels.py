"""What people say of answers and references: which items there are, in which order they are shown, what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, hash_of
from yuzui.evaluation.judge_bias import Choice, Judged
from yuzui.evaluation.outcomes import Outcomes

Kind = Literal["review", "pairwise"]
TIE: Final = "tie"
ACCEPT, REJECT, CORRECT = "accept", "reject", "correct"


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a file of labels. The last one of an annotator on an item counts."""

    item: str
    kind: Kind
    by: str
    label: str
    """`accept`, `reject` or `correct`; of a pair: the name of the better model, or `tie`."""
    text: str = ""
    """With `correct`: what is right."""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something to be labelled. `texts`: (whose, what), one for a review, two for a pair, in the order of showing."""

    id: str
    kind: Kind
    question: str
    references: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]


def review_items(examples: Sequence[Example]) -> list[Item]:
    """Is the reference right? One item per example that has one."""
    return [
        Item(
            id=hash_of(example), kind="review", question=example.text, references=(),
            texts=(("reference", str(example.references[0])),),
        )
        for example in examples
        if example.references
    ]  # fmt: skip  # one thing


def answer_items(outcomes: Outcomes, model: str) -> list[Item]:
    """Is the answer of `model` right?"""
    found = []
    for place, example in enumerate(outcomes.examples):
        result = outcomes.results.get((place, model))
        if result is not None and result.outcome == "answered":
            found.append(
                Item(
                    id=f"{hash_of(example)} {model}", kind="review", question=example.text,
                    references=tuple(map(str, example.references)), texts=((model, result.text),),
                )
            )  # fmt: skip  # one thing
    return found


def pair_items(outcomes: Outcomes, left: str, right: str, by: str) -> list[Item]:
    """Which is better? Which side comes first depends on the item and on who looks, and people do not see names."""
    if left == right:
        raise ConfigError("a pair needs two models")
    found = []
    for place, example in enumerate(outcomes.examples):
        both = [(model, outcomes.results.get((place, model))) for model in sorted((left, right))]
        texts = [(model, result.text) for model, result in both if result is not None and result.outcome == "answered"]
        if len(texts) < 2 or texts[0][1] == texts[1][1]:
            continue
        item_id = pair_id(hash_of(example), left, right)
        if hashlib.sha256(f"{by}\0{item_id}".encode()).digest()[0] & 1:
            texts.reverse()
        found.append(
            Item(
                id=item_id, kind="pairwise", question=example.text, references=tuple(map(str, example.references)),
                texts=tuple(texts),
            )
        )  # fmt: skip  # one thing
    return found


def pair_id(example_hash: str, left: str, right: str) -> str:
    return " ".join([example_hash, *sorted((left, right))])


def pending(items: Iterable[Item], labels: Iterable[Label], by: str) -> list[Item]:
    """What `by` has not labelled yet."""
    done = {(label.item, label.kind) for label in labels if label.by == by}
    return [item for item in items if (item.id, item.kind) not in done]


def by_annotator(labels: Iterable[Label], kind: Kind) -> dict[str, dict[str, str]]:
    """Annotator → item → label, the last one each."""
    found: dict[str, dict[str, str]] = {}
    for label in labels:
        if label.kind == kind:
            found.setdefault(label.by, {})[label.item] = label.label
    return found


def agreed(labels: Iterable[Label], kind: Kind) -> dict[str, str]:
    """Item → what most annotators say; where two labels have as many: `tie` for a pair, nothing for a review."""
    votes: dict[str, dict[str, int]] = {}
    for given in by_annotator(labels, kind).values():
        for item, label in given.items():
            counts = votes.setdefault(item, {})
            counts[label] = counts.get(label, 0) + 1
    found = {}
    for item, counts in votes.items():
        most = max(counts.values())
        winners = [label for label, count in counts.items() if count == most]
        if len(winners) == 1:
            found[item] = winners[0]
        elif kind == "pairwise":
            found[item] = TIE
    return found


def corrected(examples: Sequence[Example], labels: Sequence[Label]) -> tuple[list[Example], int, int]:
    """(examples with reviewed references, so many corrected, so many left out because they were rejected).

    The last correction counts where several say `correct` in other words.
    """
    verdicts = agreed(labels, "review")
    texts = {label.item: label.text for label in labels if label.kind == "review" and label.label == CORRECT}
    kept: list[Example] = []
    changed = rejected = 0
    for example in examples:
        verdict = verdicts.get(hash_of(example))
        if verdict == REJECT:
            rejected += 1
            continue
        if verdict == CORRECT:
            example = msgspec.structs.replace(example, references=[texts[hash_of(example)]])
            changed += 1
        kept.append(example)
    return kept, changed, rejected


def judged_pairs(outcomes: Outcomes, labels: Sequence[Label]) -> list[Judged]:
    """Every pair that the run's judge compared, with what people say of it."""
    people = agreed(labels, "pairwise")
    settings = outcomes.settings
    reference, judge = settings.reference_model, settings.judge
    found = []
    for (place, model, scorer), grade in outcomes.grades.items():
        orders = grade.detail.get("orders")
        theirs = outcomes.results.get((place, reference))
        mine = outcomes.results.get((place, model))
        if not scorer.startswith("pairwise") or not orders or theirs is None or mine is None:
            continue
        first, second = orders
        found.append(
            Judged(
                orders=(first, second),
                human=_side(people, pair_id(hash_of(outcomes.examples[place]), model, reference), model),
                answer_chars=len(mine.text), reference_chars=len(theirs.text),
                answer_is_own=model == judge, reference_is_own=reference == judge,
            )
        )  # fmt: skip  # one thing
    return found


def _side(people: Mapping[str, str], item: str, model: str) -> Choice | None:
    label = people.get(item)
    if label is None:
        return None
    return "tie" if label == TIE else "answer" if label == model else "reference"
