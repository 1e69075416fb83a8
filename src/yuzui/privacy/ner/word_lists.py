"""The lists of words that the tagger for Latin script and its rules look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor sir lady lord dame rev fr sr capt captain col colonel gen general lt "
    "sgt sergeant maj major judge justice president senator representative congressman minister ambassador "
    "governor mayor king queen prince princess pope bishop father sister brother aunt uncle coach nurse "
    "officer detective inspector agent herr frau monsieur madame mme mlle señor señora don doña signor signora "
    "dott maître"
)
TITLES: Final = frozenset(_TITLE_WORDS.split())
_DATE_WORDS = (
    "january february march april may june july august september october november december jan feb mar apr jun "
    "jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri "
    "sat sun"
)
DATE_WORDS: Final = frozenset(_DATE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Lists:
    """Words in lower case: given names, surnames, words of the language, words of place names."""

    given: frozenset[str]
    surnames: frozenset[str]
    common: frozenset[str]
    places: frozenset[str]
