"""Codes are stable, and every model fault is one that the command line reports."""

from __future__ import annotations

from yuzui.core.errors import YuzuiError
from yuzui.engine.faults import ModelFault, SourceFault, WrongContent


def test_codes_are_stable_and_distinct() -> None:
    assert [kind.code for kind in (ModelFault, SourceFault, WrongContent)] == [
        "model_unavailable", "model_source_unreachable", "model_content_wrong"]  # fmt: skip
    assert issubclass(ModelFault, YuzuiError) and issubclass(SourceFault, ModelFault)
