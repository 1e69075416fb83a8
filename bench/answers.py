"""What searching an answer costs: `python bench/answers.py`.

Prints microseconds of CPU per delta of a stream: a copy of its chunks, the same with its texts kept (what noting adds
while it runs), and redacted as it comes; then the one search at the end, per KB. Ratios are to the copy, in one run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.sensitivity import Lattice, SensitivityRules
from yuzui.exchange import Delivered
from yuzui.privacy.answer_scan import AnswerRules, Assessor, Said, search
from yuzui.privacy.catalogue import DEFAULT_LEVELS
from yuzui.privacy.redact_answer import AnswerRedactor
from yuzui.privacy.scan import Scanner

ENGLISH: Final = (
    "The levee has divided the river for more than two thousand years, and each spring it is opened by hand again. "
)
CHINESE: Final = "鱼嘴把岷江分成内外两条，春天水少的时候六成流进内江灌溉田地，夏天水大的时候六成从外江流走。"
BUSY: Final = "Write to wang%d@corp.cn or call +1 (202) 555-%04d before Friday, or come by. "
CALL: Final = '{"to": "wang%d@corp.cn", "n": %d, "text": "Dear all,\\nthe river is high.\\n"}, '


def main() -> None:
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


def copy(chunk: StreamChunk) -> StreamChunk:
    return StreamChunk(id=chunk.id, model=chunk.model, deltas=chunk.deltas)


def keeping(delivered: Delivered) -> Callable[[StreamChunk], object]:
    return lambda chunk: (copy(chunk), delivered.count(chunk))


def chunk_of(delta: str, *, is_call: bool) -> StreamChunk:
    said = Delta(tool_calls=(ToolCallDelta(position=0, arguments=delta),)) if is_call else Delta(text=delta)
    return StreamChunk(id="a", model="m", deltas=(said,))


def pieces(text: str, draw: random.Random, least: int, most: int) -> list[str]:
    found = []
    at = 0
    while at < len(text):
        size = draw.randint(least, most)
        found.append(text[at : at + size])
        at += size
    return found


def per_item(items: Sequence[Any], make: Callable[[], Callable[[Any], object]]) -> float:
    """Microseconds of CPU, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        feed = make()
        began = time.process_time()
        for item in items:
            feed(item)
        best = min(best, (time.process_time() - began) / len(items))
    return best * 1e6


if __name__ == "__main__":
    main()
