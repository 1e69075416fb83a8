"""SWE-bench Verified: choose one open model for a workload on half of the graded tasks, look at the other half.

The reference is the closed model that is strongest on the half: whoever chooses on a half knows no more. Beside it
stands the closed model that is strongest on all tasks, a reference that only hindsight knows and that is luckier on the
other half than its skill is. Chosen is the cheapest open model that is not, with 99 % confidence on the half, more than
a point worse than the reference. Then the tasks of the repositories where it loses most (means shrunk towards the
mean of all) go to the reference, as large a share as the saving on the half leaves room for. A point of loss is within
the noise of a half, and the certificate says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from routing_bench.corpora import read
from routing_bench.measured import SEED
from yuzui.evaluation.betting import examples_needed, is_below
from yuzui.evaluation.certify import Floats

SPLITS = 200
LIMIT = 0.01
SURE = 2.33  # standard errors: 99 % on one side
SHARES = tuple(share / 100 for share in range(1, 16))
KEPT_SAVING = 0.86
"""On the half: a point more than the goal, because a share that just fits one half just misses on the other."""
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
    closed_ones: tuple[int, ...]


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
        closed_ones=tuple(int(place) for place in np.flatnonzero(whole & ~is_open)),
    )  # fmt: skip  # one thing


def strongest(board: Board, half: Any) -> Board:  # Any: indices
    """With the closed run that solves most of `half` as the reference; the dearer one of equals, as the harder one."""
    best = max(board.closed_ones, key=lambda run: (board.solved[half, run].mean(), board.costs[half, run].mean()))
    return replace(board, closed=best)


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


def affordable(board: Board, half: Any, run: int) -> tuple[float, Any]:  # Any: indices, booleans
    """The largest share for the reference that leaves a saving of `KEPT_SAVING` on `half`, and its tasks."""
    best, is_closed = 0.0, np.zeros(len(board.solved), bool)
    for share in SHARES:
        tried = routed(board, half, run, share)
        if _seen(board, run, tried, half)[1] < KEPT_SAVING:
            break
        best, is_closed = share, tried
    return best, is_closed


def _seen(board: Board, run: int, is_closed: Any, tasks: Any) -> tuple[float, float]:  # Any: booleans, indices
    """Loss and saving on `tasks`."""
    losses = np.where(is_closed, 0.0, board.solved[:, board.closed] - board.solved[:, run])
    costs = np.where(is_closed, board.costs[:, board.closed], board.costs[:, run])
    return float(losses[tasks].mean()), float(1 - costs[tasks].sum() / board.costs[tasks, board.closed].sum())


def workload() -> dict[str, Any]:
    here = board()
    generator = np.random.default_rng(SEED)
    tasks = len(here.solved)
    orders = [generator.permutation(tasks) for _ in range(SPLITS)]
    halves = [(order[: tasks // 2], order[tasks // 2 :]) for order in orders]
    figures = {
        "by_half": _splits([(strongest(here, half), half, rest) for half, rest in halves]),
        "hindsight": _splits([(here, half, rest) for half, rest in halves]),
    }
    picked = figures["hindsight"]["picked"]
    run = here.runs.index(max(picked, key=lambda name: picked[name]))
    losses = here.solved[:, here.closed] - here.solved[:, run]
    shuffled = generator.permutation(losses)[:, None]
    return {
        "tasks": tasks, "closed": here.runs[here.closed], "splits": SPLITS, "kept_saving": KEPT_SAVING, **figures,
        "whole": {
            "run": here.runs[run], "loss": float(losses.mean()),
            "standard_error": float(losses.std() / np.sqrt(tasks)),
        },
        "certified_at_2pp": bool(is_below(shuffled, 0.02, 0.1)[0]),
        "needed_at_2pp": examples_needed(float(losses.mean()), float(losses.var()), 0.02, 0.1),
        "needed_at_2pp_if_loss_were_1pp": examples_needed(0.01, float(losses.var()), 0.02, 0.1),
    }  # fmt: skip  # one thing


def _splits(cases: list[tuple[Board, Any, Any]]) -> dict[str, Any]:  # Any: indices; JSON
    """Decided on the half of each case, seen on its rest; means over all."""
    seen: dict[str, list[tuple[float, float]]] = {"chosen": [], "chosen_and_routed": []}
    picked: dict[str, int] = {}
    references: dict[str, int] = {}
    shares = []
    for board, half, rest in cases:
        run = choose(board, half)
        for counts, name in ((picked, board.runs[run]), (references, board.runs[board.closed])):
            counts[name] = counts.get(name, 0) + 1
        share, is_closed = affordable(board, half, run)
        shares.append(share)
        seen["chosen"].append(_seen(board, run, np.zeros(len(board.solved), bool), rest))
        seen["chosen_and_routed"].append(_seen(board, run, is_closed, rest))
    return {
        "picked": picked, "references": references, "routed_share": float(np.mean(shares)),
        **{
            name: {
                "loss": float(np.mean(rows, axis=0)[0]), "saving": float(np.mean(rows, axis=0)[1]),
                "loss_80": [float(bound) for bound in np.quantile([loss for loss, _ in rows], (0.1, 0.9))],
                "splits_within_limit": float(np.mean([loss <= LIMIT for loss, _ in rows])),
            }
            for name, rows in seen.items()
        },
    }  # fmt: skip  # one thing
