from __future__ import annotations

import pytest

from yuzui.config import Config, read
from yuzui.config_economics import places
from yuzui.core.errors import ConfigError

OWN = """
[[targets]]
name = "house/a"
provider = "vllm"
model = "m"
base_url = "http://127.0.0.1:1/v1"
price = "free"
"""
VENDOR = """
[[targets]]
name = "vendor/b"
provider = "openai"
model = "gpt-6-luna"
api_key = { env = "K" }
price = { currency = "USD", input = 1, output = 2 }
"""
MARGINAL = 'marginal_cost = { currency = "USD", input = "0.0036", output = 0.045, waiting_hour = 3.6, slots = 32, most_requests_per_s = 6.2, half_load = 34.0 }\n'
BURST = '[[models]]\nname = "work"\ncandidates = ["house/a", "vendor/b"]\npolicy = "burst"\n'


def load(text: str) -> Config:
    return read(text, {"K": "x"}, source=None)


def test_a_marginal_cost_is_read_in_integers() -> None:
    target = next(one for one in load(OWN + MARGINAL + VENDOR).targets if one.name == "house/a")
    assert target.marginal is not None
    assert (target.marginal.input_pico, target.marginal.output_pico) == (3600, 45_000)
    assert target.marginal.waiting_pico_per_s == 10**9
    assert (target.marginal.slots, target.marginal.half_load) == (32, 34.0)
    assert places(target) == 32


def test_a_burst_reads_its_threshold_and_the_reference() -> None:
    found = load(OWN + MARGINAL + VENDOR + BURST + 'burst = { queue = 4 }\nreference = "vendor/b"\n').models[0]
    assert (found.burst_queue, found.reference, found.policy) == (4, "vendor/b", "burst")
    assert load(OWN + MARGINAL + VENDOR + BURST).models[0].burst_queue == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN + 'marginal_cost = { currency = "USD", inptu = 1 }\n', r"targets\[0\].marginal_cost.inptu: unknown key; did you mean 'input'"),
        (OWN + 'marginal_cost = { currency = "usd" }\n', r"marginal_cost.currency: write a code"),
        (OWN + 'marginal_cost = { currency = "CNY", input = 1 }\n', r"marginal_cost.currency: no rate from CNY"),
        (OWN + 'marginal_cost = { currency = "USD", input = -1 }\n', r"marginal_cost.input: -1 is no cost"),
        (OWN + 'marginal_cost = { currency = "USD", input = "x" }\n', r"marginal_cost.input: 'x' is no cost"),
        (OWN + 'marginal_cost = { currency = "USD", waiting_hour = 1 }\n', r"marginal_cost.most_requests_per_s: without it"),
        (VENDOR + 'marginal_cost = { currency = "USD" }\n', r"targets\[0\].marginal_cost: vendor/b is a vendor's"),
        (OWN + VENDOR + BURST, r"models\[0\]: policy = \"burst\" must know when house/a is full"),
        (OWN + MARGINAL + VENDOR + BURST + "fallback = false\n", r"models\[0\].fallback: policy = \"burst\" needs it"),
        (OWN + MARGINAL + VENDOR + BURST + "burst = { queue = 0 }\n", r"models\[0\].burst.queue"),
        (OWN + MARGINAL + VENDOR + BURST + "burst = { queues = 1 }\n", r"models\[0\].burst.queues: unknown key; did you mean 'queue'"),
        (VENDOR.replace('"USD"', '"CNY"'), r"targets\[0\].price.currency: no rate from CNY to USD"),
        (OWN + MARGINAL + VENDOR + BURST + 'reference = "vendor/c"\n', r"models\[0\].reference: no target is named 'vendor/c'; did you mean 'vendor/b'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_path(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(text)


def test_the_limit_of_the_line_tells_the_places_too() -> None:
    found = load(OWN + "max_concurrency = 8\n" + VENDOR + BURST)
    assert places(next(one for one in found.targets if one.name == "house/a")) == 8
