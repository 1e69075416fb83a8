from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

TARGET = '[[targets]]\nname = "{name}"\nprovider = "{provider}"\nmodel = "{model}"\n{price}\n'


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    blocks = [
        TARGET.format(name="own/free", provider="scripted", model="m", price='price = "free"'),
        TARGET.format(
            name="v/priced", provider="deepseek", model="deepseek-chat",
            price='price = { currency = "USD", input = 0.28, cached_input = 0.028, output = 0.42 }',
        ),
        TARGET.format(name="v/listed", provider="openai", model="gpt-4o-mini", price=""),
        TARGET.format(name="v/unknown", provider="openai", model="no-such-model-42", price=""),
    ]  # fmt: skip
    models = '[[models]]\nname = "both"\ncandidates = ["own/free", "v/priced"]\n'
    path = tmp_path / "y.toml"
    path.write_text("\n".join(blocks) + models, "utf-8")
    return path


def test_configured_prices_are_shown_with_an_example(run: Run, settings: Path, tmp_path: Path) -> None:
    result = run("prices", "both", "--config", settings, "--data-dir", tmp_path / "data")
    assert result.exit_code == 0
    assert "0.28" in result.stdout and "0.0007 USD" in result.stdout and "config:" in result.stdout
    assert "v/listed" not in result.stdout


def test_listed_prices_name_their_source_and_version(run: Run, settings: Path, tmp_path: Path) -> None:
    result = run("prices", "v/listed", "--config", settings, "--data-dir", tmp_path / "data", "--json")
    (told,) = json.loads(result.stdout)
    assert told["version"].startswith("genai-prices==")
    assert told["example_1k_in_1k_out_nano"] > 0
    assert told["factors"] == {"service_tier=flex": "0.5"}


def test_an_unknown_price_exits_1_and_names_the_fix(run: Run, settings: Path, tmp_path: Path) -> None:
    result = run("prices", "--config", settings, "--data-dir", tmp_path / "data")
    assert result.exit_code == 1
    assert "v/unknown" in result.stderr and "price = " in result.stderr


def test_an_unknown_name_exits_1_with_the_names_that_exist(run: Run, settings: Path, tmp_path: Path) -> None:
    result = run("prices", "nothing", "--config", settings, "--data-dir", tmp_path / "data")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "v/priced" in result.stderr


def test_a_price_in_a_currency_without_a_rate_is_pointed_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cny.toml"
    price = 'price = { currency = "CNY", input = 2, output = 8 }'
    block = TARGET.format(name="v/cny", provider="deepseek", model="deepseek-chat", price=price)
    path.write_text(block, "utf-8")
    assert "[money.rates]" in run("prices", "--config", path, "--data-dir", tmp_path).stderr
    path.write_text(block + '[money]\nrates = { CNY = "0.14" }\n', "utf-8")
    assert "0.0014 USD" in run("prices", "--config", path, "--data-dir", tmp_path).stdout


def test_a_table_names_a_listed_source_in_short(run: Run, settings: Path, tmp_path: Path) -> None:
    shown = run("prices", "v/listed", "--config", settings, "--data-dir", tmp_path / "data").stdout
    assert "genai-prices " in shown and "genai-prices==" not in shown
