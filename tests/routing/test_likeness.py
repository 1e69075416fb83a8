from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import artefact, examples, fitted
from yuzui.routing.learned import Learned
from yuzui.routing.likeness import Likeness
from yuzui.routing.surface import NAMES, Asked
from yuzui.routing.tensors import pack, unpack


def test_requests_of_the_same_kind_are_turned_away_no_more_often_than_was_said() -> None:
    router = Learned(artefact())
    unlike = np.mean([not router.look(example.asked).is_like for example in examples(600, 99)])
    assert unlike <= fitted().likeness.share_unlike + 0.03


@pytest.mark.parametrize(
    "text",
    ["", "把下面这段话翻译成英文：今天天气很好，我们去公园散步。", "def f(x):\n    return x\n" * 40,
     "Dear Sir or Madam, I write to complain about the delay of my order; please advise. " * 20, "\ud800" * 50],
)  # fmt: skip
def test_requests_of_another_kind_are_unlike(text: str) -> None:
    look = Learned(artefact()).look(Asked(text=text))
    assert not look.is_like
    assert look.p_value < 0.02


def test_a_p_value_is_a_rank() -> None:
    weights = fitted().likeness
    count = len(unpack(weights.distances))
    one = Likeness(weights, NAMES, unpack(weights.prototypes).shape[1])
    far = one.p_value(np.full(len(NAMES), 1e6, np.float32), np.zeros(one._prototypes.shape[1], np.float32), 0.0)
    assert far == pytest.approx(3 / (count + 1))


def test_weights_that_do_not_fit_are_refused() -> None:
    weights = fitted().likeness
    dimensions = unpack(weights.prototypes).shape[1]
    with pytest.raises(ValueError, match="fit it again"):
        Likeness(weights, ("other",), dimensions)
    for wrong in (
        replace(weights, centre=pack(np.zeros(2), "float32")),
        replace(weights, prototypes=pack(np.zeros((1, dimensions + 1)), "float32")),
        replace(weights, distances=pack(np.array([[1.0, 1, 1], [0, 0, 0]]), "float32")),
        replace(weights, share_unlike=1.0),
    ):
        with pytest.raises(ValueError, match=r"fit|ascending|share"):
            Likeness(wrong, NAMES, dimensions)
