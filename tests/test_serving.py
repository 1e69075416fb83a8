"""The process: who may come in, which port, and how it reloads and ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from yuzui import serving
from yuzui.core.errors import ConfigError

TARGET = '[[targets]]\nname = "{0}"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n'


@pytest.mark.parametrize(("host", "has_keys", "is_refused"), [
    ("127.0.0.1", False, False), ("::1", False, False), ("localhost", False, False), ("0.0.0.0", True, False),
    ("0.0.0.0", False, True), ("::", False, True), ("", False, True), ("192.0.2.1", False, True),
])  # fmt: skip
def test_a_door_to_the_world_needs_a_key(host: str, has_keys: bool, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(ConfigError, match="yuzui keys create"):
            serving._refuse_open_door(host, has_keys)
    else:
        serving._refuse_open_door(host, has_keys)


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{port} .*--port"):
            serving._listen("127.0.0.1", port)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_process_reloads_on_a_hang_up_and_drains_on_a_termination(tmp_path: Path) -> None:
    path = tmp_path / "yuzui.toml"
    path.write_text(TARGET.format("before"), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "yuzui", "serve", "--config", path, "--port", "0", "--data-dir", tmp_path / "data"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        address = process.stdout.readline().split()[-1]
        path.write_text(TARGET.format("after"), "utf-8")
        process.send_signal(signal.SIGHUP)
        events = (json.loads(line)["event"] for line in process.stderr)
        assert "reloaded" in events
        with urllib.request.urlopen(f"{address}/v1/models", timeout=10) as reply:
            assert "after" in {entry["id"] for entry in json.load(reply)["data"]}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.stdout.close()
        process.stderr.close()
