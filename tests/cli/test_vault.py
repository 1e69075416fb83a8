"""What a vendor saw is shown to a named person, after the log has said so, beside a running gateway and without one."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import FaultUpstream, completion
from gateway_kit import RunningGateway, gateway
from yuzui.io.books import SqliteBooks

from .conftest import Run

MAIL, OTHER = "wang@corp.cn", "li@corp.cn"
TOKEN = re.compile(r"\b[A-Z][A-Z_]*_[A-Z2-7]{12}\b")
CONFIG = """
[masking]
kinds = ["email", "cn_mobile"]
openers = ["Ann Lee"]

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{address}"
model = "big"
premises = "vendor"
clearance = "internal"
price = "free"
"""
Story = Callable[[RunningGateway], Coroutine[Any, Any, None]]  # Any: asyncio's own


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yuzui.toml"
    path.write_text(CONFIG.replace("{address}", "https://vendor.example/v1"), "utf-8")
    return path


def used(tmp_path: Path, story: Story | None = None, key: bool = False) -> tuple[list[str], list[str]]:
    """A folder in which two requests were masked; their ids, and the stand-in that each vendor's copy held."""
    ids: list[str] = []
    seen: list[str] = []

    async def main() -> None:
        async with FaultUpstream(lambda call: call.json(completion("ok"))) as vendor:
            text = CONFIG.replace("{address}", vendor.base_url)
            async with gateway(text, {}, data_dir=tmp_path / "data") as running:
                secret = running.add_key(app="a", team="risk") if key else "none"
                for name, mail in (("chat-1", MAIL), ("chat-2", OTHER)):
                    reply = await running.client(secret).chat.completions.with_raw_response.create(
                        model="vendor/big", messages=[{"role": "user", "content": f"ask {mail}"}],
                        extra_headers={"x-yuzui-conversation": name},
                    )  # fmt: skip
                    ids.append(reply.headers["x-yuzui-request-id"])
                    seen.extend(TOKEN.findall(vendor.calls[-1].body.decode()))
                    assert mail.encode() not in vendor.calls[-1].body
                if story is not None:
                    await story(running)

    asyncio.run(main())
    return ids, seen


def ask(run: Run, folder: Path, config: Path, action: str, *what: str, **changes: str) -> Any:  # Any: typer's result
    options = {"--by": "Ann Lee", "--reason": "Case 7.", **changes}
    flat = [part for pair in options.items() for part in pair]
    return run("vault", action, *what, *flat, "--config", config, "--data-dir", folder, "--json")


def originals(result: Any) -> list[str]:  # Any: as above
    assert result.exit_code == 0, result.stderr
    return [entry["original"] for entry in json.loads(result.stdout)["entries"]]


def test_what_a_vendor_saw_is_shown_by_stand_in_request_and_conversation(
    run: Run, tmp_path: Path, config: Path
) -> None:
    folder = tmp_path / "data"
    ids, seen = used(tmp_path)
    assert originals(ask(run, folder, config, "open", seen[0])) == [MAIL]
    assert set(originals(ask(run, folder, config, "open", *seen))) == {MAIL, OTHER}
    assert originals(ask(run, folder, config, "open", "--request", ids[1])) == [OTHER]
    found = ask(run, folder, config, "open", "--conversation", "chat-1")
    assert originals(found) == [MAIL]
    (order,) = json.loads(found.stdout)["orders"]
    story = run("explain", order["id"], "--data-dir", folder)
    assert story.exit_code == 0
    for word in ("Ann Lee", "Case 7.", "opened", seen[0], f"entry {order['leaf_index']}"):
        assert word in story.stdout
    assert MAIL not in story.stdout and MAIL not in run("explain", order["id"], "--data-dir", folder, "--json").stdout
    verified = run("audit", "verify", "--data-dir", folder)
    assert verified.exit_code == 0 and "6" in verified.stdout, "two requests and four looks into the vault"
    shown = run("vault", "open", seen[0], "--by", "Ann Lee", "--reason", "x", "--config", config, "--data-dir", folder)
    assert MAIL in shown.stdout and "email" in shown.stdout and MAIL not in shown.stderr


