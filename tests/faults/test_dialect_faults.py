"""Hostile clients in every dialect: bombs, tricks, wrong paths, forms, headers; each error in its client's own shape."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, Script
from faults.dialect_fields import gemini, messages, responses
from faults.dialect_kit import (
    BOUNDARY,
    CHATS,
    DIALECTS,
    FORM_TYPE,
    MEDIA,
    Asked,
    Said,
    ask,
    body_of,
    chat_request,
    config,
    events,
    gemini_path,
    run,
    speaks,
    start,
    wire_of,
)
from faults.test_sovereignty import CARD
from faults_kit import VENDOR_SECRET, check_clean, forget_failures, key_of, say, status_of
from gateway_kit import RunningGateway, gateway

Json = dict[str, Any]  # Any: JSON
ASK = {"role": "user", "content": "x"}
PART = {"parts": [{"text": "x"}]}

REQUESTS: Mapping[str, Json] = {
    "/v1/chat/completions": {"model": "vendor/chat", "messages": [ASK]},
    "/v1/responses": {"model": "vendor/responses", "input": "x"},
    "/v1/messages": {"model": "vendor/claude", "max_tokens": 9, "messages": [ASK]},
    "/v1/messages/count_tokens": {"model": "vendor/claude", "messages": [ASK]},
    gemini_path("vendor/gemini"): {"contents": [PART]},
    gemini_path("vendor/gemini", "countTokens"): {"contents": [PART]},
    gemini_path("vendor/vectors", "embedContent"): {"content": PART},
    gemini_path("vendor/vectors", "batchEmbedContents"): {"requests": [{"content": PART}]},
    "/v1/embeddings": {"model": MEDIA, "input": "x"},
    "/v1/rerank": {"model": MEDIA, "query": "x", "documents": ["y"]},
    "/v2/rerank": {"model": MEDIA, "query": "x", "documents": ["y"]},
    "/v1/completions": {"model": MEDIA, "prompt": "x"},
    "/v1/moderations": {"model": MEDIA, "input": "x"},
    "/v1/audio/speech": {"model": MEDIA, "input": "x", "voice": "a"},
    "/v1/images/generations": {"model": MEDIA, "prompt": "x"},
}
FORMS = ("/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/edits")


def asked(path: str, body: object, headers: str = "") -> Asked:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Asked(path=path, body=data, headers=headers)


def shape_of(path: str, answer: bytes) -> tuple[str, str]:
    """(dialect, its class of error) of an error's body: what the official client of that dialect looks at."""
    body = json.loads(body_of(answer))
    if body.get("type") == "error":
        assert isinstance(body["error"]["message"], str) and body["error"]["message"]
        return "anthropic", body["error"]["type"]
    error = body["error"]
    assert isinstance(error["message"], str) and error["message"]
    if isinstance(error["code"], int):
        assert error["code"] == status_of(answer)
        return "gemini", error["status"]
    return "openai", error["type"]


def dialect_at(path: str) -> str:
    return "anthropic" if path.startswith("/v1/messages") else "gemini" if path.startswith("/v1beta") else "openai"


def header(answer: bytes, name: str) -> str:
    for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        key, _, value = line.partition(b": ")
        if key.lower() == name.encode():
            return value.decode()
    return ""


# ---- bombs and tricks ------------------------------------------------------------------------------------------------

MARK = "@@here@@"
EXTRA = (
    "metadata",
    "tools",
    "x_new",
    "system",
    "input",
    "messages",
    "contents",
    "generationConfig",
    "output_config",
    "text",
)


def places(body: Json) -> Iterator[bytes]:
    """`body` with a mark in place of each of its values in turn, and in fields that it does not have."""
    paths: list[tuple[str | int, ...]] = [(key,) for key in body if key != "model"]
    for key, value in body.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            paths += [(key, 0, inner) for inner in value[0]]
    for path in paths:
        copy = json.loads(json.dumps(body))
        place = copy
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = MARK
        yield json.dumps(copy).encode()
    for key in EXTRA:
        if key not in body:
            yield json.dumps({**body, key: MARK}).encode()


NESTS = (
    (b"[", b"]"),
    (b'{"a":', b"}"),
    (b'{"content":[', b"]}"),
    (b'{"parts":{"functionResponse":{"response":', b"}}}"),
)


