"""Tax numbers behind a word that names one: US EIN, ITIN, ATIN, German, British, EU VAT and others."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.labelled import ALNUM, count_digits, value_after
from yuzui.privacy.surroundings import is_word

_NUMBER = ALNUM | frozenset("- ")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isascii() and (is_word(text, start - 1) or is_word(text, end)):
        return
    found = value_after(text, end, _NUMBER, reach=24)
    if found is None:
        return
    first, last = found
    while last > first:  # words behind the number belong to the sentence
        group = text.rfind(" ", first, last) + 1 or first
        if any(char.isdigit() for char in text[max(first, group) : last]):
            break
        last = max(first, group - 1)
    value = text[first:last]
    if 7 <= count_digits(value) <= 14 and len(value) <= 20:
        yield Hit("tax_id", first, last, 0.85)


DETECTOR = Detector(
    levels={"tax_id": "restricted"},
    patterns=(
        Pattern(
            regex="(?:tin|itin|atin|ein|tax(?:payer)?[ -]id(?:entification)?(?: number)?|tax number|tax file number|vat(?: id| number| reg)?"
            "|steuer-?id|steueridentifikationsnummer|steuernummer|ust-?idnr|codice fiscale|nif|cpf|cnpj|abn)",
            ignore_case=True,
        ),
    ),
    check=_check,
)
