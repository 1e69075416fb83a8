from __future__ import annotations

import pytest
from msgspec.structs import replace

from graded_kit import CANDIDATE, REFERENCE, examples
from yuzui.core.errors import ConfigError
from yuzui.evaluation.graded import (
    Costs,
    Graded,
    GradedAnswer,
    Judgement,
    check_apart,
    check_examples,
    check_judged,
    hash_of,
    prompts_of,
    split_of,
)


def one(**answers: GradedAnswer) -> Graded:
    return Graded(prompt="p" * 400, answers=dict(answers))


def test_every_model_must_have_a_score_between_0_and_1() -> None:
    with pytest.raises(ConfigError, match=r"example 2 has no answer of b \(the file has answers of: a, b\)"):
        check_examples(
            [one(a=GradedAnswer(score=1), b=GradedAnswer(score=0)), one(a=GradedAnswer(score=1))], ["a", "b"]
        )
    for score in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="not between 0 and 1"):
            check_examples([one(a=GradedAnswer(score=score))], ["a"])
    with pytest.raises(ConfigError, match="no examples"):
        check_examples([], ["a"])


def test_a_hundred_faults_are_told_as_five_and_a_number() -> None:
    with pytest.raises(ConfigError, match="and 95 more"):
        check_examples([one()] * 100, ["a"])


def test_without_split_a_prompt_always_falls_into_the_same_half() -> None:
    made = examples(400, 3)
    train, calib = split_of(made, "train"), split_of(made, "calib")
    assert len(train) + len(calib) == 400
    assert 150 < len(train) < 250
    assert not {example.prompt for example in train} & {example.prompt for example in calib}
    assert split_of(made[::-1], "train") == train[::-1]


def test_named_splits_are_taken_as_they_are_and_all_or_none_is_named() -> None:
    made = [
        replace(example, split=split) for example, split in zip(examples(3, 1), ("train", "calib", "test"), strict=True)
    ]
    assert [len(split_of(made, split)) for split in ("train", "calib", "test")] == [1, 1, 1]
    with pytest.raises(ConfigError, match="1 of 3 examples have no `split`"):
        split_of([*made[:2], replace(made[2], split="")], "train")
    with pytest.raises(ConfigError, match="not dev"):
        split_of([replace(made[0], split="dev")], "train")


def test_certifying_on_what_was_fitted_is_refused() -> None:
    fitted = prompts_of(examples(50, 2))
    check_apart("it", examples(5, 1), fitted)
    with pytest.raises(ConfigError, match=r"1 of 6 prompts are among those that it was fitted on.*certify on others"):
        check_apart("it", [*examples(5, 1), examples(50, 2)[17]], fitted)


def test_the_hash_knows_every_fact_and_the_order() -> None:
    made = examples(3, 1)
    changed = [replace(made[0], turns=2), *made[1:]]
    assert len({hash_of(made), hash_of(changed), hash_of(made[::-1])}) == 3


def test_costs_are_as_given_else_tokens_times_price_else_guessed_and_they_say_so() -> None:
    costs = Costs({model.name: model for model in (REFERENCE, CANDIDATE)})
    example = one(
        big=GradedAnswer(score=1, cost_usd=0.5), small=GradedAnswer(score=1, input_tokens=100, output_tokens=10)
    )  # fmt: skip
    assert costs.of(example, "big") == 0.5
    assert costs.of(example, "small") == pytest.approx((100 * 0.1 + 10 * 0.2) / 1e6)
    guessed = one(small=GradedAnswer(score=1, text="x" * 40))
    assert costs.of(guessed, "small") == pytest.approx((100 * 0.1 + 10 * 0.2) / 1e6)
    assert costs.basis.startswith("1 calls as given per answer; 1 calls tokens times price; 1 calls tokens guessed")


def test_an_unknown_price_is_an_error_and_never_zero() -> None:
    with pytest.raises(ConfigError, match="--price other=IN/OUT"):
        Costs({}).of(one(other=GradedAnswer(score=1)), "other")


def test_examples_without_judgements_have_the_hash_that_they_always_had() -> None:
    some = [Graded(prompt="p", answers={"a": GradedAnswer(score=1.0, text="x")}, id="1")]
    assert hash_of(some) == "17d9218fa7c96f2317fe0fa772a8913cf02c95e7f30c1492ab5cb6a9d06dcf0e"
    word = Judgement(score=0.5, by="umpire", question="q")
    said = [replace(some[0], answers={"a": replace(some[0].answers["a"], judged=word)})]
    assert hash_of(said) != hash_of(some)


def test_judging_costs_what_it_did_or_tokens_times_price_or_a_guess() -> None:
    def judged_for(**facts: object) -> Graded:
        word = Judgement(score=0.5, by="big", question="q", **facts)  # type: ignore[arg-type]  # its numbers
        return one(a=GradedAnswer(score=1.0, text="t" * 400, judged=word))

    costs = Costs({"big": REFERENCE})
    assert costs.of_judging(judged_for(cost_usd=0.25), "a") == 0.25
    assert costs.of_judging(judged_for(input_tokens=100, output_tokens=10), "a") == pytest.approx(1300e-6)
    assert costs.of_judging(judged_for(), "a") == pytest.approx((200 * 10 + 150 * 30) / 1e6)
    assert "as given" in costs.basis and "guessed" in costs.basis and "tokens times price" in costs.basis
    with pytest.raises(ConfigError, match="--price big=IN/OUT"):
        Costs({}).of_judging(judged_for(), "a")


@pytest.mark.parametrize(
    "facts", [{"cost_usd": -1.0}, {"cost_usd": float("nan")}, {"input_tokens": -5, "output_tokens": 1}]
)
def test_nothing_costs_less_than_nothing(facts: dict[str, float]) -> None:
    answer = GradedAnswer(score=1.0, **facts)  # type: ignore[arg-type]  # its numbers
    with pytest.raises(ConfigError, match="never negative"):
        Costs({"a": REFERENCE}).of(one(a=answer), "a")


def test_a_judgement_outside_of_0_and_1_is_refused() -> None:
    word = Judgement(score=1.5, by="umpire", question="q")
    with pytest.raises(ConfigError, match=r"judge's score of a is 1.5.*--judge umpire"):
        check_judged([one(a=GradedAnswer(score=1.0, judged=word))], "a", "umpire", "q")
    check_judged([one(a=GradedAnswer(score=1.0, judged=replace(word, score=1.0)))], "a", "umpire", "q")
