"""Which providers there are: the rows of openai_compatible.toml and the codec files beside it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType, ModuleType

import msgspec

import yuzui.providers
from yuzui.core.chat import Feature, Operation
from yuzui.core.target import ALL_FEATURES, CHAT_ONLY, RARE_FEATURES, AuthKind, Premises, Quirks
from yuzui.providers._contract import Codec

ROWS_FILE = "openai_compatible.toml"


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we know of a provider before the operator says more; yuzui.toml may override each field."""

    title: str
    """For people."""
    codec: str = "openai"
    """The file in providers/ that speaks to it."""
    base_url: str
    """Empty where every customer has an own one (Azure): yuzui.toml must say it."""
    key_env: str = ""
    """The environment variable that usually holds the key; empty: none is usual."""
    jurisdiction: str = ""
    """ISO 3166-1 alpha-2 of the company's legal home; empty for software that people run themselves."""
    premises: Premises
    models: tuple[str, ...] = ()
    """Current names, for a start without configuration; the first is the default."""
    price_provider: str = ""
    """Provider id in the genai-prices package; empty: it has no prices for this one."""
    price_factors: Mapping[str, Mapping[str, float]] = {}
    """What a field's value multiplies the price of a token with, where that is written down and one for all models."""
    lacks: frozenset[Feature] = frozenset()
    """Features that no model of this provider offers on this endpoint."""
    offers: frozenset[Feature] = frozenset()
    """Rare features (`core.target.RARE_FEATURES`) that it has."""
    also_speaks: tuple[str, ...] = ()
    """Other codecs under the same address, for clients of their dialects."""
    serves: frozenset[Operation] = CHAT_ONLY
    """What a target of it does unless yuzui.toml says otherwise: usually models that chat."""
    parameters: Mapping[str, str] = {}
    """Defaults of `targets.parameters`."""
    needs: tuple[str | tuple[str, ...], ...] = ()
    """Keys that `targets.parameters` must have; of several in one place, one."""
    auth: tuple[AuthKind, ...] = ()
    """Kinds of `targets.auth` that it takes in place of an API key."""
    quirks: Quirks = Quirks()
    source: str
    """Where the facts stand."""
    checked: str
    """The day they were read, ISO 8601."""

    @property
    def features(self) -> frozenset[Feature]:
        return (ALL_FEATURES - RARE_FEATURES - self.lacks) | self.offers

    def missing(self, parameters: Mapping[str, str]) -> tuple[str, ...]:
        """The first need that `parameters` does not meet: any of these keys would. Empty when all are met."""
        for need in self.needs:
            names = (need,) if isinstance(need, str) else need
            if not any(parameters.get(name) for name in names):
                return names
        return ()


def load_rows() -> Mapping[str, ProviderRow]:
    """All providers by name: the rows of the table, and the codec files that carry a `ROW` of their own."""
    text = resources.files(yuzui.providers).joinpath(ROWS_FILE).read_bytes()
    rows = msgspec.toml.decode(text, type=dict[str, ProviderRow])
    for name, module in _codec_modules().items():
        row = getattr(module, "ROW", None)
        if isinstance(row, ProviderRow):
            if name in rows:
                raise ValueError(f"provider {name!r} is both a row and a codec file with a ROW; keep one")
            rows[name] = row
    return MappingProxyType(rows)


def find_codecs() -> Mapping[str, Codec]:
    """Every file in providers/ that offers a `CODEC`, by file name."""
    return MappingProxyType({name: module.CODEC for name, module in _codec_modules().items()})


def codec_of(provider: str) -> str:
    """The codec's file name for a row's or a codec's name; raise `KeyError` when `provider` is neither."""
    rows = load_rows()
    if provider in rows:
        return rows[provider].codec
    if provider in _codec_modules():
        return provider
    raise KeyError(provider)


def _codec_modules() -> dict[str, ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(yuzui.providers.__path__))
    modules = {name: importlib.import_module(f"yuzui.providers.{name}") for name in names if not name.startswith("_")}
    return {name: module for name, module in modules.items() if hasattr(module, "CODEC")}
