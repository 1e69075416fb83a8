"""`python -m privacy`: measures detection on every corpus, prints the table, writes JSON into bench/results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.console import Console

from privacy import evasion, lines, presidio, report
from privacy.corpora import LABELLED, ROOT, NoData, load
from privacy.detection import Detection, Yuzui, load_names
from privacy.measures import Tally
from privacy.speed import run_speed

OTHER = ("creddata", "gitleaks", "source", "evasion", "speed")
PACKAGES = ("yuzui", "hyperscan", "google-re2", "msgspec")
STRUCTURED_ZH = ("ID_CARD", "PHONE", "EMAIL", "ADDRESS")
DEFAULT_NAMES = "yuzui.io.ner_models:load_names"


def main() -> int:
    options = _options()
    console = Console(soft_wrap=True) if not sys.stdout.isatty() else Console()
    wanted = options.only or [*LABELLED, *OTHER]
    try:
        names = load_names(options.names) if options.ner else None
    except (ImportError, AttributeError) as error:
        print(f"{options.names}: {error}; name another recogniser with --names module:factory", file=sys.stderr)
        return 1
    ours = Yuzui(names)
    runs: dict[str, report.Figures] = {}
    try:
        runs[ours.name] = measure(ours, wanted, options.show)
        if "presidio" in options.beside:
            other = presidio.Presidio()
            try:
                runs[other.name] = measure(other, wanted, 0)
                runs[other.name]["us_per_kb"] = round(other.cpu_s * 1e6 / max(1, other.size_bytes / 1024))
            finally:
                other.close()
    except NoData as error:
        print(error, file=sys.stderr)
        return 1
    report.show(runs, console)
    if not options.dry:
        _save(runs)
    return 0


def measure(detection: Detection, wanted: list[str], shown: int) -> report.Figures:
    """Everything in `wanted` that can be asked of `detection`; `shown` misses and extras per kind go to the screen."""
    figures: report.Figures = {"corpora": {}}
    for name in wanted:
        if name in LABELLED:
            _measure_corpus(detection, name, figures, shown)
    is_ours = isinstance(detection, Yuzui)
    kinds = lines.SECRETS if is_ours else presidio.SECRETS
    for name, run in (("creddata", lines.run_creddata), ("gitleaks", lines.run_gitleaks)):
        if name in wanted:
            found = run(detection, kinds)
            figures[name] = found.as_json()
            _show({"misses": found.misses, "extras": found.extras}, name, shown)
    if "source" in wanted:
        source = lines.run_source(detection)
        figures["source"] = source.as_json()
        _show({"extras": source.extras}, "source", shown)
    if isinstance(detection, Yuzui):
        if "evasion" in wanted:
            figures["evasion"] = evasion.as_json(evasion.run_evasion(detection))
            if shown:
                print("evasion", figures["evasion"])
        if "speed" in wanted:
            figures["speed"] = run_speed(detection)
    return figures


def _measure_corpus(detection: Detection, name: str, figures: report.Figures, shown: int) -> None:
    tally = Tally()
    rows = load(name)
    for row, found in zip(rows, detection.spans([row.text for row in rows]), strict=True):
        tally.add(row, found)
    figures["corpora"][name] = tally.as_json()
    if name == "multipriv_zh":
        figures["structured_zh"] = {
            "coverage": tally.coverage_of(*STRUCTURED_ZH),
            "leak": tally.leak_of(*STRUCTURED_ZH),
        }
    if name == "tab":
        figures["tab_person_code"] = tally.coverage_of("PERSON", "CODE")
    _show(tally.misses, f"{name} missed", shown)
    _show(tally.extras, f"{name} masked in vain", shown)


def _show(examples: dict[str, list[str]], title: str, most: int) -> None:
    """For whoever works on a detector; nothing of it goes into a file."""
    for kind, texts in examples.items() if most else ():
        print(f"--- {title}: {kind} ({len(texts)})")
        for text in texts[:: max(1, len(texts) // most)][:most]:
            print("   ", text)


def _save(runs: dict[str, report.Figures]) -> None:
    commit = _output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    for name, figures in runs.items():
        facts: dict[str, Any] = {  # Any: JSON
            "bench": "privacy",
            "detector": name,
            "date": time.strftime("%Y-%m-%d"),
            "commit": commit,
            "is_changed_since": bool(_output("git", "-C", str(ROOT), "status", "--porcelain", "--", "src")),
            "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2)},
            "python": platform.python_version(),
            "packages": {package: _version(package) for package in PACKAGES},
            "goals": report.against_goals(figures),
            "figures": figures,
        }
        path = ROOT / "bench" / "results" / f"privacy-{name}-{facts['date']}-{commit}.json"
        path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")


def _cpu() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as facts:  # noqa: PTH123  # not a path of ours
        return next((line.partition(":")[2].strip() for line in facts if line.startswith("model name")), "unknown")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="privacy", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*LABELLED, *OTHER], help="one corpus or test; repeatable")
    parser.add_argument("--with", dest="beside", action="append", default=[], choices=["presidio"], help="beside ours")
    parser.add_argument("--ner", action="store_true", help="with names, organisations and places by models")
    parser.add_argument("--names", default=DEFAULT_NAMES, help="module:factory of what --ner asks")
    parser.add_argument("--show", type=int, default=0, help="so many misses and extras per kind, on the screen only")
    parser.add_argument("--dry", action="store_true", help="write no result file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
