"""A kept request becomes an example; its answer a reference only where the terms allow the use."""

from __future__ import annotations

import pytest

from yuzui.capturing import Captured
from yuzui.core.capture import AnswerUse
from yuzui.evaluation.captured_rows import example_of


def kept(use: AnswerUse, answer: str | None = "hi") -> Captured:
    return Captured(
        request_id="req_1", at_ns=1, app="support", model="auto", target="vendor/b", level="internal", is_masked=True,
        messages=[{"role": "user", "content": "q"}], answer=answer, answer_use=use,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "use", "references"),
    [("none", "evaluate", []), ("evaluate", "evaluate", ["hi"]), ("evaluate", "train", []), ("train", "train", ["hi"])],
)
def test_terms(allowed: AnswerUse, use: AnswerUse, references: list[str]) -> None:
    example = example_of(kept(allowed), use)
    assert example.references == references and example.id == "req_1" and example.tags == ["level=internal"]
    assert example.source == f"captured from support, answered by vendor/b (terms: {allowed}), masked"


def test_no_answer_no_reference() -> None:
    assert example_of(kept("train", None), "evaluate").references == []
