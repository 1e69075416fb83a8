"""SWE-bench Verified: choose one open model for a workload on half of the graded tasks, look at the other half.

Chosen is the cheapest open model that is not, with 99 % confidence on the half, more than a point worse than the
strongest closed one. Then the tasks of the repositories where it loses most (means shrunk towards the mean of all) go
to the closed model, a fixed small share of all tasks. A point of loss is within the noise of a half, and the
certificate says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from routing_bench.corpora import read
from routing_bench.measured import SEED
from yuzui.evaluation.betting import examples_needed, is_below
from yuzui.evaluation.certify import Floats

SPLITS = 200
LIMIT = 0.01
SURE = 2.33  # standard errors: 99 % on one side
ROUTED_SHARE = 0.06
PRIOR_TASKS = 10.0
OPEN_FAMILIES = ("minimax", "glm", "kimi", "deepseek", "qwen", "devstral", "gpt-oss", "llama")
"""Weights that can be had, by name: the leaderboard's own flag is not set for the newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    runs: tuple[str, ...]
    solved: Floats
    """tasks x runs."""
    costs: Floats
    repositories: Any  # Any: an array of numbers
    closed: int
    open_ones: tuple[int, ...]


def board() -> Board:
    rows = [row for row in read("swebench_results") if row["leaderboard"] == "Verified"]
    tasks = {name: place for place, name in enumerate(sorted({row["instance_id"] for row in rows}))}
    runs = {name: place for place, name in enumerate(sorted({row["run"] for row in rows}))}
    solved, costs = np.full((len(tasks), len(runs)), np.nan), np.full((len(tasks), len(runs)), np.nan)
    names = {row["instance_id"]: row["repo"] for row in rows}
    for row in rows:
        place = tasks[row["instance_id"]], runs[row["run"]]
        solved[place] = float(row["resolved"])
        costs[place] = row["cost_usd"] if row["cost_usd"] is not None else np.nan
    whole = ~np.isnan(solved).any(axis=0) & ~np.isnan(costs).any(axis=0) & (np.nansum(costs, axis=0) > 0)
    is_open = np.array([any(family in run.lower() for family in OPEN_FAMILIES) for run in runs])
    closed = int(np.argmax(np.where(whole & ~is_open, solved.mean(axis=0), -1)))
    return Board(
        runs=tuple(runs), solved=solved, costs=costs, closed=closed,
        repositories=np.unique([names[task] for task in tasks], return_inverse=True)[1],
        open_ones=tuple(int(place) for place in np.flatnonzero(whole & is_open)),
    )  # fmt: skip  # one thing


def choose(board: Board, half: Any) -> int:  # Any: indices
    """The cheapest open run that may be within a point, as far as `half` can tell."""
    best, cost = board.closed, float(board.costs[half, board.closed].mean())
    for run in board.open_ones:
        losses = board.solved[half, board.closed] - board.solved[half, run]
        price = float(board.costs[half, run].mean())
        if losses.mean() - SURE * losses.std() / np.sqrt(len(half)) <= LIMIT and price < cost:
            best, cost = run, price
    return best


def routed(board: Board, half: Any, run: int, share: float) -> Any:  # Any: indices, booleans
    """Which tasks the closed model gets: those of the repositories with the highest shrunk gain on `half`."""
    gains = board.solved[:, board.closed] - board.solved[:, run]
    kinds = int(board.repositories.max()) + 1
    counts = np.bincount(board.repositories[half], minlength=kinds)
    sums = np.bincount(board.repositories[half], gains[half], minlength=kinds)
    shrunk = (sums + PRIOR_TASKS * gains[half].mean()) / (counts + PRIOR_TASKS)
    scores = shrunk[board.repositories] + 1e-9 * np.random.default_rng(len(half) + run).random(len(gains))
    return scores > np.quantile(scores[half], 1 - share)


def workload() -> dict[str, Any]:
    here = board()
    generator = np.random.default_rng(SEED)
    tasks = len(here.solved)
    figures: dict[str, list[list[float]]] = {"chosen": [], "chosen_and_routed": []}
    picked: dict[str, int] = {}
    for _ in range(SPLITS):
        order = generator.permutation(tasks)
        half, rest = order[: tasks // 2], order[tasks // 2 :]
        run = choose(here, half)
        picked[here.runs[run]] = picked.get(here.runs[run], 0) + 1
        for name, share in (("chosen", 0.0), ("chosen_and_routed", ROUTED_SHARE)):
            is_closed = routed(here, half, run, share) if share else np.zeros(tasks, bool)
            losses = np.where(is_closed, 0.0, here.solved[:, here.closed] - here.solved[:, run])
            costs = np.where(is_closed, here.costs[:, here.closed], here.costs[:, run])
            saving = 1 - costs[rest].sum() / here.costs[rest, here.closed].sum()
            figures[name].append([float(losses[rest].mean()), float(saving)])
    run = max(picked, key=lambda name: picked[name])
    losses = here.solved[:, here.closed] - here.solved[:, here.runs.index(run)]
    shuffled = generator.permutation(losses)[:, None]
    return {
        "tasks": tasks, "closed": here.runs[here.closed], "picked": picked, "splits": SPLITS,
        "routed_share": ROUTED_SHARE,
        **{
            name: {"loss": float(np.mean(rows, axis=0)[0]), "saving": float(np.mean(rows, axis=0)[1]),
                   "splits_within_limit": float(np.mean(np.array(rows)[:, 0] <= LIMIT))}
            for name, rows in figures.items()
        },
        "whole": {"run": run, "loss": float(losses.mean()), "standard_error": float(losses.std() / np.sqrt(tasks))},
        "certified_at_2pp": bool(is_below(shuffled, 0.02, 0.1)[0]),
        "needed_at_2pp": examples_needed(float(losses.mean()), float(losses.var()), 0.02, 0.1),
        "needed_at_2pp_if_loss_were_1pp": examples_needed(0.01, float(losses.var()), 0.02, 0.1),
    }  # fmt: skip  # one thing
