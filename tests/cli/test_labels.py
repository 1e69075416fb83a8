"""Labels are shown and lowered from a shell, beside a running gateway and without one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from books_kit import a_closing
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord, read_record, write_record
from yuzui.cli import _orders
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.secrets import load_secrets
from yuzui.privacy.conversation import ConversationMemory

from .conftest import Run

CONFIG = """
[sensitivity]
declassifiers = ["Ann Lee"]
[[targets]]
name = "own/a"
provider = "scripted"
model = "own"
premises = "own"
price = "free"
[[targets]]
name = "vendor/b"
provider = "scripted"
model = "vendor"
premises = "vendor"
price = "free"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yuzui.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def lower(run: Run, folder: Path, config: Path, what: str, **changes: str) -> Any:  # Any: typer's result
    options = {"--to": "internal", "--by": "Ann Lee", "--reason": "Published.", **changes}
    flat = [part for pair in options.items() for part in pair]
    return run("labels", "declassify", what, *flat, "--config", config, "--data-dir", folder, "--json")


def remember(folder: Path, *names: tuple[str, str]) -> None:
    """A folder as a gateway leaves it that learnt labels of conversations, (key, name) each."""
    books = SqliteBooks.open(folder, exclusive=True)
    memory = ConversationMemory(load_secrets(folder).memory_key, capacity=100)

    async def work() -> None:
        for number, (key, name) in enumerate(names):
            learnt = memory.learn(key, {"messages": []}, name, 3, ["An answer that was given under a label."])
            record = RequestRecord(id=f"req_{number}", at="x", key_id=key, conversation=learnt.conversation.hex())
            await books.close(a_closing(f"req_{number}", memory=learnt, record=write_record(record)))
        await books.close(a_closing("req_plain", record=write_record(RequestRecord(id="req_plain", at="x"))))

    asyncio.run(work())
    books.stop()


@pytest.mark.parametrize("what", ["chat-7", "req_0"])
def test_without_a_gateway_it_is_done_at_once_and_recorded(run: Run, tmp_path: Path, config: Path, what: str) -> None:
    folder = tmp_path / "data"
    remember(folder, ("loopback", "chat-7"))
    before = json.loads(run("labels", "show", what, "--config", config, "--data-dir", folder, "--json").stdout)
    assert before["label"] == "restricted" and before["key_id"] == "loopback" and before["entries"] >= 2
    done = lower(run, folder, config, what)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["to"] == "internal" and told["leaf_index"] == 2
    shown = run("labels", "show", what, "--config", config, "--data-dir", folder)
    assert "internal" in shown.stdout and before["conversation"] in shown.stdout
    story = run("explain", told["id"], "--data-dir", folder)
    for word in ("Ann Lee", "Published.", "from restricted to internal", before["conversation"]):
        assert word in story.stdout
    again = lower(run, folder, config, what)
    assert again.exit_code == 1 and "not above internal" in again.stderr


@pytest.mark.parametrize(
    ("what", "changes", "words"),
    [
        ("chat-7", {"--by": "Mallory"}, "declassifiers"),
        ("chat-7", {"--to": "secret"}, "no sensitivity level"),
        ("chat-7", {"--reason": " "}, "a reason has"),
        ("chat-8", {}, "no request and no labelled conversation"),
        ("req_plain", {}, "taught no label"),
        ("chat-7", {"--key": "key_none"}, "no key"),
    ],
)
def test_what_cannot_be_done_says_why(
    run: Run, tmp_path: Path, config: Path, what: str, changes: dict[str, str], words: str
) -> None:
    folder = tmp_path / "data"
    remember(folder, ("loopback", "chat-7"))
    refused = lower(run, folder, config, what, **changes)
    assert refused.exit_code == 2 and words in refused.stderr
    books = SqliteBooks.open(folder, exclusive=False)
    assert books.open_orders() == [] and books.size() == 2
    books.stop()


def test_two_keys_may_have_conversations_of_one_name(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"
    made = json.loads(run("keys", "create", "--app", "a", "--data-dir", folder, "--json").stdout)["id"]
    remember(folder, ("loopback", "chat-7"), (made, "chat-7"))
    assert "name one with --key" in lower(run, folder, config, "chat-7").stderr
    assert lower(run, folder, config, "chat-7", **{"--key": made}).exit_code == 0
    left = run("labels", "show", "chat-7", "--key", "loopback", "--config", config, "--data-dir", folder, "--json")
    assert json.loads(left.stdout)["label"] == "restricted"


def test_a_running_gateway_does_it_within_a_second(run: Run, tmp_path: Path, config: Path) -> None:
    async def ask(running: RunningGateway, text: str) -> str:
        answer = await running.client().chat.completions.with_raw_response.create(
            model="auto", messages=[{"role": "user", "content": text}], extra_headers={"x-yuzui-conversation": "chat-7"}
        )
        return answer.headers["x-yuzui-sensitivity"]

    async def main() -> None:
        folder = tmp_path / "data"
        async with gateway(CONFIG, data_dir=folder) as running:
            card = "4111 1111 1111 " + "1111"
            assert await ask(running, f"Charge {card}, please") == "restricted"
            assert await ask(running, "And now?") == "restricted"
            began = time.monotonic()
            done = await asyncio.to_thread(lower, run, folder, config, "chat-7")
            assert done.exit_code == 0, done.stderr
            assert await ask(running, "And now?") == "internal"
            assert time.monotonic() - began < 5  # twice a second, on a busy machine
            assert await ask(running, f"Charge {card}, please") == "restricted", "found anew"
            records = [record for record in await running.records() if record.declassified]
            assert len(records) == 1 and records[0].declassified is not None
            assert records[0].declassified.by == "Ann Lee"
            assert await asyncio.to_thread(running.service.books.verify_sums) == []

    asyncio.run(main())
    verified = run("audit", "verify", "--data-dir", tmp_path / "data")
    assert verified.exit_code == 0, verified.stdout


def test_a_gateway_that_does_not_answer_is_told_of(
    run: Run, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    remember(folder, ("loopback", "chat-7"))
    monkeypatch.setattr(_orders, "PATIENCE_S", 0.3)
    held = SqliteBooks.open(folder, exclusive=True)  # a gateway that does not look for orders
    waits = lower(run, folder, config, "chat-7")
    assert waits.exit_code == 2 and "has not carried out" in waits.stderr
    assert len(held.open_orders()) == 1
    held.stop()
    found = SqliteBooks.open(folder, exclusive=False)
    assert read_record((found.record_of("req_0") or (0, b""))[1]).conversation
    found.stop()


def test_a_conversation_that_is_only_kept_is_shown_and_lowered_too(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"
    remember(folder)
    books = SqliteBooks.open(folder, exclusive=True)
    archive = BookArchive(books, load_secrets(folder).archive_key, lambda: 9.0)
    kept = archive.wrap(scope="loopback", id="conv_1", level="restricted", content=b"{}", at_ns=time.time_ns())
    assert kept is not None
    books.keep_answer(kept)
    books.stop()
    shown = run("labels", "show", "conv_1", "--config", config, "--data-dir", folder)
    assert shown.exit_code == 0 and "restricted" in shown.stdout and "1970" not in shown.stdout
    assert lower(run, folder, config, "conv_1").exit_code == 0
    after = run("labels", "show", "conv_1", "--config", config, "--data-dir", folder, "--json")
    assert json.loads(after.stdout)["label"] == "internal"
