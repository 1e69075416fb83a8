"""What Yuzui costs per request, per streamed chunk and in memory, next to nginx in the same run on the same core.

`python bench/overhead.py [--no-publish]` takes about 8 minutes, writes results/<date>-<commit>.json and the table in
README.md, where it is told what is measured and how. `--quick` takes less than 2 and writes to bench/build/ only.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import machine
from filling import add_keys, check_sums, fill_ledger
from gateways import Gateway, prepare_yuzui, start_nginx, start_yuzui
from prompts import write_bodies
from report import show, sum_up
from rig import BENCH, BUILD, BenchError, Load, build, put_load, start_mock

Json = dict[str, Any]  # Any: JSON

CHUNKS, PACE_US = 100, 40_000  # a stream is 100 tokens at 25 per second: 4 s
STREAM_S = CHUNKS * PACE_US / 1e6
LINES = 64
BEGIN, END = "<!-- figures: written by overhead.py -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how often."""

    rounds: int
    window_s: float
    rate: float
    """Requests per second of the open loop."""
    starts: int
    ledgers: tuple[int, ...]
    keys: tuple[int, ...]
    targets: tuple[int, ...]
    repeats: int
    """Pairs of windows per point of a curve."""
    curve_window_s: float = 1.5


FULL = Plan(
    rounds=3, window_s=4.0, rate=200.0, starts=5, repeats=5,
    ledgers=(10_000, 100_000, 1_000_000), keys=(1_000, 10_000, 100_000), targets=(10, 100, 500),
)  # fmt: skip
QUICK = Plan(rounds=1, window_s=2.0, rate=200.0, starts=2, repeats=1, ledgers=(50_000,), keys=(10_000,), targets=(100,))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="less than two minutes: one round, short curves")
    options.add_argument("--no-publish", action="store_true", help="leave the table in README.md as it is")
    given = options.parse_args()
    plan = QUICK if given.quick else FULL
    try:
        build()
        with _run_folder() as run:
            result = measure(plan, run)
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    result["is_quick"] = given.quick
    text = show(result)
    path = _write(result)
    if not given.quick and not given.no_publish:
        _publish(text, path)
    print(f"\n{text}\n\nwritten to {path.relative_to(BENCH.parent)}")
    return 0


@contextmanager
def _run_folder() -> Iterator[Path]:
    """A folder inside bench/build/, which lies on the disk that the checkout lies on; it is removed at the end."""
    run = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
    run.chmod(0o755)  # nginx's worker has another user and must reach its folders
    try:
        yield run
    finally:
        shutil.rmtree(run)


def measure(plan: Plan, run: Path) -> Json:
    short, is_changed = machine.commit()
    described = machine.describe(run)
    mock, upstream = start_mock(chunks=CHUNKS, pace_us=PACE_US)
    try:
        rounds = side_by_side(plan, run, upstream)
        starts_s = [_start_and_stop(run / "yuzui") for _ in range(plan.starts)]
        curves = {
            "ledger": curve(plan, run, ledger_steps(plan, run / "ledger", upstream)),
            "keys": curve(plan, run, key_steps(plan, run / "keys", upstream)),
            "targets": curve(plan, run, target_steps(plan, run / "targets", upstream)),
        }
    finally:
        mock.stop()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": short,
        "is_changed": is_changed,
        "machine": described,
        "summary": sum_up(rounds, starts_s, curves),
        "curves": curves,
        "rounds": rounds,
    }


# ---- next to nginx --------------------------------------------------------------------------------------------------


