"""From a real gateway's own books to a verdict: nothing changes under the file that served, and gates end with 1."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import openai
import pytest

from fault_upstream import FaultUpstream, completion
from gateway_kit import gateway, without_names
from yuzui.core.errors import ConfigError

from .conftest import Run, Used

CONFIG = """
[masking]
kinds = ["email"]

[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own}"
model = "small"
premises = "own"
jurisdiction = "CN"
price = {{ currency = "USD", input = 0.1, output = 0.2 }}

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor}"
model = "big"
premises = "vendor"
clearance = "internal"
jurisdiction = "US"
price = {{ currency = "USD", input = 2, output = 8 }}

[[models]]
name = "assistant"
candidates = ["house/small", "vendor/big"]
policy = "own_first"

[[models]]
name = "drawn"
candidates = ["house/small", "vendor/big"]
policy = "weighted"

[[models]]
name = "outside"
candidates = ["vendor/big"]
"""
MAIL, CARD = "write to wang@corp.cn", "pay with 4111 1111 1111 1111"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder with some dozen requests of two keys, and the configuration that served them."""
    folder = tmp_path_factory.mktemp("served")
    return folder, asyncio.run(_serve(folder))


async def _serve(folder: Path) -> str:
    async with (
        FaultUpstream(lambda call: call.json(completion("ok"))) as own,
        FaultUpstream(lambda call: call.json(completion("ok"))) as vendor,
    ):
        text = CONFIG.format(own=own.base_url, vendor="http://localhost:" + vendor.base_url.rpartition(":")[2])
        text = without_names(text)
        async with gateway(text, {}, folder) as running:
            keys = [
                running.add_key(id="key_red", app="shop", team="red", seed=1),
                running.add_key(id="key_blue", app="desk", team="blue", own_only=True, seed=2),
            ]
            for key in keys:
                for model, said in [
                    ("assistant", "hello"), ("assistant", MAIL), ("assistant", CARD), ("outside", "hello"),
                    ("outside", MAIL), ("outside", CARD), ("drawn", "one"), ("drawn", "two"), ("drawn", "three"),
                    ("nobody", "hello"), ("vendor/big", "hello"),
                ]:  # fmt: skip
                    await _ask(running.client(key), model, said)
            await _ask(running.client("yz-wrong"), "assistant", "hello")
    return text


async def _ask(client: openai.AsyncOpenAI, model: str, said: str) -> None:
    try:
        await client.chat.completions.create(model=model, messages=[{"role": "user", "content": said}])
    except openai.APIStatusError as error:
        assert error.status_code in (401, 403, 404), error


