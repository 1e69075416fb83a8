"""What stand-ins stand for, kept beyond one request: encrypted for its tenant alone, and gone with the key.

Within a request the mapping in memory is enough. The vault is for later turns that bring back a stand-in which the
client saw as it is (in an address, say), and for a person who must find out what a vendor was shown. It seals and
opens; where the bytes lie and for how long is the archive's business (`io/archive.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

NONCE_BYTES: Final = 12
ENTRY_PREFIX: Final = "vault_"
_VERSION: Final = b"\x01"


class VaultLocked(Exception):
    """These bytes were sealed under another secret or for another tenant, or were changed. Nothing of them is told."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One stand-in."""

    token: str
    kind: str
    original: str

    @override
    def __repr__(self) -> str:  # tracebacks must not hold what the vault holds
        return f"Entry({self.token!r})"


class Vault:
    """Seals for one tenant. `secret`: at least 16 bytes, the deployment's; its loss loses the originals."""

    __slots__ = ("_bound_to", "_cipher")

    def __init__(self, secret: bytes, *, tenant: str) -> None:
        if len(secret) < 16:
            raise ValueError("the vault needs a secret of at least 16 bytes")
        kdf = HKDF(algorithm=SHA256(), length=32, salt=b"yuzui vault", info=tenant.encode())
        self._cipher = AESGCM(kdf.derive(secret))
        self._bound_to = _VERSION + tenant.encode()

    def seal(self, entries: Iterable[Entry], nonce: bytes) -> bytes:
        """`nonce`: `NONCE_BYTES` that are never used again."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
        return _VERSION + nonce + self._cipher.encrypt(nonce, _encoder.encode(tuple(entries)), self._bound_to)

    def open(self, sealed: bytes) -> tuple[Entry, ...]:
        """What `seal` was given; raise `VaultLocked`."""
        head = len(_VERSION) + NONCE_BYTES
        if sealed[:1] != _VERSION or len(sealed) <= head:
            raise VaultLocked("these are no sealed originals of this version")
        try:
            plain = self._cipher.decrypt(sealed[1:head], sealed[head:], self._bound_to)
            return _decoder.decode(plain)
        except (InvalidTag, msgspec.DecodeError):
            raise VaultLocked(
                "the originals cannot be opened: the gateway's secret has changed, or they belong to another tenant; "
                "restore the secret that they were sealed with"
            ) from None  # whatever stood inside is not to reach a log


def entries_of(originals: Mapping[str, str], kinds: Mapping[str, str]) -> tuple[Entry, ...]:
    """In the order of their stand-ins, so that the same originals are the same bytes."""
    return tuple([Entry(token, kinds[token], originals[token]) for token in sorted(originals)])


def entry_id(tokens: Iterable[str]) -> str:
    """The name under which a set of stand-ins is kept: a conversation that adds none adds no row."""
    return ENTRY_PREFIX + blake2b("\n".join(sorted(tokens)).encode(), digest_size=16).hexdigest()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Entry, ...])
