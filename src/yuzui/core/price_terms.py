"""Fields of a request, and of an answer, that change what the vendor asks for a token: service tiers, speed, place.

A term is one of them with its value, in one spelling for all dialects: `service_tier=priority`, `speed=fast`,
`inference_geo=us`, `latency=optimized`.

Sources (read 2026-11-26): https://developers.openai.com/api/docs/guides/priority-processing (`service_tier`),
https://platform.claude.com/docs/en/build-with-claude/fast-mode (`speed`),
https://platform.claude.com/docs/en/manage-claude/data-residency (`inference_geo`),
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (`serviceTier`, `performanceConfig`),
https://ai.google.dev/gemini-api/docs/optimization (`serviceTier`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

PriceTerm = str
"""`<field>=<value>`; both in lower case with underscores, never with a client's own words in it."""

FIELDS: Final = ("service_tier", "speed", "inference_geo", "latency")
"""Every field that a term can have."""
STANDARD: Final = frozenset(
    (
        "service_tier=auto",
        "service_tier=default",
        "service_tier=on_demand",
        "service_tier=standard",
        "service_tier=standard_only",
        "service_tier=unspecified",
        "speed=standard",
        "inference_geo=auto",
        "inference_geo=global",
        "inference_geo=not_available",
        "latency=standard",
    )
)
"""Terms that cost what the price list says, by definition."""
UNDECIDED: Final = frozenset(("service_tier=auto", "service_tier=unspecified", "inference_geo=auto"))
"""Terms that leave it to what the account is set to at the vendor: the answer tells what it was."""
LEFT_TO_VENDOR: Final = frozenset(("service_tier", "inference_geo"))
"""Fields whose absence means the same as `auto`; without any other, the usual is meant."""
OTHER: Final = "?"
"""Stands for a value that no vendor has: it may be anything, and nobody can give it a price."""

_VENDORS_WORDS: Final = frozenset(
    (
        "priority",
        "flex",
        "scale",
        "batch",
        "reserved",
        "provisioned",
        "provisioned_throughput",
        "fast",
        "us",
        "eu",
        "optimized",
    )
)
"""Values that the sources above list, beside those of the list price."""

_SPELLED: Final = {
    "servicetier": "service_tier",
    "speed": "speed",
    "inferencegeo": "inference_geo",
    "performanceconfig": "latency",
}
_INSIDE: Final = {"service_tier": "type", "latency": "latency"}
"""Where Bedrock has an object, the value's name in it."""
_PREFIXES: Final = ("service_tier_", "traffic_type_", "on_demand_")
_VALUE: Final = re.compile(r"(?!.*\d{6})[a-z][a-z0-9_]{0,31}")
_CONTENT: Final = frozenset(
    (
        "args", "arguments", "audio", "chattemplatekwargs", "content", "contents", "documents", "file",
        "functioncall", "functions", "guidedjson", "image", "input", "instructions", "jsonschema", "logitbias",
        "messages", "metadata", "moderation", "parts", "prediction", "prompt", "properties", "query",
        "responseformat", "responsejsonschema", "responseschema", "schema", "stop", "streamoptions", "system",
        "systeminstruction", "text", "toolchoice", "toolconfig", "tools", "user", "variables",
    )
)  # fmt: skip
"""Fields, folded, that hold what is said or how it is shaped: names in there are the client's own."""


def read_terms(body: Mapping[str, Any]) -> frozenset[PriceTerm]:  # Any: checked JSON
    """All terms that `body` asks for, in any vendor's spelling and also inside fields that only some server knows
    (`extra_body`): a lane sends them on."""
    found: set[PriceTerm] = set()
    waiting: list[object] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += [item for item in value if isinstance(item, dict | list)]
        elif isinstance(value, Mapping):
            for name, item in value.items():
                if item is None:
                    continue
                folded = _fold(name)
                field = _SPELLED.get(folded)
                if field is not None:
                    _add(found, field, item)
                elif isinstance(item, dict | list) and folded not in _CONTENT:
                    waiting.append(item)
    return frozenset(found)


def term_of(field: str, value: str) -> PriceTerm:
    """`value` in the one spelling: vendors differ in case, hyphens and prefixes (`ON_DEMAND_FLEX`)."""
    word = value.strip().casefold().replace("-", "_")
    for prefix in _PREFIXES:
        word = word.removeprefix(prefix)
    return f"{field}={(word if _VALUE.fullmatch(word) else OTHER) if word else 'auto'}"


def told_terms(**fields: object) -> tuple[PriceTerm, ...]:
    """The terms that an answer tells, by field; what is empty, or no word, is not told: it is not worth an answer."""
    return tuple([term_of(field, value) for field, value in fields.items() if isinstance(value, str) and value])


def field_of(term: PriceTerm) -> str:
    return term.partition("=")[0]


def of_fields(terms: Iterable[PriceTerm], fields: Collection[str]) -> frozenset[PriceTerm]:
    return frozenset([term for term in terms if field_of(term) in fields])


def factor_of(term: PriceTerm, factors: Mapping[PriceTerm, Fraction]) -> Fraction | None:
    """What `term` multiplies the price of tokens with; None when nobody said."""
    return _ONE if term in STANDARD else factors.get(term)


def recordable(term: PriceTerm) -> PriceTerm:
    """`term` as a record may hold it: a word that no vendor has is the client's own."""
    field, _, value = term.partition("=")
    return term if term in STANDARD or value in _VENDORS_WORDS else f"{field}={OTHER}"


def show_factor(factor: Fraction) -> str:
    """`1.75`; a fraction that has no end in decimals as such: `5/3`."""
    rest = factor.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{factor.numerator}/{factor.denominator}"
    digits = 0
    while (factor * 10**digits).denominator != 1:
        digits += 1
    text = str(int(factor * 10**digits)).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


_ONE: Final = Fraction(1)


def _fold(name: str) -> str:
    """As readers take a field's name that ignore case and word separators."""
    return name.casefold().replace("_", "").replace("-", "").strip()


def _add(found: set[PriceTerm], field: str, value: Any) -> None:  # Any: checked JSON
    inside = _INSIDE.get(field)
    if isinstance(value, dict) and inside is not None:
        value = next((item for name, item in value.items() if _fold(name) == inside), value)
    if isinstance(value, str):
        found.add(term_of(field, value))
    elif field != "speed":  # a number is how fast a voice speaks
        found.add(f"{field}={OTHER}")
