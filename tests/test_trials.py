"""Who is drawn, by what, and what of an answer counts: without a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from routing_kit import HOUSE
from yuzui.audit.record import AttemptRecord
from yuzui.core.booking import Outcome, TrialOrder
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, Meaning, Message, TextPart
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.sensitivity import DEFAULT_LEVELS, Lattice
from yuzui.core.target import Target
from yuzui.core.trial import Lot, Rollback, Trial, Tried
from yuzui.exchange import Exchange
from yuzui.trials import Trials, unit_of

KEY = b"k" * 32
TRIAL = Trial(model="m", name="next", arm="house/qwen", percent=20)
CALLER = Caller(key_id="k1", app="a")


class Metrics:
    """The part of `Telemetry` that trials speak to; keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def tried(self, *, trial: str, arm: str, code: str, **_: object) -> None:
        self.told.append((trial, arm, code))


def a_request(text: str = "Hello", body: Mapping[str, Any] | None = None, **fields: Any) -> ChatRequest:
    def meaning(body: Mapping[str, Any]) -> Meaning:
        return Meaning(messages=(Message(role="user", parts=(TextPart(text=text),)),))

    return ChatRequest(dialect="openai", model="m", body=body or {}, read_meaning=meaning, **fields)


def an_exchange(id: str = "req_1", *, conversation: str = "", **fields: Any) -> Exchange:
    return Exchange(
        id=id, at_ns=1, started=0.0, lattice=Lattice(names=DEFAULT_LEVELS), snapshot_id="s", content_key=KEY,
        caller=CALLER, request=fields.pop("request", a_request()), conversation_id=conversation, **fields,
    )  # fmt: skip


def arms(trials: Trials, trial: Trial, count: int = 2000) -> set[int]:
    drawn = set()
    for number in range(count):
        lot = trials.draw((trial,), an_exchange(conversation=f"c{number}"))
        assert lot is not None and lot.unit == "conversation"
        if lot.arm is not None:
            drawn.add(number)
    return drawn


def test_a_share_is_drawn_the_same_everywhere_and_only_grows() -> None:
    few = arms(Trials(KEY), TRIAL)
    assert 320 <= len(few) <= 480  # binomial(2000, 0.2), four and a half deviations
    assert few == arms(Trials(KEY), TRIAL)
    more = arms(Trials(KEY), replace(TRIAL, percent=50.0))
    assert few < more
    assert arms(Trials(b"x" * 32), TRIAL) != few
    other = arms(Trials(KEY), replace(TRIAL, name="other"))
    assert 30 <= len(few & other) <= 130  # trials are drawn apart
    assert arms(Trials(KEY), replace(TRIAL, percent=0.0)) == set()
    assert len(arms(Trials(KEY), replace(TRIAL, percent=100.0))) == 2000


def test_the_earlier_trial_comes_first_and_who_draws_nothing_is_control_of_all() -> None:
    first, second = replace(TRIAL, percent=50), replace(TRIAL, name="second", percent=50)
    seen = {"next": 0, "second": 0, "control": 0}
    for number in range(400):
        lot = Trials(KEY).draw((first, second), an_exchange(conversation=f"c{number}"))
        assert lot is not None
        if lot.arm is None:
            assert [one.name for one in lot.control] == ["next", "second"]
        else:
            assert lot.control == ()
        seen[lot.arm.name if lot.arm is not None else "control"] += 1
    assert 150 <= seen["next"] <= 250 and 60 <= seen["second"] <= 140 and 60 <= seen["control"] <= 140


def test_nothing_is_drawn_for_who_is_not_meant() -> None:
    trial = replace(TRIAL, teams=frozenset({"risk"}))
    assert Trials(KEY).draw((trial,), an_exchange()) is None
    assert Trials(KEY).draw((), an_exchange()) is None


@pytest.mark.parametrize(
    ("request_", "conversation", "unit"),
    [
        (a_request(body={"user": "u"}), "c", ("conversation", b"c")),
        (a_request(body={"user": "u", "safety_identifier": "s"}), "", ("user", b"s")),
        (a_request(body={"user": "u"}), "", ("user", b"u")),
        (a_request(body={"metadata": {"user_id": "m"}}), "", ("user", b"m")),
        (a_request("How?", body={"user": 7, "metadata": []}), "", ("opening", b"How?")),
        (a_request(""), "", ("request", b"req_1")),
        (a_request("Hello", operation="embeddings"), "", ("request", b"req_1")),
    ],
)
def test_by_what_a_request_is_drawn(request_: ChatRequest, conversation: str, unit: tuple[str, bytes]) -> None:
    assert unit_of(request_, conversation, "req_1") == unit


def noted(
    trials: Trials, *attempts: AttemptRecord, outcome: Outcome = "answered", role: str = "arm", trial: Trial = TRIAL,
    unit: bytes = b"u", ms: int = 0, target: Target = HOUSE, is_refused: bool = False,
) -> Metrics:  # fmt: skip
    """One closed request of one side."""
    other = replace(HOUSE, name="house/other")
    plan = (HOUSE, other)
    decision = Decision(
        model="m", policy="pinned", level=0, allowed=AllowedSet(frozenset(t.name for t in plan)), plan=plan,
        refused=(), why="", tried=Tried(roles={trial.name: role}),
    )  # fmt: skip
    exchange = an_exchange(decision=decision, attempts=list(attempts), first_token_ms=ms, target=target)
    exchange.delivered.is_refused = is_refused
    is_arm = role == "arm"
    exchange.lot = Lot(
        arm=trial if is_arm else None, control=() if is_arm else (trial,), unit="request", unit_hash=unit
    )
    metrics = Metrics()
    trials.note(exchange, outcome, metrics)  # type: ignore[arg-type]  # the part that is used
    return metrics


