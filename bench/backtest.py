"""How fast recorded traffic is replayed, and in how much memory: synthetic records, real books, a temporary folder.

    .venv/bin/python bench/backtest.py --records 200000            # a look
    .venv/bin/python bench/backtest.py --records 1000000 --texts 5000 --save   # the figures in results/backtest.json

Records are written by the gateway's own writer (about 900 bytes each) with sizes, draws, latencies and times of their
own; they differ in team, key, label, findings, model and features as far as `--kinds` says.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import origin

from yuzui.audit.record import (
    AskedRecord,
    AttemptRecord,
    CauseRecord,
    CostRecord,
    RequestRecord,
    UsageRecord,
    write_record,
)
from yuzui.capturing import PREFIX, Captured
from yuzui.exchange import rfc3339
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.database import DATABASE_NAME
from yuzui.io.secrets import load_secrets

SEED = 5
START_NS = 1_795_000_000_000_000_000
STEP_NS = 250_000_000  # ten million requests are 29 days
DRAFT = """
[sensitivity.names]
enabled = false

[[targets]]
name = "house/qwen"
provider = "vllm"
base_url = "http://127.0.0.1:1/v1"
model = "qwen"
premises = "own"
clearance = "restricted"
jurisdiction = "CN"
price = { currency = "USD", input = 0.1, output = 0.2 }
context_tokens = 32000

[[targets]]
name = "deepseek/chat"
provider = "openai"
base_url = "https://vendor.invalid/v1"
model = "chat"
premises = "vendor"
clearance = "internal"
jurisdiction = "CN"
price = { currency = "USD", input = 0.28, output = 0.42 }

[[targets]]
name = "far/gpt"
provider = "openai"
base_url = "https://other.invalid/v1"
model = "gpt"
premises = "vendor"
clearance = "internal"
jurisdiction = "US"
price = { currency = "USD", input = 2, output = 8 }

[[models]]
name = "assistant"
candidates = ["house/qwen", "deepseek/chat"]
policy = "POLICY"

[[models]]
name = "writer"
candidates = ["deepseek/chat", "house/qwen"]
policy = "pinned"

