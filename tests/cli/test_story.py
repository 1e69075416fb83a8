from __future__ import annotations

from typing import get_args

import pytest

from yuzui.audit.record import (
    AnswerRecord,
    AttemptRecord,
    CauseRecord,
    CostRecord,
    RequestRecord,
    RoutedRecord,
    UsageRecord,
)
from yuzui.cascading import Role
from yuzui.cli._story import KEPT, REASONS, ROLES, RULES, WISHES, tell, why_sensitive
from yuzui.core.chat import Operation

BASE = RequestRecord(id="req_1", at="2026-11-22T08:00:00.000Z")


def told(record: RequestRecord) -> dict[str, list[str]]:
    return dict(tell(record, 7, b"\xab" * 32))


def test_a_stranger_refused_at_the_door_has_a_story_too() -> None:
    story = told(RequestRecord(id="req_1", at="x", outcome="refused", error="invalid_api_key", error_message="no"))
    assert story["Asked by"] == ["nobody we know"]
    assert story["Sensitivity"] == ["was not decided: it was refused before"]
    assert story["Outcome"] == ["refused", "invalid_api_key: no"]
    assert story["Cost"] == ["nothing"]


def test_every_reason_that_routing_can_give_has_words() -> None:
    from yuzui.core.decision import RefusalReason

    assert set(REASONS) == set(get_args(RefusalReason))


def test_a_simulated_answer_never_looks_real() -> None:
    story = told(RequestRecord(id="r", at="x", target="vendor/s", is_simulated=True, outcome="answered"))
    assert "Kept" not in story
    assert story["Outcome"] == ["answered by vendor/s (simulated: a script answered, not a model)"]


def test_attempts_tokens_and_foreign_money_are_told_in_full() -> None:
    record = RequestRecord(
        id="r", at="x", outcome="answered", target="b",
        attempts=(AttemptRecord(target="a", outcome="upstream_refused", upstream_status=500, duration_ms=20),
                  AttemptRecord(target="b", outcome="ok", duration_ms=2100, tokens_delivered=3)),
        usage=UsageRecord(input=9, cached_input=4, cache_write=2, output=5, reasoning=3, is_estimated=True,
                          note="aborted"),
        cost=CostRecord(amount=7_000, currency="CNY", book=980, book_currency="USD", price_version="v", rate="0.14"),
        dropped=("seed",), kept=True, duration_ms=2130, first_token_ms=90,
    )  # fmt: skip
    story = told(record)
    assert story["Attempts"] == [
        "1. a: upstream_refused, status 500, 20 ms",
        "2. b: ok, 2.1 s, 3 pieces delivered",
    ]
    assert story["Tokens"] == [
        "9 in, 5 out, 4 of the input from a cache, 2 written to a cache, 3 of the output for reasoning, "
        "estimated (aborted)"
    ]
    assert story["Cost"] == ["0.000007 CNY = 0.00000098 USD at 0.14, price v"]
    assert story["Dropped"] == ["seed: the target cannot take it"]
    assert story["Kept"] == ["the answer, encrypted, for `previous_response_id`"]
    assert story["Time"] == ["2.1 s, first token after 90 ms"]


@pytest.mark.parametrize(
    ("operation", "usage", "wish", "tokens"),
    [
        ("chat", UsageRecord(input=5, output=2, server_tools={"web_search": 2, "web_fetch": 1}),
         "model m (d)", "5 in, 2 out, web_search called 2 times, web_fetch called 1 time"),
        ("chat", UsageRecord(input=9, cache_write=4, cache_write_1h=3, input_audio=1, output=5, output_audio=2),
         "model m (d)", "9 in, 5 out, 4 written to a cache, 3 of them for an hour, 1 of the input for sound, "
         "2 of the output for sound"),
        ("count_tokens", UsageRecord(), "a count of tokens, model m (d)", "0 in, 0 out"),
        ("embeddings", UsageRecord(input=7), "embeddings, model m (d)", "7 in, 0 out"),
        ("rerank", UsageRecord(searches=2), "a ranking, model m (d)", "2 searches of documents"),
        ("transcription", UsageRecord(audio_ms=12_300, is_estimated=True),
         "a transcription, model m (d)", "12.3 s of sound heard, estimated"),
        ("speech", UsageRecord(characters=1), "speech, model m (d)", "1 character read aloud"),
        ("images", UsageRecord(input=3, images=2), "pictures, model m (d)", "3 in, 0 out, 2 pictures made"),
    ],
)  # fmt: skip
def test_every_operation_tells_what_it_was_for_and_what_it_used(
    operation: str, usage: UsageRecord, wish: str, tokens: str
) -> None:
    story = told(RequestRecord(id="r", at="x", dialect="d", model="m", operation=operation, usage=usage))
    assert (story["Asked for"], story["Tokens"]) == ([wish], [tokens])


def test_every_operation_has_words() -> None:
    assert {"chat", *WISHES} == set(get_args(Operation))


