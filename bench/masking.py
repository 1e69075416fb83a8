"""What masking a body costs beside scanning it, in the same run: `python bench/masking.py`.

Prints microseconds of CPU for one scan, for masking with its findings, and for searching the written bytes again, for
bodies of some sizes; and their ratio to the one scan that every request costs anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from yuzui.config import read
from yuzui.privacy.egress import check_masked
from yuzui.privacy.mask import Masking, mask
from yuzui.privacy.scan import Scanner
from yuzui.privacy.surrogates import Namer

CONFIG = """
[[targets]]
name = "v"
provider = "openai"
model = "m"
clearance = "public"
"""
TEXT = "Please write to wang{n}@corp.cn or call 1390013{n:04d} about the delivery, which was late again this week. "
FILLER = (
    "The levee has divided the river for more than two thousand years, and each spring it is opened by hand again. "
)


def main() -> None:
    config = read(CONFIG, {}, source=Path("bench.toml"))
    scanner, namer = Scanner(config.sensitivity), Namer(b"a secret for measuring, 32 bytes", tenant="bench")
    masking = Masking(kinds=frozenset(config.sensitivity.kinds))
    for size_kb, values in ((2, 2), (8, 8), (32, 32), (32, 200)):
        body = body_of(size_kb, values)
        scan = scanner.scan(body)
        masked = mask(body, scan.findings, scan.repeats, masking=masking, namer=namer)
        written = msgspec.json.encode(masked.body)
        sent = msgspec.json.decode(written)
        (target,) = config.targets
        one = cost(lambda body=body: scanner.scan(body))
        two = cost(lambda body=body, scan=scan: mask(body, scan.findings, scan.repeats, masking=masking, namer=namer))
        three = cost(
            lambda sent=sent, written=written, masked=masked, target=target: check_masked(
                sent, written, target, 0, masked.surrogates, scanner, config.sensitivity
            )
        )
        print(
            f"{len(written) // 1024} KB, {len(masked.surrogates.originals)} values: scan {one:.0f} us; "
            f"mask {two:.0f} us ({two / one:.1f} scans); search again {three:.0f} us ({three / one:.1f} scans)"
        )


def body_of(size_kb: int, values: int) -> dict[str, Any]:  # Any: JSON values
    said = [TEXT.format(n=number) for number in range(values // 2)]
    said += [FILLER] * max(0, (size_kb * 1024 - sum(map(len, said))) // len(FILLER))
    pieces = [said[at : at + 8] for at in range(0, len(said), 8)]
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": "".join(piece)} for at, piece in enumerate(pieces)]
    return {"model": "m", "messages": messages}


def cost(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(20):
            work()
        best = min(best, (time.process_time() - began) / 20)
    return best * 1e6


if __name__ == "__main__":
    main()
