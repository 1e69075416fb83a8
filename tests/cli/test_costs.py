from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run, Used


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("app", {"shop"}),
        ("team", {"web", ""}),
        ("key", {"key_1"}),
        ("model", {"assistant", "vendor/b"}),
        ("target", {"own/a", ""}),
        ("day", {"2026-11-18"}),
    ],
)
def test_costs_are_grouped_and_sum_to_the_same(run: Run, used: Used, by: str, names: set[str]) -> None:
    result = run("costs", "--since", "2026-11-01", "--by", by, "--data-dir", used.folder, "--json")
    told = json.loads(result.stdout)
    assert {row["name"] for row in told["rows"]} == names
    assert sum(row["spent_nano"] for row in told["rows"]) == told["total_nano"] == 1500
    assert sum(row["requests"] for row in told["rows"]) == 2


def test_a_table_ends_with_the_total(run: Run, used: Used) -> None:
    shown = run("costs", "--since", "2026-11-01", "--data-dir", used.folder).stdout
    (total,) = [line for line in shown.splitlines() if line.startswith("total")]
    assert total.split()[:5] == ["total", "2", "10", "5", "0.0000015"]
    assert "Spent: tokens as the target reported them" in shown  # how it was computed


def test_a_period_without_requests_says_so(run: Run, used: Used) -> None:
    result = run("costs", "--since", "2025-01-01", "--until", "2025-02-01", "--data-dir", used.folder)
    assert result.exit_code == 0
    assert result.stdout.startswith("nothing was asked")


@pytest.mark.parametrize("args", [["--since", "x"], ["--since", "2026-02-01", "--until", "2026-01-01"]])
def test_a_period_that_is_none_is_wrong_usage(run: Run, used: Used, args: list[str]) -> None:
    assert run("costs", *args, "--data-dir", used.folder).exit_code == 2


def test_a_start_in_the_future_is_called_that(run: Run, used: Used) -> None:
    result = run("costs", "--since", "9999-01-01", "--data-dir", used.folder)
    assert (result.exit_code, result.stderr) == (2, "error: --since lies in the future\n")


def test_moments_for_machines_name_their_zone(run: Run, used: Used) -> None:
    args = ("--since", "2026-11-01", "--until", "2026-12-01T08:00+08:00", "--data-dir", used.folder, "--json")
    shown = json.loads(run("costs", *args).stdout)
    assert (shown["since"], shown["until"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")


# ---- savings ---------------------------------------------------------------------------------------------------------

CONFIG = """
[[targets]]
name = "own/a"
provider = "vllm"
model = "m"
base_url = "http://127.0.0.1:1/v1"
price = "free"

[[targets]]
name = "vendor/b"
provider = "openai"
model = "gpt-6-luna"
api_key = { env = "OPENAI_API_KEY" }
price = { currency = "USD", input = 10, output = 100 }

[[models]]
name = "assistant"
candidates = ["own/a", "vendor/b"]
"""


def configure(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "yuzui.toml"
    path.write_text(CONFIG + more, "utf-8")
    return path


def test_savings_are_told_with_their_assumption(run: Run, used: Used, tmp_path: Path) -> None:
    configure(tmp_path, 'reference = "vendor/b"\n')
    args = ("costs", "--since", "2026-11-01", "--data-dir", used.folder)
    told = json.loads(run(*args, "--json").stdout)["savings"]
    # 10 in at 10 and 5 out at 100 per million; 1,500 nano were spent
    assert told["rows"] == [
        {"model": "assistant", "reference": "vendor/b", "requests": 1, "answered_elsewhere": 1, "spent_nano": 1500,
         "reference_nano": 600_000, "saved_nano": 598_500}
    ]  # fmt: skip
    assert told["total_nano"] == 598_500
    assert "config:" in told["assumption"] and "list price" in told["assumption"]
    shown = run(*args).stdout
    assert "Saved against everything to the reference" in shown and "0.0005985 USD" in shown
    assert "Assumed: the same input and output tokens" in shown


def test_a_reference_can_be_named_for_all(run: Run, used: Used, tmp_path: Path) -> None:
    configure(tmp_path)
    args = ("costs", "--since", "2026-11-01", "--data-dir", used.folder)
    assert "savings" not in json.loads(run(*args, "--json").stdout)
    assert "Saved" not in run(*args).stdout
    told = json.loads(run(*args, "--reference", "vendor/b", "--json").stdout)["savings"]
    assert told["total_nano"] == 598_500
    # The own target answered itself: nothing went elsewhere, nothing was saved.
    (row,) = json.loads(run(*args, "--reference", "own/a", "--json").stdout)["savings"]["rows"]
    assert (row["answered_elsewhere"], row["reference_nano"], row["saved_nano"]) == (0, 1500, 0)


def test_an_unknown_reference_is_wrong_usage(run: Run, used: Used, tmp_path: Path) -> None:
    configure(tmp_path)
    result = run("costs", "--reference", "vendor/c", "--data-dir", used.folder)
    assert result.exit_code == 2 and "did you mean 'vendor/b'" in result.stderr


def test_a_reference_without_a_price_saves_nothing_and_says_so(run: Run, used: Used, tmp_path: Path) -> None:
    path = configure(tmp_path, 'reference = "vendor/b"\n')
    text = path.read_text("utf-8").replace('price = { currency = "USD", input = 10, output = 100 }\n', "")
    path.write_text(text.replace("gpt-6-luna", "no-such-model"), "utf-8")
    result = run("costs", "--since", "2026-11-01", "--data-dir", used.folder)
    assert result.exit_code == 0 and "the price of the reference vendor/b is unknown" in result.stderr
    assert "Saved" not in result.stdout
    assert run("costs", "--reference", "vendor/b", "--data-dir", used.folder).exit_code == 2
