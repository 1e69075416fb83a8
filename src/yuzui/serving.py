"""The process around a gateway: its port, its signals, its end, and what it asks of the operating system."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import uvicorn
from typing_extensions import override

from yuzui import config as configuration
from yuzui.config import LOOPBACK
from yuzui.core.errors import ConfigError
from yuzui.io.line import GuardedLine
from yuzui.io.logs import LogSink
from yuzui.wiring import Service

log = logging.getLogger("yuzui")

M_ARENA_MAX = -8  # malloc.h


class Server(uvicorn.Server):
    """uvicorn without its signal handling (ours drains first), and with an event for its start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.is_up.set()

    @override
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # wider is enough
        return nullcontext()


def serve(
    config_path: Path | None,
    *,
    host: str | None,
    port: int | None,
    data_dir: Path,
    on_ready: Callable[[str], None],
) -> int:
    """Run the gateway until SIGTERM or SIGINT; return the exit code. Raise `ConfigError` for what cannot start."""
    os.umask(0o077)  # whatever this process writes is for its owner only
    _keep_one_heap()
    config = configuration.load(config_path, os.environ)
    server = config.server
    port = server.port if port is None else port
    config = replace(config, server=replace(server, host=host or server.host, port=port))
    listener = _listen(config.server.host, config.server.port)
    sink = LogSink()
    for warning in config.warnings:
        log.warning("configuration", extra={"fields": {"warning": warning}})
    try:
        service = Service(config, data_dir, written_address=(server.host, server.port))
        try:
            _refuse_open_door(config.server.host, service.books.has_keys())
            if not service.books.has_keys():
                log.warning("no_keys", extra={"fields": {"meaning": "every program on this machine may ask"}})
        except BaseException:
            service.release()
            raise
        _raise_descriptor_limit()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(service, listener, on_ready))
    finally:
        listener.close()
        sink.close()


async def _run(service: Service, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    drain_s = service.gateway.snapshot.config.server.drain_timeout_s
    server = Server(
        uvicorn.Config(
            service.app,
            lifespan="off",
            http=GuardedLine,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # nobody's word is taken for who he is
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(drain_s) + 10,
            limit_concurrency=_most_connections(),
        )
    )
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    _on_signals(loop, stopping.set, lambda: service.spawn(service.reload()))
    await service.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.is_up.wait()
        # What start-up made lives as long as we do: the collector need not look at it again, nor look so often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 1000)
        _give_memory_back()
        on_ready(_address(listener))
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        service.begin_drain()
        server.should_exit = True
        cut = loop.call_later(drain_s, _cut, service)
        await serving
        cut.cancel()
    finally:
        await service.stop()
    return 0


def _cut(service: Service) -> None:
    count = service.gateway.interrupt_all()
    log.warning("drain_timeout", extra={"fields": {"interrupted": count}})


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None], reload: Callable[[], object]) -> None:
    try:
        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, stop)
        loop.add_signal_handler(signal.SIGHUP, reload)
    except (NotImplementedError, AttributeError):  # Windows: no handlers on the loop, no SIGHUP
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port or server.port"
        ) from error
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refuse_open_door(host: str, has_keys: bool) -> None:
    if not has_keys and host not in LOOPBACK:
        raise ConfigError(
            f"listening on {host} without a virtual key would let everybody in: create one with "
            "`yuzui keys create --app NAME`, or listen on 127.0.0.1"
        )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop  # not installable on Windows

    return uvloop.new_event_loop


def _raise_descriptor_limit() -> None:
    if sys.platform != "win32":
        import resource  # not on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _keep_one_heap() -> None:
    """glibc gives each thread a heap of its own and keeps what they freed; one will do for threads that mostly wait."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another libc has no such knob, and needs none
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _give_memory_back() -> None:
    """What compiling the patterns took and freed, a third of all we hold, goes back to the system."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # as above
            ctypes.CDLL(None).malloc_trim(0)


def _most_connections() -> int:
    """Leave descriptors for the books, the log and the targets: beyond this, new connections get a 503."""
    if sys.platform == "win32":
        return 4096
    import resource  # not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, (min(soft, 65_536) - 64) // 2)
