"""IBM watsonx.ai: chat completions with other names, other roles for tools, no `[DONE]` and errors of its own.

`parameters`: `project_id` or `space_id`, or `deployment_id` for a model of one's own; `version`, the date of the API.
The token of `auth` (`kind = "ibm_iam"`) is added where credentials are exchanged.

Sources (2026-11-26): https://cloud.ibm.com/apidocs/watsonx-ai#text-chat, the types of the vendor's clients
`@ibm-cloud/watsonx-ai` 1.7.16 (`types/vml_v1.d.ts`, `types/messages.d.ts`) and `ibm-watsonx-ai` 1.8.1 (`foundation_
models/schema/_api.py`), and the recordings in https://github.com/IBM/watsonx-ai-java-sdk (`ChatServiceTest`,
`DeploymentServiceTest`). The parts: `_watsonx_request`, `_watsonx_answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Quirks, Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._watsonx_answer import make_decoder, read_answer, read_fault
from yuzui.providers._watsonx_request import place_of, write_body
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import write_headers

ROW = ProviderRow(
    title="IBM watsonx.ai",
    codec="watsonx",
    base_url="https://us-south.ml.cloud.ibm.com",
    key_env="WATSONX_API_KEY",
    jurisdiction="US",
    premises="vendor",
    models=("ibm/granite-4-h-small", "meta-llama/llama-3-3-70b-instruct"),
    lacks=frozenset({"files", "logprobs", "web_search"}),
    parameters={"version": "2025-04-23"},
    needs=(("project_id", "space_id", "deployment_id"),),
    auth=("ibm_iam",),
    quirks=Quirks(developer_role=False),
    source="https://cloud.ibm.com/apidocs/watsonx-ai#text-chat",
    checked="2026-11-26",
)


class WatsonxCodec(Codec):
    """`POST {base_url}/ml/v1/text/chat` and `…/chat_stream`. Stateless; one instance serves all targets."""

    dialect: Dialect = "watsonx_chat"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        place = place_of(target, "text/chat_stream" if request.stream else "text/chat")
        body, dropped = write_body(request, target, output_cap)
        return WireRequest(
            path=place.path,
            headers=write_headers(target, is_stream=request.stream),
            body=strict_json.write({**place.fields, **body}),
            is_stream=request.stream,
            dropped=dropped,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body, wire.model if wire else "")

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return make_decoder()

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


CODEC: Final = WatsonxCodec()
