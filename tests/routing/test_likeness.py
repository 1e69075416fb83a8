from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import artefact, examples, fitted
from yuzui.routing.artefact import read_artefact, write_artefact
from yuzui.routing.learned import Learned
from yuzui.routing.likeness import Floats, Likeness, LikenessWeights, distances_of, oddness_of
from yuzui.routing.surface import NAMES, Asked
from yuzui.routing.tensors import Tensor, pack, unpack

DIMENSIONS = 4
WIDTH = len(NAMES)


def square(distances: Tensor, *, oddness: Tensor | None = None, prototypes: Tensor | None = None) -> LikenessWeights:
    """Numbers are measured as they are."""
    return LikenessWeights(
        names=NAMES, centre=pack(np.zeros(WIDTH), "float32"), scale=pack(np.ones(WIDTH), "float32"),
        whitening=pack(np.eye(WIDTH), "float32"), share_unlike=0.1, distances=distances, oddness=oddness,
        prototypes=prototypes,
    )  # fmt: skip  # one thing


def of_kind(seed: int, count: int) -> list[tuple[Floats, float, Floats]]:
    """Surface, energy and topics of requests that are all of one kind."""
    generator = np.random.default_rng(seed)
    return [
        (
            generator.normal(size=WIDTH).astype(np.float32), float(generator.beta(5, 3)),
            generator.dirichlet(np.full(3, 0.3)).astype(np.float32),
        )
        for _ in range(count)
    ]  # fmt: skip  # one thing


def learned_from(seed: int, count: int) -> LikenessWeights:
    measured = [
        distances_of(
            surface, energy, topics, centre=np.zeros(WIDTH, np.float32), scale=np.ones(WIDTH, np.float32),
            whitening=np.eye(WIDTH, dtype=np.float32),
        )
        for surface, energy, topics in of_kind(seed, count)
    ]  # fmt: skip  # one call
    ranks = np.sort(np.array(measured, np.float32), axis=0)
    odd = np.sort([oddness_of(list(ranks.T), one) for one in measured])
    return square(pack(ranks, "float32"), oddness=pack(odd, "float32"))


def of_before() -> LikenessWeights:
    """As routers had it that ranked neighbours."""
    ranks = np.sort(np.random.default_rng(1).random((200, 3)), axis=0)
    return square(pack(ranks, "float32"), prototypes=pack(np.eye(DIMENSIONS), "float32"))


def test_requests_of_the_same_kind_are_turned_away_no_more_often_than_was_said() -> None:
    router = Learned(artefact())
    unlike = np.mean([not router.look(example.asked).is_like for example in examples(600, 99)])
    assert unlike <= fitted().likeness.share_unlike + 0.03


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_a_p_value_of_the_same_kind_is_uniform(share: float) -> None:
    one = Likeness(learned_from(2, 1500), NAMES, DIMENSIONS, 3)
    vector = np.zeros(DIMENSIONS, np.float32)
    found = np.array([one.p_value(surface, vector, energy, topics) for surface, energy, topics in of_kind(3, 1500)])
    assert (found < share).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) * 2 / 1500))


def test_oddities_that_are_each_ordinary_add_up() -> None:
    one = Likeness(learned_from(2, 1500), NAMES, DIMENSIONS, 3)
    vector, undecided = np.zeros(DIMENSIONS, np.float32), np.full(3, 1 / 3, np.float32)
    ordinary, decided = np.ones(WIDTH, np.float32), np.array([0.98, 0.01, 0.01], np.float32)
    alone = [one.p_value(ordinary, vector, 0.3, decided), one.p_value(ordinary, vector, 0.65, undecided)]
    assert one.p_value(ordinary, vector, 0.3, undecided) < 0.5 * min(alone)


@pytest.mark.parametrize(
    "text",
    ["", "把下面这段话翻译成英文：今天天气很好，我们去公园散步。", "def f(x):\n    return x\n" * 40,
     "Dear Sir or Madam, I write to complain about the delay of my order; please advise. " * 20, "\ud800" * 50],
)  # fmt: skip
def test_requests_of_another_kind_are_unlike(text: str) -> None:
    look = Learned(artefact()).look(Asked(text=text))
    assert not look.is_like
    assert look.p_value < 0.05


def test_a_p_value_is_a_rank() -> None:
    one = Likeness(learned_from(2, 300), NAMES, DIMENSIONS, 3)
    far = one.p_value(
        np.full(WIDTH, 1e6, np.float32), np.zeros(DIMENSIONS, np.float32), 0.0, np.full(3, 1 / 3, np.float32)
    )
    assert far == pytest.approx(1 / 301)


def test_routers_of_before_rank_neighbours_and_keep_their_hash() -> None:
    one = Likeness(of_before(), NAMES, DIMENSIONS, 0)
    far = one.p_value(np.full(WIDTH, 1e6, np.float32), np.zeros(DIMENSIONS, np.float32), 0.0, np.zeros(0, np.float32))
    assert far == pytest.approx(3 / 201)
    # What is written again has the bytes, so the hash, that it was read with: no field of today's is added.
    raw = write_artefact(read_artefact(write_artefact(replace(fitted(), likeness=of_before()))).fitted)
    assert b"oddness" not in raw
    assert write_artefact(read_artefact(raw).fitted) == raw


def test_weights_that_do_not_fit_are_refused() -> None:
    weights, before = learned_from(2, 50), of_before()
    with pytest.raises(ValueError, match="fit it again"):
        Likeness(weights, ("other",), DIMENSIONS, 3)
    assert weights.oddness is not None
    for wrong in (
        replace(weights, centre=pack(np.zeros(2), "float32")),
        replace(weights, distances=pack(np.array([[1.0, 1, 1], [0, 0, 0]]), "float32")),
        replace(weights, distances=pack(unpack(weights.distances)[:, :2], "float32")),
        replace(weights, oddness=pack(unpack(weights.oddness)[:-1], "float32")),
        replace(weights, oddness=pack(unpack(weights.oddness)[::-1], "float32")),
        replace(weights, oddness=None),
        replace(weights, prototypes=before.prototypes),
        replace(weights, share_unlike=1.0),
        replace(before, prototypes=pack(np.zeros((1, DIMENSIONS + 1)), "float32")),
    ):
        with pytest.raises(ValueError, match=r"fit|ascending|share"):
            Likeness(wrong, NAMES, DIMENSIONS, 3)
