"""Every injected fault at every position of every dialect: how often is a vendor shown the marked text?

    python bench/injected_faults.py [--seed 1] [--rooms open closed …] [--few N]

Real gateways without sockets (`tests/egress_kit.py`). A fault counts where it happened, in a request that without it
goes where it should. `--few`: only so many positions per fault. Exit status 1 when a vendor was shown one, or when a
fault happened nowhere. All of it takes about ten minutes of CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from origin import describe, save  # noqa: E402 - as above

from faults.fault_runs import ROOMS, Runs, Tally, every_fault, opened, places_of, quietly, sample  # noqa: E402 - needs the path above
from faults.injected_processes import document_positions  # noqa: E402 - as above
from faults.positions import positions  # noqa: E402 - as above

EACH_DRAW = 12  # positions that `sample` gives at once
DEAR = 20  # positions for faults that cost seconds each


async def run(rooms: list[str], seed: int, few: int) -> Tally:
    tally, faults = Tally(), every_fault()
    draw = sample(positions(), seed)
    for name in ROOMS:
        if name not in rooms:
            continue
        async with opened(name) as found:
            runs = Runs(found, name, seed, tally)
            for fault in faults:
                if fault.room != name:
                    continue
                places = places_of(fault)
                most = min(few or len(places), DEAR if fault.is_dear else len(places))
                if most < len(places):
                    drawn = [place for _ in range(0, most, EACH_DRAW) for place in draw()]
                    places = tuple(drawn[:most]) if len(places) > DEAR else places[:most]
                if not await runs.meet(fault, places):  # it needs a place of its own: JSON in a text, say
                    await runs.meet(fault, places_of(fault), until_struck=1)
        print(f"{name}: {tally.struck.total()} happened, {len(tally.leaks)} shown", file=sys.stderr, flush=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=list(ROOMS))
    parser.add_argument("--few", type=int, default=0)
    asked = parser.parse_args()
    origin = describe()  # now: what runs is what was loaded
    began, cpu = time.monotonic(), time.process_time()
    with quietly():
        tally = asyncio.run(run(asked.rooms, asked.seed, asked.few))
    expected = {fault.id for fault in every_fault() if fault.room in asked.rooms}
    idle = sorted(expected - tally.struck.keys())
    everywhere = Counter(place.dialect for place in (*positions(), *document_positions()))
    met = Counter(place.split(": ")[0] for place in tally.met)
    report = {
        **origin, "seed": asked.seed,
        "wall_s": round(time.monotonic() - began), "cpu_s": round(time.process_time() - cpu), "rooms": asked.rooms,
        "faults": len(tally.struck), "positions": len(tally.met), "requests": tally.requests,
        "happened": tally.struck.total(), "faults_per_position_least": min(tally.met.values(), default=0),
        "faults_by_part": {part: len(names) for part, names in sorted(tally.families.items())},
        "positions_by_dialect": {name: [met[name], count] for name, count in sorted(everywhere.items())},
        "outcomes": dict(tally.outcomes.most_common()), "controls": dict(tally.controls),
        "faults_that_happened_nowhere": idle, "leaks": tally.leaks,
    }  # fmt: skip
    save("faults", report)
    print("| injected faults | positions × dialects | requests in which a fault happened | raw bytes at a vendor |")
    print("|---|---|---|---|")
    print(f"| {len(tally.struck):,} | {len(tally.met)} × {len(met)} | {tally.struck.total():,} | {len(tally.leaks)} |")
    return 1 if tally.leaks or idle else 0


if __name__ == "__main__":
    sys.exit(main())
