"""Fitting with scikit-learn, leaving plain arrays: linear models, forests, the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from yuzui.routing.dense import MOST_DEVIATIONS, DenseWeights
from yuzui.routing.forest import ForestWeights
from yuzui.routing.ngrams import buckets_of
from yuzui.routing.tensors import pack

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Matrix = Any  # a scipy.sparse.csr_matrix; scipy carries no types

FOLDS: Final = 5
MOST_TREES: Final = 96
BOOSTED_TREES: Final = 120
DEEPEST: Final = 10
"""Levels of a random tree: each is a step of array arithmetic in every decision."""


def folds(count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """`FOLDS` pairs of (fit on, predict) that together predict every row once."""
    order = np.random.default_rng(seed).permutation(count)
    parts = np.array_split(order, FOLDS)
    return [
        (np.concatenate([part for other, part in enumerate(parts) if other != place]), parts[place])
        for place in range(FOLDS)
    ]


def out_of_fold(count: int, seed: int, predict: Callable[[Rows, Rows], Floats]) -> Floats:
    """What `predict(fit on, predict)` says of each row when the row had no part in the fit."""
    result = np.zeros(count)
    for fitted, held in folds(count, seed):
        result[held] = predict(fitted, held)
    return result


def mix_of(parts: Floats, gains: Floats) -> tuple[tuple[float, ...], float]:
    """Weights, none negative, and a constant, with which columns of out-of-fold predictions best predict `gains`.

    Least squares, so the mixture is calibrated: of requests with a predicted gain of 0.1 the mean gain is about 0.1.
    """
    from sklearn.linear_model import LinearRegression

    spread = parts.std(axis=0)
    if not np.any(spread > 1e-9):
        return tuple(0.0 for _ in spread), float(gains.mean())
    model = LinearRegression(positive=True).fit(parts, gains)
    return tuple(float(weight) for weight in model.coef_), float(model.intercept_)


def bag(texts: Sequence[str], bits: int) -> Matrix:
    """texts x buckets, with what `ngrams.buckets_of` says."""
    from scipy.sparse import csr_matrix

    pairs = [buckets_of(text, bits) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in pairs)])
    columns = np.concatenate([buckets for buckets, _ in pairs]) if pairs else np.zeros(0)
    weights = np.concatenate([weights for _, weights in pairs]) if pairs else np.zeros(0)
    return csr_matrix((weights, columns, ends), shape=(len(texts), 1 << bits), dtype=np.float32)


def rarity_of(counts: Matrix) -> npt.NDArray[np.float32]:
    """Per bucket: 1 + ln((1 + n) / (1 + examples that have it)); 0 for what fewer than two have."""
    having = np.asarray((counts > 0).sum(axis=0)).ravel()
    weights = np.where(having >= 2, 1 + np.log((1 + counts.shape[0]) / (1 + having)), 0.0)
    return weights.astype(np.float16).astype(np.float32)  # as it will be read back


def weighed(counts: Matrix, rarity: npt.NDArray[np.float32]) -> Matrix:
    """As `text_encoder.weigh` has it: each half of the buckets of length sqrt(1/2)."""
    from scipy.sparse import diags, hstack

    scaled = (counts @ diags(rarity)).tocsr()
    half = counts.shape[1] // 2
    parts = []
    for part in (scaled[:, :half], scaled[:, half:]):
        lengths = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())
        parts.append(diags(np.where(lengths > 0, np.sqrt(0.5) / np.maximum(lengths, 1e-12), 0.0)) @ part)
    return hstack(parts).tocsr().astype(np.float32)


def projection_of(bags: Matrix, dimensions: int, seed: int) -> Floats:
    """buckets x dimensions: the strongest directions of the bags (latent semantic analysis)."""
    from sklearn.decomposition import TruncatedSVD

    rank = max(1, min(dimensions, bags.shape[0] // 4, bags.shape[1] - 1))
    with np.errstate(invalid="ignore"):  # scikit-learn divides by the variance, which prompts that are all alike lack
        components: Floats = TruncatedSVD(rank, n_iter=4, random_state=seed).fit(bags).components_.T
    return components


def forest_of(
    rows: Floats, gains: Floats, *, boosted: bool, seed: int
) -> tuple[ForestWeights, Callable[[Floats], Floats]]:
    """Trees on `rows`, as arrays, and the fitted model's own prediction."""
    from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor

    leaf = max(8, len(rows) // 250)
    if boosted:
        model: Any = GradientBoostingRegressor(  # Any: scikit-learn carries no types
            n_estimators=BOOSTED_TREES, max_depth=3, learning_rate=0.05, subsample=0.5, min_samples_leaf=max(10, leaf),
            max_features=0.5, random_state=seed,
        ).fit(rows, gains)  # fmt: skip
        trees = [tree.tree_ for tree in model.estimators_.ravel()]
        base, factor = float(gains.mean()), 0.05
    else:
        model = ExtraTreesRegressor(
            MOST_TREES, max_depth=DEEPEST, min_samples_leaf=leaf, max_features=0.5, random_state=seed
        ).fit(rows, gains)
        trees = [tree.tree_ for tree in model.estimators_]
        base, factor = 0.0, 1 / MOST_TREES
    return _as_arrays(trees, base, factor), model.predict


def _as_arrays(trees: Sequence[Any], base: float, factor: float) -> ForestWeights:  # Any: sklearn.tree._tree.Tree
    """One after the other. scikit-learn compares in float32 with `<=`, as `Forest` does; its leaves point to -1."""
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    left, right, features, thresholds, values = [], [], [], [], []
    for start, tree in zip(starts, trees, strict=False):
        here = np.arange(tree.node_count) + start
        is_leaf = tree.children_left < 0
        left.append(np.where(is_leaf, here, tree.children_left + start))
        right.append(np.where(is_leaf, here, tree.children_right + start))
        features.append(np.where(is_leaf, 0, tree.feature))
        thresholds.append(_not_above(np.where(is_leaf, 0.0, tree.threshold)))
        values.append(np.where(is_leaf, tree.value[:, 0, 0], 0.0))
    return ForestWeights(
        features=pack(np.concatenate(features), "int16"),
        thresholds=pack(np.concatenate(thresholds), "float32"),
        left=pack(np.concatenate(left), "int32"),
        right=pack(np.concatenate(right), "int32"),
        values=pack(np.concatenate(values), "float32"),
        roots=pack(starts[:-1], "int32"),
        depth=max(int(tree.max_depth) for tree in trees),
        base=base,
        factor=factor,
    )


def _not_above(thresholds: Floats) -> npt.NDArray[np.float32]:
    """Rounded down to float32: a float32 value is at most a threshold exactly when it is at most that."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded.astype(np.float64) > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def dense_of(
    rows: Floats, gains: Floats, names: tuple[str, ...], *, seed: int, apart: bool = False
) -> tuple[DenseWeights, Floats]:
    """Linear models and forests, mixed by what they predict out of fold; and what the mixture predicts there.

    `apart`: what the reference wins and what the candidate wins are learned apart as well. Where only one of the two
    can be foreseen, the other is noise in the difference. Costs up to two more forests in each decision.

    `rows` must be what the features give in float32. Few examples make the linear models stiffer.
    """
    from sklearn.linear_model import Ridge

    rows = rows.astype(np.float32).astype(np.float64)
    centre, scale = rows.mean(axis=0).astype(np.float32), np.maximum(rows.std(axis=0), 1e-3).astype(np.float32)

    def standard(some: Floats) -> Floats:
        deviations: Floats = np.clip((some - centre) / scale, -MOST_DEVIATIONS, MOST_DEVIATIONS)
        return deviations

    def linear(target: Floats) -> Callable[[Rows, Rows], Floats]:
        return lambda fit, held: (
            Ridge(alpha=100.0).fit(standard(rows[fit]), target[fit]).predict(standard(rows[held]))
        )  # fmt: skip  # one call

    def forest(boosted: bool, target: Floats) -> Callable[[Rows, Rows], Floats]:
        return lambda fit, held: forest_of(rows[fit], target[fit], boosted=boosted, seed=seed)[1](rows[held])

    won, lost = np.maximum(gains, 0.0), np.minimum(gains, 0.0)
    lines = (won, lost) if apart else (gains,)
    grown = [(boosted, target) for target in ((gains, won) if apart else (gains,)) for boosted in (True, False)]
    ways = [*(linear(target) for target in lines), *(forest(*one) for one in grown)]
    parts = np.column_stack([out_of_fold(len(rows), seed, way) for way in ways])
    mix, constant = mix_of(parts, gains)
    ridges = [Ridge(alpha=100.0).fit(standard(rows), target) for target in lines]
    straight = list(zip(mix, ridges, strict=False))
    used = [(weight, one) for weight, one in zip(mix[len(lines) :], grown, strict=True) if weight]
    weights = DenseWeights(
        names=names, centre=pack(centre, "float32"), scale=pack(scale, "float32"),
        linear=pack(sum(weight * ridge.coef_ for weight, ridge in straight), "float32"),
        intercept=float(sum(weight * ridge.intercept_ for weight, ridge in straight)),
        forests=tuple(forest_of(rows, target, boosted=boosted, seed=seed)[0] for _, (boosted, target) in used),
        mix=(float(any(mix[: len(lines)])), *(weight for weight, _ in used)), constant=constant,
    )  # fmt: skip  # one thing
    return weights, parts @ np.array(mix) + constant
