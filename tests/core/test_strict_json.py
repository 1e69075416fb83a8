"""One reading of every body: what is accepted means the same to any parser, what is ambiguous is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import InvalidRequest
from yuzui.core.strict_json import read_object, write

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)


@given(OBJECTS, st.booleans())
def test_an_accepted_body_keeps_its_value_through_reading_and_writing(value: dict[str, Any], ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    read = read_object(body)
    assert read == value
    assert json.loads(write(read)) == value
    assert msgspec.json.decode(write(read)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_by_name(body: bytes) -> None:
    try:
        value = read_object(body)
    except InvalidRequest as error:
        assert error.status == 400
        assert error.code in {"invalid_json", "invalid_utf8", "duplicate_key", "nesting_too_deep"}
    else:
        assert json.loads(body) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"null", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b"[{}]", "invalid_json"),
        (b"{} {}", "invalid_json"),
        (b'{"a":1}x', "invalid_json"),
        (b"{'a':1}", "invalid_json"),
        (b'{"a":1,}', "invalid_json"),
        (b'{"a":01}', "invalid_json"),
        (b'{"a":+1}', "invalid_json"),
        (b'{"a":.5}', "invalid_json"),
        (b'{"a":0x10}', "invalid_json"),
        (b'{"a":NaN}', "invalid_json"),
        (b'{"a":Infinity}', "invalid_json"),
        (b'{"a":-Infinity}', "invalid_json"),
        (b'{"a":1e999}', "invalid_json"),
        (b'{"a":-1e999}', "invalid_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "invalid_json"),
        (b'{"a":"\x01"}', "invalid_json"),
        (b'{"a":"\n"}', "invalid_json"),
        (b'\xef\xbb\xbf{"a":1}', "invalid_json"),
        (b'{"a":"\xc0\xaf"}', "invalid_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "invalid_utf8"),
        ('{"a":1}'.encode("utf-16"), "invalid_utf8"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":{"b":1,"\\u0062":2}}', "duplicate_key"),  # the second spelling of a key is the same key
        (b'[{"a":1,"a":2}]', "duplicate_key"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b'{"a":' * 100_000, "nesting_too_deep"),
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_object(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body", [b'{"a":"\\ud800"}', b'{"a":["\\udfff x"]}', b'{"\\ud83d":1}', b'{"a":{"b":[["\\ud83d\\u0041"]]}}']
)
def test_a_lone_surrogate_is_neither_read_nor_sent_on(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_object(body)
    assert caught.value.code == "invalid_unicode"
    with pytest.raises(InvalidRequest) as caught:
        write(json.loads(body))
    assert caught.value.code == "invalid_json"


def test_keys_that_differ_only_in_case_are_different_keys() -> None:
    assert read_object(b'{"model":"a","Model":"b"}') == {"model": "a", "Model": "b"}


def test_a_surrogate_pair_is_one_character() -> None:
    assert write(read_object(b'{"a":"\\ud83d\\ude00"}')) == '{"a":"😀"}'.encode()


def test_the_error_names_the_duplicate_key_and_no_value() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_object(b'{"model":"private","model":"words"}')
    assert caught.value.param == "model"
    assert "private" not in caught.value.message and "words" not in caught.value.message


def test_zero_keeps_its_sign_and_floats_their_digits() -> None:
    value = read_object(b'{"a":-0.0,"b":1e-7,"c":0.1}')
    assert math.copysign(1, value["a"]) == -1
    assert json.loads(write(value)) == {"a": -0.0, "b": 1e-7, "c": 0.1}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": "\\ud800"}', "$.a"),
        (b'{"messages": ["x", {"content": ["\\udc00\\ud800"]}]}', "$.messages[1].content[0]"),
        (b'{"a": {"\\ud800": 1}}', "$.a"),
        (b'{"not an identifier": "\\ud83d"}', "$"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(body: bytes, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_object(body)
    assert (refused.value.code, refused.value.param) == ("invalid_unicode", path)


def test_whole_pairs_and_numbers_without_bounds_are_read() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00", "b": 123456789012345678901234567890}')["a"] == "\U0001f600"
