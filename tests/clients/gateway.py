"""A running `yuzui serve` in front of the scripted model, and keys for it: what every client here is pointed at."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients.scripted_upstream import KEY, ScriptedUpstream
from gateway_kit import without_names

BIN = Path(sys.executable).parent
START_S = 60.0

SENSITIVITY = """
[sensitivity]
unscannable = "internal"  # pictures may go to vendors here
[sensitivity.kinds]
email = "internal"  # the prompt of Claude Code holds the address that it signs commits with
"""
OWN = """
[[targets]]
name = "{name}"
provider = "{provider}"
base_url = "{upstream}{path}"
model = "{model}"
premises = "own"
clearance = "restricted"
price = {{ currency = "USD", input = 1, output = 2 }}
"""
VENDOR = """
[[targets]]
name = "{name}"
provider = "{provider}"
base_url = "{upstream}{path}"
model = "{model}"
api_key = {{ env = "SCRIPTED_KEY" }}
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One target: the name that clients write, and where it leads."""

    name: str
    wire: str
    provider: str
    model: str
    path: str = "/v1"
    form: str = VENDOR
    more: str = ""


TARGETS = (
    Row(name="llama", wire="chat", provider="llama_cpp", model="llama", form=OWN),
    Row(name="vllm", wire="chat", provider="vllm", model="vllm", form=OWN),
    Row(name="think", wire="chat", provider="vllm", model="think", form=OWN),
    Row(name="claude", wire="messages", provider="anthropic", model="claude-sonnet-4-5", path=""),
    Row(name="gemini", wire="gemini", provider="gemini", model="gemini-3-pro", path="/v1beta"),
    Row(name="gpt", wire="responses", provider="openai_responses", model="gpt-6-luna"),
)
NAMES = tuple(row.name for row in TARGETS)
WIRES = {row.name: row.wire for row in TARGETS}


def two(wire: str) -> list[str]:
    """A target that speaks the client's own `wire`, and one that does not: for what takes a second each time."""
    return [next(row.name for row in TARGETS if row.wire == wire), "vllm" if wire != "chat" else "claude"]


ALIASES = dict(
    zip(
        NAMES,
        (
            "claude-haiku-4-5",
            "claude-sonnet-4-5",
            "claude-opus-4-5",
            "claude-sonnet-4-6",
            "claude-opus-4-6",
            "claude-opus-4-7",
        ),
        strict=True,
    )
)
"""Virtual models with the vendor's names, for clients that know no others: what an operator does for them."""
EMBEDDER = Row(
    name="embedder", wire="chat", provider="vllm", model="embedder", form=OWN, more='serves = ["embeddings"]'
)


def configuration(upstream: str) -> str:
    targets = [
        row.form.format(name=row.name, provider=row.provider, upstream=upstream, path=row.path, model=row.model)
        + row.more
        for row in (*TARGETS, EMBEDDER)
    ]
    models = [f'[[models]]\nname = "{alias}"\ncandidates = ["{name}"]' for name, alias in ALIASES.items()]
    return "\n".join([SENSITIVITY, *targets, *models])


def environment(**more: str) -> dict[str, str]:
    """This process's, without any vendor's key or address: nothing here may leave the machine."""
    strange = re.compile(r".*(_API_KEY|_TOKEN|_BASE_URL|_PROXY|_proxy)|(ANTHROPIC|OPENAI|GOOGLE|GEMINI|CLAUDE)_.*")
    return {**{name: value for name, value in os.environ.items() if not strange.fullmatch(name)}, **more}


@dataclass
class Gateway:
    """`address` has no path; `key` may do everything."""

    address: str
    folder: Path
    upstream: ScriptedUpstream
    key: str = ""
    _keys: dict[str, str] = field(default_factory=dict)

    def key_of(self, app: str, *options: str) -> str:
        """The key of `app`, made with `options` of `yuzui keys create` when it is first asked for."""
        if app not in self._keys:
            made = self.yuzui("keys", "create", "--app", app, "--json", *options)
            self._keys[app] = json.loads(made)["key"]
        return self._keys[app]

    def yuzui(self, *args: str) -> str:
        done = subprocess.run(
            [BIN / "yuzui", *args, "--data-dir", self.folder / "data"],
            capture_output=True, text=True, timeout=60, cwd=self.folder, env=environment(), check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def serving(
    folder: Path, upstream: ScriptedUpstream, config: str, environ: Mapping[str, str] | None = None
) -> Iterator[Gateway]:
    """Run `yuzui serve` with the TOML text `config` while the body runs; check that it ends well."""
    (folder / "yuzui.toml").write_text(without_names(config), "utf-8")
    gateway = Gateway("", folder, upstream)
    gateway.key = gateway.key_of("clients")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "yuzui", "serve", "--port", "0", "--data-dir", folder / "data"],
            stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env=environment(SCRIPTED_KEY=KEY, **(environ or {})),
        )  # fmt: skip
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        line = process.stdout.readline() if ready else ""
        found = re.search(r"http://\S+", line)
        assert found, (line, (folder / "log").read_text("utf-8"))
        gateway.address = found[0].rstrip("/")
        yield gateway
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0
    assert "Traceback" not in (folder / "log").read_text("utf-8")
    gateway.yuzui("audit", "verify")