def test_no_depth_at_any_place_of_any_dialect_costs_more_than_a_refusal() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path, body in REQUESTS.items():
            for marked in places(body):
                for levels in (70, 2000, 100_000):
                    for opens, closes in NESTS if levels == 70 else NESTS[:2]:
                        bomb = marked.replace(b'"%b"' % MARK.encode(), opens * levels + b"1" + closes * levels)
                        began = time.monotonic()
                        answer = await ask(running, asked(path, bomb))
                        assert time.monotonic() - began < 2
                        assert status_of(answer) == 400, (path, marked[:200], levels, opens, answer[-300:])
                        check_clean(answer)
        assert not vendor.calls

    run(speaks(), story)


TRICKS: Mapping[str, bytes] = {
    "not a number": b',"x":NaN}',
    "infinity": b',"x":-Infinity}',
    "a key twice": b',"x":1,"x":2}',
    "a key twice, escaped": b',"x":1,"\\u0078":2}',
    "digits": b',"x":' + b"9" * 5000 + b"}",
    "beyond numbers": b',"x":1e999}',
    "half a character": b',"x":"\\ud800"}',
    "half a key": b',"\\ud800":1}',
    "no UTF-8": b',"x":"\xff"}',
    "nothing": b',"x":"\x00"}',
    "more": b"}x",
    "less": b"",
}


def test_json_that_two_readers_could_read_differently_is_refused_everywhere() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path, body in REQUESTS.items():
            good = json.dumps(body).encode()
            bodies = {name: good[:-1] + ending for name, ending in TRICKS.items()}
            bodies |= {
                "mark": b"\xef\xbb\xbf" + good,
                "empty": b"",
                "list": b"[%b]" % good,
                "null": b"null",
                "text": b'"x"',
            }
            bodies["all twice"] = good[:-1] + b"," + good[1:]
            for name, data in bodies.items():
                answer = await ask(running, asked(path, data))
                assert status_of(answer) == 400, (path, name)
                assert shape_of(path, answer)[0] == dialect_at(path)
        assert not vendor.calls

    run(speaks(), story)


ODD: tuple[object, ...] = (
    None, True, -1, 10**30, 1.5, "", "x" * 300, [None], [[]], {"type": None}, [{"type": 5}], [{"type": "text"}],
    [{"role": 5, "content": 5}], {"parts": [5]}, "\u0000",
)  # fmt: skip
FIELDS = (
    "stream", "n", "max_tokens", "max_output_tokens", "temperature", "tools", "tool_choice", "metadata", "system",
    "instructions", "stop", "stop_sequences", "generationConfig", "systemInstruction", "thinking", "reasoning", "text",
    "output_config", "previous_response_id", "user", "top_n", "dimensions", "voice", "size", "best_of", "prompt",
    "cachedContent", "container", "background", "model",
)  # fmt: skip


def test_no_value_of_any_type_in_any_field_breaks_anything() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        broken = []
        for path, body in REQUESTS.items():
            for field in {*FIELDS, *body} - ({"stream"} if path.endswith("/generations") else set()):
                bodies = [asked(path, {**body, field: value}) for value in ODD]
                for value, answer in zip(
                    ODD, await asyncio.gather(*[ask(running, one) for one in bodies]), strict=True
                ):
                    if status_of(answer) not in (200, 400, 403, 404) or b"internal_error" in answer:
                        broken.append((path, field, value, status_of(answer)))
        assert broken == []

    async def well(call: Call) -> None:
        """A real vendor reads its own path, not a stray `stream`; of pictures the kit has whole ones only."""
        if b":generateContent" in call.head.split(b"\r\n")[0]:
            call.body = b"{}"
        await speaks()(call)

    run(well, story)


# ---- the wrong door --------------------------------------------------------------------------------------------------


def test_a_request_of_one_dialect_at_the_path_of_another_is_told_so_or_means_the_same() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path in REQUESTS:
            for body in REQUESTS.values():
                answer = await ask(running, asked(path, {**body, "model": MEDIA}))
                assert status_of(answer) in (200, 400), (path, body)
                check_clean(answer)
        for found in (*messages("x").values(), *responses("x").values(), *gemini("x").values()):
            body = found("harmless")
            for path in ("/v1/messages", "/v1/responses", gemini_path(MEDIA), "/v1/chat/completions"):
                answer = await ask(running, asked(path, {"model": MEDIA, "max_tokens": 9, **body}))
                assert status_of(answer) in (200, 400, 403), (path, body)
                check_clean(answer)

    run(speaks(), story)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
