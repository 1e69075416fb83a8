"""Amazon Bedrock's Converse and ConverseStream.

Source (2026-11-26): botocore==1.44.8, data/bedrock-runtime/2023-09-30/service-2.json (ConverseRequest,
ConverseResponse, ConverseStreamOutput);
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. Unknown fields are ignored, as
services with this kind of protocol do.
"""

from __future__ import annotations

import json
import re
from typing import Literal
from urllib.parse import unquote

from conformance.facts import UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Image, Json, Result, Thought, Truth
from conformance.wires import _event_stream
from conformance.wires._contract import Answer, cuts, join, json_answer, to_bytes

FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered"}


class Bedrock:
    thoughts: Literal["signed", "plain", "none"] = "signed"
    cannot_tell = frozenset({"reasoning", "refusal text", "retry after"})
    cannot_ask: frozenset[str] = frozenset()

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        found = re.search(r"/model/(.+)/(converse|converse-stream)", path)
        asked = Asked(
            model=unquote(unquote(found[1])) if found else "", is_stream=path.endswith("-stream"), fields=body
        )
        blocks = body.get("system") or []
        asked.system = join(block.get("text", "") for block in blocks)
        asked.cache_marks += _marks(blocks)
        self._read_messages(asked, body.get("messages") or [])
        config = body.get("toolConfig") or {}
        for tool in config.get("tools") or ():
            if spec := tool.get("toolSpec"):
                schema = (spec.get("inputSchema") or {}).get("json")
                asked.tools[spec.get("name", "")] = {"description": spec.get("description", ""), "schema": schema}
        self._read_choice(asked, body, config)
        limits = body.get("inferenceConfig") or {}
        for knob, name in (
            ("max_tokens", "maxTokens"), ("temperature",) * 2, ("top_p", "topP"), ("stop", "stopSequences"),
        ):  # fmt: skip
            if limits.get(name) is not None:
                asked.knobs[knob] = limits[name]
        extra = body.get("additionalModelRequestFields") or {}
        thinking = extra.get("thinking") or extra.get("reasoning_config") or {}
        if thinking.get("type") in ("enabled", "adaptive") or extra.get("reasoning_effort"):
            asked.knobs["thinking"] = True
        return asked

    def _read_messages(self, asked: Asked, messages: list[Json]) -> None:
        calls: set[str] = set()
        last = ""
        for message in messages:
            role, blocks = message.get("role"), message.get("content") or []
            asked.cache_marks += _marks(blocks)
            if role == last:
                asked.complaints.append("roles do not alternate")
            last = role
            answered = {b["toolResult"].get("toolUseId") for b in blocks if b.get("toolResult")}
            if role == "user" and calls != answered:
                asked.complaints.append(
                    "calls without results" if calls - answered else "a result that answers no call"
                )
            for block in blocks:
                self._read_block(asked, role, block)
            calls = {block["toolUse"].get("toolUseId", "") for block in blocks if block.get("toolUse")}

    def _read_block(self, asked: Asked, role: str, block: dict[str, Json]) -> None:
        if "text" in block:
            if not block["text"].strip():
                asked.complaints.append("an empty text block")
            turn = asked.turn(role)
            turn.text = join((turn.text, block["text"]))
        elif image := block.get("image"):
            asked.turn(role).images.append(_image(image))
        elif call := block.get("toolUse"):
            if not isinstance(call.get("input"), dict):
                asked.complaints.append("input is no object")
            arguments = to_bytes(call.get("input") or {}).decode()
            asked.turn(role).calls.append(
                Call(id=call.get("toolUseId", ""), name=call.get("name", ""), arguments=arguments)
            )
        elif result := block.get("toolResult"):
            asked.turn("tool").results.append(_result(result))
        elif thought := block.get("reasoningContent"):
            said = thought.get("reasoningText") or {}
            asked.turn(role).thoughts.append(
                Thought(
                    text=said.get("text", ""),
                    signature=said.get("signature") or "",
                    redacted=thought.get("redactedContent") or "",
                )
            )
        elif "cachePoint" not in block:
            asked.complaints.append(f"a block with {sorted(block)}")

    def _read_choice(self, asked: Asked, body: dict[str, Json], config: dict[str, Json]) -> None:
        choice = config.get("toolChoice") or {}
        asked.tool_choice = (choice.get("tool") or {}).get("name", "") or (
            "required" if "any" in choice else "auto" if "auto" in choice else ""
        )
        form = (body.get("outputConfig") or {}).get("textFormat") or {}
        said = ((form.get("structure") or {}).get("jsonSchema") or {}).get("schema")
        extra = ((body.get("additionalModelRequestFields") or {}).get("output_config") or {}).get("format") or {}
        if isinstance(said, str):
            asked.schema = json.loads(said)
        elif extra.get("schema"):
            asked.schema = extra["schema"]
        elif asked.tool_choice in asked.tools:
            asked.answer_tool = asked.tool_choice
        elif asked.tool_choice == "required" and len(asked.tools) == 1:
            asked.answer_tool = next(iter(asked.tools))

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message = {"role": "assistant", "content": self._blocks(truth, asked)}
        answer: dict[str, Json] = {
            "output": {"message": message},
            "stopReason": self._finish(truth, asked),
            "usage": self._usage(truth),
            "metrics": {"latencyMs": 200},
        }
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        out: list[tuple[str, Json]] = [("messageStart", {"role": "assistant"})]
        for index, block in enumerate(self._blocks(truth, asked)):
            place = {"contentBlockIndex": index}
            if call := block.get("toolUse"):
                start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
                out.append(("contentBlockStart", place | {"start": start}))
            out += [("contentBlockDelta", place | {"delta": delta}) for delta in _deltas(block, truth)]
            if not truth.breaks:
                out.append(("contentBlockStop", place))
        if truth.has_unknown:
            out.append(("futureEvent", {UNKNOWN_NAME: UNKNOWN_VALUE}))
        if not truth.breaks:
            out.append(("messageStop", {"stopReason": self._finish(truth, asked)}))
            out.append(("metadata", {"usage": self._usage(truth), "metrics": {"latencyMs": 200}}))
        events = [_event_stream.event(kind, to_bytes(payload)) for kind, payload in out]
        if truth.breaks == "error":
            fault = {"message": "The model failed", "originalStatusCode": 500}
            events.append(_event_stream.exception("modelStreamErrorException", to_bytes(fault)))
        return Answer(
            status=200, content_type="application/vnd.amazon.eventstream", pieces=events, breaks=truth.breaks == "cut"
        )

    def refuse(self, status: int, message: str) -> Answer:
        kind = "ThrottlingException" if status == 429 else "ValidationException"
        return json_answer({"message": message}, status, (("x-amzn-errortype", kind),))

    # ---- parts ----

    def _blocks(self, truth: Truth, asked: Asked) -> list[dict[str, Json]]:
        blocks: list[dict[str, Json]] = []
        for thought in truth.thoughts:
            if thought.redacted:
                blocks.append({"reasoningContent": {"redactedContent": thought.redacted}})
            else:
                said = {"text": thought.text, "signature": thought.signature}
                blocks.append({"reasoningContent": {"reasoningText": said}})
        if truth.is_json and asked.answer_tool:
            call = Call(id="answer", name=asked.answer_tool, arguments=truth.text)
            return [*blocks, {"toolUse": {"toolUseId": "tooluse_answer", "name": call.name, "input": call.values}}]
        if truth.text:
            blocks.append({"text": truth.text})
        for call in truth.calls:
            blocks.append({"toolUse": {"toolUseId": f"tooluse_{call.id}", "name": call.name, "input": call.values}})
        return blocks

    def _finish(self, truth: Truth, asked: Asked) -> str:
        return "tool_use" if truth.is_json and asked.answer_tool else FINISH[truth.finish]

    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        cached, written = u.cached or 0, u.cache_write or 0
        return {
            "inputTokens": (u.input or 0) - cached - written,
            "outputTokens": u.output or 0,
            "totalTokens": (u.input or 0) + (u.output or 0),
            "cacheReadInputTokens": cached,
            "cacheWriteInputTokens": written,
        }


