"""What a newcomer has: a file of prompts with right answers, and two models of different size, here on loopback.

The large one is right. The small one is right on sums and wrong on most products: work that a router can tell apart.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from typing_extensions import override

_QUESTION: Final = re.compile(r"(\d+) (plus|times) (\d+)")
_ANSWER: Final = re.compile(r"The answer is (\d+)\.")


def write_prompts(path: Path, count: int, *, has_answers: bool = True, seed: int = 1) -> None:
    """A file that grows with `count`: its first lines are those of a shorter one."""
    drawn = random.Random(seed)
    asked: dict[str, str] = {}
    while len(asked) < count:
        what, left, right = drawn.choice(["plus", "plus", "times"]), drawn.randint(11, 99), drawn.randint(11, 99)
        words = "Add up the two amounts on the receipt" if what == "plus" else "Compute the area of the field"
        asked[f"{words}: {left} {what} {right}. Answer with a number."] = str(_right(left, what, right))
    rows = [{"prompt": prompt, **({"reference": answer} if has_answers else {})} for prompt, answer in asked.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _right(left: int, what: str, right: int) -> int:
    return left + right if what == "plus" else left * right


def _answer(model: str, text: str) -> str:
    found = _QUESTION.search(text)
    if found is None:
        return "I cannot say."
    left, what, right = int(found[1]), found[2], int(found[3])
    right_answer = _right(left, what, right)
    shown = [int(one) for one in _ANSWER.findall(text)]
    if len(shown) == 2:  # a judge is asked about two answers
        first, second = (one == right_answer for one in shown)
        return json.dumps({"better": "tie" if first == second else "first" if first else "second"})
    is_wrong = model == "qwen" and what == "times" and (left + right) % 3 != 0
    return f"The answer is {right_answer + is_wrong}."


class _Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked += 1  # type: ignore[attr-defined]  # the server is ours
        reply = json.dumps({
            "id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {
                "role": "assistant", "content": _answer(body["model"], body["messages"][-1]["content"])}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26},
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    @override
    def log_message(self, format: str, *args: object) -> None:
        return None


class TwoModels(ThreadingHTTPServer):
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def two_models() -> Iterator[TwoModels]:
    with TwoModels(("127.0.0.1", 0), _Model) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