[[models]]
name = "drawn"
candidates = ["far/gpt", "house/qwen"]
policy = "weighted"
"""


WORDS = (
    "please",
    "look",
    "at",
    "the",
    "report",
    "of",
    "last",
    "quarter",
    "and",
    "tell",
    "me",
    "what",
    "has",
    "changed",
)


def make_records(count: int, kinds: int, texts: int = 0) -> Iterator[bytes]:
    """Canonical records, the first `texts` of them with a kept text. Every fifth asks for `drawn`, whose order no
    memory holds."""
    dice = random.Random(SEED)
    for number in range(count):
        kind = dice.randrange(kinds)
        is_sensitive = kind % 4 == 0
        model = ("assistant", "writer", "assistant", "writer", "drawn")[number % 5]
        target = "house/qwen" if is_sensitive or model != "writer" else "deepseek/chat"
        input_tokens, output_tokens = dice.randint(20, 8000), dice.randint(5, 900)
        level = "confidential" if is_sensitive else "internal"
        duration_ms = int(dice.lognormvariate(7, 0.5))
        yield write_record(
            RequestRecord(
                id=f"req_{number:026d}", at=rfc3339(START_NS + number * STEP_NS), key_id=f"key_{kind % 97}",
                app=f"app_{kind % 31}", team=f"team_{kind % 13}", dialect="openai_chat", model=model,
                stream=kind % 3 == 0,
                request_hash=f"{dice.getrandbits(256):064x}", answer_hash=f"{dice.getrandbits(256):064x}",
                snapshot="0123456789ab", sensitivity=level,
                causes=(CauseRecord(source="finding", level=level, detail="email"),) if is_sensitive
                else (CauseRecord(source="default", level=level, detail="the default level"),),
                findings={"email": 1 + kind % 5} if is_sensitive else {},
                rules={"email@1f0c93ab": 1 + kind % 5} if is_sensitive else {},
                not_masked="masking.kinds is empty" if is_sensitive else "",
                allowed=("house/qwen",) if is_sensitive else ("deepseek/chat", "house/qwen"),
                refused={"clearance": ("deepseek/chat",)} if is_sensitive else {},
                asked=AskedRecord(
                    features=("tools",) if kind % 7 == 0 else (), input_bound=input_tokens * 4, output=4096,
                    draw=dice.random() if model == "drawn" else None,
                ),
                policy="own_first", plan=("house/qwen",) if is_sensitive else (target, "deepseek/chat"),
                why=f"own_first: {target} (own, 0.1/0.2 USD per million)",
                attempts=(AttemptRecord(target=target, outcome="ok", duration_ms=duration_ms, tokens_delivered=9),),
                target=target, premises="own" if target == "house/qwen" else "vendor", jurisdiction="CN",
                outcome="answered", usage=UsageRecord(input=input_tokens, output=output_tokens),
                cost=CostRecord(amount=input_tokens * 100, currency="USD", book=input_tokens * 100,
                                book_currency="USD", price_version="config:old"),
                duration_ms=duration_ms, first_token_ms=duration_ms // 5, captured=number < texts,
            )
        )  # fmt: skip  # one record


def keep_texts(folder: Path, texts: int, kinds: int, books: SqliteBooks) -> Iterator[tuple[str, str, str, int, bytes]]:
    """Rows of sealed requests of about 2 KB, as the gateway writes them, for the first `texts` records."""
    archive = BookArchive(books, load_secrets(folder).archive_key, lambda: 3650.0)
    for number, record in enumerate(make_records(texts, kinds, texts)):
        told, dice = json.loads(record), random.Random(number)
        said = " ".join(dice.choice(WORDS) for _ in range(400))
        kept = Captured(
            request_id=told["id"], at_ns=START_NS, app=told["app"], model=told["model"], target=told["target"],
            level=told["sensitivity"], messages=[{"role": "user", "content": said}],
        )  # fmt: skip
        row = archive.wrap(
            scope=PREFIX + kept.app, id=kept.request_id, level=kept.level, content=msgspec.json.encode(kept),
            at_ns=START_NS,
        )  # fmt: skip
        assert row is not None
        yield row.scope, row.id, row.level, row.expires_ns, row.content


def fill(folder: Path, count: int, kinds: int, texts: int) -> int:
    """Books with `count` requests, the first `texts` of them kept; the bytes of their records."""
    books = SqliteBooks.open(folder, exclusive=False)
    rows = list(keep_texts(folder, texts, kinds, books))
    books.stop()
    connection = apsw.Connection(str(folder / DATABASE_NAME))
    connection.pragma("synchronous", 0)  # nothing here is worth keeping
    connection.execute("DROP TRIGGER request_closes_intent; DROP TRIGGER request_is_charged")
    size = 0
    connection.executemany("INSERT INTO kept_answer VALUES (?,?,?,?,?)", rows)
    connection.execute("BEGIN")
    for number, record in enumerate(make_records(count, kinds, texts)):
        size += len(record)
        connection.execute(
            "INSERT INTO request VALUES (?,?,?,'key','','','m','t','answered','',0,0,0,0,0)",
            (number, f"req_{number:026d}", START_NS + number * STEP_NS),
        )
        connection.execute("INSERT INTO leaf VALUES (?,?)", (number, record))
        if number % 100_000 == 99_999:
            connection.execute("COMMIT; BEGIN")
    connection.execute("COMMIT")
    connection.close()
    return size


def measure(folder: Path, policy: str, *more: str) -> dict[str, object]:
    """One run of the command with the options `more`, from its start to its report."""
    draft = folder / "draft.toml"
    draft.write_text(DRAFT.replace("POLICY", policy), encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("yuzui")), "backtest", "--config", str(draft), "--data-dir", str(folder),
        "--since", "2020-01-01", "--until", "2100-01-01", "--json", *more,
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(done.stdout)
    return {
        "policy": policy,
        "options": list(more),
        "texts": report["texts"],
        "replayed": report["replayed"],
        "kinds_of_change": len(report["leaving"]) + len(report["changes"]) + report["hidden_changes"],
        "moved": report["total"]["moved"],
        "wall_s": round(wall_s, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "records_per_s": round(report["replayed"] / wall_s),
        "peak_mib": round(after.ru_maxrss / 1024),  # of the largest child so far
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--kinds", type=int, default=3000, help="how many kinds of requests there are")
    parser.add_argument(
        "--texts", type=int, default=0, help="so many requests have a kept text, and one run reads them"
    )
    parser.add_argument("--policy", action="append", help="of the model that most ask for; repeat for several")
    parser.add_argument("--save", action="store_true", help="write bench/results/backtest.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        size = fill(folder, options.records, options.kinds, options.texts)
        print(
            f"{options.records} records, {size / options.records:.0f} bytes each, {time.perf_counter() - began:.0f} s"
        )
        policies = options.policy or ["own_first", "cheapest"]
        runs = [measure(folder, policy) for policy in policies]
        if options.texts:
            runs.append(measure(folder, policies[0], "--with-content"))
    result = {
        **origin.describe(("yuzui", "msgspec", "apsw")),
        "records": options.records,
        "kinds": options.kinds,
        "bytes_per_record": round(size / options.records),
        "runs": runs,
    }
    print(json.dumps(result, indent=1))
    if options.save:
        print(origin.save("backtest", result))


if __name__ == "__main__":
    main()
