"""Kept requests as examples: the answer is a reference only where its target's terms allow the use."""

from __future__ import annotations

from yuzui.capturing import Captured
from yuzui.core.capture import AnswerUse, permits
from yuzui.evaluation.examples import Example


def example_of(captured: Captured, use: AnswerUse) -> Example:
    """`source` says where it was kept and who answered, so that nobody has to guess later."""
    is_usable = captured.answer is not None and permits(captured.answer_use, use)
    masked = ", masked" if captured.is_masked else ""
    return Example(
        id=captured.request_id,
        messages=captured.messages,
        tools=captured.tools,
        response_format=captured.response_format,
        references=[captured.answer] if is_usable else [],
        tags=[f"level={captured.level}"],
        source=f"captured from {captured.app}, answered by {captured.target} (terms: {captured.answer_use}){masked}",
    )
