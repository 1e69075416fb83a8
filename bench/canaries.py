"""Ten thousand generated conversations with marked values: how many of the values does a vendor's server receive?

    python bench/canaries.py [--conversations 10000] [--seed 1] [--masking]

Real gateway, real sockets on loopback. The own target is well, fails, is busy, resets the line or breaks off; models
are named as virtual ones, by vendor and concretely; values stand in every place of every dialect, plain, in full width
and with an invisible character. With `--masking` vendors get stand-ins instead of refusals. Exit status 1 when a value
was received.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from origin import describe, save  # noqa: E402 - as above

from canary_kit import MASKING, play  # noqa: E402 - needs the path above


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--masking", action="store_true")
    asked = parser.parse_args()
    origin = describe()  # now: what runs is what was loaded
    logging.disable(logging.WARNING)  # each failure of the own target, which is as it should be
    began = time.monotonic()
    tally = asyncio.run(play(asked.seed, asked.conversations, more=MASKING if asked.masking else ""))
    report = {
        **origin, "seed": asked.seed, "masking": asked.masking, "wall_s": round(time.monotonic() - began),
        "conversations": tally.conversations, "marked_requests": tally.marked_requests,
        "vendor_requests": tally.vendor_requests, "outcomes": dict(sorted(tally.outcomes.items())),
        "leaks": tally.leaks,
    }  # fmt: skip  # a table
    out = save("canaries-masked" if asked.masking else "canaries", report)
    print(f"{tally.marked_requests} marked requests, {len(tally.leaks)} received by a vendor; {out}")
    return 1 if tally.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
