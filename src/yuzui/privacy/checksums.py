"""Check digits of structured numbers: whether a value is self-consistent. Arguments are canonical."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice a digit
_GB11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB11643_CHECKS = "10X98765432"
_GB32100_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_GB32100_VALUES = {char: value for value, char in enumerate(_GB32100_ALPHABET)}


def luhn_is_valid(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        total += _DOUBLED[value] if place % 2 else value
    return total % 10 == 0


def luhn_check_digit(payload: str) -> str:
    return next(digit for digit in "0123456789" if luhn_is_valid(payload + digit))


def mod97(text: str) -> int:
    """ISO 7064 MOD 97-10 over letters (A = 10 … Z = 35) and digits; an IBAN moved by four places gives 1."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def resident_id_check(first17: str) -> str:
    """GB 11643-1999: ISO 7064 MOD 11-2 over 17 digits."""
    return _GB11643_CHECKS[sum((ord(c) - 48) * w for c, w in zip(first17, _GB11643_WEIGHTS, strict=True)) % 11]


def social_credit_check(first17: str) -> str:
    """GB 32100-2015: modulus 31, weights 3^i. Raise `KeyError` for characters that the code does not use."""
    total = sum(_GB32100_VALUES[char] * pow(3, place, 31) for place, char in enumerate(first17))
    return _GB32100_ALPHABET[-total % 31]
