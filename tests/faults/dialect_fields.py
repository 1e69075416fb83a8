"""Where a text can stand in a request of each dialect: all that a target may be shown of it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

from faults.dialect_kit import FORM_TYPE, MEDIA, Asked, form, gemini_path
from yuzui.core.chat import ReasoningPart
from yuzui.core.reasoning import seal

Json = dict[str, Any]  # Any: JSON
Put = Callable[[str], Json]

ORIGINS = {
    "vendor/claude": "anthropic", "vendor/responses": "openai_responses", "vendor/chat": "openai",
    "vendor/gemini": "gemini", "vendor/bedrock": "bedrock", "vendor/both": "openai",
}  # fmt: skip
"""Under which provider's name a thought is taken back by each target."""
UNREADABLE = "unreadable"
"""Fields whose name begins so are unreadable whatever they hold."""


def sealed(text: str, origin: str) -> str:
    """A thought that a client may write itself: nothing proves that it was ours."""
    return seal(ReasoningPart(text=text, signature="c2ln", origin=origin), with_text=True)


def sealed_summary(text: str, origin: str) -> str:
    return seal(ReasoningPart(text=text, redacted="cmVk", is_summary=True, origin=origin), with_text=True)


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def disguised(text: str) -> str:
    """A tool call's name as the Messages dialect spells what its alphabet lacks."""
    return f"toolu_yz1_{urlsafe_b64encode(f':{text}'.encode()).decode().rstrip('=')}"


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


# ---- Anthropic's Messages --------------------------------------------------------------------------------------------


