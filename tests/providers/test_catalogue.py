"""The vendor table: complete, plausible, and priced where it says so."""

from __future__ import annotations

import re
from datetime import date

import msgspec
import pytest
from genai_prices import Usage, calc_price

from yuzui.config_secrets import AUTH_FIELDS
from yuzui.providers.catalogue import ProviderRow, codec_of, find_codecs, load_rows

ROWS = load_rows()
VENDORS = {
    "openai", "azure_openai", "deepseek", "dashscope", "qianfan", "sensenova", "moonshot", "ark", "zhipu", "gemini",
    "mistral", "groq", "openrouter", "huggingface", "anthropic", "openai_responses", "azure_openai_dated", "bedrock",
    "vertex", "cohere", "dashscope_native", "qianfan_native", "watsonx", "jina", "voyage",
}  # fmt: skip
OWN = {"vllm", "sglang", "llama_cpp", "ollama", "ollama_native", "lm_studio", "tgi", "tgi_native", "tei"}
PLACED = {"azure_openai", "azure_openai_dated", "bedrock", "vertex", "watsonx"}
"""Vendors at which every customer, or every region, has an address of its own."""
WITHOUT_KEY = {"vertex"}
"""Tokens only, see `targets.auth`."""


def test_every_promised_provider_has_a_row() -> None:
    assert ROWS.keys() >= VENDORS | OWN
    assert {name for name, row in ROWS.items() if row.premises == "own"} == OWN


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_is_plausible(name: str) -> None:
    row = ROWS[name]
    assert row.codec in find_codecs()
    assert row.source
    assert date.fromisoformat(row.checked) <= date(2100, 1, 1)
    assert set(row.auth) <= AUTH_FIELDS.keys()
    if name in VENDORS:
        assert row.auth or name not in WITHOUT_KEY
        assert row.key_env.isupper() or name in WITHOUT_KEY
        assert re.fullmatch("[A-Z]{2}", row.jurisdiction)
        assert row.base_url.startswith("https://") or name in PLACED
        assert not row.base_url.endswith("/")
    if name in OWN:
        assert row.base_url.startswith("http://127.0.0.1:")
        assert not row.jurisdiction


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, row in ROWS.items() if row.price_provider for model in row.models]
)
def test_a_default_model_has_a_price(name: str, model: str) -> None:
    price = calc_price(Usage(input_tokens=1_000_000), model_ref=model, provider_id=ROWS[name].price_provider)
    assert price.total_price > 0


def test_a_quirk_names_no_field_twice() -> None:
    for row in ROWS.values():
        assert not row.quirks.drops & row.quirks.renames.keys()


def test_an_unknown_key_in_a_row_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `base`"):
        msgspec.toml.decode('[x]\ntitle = "X"\nbase = "y"', type=dict[str, ProviderRow])


def test_a_provider_leads_to_its_codec() -> None:
    assert {name: codec_of(name) for name in ("deepseek", "vllm", "anthropic", "scripted")} == {
        "deepseek": "openai", "vllm": "openai", "anthropic": "anthropic", "scripted": "scripted"}  # fmt: skip
    with pytest.raises(KeyError):
        codec_of("nobody")


def test_features_are_what_is_not_lacking() -> None:
    assert "json_schema" not in ROWS["sensenova"].features
    assert "tools" in ROWS["sensenova"].features
