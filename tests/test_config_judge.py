"""A judge that could leak, or could not answer, is refused before the gateway starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.config import read
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import JudgeRules

TARGETS = """
[[targets]]
name = "house/small"
provider = "vllm"
base_url = "http://127.0.0.1:1/v1"
model = "small"
price = "free"
[[targets]]
name = "house/low"
provider = "vllm"
base_url = "http://127.0.0.1:1/v1"
model = "small"
clearance = "internal"
price = "free"
[[targets]]
name = "house/plain"
provider = "vllm"
base_url = "http://127.0.0.1:1/v1"
model = "small"
lacks = ["json_schema"]
price = "free"
[[targets]]
name = "vendor/big"
provider = "openai"
model = "big"
clearance = "restricted"
price = "free"
[[models]]
name = "careful"
candidates = ["house/small", "vendor/big"]
"""


def judge(text: str) -> JudgeRules | None:
    return read(f"[sensitivity.judge]\n{text}\n{TARGETS}", {}, source=Path("t.toml")).sensitivity.judge


def test_a_judge_is_read_with_its_levels_and_when_it_is_asked() -> None:
    found = judge(
        'target = "house/small"\nlabels = { source_code = "confidential", trade_secret = "restricted" }\n'
        'models = ["careful", "vendor/big", "auto"]\napps = ["research"]\ndeadline_ms = 900\nmax_bytes = 4096'
    )
    assert found is not None
    assert list(found.labels.items()) == [("trade_secret", 3), ("source_code", 2)], "in one order, whatever the file's"
    assert (found.deadline_ms, found.max_bytes) == (900, 4096)
    assert found.asks("careful", "shop") and found.asks("anything", "research") and not found.asks("anything", "shop")


def test_without_names_everything_is_judged_and_without_the_table_nothing() -> None:
    found = judge('target = "house/small"\nlabels = { trade_secret = "restricted" }')
    assert found is not None and found.asks("anything", "anybody")
    assert read(TARGETS, {}, source=Path("t.toml")).sensitivity.judge is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('target = "house/small"', "missing required field `labels`"),
        ('target = "house/small"\nlabels = {}', "name at least one"),
        ('target = "house/small"\nlabels = { trade_secrets = "restricted" }', "did you mean 'trade_secret'"),
        ('target = "house/small"\nlabels = { trade_secret = "top" }', "no sensitivity level"),
        ('target = "house/smal"\nlabels = { trade_secret = "restricted" }', "did you mean 'house/small'"),
        ('target = "vendor/big"\nlabels = { trade_secret = "restricted" }', "is a vendor's"),
        ('target = "house/low"\nlabels = { trade_secret = "restricted" }', "cleared up to internal"),
        ('target = "house/plain"\nlabels = { trade_secret = "restricted" }', "JSON schema"),
        ('target = "house/small"\nlabels = { trade_secret = "restricted" }\nmodels = ["carefull"]', "did you mean 'careful'"),
        ('target = "house/small"\nlabels = { trade_secret = "restricted" }\ndeadline = 1', "unknown key"),
        ('target = "house/small"\nlabels = { trade_secret = "restricted" }\nmax_bytes = 0', "max_bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        judge(text)
    assert "sensitivity.judge" in refused.value.message and words in refused.value.message
