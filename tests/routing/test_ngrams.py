from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.routing.ngrams import MOST_BYTES, RUN_BYTES, buckets_of, cut


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=200), st.sampled_from([8, 14, 16]))
def test_any_text_has_ascending_buckets_within_bounds(text: str, bits: int) -> None:
    buckets, weights = buckets_of(text, bits)
    assert len(buckets) == len(weights)
    assert np.all(np.diff(buckets) > 0)
    assert not len(buckets) or 0 <= buckets[0] <= buckets[-1] < 1 << bits
    assert np.all(weights >= 1)


def test_the_same_words_are_the_same_buckets_wherever_they_stand() -> None:
    lower = 1 << 15
    alone = {bucket for bucket in buckets_of("zebra", 16)[0].tolist() if bucket < lower}
    assert len(alone) == 1
    for text in ("a zebra runs", "Zebra!", "x" * 500 + " zebra", "斑马 zebra 斑马"):
        assert alone <= set(buckets_of(text, 16)[0].tolist()), text
    assert not alone <= set(buckets_of("a horse runs", 16)[0].tolist())


def test_pairs_know_their_order_and_digits_are_all_one() -> None:
    def lexical(text: str) -> set[int]:
        return {bucket for bucket in buckets_of(text, 18)[0].tolist() if bucket < 1 << 17}

    assert lexical("man bites dog") != lexical("dog bites man")
    assert lexical("item 12") == lexical("item 97")


def test_a_word_twice_weighs_more_than_once_but_not_twice() -> None:
    counts = buckets_of("ha ha ha ha", 16)[1].max()
    assert counts == pytest.approx(1 + np.log(4), abs=0.5)


@pytest.mark.parametrize("text", ["", " ", "?!", "\ud800", "a" * (RUN_BYTES - 4)])
def test_texts_shorter_than_a_run_are_fine(text: str) -> None:
    buckets_of(text, 12)


@pytest.mark.parametrize("text", ["x" * 10_000_000, "字" * 3_000_000, "a b " * 1_000_000, "\ud800" * 1_000_000])
def test_a_long_text_costs_no_more_than_its_ends(text: str) -> None:
    assert len(cut(text)) <= MOST_BYTES
    buckets_of("warm", 16)
    began = time.process_time()
    buckets_of(text, 16)
    assert time.process_time() - began < 0.5  # a whole pass over ten million characters takes longer by far


def test_another_process_has_the_same_buckets() -> None:
    text = "Was ist 2+2? 二加二是多少?"
    program = f"from yuzui.routing.ngrams import buckets_of; print(buckets_of({text!r}, 16)[0].tolist())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip  # one thing
    assert outputs == {f"{buckets_of(text, 16)[0].tolist()}\n"}
