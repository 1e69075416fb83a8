"""The faults: every part that stands between a request and a vendor, broken in every way that somebody thought of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import yuzui.accounting.bounds
import yuzui.aside
import yuzui.exchange
import yuzui.judging
import yuzui.masking
import yuzui.pipeline
import yuzui.privacy.conversation
import yuzui.privacy.label
import yuzui.privacy.leaves
import yuzui.privacy.mask
import yuzui.privacy.scan
import yuzui.reading
import yuzui.remembering
import yuzui.scanning
from egress_kit import Room
from faults.baits import ACCENTED, BAITS, CARD, ENCODED, HIDDEN, NESTED, WRITTEN, Bait
from faults.injecting import (
    ERRORS,
    Behaviour,
    Fault,
    Inject,
    Over,
    RoomName,
    Strikes,
    breaking,
    detector_faults,
    in_scanner,
    in_snapshot,
    in_world,
    patched,
    raises,
    returns,
    struck,
)
from yuzui.core.caller import LOOPBACK_CALLER
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import GatewayFault
from yuzui.core.futures import heard
from yuzui.core.target import Target
from yuzui.masking import Masker, RestoringCodec
from yuzui.privacy import egress, encodings, mask
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.engine import TooManyCandidates
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.scan import Scanner
from yuzui.privacy.surrogates import Namer, Surrogates
from yuzui.privacy.values import Leftovers, Needles
from yuzui.providers._contract import Codec, WireRequest

PAIR = Bait(f"{CARD.text}, and write to {BAITS['email'].mark}", CARD.mark)


def all_faults() -> tuple[Fault, ...]:
    """Those that any position can meet. Names, documents and spoiled requests have their own lists."""
    return (*detector_faults(), *_scanning(), *_memory(), *_deciding(), *_books(), *_masking(), *_egress(), *_judge())


def _each_error(family: str, what: str, make: Callable[[Behaviour], Inject], bait: Bait, room: RoomName = "open",
                *, needs_vendor: bool = False) -> list[Fault]:  # fmt: skip
    return [
        Fault(family, f"{what} raises {error.__name__}", make(raises(error)), bait, room, needs_vendor)
        for error in ERRORS
    ]


def _name(owner: Any, name: str) -> str:  # Any: a module or a class
    return f"{owner.__name__.rpartition('.')[2]}.{name}"


# ---- scanning --------------------------------------------------------------------------------------------------------


def _candidates(change: Callable[[tuple[int, int, int], str], Any]) -> Behaviour:  # Any: candidates that cannot be
    return lambda real, text, data: [change(one, text) for one in real(text, data)]


def _scanning() -> list[Fault]:
    found: list[Fault] = []
    engine = partial(in_scanner, "_engine", "find")
    found += _each_error("engine", "find", engine, CARD)
    for name, behave in {
        "too many candidates": raises(TooManyCandidates),
        "returns nothing at all": returns(None),
        "returns a number": returns(7),
        "candidates without places": _candidates(lambda one, _: one[:1]),
        "a pattern that nobody has": _candidates(lambda one, _: (10**6, one[1], one[2])),
        "a pattern before the first": _candidates(lambda one, _: (-5, one[1], one[2])),
        "places beyond the text": _candidates(lambda one, text: (one[0], one[1] + len(text), one[2] + len(text))),
        "places that end beyond the text": _candidates(lambda one, text: (one[0], one[1], one[2] + len(text))),
        "places before the text": _candidates(lambda one, _: (one[0], -9, -1)),
        "places that end before they begin": _candidates(lambda one, _: (one[0], one[2], one[1])),
        "places that are no numbers": _candidates(lambda one, _: (one[0], "a", None)),
    }.items():
        found.append(Fault("engine", name, engine(behave), CARD))
    fold = partial(in_scanner, "_canonicaliser", "fold")
    layouts = partial(in_scanner, "_layouts", "find")
    found += _each_error("canonicaliser", "fold", fold, ACCENTED)
    found.append(Fault("canonicaliser", "returns nothing at all", fold(returns(None)), ACCENTED))
    found += _each_error("numbers", "layouts", layouts, CARD)
    found.append(Fault("numbers", "layouts are no list", layouts(returns(7)), CARD))
    found.append(Fault("numbers", "layouts of a detector that nobody has", layouts(
        lambda real, *given: [(digits, ("nobody",)) for digits, _ in real(*given)]), CARD))  # fmt: skip
    scan = yuzui.privacy.scan
    for family, owner, name, bait in (
        ("canonicaliser", scan, "count_controls", CARD),
        ("hidden text", scan, "read_hidden", HIDDEN),
        ("walk", yuzui.scanning, "read_leaves", CARD),
        ("walk", yuzui.privacy.leaves, "_join_messages", CARD),
        ("walk", scan, "spell_path", BAITS["email"]),
        ("walk", scan, "place_in", BAITS["email"]),
        ("walk", scan, "_to_findings", BAITS["email"]),
        ("views", yuzui.privacy.leaves, "read_embedded_json", NESTED),
        ("views", yuzui.privacy.leaves, "read_escapes", WRITTEN),
        ("encodings", encodings, "read_encoded", ENCODED),
        ("encodings", encodings, "_decode_run", ENCODED),
        ("scan", Scanner, "scan", CARD),
        ("scan", yuzui.pipeline, "scan_request", CARD),
        ("scan", yuzui.pipeline, "scan_with_documents", CARD),
        ("label", yuzui.pipeline, "label", CARD),
        ("label", yuzui.privacy.label, "_plain", CARD),
        ("judge", yuzui.pipeline, "judged", CARD),
    ):
        make = partial(breaking, owner, name)
        # What is nested too deep for Python counts as unscannable, which is no failure in the room "open".
        found += _each_error(family, _name(owner, name), make, bait, "strict" if family == "views" else "open")
    views: dict[str, Behaviour] = {
        "a number for views": returns(7),
        "views that lie nowhere": lambda real, text, places: [
            view._replace(start=len(text) + 9, end=len(text) + 99) for view in real(text, places)
        ],
        "views without text": lambda real, text, places: [view._replace(text=None) for view in real(text, places)],
        "views that break in the middle": _one_then_break,
    }
    for name, behave in views.items():
        found.append(Fault("encodings", name, breaking(encodings, "read_encoded", behave), ENCODED))
    found.append(Fault("scan", "returns nothing at all", breaking(Scanner, "scan", returns(None)), CARD))
    found.append(Fault("label", "returns nothing at all", breaking(yuzui.pipeline, "label", returns(None)), CARD))
    return found


def _one_then_break(real: Any, *given: Any) -> Generator[Any, None, None]:  # Any: views
    for view in real(*given):
        yield view
        raise RuntimeError("injected")


# ---- memory ----------------------------------------------------------------------------------------------------------


def _memory() -> list[Fault]:
    found: list[Fault] = []
    conversation = yuzui.privacy.conversation
    for owner, name in (
        (ConversationMemory, "read"),
        (ConversationMemory, "recollect"),
        (ConversationMemory, "_pages"),
        (ConversationMemory, "_chains"),
        (ConversationMemory, "_hash"),
        (ConversationMemory, "_traces_of"),
        (conversation, "read_leaves"),
        (yuzui.pipeline, "recollect"),
    ):
        make = partial(_taught, owner, name)
        found += _each_error("memory", _name(owner, name), make, CARD)
    for name, value in (("nothing at all", None), ("a number", 7)):
        found.append(
            Fault(
                "memory", f"recollect returns {name}", breaking(ConversationMemory, "recollect", returns(value)), CARD
            )
        )
        found.append(
            Fault("memory", f"read returns {name}", breaking(ConversationMemory, "read", returns(value)), CARD)
        )
    recall = partial(breaking, ConversationMemory, "recall")
    found += _each_error("memory", "recall of what was masked", recall, CARD, "masked")
    return found  # fmt: skip


STORY = (
    "Of the seven bridges only the fourth was ever paid for in full, by a miller whose mule had refused to swim; the others "
    "stand on promises, on two bags of salt, and on the patience of a bishop who crossed none of them before his death."
)
"""Long enough to be known again by its parts."""


def _taught(owner: Any, name: str, behave: Behaviour) -> Inject:  # Any: a module or a class
    """`breaking`, with a memory that knows something already: an empty one is not looked into."""

    @contextmanager
    def taught(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        memory = room.service.gateway.world.memory
        said = {"messages": [{"role": "user", "content": "Who paid for the seven bridges? It stays between us."}]}
        memory.learn(LOOPBACK_CALLER.scope, said, "", 3, [STORY], is_whole=True)
        with breaking(owner, name, behave)(room, strikes):
            yield

    return taught


# ---- where it may go -------------------------------------------------------------------------------------------------


def _to_the_vendor(change: Callable[[Decision, Any], Decision]) -> Inject:  # Any: a vendor target
    """A router that has gone mad: whatever it decides, a vendor is the plan."""

    def behave(real: Any, model: str, **asked: Any) -> Decision:  # Any: as the router is asked
        try:
            decision = real(model, **asked)
        except Exception:  # its refusal is what it forgets
            decision = real("house/small", **asked)
        operation = asked["operation"]
        vendor = next(one for one in _VENDORS if operation in one.serves)
        return change(decision, vendor)

    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        _VENDORS[:] = [one for one in room.service.gateway.snapshot.config.targets if one.premises == "vendor"]
        with in_snapshot("router", "decide", behave)(room, strikes):
            yield

    return inject


_VENDORS: list[Any] = []  # Any: targets of the room


def _deciding() -> list[Fault]:
    found: list[Fault] = []
    found += _each_error("router", "decide", lambda behave: in_snapshot("router", "decide", behave), CARD)
    found.append(Fault("router", "decides nothing at all", in_snapshot("router", "decide", returns(None)), CARD))

    def widened(decision: Decision, vendor: Target) -> AllowedSet:
        return AllowedSet(decision.allowed.names | {vendor.name})

    for name, change in {
        "plans a vendor that is not allowed": lambda d, v: replace(d, plan=(v,)),
        "plans one behind those that are": lambda d, v: replace(d, plan=(*d.plan, v)),
        "allows a vendor": lambda d, v: replace(d, plan=(v,), allowed=widened(d, v)),
        "allows a vendor for a lower level": lambda d, v: replace(d, plan=(v,), allowed=widened(d, v), level=0),
        "calls a vendor masked": lambda d, v: replace(d, plan=(v,), allowed=widened(d, v), masked=frozenset((v.name,))),
    }.items():
        found.append(Fault("router", name, _to_the_vendor(change), CARD, "closed"))
    bounds = partial(breaking, yuzui.accounting.bounds, "input_tokens")
    found += _each_error("bounds", "input_tokens", bounds, CARD)
    return found


# ---- books, audit, clock ---------------------------------------------------------------------------------------------


async def _fails(*_: Any, **__: Any) -> None:  # Any: as it is asked
    raise GatewayFault("the disk is full", code="ledger_unavailable")


@contextmanager
def _closed_log(room: Room, strikes: Strikes) -> Generator[None, None, None]:
    gateway = room.service.gateway
    gateway.closed_because = GatewayFault("the audit log cannot be written", code="audit_unavailable")
    kept = gateway._carry

    async def carry(*given: Any) -> None:  # Any: as it is asked
        strikes.count += 1
        await kept(*given)

    gateway._carry = carry  # type: ignore[method-assign, assignment]  # counted, nothing else
    try:
        yield
    finally:
        gateway.closed_because = None
        del gateway._carry


def _lost(_real: Any, *_: Any, **__: Any) -> asyncio.Future[Any]:  # Any: a receipt that never comes
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    answer.add_done_callback(heard)
    answer.set_exception(GatewayFault("the disk is full", code="ledger_unavailable"))
    return answer


def _books() -> list[Fault]:
    found: list[Fault] = [
        Fault("books", "reserve is refused", in_world("books", "reserve", _fails), CARD),
        Fault("books", "the audit log stands still", _closed_log, CARD),
        Fault("books", "close is refused", in_world("books", "close", _lost), CARD, "closed"),
    ]
    for port, name, room in (
        ("books", "reserve", "open"), ("books", "close", "closed"), ("gate", "identify", "open"),
        ("gate", "admit", "open"), ("clock", "now_ns", "open"), ("clock", "monotonic", "open"),
        ("randomness", "bits64", "open"), ("randomness", "fraction", "open"),
    ):  # fmt: skip
        make = partial(in_world, port, name)
        found += _each_error(port, name, make, CARD, room)  # type: ignore[arg-type]  # names of rooms, see above
    write = partial(breaking, yuzui.pipeline, "write_record")
    found += _each_error("audit", "write_record", write, CARD)
    opening = partial(breaking, yuzui.exchange.Exchange, "_open_record")
    found += _each_error("audit", "_open_record", opening, CARD)
    return found


# ---- masking ---------------------------------------------------------------------------------------------------------


def _masking() -> list[Fault]:
    found: list[Fault] = []
    for owner, name in (
        (mask, "edits_in"), (mask, "apply"), (mask._Work, "_edits"), (mask._Work, "_edits_of_text"),
        (mask._Work, "can_be_undone"), (mask._Work, "walk_object"), (mask, "_plant"), (mask, "_values"),
        (Needles, "find"), (Namer, "name"), (Namer, "_digest"), (Surrogates, "issue"), (yuzui.masking, "mask"),
        (yuzui.masking, "label"), (Masker, "mask"), (Masker, "_known"), (Masker, "_masked"), (yuzui.masking, "Originals"),
    ):  # fmt: skip
        if not hasattr(owner, name):
            raise LookupError(f"{owner} has no {name}: the list is out of date")
        make = partial(breaking, owner, name)
        found += _each_error("masking", _name(owner, name), make, PAIR, "masked")
    for name, inject in {
        "nothing is replaced": breaking(mask, "apply", lambda real, text, edits: text),
        "the last edit is lost": breaking(mask, "apply", lambda real, text, edits: real(text, list(edits)[:-1])),
        "finds no values": breaking(mask, "_values", returns([])),
        "plants no finding": breaking(mask, "_plant", returns(None)),
        "each value has the same stand-in": breaking(Namer, "name", returns("EMAIL_AAAAAAAAAAAA")),
        "each stand-in is its value": breaking(Surrogates, "issue", lambda real, self, kind, surface, *_: surface),
        "no stand-in is free": breaking(Surrogates, "_claim", returns(False)),
        "stand-ins are no text": breaking(Namer, "name", returns(None)),
        "masked is what it was": breaking(
            yuzui.masking, "mask", lambda real, body, *given, **more: replace(real(body, *given, **more), body=body)
        ),
        "findings of the maskable kinds are lost": breaking(
            yuzui.masking, "mask", lambda real, body, found_, *given, **more: real(body, (), (), **more)
        ),
        "returns nothing at all": breaking(yuzui.masking, "mask", returns(None)),
        "the key of the vault is gone": _without_key,
        "the codec says the request unmasked": breaking(RestoringCodec, "write_request", _unmasked),
        "the codec adds what was masked": breaking(RestoringCodec, "write_request", _with_original),
        "the vault cannot be read": _vault("find", raises(OSError)),
        "the vault holds something else": _vault("find", returns(7)),
    }.items():
        bait = TYPED if "vault" in name and "key" not in name else PAIR
        found.append(Fault("masking", name, inject, bait, "masked"))
    return found


TYPED = Bait(f"as EMAIL_ABCDEFGHIJKL said: {PAIR.text}", PAIR.mark)
"""With what looks like a stand-in, so that the vault is asked."""


def _unmasked(
    real: Any, self: RestoringCodec, request: Any, target: Any, *, output_cap: Any
) -> WireRequest:  # Any: short
    codec: Codec = self._codec
    return codec.write_request(request, target, output_cap=output_cap)


def _with_original(real: Any, self: RestoringCodec, *given: Any, **more: Any) -> WireRequest:  # Any: short
    wire: WireRequest = real(self, *given, **more)
    return replace(wire, body=json.dumps({**json.loads(wire.body), "x": CARD.mark}).encode())


@contextmanager
def _without_key(room: Room, strikes: Strikes) -> Generator[None, None, None]:
    masker = room.service.gateway.world.masker
    kept, masker._secret = masker._secret, b""
    try:
        with patched(yuzui.masking, "Namer", lambda real, *given, **more: real(*given, **more), strikes):
            yield
    finally:
        masker._secret = kept


def _vault(name: str, behave: Behaviour) -> Inject:
    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        masker = room.service.gateway.world.masker
        kept = masker._vault
        masker._vault = Over(kept, **{name: struck(getattr(kept, name), behave, strikes)})
        try:
            yield
        finally:
            masker._vault = kept

    return inject


# ---- the last look ---------------------------------------------------------------------------------------------------


def _egress() -> list[Fault]:
    found: list[Fault] = []
    last = partial(breaking, yuzui.pipeline, "check_egress")
    found += _each_error("egress", "check_egress", last, CARD, needs_vendor=True)
    for owner, name in (
        (yuzui.masking, "check_masked"), (egress, "read_leaves"), (egress, "text_of"), (egress, "_is_ours"),
        (egress, "_without"), (Leftovers, "are_in"), (Matcher, "next"), (egress, "Matcher"), (egress, "Leftovers"),
    ):  # fmt: skip
        make = partial(breaking, owner, name)
        found += _each_error("egress", _name(owner, name), make, PAIR, "masked", needs_vendor=True)
    proof = yuzui.masking.MaskedRequest
    check = partial(breaking, proof, "check")
    found += _each_error("egress", "check", check, PAIR, "masked", needs_vendor=True)

    async def no_proof(*_: Any) -> None:  # Any: as it is asked
        return None

    found.append(Fault("egress", "no proof", breaking(proof, "check", no_proof), PAIR, "masked", needs_vendor=True))
    found.append(Fault("egress", "proof of other bytes", breaking(proof, "check", _other_proof), PAIR, "masked",
                       needs_vendor=True))  # fmt: skip
    found.append(Fault("egress", "the second scan fails", _second_scan, PAIR, "masked", needs_vendor=True))
    return found


async def _other_proof(real: Any, self: Any, wire: WireRequest, target: Any) -> Any:  # Any: short
    proof = await real(self, wire, target)
    proof.body = proof.body + b" "
    return proof


@contextmanager
def _second_scan(room: Room, strikes: Strikes) -> Generator[None, None, None]:
    """The detectors break after the request was scanned, when its masked bytes are."""
    scanner = room.service.gateway.snapshot.scanner
    real = scanner.scan

    def scan(body: Any, *given: Any) -> Any:  # Any: a body
        if given:  # the client's has headers
            return real(body, *given)
        strikes.count += 1
        return replace(real(body), failures=("engine: injected",))

    scanner.scan = scan  # type: ignore[method-assign, assignment]  # on purpose
    try:
        yield
    finally:
        del scanner.scan


# ---- the judge -------------------------------------------------------------------------------------------------------


def says(text: str, **more: Any) -> tuple[int, bytes]:  # Any: JSON
    """Status and body of a chat that came whole."""
    message = {"role": "assistant", "content": text, **more}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


JUDGE = "house/judge"
NO = '{"trade_secret": "no", "source_code": "no"}'


def _judge_is(*, told: tuple[int, bytes] | None = None, weather: str = "fine") -> Inject:
    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        kept = room.targets.told.pop(JUDGE)
        if told is not None:
            room.targets.told[JUDGE] = told
        room.targets.weather[JUDGE] = weather
        try:
            with patched(yuzui.aside, "_send", lambda real, *given: real(*given), strikes):
                yield
        finally:
            room.targets.told[JUDGE] = kept
            del room.targets.weather[JUDGE]

    return inject


def _judge() -> list[Fault]:
    whole = json.loads(says(NO)[1])
    injects = {
        "is down": _judge_is(weather="unreachable"),
        "is too slow": _judge_is(weather="slow"),
        "breaks off": _judge_is(told=(200, says(NO)[1][:60])),
        **{f"answers {status}": _judge_is(told=(status, b'{"error":{"message":"no"}}')) for status in (302, 400, 401, 429, 500, 503)},
        "answers a page": _judge_is(told=(200, b"<html>")),
        "answers nothing": _judge_is(told=(200, b"")),
        "answers an array": _judge_is(told=(200, b"[]")),
        "has no choice": _judge_is(told=(200, json.dumps({**whole, "choices": []}).encode())),
        "has two choices": _judge_is(told=(200, json.dumps(
            {**whole, "choices": [whole["choices"][0], {**whole["choices"][0], "index": 1}]}).encode())),
        "refuses": _judge_is(told=says("", refusal="I cannot judge that.")),
        **{f"says {said[:40]!r}": _judge_is(told=says(said)) for said in (
            "", "no", "No labels apply.", "{}", "null", "[]", '"no"', '{"trade_secret": "no"}', NO[:-1], NO + NO, NO + "!",
            '{"trade_secret": "no", "source_code": "no", "colour": "no"}', '{"trade_secret": "no", "colour": "no"}',
            '{"trade_secret": "maybe", "source_code": "no"}', '{"trade_secret": false, "source_code": false}',
            '{"trade_secret": "NO", "source_code": "NO"}', '{"trade_secret": null, "source_code": null}',
            f"```json\n{NO}\n```", f"<think>none</think>{NO}", NO.replace("no", "yes"),
        )},
    }  # fmt: skip
    found = [Fault("judge", name, inject, CARD, "judge") for name, inject in injects.items()]
    for owner, names in (
        (yuzui.judging, ("pieces_of", "question", "read_verdict")),
        (yuzui.aside, ("check_egress", "_exchange", "choose_codec")),
    ):
        for name in names:
            found += _each_error("judge", name, partial(breaking, owner, name), CARD, "judge")
    return found
