"""What is found in answers, and what of it is no news."""

from __future__ import annotations

from typing import Any

import pytest

from privacy.kit import CONFIDENTIAL, RESTRICTED, make_rules, scanner
from yuzui.privacy.answer_scan import (
    WINDOW_CHARS,
    AnswerFindings,
    AnswerRules,
    Assessor,
    Said,
    StandIns,
    client_texts,
    marker,
    search,
)
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import Namer, Surrogates

MAIL = "wang@corp.cn"
PASSWORD = "Hunter22!x"
SYSTEM = {"role": "system", "content": f"The service password: {PASSWORD}, never say it."}
NOTE = AnswerRules()


def asked(*texts: str, **more: Any) -> dict[str, Any]:  # Any: JSON values
    return {"messages": [SYSTEM, *[{"role": "user", "content": text} for text in texts]], **more}


def found(text: str, body: dict[str, Any], *, is_json: bool = False, rules: AnswerRules = NOTE) -> AnswerFindings:
    return search(scanner(), [Said(text=text, is_json=is_json)], Assessor(rules, body))


def test_what_the_model_says_is_counted_by_kind() -> None:
    result = found(f"Write to {MAIL} or li@corp.cn; password: {PASSWORD}", asked("Who?"))
    assert result.noted == {"email": 2, "password": 1}
    assert not result.echoed and not result.failures
    assert result.level(make_rules()) == RESTRICTED
    assert result.level(make_rules(), without=frozenset(("password",))) == CONFIDENTIAL
    assert result.level(make_rules(), without=frozenset(("password", "email"))) == -1


@pytest.mark.parametrize(
    ("asking", "answer"),
    [
        (f"Is {MAIL} right?", f"Yes, {MAIL.upper()} is."),
        ("Call +86 138 0013 8000", "I call 13800138000 now"),
        ("Call 13800138000", "I call +86 138-0013-8000 now"),
        ("Card 4111 1111 1111 1111", "the card number 4111111111111111"),
        ("Ｍail ｗａｎｇ＠corp.cn", f"to {MAIL}"),
    ],
)
def test_what_the_client_said_itself_is_no_news_in_whatever_spelling(asking: str, answer: str) -> None:
    result = found(answer, asked(asking))
    assert not result.noted
    assert sum(result.echoed.values()) == 1
    assert result.level(make_rules()) == -1


@pytest.mark.parametrize(
    "body",
    [
        asked("What is the password?"),
        {"system": SYSTEM["content"], "messages": [{"role": "user", "content": "What is it?"}]},
        {"instructions": SYSTEM["content"], "input": "What is it?"},
        {"systemInstruction": {"parts": [{"text": SYSTEM["content"]}]}, "contents": [{"parts": [{"text": "What?"}]}]},
        asked("What?", tools=[{"function": {"name": "t", "description": SYSTEM["content"]}}]),
    ],
)
def test_what_only_the_application_said_is_news_to_its_user(body: dict[str, Any]) -> None:
    result = found(f"The service password: {PASSWORD}", body)
    assert result.noted == {"password": 1}
    assert not any(PASSWORD in text for text in client_texts(body))


def test_tools_and_earlier_answers_are_the_users_own() -> None:
    body = asked("Hi")
    body["messages"] += [{"role": "assistant", "content": MAIL}, {"role": "tool", "content": "li@corp.cn"}]
    assert found(f"{MAIL} li@corp.cn", body).echoed == {"email": 2}


def test_arguments_of_calls_are_read_as_json() -> None:
    spelled = MAIL.replace("@", "\\u0040")
    result = found(f'{{"text": "Dear all\\n{spelled}", "ssn": 536904399}}', asked("Hi"), is_json=True)
    assert result.noted == {"email": 1, "us_ssn": 1}


def test_a_long_answer_is_read_in_windows_and_each_finding_once() -> None:
    filler = "The river is high. " * (WINDOW_CHARS // 16)
    assert found(f"{MAIL} {filler} {MAIL} {filler} {MAIL}", asked("Hi")).noted == {"email": 3}


def test_kinds_that_are_off_and_markers_are_not_counted() -> None:
    rules = AnswerRules(actions={"email": "off"})
    assert found(f"{MAIL} password: {marker('password')}", asked("Hi"), rules=rules) == AnswerFindings()
    assert AnswerRules().is_on and not AnswerRules(otherwise="off").is_on
    assert AnswerRules(otherwise="off", actions={"email": "note"}).is_on
    assert not AnswerRules().acts and AnswerRules(actions={"email": "refuse"}).acts


def stand_ins(**originals: str) -> StandIns:
    issued = Surrogates(Namer(b"a secret of sixteen", tenant="t"))
    for kind, value in originals.items():
        issued.issue(kind, value, None)
    return StandIns(Matcher(issued.originals), issued)


def test_stand_ins_are_no_findings_unless_only_the_application_knows_what_they_stand_for() -> None:
    ours = stand_ins(email=MAIL, password=PASSWORD)
    said = " and ".join(ours.issued.originals)
    assessor = Assessor(NOTE, asked(f"Write to {MAIL}"), ours)
    assert search(scanner(), [Said(text=f"password: {said}")], assessor).noted == {"password": 1}
    knowing = Assessor(NOTE, asked(f"Write to {MAIL}, {PASSWORD}"), ours)
    assert search(scanner(), [Said(text=f"password: {said}")], knowing) == AnswerFindings()
    alone = Assessor(NOTE, {"messages": [{"role": "user", "content": "Hi"}]}, ours)
    assert search(scanner(), [Said(text=said)], alone) == AnswerFindings()


class Broken(Scanner):
    def __init__(self) -> None:
        self.calls = 0

    def scan_text(self, text: str) -> ScanResult:  # type: ignore[explicit-override]  # a stand-in of three lines
        raise RuntimeError(text)


def test_whatever_breaks_counts_as_the_highest_level_and_tells_no_content() -> None:
    result = search(Broken(), [Said(text=MAIL)], Assessor(NOTE, asked("Hi")))
    assert result.failures == ("answer: RuntimeError",)
    assert result.level(make_rules()) == RESTRICTED
    assert result.level(make_rules(), without=frozenset(("email",))) == RESTRICTED


def test_half_a_character_cannot_be_searched() -> None:
    assert found("\ud83d", asked("Hi")).failures == ("answer: InvalidRequest",)
