"""How alike two texts are: token F1, ROUGE-L and chrF, each from its definition, 0 to 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from yuzui.evaluation.normal_text import normalised, words

CHRF_ORDER: Final = 6
CHRF_BETA: Final = 2.0
MOST_WORDS: Final = 4_000  # the table of ROUGE-L grows with the product of the lengths; beyond it the end is left out


def token_f1(answer: str, reference: str) -> float:
    """F1 over the words of both as bags, articles and punctuation left out (SQuAD, arXiv:1606.05250)."""
    mine, theirs = Counter(words(normalised(answer))), Counter(words(normalised(reference)))
    common = sum((mine & theirs).values())
    if not mine or not theirs:
        return float(mine == theirs)
    return _f(common / sum(mine.values()), common / sum(theirs.values()), 1.0)


def rouge_l(answer: str, reference: str) -> float:
    """F1 over the longest common subsequence of words. Source: Lin, "ROUGE", ACL 2004, eq. 2–4 with beta = 1."""
    mine, theirs = words(answer)[:MOST_WORDS], words(reference)[:MOST_WORDS]
    if not mine or not theirs:
        return float(mine == theirs)
    common = _common_subsequence(mine, theirs)
    return _f(common / len(mine), common / len(theirs), 1.0)


def chrf(answer: str, reference: str) -> float:
    """chrF2 with n-grams of 1 to 6 characters, white space left out; orders that one side lacks do not count.

    Source: Popović, "chrF", WMT 2015. Precision and recall are averaged over the orders first, as
    sacreBLEU does by default.
    """
    mine, theirs = "".join(answer.split()), "".join(reference.split())
    if not mine or not theirs:
        return float(mine == theirs)
    precisions, recalls = [], []
    for order in range(1, CHRF_ORDER + 1):
        left, right = _grams(mine, order), _grams(theirs, order)
        if not left or not right:
            continue
        common = sum((left & right).values())
        precisions.append(common / sum(left.values()))
        recalls.append(common / sum(right.values()))
    return _f(sum(precisions) / len(precisions), sum(recalls) / len(recalls), CHRF_BETA)


def _f(precision: float, recall: float, beta: float) -> float:
    weighed = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / weighed if weighed else 0.0


def _grams(text: str, order: int) -> Counter[str]:
    return Counter([text[place : place + order] for place in range(len(text) - order + 1)])


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest one, with whole rows as bits of one number (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(left)) - 1
    row = full
    for word in right:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(left) - row.bit_count()