def test_every_path_takes_its_own_methods_only(method: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path in (*REQUESTS, *FORMS):
            line = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
            answer = await say(running, line)
            assert status_of(answer) == 405 and header(answer, "allow") == "POST", path
            if method != "HEAD":
                assert shape_of(path, answer)[0] == dialect_at(path)
        assert not vendor.calls and not await running.records()

    run(speaks(), story)


STRANGE_PATHS = (
    "//v1/messages", "/v1/../v1/messages", "/V1/messages", "/v1/messages/", "/v1/messages;x", "/v1/%6dessages",
    "/v1/messages%2Fcount_tokens", "/v1/messages/batches", "/v1/files", "/v1/conversations", "/v1/batches", "/v1/responses/",
    "/v1beta/cachedContents", "/v1alpha/models/vendor/gemini:generateContent", "/v1beta/models/:generateContent",
    "/v1beta/models/..:generateContent", "/v1beta/models/vendor/../vendor/gemini:generateContent",
    "/v1beta/models/vendor/gemini:generatecontent", "/v1beta/models/vendor/gemini:generateContent/",
    "/v1beta/models/vendor/gemini:generateContent:generateContent", "/v1beta/models/vendor/gemini:generateContent%20",
    "/v1beta/models/vendor/gemini%00:generateContent", "/v1beta/models/vendor/gemini%0d%0ax:generateContent",
    "/v1beta/models/vendor/gemini%ff:generateContent", "/v1beta/models/VENDOR/GEMINI:generateContent",
    "/v1beta/models/models/vendor/gemini:generateContent", "/v1beta/tunedModels/x:generateContent",
    f"/v1beta/models/{'a' * 5000}:generateContent", "/v1/projects/p/locations/l/endpoints/vendor/gemini:generateContent",
)  # fmt: skip


def test_no_second_spelling_of_a_path_leads_anywhere() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path in STRANGE_PATHS:
            answer = await ask(running, asked(path, {"model": "vendor/claude", "messages": [ASK], "contents": [PART]}))
            assert status_of(answer) in (400, 404, 405), path
            shape_of(path, answer)
            check_clean(answer)
        assert not vendor.calls

    run(speaks(), story)


def test_gemini_s_names_in_the_path_may_be_encoded_and_the_body_s_do_not_count() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for path in ("/v1beta/models/vendor%2Fgemini:generateContent", "/v1beta/models/vendor%2fgemini%3AgenerateContent",
                     "/v1/models/vendor/gemini:generateContent", "/v1beta/models/vendor/gemini:generateContent?alt=sse"):  # fmt: skip
            for name in (None, "vendor/claude", "models/house/small"):
                vendor.calls.clear()
                answer = await ask(running, asked(path, {"contents": [PART], "model": name}))
                assert status_of(answer) == 200, (path, name)
                sent = vendor.calls[0]
                assert sent.head.startswith(b"POST /v1beta/models/gemini-1:generateContent HTTP/1.1\r\n")
                assert json.loads(sent.body).get("model") in (None, "models/gemini-1")
        both: list[Json] = [
            {"generationConfig": {"maxOutputTokens": 5}, "generation_config": {"max_output_tokens": 500}},
            {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 500}},
            {"systemInstruction": PART, "system_instruction": PART},
            {"tools": [{"functionDeclarations": [{"name": "a"}], "function_declarations": [{"name": "b"}]}]},
        ]
        vendor.calls.clear()
        for more in both:
            for target in ("vendor/gemini", "vendor/chat"):
                answer = await ask(running, asked(gemini_path(target), {"contents": [PART], **more}))
                assert status_of(answer) == 400, more
        assert not vendor.calls

    run(speaks(), story)


# ---- headers ---------------------------------------------------------------------------------------------------------


def test_beta_headers_go_to_the_dialect_that_has_them_and_to_nobody_else() -> None:
    odd = ["a" * 65, "A-Beta", "x y", "b;c", "d\te", "caf\u00e9", "", "-x", *[f"n{n}" for n in range(200)]]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        betas = ",".join(["files-api-2025-04-14", *odd])
        lines = f"anthropic-beta: {betas}\r\nanthropic-beta: second-2026-01-01\r\nanthropic-version: 1999-01-01\r\n"
        for dialect in DIALECTS:
            for target in (*CHATS, "vendor/both", MEDIA):
                vendor.calls.clear()
                found = chat_request(dialect, target)
                answer = await ask(running, Asked(path=found.path, body=found.body, headers=lines))
                assert status_of(answer) == 200, (dialect, target)
                head = vendor.calls[0].head.lower()
                is_lane = dialect == "messages" and target in ("vendor/claude", "vendor/both")
                assert (b"anthropic-beta: files-api-2025-04-14," in head) is is_lane, (dialect, target)
                assert (b"anthropic-beta" in head) is is_lane and b"1999" not in head
                assert len(head) < 2000 and b"a" * 65 not in head and b"caf" not in head

    run(speaks(), story)


