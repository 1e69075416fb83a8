"""Which codec speaks to a target: the lane first, then its main one; operations by the end of their name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from accounting_kit import a_request, a_target
from yuzui.core.chat import Operation
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Quirks
from yuzui.dialects.openai_chat import DIALECT as CHAT
from yuzui.lanes import choose_codec, first_that_can, sayable, sent_terms
from yuzui.providers.anthropic import CODEC as ANTHROPIC
from yuzui.providers.openai import CODEC as OPENAI

PLAIN = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CODECS = {"openai": OPENAI, "anthropic": ANTHROPIC, "openai_embeddings": ANTHROPIC}


def test_a_target_that_also_speaks_the_clients_dialect_is_spoken_to_in_it() -> None:
    target = a_target()
    request = structs.replace(a_request(), dialect="anthropic_messages")
    assert choose_codec(CODECS, target, request) is OPENAI
    assert choose_codec(CODECS, replace(target, also_speaks=("anthropic",)), request) is ANTHROPIC
    assert choose_codec(CODECS, replace(target, also_speaks=("anthropic",)), a_request()) is OPENAI


def test_an_operation_has_a_codec_of_its_own() -> None:
    target = replace(a_target(), serves=frozenset({"embeddings"}))
    assert choose_codec(CODECS, target, structs.replace(a_request(), operation="embeddings")) is ANTHROPIC


@pytest.mark.parametrize("operation", ["rerank", "speech", "embeddings"])
def test_what_a_target_does_not_serve_is_refused(operation: Operation) -> None:
    with pytest.raises(UnsupportedFeature, match=operation):
        choose_codec(CODECS, a_target(), structs.replace(a_request(), operation=operation))


def test_a_chat_model_completes_plain_prompts_and_its_tokens_are_counted_here() -> None:
    assert choose_codec(CODECS, a_target(), structs.replace(a_request(), operation="completions")) is OPENAI
    assert choose_codec(CODECS, a_target(), structs.replace(a_request(), operation="count_tokens")) is None


def test_what_can_be_said_is_what_has_a_codec_and_what_needs_none() -> None:
    assert sayable(CODECS, "openai") == {"chat", "completions", "count_tokens", "embeddings"}
    assert sayable(CODECS, "anthropic") == {"chat", "completions", "count_tokens"}


def test_the_first_target_that_can_be_asked_is_named_and_one_of_each_kind_is_tried() -> None:
    """Anthropic's API needs a turn of the user's, OpenAI's does not."""
    asked = CHAT.read_request({**PLAIN, "messages": [{"role": "system", "content": "Hi"}]})
    claude = replace(a_target(), name="c/1", provider="anthropic", codec="anthropic")
    gpt = replace(a_target(), name="o/1")
    assert first_that_can(CODECS, [claude, replace(claude, name="c/2"), gpt], asked) == "o/1"
    assert first_that_can(CODECS, [claude, replace(claude, name="c/2")], asked) == ""
    assert first_that_can(CODECS, [], asked) == ""
    assert first_that_can(CODECS, [claude], CHAT.read_request(PLAIN)) == "c/1"


def test_only_what_a_codec_can_say_changes_the_price_of_its_target() -> None:
    asking = a_request(service_tier="priority", speed="fast")
    assert sent_terms(CODECS, asking, a_target()) == {"service_tier=priority", "speed=fast"}
    assert sent_terms(CODECS, structs.replace(asking, dialect="gemini"), a_target()) == {"service_tier=priority"}
    assert sent_terms(CODECS, asking, replace(a_target(), codec="anthropic")) == frozenset()
    assert sent_terms(CODECS, structs.replace(asking, operation="count_tokens"), a_target()) == frozenset()
    assert sent_terms(CODECS, structs.replace(asking, operation="speech"), a_target()) == frozenset()
    drops = replace(a_target(), quirks=Quirks(drops=frozenset({"service_tier"})))
    assert sent_terms(CODECS, asking, drops) == {"speed=fast"}
