"""From a body to findings: nothing hides, nothing is invented, nothing takes the gateway down."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import ENGINES, RANDOM_LOOKING, make_rules, resident_id, scan_both, scanner, vendor_key
from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Place
from yuzui.privacy.detectors._contract import Detector, Hit
from yuzui.privacy.engine import EngineName
from yuzui.privacy.leaves import EMBEDDED, Leaf, Leaves
from yuzui.privacy.scan import NOTHING, Scanner

CANARY = "canary.bird@example.com"
Json = Any  # Any: JSON values of any shape

containers = st.recursive(
    st.text(max_size=12) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
spellings = st.sampled_from(
    [
        CANARY,
        CANARY.replace("@", "＠"),
        "\u200b".join(CANARY),
        json.dumps({"mail": CANARY.replace("c", "\\u0063")}).replace("\\\\", "\\"),
        CANARY.replace("a", "а"),
    ]
)


def places(value: Json, path: tuple[Json, ...] = ()) -> list[tuple[Json, ...]]:
    """Ways to every string value and every key of `value`."""
    found: list[tuple[Json, ...]] = []
    if isinstance(value, str):
        found.append(path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found.extend(places(item, (*path, index)))
    elif isinstance(value, dict):
        for key, item in value.items():
            found.append((*path, key, "key"))
            found.extend(places(item, (*path, key)))
    return found


def put(value: Json, path: tuple[Json, ...], text: str) -> Json:
    if not path:
        return text
    step, *rest = path
    if rest == ["key"]:
        return {(text if key == step else key): item for key, item in value.items()}
    if isinstance(value, list):
        return [put(item, tuple(rest), text) if index == step else item for index, item in enumerate(value)]
    return {key: put(item, tuple(rest), text) if key == step else item for key, item in value.items()}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=8), containers, min_size=1, max_size=4), spellings, st.data())
def test_a_canary_in_any_leaf_of_any_body_is_found(body: dict[str, Json], spelling: str, data: st.DataObject) -> None:
    body = {**body, "messages": [{"role": "user", "content": "hello"}]}
    at = data.draw(st.sampled_from(places(body)))
    if at in (
        ("messages", "key"),
        ("messages", 0, "role", "key"),
        ("messages", 0, "content", "key"),
        ("messages", 0, "role"),
    ):
        at = ("messages", 0, "content")
    result = scanner().scan(put(body, at, spelling))
    assert "email" in {finding.kind for finding in result.findings}
    assert result == scanner("re2").scan(put(body, at, spelling))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789 -.+@aesk_x:=%/()一二三电话\n\u200b密码ＡＫ１", max_size=80))
def test_both_engines_agree_on_noise(text: str) -> None:
    scan_both(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_the_span_of_a_finding_is_the_value_in_the_clients_own_text(before: str, after: str) -> None:
    text = f"{before} ；{CANARY}； {after}"
    spans = [(f.start, f.end) for f in scan_both(text).findings if f.kind == "email"]
    assert (text.index(CANARY), text.index(CANARY) + len(CANARY)) in spans


def test_an_innocent_request_shares_one_empty_result() -> None:
    body = {
        "model": "auto",
        "temperature": 0.2,
        "messages": [{"role": "user", "content": "Explain recursion, please."}],
    }
    assert scanner().scan(body) is NOTHING


def test_a_value_seen_through_two_readings_is_counted_once() -> None:
    arguments = json.dumps({"tel": "13800138000", "note": "a\nb"})
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}]}
    assert [finding.kind for finding in scanner().scan(body).findings] == ["cn_mobile"]


def test_a_value_that_only_a_derived_reading_shows_covers_the_whole_leaf() -> None:
    arguments = '{"tel": "\\u0031\\u0033800138000"}'
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}]}
    [finding] = scanner().scan(body).findings
    assert finding.path == "$.messages[0].tool_calls[0].function.arguments"
    assert (finding.start, finding.end) == (0, len(arguments))


def test_a_value_cut_over_two_parts_is_found() -> None:
    number = resident_id()
    parts = [{"type": "text", "text": f"证件 {number[:9]}"}, {"type": "text", "text": number[9:]}]
    [finding] = scanner().scan({"messages": [{"role": "user", "content": parts}]}).findings
    assert (finding.kind, finding.path) == ("cn_resident_id", "$.messages[0].content")


def test_values_in_neighbouring_leaves_are_never_joined() -> None:
    body = {"metadata": {"x": ["138", "0013", "8000"], "y": "wang@", "z": "example.com"}}
    assert scanner().scan(body) is NOTHING


def test_an_imitated_separator_changes_nothing() -> None:
    assert [f.kind for f in scan_both("\n\x1e\n13800138000\x1e").findings] == ["cn_mobile"]


@pytest.mark.parametrize("where", ["content", "metadata"])
def test_a_lone_surrogate_is_the_clients_fault_and_named(where: str) -> None:
    body = {"messages": [{"role": "user", "content": "ok"}], where: "bad \ud800 text"}
    with pytest.raises(InvalidRequest) as caught:
        scanner().scan(body)
    assert caught.value.code == "invalid_unicode" and caught.value.param == f"$.{where}"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_detector_fails_closed_and_the_others_go_on(engine: EngineName) -> None:
    broken = Scanner(make_rules(), engine=engine)

    def explode(_text: str, _start: int, _end: int) -> list[Any]:  # Any: never returns
        raise ZeroDivisionError

    email = broken._detectors["email"]
    broken._detectors["email"] = Detector(levels=email.levels, patterns=email.patterns, check=explode)
    result = broken.scan_text(f"{CANARY} 13800138000")
    assert result.failures == ("email",)
    assert [finding.kind for finding in result.findings] == ["cn_mobile"]


def test_a_broken_engine_fails_closed_and_says_nothing_about_the_text() -> None:
    broken = Scanner(make_rules(), engine="re2")

    class Dead:
        name = "dead"

        def find(self, text: str, data: bytes) -> list[tuple[int, int, int]]:
            raise MemoryError(text)

    broken._engine = Dead()
    assert broken.scan_text("secret text").failures == ("engine: MemoryError",)


@pytest.mark.parametrize(
    "found", [(0, 90, 99), (0, -9, -1), (0, 8, 3), (0, 3, 3), (0, 3, 10**6), (-1, 0, 4)], ids=lambda found: str(found)
)
def test_an_engine_that_points_where_nothing_is_has_not_looked(found: tuple[int, int, int]) -> None:
    broken = Scanner(make_rules(), engine="re2")

    class Astray:
        name = "astray"

        def find(self, text: str, data: bytes) -> list[tuple[int, int, int]]:
            return [found]

    broken._engine = Astray()
    assert broken.scan_text("secret text").failures == ("engine: ValueError",)


@pytest.mark.parametrize(
    "hit",
    [Hit("email", 90, 99), Hit("email", -9, -1), Hit("email", 8, 3), Hit("email", 3, 3), Hit("colour", 0, 4)],
    ids=str,
)
def test_a_detector_that_finds_what_cannot_be_is_broken(hit: Hit) -> None:
    broken = Scanner(make_rules())
    email = broken._detectors["email"]
    broken._detectors["email"] = Detector(levels=email.levels, patterns=email.patterns, check=lambda *_: [hit])
    assert broken.scan_text(CANARY).failures == ("email",)
    card = broken._detectors["bank_card"]
    broken._detectors["bank_card"] = Detector(levels=card.levels, layouts=card.layouts, check_digits=lambda _: hit)
    assert broken.scan_text("4111 1111 1111 1111").failures == ("bank_card",)


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " a",
        "@a",
        "1",
        "1.",
        "1,",
        "a::1",
        "sk-aA1",
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaaaaa.",
        "://a:",
        "13800138000 ",
        " at a dot ",
        "一",
        "1\u200d",
        "{\\",
        "passport ",
        "2026-11-22,1.5\n",
    ],
)
def test_hostile_text_costs_a_bounded_time(unit: str) -> None:
    def once_s(text: str) -> float:
        start = time.thread_time()  # other threads' work is theirs
        scanner().scan_text(text)
        return time.thread_time() - start

    def cost_s(size: int) -> float:
        text = unit * (size // len(unit))
        gc.collect()
        gc.disable()  # else a collection walks all that the tests before have left, at any moment
        try:
            return min(once_s(text) for _ in range(3))
        finally:
            gc.enable()

    # Quadratic work would be 16 times as much for 4 times the text; the constant part keeps noise out of small times.
    assert cost_s(200_000) < 8 * cost_s(50_000) + 0.1


def test_too_many_findings_fail_closed() -> None:
    assert scanner().scan_text("13800138000 " * 20_000).failures == ("too_many_findings",)
    assert scanner().scan_text("@a" * 200_000).failures == ("too_many_candidates",)


def test_findings_hold_no_text() -> None:
    key = vendor_key("sk-")
    result = scanner().scan({"metadata": {key: key, f"{RANDOM_LOOKING[:4]}": CANARY}})
    assert len(result.findings) == 3
    assert key not in repr(result) and CANARY not in repr(result)


def test_the_name_of_the_engine_is_known() -> None:
    assert scanner("re2").engine_name == "re2"


@pytest.mark.parametrize("name", ENGINES)
def test_headers_that_a_target_may_be_told_are_scanned_too(name: EngineName) -> None:
    found = scanner(name).scan({"model": "m"}, {"anthropic-beta": f"files-api-2025-04-14,{CANARY}"}).findings
    assert [(finding.kind, finding.path) for finding in found] == [("email", "$.headers")]


def test_a_finding_knows_its_place_through_json_in_strings_and_across_parts() -> None:
    arguments = json.dumps({"note": 'he said "hi"', "mail": {"to": "x wang@example.com"}, "tel": 13800138000})
    body = {
        "messages": [
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]},
            {"role": "user", "content": [{"type": "text", "text": "id 110101199"}, {"type": "text", "text": resident_id()[9:]}]},
        ]
    }  # fmt: skip
    result = scanner().scan(body)
    places = {finding.kind: finding.place for finding in (*result.findings, *result.repeats) if finding.place}
    mail, identity = places["email"], places["cn_resident_id"]
    assert (mail.form, mail.start, mail.end) == ("text", 2, 18)
    steps: list[object] = []
    path = mail.path
    while path:
        path, step = path
        steps.insert(0, step)
    assert steps[-4:] == [".arguments", EMBEDDED, ".#1", ".#0"]
    assert (identity.form, identity.start, identity.end) == ("joined", 3, 21)
    assert places["cn_mobile"].form == "number"


def test_another_reading_of_a_known_value_is_no_finding_but_has_its_place() -> None:
    arguments = json.dumps({"a": "wang@example.com", "b": '"'})
    result = scanner().scan({"messages": [{"role": "user", "content": arguments}]})
    assert [finding.kind for finding in result.findings] == ["email"]
    assert {finding.place.form for finding in result.repeats if finding.place} == {"text"}


def test_a_text_that_was_read_out_of_a_piece_of_a_string_stands_in_that_piece() -> None:
    path = (("", "$"), ".prompt")
    leaves = Leaves([Leaf("see d2FuZ0Bjb3JwLmNu!", path), Leaf("wang@corp.cn", path, 16, 4, True)], [])
    (finding,) = scanner()._scan(leaves).findings
    assert (finding.start, finding.end) == (4, 20)
    assert finding.place == Place(path, "text", 4, 20)


def test_the_name_of_a_field_is_a_cue() -> None:
    body = {"metadata": {"phone": "2025550134", "order": "2025550134"}}
    assert [(finding.kind, finding.path) for finding in scanner().scan(body).findings] == [("phone", "$.metadata.#0")]


def test_a_value_cut_by_the_end_of_a_message_is_found_in_both() -> None:
    body = {"messages": [{"role": "system", "content": "id 110101199"}, {"role": "user", "content": "003074610 it is"}]}
    found = [(finding.kind, finding.path, finding.start, finding.end) for finding in scanner().scan(body).findings]
    assert found == [
        ("cn_resident_id", "$.messages[0].content", 3, 12),
        ("cn_resident_id", "$.messages[1].content", 0, 9),
    ]


def test_what_only_stands_beside_a_number_in_the_next_message_is_no_half_of_it() -> None:
    body = {"messages": [{"role": "user", "content": "say ABCDEF."}, {"role": "user", "content": "call 13900139000"}]}
    assert {finding.path for finding in scanner().scan(body).findings} == {"$.messages[1].content"}
