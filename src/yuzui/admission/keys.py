"""Knows what a virtual key looks like, how it is recognised, and how it is read from the Authorization header."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from yuzui.core.errors import InvalidRequest, Unauthenticated

PREFIX = "yz-"
SECRET_RANDOM_BYTES = 32
SECRET_LENGTH = len(PREFIX) + 43
LONGEST_HEADER = 256

UNIFORM_MESSAGE = (
    "no valid API key: send `Authorization: Bearer yz-…` with a key made by `yuzui keys create`; "
    "it may be mistyped, revoked or expired"
)
"""The same words for every cause: an answer must not tell a guesser how close the guess was."""


def make_secret(random_bytes: bytes) -> str:
    """A new key from 32 random bytes: `yz-` and 43 URL-safe characters. Shown once, never stored."""
    if len(random_bytes) != SECRET_RANDOM_BYTES:
        raise ValueError(f"a key needs {SECRET_RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    return PREFIX + base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def key_hash(pepper: bytes, secret: str) -> bytes:
    """What the books keep: HMAC-SHA256 under a pepper that lies outside them. Useless to who steals the database."""
    return KeyHasher(pepper).hash(secret)


class KeyHasher:
    """`key_hash` for many keys: the pepper is read once."""

    __slots__ = ("_peppered",)

    def __init__(self, pepper: bytes) -> None:
        self._peppered = hmac.new(pepper, digestmod="sha256")

    def hash(self, secret: str) -> bytes:
        one = self._peppered.copy()  # unlike hmac.digest this keeps the interpreter lock: no other thread steps in
        one.update(secret.encode())
        return one.digest()


def read_bearer(authorization: Sequence[str]) -> str:
    """The key in the request's Authorization headers.

    Raise `Unauthenticated` (missing_api_key, or invalid_api_key when it cannot be one of ours) and `InvalidRequest`
    when the header comes twice: two parties could read two different callers.
    """
    if not authorization:
        raise Unauthenticated(UNIFORM_MESSAGE, code="missing_api_key")
    if len(authorization) > 1:
        raise InvalidRequest("send exactly one Authorization header", code="duplicate_authorization")
    header = authorization[0]
    if len(header) > LONGEST_HEADER:
        raise Unauthenticated(UNIFORM_MESSAGE)
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated(UNIFORM_MESSAGE)
    if len(secret) != SECRET_LENGTH or not secret.startswith(PREFIX) or not secret.isascii():
        raise Unauthenticated(UNIFORM_MESSAGE)
    return secret
