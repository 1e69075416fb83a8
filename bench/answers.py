"""What searching an answer costs, and whether any cut of it gives the same: `python bench/answers.py [splits]`.

Prints microseconds of CPU per delta of a stream: a copy of its chunks, the same with its texts kept (what noting adds
while it runs), and redacted as it comes; then the one search at the end, per KB. Ratios are to the copy, in one run.
Then how many of so many random cuts (default 10,000), of texts and of JSON, gave what no cut gives.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from typing import Final

from deltas import per_item, pieces

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.sensitivity import Lattice, SensitivityRules
from yuzui.exchange import Delivered
from yuzui.privacy.answer_scan import AnswerRules, Assessor, Said, search
from yuzui.privacy.catalogue import DEFAULT_LEVELS
from yuzui.privacy.redact import Redactions, TextRedactor
from yuzui.privacy.redact_answer import AnswerRedactor
from yuzui.privacy.scan import Scanner

ENGLISH: Final = (
    "The levee has divided the river for more than two thousand years, and each spring it is opened by hand again. "
)
CHINESE: Final = "鱼嘴把岷江分成内外两条，春天水少的时候六成流进内江灌溉田地，夏天水大的时候六成从外江流走。"
BUSY: Final = "Write to wang%d@corp.cn or call +1 (202) 555-%04d before Friday, or come by. "
PIECES: Final = (
    "wang@corp.cn", "4111 1111 1111 1111", "电话138 0013 8000", "password: Hunter22!x", "+1 (202) 555-0134",
    "the river", "北京市海淀区中关村大街27号1101室", "ssn: 536904399", "12345", "-", "@corp.cn", "wang", "\n", "，",
    ENGLISH, CHINESE, "https://bob:Hunter22x@host.example/", "221B Baker Street, London NW1 6XE",
    "d2FuZ0Bjb3JwLmNuIGlzIG15IG1haWw=",
)  # fmt: skip  # several to a line
CALL: Final = '{"to": "wang%d@corp.cn", "n": %d, "text": "Dear all,\\nthe river is high.\\n"}, '


def main(splits: int) -> None:
    lattice = Lattice()
    rules = SensitivityRules(
        lattice=lattice, default=1, kinds={kind: lattice.level(level) for kind, level in DEFAULT_LEVELS.items()}
    )
    scanner = Scanner(rules)
    actions = AnswerRules(actions=dict.fromkeys(rules.kinds, "redact"), otherwise="redact")
    body = {"messages": [{"role": "user", "content": "Tell me of the river."}]}

    def assessor() -> Assessor:
        return Assessor(actions, body)

    draw = random.Random(7)
    rows = {
        "English": ENGLISH * 200,
        "Chinese": CHINESE * 200,
        "a finding every 40 characters": "".join([BUSY % (n, n) for n in range(250)]),
        "arguments of a call": "[" + "".join([CALL % (n, n) for n in range(200)]) + "0]",
    }
    print(f"engine {scanner.engine_name}")
    for name, text in rows.items():
        deltas = pieces(text, draw, 1 if name == "Chinese" else 2, 4 if name == "Chinese" else 8)
        chunks = [chunk_of(delta, is_call="call" in name) for delta in deltas]
        bare = per_item(chunks, lambda: copy)
        kept = per_item(chunks, lambda: keeping(Delivered(texts={})))
        counted = per_item(chunks, lambda: keeping(Delivered()))
        redacted = per_item(chunks, lambda: AnswerRedactor(scanner.scan_text, assessor()).feed)
        said = [Said(text=text, is_json="call" in name)]
        at_end = per_item([said], lambda: lambda one: search(scanner, one, assessor())) / (len(text.encode()) / 1024)
        print(
            f"{name}: a copy {bare:.2f} us per delta; counted {counted:.2f}, kept too {kept:.2f} "
            f"(+{kept - counted:.2f}); redacted {redacted:.2f}, {redacted / bare:.1f} times a copy; "
            f"the search at the end {at_end:.0f} us per KB"
        )
    exact = sum(is_exact(scanner, actions, draw) for _ in range(splits))
    print(f"cuts that give the same: {exact} of {splits}")


def copy(chunk: StreamChunk) -> StreamChunk:
    return StreamChunk(id=chunk.id, model=chunk.model, deltas=chunk.deltas)


def keeping(delivered: Delivered) -> Callable[[StreamChunk], object]:
    return lambda chunk: (copy(chunk), delivered.count(chunk))


def chunk_of(delta: str, *, is_call: bool) -> StreamChunk:
    said = Delta(tool_calls=(ToolCallDelta(position=0, arguments=delta),)) if is_call else Delta(text=delta)
    return StreamChunk(id="a", model="m", deltas=(said,))


def is_exact(scanner: Scanner, actions: AnswerRules, draw: random.Random) -> bool:
    is_json = draw.random() < 0.5
    text = " ".join([draw.choice(PIECES) for _ in range(draw.randint(1, 12))])
    if is_json:
        text = json.dumps({"said": text, "n": [536904399, text[:9]]}, ensure_ascii=draw.random() < 0.5)
    places = sorted(draw.randint(0, len(text)) for _ in range(draw.randint(1, 8)))
    cut = [text[first:last] for first, last in zip([0, *places], [*places, len(text)], strict=True)]

    def redactor() -> TextRedactor:
        return TextRedactor(scanner.scan_text, Assessor(actions, {}), Redactions(), is_json=is_json)

    streamed = redactor()
    return "".join([streamed.feed(piece) for piece in cut]) + streamed.flush() == redactor().whole(text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