def draft(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "draft.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_that_served_changes_nothing(run: Run, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, text = served
    gates = [part for gate in ("moved > 0", "newly_refused > 0", "left_house > 0", "left_country > 0",
                               "may_leave_house > 0", "relabelled > 0", "cost > 0%", "uncounted > 0")
             for part in ("--fail-if", gate)]  # fmt: skip
    result = run("backtest", "--config", draft(tmp_path, text), "--data-dir", folder, "--json", *gates)
    told = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (told["requests"], told["replayed"], told["not_routed"]) == (23, 22, {"invalid_api_key": 1})
    assert told["changes"] == told["leaving"] == []
    assert told["total"]["cost"]["before_nano"] == told["total"]["cost"]["after_nano"] > 0
    assert told["assumed"].keys() == {"conversation"}  # the same mail and card came twice


def test_a_draft_that_sends_work_outside_fails_its_gates_and_names_requests(
    run: Run, served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, text = served
    outside = draft(tmp_path, text.replace('policy = "own_first"', 'policy = "pinned"').replace(
        'candidates = ["house/small", "vendor/big"]', 'candidates = ["vendor/big", "house/small"]', 1))  # fmt: skip
    result = run("backtest", "--config", outside, "--data-dir", folder, "--json", "--fail-if", "left_house > 0",
                 "--fail-if", "left_house[team=blue] > 0", "--fail-if", "newly_refused > 0")  # fmt: skip
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert result.stderr == "gate failed: left_house > 0 (2)\n"
    moved = {(one["team"], one["label"], one["is_masked"]) for one in told["leaving"]}
    assert moved == {("red", "internal", False), ("red", "confidential", True)}  # the card is not maskable: it stays
    assert all(one["examples"][0].startswith("req_") for one in told["leaving"])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("shape", ["text", "markdown"])
def test_people_can_read_it(run: Run, served: tuple[Path, str], tmp_path: Path, shape: str, language: str) -> None:
    folder, text = served
    result = run("backtest", "--config", draft(tmp_path, text.replace("input = 2,", "input = 4,")), "--data-dir", folder,
                 "--format", shape, "--lang", language, "--fail-if", "cost > +5%")  # fmt: skip
    assert result.exit_code == 1
    assert ("FAILED" if language == "en" else "未通过") in result.stdout
    assert ("What was" in result.stdout or "How it was computed" in result.stdout) is (language == "en")
    assert ("|---" in result.stdout) is (shape == "markdown")


def test_a_copy_of_the_log_is_enough_and_says_what_it_lacks(run: Run, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, text = served
    shutil.copytree(folder / "audit", tmp_path / "copy")
    result = run("backtest", "--config", draft(tmp_path, text), "--data-dir", tmp_path / "copy", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert "keys are unknown" in result.stderr
    assert (told["replayed"], told["assumed"]["key"]) == (22, 22)
    assert told["total"]["left_house"] > 0  # nobody knows that this key never leaves the house


def test_one_team_a_factor_and_grades(run: Run, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, text = served
    graded = tmp_path / "graded.jsonl"
    graded.write_text('{"answers": {"small": 0.5, "big": 1}}\n' * 6, encoding="utf-8")
    away = text.replace('candidates = ["house/small", "vendor/big"]', 'candidates = ["vendor/big"]', 1)
    args = ("--config", draft(tmp_path, away), "--data-dir", folder, "--team", "red", "--graded", graded, "--json")
    plain = json.loads(run("backtest", *args).stdout)
    scaled = json.loads(run("backtest", *args, "--tokens-factor", "vendor/big=2").stdout)
    assert {one["team"] for one in plain["slices"]} == {"red"}
    assert plain["total"]["quality"]["change"] > 0
    assert scaled["total"]["cost"]["after_nano"] > plain["total"]["cost"]["after_nano"]


def test_home_and_the_old_configuration_can_be_named(run: Run, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, text = served
    old = tmp_path / "old.toml"
    old.write_text(text, encoding="utf-8")
    away = text.replace('candidates = ["house/small", "vendor/big"]', 'candidates = ["vendor/big"]', 1)
    args: tuple[Any, ...] = ("--config", draft(tmp_path, away), "--data-dir", folder, "--baseline", old, "--json")
    assert json.loads(run("backtest", *args).stdout)["total"]["left_country"] > 0
    both = json.loads(run("backtest", *args, "--home", "CN", "--home", "US").stdout)
    assert both["total"]["left_country"] == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--fail-if", "costs > 5%"), "no metric is named 'costs'"),
        (("--tokens-factor", "vendor/big"), "write a target of the draft and a number"),
        (("--tokens-factor", "vendor/big=0"), "write a target of the draft and a number"),
        (("--tokens-factor", "x=2"), "no target 'x'"),
        (("--since", "soon"), "is not a time"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "--until must be after --since"),
        (("--graded", "nothing.jsonl"), "nothing.jsonl"),
        (("--baseline", "nothing.toml"), "does not exist"),
        (("--data-dir", "nowhere"), "no books and no audit log"),
    ],
)
def test_bad_input_ends_with_two(
    run: Run, served: tuple[Path, str], tmp_path: Path, args: tuple[str, ...], says: str
) -> None:
    folder, text = served
    places = () if args[0] == "--data-dir" else ("--data-dir", folder)
    result = run("backtest", "--config", draft(tmp_path, text), *places, *args)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_broken_draft_ends_with_two(run: Run, served: tuple[Path, str], tmp_path: Path) -> None:
    result = run("backtest", "--config", draft(tmp_path, "[targets"), "--data-dir", served[0])
    assert (result.exit_code, "not valid TOML" in result.stderr) == (2, True)


def test_old_records_are_replayed(run: Run, used: Used, served: tuple[Path, str], tmp_path: Path) -> None:
    """The records of this folder lack everything that version 2 brought."""
    result = run("backtest", "--config", draft(tmp_path, served[1]), "--data-dir", used.folder, "--since", "2026-11-01",
                 "--json")  # fmt: skip
    told = json.loads(result.stdout)
    assert told["assumed"] == {"asked": 1, "key": 1, "maskable": 1}
    assert told["unknown_places"] == ["own/a"]


def test_factors_are_exact() -> None:
    from yuzui.cli.backtest import read_factor

    assert read_factor("a=b=1.1")[0] == "a=b"
    assert read_factor("a=1.1")[1] * 10 == 11
    with pytest.raises(ConfigError):
        read_factor("a=-1")
