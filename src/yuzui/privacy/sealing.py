"""Keys of originals as the books keep them: encrypted, so that nobody can count in them which words occur how often."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

_NONCE: Final = bytes(12)  # this cipher stays safe when a nonce is used again: equal content is all that shows
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, list[bytes]])


def seal_keys(secret: bytes, scope_tag: bytes, kind: str, keys: list[bytes]) -> bytes:
    """For this scope alone. Source: RFC 8452, section 6 (the same nonce for all)."""
    return _cipher(secret).encrypt(_NONCE, _encoder.encode((kind, keys)), scope_tag)


def open_keys(secret: bytes, scope_tag: bytes, sealed: bytes) -> tuple[str, list[bytes]] | None:
    """(kind, keys); None when it was sealed under another secret or for another scope: as good as never kept."""
    try:
        return _decoder.decode(_cipher(secret).decrypt(_NONCE, sealed, scope_tag))
    except (InvalidTag, msgspec.DecodeError):
        return None


@lru_cache(maxsize=16)  # a pure function of the secret
def _cipher(secret: bytes) -> AESGCMSIV:
    return AESGCMSIV(blake2b(key=secret, digest_size=32, person=b"originals").digest())
