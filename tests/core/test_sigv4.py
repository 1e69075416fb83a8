"""Signatures are AWS's own: its published vectors, and what its client library makes of the addresses of this gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from yuzui.core.sigv4 import sign

# Keys and moment of AWS's published test suite (aws-sig-v4-test-suite); no account has them.
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
AT = datetime(2026, 11, 26, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "address", "signature"),
    [
        ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("GET", "/./", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "/foo/..", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "//", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ],
)
def test_the_published_test_suite(method: str, address: str, signature: str) -> None:
    added = sign(
        method, f"https://example.amazonaws.com{address}", {}, b"",
        access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="us-east-1", service="service", at=SUITE_AT,
    )  # fmt: skip
    scope = f"{ACCESS_KEY}/20150830/us-east-1/service/aws4_request"
    assert added == {
        "x-amz-date": "20150830T123600Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}",
    }


CLAUDE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
PROFILE = (
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A"
    "inference-profile%2Fus.amazon.nova-lite-v1%3A0/converse-stream"
)


@pytest.mark.parametrize(
    ("url", "headers", "body", "token", "names", "signature"),
    [  # made with botocore==1.44.8, 2026-11-26
        (
            CLAUDE, {"content-type": "application/json", "accept": "application/json"}, b'{"messages":[]}', "",
            "accept;content-type;host;x-amz-date", "e7574cd4eb2dc17b5ab7f64e4eeeac6079a0afb3450bd39d3657e3fdc2af495f",
        ),
        (
            PROFILE, {"content-type": "application/json", "accept": "application/vnd.amazon.eventstream"}, b"{}", "session/token+1==",
            "accept;content-type;host;x-amz-date;x-amz-security-token", "d3be8fec5fe6b8ca1dbae4db89918d9abc6991ee9d2ae849c33658d481e3c9cc",
        ),
        (
            "https://vpce.example.test:8443/model/m/converse?b=2&a=1&a=0",
            {"Content-Type": "  application/json ;  charset=utf-8 ", "User-Agent": "yuzui/1"}, b"", "",
            "content-type;host;x-amz-date", "b7c55d943328902192ce914b99aeef7dfbb8b6825e70e9e58c070ad0d84defe8",
        ),
    ],
    ids=["model", "ARN with a session token", "port, query and spaces"],
)  # fmt: skip
def test_the_vendors_library_signs_the_same(
    url: str, headers: dict[str, str], body: bytes, token: str, names: str, signature: str
) -> None:
    added = sign(
        "POST", url, headers, body, access_key=ACCESS_KEY, secret_key=SECRET_KEY, session_token=token,
        region="us-east-1", service="bedrock", at=AT,
    )  # fmt: skip
    assert added["authorization"].endswith(f"SignedHeaders={names}, Signature={signature}")
    assert added.get("x-amz-security-token", "") == token


def test_any_time_zone_is_the_same_moment() -> None:
    def at(moment: datetime) -> str:
        return sign("GET", CLAUDE, {}, b"", access_key="a", secret_key="s", region="r", service="b", at=moment)[
            "authorization"
        ]

    assert at(AT) == at(AT.astimezone(timezone(timedelta(hours=8))))


@pytest.mark.parametrize("change", ["body", "path", "header", "key", "region", "moment"])
def test_whatever_changes_changes_the_signature(change: str) -> None:
    def made(**changed: object) -> str:
        words = {
            "url": CLAUDE, "headers": {"content-type": "a"}, "body": b"x", "secret_key": "s", "region": "r", "at": AT,
        } | changed  # fmt: skip
        url, headers, body = str(words.pop("url")), words.pop("headers"), words.pop("body")
        added = sign("POST", url, headers, body, access_key="a", service="b", **words)  # type: ignore[arg-type]  # a table
        return added["authorization"].rpartition("=")[2]

    changes: dict[str, dict[str, object]] = {
        "body": {"body": b"y"}, "path": {"url": CLAUDE + "-stream"}, "header": {"headers": {"content-type": "b"}},
        "key": {"secret_key": "t"}, "region": {"region": "q"}, "moment": {"at": AT + timedelta(seconds=1)},
    }  # fmt: skip
    assert made() == made()
    assert made() != made(**changes[change])


def test_what_a_line_may_change_is_not_signed() -> None:
    plain = sign("GET", CLAUDE, {}, b"", access_key="a", secret_key="s", region="r", service="b", at=AT)
    loud = {"User-Agent": "x", "Authorization": "y", "Expect": "z", "Transfer-Encoding": "chunked"}
    assert sign("GET", CLAUDE, loud, b"", access_key="a", secret_key="s", region="r", service="b", at=AT) == plain


def test_an_address_in_brackets_keeps_them() -> None:
    added = sign("GET", "https://[::1]:8443/", {}, b"", access_key="a", secret_key="s", region="r", service="b", at=AT)
    host = {"host": "[::1]:8443"}
    other = sign("GET", "https://x/", host, b"", access_key="a", secret_key="s", region="r", service="b", at=AT)
    assert added == other
