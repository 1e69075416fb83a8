"""The page that leads from a file of prompts to a certified answer, walked to the letter in an empty folder.

`python tests/test_move_page.py` writes its table of what can be certified.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newcomer_kit import TwoModels, two_models, write_prompts
from yuzui.evaluation.betting import least_epsilon
from yuzui.evaluation.certify import RESERVE

HOW_TO = Path(__file__).parent.parent / "docs" / "how-to"
PAGES = {name: HOW_TO / name for name in ("move-to-open-models.md", "move-to-open-models.zh.md")}
MARKS = "<!-- least-epsilon -->", "<!-- /least-epsilon -->"


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for language, text in blocks(page) if language == "sh" for line in text.splitlines()]


# ---- the walk --------------------------------------------------------------------------------------------------------


class Reader:
    """Does what the page says, in a folder of their own with a home of their own."""

    def __init__(self, folder: Path, models: TwoModels) -> None:
        self.folder, self._models = folder, models
        (folder / "home").mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("YUZUI_", "XDG_"))}
        self._environ = {**kept, "HOME": str(folder / "home"), "OPENAI_API_KEY": "x", "COLUMNS": "200"}
        self.printed = ""

    def write(self, table: str) -> None:
        """Append to yuzui.toml, with the models where they are and the hash that was shown."""
        text = table.replace("http://127.0.0.1:8000/v1", self._models.url)
        text = text.replace('model = "gpt-5"', f'model = "gpt-5"\nbase_url = "{self._models.url}"')
        shown = re.findall(r'^router_sha256 = "([0-9a-f]{64})"', self.printed, re.MULTILINE)
        if "router_sha256" in text:
            assert tomllib.loads(text)["models"][0].keys() == tomllib.loads(self.shown_table())["models"][0].keys()
            text = re.sub(r'router_sha256 = ".*"', f'router_sha256 = "{shown[-1]}"', text)
        with (self.folder / "yuzui.toml").open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def shown_table(self) -> str:
        return self.printed[self.printed.index("[[models]]") :]

    def run(self, command: str, *, expects: int = 0) -> str:
        assert command.startswith("yuzui ")
        found = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)], cwd=self.folder, env=self._environ, capture_output=True,
            text=True, timeout=300,
        )  # fmt: skip
        assert found.returncode == expects, found.stdout + found.stderr
        self.printed = found.stdout
        return found.stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "yuzui", "serve", "--port", "0"], cwd=self.folder, env=self._environ,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None  # a pipe was asked for
        try:
            deadline = time.monotonic() + 60
            while (found := re.search(r"ready on (\S+)", process.stdout.readline())) is None:
                assert process.poll() is None and time.monotonic() < deadline
            yield found[1]
        finally:
            process.terminate()
            process.communicate(timeout=60)


def curl(command: str, address: str) -> str:
    """Status line, headers and body of what the command asks."""
    words = shlex.split(command.replace("http://127.0.0.1:8080", address))
    name, _, value = words[words.index("-H") + 1].partition(": ")
    data = words[words.index("-d") + 1].encode()
    with urllib.request.urlopen(urllib.request.Request(words[2], data=data, headers={name: value})) as reply:
        head = "\n".join(f"{header.lower()}: {text}" for header, text in reply.headers.items())
        return f"HTTP {reply.status}\n{head}\n\n{reply.read().decode()}"


def check_shown(expected: str, printed: str) -> None:
    """Every line that the page shows was printed, but for numbers, hashes, dates and the width of columns."""
    lines = {_shape(line) for line in printed.splitlines()}
    for line in expected.splitlines():
        if "reach vendor/large" not in line:  # the reader's vendor is elsewhere
            assert _shape(line) in lines, f"the page shows {line!r}, and this was printed:\n{printed}"


def _shape(line: str) -> str:
    line = re.sub(r"\([0-9a-f]{16}\)", "(#)", " ".join(line.split()))
    return re.sub(r"\d+", "#", line)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with two_models() as models:
        write_prompts(tmp_path / "prompts.jsonl", 200)
        yield Reader(tmp_path, models)


def test_the_page_leads_from_a_file_of_prompts_to_a_certified_answer(reader: Reader) -> None:
    page = PAGES["move-to-open-models.md"]
    before = page.read_text("utf-8").split("## Not certified")[0].count("```") // 2
    told = ""
    asked = ""
    for language, text in blocks(page)[:before]:
        match language:
            case "toml":
                reader.write(text)
            case "json":
                assert all({"prompt", "reference"} == json.loads(line).keys() for line in text.splitlines())
            case "text":
                check_shown(text, told)
            case "sh" if text.startswith("curl"):
                with reader.serving() as address:
                    told = asked = curl(text, address)
                assert (reader.folder / "home" / ".local").exists() or sys.platform != "linux"
            case "sh" if not text.startswith(("pip", "yuzui serve")):
                told = reader.run(text)
    assert "x-yuzui-guarantee: certified" in asked and "The answer is 79." in asked


def test_what_the_page_says_to_do_when_it_is_not_certified(reader: Reader) -> None:
    page = PAGES["move-to-open-models.md"]
    reader.write(next(text for language, text in blocks(page) if language == "toml"))
    start = next(command for command in commands(page) if command.startswith("yuzui route start"))
    careful = start.replace("--epsilon 0.05", "--epsilon 0.02")
    told = reader.run(careful, expects=1)
    section = page.read_text("utf-8").split("## Not certified")[1]
    check_shown(re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0], told)
    assert "certify an epsilon of 0.031 at best" in told and "About 63 more to certify on would do for 0.02" in told
    asked = reader._models.asked
    assert asked == 400

    larger = re.search(r"`(yuzui route certify .*?)`", section)
    assert larger is not None
    assert "with confidence 95%" in reader.run(larger[1])

    # More prompts: only the new ones are asked.
    write_prompts(reader.folder / "prompts.jsonl", 500)
    assert "at most 2.00% worse" in reader.run(f"{careful} --force")
    assert reader._models.asked == asked + 600


def test_without_right_answers_a_judge_compares(reader: Reader) -> None:
    page = PAGES["move-to-open-models.md"]
    write_prompts(reader.folder / "prompts.jsonl", 200, has_answers=False)
    reader.write(next(text for language, text in blocks(page) if language == "toml"))
    command = next(command for command in commands(page) if "--scorer pairwise" in command)
    told = reader.run(command)
    assert "at most 10.00% worse" in told and 'router = "judged.json"' in told
    judged = re.search(r"^judged\s+(\d+)$", told, re.MULTILINE)
    assert judged is not None  # equal answers are a tie, and nobody is asked
    assert 60 < int(judged[1]) < 130 and int(judged[1]) % 2 == 0


# ---- the page --------------------------------------------------------------------------------------------------------


def test_both_languages_show_the_same_blocks_and_the_same_table() -> None:
    english, chinese = PAGES.values()
    assert blocks(english) == blocks(chinese) and commands(english)
    assert table_of(english) == table_of(chinese)


def table_of(page: Path) -> list[str]:
    """Its rows, without the head, which is in the page's language."""
    text = page.read_text("utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    return [line for line in text.splitlines() if re.match(r"\| \d", line)]


def computed_table() -> list[str]:
    rows = []
    for count in (100, 250, 500, 1_000, 2_500):
        found = [least_epsilon(count, loss, loss * (1 - loss), RESERVE * 0.1) for loss in (0.0, 0.01, 0.02, 0.05)]
        cells = [f"{math.ceil(epsilon * 1000 - 1e-6) / 1000:.3f}" for epsilon in found]
        rows.append(f"| {2 * count:,} | {count:,} | {' | '.join(cells)} |")
    return rows


@pytest.mark.parametrize("page", PAGES)
def test_the_table_says_what_the_code_says(page: str) -> None:
    assert table_of(PAGES[page]) == computed_table(), "run: python tests/test_move_page.py"


def write_tables() -> None:
    for page in PAGES.values():
        text = page.read_text("utf-8")
        for old, new in zip(table_of(page), computed_table(), strict=True):
            text = text.replace(old, new)
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    write_tables()
