"""A run as graded examples, in the shape that `yuzui route fit` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from yuzui.core.money import NANO
from yuzui.evaluation.calls import Result, judge_call
from yuzui.evaluation.examples import Example, Json, name_of, texts_of
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.evaluation.outcomes import Outcomes
from yuzui.evaluation.scorers._contract import Ask
from yuzui.evaluation.scorers.judges import PointwiseScorer

POINTWISE_SCORER = "pointwise"
SPLITS = frozenset(("train", "calib", "test"))


def _nothing(place: int, model: str) -> None:
    """Nobody was asked."""


def graded_rows(
    outcomes: Outcomes, scorer: str, models: Sequence[str], judgement: Callable[[int, str], Json | None] = _nothing
) -> tuple[list[Json], list[str]]:
    """(rows, why others are left out). `judgement`: of (place, model), as `graded.Judgement` has it.
    A row has a score of each of `models`: without one nobody could compare them.

       In a pairwise comparison the reference is measured by itself: 0.5. Splits are there if every row has
       one that fitting knows.
    """
    rows: list[Json] = []
    left_out: list[str] = []
    for place, example in enumerate(outcomes.examples):
        answers: dict[str, Json] = {}
        for model in models:
            result = outcomes.results.get((place, model))
            score = outcomes.score(place, model, scorer)
            if score is None and scorer.startswith("pairwise") and model == outcomes.settings.reference_model:
                score = 0.5
            if result is None or result.outcome != "answered" or score is None:
                state = "not asked" if result is None else result.outcome.replace("_", " ")
                why = state if result is None or result.outcome != "answered" else f"no score of {scorer}"
                left_out.append(f"{name_of(example, place)}: {model}: {why}")
                break
            answers[model] = _answer(model, result, score)
            if (said := judgement(place, model)) is not None:
                answers[model]["judged"] = said
        else:
            rows.append({**_facts(example, place), "answers": answers})
    if not all("split" in row for row in rows):  # fitting wants one of each example, or of none
        for row in rows:
            row.pop("split", None)
    return rows, left_out


def flat(row: Json) -> Json:
    """The same with one column per fact and model (`score:MODEL`), as Parquet wants it."""
    answers = row["answers"]
    columns = {f"{fact}:{model}": value for model, answer in answers.items() for fact, value in answer.items()}
    return {name: value for name, value in row.items() if name != "answers"} | columns


def _answer(model: str, result: Result, score: float) -> Json:
    answer: Json = {
        "score": score,
        "text": result.answer(model).said,
        "input_tokens": result.input_tokens,
        "output_tokens": result.output_tokens,
        "was_cut": result.finish_reason == "length",
    }
    if result.log_probabilities:
        answer["log_probabilities"] = list(result.log_probabilities)
    if result.cost_nano is not None and result.currency == "USD":
        answer["cost_usd"] = result.cost_nano / NANO
    return answer


def _facts(example: Example, place: int) -> Json:
    """What stands around the last question: what a router may look at before anybody answered."""
    asked = example.asked
    turns = [number for number, message in enumerate(asked) if message.get("role") == "user"]
    last = turns[-1] if turns else len(asked)
    system = [message for message in asked if message.get("role") in ("system", "developer")]
    earlier = [message for message in asked[:last] if message not in system]
    kinds = {
        str(part.get("type"))
        for message in asked
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if isinstance(part, dict)
    }
    schemas = [tool.get("function", {}).get("parameters") for tool in example.tools]
    schemas.append((example.response_format or {}).get("json_schema"))
    return {
        "id": name_of(example, place),
        "prompt": example.last_question,
        **({"group": example.group} if example.group else {}),
        **({"split": example.split} if example.split in SPLITS else {}),
        "system_characters": sum(map(len, texts_of(system))),
        "earlier_characters": sum(map(len, texts_of(earlier))),
        "turns": max(1, len(turns)),
        "tools": len(example.tools),
        "schema_characters": sum(len(msgspec.json.encode(schema)) for schema in schemas if schema),
        "has_images": "image_url" in kinds,
        "has_files": bool(kinds & {"file", "input_audio"}),
        "has_tool_results": any(message.get("role") == "tool" for message in asked),
    }


def judgement_of(outcomes: Outcomes, place: int, model: str, find: Callable[[str], Result | None]) -> Json | None:
    """What the run's judge said of one answer to `pointwise`; None where it was not asked, or said nothing.

    `find`: a kept call by its key.
    """
    score, result = outcomes.score(place, model, POINTWISE_SCORER), outcomes.results.get((place, model))
    judge = outcomes.settings.judge
    if score is None or result is None or not judge:
        return None
    (need,) = PointwiseScorer(name=POINTWISE_SCORER).needs(outcomes.examples[place], result.answer(model), None)
    assert isinstance(need, Ask)
    heard = find(judge_call(need, judge).key)
    said: Json = {"score": score, "by": judge, "question": POINTWISE}
    if heard is not None:
        said |= {"input_tokens": heard.input_tokens, "output_tokens": heard.output_tokens}
        if heard.cost_nano is not None and heard.currency == "USD":
            said["cost_usd"] = heard.cost_nano / NANO
    return said
