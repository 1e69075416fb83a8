"""What is known of a request becomes its record: facts, keyed hashes and reasons, never content."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from accounting_kit import a_request
from yuzui.accounting.price_factors import Applied
from yuzui.accounting.settle import NOTHING, Settlement
from yuzui.audit.record import AnswerRecord, AskedRecord, read_record, write_record
from yuzui.core.answers import Blob
from yuzui.core.booking import KeptAnswer, Outcome, Receipt
from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Delta,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.core.decision import AllowedSet, Decision, Verdict
from yuzui.core.errors import (
    ClientFault,
    InvalidRequest,
    NoPermittedTarget,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    YuzuiError,
)
from yuzui.core.sensitivity import Cause, Lattice, Sensitivity
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.exchange import MOST_DROPPED, Delivered, Exchange, rfc3339, safe_message, speakable, usage_record
from yuzui.privacy.answer_scan import AnswerFindings

TARGET = Target(
    name="vendor/鱼", provider="scripted", codec="scripted", model="m", base_url="", premises="vendor", clearance=1,
    jurisdiction="", is_simulated=True,
)  # fmt: skip


def exchange() -> Exchange:
    return Exchange(id="req_1", at_ns=0, started=0.0, lattice=Lattice(), snapshot_id="s", content_key=bytes(range(32)))


@pytest.mark.parametrize(
    ("delta", "characters", "has_content"),
    [
        (Delta(role="assistant"), 0, False),
        (Delta(finish_reason="stop"), 0, False),
        (Delta(signature="abc"), 0, False),
        (Delta(text="鱼嘴"), 2, True),
        (Delta(reasoning="hm"), 2, True),
        (Delta(refusal="no"), 2, True),
        (Delta(redacted="encrypted"), 0, True),
        (Delta(tool_calls=(ToolCallDelta(position=0, name="f", arguments="{}"),)), 3, True),
        (Delta(tool_calls=(ToolCallDelta(position=0),)), 0, True),
    ],
)
def test_content_is_what_a_client_would_see(delta: Delta, characters: int, has_content: bool) -> None:
    delivered = Delivered()
    assert delivered.count(StreamChunk(deltas=(delta,))) is has_content
    assert (delivered.characters, delivered.pieces) == (characters, int(has_content))


def test_usage_without_content_is_remembered_and_is_no_content() -> None:
    delivered = Delivered()
    assert not delivered.count(StreamChunk(usage=Usage(input_tokens=3)))
    assert not delivered.count(StreamChunk())
    assert delivered.usage == Usage(input_tokens=3)


def test_the_answer_is_kept_only_while_somebody_needs_it() -> None:
    response = ChatResponse(
        id="1", model="m", created_s=0, usage=Usage(output_tokens=4),
        choices=(Choice(index=0, finish_reason="stop", parts=(
            ReasoningPart(text="think"), TextPart(text="say"), ToolCallPart(id="c", name="f", arguments="{}"))),),
    )  # fmt: skip
    without, keeping = Delivered(), Delivered(texts={})
    for delivered in (without, keeping):
        delivered.count_response(response)
        assert (delivered.characters, delivered.pieces, delivered.usage) == (11, 1, Usage(output_tokens=4))
    assert without.texts is None
    assert keeping.texts is not None and {"say", "think"} <= {"".join(pieces) for pieces in keeping.texts.values()}


def test_hashes_need_the_key_and_agree_however_the_content_came() -> None:
    mine, other = exchange(), exchange()
    other.content_key = bytes(32)
    streamed = mine.content_hasher()
    for piece in (b"he", b"", b"llo"):
        streamed.update(piece)
    assert streamed.hexdigest() == mine.hash_content(b"hello") != other.hash_content(b"hello")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidRequest("you wrote: my secret", param="messages[3].content"), "in messages[3].content"),
        (InvalidRequest("you wrote: my secret", param="my secret"), ""),
        (InvalidRequest("you wrote: my secret"), ""),
        (UpstreamRefused("the target said: my secret", upstream_status=400), ""),
        (UpstreamInvalid("not JSON: my secret"), ""),
        (UpstreamTimeout("passed its limit"), "passed its limit"),
        (UpstreamUnreachable("cannot be reached"), "cannot be reached"),
        (ClientFault("x" * 1000), "x" * 300),
    ],
)
def test_words_that_may_quote_content_are_not_recorded(error: YuzuiError, words: str) -> None:
    assert safe_message(error) == words


def test_the_record_of_a_decided_request_tells_it_by_names() -> None:
    made = exchange()
    made.sensitivity = Sensitivity(
        level=2,
        causes=(Cause(source="finding", level=2, detail="email"),),
        kinds={"email": 2},
        rules={"email/plain@1": 2},
    )
    made.decision = Decision(
        model="auto", policy="own_first", level=2, allowed=AllowedSet(frozenset({"b", "a"})), plan=(TARGET,),
        refused=(Verdict(target="x", reason="clearance", words=""), Verdict(target="y", reason="clearance", words="")),
        why="own_first: a",
    )  # fmt: skip
    made.target, made.dropped = TARGET, ("seed",)
    record = made.record("answered", None, duration_ms=5)
    assert (record.sensitivity, record.findings, record.causes[0].level) == (
        "confidential",
        {"email": 2},
        "confidential",
    )
    assert (record.allowed, record.refused, record.plan) == (("a", "b"), {"clearance": ("x", "y")}, ("vendor/鱼",))
    assert record.is_simulated and record.rules == {"email/plain@1": 2}
    assert json.loads(write_record(record))["id"] == "req_1"
    assert made.headers() == {
        "x-yuzui-request-id": "req_1", "x-request-id": "req_1", "request-id": "req_1", "x-yuzui-target": "vendor/鱼", "x-yuzui-simulated": "true",
        "x-yuzui-sensitivity": "confidential", "x-yuzui-decision": "own_first: a", "x-yuzui-dropped": "seed",
    }  # fmt: skip


def test_a_request_that_got_nowhere_has_a_record_and_one_header() -> None:
    made = exchange()
    record = made.record("refused", InvalidRequest("x"), duration_ms=0)
    assert (record.error, record.target, record.sensitivity, record.allowed) == ("invalid_request", "", "", ())
    assert set(made.headers()) == {"x-yuzui-request-id", "x-request-id", "request-id"}


def test_a_refusal_of_routing_keeps_its_verdicts() -> None:
    made, error = exchange(), NoPermittedTarget("none")
    error.refused = (Verdict(target="v", reason="jurisdiction", words="US"),)
    made.note_refusal(error)
    assert made.record("refused", error, duration_ms=0).refused == {"jurisdiction": ("v",)}


@pytest.mark.parametrize(("outcome", "is_kept"), [("answered", True), ("aborted", False), ("failed", False)])
def test_the_record_says_whether_the_answer_was_kept(outcome: Outcome, is_kept: bool) -> None:
    made = exchange()
    assert not made.record(outcome, None, duration_ms=0).kept
    made.kept = (KeptAnswer(scope="k", id="resp_1", level="internal", content=b"x", expires_ns=2),)
    assert made.record(outcome, None, duration_ms=0).kept is is_kept


def test_what_cost_nothing_has_no_cost_and_what_cost_has_both_currencies() -> None:
    made = exchange()
    made.note_settlement(NOTHING, "USD")
    assert (made.usage, made.cost) == (None, None)
    usage = Usage(input_tokens=10, is_estimated=True, note="aborted")
    made.note_settlement(
        Settlement(usage=usage, amount_nano=100, currency="CNY", price_version="v", rate="0.14", spent_nano=14), "USD"
    )
    assert made.cost is not None
    assert (made.cost.amount, made.cost.currency, made.cost.book, made.cost.book_currency) == (100, "CNY", 14, "USD")
    recorded = usage_record(usage)
    assert (recorded.input, recorded.is_estimated, recorded.note) == (10, True, "aborted")


@pytest.mark.parametrize(
    ("at_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_335_330_123_999_999, "2026-11-22T08:15:30.123Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds(at_ns: int, text: str) -> None:
    assert rfc3339(at_ns) == text


def test_sound_and_pictures_are_content_though_no_delta_tells_of_them() -> None:
    delivered = Delivered()
    assert delivered.count(StreamChunk(raw=b"\xff\xf3", has_content=True))
    assert not delivered.count(StreamChunk(raw=b"{}"))
    assert (delivered.pieces, delivered.characters) == (1, 0)


def test_what_a_transcript_says_is_remembered_where_a_label_needs_it() -> None:
    delivered = Delivered(texts={})
    delivered.count_response(Blob(usage=None, raw=b"{}", raw_dialect="openai_transcription", texts=("hello", "there")))
    assert delivered.said() == ["hello", "there"]
    assert (delivered.pieces, delivered.characters) == (1, 10)


def test_what_was_said_in_turns_is_told_piece_by_piece_and_together() -> None:
    """Clients give back the pieces (Responses, as items) or all of a kind (chat completions, as one text)."""
    call = Delta(tool_calls=(ToolCallDelta(position=0, name="f", arguments='{"a":'),))
    rest = Delta(tool_calls=(ToolCallDelta(position=0, arguments="1}"),))
    deltas = [
        Delta(reasoning="hm"), Delta(text="I "), Delta(text="look."), call, Delta(index=1, text="other"), rest,
        Delta(reasoning="ah"), Delta(text="Found."), Delta(refusal="no"),
    ]  # fmt: skip
    streamed = Delivered(texts={})
    for delta in deltas:
        streamed.count(StreamChunk(deltas=(delta,)))
    assert sorted(streamed.said()) == sorted(
        ["hm", "ah", "hmah", "I look.", "Found.", "I look.Found.", '{"a":1}', "other", "no"]
    )
    whole = Delivered(texts={})
    parts = (TextPart(text="I look."), ToolCallPart(id="c", name="f", arguments="{}"), TextPart(text="Found."))
    choice = Choice(index=0, finish_reason="stop", parts=parts, refusal="no")
    whole.count_response(ChatResponse(id="1", model="m", created_s=0, usage=None, choices=(choice,)))
    assert sorted(whole.said()) == sorted(["I look.", "Found.", "I look.Found.", "{}", "no"])
    assert Delivered().said() == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("messages[0].image_url.detail", "messages[0].image_url.detail"),
        ("tools.parameters.$ref", "tools.parameters.$ref"),
        ("x-vendor_field", "x-vendor_field"),
        ("4111111111111111", "unknown_field"),
        ("card_4111111111111111", "unknown_field"),
        ("zhang.wei@example.org", "unknown_field"),
        ("鱼嘴", "unknown_field"),
        ("x\r\ny: 1", "unknown_field"),
        ("z" * 200, "unknown_field"),
        ("", "unknown_field"),
    ],
)
def test_a_dropped_field_is_named_only_like_a_field(name: str, told: str) -> None:
    assert speakable((name,), {}) == (told,)


def test_not_all_names_are_told_of_a_request_that_has_thousands() -> None:
    assert speakable((), {}) == ()
    assert speakable(("a", "b", "a"), {}) == ("a", "b")
    told = speakable(tuple(f"k{n}" for n in range(5000)), {})
    assert len(told) == MOST_DROPPED + 1 and told[-1] == "and_more"


def test_of_each_price_term_the_last_word_counts() -> None:
    delivered = Delivered()
    for terms in (("service_tier=default", "speed=fast"), (), ("service_tier=priority",)):
        delivered.count(StreamChunk(price_terms=terms))
    assert set(delivered.told_terms) == {"speed=fast", "service_tier=priority"}
    assert delivered.pieces == 0


def test_a_factor_is_told_in_the_record_with_what_made_it() -> None:
    one = exchange()
    factor = Applied(factor=Fraction(5, 3), terms=("service_tier=priority",))
    one.note_settlement(Settlement(usage=Usage(), amount_nano=5, price_version="v", factor=factor), "USD")
    assert one.cost is not None and (one.cost.factor, one.cost.terms) == ("5/3", ("service_tier=priority",))
    one.note_settlement(Settlement(usage=Usage(), amount_nano=5, price_version="v"), "USD")
    assert b"factor" not in write_record(one.record("answered", None, duration_ms=0))


def test_what_was_found_in_the_answer_is_told_by_kind_and_level() -> None:
    made = exchange()
    assert made.record("answered", None, duration_ms=0).answer is None
    made.found = AnswerFindings(noted={"email": 2}, redacted={"email": 1, "bank_card": 1}, echoed={"phone": 1})
    made.answer_level = 2
    record = read_record(write_record(made.record("answered", None, duration_ms=0)))
    assert record.answer == AnswerRecord(
        noted={"email": 2}, redacted={"email": 1, "bank_card": 1}, echoed={"phone": 1}, level="confidential"
    )
    assert made.headers()["x-yuzui-answer-findings"] == "bank_card=1,email=3"
    assert made.headers()["x-yuzui-answer-redacted"] == "bank_card=1,email=1"
    trailer = made.trailer(Receipt(index=1, leaf_hash=b"x"))
    assert trailer["answer_findings"] == {"email": 3, "bank_card": 1}
    assert trailer["answer_redacted"] == {"email": 1, "bank_card": 1}


def test_a_plan_that_no_budget_holds_comes_home_once_and_the_record_tells_it() -> None:
    own = Target(
        name="own/a",
        provider="vllm",
        codec="openai",
        model="m",
        base_url="",
        premises="own",
        clearance=3,
        jurisdiction="",
    )
    vendor = replace(own, name="vendor/b", premises="vendor")
    decision = Decision(
        model="m", policy="burst", level=0, allowed=AllowedSet(frozenset(("own/a", "vendor/b"))), plan=(vendor, own),
        refused=(), why="burst: vendor/b", unpaid=(own,),
    )  # fmt: skip
    found = exchange()
    found.decision = decision
    assert found.record("unknown", None, duration_ms=0).plan == ("vendor/b", "own/a")  # written once, for the intent
    home = found.come_home(decision)
    assert home is not None and home is found.decision and home.plan == (own,) and home.allowed == decision.allowed
    record = found.record("answered", None, duration_ms=1)
    assert record.plan == ("own/a",)
    assert record.why == "burst: vendor/b; the budget does not hold a burst: stays with own/a"
    assert found.come_home(home) is None
    assert found.come_home(replace(decision, unpaid=())) is None


def test_the_record_says_what_routing_was_asked_once_it_was() -> None:
    before = exchange()
    before.request = a_request(service_tier="a plan of ours", features=frozenset({"tools", "images"}))
    assert before.record("refused", None, duration_ms=0).asked is None
    before.input_bound = 1200
    before.decision = Decision(
        model="m", policy="weighted", level=1, allowed=AllowedSet(frozenset({TARGET.name})), plan=(TARGET,), refused=(),
        why="", fraction=0.5, blocked=frozenset({"b", "a"}), full=frozenset({"c"}),
    )  # fmt: skip
    assert before.record("unknown", None, duration_ms=0).asked == AskedRecord(
        features=("images", "tools"), input_bound=1200, output=4096, terms=("service_tier=?",), draw=0.5,
        blocked=("a", "b"), full=("c",),
    )  # fmt: skip


def test_the_record_says_where_its_target_stood() -> None:
    asked = exchange()
    assert asked.record("refused", None, duration_ms=0).premises == ""
    asked.target = TARGET
    assert asked.record("answered", None, duration_ms=0).premises == "vendor"
