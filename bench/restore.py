"""What restoring a stream costs and whether any cut of it gives the same text: `python bench/restore.py [splits]`.

Prints microseconds of CPU per delta, with and without stand-ins in sight, the ratio to a bare copy of the same chunks
in the same run, and how many of so many random cuts (default 1,000,000) gave the same text as no cut.
"""

from __future__ import annotations

import random
import sys

from deltas import per_item, pieces
from origin import describe, save

from yuzui.core.chat import Delta, StreamChunk
from yuzui.privacy.restore import Originals, Tally, TextRestorer
from yuzui.privacy.restore_answer import AnswerRestorer
from yuzui.privacy.sinks import Sinks
from yuzui.privacy.surrogates import Namer

KINDS = ("email", "person", "cn_mobile", "phone", "password", "postal_address", "iban", "bank_card")
ENGLISH = (
    "The levee has divided the river for more than two thousand years, and each spring it is opened by hand again. "
)
CHINESE = "鱼嘴把岷江分成内外两条，春天水少的时候六成流进内江灌溉田地，夏天水大的时候六成从外江流走。"


def main(splits: int) -> None:
    namer = Namer(b"a secret for measuring, 32 bytes", tenant="bench")
    values = [(kind, f"value {number} of {kind}") for number in range(20) for kind in KINDS]
    originals = Originals({namer.name(kind, value): value for kind, value in values})
    tokens = list(originals.of)
    draw = random.Random(7)
    english = pieces(ENGLISH * 500, draw, 2, 8)
    chinese = pieces(CHINESE * 500, draw, 1, 4)
    busy = pieces("".join([f"{ENGLISH[:40]}{draw.choice(tokens)} " for _ in range(1000)]), draw, 2, 8)
    dearest = 0.0
    for name, deltas in (("English", english), ("Chinese", chinese), ("a stand-in every 60 characters", busy)):
        text = per_item(deltas, lambda: TextRestorer(originals, Sinks(), Tally()).feed)
        chunks = [StreamChunk(id="a", model="m", deltas=(Delta(text=delta),)) for delta in deltas]
        bare = per_item(chunks, lambda: lambda chunk: StreamChunk(id=chunk.id, model=chunk.model, deltas=chunk.deltas))
        whole = per_item(chunks, lambda: AnswerRestorer(originals, Sinks()).feed)
        dearest = max(dearest, text)
        print(f"{name}: {text:.2f} us per delta of text; a chunk {whole:.2f} us, {whole / bare:.1f} times a copy of it")
    exact = sum(is_exact(originals, tokens, draw) for _ in range(splits))
    print(f"cuts that give the same text: {exact} of {splits}")
    save("restore", {**describe(), "cuts": splits, "exact": exact, "us_per_delta": round(dearest, 2)})


def is_exact(originals: Originals, tokens: list[str], draw: random.Random) -> bool:
    text = "".join([_piece(tokens, draw) for _ in range(draw.randint(1, 6))])
    expected = TextRestorer(originals, Sinks(), Tally()).whole(text)
    restorer = TextRestorer(originals, Sinks(), Tally())
    places = sorted(draw.randint(0, len(text)) for _ in range(draw.randint(1, 6)))
    cut = [text[first:last] for first, last in zip([0, *places], [*places, len(text)], strict=True)]
    return "".join([restorer.feed(piece) for piece in cut]) + restorer.flush() == expected


def _piece(tokens: list[str], draw: random.Random) -> str:
    token = draw.choice(tokens)
    spelled = token.lower().replace("_", "\\_")
    return draw.choice([token, token[: draw.randint(1, 20)], spelled, "**", "the ", "电话", "\n", "https://a.test/"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
