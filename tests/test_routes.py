"""Which dialect is spoken where, and in which words a wrong path is told."""

from __future__ import annotations

import pytest

from yuzui.dialects.gemini import DIALECT as GEMINI
from yuzui.dialects.openai_chat import DIALECT as CHAT
from yuzui.routes import EXACT, METHODS, Routes

ROUTES = Routes()


def test_every_dialect_has_a_path() -> None:
    from fuzz_kit import DIALECTS

    spoken = {dialect.name for dialect in (*EXACT.values(), *METHODS.values())}
    assert spoken == set(DIALECTS)


@pytest.mark.parametrize(
    ("path", "is_plain", "name"),
    [
        ("/v1/chat/completions", True, "openai_chat"),
        ("/v1/chat/completions", False, None),  # a second spelling of the path
        ("/v1/messages", True, "anthropic_messages"),
        ("/v1/messages/", True, None),
        ("/v1beta/models/auto:generateContent", True, "gemini"),
        ("/v1beta/models/house/qwen:streamGenerateContent", False, "gemini"),
        ("/v1/models/x:countTokens", True, "gemini_count_tokens"),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", True, "gemini"),
        ("/v1beta1/publishers/google/models/m:generateContent", True, "gemini"),
        ("/v1beta/models/auto:deleteContent", True, None),
        ("/elsewhere/models/auto:generateContent", True, None),
        ("/v1beta/models/auto", True, None),
        ("", True, None),
    ],
)
def test_a_path_leads_to_its_dialect(path: str, is_plain: bool, name: str | None) -> None:
    found = ROUTES.find(path, is_plain=is_plain)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages/batches", "anthropic_messages"),
        ("/v1/responses/resp_1", "openai_responses"),
        ("/v1beta/models/x:nothing", "gemini"),
        ("/v1/chat", "openai_chat"),
        ("/", "openai_chat"),
        ("", "openai_chat"),
    ],
)
def test_a_wrong_path_is_told_in_the_words_of_who_is_likely_asking(path: str, name: str) -> None:
    assert ROUTES.for_errors(path).name == name


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/v2/nothing", {"x-goog-api-key"}, "gemini"),
        ("/models/m:generateContent", {"x-goog-api-client"}, "gemini"),
        ("/v1/models/none", {"anthropic-version", "x-api-key"}, "anthropic_messages"),
        ("/messages", {"x-api-key"}, "anthropic_messages"),
        ("/", {"authorization"}, "openai_chat"),
        # What the path says comes first: the headers may be a proxy's.
        ("/v1/responses/x/y", {"x-goog-api-key"}, "openai_responses"),
        ("/v1beta/none", {"anthropic-version"}, "gemini"),
    ],
)
def test_where_the_path_says_nothing_the_headers_tell_who_asks(path: str, headers: set[str], name: str) -> None:
    assert ROUTES.for_errors(path, headers).name == name


def test_routes_can_be_few() -> None:
    few = Routes({"/x/y": CHAT}, {})
    assert few.for_errors("/v1beta/models") is CHAT
    assert few.find("/v1beta/models/m:generateContent", is_plain=True) is None
    assert Routes({"/x/y": CHAT}, {"generateContent": GEMINI}).for_errors("/v1beta/") is GEMINI
