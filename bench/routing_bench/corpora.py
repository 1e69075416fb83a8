"""Outcomes of real models as graded examples, read from the folder that `YUZUI_ROUTING_DATA` names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from yuzui.evaluation.graded import Graded, GradedAnswer
from yuzui.routing.artefact import Priced

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "YUZUI_ROUTING_DATA"
DEFAULT = ROOT.parent / "shared" / "routing"
SPLITS = {"train": "train", "calib": "calib", "public_test": "test"}

GPT4 = Priced(name="gpt-4-1106-preview", input_usd=24.7, output_usd=24.7)
MIXTRAL = Priced(name="mixtral-8x7b-instruct", input_usd=0.24, output_usd=0.24)
ZERO_REFERENCE = Priced(name="gpt-4o-2024-08-06", input_usd=5, output_usd=15)
ZERO_CANDIDATE = Priced(name="Meta-Llama-3.1-70B-Instruct", input_usd=0.4, output_usd=0.4)
ZERO_CHECKS = tuple(
    Priced(name=name, input_usd=0.1, output_usd=0.1)
    for name in ("Meta-Llama-3.1-8B-Instruct", "Qwen2-7B-Instruct", "gemma-2-9b-it")
)
PRO_REFERENCE = Priced(name="gpt-4o", input_usd=5, output_usd=15)
PRO_CANDIDATE = Priced(name="Meta-Llama-3_1-70B-Instruct", input_usd=0.4, output_usd=0.4)
PRO_CHECKS = tuple(
    Priced(name=name, input_usd=0.1, output_usd=0.1)
    for name in ("Meta-Llama-3_1-8B-Instruct", "mathstral-7B", "Phi-3-mini-4k-instruct")
)
SMALL_CHECK = Priced(name="Meta-Llama-3.1-8B-Instruct", input_usd=0.1, output_usd=0.1)


class NoData(Exception):
    """A file of the folder is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    name: str
    examples: tuple[Graded, ...]
    reference: Priced
    candidate: Priced
    checks: tuple[Priced, ...] = ()

    def part(self, *splits: str) -> list[Graded]:
        return [example for example in self.examples if example.split in splits]

    def without(self, group: str) -> Corpus:
        """For fitting on the other groups only."""
        return replace(self, examples=tuple(example for example in self.examples if example.group != group))

    def only(self, group: str) -> Corpus:
        return replace(self, examples=tuple(example for example in self.examples if example.group == group))


def read(name: str) -> list[dict[str, Any]]:  # Any: rows of a table
    path = Path(os.environ.get(VARIABLE, DEFAULT)) / f"{name}.parquet"
    if not path.is_file():
        raise NoData(f"{path} is not there: name the folder with {VARIABLE}; without it nothing is measured")
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def mmlu() -> Corpus:
    examples = tuple(
        Graded(
            id=row["query_id"], prompt=row["prompt"], group=row["domain"], split=SPLITS[row["split"]],
            answers={
                model.name: GradedAnswer(score=float(row[f"{model.name}_correct"]), output_tokens=1)
                for model in (GPT4, MIXTRAL)
            },
        )
        for row in read("routellm_mmlu")
    )  # fmt: skip  # one thing
    return Corpus(name="mmlu", examples=examples, reference=GPT4, candidate=MIXTRAL)


def gsm8k(*, is_checked: bool) -> Corpus:
    """`is_checked`: with the answer of one 8B model, which ZeroEval asked the same questions."""
    prompts = {row["query_id"]: row["prompt"] for row in read("zeroeval_questions")}
    texts = {
        prompts[row["query_id"]]: row["output"]
        for row in read("zeroeval_outputs_selected")
        if row["model"] == SMALL_CHECK.name and row["query_id"].startswith("gsm")
    }
    examples = []
    for row in read("routellm_gsm8k"):
        answers = {
            model.name: GradedAnswer(score=float(row[f"{model.name}_correct"]), text=row[f"{model.name}_response"])
            for model in (GPT4, MIXTRAL)
        }
        if is_checked:
            answers[SMALL_CHECK.name] = GradedAnswer(score=0.0, text=texts[row["prompt"]])  # its score is not used
        examples.append(
            Graded(id=row["query_id"], prompt=row["prompt"], split=SPLITS[row["split"]], answers=answers)
        )  # fmt: skip
    checks = (SMALL_CHECK,) if is_checked else ()
    name = "gsm8k, one check" if is_checked else "gsm8k"
    return Corpus(name=name, examples=tuple(examples), reference=GPT4, candidate=MIXTRAL, checks=checks)


def zeroeval() -> Corpus:
    models = (ZERO_REFERENCE, ZERO_CANDIDATE, *ZERO_CHECKS)
    names = {model.name for model in models}
    texts = {(row["query_id"], row["model"]): row["output"] for row in read("zeroeval_outputs_selected")}
    results = {(row["query_id"], row["model"]): row for row in read("zeroeval_results") if row["model"] in names}
    examples = tuple(
        Graded(
            id=row["query_id"], prompt=row["prompt"], group=row["dataset"], split=SPLITS[row["split"]],
            answers={
                model.name: GradedAnswer(
                    score=float(results[row["query_id"], model.name]["correct"]),
                    text=texts.get((row["query_id"], model.name)) or _said(results[row["query_id"], model.name]),
                    input_tokens=row["prompt_tokens"],
                    output_tokens=results[row["query_id"], model.name]["completion_tokens"],
                )
                for model in models
            },
        )
        for row in read("zeroeval_questions")
    )  # fmt: skip  # one thing
    return Corpus(
        name="zeroeval", examples=examples, reference=ZERO_REFERENCE, candidate=ZERO_CANDIDATE, checks=ZERO_CHECKS
    )


def _said(result: dict[str, Any]) -> str:  # Any: a row of a table
    """Where only the parsed answer of a second opinion was kept."""
    return f"#### {result['parsed_answer']}" if result["parsed_answer"] else "no answer"


def mmlu_pro() -> Corpus:
    models = (PRO_REFERENCE, PRO_CANDIDATE, *PRO_CHECKS)
    names = {model.name for model in models}
    results = {(row["question_id"], row["model"]): row for row in read("mmlu_pro_results") if row["model"] in names}
    texts = {(row["question_id"], row["model"]): row["output"] for row in read("mmlu_pro_outputs")}
    examples = []
    for row in read("mmlu_pro_questions"):
        options = "\n".join(f"{chr(65 + place)}. {text}" for place, text in enumerate(json.loads(row["options"])))
        answers = {}
        for model in models:
            result = results[row["question_id"], model.name]
            letter = f"The answer is ({result['pred']})." if result["pred"] else "no answer"
            answers[model.name] = GradedAnswer(
                score=float(result["correct"]), text=texts.get((row["question_id"], model.name)) or letter,
                output_tokens=result["completion_tokens"],
            )  # fmt: skip  # one thing
        examples.append(
            Graded(
                id=str(row["question_id"]), prompt=f"{row['question']}\n{options}", group=row["category"],
                split=SPLITS[row["split"]], answers=answers,
            )
        )  # fmt: skip  # one thing
    return Corpus(
        name="mmlu_pro", examples=tuple(examples), reference=PRO_REFERENCE, candidate=PRO_CANDIDATE, checks=PRO_CHECKS
    )
