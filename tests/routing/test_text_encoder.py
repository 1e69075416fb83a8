from __future__ import annotations

import numpy as np
import pytest

from graded_kit import examples, fitted
from yuzui.routing.ngrams import buckets_of
from yuzui.routing.tensors import pack, unpack
from yuzui.routing.text_encoder import Encoder, EncoderWeights, softmax, weigh


def encoder() -> Encoder:
    weights = fitted().encoder
    return Encoder(weights, np.zeros((1 << weights.bits, 1), np.float32))


def test_texts_with_the_same_words_are_nearer_than_others() -> None:
    ours = encoder()
    one, like, other = (
        ours.encode(text).vector
        for text in ("What is the limit of the series and rain?", "the series, rain, the limit", "the capital of Japan")
    )
    assert one @ like > one @ other
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-4)


def test_topics_are_probabilities_that_tell_the_groups_apart() -> None:
    ours = encoder()
    shares = {"easy": np.zeros(2), "hard": np.zeros(2)}
    for example in examples(200, 5):
        topics = ours.encode(example.prompt).topics
        assert topics.sum() == pytest.approx(1, abs=1e-5)
        shares[example.group] += topics
    assert shares["easy"][0] / shares["easy"].sum() > shares["hard"][0] / shares["hard"].sum() + 0.1


@pytest.mark.parametrize("text", ["", "\ud800", "ψ" * 10, "完全不同的文字"])
def test_a_text_with_nothing_in_common_has_little_energy_and_no_number_that_is_none(text: str) -> None:
    encoded = encoder().encode(text)
    assert np.all(np.isfinite(encoded.vector))
    assert encoded.energy < encoder().encode("What is the capital of France?").energy


def test_each_half_of_the_buckets_has_the_same_length() -> None:
    bits = 12
    buckets, weights = weigh("some words about words", bits, np.ones(1 << bits, np.float32))
    lower = buckets < 1 << (bits - 1)
    for half in (weights[lower], weights[~lower]):
        assert half @ half == pytest.approx(0.5, abs=1e-5)


def test_what_is_too_rare_to_have_a_weight_is_left_out() -> None:
    rarity = np.zeros(1 << 12, np.float32)
    known = buckets_of("zebra", 12)[0][:1]
    rarity[known] = 2
    assert weigh("a zebra", 12, rarity)[0].tolist() == known.tolist()


def test_parts_that_do_not_fit_are_refused() -> None:
    right = fitted().encoder
    size = 1 << right.bits
    with pytest.raises(ValueError, match="bits"):
        Encoder(
            EncoderWeights(bits=30, rarity=right.rarity, projection=right.projection), np.zeros((size, 1), np.float32)
        )
    with pytest.raises(ValueError, match="buckets"):
        Encoder(right, np.zeros((size // 2, 1), np.float32))
    wide = pack(np.zeros((3, 2)), "float32")
    with pytest.raises(ValueError, match="topics"):
        Encoder(
            EncoderWeights(bits=right.bits, rarity=right.rarity, projection=right.projection, topics=wide),
            np.zeros((size, 1), np.float32),
        )
    assert unpack(right.projection).shape[0] == size


def test_softmax_of_large_numbers_is_finite() -> None:
    assert softmax(np.array([1e4, 0.0], np.float32)).tolist() == [1.0, 0.0]
