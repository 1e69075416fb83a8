"""Which arm a request draws, what came of it, and when an arm must stop. Nothing here waits for the books."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from yuzui.audit.record import first_tried
from yuzui.core.booking import Outcome, TrialOrder
from yuzui.core.chat import ChatRequest, TextPart
from yuzui.core.errors import YuzuiError
from yuzui.core.ids import time_sorted_id
from yuzui.core.trial import ARM, CONTROL, FILTERED, NO_FAILURE, Lot, Trial, Unit
from yuzui.routing.arm_comparison import Comparison, read_comparison

if TYPE_CHECKING:  # it holds what this module gives it
    from yuzui.exchange import Exchange
    from yuzui.ports import Telemetry

log = logging.getLogger("yuzui")

MOST_UNITS: Final = 10_000
"""Clients whose own mistakes are remembered, so that each counts once."""
_CLIENT_STATUSES: Final = frozenset((400, 413, 414, 422))
_write = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one request tells of the target that was asked first."""

    failed: bool
    code: str = ""
    is_clients_fault: bool = False
    first_token_ms: float | None = None


class Trials:
    """All trials of this gateway, whichever configuration names them. Used on the event loop's thread."""

    def __init__(
        self,
        key: bytes,
        *,
        states: Mapping[str, bytes] | None = None,
        orders: Sequence[TrialOrder] = (),
        now_ns: Callable[[], int] = lambda: 0,
        bits64: Callable[[], int] = lambda: 0,
    ) -> None:
        """`key`: of this deployment, kept over restarts, so that a request is drawn alike in all its processes."""
        self._key = key
        self._now_ns, self._bits64 = now_ns, bits64
        self._states: dict[str, Comparison] = {}
        for trial, state in (states or {}).items():
            try:
                self._states[trial] = read_comparison(state)
            except ValueError:  # another version's: the comparison begins anew, what was stopped stays so
                log.warning("trial_state_unreadable", extra={"fields": {"trial": trial.replace("\n", "/")}})
        self._changed: set[str] = set()
        self._stopped: dict[str, TrialOrder] = {}
        self._last_ns: dict[str, int] = {}
        """Trial id → when the order about it was given that counts."""
        self._unwritten: list[TrialOrder] = []
        self._mistaken: OrderedDict[bytes, None] = OrderedDict()
        self.on_stop: Callable[[], None] = lambda: None
        """Told when an arm was stopped here: what it says should be written soon."""
        self.obey(orders)

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def draw(self, trials: tuple[Trial, ...], exchange: Exchange) -> Lot | None:
        """None where no trial of the model is about this request. The earlier trial comes first."""
        if not trials:
            return None
        caller, request = exchange.caller, exchange.request
        assert caller is not None and request is not None
        mine = [trial for trial in trials if trial.id not in self._stopped and trial.concerns(caller)]
        if not mine:
            return None
        unit, name = unit_of(request, exchange.conversation_id, exchange.id)
        scope = caller.scope if unit != "request" else ""
        drawn = blake2b(f"{unit}\0{scope}\0".encode() + name, key=self._key[:64], digest_size=16, person=b"trial-unit")
        unit_hash = drawn.digest()
        control: list[Trial] = []
        for trial in mine:
            if self._fraction(trial, unit_hash) < trial.percent / 100:
                # Another trial's control would be somebody who draws nothing at all.
                return Lot(arm=trial, unit=unit, unit_hash=unit_hash)
            control.append(trial)
        return Lot(arm=None, control=tuple(control), unit=unit, unit_hash=unit_hash)

    def _fraction(self, trial: Trial, unit_hash: bytes) -> float:
        """In [0, 1), for good: a larger percentage takes in more, and nobody out."""
        salt = f"{trial.model}\0{trial.name}".encode()
        drawn = blake2b(salt + b"\0" + unit_hash, key=self._key[:64], digest_size=7, person=b"trial-draw")
        return int.from_bytes(drawn.digest(), "big") / 2**56

    # ---- what came of it ---------------------------------------------------------------------------------------------

    def note(self, exchange: Exchange, outcome: Outcome, telemetry: Telemetry) -> None:
        """Once per request, when it is closed."""
        lot, decision = exchange.lot, exchange.decision
        if lot is None or decision is None or decision.tried is None:
            return
        seen = self._seen(exchange, outcome)
        for trial in (*lot.control, *((lot.arm,) if lot.arm is not None else ())):
            role = decision.tried.roles.get(trial.name, "")
            if role not in (ARM, CONTROL):
                continue
            telemetry.tried(
                model=trial.model, trial=trial.name, arm=role, outcome=outcome,
                code=seen.code if seen is not None else "",
                first_token_ms=int(seen.first_token_ms or 0) if seen is not None else 0,
                input_tokens=exchange.usage.input_tokens if exchange.usage else 0,
                output_tokens=exchange.usage.output_tokens if exchange.usage else 0,
                spent_nano=exchange.cost.total if exchange.cost else 0,
            )  # fmt: skip  # one thing
            if seen is None or trial.id in self._stopped:
                continue
            if seen.is_clients_fault and self._knows_mistaken(trial, lot.unit_hash):
                continue
            self._compare(trial, role == ARM, seen, exchange.request is not None and exchange.request.stream)

    def _compare(self, trial: Trial, is_arm: bool, seen: Seen, is_stream: bool) -> None:
        state = self._states.get(trial.id)
        if state is None:
            state = self._states[trial.id] = Comparison()
        why = state.add(
            trial.rollback, is_arm=is_arm, failed=seen.failed, first_token_ms=seen.first_token_ms,
            is_stream=is_stream, is_clients_fault=seen.is_clients_fault,
        )  # fmt: skip  # one thing
        self._changed.add(trial.id)
        if why:
            self._stop(trial, why)

    def _seen(self, exchange: Exchange, outcome: Outcome) -> Seen | None:
        """What the first target did; None where it was not asked, or nobody waited for it."""
        decision, first = exchange.decision, first_tried(exchange.attempts)
        asked = first.target if first is not None else exchange.target.name if exchange.target is not None else ""
        if decision is None or asked != decision.plan[0].name:
            return None
        if first is not None and first.outcome not in NO_FAILURE:
            is_clients = first.upstream_status in _CLIENT_STATUSES and first.outcome != "context_length_exceeded"
            return Seen(failed=True, code=first.outcome, is_clients_fault=is_clients)
        if first is not None:  # it did its work, and the answer is another's, or nobody's
            return Seen(failed=False)
        if outcome != "answered":
            return None
        if exchange.delivered.is_refused:
            return Seen(failed=True, code=FILTERED)
        return Seen(failed=False, first_token_ms=float(exchange.first_token_ms) if exchange.first_token_ms else None)

    def _knows_mistaken(self, trial: Trial, unit_hash: bytes) -> bool:
        """Whether this client's mistakes have been counted already: one that repeats itself says nothing new."""
        known = trial.id.encode() + unit_hash
        if known in self._mistaken:
            return True
        self._mistaken[known] = None
        if len(self._mistaken) > MOST_UNITS:
            self._mistaken.popitem(last=False)
        return False

    def _stop(self, trial: Trial, why: str) -> None:
        """At once, here; `unwritten` carries it into the books."""
        # Behind the last order about it, also where a clock was set back: in the books the later one counts.
        now_ns = max(self._now_ns(), self._last_ns.get(trial.id, 0) + 1)
        order = TrialOrder(
            id=time_sorted_id("trl_", now_ns, self._bits64()), at_ns=now_ns, action="stop", model=trial.model,
            name=trial.name, arm=trial.arm, by="", os_user="", reason=why,
        )  # fmt: skip
        self._stopped[trial.id] = order
        self._unwritten.append(order)
        log.warning(
            "trial_rolled_back",
            extra={"fields": {"model": trial.model, "trial": trial.name, "arm": trial.arm, "reason": why}},
        )
        self.on_stop()

    # ---- what the books know -----------------------------------------------------------------------------------------

    def obey(self, orders: Sequence[TrialOrder]) -> None:
        """`orders`: the latest in force about each trial, whoever gave them."""
        latest = {order.trial_id: order for order in (*orders, *self._unwritten)}
        self._stopped = {id: order for id, order in latest.items() if order.action == "stop"}
        self._last_ns = {id: order.at_ns for id, order in latest.items()}
        for id, order in latest.items():
            state = self._states.get(id)
            if order.action == "resume" and (state is None or state.resumed != order.id):
                self._states[id] = Comparison(resumed=order.id)  # what stopped it is no evidence any more
                self._changed.add(id)

    def unwritten(self) -> list[TrialOrder]:
        """Arms that were stopped here, until `wrote` says that the books know."""
        return list(self._unwritten)

    def wrote(self, order: TrialOrder) -> None:
        self._unwritten.remove(order)

    def take_changed(self) -> dict[str, bytes]:
        """Trial id → state, of those that changed since the last call."""
        changed, self._changed = self._changed, set()
        return {id: _write(self._states[id]) for id in changed}

    def give_back(self, ids: Sequence[str]) -> None:
        """They could not be written: they are still changed."""
        self._changed.update(ids)

    def stopped(self) -> Mapping[str, TrialOrder]:
        """Trial id → the order that stopped it."""
        return self._stopped


