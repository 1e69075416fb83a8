"""Writes docs/conformance.md: one table per gateway, the counts, and every loss in a line."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from conformance.gateways._contract import Gateway
from conformance.judge import Finding, Verdict
from conformance.play import Result
from conformance.provider import Provider
from conformance.scenario import DIALECTS, Case, case_names

SIGN = {"pass": "✓", "loses": "◐", "fails": "✗", "impossible": "∅", "not_offered": "·"}
WORD = {
    "pass": "pass",
    "loses": "lose something",
    "fails": "fail",
    "impossible": "not possible",
    "not_offered": "not offered",
}
DIALECT_TITLE = {
    "openai_chat": "Chat completions",
    "openai_responses": "Responses",
    "anthropic_messages": "Messages",
    "gemini": "Gemini",
}
SHORT = {
    "plain": "plain", "streamed": "stream", "tools": "tools", "parallel_tools_streamed": "parallel tools (stream)",
    "tool_results": "tool results", "json_schema": "JSON schema", "reasoning_two_turns": "reasoning (two turns)",
    "images": "images", "stop_by_length": "length", "refusal": "refusal", "usage_with_cache": "usage and cache",
    "error_before_stream": "error first", "error_in_stream": "error in stream",
    "cut_stream": "cut", "unknown_fields": "unknown fields",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    gateway: str
    version: str
    notes: tuple[str, ...]
    date: str
    machine: str
    start_s: float
    seconds: float
    strays: int
    results: tuple[Result, ...]

    @classmethod
    def of(cls, gateway: Gateway, results: list[Result], *, start_s: float, seconds: float, strays: int) -> Run:
        return cls(
            gateway=gateway.name,
            version=gateway.version,
            notes=gateway.notes,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            machine=_machine(),
            start_s=round(start_s, 1),
            seconds=round(seconds, 1),
            strays=strays,
            results=tuple(results),
        )

    def counts(self) -> Counter[str]:
        return Counter(result.verdict.kind for result in self.results)

    def summary(self) -> str:
        counts = self.counts()
        return ", ".join(f"{counts[kind]} {WORD[kind]}" for kind in SIGN)


KEPT = ("gateway", "version", "notes", "date", "machine", "start_s", "seconds", "strays")


def save_run(run: Run, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    head = json.dumps({name: getattr(run, name) for name in KEPT}, ensure_ascii=False, indent=1).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(_kept(result), ensure_ascii=False) for result in run.results)
    (folder / f"{run.gateway}.json").write_text(f'{head},\n "results": [\n  {lines}\n ]\n}}\n', "utf-8")


def _kept(result: Result) -> dict[str, object]:
    verdict = result.verdict
    kept: dict[str, object] = {
        "dialect": result.dialect,
        "provider": result.provider,
        "case": result.case,
        "kind": verdict.kind,
    }
    if verdict.reason:
        kept["reason"] = verdict.reason
    if verdict.findings:
        kept["findings"] = [[finding.fact, finding.detail, finding.is_fatal] for finding in verdict.findings]
    return kept


def load_runs(folder: Path) -> list[Run]:
    """The last run of each gateway, Yuzui's first."""
    runs = []
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.stem != "yuzui", path.stem)):
        value = json.loads(path.read_text("utf-8"))
        results = tuple(
            Result(
                dialect=item["dialect"],
                provider=item["provider"],
                case=item["case"],
                verdict=Verdict(
                    kind=item["kind"],
                    reason=item.get("reason", ""),
                    findings=tuple(
                        Finding(fact=fact, detail=detail, is_fatal=fatal)
                        for fact, detail, fatal in item.get("findings", ())
                    ),
                ),
            )
            for item in value.pop("results")
        )
        runs.append(Run(**value | {"notes": tuple(value["notes"]), "results": results}))
    return runs


def write_report(runs: list[Run], cases: list[Case], providers: dict[str, Provider], path: Path) -> None:
    titles = {case.name: case.title for case in cases}
    parts = [_HEAD, _summary(runs)]
    for run in runs:
        parts.append(_gateway(run, providers))
    parts.append(_legend(runs, titles, providers))
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


_HEAD = """# Conformance: what a gateway loses

A client speaks one dialect, a model answers in another; between them a gateway translates. This page shows, for each
client dialect, upstream and case, whether everything that was said arrives: in the request that reaches the vendor, and
in the answer that reaches the client. It is written by `make conformance`; do not edit it.

| sign | meaning |
|---|---|
| ✓ | pass: every fact arrives at both ends |
| ◐ | loses something: the answer is of use, but a fact is missing; the list below the table says which |
| ✗ | fails: no answer, a wrong one, one that the official client cannot read, or a request that the vendor refuses |
| ∅ | not possible: the vendor's API or the client's dialect has no place for it; the reason is at the end |
| · | not offered: the gateway does not claim this pair |

How it is done: a fake upstream on loopback speaks each vendor's wire format as documented, refuses what the vendor
would refuse, and plays the same scenarios for every gateway. Requests and answers are compared as facts (texts, roles,
images, tools and their schemas, calls with their ids and exact arguments, thoughts and signatures, finish reasons,
token counts, errors), never as bytes. Answers are read as strictly as each dialect's official client reads them. What
is compared, and how to try another gateway: [bench/conformance](../bench/conformance/README.md)."""


