from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from yuzui.cli._demo.cast import Cast

ANSWER = {
    "id": "a", "object": "chat.completion", "created": 0, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris"}}],
}  # fmt: skip


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    body = {"id": "a", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


class Canned(BaseHTTPRequestHandler):
    """Answers by the model's name."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] == "refused":
            self._reply(403, {"error": {"message": "no", "type": "permission_error", "code": "no_permitted_target"}})
        elif asked["model"] == "hasty":
            self._reply(429, {"error": {"message": "slow", "type": "rate_limit_error", "code": "rate_limit_exceeded"}})
        elif asked["model"] == "cut":
            self._stream(chunk("a") + chunk("b") + b'data: {"error": {"message": "cut", "code": "cut_off"}}\n\n')
        elif asked.get("stream"):
            self._stream(chunk("Pa") + chunk("ris") + chunk("", "stop") + b"data: [DONE]\n\n")
        else:
            self._reply(200, ANSWER)

    def _reply(self, status: int, body: dict[str, Any]) -> None:  # Any: JSON values
        self._send(status, "application/json", json.dumps(body).encode())

    def _stream(self, data: bytes) -> None:
        self._send(200, "text/event-stream", data)

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.send_header("x-yuzui-request-id", "req_1")
        self.end_headers()
        self.wfile.write(data)

    @override
    def log_message(self, format: str, *args: Any) -> None:  # Any: the base class's signature
        pass


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Cast(base_url=f"http://127.0.0.1:{server.server_port}/v1", keys={"app": "k"}, own="o", vendor="v")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_answer_is_seen_with_its_request_id(cast: Cast) -> None:
    seen = cast.ask("m", "Where?")
    assert (seen.request_id, seen.status, seen.code, seen.text, seen.problems) == ("req_1", 200, "", "Paris", [])


def test_a_stream_is_seen_piece_by_piece(cast: Cast) -> None:
    seen = cast.stream("m", "Where?")
    assert (seen.text, seen.pieces, seen.problems) == ("Paris", 2, [])


def test_streams_run_side_by_side(cast: Cast) -> None:
    assert [seen.text for seen in cast.streams("m", ["Where?", "Where else?"])] == ["Paris", "Paris"]


def test_a_refusal_is_seen_with_its_code(cast: Cast) -> None:
    seen = cast.ask("refused", "Where?")
    assert (seen.status, seen.code, seen.request_id, seen.problems) == (403, "no_permitted_target", "req_1", [])


def test_a_rate_refusal_without_retry_after_is_a_problem(cast: Cast) -> None:
    assert cast.ask("hasty", "Where?", retries=0).problems == ["no Retry-After header"]


def test_a_stream_that_breaks_is_a_problem_and_no_answer(cast: Cast) -> None:
    seen = cast.stream("cut", "Where?")
    assert seen.code and seen.problems


def test_nobody_there_is_a_problem_and_no_traceback() -> None:
    lonely = Cast(base_url="http://127.0.0.1:9/v1", keys={"app": "k"}, own="o", vendor="v")
    seen = lonely.ask("m", "Where?", retries=0)
    assert seen.code == "connection_error" and seen.problems
