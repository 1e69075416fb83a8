"""Identity numbers of other countries: by shape and check where that is enough, else behind a word that names them.

UK national insurance and NHS numbers, South Korean resident registration, Indian Aadhaar and PAN, and others.
Sources (2025): https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110, https://uidai.gov.in/,
https://www.datadictionary.nhs.uk/attributes/nhs_number.html, https://incometaxindia.gov.in/.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import verhoeff_is_valid
from yuzui.privacy.detectors._contract import Detector, Digits, Hit, Pattern, label
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, count_digits, value_after
from yuzui.privacy.surroundings import has_cue, is_inside_number, is_word, stands_alone

KIND = "national_id"
_KOREAN_CUES = ("주민등록", "rrn", "resident registration", "korean")
_INDIAN_CUES = ("aadhaar", "aadhar", "uidai", "आधार")
_HOLDERS = frozenset("PCHFATBLJGK")  # fourth letter of an Indian PAN: the kind of holder
_NINO_FIRST = frozenset("ABCEGHJKLMNOPRSTWXYZ")
_NUMBER = ALNUM | frozenset("- ")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    value = text[start:end]
    if value[-1].isalpha() and any(char.isdigit() for char in value):
        if is_word(text, start - 1) or is_word(text, end):
            return
        compact = value.replace(" ", "").upper()
        if len(compact) == 9 and compact[0] in _NINO_FIRST and compact[1] in _NINO_FIRST and compact[-1] in "ABCD":
            yield Hit(KIND, start, end, 0.9, "nino")
        elif len(compact) == 10 and compact[3] in _HOLDERS and value == compact:
            yield Hit(KIND, start, end, 0.85, "pan")
        return
    if value[0].isascii() and not value[0].isalpha():
        start += 1  # the pattern saw what stands on both sides of a short word
    if end - start <= 6 and text[end - 1].isascii() and not text[end - 1].isalpha():
        end -= 1
    if value[0].isascii() and (is_word(text, start - 1) or is_word(text, end)):
        return
    found = value_after(text, end, _NUMBER, reach=28)
    if found is None:
        return
    first, last = found
    while (
        last > first
        and not text[last - 1].isdigit()
        and count_digits(text[text.rfind(" ", first, last) + 1 or first : last]) == 0
    ):
        last = max(first, text.rfind(" ", first, last))
    if 6 <= count_digits(text[first:last]) <= 14 and last - first <= 20:
        yield Hit(KIND, first, last, 0.85, "label", because(label=True))


def _check_digits(number: Digits) -> Hit | None:
    text, start, end, value = number.text, number.start, number.end, number.value
    if not stands_alone(text, start, end) or is_inside_number(text, start, end):
        return None
    if len(value) == 13:
        has_date = "01" <= value[2:4] <= "12" and "01" <= value[4:6] <= "31" and value[6] in "12345678"
        is_cued = number.gaps != ("-",) and has_cue(text, start, _KOREAN_CUES, reach=24)
        is_sure = is_cued or number.gaps == ("-",)
        return Hit(KIND, start, end, 0.9, "korea", because(near=is_cued)) if has_date and is_sure else None
    is_cued = has_cue(text, start, _INDIAN_CUES, reach=32)
    is_grouped = number.gaps in ((" ", " "), ("-", "-"))
    if value[0] in "01" or not (is_cued or (is_grouped and verhoeff_is_valid(value))):
        return None
    why = because(checksum=verhoeff_is_valid(value), near=is_cued)
    return Hit(KIND, start, end, 0.9 if is_cued else 0.75, "aadhaar", why)


DETECTOR = Detector(
    levels={KIND: "restricted"},
    patterns=(
        Pattern(regex="[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"),
        Pattern(regex="[A-Z]{5}[0-9]{4}[A-Z]"),
        label(
            "(?:^|[^0-9a-z])(?:nhs|nino|epic|cpf|curp|nric|dni|nie|bsn|pesel)[^a-z]"
            "|(?:national insurance|national id|aadhaar|aadhar|pan card|pan number|voter id"
            "|social insurance"
            "|sozialversicherungsnummer|personalausweis|fin no|personnummer|주민등록번호)"
        ),
    ),
    check=_check,
    layouts=((6, 7), (13,), (4, 4, 4), (12,)),
    check_digits=_check_digits,
)
