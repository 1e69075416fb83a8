"""Generated conversations with marked values in every corner of them, on their way to every wire, masked."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from typing_extensions import override

from yuzui.config import Config, read
from yuzui.core.booking import KeptAnswer
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, RequestLine
from yuzui.core.errors import MaskingIncomplete, UnsupportedFeature
from yuzui.core.target import Target
from yuzui.dialects._contract import ClientDialect
from yuzui.dialects.anthropic_messages import DIALECT as MESSAGES
from yuzui.dialects.gemini import DIALECT as GEMINI
from yuzui.dialects.openai_chat import DIALECT as CHAT
from yuzui.dialects.openai_responses import DIALECT as RESPONSES
from yuzui.lanes import choose_codec
from yuzui.masking import Masker
from yuzui.masking_choice import NotMasked
from yuzui.ports import Archive, FoundAnswer
from yuzui.privacy.checksums import resident_id_check
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.label import label
from yuzui.privacy.scan import Scanner
from yuzui.providers.catalogue import find_codecs

Json = dict[str, Any]  # Any: JSON values
DIALECTS: dict[str, ClientDialect] = {"chat": CHAT, "messages": MESSAGES, "gemini": GEMINI, "responses": RESPONSES}
PROVIDERS = (
    "openai",
    "anthropic",
    "gemini",
    "openai_responses",
    "deepseek",
    "cohere",
    "ollama_native",
    "dashscope_native",
)
KINDS = (
    "email",
    "cn_mobile",
    "phone",
    "cn_resident_id",
    "password",
    "bank_card",
    "iban",
    "ip_address",
    "us_ssn",
    "api_key",
    "passport",
)
CALLER = Caller(key_id="key_1", app="app")


def configuration(*, is_realistic: bool) -> Config:
    kinds = json.dumps(list(KINDS))
    tables = [
        f'[[targets]]\nname = "{provider}"\nprovider = "{provider}"\nmodel = "m"\nbase_url = "https://vendor.example"\n'
        'premises = "vendor"\nclearance = "internal"\nprice = { currency = "USD", input = 1, output = 1 }\n'
        for provider in PROVIDERS
    ]
    realistic = kinds if is_realistic else "[]"
    return read(f"[masking]\nkinds = {kinds}\nrealistic = {realistic}\n" + "\n".join(tables), {}, source=Path("x.toml"))


class NoArchive(Archive):
    @override
    def wrap(self, **_: Any) -> KeptAnswer | None:  # Any: nothing is kept here
        return None

    @override
    async def find(self, scope: str, id: str) -> FoundAnswer | None:
        return None

    @override
    async def keep(self, kept: KeptAnswer) -> None:
        return None

    @override
    def hold(self, scope: str, id: str) -> Any:  # Any: never called
        raise NotImplementedError

    @override
    async def remove(self, scope: str, id: str) -> bool:
        return False


@dataclass(slots=True)
class Result:
    sent: int = 0
    refused: int = 0
    """By masking, or by the search of the bytes."""
    unsaid: int = 0
    """The wire cannot say such a request."""
    leaks: tuple[str, ...] = ()


class Canaries:
    """Draws conversations; `values` are the marked ones of the last."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.values: list[str] = []

    def value(self) -> str:
        draw = self.draw
        word = "".join(draw.choice("bcdfghjkmnpqrtvwxz") for _ in range(8))
        digits = "".join(draw.choice("123456789") for _ in range(8))
        first = f"110105{draw.randint(1950, 2005)}{draw.randint(10, 12)}{draw.randint(10, 28)}{digits[:3]}"
        made = [
            f"{word}@{word[::-1]}.cn",
            f"139{digits}",
            f"139 {digits[:4]} {digits[4:]}",
            first + resident_id_check(first),
        ]
        value = draw.choice([*made, f"+86-139-{digits[:4]}-{digits[4:]}", f"{word.upper()}@{word}.com.cn"])
        self.values.append(value)
        return value

    def text(self) -> str:
        draw = self.draw
        fillers = ("Please write to ", "客户的联系方式是", "\n- ", "see ", 'she said "', "（", "tel: ", "\t", "ok. ")
        text = "".join(
            [
                draw.choice(fillers) + self.value() + draw.choice((" ", "。", '"', ", ", "\n"))
                for _ in range(draw.randint(1, 2))
            ]
        )
        if draw.random() < 0.2:
            text += f" password: {self._secret()}\n"
        if draw.random() < 0.2:
            text += f" again {draw.choice(self.values)} "
        return text

    def _secret(self) -> str:
        secret = "Hx7" + "".join(self.draw.choice("bcdfghjk23456789") for _ in range(10))
        self.values.append(secret)
        return secret

    def arguments(self) -> Json:
        inner = json.dumps({"note": self.text()}, ensure_ascii=self.draw.random() < 0.5)
        return {"to": self.text(), "list": [self.text(), {"deep": inner}], f"k {self.value()}": 1, "n": self._number()}

    def _number(self) -> int:
        digits = "139" + "".join(self.draw.choice("123456789") for _ in range(8))
        self.values.append(digits)
        return int(digits)

    def schema(self) -> Json:
        return {
            "type": "object",
            "description": self.text(),
            "properties": {"a": {"type": "string", "enum": [self.value()]}},
        }

    def body(self, dialect: str) -> Json:
        self.values = []
        return {"chat": self._chat, "messages": self._messages, "gemini": self._gemini, "responses": self._responses}[
            dialect
        ]()

    def parts(self, kind: str) -> Any:  # Any: a text or parts
        if self.draw.random() < 0.5:
            return self.text()
        text = self.text()
        at = self.draw.randint(1, max(1, len(text) - 1))
        return [{"type": kind, "text": piece} for piece in (text[:at], text[at:]) if piece.strip()]

    def _chat(self) -> Json:
        spell = json.dumps(self.arguments(), ensure_ascii=self.draw.random() < 0.5)
        call = {"id": "call_a", "type": "function", "function": {"name": "mail", "arguments": spell}}
        return {
            "model": "m",
            "messages": [
                {"role": "system", "content": self.text()},
                {"role": "user", "content": self.parts("text")},
                {"role": "assistant", "content": self.text(), "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_a", "content": self.text()},
                {"role": "user", "content": self.parts("text")},
            ],
            "tools": [{"type": "function", "function": {"name": "mail", "description": self.text(), "parameters": self.schema()}}],
            "user": self.value(),
            "x_vendor": {self.value(): self.text()},
        }  # fmt: skip  # a request

    def _messages(self) -> Json:
        return {
            "model": "m",
            "max_tokens": 100,
            "system": self.text(),
            "messages": [
                {"role": "user", "content": self.parts("text")},
                {"role": "assistant", "content": [
                    {"type": "text", "text": self.text()},
                    {"type": "tool_use", "id": "call_a", "name": "mail", "input": self.arguments()},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_a", "content": [{"type": "text", "text": self.text()}]},
                    {"type": "document", "title": self.value(), "source": {"type": "text", "media_type": "text/plain", "data": self.text()}},
                ]},
            ],
            "tools": [{"name": "mail", "description": self.text(), "input_schema": self.schema()}],
            "metadata": {"user_id": self.value()},
        }  # fmt: skip  # a request

    def _gemini(self) -> Json:
        return {
            "systemInstruction": {"parts": [{"text": self.text()}]},
            "contents": [
                {"role": "user", "parts": [{"text": self.text()}, {"text": self.text()}]},
                {"role": "model", "parts": [{"functionCall": {"name": "mail", "args": self.arguments()}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "mail", "response": {"result": self.text()}}}]},
            ],
            "tools": [{"functionDeclarations": [{"name": "mail", "description": self.text(), "parametersJsonSchema": self.schema()}]}],
            "labels": {"who": self.value()},
        }  # fmt: skip  # a request

    def _responses(self) -> Json:
        return {
            "model": "m",
            "instructions": self.text(),
            "input": [
                {"role": "user", "content": self.parts("input_text")},
                {"type": "function_call", "call_id": "call_a", "name": "mail", "arguments": json.dumps(self.arguments())},
                {"type": "function_call_output", "call_id": "call_a", "output": self.text()},
                {"role": "user", "content": self.text()},
            ],
            "tools": [{"type": "function", "name": "mail", "description": self.text(), "parameters": self.schema()}],
            "metadata": {"who": self.value()},
        }  # fmt: skip  # a request


