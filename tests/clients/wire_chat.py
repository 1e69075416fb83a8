"""Chat completions as open-model servers speak them: three habits, named by the model.

    llama   llama.cpp: arguments in one piece, `reasoning_content`, usage on a chunk of its own
    vllm    vLLM: `tool_calls: []` wherever there are none, `reasoning`, usage on the chunk that ends the answer
    think   a server without a reasoning parser: `<think>` tags in the text

Sources: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md,
https://docs.vllm.ai/en/latest/features/reasoning_outputs.html, https://docs.vllm.ai/en/latest/features/tool_calling.html;
read 2026-11-26.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator

from clients.scripted_model import Answer, Call, Counts, Json, Question, Refused, Result, Thought, Turn

FINISH = {"stop": "stop", "tools": "tool_calls", "length": "length", "filter": "content_filter"}
HEAD = {"created": 1_790_000_000, "system_fingerprint": "b1"}


def read(body: Json) -> Question:
    turns: list[Turn] = []
    for message in body["messages"]:
        _add(turns, message)
    choice = body.get("tool_choice")
    must_call = "*" if choice == "required" else choice["function"]["name"] if isinstance(choice, dict) else ""
    wanted = body.get("response_format") or {}
    return Question(
        wire="chat",
        model=body["model"],
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools={tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in body.get("tools") or []},
        must_call=must_call,
        schema=wanted.get("json_schema", {}).get("schema"),
        wants_json=wanted.get("type") == "json_object",
    )


def _add(turns: list[Turn], message: Json) -> None:
    role = message["role"]
    if role in ("system", "developer"):
        _text_of(message["content"])
        return
    if role == "assistant":
        thought = message.get("reasoning_content") or message.get("reasoning")
        turn = Turn(is_model=True, text=_text_of(message.get("content")))
        turn.thoughts = [Thought(text=thought)] if thought else []
        turn.calls = [
            Call(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
            for call in message.get("tool_calls") or []
        ]
        if not turn.text and not turn.calls:
            raise Refused("an assistant message has neither content nor tool calls")
        turns.append(turn)
    elif role in ("user", "tool"):
        if not turns or turns[-1].is_model:
            turns.append(Turn(is_model=False))
        if role == "tool":
            turns[-1].results.append(Result(call_id=message["tool_call_id"], text=_text_of(message["content"])))
        else:
            turns[-1].text += _text_of(message["content"])
            turns[-1].pictures += _pictures_of(message["content"])
    else:
        raise Refused(f"no such role: {role!r}")


def _text_of(content: object) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list) or any(part["type"] not in ("text", "image_url") for part in content):
        raise Refused(f"unknown content: {str(content)[:200]}")
    return "".join(part["text"] for part in content if part["type"] == "text")


def _pictures_of(content: object) -> list[bytes]:
    if not isinstance(content, list):
        return []
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    if any(not url.startswith("data:image/") for url in urls):
        raise Refused("only data: addresses")
    return [b64decode(url.partition(";base64,")[2], validate=True) for url in urls]


# ---- answers ---------------------------------------------------------------------------------------------------------


def whole(question: Question, answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": _content(question, answer) or None}
    if answer.thought and question.model != "think":
        message["reasoning_content" if question.model == "llama" else "reasoning"] = answer.thought
    if answer.calls or question.model == "vllm":
        message["tool_calls"] = [_call(call) for call in answer.calls]
    if question.model == "vllm":
        message |= {"refusal": None, "annotations": None, "audio": None, "function_call": None}
    return {
        "id": f"chatcmpl-{answer.id}", "object": "chat.completion", "model": question.model, **HEAD,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[answer.finish]}],
        "usage": usage(answer.counts),
    }  # fmt: skip


def _content(question: Question, answer: Answer) -> str:
    if question.model == "think" and answer.thought:
        return f"<think>\n{answer.thought}\n</think>\n\n{answer.text}"
    return answer.text


def _call(call: Call) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def usage(counts: Counts) -> Json:
    return {
        "prompt_tokens": counts.input, "completion_tokens": counts.output, "total_tokens": counts.input + counts.output,
        "prompt_tokens_details": {"cached_tokens": counts.cached},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning},
    }  # fmt: skip


def events(question: Question, answer: Answer) -> Iterator[bytes]:
    is_vllm = question.model == "vllm"

    def chunk(delta: Json, finish: str | None = None, **more: object) -> bytes:
        if is_vllm and "tool_calls" not in delta:
            delta = {**delta, "tool_calls": []}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event(question, answer, [choice], **more)

    yield chunk({"role": "assistant", "content": "" if is_vllm else None})
    if question.model == "think":
        text = _content(question, answer)
        for at in range(0, len(text), 4):  # which cuts the tags
            yield chunk({"content": text[at : at + 4]})
    else:
        for at in range(0, len(answer.thought), 7):
            yield chunk(
                {"reasoning_content" if question.model == "llama" else "reasoning": answer.thought[at : at + 7]}
            )
        for piece in answer.pieces:
            yield chunk({"content": piece})
    for position, call in enumerate(answer.calls):
        for delta in _call_deltas(question, position, call):
            yield chunk({"tool_calls": [delta]})
    numbers = usage(answer.counts)
    if is_vllm:
        yield chunk({}, FINISH[answer.finish], usage=numbers)
    else:
        yield chunk({}, FINISH[answer.finish])
        yield _event(question, answer, [], usage=numbers, timings={"predicted_n": answer.counts.output})
    yield b"data: [DONE]\n\n"


def _call_deltas(question: Question, position: int, call: Call) -> Iterator[Json]:
    if question.model != "vllm":
        yield {"index": position, **_call(call)}
        return
    yield {"index": position, "id": call.id, "type": "function", "function": {"name": call.name}}
    for at in range(0, len(call.arguments), 3):
        yield {"index": position, "function": {"arguments": call.arguments[at : at + 3]}}


def _event(question: Question, answer: Answer, choices: list[Json], **more: object) -> bytes:
    value = {
        "id": f"chatcmpl-{answer.id}", "object": "chat.completion.chunk", "model": question.model, **HEAD,
        "choices": choices, **more,
    }  # fmt: skip
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def error(status: int, message: str, details: Json | None = None) -> Json:
    return {"error": {"message": message, "type": "BadRequestError" if status == 400 else "Error", "code": status}}


def error_event(message: str) -> bytes:
    return b"data: " + json.dumps(error(500, message)).encode() + b"\n\n"
