from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import fitted
from yuzui.routing.surface import Asked, surface
from yuzui.routing.tensors import pack, unpack
from yuzui.routing.text_encoder import Encoder
from yuzui.routing.up_front import PARTS, UpFront


def test_the_gain_is_the_mixture_of_its_parts() -> None:
    weights = fitted().candidates[0].up_front
    encoder = Encoder(fitted().encoder, unpack(weights.words))
    model = UpFront(weights, encoder.dimensions)
    text = "What is the limit of the series?"
    encoded, row = encoder.encode(text), surface(Asked(text=text))
    parts = model.parts(encoded, encoded.heads, row)
    assert len(parts) == len(PARTS)
    mixed = weights.constant + float(np.dot(weights.mix, parts))
    assert model.gain(encoded, encoded.heads, row) == pytest.approx(mixed)


def test_chances_stay_chances_whatever_the_logits() -> None:
    weights = replace(
        fitted().candidates[0].up_front, mix=(0.0, 1.0, 0.0, 0.0, 0.0), constant=0.0, words_intercepts=(0, 1e6, -1e6)
    )
    encoder = Encoder(fitted().encoder, unpack(weights.words))
    encoded = encoder.encode("x")
    gain = UpFront(weights, encoder.dimensions).gain(encoded, encoded.heads, surface(Asked(text="x")))
    assert gain == pytest.approx(1.0)


def test_waves_that_do_not_fit_the_encoder_are_refused() -> None:
    weights = replace(fitted().candidates[0].up_front, phases=pack(np.zeros(3), "float32"))
    with pytest.raises(ValueError, match="waves"):
        UpFront(weights, unpack(fitted().encoder.projection).shape[1])