def _summary(runs: list[Run]) -> str:
    lines = [
        "## Summary",
        "",
        "| gateway | version | " + " | ".join(WORD.values()) + " | run |",
        "|---|---|" + "---|" * (len(WORD) + 1),
    ]
    for run in runs:
        counts = run.counts()
        cells = " | ".join(str(counts[kind]) for kind in SIGN)
        lines.append(f"| {run.gateway} | {run.version} | {cells} | {run.date}, {run.seconds:.0f} s |")
    lines += ["", "Passes per client dialect, of the cells that the gateway offers and the vendor makes possible:", ""]
    lines += ["| gateway | " + " | ".join(DIALECT_TITLE[d] for d in DIALECTS) + " |", "|---|" + "---|" * len(DIALECTS)]
    for run in runs:
        shares = []
        for dialect in DIALECTS:
            counts = Counter(r.verdict.kind for r in run.results if r.dialect == dialect)
            offered = counts["pass"] + counts["loses"] + counts["fails"]
            shares.append(f"{counts['pass']} of {offered}" if offered else "not offered")
        lines.append(f"| {run.gateway} | " + " | ".join(shares) + " |")
    machines = dict.fromkeys(run.machine for run in runs)
    return "\n".join([*lines, "", f"Machine: {'; '.join(machines)}."])


def _gateway(run: Run, providers: dict[str, Provider]) -> str:
    names = case_names()
    cells = {(r.dialect, r.provider, r.case): r.verdict for r in run.results}
    lines = [f"## {run.gateway}", "", f"Version {run.version}.", "", *(f"* {note}" for note in run.notes), ""]
    lines += [
        "| client → upstream | " + " | ".join(SHORT.get(n, n) for n in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for dialect in DIALECTS:
        for provider in providers.values():
            row = [cells.get((dialect, provider.name, name)) for name in names]
            if all(cell is None or cell.kind == "not_offered" for cell in row):
                continue
            signs = " | ".join(SIGN[cell.kind] if cell else "" for cell in row)
            lines.append(f"| {DIALECT_TITLE[dialect]} → {provider.title} | {signs} |")
    if reasons := _not_offered(run, providers):
        lines += ["", "Not offered:", "", *reasons]
    return "\n".join([*lines, "", *_losses(run, providers)])


def _not_offered(run: Run, providers: dict[str, Provider]) -> list[str]:
    """One line per reason; its pairs by dialect."""
    pairs: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for result in run.results:
        if result.verdict.kind == "not_offered" and result.provider in providers:
            named = pairs[result.verdict.reason][result.dialect]
            if providers[result.provider].title not in named:
                named.append(providers[result.provider].title)
    lines = []
    for reason, dialects in pairs.items():
        where = [
            f"{DIALECT_TITLE[d]} → {'every upstream' if len(named) == len(providers) else ', '.join(named)}"
            for d, named in dialects.items()
        ]
        lines.append(f"* {'; '.join(where)}: {reason}")
    return lines


def _losses(run: Run, providers: dict[str, Provider]) -> list[str]:
    """Each finding once, with the cases and pairs in which it was found."""
    order = {name: number for number, name in enumerate(case_names())}
    lines: list[str] = []
    for kind, title in (("fails", "Fails"), ("loses", "Loses")):
        cases: dict[str, set[str]] = defaultdict(set)
        pairs: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for result in run.results:
            for finding in result.verdict.findings if result.verdict.kind in ("fails", "loses") else ():
                if finding.is_fatal != (kind == "fails"):
                    continue
                text = _words(str(finding))
                cases[text].add(result.case)
                pairs[text][result.dialect].append(providers[result.provider].title)
        if pairs:
            lines += ["", f"### {title}", ""]
        for text in sorted(pairs, key=lambda text: (min(order[case] for case in cases[text]), text)):
            names = ", ".join(SHORT.get(case, case) for case in sorted(cases[text], key=order.__getitem__))
            where = "; ".join(f"{DIALECT_TITLE[d]} → {', '.join(dict.fromkeys(p))}" for d, p in pairs[text].items())
            lines.append(f"* {text} · in: {names} · {where}")
    return lines or ["Nothing is lost."]


def _words(text: str) -> str:
    """A finding's text without what differs between cases and runs, safe inside Markdown."""
    if text.startswith("count of"):
        text = re.sub(r"\(\d+ is told as (0|None)\)", "(not told)", text)
        text = re.sub(r"\(\d+ is told as \d+\)", "(a wrong number)", text)
    text = re.sub(r"\[\[[a-z_]+\.\d+\]\]", "[[…]]", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text)
    text = re.sub(r"\b(req|resp|msg|chatcmpl)[-_][\w-]{8,}", r"\1_…", text)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _legend(runs: list[Run], titles: dict[str, str], providers: dict[str, Provider]) -> str:
    lines = ["## The cases", "", "| case | what it asks |", "|---|---|"]
    lines += [f"| {SHORT.get(name, name)} | {titles[name]} |" for name in case_names()]
    lines += ["", "## Not possible", ""]
    for provider in providers.values():
        lines += [
            f"* {provider.title}, {SHORT.get(case, case)}: {reason}" for case, reason in provider.impossible.items()
        ]
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        for result in run.results:
            known = providers[result.provider].impossible if result.provider in providers else {}
            if result.verdict.kind == "impossible" and result.case not in known:
                pair = f"{DIALECT_TITLE[result.dialect]} → {providers[result.provider].title}"
                found[(result.case, f"{run.gateway} refuses it: {result.verdict.reason}")].append(pair)
    lines += [f"* {SHORT.get(case, case)}: {', '.join(pairs)}; {reason}" for (case, reason), pairs in found.items()]
    return "\n".join(lines)


def _machine() -> str:
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return (
        f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )
