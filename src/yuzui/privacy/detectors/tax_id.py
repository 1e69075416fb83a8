"""Tax numbers behind a word that names one: US EIN, ITIN, ATIN, German, British, EU VAT and others."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, count_digits, value_after
from yuzui.privacy.surroundings import is_word

_NUMBER = ALNUM | frozenset("- ")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if not text[start].isalpha():
        start += 1  # the pattern saw what stands on both sides of a short word
    if end - start <= 5 and not text[end - 1].isalpha():
        end -= 1
    if is_word(text, start - 1) or is_word(text, end):
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
        yield Hit("tax_id", first, last, 0.85, evidence=because(label=True))


DETECTOR = Detector(
    levels={"tax_id": "restricted"},
    patterns=(
        Pattern(
            regex="(?:^|[^0-9a-z])(?:i?tin|atin|ein|vat|nif|cpf|cnpj|abn)[^a-z]"
            "|(?:tax(?:payer)?[ -]id(?:entification)?(?: number)?|tax number|tax file number"
            "|vat (?:id|number|reg)"
            "|steuer-?id|steueridentifikationsnummer|steuernummer|ust-?idnr|codice fiscale)",
            ignore_case=True,
        ),
    ),
    check=_check,
)
