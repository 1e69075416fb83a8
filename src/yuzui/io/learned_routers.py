"""The routers that a configuration names, read and matched with its targets; numpy is needed only if there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from yuzui.config import Config
from yuzui.core.errors import ConfigError
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.io.code_tests import CodeTests, places_of
from yuzui.learned_routing import GuaranteedModel, Here, make_guaranteed


def load_routers(config: Config) -> Mapping[str, GuaranteedModel]:
    """Virtual model → its router. `config` has its prices already.

    Raise `ConfigError` when a file is missing or is not the one that was pinned, when it is about other models, or when
    numpy is not installed.
    """
    found: dict[str, GuaranteedModel] = {}
    for model in config.models:
        if model.demand is None:
            continue
        if find_spec("numpy") is None:
            raise ConfigError(
                f"models.{model.name}.policy: a learned router needs numpy: pip install 'yuzui[routing]', or choose "
                "another policy"
            )
        path = router_path(config, model.demand.router)
        raw = _pinned(path, model.demand.router_sha256, f"models.{model.name}.router_sha256")
        from yuzui.routing.artefact import read_artefact  # needs numpy

        here = Here(judge_question=POINTWISE, tests_problem=CodeTests(places_of(config)).problem)
        found[model.name] = make_guaranteed(model, model.demand, read_artefact(raw, str(path)), config.targets, here)
    return found


def router_path(config: Config, written: str) -> Path:
    """Relative to the folder of yuzui.toml."""
    return config.source.parent / written if config.source is not None else Path(written)


def _pinned(path: Path, sha256: str, key: str) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ConfigError(
            f"{key}: {path} has another hash: {found}. If the change was meant, look at it with `yuzui route status` "
            "and write that"
        )
    return raw
