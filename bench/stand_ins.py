"""Do stand-ins last? A hundred turns over four gateway processes that are killed and started again in the middle.

    python bench/stand_ins.py [--turns 100] [--processes 4] [--seed 1] [--realistic]

Real processes (`yuzui serve`), each with its own data folder; shared are configuration, keys and secrets. Every turn
brings a new value and says all earlier ones again. Exit status 1 when a stand-in changed, an original was shown or did
not come back, or two tenants share a stand-in.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from origin import describe, save  # noqa: E402 - as above

from stand_ins_kit import talk  # noqa: E402 - needs the path above


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--realistic", action="store_true")
    asked = parser.parse_args()
    origin = describe()  # now: what runs is what was loaded
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = talk(
            Path(folder), turns=asked.turns, processes=asked.processes, seed=asked.seed, realistic=asked.realistic
        )
    counts = {name: value for name, value in asdict(found).items() if name != "first"}
    report = {
        **origin, "seed": asked.seed,
        "realistic": asked.realistic, "wall_s": round(time.monotonic() - began), **counts,
    }  # fmt: skip
    save("stand-ins-realistic" if asked.realistic else "stand-ins", report)
    stable = 100 * (1 - found.changed / found.shown)
    print("| turns | processes | restarts | stand-ins shown | stable | restored | raw | equal across tenants |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {found.turns} | {found.processes} | {found.processes} | {found.shown:,} | {stable:g} % "
        f"| {found.restored} | {found.raw} | {found.equal_across_tenants} of {found.others} |"
    )
    is_good = not (found.changed or found.raw or found.equal_across_tenants) and found.restored == found.turns
    return 0 if is_good and found.others == found.values else 1


if __name__ == "__main__":
    sys.exit(main())
