"""Real coding agents, let alone with a scripted model behind the gateway: `make clients AGENTS=1`.

Each gets a folder of its own as home and as work, no variable of this process, and no address but the gateway's. It is
to read two files at once, list the folder, and report: a streamed tool loop of three turns with parallel calls.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from clients.gateway import NAMES, Gateway
from clients.scripted_model import FILES

AGENTS = Path(os.environ.get("YUZUI_CLIENTS", "/nowhere")) / "agents" / "node_modules"
PROMPT = "script:shell What do the files say?"
SEEN = f"I saw {', '.join((*FILES.values(), *FILES))}."
AGENT_TIMEOUT_S = 90

if not AGENTS.is_dir():
    pytest.skip("coding agents are installed by `make clients AGENTS=1`", allow_module_level=True)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A home, and a folder with work in it."""
    for name in ("home/.codex", "work"):
        (tmp_path / name).mkdir(parents=True)
    for name, word in FILES.items():
        (tmp_path / "work" / name).write_text(f"{word}\n", "utf-8")
    return tmp_path


def let_work(command: list[str | Path], desk: Path, **environ: str) -> list[dict[str, object]]:
    """Run an agent; the events that it printed."""
    node = AGENTS.parent.parent / "node" / "bin"
    done = subprocess.run(
        command, cwd=desk / "work", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={"HOME": str(desk / "home"), "PATH": f"{node}:/usr/bin:/bin", "LANG": "C.UTF-8", **environ},
        timeout=AGENT_TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


CODEX = """
model = "{model}"
model_provider = "yuzui"
approval_policy = "never"
sandbox_mode = "danger-full-access"
web_search = "disabled"
[analytics]
enabled = false
[model_providers.yuzui]
name = "Yuzui"
base_url = "{address}/v1"
env_key = "YUZUI_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


@pytest.mark.parametrize("model", NAMES)
def test_codex_works_over_responses(gateway: Gateway, desk: Path, model: str) -> None:
    config = CODEX.format(model=model, address=gateway.address)
    (desk / "home" / ".codex" / "config.toml").write_text(config, "utf-8")
    command: list[str | Path] = [AGENTS / ".bin" / "codex", "exec", "--skip-git-repo-check", "--json", PROMPT]
    events = let_work(command, desk, YUZUI_KEY=gateway.key)
    said = [event["item"] for event in events if event["type"] == "item.completed"]
    texts = [item["text"] for item in said if isinstance(item, dict) and item["type"] == "agent_message"]
    assert texts[-1] == SEEN
    usage = events[-1]["usage"]
    assert isinstance(usage, dict) and usage["input_tokens"] == 120 + 130 + 140 and usage["output_tokens"] == 75


@pytest.mark.parametrize("model", NAMES)
def test_claude_code_works_over_messages(gateway: Gateway, desk: Path, model: str) -> None:
    (binary,) = (AGENTS / "@anthropic-ai").glob("claude-code-*/claude")
    events = let_work(
        [
            binary, "-p", PROMPT, "--model", model, "--output-format", "stream-json", "--verbose",
            "--allowedTools", "Bash(cat:*)", "Bash(ls:*)",
        ],
        desk,
        ANTHROPIC_BASE_URL=gateway.address,
        ANTHROPIC_AUTH_TOKEN=gateway.key,
        ANTHROPIC_DEFAULT_HAIKU_MODEL=model,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
    )  # fmt: skip
    last = events[-1]
    assert (last["type"], last["result"], last["is_error"]) == ("result", SEEN, False)
