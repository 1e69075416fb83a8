"""Check digits of structured numbers: whether a value is self-consistent. Arguments are canonical."""

from __future__ import annotations

from hashlib import sha256

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice a digit
_GB11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB11643_CHECKS = "10X98765432"
_GB32100_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_TAIWAN_REGIONS = dict(
    zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True)
)  # W, Z, I and O came later than the alphabet
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VERHOEFF = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
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


def hong_kong_id_check(body: str) -> str:
    """Check character of one or two letters and six digits; a missing letter counts as a blank (36)."""
    values = [36] * (8 - len(body)) + [int(char, 36) for char in body]
    rest = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True)) % 11
    return "0A987654321"[rest]


def taiwan_id_is_valid(value: str) -> bool:
    """A letter and nine digits."""
    region = _TAIWAN_REGIONS[value[0]]
    digits = [region // 10, region % 10, *[ord(char) - 48 for char in value[1:]]]
    return sum(d * w for d, w in zip(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True)) % 10 == 0


def vin_check(value: str) -> str:
    """The ninth character of a VIN. Source: 49 CFR 565.15, https://www.ecfr.gov/current/title-49/section-565.15."""
    rest = sum(_VIN_VALUES[char] * weight for char, weight in zip(value, _VIN_WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def routing_number_is_valid(digits: str) -> bool:
    return sum((ord(char) - 48) * weight for char, weight in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0


def verhoeff_is_valid(digits: str) -> bool:
    """Verhoeff's dihedral check (Aadhaar). Source: https://en.wikipedia.org/wiki/Verhoeff_algorithm."""
    check = 0
    for place, char in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(ord(char) - 48, place))
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """The product of two elements of the dihedral group of order ten."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _permuted(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _VERHOEFF[digit]
    return digit


def base58_is_valid(value: str) -> bool:
    """Base58Check: the last four bytes are those of a double SHA-256. For at most 35 characters."""
    number = 0
    for char in value:
        place = _BASE58.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    try:
        data = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32_is_valid(value: str) -> bool:
    """BIP 173 and BIP 350."""
    lower = value.lower()
    if value not in (lower, value.upper()) or len(value) > 90:
        return False
    human, _, data = lower.rpartition("1")
    values = [_BECH32.find(char) for char in data]
    if not human or len(data) < 6 or -1 in values:
        return False
    expanded = [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human] + values
    check = 1
    for one in expanded:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ one
        for place, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if (top >> place) & 1 else 0
    return check in (1, 0x2BC830A3)
