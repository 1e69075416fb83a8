"""The worker process: llama.cpp's own HTTP server on a loopback port, and nothing else.

Started as `python -m yuzui.engine.worker`. Reads `WorkerSettings` as one JSON line from stdin, prints one
`WorkerReport` line on stdout, then serves until stdin ends, which happens by itself when the gateway dies, however it
dies. Only this file imports the engine. While the model loads the engine holds the interpreter lock, so an orphan born
during the load ends when the load does.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec

from yuzui.engine.cores import engine_threads, missing_cpu_feature, usable_cores
from yuzui.engine.protocol import WorkerReport, WorkerSettings

EXIT_OK = 0
EXIT_FAILED = 3
SPARE_HTTP_THREADS = 8
"""Each open stream holds one of llama.cpp's HTTP threads; health checks and queued requests need some more."""


def main() -> NoReturn:
    """Serve until stdin ends; never return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C in a terminal reaches the whole group: the gateway decides
    reports = _private_stdout()
    try:
        settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerSettings)
        if lacking := missing_cpu_feature():
            _say(
                reports,
                WorkerReport(
                    is_permanent=True,
                    error=f"this processor lacks {lacking}, which the embedded "
                    "engine needs; use a model server of your own instead (a target of row "
                    "`llama_cpp`, `ollama` or `vllm`)",
                ),
            )
            _leave(EXIT_FAILED)
        server = _serve(settings)
    except ImportError as error:
        _say(
            reports,
            WorkerReport(
                is_permanent=True,
                error=f"the embedded engine is not installed (pip install 'yuzui[embedded]'): {error}",
            ),
        )
        _leave(EXIT_FAILED)
    except Exception as error:  # whatever the engine throws is this process's last word
        _say(reports, WorkerReport(error=f"{type(error).__name__}: {error}"))
        _leave(EXIT_FAILED)
    _say(reports, WorkerReport(url=server.listening_address))
    while sys.stdin.buffer.read(4096):
        pass  # nothing is said after the settings; only the end counts
    _leave(EXIT_OK)


def _serve(settings: WorkerSettings) -> Any:  # Any: the engine ships no types
    """Load the model and listen; return the running server."""
    if not Path(settings.model_path).is_file():
        raise FileNotFoundError(f"no model file at {settings.model_path}")
    # Here and not above: its 100 MB are mapped only by a worker that has a model to serve.
    import xllamacpp  # type: ignore[import-untyped]  # it ships no types

    params = xllamacpp.CommonParams()
    configure(params, settings, xllamacpp.ggml_type)
    return xllamacpp.Server(params)


def configure(params: Any, settings: WorkerSettings, kv_types: Any) -> None:  # Any: the engine ships no types
    """Set everything whose default does not suit a gateway. Names as in xllamacpp 2026.10."""
    params.model.path = settings.model_path
    params.model_alias = {settings.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # the system picks a free one
    params.api_keys = [settings.api_key]
    params.cors_origins = "null"  # no web page has business here; the default is every one
    params.cors_credentials = False
    params.ui = False
    params.endpoint_slots = False  # would show other callers' prompts
    params.endpoint_props = False
    params.endpoint_metrics = False
    params.verbosity = settings.verbosity
    params.n_parallel = settings.parallel
    # Split and not shared: with one shared cache, requests that together outgrow it all fail in the middle.
    params.kv_unified = False
    params.n_ctx = settings.context_tokens * settings.parallel
    kv_type = kv_types.GGML_TYPE_Q8_0 if settings.kv_cache == "q8_0" else kv_types.GGML_TYPE_F16
    params.cache_type_k = kv_type
    params.cache_type_v = kv_type
    params.cache_ram_mib = 0  # the default keeps up to 8 GiB of old prompts in memory
    threads = engine_threads(settings.threads, usable_cores())
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_threads_http = settings.parallel + SPARE_HTTP_THREADS
    params.sampling.temp = 0.0  # the same answer twice, unless the client asks for another temperature
    params.warmup = True
    params.use_jinja = True
    if settings.chat_template:
        params.chat_template = settings.chat_template


def _private_stdout() -> BinaryIO:
    """Keep stdout for the report alone: whatever the engine prints goes to stderr."""
    reports = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return reports


def _say(reports: BinaryIO, report: WorkerReport) -> None:
    try:
        reports.write(msgspec.json.encode(report) + b"\n")
    except OSError:
        _leave(EXIT_OK)  # nobody is left to hear it


def _leave(code: int) -> NoReturn:
    os._exit(code)  # at once: the engine's threads would otherwise be waited for


if __name__ == "__main__":
    main()
