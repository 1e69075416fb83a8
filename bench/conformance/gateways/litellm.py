"""The LiteLLM proxy, in a venv of its own.

Sources (2026-11-26): https://docs.litellm.ai/docs/proxy/configs, …/docs/providers/*, …/docs/response_api (the prefix
`responses/` bridges chat to Responses), …/docs/completion/drop_params, …/docs/proxy/reliability.
"""

from __future__ import annotations

import json
from pathlib import Path

from typing_extensions import override

from conformance.gateways._contract import KEY, Gateway, Route, Running, free_port, launch, python_venv
from conformance.provider import Provider, load_providers

VERSION = "1.106.2"  # never 1.82.7, 1.82.8 or 1.107.x: they were compromised
PACKAGES = [f"litellm[proxy]=={VERSION}", "opentelemetry-api==1.45.2", "opentelemetry-sdk==1.45.2",
            "opentelemetry-exporter-otlp==1.45.2"]  # fmt: skip

ROUTES = {
    "openai": ("openai/{model}", "/openai/v1"),
    "openai_responses": ("openai/responses/{model}", "/openai_responses/v1"),
    "vllm": ("hosted_vllm/{model}", "/vllm/v1"),
    "llama_cpp": ("llamafile/{model}", "/llama_cpp/v1"),
    "anthropic": ("anthropic/{model}", "/anthropic"),
    "gemini": ("gemini/{model}", "/gemini/v1beta"),
    "bedrock": ("bedrock/converse/{model}", "/bedrock"),
    "azure_openai": ("azure/{model}", "/azure_openai"),
    "cohere": ("cohere_chat/v2/{model}", "/cohere/v2/chat"),
    "ollama_native": ("ollama_chat/{model}", "/ollama_native"),
    "watsonx": ("watsonx/{model}", "/watsonx"),
    "tgi_native": ("huggingface/{model}", "/tgi_native"),
}
"""Provider → (its model's name there, api_base below the upstream)."""
EXTRA = {
    "bedrock": {
        "aws_access_key_id": KEY, "aws_secret_access_key": KEY, "aws_region_name": "us-east-1",
        "aws_bedrock_runtime_endpoint": "@UPSTREAM@/bedrock",
    },
    "azure_openai": {"api_version": "2025-04-01-preview"},
    "watsonx": {"project_id": "the-project"},
}  # fmt: skip


class LiteLLM(Gateway):
    name = "litellm"
    version = VERSION
    notes = (
        "`drop_params: true`, as its documentation recommends for mixed providers; `modify_params` stays off, it adds "
        "texts of its own.",
        "`always_include_stream_usage: true`, so that usage is known at the end of streams.",
        "No retries and no cooldowns, so that each case is asked once and errors are handed on.",
        "Chat to a Responses-only upstream goes through its bridge (`openai/responses/…`).",
        "llama.cpp is its provider `llamafile`, vLLM its provider `hosted_vllm`, Bedrock its Converse route.",
    )

    @override
    def install(self) -> None:
        python_venv("litellm", PACKAGES)

    @override
    def start(self, upstream: str, folder: Path) -> Running:
        python = python_venv("litellm", PACKAGES)
        providers = {name: p for name, p in load_providers().items() if name in ROUTES}
        models = [entry for provider in providers.values() for entry in _entries(provider, upstream)]
        config = {
            "model_list": models,
            "litellm_settings": {"drop_params": True, "num_retries": 0, "telemetry": False, "request_timeout": 30},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
            "general_settings": {"master_key": f"sk-{KEY}", "always_include_stream_usage": True},
        }
        (folder / "config.yaml").write_text(json.dumps(config, indent=1))  # JSON is YAML
        port = free_port()
        command = [str(python.with_name("litellm")), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1",
                   "--port", str(port), "--num_workers", "1"]  # fmt: skip
        env = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "WATSONX_TOKEN": KEY,
            "WX_PROJECT_ID": "the-project",
            "WATSONX_IAM_URL": f"{upstream}/iam/identity/token",
        }
        process = launch(command, port=port, folder=folder, env=env, patience_s=180)
        return Running(
            base_url=f"http://127.0.0.1:{port}",
            dialects={
                "openai_chat": "/v1",
                "openai_responses": "/v1",
                "anthropic_messages": "/v1",
                "gemini": "/v1beta",
            },
            routes={name: Route(model=name, thinking_model=f"{name}-thinking") for name in providers},
            not_offered={
                ("*", "qianfan_native"): "it has no such provider",
                ("*", "dashscope_native"): "its provider dashscope speaks the OpenAI-compatible endpoint only",
            },
            key=f"sk-{KEY}",
            process=process,
        )


def _entries(provider: Provider, upstream: str) -> list[dict[str, object]]:
    model, base = ROUTES[provider.name]
    extra = {key: value.replace("@UPSTREAM@", upstream) for key, value in EXTRA.get(provider.name, {}).items()}
    common = ({} if provider.name == "bedrock" else {"api_base": upstream + base, "api_key": KEY}) | extra
    return [
        {"model_name": name, "litellm_params": {"model": model.format(model=real)} | common}
        for name, real in (
            (provider.name, provider.model), (f"{provider.name}-thinking", provider.thinking_model),
        )
    ]  # fmt: skip
