"""`docs/routing.md`, written from the figures of a run."""
# ruff: noqa: E501  # sentences of a page read better unbroken

from __future__ import annotations

from typing import Any

Figures = dict[str, Any]  # Any: JSON, as `__main__` fills it


def page(facts: dict[str, Any]) -> str:
    """`docs/routing.md` of a run in which everything was measured."""
    figures = facts["figures"]
    lines = [
        "# Routing: what was measured", "",
        f"Written by `make routing-bench` on {facts['date']} at commit {facts['commit']}, Python {facts['python']}, "
        f"{facts['machine']['cpu']}. Fitted on `train`, calibrated on `calib`, reported on `public_test` of outcomes that other "
        "people recorded; see [what the measures mean](../bench/routing_bench/README.md). Intervals: 500 bootstrap redraws of the "
        "requests.", "",
        "| measure | known before | goal | measured | 95 % interval | met |", "|---|---|---|---|---|---|",
    ]  # fmt: skip  # one page
    for row in facts["goals"]:
        goal = f"≥ {row['least']:g}" if row["least"] is not None else f"≤ {row['most']:g}"
        interval = " to ".join(f"{bound:.3f}" for bound in row["interval_95"]) if row["interval_95"] else ""
        met = "yes" if row["met"] else "**no**"
        lines.append(f"| {row['goal']} | {row['anchor']} | {goal} | {row['value']:.4g} | {interval} | {met} |")
    lines += _guarantee_lines(figures["guarantee"]["rows"]) + _unseen_lines(
        figures["unseen"]["journeys"], figures["unseen"]["cascades"]
    )
    return "\n".join([*lines, *_saving_lines(figures), ""])


def _guarantee_lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["", "## The promise, redrawn", "",
             "2 points at 90 %, 2,000 calibration examples drawn with replacement, 200 redraws: how often the promise was broken, "
             "and what share of the best possible open share was certified on average. *Growth*: bets that aim at growth. "
             "*Normal*: the normal approximation, without guarantee. *Naive*: the boldest threshold that looked good.", "",
             "| set | policy | best possible | broken | of the best | growth: broken | of the best | normal: broken "
             "| of the best | naive: broken |", "|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        cells = [f"{row[way][what]:.1%}" for way in ("ours", "growth", "normal") for what in ("violations", "of_best")]
        naive = f"{row['naive']['violations']:.1%}"
        lines.append(f"| {row['set']} | {row['policy']} | {row['best_open']:.1%} | {' | '.join(cells)} | {naive} |")
    return lines


def _unseen_lines(rows: list[dict[str, Any]], cascades: dict[str, Any]) -> list[str]:
    lines = ["", "## Domains that the router does not know", "",
             "Up front, at the threshold certified at home for 2 points.", "",
             "| from → to | requests | APGR of the order | turned away | open | loss without turning away | loss |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        lines.append(f"| {row['journey']} | {row['n']} | {row['apgr_raw']:.3f} | {row['turned_away']:.1%} | {row['open']:.1%} "
                     f"| {row['raw_loss']:+.2%} | {row['loss']:+.2%} |")  # fmt: skip
    lines += ["", "The portable cascade there, fitted without the domain:", "", "| domain | requests | gap | APGR | 95 % interval |",
              "|---|---|---|---|---|"]  # fmt: skip
    for name, groups in cascades.items():
        for group, row in groups.items():
            known = row["apgr"] is not None
            interval = f"{row['apgr_95'][0]:.3f} to {row['apgr_95'][1]:.3f}" if known else ""
            value = f"{row['apgr']:.3f}" if known else "no gap"
            lines.append(f"| {name}: {group} | {row['n']} | {row['gap']:+.1%} | {value} | {interval} |")
    return lines


def _saving_lines(figures: Figures) -> list[str]:
    lines = ["", "## Net savings", "",
             "All calls counted, against always the reference. Certified on `calib` with δ = 10 %, seen on `public_test`.", "",
             "| set | n | ε | certified | open | loss seen | saving |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, key in (("mmlu", "saving"), ("gsm8k", "saving"), ("gsm8k", "saving_one_check"), ("zeroeval", "saving"),
                      ("mmlu_pro", "saving")):  # fmt: skip
        saving = figures[name][key]
        for epsilon, row in saving["certified"].items():
            said = "yes" if row["is_certified"] else "no"
            title = f"{name}, one check" if key == "saving_one_check" else name
            lines.append(f"| {title} | {saving['n_calib']} | {float(epsilon):.0%} | {said} | {row['open_test']:.1%} "
                         f"| {row['loss_test']:+.2%} | {row['saving_test']:.1%} |")  # fmt: skip
    work = figures["swebench"]
    lines += ["", "## One model for a workload", "",
              f"SWE-bench Verified, {work['tasks']} tasks. On half of them the cheapest open model is chosen that may be within a "
              f"point of the reference, and as many tasks as leave a saving of {work['kept_saving']:.0%} there go to the "
              f"reference, by repository. Seen on the other half; means of {work['splits']} splits.", "",
              "| reference | chosen: loss | saving | routed | and routed: loss | 80 % of the splits | saving |",
              "|---|---|---|---|---|---|---|"]  # fmt: skip
    for title, key in (
        ("strongest on the deciding half", "by_half"),
        (f"strongest on all tasks (hindsight): {work['closed']}", "hindsight"),
    ):
        row = work[key]
        chosen, both = row["chosen"], row["chosen_and_routed"]
        lines.append(f"| {title} | {chosen['loss']:+.2%} | {chosen['saving']:.1%} | {row['routed_share']:.1%} | {both['loss']:+.2%} "
                     f"| {both['loss_80'][0]:+.2%} to {both['loss_80'][1]:+.2%} | {both['saving']:.1%} |")  # fmt: skip
    lines += ["", f"Not certifiable at 2 points: the loss of {work['whole']['run']} on all tasks is {work['whole']['loss']:+.2%} with "
              f"a standard error of {work['whole']['standard_error']:.2%}; about {work['needed_at_2pp_if_loss_were_1pp']} graded "
              "tasks would certify a true loss of one point."]  # fmt: skip
    return lines
