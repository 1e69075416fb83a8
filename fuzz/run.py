"""Fuzzes every codec and every dialect for so many CPU seconds each, and writes what came of it as JSON.

    python fuzz/run.py --seconds 600 [--only codec:openai] [--jobs 2] [--out FILE]

A crash is an input in `.cache/fuzz/crashes/`: run `fuzz/one.py NAME THAT_FILE` to see it again. Exit status 1 when
there was one. Corpora grow in `.cache/fuzz/corpus/` and are kept between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha1
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "fuzz"
sys.path.insert(0, str(ROOT / "tests"))


def sow(name: str) -> Path:
    """The corpus of `name`, with every body of the wire cases in each of the readings that the check knows."""
    import fuzz_kit

    folder = CACHE / "corpus" / name.replace(":", "_")
    folder.mkdir(parents=True, exist_ok=True)
    kind, _, rest = name.partition(":")
    section, heads = ("<< upstream", range(8)) if kind == "codec" else (">> client", range(6))
    for body in fuzz_kit.seeds(section).get(rest, []):
        for head in heads:
            data = bytes([head]) + (b"\x00\x55\xaa" if kind == "codec" else b"") + body
            (folder / sha1(data).hexdigest()).write_bytes(data)
    return folder


def fuzz(name: str, seconds: int) -> dict[str, object]:
    corpus, crashes = sow(name), CACHE / "crashes" / name.replace(":", "_")
    crashes.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    cpu_s, executions, coverage, found = 0.0, 0, 0, ""
    while cpu_s < seconds and not found:
        left = max(5, round(seconds - cpu_s))
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "fuzz" / "one.py"), name, str(corpus), f"-max_total_time={left}",
             "-max_len=8192", "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1", "-verbosity=1",
             f"-artifact_prefix={crashes}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert process.stderr is not None
        tail = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        cpu_s += usage.ru_utime + usage.ru_stime
        executions += sum(map(int, re.findall(r"number_of_executed_units: (\d+)", tail)))
        coverage = max([coverage, *map(int, re.findall(r"cov: (\d+)", tail))])
        if os.waitstatus_to_exitcode(status) != 0:
            found = tail[-3000:]
    print(
        f"{name}: {executions} executions, {cpu_s:.0f} CPU s, coverage {coverage}{', CRASH' if found else ''}",
        flush=True,
    )
    return {
        "name": name, "executions": executions, "cpu_s": round(cpu_s), "wall_s": round(time.monotonic() - began),
        "coverage": coverage, "crash": found,
    }  # fmt: skip


def main() -> int:
    import fuzz_kit

    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    names = [name for name in fuzz_kit.CHECKS if not asked.only or name in asked.only]
    with ThreadPoolExecutor(asked.jobs) as pool:
        results = list(pool.map(lambda name: fuzz(name, asked.seconds), names))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit.strip(),
        "python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count(),
        "atheris": version("atheris"), "results": results,
    }  # fmt: skip
    out = asked.out or ROOT / "bench" / "results" / f"fuzz-{report['at'][:10]}-{report['commit']}.json"
    out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    crashed = [result["name"] for result in results if result["crash"]]
    print(f"{len(results)} checks, {len(crashed)} with a crash: {', '.join(map(str, crashed)) or 'none'}; {out}")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