def messages(origin: str) -> Mapping[str, Put]:
    ask = {"role": "user", "content": "Hi"}

    def block(found: Json, role: str = "user") -> Json:
        said = {"role": role, "content": [found]}
        return {"messages": [said] if role == "user" else [ask, said, ask]}

    def tool(**more: object) -> Json:
        return {"tools": [{"name": "pay", "input_schema": {"type": "object"}, **more}], "messages": [ask]}

    def loop(use: Json | None = None, result: Json | None = None) -> Json:
        return {"messages": [
            ask,
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "pay", "input": {}, **(use or {})}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok", **(result or {})}]},
        ]}  # fmt: skip

    def plain(**more: object) -> Json:
        return {"messages": [ask], **more}

    text_source = {"type": "text", "media_type": "text/plain", "data": "d"}
    search = {"type": "web_search_20250305", "name": "web_search"}
    return {
        "user": lambda v: {"messages": [{"role": "user", "content": v}]},
        "text block": lambda v: block({"type": "text", "text": v}),
        "two blocks": lambda v: {"messages": [{"role": "user", "content": [
            {"type": "text", "text": half} for half in halves(v)]}]},
        "system": lambda v: plain(system=v),
        "system block": lambda v: plain(system=[{"type": "text", "text": v}]),
        "system, cut in two": lambda v: plain(system=[{"type": "text", "text": half} for half in halves(v)]),
        "system in between": lambda v: {"messages": [ask, {"role": "system", "content": v}]},
        "line for billing": lambda v: plain(system=[{"type": "text", "text": f"x-anthropic-billing-header: c={v}; \n"}]),
        "tool description": lambda v: tool(description=v),
        "tool schema": lambda v: tool(input_schema={"type": "object", "properties": {"a": {"enum": [v]}}}),
        "tool property": lambda v: tool(input_schema={"type": "object", "properties": {v: {"type": "string"}}}),
        "tool example": lambda v: tool(input_examples=[{"a": v}]),
        "tool name": lambda v: tool(name=v),
        "tool lifetime": lambda v: tool(cache_control={"type": "ephemeral", "ttl": v}),
        "tool choice": lambda v: {**tool(), "tool_choice": {"type": "tool", "name": v}},
        "call input": lambda v: loop({"input": {"to": v}}),
        "call input key": lambda v: loop({"input": {v: 1}}),
        "call input like a picture": lambda v: loop({"input": {"type": "image", "source": {"type": "base64", "data": v}}}),
        "call input parts": lambda v: loop({"input": {"content": [{"text": half} for half in halves(v)]}}),
        "call name": lambda v: loop({"name": v}),
        "call id": lambda v: loop({"id": v}, {"tool_use_id": v}),
        "call id, disguised": lambda v: loop({"id": disguised(v)}, {"tool_use_id": disguised(v)}),
        "result": lambda v: loop(None, {"content": v}),
        "result block": lambda v: loop(None, {"content": [{"type": "text", "text": v}]}),
        "result document": lambda v: loop(None, {"content": [
            {"type": "document", "source": {**text_source, "data": v}}]}),
        "result search": lambda v: loop(None, {"content": [
            {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": v}]}]}),
        "result reference": lambda v: loop(None, {"content": [{"type": "tool_reference", "tool_name": v}]}),
        "document": lambda v: block({"type": "document", "source": {**text_source, "data": v}}),
        "document of blocks": lambda v: block({"type": "document", "source": {
            "type": "content", "content": [{"type": "text", "text": v}]}}),
        "document of one text": lambda v: block({"type": "document", "source": {"type": "content", "content": v}}),
        "document title": lambda v: block({"type": "document", "title": v, "source": text_source}),
        "document context": lambda v: block({"type": "document", "context": v, "source": text_source}),
        "document type": lambda v: block({"type": "document", "source": {**text_source, "media_type": v}}),
        "search source": lambda v: block({"type": "search_result", "source": v, "title": "t", "content": [
            {"type": "text", "text": "x"}]}),
        "search title": lambda v: block({"type": "search_result", "source": "s", "title": v, "content": [
            {"type": "text", "text": "x"}]}),
        "cited text": lambda v: block({"type": "text", "text": "x", "citations": [
            {"type": "char_location", "cited_text": v, "document_index": 0, "document_title": "t",
             "start_char_index": 0, "end_char_index": 1}]}, "assistant"),
        "thinking": lambda v: block({"type": "thinking", "thinking": v, "signature": "s"}, "assistant"),
        "signature": lambda v: block({"type": "thinking", "thinking": "x", "signature": v}, "assistant"),
        "sealed thought": lambda v: block(
            {"type": "thinking", "thinking": "", "signature": sealed(v, origin)}, "assistant"),
        "sealed thought of nobody": lambda v: block(
            {"type": "thinking", "thinking": "", "signature": sealed(v, "")}, "assistant"),
        "sealed summary": lambda v: block(
            {"type": "thinking", "thinking": "", "signature": sealed_summary(v, origin)}, "assistant"),
        "sealed summary as redacted": lambda v: block(
            {"type": "redacted_thinking", "data": sealed_summary(v, origin)}, "assistant"),
        "sealed id": lambda v: block({"type": "thinking", "thinking": "x", "signature": seal(
            ReasoningPart(text="", signature="s", id=v, origin=origin))}, "assistant"),
        "sealed signature": lambda v: block({"type": "thinking", "thinking": "x", "signature": seal(
            ReasoningPart(text="", signature=v, origin=origin))}, "assistant"),
        "sealed redacted": lambda v: block({"type": "redacted_thinking", "data": seal(
            ReasoningPart(text="", redacted=v, origin=origin))}, "assistant"),
        "a seal in a seal": lambda v: block({"type": "redacted_thinking", "data": seal(
            ReasoningPart(text="", redacted=sealed(v, origin), origin=origin))}, "assistant"),
        "stop": lambda v: plain(stop_sequences=[v]),
        "user id": lambda v: plain(metadata={"user_id": v}),
        "metadata": lambda v: plain(metadata={"other": v}),
        "lifetime": lambda v: plain(cache_control={"type": "ephemeral", "ttl": v}),
        "container": lambda v: plain(container=v),
        "server": lambda v: plain(mcp_servers=[{"type": "url", "url": "https://x", "name": v, "authorization_token": v}]),
        "context management": lambda v: plain(context_management={"edits": [{"type": v}]}),
        "tier": lambda v: plain(service_tier=v),
        "place": lambda v: plain(inference_geo=v),
        "fallback": lambda v: plain(fallbacks=[{"model": v}]),
        "diagnostics": lambda v: plain(diagnostics={"x": v}),
        "answer schema": lambda v: plain(output_config={"format": {"type": "json_schema", "schema": {
            "type": "object", "description": v}}}),
        "effort": lambda v: plain(output_config={"effort": v}),
        "search place": lambda v: plain(tools=[{**search, "user_location": {"type": "approximate", "city": v}}]),
        "search domain": lambda v: plain(tools=[{**search, "allowed_domains": [v]}]),
        f"{UNREADABLE} block": lambda v: block({"type": "new_block", "text": v}),
        f"{UNREADABLE} picture": lambda v: block({"type": "image", "source": {"type": "url", "url": f"https://x/{v}"}}),
        "unknown": lambda v: plain(x_new={"deep": [v]}),
        "unknown in a message": lambda v: {"messages": [{**ask, "x": v}]},
        "unknown role": lambda v: plain(x={"role": v}),
    }  # fmt: skip  # one field, one entry


# ---- OpenAI's Responses ----------------------------------------------------------------------------------------------


def responses(origin: str) -> Mapping[str, Put]:
    def items(*more: Json) -> Json:
        return {"input": [{"role": "user", "content": "Hi"}, *more]}

    def thought(**more: object) -> Json:
        return items({"type": "reasoning", "id": "rs_1", "summary": [], **more}, {"role": "user", "content": "Hi"})

    def call(said: Json | None = None, result: Json | None = None) -> Json:
        return items({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", **(said or {})},
                     {"type": "function_call_output", "call_id": "c", "output": "o", **(result or {})})  # fmt: skip

    def plain(**more: object) -> Json:
        return {"input": "Hi", **more}

    def said(part: Json) -> Json:
        return items({"type": "message", "role": "assistant", "content": [part]})

    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    return {
        "input": lambda v: {"input": v},
        "instructions": lambda v: plain(instructions=v),
        "message": lambda v: items({"role": "user", "content": v}),
        "message parts": lambda v: items({"role": "user", "content": [
            {"type": "input_text", "text": half} for half in halves(v)]}),
        "developer": lambda v: items({"role": "developer", "content": v}),
        "earlier answer": lambda v: said({"type": "output_text", "text": v}),
        "refusal": lambda v: said({"type": "refusal", "refusal": v}),
        "annotation": lambda v: said({"type": "output_text", "text": "x", "annotations": [
            {"type": "url_citation", "url": v, "title": v}]}),
        "item id": lambda v: items({"type": "message", "id": v, "role": "assistant", "content": "x"}),
        "item status": lambda v: items({"type": "message", "status": v, "role": "assistant", "content": "x"}),
        "summary": lambda v: thought(summary=[{"type": "summary_text", "text": v}], encrypted_content="e"),
        "thought": lambda v: thought(content=[{"type": "reasoning_text", "text": v}]),
        "thought, cut in two": lambda v: thought(content=[
            {"type": "reasoning_text", "text": half} for half in halves(v)]),
        "encrypted": lambda v: thought(encrypted_content=v),
        "sealed thought": lambda v: thought(encrypted_content=sealed(v, origin)),
        "sealed summary": lambda v: thought(encrypted_content=sealed_summary(v, origin)),
        "sealed summary of nobody": lambda v: thought(encrypted_content=sealed_summary(v, "")),
        "sealed redacted": lambda v: thought(encrypted_content=seal(
            ReasoningPart(text="", redacted=v, origin=origin))),
        "sealed id": lambda v: thought(encrypted_content=seal(
            ReasoningPart(text="", redacted="r", id=v, origin=origin))),
        "arguments": lambda v: call({"arguments": json.dumps({"a": v})}),
        "call name": lambda v: call({"name": v}),
        "call namespace": lambda v: call({"namespace": v}),
        "call id": lambda v: call({"call_id": v}, {"call_id": v}),
        "result": lambda v: call(None, {"output": v}),
        "result parts": lambda v: call(None, {"output": [{"type": "input_text", "text": half} for half in halves(v)]}),
        "free input": lambda v: items({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": v},
                                      {"type": "custom_tool_call_output", "call_id": "c", "output": "o"}),
        "free result": lambda v: items({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "i"},
                                       {"type": "custom_tool_call_output", "call_id": "c", "output": v}),
        f"{UNREADABLE} file": lambda v: items({"role": "user", "content": [
            {"type": "input_file", "filename": v, "file_data": "data:text/plain;base64,QQ=="}]}),
        f"{UNREADABLE} file by address": lambda v: items({"role": "user", "content": [
            {"type": "input_file", "file_url": f"https://x/{v}"}]}),
        f"{UNREADABLE} search": lambda v: items({"type": "new_call", "id": "ws", "action": {"query": v}}),
        "search": lambda v: items({"type": "web_search_call", "id": "ws", "status": "completed",
                                   "action": {"type": "search", "query": v}}),
        "tool description": lambda v: plain(tools=[{**function, "description": v}]),
        "tool property": lambda v: plain(tools=[{**function, "parameters": {"type": "object", "properties": {v: {}}}}]),
        "tool result schema": lambda v: plain(tools=[{**function, "output_schema": {"x": v}}]),
        "tool choice": lambda v: plain(tools=[function], tool_choice={"type": "function", "name": v}),
        "grammar": lambda v: plain(tools=[{"type": "custom", "name": "f", "format": {
            "type": "grammar", "syntax": "lark", "definition": v}}]),
        "namespace": lambda v: plain(tools=[{"type": "namespace", "name": "n", "description": v, "tools": [function]}]),
        "search place": lambda v: plain(tools=[
            {"type": "web_search", "user_location": {"type": "approximate", "city": v}}]),
        "server": lambda v: plain(tools=[{"type": "mcp", "server_label": v, "server_url": "https://x"}]),
        f"{UNREADABLE} later tool": lambda v: items(
            {"type": "additional_tools", "tools": [{**function, "description": v}]}),
        f"{UNREADABLE} later schema": lambda v: items({"type": "configuration_update", "text": {"format": {
            "type": "json_schema", "name": "n", "schema": {"d": v}}}}),
        "answer schema": lambda v: plain(text={"format": {"type": "json_schema", "name": "n", "schema": {
            "type": "object", "description": v}}}),
        "answer name": lambda v: plain(text={"format": {"type": "json_schema", "name": v, "schema": {"type": "object"}}}),
        "metadata": lambda v: plain(metadata={"k": v}),
        "metadata key": lambda v: plain(metadata={v: "k"}),
        "conversation": lambda v: plain(metadata={"conversation_id": v}),
        "user": lambda v: plain(user=v),
        "safety identifier": lambda v: plain(safety_identifier=v),
        "cache key": lambda v: plain(prompt_cache_key=v),
        "template": lambda v: plain(prompt={"id": "p", "variables": {"a": v}}),
        "template, typed": lambda v: plain(prompt={"id": "p", "variables": {"a": {"type": "input_text", "text": v}}}),
        "include": lambda v: plain(include=[v]),
        "tier": lambda v: plain(service_tier=v),
        "unknown": lambda v: plain(x_new=[v]),
        "options of the stream": lambda v: plain(stream_options={"x": v}),
        "moderation": lambda v: plain(moderation={"x": v}),
    }  # fmt: skip


# ---- Google's generateContent ----------------------------------------------------------------------------------------


def gemini(origin: str) -> Mapping[str, Put]:
    hi = {"role": "user", "parts": [{"text": "Hi"}]}

    def parts(*found: Json, role: str = "user") -> Json:
        said = {"role": role, "parts": list(found)}
        return {"contents": [said] if role == "user" else [hi, said, hi]}

    def loop(call: Json | None = None, result: Json | None = None) -> Json:
        return {"contents": [
            hi,
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}, **(call or {})}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"o": 1}, **(result or {})}}]},
        ]}  # fmt: skip

    def plain(**more: object) -> Json:
        return {"contents": [hi], **more}

    def tool(**more: object) -> Json:
        return plain(tools=[{"functionDeclarations": [{"name": "f", **more}]}])

    def blob(v: str) -> Json:
        return {"inlineData": {"mimeType": "text/plain", "data": base64(v)}}

    return {
        "text": lambda v: parts({"text": v}),
        "two parts": lambda v: parts(*[{"text": half} for half in halves(v)]),
        "one content": lambda v: {"contents": {"role": "user", "parts": {"text": v}}},
        "one content, two parts": lambda v: {"contents": {"parts": [{"text": half} for half in halves(v)]}},
        "instruction": lambda v: plain(systemInstruction={"parts": [{"text": v}]}),
        "instruction in snakes": lambda v: plain(system_instruction={"parts": {"text": v}}),
        "instruction in two": lambda v: plain(systemInstruction={"parts": [{"text": half} for half in halves(v)]}),
        "earlier answer": lambda v: parts({"text": v}, role="model"),
        "thought": lambda v: parts({"text": v, "thought": True}, role="model"),
        "signature": lambda v: parts({"text": "x", "thoughtSignature": v}, role="model"),
        "sealed thought": lambda v: parts(
            {"text": "x", "thought": True, "thoughtSignature": base64(sealed(v, origin))}, role="model"),
        "sealed thought without words": lambda v: parts(
            {"text": "", "thought": True, "thoughtSignature": base64(sealed(v, origin))}, role="model"),
        "sealed summary": lambda v: parts(
            {"text": "x", "thoughtSignature": base64(sealed_summary(v, origin))}, role="model"),
        "sealed thought in snakes": lambda v: parts(
            {"text": "x", "thought": True, "thought_signature": base64(sealed(v, origin))}, role="model"),
        "sealed thought for addresses": lambda v: parts({"text": "x", "thoughtSignature": urlsafe_b64encode(
            sealed(v, origin).encode()).decode().rstrip("=")}, role="model"),
        "call": lambda v: loop({"args": {"a": v}}),
        "call key": lambda v: loop({"args": {v: 1}}),
        "call name": lambda v: loop({"name": v}),
        "call id": lambda v: loop({"id": v}),
        "result": lambda v: loop(None, {"response": {"o": v}}),
        "result like parts": lambda v: loop(None, {"response": {"parts": [{"text": half} for half in halves(v)]}}),
        f"{UNREADABLE} result": lambda v: loop(None, {"parts": [blob(v)]}),
        f"{UNREADABLE} lone result": lambda v: loop(None, {"parts": blob(v)}),
        f"{UNREADABLE} blob": lambda v: parts(blob(v)),
        f"{UNREADABLE} lone blob": lambda v: {"contents": {"parts": blob(v)}},
        f"{UNREADABLE} lone blob in a list": lambda v: {"contents": [{"parts": blob(v)}]},
        f"{UNREADABLE} blob that says text": lambda v: parts({"type": "text", **blob(v)}),
        f"{UNREADABLE} blob of the instruction": lambda v: plain(systemInstruction={"parts": blob(v)}),
        f"{UNREADABLE} name": lambda v: parts({"inlineData": {"mimeType": "image/png", "displayName": v, "data": "QQ=="}}),
        f"{UNREADABLE} address": lambda v: parts({"fileData": {"mimeType": "image/png", "fileUri": f"https://x/{v}"}}),
        "code": lambda v: parts({"executableCode": {"language": "PYTHON", "code": v}}, role="model"),
        "what code said": lambda v: parts({"codeExecutionResult": {"outcome": "OK", "output": v}}, role="model"),
        "about a part": lambda v: parts({"text": "x", "partMetadata": {"a": v}}),
        "tool description": lambda v: tool(description=v),
        "lone tool": lambda v: plain(tools={"functionDeclarations": {"name": "f", "description": v}}),
        "tool property": lambda v: tool(parameters={"type": "OBJECT", "properties": {v: {"type": "STRING"}}}),
        "tool result schema": lambda v: tool(response={"description": v}),
        "tool choice": lambda v: {**tool(), "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": [v]}}},
        "server tool": lambda v: plain(tools=[{"fileSearch": {"fileSearchStoreNames": [v]}}]),
        "search": lambda v: plain(tools=[{"googleSearch": {"x": v}}]),
        "label": lambda v: plain(labels={"k": v}),
        "label's name": lambda v: plain(labels={v: "k"}),
        "safety": lambda v: plain(safetySettings=[{"category": v, "threshold": "X"}]),
        "stop": lambda v: plain(generationConfig={"stopSequences": [v]}),
        "lone stop": lambda v: plain(generationConfig={"stopSequences": v}),
        "answer schema": lambda v: plain(generationConfig={
            "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT", "description": v}}),
        "answer schema in snakes": lambda v: plain(generation_config={
            "response_mime_type": "application/json", "response_json_schema": {"type": "object", "description": v}}),
        "voice": lambda v: plain(generationConfig={"speechConfig": {"x": v}}),
        f"{UNREADABLE} cache": lambda v: plain(cachedContent=v),
        "model in the body": lambda v: plain(model=v),
        "role": lambda v: {"contents": [{"role": v, "parts": [{"text": "Hi"}]}]},
        "armor": lambda v: plain(modelArmorConfig={"x": v}),
        "unknown": lambda v: plain(xNew=[v]),
    }  # fmt: skip


