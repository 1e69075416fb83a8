"""Recorded traffic for tests: what the gateway's own parts make of a request, without a server and without content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import msgspec
from typing_extensions import override

from yuzui.accounting import bounds
from yuzui.accounting.settle import settle
from yuzui.audit.record import AttemptRecord, RequestRecord, write_record
from yuzui.backtest.places import Places, home_of
from yuzui.backtest.recorded import Recorded, Skipped, read_records
from yuzui.backtest.replay import Replay
from yuzui.backtest.tally import Tally
from yuzui.backtest.texts import Texts
from yuzui.capturing import Captured
from yuzui.config import Config, read
from yuzui.core.caller import LOOPBACK_CALLER, Caller
from yuzui.core.chat import ChatRequest, Feature, Meaning
from yuzui.core.errors import YuzuiError
from yuzui.core.guarantee import Advice
from yuzui.core.sensitivity import Finding
from yuzui.core.trial import Lot
from yuzui.core.usage import Usage
from yuzui.exchange import Exchange
from yuzui.lanes import sent_terms
from yuzui.masking import LANE_ONLY
from yuzui.masking_choice import NotMasked, choose, still
from yuzui.privacy.label import label
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.providers.catalogue import find_codecs
from yuzui.routing.health import Health
from yuzui.routing.router import Router
from yuzui.world import Snapshot

TOML = """
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
context_tokens = 4000
max_concurrency = 2

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
candidates = ["house/qwen", "deepseek/chat", "far/gpt"]
policy = "own_first"

[[models]]
name = "thrifty"
candidates = ["far/gpt", "deepseek/chat", "house/qwen"]
policy = "cheapest"

[[models]]
name = "drawn"
candidates = ["far/gpt", "deepseek/chat"]
policy = "weighted"

[[models]]
name = "quick"
candidates = ["far/gpt", "deepseek/chat"]
policy = "fastest"
"""
WELL = Health()
USED = Usage(input_tokens=200, output_tokens=100)
AT_NS = 1_795_000_000_000_000_000  # 2026-11-18T04:26:40


class Plain(Scanner):
    """A scanner that is never asked: no content is read here."""

    def __init__(self) -> None:
        pass


def snapshot(text: str = TOML) -> Snapshot:
    config = read(text, {}, source=Path("draft.toml"))
    router = Router(config.targets, config.models, config.sensitivity.lattice, rates=config.money.rates)
    trials = {model.name: model.trials for model in config.models if model.trials}
    return Snapshot(config=config, router=router, scanner=Plain(), codecs=find_codecs(), trials=trials)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, as far as a record knows it."""

    model: str = "assistant"
    findings: tuple[str, ...] = ()
    """Kinds."""
    remembered: int | None = None
    features: frozenset[Feature] = frozenset()
    size_bytes: int = 800
    max_output_tokens: int | None = None
    service_tier: str = ""
    usage: Usage = USED
    fraction: float = 0.5
    health: Health = WELL
    advice: Advice | None = None
    failed: int = 0
    """So many of the plan failed before one answered."""
    caller: Caller = LOOPBACK_CALLER
    draws_arm: bool = False
    """Of the first trial of its model, if that has one; else it is control."""
    minute: int = 0
    duration_ms: int = 1000
    first_token_ms: int = 200


def _no_meaning(_: Mapping[str, object]) -> Meaning:
    raise AssertionError("nobody reads the meaning here")


