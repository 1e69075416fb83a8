from __future__ import annotations

import json

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
    assert shown.rstrip().splitlines()[-1].split()[:5] == ["total", "2", "10", "5", "0.0000015"]


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