def send(seed: int, conversations: int, *, is_realistic: bool) -> Result:
    """Mask so many conversations of each dialect, write them for every provider, and look for what was marked."""
    config = configuration(is_realistic=is_realistic)
    scanner, codecs, canaries, result = Scanner(config.sensitivity), find_codecs(), Canaries(seed), Result()
    masker = Masker(
        ConversationMemory(b"secret", capacity=10), NoArchive(), b"a secret of masking, 32 bytes ..", lambda: 1
    )
    for number in range(conversations):
        for name, dialect in DIALECTS.items():
            body = canaries.body(name)
            line = RequestLine(path=f"/v1beta/models/m:{'streamGenerateContent' if number % 2 else 'generateContent'}")
            request = dialect.read_request(dialect.read_body(json.dumps(body).encode(), "application/json"), line)
            scan = scanner.scan(request.body)
            level = label(config.sensitivity, floor=0, scan=scan, remembered=None)
            masked = asyncio.run(
                masker.mask(request, scan, CALLER, level, None, "", config, scanner, config.masking.masking)
            )
            if isinstance(masked, NotMasked):
                result.refused += 1
                continue
            for target in config.targets:
                _write(masked, request, target, codecs, canaries.values, result)
    return result


def _write(
    masked: Any, request: ChatRequest, target: Target, codecs: Any, values: list[str], result: Result
) -> None:  # Any: shortened
    codec = choose_codec(codecs, target, request)
    assert codec is not None
    try:
        wire = masked.codec(codec).write_request(request, target, output_cap=None)
        asyncio.run(masked.check(wire, target))
    except MaskingIncomplete:
        result.refused += 1
        return
    except UnsupportedFeature:
        result.unsaid += 1
        return
    result.sent += 1
    said = (wire.body.decode() + wire.path).lower()
    readings = said + unquote(said) + json.dumps(json.loads(wire.body), ensure_ascii=False).replace("\\", "").lower()
    found = tuple([value for value in values if value.lower() in readings])
    result.leaks += found