def test_findings_are_told_with_the_rules_that_found_them() -> None:
    record = RequestRecord(id="r", at="x", sensitivity="restricted", findings={"bank_card": 1, "email": 3},
                           rules={"bank_card@1f0c93ab": 1, "email/plain@64db5aa8": 3})  # fmt: skip  # a record
    assert told(record)["Sensitivity"][1:] == [
        "findings: 1 bank_card and 3 email", "by the rules: bank_card@1f0c93ab and email/plain@64db5aa8 (3)",
    ]  # fmt: skip  # lines


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        ((CauseRecord(source="default", level="internal"),), ""),
        ((CauseRecord(source="finding", level="restricted", detail="api_key"),
          CauseRecord(source="finding", level="confidential", detail="email")), "api_key"),
        ((CauseRecord(source="conversation", level="restricted"),), "conversation"),
        ((CauseRecord(source="floor", level="restricted"),), "the key's floor"),
    ],
)  # fmt: skip
def test_only_the_causes_that_decided_are_named_in_short(causes: tuple[CauseRecord, ...], words: str) -> None:
    level = "internal" if causes[0].source == "default" else "restricted"
    assert why_sensitive(RequestRecord(id="r", at="x", sensitivity=level, causes=causes)) == words


def test_what_was_masked_and_what_stayed_so_is_told() -> None:
    record = RequestRecord(
        id="r", at="x", target="v", outcome="answered", masked={"email": 2, "cn_mobile": 1}, withheld=1, foreign=3
    )
    assert told(record)["Outcome"] == [
        "answered by v",
        "masked: it saw stand-ins for 1 cn_mobile and 2 email",
        "1 stand-ins stayed in the answer: they would have reached a host that is not listed",
        "3 words of the answer look like stand-ins and are none of this request",
    ]


def test_what_was_found_in_the_answer_is_told_by_kind() -> None:
    answer = AnswerRecord(
        noted={"email": 2}, redacted={"bank_card": 1}, withheld={"us_ssn": 1}, echoed={"phone": 3},
        failures=("timeout",), level="restricted",
    )  # fmt: skip
    story = told(RequestRecord(id="r", at="x", target="b", outcome="answered", answer=answer))
    assert story["Outcome"] == [
        "answered by b",
        "found in the answer: 2 email, which makes it restricted",
        "taken out of the answer: 1 bank_card",
        "the answer was withheld because of: 1 us_ssn",
        "said again by the answer, after the client: 3 phone",
        "the answer could not be searched (timeout), which makes it restricted",
    ]


def test_a_guarantee_is_told_with_what_it_rests_on() -> None:
    from yuzui.core.guarantee import Kept, Rule

    routed = RoutedRecord(
        guarantee="certified", rule="certified", reference="vendor/big", chosen="house/small", router="ab" * 32,
        epsilon=0.02, delta=0.1, examples=2000, data="cd" * 32, threshold=0.045, gain=0.0123, p_value=0.43,
    )  # fmt: skip  # one thing
    assert told(RequestRecord(id="r", at="x", target="house/small", routed=routed))["Guarantee"] == [
        "certified: house/small answered under the certificate",
        "decided by: the certificate",
        "certificate: at most 0.02 worse than vendor/big, with confidence 0.9, on 2000 examples (cdcdcdcdcdcdcdcd)",
        "predicted gain of vendor/big: +0.0123, certified up to +0.0450",
        "likeness to the examples: 0.43 (1: most ordinary, 0: unlike all of them)",
        f"router: {'ab' * 32}",
    ]
    bare = RoutedRecord(rule="no_certificate", reference="vendor/big", router="ab", detail="nothing is certified")
    assert told(RequestRecord(id="r", at="x", routed=bare))["Guarantee"] == [
        "nobody was asked", "decided by: no certificate, so the reference (nothing is certified)", "router: ab",
    ]  # fmt: skip
    assert set(RULES) == set(get_args(Rule)) and set(KEPT) == {*get_args(Kept), ""}
    assert "Guarantee" not in told(BASE)


def test_a_cascade_is_told_with_its_signals_and_what_each_call_cost() -> None:
    cost = CostRecord(amount=2_000, currency="USD", book=2_000, book_currency="USD", price_version="v")
    record = RequestRecord(
        id="r", at="x", target="vendor/big", outcome="answered",
        usage=UsageRecord(input=10, output=5),
        cost=CostRecord(amount=250_000, currency="USD", book=250_000, book_currency="USD", price_version="w", others=2_750),
        routed=RoutedRecord(
            guarantee="reference", rule="escalated", reference="vendor/big", chosen="house/small", router="ab",
            epsilon=0.02, delta=0.1, examples=2000, data="cd" * 32, threshold=0.2, gain=0.4, policy="cascade",
            signals={"agree_share": 0.5, "own_hedges": 2.0}, detail="house/tiny: upstream_timeout",
        ),
        attempts=(
            AttemptRecord(target="house/tiny", outcome="upstream_timeout", role="check", duration_ms=5),
            AttemptRecord(
                target="house/small", outcome="escalated", role="candidate", duration_ms=9, tokens_delivered=1,
                usage=UsageRecord(input=10, output=5), cost=cost,
            ),
            AttemptRecord(target="vendor/big", outcome="ok", duration_ms=9),
        ),
    )  # fmt: skip  # one thing
    story = told(record)
    assert "signals: agree_share 0.5, own_hedges 2" in story["Guarantee"]
    assert story["Guarantee"][1].endswith("so the reference (house/tiny: upstream_timeout)")
    assert story["Guarantee"][2].endswith("(cdcdcdcdcdcdcdcd), cascade")
    assert set(ROLES) == set(get_args(Role))
    assert story["Attempts"][0] == "1. house/tiny (a second opinion): upstream_timeout, 5 ms"
    assert story["Attempts"][1].startswith(
        "2. house/small (asked first, not handed on): escalated, 9 ms, 1 piece delivered"
    )
    assert "10 in, 5 out" in story["Attempts"][1] and "price v" in story["Attempts"][1]
    (paid,) = story["Cost"]
    assert "the answer" in paid and "the other calls" in paid and "price w" in paid
