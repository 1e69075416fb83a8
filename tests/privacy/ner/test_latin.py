"""Latin script: votes by look-up, the best sequence, and what no name looks like."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from yuzui.privacy.ner.latin import (
    EDGE,
    LABELS,
    TOKEN,
    LatinTagger,
    Weights,
    best_paths,
    lists_of,
    own_features,
    pair_features,
    probabilities,
    shape_of,
)
from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.word_lists import Lists

LISTS = Lists(frozenset(("ada",)), frozenset(("lovelace",)), frozenset(("the", "rose")), frozenset(("paris",)))


def votes(**labels: float) -> np.ndarray:
    row = np.zeros(len(LABELS), dtype=np.float32)
    for label, vote in labels.items():
        row[LABELS.index(label.replace("_", "-"))] = vote
    return row


def tagger(**features: np.ndarray) -> LatinTagger:
    transitions = np.zeros((len(LABELS), len(LABELS)), dtype=np.float32)
    table = {"0g=l": votes(O=8.0), "0g=.": votes(O=8.0), **features}
    return LatinTagger(Weights(features=table, transitions=transitions, evidence="test 1"), LISTS)


KNOWS_ADA = tagger(**{"0g=Cg": votes(B_PER=9.0), "0g=Cs": votes(I_PER=9.0)})


def found(one: LatinTagger, text: str) -> list[tuple[str, str]]:
    spans = one(text, [Segment(0, len(text), "latin")])
    return [(text[span.start : span.end], span.kind) for span in spans]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("J.K. Rowling's U.S. o'Neil", ["J.K.", "Rowling's", "U.S.", "o'Neil"]),
        ("Jean-Luc, 12 Main St.", ["Jean", "-", "Luc", ",", "12", "Main", "St", "."]),
        ("José Müller 5th 3.14", ["José", "Müller", "5th", "3.14"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert TOKEN.findall(text) == tokens


def test_lists_and_shapes() -> None:
    assert lists_of("Ada", LISTS) == "Cg" and lists_of("Ada's", LISTS) == "Cg" and lists_of("ADA", LISTS) == "Ug"
    assert lists_of("Rose", LISTS) == "Cc" and lists_of("Dr", LISTS) == "Ct" and lists_of("May", LISTS) == "Cm"
    assert lists_of("Street", LISTS) == "Cr" and lists_of("Inc", LISTS) == "Co" and lists_of("12", LISTS) == "d"
    assert [shape_of(word) for word in ("Smith", "J.", "iPhone", "1234", "O'Neil")] == [
        "Xx",
        "X.",
        "xXx",
        "dddd",
        "X'Xx",
    ]
    assert own_features("Ada", LISTS) == ("w=ada", "s=Xx", "g=Cg", "e=ada")
    assert pair_features([EDGE, "Cg", "Cs", EDGE], 0) == (f"{EDGE}|Cg<", "Cg|Cs>", f"{EDGE}|Cg|Cs")


def test_the_best_sequence_and_the_probabilities_are_those_of_all_sequences() -> None:
    random = np.random.default_rng(5)
    scores = random.normal(size=(3, 4, 3)).astype(np.float32)
    into = random.normal(size=(3, 3)).astype(np.float32)  # (after, before)
    lengths = [4, 2, 1]
    paths, chances = best_paths(scores, lengths, into), probabilities(scores, lengths, into)
    for row, length in enumerate(lengths):
        weights = {
            path: float(
                sum(scores[row, at, label] for at, label in enumerate(path))
                + sum(into[b, a] for a, b in pairwise(path))
            )
            for path in product(range(3), repeat=length)
        }
        assert tuple(paths[row, :length]) == max(weights, key=lambda path: weights[path])
        total = sum(np.exp(list(weights.values())))
        for at, label in product(range(length), range(3)):
            share = sum(np.exp(weight) for path, weight in weights.items() if path[at] == label) / total
            assert chances[row, at, label] == pytest.approx(share, abs=1e-4)


def test_words_in_lists_become_a_person_with_the_title_before() -> None:
    assert found(KNOWS_ADA, "we met Dr. Ada Lovelace.") == [("Dr. Ada Lovelace", "person")]
    assert found(KNOWS_ADA, "this is Ada's rose") == [("Ada", "person")]


def test_votes_of_neighbours_and_pairs_count() -> None:
    one = tagger(**{"-1w=mr": votes(B_PER=12.0), "Ct|C>": votes(O=9.0)})
    assert found(one, "so Mr Xyzzy came") == [("Mr Xyzzy", "person")]


@pytest.mark.parametrize("text", ["x = {Ada}", "messageAda", "Ada_Lovelace(", "Ада"])
def test_what_no_name_looks_like_is_not_reported(text: str) -> None:
    everything = tagger(**{"0s=Xx": votes(B_PER=20.0), "0g={": votes(I_PER=20.0), "0g==": votes(I_PER=20.0),
                           "0g=}": votes(I_PER=20.0), "0g=_": votes(I_PER=20.0)})  # fmt: skip
    for words, _ in found(everything, text):
        assert words == "Ada" or words == "Lovelace"


def test_long_chains_are_cut_with_an_overlap_and_memory_starts_anew() -> None:
    text = "word " * 300 + "Ada Lovelace " + "word " * 300
    spans = KNOWS_ADA(text, [Segment(0, len(text), "latin")])
    assert {text[one.start : one.end] for one in spans} == {"Ada Lovelace"}
    for first in range(150, 230):
        text = "word " * first + "Ada Lovelace " + "word " * 100
        assert any(
            text[one.start : one.end] == "Ada Lovelace" for one in KNOWS_ADA(text, [Segment(0, len(text), "latin")])
        )
    one = tagger(**{"0g=Cg": votes(B_PER=9.0)})
    one("".join(f"w{number} x{number}y " for number in range(26_000)), [Segment(0, 700_000, "latin")])
    assert found(one, "Ada is here") == [("Ada", "person")]


def test_words_of_the_sentence_do_not_belong_to_an_address() -> None:
    one = tagger(**{"0g=d": votes(B_ADR=20.0), "0s=Xx": votes(I_ADR=20.0), "0w=and": votes(I_ADR=20.0)})
    assert found(one, "lives at 12 Xyzzy Street and has") == [("12 Xyzzy Street", "postal_address")]


def test_codes_nations_headings_and_words_with_an_article_are_no_persons() -> None:
    one = tagger(**{"0s=Xx": votes(B_PER=20.0), "0s=X": votes(B_PER=20.0), "0s=X.": votes(B_PER=20.0)})
    assert ("German", "nationality") in found(one, "is German here")
    assert ("Finland", "location") in found(one, "in Finland now")
    assert found(one, "take Paracetamol now") == [] and found(one, "the Rose 34") == []
    joined = tagger(**{"0s=Xx": votes(I_PER=20.0), "0s=X": votes(B_PER=20.0), "0s=X.": votes(B_PER=20.0)})
    assert found(joined, "see TRF Xyzzy") == [] or all(kind != "person" for _, kind in found(joined, "see TRF Xyzzy"))
    assert found(joined, "B. Ada") == [("Ada", "person")]