# ---- forms -----------------------------------------------------------------------------------------------------------


def parts(*found: bytes, end: str = f"--{BOUNDARY}--\r\n") -> bytes:
    return b"".join(b"--%b\r\n%b\r\n" % (BOUNDARY.encode(), part) for part in found) + end.encode()


def part(name: str, data: bytes = b"x", more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data


MODEL = part("model", MEDIA.encode())
FILE = part("file", b"ID3", '; filename="a.mp3"')
BENT: Mapping[str, bytes] = {
    "a field twice": parts(MODEL, MODEL, FILE),
    "a file twice": parts(MODEL, FILE, FILE),
    "two names": parts(MODEL, b'Content-Disposition: form-data; name="file"; name="prompt"; filename="a"\r\n\r\nID3'),
    "an encoded name": parts(MODEL, b"Content-Disposition: form-data; name*=utf-8''file; filename=a\r\n\r\nID3"),
    "two headers": parts(MODEL, b'Content-Disposition: form-data; name="file"; filename=a\r\n'
                                b'Content-Disposition: form-data; name="prompt"\r\n\r\nID3'),
    "a line in a name": parts(MODEL, part("fi\r\nle", b"ID3", "; filename=a")),
    "a line in a file's name": parts(MODEL, part("file", b"ID3", "; filename*=utf-8''a%0d%0ab")),
    "a folded header": parts(MODEL, b'Content-Disposition: form-data;\r\n name="file"; filename=a\r\n\r\nID3'),
    "a type with a control": parts(MODEL, part("file", b"ID3", '; filename="a"\r\nContent-Type: audio/x\x0by')),
    "encoded content": parts(MODEL, part("file", b"SUQz", '; filename="a"\r\nContent-Transfer-Encoding: base64')),
    "a text as a file": parts(part("model", MEDIA.encode(), '; filename="m"'), FILE),
    "our own field": parts(MODEL, FILE, part("input")),
    "no name": parts(MODEL, FILE, b"Content-Disposition: form-data\r\n\r\nx"),
    "no disposition": parts(MODEL, FILE, b"X-Y: z\r\n\r\nx"),
    "before the beginning": b"hello\r\n" + parts(MODEL, FILE),
    "behind the end": parts(MODEL, FILE) + b"more",
    "no end": parts(MODEL, FILE, end=""),
    "other lines": parts(MODEL, FILE).replace(b"\r\n", b"\n"),
    "many headers": parts(MODEL, part("file", b"ID3", "; filename=a" + "".join(f"\r\nx{n}: y" for n in range(50)))),
    "many parts": parts(MODEL, FILE, *[part(f"a{n}") for n in range(100_000)]),
    "many of one": parts(MODEL, FILE, *[part("a[]") for _ in range(100_000)]),
    "no file": parts(MODEL),
    "an empty file": parts(MODEL, part("file", b"", "; filename=a")),
    "no model": parts(FILE),
}  # fmt: skip
SAME: Mapping[str, bytes] = {
    "a file without a name": parts(MODEL, part("file", b"ID3")),
    "a quote in a name": parts(MODEL, FILE, part('pro\\"mpt')),
    "an encoded line in a name": parts(MODEL, FILE, part("a%0D%0Ab")),
    "nearly a boundary": parts(
        MODEL, part("file", b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n--yuzui-", "; filename=a")
    ),
    "a form in a form": parts(
        MODEL, part("file", b"--c\r\n\r\nx\r\n--c--", "; filename=a\r\nContent-Type: multipart/mixed; boundary=c")
    ),
    "what looks like ends": parts(MODEL, part("file", b"\r\n--c" * 500_000, "; filename=a")),
}
TYPES = (
    "multipart/form-data", f"{FORM_TYPE}; boundary=other", "multipart/form-data; boundary=", "application/json", "text/plain",
    "application/x-www-form-urlencoded", f"multipart/mixed; boundary={BOUNDARY}", "multipart/form-data; boundary=" + "b" * 71,
)  # fmt: skip


def test_a_form_is_read_in_one_way_or_not_at_all() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        for name, body in {**BENT, **SAME}.items():
            vendor.calls.clear()
            began = time.monotonic()
            answer = await ask(running, Asked(path=FORMS[0], body=body, content_type=FORM_TYPE))
            assert time.monotonic() - began < 2, name
            check_clean(answer)
            if name in BENT:
                assert status_of(answer) == 400 and not vendor.calls, (name, answer[:300])
                continue
            assert status_of(answer) == 200, (name, answer[-300:])
            sent = vendor.calls[0]
            assert BOUNDARY.encode() not in sent.head and b"--" + BOUNDARY.encode() not in sent.body
            boundary = sent.head.partition(b"boundary=")[2].partition(b"\r\n")[0]
            assert sent.body.count(b"\r\nContent-Disposition: ") == sent.body.count(b"--" + boundary + b"\r\n")
        for kind in TYPES:
            answer = await ask(running, Asked(path=FORMS[0], body=parts(MODEL, FILE), content_type=kind))
            assert status_of(answer) == 400, kind
        for path in REQUESTS:
            answer = await ask(running, Asked(path=path, body=parts(MODEL, FILE), content_type=FORM_TYPE))
            assert status_of(answer) == 400, path

    async def main() -> None:
        async with FaultUpstream(speaks()) as own, FaultUpstream(speaks()) as vendor:
            text = f'[sensitivity]\nunscannable = "internal"\n{config(own, vendor)}'
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}) as running:
                await story(running, vendor)

    asyncio.run(main())


