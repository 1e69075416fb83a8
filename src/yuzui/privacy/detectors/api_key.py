"""API keys that name their issuer by prefix or by shape. A new vendor is one row in `_vendor_keys`."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.detectors._vendor_keys import VENDOR_KEYS
from yuzui.privacy.evidence import because
from yuzui.privacy.randomness import is_placeholder, looks_random
from yuzui.privacy.surroundings import is_word

# Shapes without a prefix of their own, as the vendors document them (2026-11).
_SHAPES: tuple[str, ...] = (
    r"(?:AccountKey|SharedAccessKey)=[0-9A-Za-z+/=]{40,}",  # Azure
    r"[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",  # Telegram
    r"S[ACNOUX][A-D][A-Z0-9]{53,56}",  # NATS seeds
    r"https://[0-9a-f]{32}@[0-9a-z.]{4,}/[0-9]{2,}",  # Sentry DSN
    r"[?&](?:sig|X-Amz-Signature|X-Goog-Signature|Signature|access_token|api_key|apikey"
    r"|auth_token)=[0-9A-Za-z%+/=._-]{16,}",
    r"X-Amz-Credential=[0-9A-Z]{16,}",
    r"[0-9]Q~[0-9A-Za-z_.~-]{31,34}",  # Azure client secret; three characters stand before
    r"s-s4t2(?:ud|af)-[0-9a-f]{40,}",  # 42
    r"-us[0-9]{1,2}",  # Mailchimp: 32 hexadecimal digits stand before
    r"\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27}",  # Discord bot: 24 to 26 characters stand before
    r"-[0-9a-f]{8}-[0-9a-f]{8}",  # Mailgun: 32 hexadecimal digits stand before
)
_PREFIX = f"(?:{'|'.join(''.join(f'[{c}]' if c in '.?$|+' else c for c in prefix) for prefix in sorted(VENDOR_KEYS))})"


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    key = VENDOR_KEYS.get(text[start:end])
    if key is None:
        yield from _check_shape(text, start, end)
        return
    if is_word(text, start - 1) or (start and text[start - 1] in "_-" and text[start].isalpha()):
        return
    last = end
    limit = min(len(text), end + key.most + 1)
    alphabet = key.alphabet
    while last < limit and text[last] in alphabet:
        last += 1
    value = text[end:last].rstrip("-_.=")
    last = end + len(value)
    if not key.least <= len(value) <= key.most or is_word(text, last):
        return
    if not is_placeholder(value) and looks_random(value):
        yield Hit("api_key", start, last, 0.95, "prefix", because(entropy=True, listed="vendor_keys"))


def _check_shape(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start] in "?&":
        start = text.index("=", start) + 1
    elif text[start] in "-." or text.startswith("Q~", start + 1):
        before = 3 if text[start] not in "-." else 32 if text[start] == "-" else 24
        first = start
        while first and start - first < before + 4 and (is_word(text, first - 1) or text[first - 1] in "_~"):
            first -= 1
        if start - first < before or (before == 32 and start - first != 32):
            return
        start = start - before if before == 3 else first
        while is_word(text, end) and before == 24:
            end += 1
    elif is_word(text, start - 1) or is_word(text, end):
        return
    value = text[start:end].rstrip("-_.")
    if not is_placeholder(value) and looks_random(value):
        yield Hit("api_key", start, start + len(value), 0.9, "shape", because(entropy=True))


DETECTOR = Detector(
    levels={"api_key": "restricted"},
    patterns=(Pattern(regex=_PREFIX), *(Pattern(regex=row) for row in _SHAPES)),
    check=_check,
)