def _deltas(block: dict[str, Json], truth: Truth) -> list[dict[str, Json]]:
    if "text" in block:
        return [{"text": piece} for piece in truth.pieces]
    if call := block.get("toolUse"):
        written = next((c.arguments for c in truth.calls if f"tooluse_{c.id}" == call["toolUseId"]), truth.text)
        return [{"toolUse": {"input": piece}} for piece in cuts(written) or [""]]
    thought = block["reasoningContent"]
    if "redactedContent" in thought:
        return [{"reasoningContent": thought}]
    said = thought["reasoningText"]
    texts = [{"reasoningContent": {"text": piece}} for piece in (said["text"][:9], said["text"][9:])]
    return [*texts, {"reasoningContent": {"signature": said["signature"]}}]


def _image(image: dict[str, Json]) -> Image:
    return Image(media_type=f"image/{image.get('format', '')}", data=(image.get("source") or {}).get("bytes", ""))


def _result(found: dict[str, Json]) -> Result:
    parts = found.get("content") or []
    texts = [
        part["text"] if "text" in part else to_bytes(part["json"]).decode()
        for part in parts
        if part.keys() & {"text", "json"}
    ]
    return Result(
        call_id=found.get("toolUseId", ""),
        text=join(texts),
        images=tuple(_image(part["image"]) for part in parts if part.get("image")),
        is_error=found.get("status") == "error",
    )


def _marks(blocks: list[Json]) -> int:
    return sum(1 for block in blocks if isinstance(block, dict) and "cachePoint" in block)
