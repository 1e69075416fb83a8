"""The Portkey gateway, in an npm folder of its own.

Sources (2026-11-26): https://portkey.ai/docs/api-reference/inference-api/headers (provider, custom host, strictness),
…/docs/integrations/llms/*; the package's README. It keeps no configuration: each request says where it goes in headers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from typing_extensions import override

from conformance.gateways._contract import CACHE, KEY, Gateway, GatewayError, Route, Running, free_port, launch
from conformance.provider import load_providers

VERSION = "1.15.2"
PINS = {"hono": "4.9.7", "@hono/node-server": "1.13.7"}  # with newer ones its streams answer 500

ROUTES = {
    "openai": ("openai", "/openai/v1", {}),
    "openai_responses": ("openai", "/openai_responses/v1", {}),
    "vllm": ("openai", "/vllm/v1", {}),
    "llama_cpp": ("openai", "/llama_cpp/v1", {}),
    "anthropic": ("anthropic", "/anthropic/v1", {}),
    "gemini": ("google", "/gemini", {}),
    "bedrock": (
        "bedrock",
        "/bedrock",
        {
            "x-portkey-aws-access-key-id": KEY,
            "x-portkey-aws-secret-access-key": KEY,
            "x-portkey-aws-region": "us-east-1",
        },
    ),
    "azure_openai": (
        "azure-openai",
        "/azure_openai/openai",
        {
            "x-portkey-azure-resource-name": "matrix",
            "x-portkey-azure-deployment-id": "{model}",
            "x-portkey-azure-api-version": "2025-04-01-preview",
        },
    ),
    "cohere": ("cohere", "/cohere", {}),
}
"""Provider → (its name there, custom host below the upstream, further headers)."""


class Portkey(Gateway):
    name = "portkey"
    version = f"{VERSION} with hono {PINS['hono']} and @hono/node-server {PINS['@hono/node-server']}"
    notes = (
        "Each request carries `x-portkey-provider` and `x-portkey-custom-host`, and where thoughts are asked for "
        "`x-portkey-strict-open-ai-compliance: false`, as documented; elsewhere it would lose finish reasons.",
        "vLLM and llama.cpp are its provider `openai` with a custom host, as documented for such servers.",
    )

    @override
    def install(self) -> None:
        folder = CACHE / "portkey"
        if (folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js").is_file():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise GatewayError("npm is needed to install it")
        folder.mkdir(parents=True, exist_ok=True)
        package = {"name": "portkey-under-test", "private": True, "overrides": PINS}
        package["dependencies"] = {"@portkey-ai/gateway": VERSION}
        (folder / "package.json").write_text(json.dumps(package))
        subprocess.run([npm, "install", "--no-audit", "--no-fund"], cwd=folder, check=True)

    @override
    def start(self, upstream: str, folder: Path) -> Running:
        node = shutil.which("node")
        if node is None:
            raise GatewayError("node is needed to run it")
        port = free_port()
        script = CACHE / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
        command = [node, str(script), f"--port={port}", "--headless"]
        env = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
        process = launch(command, port=port, folder=folder, env=env, patience_s=60)
        routes = {}
        for name, provider in load_providers().items():
            if name in ROUTES:
                routes[name] = _route(name, provider.model, provider.thinking_model, upstream)
        return Running(
            base_url=f"http://127.0.0.1:{port}",
            dialects={"openai_chat": "/v1", "openai_responses": "/v1", "anthropic_messages": "/v1"},
            routes=routes,
            not_offered=NOT_OFFERED,
            process=process,
        )


NOT_OFFERED = {
    ("gemini", "*"): "it has no such path",
    ("*", "ollama_native"): "its provider ollama speaks the OpenAI-compatible endpoint only",
    ("openai_chat", "openai_responses"): "it has no bridge from chat to Responses",
    ("openai_responses", "llama_cpp"): "it hands Responses through to servers that have them, and translates for none",
    **{
        ("openai_responses", name): "`createModelResponse is not supported by` this provider, it answers"
        for name in ("anthropic", "gemini", "bedrock", "cohere")
    },
    **{
        ("anthropic_messages", name): "`messages is not supported by` this provider, it answers"
        for name in ("openai", "openai_responses", "vllm", "llama_cpp", "gemini", "azure_openai", "cohere")
    },
}
"""Found by asking; it answers 500 with these words."""


def _route(name: str, model: str, thinking_model: str, upstream: str) -> Route:
    provider, host, extra = ROUTES[name]
    headers = {
        "authorization": f"Bearer {KEY}",
        "x-portkey-provider": provider,
        "x-portkey-custom-host": upstream + host,
    } | {key: value.replace("{model}", model) for key, value in extra.items()}
    thinking = {"x-portkey-strict-open-ai-compliance": "false"}
    if "x-portkey-azure-deployment-id" in extra:
        thinking["x-portkey-azure-deployment-id"] = thinking_model
    return Route(model=model, thinking_model=thinking_model, headers=headers, thinking_headers=thinking)