def side_by_side(plan: Plan, run: Path, upstream: int) -> list[Json]:
    """Both gateways stand ready on the same core; each phase of each round asks one, then the other."""
    whole, stream = write_bodies(run)
    gateways: list[Gateway] = []
    try:
        gateways.append(start_nginx(run, upstream))
        prepare_yuzui(run / "yuzui", upstream)
        gateways.append(start_yuzui(run / "yuzui"))
        for gateway in gateways:  # connections, caches and the tables' first pages
            put_load(Load(body=whole, connections=LINES, window_s=1.0), port=gateway.port, keys=gateway.keys)
        return [
            _round(plan, number, gateways if number % 2 == 0 else gateways[::-1], upstream, whole, stream)
            for number in range(plan.rounds)
        ]
    finally:
        for gateway in gateways:
            gateway.running.stop()


def _round(plan: Plan, number: int, gateways: list[Gateway], upstream: int, whole: Path, stream: Path) -> Json:
    out: Json = {gateway.name: {"rate": plan.rate, "rss_load_mb": 0.0} for gateway in gateways}
    for gateway in gateways:
        out[gateway.name] |= _at_rest(gateway)
    saturated = Load(body=whole, connections=LINES, window_s=plan.window_s)
    fixed = Load(body=whole, connections=256, window_s=plan.window_s, warmup_s=0.5, per_second=plan.rate)
    for gateway in gateways:
        got = _ask(gateway, saturated, out)
        out[gateway.name] |= {"json_cpu_us": got["cpu_s"] / got["ok"] * 1e6, "json_per_s": got["ok"] / got["window_s"]}
    out["direct"] = _latency(put_load(fixed, port=upstream, keys=gateways[0].keys))
    for gateway in gateways:
        got = _ask(gateway, fixed, out)
        out[gateway.name] |= {"fixed_cpu_us": got["cpu_s"] / got["ok"] * 1e6} | _latency(got)
    for streams in (50, 400):
        # The lines start over half the warm-up, so that the streams are spread evenly in the window.
        load = Load(body=stream, connections=streams, window_s=plan.window_s, warmup_s=1.5 * STREAM_S)
        for gateway in gateways:
            got = _ask(gateway, load, out)
            out[gateway.name] |= {
                f"sse{streams}_cpu_us": got["cpu_s"] / got["events"] * 1e6,
                f"sse{streams}_busy": got["cpu_s"] / got["window_s"],
                f"sse{streams}_p50_us": got["event_delay_us"]["p50"],
                f"sse{streams}_p99_us": got["event_delay_us"]["p99"],
            }
    n, y = out["nginx"], out["yuzui"]
    print(
        f"round {number + 1}: JSON {n['json_cpu_us']:.1f} / {y['json_cpu_us']:.1f} µs, chunk at 50 "
        f"{n['sse50_cpu_us']:.1f} / {y['sse50_cpu_us']:.1f} µs, at 400 {n['sse400_cpu_us']:.1f} / "
        f"{y['sse400_cpu_us']:.1f} µs (nginx / Yuzui)",
        flush=True,
    )
    return out


def _at_rest(gateway: Gateway, seconds: float = 2.0) -> Json:
    cpu_s = gateway.running.cpu_s()
    time.sleep(seconds)  # the idle time is what is measured
    idle_percent = (gateway.running.cpu_s() - cpu_s) / seconds * 100
    return {"idle_percent": idle_percent, "rss_idle_mb": gateway.running.rss_mb()}


def _ask(gateway: Gateway, load: Load, out: Json) -> Json:
    got = put_load(load, port=gateway.port, keys=gateway.keys, pids=gateway.running.pids)
    own = out[gateway.name]
    own["rss_load_mb"] = max(own["rss_load_mb"], gateway.running.rss_mb())
    return got


def _latency(got: Json) -> Json:
    return {"p50_us": got["latency_us"]["p50"], "p99_us": got["latency_us"]["p99"], "late_us": got["late_us"]}


def _start_and_stop(run: Path) -> float:
    gateway = start_yuzui(run)
    gateway.running.stop()
    return gateway.ready_s


# ---- what growth costs ----------------------------------------------------------------------------------------------

Step = tuple[str, Path, str]
"""What has grown, the folder of the gateway that it belongs to, and the file with the keys to use."""