# ---- everything else -------------------------------------------------------------------------------------------------


def _json(path: str, **body: object) -> Asked:
    return Asked(path=path, body=json.dumps(body).encode())


def _heard(v: str, path: str = "/v1/messages", name: str = "anthropic-beta") -> Asked:
    body = {"model": "vendor/claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    return Asked(path=path, body=json.dumps(body).encode(), headers=f"{name}: {v}\r\n")


def _recording(fields: Mapping[str, str], path: str = "transcriptions", **more: str) -> Asked:
    body = form({"model": MEDIA, **fields}, **more)  # type: ignore[arg-type]  # names of the file only
    return Asked(path=f"/v1/audio/{path}", body=body, content_type=FORM_TYPE)


OTHERS: Mapping[str, Callable[[str], Asked]] = {
    "embedding": lambda v: _json("/v1/embeddings", model=MEDIA, input=v),
    "embeddings": lambda v: _json("/v1/embeddings", model=MEDIA, input=["x", v]),
    "embedding object": lambda v: _json("/v1/embeddings", model=MEDIA, input=[{"text": v}]),
    f"{UNREADABLE} tokens": lambda v: _json("/v1/embeddings", model=MEDIA, input=[1, 2, 3]),
    f"{UNREADABLE} lists of tokens": lambda v: _json("/v1/embeddings", model=MEDIA, input=[[1, 2, 3], [4, 5]]),
    "embedding user": lambda v: _json("/v1/embeddings", model=MEDIA, input="x", user=v),
    "embedding task": lambda v: _json("/v1/embeddings", model=MEDIA, input="x", task=v),
    "embedding unknown": lambda v: _json("/v1/embeddings", model=MEDIA, input="x", x_new=[v]),
    "embedding at Google": lambda v: _json("/v1/embeddings", model="vendor/vectors", input=v),
    "embedding at Cohere": lambda v: _json("/v1/embeddings", model="vendor/cohere", input=v),
    "Google's embedding": lambda v: _json(gemini_path("vendor/vectors", "embedContent"), content={"parts": [{"text": v}]}),
    "Google's title": lambda v: _json(
        gemini_path("vendor/vectors", "embedContent"), content={"parts": {"text": "x"}}, title=v),
    f"Google's {UNREADABLE} picture": lambda v: _json(
        gemini_path("vendor/vectors", "embedContent"),
        content={"parts": {"inlineData": {"mimeType": "image/png", "data": "QUFB"}}}),
    "Google's batch": lambda v: _json(
        gemini_path("vendor/vectors", "batchEmbedContents"),
        requests=[{"content": {"parts": [{"text": half} for half in halves(v)]}}]),
    "query": lambda v: _json("/v1/rerank", model=MEDIA, query=v, documents=["x"]),
    "document": lambda v: _json("/v1/rerank", model=MEDIA, query="q", documents=["x", v]),
    "document object": lambda v: _json("/v2/rerank", model=MEDIA, query="q", documents=[{"text": v}]),
    "document's title": lambda v: _json("/v2/rerank", model=MEDIA, query="q", documents=[{"text": "x", "title": v}]),
    "document's key": lambda v: _json("/v2/rerank", model=MEDIA, query="q", documents=[{"text": "x", v: "y"}]),
    "document at Cohere": lambda v: _json("/v2/rerank", model="vendor/cohere", query="q", documents=[{"text": v}]),
    "prompt": lambda v: _json("/v1/completions", model=MEDIA, prompt=v),
    "prompts": lambda v: _json("/v1/completions", model=MEDIA, prompt=["x", v]),
    f"{UNREADABLE} prompt": lambda v: _json("/v1/completions", model=MEDIA, prompt=[1, 2]),
    f"{UNREADABLE} prompts": lambda v: _json("/v1/completions", model=MEDIA, prompt=[[1, 2], [3]]),
    "suffix": lambda v: _json("/v1/completions", model=MEDIA, prompt="x", suffix=v),
    "completion stop": lambda v: _json("/v1/completions", model=MEDIA, prompt="x", stop=v),
    "prompt of a chat": lambda v: _json("/v1/completions", model="vendor/claude", prompt=v),
    f"{UNREADABLE} picture nobody expects": lambda v: _json(
        "/v1/completions", model=MEDIA, prompt="x", images=["data:image/png;base64,QUFB"]),
    f"{UNREADABLE} blob nobody expects": lambda v: _json("/v1/images/generations", model=MEDIA, prompt="x", image="A" * 600),
    "moderation": lambda v: _json("/v1/moderations", model=MEDIA, input=v),
    "moderations": lambda v: _json("/v1/moderations", model=MEDIA, input=["x", v]),
    "moderation parts": lambda v: _json("/v1/moderations", model=MEDIA, input=[
        {"type": "text", "text": half} for half in halves(v)]),
    f"{UNREADABLE} moderation": lambda v: _json("/v1/moderations", model=MEDIA, input=[
        {"type": "image_url", "image_url": {"url": f"https://x/{v}"}}]),
    "speech": lambda v: _json("/v1/audio/speech", model=MEDIA, input=v, voice="a"),
    "tone": lambda v: _json("/v1/audio/speech", model=MEDIA, input="x", voice="a", instructions=v),
    "voice": lambda v: _json("/v1/audio/speech", model=MEDIA, input="x", voice=v),
    "voice by id": lambda v: _json("/v1/audio/speech", model=MEDIA, input="x", voice={"id": v}),
    "picture": lambda v: _json("/v1/images/generations", model=MEDIA, prompt=v),
    "picture user": lambda v: _json("/v1/images/generations", model=MEDIA, prompt="x", user=v),
    "picture size": lambda v: _json("/v1/images/generations", model=MEDIA, prompt="x", size=v),
    f"{UNREADABLE} recording": lambda v: _recording({}),
    f"{UNREADABLE} recording's prompt": lambda v: _recording({"prompt": v}),
    f"{UNREADABLE} recording's name": lambda v: _recording({}, filename=v),
    f"{UNREADABLE} recording's field": lambda v: _recording({v: "x"}),
    f"{UNREADABLE} recording to translate": lambda v: _recording({"prompt": v}, "translations"),
    f"{UNREADABLE} picture to change": lambda v: Asked(
        path="/v1/images/edits", body=form({"model": MEDIA, "prompt": v}, name="image"), content_type=FORM_TYPE),
    "header": lambda v: _heard(v),
    "header among others": lambda v: _heard(f"files-api-2025-04-14,{v}"),
    "header with a name": lambda v: _heard(f"card-{v}"),
    "header of a count": lambda v: _heard(v, "/v1/messages/count_tokens"),
}  # fmt: skip


# ---- what was said earlier -------------------------------------------------------------------------------------------

GO_ON = {"role": "user", "content": "Go on."}


def _google(path: str, **body: object) -> Asked:
    return Asked(path=path, body=json.dumps(body).encode())


def texts_again(text: str) -> Mapping[str, Asked]:
    """Ways to say what a model said earlier: in each dialect, and in each operation."""
    claude = {"model": "vendor/claude", "max_tokens": 9}
    turn = {"role": "user", "parts": [{"text": "Go on."}]}
    said = {"role": "model", "parts": [{"text": text}]}
    called = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    used = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}
    path, vectors, wire = gemini_path("vendor/gemini"), "vendor/vectors", "/v1/responses"

    def responses(*items: Json) -> Asked:
        return _json(wire, model="vendor/responses", input=[*items, GO_ON])

    return {
        "chat": _json("/v1/chat/completions", model="vendor/chat",
                      messages=[{"role": "assistant", "content": text}, GO_ON]),
        "chat in parts": _json("/v1/chat/completions", model="vendor/chat", messages=[
            {"role": "assistant", "content": [{"type": "text", "text": half} for half in halves(text)]}, GO_ON]),
        "messages": _json("/v1/messages", **claude, messages=[{"role": "assistant", "content": text}, GO_ON]),
        "messages, quoted": _json("/v1/messages", **claude, messages=[{"role": "user", "content": [
            {"type": "text", "text": text}, {"type": "text", "text": "What is this?"}]}]),
        "messages, as a rule": _json("/v1/messages", **claude, system=text, messages=[GO_ON]),
        "messages, as a result": _json("/v1/messages", **claude, messages=[GO_ON, used, {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": text}]}]),
        "messages, as a document": _json("/v1/messages", **claude, messages=[{"role": "user", "content": [
            document, {"type": "text", "text": "Sum it up."}]}]),
        "messages, counted": _json("/v1/messages/count_tokens", model="vendor/claude",
                                   messages=[{"role": "assistant", "content": text}, GO_ON]),
        "responses": responses({"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": text}]}),
        "responses, one text": _json(wire, model="vendor/responses", input=text),
        "responses, as a rule": _json(wire, model="vendor/responses", input="x", instructions=text),
        "responses, as a result": responses(called, {"type": "function_call_output", "call_id": "c", "output": text}),
        "responses, in two items": responses(*[{"type": "message", "role": "assistant", "content": half}
                                               for half in halves(text)]),
        "gemini": _google(path, contents=[said, turn]),
        "gemini, alone": _google(path, contents={"role": "user", "parts": {"text": text}}),
        "gemini, in parts": _google(path, contents=[{"role": "model", "parts": [
            {"text": half} for half in halves(text)]}, turn]),
        "gemini, as a rule": _google(path, systemInstruction={"parts": [{"text": text}]}, contents=[turn]),
        "gemini, counted": _google(gemini_path("vendor/gemini", "countTokens"), contents=[said]),
        "gemini, wrapped and counted": _google(gemini_path("vendor/gemini", "countTokens"),
                                               generateContentRequest={"contents": [said]}),
        "gemini, embedded": _google(gemini_path(vectors, "embedContent"), content={"parts": [{"text": text}]}),
        "gemini, embedded together": _google(gemini_path(vectors, "batchEmbedContents"),
                                             requests=[{"content": {"parts": [{"text": text}]}}]),
        "embedded": _json("/v1/embeddings", model=MEDIA, input=["x", text]),
        "embedded object": _json("/v1/embeddings", model=MEDIA, input=[{"text": text}]),
        "query": _json("/v1/rerank", model=MEDIA, query=text, documents=["x"]),
        "document": _json("/v1/rerank", model=MEDIA, query="q", documents=["x", {"text": text}]),
        "prompt": _json("/v1/completions", model=MEDIA, prompt=["x", text]),
        "suffix": _json("/v1/completions", model=MEDIA, prompt="x", suffix=text),
        "moderated": _json("/v1/moderations", model=MEDIA, input=[{"type": "text", "text": text}]),
        "spoken": _json("/v1/audio/speech", model=MEDIA, input=text, voice="a"),
        "painted": _json("/v1/images/generations", model=MEDIA, prompt=text),
    }  # fmt: skip


def calls_again(arguments: str) -> Mapping[str, Asked]:
    """Ways to say with which arguments a model called a tool earlier."""
    read = json.loads(arguments)
    function = {"name": "book", "arguments": arguments}
    used = {"type": "tool_use", "id": "t", "name": "book", "input": read}
    return {
        "chat": _json("/v1/chat/completions", model="vendor/chat", messages=[
            GO_ON, {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "c", "content": "ok"}]),
        "messages": _json("/v1/messages", model="vendor/claude", max_tokens=9, messages=[
            GO_ON, {"role": "assistant", "content": [used]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]}]),
        "responses": _json("/v1/responses", model="vendor/responses", input=[
            GO_ON, {"type": "function_call", "call_id": "c", **function},
            {"type": "function_call_output", "call_id": "c", "output": "ok"}]),
        "gemini": _google(gemini_path("vendor/gemini"), contents=[
            {"role": "user", "parts": [{"text": "Go on."}]},
            {"role": "model", "parts": [{"functionCall": {"name": "book", "args": read}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "book", "response": {"o": "ok"}}}]}]),
    }  # fmt: skip


