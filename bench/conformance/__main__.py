"""`python -m conformance`: runs the matrix through one or several gateways and writes docs/conformance.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conformance.gateways._contract import ROOT, Gateway, GatewayError, Running
from conformance.gateways.given import Given
from conformance.gateways.litellm import LiteLLM
from conformance.gateways.portkey import Portkey
from conformance.gateways.yuzui import Yuzui
from conformance.play import Result, play_all
from conformance.provider import Provider, load_providers
from conformance.report import Run, load_runs, save_run, write_report
from conformance.scenario import Case, load_cases
from conformance.upstream import Upstream

OWN: dict[str, Callable[[], Gateway]] = {"yuzui": Yuzui, "litellm": LiteLLM, "portkey": Portkey}
REPORT = ROOT / "docs" / "conformance.md"
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = _options()
    gateways: list[Gateway] = []
    if options.describe:
        gateways.append(Given(options.gateway, Path(options.describe)))
    else:
        gateways += [OWN[name]() for name in options.only or OWN]
    for gateway in gateways:
        try:
            run = asyncio.run(_run(gateway, options))
        except GatewayError as error:
            print(f"{gateway.name}: {error}", file=sys.stderr)
            return 1
        print(f"{gateway.name} {gateway.version}: {run.summary()} in {run.seconds:.0f} s")
        if options.show:
            _show(run)
        if not options.dry:
            save_run(run, RESULTS)
    if not options.dry:
        write_report(load_runs(RESULTS), load_cases(), load_providers(), REPORT)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*OWN, []], help="yuzui, litellm, portkey; none: all three")
    parser.add_argument("--gateway", default="", help="base URL of another gateway that runs already")
    parser.add_argument("--describe", default="", help="its description, see gateways/given.py")
    parser.add_argument("--upstream-port", type=int, default=0, help="where the fake upstream listens; 0: anywhere")
    parser.add_argument("--dialect", action="append", help="only this client dialect")
    parser.add_argument("--provider", action="append", help="only this provider")
    parser.add_argument("--case", action="append", help="only this case")
    parser.add_argument("--dry", action="store_true", help="write no report")
    parser.add_argument("--show", action="store_true", help="print every finding")
    parser.add_argument("--trace", default="", help="file for everything that was sent and received")
    return parser.parse_args()


async def _run(gateway: Gateway, options: argparse.Namespace) -> Run:
    """Play all cells through `gateway`; everything it wrote is gone afterwards."""
    gateway.install()
    providers = {name: p for name, p in load_providers().items() if not options.provider or name in options.provider}
    cases = [
        case
        for case in load_cases()
        if (not options.dialect or case.dialect in options.dialect) and (not options.case or case.name in options.case)
    ]
    upstream = Upstream(load_providers())
    port = await upstream.start(options.upstream_port)
    with tempfile.TemporaryDirectory(prefix=f"conformance-{gateway.name}-", ignore_cleanup_errors=True) as folder:
        began = time.monotonic()
        running = await asyncio.to_thread(gateway.start, f"http://127.0.0.1:{port}", Path(folder))
        try:
            ready = time.monotonic()
            results = await _played(running, upstream, cases, providers, options.trace)
        finally:
            await asyncio.to_thread(running.stop)
            await upstream.stop()
            await asyncio.to_thread(_keep_log, Path(folder), options.trace)
        now = time.monotonic()
    return Run.of(gateway, results, start_s=ready - began, seconds=now - began, strays=len(upstream.strays))


def _keep_log(folder: Path, trace: str) -> None:
    log = folder / "output.log"
    if trace and log.is_file():
        Path(f"{trace}.log").write_bytes(log.read_bytes())


async def _played(
    running: Running, upstream: Upstream, cases: list[Case], providers: dict[str, Provider], path: str
) -> list[Result]:
    if not path:
        return await play_all(running, upstream, cases, providers)
    lines: list[str] = []
    results = await play_all(
        running, upstream, cases, providers, lambda what, value: lines.append(f"## {what}\n{value}\n")
    )
    lines.append(f"## strays\n{json.dumps(upstream.strays, indent=1)}")
    await asyncio.to_thread(Path(path).write_text, "\n".join(lines), "utf-8")
    return results


def _show(run: Run) -> None:
    for result in run.results:
        if result.verdict.kind in ("loses", "fails"):
            said = "; ".join(map(str, result.verdict.findings))
            print(f"{result.verdict.kind:5} {result.dialect} -> {result.provider} {result.case}: {said}")


if __name__ == "__main__":
    sys.exit(main())
