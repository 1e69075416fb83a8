"""What labels that stick cost and how well they know a copy, beside the detectors in the same run.

`python bench/labels.py` takes two minutes and prints a table; it needs the measuring data of `YUZUI_PRIVACY_DATA`
(default: `../shared/privacy` beside this repository). The data is read for measuring only: nothing of it is written.
Figures of time are CPU, the least of several rounds; ratios are safer than values.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import sysconfig
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from yuzui import config
from yuzui.core.sensitivity import Finding
from yuzui.privacy import conversation
from yuzui.privacy.canonical import Canonicaliser
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.fingerprints import GUARANTEED_WORDS
from yuzui.privacy.scan import Scanner
from yuzui.privacy.words import word_spans

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("YUZUI_PRIVACY_DATA") or ROOT.parent / "shared" / "privacy")
ROUNDS = 5
PIECE = 800  # characters of a request
LEARNT = 50  # texts under a label


def main() -> int:
    if not DATA.is_dir():
        print(f"no measuring data in {DATA}: set YUZUI_PRIVACY_DATA to its folder", file=sys.stderr)
        return 2
    prompts = pieces("pupa__PUPA_New.jsonl")
    english = pieces("tab__tab_test.jsonl")
    chinese = pieces("peoples_daily__test.jsonl")
    library = Path(sysconfig.get_paths()["stdlib"])
    code = [cut(path.read_text("utf-8", "replace")) for path in sorted(library.glob("*.py"))]
    code = [piece for pieces_of in code for piece in pieces_of]
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)  # as `yuzui serve` sets it
    print(f"{'':40}{'English':>10}{'Chinese':>10}")
    for name, figures in cost(english, chinese).items():
        print(f"{name:40}{figures[0]:>10}{figures[1]:>10}")
    print()
    for name, texts in (
        ("court texts", english),
        ("newspaper, Chinese", chinese),
        ("prompts", prompts),
        ("code", code),
    ):
        print(f"unrelated requests marked, {name}: {marked(texts, texts)}")
    print(f"code marked by labelled prompts: {marked(prompts, code)}")
    print()
    for words in (10, 14, 18, 22, 26, GUARANTEED_WORDS):
        print(f"copies of {words} words recognised: {copies(english, words):.1%}, of Chinese characters: "
              f"{copies(chinese, words):.1%}")  # fmt: skip
    print(f"full memory: {footprint() / 1e6:.0f} MB")
    return 0


def pieces(name: str) -> list[str]:
    rows = [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines() if line.strip()]
    texts = [str(row.get("text", "")) for row in rows]
    if sum(map(len, texts)) / max(len(texts), 1) < 300:  # sentences: together they are texts
        texts = ["\n".join(texts)]
    return [piece for text in texts for piece in cut(text)]


def cut(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE) if len(text) - start > PIECE // 3]


def body(text: str) -> dict[str, Any]:  # Any: JSON values
    return {"model": "auto", "messages": [{"role": "user", "content": text}]}


def learnt(texts: Sequence[str]) -> ConversationMemory:
    """A memory that holds `texts` as labelled answers, and a name and a number that were found beside each."""
    memory = ConversationMemory(b"bench" * 6, capacity=200_000)
    for number, text in enumerate(texts):
        asked = f"Ask Quentin Zzyzx{number} at 1390000{number:04d} about it"
        spans = (
            (4, 4 + len(f"Quentin Zzyzx{number}"), "person"),
            (asked.index("139"), asked.index("139") + 11, "phone"),
        )
        found = [
            Finding(kind=kind, detector="bench", start=start, end=end, path="$.messages[0].content")
            for start, end, kind in spans
        ]
        memory.learn("scope", body(asked), f"chat-{number}", 3, [text], found)
    return memory


def cost(english: list[str], chinese: list[str]) -> dict[str, tuple[str, str]]:
    scanner = Scanner(config.load(None, {"OPENAI_API_KEY": "x"}).sensitivity)
    table: dict[str, list[str]] = {}
    for texts in (english, chinese):
        memory, asked = learnt(texts[:LEARNT]), [body(text) for text in texts[LEARNT : LEARNT + 200]]
        size_kb = sum(len(text.encode()) for text in texts[LEARNT : LEARNT + 200]) / 1024
        scan = least(lambda asked=asked: [scanner.scan(one) for one in asked]) / size_kb
        figures = {"detectors, µs per KB": scan}
        for name, words in (
            ("new text, µs per KB", 0),
            ("text of an earlier turn, µs per KB", conversation.CACHED_WORDS),
        ):
            memory._cache = conversation.TraceCache(words)
            work = lambda asked=asked, memory=memory: [recollect(memory, one) for one in asked]  # noqa: E731
            figures[name] = least(work) / size_kb
            figures[f"  {name[:8]}… as a ratio to the detectors"] = figures[name] / scan
        memory_less = ConversationMemory(b"bench" * 6, capacity=10)
        figures["scope without labels, µs per KB"] = (
            least(lambda asked=asked, memory=memory_less: [recollect(memory, one) for one in asked]) / size_kb
        )
        for name, figure in figures.items():
            table.setdefault(name, []).append(f"{figure:.2f}" if "ratio" in name else f"{figure:.1f}")
    return {name: (values[0], values[1]) for name, values in table.items()}


def recollect(memory: ConversationMemory, asked: dict[str, Any]) -> conversation.Recollection:  # Any: JSON values
    return memory.recollect(memory.read("scope", asked, ()))


def least(work: Callable[[], object]) -> float:
    """Microseconds of CPU."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best * 1e6


def marked(labelled: list[str], asked: list[str]) -> str:
    """Of requests that have nothing to do with labelled answers, how many get their label, or a variant."""
    shuffled = random.Random(7).sample(labelled, min(LEARNT, len(labelled) // 3))
    memory = learnt(shuffled)
    others = [text for text in asked if text not in set(shuffled)]
    found = [recollect(memory, body(text)) for text in others]
    levels = sum(one.level is not None for one in found)
    variants = sum(bool(one.findings) for one in found)
    return f"{levels / len(found):.2%} of {len(found)} by parts, {variants / len(found):.2%} by variants"


def copies(texts: list[str], words: int) -> float:
    """How many copies of `words` neighbouring words, from anywhere in a labelled answer, are recognised in a letter."""
    memory, chance = learnt(texts[:LEARNT]), random.Random(words)
    hits = 0
    for _ in range(400):
        text = Canonicaliser().fold(chance.choice(texts[:LEARNT])).text
        spans = word_spans(text)
        first = chance.randrange(max(1, len(spans) - words))
        part = text[spans[first][0] : spans[min(first + words, len(spans)) - 1][1]]
        hits += recollect(memory, body(f"Somebody wrote to me: {part}; what does it mean?")).level is not None
    return hits / 400


def footprint() -> int:
    """Bytes of a memory that is full of everything."""
    tracemalloc.start()
    memory = ConversationMemory(b"bench" * 6, capacity=200_000)
    chance = random.Random(3)
    number = 0
    while len(memory) < 199_990 or len(memory._prints) < 249_000:
        texts = [" ".join(str(chance.randrange(10**6)) for _ in range(120)) for _ in range(6)]
        memory.learn("scope", {"messages": []}, f"chat-{number}", 3, texts if len(memory._prints) < 249_000 else [])
        number += 1
        if len(memory._originals.sources) < 99_000:
            keys = memory._originals.keys_of("person", f"Name{number} Surname{number}")
            memory._originals.sources.learn(memory._scope_tag("scope"), keys, bytes(16), 3, "person")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used


if __name__ == "__main__":
    sys.exit(main())
