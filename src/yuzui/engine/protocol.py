"""What the gateway and its worker process say to each other: one JSON line in, one JSON line out."""

from __future__ import annotations

from typing import Literal

import msgspec

KvCache = Literal["f16", "q8_0"]


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Written to the worker's stdin as one line, so that the key shows in no process list. Stdin then stays open:
    its end is the order to exit."""

    model_path: str
    alias: str
    """The name that answers carry in `model`."""
    api_key: str = ""
    """Filled in by the supervisor, fresh for every worker."""
    chat_template: str = ""
    """Jinja; empty: the one inside the GGUF file."""
    threads: int = 0
    """0: one less than the usable cores, at least one."""
    context_tokens: int = 4096
    """What one request may use, prompt and answer together, also while all slots are busy."""
    parallel: int = 4
    """Slots that decode together."""
    kv_cache: KvCache = "q8_0"
    """Element type of the attention cache; `q8_0` needs about half the memory of `f16`."""
    verbosity: int = 1
    """llama.cpp's log level on stderr; 1 is errors only, more may show prompts."""


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The worker's only line on stdout: where it listens, or why it does not."""

    url: str = ""
    """`http://127.0.0.1:PORT`; empty when `error` is set."""
    error: str = ""
    is_permanent: bool = False
    """Trying again with the same file on the same machine cannot help."""
