"""Yuzui, as this checkout has it: one free target per provider and model, on own premises so that http is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from typing_extensions import override

from conformance.gateways._contract import KEY, ROOT, Gateway, Route, Running, free_port, launch
from conformance.provider import Provider, load_providers

BASE = {
    "openai": "/v1",
    "openai_responses": "/v1",
    "vllm": "/v1",
    "llama_cpp": "/v1",
    "gemini": "/v1beta",
    "azure_openai": "/openai/v1",
    "dashscope_native": "/api/v1",
    "qianfan_native": "/v2",
    "tgi_native": "/v1",
}
"""What stands behind the upstream's address in a target's base_url."""
AUTH = {
    "bedrock": '{ kind = "aws_sigv4", access_key = { env = "MATRIX_KEY" }, secret_key = { env = "MATRIX_KEY" }, '
    'region = "us-east-1" }',
    "watsonx": '{ kind = "ibm_iam", api_key = { env = "MATRIX_KEY" }, url = "@UPSTREAM@/iam/identity/token" }',
}
"""What takes the place of a key."""
PARAMETERS = {"watsonx": '{ project_id = "the-project" }', "bedrock": '{ region = "us-east-1" }'}


class Yuzui(Gateway):
    name = "yuzui"
    notes = (
        "One target per provider and model in yuzui.toml; nothing else is set. No key exists: none is needed here.",
    )

    def __init__(self) -> None:
        commit = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip()
        self.version = f"{version('yuzui')}, commit {commit}"

    @override
    def install(self) -> None:
        pass

    @override
    def start(self, upstream: str, folder: Path) -> Running:
        rows = _rows()
        providers = {name: p for name, p in load_providers().items() if name in rows}
        (folder / "yuzui.toml").write_text("\n".join(_targets(p, upstream) for p in providers.values()))
        port = free_port()
        command = [
            str(Path(sys.executable).with_name("yuzui")), "serve", "--config", str(folder / "yuzui.toml"),
            "--data-dir", str(folder / "data"), "--port", str(port),
        ]  # fmt: skip
        process = launch(command, port=port, folder=folder, env={"MATRIX_KEY": KEY}, patience_s=60)
        return Running(
            base_url=f"http://127.0.0.1:{port}",
            dialects={
                "openai_chat": "/v1",
                "openai_responses": "/v1",
                "anthropic_messages": "/v1",
                "gemini": "/v1beta",
            },
            routes={name: Route(model=name, thinking_model=f"{name}-thinking") for name in providers},
            process=process,
        )


def _rows() -> set[str]:
    from yuzui.providers.catalogue import load_rows

    return set(load_rows())


def _targets(provider: Provider, upstream: str) -> str:
    return "\n".join(
        _target(provider, name, model, upstream)
        for name, model in ((provider.name, provider.model), (f"{provider.name}-thinking", provider.thinking_model))
    )


def _target(provider: Provider, name: str, model: str, upstream: str) -> str:
    address = f"{upstream}/{provider.name}{BASE.get(provider.name, '')}"
    lines = [
        "[[targets]]",
        f"name = {json.dumps(name)}",
        f"provider = {json.dumps(provider.name)}",
        f"model = {json.dumps(model)}",
        f"base_url = {json.dumps(address)}",
        'premises = "own"',
        'clearance = "restricted"',
        'jurisdiction = "CN"',
        'price = "free"',
    ]
    if provider.name in AUTH:
        lines.append(f"auth = {AUTH[provider.name].replace('@UPSTREAM@', upstream)}")
    else:
        lines.append('api_key = { env = "MATRIX_KEY" }')
    if provider.name in PARAMETERS:
        lines.append(f"parameters = {PARAMETERS[provider.name]}")
    return "\n".join(lines) + "\n"