def ledger_steps(plan: Plan, run: Path, upstream: int) -> Iterator[Step]:
    for name in ("small", "grown"):
        prepare_yuzui(run / name, upstream)
    yield "0 ledger entries", run / "small", "yuzui.keys"
    _warm(run / "grown")  # the first real entry is the one that is copied
    for entries in plan.ledgers:
        began = time.monotonic()
        fill_ledger(run / "grown", entries)
        print(f"filled the ledger to {entries:,} entries in {time.monotonic() - began:.0f} s", flush=True)
        yield f"{entries:,} ledger entries", run / "grown", "yuzui.keys"
    check_sums(run / "grown")


def key_steps(plan: Plan, run: Path, upstream: int) -> Iterator[Step]:
    """Each request takes one of the keys at random: caches help as little as they can."""
    for name in ("small", "grown"):
        prepare_yuzui(run / name, upstream)
    yield "1 key", run / "small", "yuzui.keys"
    had = 1
    for count in plan.keys:
        add_keys(run / "grown", count - had, first=had)
        had = count
        yield f"{count:,} keys, all in use", run / "grown", "many.keys"


def target_steps(plan: Plan, run: Path, upstream: int) -> Iterator[Step]:
    """Every target is permitted and a candidate for `auto`: the longest decision there can be."""
    for count in (1, *plan.targets):
        prepare_yuzui(run / str(count), upstream, targets=count)
        yield f"{count} target{'s' if count > 1 else ''}", run / str(count), "yuzui.keys"


def curve(plan: Plan, run: Path, steps: Iterator[Step]) -> list[Json]:
    """CPU per JSON request at each step. The first step's gateway keeps running beside the others and is asked in turn
    with them, so that a ratio compares two neighbouring seconds: the machine's mood cancels out."""
    whole, _ = write_bodies(run)
    load = Load(body=whole, connections=LINES, window_s=plan.curve_window_s)
    first: Gateway | None = None
    points: list[Json] = []
    try:
        for what, folder, keys in steps:
            gateway = replace(start_yuzui(folder), keys=folder / keys)
            first = first or gateway
            try:
                pairs = [(_cpu_us(first, load), _cpu_us(gateway, load)) for _ in range(plan.repeats)]
                point = {
                    "what": what,
                    "cpu_us": statistics.median(own for _, own in pairs),
                    "ratio": statistics.median(own / base for base, own in pairs),
                    "pairs_us": [list(pair) for pair in pairs],
                    "ready_s": gateway.ready_s,
                    "rss_mb": gateway.running.rss_mb(),
                }
            finally:
                if gateway is not first:
                    gateway.running.stop()
            points.append(point)
            print(f"{what}: {point['cpu_us']:.0f} µs, {point['ratio']:.2f} of the first", flush=True)
    finally:
        if first is not None:
            first.running.stop()
    return points


def _cpu_us(gateway: Gateway, load: Load) -> float:
    got = put_load(load, port=gateway.port, keys=gateway.keys, pids=gateway.running.pids)
    return float(got["cpu_s"]) / int(got["ok"]) * 1e6


def _warm(folder: Path) -> None:
    whole, _ = write_bodies(folder)
    gateway = start_yuzui(folder)
    try:
        put_load(Load(body=whole, connections=1, window_s=0.5), port=gateway.port, keys=gateway.keys)
    finally:
        gateway.running.stop()


# ---- what stays -----------------------------------------------------------------------------------------------------


def _write(result: Json) -> Path:
    folder = BUILD if result["is_quick"] else BENCH / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"{result['date']}-{result['commit']}.json"
    path.write_text(json.dumps(_rounded(result), indent=1, ensure_ascii=False) + "\n")
    return path


def _rounded(value: Any) -> Any:  # Any: JSON
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def _publish(text: str, path: Path) -> None:
    readme = BENCH / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    source = f"All of the run: [{path.name}](results/{path.name})."
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{source}\n\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