# ---- errors ----------------------------------------------------------------------------------------------------------

CLASSES: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
    401: ("authentication_error", "authentication_error", "UNAUTHENTICATED"),
    403: ("permission_error", "permission_error", "PERMISSION_DENIED"),
    404: ("invalid_request_error", "not_found_error", "NOT_FOUND"),
    413: ("invalid_request_error", "request_too_large", "INVALID_ARGUMENT"),
    415: ("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
    429: ("rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"),
}
"""Status → the class of error in OpenAI's, Anthropic's and Google's words."""


def test_each_refusal_has_the_shape_of_the_client_s_own_dialect() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key, slow = key_of(running, "one"), key_of(running, "slow", requests_per_minute=1)
        sent = f"authorization: Bearer {key}\r\n"
        for path, body in REQUESTS.items():
            unknown = path.replace("vendor/gemini", "nobody").replace("vendor/vectors", "nobody")
            named = {**body, "model": "nobody"} if "model" in body else body
            cases: list[tuple[int, bytes]] = [
                (401, await ask(running, asked(path, body))),
                (401, await ask(running, asked(path, body, f"authorization: Bearer {key[:-1]}x\r\n"))),
                (400, await ask(running, asked(path, body, f"{sent}x-api-key: other\r\n"))),
                (400, await ask(running, asked(f"{path}?key=abc", body, sent))),
                (404, await ask(running, asked(unknown, named, sent))),
                (415, await ask(running, asked(path, body, f"{sent}content-encoding: gzip\r\n"))),
                (413, await say(running, f"POST {path} HTTP/1.1\r\nhost: x\r\n{sent}connection: close\r\n"
                                         f"content-length: 999999999\r\n\r\n".encode())),
            ]  # fmt: skip
            await ask(running, asked(path, body, f"authorization: Bearer {slow}\r\n"))
            cases.append((429, await ask(running, asked(path, body, f"authorization: Bearer {slow}\r\n"))))
            for status, answer in cases:
                assert status_of(answer) == status, (path, status, answer[:400])
                dialect, found = shape_of(path, answer)
                assert dialect == dialect_at(path)
                assert found == CLASSES[status][("openai", "anthropic", "gemini").index(dialect)], (path, status)
                check_clean(answer)
                assert (header(answer, "www-authenticate") == "Bearer") is (status == 401)
                assert bool(header(answer, "retry-after")) is (status == 429)
        secret = await ask(running, asked("/v1/messages", {**REQUESTS["/v1/messages"], "system": CARD}, sent))
        assert (status_of(secret), shape_of("/v1/messages", secret)) == (403, ("anthropic", CLASSES[403][1]))
        secret = await ask(
            running, asked(gemini_path("vendor/gemini"), {"contents": [{"parts": [{"text": CARD}]}]}, sent)
        )
        assert (status_of(secret), shape_of("/v1beta", secret)) == (403, ("gemini", CLASSES[403][2]))

    run(speaks(), story)


