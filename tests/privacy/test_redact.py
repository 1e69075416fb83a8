"""Findings out of texts and answers, whole and in pieces: any cut gives the same, and JSON stays JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.detectors.test_private_key import pem
from privacy.kit import RANDOM_LOOKING, scanner
from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    Delta,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.privacy.answer_scan import ACTING, Action, AnswerRules, Assessor
from yuzui.privacy.redact import (
    LONGEST_FINDING,
    LONGEST_WORD,
    NotSearched,
    Redactions,
    Refused,
    Scan,
    TextRedactor,
)
from yuzui.privacy.redact_answer import AnswerRedactor
from yuzui.privacy.scan import ScanResult

MAIL, CARD, MOBILE = "wang@corp.cn", "4111 1111 1111 1111", "138 0013 8000"
PROSE = "The levee has divided the river for two thousand years, and each spring it is opened by hand again. "
HAN = "鱼嘴把岷江分成内外两条，春天水少的时候六成流进内江灌溉田地。"
REDACT = AnswerRules(otherwise="redact")
PIECES = st.sampled_from(
    [
        MAIL, CARD, MOBILE, f"电话{MOBILE}", "password: Hunter22!x", "my password is swordfish22", "+1 (202) 555-0134",
        "北京市海淀区中关村大街27号1101室", "ssn: 536904399", "12345", "-", "@corp.cn", "wang", "\n", "，", PROSE, HAN,
        "v1.2.3.4", "https://bob:Hunter22x@host.example/", "\u200b", "…", "DE89 3704 0044 0532 0130 00", "[redacted: x]",
        "221B Baker Street, London NW1 6XE", "“", "d2FuZ0Bjb3JwLmNuIGlzIG15IG1haWw=", "\u202e", "e\u0301",
    ]
)  # fmt: skip  # several to a line
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=12).map(" ".join) | st.lists(PIECES, max_size=8).map("".join)


def redactor(
    rules: AnswerRules = REDACT,
    *,
    is_json: bool = False,
    asked: str = "Hi",
    tally: Redactions | None = None,
    scan: Scan | None = None,
) -> TextRedactor:
    assessor = Assessor(rules, {"messages": [{"role": "user", "content": asked}]})
    return TextRedactor(scan or scanner().scan_text, assessor, tally or Redactions(), is_json=is_json)


def cut(text: str, places: Sequence[int]) -> list[str]:
    ordered = sorted(places)
    return [text[first:last] for first, last in zip([0, *ordered], [*ordered, len(text)], strict=True)]


def streamed(pieces: Sequence[str], rules: AnswerRules = REDACT, *, is_json: bool = False) -> str:
    one = redactor(rules, is_json=is_json)
    return "".join([one.feed(piece) for piece in pieces]) + one.flush()


def places_in(text: str) -> Any:  # Any: a strategy
    return st.lists(st.integers(0, len(text)), max_size=6)


# ---- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Write to {MAIL} soon.", "Write to [redacted: email] soon."),
        (MAIL, "[redacted: email]"),
        (f"{PROSE}card number {CARD}, {PROSE}", f"{PROSE}card number [redacted: bank_card], {PROSE}"),
        (f"{HAN}电话{MOBILE}。{HAN}", f"{HAN}电话[redacted: cn_mobile]。{HAN}"),
        (PROSE * 3, PROSE * 3),
        ("", ""),
    ],
)
def test_a_finding_is_replaced_and_the_rest_stays(text: str, told: str) -> None:
    assert redactor().whole(text) == told
    assert streamed(list(text)) == told


@settings(max_examples=300)
@given(TEXTS, st.data())
def test_any_cut_of_a_text_gives_the_same(text: str, data: st.DataObject) -> None:
    assert streamed(cut(text, data.draw(places_in(text)))) == streamed([text]) == streamed(list(text))


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.integers() | PIECES | st.just(536904399) | st.just(4111111111111111),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["to", "ssn", "phone", "password", "n", MAIL]), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.booleans(),
    st.data(),
)
def test_any_cut_of_json_gives_the_same_and_stays_valid(value: object, escaped: bool, data: st.DataObject) -> None:
    spelled = json.dumps(value, ensure_ascii=escaped)
    told = streamed(cut(spelled, data.draw(places_in(spelled))), is_json=True)
    assert told == streamed([spelled], is_json=True) == streamed(list(spelled), is_json=True)
    changed = json.loads(told)
    assert type(changed) is type(value) or isinstance(value, int | str)
    assert MAIL not in json.dumps(changed)


def test_in_json_strings_keep_their_quotes_and_numbers_get_some() -> None:
    spelled = '{"to": "\\u0077ang@corp.cn\\n", "ssn": 536904399, "card": [4111111111111111, 2], "a": -1.5}'
    assert json.loads(redactor(is_json=True).whole(spelled)) == {
        "to": "[redacted: email]\n", "ssn": "[redacted: us_ssn]", "card": ["[redacted: bank_card]", 2], "a": -1.5,
    }  # fmt: skip


def test_a_kind_with_quotes_in_its_name_stays_valid_json() -> None:
    def scan(text: str) -> ScanResult:
        found = scanner().scan_text(text)
        return ScanResult(findings=tuple([_named(finding, 'the "mail"') for finding in found.findings]))

    told = redactor(is_json=True, scan=scan).whole(f'["{MAIL}"]')
    assert json.loads(told) == ['[redacted: the "mail"]']


def _named(finding: Any, kind: str) -> Any:  # Any: a finding
    return type(finding)(kind=kind, detector="d", start=finding.start, end=finding.end)


# ---- what waits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "most"), [(PROSE * 20, 64), (HAN * 20, 128), ("word " * 200, 64)])
def test_plain_words_flow_with_only_the_last_of_them_waiting(text: str, most: int) -> None:
    one, given_out = redactor(), 0
    for number, char in enumerate(text, start=1):
        given_out += len(one.feed(char))
        assert number - given_out <= most
    assert given_out + len(one.flush()) == len(text)


def test_a_long_word_waits_for_its_end_but_not_for_ever() -> None:
    one = redactor()
    blob = "Zq7" * LONGEST_WORD
    given_out = sum(len(one.feed(blob[at : at + 50])) for at in range(0, len(blob), 50))
    assert len(blob) - given_out <= 2 * LONGEST_WORD
    assert given_out + len(one.flush()) == len(blob)


def test_a_private_key_is_replaced_whole_however_long_it_is() -> None:
    key = pem("RSA PRIVATE KEY", "\n".join([RANDOM_LOOKING[:64]] * 180))
    text = f"Here it is:\n{key}\nKeep it."
    assert streamed([text[at : at + 7] for at in range(0, len(text), 7)]) == (
        "Here it is:\n[redacted: private_key]\nKeep it."
    )


def test_a_finding_without_an_end_is_not_waited_for_without_one() -> None:
    def endless(text: str) -> ScanResult:
        found = scanner().scan_text(MAIL).findings[0]
        return ScanResult(findings=(type(found)(kind="email", detector="d", start=0, end=len(text)),))

    one = redactor(scan=endless)
    with pytest.raises(NotSearched, match="finding_too_long"):
        for _ in range(LONGEST_FINDING):
            one.feed("ab ")


def test_offsets_are_followed_to_where_they_went() -> None:
    one = redactor()
    text = f"{PROSE}{MAIL} and more"
    told = one.whole(text)
    for offset in (0, 10, len(PROSE)):
        assert one.translate(offset) == offset
    assert told[one.translate(text.index("more")) :] == "more"
    assert told[: one.translate(len(PROSE) + 3)].endswith("[redacted: email]")


# ---- what is done ----------------------------------------------------------------------------------------------------


def test_each_kind_has_its_action() -> None:
    rules = AnswerRules(otherwise="note", actions={"email": "redact", "cn_mobile": "off"})
    text = f"{MAIL} {MOBILE} card {CARD}"
    assert redactor(rules).whole(text) == f"[redacted: email] {MOBILE} card {CARD}"


def test_what_the_client_said_is_no_news() -> None:
    assert redactor(asked=f"I am {MAIL}").whole(f"You are {MAIL}, not li@corp.cn") == (
        f"You are {MAIL}, not [redacted: email]"
    )


@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_is_refused_before_its_finding_is_given_out(is_whole: bool) -> None:
    rules = AnswerRules(otherwise="redact", actions={"bank_card": "refuse"})
    text = f"{PROSE}{MAIL} {PROSE} card {CARD} {PROSE}"
    one, said = redactor(rules), ""
    with pytest.raises(Refused, match="bank_card"):
        for piece in [text] if is_whole else text:
            said += one.feed(piece)
        said += one.flush()
    assert "4111" not in said and MAIL not in said
    assert is_whole or said.startswith(PROSE)


def test_findings_are_counted_once_each() -> None:
    tally = Redactions()
    redactor(tally=tally).whole(f"{MAIL} {PROSE} li@corp.cn {PROSE * 40} {CARD} {MAIL}")
    assert tally.redacted == {"email": 3, "bank_card": 1}


@pytest.mark.parametrize(
    "result", [ScanResult(failures=("email",)), ScanResult(unscannable=("encoded",)), RuntimeError(MAIL)]
)
def test_what_cannot_be_searched_goes_no_further(result: ScanResult | Exception) -> None:
    def broken(text: str) -> ScanResult:
        if "swordfish" not in text:
            return scanner().scan_text(text)
        if isinstance(result, Exception):
            raise result
        return result

    one, said = redactor(scan=broken), ""
    with pytest.raises(NotSearched) as raised:
        for char in f"{PROSE}swordfish {PROSE}":
            said += one.feed(char)
    assert MAIL not in str(raised.value)
    assert PROSE.startswith(said)


# ---- answers ---------------------------------------------------------------------------------------------------------


def answers(action: Action = "redact", *, is_json: bool = False) -> AnswerRedactor:
    assert action in ACTING
    assessor = Assessor(AnswerRules(otherwise=action), {"messages": [{"role": "user", "content": "Hi"}]})
    return AnswerRedactor(scanner().scan_text, assessor, is_json=is_json)


def response(*parts: Any, refusal: str = "") -> ChatResponse:  # Any: parts
    choice = Choice(index=0, parts=parts, finish_reason="stop", refusal=refusal)
    return ChatResponse(
        id="r", model="m", created_s=1, choices=(choice,), usage=None, raw=b'{"a": 1}', raw_dialect="openai_chat"
    )


def test_every_part_of_a_whole_answer_is_searched() -> None:
    said = f"It is {MAIL}."
    redactor_ = answers()
    told = redactor_.rewrite(
        response(
            ReasoningPart(text=said, signature="s1"),
            ReasoningPart(text="clean", signature="s2"),
            TextPart(text=f"{MAIL} is it", citations=(Citation(cited_text=said, start=len(MAIL), end=len(MAIL) + 3),)),
            ToolCallPart(id="c", name="mail", arguments=json.dumps({"to": MAIL})),
            ToolCallPart(id="d", name="free", arguments=f'"{MAIL}', is_custom=True),
            refusal=said,
        )
    )
    (choice,) = told.choices
    first, second, text, call, free = choice.parts
    assert first == ReasoningPart(text="It is [redacted: email].")  # its signature would not fit any more
    assert second == ReasoningPart(text="clean", signature="s2")
    assert isinstance(text, TextPart) and isinstance(call, ToolCallPart) and isinstance(free, ToolCallPart)
    (citation,) = text.citations
    assert text.text[citation.start : citation.end] == " is"
    assert citation.cited_text == "It is [redacted: email]."
    assert json.loads(call.arguments) == {"to": "[redacted: email]"}
    assert free.arguments == '"[redacted: email]'
    assert choice.refusal == "It is [redacted: email]."
    assert not told.raw and told.raw_dialect is None
    assert redactor_.redactions.redacted == {"email": 6}


def said_by(deltas: Sequence[Delta]) -> dict[str, str]:
    """What a stream says, by kind, and its signatures."""
    redactor_ = answers()
    chunks = [told for delta in deltas for told in redactor_.feed(StreamChunk(id="a", deltas=(delta,), raw=b"x"))]
    chunks += redactor_.close()
    assert not any(chunk.raw for chunk in chunks)
    said: dict[str, str] = {}
    for delta in [delta for chunk in chunks for delta in chunk.deltas]:
        for kind in ("reasoning", "text", "refusal", "signature"):
            said[kind] = said.get(kind, "") + getattr(delta, kind)
        for call in delta.tool_calls:
            said[f"call {call.position}"] = said.get(f"call {call.position}", "") + call.arguments
    return said


def test_every_part_of_a_streamed_answer_is_searched_apart() -> None:
    text, arguments = f"Write to {MAIL} now", json.dumps({"to": [MAIL, MOBILE]})
    said = said_by(
        [
            *[Delta(reasoning=char) for char in text],
            Delta(signature="s1"),
            *[Delta(reasoning=char, reasoning_id="t2" if number == 0 else "") for number, char in enumerate("clean ")],
            Delta(signature="s2"),
            *[Delta(text=char) for char in text],
            Delta(tool_calls=(ToolCallDelta(position=0, id="c", name="mail"),)),
            *[Delta(tool_calls=(ToolCallDelta(position=0, arguments=char),)) for char in arguments],
            Delta(finish_reason="tool_calls"),
        ]
    )
    assert said["reasoning"] == "Write to [redacted: email] nowclean "
    assert said["signature"] == "s2"
    assert said["text"] == "Write to [redacted: email] now"
    assert json.loads(said["call 0"]) == {"to": ["[redacted: email]", "[redacted: cn_mobile]"]}


def test_a_changed_call_loses_the_signature_in_front_of_it_and_others_keep_theirs() -> None:
    calls = [json.dumps({"to": MAIL}), json.dumps({"to": "nobody"})]
    said: list[Delta] = [Delta(text="I mail it to them, as you like.")]
    parts: list[Any] = []  # Any: parts
    for position, arguments in enumerate(calls):
        call = ToolCallDelta(position=position, id=f"c{position}", name="mail", arguments=arguments)
        said += [Delta(signature=f"s{position}"), Delta(tool_calls=(call,))]
        parts += [
            ReasoningPart(text="", signature=f"s{position}"),
            ToolCallPart(id=f"c{position}", name="mail", arguments=arguments),
        ]
    told = said_by([*said, Delta(finish_reason="tool_calls"), Delta(signature="s2")])
    assert told["signature"] == "s1s2"
    assert json.loads(told["call 0"]) == {"to": "[redacted: email]"} and told["call 1"] == calls[1]
    (choice,) = answers().rewrite(response(*parts)).choices
    assert [type(part) for part in choice.parts] == [ToolCallPart, ReasoningPart, ToolCallPart]


def test_what_was_said_before_a_signed_call_is_given_out_before_its_signature() -> None:
    redactor_, order = answers(), ""
    call = ToolCallDelta(position=0, id="c", name="mail", arguments="{}")
    deltas = [*[Delta(text=word) for word in ("The river ", "is ", "high.")], Delta(signature="s")]
    for delta in [*deltas, Delta(tool_calls=(call,))]:
        for chunk in redactor_.feed(StreamChunk(deltas=(delta,))):
            order += "".join(["t" * bool(one.text) + "s" * bool(one.signature) for one in chunk.deltas])
    assert order.rstrip("s").endswith("t") and order.count("s") == 1


def test_an_encrypted_thought_goes_with_the_words_that_were_changed() -> None:
    (choice,) = answers().rewrite(response(ReasoningPart(text=f"It is {MAIL}.", redacted="veil", id="rs"))).choices
    assert choice.parts == (ReasoningPart(text="It is [redacted: email].", id="rs"),)
    redactor_ = answers()
    deltas = [Delta(reasoning=f"It is {MAIL}.", reasoning_id="rs"), Delta(redacted="veil"), Delta(redacted="another")]
    chunks = [told for one in deltas for told in redactor_.feed(StreamChunk(deltas=(one,)))]
    assert [one.redacted for chunk in chunks for one in chunk.deltas if one.redacted] == ["another"]


def test_two_choices_that_come_in_turns_do_not_mix() -> None:
    redactor_ = answers()
    said = {0: "", 1: ""}
    chunks = [
        told
        for pair in zip_longest(f"a {MAIL} b", f"c {MOBILE} d", fillvalue="")
        for told in redactor_.feed(
            StreamChunk(deltas=tuple([Delta(index=n, text=char) for n, char in enumerate(pair)]))
        )
    ]
    for delta in [delta for chunk in (*chunks, *redactor_.close()) for delta in chunk.deltas]:
        said[delta.index] += delta.text
    assert said == {0: "a [redacted: email] b", 1: "c [redacted: cn_mobile] d"}


@settings(max_examples=60)
@given(TEXTS, st.data())
def test_any_cut_of_an_answer_says_what_the_whole_answer_says(text: str, data: st.DataObject) -> None:
    arguments = json.dumps({"said": text, "n": 536904399})
    whole = answers().rewrite(response(TextPart(text=text), ToolCallPart(id="c", name="m", arguments=arguments)))
    first, second = whole.choices[0].parts
    assert isinstance(first, TextPart) and isinstance(second, ToolCallPart)
    said = said_by(
        [
            *[Delta(text=piece) for piece in cut(text, data.draw(places_in(text)))],
            *[
                Delta(tool_calls=(ToolCallDelta(position=0, arguments=piece),))
                for piece in cut(arguments, data.draw(places_in(arguments)))
            ],
        ]
    )
    assert (said.get("text", ""), said["call 0"]) == (first.text, second.arguments)
    json.loads(second.arguments)