def failed(code: str = "upstream_timeout", status: int = 0, target: str = "house/qwen") -> AttemptRecord:
    return AttemptRecord(target=target, outcome=code, upstream_status=status)


def test_the_first_target_counts_whoever_answered_in_the_end() -> None:
    trials = Trials(KEY)
    assert noted(trials, failed()).told == [("next", "arm", "upstream_timeout")]
    assert noted(trials, role="control", ms=30).told == [("next", "control", "")]
    state = trials._states[TRIAL.id]
    assert (state.arm.requests, state.arm.failures, state.control.requests, state.control.failures) == (1, 1, 1, 0)
    assert state.control.first_token_ms == 30


def test_what_says_nothing_of_the_target_is_not_compared() -> None:
    trials = Trials(KEY)
    noted(trials, outcome="aborted")
    noted(trials, outcome="failed")
    noted(trials, failed(target="house/other"))  # the arm's codec could not say it
    noted(trials, target=replace(HOUSE, name="house/other"))
    assert noted(trials, role="clearance").told == []
    assert TRIAL.id not in trials._states
    noted(trials, failed("answer_withheld"), outcome="failed")
    noted(trials, failed("escalated"))
    assert (trials._states[TRIAL.id].arm.failures, trials._states[TRIAL.id].arm.requests) == (0, 2)
    assert noted(trials, is_refused=True).told == [("next", "arm", "content_filter")]
    assert trials._states[TRIAL.id].arm.failures == 1


def test_a_clients_own_mistake_counts_once_for_that_client() -> None:
    trials = Trials(KEY)
    for _ in range(5):
        noted(trials, failed("upstream_refused", 400), outcome="failed", unit=b"one")
    noted(trials, failed("upstream_refused", 422), outcome="failed", unit=b"two")
    state = trials._states[TRIAL.id]
    assert (state.arm.failures, state.in_a_row) == (2, 0)
    noted(trials, failed("context_length_exceeded", 400), unit=b"one")
    assert (state.arm.failures, state.in_a_row) == (3, 1)


def test_an_arm_that_is_stopped_draws_nothing_at_once_and_the_order_waits_for_the_books() -> None:
    rung: list[bool] = []
    trial = replace(TRIAL, percent=100.0, rollback=Rollback(failures_in_a_row=2))
    trials = Trials(KEY, now_ns=lambda: 7_000_000_000, bits64=lambda: 1)
    trials.on_stop = lambda: rung.append(True)
    assert trials.draw((trial,), an_exchange()) is not None
    for _ in range(2):
        noted(trials, failed(), trial=trial)
    assert rung and trials.draw((trial,), an_exchange()) is None
    (order,) = trials.unwritten()
    assert (order.action, order.by, order.reason) == ("stop", "", "failed 2 times in a row")
    trials.obey([])  # the books do not know it yet
    assert trials.draw((trial,), an_exchange()) is None
    trials.wrote(order)
    trials.obey([order])
    assert trials.draw((trial,), an_exchange()) is None


def test_resumed_it_begins_anew_once_and_the_next_process_knows() -> None:
    trials = Trials(KEY)
    noted(trials, failed())
    resume = TrialOrder(
        id="trl_2", at_ns=2, action="resume", model="m", name="next", arm="house/qwen", by="Ann", os_user="", reason="r"
    )
    trials.obey([resume])
    assert trials._states[TRIAL.id].arm.requests == 0
    noted(trials)
    trials.obey([resume])
    assert trials._states[TRIAL.id].arm.requests == 1
    states = trials.take_changed()
    assert trials.take_changed() == {}
    again = Trials(KEY, states=states, orders=[resume])
    assert again._states[TRIAL.id].arm.requests == 1
    trials.give_back(list(states))
    assert trials.take_changed() == states


def test_a_state_that_cannot_be_read_begins_anew_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    trials = Trials(KEY, states={TRIAL.id: b"{"})
    assert [one.message for one in caplog.records] == ["trial_state_unreadable"]
    noted(trials)
    assert trials._states[TRIAL.id].arm.requests == 1


def test_a_stop_counts_after_a_resume_that_a_clock_ahead_has_dated() -> None:
    trial = replace(TRIAL, percent=100.0, rollback=Rollback(failures_in_a_row=2))
    resume = TrialOrder(
        id="trl_2", at_ns=9_000, action="resume", model="m", name="next", arm="house/qwen", by="Ann", os_user="",
        reason="r",
    )  # fmt: skip
    trials = Trials(KEY, orders=[resume], now_ns=lambda: 7_000, bits64=lambda: 1)
    for _ in range(2):
        noted(trials, failed(), trial=trial)
    (order,) = trials.unwritten()
    trials.wrote(order)
    latest = max((resume, order), key=lambda one: (one.at_ns, one.id))  # as the books choose
    trials.obey([latest])
    assert trials.draw((trial,), an_exchange()) is None
