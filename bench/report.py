"""Knows how the figures are summed up and shown: medians, ratios to nginx of the same run, goals met or missed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]  # Any: JSON

GOALS = {
    "json_cpu_ratio": ("CPU per JSON request, to nginx", 6.0, "x"),
    "sse50_cpu_ratio": ("CPU per chunk at 50 streams, to nginx", 3.0, "x"),
    "sse400_cpu_ratio": ("CPU per chunk at 400 streams, to nginx", 3.0, "x"),
    "rss_load_mb": ("Resident memory, highest under load", 120.0, "MiB"),
    "ready_s": ("Start to ready", 1.5, "s"),
    "ledger_growth": ("Cost with the largest ledger, to an empty one", 1.15, "x"),
    "keys_growth": ("Cost with the most keys, to one key", 1.15, "x"),
    "targets_growth": ("Cost with the most targets, to one target", 1.15, "x"),
}
"""Name → (what, at most, unit). "Flat" is within 15 percent: smaller differences are noise on a shared machine."""


def sum_up(rounds: Sequence[Json], starts_s: Sequence[float], curves: Json) -> Json:
    """Medians over the rounds; a ratio is the median of the rounds' own ratios."""
    out: Json = {"starts_s": list(starts_s), "ready_s": _median(starts_s)}
    for name in ("nginx", "yuzui"):
        own = [r[name] for r in rounds]
        out[name] = {key: _median([r[key] for r in own]) for key in own[0]}
        out[name]["rss_load_mb"] = max(r["rss_load_mb"] for r in own)
    for phase in ("json", "fixed", "sse50", "sse400"):
        key = f"{phase}_cpu_us"
        out[f"{phase}_cpu_ratio"] = _median([r["yuzui"][key] / r["nginx"][key] for r in rounds])
    for quantile in ("p50", "p99"):
        direct = [r["direct"][f"{quantile}_us"] for r in rounds]
        for name in ("nginx", "yuzui"):
            added = [r[name][f"{quantile}_us"] - base for r, base in zip(rounds, direct, strict=True)]
            out[name][f"added_{quantile}_us"] = _median(added)
        out[f"direct_{quantile}_us"] = _median(direct)
    out["rss_load_mb"] = out["yuzui"]["rss_load_mb"]
    for name, points in curves.items():
        out[f"{name}_growth"] = round(points[-1]["ratio"], 2)
    return out


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)


def show(result: Json) -> str:
    """The run as Markdown."""
    return "\n\n".join((_origin(result), _table(result["summary"]), _goals(result["summary"]), _curves(result)))


def _origin(result: Json) -> str:
    m = result["machine"]
    changed = " with uncommitted changes in src/" if result["is_changed"] else ""
    kind = "quick run, " if result["is_quick"] else ""
    return (
        f"{kind}{result['date']}, commit {result['commit']}{changed}; {m['cpu']}, {m['cores']} cores"
        f"{' (virtual)' if m['is_virtual'] else ''}, {m['memory_gib']} GiB, Linux {m['kernel']}; books on "
        f"{m['file_system']}, fdatasync {m['fdatasync_us']:.0f} µs; {m['pinning']}; load average before "
        f"{m['load_average_before']:.1f}; Python {m['python']}, nginx {m['nginx']}, "
        + ", ".join(f"{name} {version}" for name, version in m["packages"].items())
        + f". Median of {len(result['rounds'])} interleaved rounds."
    )


def _table(s: Json) -> str:
    n, y = s["nginx"], s["yuzui"]
    rows = [
        ("CPU per JSON request, 64 lines, µs", n["json_cpu_us"], y["json_cpu_us"], s["json_cpu_ratio"]),
        ("JSON requests per second and core", n["json_per_s"], y["json_per_s"], None),
        (f"CPU per JSON request at {n['rate']:.0f}/s, µs", n["fixed_cpu_us"], y["fixed_cpu_us"], s["fixed_cpu_ratio"]),
        ("CPU per chunk, 50 streams, µs", n["sse50_cpu_us"], y["sse50_cpu_us"], s["sse50_cpu_ratio"]),
        ("CPU per chunk, 400 streams, µs", n["sse400_cpu_us"], y["sse400_cpu_us"], s["sse400_cpu_ratio"]),
        ("share of the core at 400 streams", n["sse400_busy"], y["sse400_busy"], None),
        ("chunk delay at 400 streams p50, µs", n["sse400_p50_us"], y["sse400_p50_us"], None),
        ("chunk delay at 400 streams p99, µs", n["sse400_p99_us"], y["sse400_p99_us"], None),
        (f"latency added over direct p50 at {n['rate']:.0f}/s, µs", n["added_p50_us"], y["added_p50_us"], None),
        (f"latency added over direct p99 at {n['rate']:.0f}/s, µs", n["added_p99_us"], y["added_p99_us"], None),
        ("resident memory idle, MiB", n["rss_idle_mb"], y["rss_idle_mb"], None),
        ("resident memory, highest under load, MiB", n["rss_load_mb"], y["rss_load_mb"], None),
        ("CPU when idle, percent of a core", n["idle_percent"], y["idle_percent"], None),
        ("start to ready, s", None, s["ready_s"], None),
    ]
    lines = ["| | nginx | Yuzui | ratio |", "|---|---|---|---|"]
    lines += [f"| {what} | {_number(a)} | {_number(b)} | {_number(r)} |" for what, a, b, r in rows]
    return "\n".join(lines)


def _goals(s: Json) -> str:
    lines = ["| goal | at most | measured | |", "|---|---|---|---|"]
    for key, (what, limit, unit) in GOALS.items():
        if key in s:
            verdict = "met" if s[key] <= limit else "**missed**"
            lines.append(f"| {what} | {_number(limit)} {unit} | {_number(s[key])} {unit} | {verdict} |")
    return "\n".join(lines)


def _curves(result: Json) -> str:
    lines = [
        "| growth: Yuzui's CPU per JSON request | µs | to the first | start, s | RSS, MiB |",
        "|---|---|---|---|---|",
    ]
    for points in result["curves"].values():
        for point in points:
            lines.append(
                f"| {point['what']} | {_number(point['cpu_us'])} | {point['ratio']:.2f} | {point['ready_s']:.2f} "
                f"| {_number(point['rss_mb'])} |"
            )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
