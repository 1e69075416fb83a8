"""What Yuzui costs per request, per streamed chunk and in memory, next to nginx in the same run on the same core.

`python bench/overhead.py [--no-publish]` takes about 8 minutes, writes results/<date>-<commit>.json and the table in
README.md, where it is told what is measured and how. `--quick` takes less than 2 and writes to bench/build/ only.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    """Windows per point of a curve; the least one counts."""


FULL = Plan(
    rounds=3, window_s=4.0, rate=200.0, starts=5, repeats=4,
    ledgers=(0, 10_000, 100_000, 1_000_000), keys=(1, 1_000, 10_000, 100_000), targets=(1, 10, 100, 500),
)  # fmt: skip
QUICK = Plan(
    rounds=1, window_s=2.0, rate=200.0, starts=2, repeats=2, ledgers=(0, 100_000), keys=(1, 10_000), targets=(1, 100)
)


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
            "ledger": ledger_curve(plan, run / "ledger", upstream),
            "keys": keys_curve(plan, run / "keys", upstream),
            "targets": targets_curve(plan, run, upstream),
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
        # The lines start over half the warm-up, which is a whole stream: from then on they are spread evenly.
        load = Load(body=stream, connections=streams, window_s=plan.window_s, warmup_s=2 * STREAM_S)
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


def ledger_curve(plan: Plan, run: Path, upstream: int) -> list[Json]:
    prepare_yuzui(run, upstream)
    points = []
    for entries in plan.ledgers:
        if entries:
            began = time.monotonic()
            fill_ledger(run, entries)
            print(f"filled the ledger to {entries:,} entries in {time.monotonic() - began:.0f} s", flush=True)
        points.append(_point(plan, run, f"{entries:,} ledger entries"))
    check_sums(run)
    return points


def keys_curve(plan: Plan, run: Path, upstream: int) -> list[Json]:
    """Each request takes one of the keys at random: caches help as little as they can."""
    prepare_yuzui(run, upstream)
    points = [_point(plan, run, "1 key")]
    had = 1
    known: list[str] = []
    for count in plan.keys[1:]:
        path = add_keys(run, count - had, first=had)
        known += path.read_text().split()
        path.write_text("\n".join(known) + "\n")
        points.append(_point(plan, run, f"{count:,} keys, all in use", keys=path))
        had = count
    return points


def targets_curve(plan: Plan, run: Path, upstream: int) -> list[Json]:
    """Every target is permitted and a candidate for `auto`: the longest decision there can be."""
    points = []
    for count in plan.targets:
        folder = run / f"targets-{count}"
        prepare_yuzui(folder, upstream, targets=count)
        points.append(_point(plan, folder, f"{count} target{'s' if count > 1 else ''}"))
    return points


def _point(plan: Plan, run: Path, what: str, *, keys: Path | None = None) -> Json:
    whole, _ = write_bodies(run)
    gateway = start_yuzui(run)
    try:
        load = Load(body=whole, connections=LINES, window_s=2.0)
        taken = [
            put_load(load, port=gateway.port, keys=keys or gateway.keys, pids=gateway.running.pids)
            for _ in range(plan.repeats)
        ]
        point = {
            "what": what,
            "cpu_us": min(got["cpu_s"] / got["ok"] for got in taken) * 1e6,
            "all_cpu_us": [got["cpu_s"] / got["ok"] * 1e6 for got in taken],
            "ready_s": gateway.ready_s,
            "rss_mb": gateway.running.rss_mb(),
        }
    finally:
        gateway.running.stop()
    print(f"{what}: {point['cpu_us']:.0f} µs, ready after {point['ready_s']:.2f} s", flush=True)
    return point


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