def thoughts_again(thought: str) -> Mapping[str, Asked]:
    """Ways to say what a model thought earlier, also where only the seal comes back."""
    turn = {"role": "user", "parts": [{"text": "Go on."}]}

    def chat(**more: object) -> Asked:
        said = {"role": "assistant", "content": "Hm.", **more}
        return _json("/v1/chat/completions", model="vendor/chat", messages=[GO_ON, said, GO_ON])

    def messages(block: Json) -> Asked:
        said = {"role": "assistant", "content": [block, {"type": "text", "text": "Hm."}]}
        return _json("/v1/messages", model="vendor/claude", max_tokens=9, messages=[GO_ON, said, GO_ON])

    def responses(**more: object) -> Asked:
        item = {"type": "reasoning", "summary": [], **more}
        return _json("/v1/responses", model="vendor/responses", input=[GO_ON, item, GO_ON])

    def gemini(*parts: Json) -> Asked:
        return _google(gemini_path("vendor/gemini"), contents=[turn, {"role": "model", "parts": list(parts)}, turn])

    seal_ = sealed(thought, "vllm")
    return {
        "chat": chat(reasoning_content=thought),
        "chat, sealed": chat(reasoning_details=[{"type": "reasoning.encrypted", "data": seal_, "format": "yuzui"}]),
        "messages": messages({"type": "thinking", "thinking": thought, "signature": "s"}),
        "messages, sealed": messages({"type": "thinking", "thinking": "", "signature": seal_}),
        "messages, sealed as redacted": messages({"type": "redacted_thinking", "data": seal_}),
        "responses": responses(summary=[{"type": "summary_text", "text": thought}]),
        "responses, own words": responses(content=[{"type": "reasoning_text", "text": thought}], encrypted_content="e"),
        "responses, sealed": responses(encrypted_content=seal_),
        "gemini": gemini({"text": thought, "thought": True}, {"text": "Hm."}),
        "gemini, sealed": gemini({"text": "Hm.", "thoughtSignature": base64(seal_)}),
        "gemini, sealed without words": gemini({"text": "", "thought": True, "thoughtSignature": base64(seal_)}),
    }  # fmt: skip