def record_of(sent: Sent, there: Snapshot, number: int = 0) -> RequestRecord:
    """What the gateway with the configuration `there` would have recorded."""
    config, caller = there.config, sent.caller
    exchange = Exchange(
        id=f"req_{number:06d}", at_ns=AT_NS + sent.minute * 60_000_000_000, started=0.0,
        lattice=config.sensitivity.lattice, snapshot_id=config.snapshot_id, content_key=bytes(32), dialect="openai_chat",
        caller=caller,
    )  # fmt: skip
    request = exchange.request = ChatRequest(
        dialect="openai_chat", model=sent.model, body={"service_tier": sent.service_tier} if sent.service_tier else {}, features=sent.features,
        max_output_tokens=sent.max_output_tokens, read_meaning=_no_meaning,
    )  # fmt: skip
    scan = ScanResult(findings=tuple(Finding(kind=kind, detector="d", start=0, end=1) for kind in sent.findings))
    floor = caller.constraints.floor
    sensitivity = exchange.sensitivity = label(config.sensitivity, floor=floor, scan=scan, remembered=sent.remembered)
    masked_level = _masked_level(config, caller, request, scan, exchange, sent.remembered)
    exchange.input_bound = bounds.input_tokens(sent.size_bytes)
    trials = there.trials.get(sent.model, ())
    if trials:
        arm, control = (trials[0], ()) if sent.draws_arm else (None, trials)
        exchange.lot = Lot(arm=arm, control=control, unit="request", unit_hash=b"")
    try:
        decision = exchange.decision = there.router.decide(
            sent.model, sensitivity=sensitivity, constraints=caller.constraints, allowed_models=caller.models,
            features=sent.features, input_tokens=exchange.input_bound,
            output_tokens=bounds.expected_output_tokens(request), masked_level=masked_level, health=sent.health,
            fraction=sent.fraction, dialect="openai_chat", price_terms=request.price_terms,
            sent_terms=partial(sent_terms, there.codecs, request), advice=sent.advice, lot=exchange.lot,
        )  # fmt: skip
    except YuzuiError as error:
        exchange.note_refusal(error)
        return _with_mask(exchange.record("refused", error, duration_ms=1), masked_level, config)
    failed = decision.plan[: min(sent.failed, len(decision.plan) - 1)]
    exchange.attempts = [AttemptRecord(target=one.name, outcome="upstream_timeout") for one in failed]
    target = exchange.target = decision.plan[len(failed)]
    exchange.attempts.append(AttemptRecord(target=target.name, outcome="ok"))
    exchange.delivered.usage = sent.usage
    exchange.delivered.sent_terms = sent_terms(there.codecs, request, target)
    exchange.first_token_ms = sent.first_token_ms
    exchange.note_settlement(settle(exchange, "answered", config.money), config.money.currency)
    return _with_mask(exchange.record("answered", None, duration_ms=sent.duration_ms), masked_level, config)


def _masked_level(
    config: Config, caller: Caller, request: ChatRequest, scan: ScanResult, exchange: Exchange, remembered: int | None
) -> int | None:
    """As `Masker.mask` finds it, where everything that may be masked can be."""
    assert exchange.sensitivity is not None
    if exchange.sensitivity.level <= config.sensitivity.default:
        return None
    chosen = choose(config, caller, request, None)
    if isinstance(chosen, NotMasked):
        exchange.not_masked = chosen.reason
        return None
    if unmasked := sorted(request.features & LANE_ONLY):
        exchange.not_masked = f"a request for {', '.join(unmasked)} cannot be masked"
        return None
    left = replace(scan, findings=tuple(one for one in scan.findings if one.kind not in chosen.kinds))
    less = label(config.sensitivity, floor=caller.constraints.floor, scan=left, remembered=remembered)
    if less.level >= exchange.sensitivity.level:
        exchange.not_masked = still(config.sensitivity.lattice.names[less.level], less.causes, less.level).reason
        return None
    return less.level


def _with_mask(record: RequestRecord, level: int | None, config: Config) -> RequestRecord:
    name = "" if level is None else config.sensitivity.lattice.names[level]
    return msgspec.structs.replace(record, masked_level=name)


class Kept(Texts):
    """Texts by id."""

    def __init__(self, texts: Iterable[Captured]) -> None:
        self._texts = {(one.app, one.request_id): one for one in texts}

    @override
    def find(self, app: str, request_id: str) -> Captured | None:
        return self._texts.get((app, request_id))


def kept(record: RequestRecord, said: str, *, is_masked: bool = False) -> tuple[RequestRecord, Captured]:
    """`record` as one whose request, which said this, was kept as an example."""
    text = Captured(
        request_id=record.id, at_ns=AT_NS, app=record.app, model=record.model, target=record.target,
        level=record.sensitivity, is_masked=is_masked, messages=[{"role": "user", "content": said}],
    )  # fmt: skip  # one thing
    return msgspec.structs.replace(record, captured=True), text


def reading(there: Snapshot) -> Snapshot:
    """`there` with its own detectors."""
    return replace(there, scanner=Scanner(there.config.sensitivity))


def read_back(records: Iterable[RequestRecord]) -> list[Recorded]:
    return list(read_records([write_record(one) for one in records], Skipped()))


def replayed(
    records: Iterable[RequestRecord],
    draft: Snapshot,
    *,
    callers: Iterable[Caller] = (),
    home: tuple[str, ...] | None = None,
    known: Snapshot | None = None,
    factors: Mapping[str, Fraction] | None = None,
    texts: Iterable[Captured] | None = None,
) -> Tally:
    """`records` under `draft`; the places of old targets, and old routers, by `known`, else by the draft. `texts`: what
    may be read of them."""
    country = home_of(draft.config.targets) if home is None else home
    replay = Replay(
        draft,
        {one.key_id: one for one in callers},
        Places((known or draft).config.targets, country),
        token_factors=factors,
        texts=None if texts is None else Kept(texts),
        known_routers=known.guaranteed if known is not None else None,
    )
    replay.add(read_back(records))
    return replay.tally
