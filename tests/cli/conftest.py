"""A data folder as a gateway leaves it: two requests in the books and in the signed log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from yuzui.audit.record import CauseRecord, CostRecord, RequestRecord, UsageRecord, write_record
from yuzui.cli.main import app
from yuzui.core.booking import Closing, Intent, Posting
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.books import SqliteBooks
from yuzui.io.secrets import load_secrets

AT_NS = 1_795_000_000_000_000_000  # 2026-11-18
ANSWERED, REFUSED = "req_answered", "req_refused"

Run = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Used:
    folder: Path
    records: dict[str, RequestRecord]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command line in an empty folder, without the user's own settings."""
    for name in ("YUZUI_DATA_DIR", "YUZUI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def invoke(*args: str | Path) -> Result:
        return runner.invoke(app, [str(arg) for arg in args], prog_name="yuzui")

    return invoke


@pytest.fixture
def used(tmp_path: Path) -> Used:
    answered = RequestRecord(
        id=ANSWERED, at="2026-11-18T04:26:40.000Z", key_id="key_1", app="shop", team="web", dialect="openai_chat",
        model="assistant", sensitivity="confidential",
        causes=(CauseRecord(source="finding", level="confidential", detail="email"),), findings={"email": 2},
        allowed=("own/a",), refused={"clearance": ("vendor/b",)}, policy="own_first", plan=("own/a",),
        why="own_first: own/a (own)", target="own/a", outcome="answered", usage=UsageRecord(input=10, output=5),
        cost=CostRecord(amount=1500, currency="USD", book=1500, book_currency="USD", price_version="config:1"),
        duration_ms=1200, first_token_ms=300,
    )  # fmt: skip
    refused = RequestRecord(
        id=REFUSED, at="2026-11-18T04:26:41.000Z", key_id="key_1", app="shop", model="vendor/b", outcome="refused",
        error="no_permitted_target", error_message="nobody \x1b[31mmay",
    )  # fmt: skip
    folder = tmp_path / "data"
    asyncio.run(_fill(folder, answered, refused))
    return Used(folder, {ANSWERED: answered, REFUSED: refused})


async def _fill(folder: Path, answered: RequestRecord, refused: RequestRecord) -> None:
    books = SqliteBooks.open(folder, exclusive=True, now_ns=lambda: AT_NS)
    try:
        await books.reserve(
            Intent(request_id=ANSWERED, at_ns=AT_NS, key_id="key_1", window="", cap_nano=0, reserved_nano=2000,
                   record=write_record(answered))
        )  # fmt: skip
        legs = (
            Posting(account="spend:key_1", amount_nano=1500, currency="USD", price_version="config:1"),
            Posting(account="target:own/a", amount_nano=-1500, currency="USD", price_version="config:1"),
        )
        await books.close(_closing(answered, spent_nano=1500, reserved_nano=2000, postings=legs))
        await books.close(_closing(refused))
        leaves = books.unpublished(0, 10)
    finally:
        books.stop()
    load_secrets(folder)
    log = AuditFolder.open(folder / "audit", origin="test/audit", private_key_file=folder / "secrets" / "audit.pem")
    log.publish(leaves)
    log.close()


def _closing(
    record: RequestRecord, *, spent_nano: int = 0, reserved_nano: int = 0, postings: tuple[Posting, ...] = ()
) -> Closing:
    usage = record.usage or UsageRecord()
    return Closing(
        request_id=record.id, at_ns=AT_NS, key_id=record.key_id, app=record.app, team=record.team, model=record.model,
        target=record.target, outcome="answered" if record.outcome == "answered" else "refused", window="",
        reserved_nano=reserved_nano, spent_nano=spent_nano, is_estimated=False, input_tokens=usage.input,
        output_tokens=usage.output, postings=postings, record=write_record(record),
    )  # fmt: skip
