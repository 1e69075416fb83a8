"""Small values for the tests of the books."""

from __future__ import annotations

from yuzui.core.booking import Closing, Intent, KeyRecord, Learnt, Outcome, Posting

DAY_NS = 86_400_000_000_000
START_NS = 1_795_305_600_000_000_000  # 2026-11-22


def an_intent(
    request_id: str, *, reserved: int = 30, cap: int = 10**12, window: str = "2026-11", key: str = "k1"
) -> Intent:
    return Intent(
        request_id=request_id,
        at_ns=START_NS,
        key_id=key,
        window=window,
        cap_nano=cap,
        reserved_nano=reserved,
        record=b'{"id":"%b","at":"2026-11-22T00:00:00.000Z","app":"shop"}' % request_id.encode(),
    )


def a_closing(
    request_id: str,
    *,
    spent: int = 20,
    window: str = "2026-11",
    key: str = "k1",
    outcome: Outcome = "answered",
    record: bytes | None = None,
    app: str = "shop",
    model: str = "auto",
    at_ns: int = START_NS,
    postings: tuple[Posting, ...] | None = None,
    memory: Learnt | None = None,
    input_tokens: int = 10,
) -> Closing:
    if postings is None:
        postings = (
            (
                Posting(account=f"spend:{key}", amount_nano=spent, currency="USD", price_version="config:1"),
                Posting(account="target:a/b", amount_nano=-spent, currency="USD", price_version="config:1"),
            )
            if spent
            else ()
        )
    return Closing(
        request_id=request_id,
        at_ns=at_ns,
        key_id=key,
        app=app,
        team="",
        model=model,
        target="a/b",
        outcome=outcome,
        window=window,
        reserved_nano=30,
        spent_nano=spent,
        is_estimated=False,
        input_tokens=input_tokens,
        output_tokens=5,
        postings=postings,
        record=record if record is not None else b'{"closed":"%b"}' % request_id.encode(),
        memory=memory,
    )


def a_key(key_id: str = "key_1", key_hash: bytes = b"h" * 32, **changes: object) -> KeyRecord:
    fields: dict[str, object] = {
        "id": key_id,
        "key_hash": key_hash,
        "app": "shop",
        "team": "",
        "floor": "",
        "models": None,
        "own_only": False,
        "forbidden_jurisdictions": (),
        "requests_per_minute": 0,
        "tokens_per_minute": 0,
        "concurrency": 0,
        "budget_nano": None,
        "budget_period": "month",
        "created_ns": START_NS,
    }
    return KeyRecord(**{**fields, **changes})  # type: ignore[arg-type]  # tests name fields; KeyRecord checks the names