def unit_of(request: ChatRequest, conversation_id: str, request_id: str) -> tuple[Unit, bytes]:
    """By what a request is drawn: the longest-lived name that it has.

    The name of its conversation, else its end user, else how the conversation begins (the first words of the user,
    which clients that send the whole history repeat with each turn), else itself.
    """
    if conversation_id:
        return "conversation", conversation_id.encode("utf-8", "surrogatepass")
    if user := _end_user(request):
        return "user", user.encode("utf-8", "surrogatepass")
    if request.operation == "chat":
        try:
            messages = request.meaning.messages
        except YuzuiError:  # the hub cannot say it, but a lane may carry it
            messages = ()
        first = next((message for message in messages if message.role == "user"), None)
        if first is not None:
            text = "\0".join([part.text for part in first.parts if isinstance(part, TextPart)])
            if text:
                return "opening", text.encode("utf-8", "surrogatepass")
    return "request", request_id.encode()


def _end_user(request: ChatRequest) -> str:
    """`user` and `safety_identifier` of OpenAI's dialects, `metadata.user_id` of Anthropic's."""
    body = request.body
    metadata = body.get("metadata")
    named = (
        body.get("safety_identifier"),
        body.get("user"),
        metadata.get("user_id") if isinstance(metadata, Mapping) else None,
    )
    return next((one for one in named if isinstance(one, str) and one), "")