def test_nothing_is_shown_when_the_log_cannot_say_so(
    run: Run, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    _, seen = used(tmp_path)
    from yuzui.cli import _orders

    monkeypatch.setattr(_orders, "PATIENCE_S", 0.3)
    held = SqliteBooks.open(folder, exclusive=True)  # a gateway that does not look for orders
    waits = ask(run, folder, config, "open", seen[0])
    assert waits.exit_code == 2 and "has not carried out" in waits.stderr and MAIL not in waits.stdout + waits.stderr
    held.stop()


@pytest.mark.parametrize(
    ("what", "changes", "words"),
    [
        (("SEEN",), {"--by": "Mallory"}, "masking.openers"),
        (("SEEN",), {"--reason": " "}, "a reason has"),
        (("SEEN",), {"--key": "key_none"}, "no key"),
        (("SEEN",), {"--team": "nobody"}, "no key belongs to team"),
        (("EMAIL_ABCDEFGHIJKL",), {}, "does not know"),
        (("SEEN", "EMAIL_ABCDEFGHIJKL"), {}, "1 of the 2 stand-ins"),
        ((), {}, "name either"),
        (("SEEN", "--request", "req_x"), {}, "name either"),
        (("--request", "req_none"), {}, "no request is called"),
        (("--conversation", "chat-9"), {}, "no labelled conversation"),
    ],
)
def test_what_may_not_be_shown_is_refused_and_leaves_no_entry(
    run: Run, tmp_path: Path, config: Path, what: tuple[str, ...], changes: dict[str, str], words: str
) -> None:
    folder = tmp_path / "data"
    _, seen = used(tmp_path)
    said = [seen[0] if one == "SEEN" else one for one in what]
    for action in ("open", "erase"):
        refused = ask(run, folder, config, action, *said, **changes)
        assert refused.exit_code == 2 and words in refused.stderr
        assert MAIL not in refused.stdout + refused.stderr
    books = SqliteBooks.open(folder, exclusive=False)
    assert books.size() == 2 and books.open_vault_orders() == []
    books.stop()


def test_a_wrong_or_missing_secret_opens_nothing_and_is_named(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"
    ids, seen = used(tmp_path)
    (folder / "secrets" / "masking_key").write_bytes(b"x" * 32)
    for what in ((seen[0],), ("--request", ids[0])):
        refused = ask(run, folder, config, "open", *what)
        assert refused.exit_code == 2 and "do not open with the secrets here" in refused.stderr
    (folder / "secrets" / "masking_key").unlink()
    refused = ask(run, folder, config, "open", seen[0])
    assert refused.exit_code == 2 and "masking_key is missing" in refused.stderr
    assert not (folder / "secrets" / "masking_key").exists(), "no new one is made"


def test_what_is_over_its_time_stays_closed(
    run: Run, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    ids, seen = used(tmp_path)
    now_ns = time.time_ns
    monkeypatch.setattr("yuzui.cli.vault.time.time_ns", lambda: now_ns() + 31 * 86_400 * 10**9)
    for what in ((seen[0],), ("--request", ids[0])):
        refused = ask(run, folder, config, "open", *what)
        assert (
            refused.exit_code == 2 and "over their time" in refused.stderr and "retention_days (30)" in refused.stderr
        )


def test_erased_before_its_time_it_is_gone_and_the_log_says_who_did_it(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"
    ids, seen = used(tmp_path)
    before = json.loads(run("vault", "status", "--data-dir", folder, "--json").stdout)
    assert [(one["key_id"], one["mappings"], one["requests"]) for one in before] == [("loopback", 2, 2)]
    assert abs(before[0]["oldest_ns"] - time.time_ns()) < 600 * 10**9
    assert "loopback" in run("vault", "status", "--data-dir", folder).stdout
    done = ask(run, folder, config, "erase", "--conversation", "chat-1")
    assert done.exit_code == 0 and json.loads(done.stdout)["erased"] == [seen[0]] and MAIL not in done.stdout
    assert ask(run, folder, config, "open", seen[0]).exit_code == 2
    assert "erased" in ask(run, folder, config, "open", "--request", ids[0]).stderr
    assert originals(ask(run, folder, config, "open", seen[1])) == [OTHER]
    after = json.loads(run("vault", "status", "--data-dir", folder, "--json").stdout)
    assert after[0]["mappings"] == 1
    story = run("explain", json.loads(done.stdout)["orders"][0]["id"], "--data-dir", folder)
    assert "erased" in story.stdout and seen[0] in story.stdout
    assert run("audit", "verify", "--data-dir", folder).exit_code == 0


def test_a_running_gateway_records_and_erases_within_a_second(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"

    async def story(running: RunningGateway) -> None:
        (chat,) = [one for one in await running.records() if one.conversation][:1]
        for action in ("open", "erase"):
            done = await asyncio.to_thread(ask, run, folder, config, action, "--request", chat.id)
            assert done.exit_code == 0, done.stderr
        kinds = [record.outcome for record in await running.records()]
        assert kinds == ["answered", "answered", "vault_opened", "vault_erased"]
        gone = await asyncio.to_thread(ask, run, folder, config, "open", "--request", chat.id)
        assert gone.exit_code == 2
        assert await asyncio.to_thread(running.service.books.verify_sums) == []

    used(tmp_path, story)
    assert run("audit", "verify", "--data-dir", folder).exit_code == 0


def test_keys_and_teams_narrow_whose_stand_ins_they_are(run: Run, tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "data"
    _, seen = used(tmp_path, key=True)
    assert originals(ask(run, folder, config, "open", seen[0], **{"--team": "risk"})) == [MAIL]
    assert originals(ask(run, folder, config, "open", seen[0], **{"--key": "key_a"})) == [MAIL]