BROKEN: Mapping[str, tuple[str, str, set[int]]] = {
    "429 X": ("retry-after: 40\r\n", "40", {429}),
    "500 X": ("", "", {502}),
    "503 X": ("retry-after: 30\r\n", "30", {503}),
    "400 X": ("", "", {400}),
    "401 X": ("", "", {502}),
    "404 X": ("", "", {502}),
    "302 X": ("location: http://169.254.169.254/\r\n", "", {502}),
    "204 X": ("", "", {502}),
}


def test_a_target_s_errors_are_told_in_the_client_s_own_dialect_without_its_page() -> None:
    now = ["500 X"]

    async def script(call: Call) -> None:
        page = b"<html>a page of somebody in between</html>"
        head = f"HTTP/1.1 {now[0]}\r\ncontent-type: text/html\r\n{BROKEN[now[0]][0]}content-length: {len(page)}\r\n\r\n"
        await call.write(head.encode() + (b"" if now[0] == "204 X" else page))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        async def check(path: str, body: Json) -> None:
            answer = await ask(running, asked(path, body))
            assert status_of(answer) in BROKEN[now[0]][2], (path, now[0], answer[:300])
            assert shape_of(path, answer)[0] == dialect_at(path)
            assert b"<html>" not in answer and b"169.254" not in answer
            check_clean(answer)
            if BROKEN[now[0]][1]:
                assert 0 < int(header(answer, "retry-after")) <= int(BROKEN[now[0]][1])

        for now[0] in BROKEN:
            forget_failures(running)
            await asyncio.gather(*[check(path, body) for path, body in REQUESTS.items()])

    run(script, story)


# ---- when targets fail -----------------------------------------------------------------------------------------------


async def _fails(call: Call) -> None:
    await call.json({"error": {"message": "no"}}, "503 X", "retry-after: 0\r\n")


async def _breaks(call: Call) -> None:
    await start(call, wire_of(call))
    for event in events(wire_of(call), Said(finish=False)):
        await call.chunk(event)
    await asyncio.sleep(0.01)
    call.reset()


async def _resets(call: Call) -> None:
    call.reset()


@pytest.mark.parametrize("weather", [_fails, _breaks, _resets], ids=["fails", "breaks", "resets"])
def test_no_failure_of_the_own_target_shows_a_sensitive_request_to_a_vendor(weather: Script) -> None:
    """In every dialect, whole and streamed, by a name that has vendors behind it, and counted as well."""

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        found = [
            chat_request(dialect, model, text=f"card {CARD}", stream=stream)
            for dialect in (*DIALECTS, "gemini_array", "completions")
            for model in ("assistant", "auto", "house/small")
            for stream in (False, True)
        ]
        body = {"messages": [{"role": "user", "content": CARD}]}
        found += [
            asked("/v1/messages/count_tokens", {"model": model, **body}) for model in ("assistant", "vendor/claude")
        ]
        for answer in await asyncio.gather(*[ask(running, one) for one in found]):
            assert status_of(answer) >= 400 or b'"error"' in answer or b'"input_tokens"' in answer
        assert not vendor.calls and own.calls

    run(speaks(), story, own=weather)


def test_a_lane_that_is_not_there_is_the_target_s_fault_and_told_in_words() -> None:
    """`also_speaks` for a server that does not: a page of 404 is no answer, and another target may give one."""

    async def script(call: Call) -> None:
        if wire_of(call) == "chat":
            await speaks()(call)
        else:
            await call.write(b"HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<html>404")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for dialect in ("responses", "messages", "gemini"):
            for stream in (False, True):
                forget_failures(running)
                answer = await ask(running, chat_request(dialect, "vendor/both", stream=stream))
                assert status_of(answer) == 502 and b"upstream_not_found" in answer and b"<html>" not in answer
        assert status_of(await ask(running, chat_request("chat", "vendor/both"))) == 200

    run(script, story)


def test_fields_that_a_client_made_up_do_not_swell_headers_nor_fill_the_record() -> None:
    names = {f"k{n}": 1 for n in range(3000)} | {"x\r\ny: 1": 1, "鱼": 1, "z" * 5000: 1, "zhang.wei@example": 1}

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for dialect in (*DIALECTS, "completions"):
            for target in CHATS:
                answer = await ask(running, chat_request(dialect, target, **names))  # type: ignore[arg-type]  # any names
                assert status_of(answer) == 200, (dialect, target)
                head = answer.partition(b"\r\n\r\n")[0]
                assert len(head) < 2000 and b"\r\ny" not in head
        for record in await running.records():
            assert len(record.dropped) < 70 and all(name.isascii() and len(name) < 81 for name in record.dropped)
            assert "zhang" not in str(record)

    run(speaks(), story)
