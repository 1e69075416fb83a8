"""From the name that the operator wrote to what the worker needs: path, template, context."""

from __future__ import annotations

from pathlib import Path

from yuzui.engine.cache import ModelCache, default_cache
from yuzui.engine.catalogue import catalogue
from yuzui.engine.faults import ModelFault
from yuzui.engine.gguf import read_header
from yuzui.engine.protocol import KvCache, WorkerSettings


def how_to_get(model: str) -> str:
    """Words for the operator who configured a `model` that is not on this machine."""
    if model in catalogue():
        return f"the model {model!r} is not on this machine: run `yuzui models pull {model}`"
    return (
        f"embedded.model: no model called {model!r} is on this machine or in the catalogue; `yuzui models list` shows "
        "the names, and the path of a .gguf file will do too"
    )


def worker_settings(
    model: str,
    *,
    threads: int = 0,
    context_tokens: int = 4096,
    parallel: int = 4,
    kv_cache: KvCache = "q8_0",
    cache: ModelCache | None = None,
) -> WorkerSettings:
    """Settings for serving `model`: the name of a fetched model, or the path of a GGUF file.

    The context is cut to what the model was trained for. Raise `ModelFault` when it is not on this machine (the message
    says how to fetch it) or is no GGUF file.
    """
    if model.endswith(".gguf") or "/" in model or "\\" in model:
        path, alias, template = Path(model).expanduser(), Path(model).stem, ""
        if not path.is_file():
            raise ModelFault(f"there is no model file {path}")
    else:
        found = (cache or default_cache()).find(model)
        if found is None:
            raise ModelFault(how_to_get(model))
        entry = catalogue().get(model)
        path, alias, template = found.path, model, entry.chat_template if entry else ""
    longest = read_header(path).context_tokens
    return WorkerSettings(
        model_path=str(path),
        alias=alias,
        chat_template=template,
        threads=threads,
        context_tokens=min(context_tokens, longest) if longest else context_tokens,
        parallel=parallel,
        kv_cache=kv_cache,
    )
